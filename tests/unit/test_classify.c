/*
 * What is taken for a limit of recipients, and that the table Postfix reads agrees in every case.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "classify.h"
#include "classify_parts.h"
#include "classify_pattern.h"
#include "status_filter.h"
#include "table_eval.h"

enum { TEXT_SIZE = 8192 };

static struct classifier *built_in(void)
{
    char error[512] = "";
    struct classifier *classifier = classifier_new(NULL, 0, error, sizeof(error));

    if (classifier == NULL)
        fail_msg("%s", error);
    return classifier;
}

static struct table_eval *table_of(const struct classifier *classifier)
{
    char *text = status_filter_text(classifier);
    struct table_eval *table;

    assert_non_null(text);
    table = table_eval_new(text);
    free(text);
    return table;
}

/* The table changes the status when, and only when, the reply is permanent and of kind split. */
static void assert_table_agrees(const struct table_eval *table, const char *text,
                                const struct classify_info *info)
{
    bool want = info->kind == CLASSIFY_SPLIT && info->permanent;
    char key[TEXT_SIZE], result[TEXT_SIZE], wanted[TEXT_SIZE];
    bool is;

    snprintf(key, sizeof(key), "%s %s", info->permanent ? "5.0.0" : "4.0.0", text);
    snprintf(wanted, sizeof(wanted), "4.5.3 %s", text);
    is = table_eval(table, key, result, sizeof(result));
    if (is != want)
        fail_msg("%s: the table has %s", text, is ? result : "no answer");
    if (is && strcmp(result, wanted) != 0)
        fail_msg("%s: the table makes it %s", text, result);
    /* A status that is temporary, or of a delivery, is never touched. */
    snprintf(key, sizeof(key), "4.5.3 %s", text);
    assert_false(table_eval(table, key, result, sizeof(result)));
    snprintf(key, sizeof(key), "2.0.0 %s", text);
    assert_false(table_eval(table, key, result, sizeof(result)));
}

static void assert_kind(const struct classifier *classifier, const struct table_eval *table,
                        const char *text, enum reply_kind want)
{
    struct classify_info info;

    classify_reply(classifier, slice_of(text), &info);
    if (info.kind != want)
        fail_msg("\"%s\" is %s (%s), want %s", text, reply_kind_name(info.kind), info.source,
                 reply_kind_name(want));
    assert_table_agrees(table, text, &info);
}

/* tests/data: kind, phase, limit, reply, source */
struct row {
    char *kind, *phase, *limit, *reply, *source;
};

static bool read_row(FILE *in, char line[TEXT_SIZE], struct row *row_r)
{
    char **fields[] = {&row_r->kind, &row_r->phase, &row_r->limit, &row_r->reply, &row_r->source};
    char *rest = line;

    do {
        if (fgets(line, TEXT_SIZE, in) == NULL)
            return false;
    } while (*line == '#');
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        *fields[i] = strsep(&rest, "\t");
        if (*fields[i] == NULL || **fields[i] == '\0')
            fail_msg("a row without all its fields: %s", line);
    }
    assert_null(rest);
    return true;
}

static void check_row(const struct classifier *classifier, const struct table_eval *table,
                      const struct row *row)
{
    char text[TEXT_SIZE];
    struct classify_info info;

    snprintf(text, sizeof(text), "host mx.example.net[192.0.2.1] said: %s (in reply to %s command)",
             row->reply, row->phase);
    classify_reply(classifier, slice_of(text), &info);
    if (strcmp(reply_kind_name(info.kind), row->kind) != 0)
        fail_msg("\"%s\" is %s (%s), want %s", row->reply, reply_kind_name(info.kind), info.source,
                 row->kind);
    if (info.limit != strtoul(row->limit, NULL, 10))
        fail_msg("\"%s\" names %u, want %s", row->reply, (unsigned)info.limit, row->limit);
    assert_int_equal(info.permanent, row->reply[0] == '5');
    if (strcmp(row->phase, "MAIL FROM") != 0)
        assert_string_equal(reply_phase_name(info.phase), row->phase);
    assert_table_agrees(table, text, &info);
}

