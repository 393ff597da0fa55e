/* Whose line it is, where several Postfix instances write one log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "logtags.h"

static const char ID[] = "4ShGNr1DYKz1bq";

static bool ours(struct logtags *tags, const char *program, enum maillog_kind kind, const char *id)
{
    const struct maillog_line line = {
        .kind = kind, .program = slice_of(program), .queue_id = slice_of(id)};

    return logtags_ours(tags, &line);
}

static void a_name_claims_what_it_begins(void **state)
{
    static const struct {
        const char *label;
        const char *ours, *others;
        const char *program;
        bool want;
    } cases[] = {
        {"our syslog_name", "postfix", "postfix-out", "postfix/smtp", true},
        {"a service of ours", "postfix", "postfix-out", "postfix/relay/smtp", true},
        {"the other's", "postfix", "postfix-out", "postfix-out/smtp", false},
        {"ours is the longer one", "postfix-out", "postfix", "postfix-out/smtp", true},
        {"the other's is the shorter one", "postfix-out", "postfix", "postfix/smtp", false},
        {"a name of its own, by -o", "postfix\nout", "postfix-in", "out/smtp", true},
        {"the other's by -o", "postfix", "postfix-out\nout", "out/smtp", false},
        {"the other's below our name", "postfix", "postfix/out", "postfix/out/smtp", false},
        {"ours above the other's", "postfix", "postfix/out", "postfix/relay/smtp", true},
        {"ours below the other's name", "postfix/out", "postfix", "postfix/out/relay/smtp", true},
        {"the other names a service like ours", "postfix", "postfix-out\npostfix/relay",
         "postfix/relay/smtp", false},
        {"nobody's", "postfix", "postfix-out", "postfix-old/smtp", false},
        {"an agent without a tag", "postfix", "postfix-out", "postfix", false},
        {"no program", "postfix", "postfix-out", "", false},
        {"an empty name claims nothing", "\n\npostfix", "\n", "/smtp", false},
        {"of three others", "postfix", "in\npostfix-out\nx", "postfix-out/local", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct logtags *tags = logtags_new(cases[i].ours, cases[i].others);

        assert_non_null(tags);
        if (ours(tags, cases[i].program, MAILLOG_DELIVERY, ID) != cases[i].want)
            fail_msg("%s", cases[i].label);
        logtags_free(&tags);
        assert_null(tags);
    }
}

/* Debian's master.cf names the service relay "postfix/relay" in each instance. */
static void the_queue_id_decides_between_two_of_a_name(void **state)
{
    static const char shared[] = "postfix/relay/smtp";
    struct logtags *tags = logtags_new("postfix\npostfix/relay", "postfix-out\npostfix/relay");

    (void)state;
    assert_non_null(tags);
    assert_false(ours(tags, shared, MAILLOG_DELIVERY, ID));
    assert_false(ours(tags, "postfix-out/qmgr", MAILLOG_ACTIVE, ID));
    assert_false(ours(tags, shared, MAILLOG_DELIVERY, ID));
    assert_true(ours(tags, "postfix/cleanup", MAILLOG_CONTENT, ID));
    assert_false(ours(tags, shared, MAILLOG_DELIVERY, ID));
    assert_true(ours(tags, "postfix/qmgr", MAILLOG_ACTIVE, ID));
    assert_true(ours(tags, shared, MAILLOG_DELIVERY, ID));
    assert_false(ours(tags, shared, MAILLOG_DELIVERY, "4ShGNr1DYKz1br"));
    assert_false(ours(tags, shared, MAILLOG_ACTIVE, "4ShGNr1DYKz1bs"));
    assert_false(ours(tags, shared, MAILLOG_DELIVERY, "4ShGNr1DYKz1bs"));
    logtags_free(&tags);
}

static void no_line_counts_between_namesakes(void **state)
{
    struct logtags *tags = logtags_new("postfix", "postfix");

    (void)state;
    assert_non_null(tags);
    assert_false(ours(tags, "postfix/qmgr", MAILLOG_ACTIVE, ID));
    assert_false(ours(tags, "postfix/smtp", MAILLOG_DELIVERY, ID));
    logtags_free(&tags);
}

static void a_reader_passes_over_the_lines_of_others(void **state)
{
    static const char rest[] = "[7]: 0A1B2C3D4E: removed";
    struct logtags *tags = logtags_new("postfix-out", "postfix");
    struct maillog_reader reader = {.tags = tags};
    struct maillog_line line;
    char text[128];

    (void)state;
    assert_non_null(tags);
    snprintf(text, sizeof(text), "2026-11-23T08:00:00Z mx postfix/qmgr%s", rest);
    assert_false(maillog_parse(&reader, text, strlen(text), 0, &line));
    assert_false(
        maillog_parse_entry(&reader, slice_of("postfix/qmgr"), slice_of(rest + 5), 0, &line));
    snprintf(text, sizeof(text), "2026-11-23T08:00:00Z mx postfix-out/qmgr%s", rest);
    assert_true(maillog_parse(&reader, text, strlen(text), 0, &line));
    assert_true(
        maillog_parse_entry(&reader, slice_of("postfix-out/qmgr"), slice_of(rest + 5), 0, &line));
    logtags_free(&tags);
}

static void the_same_lists_are_the_same(void **state)
{
    struct logtags *a = logtags_new("postfix", "out"), *b = logtags_new("postfix", "out");
    struct logtags *c = logtags_new("postfix", "in");

    (void)state;
    assert_true(logtags_same(a, b));
    assert_false(logtags_same(a, c));
    assert_false(logtags_same(a, NULL));
    assert_true(logtags_same(NULL, NULL));
    logtags_free(&a);
    logtags_free(&b);
    logtags_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_claims_what_it_begins),
        cmocka_unit_test(the_queue_id_decides_between_two_of_a_name),
        cmocka_unit_test(no_line_counts_between_namesakes),
        cmocka_unit_test(a_reader_passes_over_the_lines_of_others),
        cmocka_unit_test(the_same_lists_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
