/* Postfix's non-delivery reports: which are understood, and what taking recipients out leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bounce.h"

enum { BOTH_ENDS = 2 };

#define ID "4F2C1A74046"
#define B ID ".1795528255/mail.a.example"

#define PREAMBLE "This is a MIME-encapsulated message.\n\n"
#define NOTICE                                                                                     \
    "--" B "\nContent-Description: Notification\nContent-Type: text/plain; charset=utf-8\n"        \
    "Content-Transfer-Encoding: 8bit\n\n"
#define TEMPLATE                                                                                   \
    "This is the mail system at host mail.a.example.\n\nYour message could not\nbe delivered.\n\n" \
    "                   The mail system\n"
#define STATUS                                                                                     \
    "\n--" B "\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\n"
#define STATUS_UTF8                                                                                \
    "\n--" B "\nContent-Description: Delivery report\nContent-Type: "                              \
    "message/global-delivery-status\nContent-Transfer-Encoding: 8bit\n\n"
#define REPORTING "Reporting-MTA: dns; mail.a.example\n"
#define SENDER "X-Postfix-Sender: rfc822; s@a.example\n"
#define ARRIVAL "Arrival-Date: Tue, 24 Nov 2026 13:50:55 +0000 (UTC)\n"
#define MESSAGE REPORTING "X-Postfix-Queue-ID: " ID "\n" SENDER ARRIVAL
#define ORIGINAL                                                                                   \
    "\n--" B "\nContent-Description: Undelivered Message\nContent-Type: message/rfc822\n"          \
    "Content-Transfer-Encoding: 8bit\n\n"
#define HEADER                                                                                     \
    "\n--" B "\nContent-Description: Undelivered Message Headers\n"                                \
    "Content-Type: text/rfc822-headers\n\n"
#define MAIL                                                                                       \
    "Return-Path: <s@a.example>\nFrom: s@a.example\nSubject: figures\n\nHere are\n\nthe "          \
    "figures.\n"
#define END "\n--" B "--\n"

#define P1                                                                                         \
    "\n<one@b.example>: host mx.b.example[192.0.2.1] said: 550 5.1.1 User unknown (in\n"           \
    "    reply to RCPT TO command)\n"
#define P2                                                                                         \
    "\n<two@b.example> (expanded from <many@a.example>): host mx.b.example[192.0.2.1]\n"           \
    "    said: 550 5.1.1 User unknown (in reply to RCPT TO command)\n"
#define P3 "\n<three@c.example>: mail for c.example loops back to myself\n"
#define G1                                                                                         \
    "\nFinal-Recipient: rfc822; one@b.example\nOriginal-Recipient: rfc822;one@b.example\n"         \
    "Action: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.b.example\n"                               \
    "Diagnostic-Code: smtp; 550 5.1.1 User unknown\n"
#define G2                                                                                         \
    "\nFinal-Recipient: rfc822; two@b.example\nOriginal-Recipient: rfc822;many@a.example\n"        \
    "Action: failed\nStatus: 5.1.1\nRemote-MTA:\n    dns; mx.b.example\n"                          \
    "Diagnostic-Code: smtp; 550 5.1.1 User unknown and much more so that this\n    goes on\n"
#define G3                                                                                         \
    "\nFinal-Recipient: rfc822; three@c.example\nAction: failed\nStatus: 5.4.6\n"                  \
    "Diagnostic-Code: X-Postfix; mail for c.example loops back to myself\n"

#define REPORT(paragraphs, groups)                                                                 \
    PREAMBLE NOTICE TEMPLATE paragraphs STATUS MESSAGE groups ORIGINAL MAIL END

static const char GOOD[] = REPORT(P1 P2 P3, G1 G2 G3);

/* Exactly so long, so that a byte read beyond it is found; with CRLF if so wished. */
static struct slice body_of(struct slice text, bool crlf)
{
    char *copy = malloc(2 * text.len + 1);
    size_t len = 0;

    assert_non_null(copy);
    for (size_t i = 0; i < text.len; i++) {
        if (crlf && text.at[i] == '\n')
            copy[len++] = '\r';
        copy[len++] = text.at[i];
    }
    copy = realloc(copy, len ? len : 1);
    assert_non_null(copy);
    return (struct slice){copy, len};
}

