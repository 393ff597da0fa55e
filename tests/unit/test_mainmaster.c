/* What setup does to main.cf and master.cf: in again, out again, and nothing lost between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mainmaster.h"

#define TABLE "/var/lib/postern/tables/transport"
#define OURS "lmdb:" TABLE
#define STATUS "/var/lib/postern/tables/status_filter.regexp"
#define OUR_STATUS "regexp:" STATUS
#define INHERITED "$default_delivery_status_filter"

#define COMMON                                                                                     \
    .table = TABLE, .filter = "/var/lib/postern/tables/gate_filter.regexp", .account = "postern",  \
    .gate = "/usr/libexec/postern/postern-gate", .config = "/etc/postern/postern.conf",            \
    .state = "/var/lib/postern", .log_name = "postfix"

static const uint32_t lanes[] = {1, 2, 5, 20};

/* Without recipient limits, with them, and with the filter alone. */
static const struct mainmaster_want want = {COMMON};
static const struct mainmaster_want want_limits = {COMMON, .status_filter = STATUS, .lanes = lanes,
                                                   .lane_count = 4};
static const struct mainmaster_want want_filter = {COMMON, .status_filter = STATUS};

#define SETTINGS                                                                                   \
    ", default_action=accept, connect_timeout=5s, command_timeout=10s, content_timeout=30s }"
#define EARLYNDR "{ unix:/run/postern/earlyndr.sock" SETTINGS
#define RETRYCAP "{ inet:127.0.0.1:8894" SETTINGS
#define RCPTLIMIT "{ inet:127.0.0.1:8891" SETTINGS

#define EARLYNDR_SOCKET [MAINMASTER_EARLYNDR] = "unix:/run/postern/earlyndr.sock"
#define RETRYCAP_SOCKET [MAINMASTER_RETRYCAP] = "inet:8894@127.0.0.1"
#define RCPTLIMIT_SOCKET [MAINMASTER_RCPTLIMIT] = "inet:8891@127.0.0.1"
#define ALL_RUN .running = {true, true, true}, .queue_directory = "/var/spool/postfix"

/* Those that are wanted run. */
static const struct mainmaster_want want_milters = {
    COMMON, .milters = {.sockets = {EARLYNDR_SOCKET, RCPTLIMIT_SOCKET}, ALL_RUN}};
static const struct mainmaster_want want_rcptlimit = {
    COMMON, .milters = {.sockets = {RCPTLIMIT_SOCKET}, ALL_RUN}};
static const struct mainmaster_want want_earlyndr = {
    COMMON, .milters = {.sockets = {EARLYNDR_SOCKET}, ALL_RUN}};
/* postern-retrycap, which refuses or warns. */
static const struct mainmaster_want want_refusing = {
    COMMON, .milters = {.sockets = {EARLYNDR_SOCKET, RETRYCAP_SOCKET, RCPTLIMIT_SOCKET},
                        .retrycap_refuses = true,
                        ALL_RUN}};
static const struct mainmaster_want want_warning = {
    COMMON, .milters = {.sockets = {EARLYNDR_SOCKET, RETRYCAP_SOCKET, RCPTLIMIT_SOCKET}, ALL_RUN}};
static const struct mainmaster_want want_retrycap = {
    COMMON, .milters = {.sockets = {RETRYCAP_SOCKET}, .retrycap_refuses = true, ALL_RUN}};
/* postern-probation, beside the other lanes or alone, and as the default. */
static const struct mainmaster_want want_suspect = {COMMON, .status_filter = STATUS, .lanes = lanes,
                                                    .lane_count = 4, .probation = {250, false}};
static const struct mainmaster_want want_proven = {COMMON, .probation = {250, true}};
static const struct mainmaster_want *const wants[] = {
    &want,          &want_limits,  &want_filter,   &want_milters, &want_rcptlimit, &want_earlyndr,
    &want_refusing, &want_warning, &want_retrycap, &want_suspect, &want_proven};
enum { WANTS = sizeof(wants) / sizeof(wants[0]) };

/* String literals may hold NUL bytes: their length is not strlen(). */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static bool same(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static struct slice bytes_of(const struct mainmaster_edit *edit)
{
    return (struct slice){edit->bytes, edit->len};
}

/*
 * How Postfix reads a setting, written down a second time and in another way (one pass over the
 * bytes), to compare with. Returns false when it is not set; the last definition wins.
 */
static bool postfix_value(struct slice text, const char *name, char *value_r, size_t size)
{
    char *logical = calloc(1, text.len + 1);
    size_t len = 0;
    bool found = false;
    assert_non_null(logical);
    for (size_t i = 0; i <= text.len + 1;) {
        const char *newline = i < text.len ? memchr(text.at + i, '\n', text.len - i) : NULL;
        size_t end = newline != NULL ? (size_t)(newline - text.at) : text.len;
        end = end < i ? i : end;
        size_t word = i;
        while (word < end && memchr(" \t\v\f\r", text.at[word], 5) != NULL)
            word++;
        bool blank = word == end || text.at[word] == '#';
        bool column0 = i < end && word == i;
        if (i >= text.len || (column0 && !blank)) { /* the logical line before is complete */
            size_t n = strcspn(logical, " \t\v\f\r=");
            size_t eq = n + strspn(logical + n, " \t\v\f\r");
            if (n == strlen(name) && memcmp(logical, name, n) == 0 && logical[eq] == '=') {
                const char *v = logical + eq + 1 + strspn(logical + eq + 1, " \t\v\f\r");
                snprintf(value_r, size, "%s", v);
                for (size_t l = strlen(value_r); l > 0 && strchr(" \t\v\f\r", value_r[l - 1]); l--)
                    value_r[l - 1] = '\0';
                found = true;
            }
            len = 0;
        }
        if (!blank) {
            memcpy(logical + len, text.at + i, end - i);
            len += end - i;
        }
        logical[len] = '\0';
        i = end + 1;
    }
    free(logical);
    return found;
}

/* --- Shapes of main.cf --- */

struct main_case {
    const char *label;
    struct slice text;
    const char *maps;   /* what transport_maps has to be after apply */
    const char *status; /* and smtp_delivery_status_filter; NULL: what is inherited, and ours */
};

static const struct main_case main_cases[] = {
    {"empty file", TEXT(""), OURS, NULL},
    {"nothing about it", TEXT("myhostname = a.example\n"), OURS, NULL},
    {"no final newline", TEXT("myhostname = a.example"), OURS, NULL},
    {"only a newline", TEXT("\n"), OURS, NULL},
    {"one table", TEXT("transport_maps = hash:/etc/postfix/transport\nbiff = no\n"),
     OURS ", hash:/etc/postfix/transport", NULL},
    {"no spaces", TEXT("transport_maps=hash:/x\n"), OURS ", hash:/x", NULL},
    {"set to nothing", TEXT("transport_maps =\nbiff = no\n"), OURS, NULL},
    {"last line, no newline", TEXT("biff = no\ntransport_maps = hash:/x"), OURS ", hash:/x", NULL},
    {"continued", TEXT("transport_maps = hash:/a,\n  hash:/b\n\thash:/c\nbiff = no\n"),
     OURS ", hash:/a,  hash:/b hash:/c", NULL},
    {"comments and blank lines inside",
     TEXT(
         "transport_maps =\n# first\n  hash:/a\n\n   # second\n \n  hash:/b\n# after\nbiff = no\n"),
     OURS ", hash:/a  hash:/b", NULL},
    {"value on the next line", TEXT("transport_maps\n = hash:/a\n"), OURS ", hash:/a", NULL},
    {"defined twice", TEXT("transport_maps = hash:/a\nbiff = no\ntransport_maps = hash:/b\n"),
     OURS ", hash:/b", NULL},
    {"part of another name",
     TEXT("address_verify_transport_maps = hash:/a\n"
          "transport_maps_x = hash:/b\n"),
     OURS, NULL},
    {"commented out", TEXT("#transport_maps = hash:/a\n # transport_maps = hash:/b\n"), OURS, NULL},
    {"in another setting's continuation", TEXT("mydestination = a,\n  transport_maps = x\n"), OURS,
     NULL},
    {"CRLF", TEXT("biff = no\r\ntransport_maps = hash:/a,\r\n  hash:/b\r\n"),
     OURS ", hash:/a,   hash:/b", NULL},
    {"CRLF, no final newline", TEXT("biff = no\r\ntransport_maps = hash:/a"), OURS ", hash:/a",
     NULL},
    {"our table set by hand", TEXT("transport_maps = " OURS ", hash:/a\n"), OURS ", hash:/a", NULL},
    {"our table by hand, behind another", TEXT("transport_maps = hash:/a " OURS "\n"),
     "hash:/a " OURS, NULL},
    {"our table by hand, through proxymap", TEXT("transport_maps = proxy:" OURS "\n"),
     "proxy:" OURS, NULL},
    {"a table that only begins like ours", TEXT("transport_maps = " OURS ".old\n"),
     OURS ", " OURS ".old", NULL},
    {"a limit set by hand", TEXT("postern-hold_destination_recipient_limit = 1\n"), OURS, NULL},
    {"commas around", TEXT("transport_maps = , hash:/a ,\n"), OURS ", hash:/a", NULL},
    {"NUL byte", TEXT("transport_maps = hash:/a\0hidden\nbiff\0 = no\n"), OURS ", hash:/a", NULL},
    {"other bytes", TEXT("mail_name = caf\xc3\xa9 \xff\ntransport_maps = hash:/\xff\n"),
     OURS ", hash:/\xff", NULL},
    {"inline table", TEXT("transport_maps = inline:{ {a.example = smtp:[b], c} }\n"),
     OURS ", inline:{ {a.example = smtp:[b], c} }", NULL},
    {"begins with a continuation", TEXT("  transport_maps = hash:/a\nbiff = no\n"), OURS, NULL},
    {"a status filter", TEXT("smtp_delivery_status_filter = pcre:/a\nbiff = no\n"), OURS,
     "pcre:/a, " OUR_STATUS},
    {"a status filter set to nothing", TEXT("smtp_delivery_status_filter =\n"), OURS, OUR_STATUS},
    {"a status filter for all", TEXT("default_delivery_status_filter = pcre:/a\n"), OURS, NULL},
    {"a status filter for all, named", TEXT("smtp_delivery_status_filter = " INHERITED "\n"), OURS,
     INHERITED ", " OUR_STATUS},
    {"continued status filter, routes between its lines and definitions",
     TEXT("smtp_delivery_status_filter =\n  pcre:/a,\n# why\n\tpcre:/b\n"
          "transport_maps = hash:/x\nsmtp_delivery_status_filter =pcre:/c\n pcre:/d"),
     OURS ", hash:/x", "pcre:/c pcre:/d, " OUR_STATUS},
    {"our filter set by hand", TEXT("smtp_delivery_status_filter = " OUR_STATUS " pcre:/a\n"), OURS,
     OUR_STATUS " pcre:/a"},
    {"a filter that only ends like ours", TEXT("smtp_delivery_status_filter = pcre:" STATUS "\n"),
     OURS, "pcre:" STATUS ", " OUR_STATUS},
    {"the filter of lmtp", TEXT("lmtp_delivery_status_filter = pcre:/a\n"), OURS, NULL},
    {"a lane's limit set by hand", TEXT("postern-rcpt5_destination_recipient_limit = 5\n"), OURS,
     NULL},
    {"what no lane of ours has",
     TEXT("postern-rcpt7_destination_recipient_limit = 3\n"
          "postern-rcpt_destination_recipient_limit = 3\n"),
     OURS, NULL},
    {"smtp tuned",
     TEXT("smtp_destination_concurrency_limit = $x\n"
          "smtp_destination_rate_delay=5s\nsmtp_helo_timeout = 9\n"),
     OURS, NULL},
    {"a next hop for all", TEXT("a = 1\ndefault_transport = smtp:[gw.$mydomain]:26\n"), OURS, NULL},
    {"the default on several lines, twice",
     TEXT("default_transport = relay\ndefault_transport =\n# why\n\tsmtp:\n  [gw]\nb = 1"), OURS,
     NULL},
    {"the default with odd ends", TEXT("default_transport = smtp:x, \r\n"), OURS, NULL},
    {"another default", TEXT("default_transport = relay\n"), OURS, NULL},
    {"the default by another name", TEXT("x = smtp\ndefault_transport = $x\n"), OURS, NULL},
    {"no default", TEXT("default_transport =\n"), OURS, NULL},
    {"our default by hand", TEXT("default_transport = postern-probation\n"), OURS, NULL},
    {"settings of postern-probation by hand",
     TEXT("postern-probation_destination_rate_delay = 1s\nsmtp_destination_rate_delay = 2s\n"),
     OURS, NULL},
};

/* The three promises of mainmaster.h about one file. */
static void check_promises(const char *label, struct slice text, const struct mainmaster_want *w,
                           mainmaster_function *apply, mainmaster_function *remove)
{
    struct mainmaster_edit first, second, back;
    apply(text, w, &first);
    if (first.result == MAINMASTER_CONFLICT)
        fail_msg("%s: conflict: line %zu: %s", label, first.line, first.message);
    apply(bytes_of(&first), w, &second);
    if (second.result != MAINMASTER_SAME || !same(bytes_of(&second), bytes_of(&first)))
        fail_msg("%s: applied twice:\n%.*s", label, (int)second.len, second.bytes);
    remove(bytes_of(&first), w, &back);
    if (!same(bytes_of(&back), text))
        fail_msg("%s: removed again:\n%.*s", label, (int)back.len, back.bytes);
    mainmaster_edit_free(&back);
    remove(text, w, &back);
    if (back.result != MAINMASTER_SAME || !same(bytes_of(&back), text))
        fail_msg("%s: removed from what has nothing of ours:\n%.*s", label, (int)back.len,
                 back.bytes);
    mainmaster_edit_free(&back);
    mainmaster_edit_free(&second);
    mainmaster_edit_free(&first);
}

/* Applied for one configuration after another, a file is as if only the last had been applied. */
static void check_changes(const char *label, struct slice text, mainmaster_function *apply)
{
    for (size_t from = 0; from < WANTS; from++) {
        for (size_t to = 0; to < WANTS; to++) {
            struct mainmaster_edit first, second, direct;
            apply(text, wants[from], &first);
            apply(bytes_of(&first), wants[to], &second);
            apply(text, wants[to], &direct);
            if (second.bytes == NULL || !same(bytes_of(&second), bytes_of(&direct)))
                fail_msg("%s: configuration %zu, then %zu: %s\n%.*s", label, from, to,
                         second.message, (int)second.len, second.bytes);
            mainmaster_edit_free(&first);
            mainmaster_edit_free(&second);
            mainmaster_edit_free(&direct);
        }
    }
}

static void check_value(const char *label, const struct mainmaster_edit *edit, const char *name,
                        const char *expected)
{
    char value[1024] = "";
    bool found = postfix_value(bytes_of(edit), name, value, sizeof(value));
    if (found != (expected != NULL) || (found && strcmp(value, expected) != 0))
        fail_msg("%s: %s = \"%s\"", label, name, value);
}

static void check_values(const struct main_case *c)
{
    struct mainmaster_edit edit;
    mainmaster_apply_main(c->text, &want_limits, &edit);
    check_value(c->label, &edit, "transport_maps", c->maps);
    check_value(c->label, &edit, "postern-hold_destination_recipient_limit", "1");
    check_value(c->label, &edit, "postern-expire_destination_recipient_limit", "1");
    check_value(c->label, &edit, "smtp_delivery_status_filter",
                c->status != NULL ? c->status : INHERITED ", " OUR_STATUS);
    check_value(c->label, &edit, "postern-rcpt1_destination_recipient_limit", "1");
    check_value(c->label, &edit, "postern-rcpt5_destination_recipient_limit", "5");
    check_value(c->label, &edit, "postern-rcpt20_destination_recipient_limit", "20");
    mainmaster_edit_free(&edit);
}

static void test_main_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(main_cases) / sizeof(main_cases[0]); i++) {
        for (size_t w = 0; w < WANTS; w++)
            check_promises(main_cases[i].label, main_cases[i].text, wants[w], mainmaster_apply_main,
                           mainmaster_remove_main);
        check_changes(main_cases[i].label, main_cases[i].text, mainmaster_apply_main);
        check_values(&main_cases[i]);
    }
}

