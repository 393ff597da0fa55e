/* Where Postfix sends mail, and whether a lane may: with a Postfix of the test's own making. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "postfix.h"

/* In the place of postfix.c, which asks postconf(1). */
struct postfix {
    const char *transport;
    const char *relayhosts;
    const char *transports;
    const char *deferred;
    const char *maps;
    const char *filters;
    const char *milters;
    const char *services;
};

const char *postfix_default_transport(const struct postfix *postfix)
{
    return postfix->transport;
}

const char *postfix_sender_relayhosts(const struct postfix *postfix)
{
    return postfix->relayhosts;
}

const char *postfix_sender_transports(const struct postfix *postfix)
{
    return postfix->transports;
}

const char *postfix_defer_transports(const struct postfix *postfix)
{
    return postfix->deferred;
}

const char *postfix_transport_maps(const struct postfix *postfix)
{
    return postfix->maps;
}

const char *postfix_internal_filters(const struct postfix *postfix)
{
    return postfix->filters;
}

const char *postfix_non_smtpd_milters(const struct postfix *postfix)
{
    return postfix->milters;
}

const char *postfix_services(const struct postfix *postfix)
{
    return postfix->services;
}

struct lanes_case {
    const char *label;
    struct postfix postfix;
    const char *why; /* part of the reason against; NULL: none */
};

static const struct lanes_case lanes_cases[] = {
    {"as it comes", {"smtp", "", "", "", "", "", "", ""}, NULL},
    {"a next hop in default_transport", {"smtp:[gw.example]:26", "", "", "", "", "", "", ""}, NULL},
    {"another transport", {"smtp2", "", "", "", "", "", "", ""}, "default_transport is smtp2"},
    {"part of the name", {"smt", "", "", "", "", "", "", ""}, "default_transport is smt,"},
    {"another transport with a next hop",
     {"relay:smtp", "", "", "", "", "", "", ""},
     "is relay:smtp"},
    {"relay hosts by sender",
     {"smtp", "hash:/x", "", "", "", "", "", ""},
     "sender_dependent_relayhost_maps is set"},
    {"transports by sender",
     {"smtp", "", "hash:/x", "", "", "", "", ""},
     "sender_dependent_default_transport_maps is set"},
    {"smtp waits",
     {"smtp", "", "", "uucp, smtp", "", "", "", ""},
     "defer_transports has smtp wait"},
    {"postern-probation", {"postern-probation", "", "", "", "", "", "", ""}, NULL},
    {"postern-probation and a next hop",
     {"postern-probation:[gw]:26", "", "", "", "", "", "", ""},
     NULL},
    {"a longer name", {"postern-probation2", "", "", "", "", "", "", ""}, "is postern-probation2"},
    {"part of that name",
     {"postern-prob:smtp", "", "", "", "", "", "", ""},
     "is postern-prob:smtp"},
    {"postern-probation, and relay hosts by sender",
     {"postern-probation", "hash:/x", "", "", "", "", "", ""},
     "sender_dependent_relayhost_maps is set"},
    {"smtp waits, and is not the default",
     {"postern-probation", "", "", "smtp", "", "", "", ""},
     "defer_transports has smtp wait"},
    {"postern-probation waits",
     {"postern-probation", "", "", "uucp postern-probation", "", "", "", ""},
     "defer_transports has postern-probation wait"},
    {"others wait", {"smtp", "", "", "smtps uucp", "", "", "", ""}, NULL},
};

static void test_lanes_possible(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lanes_cases) / sizeof(lanes_cases[0]); i++) {
        const struct lanes_case *c = &lanes_cases[i];
        char why[256] = "";
        bool possible = postfix_lanes_possible(&c->postfix, why, sizeof(why));
        if (possible != (c->why == NULL) || (c->why != NULL && strstr(why, c->why) == NULL))
            fail_msg("%s: %d \"%s\"", c->label, possible, why);
    }
}