static void body_free(struct slice body)
{
    free((char *)(uintptr_t)body.at);
}

/* Its recipients, each followed by '|'; "" when it is not understood. */
static void recipients(struct slice text, bool crlf, char *got, size_t size)
{
    struct slice body = body_of(text, crlf);
    struct bounce *bounce = bounce_parse(B, body);
    size_t len = 0;

    got[0] = '\0';
    for (size_t i = 0; bounce != NULL && i < bounce_count(bounce); i++)
        len += (size_t)snprintf(got + len, size - len, "%s|", bounce_recipient(bounce, i));
    bounce_free(&bounce);
    assert_null(bounce);
    body_free(body);
}

static void expect(const char *label, struct slice text, const char *want)
{
    char got[1024];

    for (int crlf = 0; crlf < BOTH_ENDS; crlf++) {
        recipients(text, crlf, got, sizeof(got));
        if (strcmp(got, want) != 0)
            fail_msg("%s (%s): %s", label, crlf ? "CRLF" : "LF", got);
    }
}

#define TYPE "multipart/report; report-type=delivery-status;"
#define HOST64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde."

static const struct {
    const char *label;
    const char *type;
    const char *want; /* NULL: none */
} boundaries[] = {
    {"as Postfix writes it", TYPE "\n\tboundary=\"" B "\"", B},
    {"CRLF and blanks around", " " TYPE "\r\n\tboundary=\"" B "\"\r\n ", B},
    {"on one line", TYPE " boundary=\"" B "\"", B},
    {"long queue id", TYPE "\n\tboundary=\"4hCq2T1Zz9zB.1/h\"", "4hCq2T1Zz9zB.1/h"},
    {"longest",
     TYPE "\n\tboundary=\"A.1/" HOST64 HOST64 HOST64 "0123456789abcdef0123456789abcdef"
          "0123456789abcdef0123456789a\"",
     "A.1/" HOST64 HOST64 HOST64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789a"},
    {"too long", TYPE "\n\tboundary=\"A.1/" HOST64 HOST64 HOST64 HOST64 "\"", NULL},
    {"another report",
     "multipart/report; report-type=disposition-notification;\n\tboundary=\"" B "\"", NULL},
    {"another type", "multipart/mixed;\n\tboundary=\"" B "\"", NULL},
    {"another order", "multipart/report; boundary=\"" B "\"; report-type=delivery-status", NULL},
    {"more behind", TYPE "\n\tboundary=\"" B "\"; x=y", NULL},
    {"no quotes", TYPE "\n\tboundary=" B, NULL},
    {"no end", TYPE "\n\tboundary=\"" B, NULL},
    {"empty", TYPE "\n\tboundary=\"\"", NULL},
    {"no queue id", TYPE "\n\tboundary=\".1795528255/mail.a.example\"", NULL},
    {"odd queue id", TYPE "\n\tboundary=\"4F-2.1795528255/mail.a.example\"", NULL},
    {"no time", TYPE "\n\tboundary=\"4F2C1A74046./mail.a.example\"", NULL},
    {"odd time", TYPE "\n\tboundary=\"4F2C1A74046.17x/mail.a.example\"", NULL},
    {"no host", TYPE "\n\tboundary=\"4F2C1A74046.1795528255/\"", NULL},
    {"blank in the host", TYPE "\n\tboundary=\"4F2C1A74046.1795528255/a b\"", NULL},
    {"folded host", TYPE "\n\tboundary=\"4F2C1A74046.1795528255/a\n\tb\"", NULL},
    {"somebody else's", TYPE "\n\tboundary=\"=_0815\"", NULL},
    {"nothing", "", NULL},
};

static void the_boundary_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(boundaries) / sizeof(boundaries[0]); i++) {
        struct slice type = body_of(slice_of(boundaries[i].type), false);
        char got[BOUNCE_BOUNDARY_MAX] = "";
        bool is = bounce_boundary(type, got);
        if (is != (boundaries[i].want != NULL) || (is && strcmp(got, boundaries[i].want) != 0))
            fail_msg("%s: %s", boundaries[i].label, got);
        body_free(type);
    }
}