static void test_replies_of_servers(void **state)
{
    struct classifier *classifier = built_in();
    struct table_eval *table = table_of(classifier);
    const char *srcdir = getenv("srcdir");
    char path[1024], line[TEXT_SIZE];
    struct row row;
    size_t count = 0;
    FILE *in;

    (void)state;
    snprintf(path, sizeof(path), "%s/tests/data/too-many-recipients.tsv",
             srcdir != NULL ? srcdir : ".");
    in = fopen(path, "r");
    if (in == NULL)
        fail_msg("cannot read %s", path);
    for (; read_row(in, line, &row); count++)
        check_row(classifier, table, &row);
    assert_true(count > 100);
    fclose(in);
    table_eval_free(&table);
    classifier_free(&classifier);
}

/* Whatever the address says, quoted in whatever way, it decides nothing. */
static const char *const ADDRESSES[] = {
    "550 5.1.1 <too.many@recipients.example> User unknown",
    "550 <too many recipients@example.com>: no",
    "550 <\"too many recipients\"@example.com>: no",
    "550 <\"a> too many recipients <b\"@example.com>: no",
    "550 <a> too many recipients <b@example.com>: no",
    "550 too.many.recipients@example.com is not here",
    "550 too many recipients@example.com is not here",
    "550 x@too many recipients.example.com@y",
    "550 \"too many recipients\"@example.com",
    "550 \"too many recipients x\"@example.com",
    "550 \"Too many recipients\" <u@example.com>: no",
    "550 [too-many-recipients@example.com] no",
    "550 'too_many_recipients@example.com' no",
    "550 x@< too many recipients >",
    "550 <too many recipients",
    "550 no such host too-many-recipients.example",
    "550 see https://example.net/too%20many%20recipients",
    "550 see https://example.net/?why=recipient+limit+exceeded",
    "552 <recipient.limit.exceeded@example.com> over",
    "552 <u@maximum.number.of.recipients.example> exceeded",
    "552 <u@example.com> Mailbox limit exceeded",
};

/* About something else, and yet with the words of a limit in it. */
static const char *const OTHERS[] = {
    "550 Too many recipients@",
    "552 5.2.2 Too many recipients",
    "550 5.1.1 Too many recipients",
    "550-5.1.1 Too many recipients 550 5.1.1 Try again",
    "553 sorry, too many recipients (#5.1.1)",
    "552 recipient storage limit exceeded",
    "552 Recipient mailbox size limit exceeded",
    "552 recipient quota limit exceeded",
    "552 Message size limit exceeded for recipients",
    "552 message too large for 3 recipients, limit 10 MB",
    "552 Mailbox limit exceeded for recipients",
    "550 too many recipients unknown",
    "550 too many recipients: user unknown",
    "550 too many recipients not found",
    "550 Too many nonexistent recipients",
    "550 Too many failed recipients",
    "550 Too many recipient errors",
    "421 too many errors",
    "421 4.7.0 Too many connections",
    "421 too many messages in this session",
    "452 4.3.1 Insufficient system storage",
    "503 5.5.1 Error: need RCPT command",
    "554 5.5.1 Error: no valid recipients",
    "554 5.7.1 Message contains a virus; too many recipients",
    "554 5.7.1 Too many recipients: listed at zen.example (DNSBL)",
    "554 5.7.1 rejected due to local policy: too many recipients",
    "554 5.7.1 blocked using reputation, recipient limit exceeded",
    "550 Subject: too many recipients",
    "550 5.7.1 Relaying denied: too many recipients",
    "550 permanent failure for one or more recipients (u@example.com:blocked)",
    "550 Mail was not delivered to any other recipients",
    "550 recipient number 3 is not accepted",
    "550 No more mail for this recipient",
    "550 the limit",
    "552 limit exceeded",
    "552",
    "552 ",
};