/* The whole text once: administrators read it. */
static void test_main_text(void **state)
{
    static const struct slice before = TEXT("transport_maps = hash:/a,\n  hash:/b\nbiff = no\n");
    static const char after[] =
        "#postern# transport_maps = hash:/a,\n"
        "#postern#   hash:/b\n"
        "biff = no\n"
        "# BEGIN postern\n"
        "# Written by \"posternctl setup --apply\"; \"posternctl setup --remove\" takes it out.\n"
        "# Postern's table comes first: a hold has to be seen before the routes behind it.\n"
        "# Those apply unchanged to all mail that is not held.\n"
        "transport_maps = " OURS ", hash:/a,  hash:/b\n"
        "# The gate's answer is about one recipient, so it is asked about each by itself.\n"
        "postern-hold_destination_recipient_limit = 1\n"
        "postern-expire_destination_recipient_limit = 1\n"
        "# END postern\n";
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_main(before, &want, &edit);
    assert_int_equal(edit.result, MAINMASTER_CHANGED);
    assert_string_equal(edit.bytes, after);
    assert_string_equal(edit.message, "");
    mainmaster_edit_free(&edit);
}

static void test_limits_text(void **state)
{
    static const struct slice before = TEXT("smtp_delivery_status_filter = pcre:/a\n"
                                            "smtp_destination_rate_delay = 1s\n"
                                            "postern-rcpt2_destination_rate_delay = 9s\n");
    static const uint32_t two[] = {2, 5};
    static const char status[] =
        "# \"Too many recipients\" is no reason to return mail, whatever code a host gives it. "
        "What\n"
        "# was set before is asked first.\n"
        "smtp_delivery_status_filter = pcre:/a, " OUR_STATUS "\n"
        "# Lanes for hosts that take only so many recipients at once. Other settings are as they "
        "are\n"
        "# for \"smtp\"; after a change of those, run \"posternctl setup --apply\" again.\n"
        "postern-rcpt2_destination_recipient_limit = 2\n"
        "postern-rcpt5_destination_recipient_limit = 5\n"
        "postern-rcpt5_destination_rate_delay = 1s\n"
        "# END postern\n";
    struct mainmaster_want w = want_limits;
    struct mainmaster_edit edit;
    (void)state;
    w.lanes = two;
    w.lane_count = 2;
    mainmaster_apply_main(before, &w, &edit);
    assert_int_equal(edit.result, MAINMASTER_CHANGED);
    assert_memory_equal(edit.bytes, "#postern# smtp_delivery_status_filter = pcre:/a\n", 47);
    assert_true(edit.len > strlen(status));
    assert_string_equal(edit.bytes + edit.len - strlen(status), status);
    mainmaster_edit_free(&edit);
}

static void test_crlf_stays_crlf(void **state)
{
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_main((struct slice)TEXT("biff = no\r\na = b"), &want, &edit);
    for (size_t i = 0; i < edit.len; i++)
        assert_true(edit.bytes[i] != '\n' || edit.bytes[i - 1] == '\r');
    mainmaster_edit_free(&edit);
}

/* --- Edits by the administrator between apply and remove --- */

struct edit_case {
    const char *label;
    const char *before;
    const char *from;    /* replaced in what apply gave ... */
    const char *to;      /* ... by this */
    const char *after;   /* what remove has to give */
    const char *message; /* that remove has to say, in part; NULL: none */
};

static const struct edit_case edit_cases[] = {
    {"another setting changed", "a = 1\ntransport_maps = hash:/x\n", "a = 1", "a = 2",
     "a = 2\ntransport_maps = hash:/x\n", NULL},
    {"a setting added at the end", "transport_maps = hash:/x\n", "# END postern\n",
     "# END postern\nb = 1\n", "transport_maps = hash:/x\nb = 1\n", NULL},
    {"a setting added at the end, where a newline was missing", "a = 1", "# END postern\n",
     "# END postern\nb = 1\n", "a = 1\nb = 1\n", NULL},
    {"a setting added before the block", "a = 1\n", "# BEGIN", "b = 1\n# BEGIN", "a = 1\nb = 1\n",
     NULL},
    {"a setting added inside the block", "a = 1\n", "# END", "b = 1\n  c\n# END",
     "a = 1\nb = 1\n  c\n", NULL},
    {"a setting added inside the block, where a newline was missing", "a = 1", "# END",
     "b = 1\n# END", "a = 1\nb = 1\n", NULL},
    {"the table added to with postconf -e", "transport_maps = hash:/x\n", "transport, hash:/x",
     "transport, hash:/x, hash:/y",
     "#transport_maps = hash:/x\ntransport_maps = hash:/x, hash:/y\n", "was changed"},
    {"a table set with postconf -e", "a = 1\n", "transport_maps = " OURS,
     "transport_maps = hash:/new", "a = 1\ntransport_maps = hash:/new\n", "was changed"},
    {"a table set with postconf -e, where a newline was missing", "a = 1", "transport_maps = " OURS,
     "transport_maps = hash:/new", "a = 1\ntransport_maps = hash:/new\n", "was changed"},
    {"ours put last", "transport_maps = hash:/x\n", OURS ", hash:/x", "hash:/x, " OURS,
     "transport_maps = hash:/x\n", NULL},
    {"all tables taken out", "a = 1\ntransport_maps = hash:/x\n",
     "transport_maps = " OURS ", hash:/x", "transport_maps =", "a = 1\n#transport_maps = hash:/x\n",
     "was changed"},
    {"all tables taken out, of the first line", "transport_maps = hash:/x\nb = 1\n",
     "transport_maps = " OURS ", hash:/x", "transport_maps =", "#transport_maps = hash:/x\nb = 1\n",
     "was changed"},
    {"the block deleted by hand but for its marks", "transport_maps = hash:/x\n",
     "transport_maps = " OURS ", hash:/x\n", "", "transport_maps = hash:/x\n", NULL},
    {"the filter added to with postconf -e", "smtp_delivery_status_filter = pcre:/x\n",
     "pcre:/x, regexp", "pcre:/x, pcre:/y, regexp",
     "#smtp_delivery_status_filter = pcre:/x\nsmtp_delivery_status_filter = pcre:/x, pcre:/y\n",
     "smtp_delivery_status_filter was changed"},
    {"the filter that was inherited no more wanted", "a = 1\n", INHERITED ", ", "",
     "a = 1\nsmtp_delivery_status_filter =\n", "was changed"},
    {"the filter that was set taken away", "smtp_delivery_status_filter = pcre:/x\na = 1\n",
     "pcre:/x, regexp", INHERITED ", regexp", "#smtp_delivery_status_filter = pcre:/x\na = 1\n",
     "was changed"},
    {"a lane's setting changed", "a = 1\n", "rcpt5_destination_recipient_limit = 5",
     "rcpt5_destination_recipient_limit = 7", "a = 1\n", NULL},
    {"a setting of a lane that setup does not make", "a = 1\n", "# END",
     "postern-rcpt5_time_limit = 7\n# END", "a = 1\npostern-rcpt5_time_limit = 7\n", NULL},
    {"what was set aside deleted", "a = 1\ntransport_maps = hash:/x\nb = 1\n",
     "#postern# transport_maps = hash:/x\n", "", "a = 1\nb = 1\ntransport_maps = hash:/x\n",
     "was changed"},
};

/* Replaces the first `from`, which has to be there. free() the result. */
static char *replace(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    char *result = NULL;
    assert_non_null(at);
    assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) >= 0);
    return result;
}

static void check_edited(const struct edit_case *c, const struct mainmaster_want *w)
{
    struct mainmaster_edit applied, removed, again, anew;
    mainmaster_apply_main(slice_of(c->before), w, &applied);
    char *edited = replace(applied.bytes, c->from, c->to);
    mainmaster_remove_main(slice_of(edited), w, &removed);
    if (removed.bytes == NULL || strcmp(removed.bytes, c->after) != 0)
        fail_msg("%s: %s\n%s", c->label, removed.message, removed.bytes);
    if (c->message == NULL ? *removed.message != '\0' : strstr(removed.message, c->message) == NULL)
        fail_msg("%s: message \"%s\"", c->label, removed.message);
    mainmaster_apply_main(slice_of(edited), w, &again);
    mainmaster_apply_main(bytes_of(&removed), w, &anew);
    if (!same(bytes_of(&again), bytes_of(&anew)))
        fail_msg("%s: applied again:\n%s", c->label, again.bytes);
    mainmaster_edit_free(&anew);
    check_promises(c->label, bytes_of(&removed), w, mainmaster_apply_main, mainmaster_remove_main);
    mainmaster_edit_free(&again);
    mainmaster_edit_free(&removed);
    mainmaster_edit_free(&applied);
    free(edited);
}

static void test_edited_between(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(edit_cases) / sizeof(edit_cases[0]); i++)
        check_edited(&edit_cases[i], &want_limits);
}

/* --- postern-probation in main.cf --- */

struct probation_case {
    const char *label;
    const char *before;
    const char *transport; /* what default_transport has to be where it is to be ours */
    size_t line;           /* refused: that the message is about */
};

