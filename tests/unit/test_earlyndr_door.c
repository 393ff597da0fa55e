/* postern-earlyndr at the door: whom it refuses, and when it lets everybody in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "confref.h"
#include "earlyndr.h"
#include "earlyndr_peers.h"
#include "fixture.h"
#include "say.h"

enum { HOUR = 3600 * 1000 }; /* ms */

static const struct smfiDesc *const milter = &earlyndr_program.description;

static void refused_with_the_servers_words(void **state)
{
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define P50 "%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%"
#define LONG_LOCAL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG LONG_LOCAL "@" LONG_LOCAL ".example"
    static const struct {
        const char *label, *known, *text, *recipient, *begin, *end;
    } cases[] = {
        {"as it was said", "no@b.example", SAID "550 5.1.1 no such user" TO, "<no@b.example>",
         "<no@b.example>", "550 5.1.1 no such user"},
        {"the domain in another case", "no@b.example", SAID "550 5.1.1 no such user" TO,
         "<no@B.Example>", "<no@B.Example>", "550 5.1.1 no such user"},
        {"per cent", "no@b.example", SAID "550 5.1.1 100% sure, %s %n %" TO, "<no@b.example>",
         "<no@b.example>", "550 5.1.1 100% sure, %s %n %"},
        {"per cent in the address", "50%off@b.example", SAID "550 no" TO, "<50%off@b.example>",
         "<50%off@b.example>", "550 no"},
        {"control characters and UTF-8", "no@b.example",
         SAID "550 5.1.1 \x1b[31mno\r\nsuch\tuser\x7f \xc3\xa9" TO, "<no@b.example>",
         "<no@b.example>", "550 5.1.1 ?[31mno??such?user? ??"},
        {"no reply: the whole text", "no@b.example", "unknown user: \"no\"", "<no@b.example>",
         "<no@b.example>", "unknown user: \"no\""},
        {"long words are cut", "no@b.example",
         SAID "550 " X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 TO, "<no@b.example>", "<no@b.example>",
         "550 " X50 X50 X50 X50 X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
        {"a long address is not repeated", LONG, SAID "550 no" TO, "<" LONG ">", "recipient",
         "550 no"},
    };

    (void)state;
    fixture_end_state();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};
        char want[1024];
        char when[SAY_MAX];
        int64_t time = clock_now() - HOUR;

        fixture_stop_posternd();
        tear_down(NULL);
        set_up(NULL);
        know_bad_since(cases[i].known, time, cases[i].text);
        go();
        use(REFUSE);
        assert_int_equal(open_connection(&ctx, "203.0.113.1"), SMFIS_CONTINUE);
        assert_int_equal(mail(&ctx, SMTPD, "<s@a.example>", NULL), SMFIS_CONTINUE);
        if (rcpt(&ctx, cases[i].recipient, NULL) != SMFIS_REJECT)
            fail_msg("%s: not refused", cases[i].label);
        snprintf(want, sizeof(want), "550 5.1.1 %s: mx.b.example said on %s: %s", cases[i].begin,
                 say_time(when, time), cases[i].end);
        if (strcmp(ctx.reply, want) != 0)
            fail_msg("%s: \"%s\"", cases[i].label, ctx.reply);
        milter->xxfi_close(&ctx);
        assert_null(ctx.priv);
    }
}

/* However many are doubled, libmilter takes it. */
static void nothing_but_per_cents(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    know_bad_since("%@b.example", clock_now(),
                   SAID "550 " P50 P50 P50 P50 P50 P50 P50 P50 P50 P50 P50 TO);
    go();
    use(REFUSE);
    open_connection(&ctx, "203.0.113.1");
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    assert_int_equal(rcpt(&ctx, "<%@b.example>", NULL), SMFIS_REJECT);
    /* With CRLF at most 512 bytes (RFC 5321 section 4.5.3.1.5). */
    assert_true(strlen(ctx.reply) > 200 && strlen(ctx.reply) <= 510);
    milter->xxfi_close(&ctx);
}

