/* Which failures count as open, suspended or transfer, in Postfix's own words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "failure.h"

#define H "mx.example.net[192.0.2.1]"
#define RELAY H ":25"

static struct maillog_line line_of(enum maillog_agent agent, const char *relay, const char *dsn,
                                   const char *text)
{
    return (struct maillog_line){.kind = MAILLOG_DELIVERY,
                                 .agent = agent,
                                 .status = MAILLOG_DEFERRED,
                                 .relay = slice_of(relay),
                                 .dsn = slice_of(dsn),
                                 .text = slice_of(text)};
}

static void assert_failure(const char *text, enum failure is, enum failure want)
{
    static const char *const names[] = {"none", "open", "suspended", "transfer"};

    if (is != want)
        fail_msg("\"%s\" is %s, not %s", text, names[is], names[want]);
}

/* What smtp(8) reports itself, and whether the queue manager's echo of it is an open failure. */
static void test_texts(void **state)
{
    static const struct {
        const char *relay, *dsn, *text;
        enum failure direct, echo;
    } cases[] = {
        /* before a session: smtp_connect.c, smtp_addr.c, dns_lookup.c, smtp_tls_policy.c */
        {"none", "4.4.1", "connect to " H ":25: Connection refused", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {"none", "4.4.1", "connect to mx[private/lmtp]: No such file or directory", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {"none", "4.4.3",
         "Host or domain name not found. Name service error for name=example.net type=MX: Host not "
         "found, try again",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {"none", "4.4.4", "unable to look up host mx: Name or service not known", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {"none", "4.3.0", "unable to look up host mx: Memory allocation failure", FAILURE_NONE,
         FAILURE_NONE},
        {"none", "4.1.0", "Domain example.net does not accept mail (nullMX)", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {"none", "4.7.5", "TLSA lookup error for mx.example.net:25", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {"none", "4.7.5", "non DNSSEC destination", FAILURE_OPEN, FAILURE_SUSPENDED},
        {"none", "4.3.0", "Temporary lookup error", FAILURE_NONE, FAILURE_NONE},
        {"none", "4.3.5", "Server configuration error", FAILURE_NONE, FAILURE_NONE},
        {"none", "4.4.0", "server configuration error", FAILURE_NONE, FAILURE_NONE},
        {"none", "4.4.4", "all network protocols are disabled", FAILURE_NONE, FAILURE_NONE},
        {"none", "4.7.5", "client TLS configuration problem", FAILURE_NONE, FAILURE_NONE},
        {"none", "4.3.0", "server unavailable or unable to receive mail", FAILURE_NONE,
         FAILURE_NONE},
        {"none", "4.4.6", "mail for example.net loops back to myself", FAILURE_NONE, FAILURE_NONE},
        {"smtp", "4.3.5", "mail system configuration error", FAILURE_NONE, FAILURE_NONE},
        /* a connection, but no usable session: smtp_proto.c, smtp_trouble.c, smtp_sasl_*.c */
        {RELAY, "4.0.0", "host " H " refused to talk to me: 421 too busy", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {RELAY, "4.3.2", "host " H " refused to talk to me: 421 4.3.2 closing", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {RELAY, "4.5.0", "Protocol error: host " H " refused to talk to me: 354 what", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {RELAY, "4.4.2", "lost connection with " H " while receiving the initial server greeting",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.4.2",
         "conversation with " H " timed out while receiving the initial server greeting",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.4.2", "lost connection with " H " while performing the EHLO handshake",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.4.2", "lost connection with " H " while performing the HELO handshake",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.4.2", "conversation with " H " timed out while performing the LHLO handshake",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.4.2", "lost connection with " H " while receiving the STARTTLS response",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.7.4", "TLS is required, but was not offered by host " H, FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {RELAY, "4.7.0", "TLS is required, but host " H " refused to start TLS: 454 no",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.7.5", "TLS is required, but our TLS engine is unavailable", FAILURE_NONE,
         FAILURE_NONE},
        {RELAY, "4.7.5", "Cannot start TLS: handshake failure", FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.7.5", "Server certificate not verified", FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.7.5", "Server certificate not trusted", FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.7.8", "SASL authentication failed; server " H " said: 535 no", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {RELAY, "4.7.8", "SASL [CACHED] authentication failed; server mx said: 535 no",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.7.0",
         "SASL authentication failed: server " H " offered no compatible authentication mechanisms "
         "for this type of connection security",
         FAILURE_OPEN, FAILURE_SUSPENDED},
        {RELAY, "4.7.0", "client TLS configuration problem", FAILURE_NONE, FAILURE_NONE},
        /* in a session */
        {RELAY, "4.2.2", "host " H " said: 452 4.2.2 full (in reply to RCPT TO command)",
         FAILURE_TRANSFER, FAILURE_NONE},
        {RELAY, "4.3.0", "host " H " said: 451 4.3.0 trouble (in reply to end of DATA command)",
         FAILURE_TRANSFER, FAILURE_NONE},
        {RELAY, "4.4.2", "lost connection with " H " while sending RCPT TO", FAILURE_TRANSFER,
         FAILURE_NONE},
        {RELAY, "4.4.2",
         "conversation with " H " timed out while sending end of data -- message may be sent more "
         "than once",
         FAILURE_TRANSFER, FAILURE_NONE},
        {RELAY, "4.7.0", "unexpected server message", FAILURE_TRANSFER, FAILURE_NONE},
        {RELAY, "4.6.7", "message requires SMTPUTF8, but was not offered by host " H,
         FAILURE_TRANSFER, FAILURE_NONE},
        {RELAY, "4.3.0", "local data error while talking to " H, FAILURE_NONE, FAILURE_NONE},
        /* strangers' words behind Postfix's */
        {RELAY, "4.0.0", "host " H " said: 450 host " H " refused to talk to me: 421 x",
         FAILURE_TRANSFER, FAILURE_NONE},
        {RELAY, "4.0.0",
         "host " H " said: 450 lost connection with " H " while performing the EHLO "
         "handshake",
         FAILURE_TRANSFER, FAILURE_NONE},
        {RELAY, "4.0.0",
         "host " H " refused to talk to me: 450 local data error while talking to x", FAILURE_OPEN,
         FAILURE_SUSPENDED},
        {RELAY, "4.0.0", "host " H " said: 450 delivery temporarily suspended: connect to x",
         FAILURE_TRANSFER, FAILURE_NONE},
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct maillog_line line =
            line_of(MAILLOG_AGENT_SMTP, cases[i].relay, cases[i].dsn, cases[i].text);

        assert_failure(cases[i].text, failure_classify(&line), cases[i].direct);
        assert_true(slice_equals(failure_reason(&line), cases[i].text));

        snprintf(text, sizeof(text), "delivery temporarily suspended: %s", cases[i].text);
        line = line_of(MAILLOG_AGENT_QUEUE, "none", cases[i].dsn, text);
        assert_failure(text, failure_classify(&line), cases[i].echo);
        assert_true(slice_equals(failure_reason(&line), cases[i].text));
    }
}

/* The queue manager's own words, and what only looks like them. */
static void test_not_tried(void **state)
{
    static const struct {
        const char *dsn, *text;
        enum failure want;
    } cases[] = {
        {"4.3.0", "mail transport unavailable", FAILURE_NONE},
        {"4.3.0", "delivery temporarily suspended: unknown mail transport error", FAILURE_NONE},
        {"4.3.0", "address resolver failure", FAILURE_NONE},
        {"4.4.1", "connect to x[192.0.2.1]:25: Connection refused", FAILURE_NONE},
        {"4.4.1", "try later, the administrator says", FAILURE_NONE},
        {"4.4.1", "x delivery temporarily suspended: connect to y", FAILURE_NONE},
        {"4.4.1", "delivery temporarily suspended", FAILURE_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct maillog_line line =
            line_of(MAILLOG_AGENT_QUEUE, "none", cases[i].dsn, cases[i].text);

        assert_failure(cases[i].text, failure_classify(&line), cases[i].want);
    }
}

/* Lines that are no failures to count, whatever their text. */
static void test_other_lines(void **state)
{
    static const char text[] = "connect to x[192.0.2.1]:25: Connection refused";
    struct maillog_line line = line_of(MAILLOG_AGENT_SMTP, "none", "4.4.1", text);

    (void)state;
    assert_failure(text, failure_classify(&line), FAILURE_OPEN);
    line.status = MAILLOG_BOUNCED;
    assert_failure(text, failure_classify(&line), FAILURE_NONE);
    line.status = MAILLOG_SENT;
    assert_failure(text, failure_classify(&line), FAILURE_NONE);
    line = line_of(MAILLOG_AGENT_PIPE, "postern-hold", "4.4.1", text);
    assert_failure(text, failure_classify(&line), FAILURE_NONE);
    line.kind = MAILLOG_REMOVED;
    assert_failure(text, failure_classify(&line), FAILURE_NONE);
}

/* The host that a failure was about. */
static void test_hosts(void **state)
{
    static const struct {
        const char *relay;
        const char *text;
        const char *want;
    } cases[] = {
        {"none", "connect to mx.example[192.0.2.1]:25: Connection refused", "mx.example"},
        {"none", "delivery temporarily suspended: connect to mx.example[192.0.2.1]:25: x", ""},
        {"mx.example[192.0.2.1]:25", "host mx.example[192.0.2.1] refused to talk to me: 554 no",
         "mx.example"},
        {"mx.example[192.0.2.1]:25", "Server certificate not trusted", "mx.example"},
        {"none",
         "lost connection with mx.example[192.0.2.1] while receiving the initial server "
         "greeting",
         "mx.example"},
        {"none", "conversation with mx.example[2001:db8::1] timed out while receiving x",
         "mx.example"},
        {"none", "Host or domain name not found. Name service error for name=x[y]", ""},
        {"none", "connect to a b[192.0.2.1]:25: x", ""},
        {"none", "connect to mx.example", ""},
        {"none", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct maillog_line line =
            line_of(MAILLOG_AGENT_SMTP, cases[i].relay, "4.4.1", cases[i].text);
        struct slice host = failure_host(&line);
        if (!slice_equals(host, cases[i].want))
            fail_msg("%s: \"%.*s\"", cases[i].text, (int)host.len, host.at);
    }
}

/* What the queue manager repeats is about the same host. */
static void test_host_of_a_suspended_one(void **state)
{
    struct maillog_line line =
        line_of(MAILLOG_AGENT_QUEUE, "none", "4.4.1",
                "delivery temporarily suspended: connect to mx.example[192.0.2.1]:25: refused");

    (void)state;
    assert_true(slice_equals(failure_host(&line), "mx.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_not_tried),
        cmocka_unit_test(test_other_lines),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_host_of_a_suspended_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