static const struct probation_case probation_cases[] = {
    {"nothing set", "", "postern-probation", 0},
    {"smtp", "default_transport=smtp\n", "postern-probation", 0},
    {"a next hop", "default_transport = smtp:[gw.$mydomain]:26",
     "postern-probation:[gw.$mydomain]:26", 0},
    {"an empty next hop", "default_transport = smtp:\n", "postern-probation:", 0},
    {"several lines", "default_transport\n =\n\tsmtp:\n# no\n  [gw]\n", "postern-probation:  [gw]",
     0},
    {"the last counts", "default_transport = relay\ndefault_transport = smtp\n",
     "postern-probation", 0},
    {"by hand", "default_transport = postern-probation:gw\n", "postern-probation:gw", 0},
    {"others are not touched", "relay_transport = relay\nlocal_transport = smtp\n",
     "postern-probation", 0},
    {"another transport", "a = 1\ndefault_transport = relay:[gw]\n", "relay:[gw]", 2},
    {"a longer name", "default_transport = smtps\n", "smtps", 1},
    {"a shorter name", "default_transport = smt", "smt", 1},
    {"a name of ours that is longer", "default_transport = postern-probation2\n",
     "postern-probation2", 1},
    {"no transport", "default_transport =\n", "", 1},
    {"an error", "default_transport = error:no mail goes out\n", "error:no mail goes out", 1},
    {"by another name", "x = smtp\ndefault_transport = $x\n", "$x", 2},
};

static void test_default_transport(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(probation_cases) / sizeof(probation_cases[0]); i++) {
        const struct probation_case *c = &probation_cases[i];
        struct mainmaster_edit edit;
        mainmaster_apply_main(slice_of(c->before), &want_proven, &edit);
        assert_int_equal(edit.result, MAINMASTER_CHANGED);
        check_value(c->label, &edit, "default_transport", c->transport);
        if (edit.line != c->line || edit.probation_refused != (c->line > 0) ||
            (*edit.message != '\0') != (c->line > 0))
            fail_msg("%s: line %zu, \"%s\"", c->label, edit.line, edit.message);
        if (c->line > 0)
            assert_non_null(strstr(edit.message, " is set here, and postern-probation can only"));
        mainmaster_edit_free(&edit);
        check_promises(c->label, slice_of(c->before), &want_proven, mainmaster_apply_main,
                       mainmaster_remove_main);
        check_changes(c->label, slice_of(c->before), mainmaster_apply_main);
    }
}

/* Where it is only for suspects, or not wanted, the default stays. */
static void test_default_untouched(void **state)
{
    (void)state;
    for (size_t i = 0; i < WANTS; i++) {
        struct mainmaster_edit edit;
        mainmaster_apply_main((struct slice)TEXT("default_transport = smtp:gw\n"), wants[i], &edit);
        check_value("set", &edit, "default_transport",
                    wants[i]->probation.is_default ? "postern-probation:gw" : "smtp:gw");
        mainmaster_edit_free(&edit);
        mainmaster_apply_main((struct slice)TEXT("a = 1\n"), wants[i], &edit);
        check_value("not set", &edit, "default_transport",
                    wants[i]->probation.is_default ? "postern-probation" : NULL);
        mainmaster_edit_free(&edit);
    }
}

/* What is smtp's is for its copy, too; its own limit of recipients only if smtp has one. */
static void test_probation_text(void **state)
{
    static const char after[] =
        "# All mail begins in postern-probation, so that hosts that say nothing keep no process "
        "from\n"
        "# those that work; Postern sends destinations that were reached through \"smtp\".\n"
        "default_transport = postern-probation:[gw]\n"
        "# For postern-probation, as for \"smtp\"; after a change of those, run \"posternctl setup "
        "--apply\"\n"
        "# again.\n"
        "postern-probation_destination_recipient_limit = 9\n"
        "postern-probation_destination_concurrency_limit = 7\n"
        "postern-probation_transport_rate_delay = 2s\n"
        "# END postern\n";
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_main((struct slice)TEXT("smtp_transport_rate_delay = 2s\n"
                                             "smtp_destination_recipient_limit = 9\n"
                                             "smtp_destination_concurrency_limit = 7\n"
                                             "smtp_helo_timeout = 9\n"
                                             "postern-probation_delivery_slot_cost = 1\n"
                                             "smtp_delivery_slot_cost = 2\n"
                                             "default_transport = smtp:[gw]\n"),
                          &want_proven, &edit);
    assert_int_equal(edit.result, MAINMASTER_CHANGED);
    assert_non_null(strstr(edit.bytes, "\n#postern# default_transport = smtp:[gw]\n"));
    assert_string_equal(edit.bytes + edit.len - strlen(after), after);
    mainmaster_edit_free(&edit);
}

/* What the administrator does to the default inside the block. */
static const struct edit_case probation_edit_cases[] = {
    {"another transport with postconf -e", "default_transport = smtp:gw\n",
     "= postern-probation:gw", "= relay",
     "#default_transport = smtp:gw\ndefault_transport = relay\n", "default_transport was changed"},
    {"another next hop", "default_transport = smtp:gw\na = 1\n", "probation:gw", "probation:gw2",
     "#default_transport = smtp:gw\na = 1\ndefault_transport = smtp:gw2\n",
     "default_transport was changed"},
    {"a next hop where was none", "a = 1", "= postern-probation\n", "= postern-probation:gw\n",
     "a = 1\ndefault_transport = smtp:gw\n", "default_transport was changed"},
    {"smtp again", "default_transport =\n  smtp:gw\n",
     "= postern-probation:", "= smtp:", "default_transport =\n  smtp:gw\n", NULL},
    {"the next hop taken away", "default_transport = smtp:gw\n", "= postern-probation:gw", "= smtp",
     "#default_transport = smtp:gw\n", "default_transport was changed"},
    {"a service that only begins so", "a = 1\n", "= postern-probation\n", "= postern-probation2\n",
     "a = 1\ndefault_transport = postern-probation2\n", "default_transport was changed"},
    {"a setting of the lane that setup does not make", "a = 1\n", "# END",
     "postern-probation_time_limit = 7\n# END", "a = 1\npostern-probation_time_limit = 7\n", NULL},
    {"a setting of the lane", "smtp_destination_rate_delay = 1s\n",
     "probation_destination_rate_delay = 1s", "probation_destination_rate_delay = 3s",
     "smtp_destination_rate_delay = 1s\n", NULL},
    {"a setting elsewhere", "a = 1\ndefault_transport = smtp:gw\n", "a = 1", "a = 2",
     "a = 2\ndefault_transport = smtp:gw\n", NULL},
    {"what was set aside, changed", "default_transport = smtp:gw\n",
     "#postern# default_transport = smtp:gw", "#postern# default_transport = smtp:gw2",
     "#default_transport = smtp:gw2\ndefault_transport = smtp:gw\n",
     "default_transport was changed"},
};

static void test_default_edited(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(probation_edit_cases) / sizeof(probation_edit_cases[0]); i++)
        check_edited(&probation_edit_cases[i], &want_proven);
}

/* A default put behind the block by postconf -e, where the block has none, is the administrator's.
 */
static void test_default_behind_block(void **state)
{
    struct mainmaster_edit applied, removed;
    (void)state;
    mainmaster_apply_main((struct slice)TEXT("a = 1\n"), &want_suspect, &applied);
    char *edited = replace(applied.bytes, "# END postern\n",
                           "# END postern\ndefault_transport = postern-probation\n");
    mainmaster_remove_main(slice_of(edited), &want_suspect, &removed);
    assert_string_equal(removed.bytes, "a = 1\ndefault_transport = postern-probation\n");
    assert_true(mainmaster_is_stranded(bytes_of(&removed), (struct slice)TEXT("")));
    mainmaster_edit_free(&applied);
    mainmaster_edit_free(&removed);
    free(edited);
}

struct stranded_case {
    const char *label;
    const char *main;
    const char *master;
    bool stranded;
};

static const struct stranded_case stranded_cases[] = {
    {"nothing", "", "", false},
    {"smtp", "default_transport = smtp\n", "", false},
    {"no service", "default_transport = postern-probation\n", "smtp unix - - n - - smtp\n", true},
    {"a next hop", "default_transport =\n  postern-probation:gw", "", true},
    {"a service", "default_transport = postern-probation\n",
     "smtp unix - - n - - smtp\npostern-probation\tunix  - - n - 250 smtp\n  -o a=b\n", false},
    {"its type on another line", "default_transport = postern-probation\n",
     "postern-probation\n# no\n unix - - n - 250 smtp", false},
    {"a service of another type", "default_transport = postern-probation\n",
     "postern-probation inet n - n - - smtpd\n", true},
    {"a service with a longer name", "default_transport = postern-probation\n",
     "postern-probation2 unix - - n - - smtp\n", true},
    {"a service that is a comment", "default_transport = postern-probation\n",
     "#postern-probation unix - - n - - smtp\n", true},
    {"the last definition counts",
     "default_transport = postern-probation\ndefault_transport = smtp\n", "", false},
    {"set aside", "#postern# default_transport = postern-probation\n", "", false},
    {"a longer name", "default_transport = postern-probation2\n", "", false},
};

static void test_stranded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(stranded_cases) / sizeof(stranded_cases[0]); i++) {
        const struct stranded_case *c = &stranded_cases[i];
        if (mainmaster_is_stranded(slice_of(c->main), slice_of(c->master)) != c->stranded)
            fail_msg("%s", c->label);
    }
}

/* Each keeps its new value, and both are told of. */
static void test_both_lists_edited(void **state)
{
    static const char before[] =
        "smtp_delivery_status_filter = pcre:/x\ntransport_maps =\n  hash:/x\na = 1";
    static const char after[] =
        "#smtp_delivery_status_filter = pcre:/x\n#transport_maps =\n#  hash:/x\na = 1\n"
        "transport_maps = hash:/y\nsmtp_delivery_status_filter = pcre:/y\n";
    struct mainmaster_edit applied, removed;
    (void)state;
    mainmaster_apply_main(slice_of(before), &want_limits, &applied);
    char *once = replace(applied.bytes, ", hash:/x", ", hash:/y");
    char *twice = replace(once, "= pcre:/x, regexp", "= pcre:/y, regexp");
    mainmaster_remove_main(slice_of(twice), &want_limits, &removed);
    assert_string_equal(removed.bytes, after);
    assert_non_null(strstr(removed.message, "transport_maps was changed"));
    assert_non_null(strstr(removed.message, "; smtp_delivery_status_filter was changed"));
    mainmaster_edit_free(&applied);
    mainmaster_edit_free(&removed);
    free(once);
    free(twice);
}

/* Told, with the place, but left alone: the administrator put it there. */
static void test_behind_others(void **state)
{
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_main((struct slice)TEXT("a = 1\ntransport_maps = hash:/a " OURS "\n"), &want,
                          &edit);
    assert_int_equal(edit.result, MAINMASTER_CHANGED);
    assert_int_equal(edit.line, 2);
    assert_non_null(strstr(edit.message, "behind others"));
    mainmaster_edit_free(&edit);
}

/* A new state directory: the old table goes, and no trace of it stays. */
static void test_settings_changed(void **state)
{
    struct mainmaster_want moved = want;
    struct mainmaster_edit first, second, direct;
    static const struct slice before = TEXT("transport_maps = hash:/x\n");
    (void)state;
    moved.table = "/srv/postern/tables/transport";
    mainmaster_apply_main(before, &want, &first);
    mainmaster_apply_main(bytes_of(&first), &moved, &second);
    mainmaster_apply_main(before, &moved, &direct);
    assert_int_equal(second.result, MAINMASTER_CHANGED);
    assert_string_equal(second.bytes, direct.bytes);
    assert_null(strstr(second.bytes, TABLE));
    mainmaster_edit_free(&first);
    mainmaster_edit_free(&second);
    mainmaster_edit_free(&direct);
}

/* --- Milters --- */

struct milter_case {
    const char *label;
    const char *before;
    /* What the lists have to be; NULL: not set. */
    const char *smtpd, *cleanup, *classes;
};