/* One message with one recipient; <no@b.example> is known to be bad. */
static void whom_the_door_refuses(void **state)
{
    static const struct {
        const char *label, *settings;
        enum source source;
        const char *client, *login, *sender, *recipient;
        sfsistat want;
    } cases[] = {
        {"a stranger", REFUSE, SMTPD, "203.0.113.1", NULL, "<s@a.example>", "<no@b.example>",
         SMFIS_REJECT},
        {"the null sender", REFUSE, SMTPD, "203.0.113.1", NULL, "<>", "<no@b.example>",
         SMFIS_REJECT},
        {"a login", REFUSE, SMTPD, "203.0.113.1", "ann", "<s@a.example>", "<no@b.example>",
         SMFIS_REJECT},
        {"a client without an address", REFUSE, SMTPD, "", NULL, "<s@a.example>", "<no@b.example>",
         SMFIS_REJECT},
        {"another address", REFUSE, SMTPD, "203.0.113.1", NULL, "<s@a.example>", "<yes@b.example>",
         SMFIS_CONTINUE},
        {"another case", REFUSE, SMTPD, "203.0.113.1", NULL, "<s@a.example>", "<NO@b.example>",
         SMFIS_CONTINUE},
        {"another domain", REFUSE, SMTPD, "203.0.113.1", NULL, "<s@a.example>", "<no@c.example>",
         SMFIS_CONTINUE},
        {"no domain", REFUSE, SMTPD, "203.0.113.1", NULL, "<s@a.example>", "<no>", SMFIS_CONTINUE},
        {"nobody", REFUSE, SMTPD, "203.0.113.1", NULL, "<s@a.example>", "<>", SMFIS_CONTINUE},
        {"observing", OBSERVE REFUSE, SMTPD, "203.0.113.1", NULL, "<s@a.example>", "<no@b.example>",
         SMFIS_CONTINUE},
        {"cleanup(8) cannot refuse", REFUSE, CLEANUP, "", NULL, "<s@a.example>", "<no@b.example>",
         SMFIS_CONTINUE},
        {"Postfix's own report must arrive", REFUSE, CLEANUP, "", NULL, "<>", "<no@b.example>",
         SMFIS_CONTINUE},
        {"ndr: a stranger", NDR, SMTPD, "203.0.113.1", NULL, "<s@a.example>", "<no@b.example>",
         SMFIS_REJECT},
        {"ndr: a client without an address", NDR, SMTPD, "", NULL, "<s@a.example>",
         "<no@b.example>", SMFIS_REJECT},
        {"ndr: one of our networks", NDR, SMTPD, "192.0.2.7", NULL, "<s@a.example>",
         "<no@b.example>", SMFIS_CONTINUE},
        {"ndr: the same, IPv4-mapped", NDR, SMTPD, "::ffff:192.0.2.7", NULL, "<s@a.example>",
         "<no@b.example>", SMFIS_CONTINUE},
        {"ndr: one of our networks, IPv6", NDR, SMTPD, "2001:db8::1", NULL, "<s@a.example>",
         "<no@b.example>", SMFIS_CONTINUE},
        {"ndr: a login", NDR, SMTPD, "203.0.113.1", "ann", "<s@a.example>", "<no@b.example>",
         SMFIS_CONTINUE},
        {"ndr: a login that is empty", NDR, SMTPD, "203.0.113.1", "", "<s@a.example>",
         "<no@b.example>", SMFIS_REJECT},
        {"ndr: the null sender gets no report", NDR, SMTPD, "192.0.2.7", "ann", "<>",
         "<no@b.example>", SMFIS_REJECT},
        {"ndr: nor one that no report can be sent to", NDR, SMTPD, "192.0.2.7", "ann",
         "<s\x01@a.example>", "<no@b.example>", SMFIS_REJECT},
        {"ndr: observing", OBSERVE NDR, SMTPD, "203.0.113.1", NULL, "<s@a.example>",
         "<no@b.example>", SMFIS_CONTINUE},
        {"ndr: cleanup(8)", NDR, CLEANUP, "", NULL, "<s@a.example>", "<no@b.example>",
         SMFIS_CONTINUE},
    };

    (void)state;
    know_bad("no@b.example");
    go();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};

        use(cases[i].settings);
        fake_macro(&ctx, "{auth_authen}", cases[i].login);
        assert_int_equal(open_connection(&ctx, cases[i].client), SMFIS_CONTINUE);
        if (mail(&ctx, cases[i].source, cases[i].sender, NULL) != SMFIS_CONTINUE)
            fail_msg("%s: MAIL", cases[i].label);
        if (rcpt(&ctx, cases[i].recipient, NULL) != cases[i].want)
            fail_msg("%s: %s", cases[i].label, cases[i].want == SMFIS_REJECT ? "taken" : "refused");
        if ((ctx.reply[0] != '\0') != (cases[i].want == SMFIS_REJECT))
            fail_msg("%s: replies \"%s\"", cases[i].label, ctx.reply);
        milter->xxfi_close(&ctx);
    }
    assert_int_equal(posternd.questions, 0);
    assert_string_equal(posternd.tested, "");
}

