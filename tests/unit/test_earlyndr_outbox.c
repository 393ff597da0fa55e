/* Which messages postern-earlyndr hands over to posternd, and what it says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "earlyndr.h"
#include "earlyndr_peers.h"
#include "envelope.h"

static const struct smfiDesc *const milter = &earlyndr_program.description;

static void which_messages_are_handed_over(void **state)
{
    static const struct {
        const char *label, *settings;
        enum source source;
        const char *sender, *mailer;
        struct rcpt rcpt[3];
        bool want;
    } cases[] = {
        {"a single recipient",
         REFUSE,
         SMTPD,
         "<s@a.example>",
         "smtp",
         {{"<a@b.example>", NULL}},
         false},
        {"two",
         REFUSE,
         SMTPD,
         "<s@a.example>",
         "smtp",
         {{"<a@b.example>", NULL}, {"<c@b.example>", NULL}},
         true},
        {"one, no mailer known",
         REFUSE,
         SMTPD,
         "<s@a.example>",
         NULL,
         {{"<a@b.example>", NULL}},
         false},
        {"one that local(8) may expand",
         REFUSE,
         SMTPD,
         "<s@a.example>",
         "local",
         {{"<list@a.example>", NULL}},
         true},
        {"one in a virtual domain",
         REFUSE,
         SMTPD,
         "<s@a.example>",
         "virtual",
         {{"<list@a.example>", NULL}},
         true},
        {"one that is an alias in a table",
         REFUSE,
         SMTPD,
         "<s@a.example>",
         "error",
         {{"<list@a.example>", NULL}},
         true},
        {"sendmail(1) tells no mailer",
         REFUSE,
         CLEANUP,
         "<s@a.example>",
         NULL,
         {{"<a@b.example>", NULL}},
         true},
        {"the null sender",
         REFUSE,
         SMTPD,
         "<>",
         "local",
         {{"<a@b.example>", NULL}, {"<c@b.example>", NULL}},
         false},
        {"Postfix's own",
         REFUSE,
         CLEANUP,
         "<>",
         NULL,
         {{"<a@b.example>", NULL}, {"<c@b.example>", NULL}},
         false},
        {"a NOTIFY that nobody understands",
         REFUSE,
         SMTPD,
         "<s@a.example>",
         "smtp",
         {{"<a@b.example>", "NOTIFY=MAYBE"}, {"<c@b.example>", NULL}},
         false},
        {"two, one of them dropped",
         NDR,
         SMTPD,
         "<s@a.example>",
         "smtp",
         {{"<a@b.example>", NULL}, {"<no@b.example>", NULL}},
         false},
        {"three, one of them dropped",
         NDR,
         SMTPD,
         "<s@a.example>",
         "smtp",
         {{"<a@b.example>", NULL}, {"<no@b.example>", NULL}, {"<c@b.example>", NULL}},
         true},
        {"all bad: refused",
         NDR,
         SMTPD,
         "<s@a.example>",
         "local",
         {{"<no@b.example>", NULL}, {"<no@b.example>", NULL}},
         false},
    };

    (void)state;
    know_bad("no@b.example");
    go();
    use(REFUSE);
    wait_for_the_outbox();
    posternd.report = DONE;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};

        use(cases[i].settings);
        open_connection(&ctx, "192.0.2.7");
        fake_macro(&ctx, "{rcpt_mailer}", cases[i].mailer);
        send_to(&ctx, cases[i].source, cases[i].sender, cases[i].rcpt, 3);
        fake_macro(&ctx, "{rcpt_mailer}", NULL);
        if (handed_over(&ctx) != cases[i].want)
            fail_msg("%s: %s", cases[i].label, cases[i].want ? "not handed over" : "handed over");
        milter->xxfi_close(&ctx);
    }
}

/* posternd may be starting again. */
static void they_wait_a_little_for_posternd(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    go();
    use(REFUSE);
    wait_for_the_outbox();
    open_connection(&ctx, "203.0.113.1");
    envelopes_refuse(2);
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    rcpt(&ctx, "<a@b.example>", NULL);
    rcpt(&ctx, "<c@b.example>", NULL);
    assert_int_equal(eom(&ctx, ID), SMFIS_CONTINUE);
    assert_int_equal(handed_over(&ctx), 1);
    assert_int_equal(envelopes_refusals_left(), 0);
    milter->xxfi_close(&ctx);
}

/* Nor is one with a queue id that is none. */
static void one_that_was_aborted_is_not(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    go();
    use(REFUSE);
    wait_for_the_outbox();
    open_connection(&ctx, "192.0.2.7");
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    rcpt(&ctx, "<a@b.example>", NULL);
    rcpt(&ctx, "<c@b.example>", NULL);
    milter->xxfi_abort(&ctx);
    assert_int_equal(handed_over(&ctx), 0);
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    rcpt(&ctx, "<a@b.example>", NULL);
    rcpt(&ctx, "<c@b.example>", NULL);
    eom(&ctx, "not an id");
    assert_int_equal(handed_over(&ctx), 0);
    milter->xxfi_close(&ctx);
}