#define ONE(paragraph, group) REPORT("\n" paragraph "\n", "\n" group "\n")
#define FIELDS "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no"
#define TO(address) "Final-Recipient: rfc822; " address "\n" FIELDS
#define OTHER "4F2C1A7404.1795528255/mail.a.example"
#define NESTED                                                                                     \
    "This is a MIME-encapsulated message.\n\n--" OTHER "\nContent-Description: Notification\n\n"   \
    "\n<x@y.example>: no\n\n--" OTHER "--\n"

static const struct {
    const char *label;
    const char *text;
    const char *want;
} understood[] = {
    {"three recipients", GOOD, "one@b.example|two@b.example|three@c.example|"},
    {"one", REPORT(P2, G2), "two@b.example|"},
    {"the same twice", REPORT(P1 P1, G1 G1), "one@b.example|one@b.example|"},
    {"for postmaster: no template", PREAMBLE NOTICE P1 STATUS MESSAGE G1 ORIGINAL MAIL END,
     "one@b.example|"},
    {"template that looks like paragraphs",
     PREAMBLE NOTICE P1 "\n\n" P2 "\n    \n" P1 STATUS MESSAGE G1 ORIGINAL MAIL END,
     "one@b.example|"},
    {"template in Latin 1, with tabs",
     PREAMBLE NOTICE "\tGr\374\337e\n--\n\n" P1 STATUS MESSAGE G1 ORIGINAL MAIL END,
     "one@b.example|"},
    {"template without a line break before",
     PREAMBLE NOTICE "x\n" P1 STATUS MESSAGE G1 ORIGINAL MAIL END, "one@b.example|"},
    {"only the header returned",
     PREAMBLE NOTICE TEMPLATE P1 STATUS MESSAGE G1 HEADER "Return-Path: <>\nFrom: x\n" END,
     "one@b.example|"},
    {"sender and time unknown",
     PREAMBLE NOTICE TEMPLATE P1 STATUS REPORTING "X-Postfix-Queue-ID: " ID
                                                  "\n" G1 ORIGINAL MAIL END,
     "one@b.example|"},
    {"envelope id",
     PREAMBLE NOTICE TEMPLATE P1 STATUS REPORTING "Original-Envelope-Id: a+b=1\n"
                                                  "X-Postfix-Queue-ID: " ID
                                                  "\n" SENDER ARRIVAL G1 ORIGINAL MAIL END,
     "one@b.example|"},
    {"another mail_name",
     PREAMBLE NOTICE TEMPLATE P1 STATUS REPORTING
     "X-Big-Mail-Queue-ID: " ID
     "\nX-Big-Mail-Sender: rfc822; s@a.example\n" ARRIVAL G1 ORIGINAL MAIL END,
     "one@b.example|"},
    {"SMTPUTF8",
     PREAMBLE NOTICE "\n<b\303\244r@b.example>: no\n" STATUS_UTF8 MESSAGE
                     "\nFinal-Recipient: utf-8; b\303\244r@b.example\n" FIELDS "\n\n--" B
                     "\nContent-Description: Undelivered Message\nContent-Type: message/global\n"
                     "Content-Transfer-Encoding: 8bit\n\n" MAIL END,
     "b\303\244r@b.example|"},
    {"SMTPUTF8, only the header",
     PREAMBLE NOTICE P1 STATUS_UTF8 MESSAGE G1
     "\n--" B "\nContent-Description: Undelivered Message Headers\nContent-Type: "
     "message/global-headers\n\n" MAIL END,
     "one@b.example|"},
    {"original with NUL, 8-bit and lone CR",
     PREAMBLE NOTICE P1 STATUS MESSAGE G1 ORIGINAL "\377\001\r\n \r x\n" END, "one@b.example|"},
    {"original is a report", PREAMBLE NOTICE P1 STATUS MESSAGE G1 ORIGINAL MAIL NESTED END,
     "one@b.example|"},
    {"original that is empty", PREAMBLE NOTICE P1 STATUS MESSAGE G1 ORIGINAL END, "one@b.example|"},
    {"quotes and brackets in the address",
     ONE("<\"a\\\"\\\\>: <b> (expanded from <c>): \"@b.example>: no",
         TO("\"a\\\"\\\\>: <b> (expanded from <c>): \"@b.example")),
     "\"a\\\"\\\\>: <b> (expanded from <c>): \"@b.example|"},
    {"null address", ONE("<<>>: no", TO("<>")), "<>|"},
    {"placeholder", ONE("<(MAILER-DAEMON)>: no", TO("(MAILER-DAEMON)")), "(MAILER-DAEMON)|"},
    {"address wrapped at one blank",
     ONE("<\"john\n    doe\"@b.example>: no", TO("\"john doe\"@b.example")),
     "\"john doe\"@b.example|"},
    {"wrapped before the reason", ONE("<a@b.example>:\n    no", TO("a@b.example")), "a@b.example|"},
    {"wrapped before the origin",
     ONE("<a@b.example>\n    (expanded\n    from\n    <o>):\n    no", TO("a@b.example")),
     "a@b.example|"},
    {"odd origin", ONE("<a@b.example> (expanded from <\">): \"@x>): no", TO("a@b.example")),
     "a@b.example|"},
    {"reason all blank at its end", ONE("<a@b.example>: no\n    ", TO("a@b.example") "\n    "),
     "a@b.example|"},
    {"reason that looks like a paragraph or a boundary",
     ONE("<a@b.example>: no\n    <x@y.example>: no\n    --" B "\n    --" B "--\n    >): ",
         TO("a@b.example") "\n    Action: delivered\n    --" B),
     "a@b.example|"},
    {"diagnosis wrapped at once",
     ONE("<a@b.example>: no", "Final-Recipient: rfc822; a@b.example\n"
                              "Action: failed\nStatus: 5.0.0\nRemote-MTA:\n    dns;\n    "
                              "x\nDiagnostic-Code:\n    smtp;"),
     "a@b.example|"},
};

