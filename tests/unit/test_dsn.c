/*
 * Delivery status notifications. With a folder as argument, every message that is composed is also
 * written there, for check_dsn.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "dsn.h"
#include "text.h"

#define UMLAUT "\xc3\xbc"
#define REASON                                                                                     \
    "host mx.good.example[192.0.2.1] said: 550 5.1.1 <bad@good.example>: Recipient address "       \
    "rejected: User unknown (in reply to RCPT TO command)"
#define HEADER                                                                                     \
    "Received: by client.example\n\t(Postfix)\n"                                                   \
    "Message-ID:\n <one@client.example>\nSubject: Hello\nFrom: ann@a.example\n"

enum { TEXT_WIDTH = 76, LINE_MAX_BYTES = 998, WANTS = 14 };

static const int64_t ARRIVED = INT64_C(1795420800000); /* 2026-11-23 08:00:00 UTC */
static const int64_t DAY = INT64_C(86400000);

static const char *folder; /* where composed messages go; NULL: nowhere */

static const struct dsn_recipient bad = {
    .address = "bad@good.example",
    .status = "5.1.1",
    .remote_mta = "mx.good.example",
    .diagnostic = "550 5.1.1 <bad@good.example>: Recipient address rejected: User unknown",
    .reason = REASON,
};

static const struct dsn_recipient late = {
    .address = "late@slow.example",
    .original = "rfc822;Late@Slow.example",
    .status = "4.4.1",
    .reason = "connect to mx.slow.example[192.0.2.2]:25: Connection timed out",
    .last_attempt = INT64_C(1795424400000),
    .retry_until = INT64_C(1795852800000),
};

/* What all reports have, to begin with. */
static struct dsn_report report_about(const struct dsn_recipient *recipients, size_t count)
{
    return (struct dsn_report){
        .action = DSN_FAILED,
        .host = "mail.a.example",
        .to = "ann@a.example",
        .queue_id = "4bZ1x20",
        .arrived = ARRIVED,
        .now = ARRIVED + DAY,
        .nonce = UINT64_C(0x0123456789abcdef),
        .recipients = recipients,
        .count = count,
        .header = slice_of(HEADER),
    };
}

static size_t occurrences(const char *text, const char *what)
{
    size_t n = 0;

    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

/* The text between the beginning of one part and the next delimiter; free() it. */
static char *part(const char *message, const char *begin)
{
    const char *at = strstr(message, begin);
    const char *end = at ? strstr(at, "\n--=_postern_") : NULL;

    assert_non_null(end);
    return strndup(at, (size_t)(end - at));
}

/* The boundary stands in the header, before each part and at the end; nowhere else. */
static void check_boundary(const char *label, const char *message)
{
    const char *at = strstr(message, "boundary=\"");
    char boundary[80];

    assert_non_null(at);
    at += strlen("boundary=\"");
    slice_copy(boundary, sizeof(boundary), (struct slice){at, strcspn(at, "\"")});
    if (occurrences(message, boundary) != 5)
        fail_msg("%s: the boundary occurs %zu times", label, occurrences(message, boundary));
}

/* `width` is in bytes, so it is for ASCII. */
static void check_lines(const char *label, const char *text, size_t width)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (len > width && memchr(text, ' ', len) != NULL)
            fail_msg("%s: %zu bytes: %.*s", label, len, (int)len, text);
        text += len + (text[len] == '\n');
    }
}

static void check_text(const char *label, const char *text)
{
    const char *end = text + strlen(text);

    while (text < end) {
        size_t len = text_utf8_length(text, (size_t)(end - text));
        if (len == 0 || (len == 1 && *text != '\n' && *text != '\t' && *text < ' '))
            fail_msg("%s: byte %d in \"%.30s\"", label, *text, text);
        text += len;
    }
}

static void save(const char *label, const char *message, size_t len)
{
    static int number;
    char path[512];
    FILE *out;

    if (folder == NULL)
        return;
    snprintf(path, sizeof(path), "%s/%02d %s", folder, ++number, label);
    out = fopen(path, "w");
    assert_non_null(out);
    fwrite(message, 1, len, out);
    fclose(out);
}

