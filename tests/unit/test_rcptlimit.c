/* postern-rcptlimit's callbacks: what they ask and answer when Postfix calls them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "confref.h"
#include "fake_milter.h"
#include "fixture.h"
#include "rcptlimit.h"

#define RULE(text) "recipient_limits = { inbound = ( " text " ); };"

static const struct smfiDesc *const milter = &rcptlimit_program.description;

static void use(const char *text)
{
    assert_true(confref_set(fixture_config(text), NULL));
}

static sfsistat open_connection(SMFICTX *ctx, const char *address)
{
    return fake_connect(ctx, milter, address);
}

static sfsistat mail(SMFICTX *ctx, const char *sender)
{
    char *argv[] = {(char *)sender, (char *)"BODY=8BITMIME", NULL};

    return milter->xxfi_envfrom(ctx, argv);
}

static sfsistat rcpt(SMFICTX *ctx, const char *recipient)
{
    char *argv[] = {(char *)recipient, (char *)"NOTIFY=NEVER", NULL};

    return milter->xxfi_envrcpt(ctx, argv);
}

static void assert_limit(SMFICTX *ctx, int limit)
{
    for (int i = 0; i < limit; i++)
        assert_int_equal(rcpt(ctx, "<r@b.example>"), SMFIS_CONTINUE);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rcpt(ctx, "<r@b.example>"), SMFIS_TEMPFAIL);
}

static void the_surplus_gets_452(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    use(RULE("{ limit = 20; }"));
    assert_int_equal(open_connection(&ctx, "192.0.2.1"), SMFIS_CONTINUE);
    assert_int_equal(mail(&ctx, "<s@a.example>"), SMFIS_CONTINUE);
    assert_limit(&ctx, 20);
    assert_string_equal(ctx.reply, "452 4.5.3 Too many recipients: 20 are allowed in one "
                                   "transaction; send the rest in another");
    assert_int_equal(milter->xxfi_close(&ctx), SMFIS_CONTINUE);
    assert_null(ctx.priv);
}

static void or_550(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    use(RULE("{ limit = 1; action = \"reject\"; }"));
    open_connection(&ctx, "192.0.2.1");
    mail(&ctx, "<>");
    assert_int_equal(rcpt(&ctx, "<r@b.example>"), SMFIS_CONTINUE);
    assert_int_equal(rcpt(&ctx, "<r@b.example>"), SMFIS_REJECT);
    assert_string_equal(ctx.reply, "550 5.5.3 Too many recipients: 1 is allowed in one message");
    milter->xxfi_close(&ctx);
}

/* RSET, a message that is complete, and a MAIL that another milter refused. */
static void each_transaction_starts_afresh(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    use(RULE("{ limit = 2; }"));
    open_connection(&ctx, "192.0.2.1");
    mail(&ctx, "<>");
    assert_limit(&ctx, 2);
    assert_int_equal(milter->xxfi_abort(&ctx), SMFIS_CONTINUE);
    mail(&ctx, "<>");
    assert_limit(&ctx, 2);
    mail(&ctx, "<>");
    assert_limit(&ctx, 2);
    milter->xxfi_abort(&ctx);
    milter->xxfi_abort(&ctx);
    milter->xxfi_close(&ctx);
}

/* Whom the rules apply to, as libmilter tells of them. */
static void the_client_is_known(void **state)
{
    static const struct {
        const char *label;
        const char *rule;
        const char *address;     /* of the socket */
        const char *client_addr; /* the macro */
        const char *login;
        bool limited;
    } cases[] = {
        {"IPv4", "networks = (\"192.0.2.0/24\");", "192.0.2.1", NULL, NULL, true},
        {"other IPv4", "networks = (\"192.0.2.0/24\");", "192.0.3.1", NULL, NULL, false},
        {"IPv6", "networks = (\"2001:db8::/32\");", "2001:db8::1", NULL, NULL, true},
        {"IPv4-mapped", "networks = (\"192.0.2.0/24\");", "::ffff:192.0.2.1", NULL, NULL, true},
        {"macro alone", "networks = (\"2001:db8::/32\");", "", "IPv6:2001:db8::1", NULL, true},
        {"nothing known", "networks = (\"0.0.0.0/0\", \"::/0\");", "", NULL, NULL, false},
        {"login", "logins = (\"ann\");", "::1", NULL, "ann", true},
        {"other login", "logins = (\"ann\");", "::1", NULL, "bob", false},
        {"no login", "logins = (\"*\");", "::1", NULL, NULL, false},
        {"sender", "sender_domains = (\"a.example\");", "::1", NULL, NULL, true},
        {"other sender", "sender_domains = (\"b.example\");", "::1", NULL, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};
        char text[256];
        snprintf(text, sizeof(text), RULE("{ limit = 1; %s }"), cases[i].rule);
        use(text);
        fake_macro(&ctx, "{client_addr}", cases[i].client_addr);
        fake_macro(&ctx, "{auth_authen}", cases[i].login);
        assert_int_equal(open_connection(&ctx, cases[i].address), SMFIS_CONTINUE);
        /* SMFIS_ACCEPT: Postfix need not ask about the recipients. */
        if (mail(&ctx, "<s@a.example>") != (cases[i].limited ? SMFIS_CONTINUE : SMFIS_ACCEPT))
            fail_msg("%s: MAIL", cases[i].label);
        rcpt(&ctx, "<r@b.example>");
        if (rcpt(&ctx, "<r@b.example>") != (cases[i].limited ? SMFIS_TEMPFAIL : SMFIS_CONTINUE))
            fail_msg("%s: RCPT", cases[i].label);
        milter->xxfi_close(&ctx);
    }
}