static void test_nothing_is_taken_for_a_limit(void **state)
{
    static const struct {
        const char *const *replies;
        size_t count;
    } lists[] = {{ADDRESSES, sizeof(ADDRESSES) / sizeof(ADDRESSES[0])},
                 {OTHERS, sizeof(OTHERS) / sizeof(OTHERS[0])}};
    static const char *const phases[] = {"RCPT TO", "DATA", "end of DATA"};
    struct classifier *classifier = built_in();
    struct table_eval *table = table_of(classifier);

    (void)state;
    for (size_t list = 0; list < 2; list++) {
        for (size_t i = 0; i < lists[list].count * 3; i++) {
            char text[TEXT_SIZE];

            snprintf(text, sizeof(text), "host mx[192.0.2.1] said: %s (in reply to %s command)",
                     lists[list].replies[i / 3], phases[i % 3]);
            assert_kind(classifier, table, text, CLASSIFY_OTHER);
        }
    }
    table_eval_free(&table);
    classifier_free(&classifier);
}

/* An address does not hide what the server itself says beside it, either. */
static void test_words_beside_an_address(void **state)
{
    static const char *const replies[] = {
        "552 <over.quota@example.com> too many recipients",
        "552 <spam@virus.example>... too many recipients",
        "552 too many recipients <quota@example.com>",
        "552 user.unknown@example.com: too many recipients",
        "552 too many recipients user.unknown@example.com",
        "552 [quota@example.com] too many recipients",
        "552 quota@example.com too many recipients",
        "552-5.5.3 <u@example.com>: too many 552 5.5.3 recipients",
        "552 too many recipients (from <>)",
        "552 too many recipients, see <https://example.net/limits>",
        "552 TOO MANY RECIPIENTS",
        "552 Too  many   recipients",
    };
    struct classifier *classifier = built_in();
    struct table_eval *table = table_of(classifier);

    (void)state;
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        char text[TEXT_SIZE];

        snprintf(text, sizeof(text), "host mx[192.0.2.1] said: %s (in reply to RCPT TO command)",
                 replies[i]);
        assert_kind(classifier, table, text, CLASSIFY_SPLIT);
    }
    table_eval_free(&table);
    classifier_free(&classifier);
}

#define REPLY "552 too many recipients"
#define RCPT " (in reply to RCPT TO command)"

static void test_only_the_servers_words(void **state)
{
    static const struct {
        const char *label, *text;
        enum reply_kind want;
    } cases[] = {
        {"as smtp(8) says it", "host mx[192.0.2.1] said: " REPLY RCPT, CLASSIFY_SPLIT},
        {"IPv6", "host mx[2001:db8::1] said: " REPLY RCPT, CLASSIFY_SPLIT},
        {"a socket", "host mx[private/lmtp] said: " REPLY RCPT, CLASSIFY_SPLIT},
        {"no host", "host said: " REPLY RCPT, CLASSIFY_OTHER},
        {"not said", REPLY RCPT, CLASSIFY_OTHER},
        {"a greeting", "host mx[192.0.2.1] refused to talk to me: " REPLY, CLASSIFY_OTHER},
        {"the host's name", "host too many recipients said: 552 no" RCPT, CLASSIFY_OTHER},
        {"no phase", "host mx[192.0.2.1] said: " REPLY, CLASSIFY_OTHER},
        {"MAIL FROM", "host mx[192.0.2.1] said: " REPLY " (in reply to MAIL FROM command)",
         CLASSIFY_OTHER},
        {"the server imitates a phase",
         "host mx[192.0.2.1] said: " REPLY RCPT " (in reply to MAIL FROM command)", CLASSIFY_OTHER},
        {"the server imitates all of it",
         "host mx[192.0.2.1] said: 552 host x said: " REPLY RCPT " (in reply to DATA command)",
         CLASSIFY_SPLIT},
        {"Postfix's words are no reply",
         "host mx[192.0.2.1] said: 552 too many (in reply to RCPT TO command)", CLASSIFY_OTHER},
        {"neither 4xx nor 5xx", "host mx[192.0.2.1] said: 352 too many recipients" RCPT,
         CLASSIFY_OTHER},
        {"a protocol error",
         "Protocol error: host mx[192.0.2.1] said: 352 too many recipients" RCPT, CLASSIFY_OTHER},
        {"no code", "host mx[192.0.2.1] said: 55 too many recipients" RCPT, CLASSIFY_OTHER},
        {"a long code", "host mx[192.0.2.1] said: 5520 too many recipients" RCPT, CLASSIFY_OTHER},
        {"the queue manager",
         "delivery temporarily suspended: host mx[192.0.2.1] said: " REPLY RCPT, CLASSIFY_OTHER},
        {"nothing", "", CLASSIFY_OTHER},
    };
    struct classifier *classifier = built_in();
    struct table_eval *table = table_of(classifier);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum reply_kind is = classify_reply(classifier, slice_of(cases[i].text), NULL);

        if (is != cases[i].want)
            fail_msg("%s: %s", cases[i].label, reply_kind_name(is));
        assert_kind(classifier, table, cases[i].text, cases[i].want);
    }
    table_eval_free(&table);
    classifier_free(&classifier);
}