/* With both milters. */
static const struct milter_case both_cases[] = {
    {"nothing set", "a = 1\n", EARLYNDR ", " RCPTLIMIT, EARLYNDR, "bounce"},
    {"set to nothing", "smtpd_milters =\nnon_smtpd_milters=\ninternal_mail_filter_classes =",
     EARLYNDR ", " RCPTLIMIT, EARLYNDR, "bounce"},
    {"one each", "smtpd_milters = inet:a:1\nnon_smtpd_milters = unix:/b\n",
     "inet:a:1, " EARLYNDR ", " RCPTLIMIT, "unix:/b, " EARLYNDR, "bounce"},
    {"braces, on several lines",
     "smtpd_milters = inet:a:1\n# signs\n   {inet:b:2, { protocol = 2 }\n  "
     "default_action=accept},\n"
     "\tunix:c\nbiff = no\n",
     "inet:a:1   {inet:b:2, { protocol = 2 }  default_action=accept}, unix:c, " EARLYNDR
     ", " RCPTLIMIT,
     EARLYNDR, "bounce"},
    {"another class", "internal_mail_filter_classes = notify\n", EARLYNDR ", " RCPTLIMIT, EARLYNDR,
     "notify, bounce"},
    {"the class, among others", "internal_mail_filter_classes = notify,bounce\n",
     EARLYNDR ", " RCPTLIMIT, EARLYNDR, "notify,bounce"},
    {"the class behind a name", "internal_mail_filter_classes = $x\nx = bounce\n",
     EARLYNDR ", " RCPTLIMIT, EARLYNDR, "$x"},
    {"all by hand",
     "smtpd_milters = unix:/run/postern/earlyndr.sock inet:127.0.0.1:8891\n"
     "non_smtpd_milters = {unix:/run/postern/earlyndr.sock}\n"
     "internal_mail_filter_classes = bounce\n",
     "unix:/run/postern/earlyndr.sock inet:127.0.0.1:8891", "{unix:/run/postern/earlyndr.sock}",
     "bounce"},
    {"by hand as setup writes them", "smtpd_milters = " EARLYNDR "\nnon_smtpd_milters = " EARLYNDR,
     EARLYNDR ", " RCPTLIMIT, EARLYNDR, "bounce"},
    {"by hand, behind names",
     "early = local:/run/postern/earlyndr.sock\nlimit = { inet:[127.0.0.1]:$port, protocol=6 }\n"
     "port=8891\nall = $early, ${limit}\nsmtpd_milters = inet:a:1, $(all)\n",
     "inet:a:1, $(all)", EARLYNDR, "bounce"},
    {"postern-rcptlimit by hand: it stays last", "smtpd_milters = inet:a:1, inet:localhost:8891\n",
     "inet:a:1, " EARLYNDR ", inet:localhost:8891", EARLYNDR, "bounce"},
    {"postern-rcptlimit by hand and alone", "smtpd_milters = inet:localhost:8891\n",
     EARLYNDR ", inet:localhost:8891", EARLYNDR, "bounce"},
    {"other mail as by SMTP", "smtpd_milters = inet:a:1\nnon_smtpd_milters = $smtpd_milters\n",
     "inet:a:1, " EARLYNDR ", " RCPTLIMIT, "inet:a:1, " EARLYNDR, "bounce"},
    {"other mail as by SMTP, of which there is none",
     "non_smtpd_milters = ${smtpd_milters}, unix:b", EARLYNDR ", " RCPTLIMIT, "unix:b, " EARLYNDR,
     "bounce"},
    {"by SMTP as other mail",
     "smtpd_milters = $(non_smtpd_milters)\nnon_smtpd_milters = inet:a:1\n",
     "inet:a:1, " EARLYNDR ", " RCPTLIMIT, "inet:a:1, " EARLYNDR, "bounce"},
    {"a name that only begins so",
     "smtpd_milters_x = inet:b:1\nnon_smtpd_milters = $smtpd_milters_x $$smtpd_milters\n",
     EARLYNDR ", " RCPTLIMIT, "$smtpd_milters_x $$smtpd_milters, " EARLYNDR, "bounce"},
    {"closing braces alone", "smtpd_milters = inet:a:1}\n", "inet:a:1}, " EARLYNDR ", " RCPTLIMIT,
     EARLYNDR, "bounce"},
};

static const struct milter_case rcptlimit_cases[] = {
    {"nothing set", "", RCPTLIMIT, NULL, NULL},
    {"the others are not touched",
     "smtpd_milters=inet:a:1\nnon_smtpd_milters =\ninternal_mail_filter_classes = notify",
     "inet:a:1, " RCPTLIMIT, "", "notify"},
    {"other mail as by SMTP", "non_smtpd_milters = $smtpd_milters\nsmtpd_milters = inet:a:1\n",
     "inet:a:1, " RCPTLIMIT, "inet:a:1", NULL},
    {"other mail as by SMTP, of which there is none", "non_smtpd_milters = $smtpd_milters",
     RCPTLIMIT, "", NULL},
};

static const struct milter_case earlyndr_cases[] = {
    {"nothing set", "", EARLYNDR, EARLYNDR, "bounce"},
    {"other mail as by SMTP, by hand",
     "smtpd_milters = unix:/run/postern/earlyndr.sock\nnon_smtpd_milters = $smtpd_milters\n",
     "unix:/run/postern/earlyndr.sock", "$smtpd_milters", "bounce"},
};

/* With all three. */
static const struct milter_case refusing_cases[] = {
    {"nothing set", "", EARLYNDR ", " RETRYCAP ", " RCPTLIMIT, EARLYNDR, "bounce"},
    {"behind the others", "smtpd_milters = inet:a:1\nnon_smtpd_milters = $smtpd_milters\n",
     "inet:a:1, " EARLYNDR ", " RETRYCAP ", " RCPTLIMIT, "inet:a:1, " EARLYNDR, "bounce"},
    {"postern-rcptlimit by hand: it stays last", "smtpd_milters = inet:a:1 inet:localhost:8891\n",
     "inet:a:1 " EARLYNDR ", " RETRYCAP ", inet:localhost:8891", EARLYNDR, "bounce"},
    {"postern-retrycap by hand: it stays between",
     "smtpd_milters = inet:localhost:8894, inet:a:1\n",
     EARLYNDR ", inet:localhost:8894, inet:a:1, " RCPTLIMIT, EARLYNDR, "bounce"},
    {"postern-earlyndr by hand, and last",
     "smtpd_milters = inet:localhost:8891, unix:/run/postern/earlyndr.sock\n",
     RETRYCAP ", inet:localhost:8891, unix:/run/postern/earlyndr.sock", EARLYNDR, "bounce"},
    {"postern-retrycap by hand for other mail, where it does no harm",
     "non_smtpd_milters = inet:localhost:8894\n", EARLYNDR ", " RETRYCAP ", " RCPTLIMIT,
     "inet:localhost:8894, " EARLYNDR, "bounce"},
};

static const struct milter_case warning_cases[] = {
    {"nothing set", "", EARLYNDR ", " RETRYCAP ", " RCPTLIMIT, EARLYNDR ", " RETRYCAP, "bounce"},
    {"other mail as by SMTP", "smtpd_milters = inet:a:1\nnon_smtpd_milters = $smtpd_milters\n",
     "inet:a:1, " EARLYNDR ", " RETRYCAP ", " RCPTLIMIT, "inet:a:1, " EARLYNDR ", " RETRYCAP,
     "bounce"},
    {"by hand for other mail", "non_smtpd_milters = inet:localhost:8894\n",
     EARLYNDR ", " RETRYCAP ", " RCPTLIMIT, EARLYNDR ", inet:localhost:8894", "bounce"},
};

static const struct milter_case retrycap_cases[] = {
    {"nothing set", "", RETRYCAP, NULL, NULL},
    {"the others are not touched", "smtpd_milters=inet:a:1\nnon_smtpd_milters = inet:b:1\n",
     "inet:a:1, " RETRYCAP, "inet:b:1", NULL},
};

static void check_milters(const struct milter_case *c, size_t count,
                          const struct mainmaster_want *w)
{
    for (; count-- > 0; c++) {
        struct mainmaster_edit edit;
        mainmaster_apply_main(slice_of(c->before), w, &edit);
        check_value(c->label, &edit, "smtpd_milters", c->smtpd);
        check_value(c->label, &edit, "non_smtpd_milters", c->cleanup);
        check_value(c->label, &edit, "internal_mail_filter_classes", c->classes);
        if (*edit.message != '\0')
            fail_msg("%s: %s", c->label, edit.message);
        mainmaster_edit_free(&edit);
        check_promises(c->label, slice_of(c->before), w, mainmaster_apply_main,
                       mainmaster_remove_main);
        check_changes(c->label, slice_of(c->before), mainmaster_apply_main);
    }
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_milters(void **state)
{
    (void)state;
    check_milters(both_cases, COUNT(both_cases), &want_milters);
    check_milters(rcptlimit_cases, COUNT(rcptlimit_cases), &want_rcptlimit);
    check_milters(earlyndr_cases, COUNT(earlyndr_cases), &want_earlyndr);
    check_milters(refusing_cases, COUNT(refusing_cases), &want_refusing);
    check_milters(warning_cases, COUNT(warning_cases), &want_warning);
    check_milters(retrycap_cases, COUNT(retrycap_cases), &want_retrycap);
}

/* when_down was changed: what the block has of it goes where it belongs now. */
static void test_when_down_changed(void **state)
{
    struct mainmaster_edit first, second, direct;
    static const struct slice before = TEXT("smtpd_milters = inet:a:1\n");
    (void)state;
    mainmaster_apply_main(before, &want_warning, &first);
    mainmaster_apply_main(bytes_of(&first), &want_refusing, &second);
    mainmaster_apply_main(before, &want_refusing, &direct);
    assert_string_equal(second.bytes, direct.bytes);
    assert_int_equal(first.milters[MAINMASTER_RETRYCAP].connected,
                     MAINMASTER_AT_SMTPD | MAINMASTER_AT_CLEANUP);
    assert_int_equal(second.milters[MAINMASTER_RETRYCAP].connected, MAINMASTER_AT_SMTPD);
    mainmaster_edit_free(&first);
    mainmaster_edit_free(&second);
    mainmaster_edit_free(&direct);
}

static void test_milters_text(void **state)
{
    static const char after[] =
        "# Postern's milters come behind all others: postern-rcptlimit counts what those accept. "
        "When\n"
        "# they do not run, mail goes on without them, whatever milter_default_action is.\n"
        "smtpd_milters = inet:a:1, " EARLYNDR ", " RCPTLIMIT "\n"
        "# Postern's milters for mail that did not come by SMTP, such as that of sendmail(1).\n"
        "non_smtpd_milters = " EARLYNDR "\n"
        "# Has Postfix's own bounces pass the milters of non_smtpd_milters.\n"
        "internal_mail_filter_classes = bounce\n"
        "# Each recipient refused at our own door counts as a client's error. By default 20\n"
        "# (under stress 1) end the connection before any mail was taken "
        "(smtpd_hard_error_limit).\n"
        "smtpd_soft_error_limit = 1000\n"
        "smtpd_hard_error_limit = 1000\n"
        "# END postern\n";
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_main((struct slice)TEXT("smtpd_milters=inet:a:1\n"), &want_milters, &edit);
    assert_int_equal(edit.result, MAINMASTER_CHANGED);
    assert_memory_equal(edit.bytes, "#postern# smtpd_milters=inet:a:1\n", 33);
    assert_string_equal(edit.bytes + edit.len - strlen(after), after);
    mainmaster_edit_free(&edit);
}

/* What the administrator does to the lists inside the block. */
static const struct edit_case milter_edit_cases[] = {
    {"a milter put in front", "smtpd_milters = inet:a:1\n", "= inet:a:1, {",
     "= inet:b:2, inet:a:1, {", "#smtpd_milters = inet:a:1\nsmtpd_milters = inet:b:2, inet:a:1\n",
     "smtpd_milters was changed"},
    {"a milter put behind", "a = 1\n", RCPTLIMIT, RCPTLIMIT ", inet:b:2",
     "a = 1\nsmtpd_milters = inet:b:2\n", "smtpd_milters was changed"},
    {"ours turned round", "a = 1\n", EARLYNDR ", " RCPTLIMIT, RCPTLIMIT ", " EARLYNDR, "a = 1\n",
     NULL},
    {"ours taken out", "smtpd_milters = inet:a:1\n", ", " EARLYNDR ", " RCPTLIMIT, "",
     "smtpd_milters = inet:a:1\n", NULL},
    {"ours given another time", "a = 1\n", "smtpd_milters = " EARLYNDR,
     "smtpd_milters = { unix:/run/postern/earlyndr.sock, command_timeout=3s }",
     "a = 1\nsmtpd_milters = { unix:/run/postern/earlyndr.sock, command_timeout=3s }\n",
     "smtpd_milters was changed"},
    {"another class", "internal_mail_filter_classes = notify\n", "notify, bounce",
     "notify, bounce, sendmail",
     "#internal_mail_filter_classes = notify\ninternal_mail_filter_classes = notify, sendmail\n",
     "internal_mail_filter_classes was changed"},
    {"the list that was written out",
     "smtpd_milters = inet:a:1\nnon_smtpd_milters = $smtpd_milters\n",
     "non_smtpd_milters = inet:a:1", "non_smtpd_milters = inet:b:2",
     "smtpd_milters = inet:a:1\n#non_smtpd_milters = $smtpd_milters\nnon_smtpd_milters = "
     "inet:b:2\n",
     "non_smtpd_milters was changed"},
    {"the list of which another was written out",
     "smtpd_milters = inet:a:1\nnon_smtpd_milters = $smtpd_milters\n", "\nsmtpd_milters = inet:a:1",
     "\nsmtpd_milters = inet:b:2",
     "#smtpd_milters = inet:a:1\nnon_smtpd_milters = $smtpd_milters\nsmtpd_milters = inet:b:2\n",
     "smtpd_milters was changed"},
    {"a setting elsewhere", "a = 1\nsmtpd_milters = {inet:a:1\n  protocol=2}\n", "a = 1", "a = 2",
     "a = 2\nsmtpd_milters = {inet:a:1\n  protocol=2}\n", NULL},
};

static void test_milters_edited(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(milter_edit_cases); i++)
        check_edited(&milter_edit_cases[i], &want_milters);
}

