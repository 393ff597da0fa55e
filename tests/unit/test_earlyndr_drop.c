/* postern-earlyndr with mode = "ndr": who is taken out of a message, and reported instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "earlyndr.h"
#include "earlyndr_peers.h"
#include "envelope.h"
#include "say.h"

static const struct smfiDesc *const milter = &earlyndr_program.description;

static void who_is_dropped(void **state)
{
    static const struct {
        const char *label, *settings;
        enum source source;
        struct rcpt rcpt[4];
        const char *answer; /* of posternd */
        const char *asked;  /* the recipients; NULL: nothing is */
        const char *deleted;
        sfsistat want;
    } cases[] = {
        {"nobody is bad", NDR, SMTPD, {{"<a@b.example>", NULL}}, DONE, NULL, "", SMFIS_CONTINUE},
        {"some are, in the form the client gave",
         NDR,
         SMTPD,
         {{"<a@b.example>", NULL}, {"<no@B.Example>", NULL}, {"<none@b.example>", NULL}},
         DONE,
         "[\"no@B.Example\",\"none@b.example\"]",
         "<no@B.Example>|<none@b.example>|",
         SMFIS_CONTINUE},
        {"without brackets",
         NDR,
         SMTPD,
         {{"no@b.example", NULL}, {"a@b.example", NULL}},
         DONE,
         "[\"no@b.example\"]",
         "no@b.example|",
         SMFIS_CONTINUE},
        {"sendmail(1)",
         NDR,
         CLEANUP,
         {{"<no@b.example>", NULL}, {"<a@b.example>", NULL}},
         DONE,
         "[\"no@b.example\"]",
         "<no@b.example>|",
         SMFIS_CONTINUE},
        {"all are",
         NDR,
         SMTPD,
         {{"<no@b.example>", NULL}, {"<none@b.example>", NULL}},
         DONE,
         NULL,
         "",
         SMFIS_REJECT},
        {"the only one is", NDR, SMTPD, {{"<no@b.example>", NULL}}, DONE, NULL, "", SMFIS_REJECT},
        {"posternd does not report it",
         NDR,
         SMTPD,
         {{"<no@b.example>", NULL}, {"<a@b.example>", NULL}},
         "{\"done\":false}",
         "[\"no@b.example\"]",
         "",
         SMFIS_CONTINUE},
        {"posternd does not answer",
         NDR,
         SMTPD,
         {{"<no@b.example>", NULL}, {"<a@b.example>", NULL}},
         NULL,
         "[\"no@b.example\"]",
         "",
         SMFIS_CONTINUE},
        {"an answer that is none",
         NDR,
         SMTPD,
         {{"<no@b.example>", NULL}, {"<a@b.example>", NULL}},
         "[true]",
         "[\"no@b.example\"]",
         "",
         SMFIS_CONTINUE},
        {"done, but as a word",
         NDR,
         SMTPD,
         {{"<no@b.example>", NULL}, {"<a@b.example>", NULL}},
         "{\"done\":\"true\"}",
         "[\"no@b.example\"]",
         "",
         SMFIS_CONTINUE},
        {"NOTIFY=NEVER: no report is wanted",
         NDR,
         SMTPD,
         {{"<no@b.example>", "NOTIFY=NEVER"}, {"<a@b.example>", NULL}},
         DONE,
         NULL,
         "",
         SMFIS_CONTINUE},
        {"NOTIFY=SUCCESS: nor here",
         NDR,
         SMTPD,
         {{"<no@b.example>", "NOTIFY=SUCCESS,DELAY"}, {"<a@b.example>", NULL}},
         DONE,
         NULL,
         "",
         SMFIS_CONTINUE},
        {"NOTIFY=FAILURE",
         NDR,
         SMTPD,
         {{"<no@b.example>", "NOTIFY=FAILURE"}, {"<a@b.example>", NULL}},
         DONE,
         "[\"no@b.example\"]",
         "<no@b.example>|",
         SMFIS_CONTINUE},
        {"one of two wants none",
         NDR,
         SMTPD,
         {{"<no@b.example>", "NOTIFY=NEVER"}, {"<none@b.example>", NULL}},
         DONE,
         "[\"none@b.example\"]",
         "<none@b.example>|",
         SMFIS_CONTINUE},
        {"the only one wants none",
         NDR,
         SMTPD,
         {{"<no@b.example>", "NOTIFY=NEVER"}},
         DONE,
         NULL,
         "",
         SMFIS_CONTINUE},
        {"a NOTIFY that nobody understands: all is left to Postfix",
         NDR,
         SMTPD,
         {{"<no@b.example>", NULL}, {"<a@b.example>", "NOTIFY=MAYBE"}},
         DONE,
         NULL,
         "",
         SMFIS_CONTINUE},
        {"of the bad one itself",
         NDR,
         SMTPD,
         {{"<a@b.example>", NULL}, {"<no@b.example>", "NOTIFY=MAYBE"}},
         DONE,
         NULL,
         "",
         SMFIS_CONTINUE},
        {"given twice",
         NDR,
         SMTPD,
         {{"<no@b.example>", NULL}, {"<a@b.example>", NULL}, {"<no@b.example>", NULL}},
         DONE,
         "[\"no@b.example\",\"no@b.example\"]",
         "<no@b.example>|<no@b.example>|",
         SMFIS_CONTINUE},
        {"observing",
         OBSERVE NDR,
         SMTPD,
         {{"<no@b.example>", NULL}, {"<a@b.example>", NULL}},
         DONE,
         NULL,
         "",
         SMFIS_CONTINUE},
        {"observing, all are",
         OBSERVE NDR,
         SMTPD,
         {{"<no@b.example>", NULL}},
         DONE,
         NULL,
         "",
         SMFIS_CONTINUE},
        {"mode = refuse, sendmail(1)",
         REFUSE,
         CLEANUP,
         {{"<no@b.example>", NULL}, {"<a@b.example>", NULL}},
         DONE,
         NULL,
         "",
         SMFIS_CONTINUE},
    };

    (void)state;
    know_bad("none@b.example");
    know_bad("no@b.example");
    go();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};

        use(cases[i].settings);
        posternd.report = cases[i].answer;
        posternd.questions = 0;
        posternd.watched = &ctx;
        open_connection(&ctx, "192.0.2.7");
        if (send_to(&ctx, cases[i].source, "<s@a.example>", cases[i].rcpt, 4) != cases[i].want)
            fail_msg("%s: %s", cases[i].label, ctx.reply[0] ? ctx.reply : "not refused");
        if (strcmp(ctx.deleted, cases[i].deleted) != 0)
            fail_msg("%s: took out \"%s\"", cases[i].label, ctx.deleted);
        if (posternd.questions != (cases[i].asked != NULL))
            fail_msg("%s: asked %d times", cases[i].label, posternd.questions);
        if (cases[i].asked)
            assert_question(cases[i].label, "recipients", cases[i].asked);
        milter->xxfi_close(&ctx);
    }
    assert_false(posternd.too_early);
}