static void reports_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(understood) / sizeof(understood[0]); i++)
        expect(understood[i].label, slice_of(understood[i].text), understood[i].want);
}

/* GOOD, with the first place of `old` replaced. */
static const struct {
    const char *label;
    const char *old;
    const char *new;
} broken[] = {
    {"preamble", "This is", "This was"},
    {"more preamble", "message.\n\n", "message.\nx\n\n"},
    {"no part for people", NOTICE, "--" B "\n"},
    {"another boundary at first", "--" B "\nContent-Description: Not", "--" OTHER "\nContent-Desc"},
    {"boundary goes on", "--" B "\nContent-Description: Del", "--" B "x\nContent-Description: Del"},
    {"blanks behind a boundary", "--" B "\n", "--" B " \n"},
    {"HTML", "text/plain", "text/html"},
    {"quoted-printable", "8bit\n", "quoted-printable\n"},
    {"another field of MIME", "charset=utf-8\n", "charset=utf-8\nContent-Language: de\n"},
    {"no paragraphs", TEMPLATE P1 P2 P3 "\n", "x\n"},
    {"paragraph missing", P2, ""},
    {"paragraphs in another order", P2 P3, P3 P2},
    {"text behind the paragraphs", P3, P3 "\nBye\n"},
    {"more empty lines behind", P3, P3 "\n"},
    {"paragraphs without an empty line between", P2, "\n<two@b.example>: no" P2},
    {"another address", "<three@", "<tree@"},
    {"address with more in front", "<three@", "<x<three@"},
    {"no bracket", "<three@", " three@"},
    {"address cut off", "<three@c.example>", "<three@c.exampl>"},
    {"address goes on", "<three@c.example>", "<three@c.example.x>"},
    {"no colon", "<three@c.example>:", "<three@c.example>"},
    {"no blank behind the colon", "<three@c.example>: ", "<three@c.example>:"},
    {"origin not named", "(expanded from <many@a.example>):", "(expanded from"},
    {"origin without an end", "<many@a.example>):", "<many@a.example>"},
    {"line of a paragraph not indented", "    said:", "said:"},
    {"line of a paragraph with a tab", "    said:", "\tsaid:"},
    {"control character in a reason", "loops back", "loops\001back"},
    {"DEL in a reason", "loops back", "loops\177back"},
    {"CR in a reason", "loops back", "loops\rback"},
    {"CR at the end of a reason", "myself\n\n", "myself\r\n\n"},
    {"no empty line before the second part", P3 "\n", P3},
    {"another MIME type of the second part", "message/delivery-status", "text/plain"},
    {"base64 in the second part", "message/delivery-status\n",
     "message/delivery-status\n"
     "Content-Transfer-Encoding: base64\n"},
    {"another host", "dns; mail.a.example", "dns; mail.b.example"},
    {"longer host", "dns; mail.a.example", "dns; mail.a.example.x"},
    {"no queue id", "X-Postfix-Queue-ID: " ID "\n", ""},
    {"queue id without a colon", "X-Postfix-Queue-ID: " ID, "X-Postfix-Queue-ID"},
    {"another queue id", "Queue-ID: " ID, "Queue-ID: 4F2C1A74047"},
    {"shorter queue id", "Queue-ID: " ID, "Queue-ID: 4F2C1A7404"},
    {"longer queue id", "Queue-ID: " ID, "Queue-ID: " ID "7"},
    {"two queue ids", "X-Postfix-Queue-ID: " ID "\n",
     "X-Postfix-Queue-ID: " ID "\n"
     "X-Postfix-Queue-ID: " ID "\n"},
    {"not Postfix", "X-Postfix-Queue-ID", "X-Mailer"},
    {"sender of another name", "X-Postfix-Sender", "X-Postfox-Sender"},
    {"sender with a control character", "; s@a", "; \"s\001\"@a"},
    {"sender of another type", "X-Postfix-Sender: rfc822; ", "X-Postfix-Sender: x400; "},
    {"no sender in its field", "; s@a.example", "; "},
    {"another field", ARRIVAL, ARRIVAL "DSN-Gateway: dns; x\n"},
    {"field twice", ARRIVAL, ARRIVAL ARRIVAL},
    {"fields in another order", SENDER ARRIVAL, ARRIVAL SENDER},
    {"no recipients", G1 G2 G3, ""},
    {"group missing", G2, ""},
    {"two empty lines between groups", G2, "\n" G2},
    {"no empty line between groups", "\nFinal-Recipient: rfc822; two",
     "Final-Recipient: rfc822; two"},
    {"line of blanks between groups", "\nFinal-Recipient: rfc822; two",
     "    \nFinal-Recipient: rfc822; two"},
    {"no address", "Final-Recipient: rfc822; one@b.example", "Final-Recipient: rfc822; "},
    {"another type of address", "Final-Recipient: rfc822; one", "Final-Recipient: x400; one"},
    {"another address in the group", "Final-Recipient: rfc822; one",
     "Final-Recipient: rfc822; won"},
    {"delayed", "Action: failed", "Action: delayed"},
    {"relayed", "Action: failed", "Action: relayed"},
    {"expanded", "Action: failed", "Action: expanded"},
    {"delivered", "Action: failed", "Action: delivered"},
    {"action goes on", "Action: failed", "Action: failed "},
    {"no action", "Action: failed\n", ""},
    {"no status", "Status: 5.1.1\n", ""},
    {"no diagnosis", "Diagnostic-Code: smtp; 550 5.1.1 User unknown\n\n", "\n"},
    {"retry announced", G3, G3 "Will-Retry-Until: Sun, 29 Nov 2026 13:51:09 +0000 (UTC)\n"},
    {"another field of a recipient", G3, G3 "X-More: 1\n"},
    {"control character in a field", "5.1.1\nRemote", "5.1.1\001\nRemote"},
    {"CR in a field", "5.1.1\nRemote", "5.1.1\r\nRemote"},
    {"no empty line before the original", G3 "\n", G3},
    {"description of a success", "Undelivered Message", "Message"},
    {"original of another type", "message/rfc822", "text/plain"},
    {"original and description do not agree", "message/rfc822", "text/rfc822-headers"},
    {"no original", ORIGINAL MAIL, ""},
    {"boundary in the original", "Here are\n", "Here are\n--" B "\n"},
    {"end in the original", "Here are\n", "Here are\n--" B "--\n"},
    {"longer boundary in the original", "Here are\n", "Here are\n--" B "xyz\n"},
    {"no end", END, "\n"},
    {"end is no end", "--" B "--", "--" B},
    {"more behind the end", END, END "\n"},
    {"another part behind", END, "\n--" B "\nContent-Type: text/plain\n\nx\n" END},
    {"no line break at the end", END, "\n--" B "--"},
};