/* Composes, and checks what is true of every report. */
static char *compose(const char *label, const struct dsn_report *report)
{
    size_t len = 0;
    char *message = dsn_compose(report, &len);

    if (message == NULL)
        fail_msg("%s: not composed", label);
    assert_int_equal(strlen(message), len);
    save(label, message, len);
    check_boundary(label, message);
    check_lines(label, message, LINE_MAX_BYTES);
    check_text(label, message);
    return message;
}

static void expect_texts(const char *label, const char *message, const char *const wants[WANTS],
                         const char *const not [WANTS])
{
    for (int i = 0; i < WANTS && wants[i]; i++)
        if (strstr(message, wants[i]) == NULL)
            fail_msg("%s: no \"%s\" in\n%s", label, wants[i], message);
    for (int i = 0; i < WANTS && not [i]; i++)
        if (strstr(message, not [i]) != NULL)
            fail_msg("%s: \"%s\" in\n%s", label, not [i], message);
}

/* All of one, byte for byte. */
static void one_recipient(void **state)
{
    static const char want[] =
        "From: Mail Delivery System <MAILER-DAEMON@mail.a.example>\n"
        "To: <ann@a.example>\n"
        "Subject: Undelivered Mail Returned to Sender\n"
        "References: <one@client.example>\n"
        "In-Reply-To: <one@client.example>\n"
        "Auto-Submitted: auto-replied\n"
        "MIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status;\n"
        "\tboundary=\"=_postern_0123456789abcdef\"\n"
        "\n"
        "This is a message in MIME format.\n"
        "\n"
        "--=_postern_0123456789abcdef\n"
        "Content-Description: Notification\n"
        "Content-Type: text/plain; charset=us-ascii\n"
        "\n"
        "This is Postern at host mail.a.example, which looks after outgoing mail.\n"
        "\n"
        "Your message could not be delivered to this address:\n"
        "\n"
        "<bad@good.example>: host mx.good.example[192.0.2.1] said: 550 5.1.1\n"
        "    <bad@good.example>: Recipient address rejected: User unknown (in reply\n"
        "    to RCPT TO command)\n"
        "\n"
        "What to do: please check the address for typing errors, and send your\n"
        "message once more to the right one. If it is right, ask the recipient in\n"
        "another way whether it is still in use.\n"
        "\n"
        "If your message has other recipients, they are not affected by this: it was\n"
        "delivered to them, or is still on its way. Do not send it to them again.\n"
        "\n"
        "For help, write to postmaster@mail.a.example and enclose this report. The\n"
        "header of your message is attached.\n"
        "\n"
        "--=_postern_0123456789abcdef\n"
        "Content-Description: Delivery report\n"
        "Content-Type: message/delivery-status\n"
        "\n"
        "Reporting-MTA: dns; mail.a.example\n"
        "Original-Envelope-Id: QQ+1 = 2\n"
        "X-Postern-Queue-ID: 4bZ1x20\n"
        "X-Postern-Sender: rfc822; ann@a.example\n"
        "Arrival-Date: Mon, 23 Nov 2026 08:00:00 +0000\n"
        "\n"
        "Final-Recipient: rfc822; bad@good.example\n"
        "Action: failed\n"
        "Status: 5.1.1\n"
        "Remote-MTA: dns; mx.good.example\n"
        "Diagnostic-Code: smtp; 550 5.1.1 <bad@good.example>: Recipient address\n"
        "    rejected: User unknown\n"
        "\n"
        "--=_postern_0123456789abcdef\n"
        "Content-Description: Undelivered Message Headers\n"
        "Content-Type: text/rfc822-headers\n"
        "\n" HEADER "\n"
        "--=_postern_0123456789abcdef--\n";
    struct dsn_report report = report_about(&bad, 1);
    char *message;

    (void)state;
    report.id = "QQ+1 = 2";
    message = compose("one recipient", &report);
    assert_string_equal(message, want);
    free(message);
}

static const struct dsn_recipient two[] = {
    {.address = "bad@good.example",
     .original = "rfc822;sales@good.example",
     .expanded = "sales@a.example",
     .status = "5.1.1",
     .remote_mta = "mx.good.example",
     .diagnostic = "550 5.1.1 unknown",
     .reason = REASON,
     .last_attempt = INT64_C(1782900000000)},
    {.address = "\"full box\"@good.example", .status = "5.2.2", .reason = "mailbox is full"},
};