static void switched_off(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    know_bad("no@b.example");
    go();
    use("early_ndr = { mode = \"off\"; };");
    assert_int_equal(open_connection(&ctx, "203.0.113.1"), SMFIS_ACCEPT);
    assert_null(ctx.priv);
    milter->xxfi_close(&ctx);
}

static bool is_refused(const char *recipient)
{
    SMFICTX ctx = {NULL};
    bool refused;

    assert_int_equal(open_connection(&ctx, "203.0.113.1"), SMFIS_CONTINUE);
    assert_int_equal(mail(&ctx, SMTPD, "<s@a.example>", NULL), SMFIS_CONTINUE);
    refused = rcpt(&ctx, recipient, NULL) == SMFIS_REJECT;
    milter->xxfi_close(&ctx);
    return refused;
}

/* So long the milter believes what it saw last (state.c). */
static void wait_until_it_looks_again(void)
{
    const struct timespec time = {1, 100 * 1000 * 1000};

    nanosleep(&time, NULL);
}

/* What it knew may be wrong by now, and nobody would notice. */
static void nothing_is_refused_without_posternd(void **state)
{
    (void)state;
    know_bad("no@b.example");
    fixture_end_state();
    use(REFUSE);
    assert_false(is_refused("<no@b.example>"));
    fixture_start_posternd();
    assert_true(is_refused("<no@b.example>"));
    fixture_stop_posternd();
    wait_until_it_looks_again();
    assert_false(is_refused("<no@b.example>"));
    fixture_start_posternd();
    wait_until_it_looks_again();
    assert_true(is_refused("<no@b.example>"));
}

static void nothing_is_refused_without_a_state(void **state)
{
    char path[128];

    (void)state;
    know_bad("no@b.example");
    fixture_end_state();
    snprintf(path, sizeof(path), "%s/state.mdb", folder);
    assert_int_equal(unlink(path), 0);
    fixture_start_posternd();
    use(REFUSE);
    assert_false(is_refused("<no@b.example>"));
}

/* posternd puts a damaged state aside and begins another. */
static void another_state_is_noticed(void **state)
{
    char path[128], aside[128];

    (void)state;
    know_bad("old@b.example");
    go();
    use(REFUSE);
    assert_true(is_refused("<old@b.example>"));
    assert_false(is_refused("<new@b.example>"));
    snprintf(path, sizeof(path), "%s/state.mdb", folder);
    snprintf(aside, sizeof(aside), "%s/state.mdb.bad", folder);
    assert_int_equal(rename(path, aside), 0);
    snprintf(path, sizeof(path), "%s/state.mdb-lock", folder);
    snprintf(aside, sizeof(aside), "%s/state.mdb.bad-lock", folder);
    assert_int_equal(rename(path, aside), 0);
    fixture_begin_state();
    know_bad("new@b.example");
    fixture_end_state();
    wait_until_it_looks_again();
    assert_false(is_refused("<old@b.example>"));
    assert_true(is_refused("<new@b.example>"));
}

static void one_message_tries_an_old_address(void **state)
{
    static const struct {
        const char *label;
        int64_t age;
        enum may may;
        bool asked, refused;
    } cases[] = {
        {"young: no question", 11 * HOUR, YES, false, true},
        {"old, and this one may", 13 * HOUR, YES, true, false},
        {"old, and another did", 13 * HOUR, NO, true, true},
        {"old, and nobody can be asked", 13 * HOUR, UNASKABLE, true, false},
        {"too old: no question", 25 * HOUR, NO, false, false},
        {"learned in the future", -HOUR, NO, false, false},
    };
    char address[64], recipient[64], asked[64];
    SMFICTX ctx = {NULL};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(address, sizeof(address), "no%zu@b.example", i);
        know_bad_since(address, clock_now() - cases[i].age, SAID "550 no" TO);
    }
    go();
    use("early_ndr = { mode = \"refuse\"; lifetime = 86400; };");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        posternd.test = cases[i].may;
        posternd.tested[0] = '\0';
        snprintf(recipient, sizeof(recipient), "<no%zu@B.example.>", i);
        snprintf(asked, sizeof(asked), "recipient no%zu@b.example|", i);
        if (is_refused(recipient) != cases[i].refused)
            fail_msg("%s: %s", cases[i].label, cases[i].refused ? "taken" : "refused");
        if (strcmp(posternd.tested, cases[i].asked ? asked : "") != 0)
            fail_msg("%s: asked \"%s\"", cases[i].label, posternd.tested);
    }
    /* What Postfix itself sends back arrives, and uses no try up. */
    posternd.tested[0] = '\0';
    open_connection(&ctx, "");
    mail(&ctx, CLEANUP, "<>", NULL);
    assert_int_equal(rcpt(&ctx, "<no1@b.example>", NULL), SMFIS_CONTINUE);
    assert_string_equal(posternd.tested, "");
    milter->xxfi_close(&ctx);
}

