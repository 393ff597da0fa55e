/* What postern-earlyndr makes of Postfix's own reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "earlyndr.h"
#include "earlyndr_peers.h"
#include "fixture.h"

enum { PIECE = 7 };

static const struct smfiDesc *const milter = &earlyndr_program.description;

#define OF "4F2C1A74046"
#define BOUNDARY OF ".1795528255/mail.a.example"
#define TYPE "multipart/report; report-type=delivery-status;\n\tboundary=\"" BOUNDARY "\""
#define MIXED "multipart/mixed; boundary=\"x\""

#define BEGIN                                                                                      \
    "This is a MIME-encapsulated message.\r\n\r\n"                                                 \
    "--" BOUNDARY "\r\nContent-Description: Notification\r\n"                                      \
    "Content-Type: text/plain; charset=us-ascii\r\n\r\n"                                           \
    "This is the mail system at host mail.a.example.\r\n\r\n"                                      \
    "                   The mail system\r\n"
#define STATUS                                                                                     \
    "\r\n--" BOUNDARY "\r\nContent-Description: Delivery report\r\n"                               \
    "Content-Type: message/delivery-status\r\n\r\n"                                                \
    "Reporting-MTA: dns; mail.a.example\r\nX-Postfix-Queue-ID: " OF "\r\n"                         \
    "X-Postfix-Sender: rfc822; s@a.example\r\n"                                                    \
    "Arrival-Date: Tue, 24 Nov 2026 13:50:55 +0000 (UTC)\r\n"
#define END                                                                                        \
    "\r\n--" BOUNDARY "\r\nContent-Description: Undelivered Message\r\n"                           \
    "Content-Type: message/rfc822\r\n\r\n"                                                         \
    "From: s@a.example\r\nSubject: figures \xe9\r\n\r\nbytes \x01\xff\r\n"                         \
    "\r\n--" BOUNDARY "--\r\n"
#define P(name) "\r\n<" name "@b.example>: host mx.b.example[192.0.2.1] said: 550 no\r\n"
#define G(name)                                                                                    \
    "\r\nFinal-Recipient: rfc822; " name "@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"       \
    "Remote-MTA: dns; mx.b.example\r\nDiagnostic-Code: smtp; 550 no\r\n"

#define REPORT BEGIN P("one") P("two") STATUS G("one") G("two") END
#define WITHOUT_ONE BEGIN P("two") STATUS G("two") END
#define WITHOUT_TWO BEGIN P("one") STATUS G("one") END

static void send_body(SMFICTX *ctx, const char *text, size_t len)
{
    for (size_t at = 0; at < len; at += PIECE)
        if (body(ctx, text + at, len - at < PIECE ? len - at : PIECE) == SMFIS_SKIP)
            return;
}

#define ANSWER(list) "{\"done\":true,\"reported\":" list "}"

static void what_becomes_of_a_report(void **state)
{
    static const struct {
        const char *label, *settings;
        enum source source;
        const char *sender;
        const char *types[3]; /* of the header */
        const char *body;
        const char *answer;
        bool asked;
        sfsistat want;
        const char *reduced; /* NULL: it stays as it is */
    } cases[] = {
        {"both reported",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[true,true]"),
         true,
         SMFIS_DISCARD,
         NULL},
        {"the first one",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[true,false]"),
         true,
         SMFIS_CONTINUE,
         WITHOUT_ONE},
        {"the second one",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[false,true]"),
         true,
         SMFIS_CONTINUE,
         WITHOUT_TWO},
        {"neither",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[false,false]"),
         true,
         SMFIS_CONTINUE,
         NULL},
        {"a null sender without brackets",
         REFUSE,
         CLEANUP,
         "",
         {TYPE},
         REPORT,
         ANSWER("[true,true]"),
         true,
         SMFIS_DISCARD,
         NULL},
        {"also in mode ndr",
         NDR,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[true,true]"),
         true,
         SMFIS_DISCARD,
         NULL},
        {"no",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         "{\"done\":false,\"reported\":[true,true]}",
         true,
         SMFIS_CONTINUE,
         NULL},
        {"no answer", REFUSE, CLEANUP, "<>", {TYPE}, REPORT, NULL, true, SMFIS_CONTINUE, NULL},
        {"no list", REFUSE, CLEANUP, "<>", {TYPE}, REPORT, DONE, true, SMFIS_CONTINUE, NULL},
        {"a word for a list",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("\"true\""),
         true,
         SMFIS_CONTINUE,
         NULL},
        {"an object for a list",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("{\"a\":true,\"b\":true}"),
         true,
         SMFIS_CONTINUE,
         NULL},
        {"a bare list",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         "[true,true]",
         true,
         SMFIS_CONTINUE,
         NULL},
        {"words for yes",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[\"true\",1]"),
         true,
         SMFIS_CONTINUE,
         NULL},
        {"too few",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[true]"),
         true,
         SMFIS_CONTINUE,
         NULL},
        {"none at all",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[]"),
         true,
         SMFIS_CONTINUE,
         NULL},
        {"too many",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[true,true,true]"),
         true,
         SMFIS_CONTINUE,
         NULL},
        {"observing",
         OBSERVE REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"somebody's mail by sendmail(1)",
         REFUSE,
         CLEANUP,
         "<s@a.example>",
         {TYPE},
         REPORT,
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"by smtpd(8): anybody may send it",
         REFUSE,
         SMTPD,
         "<>",
         {TYPE},
         REPORT,
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"no Content-Type",
         REFUSE,
         CLEANUP,
         "<>",
         {NULL},
         REPORT,
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"another Content-Type",
         REFUSE,
         CLEANUP,
         "<>",
         {MIXED},
         REPORT,
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"two, the second one another",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE, MIXED},
         REPORT,
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"two, the first one another",
         REFUSE,
         CLEANUP,
         "<>",
         {MIXED, TYPE},
         REPORT,
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"two that are the same: Postfix writes one",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE, TYPE},
         REPORT,
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"an empty body",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         "",
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"a body that is no report",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         "Hello\r\n",
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
        {"something behind it",
         REFUSE,
         CLEANUP,
         "<>",
         {TYPE},
         BEGIN P("one") P("two") STATUS G("one") G("two") END "x",
         ANSWER("[true,true]"),
         false,
         SMFIS_CONTINUE,
         NULL},
    };

    (void)state;
    know_message(OF);
    go();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};
        sfsistat status;

        use(cases[i].settings);
        posternd.bounce = cases[i].answer;
        posternd.questions = 0;
        open_connection(&ctx, "");
        mail(&ctx, cases[i].source, cases[i].sender, NULL);
        rcpt(&ctx, "<s@a.example>", NULL);
        header(&ctx, "Subject", "Undelivered Mail Returned to Sender");
        for (size_t n = 0; cases[i].types[n]; n++)
            header(&ctx, n ? "content-type" : "Content-Type", cases[i].types[n]);
        send_body(&ctx, cases[i].body, strlen(cases[i].body));
        status = eom(&ctx, ID);
        if (status != cases[i].want)
            fail_msg("%s: %d", cases[i].label, (int)status);
        if (posternd.questions != cases[i].asked)
            fail_msg("%s: asked %d times", cases[i].label, posternd.questions);
        if (ctx.replaced != (cases[i].reduced != NULL))
            fail_msg("%s: replaced %d times", cases[i].label, ctx.replaced);
        if (cases[i].reduced && strcmp(ctx.body, cases[i].reduced) != 0)
            fail_msg("%s: the body is now:\n%s", cases[i].label, ctx.body);
        if (cases[i].asked) {
            assert_question(cases[i].label, "queue_id", "\"" OF "\"");
            assert_question(cases[i].label, "report", "\"" ID "\"");
            assert_question(cases[i].label, "recipients", "[\"one@b.example\",\"two@b.example\"]");
        }
        assert_string_equal(ctx.deleted, "");
        assert_string_equal(ctx.reply, "");
        milter->xxfi_close(&ctx);
    }
}