static const struct {
    const char *label;
    struct dsn_recipient recipient;
    enum dsn_action action;
    bool utf8;
    const char *wants[WANTS];
    const char * not [WANTS];
} single[] = {
    {.label = "no remote reply",
     .recipient = {.address = "a@b", .status = "5.4.4", .reason = "Host not found"},
     .wants = {"\nDiagnostic-Code: X-Postern; Host not found\n", "\nStatus: 5.4.4\n",
               "\n<a@b>: Host not found\n", "What to do: the reason is given above."},
     .not = {"Remote-MTA", "Last-Attempt-Date", "Will-Retry-Until", "Original-Recipient",
             "Original-Envelope-Id", "expanded"}},
    {.label = "a reply that is none",
     .recipient =
         {.address = "a@b", .status = "5.0.0", .remote_mta = "c", .diagnostic = "gone away"},
     .wants = {"\nDiagnostic-Code: X-Postern; gone away\n", "\n<a@b>: gone away\n"}},
    {.label = "nothing is known",
     .recipient = {.address = "a@b"},
     .wants = {"\nStatus: 5.0.0\n", "\n<a@b>: no reason was given\n"},
     .not = {"Diagnostic-Code"}},
    {.label = "status of another class",
     .recipient = {.address = "a@b", .status = "4.4.1", .reason = "x"},
     .wants = {"\nStatus: 5.0.0\n"}},
    {.label = "status that is none",
     .recipient = {.address = "a@b", .status = "5.1.1\nAction: delivered", .reason = "x"},
     .wants = {"\nStatus: 5.0.0\n"},
     .not = {"delivered\n"}},
    {.label = "status of three digits",
     .recipient = {.address = "a@b", .status = "5.123.456", .reason = "x"},
     .wants = {"\nStatus: 5.123.456\n"}},
    {.label = "status of four digits",
     .recipient = {.address = "a@b", .status = "5.1.1234", .reason = "x"},
     .wants = {"\nStatus: 5.0.0\n"}},
    {.label = "null MX",
     .recipient = {.address = "a@b", .status = "5.1.10", .reason = "no mail here"},
     .wants = {"What to do: please check the address"}},
    {.label = "the sender was refused",
     .recipient = {.address = "a@b", .status = "5.1.8", .reason = "no such sender"},
     .wants = {"What to do: the reason is given above."}},
    {.label = "line breaks and control characters",
     .recipient = {.address = "a\r\nBcc: x@y\n\n--\x1b@b",
                   .original = "rfc822;a\n\nb",
                   .status = "5.0.0",
                   .remote_mta = "mx\nStatus: 2.0.0",
                   .diagnostic = "550 a\r\n\r\n\x9b\xc2\x9b",
                   .reason = "b\n\nc\td\x7f"},
     .wants = {"\nFinal-Recipient: rfc822; a  Bcc: x@y  --?@b\n",
               "\nOriginal-Recipient: rfc822; a  b\n", "\nRemote-MTA: dns; mx Status: 2.0.0\n",
               "\nDiagnostic-Code: smtp; 550 a ??\n", ">: b c d?\n"}},
    {.label = "8 bits without SMTPUTF8",
     .recipient = {.address = "m" UMLAUT "+x@b",
                   .original = "utf-8;m" UMLAUT "\xf0\x9f\x93\xac\\@b",
                   .status = "5.0.0",
                   .remote_mta = "mx" UMLAUT,
                   .diagnostic = "550 \xe2\x82\xac",
                   .reason = "M\xfcller m" UMLAUT "ller"},
     .wants = {"\nFinal-Recipient: utf-8; m\\x{FC}\\x{2B}x@b\n",
               "\nOriginal-Recipient: utf-8; m\\x{FC}\\x{1F4EC}\\x{5C}@b\n",
               "\nRemote-MTA: dns; mx\\x{FC}\n", "\nDiagnostic-Code: smtp; 550 \\x{20AC}\n",
               "\nContent-Type: message/delivery-status\n\n",
               "text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n",
               "\nContent-Type: text/rfc822-headers\n\n",
               "\n<m" UMLAUT "+x@b>: M?ller m" UMLAUT "ller\n",
               "\"\nContent-Transfer-Encoding: 8bit\n"}},
    {.label = "8 bits with SMTPUTF8",
     .recipient = {.address = "m" UMLAUT "+x@b",
                   .original = "rfc822;m" UMLAUT "@b",
                   .status = "5.0.0",
                   .remote_mta = "mx" UMLAUT,
                   .diagnostic = "550 \xe2\x82\xac",
                   .reason = "x"},
     .utf8 = true,
     .wants = {"\nFinal-Recipient: utf-8; m" UMLAUT "+x@b\n",
               "\nOriginal-Recipient: utf-8; m" UMLAUT "@b\n", "\nRemote-MTA: dns; mx" UMLAUT "\n",
               "\nDiagnostic-Code: smtp; 550 \xe2\x82\xac\n",
               "message/global-delivery-status\nContent-Transfer-Encoding: 8bit\n\n",
               "\nContent-Type: message/global-headers\n\n"}},
    {.label = "SMTPUTF8 and ASCII only",
     .recipient = {.address = "a@b", .status = "5.0.0", .reason = "x"},
     .utf8 = true,
     .wants = {"\nFinal-Recipient: rfc822; a@b\n", "message/global-delivery-status\n\n"},
     .not = {"Content-Transfer-Encoding"}},
    {.label = "an original of another type",
     .recipient = {.address = "a@b", .original = "x400;/C=xx/", .status = "5.0.0", .reason = "x"},
     .wants = {"\nOriginal-Recipient: x400; /C=xx/\n"}},
    {.label = "an original without a type",
     .recipient = {.address = "a@b", .original = "c@d", .status = "5.0.0", .reason = "x"},
     .wants = {"\nOriginal-Recipient: rfc822; c@d\n"}},
    {.label = "delayed with a status of 5",
     .recipient = {.address = "a@b", .status = "5.1.1", .reason = "x"},
     .action = DSN_DELAYED,
     .wants = {"\nAction: delayed\nStatus: 4.0.0\n", "You need not do anything now."},
     .not = {"Will-Retry-Until", "tried until"}},
};