/* When a milter is connected, and what is said when it is not. */
struct connect_case {
    const char *label;
    const char *before;
    const char *socket; /* of postern-earlyndr */
    bool running;
    unsigned chrooted;
    struct mainmaster_milter_result result;
    const char *entry; /* of the lists it was put into; NULL: nowhere */
};

#define SMTPD MAINMASTER_AT_SMTPD
#define CLEANUP MAINMASTER_AT_CLEANUP
#define BOUNCES MAINMASTER_AT_BOUNCES
#define ALL (SMTPD | CLEANUP | BOUNCES)
#define INSIDE "unix:/var/spool/postfix/run/e"

static const struct connect_case connect_cases[] = {
    {"it runs", "", "unix:/run/e", true, 0, {ALL, 0, 0, 0}, "unix:/run/e"},
    {"it does not run", "", "unix:/run/e", false, 0, {0, SMTPD | CLEANUP, 0, 0}, NULL},
    {"by hand, and it does not run",
     "smtpd_milters=unix:/run/e\nnon_smtpd_milters=unix:/run/e\n",
     "unix:/run/e",
     false,
     0,
     {BOUNCES, 0, 0, 0},
     NULL},
    {"one list by hand",
     "smtpd_milters = unix:/run/e\n",
     "unix:/run/e",
     true,
     0,
     {CLEANUP | BOUNCES, 0, 0, 0},
     "unix:/run/e"},
    {"one list by hand, and it does not run",
     "smtpd_milters = unix:/run/e\n",
     "unix:/run/e",
     false,
     0,
     {0, CLEANUP, 0, 0},
     NULL},
    {"all chrooted", "", "unix:/run/e", true, SMTPD | CLEANUP, {0, 0, SMTPD | CLEANUP, 0}, NULL},
    {"chrooted, and it does not run",
     "",
     "unix:/run/e",
     false,
     SMTPD | CLEANUP,
     {0, SMTPD | CLEANUP, 0, 0},
     NULL},
    {"smtpd chrooted",
     "",
     "unix:/run/e",
     true,
     SMTPD,
     {CLEANUP | BOUNCES, 0, SMTPD, 0},
     "unix:/run/e"},
    {"chrooted, by TCP",
     "",
     "inet:7@127.0.0.1",
     true,
     SMTPD | CLEANUP,
     {ALL, 0, 0, 0},
     "inet:127.0.0.1:7"},
    {"chrooted, inside the queue directory",
     "",
     INSIDE,
     true,
     SMTPD | CLEANUP,
     {ALL, 0, 0, 0},
     "unix:run/e"},
    {"a directory that only begins so",
     "",
     "unix:/var/spool/postfix2/e",
     true,
     SMTPD | CLEANUP,
     {0, 0, SMTPD | CLEANUP, 0},
     NULL},
    {"by hand, relative",
     "smtpd_milters = unix:run/e\nnon_smtpd_milters = unix:run/e\n",
     INSIDE,
     false,
     SMTPD | CLEANUP,
     {BOUNCES, 0, 0, 0},
     NULL},
    {"by hand, as chrooted services see it",
     "smtpd_milters = unix:/run/e\nnon_smtpd_milters = unix:/run/e\n",
     INSIDE,
     false,
     SMTPD | CLEANUP,
     {BOUNCES, 0, 0, 0},
     NULL},
    {"by hand, as chrooted services would see it",
     "smtpd_milters = unix:/run/e\nnon_smtpd_milters = unix:/run/e\n",
     INSIDE,
     false,
     0,
     {0, SMTPD | CLEANUP, 0, 0},
     NULL},
    {"by hand, by a name of Postfix's",
     "smtpd_milters = unix:$queue_directory/run/e\n",
     INSIDE,
     true,
     0,
     {CLEANUP | BOUNCES, 0, 0, 0},
     "unix:run/e"},
    {"by hand, but chrooted services do not see it",
     "smtpd_milters = unix:/run/e\nnon_smtpd_milters = unix:/run/e\n",
     "unix:/run/e",
     true,
     SMTPD | CLEANUP,
     {BOUNCES, 0, 0, 0},
     NULL},
};

static bool same_result(const struct mainmaster_milter_result *a,
                        const struct mainmaster_milter_result *b)
{
    return a->connected == b->connected && a->idle == b->idle && a->unreachable == b->unreachable &&
           a->inside == b->inside;
}

static void check_entry(const struct connect_case *c, const struct mainmaster_edit *edit)
{
    char *entry = NULL;
    assert_true(asprintf(&entry, "{ %s" SETTINGS, c->entry != NULL ? c->entry : "") > 0);
    if ((strstr(edit->bytes, c->entry != NULL ? entry : "default_action") != NULL) !=
        (c->entry != NULL))
        fail_msg("%s:\n%s", c->label, edit->bytes);
    free(entry);
}

static void test_connecting(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(connect_cases); i++) {
        const struct connect_case *c = &connect_cases[i];
        struct mainmaster_want w = want_earlyndr;
        struct mainmaster_edit edit;
        w.milters.sockets[MAINMASTER_EARLYNDR] = c->socket;
        w.milters.running[MAINMASTER_EARLYNDR] = c->running;
        w.milters.chrooted = c->chrooted;
        mainmaster_apply_main(slice_of(c->before), &w, &edit);
        const struct mainmaster_milter_result *got = &edit.milters[MAINMASTER_EARLYNDR];
        if (!same_result(got, &c->result))
            fail_msg("%s: connected %u, idle %u, unreachable %u", c->label, got->connected,
                     got->idle, got->unreachable);
        check_entry(c, &edit);
        mainmaster_edit_free(&edit);
        check_promises(c->label, slice_of(c->before), &w, mainmaster_apply_main,
                       mainmaster_remove_main);
    }
}

/* A socket that the milter made inside queue_directory, and main.cf as it was before. */
struct inside_case {
    const char *label;
    const char *socket;
    const char *was; /* where our entries lead already; NULL: there are none */
    bool running, inside;
    unsigned chrooted;
    struct mainmaster_milter_result result;
    const char *entry;
};

#define RELATIVE "unix:postern/e"

static const struct inside_case inside_cases[] = {
    {"no chroot", "unix:/run/e", NULL, true, true, 0, {ALL, 0, 0, SMTPD | CLEANUP}, RELATIVE},
    {"chroot",
     "unix:/run/e",
     NULL,
     true,
     true,
     SMTPD | CLEANUP,
     {ALL, 0, 0, SMTPD | CLEANUP},
     RELATIVE},
    {"of an older version",
     "unix:/run/e",
     "unix:/run/e",
     true,
     true,
     SMTPD,
     {ALL, 0, 0, SMTPD | CLEANUP},
     RELATIVE},
    {"stopped",
     "unix:/run/e",
     RELATIVE,
     false,
     false,
     SMTPD | CLEANUP,
     {ALL, 0, 0, SMTPD | CLEANUP},
     RELATIVE},
    {"stopped, with the other name",
     "unix:/run/e",
     "unix:/run/e",
     false,
     false,
     0,
     {ALL, 0, 0, 0},
     "unix:/run/e"},
    {"stopped, with a name that is of no use any more",
     "unix:/run/e",
     "unix:/run/e",
     false,
     false,
     SMTPD | CLEANUP,
     {0, 0, SMTPD | CLEANUP, 0},
     NULL},
    {"started again, not inside",
     "unix:/run/e",
     RELATIVE,
     true,
     false,
     0,
     {ALL, 0, 0, 0},
     "unix:/run/e"},
    {"started again, not inside, and chrooted",
     "unix:/run/e",
     RELATIVE,
     true,
     false,
     CLEANUP,
     {SMTPD, 0, CLEANUP, 0},
     "unix:/run/e"},
    {"another's",
     "unix:/run/e",
     "unix:postern/other",
     false,
     false,
     0,
     {0, SMTPD | CLEANUP, 0, 0},
     NULL},
};

static char *main_with(const char *entry)
{
    char *text = NULL;
    int len = entry ? asprintf(&text,
                               "a = 1\n# BEGIN postern\nsmtpd_milters = { %s" SETTINGS
                               "\nnon_smtpd_milters = { %s" SETTINGS
                               "\ninternal_mail_filter_classes = bounce\n# END postern\n",
                               entry, entry)
                    : asprintf(&text, "a = 1\n");
    assert_true(len > 0);
    return text;
}

static void check_inside(const struct inside_case *c, struct mainmaster_edit *edit)
{
    char *entry = NULL;
    const struct mainmaster_milter_result *got = &edit->milters[MAINMASTER_EARLYNDR];
    if (!same_result(got, &c->result))
        fail_msg("%s: connected %u, idle %u, unreachable %u, inside %u", c->label, got->connected,
                 got->idle, got->unreachable, got->inside);
    assert_true(asprintf(&entry, "{ %s" SETTINGS, c->entry ? c->entry : "") > 0);
    if ((strstr(edit->bytes, c->entry ? entry : "default_action") != NULL) != (c->entry != NULL))
        fail_msg("%s:\n%s", c->label, edit->bytes);
    free(entry);
}

static void test_inside(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(inside_cases); i++) {
        const struct inside_case *c = &inside_cases[i];
        struct mainmaster_want w = want_earlyndr;
        struct mainmaster_edit edit, again, removed;
        char *before = main_with(c->was);
        w.milters.sockets[MAINMASTER_EARLYNDR] = c->socket;
        w.milters.running[MAINMASTER_EARLYNDR] = c->running;
        w.milters.inside[MAINMASTER_EARLYNDR] = c->inside;
        w.milters.chrooted = c->chrooted;
        mainmaster_apply_main(slice_of(before), &w, &edit);
        check_inside(c, &edit);
        mainmaster_apply_main(bytes_of(&edit), &w, &again);
        if (again.result != MAINMASTER_SAME)
            fail_msg("%s, again:\n%s", c->label, again.bytes);
        mainmaster_remove_main(bytes_of(&edit), &w, &removed);
        if (strcmp(removed.bytes, "a = 1\n") != 0)
            fail_msg("%s, removed:\n%s", c->label, removed.bytes);
        mainmaster_edit_free(&edit);
        mainmaster_edit_free(&again);
        mainmaster_edit_free(&removed);
        free(before);
    }
}

/* By hand, by either name. */
static void test_inside_by_hand(void **state)
{
    static const char *const names[] = {"unix:/run/e", RELATIVE,
                                        "unix:/var/spool/postfix/postern/e",
                                        "unix:$queue_directory/postern/e", "local:postern/e"};
    struct mainmaster_want w = want_earlyndr;
    (void)state;
    w.milters.sockets[MAINMASTER_EARLYNDR] = "unix:/run/e";
    w.milters.running[MAINMASTER_EARLYNDR] = w.milters.inside[MAINMASTER_EARLYNDR] = true;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct mainmaster_edit edit;
        char *before = NULL;
        assert_true(asprintf(&before, "smtpd_milters = %s\nnon_smtpd_milters = %s\n", names[i],
                             names[i]) > 0);
        mainmaster_apply_main(slice_of(before), &w, &edit);
        if (edit.milters[MAINMASTER_EARLYNDR].connected != BOUNCES)
            fail_msg("%s:\n%s", names[i], edit.bytes);
        mainmaster_edit_free(&edit);
        free(before);
    }
}

/* A milter that has stopped since stays connected; one that moved is not until it runs there. */
static void test_stopped(void **state)
{
    struct mainmaster_want stopped = want_milters;
    struct mainmaster_edit first, second, moved;
    static const struct slice before = TEXT("smtpd_milters = inet:a:1\n");
    (void)state;
    memset(stopped.milters.running, 0, sizeof(stopped.milters.running));
    mainmaster_apply_main(before, &want_milters, &first);
    mainmaster_apply_main(bytes_of(&first), &stopped, &second);
    assert_int_equal(second.result, MAINMASTER_SAME);
    assert_int_equal(second.milters[MAINMASTER_EARLYNDR].connected, ALL);
    assert_int_equal(second.milters[MAINMASTER_RCPTLIMIT].connected, SMTPD);
    stopped.milters.sockets[MAINMASTER_RCPTLIMIT] = "inet:8892@127.0.0.1";
    mainmaster_apply_main(bytes_of(&first), &stopped, &moved);
    check_value("moved", &moved, "smtpd_milters", "inet:a:1, " EARLYNDR);
    assert_int_equal(moved.milters[MAINMASTER_RCPTLIMIT].idle, SMTPD);
    mainmaster_edit_free(&first);
    mainmaster_edit_free(&second);
    mainmaster_edit_free(&moved);
}