/* In reply to the end of the data, with what is known of the first. */
static void all_are_refused_with_the_first_ones_words(void **state)
{
    static const struct rcpt list[] = {{"<no@b.example>", NULL}, {"<none@b.example>", NULL}};
    SMFICTX ctx = {NULL};
    char want[512];
    char when[SAY_MAX];
    int64_t learned;

    (void)state;
    know_bad_since("none@b.example", clock_now(), SAID "550 another" TO);
    learned = know_bad("no@b.example");
    go();
    use(NDR);
    open_connection(&ctx, "192.0.2.7");
    assert_int_equal(send_to(&ctx, SMTPD, "<s@a.example>", list, 2), SMFIS_REJECT);
    snprintf(want, sizeof(want),
             "550 5.1.1 <no@b.example>: mx.b.example said on %s: 550 5.1.1 no such user",
             say_time(when, learned));
    assert_string_equal(ctx.reply, want);
    milter->xxfi_close(&ctx);
}

/* posternd composes the report from the envelope. */
static void the_report_is_asked_for_with_the_envelope(void **state)
{
    static const struct rcpt list[] = {{"<a@b.example>", NULL},
                                       {"<no@b.example>", "ORCPT=rfc822;no+2Bx@b.example"}};
    SMFICTX ctx = {NULL};
    struct envelope *envelope;

    (void)state;
    know_bad("no@b.example");
    go();
    use(NDR);
    posternd.report = DONE;
    open_connection(&ctx, "192.0.2.7");
    assert_int_equal(send_to(&ctx, SMTPD, "<s@a.example>", list, 2), SMFIS_CONTINUE);
    envelope = envelope_from_json(json_object_get(posternd.question, "envelope"));
    assert_non_null(envelope);
    assert_string_equal(envelope->queue_id, ID);
    assert_string_equal(envelope->sender, "s@a.example");
    assert_int_equal(envelope->count, 2);
    assert_string_equal(envelope->recipients[1].original, "rfc822;no+x@b.example");
    assert_string_equal(envelope->header, "Subject: figures\n");
    envelope_free(&envelope);
    milter->xxfi_close(&ctx);
}