static void test_a_nul_byte(void **state)
{
    static const char text[] = "host mx[192.0.2.1] said: 552 too many\0 recipients" RCPT;
    struct classifier *classifier = built_in();

    (void)state;
    assert_int_equal(classify_reply(classifier, (struct slice){text, sizeof(text) - 1}, NULL),
                     CLASSIFY_OTHER);
    assert_int_equal(classify_reply(classifier, (struct slice){NULL, 0}, NULL), CLASSIFY_OTHER);
    classifier_free(&classifier);
}

/* A reply that is longer than what is looked at may say anything behind it. */
static void test_length(void **state)
{
    struct classifier *classifier = built_in();
    struct table_eval *table = table_of(classifier);
    char text[TEXT_SIZE];

    (void)state;
    for (int i = CLASSIFY_TEXT_MAX - 2; i <= CLASSIFY_TEXT_MAX + 2; i++) {
        int fixed = (int)strlen("host mx[192.0.2.1] said: " REPLY " " RCPT);

        snprintf(text, sizeof(text), "host mx[192.0.2.1] said: " REPLY " %0*d" RCPT, i - fixed, 0);
        assert_int_equal(strlen(text), i);
        assert_kind(classifier, table, text,
                    i <= CLASSIFY_TEXT_MAX ? CLASSIFY_SPLIT : CLASSIFY_OTHER);
    }
    table_eval_free(&table);
    classifier_free(&classifier);
}

static void test_limits_named(void **state)
{
    static const struct {
        const char *reply;
        uint32_t want;
    } cases[] = {
        {"552 too many recipients (max 30)", 30},
        {"552 too many recipients (max. 30)", 30},
        {"552 too many recipients (max=30)", 30},
        {"552 too many recipients, maximum is 30.", 30},
        {"552 too many recipients; limit:30;", 30},
        {"552 too many recipients, only 30 allowed", 30},
        {"552 too many recipients, 30 max", 30},
        {"552 too many recipients, at most 30 recipients", 30},
        {"552 too many recipients, exceeded the limit of 30", 30},
        {"552 too many recipients, maximum number of recipients is 30", 30},
        {"552 51 recipients exceed the limit of 50 recipients", 50},
        {"552 too many recipients (300 > 100)", 100},
        {"552 too many recipients, limit is 30 <limit 40@example.com>", 30},
        {"552 too many recipients <limit.40@example.com>", 0},
        {"552 too many recipients limit-40@example.com limit 30", 30},
        {"552 too many recipients, limit 5.5.3", 0},
        {"552 too many recipients, limit 192.0.2.1", 0},
        {"552 too many recipients, limit 10:30:00", 0},
        {"552 too many recipients, limit 1a2b", 0},
        {"552 too many recipients, limit 1,000", 0},
        {"552 too many recipients, limit 10-20", 0},
        {"552 too many recipients, limit 0", 0},
        {"552 too many recipients, limit 100001", 0},
        {"552 too many recipients, limit 9999999999999999999999", 0},
        {"552 too many recipients, at most 3 tries", 0},
        {"552 too many recipients, 51", 0},
        {"552 too many recipients id 123456", 0},
        {"552-too many recipients, the limit 552-is 30", 30},
        {"552-too many recipients over the limit 552 see our web site", 0},
        {"552-5.5.3 too many recipients over the limit 552 5.5.3 see our web site", 0},
    };
    struct classifier *classifier = built_in();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[TEXT_SIZE];
        struct classify_info info;

        snprintf(text, sizeof(text), "host mx[192.0.2.1] said: %s" RCPT, cases[i].reply);
        classify_reply(classifier, slice_of(text), &info);
        if (info.kind != CLASSIFY_SPLIT)
            fail_msg("\"%s\" is %s (%s)", cases[i].reply, reply_kind_name(info.kind), info.source);
        if (info.limit != cases[i].want)
            fail_msg("\"%s\" names %u, want %u", cases[i].reply, info.limit, cases[i].want);
    }
    classifier_free(&classifier);
}