/* Lists that take the other's milters over behind our back: nothing is done, and that is said. */
static void test_tangled(void **state)
{
    static const char *const cases[] = {
        "all = $smtpd_milters\nnon_smtpd_milters = $all, inet:b:2\n",
        "non_smtpd_milters = ${smtpd_milters?{inet:b:2}:{$smtpd_milters}}\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mainmaster_edit edit;
        mainmaster_apply_main(slice_of(cases[i]), &want_rcptlimit, &edit);
        check_value(cases[i], &edit, "smtpd_milters", NULL);
        assert_int_equal(edit.milters[MAINMASTER_RCPTLIMIT].connected, 0);
        assert_non_null(strstr(edit.message, "non_smtpd_milters takes its milters"));
        assert_int_equal(edit.line, i == 0 ? 2 : 1);
        mainmaster_edit_free(&edit);
        check_promises(cases[i], slice_of(cases[i]), &want_rcptlimit, mainmaster_apply_main,
                       mainmaster_remove_main);
    }
}

/* No place for limits, however they got there. */
static void test_limits_of_other_mail(void **state)
{
    static const char *const cases[] = {
        "a = 1\nnon_smtpd_milters = inet:b:2 inet:localhost:8891\n",
        "smtpd_milters = inet:localhost:8891\nnon_smtpd_milters = $smtpd_milters\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mainmaster_edit edit;
        mainmaster_apply_main(slice_of(cases[i]), &want_rcptlimit, &edit);
        assert_int_equal(edit.result, MAINMASTER_CHANGED);
        assert_int_equal(edit.line, 2);
        assert_non_null(strstr(edit.message, "name it in smtpd_milters only"));
        mainmaster_edit_free(&edit);
    }
}

struct socket_case {
    const char *socket;   /* in postern.conf */
    const char *text;     /* as Postfix writes it; NULL: it is none */
    const char *endpoint; /* of Postfix's, to compare with */
    bool is_it;
};

static const struct socket_case socket_cases[] = {
    {"unix:/run/p/e.sock", "unix:/run/p/e.sock", "unix:/run/p/e.sock", true},
    {"unix:/run/p/e.sock", "unix:/run/p/e.sock", "local:/run/p/e.sock", true},
    {"unix:/run/p/e.sock", "unix:/run/p/e.sock", "unix:/run/p/e.sock2", false},
    {"unix:/run/p/e.sock", "unix:/run/p/e.sock", "inet:/run/p/e.sock", false},
    {"unix:/run/p/e.sock", "unix:/run/p/e.sock", "/run/p/e.sock", false},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "inet:127.0.0.1:8891", true},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "inet:[127.0.0.1]:8891", true},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "inet:LocalHost:8891", true},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "inet::8891", true},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "inet:8891", true},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "inet:[::1]:8891", false},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "inet:127.0.0.1:88911", false},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "inet:127.0.0.2:8891", false},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "unix:127.0.0.1:8891", false},
    {"inet:8891@127.0.0.1", "inet:127.0.0.1:8891", "", false},
    {"inet:8891@0.0.0.0", "inet:127.0.0.1:8891", "inet:localhost:8891", true},
    {"inet:8891@milter.example", "inet:milter.example:8891", "inet:Milter.example:8891", true},
    {"inet6:8891@::1", "inet:[::1]:8891", "inet:[ipv6:::1]:8891", true},
    {"inet6:8891@[::1]", "inet:[::1]:8891", "inet:localhost:8891", true},
    {"inet6:8891@::", "inet:[::1]:8891", "inet:127.0.0.1:8891", false},
    {"inet:8891", NULL, "", false},
    {"inet:8891@", NULL, "", false},
    {"unix:", NULL, "", false},
    {"tcp:8891@a", NULL, "", false},
};

static void test_sockets(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(socket_cases); i++) {
        const struct socket_case *c = &socket_cases[i];
        struct mainmaster_socket socket;
        bool ok = mainmaster_socket_parse(c->socket, &socket);
        if (ok != (c->text != NULL))
            fail_msg("%s: %d", c->socket, ok);
        if (!ok)
            continue;
        char *text = mainmaster_socket_text(&socket, "/var/spool/postfix/");
        if (strcmp(text, c->text) != 0)
            fail_msg("%s: \"%s\"", c->socket, text);
        if (mainmaster_socket_is(&socket, slice_of(c->endpoint), "/var/spool/postfix", false) !=
            c->is_it)
            fail_msg("%s: %s", c->socket, c->endpoint);
        free(text);
    }
}

struct chroot_case {
    const char *label;
    const char *master;
    bool by_default;
    unsigned places;
};

static const struct chroot_case chroot_cases[] = {
    {"nothing", "", true, 0},
    {"Debian's", "smtp inet n - y - - smtpd\ncleanup unix n - y - 0 cleanup\n", false,
     SMTPD | CLEANUP},
    {"Postfix's own", "smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n", true, 0},
    {"by default", "smtp inet n - - - - smtpd\ncleanup unix n - n - 0 cleanup", true, SMTPD},
    {"not by default", "smtp inet n - - - - smtpd\ncleanup unix n - y - 0 cleanup", false, CLEANUP},
    {"others", "smtp unix - - y - - smtp\nsmtp inet n - y - 1 postscreen\n#a inet n - y - - smtpd",
     true, 0},
    {"one of several", "smtp inet n - n - - smtpd\nsmtpd pass -\n - \n# c\n y - - smtpd\n", false,
     SMTPD},
    {"with a list of its own",
     "a inet n - y - - smtpd -v\n  -o smtpd_milters=$x\nb inet n - y - - smtpd -o b=c\n"
     "  -o { smtpd_milters = inet:b:1 }\n",
     false, 0},
    {"with another list", "a inet n - y - - smtpd -o non_smtpd_milters= -osmtpd_milters_x=\n",
     false, SMTPD},
    {"cut off", "a inet n - y - -\nsmtpd\n", true, 0},
};

static void test_chroots(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(chroot_cases); i++) {
        const struct chroot_case *c = &chroot_cases[i];
        unsigned places = mainmaster_chrooted(slice_of(c->master), c->by_default);
        if (places != c->places)
            fail_msg("%s: %u", c->label, places);
    }
}

/* --- master.cf --- */

static const char services[] =
    "postern-hold     unix -     n       n       -       20      pipe\n"
    "  -o pipe_delivery_status_filter=regexp:/var/lib/postern/tables/gate_filter.regexp\n"
    "  flags=q user=postern null_sender= argv=/usr/libexec/postern/postern-gate"
    " -c /etc/postern/postern.conf -s /var/lib/postern\n"
    "  hold ${queue_id} ${nexthop} ${sender} ${recipient}\n"
    "postern-expire   unix -     n       n       -       20      pipe\n"
    "  -o pipe_delivery_status_filter=regexp:/var/lib/postern/tables/gate_filter.regexp\n"
    "  flags=q user=postern null_sender= argv=/usr/libexec/postern/postern-gate"
    " -c /etc/postern/postern.conf -s /var/lib/postern\n"
    "  expire ${queue_id} ${nexthop} ${sender} ${recipient}\n";

struct master_case {
    const char *label;
    struct slice text;
    bool client; /* it has a service of which to make lanes */
};

static const struct master_case master_cases[] = {
    {"empty", TEXT(""), false},
    {"one service", TEXT("smtp      inet  n       -       y       -       -       smtpd\n"), false},
    {"no final newline", TEXT("smtp inet n - y - - smtpd\n  -o a=b"), false},
    {"CRLF", TEXT("smtp inet n - y - - smtpd\r\n"), false},
    {"ends in a comment", TEXT("smtp inet n - y - - smtpd\n#  -o a=b\n# the end"), false},
    {"a service of ours commented out", TEXT("#postern-hold unix - n n - - pipe\n"), false},
    {"a longer name", TEXT("postern-hold2 unix - n n - - pipe flags= user=x argv=/x\n"), false},
    {"a line that looks set aside", TEXT("#postern# smtp inet n - y - - smtpd\n"), false},
    {"a client", TEXT("smtp unix - - y - - smtp\n"), true},
    {"a client, no final newline", TEXT("smtp unix - - n - 20 smtp\n  -o a=b"), true},
    {"a client, CRLF", TEXT("smtp unix - - n - - smtp\r\n  -o a=b\r\n"), true},
    {"a client with comments inside",
     TEXT("smtp inet n - y - - smtpd\nsmtp\tunix\t-\t-\tn\n# why\n\n - - smtp -v\n#  -o b=c\n"
          "  -o a=b\nrelay unix - - n - - smtp\n"),
     true},
    {"lanes of other numbers",
     TEXT("smtp unix - - n - - smtp\npostern-rcpt7 unix - - n - - smtp\n"
          "postern-rcptx unix - - n - - smtp\n"),
     true},
    {"a longer name than the lane's",
     TEXT("smtp unix - - n - - smtp\npostern-probation2 unix - - n - - smtp\n"), true},
};

static void test_master_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(master_cases) / sizeof(master_cases[0]); i++) {
        const struct master_case *c = &master_cases[i];
        for (size_t w = 0; w < WANTS; w++)
            if (c->client || (wants[w]->lane_count == 0 && wants[w]->probation.processes == 0))
                check_promises(c->label, c->text, wants[w], mainmaster_apply_master,
                               mainmaster_remove_master);
        if (c->client)
            check_changes(c->label, c->text, mainmaster_apply_master);
    }
}

static void test_master_text(void **state)
{
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_master((struct slice)TEXT("smtp inet n - y - - smtpd\n"), &want, &edit);
    assert_int_equal(edit.result, MAINMASTER_CHANGED);
    assert_non_null(strstr(edit.bytes, services));
    mainmaster_edit_free(&edit);
}

/* Who follows contrib/postfix/README by hand has nothing left to do. */
static void test_master_by_hand(void **state)
{
    static const uint32_t five[] = {5};
    struct mainmaster_want w = want_limits;
    struct mainmaster_edit edit;
    char text[4096];
    (void)state;
    w.lanes = five;
    w.lane_count = 1;
    snprintf(text, sizeof(text),
             "smtp unix - - y - - smtp\n\t-o a=b\n%s"
             "postern-rcpt5 unix - - y - - smtp -o a=b\n# lane\n"
             "  -o syslog_name=postfix/postern-rcpt5\n",
             services);
    mainmaster_apply_master(slice_of(text), &w, &edit);
    if (edit.result != MAINMASTER_SAME)
        fail_msg("%s\n%s", edit.message, edit.bytes);
    mainmaster_edit_free(&edit);
}

/* --- Lanes: copies of the administrator's own service --- */

struct lane_case {
    const char *label;
    const char *client;
    uint32_t lane;
    const char *log_name;
    const char *service; /* what the block has to say */
};

static const struct lane_case lane_cases[] = {
    {"as Debian has it", "smtp      unix  -       -       y       -       -       smtp\n", 5,
     "postfix",
     "postern-rcpt5    unix -     -       y       -       -       smtp\n"
     "  -o syslog_name=postfix/postern-rcpt5\n"},
    {"every column", "smtp unix n y n 60? 7 smtp\n", 20, "postfix",
     "postern-rcpt20   unix n     y       n       60?     7       smtp\n"
     "  -o syslog_name=postfix/postern-rcpt20\n"},
    {"arguments and continuation lines",
     "smtp unix - - n - - smtp -v\n  -o smtp_helo_name=a -v\n# no\n  "
     "-osmtp_bind_address=192.0.2.1\n"
     "\t-o\n\t{ smtp_tls_policy_maps = inline:{ {a = b  c} } } #x\n",
     5, "postfix",
     "postern-rcpt5    unix -     -       n       -       -       smtp -v\n"
     "  -o smtp_helo_name=a -v\n  -o smtp_bind_address=192.0.2.1\n"
     "  -o { smtp_tls_policy_maps = inline:{ {a = b  c} } } #x\n"
     "  -o syslog_name=postfix/postern-rcpt5\n"},
    {"the last of several counts, as in Postfix",
     "smtp unix - - y - - smtp\nsmtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n", 5,
     "postfix",
     "postern-rcpt5    unix -     -       n       -       -       smtp\n"
     "  -o syslog_name=postfix/postern-rcpt5\n"},
    {"processes for 1", "smtp unix - - n - - smtp\n", 1, "postfix",
     "postern-rcpt1    unix -     -       n       -       5       smtp\n"
     "  -o syslog_name=postfix/postern-rcpt1\n"},
    {"processes for 1, no limit for smtp", "smtp unix - - n - 0 smtp\n", 1, "postfix",
     "postern-rcpt1    unix -     -       n       -       5       smtp\n"
     "  -o syslog_name=postfix/postern-rcpt1\n"},
    {"processes for 1, fewer for smtp", "smtp unix - - n - 3 smtp\n", 1, "postfix",
     "postern-rcpt1    unix -     -       n       -       3       smtp\n"
     "  -o syslog_name=postfix/postern-rcpt1\n"},
    {"processes for 2", "smtp unix - - n - 200 smtp\n", 2, "postfix",
     "postern-rcpt2    unix -     -       n       -       10      smtp\n"
     "  -o syslog_name=postfix/postern-rcpt2\n"},
    {"a name for the log in main.cf", "smtp unix - - n - - smtp\n", 5, "postfix-out/",
     "postern-rcpt5    unix -     -       n       -       -       smtp\n"
     "  -o syslog_name=postfix-out/postern-rcpt5\n"},
    {"a name for the log", "smtp unix - - n - - smtp -o syslog_name=out -o a=b\n", 5, "postfix",
     "postern-rcpt5    unix -     -       n       -       -       smtp\n"
     "  -o a=b\n  -o syslog_name=out/postern-rcpt5\n"},
    {"a name for the log, in braces", "smtp unix - - n - - smtp -o { syslog_name = out }\n", 5,
     "postfix",
     "postern-rcpt5    unix -     -       n       -       -       smtp\n"
     "  -o syslog_name=out/postern-rcpt5\n"},
    {"a name for the log, joined", "smtp unix - - n - - smtp -osyslog_name=a -osyslog_names=b\n", 5,
     "postfix",
     "postern-rcpt5    unix -     -       n       -       -       smtp\n"
     "  -o syslog_names=b\n  -o syslog_name=a/postern-rcpt5\n"},
    {"a name for the log that is the lane's own",
     "smtp unix - - n - - smtp -o syslog_name=out/$service_name\n", 5, "postfix",
     "postern-rcpt5    unix -     -       n       -       -       smtp\n"
     "  -o syslog_name=out/$service_name\n"},
    {"the same, the other way", "smtp unix - - n - - smtp -o syslog_name=${service_name}/x\n", 5,
     "postfix",
     "postern-rcpt5    unix -     -       n       -       -       smtp\n"
     "  -o syslog_name=${service_name}/x\n"},
    {"a name for the log with a condition",
     "smtp unix - - n - - smtp -o { syslog_name = ${a ? {$a} : {b}} }\n", 5, "postfix",
     "postern-rcpt5    unix -     -       n       -       -       smtp\n"
     "  -o { syslog_name=${a ? {$a} : {b}}/postern-rcpt5 }\n"},
};