static sfsistat send_report(SMFICTX *ctx, const char *text, size_t len)
{
    mail(ctx, CLEANUP, "<>", NULL);
    rcpt(ctx, "<s@a.example>", NULL);
    header(ctx, "Content-Type", TYPE);
    send_body(ctx, text, len);
    return eom(ctx, ID);
}

/* Only what the door told of can have been reported early: there is nothing to ask about. */
static void a_message_that_is_not_known(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    know_message("4F2C1A7404");
    go();
    use(REFUSE);
    posternd.bounce = ANSWER("[true,true]");
    open_connection(&ctx, "");
    assert_int_equal(send_report(&ctx, REPORT, sizeof(REPORT) - 1), SMFIS_CONTINUE);
    assert_int_equal(posternd.questions, 0);
    assert_int_equal(ctx.replaced, 0);
    milter->xxfi_close(&ctx);
}

static void a_report_without_posternd(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    know_message(OF);
    fixture_end_state();
    use(REFUSE);
    posternd.bounce = ANSWER("[true,true]");
    open_connection(&ctx, "");
    assert_int_equal(send_report(&ctx, REPORT, sizeof(REPORT) - 1), SMFIS_CONTINUE);
    assert_int_equal(posternd.questions, 0);
    milter->xxfi_close(&ctx);
}

