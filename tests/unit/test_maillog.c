#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "maillog.h"

/* 2023-11-23T09:00:00Z, two hours after most lines below. */
static const int64_t NOW = 1700730000000;
static const int64_t EIGHT = 1700726400000; /* 08:00:00Z */

#define STAMP "2023-11-23T08:00:00.250000+00:00 mx "
#define SMTP STAMP "postfix/smtp[12]: 4ShGNr1DYKz1bq: "
#define TAIL_SENT                                                                                  \
    ", relay=h.example[1.2.3.4]:25, delay=1.2, delays=0.1/0.2/0.3/0.6, dsn=2.0.0, status=sent "    \
    "(250 ok)"
#define TAIL_DEFERRED                                                                              \
    ", relay=none, delay=3, delays=0/0/3/0, dsn=4.4.1, status=deferred (connect to h.example: x)"
#define FORGED ", relay=evil[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok"

#define U MAILLOG_QUOTING_UNKNOWN
#define E MAILLOG_QUOTING_EXTERNAL
#define I MAILLOG_QUOTING_INTERNAL

static void use_zone(const char *zone)
{
    setenv("TZ", zone, 1);
    tzset();
}

static bool parse(enum maillog_quoting quoting, const char *text, int64_t now,
                  struct maillog_line *line_r)
{
    struct maillog_reader reader = {.quoting = quoting};

    return maillog_parse(&reader, text, strlen(text), now, line_r);
}

static void assert_slice(const char *label, const char *what, struct slice is, const char *want)
{
    if (!slice_equals(is, want))
        fail_msg("%s: %s is \"%.*s\", not \"%s\"", label, what, (int)is.len, is.at, want);
}

static void expect(const char *label, bool matters, bool want)
{
    if (matters != want)
        fail_msg("%s: %s", label, matters ? "believed" : "refused");
}

