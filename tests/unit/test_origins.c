/* Whose message a queue id is: somebody's, or one that Postfix made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "origins.h"

static void saw(struct origins *o, enum maillog_kind kind, const char *queue_id)
{
    struct maillog_line line = {.kind = kind, .queue_id = slice_of(queue_id)};

    origins_saw(o, &line);
}

static void expect(const char *label, const struct origins *o, const char *id, enum origin want)
{
    enum origin is = origins_of(o, slice_of(id));

    if (is != want)
        fail_msg("%s: %d, not %d", label, (int)is, (int)want);
}

#define NONE ORIGIN_UNKNOWN
#define INTERNAL ORIGIN_INTERNAL
#define SUBMITTED ORIGIN_SUBMITTED
#define LONGEST "4ShGNr1DYKz1bq4ShGNr1DYKz1bq4ShGNr1DYKzz"

/* What was logged, one line after the other: 's' submitted, 'c' content, 'o' another kind. */
static void what_the_log_tells(void **state)
{
    static const struct {
        const char *label;
        struct {
            char what;
            const char *id;
        } lines[5];
        const char *id;
        enum origin want;
    } cases[] = {
        {"nothing", {{0, NULL}}, "3F1A72C0E9", NONE},
        {"content alone", {{'c', "3F1A72C0E9"}}, "3F1A72C0E9", INTERNAL},
        {"submitted", {{'s', "3F1A72C0E9"}}, "3F1A72C0E9", SUBMITTED},
        {"submitted, then its content",
         {{'s', "3F1A72C0E9"}, {'c', "3F1A72C0E9"}},
         "3F1A72C0E9",
         SUBMITTED},
        {"two Message-Ids in one submission",
         {{'s', "3F1A72C0E9"}, {'c', "3F1A72C0E9"}, {'c', "3F1A72C0E9"}},
         "3F1A72C0E9",
         SUBMITTED},
        {"another one was submitted",
         {{'s', "3F1A72C0E9"}, {'c', "3F1A72C0E8"}},
         "3F1A72C0E8",
         INTERNAL},
        {"an id that begins the same",
         {{'s', "3F1A72C0E9"}, {'c', "3F1A72C0E"}},
         "3F1A72C0E",
         INTERNAL},
        {"used again by a submission",
         {{'c', "3F1A72C0E9"}, {'s', "3F1A72C0E9"}},
         "3F1A72C0E9",
         SUBMITTED},
        {"and that one's content",
         {{'c', "3F1A72C0E9"}, {'s', "3F1A72C0E9"}, {'c', "3F1A72C0E9"}},
         "3F1A72C0E9",
         SUBMITTED},
        {"others of ours stay when one is used again",
         {{'c', "3F1A72C0E9"}, {'c', "3F1A72C0E8"}, {'s', "3F1A72C0E9"}},
         "3F1A72C0E8",
         INTERNAL},
        {"used again by Postfix: in doubt a submission",
         {{'s', "3F1A72C0E9"}, {'c', "3F1A72C0E9"}, {'o', "3F1A72C0E9"}, {'c', "3F1A72C0E9"}},
         "3F1A72C0E9",
         SUBMITTED},
        {"other lines say nothing", {{'o', "3F1A72C0E9"}}, "3F1A72C0E9", NONE},
        {"the longest id", {{'c', LONGEST}}, LONGEST, INTERNAL},
        {"a longer id is not kept", {{'c', LONGEST "B"}}, LONGEST "B", NONE},
        {"nor its beginning", {{'c', LONGEST "B"}}, LONGEST, NONE},
        {"nor when it was submitted", {{'s', LONGEST "B"}}, LONGEST, NONE},
        {"no id", {{'c', ""}}, "", NONE},
        {"free places are no id", {{'s', "3F1A72C0E9"}}, "", NONE},
        {"a letter's case matters", {{'c', "4ShGNr1DYKz1bq"}}, "4ShGNr1DYKz1bQ", NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct origins *o = origins_new();

        assert_non_null(o);
        for (size_t n = 0; n < 5 && cases[i].lines[n].id; n++)
            saw(o,
                cases[i].lines[n].what == 's'   ? MAILLOG_SUBMITTED
                : cases[i].lines[n].what == 'c' ? MAILLOG_CONTENT
                                                : MAILLOG_REMOVED,
                cases[i].lines[n].id);
        expect(cases[i].label, o, cases[i].id, cases[i].want);
        origins_free(&o);
        assert_null(o);
    }
}

static void saw_number(struct origins *o, enum maillog_kind kind, int number)
{
    char id[16];

    snprintf(id, sizeof(id), "A%09X", number);
    saw(o, kind, id);
}

static enum origin origin_of_number(const struct origins *o, int number)
{
    char id[16];

    snprintf(id, sizeof(id), "A%09X", number);
    return origins_of(o, slice_of(id));
}

/* What is forgotten is not known; a flood of submissions pushes out none of Postfix's. */
static void the_last_ones_are_kept(void **state)
{
    struct origins *o = origins_new();

    (void)state;
    assert_non_null(o);
    for (int i = 0; i < 10000; i++)
        saw_number(o, MAILLOG_CONTENT, i);
    for (int i = 10000 - 4096; i < 10000; i++)
        assert_int_equal(origin_of_number(o, i), ORIGIN_INTERNAL);
    assert_int_equal(origin_of_number(o, 10000 - 4097), ORIGIN_UNKNOWN);
    assert_int_equal(origin_of_number(o, 0), ORIGIN_UNKNOWN);
    for (int i = 20000; i < 30000; i++)
        saw_number(o, MAILLOG_SUBMITTED, i);
    for (int i = 30000 - 256; i < 30000; i++)
        assert_int_equal(origin_of_number(o, i), ORIGIN_SUBMITTED);
    assert_int_equal(origin_of_number(o, 30000 - 257), ORIGIN_UNKNOWN);
    assert_int_equal(origin_of_number(o, 9999), ORIGIN_INTERNAL);
    assert_int_equal(origin_of_number(o, 10000 - 4096), ORIGIN_INTERNAL);
    origins_free(&o);
    origins_free(&o);
}

/* Somebody's mail never becomes Postfix's, not even when that it was submitted is forgotten. */
static void what_was_submitted_is_never_internal(void **state)
{
    static const struct {
        const char *label;
        enum maillog_kind first, second;
    } cases[] = {
        {"its content came behind", MAILLOG_SUBMITTED, MAILLOG_CONTENT},
        {"the id had been used by Postfix", MAILLOG_CONTENT, MAILLOG_SUBMITTED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct origins *o = origins_new();

        assert_non_null(o);
        saw(o, cases[i].first, "3F1A72C0E9");
        saw(o, cases[i].second, "3F1A72C0E9");
        expect(cases[i].label, o, "3F1A72C0E9", SUBMITTED);
        for (int n = 0; n < 1000; n++)
            saw_number(o, MAILLOG_SUBMITTED, n);
        expect(cases[i].label, o, "3F1A72C0E9", NONE);
        origins_free(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_log_tells),
        cmocka_unit_test(the_last_ones_are_kept),
        cmocka_unit_test(what_was_submitted_is_never_internal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