static void mail_is_accepted_when_something_fails(void **state)
{
    SMFICTX ctx = {.fail = 1};

    (void)state;
    know_bad("no@b.example");
    go();
    use(REFUSE);
    assert_int_equal(open_connection(&ctx, "203.0.113.1"), SMFIS_ACCEPT);
    assert_int_equal(mail(&ctx, SMTPD, "<s@a.example>", NULL), SMFIS_ACCEPT);
    assert_int_equal(rcpt(&ctx, "<no@b.example>", NULL), SMFIS_CONTINUE);
    assert_int_equal(header(&ctx, "Subject", "x"), SMFIS_CONTINUE);
    body(&ctx, "x", 1);
    assert_int_equal(eom(&ctx, ID), SMFIS_CONTINUE);
    assert_int_equal(milter->xxfi_abort(&ctx), SMFIS_CONTINUE);
    assert_int_equal(milter->xxfi_close(&ctx), SMFIS_CONTINUE);
    /* A reply that libmilter does not take. */
    ctx.fail = 0;
    open_connection(&ctx, "203.0.113.1");
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    ctx.fail = 1;
    assert_int_equal(rcpt(&ctx, "<no@b.example>", NULL), SMFIS_CONTINUE);
    ctx.fail = 0;
    milter->xxfi_close(&ctx);
    /* No configuration at all. */
    assert_true(confref_set(NULL, NULL));
    assert_int_equal(open_connection(&ctx, "203.0.113.1"), SMFIS_ACCEPT);
    milter->xxfi_close(&ctx);
}

/* --- Threads --- */

static void *converse(void *arg)
{
    bool *wrong = arg;

    for (int i = 0; i < 100; i++) {
        SMFICTX ctx = {NULL};
        open_connection(&ctx, "203.0.113.1");
        mail(&ctx, SMTPD, "<s@a.example>", NULL);
        *wrong = *wrong || rcpt(&ctx, "<no@b.example>", NULL) != SMFIS_REJECT ||
                 rcpt(&ctx, "<a@b.example>", NULL) != SMFIS_CONTINUE ||
                 rcpt(&ctx, "<c@b.example>", NULL) != SMFIS_CONTINUE ||
                 eom(&ctx, ID) != SMFIS_CONTINUE;
        milter->xxfi_close(&ctx);
    }
    return NULL;
}

/* Many at once, while the configuration changes: one for the sanitizers. */
static void threads_take_turns(void **state)
{
    pthread_t threads[4];
    bool wrong[4] = {false};
    SMFICTX ctx = {NULL};

    (void)state;
    know_bad("no@b.example");
    go();
    use(REFUSE);
    wait_for_the_outbox();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, converse, &wrong[i]), 0);
    for (int i = 0; i < 50; i++)
        use(i % 2 ? REFUSE : NDR);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        assert_false(wrong[i]);
    open_connection(&ctx, "203.0.113.1");
    assert_int_equal(handed_over(&ctx), 400);
    assert_uint_in_range(envelopes_most_at_once(), 1, 50);
    milter->xxfi_close(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refused_with_the_servers_words),
        TEST(nothing_but_per_cents),
        TEST(whom_the_door_refuses),
        TEST(switched_off),
        TEST(nothing_is_refused_without_posternd),
        TEST(nothing_is_refused_without_a_state),
        TEST(another_state_is_noticed),
        TEST(one_message_tries_an_old_address),
        TEST(mail_is_accepted_when_something_fails),
        TEST(threads_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