/* A reason that does not fit is cut, not lost, and goes no further than its room. */
static void test_reason_cut(void **state)
{
    const struct postfix postfix = {"smtp", "hash:/x", "", "", "", "", "", ""};
    char why[8] = "xxxxxxx";
    (void)state;
    assert_false(postfix_lanes_possible(&postfix, why, 4));
    assert_memory_equal(why, "sen\0xxx", 8);
}

static void test_default_is_probation(void **state)
{
    static const struct {
        const char *transport;
        bool is_it;
    } cases[] = {{"postern-probation", true},
                 {"postern-probation:[gw]", true},
                 {"postern-probation:", true},
                 {"smtp", false},
                 {"smtp:postern-probation", false},
                 {"postern-probation2", false},
                 {"", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct postfix postfix = {.transport = cases[i].transport};
        if (postfix_default_is_probation(&postfix) != cases[i].is_it)
            fail_msg("%s", cases[i].transport);
    }
}

/* As `postconf -M` writes them. */
#define SERVICES                                                                                   \
    "smtp       inet  n       -       y       -       -       smtpd\n"                             \
    "cleanup    unix  n       -       y       -       0       cleanup\n"                           \
    "qmgr       unix  n       -       n       300     1       qmgr -o a=postern-probation\n"       \
    "postern-probation2 unix - - n - 250 smtp -o syslog_name=postfix/postern-probation\n"

static void test_has_service(void **state)
{
    static const struct {
        const char *label;
        const char *services;
        const char *name;
        bool has;
    } cases[] = {
        {"no answer", "", "smtp", false},
        {"among others", SERVICES, "cleanup", true},
        {"of another type", SERVICES, "smtp", false},
        {"not there, but named", SERVICES, "postern-probation", false},
        {"there, at the end", SERVICES "postern-probation unix - - n - 250 smtp",
         "postern-probation", true},
        {"there, at the beginning", "postern-probation\tunix\t-\n" SERVICES, "postern-probation",
         true},
        {"a type that only begins so", "postern-probation unix-dgram -\n", "postern-probation",
         false},
        {"nothing behind the type", "a unix", "a", true},
        {"nothing behind the name", "a\nunix\n", "a", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct postfix postfix = {.services = cases[i].services};
        if (postfix_has_service(&postfix, cases[i].name) != cases[i].has)
            fail_msg("%s", cases[i].label);
    }
}

#define OURS "lmdb:/var/lib/postern/tables/transport"

struct maps_case {
    const char *label;
    const char *maps;
    const char *state_directory;
    const char *others; /* one a line */
};

static const struct maps_case maps_cases[] = {
    {"none", "", "/var/lib/postern", ""},
    {"ours alone", OURS, "/var/lib/postern", ""},
    {"ours first", OURS ", hash:/a", "/var/lib/postern", "hash:/a\n"},
    {"ours between, with a slash", "hash:/a " OURS ",hash:/b", "/var/lib/postern//",
     "hash:/a\nhash:/b\n"},
    {"ours through proxymap", "proxy:" OURS " proxy:hash:/a", "/var/lib/postern",
     "proxy:hash:/a\n"},
    {"another state directory", OURS, "/var/lib/poster", OURS "\n"},
    {"longer than ours", OURS ".old", "/var/lib/postern", OURS ".old\n"},
    {"of another type", "hash:/var/lib/postern/tables/transport", "/var/lib/postern",
     "hash:/var/lib/postern/tables/transport\n"},
    {"braces", "inline:{ {a.example = smtp:[b]}, c = d }, hash:/a", "/var/lib/postern",
     "inline:{ {a.example = smtp:[b]}, c = d }\nhash:/a\n"},
    {"braces that do not match", "hash:/a} {hash:/b, c", "/var/lib/postern",
     "hash:/a}\n{hash:/b, c\n"},
    {"the shortest names", "a,b,c", "/var/lib/postern", "a\nb\nc\n"},
};

static void test_other_maps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(maps_cases) / sizeof(maps_cases[0]); i++) {
        const struct maps_case *c = &maps_cases[i];
        const struct postfix postfix = {.maps = c->maps};
        char *others = postfix_other_transport_maps(&postfix, c->state_directory);
        assert_non_null(others);
        if (strcmp(others, c->others) != 0)
            fail_msg("%s:\n%s", c->label, others);
        free(others);
    }
}