static void test_patterns_of_the_configuration(void **state)
{
    static const char *const patterns[] = {
        "transaction full", "^554 [0-9]+ Adressaten", "voll$",   "a.b/c,d%e~f&g;h`i",
        "x[^y-]z[^]k]",     "\\(zu\\) \\.\\*",        "q{2,3}r",
    };
    static const struct {
        const char *reply;
        enum reply_kind want;
    } cases[] = {
        {"554 the transaction full now", CLASSIFY_SPLIT},
        {"554 this Transaction Full", CLASSIFY_SPLIT},
        {"554-5.5.0 transaction 554 5.5.0 full", CLASSIFY_SPLIT},
        {"554 <transaction full@example.com>", CLASSIFY_OTHER},
        {"554 transaction <u@example.com> full", CLASSIFY_OTHER},
        {"554 a transaction full, over quota", CLASSIFY_OTHER},
        {"554 a transaction full per hour", CLASSIFY_WAIT},
        {"554 12 Adressaten", CLASSIFY_SPLIT},
        {"554 und 12 Adressaten", CLASSIFY_OTHER},
        {"554-554 12 Adressaten", CLASSIFY_OTHER},
        {"554 voll", CLASSIFY_SPLIT},
        {"554 voll und ganz", CLASSIFY_OTHER},
        {"554 aXb/c,d%e~f&g;h`i", CLASSIFY_SPLIT},
        {"554 a<b/c,d%e~f&g;h`i", CLASSIFY_OTHER},
        {"554 xaz.", CLASSIFY_SPLIT},
        {"554 xaz]", CLASSIFY_OTHER},
        {"554 x-za", CLASSIFY_OTHER},
        {"554 x<za", CLASSIFY_OTHER},
        {"554 xaz@", CLASSIFY_OTHER},
        {"554 (zu) .*", CLASSIFY_SPLIT},
        {"554 (zu) ab", CLASSIFY_OTHER},
        {"554 qqr", CLASSIFY_SPLIT},
        {"554 qr", CLASSIFY_OTHER},
        {"554 too many recipients", CLASSIFY_SPLIT},
    };
    char error[512] = "";
    struct classifier *classifier =
        classifier_new(patterns, sizeof(patterns) / sizeof(patterns[0]), error, sizeof(error));
    struct table_eval *table;
    struct classify_info info;

    (void)state;
    if (classifier == NULL)
        fail_msg("%s", error);
    table = table_of(classifier);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[TEXT_SIZE];

        snprintf(text, sizeof(text), "host mx[192.0.2.1] said: %s" RCPT, cases[i].reply);
        assert_kind(classifier, table, text, cases[i].want);
    }
    classify_reply(classifier, slice_of("host mx[192.0.2.1] said: 554 voll" RCPT), &info);
    assert_string_equal(info.source, "recipient_limits.patterns");
    table_eval_free(&table);
    classifier_free(&classifier);
}