static void others_are_not_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        const char *at = strstr(GOOD, broken[i].old);
        char text[sizeof(GOOD) + 1024];
        if (at == NULL)
            fail_msg("%s: not there", broken[i].label);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD), GOOD, broken[i].new,
                 at + strlen(broken[i].old));
        expect(broken[i].label, slice_of(text), "");
    }
}

static void no_part_of_one_is_understood(void **state)
{
    (void)state;
    for (size_t len = 0; len + 1 < sizeof(GOOD); len++)
        expect("beginning", (struct slice){GOOD, len}, "");
    for (size_t start = 1; start < sizeof(GOOD); start++)
        expect("end", (struct slice){GOOD + start, sizeof(GOOD) - 1 - start}, "");
}

static void a_nul_is_not_understood(void **state)
{
    char text[sizeof(GOOD)];

    (void)state;
    memcpy(text, GOOD, sizeof(text));
    *strstr(text, "Final-Recipient: rfc822; one@") = '\0';
    expect("in a group", (struct slice){text, sizeof(GOOD) - 1}, "");
    memcpy(text, GOOD, sizeof(text));
    *strstr(text, "loops") = '\0';
    expect("in a paragraph", (struct slice){text, sizeof(GOOD) - 1}, "");
}

/* One line of the report's own that ends in another way than the rest. */
static void mixed_line_ends_are_not_understood(void **state)
{
    static const char *const lines[] = {"Content-Description: Del", "Action: failed",
                                        "    reply to", "Final-Recipient: rfc822; three"};

    (void)state;
    for (size_t i = 0; i < BOTH_ENDS * sizeof(lines) / sizeof(lines[0]); i++) {
        const char *line = lines[i / BOTH_ENDS];
        struct slice body = body_of(slice_of(GOOD), i % BOTH_ENDS);
        char *at = memmem(body.at, body.len, line, strlen(line));
        struct bounce *bounce;
        assert_non_null(at);
        at = memchr(at, '\n', body.len - (size_t)(at - body.at));
        at[-1] = i % BOTH_ENDS ? 'x' : '\r';
        bounce = bounce_parse(B, body);
        if (bounce != NULL)
            fail_msg("%s", line);
        body_free(body);
    }
}