static void the_envelope_is_complete(void **state)
{
    SMFICTX ctx = {NULL};
    struct envelope *e;
    int64_t before = clock_now();
    json_t *json;

    (void)state;
    go();
    use(REFUSE);
    open_connection(&ctx, "203.0.113.1");
    mail(&ctx, SMTPD, "<s@a.example>", "SIZE=100 RET=HDRS ENVID=QQ+2B1 SMTPUTF8");
    rcpt(&ctx, "<a@b.example>", "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o@b.example");
    rcpt(&ctx, "<c@d.example>", NULL);
    header(&ctx, "Subject", "figures,\n\tfolded");
    header(&ctx, "From", "Ann <s@a.example>");
    assert_int_equal(body(&ctx, "text\r\n", 6), SMFIS_SKIP);
    assert_int_equal(eom(&ctx, "4ShGNr1DYKz1bq"), SMFIS_CONTINUE);
    json = await_envelope("4ShGNr1DYKz1bq");
    e = envelope_from_json(json);
    assert_non_null(e);
    assert_string_equal(e->sender, "s@a.example");
    assert_string_equal(e->id, "QQ+1");
    assert_int_equal(e->wanted, ENVELOPE_RETURN_HEADERS);
    assert_true(e->utf8);
    assert_true(e->arrived >= before && e->arrived <= clock_now());
    assert_int_equal(e->count, 2);
    assert_string_equal(e->recipients[0].address, "a@b.example");
    assert_string_equal(e->recipients[0].original, "rfc822;o@b.example");
    assert_int_equal(e->recipients[0].notify, ENVELOPE_SUCCESS | ENVELOPE_FAILURE);
    assert_string_equal(e->recipients[1].address, "c@d.example");
    assert_null(e->recipients[1].original);
    assert_int_equal(e->recipients[1].notify, 0);
    assert_string_equal(e->header, "Subject: figures,\n\tfolded\nFrom: Ann <s@a.example>\n");
    assert_null(e->body);
    envelope_free(&e);
    json_decref(json);
    milter->xxfi_close(&ctx);
}

/* RET=FULL keeps the body, and nobody else's is even read. */
static void whose_body_is_kept(void **state)
{
    static char much[ENVELOPE_BODY_MAX];
    static const struct {
        const char *label, *parameters;
        size_t pieces; /* of `much` */
        bool can_skip;
        sfsistat last;    /* answer */
        const char *want; /* NULL: none */
    } cases[] = {
        {"RET=FULL", "RET=FULL", 0, true, SMFIS_CONTINUE, "one\n.two\n"},
        {"RET=HDRS", "RET=HDRS", 0, true, SMFIS_SKIP, NULL},
        {"no RET", NULL, 0, true, SMFIS_SKIP, NULL},
        {"no RET, and the MTA cannot skip", NULL, 0, false, SMFIS_CONTINUE, NULL},
        {"too long", "RET=FULL", 2, true, SMFIS_SKIP, NULL},
        {"too long, and the MTA cannot skip", "RET=FULL", 2, false, SMFIS_CONTINUE, NULL},
    };

    (void)state;
    memset(much, 'x', sizeof(much));
    go();
    use(REFUSE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};
        const char *is;
        json_t *json;
        char id[16];

        snprintf(id, sizeof(id), "3F1A72C0E%zu", i);
        open_connection(&ctx, "203.0.113.1");
        negotiate(&ctx, cases[i].can_skip ? SMFIP_SKIP : 0);
        mail(&ctx, SMTPD, "<s@a.example>", cases[i].parameters);
        rcpt(&ctx, "<a@b.example>", NULL);
        rcpt(&ctx, "<c@b.example>", NULL);
        header(&ctx, "Subject", "x");
        for (size_t n = 0; n < cases[i].pieces; n++)
            body(&ctx, much, sizeof(much));
        body(&ctx, "one\r", 4);
        if (body(&ctx, "\n.two\r\n", 7) != cases[i].last)
            fail_msg("%s: the answer to a piece of the body", cases[i].label);
        assert_int_equal(eom(&ctx, id), SMFIS_CONTINUE);
        json = await_envelope(id);
        is = json_string_value(json_object_get(json, "body"));
        if ((is == NULL) != (cases[i].want == NULL) || (is && strcmp(is, cases[i].want) != 0))
            fail_msg("%s: \"%s\"", cases[i].label, is ? is : "(none)");
        json_decref(json);
        milter->xxfi_close(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(which_messages_are_handed_over),
        TEST(one_that_was_aborted_is_not),
        TEST(they_wait_a_little_for_posternd),
        TEST(the_envelope_is_complete),
        TEST(whose_body_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