static void test_patterns_refused(void **state)
{
    static const struct {
        const char *pattern, *why; /* NULL: regcomp(3)'s own words */
    } cases[] = {
        {"", "it must have 1 to 500 bytes"},
        {"(", "Unmatched ( or \\("},
        {"a)b(c", "Unmatched ( or \\("},
        {"[a", NULL},
        {"a\\", "Trailing backslash"},
        {".*", "it fits every reply"},
        {"a?", "it fits every reply"},
        {"^", "it fits every reply"},
        {"a^b", "'^' may only come first; \\^ is the character"},
        {"a$b", "'$' may only come last; \\$ is the character"},
        {"^a|b", "put what '|' parts into ( ), for '^' and '$' to apply to all of it"},
        {"a|b$", "put what '|' parts into ( ), for '^' and '$' to apply to all of it"},
        {"a<b", "'<' cannot be looked for: it marks an address"},
        {"a@b", "'@' cannot be looked for: it marks an address"},
        {"[!-~]a", "[!-~] fits '<', '>' or '@'; what these mark is an address"},
        {"[[:punct:]]a", "[[:punct:]] fits '<', '>' or '@'; what these mark is an address"},
        {"(a)\\1", "'\\1' has no meaning in a POSIX extended regular expression"},
        {"a\\d", "'\\d' has no meaning in a POSIX extended regular expression"},
        {"a\\<b", "'\\<' has no meaning in a POSIX extended regular expression"},
        {"a\nb", "it holds a control character"},
        {"a{301}", "it repeats too often; 300 times are the limit"},
        {"((a{100}){100}){100}", "it repeats too often; 300 times are the limit"},
        {"a{1,}{301,}", "it repeats too often; 300 times are the limit"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char why[256] = "";
        char error[512] = "";

        if (classify_pattern_check(cases[i].pattern, why, sizeof(why)))
            fail_msg("\"%s\" is accepted", cases[i].pattern);
        if (cases[i].why != NULL ? strcmp(why, cases[i].why) != 0 : why[0] == '\0')
            fail_msg("\"%s\": %s", cases[i].pattern, why);
        assert_null(classifier_new(&cases[i].pattern, 1, error, sizeof(error)));
        assert_non_null(strstr(error, why));
    }
}

static void test_longest_pattern(void **state)
{
    char pattern[CLASSIFY_PATTERN_MAX + 2], why[256];

    (void)state;
    memset(pattern, 'a', sizeof(pattern) - 1);
    pattern[sizeof(pattern) - 1] = '\0';
    assert_false(classify_pattern_check(pattern, why, sizeof(why)));
    pattern[CLASSIFY_PATTERN_MAX] = '\0';
    assert_true(classify_pattern_check(pattern, why, sizeof(why)));
}

/* Replies put together from pieces at random, always the same: the table agrees on every one. */
static void test_table_agrees_on_anything(void **state)
{
    static const char *const pieces[] = {
        "too many", "recipients", "recipient", "limit",
        "exceeded", "maximum",    "number of", "<",
        ">",        "@",          "\"",        "<u@x>",
        "u@x",      "552-",       "552 5.5.3", "550",
        "50",       "quota",      "hour",      "from",
        "spam",     "unknown",    "5.1.1",     "(",
        ")",        ".",          "-",         "said: ",
        "host x",   " ",          "voll",      "per",
        "message",  "only",       "\xc3\xa4",  "(in reply to RCPT TO command)",
    };
    static const char *const ends[] = {RCPT, " (in reply to DATA command)",
                                       " (in reply to end of DATA command)",
                                       " (in reply to MAIL FROM command)"};
    static const char *const patterns[] = {"^55[0-9].*voll", "x[^a]y$"};
    char error[512];
    struct classifier *classifier = classifier_new(patterns, 2, error, sizeof(error));
    struct table_eval *table = table_of(classifier);
    uint32_t random = 1;
    size_t kinds[3] = {0};

    (void)state;
    for (int i = 0; i < 1500; i++) {
        char text[TEXT_SIZE] = "host mx[192.0.2.1] said: 552 ";
        struct classify_info info;

        for (int words = 2 + i % 7; words > 0; words--) {
            random = random * 1103515245 + 12345;
            strcat(text, pieces[(random >> 16) % (sizeof(pieces) / sizeof(pieces[0]))]);
            if ((random >> 13) % 4 != 0)
                strcat(text, " ");
        }
        if (i % 3 == 0)
            strcat(text, " too many recipients");
        strcat(text, ends[(random >> 10) % 4]);
        kinds[classify_reply(classifier, slice_of(text), &info)]++;
        assert_table_agrees(table, text, &info);
    }
    assert_true(kinds[CLASSIFY_OTHER] > 50 && kinds[CLASSIFY_WAIT] > 5 &&
                kinds[CLASSIFY_SPLIT] > 50);
    table_eval_free(&table);
    classifier_free(&classifier);
}

/* Switched off: a table that answers nothing, for what points to it already. */
static void test_table_without_rules(void **state)
{
    struct table_eval *table = table_of(NULL);
    char result[TEXT_SIZE];

    (void)state;
    assert_false(
        table_eval(table, "5.0.0 host mx[192.0.2.1] said: " REPLY RCPT, result, sizeof(result)));
    table_eval_free(&table);
}

/* Nothing in the table of patterns can reach into an address, and every row says who says so. */
static void test_rows(void **state)
{
    const struct classify_row *row;
    size_t kinds[3] = {0};

    (void)state;
    for (size_t i = 0; (row = classify_row_at(i)) != NULL; i++) {
        kinds[row->kind]++;
        if (row->source[0] == '\0' || strchr(row->source, '\n') != NULL)
            fail_msg("%s: the source", row->pattern);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(classify_row_at(j)->pattern, row->pattern) == 0)
                fail_msg("%s stands there twice", row->pattern);
        }
    }
    assert_true(kinds[CLASSIFY_OTHER] > 0 && kinds[CLASSIFY_WAIT] > 0 && kinds[CLASSIFY_SPLIT] > 0);
}