static void single_recipients(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        struct dsn_report report = report_about(&single[i].recipient, 1);
        char *message;

        report.action = single[i].action;
        report.utf8 = single[i].utf8;
        message = compose(single[i].label, &report);
        expect_texts(single[i].label, message, single[i].wants, single[i].not );
        free(message);
    }
}

static void several_recipients(void **state)
{
    static const char *const wants[WANTS] = {
        "could not be delivered to these 2 addresses:",
        "\n<bad@good.example> (expanded from <sales@a.example>): host\n    mx.good",
        "\n<\"full box\"@good.example>: mailbox is full\n",
        "please check the addresses for typing errors",
        "\nFinal-Recipient: rfc822; \"full box\"@good.example\nAction: failed\nStatus: 5.2.2\n",
        "\n\nOriginal-Recipient: rfc822; sales@good.example\nFinal-Recipient: rfc822; bad@",
        "\nLast-Attempt-Date: Wed, 1 Jul 2026 10:00:00 +0000\n",
    };
    static const char *const not [WANTS] = {NULL};
    struct dsn_report report = report_about(two, 2);
    char *message = compose("several recipients", &report);

    (void)state;
    expect_texts("several recipients", message, wants, not );
    free(message);
}

static void a_delay(void **state)
{
    static const char *const wants[WANTS] = {
        "\nSubject: Delayed Mail (still being retried)\n",
        "\nThis is only a warning: your message is still being tried, and there is no\nneed to "
        "send",
        "could not be delivered to this address so far:",
        "\n    Delivery is tried until 2026-11-28 08:00:00 +0000.\n",
        "\nThe next attempt is in an hour.\n",
        "\nOriginal-Recipient: rfc822; Late@Slow.example\nFinal-Recipient: rfc822; late@slow",
        "\nAction: delayed\nStatus: 4.4.1\nDiagnostic-Code: X-Postern; connect to mx.slow",
        "\nLast-Attempt-Date: Mon, 23 Nov 2026 09:00:00 +0000\n",
        "\nWill-Retry-Until: Sat, 28 Nov 2026 08:00:00 +0000\n",
    };
    static const char *const not [WANTS] = {"You need not", "Returned to Sender", "What to do"};
    struct dsn_report report = report_about(&late, 1);
    char *message;

    (void)state;
    report.action = DSN_DELAYED;
    report.summary = "The next attempt is in an hour.";
    message = compose("delay", &report);
    expect_texts("delay", message, wants, not );
    free(message);
}