/* AUTH comes after the connection, and a login may change between messages. */
static void the_login_is_asked_for_at_each_mail(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    use(RULE("{ limit = 1; logins = (\"*\"); }"));
    open_connection(&ctx, "192.0.2.1");
    assert_int_equal(mail(&ctx, "<>"), SMFIS_ACCEPT);
    fake_macro(&ctx, "{auth_authen}", "ann");
    assert_int_equal(mail(&ctx, "<>"), SMFIS_CONTINUE);
    assert_limit(&ctx, 1);
    milter->xxfi_close(&ctx);
}

static void a_connection_keeps_its_configuration(void **state)
{
    SMFICTX old = {NULL};
    SMFICTX new = {NULL};

    (void)state;
    use(RULE("{ limit = 1; }"));
    open_connection(&old, "192.0.2.1");
    mail(&old, "<>");
    use(RULE("{ limit = 3; }"));
    open_connection(&new, "192.0.2.1");
    mail(&new, "<>");
    assert_limit(&new, 3);
    assert_limit(&old, 1);
    mail(&old, "<>");
    assert_limit(&old, 1);
    milter->xxfi_close(&old);
    milter->xxfi_close(&new);
}

static void mail_is_accepted_when_something_fails(void **state)
{
    SMFICTX ctx = {.fail = 1};

    (void)state;
    use(RULE("{ limit = 1; }"));
    assert_int_equal(open_connection(&ctx, "192.0.2.1"), SMFIS_ACCEPT);
    assert_int_equal(mail(&ctx, "<>"), SMFIS_ACCEPT);
    assert_int_equal(rcpt(&ctx, "<r@b.example>"), SMFIS_CONTINUE);
    milter->xxfi_abort(&ctx);
    milter->xxfi_close(&ctx);
    /* No configuration at all. */
    ctx.fail = 0;
    assert_true(confref_set(NULL, NULL));
    assert_int_equal(open_connection(&ctx, "192.0.2.1"), SMFIS_ACCEPT);
    milter->xxfi_close(&ctx);
    /* A reply that libmilter does not take. */
    use(RULE("{ limit = 1; }"));
    open_connection(&ctx, "192.0.2.1");
    mail(&ctx, "<>");
    rcpt(&ctx, "<r@b.example>");
    ctx.fail = 1;
    assert_int_equal(rcpt(&ctx, "<r@b.example>"), SMFIS_CONTINUE);
    milter->xxfi_close(&ctx);
}

static void observing_refuses_nobody(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    use("enforce = false; " RULE("{ limit = 1; }"));
    open_connection(&ctx, "192.0.2.1");
    mail(&ctx, "<>");
    for (int i = 0; i < 4; i++)
        assert_int_equal(rcpt(&ctx, "<r@b.example>"), SMFIS_CONTINUE);
    assert_string_equal(ctx.reply, "");
    milter->xxfi_close(&ctx);
}

/* Many threads at once, while the configuration changes: one for the sanitizers. */
static void *converse(void *arg)
{
    bool *wrong = arg;

    for (int i = 0; i < 200; i++) {
        SMFICTX ctx = {NULL};
        open_connection(&ctx, "192.0.2.1");
        mail(&ctx, "<>");
        int accepted = 0;
        for (int n = 0; n < 5; n++)
            accepted += rcpt(&ctx, "<r@b.example>") == SMFIS_CONTINUE;
        *wrong = *wrong || accepted < 1 || accepted > 2;
        milter->xxfi_close(&ctx);
    }
    return NULL;
}

static void threads_do_not_meet(void **state)
{
    pthread_t threads[4];
    bool wrong[4] = {false};

    (void)state;
    use(RULE("{ limit = 1; }"));
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, converse, &wrong[i]), 0);
    for (int i = 0; i < 50; i++)
        use(i % 2 ? RULE("{ limit = 1; }") : RULE("{ limit = 2; }"));
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        assert_false(wrong[i]);
}

static int put_away(void **state)
{
    (void)state;
    return confref_set(NULL, NULL) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_surplus_gets_452),
        cmocka_unit_test(or_550),
        cmocka_unit_test(each_transaction_starts_afresh),
        cmocka_unit_test(the_client_is_known),
        cmocka_unit_test(the_login_is_asked_for_at_each_mail),
        cmocka_unit_test(a_connection_keeps_its_configuration),
        cmocka_unit_test(mail_is_accepted_when_something_fails),
        cmocka_unit_test(observing_refuses_nobody),
        cmocka_unit_test(threads_do_not_meet),
    };

    return cmocka_run_group_tests(tests, NULL, put_away);
}