#define SMTP "smtp unix - - y - - smtp\n"

static void test_logs_as_smtp(void **state)
{
    static const struct {
        const char *label;
        const char *services;
        const char *transport;
        bool as_smtp;
    } cases[] = {
        {"no answer", "", "smtp", false},
        {"smtp itself", SMTP, "smtp", true},
        {"with a next hop", SMTP, "smtp:[gw.example]:25", true},
        {"with a tag", SMTP "relay unix - - n - - smtp -o syslog_name=postfix/$service_name\n",
         "relay", false},
        {"without a tag", SMTP "relay unix - - n - - smtp -o smtp_helo_timeout=5\n" SMTP,
         "relay:[gw.example]", true},
        {"the tag is another's",
         "relay unix - - n - - smtp\nslow unix - - n - 5 smtp -o syslog_name=slow\n", "relay",
         true},
        {"lmtp", "lmtp unix - - y - - lmtp\n", "lmtp:unix:private/dovecot-lmtp", false},
        {"pipe", "dovecot unix - n n - - pipe user=vmail argv=smtp\n", "dovecot", false},
        {"cut off", "relay unix - - n\nsmtp", "relay", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct postfix postfix = {.services = cases[i].services};
        if (postfix_logs_as_smtp(&postfix, cases[i].transport) != cases[i].as_smtp)
            fail_msg("%s", cases[i].label);
    }
}

static void test_smtp_tag(void **state)
{
    static const struct {
        const char *services;
        const char *tag;
    } cases[] = {
        {"", "smtp"},
        {SMTP, "smtp"},
        {"smtp unix - - y - - smtp -o syslog_name=postfix/out -o smtp_helo_timeout=5\n", "out"},
        {"smtp unix - - y - - smtp -o syslog_name=postfix-out\n", "smtp"},
        {"smtp unix - - y - - smtp -o syslog_name=postfix/$service_name\n", "smtp"},
        {"smtp unix - - y - - smtp -o syslog_name=postfix/", "smtp"},
        {SMTP "relay unix - - y - - smtp -o syslog_name=postfix/out\n", "smtp"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct postfix postfix = {.services = cases[i].services};
        char tag[64];
        postfix_smtp_tag(&postfix, tag, sizeof(tag));
        assert_string_equal(tag, cases[i].tag);
    }
}

struct filtered_case {
    const char *label;
    const char *filters;
    const char *milters;
    const char *why; /* part of the reason against; NULL: none */
};

static const struct filtered_case filtered_cases[] = {
    {"as it comes", "", "", "does not have \"bounce\""},
    {"the milter alone", "", "unix:/x", "does not have \"bounce\""},
    {"the class alone", "bounce", "", "non_smtpd_milters is empty"},
    {"another class", "notify", "unix:/x", "does not have \"bounce\""},
    {"part of a word", "bounces", "unix:/x", "does not have \"bounce\""},
    {"both", "notify, bounce", "{ unix:/x, default_action=accept }", NULL},
};

static void test_reports_filtered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(filtered_cases) / sizeof(filtered_cases[0]); i++) {
        const struct filtered_case *c = &filtered_cases[i];
        const struct postfix postfix = {.filters = c->filters, .milters = c->milters};
        char why[256] = "";
        bool filtered = postfix_reports_filtered(&postfix, why, sizeof(why));
        if (filtered != (c->why == NULL) || (c->why != NULL && strstr(why, c->why) == NULL))
            fail_msg("%s: %d \"%s\"", c->label, filtered, why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes_possible),       cmocka_unit_test(test_reason_cut),
        cmocka_unit_test(test_other_maps),
        cmocka_unit_test(test_logs_as_smtp),
        cmocka_unit_test(test_smtp_tag),           cmocka_unit_test(test_reports_filtered),
        cmocka_unit_test(test_default_is_probation), cmocka_unit_test(test_has_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