/* A queue id that nobody can look for: Postfix has to do it. */
static void nothing_is_dropped_without_a_queue_id(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    know_bad("no@b.example");
    go();
    use(NDR);
    posternd.report = DONE;
    open_connection(&ctx, "192.0.2.7");
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    rcpt(&ctx, "<no@b.example>", NULL);
    rcpt(&ctx, "<a@b.example>", NULL);
    assert_int_equal(eom(&ctx, NULL), SMFIS_CONTINUE);
    assert_string_equal(ctx.deleted, "");
    assert_int_equal(posternd.questions, 0);
    milter->xxfi_close(&ctx);
}

/* Postfix tries it then. */
static void a_recipient_that_cannot_be_taken_out(void **state)
{
    static const struct rcpt list[] = {{"<a@b.example>", NULL}, {"<no@b.example>", NULL}};
    SMFICTX ctx = {NULL};

    (void)state;
    know_bad("no@b.example");
    go();
    use(NDR);
    posternd.report = DONE;
    open_connection(&ctx, "192.0.2.7");
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    for (size_t i = 0; i < 2; i++)
        rcpt(&ctx, list[i].address, NULL);
    ctx.fail = 1;
    assert_int_equal(eom(&ctx, ID), SMFIS_CONTINUE);
    assert_string_equal(ctx.deleted, "");
    milter->xxfi_close(&ctx);
}

/* RSET, a message that is complete, and a MAIL that another milter refused. */
static void each_message_starts_afresh(void **state)
{
    static const struct rcpt good[] = {{"<a@b.example>", NULL}, {"<c@b.example>", NULL}};
    SMFICTX ctx = {NULL};

    (void)state;
    know_bad("no@b.example");
    go();
    use(NDR);
    posternd.report = DONE;
    open_connection(&ctx, "192.0.2.7");
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    rcpt(&ctx, "<no@b.example>", NULL);
    assert_int_equal(milter->xxfi_abort(&ctx), SMFIS_CONTINUE);
    assert_int_equal(eom(&ctx, ID), SMFIS_CONTINUE); /* there is no message */
    assert_int_equal(send_to(&ctx, SMTPD, "<s@a.example>", good, 2), SMFIS_CONTINUE);
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    rcpt(&ctx, "<no@b.example>", NULL);
    assert_int_equal(send_to(&ctx, SMTPD, "<s@a.example>", good, 2), SMFIS_CONTINUE);
    assert_string_equal(ctx.deleted, "");
    assert_int_equal(posternd.questions, 0);
    assert_string_equal(ctx.reply, "");
    /* What a login makes of one message says nothing of the next. */
    use(NDR);
    milter->xxfi_close(&ctx);
    open_connection(&ctx, "203.0.113.1");
    fake_macro(&ctx, "{auth_authen}", "ann");
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    assert_int_equal(rcpt(&ctx, "<no@b.example>", NULL), SMFIS_CONTINUE);
    fake_macro(&ctx, "{auth_authen}", NULL);
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    assert_int_equal(rcpt(&ctx, "<no@b.example>", NULL), SMFIS_REJECT);
    milter->xxfi_abort(&ctx);
    milter->xxfi_abort(&ctx);
    milter->xxfi_close(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_is_dropped),
        TEST(all_are_refused_with_the_first_ones_words),
        TEST(the_report_is_asked_for_with_the_envelope),
        TEST(nothing_is_dropped_without_a_queue_id),
        TEST(a_recipient_that_cannot_be_taken_out),
        TEST(each_message_starts_afresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