static void it_says_what_it_is_about(void **state)
{
    struct slice body = body_of(slice_of(GOOD), true);
    struct bounce *bounce = bounce_parse(B, body);

    (void)state;
    assert_non_null(bounce);
    assert_string_equal(bounce_queue_id(bounce), ID);
    assert_string_equal(bounce_sender(bounce), "s@a.example");
    bounce_free(&bounce);
    assert_null(bounce_parse("4F2C1A74046.1795528255/mail.b.example", body));
    assert_null(bounce_parse("4F2C1A74046", body));
    assert_null(bounce_parse("", body));
    body_free(body);
    bounce_free(&bounce);
}

static void the_sender_may_be_unknown(void **state)
{
    static const char text[] =
        PREAMBLE NOTICE P1 STATUS REPORTING "X-Postfix-Queue-ID: " ID "\n" G1 ORIGINAL MAIL END;
    struct bounce *bounce = bounce_parse(B, slice_of(text));

    (void)state;
    assert_non_null(bounce);
    assert_string_equal(bounce_sender(bounce), "");
    bounce_free(&bounce);
}

static const struct {
    const char *label;
    bool drop[3];
    const char *want;
} withouts[] = {
    {"nobody", {false, false, false}, REPORT(P1 P2 P3, G1 G2 G3)},
    {"the first", {true, false, false}, REPORT(P2 P3, G2 G3)},
    {"the one between", {false, true, false}, REPORT(P1 P3, G1 G3)},
    {"the last", {false, false, true}, REPORT(P1 P2, G1 G2)},
    {"all but the first", {false, true, true}, REPORT(P1, G1)},
    {"all but the one between", {true, false, true}, REPORT(P2, G2)},
    {"all but the last", {true, true, false}, REPORT(P3, G3)},
};