static void test_lanes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lane_cases) / sizeof(lane_cases[0]); i++) {
        const struct lane_case *c = &lane_cases[i];
        struct mainmaster_want w = want_limits;
        struct mainmaster_edit edit;
        w.lanes = &c->lane;
        w.lane_count = 1;
        w.log_name = c->log_name;
        mainmaster_apply_master(slice_of(c->client), &w, &edit);
        const char *at = edit.bytes != NULL ? strstr(edit.bytes, "\npostern-rcpt") : NULL;
        char *expected = NULL;
        assert_true(asprintf(&expected, "\n%s# END postern\n", c->service) > 0);
        if (at == NULL || strcmp(at, expected) != 0)
            fail_msg("%s: %s\n%s", c->label, edit.message, edit.bytes);
        free(expected);
        mainmaster_edit_free(&edit);
        check_promises(c->label, slice_of(c->client), &w, mainmaster_apply_master,
                       mainmaster_remove_master);
    }
}

/* As many processes as are set, whatever smtp has; behind the other lanes. */
static void test_probation_service(void **state)
{
    static const char *const cases[][2] = {
        {"smtp unix - - y - 7 smtp -v\n -o syslog_name=out -o a=b\n",
         "postern-probation unix -     -       y       -       250     smtp -v\n"
         "  -o a=b\n  -o syslog_name=out/postern-probation\n"},
        {"smtp unix n y n 60? - smtp\n",
         "postern-probation unix n     y       n       60?     250     smtp\n"
         "  -o syslog_name=postfix/postern-probation\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mainmaster_edit edit;
        mainmaster_apply_master(slice_of(cases[i][0]), &want_suspect, &edit);
        const char *at = strstr(edit.bytes, "\npostern-probation");
        assert_true(at != NULL && strstr(at, "postern-rcpt") == NULL);
        assert_memory_equal(at + 1, cases[i][1], strlen(cases[i][1]));
        assert_string_equal(at + 1 + strlen(cases[i][1]), "# END postern\n");
        mainmaster_edit_free(&edit);
        check_promises(cases[i][0], slice_of(cases[i][0]), &want_proven, mainmaster_apply_master,
                       mainmaster_remove_master);
    }
}

/* The lanes follow a change of the service they are copied from. */
static void test_client_changed(void **state)
{
    struct mainmaster_edit first, second, direct;
    (void)state;
    mainmaster_apply_master((struct slice)TEXT("smtp unix - - y - - smtp\n"), &want_limits, &first);
    char *edited = replace(first.bytes, "smtp unix - - y", "smtp unix - - n");
    mainmaster_apply_master(slice_of(edited), &want_limits, &second);
    mainmaster_apply_master((struct slice)TEXT("smtp unix - - n - - smtp\n"), &want_limits,
                            &direct);
    assert_int_equal(second.result, MAINMASTER_CHANGED);
    assert_string_equal(second.bytes, direct.bytes);
    mainmaster_edit_free(&first);
    mainmaster_edit_free(&second);
    mainmaster_edit_free(&direct);
    free(edited);
}

/* --- Conflicts: said, with the line, and nothing changed --- */

struct conflict_case {
    const char *label;
    mainmaster_function *edit;
    struct slice text;
    size_t line;
    const char *message;
};

static const struct conflict_case conflict_cases[] = {
    {"a limit of another value", mainmaster_apply_main,
     TEXT("a = 1\npostern-hold_destination_recipient_limit = 5\n"), 2, "Postern needs 1"},
    {"the other limit", mainmaster_apply_main,
     TEXT("postern-expire_destination_recipient_limit = $x\n"), 1, "Postern needs 1"},
    {"a service that is not ours", mainmaster_apply_master,
     TEXT("# comment\nsmtp unix - - y - - smtp\n\npostern-hold unix - n n - - pipe\n"
          "  flags= user=nobody argv=/bin/false\n"),
     4, "a service of this name"},
    {"the other service", mainmaster_apply_master,
     TEXT("postern-expire unix - - n - - smtp\nsmtp unix - - y - - smtp\n"), 1,
     "a service of this name"},
    {"begin without end", mainmaster_remove_main, TEXT("a = 1\n# BEGIN postern\nb = 1\n"), 2,
     "without an \"# END postern\""},
    {"begin twice", mainmaster_apply_main,
     TEXT("# BEGIN postern\nb = 1\n# BEGIN postern\n# END postern\n"), 3, "a second"},
    {"end without begin", mainmaster_apply_master, TEXT("a unix - - n - - smtp\n# END postern\n"),
     2, "without a \"# BEGIN postern\""},
    {"half of what was set aside", mainmaster_remove_main,
     TEXT("mydestination = a\n#postern#   hash:/b\n"), 2, "belongs to"},
    {"set aside, but not transport_maps", mainmaster_remove_main, TEXT("#postern# a = b\n"), 1,
     "belongs to"},
    {"a continuation behind what was set aside", mainmaster_remove_main,
     TEXT("mydestination = a\n#postern# transport_maps = hash:/x\n  b\n"), 3, "become a part"},
    {"half of a filter that was set aside", mainmaster_remove_main,
     TEXT("#postern# smtp_delivery_status_filter = a\nb = c\n#postern#   d\n"), 3, "belongs to"},
    {"a lane's limit of another value", mainmaster_apply_main,
     TEXT("a = 1\n\npostern-rcpt5_destination_recipient_limit =\n  6\n"), 3, "Postern needs 5"},
    {"a lane that is not ours", mainmaster_apply_master,
     TEXT("smtp unix - - n - - smtp\npostern-rcpt5 unix - - n - - smtp\n"), 2,
     "a service of this name"},
    {"a lane that is not as smtp is", mainmaster_apply_master,
     TEXT("smtp unix - - n - - smtp -v\npostern-rcpt5 unix - - n - - smtp\n"
          "  -o syslog_name=postfix/postern-rcpt5\n"),
     2, "a service of this name"},
    {"nothing to make lanes of", mainmaster_apply_master,
     TEXT("smtp inet n - n - - smtpd\nrelay unix - - n - - smtp\n#smtp unix - - n - - smtp\n"), 0,
     "there is no service \"smtp unix\""},
    {"another program under the name", mainmaster_apply_master,
     TEXT("a unix - - n - - smtp\nsmtp unix - n n - - pipe\n  flags= user=x argv=/x\n"), 2,
     "runs \"pipe\""},
    {"half of a list of milters that was set aside", mainmaster_remove_main,
     TEXT("#postern# smtpd_milters = a\nb = c\n#postern#   d\n"), 3, "belongs to"},
    {"a service cut off", mainmaster_apply_master, TEXT("smtp unix - - n\n"), 1, "runs \"\""},
};

static void test_conflicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(conflict_cases) / sizeof(conflict_cases[0]); i++) {
        const struct conflict_case *c = &conflict_cases[i];
        struct mainmaster_edit edit;
        c->edit(c->text, &want_limits, &edit);
        if (edit.result != MAINMASTER_CONFLICT || edit.line != c->line || edit.bytes != NULL ||
            strstr(edit.message, c->message) == NULL)
            fail_msg("%s: result %d, line %zu, \"%s\"", c->label, edit.result, edit.line,
                     edit.message);
        mainmaster_edit_free(&edit);
    }
}

/* The same with postern-probation. */
static void test_probation_conflicts(void **state)
{
    static const struct conflict_case cases[] = {
        {"half of a default that was set aside", mainmaster_remove_main,
         TEXT("#postern# default_transport =\nb = c\n#postern#   smtp\n"), 3, "belongs to"},
        {"a service that is not ours", mainmaster_apply_master,
         TEXT("smtp unix - - n - - smtp\npostern-probation unix - - n - 99 smtp\n"
              "  -o syslog_name=postfix/postern-probation\n"),
         2, "a service of this name"},
        {"nothing to make it of", mainmaster_apply_master, TEXT("smtp inet n - n - - smtpd\n"), 0,
         "(postern-probation); add one (master(5)), or set lanes = \"off\""},
        {"another program under the name", mainmaster_apply_master,
         TEXT("smtp unix - n n - - lmtp\n"), 1, "(postern-probation) of one that runs smtp(8)"},
    };
    struct mainmaster_edit edit;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct conflict_case *c = &cases[i];
        c->edit(c->text, &want_proven, &edit);
        if (edit.result != MAINMASTER_CONFLICT || edit.line != c->line ||
            strstr(edit.message, c->message) == NULL)
            fail_msg("%s: result %d, line %zu, \"%s\"", c->label, edit.result, edit.line,
                     edit.message);
        mainmaster_edit_free(&edit);
    }
    mainmaster_apply_master((struct slice)TEXT(""), &want_suspect, &edit);
    assert_non_null(strstr(edit.message, "(postern-rcptN, postern-probation); add one"));
    assert_non_null(strstr(edit.message, "recipient_limits.outbound = false and lanes = \"off\""));
    mainmaster_edit_free(&edit);
}

/* The same with milters. */
static void test_milter_conflicts(void **state)
{
    struct mainmaster_want odd = want_milters;
    struct mainmaster_edit edit;
    (void)state;
    mainmaster_apply_main((struct slice)TEXT("a = 1\nsmtpd_milters = {inet:a:1, { b = c }\n"),
                          &want_rcptlimit, &edit);
    assert_int_equal(edit.result, MAINMASTER_CONFLICT);
    assert_int_equal(edit.line, 2);
    assert_non_null(strstr(edit.message, "without a \"}\""));
    mainmaster_edit_free(&edit);
    odd.milters.sockets[MAINMASTER_EARLYNDR] = "unix:/run/{a}";
    mainmaster_apply_main((struct slice)TEXT(""), &odd, &edit);
    assert_int_equal(edit.result, MAINMASTER_CONFLICT);
    assert_non_null(strstr(edit.message, "unix:/run/{a}"));
    mainmaster_edit_free(&edit);
}

struct plain_case {
    const char *label;
    const char *text;
    bool plain;
};

static const struct plain_case plain_cases[] = {
    {"a path", "/etc/postern/postern.conf", true},
    {"other characters", "/srv/a_b-c+d@e=f~g:h%i.1", true},
    {"empty", "", false},
    {"space", "/etc/my conf", false},
    {"dollar", "/etc/$x", false},
    {"brace", "/etc/{x", false},
    {"comma", "/etc/a,b", false},
    {"newline", "/etc/a\nb", false},
    {"not ASCII", "/etc/caf\xc3\xa9", false},
};

static void test_plain_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plain_cases) / sizeof(plain_cases[0]); i++) {
        struct mainmaster_want odd = want;
        struct mainmaster_edit edit;
        odd.config = plain_cases[i].text;
        mainmaster_apply_master((struct slice)TEXT(""), &odd, &edit);
        if (mainmaster_is_plain(odd.config) != plain_cases[i].plain ||
            (edit.result == MAINMASTER_CONFLICT) == plain_cases[i].plain)
            fail_msg("%s: result %d, \"%s\"", plain_cases[i].label, edit.result, edit.message);
        mainmaster_edit_free(&edit);
    }
}