static void test_delivery(void **state)
{
    static const struct {
        const char *label, *line, *id, *to, *relay, *dsn, *text;
        enum maillog_agent agent;
        enum maillog_status status;
        int64_t delay, trying;
    } cases[] = {
        {"sent", SMTP "to=<a@b.example>" TAIL_SENT, "4ShGNr1DYKz1bq", "a@b.example",
         "h.example[1.2.3.4]:25", "2.0.0", "250 ok", MAILLOG_AGENT_SMTP, MAILLOG_SENT, 1200, 900},
        {"short queue id", STAMP "postfix/smtp[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT,
         "0A1B2C3D4E", "a@b.example", "h.example[1.2.3.4]:25", "2.0.0", "250 ok",
         MAILLOG_AGENT_SMTP, MAILLOG_SENT, 1200, 900},
        {"conn_use and tls",
         SMTP "to=<a@b.example>, relay=h[::1]:25, conn_use=3, delay=0.05, delays=0.01/0/0.02/0.02, "
              "tls=dane:encrypt/!requiretls?, dsn=2.0.0, status=sent (ok)",
         "4ShGNr1DYKz1bq", "a@b.example", "h[::1]:25", "2.0.0", "ok", MAILLOG_AGENT_SMTP,
         MAILLOG_SENT, 50, 40},
        {"Postfix 3.11.7 without a session",
         STAMP "postfix/smtp[342]: A291A756: to=<a@b.example>, relay=none, delay=0.04, "
               "delays=0.01/0.02/0/0, tls=may?, dsn=4.4.1, status=deferred (connect to "
               "mx.b.example[192.0.2.2]:25: Connection refused)",
         "A291A756", "a@b.example", "none", "4.4.1",
         "connect to mx.b.example[192.0.2.2]:25: Connection refused", MAILLOG_AGENT_SMTP,
         MAILLOG_DEFERRED, 40, 0},
        {"Postfix 3.11.7 without TLS",
         STAMP "postfix/relay/smtp[384]: 98A3630F1: to=<a@b.example>, relay=h[192.0.2.3]:25, "
               "delay=0.08, delays=0.01/0.07/0/0, tls=may:none, dsn=2.0.0, status=sent (250 ok)",
         "98A3630F1", "a@b.example", "h[192.0.2.3]:25", "2.0.0", "250 ok", MAILLOG_AGENT_SMTP,
         MAILLOG_SENT, 80, 0},
        {"orig_to", SMTP "to=<a@b.example>, orig_to=<root>" TAIL_DEFERRED, "4ShGNr1DYKz1bq",
         "a@b.example", "none", "4.4.1", "connect to h.example: x", MAILLOG_AGENT_SMTP,
         MAILLOG_DEFERRED, 3000, 3000},
        {"relay service", STAMP "postfix/relay/smtp[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_DEFERRED,
         "0A1B2C3D4E", "a@b.example", "none", "4.4.1", "connect to h.example: x",
         MAILLOG_AGENT_SMTP, MAILLOG_DEFERRED, 3000, 3000},
        {"second instance", STAMP "postfix-out/smtp[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT,
         "0A1B2C3D4E", "a@b.example", "h.example[1.2.3.4]:25", "2.0.0", "250 ok",
         MAILLOG_AGENT_SMTP, MAILLOG_SENT, 1200, 900},
        {"lmtp over a socket",
         STAMP "postfix/lmtp[1]: 0A1B2C3D4E: to=<a@b.example>, relay=mx.example[private/dovecot], "
               "delay=86400, delays=86399/0.5/0/0.5, dsn=2.0.0, status=sent (250 2.0.0 Saved)",
         "0A1B2C3D4E", "a@b.example", "mx.example[private/dovecot]", "2.0.0", "250 2.0.0 Saved",
         MAILLOG_AGENT_SMTP, MAILLOG_SENT, 86400000, 500},
        {"the hold",
         STAMP "postfix/postern-hold/pipe[1]: 0A1B2C3D4E: to=<a@b.example>, relay=postern-hold, "
               "delay=0.1, delays=0/0/0/0.1, dsn=4.4.1, status=deferred (temporary failure. "
               "Command output: 4.4.1 not yet)",
         "0A1B2C3D4E", "a@b.example", "postern-hold", "4.4.1",
         "temporary failure. Command output: 4.4.1 not yet", MAILLOG_AGENT_PIPE, MAILLOG_DEFERRED,
         100, 100},
        {"retry service",
         STAMP "postfix/error[1]: 0A1B2C3D4E: to=<a@b.example>, relay=none, delay=9, "
               "delays=9/0/0/0, dsn=4.4.1, status=deferred (delivery temporarily suspended: x)",
         "0A1B2C3D4E", "a@b.example", "none", "4.4.1", "delivery temporarily suspended: x",
         MAILLOG_AGENT_QUEUE, MAILLOG_DEFERRED, 9000, 0},
        {"soft_bounce",
         SMTP "to=<a@b.example>, relay=h[1.2.3.4]:25, delay=9, delays=9/0/0/0, dsn=4.1.1, "
              "status=SOFTBOUNCE (host h[1.2.3.4] said: 550 5.1.1 (no))",
         "4ShGNr1DYKz1bq", "a@b.example", "h[1.2.3.4]:25", "4.1.1",
         "host h[1.2.3.4] said: 550 5.1.1 (no)", MAILLOG_AGENT_SMTP, MAILLOG_DEFERRED, 9000, 0},
        {"bounced, long queue id from 2038 on",
         STAMP "postfix/smtp[1]: BCdFGHkJZ1z1b2: to=<a@[IPv6:::1]>, relay=h[1.2.3.4]:25, "
               "delay=0.000999, delays=0.0005/0/0/0.000499, dsn=5.1.1, status=bounced ()",
         "BCdFGHkJZ1z1b2", "a@[IPv6:::1]", "h[1.2.3.4]:25", "5.1.1", "", MAILLOG_AGENT_SMTP,
         MAILLOG_BOUNCED, 0, 0},
        {"local(8)",
         STAMP "postfix/local[1]: 0A1B2C3D4E: to=<a@b.example>, relay=local, delay=0.1, "
               "delays=0.05/0.01/0/0.04, dsn=2.0.0, status=sent (delivered to mailbox)",
         "0A1B2C3D4E", "a@b.example", "local", "2.0.0", "delivered to mailbox", MAILLOG_AGENT_LOCAL,
         MAILLOG_SENT, 100, 40},
        {"local(8), an alias for nobody",
         STAMP "postfix/local[1]: 0A1B2C3D4E: to=<x@b.example>, orig_to=<a@b.example>, "
               "relay=local, delay=0, delays=0/0/0/0, dsn=5.1.1, status=bounced (unknown user: "
               "\"x\")",
         "0A1B2C3D4E", "x@b.example", "local", "5.1.1", "unknown user: \"x\"", MAILLOG_AGENT_LOCAL,
         MAILLOG_BOUNCED, 0, 0},
        {"virtual(8)",
         STAMP "postfix/virtual[1]: 0A1B2C3D4E: to=<a@b.example>, relay=virtual, delay=9, "
               "delays=9/0/0/0, dsn=4.2.0, status=deferred (maildir delivery failed: x)",
         "0A1B2C3D4E", "a@b.example", "virtual", "4.2.0", "maildir delivery failed: x",
         MAILLOG_AGENT_LOCAL, MAILLOG_DEFERRED, 9000, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct maillog_line line;

        expect(cases[i].label, parse(U, cases[i].line, NOW, &line), true);
        assert_int_equal(line.kind, MAILLOG_DELIVERY);
        assert_slice(cases[i].label, "queue id", line.queue_id, cases[i].id);
        assert_slice(cases[i].label, "recipient", line.recipient, cases[i].to);
        assert_slice(cases[i].label, "relay", line.relay, cases[i].relay);
        assert_slice(cases[i].label, "dsn", line.dsn, cases[i].dsn);
        assert_slice(cases[i].label, "text", line.text, cases[i].text);
        assert_int_equal(line.agent, cases[i].agent);
        assert_int_equal(line.status, cases[i].status);
        assert_int_equal(line.delay, cases[i].delay);
        assert_int_equal(line.trying, cases[i].trying);
        assert_int_equal(line.time, EIGHT + 250);
        assert_false(line.coarse);
    }
}

/* The recipient that is believed for each way of quoting; NULL: the line is refused. */
static void test_strangers(void **state)
{
    static const struct {
        const char *label, *line, *unknown, *external, *internal;
    } cases[] = {
        {"plain", SMTP "to=<a@b.example>" TAIL_DEFERRED, "a@b.example", "a@b.example",
         "a@b.example"},
        {"quoted, forged inside", SMTP "to=<\"x>" FORGED "\"@example.com>" TAIL_DEFERRED,
         "\"x>" FORGED "\"@example.com", "\"x>" FORGED "\"@example.com",
         "\"x>" FORGED "\"@example.com"},
        {"quoted, a victim's address inside", SMTP "to=<\"v@good>" FORGED ")\"@evil>" TAIL_DEFERRED,
         NULL, "\"v@good>" FORGED ")\"@evil", NULL},
        {"quoted, quotes inside", SMTP "to=<\"v\\\"@good>" FORGED ")\\\\\"@evil>" TAIL_DEFERRED,
         NULL, "\"v\\\"@good>" FORGED ")\\\\\"@evil", NULL},
        {"unquoted, forged inside", SMTP "to=<x>" FORGED "@example.com>" TAIL_DEFERRED,
         "x>" FORGED "@example.com", NULL, "x>" FORGED "@example.com"},
        {"a server's answer imitates the fields",
         SMTP "to=<a@b>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred "
              "(host h[1.2.3.4] said: 451 to=<v@good>" FORGED ") (in reply to RCPT TO command))",
         NULL, "a@b", NULL},
        {"a server's answer imitates a status",
         SMTP "to=<a@b>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred "
              "(host h[1.2.3.4] said: 451 status=sent (250 ok))",
         "a@b", "a@b", "a@b"},
        {"a server's answer imitates a line",
         SMTP "to=<a@b>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred "
              "(host h[1.2.3.4] said: 451 " SMTP "to=<v@good>" TAIL_SENT ")",
         NULL, "a@b", NULL},
        {"a server's answer without an @ might be a domain from sendmail(1)",
         SMTP "to=<a@b>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred "
              "(host h[1.2.3.4] said: 451 >" FORGED "))",
         NULL, NULL, NULL},
        {"error(8) logs a domain that is none",
         STAMP "postfix/error[1]: 0A1B2C3D4E: to=<v@good>, relay=none, delay=1, delays=0/0/0/0, "
               "dsn=4.4.1, status=deferred (x>, relay=none, delay=1, delays=0/0/0/0, dsn=5.1.3, "
               "status=bounced (bad address syntax)",
         NULL, NULL, NULL},
        {"original recipient, forged inside",
         SMTP "to=<a@b>, orig_to=<\"c>" FORGED ")\"@d>" TAIL_DEFERRED, NULL, "a@b", NULL},
        {"original recipient with a forged domain",
         SMTP "to=<a@b>, orig_to=<c@d>" FORGED ")>" TAIL_DEFERRED, NULL, NULL, NULL},
        {"original recipient without a domain", SMTP "to=<a@b>, orig_to=<root>" TAIL_DEFERRED,
         "a@b", "a@b", NULL},
        {"original recipient, plain", SMTP "to=<a@b>, orig_to=<c@d>" TAIL_DEFERRED, "a@b", "a@b",
         NULL},
        {"original recipient, unquoted", SMTP "to=<a b@c>, orig_to=<d@e>" TAIL_DEFERRED, NULL, NULL,
         NULL},
        {"original recipient inside the recipient",
         SMTP "to=<\"v@good>, orig_to=<\"@evil>" TAIL_DEFERRED, NULL, "\"v@good>, orig_to=<\"@evil",
         NULL},
        {"a server's answer imitates an original recipient",
         SMTP "to=<a@b>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=4.0.0, status=deferred "
              "(host h[1.2.3.4] said: 451 >, orig_to=<c@d>, orig_to=<>, orig_to=<>, orig_to=<>, "
              "orig_to=<x)",
         "a@b", "a@b", "a@b"},
        {"commas, spaces, UTF-8", SMTP "to=<\"a, b > c\"@b\xc3\xbc.example>" TAIL_DEFERRED,
         "\"a, b > c\"@b\xc3\xbc.example", "\"a, b > c\"@b\xc3\xbc.example",
         "\"a, b > c\"@b\xc3\xbc.example"},
        {"source route", SMTP "to=<@r:a@b>" TAIL_DEFERRED, NULL, NULL, NULL},
        {"source route, forged inside", SMTP "to=<@x>" FORGED ":\"y\"@b>" TAIL_DEFERRED, NULL, NULL,
         NULL},
        {"no domain", SMTP "to=<a>" TAIL_DEFERRED, NULL, NULL, NULL},
        {"no local part", SMTP "to=<@b>" TAIL_DEFERRED, NULL, NULL, NULL},
        {"nobody", SMTP "to=<>" TAIL_DEFERRED, NULL, NULL, NULL},
        {"a domain that is none", SMTP "to=<a@b c>" TAIL_DEFERRED, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *wants[] = {cases[i].unknown, cases[i].external, cases[i].internal};

        for (int quoting = 0; quoting < 3; quoting++) {
            char label[128];
            struct maillog_line line;
            bool matters = parse((enum maillog_quoting)quoting, cases[i].line, NOW, &line);

            snprintf(label, sizeof(label), "%s (quoting %d)", cases[i].label, quoting);
            expect(label, matters, wants[quoting] != NULL);
            if (!matters)
                continue;
            assert_slice(label, "recipient", line.recipient, wants[quoting]);
            assert_int_equal(line.status, MAILLOG_DEFERRED);
        }
    }
}

/*
 * What an unquoted recipient can forge and what a server can answer look the same: only who knows
 * how Postfix writes addresses can tell.
 */
static void test_quoting_decides(void **state)
{
    static const char text[] = SMTP "to=<v@good>" FORGED ")@evil>" TAIL_DEFERRED;
    struct maillog_line line;

    (void)state;
    assert_false(parse(U, text, NOW, &line));
    assert_false(parse(I, text, NOW, &line));
    assert_true(parse(E, text, NOW, &line));
    assert_slice("external", "recipient", line.recipient, "v@good");
}

static void test_refused(void **state)
{
    static const struct {
        const char *label, *line;
    } cases[] = {
        {"empty", ""},
        {"only a stamp", "2023-11-23T08:00:00Z "},
        {"no program", STAMP},
        {"sshd", STAMP "sshd[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"smtp without a tag", STAMP "smtp[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"an empty tag", STAMP "/smtp[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"a program quotes Postfix",
         STAMP "logger: mx postfix/smtp[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"a tag with a space", STAMP "x postfix/smtp[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"no process id", STAMP "postfix/smtp: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"other daemons", STAMP "postfix/local[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"smtpd", STAMP "postfix/smtpd[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"no queue id", STAMP "postfix/smtp[1]: to=<a@b.example>" TAIL_SENT},
        {"NOQUEUE", STAMP "postfix/smtp[1]: NOQUEUE: to=<a@b.example>" TAIL_SENT},
        {"lower-case hex", STAMP "postfix/smtp[1]: 0a1b2c3d4e: to=<a@b.example>" TAIL_SENT},
        {"vowels in a long id",
         STAMP "postfix/smtp[1]: 4ShGNr1DYAzkz1: to=<a@b.example>" TAIL_SENT},
        {"a warning", STAMP "postfix/smtp[1]: warning: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"a probe",
         SMTP "to=<a@b.example>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=2.1.5, "
              "status=deliverable (ok)"},
        {"a failed probe",
         SMTP "to=<a@b.example>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=4.1.5, "
              "status=undeliverable-but-not-cached (no)"},
        {"expired", STAMP "postfix/qmgr[1]: 0A1B2C3D4E: from=<a@b>, status=expired, returned to "
                          "sender"},
        {"sent by the queue manager",
         STAMP "postfix/qmgr[1]: 0A1B2C3D4E: to=<a@b.example>, relay=none, delay=1, "
               "delays=0/0/0/1, dsn=2.0.0, status=sent (undeliverable postmaster notification "
               "discarded)"},
        {"a relay of error(8)", STAMP "postfix/error[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"sent to none",
         SMTP "to=<a@b.example>, relay=none, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (x)"},
        {"a host in pipe(8)", STAMP "postfix/pipe[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"fields in another order",
         SMTP "to=<a@b.example>, delay=1, relay=h[1.2.3.4]:25, delays=0/0/0/1, dsn=2.0.0, "
              "status=sent (x)"},
        {"three delays",
         SMTP "to=<a@b.example>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/1, dsn=2.0.0, "
              "status=sent (x)"},
        {"a negative delay",
         SMTP "to=<a@b.example>, relay=h[1.2.3.4]:25, delay=-1, delays=0/0/0/1, dsn=2.0.0, "
              "status=sent (x)"},
        {"no dsn",
         SMTP "to=<a@b.example>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/0/1, status=sent (x)"},
        {"cut in the text",
         SMTP "to=<a@b.example>, relay=h[1.2.3.4]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, "
              "status=sent (250 o"},
        {"half a line", SMTP "to=<a@b.example>, relay=h[1."},
        {"removed by smtp", SMTP "removed"},
        {"removed and more", STAMP "postfix/qmgr[1]: 0A1B2C3D4E: removed."},
        {"another queue", STAMP "postfix/qmgr[1]: 0A1B2C3D4E: from=<a@b>, size=1, nrcpt=1 (queue "
                                "hold)"},
        {"no count", STAMP "postfix/qmgr[1]: 0A1B2C3D4E: from=<a@b>, size=1, nrcpt= (queue "
                           "active)"},
        {"local(8) without a relay",
         STAMP "postfix/local[1]: 0A1B2C3D4E: to=<a@b.example>, relay=none, delay=1, "
               "delays=0/0/0/1, dsn=5.1.1, status=bounced (x)"},
        {"virtual(8) with a host",
         STAMP "postfix/virtual[1]: 0A1B2C3D4E: to=<a@b.example>" TAIL_SENT},
        {"uid from smtpd", STAMP "postfix/smtpd[1]: 0A1B2C3D4E: uid=0 from=<root>"},
        {"uid from cleanup", STAMP "postfix/cleanup[1]: 0A1B2C3D4E: uid=0 from=<root>"},
        {"uid from qmqpd", STAMP "postfix/qmqpd[1]: 0A1B2C3D4E: uid=0 from=<root>"},
        {"uid from a program named pickup", STAMP "pickup[1]: 0A1B2C3D4E: uid=0 from=<root>"},
        {"a message file that pickup cannot read",
         STAMP "postfix/pickup[1]: warning: 0A1B2C3D4E: uid=0"},
        {"uid without a queue id", STAMP "postfix/pickup[1]: uid=0 from=<root>"},
        {"uid cut off", STAMP "postfix/pickup[1]: 0A1B2C3D4E: uid"},
        {"client from smtpd: the milter tells those apart",
         STAMP "postfix/smtpd[1]: 0A1B2C3D4E: client=h.example[192.0.2.1]"},
        {"client from pickup", STAMP "postfix/pickup[1]: 0A1B2C3D4E: client=h.example[192.0.2.1]"},
        {"message-id from smtpd", STAMP "postfix/smtpd[1]: 0A1B2C3D4E: message-id=<x@y>"},
        {"message-id from pickup", STAMP "postfix/pickup[1]: 0A1B2C3D4E: message-id=<x@y>"},
        {"resent-message-id", STAMP "postfix/cleanup[1]: 0A1B2C3D4E: resent-message-id=<x@y>"},
        {"a header check that quotes one",
         STAMP "postfix/cleanup[1]: 0A1B2C3D4E: info: header X: message-id=<x@y> from local"},
        {"message-id without a queue id", STAMP "postfix/cleanup[1]: message-id=<x@y>"},
        {"message-id of no queue id", STAMP "postfix/cleanup[1]: 3F1A72C0E9Z: message-id=<x@y>"},
        {"message-id cut off", STAMP "postfix/cleanup[1]: 0A1B2C3D4E: message-i"},
        {"returned by cleanup",
         STAMP "postfix/cleanup[1]: 0A1B2C3D4E: sender non-delivery notification: 3F1A72C0E9"},
        {"returned by a program named bounce",
         STAMP "bounce[1]: 0A1B2C3D4E: sender non-delivery notification: 3F1A72C0E9"},
        {"a copy for postmaster",
         STAMP "postfix/bounce[1]: 0A1B2C3D4E: postmaster non-delivery notification: 3F1A72C0E9"},
        {"a delay", STAMP "postfix/bounce[1]: 0A1B2C3D4E: sender delay notification: 3F1A72C0E9"},
        {"a delivery",
         STAMP "postfix/bounce[1]: 0A1B2C3D4E: sender delivery status notification: 3F1A72C0E9"},
        {"returned, of no queue id",
         STAMP "postfix/bounce[1]: <x@y>: sender non-delivery notification: 3F1A72C0E9"},
        {"returned, no id",
         STAMP "postfix/bounce[1]: 0A1B2C3D4E: sender non-delivery notification: "},
        {"returned, words for an id",
         STAMP "postfix/bounce[1]: 0A1B2C3D4E: sender non-delivery notification: nobody"},
        {"returned, more behind the id",
         STAMP "postfix/bounce[1]: 0A1B2C3D4E: sender non-delivery notification: 3F1A72C0E9 "},
        {"returned, the id cut off",
         STAMP "postfix/bounce[1]: 0A1B2C3D4E: sender non-delivery notification: 3F1A7"},
        {"returned, a small letter",
         STAMP "postfix/bounce[1]: 0A1B2C3D4E: sender non-delivery notification: 3f1a72c0e9"},
        {"returned, cut before the report's id",
         STAMP "postfix/bounce[1]: 0A1B2C3D4E: sender non-delivery notification:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int quoting = 0; quoting < 3; quoting++) {
            struct maillog_line line;

            expect(cases[i].label, parse((enum maillog_quoting)quoting, cases[i].line, NOW, &line),
                   false);
            assert_int_equal(line.kind, MAILLOG_OTHER);
        }
    }
}

static void test_queue(void **state)
{
    static const struct {
        const char *label, *line;
        enum maillog_kind kind;
        const char *sender;
        uint32_t recipients;
    } cases[] = {
        {"active", "postfix/qmgr[1]: 0A1B2C3D4E: from=<s@x>, size=35, nrcpt=7 (queue active)",
         MAILLOG_ACTIVE, "s@x", 7},
        {"null sender", "postfix-in/oqmgr[1]: 0A1B2C3D4E: from=<>, size=1, nrcpt=1 (queue active)",
         MAILLOG_ACTIVE, "", 1},
        {"a size beyond 32 bits",
         "postfix/qmgr[1]: 0A1B2C3D4E: from=<s@x>, size=12345678901, nrcpt=1 (queue active)",
         MAILLOG_ACTIVE, "s@x", 1},
        {"a sender that imitates",
         "postfix/qmgr[1]: 0A1B2C3D4E: from=<\"s>, size=1, nrcpt=9 (queue active)\"@x>, size=35, "
         "nrcpt=2 (queue active)",
         MAILLOG_ACTIVE, "\"s>, size=1, nrcpt=9 (queue active)\"@x", 2},
        {"removed", "postfix/qmgr[1]: 0A1B2C3D4E: removed", MAILLOG_REMOVED, NULL, 0},
        {"removed by hand", "postfix/postsuper[1]: 4ShGNr1DYKz1bq: removed", MAILLOG_REMOVED, NULL,
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct maillog_line line;
        char text[512];

        snprintf(text, sizeof(text), STAMP "%s", cases[i].line);
        expect(cases[i].label, parse(U, text, NOW, &line), true);
        assert_int_equal(line.kind, cases[i].kind);
        if (cases[i].sender != NULL)
            assert_slice(cases[i].label, "sender", line.sender, cases[i].sender);
        assert_int_equal(line.recipients, cases[i].recipients);
    }
}

static struct slice other_of(const struct maillog_line *line)
{
    return line->other.at ? line->other : (struct slice){"", 0};
}

/* Where messages come from, and what becomes of them. */
static void test_events(void **state)
{
    static const struct {
        const char *label, *line;
        enum maillog_kind kind;
        const char *id, *other;
    } cases[] = {
        {"sendmail(1)", "postfix/pickup[1]: 0A1B2C3D4E: uid=1000 from=<ann>", MAILLOG_SUBMITTED,
         "0A1B2C3D4E", ""},
        {"sendmail(1), a sender that imitates",
         "postfix/pickup[1]: 4ShGNr1DYKz1bq: uid=1000 from=<x>, 0A1B2C3D4E: uid=0 from=<y>",
         MAILLOG_SUBMITTED, "4ShGNr1DYKz1bq", ""},
        {"requeued by postsuper -r",
         "postfix/pickup[1]: C111AAF6326: uid=102 from=<ann@x> orig_id=B52C5AF6D73",
         MAILLOG_SUBMITTED, "C111AAF6326", "B52C5AF6D73"},
        {"requeued, of the null sender",
         "postfix/pickup[1]: 4ShGNr1DYKz1bq: uid=102 from=<> orig_id=4ShGNr1DYKz1br",
         MAILLOG_SUBMITTED, "4ShGNr1DYKz1bq", "4ShGNr1DYKz1br"},
        {"requeued, with no id",
         "postfix/pickup[1]: C111AAF6326: uid=102 from=<ann@x> orig_id=nothing", MAILLOG_SUBMITTED,
         "C111AAF6326", ""},
        {"a sender that imitates a requeued message",
         "postfix/pickup[1]: C111AAF6326: uid=7 from=<x> orig_id=B52C5AF6D73>", MAILLOG_SUBMITTED,
         "C111AAF6326", ""},
        {"a sender with a space that does",
         "postfix/pickup[1]: C111AAF6326: uid=7 from=<x orig_id=B52C5AF6D73>", MAILLOG_SUBMITTED,
         "C111AAF6326", ""},
        {"another instance's", "postfix-in/pickup[1]: 0A1B2C3D4E: uid=0 from=<root>",
         MAILLOG_SUBMITTED, "0A1B2C3D4E", ""},
        {"QMQP", "postfix/qmqpd[1]: 0A1B2C3D4E: client=h.example[192.0.2.1]", MAILLOG_SUBMITTED,
         "0A1B2C3D4E", ""},
        {"content", "postfix/cleanup[1]: 0A1B2C3D4E: message-id=<20261124.0A1B2C3D4E@mx.example>",
         MAILLOG_CONTENT, "0A1B2C3D4E", ""},
        {"content of a service by another name",
         "postfix/submission/cleanup[1]: 0A1B2C3D4E: message-id=<x@y>", MAILLOG_CONTENT,
         "0A1B2C3D4E", ""},
        {"a message-id that is empty",
         "postfix/cleanup[1]: 0A1B2C3D4E: message-id=", MAILLOG_CONTENT, "0A1B2C3D4E", ""},
        {"a message-id that imitates a line",
         "postfix/cleanup[1]: 0A1B2C3D4E: message-id=<x> " STAMP
         "postfix/bounce[1]: 4ShGNr1DYKz1bq: sender non-delivery notification: 3F1A72C0E9",
         MAILLOG_CONTENT, "0A1B2C3D4E", ""},
        {"a message-id that imitates a submission",
         "postfix/cleanup[1]: 0A1B2C3D4E: message-id=<4ShGNr1DYKz1bq: uid=0 from=<root>>",
         MAILLOG_CONTENT, "0A1B2C3D4E", ""},
        {"returned",
         "postfix/bounce[1]: 0A1B2C3D4E: sender non-delivery notification: 4ShGNr1DYKz1bq",
         MAILLOG_RETURNED, "0A1B2C3D4E", "4ShGNr1DYKz1bq"},
        {"returned, a short id",
         "postfix/bounce[1]: 4ShGNr1DYKz1bq: sender non-delivery notification: 3F1A72C0E9",
         MAILLOG_RETURNED, "4ShGNr1DYKz1bq", "3F1A72C0E9"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct maillog_line line;
        char text[512];

        snprintf(text, sizeof(text), STAMP "%s", cases[i].line);
        expect(cases[i].label, parse(U, text, NOW, &line), true);
        if (line.kind != cases[i].kind)
            fail_msg("%s: kind %d", cases[i].label, (int)line.kind);
        assert_slice(cases[i].label, "queue id", line.queue_id, cases[i].id);
        assert_slice(cases[i].label, "other", other_of(&line), cases[i].other);
        assert_int_equal(line.time, EIGHT + 250);
    }
}

/* Which recipient orig_to=<..> says it was; NULL: the line is refused. */
static void test_original(void **state)
{
    static const struct {
        const char *label, *line, *recipient, *unknown, *external, *internal;
    } cases[] = {
        {"none", "to=<a@b.example>", "a@b.example", "", "", ""},
        {"an alias", "to=<a@b.example>, orig_to=<list@c.example>", "a@b.example", "list@c.example",
         "list@c.example", NULL},
        {"without a domain", "to=<a@b.example>, orig_to=<root>", "a@b.example", "root", "root",
         NULL},
        {"quoted", "to=<a@b.example>, orig_to=<\"c, d\"@e.example>", "a@b.example",
         "\"c, d\"@e.example", "\"c, d\"@e.example", NULL},
        {"quoted, with an end inside", "to=<a@b.example>, orig_to=<\"c>, relay=\"@e.example>",
         "a@b.example", "\"c>, relay=\"@e.example", "\"c>, relay=\"@e.example", NULL},
        {"inside the recipient", "to=<\"v@good>, orig_to=<\"@evil>", "\"v@good>, orig_to=<\"@evil",
         NULL, "", NULL},
        {"empty", "to=<a@b.example>, orig_to=<>", NULL, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *wants[] = {cases[i].unknown, cases[i].external, cases[i].internal};

        for (int quoting = 0; quoting < 3; quoting++) {
            struct maillog_line line;
            char label[128], text[1024];

            snprintf(label, sizeof(label), "%s (quoting %d)", cases[i].label, quoting);
            snprintf(text, sizeof(text), SMTP "%s" TAIL_DEFERRED, cases[i].line);
            expect(label, parse((enum maillog_quoting)quoting, text, NOW, &line),
                   wants[quoting] != NULL);
            if (wants[quoting] == NULL)
                continue;
            assert_slice(label, "recipient", line.recipient, cases[i].recipient);
            assert_slice(label, "original", line.original, wants[quoting]);
        }
    }
}

/* Lines of 2000 bytes: Postfix may have cut off the real end of the recipient. */
static void test_cut(void **state)
{
    static const struct {
        const char *label, *before, *fill, *after;
        size_t len;
        bool unknown, external;
    } cases[] = {
        {"a forged end of an unquoted recipient", "to=<v@good>" FORGED, "x", ")", 2000, false,
         false},
        {"a forged end of a quoted recipient", "to=<\"v@good>" FORGED, "x", ")", 2000, false,
         false},
        {"the same, cut at 1024 bytes", "to=<v@good>" FORGED, "x", ")", 960, false, true},
        {"a server's long answer", "to=<a@b>" FORGED " postmaster@h ", "x", "", 2000, false, true},
        {"the same, whole", "to=<a@b>" FORGED " postmaster@h ", "x", ")", 1500, true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[4096];
        struct maillog_line line;
        size_t message = (size_t)snprintf(text, sizeof(text), SMTP "%s", cases[i].before);
        size_t end = strlen(STAMP "postfix/smtp[12]: ") + cases[i].len - strlen(cases[i].after);

        memset(text + message, cases[i].fill[0], end - message);
        snprintf(text + end, sizeof(text) - end, "%s", cases[i].after);
        expect(cases[i].label, parse(U, text, NOW, &line), cases[i].unknown);
        expect(cases[i].label, parse(I, text, NOW, &line), cases[i].unknown);
        expect(cases[i].label, parse(E, text, NOW, &line), cases[i].external);
    }
}

static void test_time(void **state)
{
    static const struct {
        const char *label, *zone, *stamp;
        int64_t now, time;
        bool coarse;
    } cases[] = {
        {"RFC 3339, UTC", "UTC", "2023-11-23T08:00:00Z", NOW, EIGHT + 999, true},
        {"east", "UTC", "2023-11-23T09:30:00.5+01:30", NOW, EIGHT + 500, false},
        {"west", "UTC", "2023-11-22T22:00:00.123456-10:00", NOW, EIGHT + 123, false},
        {"nanoseconds", "UTC", "2023-11-23T08:00:00.001999999Z", NOW, EIGHT + 1, false},
        {"leap day", "UTC", "2024-02-29T00:00:00.0Z", NOW, 1709164800000, false},
        {"before 1970", "UTC", "1969-12-31T23:59:59.999Z", NOW, -1, false},
        {"traditional", "UTC", "Nov 23 08:00:00", NOW, EIGHT + 999, true},
        {"traditional, local", "XXX-3", "Nov 23 11:00:00", NOW, EIGHT + 999, true},
        {"with a fraction", "UTC", "Nov 23 08:00:00.25", NOW, EIGHT + 250, false},
        {"one digit", "UTC", "Nov  3 08:00:00", NOW, EIGHT - 20 * 86400000LL + 999, true},
        {"two digits", "UTC", "Nov 03 08:00:00", NOW, EIGHT - 20 * 86400000LL + 999, true},
        {"in this second", "UTC", "Nov 23 09:00:00", NOW + 300, NOW + 300, true},
        {"RFC 3339 in this second", "UTC", "2023-11-23T09:00:00Z", NOW + 300, NOW + 300, true},
        {"a second ahead", "UTC", "Nov 23 09:00:01", NOW + 300, NOW + 1999, true},
        {"a day ahead", "UTC", "Nov 24 09:00:00", NOW, NOW + 86400000 + 999, true},
        {"more is last year", "UTC", "Nov 24 09:01:00", NOW, NOW - 364 * 86400000LL + 60999, true},
        {"new year's eve", "UTC", "Dec 31 23:59:59", 1704067200000, 1704067199999, true},
        {"new year, our clock is behind", "UTC", "Jan  1 00:00:00", 1704067190000, 1704067200999,
         true},
        {"29 February", "UTC", "Feb 29 00:00:00", NOW, 1582934400999, true},
        {"02:30 once more, first pass", "CET-1CEST,M3.5.0,M10.5.0/3", "Oct 29 02:30:00",
         1698539402000, 1698539400999, true},
        {"02:30 once more, second pass", "CET-1CEST,M3.5.0,M10.5.0/3", "Oct 29 02:30:00",
         1698543002000, 1698543000999, true},
        {"the hour that is not", "CET-1CEST,M3.5.0,M10.5.0/3", "Mar 26 02:30:00", NOW,
         1679794200999, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct maillog_line line;
        char text[256];

        use_zone(cases[i].zone);
        snprintf(text, sizeof(text), "%s mx postfix/qmgr[1]: 0A1B2C3D4E: removed", cases[i].stamp);
        expect(cases[i].label, parse(U, text, cases[i].now, &line), true);
        if (line.time != cases[i].time)
            fail_msg("%s: %lld, not %lld", cases[i].label, (long long)line.time,
                     (long long)cases[i].time);
        assert_int_equal(line.coarse, cases[i].coarse);
    }
    use_zone("UTC");
}

static void test_no_time(void **state)
{
    static const char *const stamps[] = {
        "Nov 31 08:00:00",      "Nov 23 24:00:00",           "Nov 23 08:60:00",
        "Nov 23 08:00:61",      "Nov 23  8:00:00",           "Nov 00 08:00:00",
        "nov 23 08:00:00",      "2023-11-23 08:00:00Z",      "2023-13-23T08:00:00Z",
        "2023-11-23T08:00:00",  "2023-11-23T08:00:00+0100",  "2023-11-23T08:00:00.Z",
        "23-11-23T08:00:00Z",   "2023-11-23T08:00:00+24:00", "1700726400",
        "<22>Nov 23 08:00:00",  "Nov 23 08:00:00.",          "Nov 23 08:00:0",
        "2023-11-23T08:00:0:Z", "Nov 23 08-00:00",           "Nov 23 08:00 00",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
        struct maillog_line line;
        char text[256];

        snprintf(text, sizeof(text), "%s mx postfix/qmgr[1]: 0A1B2C3D4E: removed", stamps[i]);
        expect(stamps[i], parse(U, text, NOW, &line), false);
    }
}

/* One reader over many lines: what it remembers must not change what it says. */
static void test_remembered_minute(void **state)
{
    static const struct {
        const char *stamp;
        int64_t now, time;
    } cases[] = {
        {"Nov 23 08:00:00", NOW, EIGHT + 999},
        {"Nov 23 08:00:59", NOW, EIGHT + 59999},
        {"Nov 23 08:01:00", NOW, EIGHT + 60999},
        {"Nov 23 08:01:00", NOW + 365 * 86400000LL, EIGHT + 60999 + 366 * 86400000LL},
        {"Nov 23 08:01:00", NOW, EIGHT + 60999},
        {"Nov 23 08:01:00", EIGHT - 3 * 86400000LL, EIGHT + 60999 - 365 * 86400000LL},
    };
    struct maillog_reader reader = {.quoting = U};

    (void)state;
    use_zone("UTC");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct maillog_line line;
        char text[256];

        snprintf(text, sizeof(text), "%s mx postfix/qmgr[1]: 0A1B2C3D4E: removed", cases[i].stamp);
        assert_true(maillog_parse(&reader, text, strlen(text), cases[i].now, &line));
        assert_int_equal(line.time, cases[i].time);
    }
}

static void test_nul_bytes(void **state)
{
    static const char text[] = SMTP "to=<a\0b@c.example>" TAIL_SENT;
    static const char in_text[] = SMTP "to=<a@c.example>, relay=h[1.2.3.4]:25, delay=1, "
                                       "delays=0/0/0/1, dsn=2.0.0, status=sent (\0status=)";
    struct maillog_reader reader = {.quoting = E};
    struct maillog_line line;

    (void)state;
    assert_false(maillog_parse(&reader, text, sizeof(text) - 1, NOW, &line));
    assert_true(maillog_parse(&reader, in_text, sizeof(in_text) - 1, NOW, &line));
    assert_int_equal(line.text.len, 8);
}

static void test_entry(void **state)
{
    struct maillog_reader reader = {.quoting = E};
    struct maillog_line line;

    (void)state;
    assert_true(maillog_parse_entry(&reader, slice_of("postfix/relay/smtp"),
                                    slice_of("4ShGNr1DYKz1bq: to=<a@b.example>" TAIL_SENT), 12345,
                                    &line));
    assert_int_equal(line.time, 12345);
    assert_false(line.coarse);
    assert_slice("entry", "recipient", line.recipient, "a@b.example");
    assert_false(maillog_parse_entry(&reader, slice_of("smtp"),
                                     slice_of("4ShGNr1DYKz1bq: to=<a@b.example>" TAIL_SENT), 12345,
                                     &line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delivery),
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_quoting_decides),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_original),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_no_time),
        cmocka_unit_test(test_remembered_minute),
        cmocka_unit_test(test_nul_bytes),
        cmocka_unit_test(test_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