static void a_body_that_cannot_be_replaced(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    know_message(OF);
    go();
    use(REFUSE);
    posternd.bounce = ANSWER("[true,false]");
    open_connection(&ctx, "");
    ctx.fail = 1;
    assert_int_equal(send_report(&ctx, REPORT, sizeof(REPORT) - 1), SMFIS_CONTINUE);
    assert_int_equal(ctx.replaced, 0);
    milter->xxfi_close(&ctx);
}

/* Nothing of one report gets into the next, nor into a message. */
static void each_report_starts_afresh(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    know_message(OF);
    go();
    use(REFUSE);
    posternd.bounce = ANSWER("[true,true]");
    open_connection(&ctx, "");
    assert_int_equal(send_report(&ctx, REPORT, sizeof(REPORT) - 1), SMFIS_DISCARD);
    assert_int_equal(send_report(&ctx, REPORT, sizeof(REPORT) - 1), SMFIS_DISCARD);
    assert_int_equal(eom(&ctx, ID), SMFIS_CONTINUE); /* there is none */
    /* Aborted in the middle. */
    mail(&ctx, CLEANUP, "<>", NULL);
    rcpt(&ctx, "<s@a.example>", NULL);
    header(&ctx, "Content-Type", TYPE);
    send_body(&ctx, REPORT, 300);
    milter->xxfi_abort(&ctx);
    assert_int_equal(send_report(&ctx, REPORT, sizeof(REPORT) - 1), SMFIS_DISCARD);
    /* A body without the header before it. */
    mail(&ctx, CLEANUP, "<>", NULL);
    rcpt(&ctx, "<s@a.example>", NULL);
    send_body(&ctx, REPORT, sizeof(REPORT) - 1);
    assert_int_equal(eom(&ctx, ID), SMFIS_CONTINUE);
    assert_int_equal(posternd.questions, 3);
    milter->xxfi_close(&ctx);
}

/* Longer than any that Postfix makes: it is not kept in memory, and passes. */
static void a_report_without_end(void **state)
{
    static char much[1 << 20];
    SMFICTX ctx = {NULL};
    int pieces = 0;

    (void)state;
    memset(much, 'x', sizeof(much));
    know_message(OF);
    go();
    use(REFUSE);
    open_connection(&ctx, "");
    mail(&ctx, CLEANUP, "<>", NULL);
    rcpt(&ctx, "<s@a.example>", NULL);
    header(&ctx, "Content-Type", TYPE);
    while (pieces < 100 && body(&ctx, much, sizeof(much)) == SMFIS_CONTINUE)
        pieces++;
    assert_int_equal(pieces, 16);
    assert_int_equal(body(&ctx, "x", 1), SMFIS_SKIP);
    assert_int_equal(eom(&ctx, ID), SMFIS_CONTINUE);
    milter->xxfi_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_becomes_of_a_report),  TEST(a_message_that_is_not_known),
        TEST(a_report_without_posternd), TEST(a_body_that_cannot_be_replaced),
        TEST(each_report_starts_afresh), TEST(a_report_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