/* --- Random files --- */

enum { RANDOM_FILES = 5000, RANDOM_MAX = 8192 };

/* xorshift64: the same files on every machine. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static const struct slice pieces[] = {
    TEXT("transport_maps"),
    TEXT(" = "),
    TEXT("="),
    TEXT("hash:/x"),
    TEXT(", "),
    TEXT("\n"),
    TEXT("\n"),
    TEXT("\n"),
    TEXT("\n  "),
    TEXT("\n\t"),
    TEXT("\r\n"),
    TEXT("# comment"),
    TEXT("\n#"),
    TEXT("biff = no"),
    TEXT("\0"),
    TEXT("\f"),
    TEXT("\n\ntransport_maps = lmdb:/y"),
    TEXT(OURS),
    TEXT(" "),
    TEXT("\npostern-hold unix"),
    TEXT("\r"),
    TEXT("\xff"),
    TEXT("\npostern-hold_destination_recipient_limit = 1"),
    TEXT("\ntransport_maps = "),
    TEXT("\nsmtp inet n - y - - smtpd"),
    TEXT("\n# END"),
    TEXT("#postern"),
    TEXT("\nsmtp unix - - n - - smtp"),
    TEXT("\nsmtp unix - - n - 2 smtp -o syslog_name=a"),
    TEXT(" -o {"),
    TEXT("}"),
    TEXT("\nsmtp_delivery_status_filter = "),
    TEXT(OUR_STATUS),
    TEXT("pcre:/x"),
    TEXT("\npostern-rcpt5_destination_recipient_limit = 5"),
    TEXT("\nsmtp_destination_concurrency_limit = 3"),
    TEXT("\npostern-rcpt5_transport_rate_delay = 3"),
    TEXT("\nsmtpd_milters = "),
    TEXT("\nnon_smtpd_milters="),
    TEXT("$smtpd_milters"),
    TEXT("${non_smtpd_milters"),
    TEXT("inet:a:1"),
    TEXT("inet:localhost:8891"),
    TEXT("{ unix:/b, default_action=accept }"),
    TEXT("inet:localhost:8894"),
    TEXT(RCPTLIMIT),
    TEXT(RETRYCAP),
    TEXT(EARLYNDR),
    TEXT("\ninternal_mail_filter_classes = notify "),
    TEXT("bounce"),
    TEXT("\ndefault_transport = smtp:"),
    TEXT("\ndefault_transport = smtp"),
    TEXT("postern-probation"),
    TEXT("\npostern-probation_delivery_slot_cost = 3"),
    TEXT("smtp"),
};

/* Fills `bytes` with pieces, and `mark` on a line of its own somewhere between them. */
static size_t random_file(uint64_t *seed, char *bytes, const char *mark)
{
    size_t len = 0;
    size_t count = next_random(seed) % 40;
    size_t mark_at = next_random(seed) % (count + 1);
    for (size_t i = 0; i <= count; i++) {
        struct slice piece = pieces[next_random(seed) % (sizeof(pieces) / sizeof(pieces[0]))];
        memcpy(bytes + len, piece.at, piece.len);
        len += piece.len;
        if (i == mark_at)
            len += (size_t)sprintf(bytes + len, "\n%s\n", mark);
    }
    return len;
}

/* Puts `to`, which is as long, in the place of `from`. */
static void substitute(char *bytes, size_t len, const char *from, const char *to)
{
    char *at = memmem(bytes, len, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(to));
}

/* remove(apply(x) edited elsewhere) is x edited in the same way. Returns 1 unless in conflict. */
static int check_random(char *bytes, size_t len, const struct mainmaster_want *w,
                        mainmaster_function *apply, mainmaster_function *remove)
{
    struct mainmaster_edit applied, removed;
    struct slice text = {bytes, len};
    apply(text, w, &applied);
    if (applied.result == MAINMASTER_CONFLICT)
        return 0;
    check_promises("random", text, w, apply, remove);
    substitute(applied.bytes, applied.len, "edit_this = 1", "was_edited =2");
    substitute(bytes, len, "edit_this = 1", "was_edited =2");
    remove(bytes_of(&applied), w, &removed);
    if (!same(bytes_of(&removed), text))
        fail_msg("edited:\n%.*s\nremoved: %s\n%.*s", (int)len, bytes, removed.message,
                 (int)removed.len, removed.bytes);
    mainmaster_edit_free(&removed);
    mainmaster_edit_free(&applied);
    return 1;
}

/* True when `after` begins with what `before` says; all kinds of space are one to Postfix. */
static bool has_list(const char *after, const char *before)
{
    before += strspn(before, ", \t\r\n\v\f");
    for (; before[strspn(before, ", \t\r\n\v\f")] != '\0'; before++, after++)
        if (*before != *after && !(*after == ' ' && *before > '\0' && *before < ' '))
            return false;
    return true;
}

/* Whatever a list was, it is that and ours before or behind it, unless it had ours already. */
static void check_random_list(struct slice text, const struct mainmaster_want *w, const char *name,
                              const char *ours, bool first)
{
    char before[RANDOM_MAX] = "", after[RANDOM_MAX] = "";
    struct mainmaster_edit edit;
    mainmaster_apply_main(text, w, &edit);
    if (!postfix_value(text, name, before, sizeof(before)) && !first)
        snprintf(before, sizeof(before), INHERITED);
    assert_true(postfix_value(bytes_of(&edit), name, after, sizeof(after)));
    size_t len = strlen(after), ours_len = strlen(ours);
    if (strstr(before, ours) == NULL) {
        assert_true(len >= ours_len);
        assert_memory_equal(first ? after : after + len - ours_len, ours, ours_len);
        if (!has_list(first && len > ours_len ? after + ours_len + 2 : after, before))
            fail_msg("%s: before \"%s\"\nafter \"%s\"", name, before, after);
    }
    mainmaster_edit_free(&edit);
}

static void test_random_files(void **state)
{
    char bytes[RANDOM_MAX], copy[RANDOM_MAX];
    uint64_t seed = 0x706f737465726e;
    int checked_main = 0, checked_master = 0;
    (void)state;
    for (int i = 0; i < RANDOM_FILES; i++) {
        const struct mainmaster_want *w = wants[i % WANTS];
        size_t len = random_file(&seed, bytes, "edit_this = 1");
        memcpy(copy, bytes, len);
        if (check_random(copy, len, w, mainmaster_apply_main, mainmaster_remove_main)) {
            struct slice text = {bytes, len};
            checked_main++;
            check_random_list(text, w, "transport_maps", OURS, true);
            if (w->status_filter != NULL)
                check_random_list(text, w, "smtp_delivery_status_filter", OUR_STATUS, false);
        }
        memcpy(copy, bytes, len);
        checked_master +=
            check_random(copy, len, w, mainmaster_apply_master, mainmaster_remove_master);
    }
    /* The others are conflicts, also for want of a client. */
    assert_true(checked_main > RANDOM_FILES / 2 && checked_master > RANDOM_FILES / 3);
}

/* Files with our marks in odd places: a result, or a conflict that says where. */
static void test_random_damage(void **state)
{
    static const char *const marks[] = {"# BEGIN postern", "# END postern",
                                        "#postern# transport_maps = a", "#postern#   b",
                                        "# BEGIN postern (the line before this had no newline)"};
    char bytes[RANDOM_MAX];
    uint64_t seed = 0x64616d616765;
    int conflicts = 0;
    (void)state;
    for (int i = 0; i < RANDOM_FILES; i++) {
        struct mainmaster_edit edit;
        size_t len = random_file(&seed, bytes, marks[next_random(&seed) % 5]);
        len += random_file(&seed, bytes + len, marks[next_random(&seed) % 5]);
        mainmaster_remove_main((struct slice){bytes, len}, &want, &edit);
        if (edit.result == MAINMASTER_CONFLICT) {
            assert_null(edit.bytes);
            assert_true(edit.line > 0);
            conflicts++;
        } else {
            assert_int_equal(edit.result, MAINMASTER_CHANGED);
            assert_non_null(edit.bytes);
        }
        mainmaster_edit_free(&edit);
    }
    assert_uint_in_range(conflicts, RANDOM_FILES / 10, RANDOM_FILES - RANDOM_FILES / 10);
}

/* Limits at our own door: Postfix would end the connection before the client's mail was taken. */
static void test_door(void **state)
{
    static const struct {
        const char *label;
        const char *before;
        const char *hard;
        const char *soft;
    } cases[] = {
        {"nothing set", "", "\nsmtpd_hard_error_limit = 1000\n",
         "\nsmtpd_soft_error_limit = 1000\n"},
        {"set by the administrator", "smtpd_hard_error_limit = 7\n", "smtpd_hard_error_limit = 7\n",
         "\nsmtpd_soft_error_limit = 1000\n"},
    };
    struct mainmaster_want door = want;

    (void)state;
    door.inbound = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mainmaster_edit edit, back;
        mainmaster_apply_main(slice_of(cases[i].before), &door, &edit);
        assert_int_equal(edit.result, MAINMASTER_CHANGED);
        if (strstr(edit.bytes, cases[i].hard) == NULL || strstr(edit.bytes, cases[i].soft) == NULL)
            fail_msg("%s: %s", cases[i].label, edit.bytes);
        mainmaster_remove_main(bytes_of(&edit), &door, &back);
        assert_int_equal(back.len, strlen(cases[i].before));
        assert_memory_equal(back.bytes, cases[i].before, back.len);
        mainmaster_edit_free(&edit);
        mainmaster_edit_free(&back);
    }
}

/* Other milters refuse recipients, too; nothing is changed for one that is not connected. */
static void test_door_of_milters(void **state)
{
    static const struct {
        const char *label;
        const char *before;
        const struct mainmaster_want *want;
        bool running;
        bool refuses; /* postern-retrycap */
        bool raised;
    } cases[] = {
        {"postern-earlyndr", "", &want_earlyndr, true, false, true},
        {"postern-earlyndr, stopped", "", &want_earlyndr, false, false, false},
        {"postern-retrycap", "", &want_retrycap, true, true, true},
        {"postern-retrycap by hand", "smtpd_milters = inet:127.0.0.1:8894\n", &want_retrycap, true,
         true, true},
        {"postern-retrycap, stopped", "", &want_retrycap, false, true, false},
        {"postern-retrycap warns only", "", &want_retrycap, true, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mainmaster_want door = *cases[i].want;
        struct mainmaster_edit edit;

        for (size_t n = 0; n < MAINMASTER_MILTERS; n++)
            door.milters.running[n] = cases[i].running;
        door.milters.retrycap_refuses = cases[i].refuses;
        mainmaster_apply_main(slice_of(cases[i].before), &door, &edit);
        if ((strstr(edit.bytes, "\nsmtpd_hard_error_limit = 1000\n") != NULL) != cases[i].raised)
            fail_msg("%s: %s", cases[i].label, edit.bytes);
        mainmaster_edit_free(&edit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_door),
        cmocka_unit_test(test_door_of_milters),
        cmocka_unit_test(test_main_shapes),
        cmocka_unit_test(test_main_text),
        cmocka_unit_test(test_crlf_stays_crlf),
        cmocka_unit_test(test_edited_between),
        cmocka_unit_test(test_behind_others),
        cmocka_unit_test(test_settings_changed),
        cmocka_unit_test(test_master_shapes),
        cmocka_unit_test(test_master_text),
        cmocka_unit_test(test_master_by_hand),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_plain_names),
        cmocka_unit_test(test_random_files),
        cmocka_unit_test(test_random_damage),
        cmocka_unit_test(test_limits_text),
        cmocka_unit_test(test_lanes),
        cmocka_unit_test(test_both_lists_edited),
        cmocka_unit_test(test_client_changed),
        cmocka_unit_test(test_milters),
        cmocka_unit_test(test_when_down_changed),
        cmocka_unit_test(test_milters_text),
        cmocka_unit_test(test_milters_edited),
        cmocka_unit_test(test_milter_conflicts),
        cmocka_unit_test(test_connecting),
        cmocka_unit_test(test_inside),
        cmocka_unit_test(test_inside_by_hand),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_tangled),
        cmocka_unit_test(test_limits_of_other_mail),
        cmocka_unit_test(test_sockets),
        cmocka_unit_test(test_chroots),
        cmocka_unit_test(test_default_transport),
        cmocka_unit_test(test_default_untouched),
        cmocka_unit_test(test_probation_text),
        cmocka_unit_test(test_default_edited),
        cmocka_unit_test(test_default_behind_block),
        cmocka_unit_test(test_stranded),
        cmocka_unit_test(test_probation_service),
        cmocka_unit_test(test_probation_conflicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