/* Other parameters of the report than its recipients. */
static const struct {
    const char *label;
    const char *header, *body;
    const char *to, *summary;
    bool utf8;
    const char *wants[WANTS];
    const char * not [WANTS];
} returned[] = {
    {.label = "no header",
     .header = "",
     .wants = {"\nContent-Type: text/rfc822-headers\n\n\n--"},
     .not = {"References", "In-Reply-To"}},
    {.label = "header without a line end at its end",
     .header = "Subject: x",
     .wants = {"\n\nSubject: x\n\n--"}},
    {.label = "header with 8 bits",
     .header = "Subject: m" UMLAUT "\n",
     .wants = {"text/rfc822-headers; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nSubj",
               "\"\nContent-Transfer-Encoding: 8bit\n", "charset=us-ascii"}},
    {.label = "header with 8 bits and SMTPUTF8",
     .header = "Subject: m" UMLAUT "\n",
     .utf8 = true,
     .wants = {"message/global-headers\nContent-Transfer-Encoding: 8bit\n\nSubj"}},
    {.label = "body",
     .header = HEADER,
     .body = "Hello\n.\n--x\nbye",
     .wants = {"Content-Description: Undelivered Message\nContent-Type: message/rfc822\n\nRec",
               "\nFrom: ann@a.example\n\nHello\n.\n--x\nbye\n\n--=_postern",
               "this report. A copy\nof your message is attached.\n"}},
    {.label = "body with 8 bits and SMTPUTF8",
     .header = HEADER,
     .body = "m" UMLAUT "\n",
     .utf8 = true,
     .wants = {"Content-Type: message/global\nContent-Transfer-Encoding: 8bit\n\nRec",
               "\nm" UMLAUT "\n"}},
    {.label = "CRLF",
     .header = "A: b\r\nC: d\r\n",
     .body = "x\r\n",
     .wants = {"\nA: b\nC: d\n\nx\n\n--"}},
    {.label = "message id in capitals",
     .header = "A: b\n <no@such>\nMESSAGE-ID: <a.b@c>\n",
     .wants = {"\nReferences: <a.b@c>\nIn-Reply-To: <a.b@c>\n"}},
    {.label = "no message id in it",
     .header = "Message-ID: here it is\n",
     .not = {"References", "In-Reply-To"}},
    {.label = "two in it", .header = "Message-ID: <a@b>\n <c@d>\n", .not = {"References"}},
    {.label = "message id with 8 bits",
     .header = "Message-ID: <" UMLAUT "@b>\n",
     .not = {"References"}},
    {.label = "empty message id", .header = "Message-ID:\nA: <b@c>\n", .not = {"References"}},
    {.label = "message id of another field",
     .header = "X-Message-ID: <a@b>\nA: b\n Message-ID: <c@d>\n",
     .not = {"References"}},
    {.label = "summary",
     .header = HEADER,
     .summary = "There were 3 attempts.",
     .wants = {"\n\nThere were 3 attempts.\n\nFor help"}},
    {.label = "sender with line breaks",
     .header = HEADER,
     .to = "a@b>\nBcc: <c@d",
     .wants = {"\nTo: <a@b> Bcc: <c@d>\n", "\nX-Postern-Sender: rfc822; a@b> Bcc: <c@d\n"}},
    {.label = "sender with 8 bits",
     .header = HEADER,
     .to = UMLAUT "@b",
     .wants = {"\nTo: <" UMLAUT "@b>\n", "\nX-Postern-Sender: utf-8; \\x{FC}@b\n"}},
};

static void returned_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(returned) / sizeof(returned[0]); i++) {
        struct dsn_report report = report_about(&bad, 1);
        char *message;

        report.header = slice_of(returned[i].header);
        if (returned[i].body)
            report.body = slice_of(returned[i].body);
        if (returned[i].to)
            report.to = returned[i].to;
        report.summary = returned[i].summary;
        report.utf8 = returned[i].utf8;
        message = compose(returned[i].label, &report);
        expect_texts(returned[i].label, message, returned[i].wants, returned[i].not );
        free(message);
    }
}