static void recipients_are_taken_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < BOTH_ENDS * sizeof(withouts) / sizeof(withouts[0]); i++) {
        bool crlf = i % BOTH_ENDS;
        struct slice body = body_of(slice_of(GOOD), crlf);
        struct slice want = body_of(slice_of(withouts[i / BOTH_ENDS].want), crlf);
        struct bounce *bounce = bounce_parse(B, body);
        size_t len;
        char *got;
        assert_non_null(bounce);
        got = bounce_without(bounce, withouts[i / BOTH_ENDS].drop, &len);
        assert_non_null(got);
        if (len != want.len || memcmp(got, want.at, len) != 0)
            fail_msg("%s: %.*s", withouts[i / BOTH_ENDS].label, (int)len, got);
        free(got);
        bounce_free(&bounce);
        body_free(body);
        body_free(want);
    }
}

/* A report of so many recipients, with an original of 10 MB. */
static struct slice long_report(size_t count)
{
    enum { LINES = 160000 };
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    fputs(PREAMBLE NOTICE TEMPLATE, out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "\n<r%zu@b.example>: no\n    such user\n", i);
    fputs(STATUS MESSAGE, out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "\nFinal-Recipient: rfc822; r%zu@b.example\n" FIELDS "\n", i);
    fputs(ORIGINAL MAIL, out);
    for (size_t i = 0; i < LINES; i++)
        fputs("--" ID ".1795528255/mail.a.exampl, but 64 bytes on this line\n", out);
    fputs(END, out);
    assert_int_equal(fclose(out), 0);
    return (struct slice){text, size};
}

static void half_of_many_are_taken_out(void **state)
{
    static bool drop[BOUNCE_RECIPIENTS_MAX];
    struct slice body = long_report(BOUNCE_RECIPIENTS_MAX), rest;
    struct bounce *bounce = bounce_parse(B, body), *after;
    char want[64];

    (void)state;
    assert_non_null(bounce);
    assert_int_equal(bounce_count(bounce), BOUNCE_RECIPIENTS_MAX);
    for (size_t i = 0; i < BOUNCE_RECIPIENTS_MAX; i++)
        drop[i] = i % 2 == 0;
    rest.at = bounce_without(bounce, drop, &rest.len);
    assert_non_null(rest.at);
    after = bounce_parse(B, rest);
    assert_non_null(after);
    assert_int_equal(bounce_count(after), BOUNCE_RECIPIENTS_MAX / 2);
    for (size_t i = 0; i < bounce_count(after); i++) {
        snprintf(want, sizeof(want), "r%zu@b.example", 2 * i + 1);
        assert_string_equal(bounce_recipient(after, i), want);
    }
    bounce_free(&after);
    bounce_free(&bounce);
    body_free(rest);
    body_free(body);
}

static void too_many_are_not_understood(void **state)
{
    struct slice body = long_report(BOUNCE_RECIPIENTS_MAX + 1);

    (void)state;
    assert_null(bounce_parse(B, body));
    body_free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_boundary_is_found),
        cmocka_unit_test(reports_are_understood),
        cmocka_unit_test(others_are_not_understood),
        cmocka_unit_test(no_part_of_one_is_understood),
        cmocka_unit_test(a_nul_is_not_understood),
        cmocka_unit_test(mixed_line_ends_are_not_understood),
        cmocka_unit_test(it_says_what_it_is_about),
        cmocka_unit_test(the_sender_may_be_unknown),
        cmocka_unit_test(recipients_are_taken_out),
        cmocka_unit_test(half_of_many_are_taken_out),
        cmocka_unit_test(too_many_are_not_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