static char *read_file(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    if (in == NULL)
        return NULL;
    assert_true(getdelim(&text, &size, '\0', in) > 0);
    fclose(in);
    return text;
}

static void test_writing(void **state)
{
    char folder[] = "/tmp/postern-test-classify.XXXXXX", tables[64], path[96], error[256] = "";
    struct classifier *classifier = built_in();
    char *want = status_filter_text(classifier), *is;
    struct stat first, second;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(tables, sizeof(tables), "%s/tables", folder);
    snprintf(path, sizeof(path), "%s/status_filter.regexp", tables);
    assert_false(status_filter_write(folder, classifier, error, sizeof(error)));
    assert_non_null(strstr(error, "No such file or directory"));

    assert_int_equal(mkdir(tables, 0755), 0);
    assert_true(status_filter_write(folder, classifier, error, sizeof(error)));
    is = read_file(path);
    assert_string_equal(is, want);
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(first.st_mode & 07777, 0644);

    /* The same once more: not touched. Another text: replaced by another file. */
    assert_true(status_filter_write(folder, classifier, error, sizeof(error)));
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(second.st_ino, first.st_ino);
    assert_int_equal(truncate(path, first.st_size - 1), 0);
    assert_true(status_filter_write(folder, classifier, error, sizeof(error)));
    free(is);
    is = read_file(path);
    assert_string_equal(is, want);

    unlink(path);
    assert_int_equal(rmdir(tables), 0); /* no temporary file is left */
    assert_int_equal(rmdir(folder), 0);
    free(is);
    free(want);
    classifier_free(&classifier);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies_of_servers),
        cmocka_unit_test(test_nothing_is_taken_for_a_limit),
        cmocka_unit_test(test_words_beside_an_address),
        cmocka_unit_test(test_only_the_servers_words),
        cmocka_unit_test(test_a_nul_byte),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_limits_named),
        cmocka_unit_test(test_patterns_of_the_configuration),
        cmocka_unit_test(test_patterns_refused),
        cmocka_unit_test(test_longest_pattern),
        cmocka_unit_test(test_table_agrees_on_anything),
        cmocka_unit_test(test_table_without_rules),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_writing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