static void no_text_can_hold_the_boundary(void **state)
{
    static const char first[] = "A: x\n--=_postern_0123456789abcdef--\n";
    static const char both[] = "--=_postern_0123456789abcdef\n--=_postern_0123456789abcdf0\n";
    struct dsn_report report = report_about(&bad, 1);
    char *message;

    (void)state;
    report.header = slice_of(first);
    message = compose("boundary in the header", &report);
    assert_non_null(strstr(message, "boundary=\"=_postern_0123456789abcdf0\""));
    free(message);
    report.body = slice_of(both);
    report.summary = "--=_postern_0123456789abcdf1";
    message = compose("boundary in the body and the summary", &report);
    assert_non_null(strstr(message, "boundary=\"=_postern_0123456789abcdf2\""));
    free(message);
    report.nonce = UINT64_MAX;
    free(compose("the last nonce", &report));
}

/* Strangers' texts of any length, without blanks and with them. */
static void long_texts(void **state)
{
    enum { LONG = 20000 };
    static const char *const units[] = {"x", "x ", UMLAUT, "\xf0\x9f\x93\xac", "\xff", "\\"};
    char *text = malloc(LONG + 8);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < 2 * sizeof(units) / sizeof(units[0]); i++) {
        struct dsn_recipient recipient = {text, text, text,    text,   text,
                                          text, text, ARRIVED, ARRIVED};
        struct dsn_report report = report_about(&recipient, 1);

        *text = '\0';
        for (char *at = text; at < text + LONG;)
            at = stpcpy(at, units[i / 2]);
        report.to = report.id = report.host = report.queue_id = report.summary = text;
        report.utf8 = i % 2;
        free(compose("long texts", &report));
    }
    free(text);
}

static void the_text_is_wrapped(void **state)
{
    struct dsn_report report = report_about(two, 2);
    char *message = compose("wrapped", &report);
    char *text = part(message, "This is Postern");

    (void)state;
    check_lines("text", text, TEXT_WIDTH);
    free(text);
    free(message);
}

static void many_recipients(void **state)
{
    enum { MANY = 10000 };
    struct dsn_recipient *list = calloc(MANY, sizeof(*list));
    struct dsn_report report = report_about(list, MANY);
    char *message;

    (void)state;
    assert_non_null(list);
    for (size_t i = 0; i < MANY; i++)
        list[i] = bad;
    message = compose("many", &report);
    assert_int_equal(occurrences(message, "\nFinal-Recipient: "), MANY);
    assert_int_equal(occurrences(message, "\n<bad@good.example>: "), MANY);
    free(message);
    free(list);
}

static void dates(void **state)
{
    static const struct {
        const char *zone;
        int64_t ms;
        const char *want; /* NULL: no field */
    } cases[] = {
        {"UTC", INT64_C(1795420800999), "Mon, 23 Nov 2026 08:00:00 +0000"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1795420800000), "Mon, 23 Nov 2026 09:00:00 +0100"},
        {"XXX3:30", INT64_C(1795420800000), "Mon, 23 Nov 2026 04:30:00 -0330"},
        {"UTC", INT64_C(951782400000), "Tue, 29 Feb 2000 00:00:00 +0000"},
        {"UTC", INT64_C(253402300799000), "Fri, 31 Dec 9999 23:59:59 +0000"},
        {"UTC", INT64_C(253402300800000), NULL},
        {"UTC", INT64_MAX, NULL},
        {"UTC", 0, NULL},
        {"UTC", -1, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct dsn_report report = report_about(&bad, 1);
        char want[80];
        char *message;

        setenv("TZ", cases[i].zone, 1);
        tzset();
        report.arrived = cases[i].ms;
        message = compose("date", &report);
        snprintf(want, sizeof(want), "\nArrival-Date: %s\n", cases[i].want ? cases[i].want : "");
        if ((strstr(message, cases[i].want ? want : "Arrival-Date") != NULL) != !!cases[i].want)
            fail_msg("%lld: %s", (long long)cases[i].ms, message);
        free(message);
    }
    setenv("TZ", "UTC", 1);
    tzset();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_recipient),      cmocka_unit_test(single_recipients),
        cmocka_unit_test(several_recipients), cmocka_unit_test(a_delay),
        cmocka_unit_test(returned_messages),  cmocka_unit_test(no_text_can_hold_the_boundary),
        cmocka_unit_test(long_texts),         cmocka_unit_test(the_text_is_wrapped),
        cmocka_unit_test(many_recipients),    cmocka_unit_test(dates),
    };

    folder = argc > 1 ? argv[1] : NULL;
    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
