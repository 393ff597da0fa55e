/* Envelopes: what libmilter gives, what is kept of it, and the way through JSON and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "envelope.h"
#include "xtext.h"

enum { NOW = 1795420800, ARGUMENTS = 5 };

#define UMLAUT "\xc3\xbc"

static const char *or_none(const char *text)
{
    return text ? text : "(none)";
}

static void expect_text(const char *label, const char *is, const char *want)
{
    if (strcmp(or_none(is), or_none(want)) != 0)
        fail_msg("%s: is \"%s\", want \"%s\"", label, or_none(is), or_none(want));
}

static void expect_number(const char *label, unsigned is, unsigned want)
{
    if (is != want)
        fail_msg("%s: is %u, want %u", label, is, want);
}

static char *repeated(char c, size_t n)
{
    char *text = malloc(n + 1);

    assert_non_null(text);
    memset(text, c, n);
    text[n] = '\0';
    return text;
}

static struct envelope *envelope_from(const char *sender)
{
    char *mail[] = {(char *)sender, NULL};
    struct envelope *envelope = envelope_new(mail, NOW);

    assert_non_null(envelope);
    assert_true(envelope_set_queue_id(envelope, "4bZ1x20"));
    return envelope;
}

static const struct {
    const char *label;
    const char *mail[ARGUMENTS];
    const char *sender; /* NULL: no envelope */
    const char *id;
    enum envelope_return wanted;
    bool utf8;
} senders[] = {
    {.label = "address only", .mail = {"<a@b.example>"}, .sender = "a@b.example"},
    {.label = "without < >", .mail = {"a@b.example"}, .sender = "a@b.example"},
    {.label = "null sender", .mail = {"<>"}, .sender = ""},
    {.label = "null sender, bare", .mail = {""}, .sender = ""},
    {.label = "quoted", .mail = {"<\"a>b c\"@d.example>"}, .sender = "\"a>b c\"@d.example"},
    {.label = "source route",
     .mail = {"<@r.example,@s.example:a@b.example>"},
     .sender = "a@b.example"},
    {.label = "colon, no route", .mail = {"<\"@x:y\"@b.example>"}, .sender = "\"@x:y\"@b.example"},
    {.label = "UTF-8",
     .mail = {"<m" UMLAUT "ller@b.example>", "SMTPUTF8"},
     .sender = "m" UMLAUT "ller@b.example",
     .utf8 = true},
    {.label = "not UTF-8", .mail = {"<m\xfcller@b.example>"}},
    {.label = "line break", .mail = {"<a\r\nb@c.example>"}},
    {.label = "open bracket", .mail = {"<a@b.example"}},
    {.label = "open bracket only", .mail = {"<"}},
    {.label = "nothing", .mail = {NULL}},
    {.label = "all parameters",
     .mail = {"<a@b.example>", "RET=HDRS", "ENVID=QQ+2B1+3D", "BODY=8BITMIME"},
     .sender = "a@b.example",
     .id = "QQ+1=",
     .wanted = ENVELOPE_RETURN_HEADERS},
    {.label = "lower case",
     .mail = {"<a@b.example>", "ret=full", "envid=x", "smtputf8"},
     .sender = "a@b.example",
     .id = "x",
     .wanted = ENVELOPE_RETURN_FULL,
     .utf8 = true},
    {.label = "RET of another value",
     .mail = {"<a@b.example>", "RET=SOME"},
     .sender = "a@b.example"},
    {.label = "RET without a value",
     .mail = {"<a@b.example>", "RET", "RET="},
     .sender = "a@b.example"},
    {.label = "ENVID, malformed xtext",
     .mail = {"<a@b.example>", "ENVID=a+2"},
     .sender = "a@b.example"},
    {.label = "ENVID with a line break",
     .mail = {"<a@b.example>", "ENVID=a+0D+0Ab"},
     .sender = "a@b.example"},
    {.label = "empty ENVID", .mail = {"<a@b.example>", "ENVID="}, .sender = "a@b.example"},
    {.label = "two ENVIDs: the first",
     .mail = {"<a@b.example>", "ENVID=x", "ENVID=y"},
     .sender = "a@b.example",
     .id = "x"},
    {.label = "names that only begin so",
     .mail = {"<a@b.example>", "ENVIDX=x", "RETX=FULL"},
     .sender = "a@b.example"},
};

static void senders_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
        const char *label = senders[i].label;
        struct envelope *envelope = envelope_new((char *const *)senders[i].mail, NOW);

        expect_text(label, envelope ? envelope->sender : NULL, senders[i].sender);
        if (envelope) {
            expect_text(label, envelope->id, senders[i].id);
            expect_number(label, envelope->wanted, senders[i].wanted);
            expect_number(label, envelope->utf8, senders[i].utf8);
            assert_int_equal(envelope->arrived, NOW);
        }
        envelope_free(&envelope);
        assert_null(envelope);
    }
}

static const struct {
    const char *label;
    const char *rcpt[ARGUMENTS];
    const char *address; /* NULL: the envelope is unfit */
    const char *original;
    unsigned notify;
} recipients[] = {
    {.label = "address only", .rcpt = {"<r@b.example>"}, .address = "r@b.example"},
    {.label = "all parameters",
     .rcpt = {"<r@b.example>", "NOTIFY=SUCCESS,FAILURE,DELAY", "ORCPT=rfc822;r+2B1@b.example"},
     .address = "r@b.example",
     .original = "rfc822;r+1@b.example",
     .notify = ENVELOPE_SUCCESS | ENVELOPE_FAILURE | ENVELOPE_DELAY},
    {.label = "lower case",
     .rcpt = {"<r@b.example>", "notify=never", "orcpt=RFC822;r@b.example"},
     .address = "r@b.example",
     .original = "RFC822;r@b.example",
     .notify = ENVELOPE_NEVER},
    {.label = "a word twice",
     .rcpt = {"<r@b.example>", "NOTIFY=DELAY,DELAY"},
     .address = "r@b.example",
     .notify = ENVELOPE_DELAY},
    {.label = "NEVER with another", .rcpt = {"<r@b.example>", "NOTIFY=FAILURE,NEVER"}},
    {.label = "unknown word", .rcpt = {"<r@b.example>", "NOTIFY=FAILURE,ALWAYS"}},
    {.label = "empty word", .rcpt = {"<r@b.example>", "NOTIFY=FAILURE,"}},
    {.label = "empty NOTIFY", .rcpt = {"<r@b.example>", "NOTIFY="}},
    {.label = "NOTIFY without a value", .rcpt = {"<r@b.example>", "NOTIFY"}},
    {.label = "NOTIFY twice", .rcpt = {"<r@b.example>", "NOTIFY=FAILURE", "NOTIFY=NEVER"}},
    {.label = "a blank in NOTIFY", .rcpt = {"<r@b.example>", "NOTIFY=FAILURE, DELAY"}},
    {.label = "beginning of a word", .rcpt = {"<r@b.example>", "NOTIFY=FAIL"}},
    {.label = "ORCPT without a type",
     .rcpt = {"<r@b.example>", "ORCPT=r@b.example"},
     .address = "r@b.example"},
    {.label = "ORCPT with an empty type",
     .rcpt = {"<r@b.example>", "ORCPT=;r@b.example"},
     .address = "r@b.example"},
    {.label = "ORCPT with a type that is no atom",
     .rcpt = {"<r@b.example>", "ORCPT=a b;r@c"},
     .address = "r@b.example"},
    {.label = "ORCPT without an address",
     .rcpt = {"<r@b.example>", "ORCPT=rfc822;"},
     .address = "r@b.example"},
    {.label = "ORCPT with a line break",
     .rcpt = {"<r@b.example>", "ORCPT=rfc822;r+0Ax"},
     .address = "r@b.example"},
    {.label = "ORCPT with 8 bits",
     .rcpt = {"<r@b.example>", "ORCPT=rfc822;r" UMLAUT},
     .address = "r@b.example"},
    {.label = "ORCPT utf-8, coded",
     .rcpt = {"<r@b.example>", "ORCPT=utf-8;m\\x{FC}ller@b.example"},
     .address = "r@b.example",
     .original = "utf-8;m" UMLAUT "ller@b.example"},
    {.label = "ORCPT UTF-8, not coded",
     .rcpt = {"<r@b.example>", "ORCPT=UTF-8;m" UMLAUT "\\x{2B}\\x{5c}@b.example"},
     .address = "r@b.example",
     .original = "UTF-8;m" UMLAUT "+\\@b.example"},
    {.label = "UTF-8", .rcpt = {"<r" UMLAUT "@b.example>"}, .address = "r" UMLAUT "@b.example"},
    {.label = "not UTF-8", .rcpt = {"<r\xfc@b.example>"}},
    {.label = "no address", .rcpt = {"<>"}},
    {.label = "nothing", .rcpt = {NULL}},
};

static void recipients_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(recipients) / sizeof(recipients[0]); i++) {
        const char *label = recipients[i].label;
        struct envelope *envelope = envelope_from("<s@a.example>");
        bool added = envelope_add_recipient(envelope, (char *const *)recipients[i].rcpt);
        const struct envelope_recipient *r = added ? &envelope->recipients[0] : NULL;

        assert_int_equal(envelope->count, added ? 1 : 0);
        expect_text(label, r ? r->address : NULL, recipients[i].address);
        if (r) {
            expect_text(label, r->original, recipients[i].original);
            expect_number(label, r->notify, recipients[i].notify);
        }
        envelope_free(&envelope);
    }
}

static void xtext(void **state)
{
    static const struct {
        const char *label, *encoded;
        const char *plain; /* as xtext; NULL: malformed */
        const char *utf8;  /* as the address of an ORCPT of type utf-8 */
    } cases[] = {
        {"plain", "a@b.example", "a@b.example", "a@b.example"},
        {"empty", "", NULL, NULL},
        {"hexadecimal", "a+2Bb+7E", "a+b~", NULL},
        {"lower case hexadecimal", "a+2b", NULL, NULL},
        {"cut hexadecimal", "a+2", NULL, NULL},
        {"cut at the plus", "a+", NULL, NULL},
        {"equals sign", "a=b", NULL, NULL},
        {"blank", "a b", NULL, NULL},
        {"blank, coded", "a+20b", "a b", NULL},
        {"NUL", "a+00b", NULL, NULL},
        {"DEL", "a+7F", NULL, NULL},
        {"8 bits, coded", "a+FC", NULL, NULL},
        {"UTF-8", UMLAUT, NULL, UMLAUT},
        {"broken UTF-8", "a\xc3", NULL, NULL},
        {"code points", "\\x{FC}\\x{20AC}\\x{1F4EC}", "\\x{FC}\\x{20AC}\\x{1F4EC}",
         UMLAUT "\xe2\x82\xac\xf0\x9f\x93\xac"},
        {"code point with zeros", "\\x{00fc}", "\\x{00fc}", UMLAUT},
        {"last code point", "\\x{10FFFF}", "\\x{10FFFF}", "\xf4\x8f\xbf\xbf"},
        {"beyond the last", "\\x{110000}", "\\x{110000}", NULL},
        {"far beyond the last", "\\x{1000000FC}", "\\x{1000000FC}", NULL},
        {"surrogate", "\\x{D800}", "\\x{D800}", NULL},
        {"code point NUL", "a\\x{0}b", "a\\x{0}b", NULL},
        {"code point of a line break", "a\\x{0A}b", "a\\x{0A}b", NULL},
        {"code point of a C1 control", "a\\x{9B}b", "a\\x{9B}b", NULL},
        {"no digits", "a\\x{}b", "a\\x{}b", NULL},
        {"not closed", "a\\x{FC", "a\\x{FC", NULL},
        {"lone backslash", "a\\b", "a\\b", NULL},
        {"at the end", "a\\", "a\\", NULL},
    };
    char decoded[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool fits = xtext_decode(decoded, cases[i].encoded);

        expect_text(cases[i].label, fits ? decoded : NULL, cases[i].plain);
        fits = xtext_decode_utf8(decoded, cases[i].encoded);
        expect_text(cases[i].label, fits ? decoded : NULL, cases[i].utf8);
    }
}

static const struct {
    const char *label, *name, *value;
    const char *want;
} fields[] = {
    {"plain", "Subject", "hello", "Subject: hello\n"},
    {"with the blank", "Subject", " hello", "Subject: hello\n"},
    {"with a tab", "Subject", "\thello", "Subject:\thello\n"},
    {"empty", "Subject", "", "Subject:\n"},
    {"a blank only", "Subject", " ", "Subject: \n"},
    {"folded with LF", "To", "a@b,\n\tc@d", "To: a@b,\n\tc@d\n"},
    {"folded with CRLF", "To", " a@b,\r\n c@d", "To: a@b,\n c@d\n"},
    {"folded behind the colon", "Message-ID", "\n <a@b>", "Message-ID:\n <a@b>\n"},
    {"the same with CRLF", "Message-ID", "\r\n <a@b>", "Message-ID:\n <a@b>\n"},
    {"a line of blanks", "To", "a@b,\n \t\r\n c@d", "To: a@b,\n c@d\n"},
    {"line end at the end", "To", "a@b\n", "To: a@b\n"},
    {"a line that would be a field", "To", "a@b\nBcc: c@d", "To: a@b\n Bcc: c@d\n"},
    {"lone CR", "To", "a@b\rBcc: c@d", "To: a@b Bcc: c@d\n"},
    {"8 bits stay", "Subject", "M\xfcller", "Subject: M\xfcller\n"},
    {"no name", "", "x", ""},
    {"a name with a blank", "Sub ject", "x", ""},
    {"a name with a colon", "A: b\nC", "x", ""},
};

static void header_lines_stay_as_they_came(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct envelope *envelope = envelope_from("<s@a.example>");

        assert_true(envelope_add_header(envelope, fields[i].name, fields[i].value));
        expect_text(fields[i].label, envelope->header, fields[i].want);
        assert_int_equal(envelope->header_len, strlen(fields[i].want));
        envelope_free(&envelope);
    }
}

static void a_long_header_is_cut_between_fields(void **state)
{
    struct envelope *envelope = envelope_from("<s@a.example>");
    char *value = repeated('x', ENVELOPE_HEADER_MAX - (sizeof("A: \nB: y\nC:\n") - 1));

    (void)state;
    assert_true(envelope_add_header(envelope, "A", value));
    assert_true(envelope_add_header(envelope, "B", "y"));
    assert_false(envelope->header_cut);
    assert_true(envelope_add_header(envelope, "C", "12"));
    assert_true(envelope->header_cut);
    assert_true(envelope_add_header(envelope, "D", ""));
    assert_string_equal(envelope->header + envelope->header_len - 5, "B: y\n");
    assert_int_equal(envelope->header_len, ENVELOPE_HEADER_MAX - (sizeof("C:\n") - 1));
    envelope_free(&envelope);
    free(value);
}

static const struct {
    const char *label;
    const char *field[2][2]; /* name, value */
    bool want;
} marks[] = {
    {"no header at all", {{NULL}}, false},
    {"a person", {{"Subject", "figures"}, {"To", "list@b.example"}}, false},
    {"bulk", {{"Precedence", "bulk"}}, true},
    {"list", {{"Subject", "figures"}, {"precedence", " LIST"}}, true},
    {"junk", {{"PRECEDENCE", "junk (mostly)"}}, true},
    {"another precedence", {{"Precedence", "first-class"}}, false},
    {"a word that begins so", {{"Precedence", "bulky"}}, false},
    {"a word that is the begin of one", {{"Precedence", "bul"}}, false},
    {"a name that begins so", {{"Precedence-X", "bulk"}}, false},
    {"List-Id", {{"List-Id", "<l.b.example>"}}, true},
    {"List-Id, folded", {{"list-id", "Cooks\n <l.b.example>"}}, true},
    {"List-Unsubscribe", {{"List-Unsubscribe", "<mailto:u@b.example>"}}, true},
    {"List-Post: nobody may, and it is a list", {{"List-Post", "NO"}}, true},
    {"a header of lists that people use too", {{"List-Help", "<https://b.example>"}}, false},
    {"auto-replied", {{"Auto-Submitted", "auto-replied"}}, true},
    {"auto-generated, with a parameter", {{"Auto-Submitted", "auto-generated; owner=x"}}, true},
    {"what nobody knows", {{"Auto-Submitted", "x"}}, true},
    {"Auto-Submitted without a word", {{"Auto-Submitted", ""}}, true},
    {"no", {{"Auto-Submitted", "no"}}, false},
    {"no, in capitals and with a comment", {{"Auto-Submitted", "NO(a person)"}}, false},
    {"no, with a parameter", {{"Auto-Submitted", "no;x=y"}}, false},
    {"no, folded", {{"Auto-Submitted", "\n no"}}, false},
    {"not no", {{"Auto-Submitted", "nobody"}}, true},
    {"Exchange", {{"X-Auto-Response-Suppress", "DR, OOF, AutoReply"}}, true},
    {"Exchange, nothing suppressed", {{"X-Auto-Response-Suppress", "None"}}, false},
    {"two of a name: either", {{"Auto-Submitted", "no"}, {"Auto-Submitted", "auto-replied"}}, true},
    {"inside another value", {{"Subject", "Precedence: bulk"}}, false},
    {"in a folded line", {{"Subject", "figures\n Precedence: bulk"}}, false},
};

static void what_machines_and_lists_send(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        struct envelope *envelope = envelope_from("<s@a.example>");

        for (int n = 0; n < 2 && marks[i].field[n][0]; n++)
            assert_true(envelope_add_header(envelope, marks[i].field[n][0], marks[i].field[n][1]));
        expect_number(marks[i].label, envelope_is_automatic(envelope), marks[i].want);
        envelope_free(&envelope);
    }
}

/* From JSON, where a header is any text. */
static void marks_in_any_text(void **state)
{
    static const struct {
        const char *label, *header;
        bool want;
    } cases[] = {
        {"a line that is no field", "Precedence\nbulk\n", false},
        {"no line end", "Precedence: bulk", true},
        {"nothing behind the colon", "Auto-Submitted:", true},
        {"the mark behind nonsense", "x\n\n:\nPrecedence:bulk\n", true},
        {"folded from the beginning", " Precedence: bulk\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        /* Just as long as it is, for the sanitizers. */
        struct envelope envelope = {.header = strdup(cases[i].header),
                                    .header_len = strlen(cases[i].header)};
        expect_number(cases[i].label, envelope_is_automatic(&envelope), cases[i].want);
        free(envelope.header);
    }
}

static void a_cut_header_may_have_said_so(void **state)
{
    struct envelope *envelope = envelope_from("<s@a.example>");
    struct envelope *again;
    char *value = repeated('x', ENVELOPE_HEADER_MAX);
    json_t *json;

    (void)state;
    assert_true(envelope_add_header(envelope, "Subject", "figures"));
    assert_false(envelope_is_automatic(envelope));
    assert_true(envelope_add_header(envelope, "X", value));
    assert_true(envelope_is_automatic(envelope));
    assert_true(envelope_set_queue_id(envelope, "4bZ1x20"));
    json = envelope_to_json(envelope);
    again = envelope_from_json(json);
    assert_non_null(again);
    assert_true(envelope_is_automatic(again));
    json_decref(json);
    envelope_free(&again);
    envelope_free(&envelope);
    free(value);
}

static const struct {
    const char *label;
    const char *pieces[3];
    const char *want;
} bodies[] = {
    {"one piece", {"a\r\nb\r\n"}, "a\nb\n"},
    {"LF stays", {"a\nb\n"}, "a\nb\n"},
    {"CRLF in two pieces", {"a\r", "\nb"}, "a\nb"},
    {"lone CR stays", {"a\rb\r\r\n"}, "a\rb\r\n"},
    {"nothing", {""}, NULL},
};

static void bodies_are_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct envelope *envelope = envelope_from("<s@a.example>");

        for (int n = 0; n < 3 && bodies[i].pieces[n]; n++)
            assert_true(
                envelope_add_body(envelope, bodies[i].pieces[n], strlen(bodies[i].pieces[n])));
        expect_text(bodies[i].label, envelope->body, bodies[i].want);
        assert_int_equal(envelope->body_len, bodies[i].want ? strlen(bodies[i].want) : 0);
        envelope_free(&envelope);
    }
}

static void a_long_body_is_left_out(void **state)
{
    struct envelope *envelope = envelope_from("<s@a.example>");
    char *text = repeated('x', ENVELOPE_BODY_MAX);

    (void)state;
    assert_true(envelope_add_body(envelope, text, ENVELOPE_BODY_MAX));
    assert_int_equal(envelope->body_len, ENVELOPE_BODY_MAX);
    assert_true(envelope_add_body(envelope, "y", 1));
    assert_null(envelope->body);
    assert_true(envelope_add_body(envelope, "z", 1));
    assert_null(envelope->body);
    envelope_free(&envelope);
    free(text);
}

static void a_body_with_a_nul_is_left_out(void **state)
{
    struct envelope *envelope = envelope_from("<s@a.example>");

    (void)state;
    assert_true(envelope_add_body(envelope, "abc", 3));
    assert_true(envelope_add_body(envelope, "a\0c", 3));
    assert_null(envelope->body);
    assert_true(envelope->body_cut);
    envelope_free(&envelope);
}

static void bounds(void **state)
{
    char *text = repeated('x', ENVELOPE_ADDRESS_MAX + 1);
    char *mail[] = {text, NULL};
    char *rcpt[] = {(char *)"<r@b.example>", NULL};
    struct envelope *envelope = envelope_from("<s@a.example>");

    (void)state;
    assert_null(envelope_new(mail, NOW));
    assert_false(envelope_add_recipient(envelope, mail));
    assert_false(envelope_set_queue_id(envelope, text));
    assert_false(envelope_set_queue_id(envelope, ""));
    assert_false(envelope_set_queue_id(envelope, "../x"));
    assert_string_equal(envelope->queue_id, "4bZ1x20");
    text[ENVELOPE_ADDRESS_MAX] = '\0';
    assert_true(envelope_add_recipient(envelope, mail));
    while (envelope->count < ENVELOPE_RECIPIENTS_MAX)
        assert_true(envelope_add_recipient(envelope, rcpt));
    assert_false(envelope_add_recipient(envelope, rcpt));
    envelope_drop_recipient(envelope);
    assert_true(envelope_add_recipient(envelope, rcpt));
    envelope_free(&envelope);
    free(text);
}

static void long_parameters_are_ignored(void **state)
{
    char *text = repeated('x', ENVELOPE_PARAMETER_MAX + 1);
    char envid[ENVELOPE_PARAMETER_MAX + 32], orcpt[ENVELOPE_PARAMETER_MAX + 32];
    char *mail[] = {(char *)"<s@a.example>", envid, NULL};
    char *rcpt[] = {(char *)"<r@b.example>", orcpt, NULL};
    struct envelope *envelope;

    (void)state;
    for (int most = 1; most >= 0; most--) {
        snprintf(envid, sizeof(envid), "ENVID=%s", text + most);
        snprintf(orcpt, sizeof(orcpt), "ORCPT=rfc822;%s", text + most + strlen("rfc822;"));
        envelope = envelope_new(mail, NOW);
        assert_non_null(envelope);
        assert_true(envelope_add_recipient(envelope, rcpt));
        assert_int_equal(envelope->id != NULL, most);
        assert_int_equal(envelope->recipients[0].original != NULL, most);
        envelope_free(&envelope);
    }
    free(text);
}

static void recipients_are_found(void **state)
{
    static const char *const known[] = {"<Ann@b.example>",     "<ann@b.example>",
                                        "<\"b c\"@b.example>", "<dora@b.example>",
                                        "<\"eve\"@B.Example>", "<local>"};
    static const struct {
        const char *address;
        int want; /* which; -1: none */
    } cases[] = {
        {"ann@b.example", 1},   {"Ann@b.example", 0},
        {"ann@B.EXAMPLE", 1},   {"\"b c\"@b.example", 2},
        {"eve@b.example", 4},   {"local", 5},
        {"fred@b.example", -1}, {"", -1},
        {"dora@c.example", -1},
    };
    struct envelope *envelope = envelope_from("<s@a.example>");

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        char *rcpt[] = {(char *)known[i], NULL};
        assert_true(envelope_add_recipient(envelope, rcpt));
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct envelope_recipient *found =
            envelope_find(envelope, slice_of(cases[i].address));
        int is = found ? (int)(found - envelope->recipients) : -1;
        if (is != cases[i].want)
            fail_msg("%s: is %d, want %d", cases[i].address, is, cases[i].want);
    }
    envelope_free(&envelope);
}

static struct envelope *full_envelope(void)
{
    char *mail[] = {(char *)"<s" UMLAUT "@a.example>", (char *)"RET=FULL", (char *)"ENVID=x+2B",
                    (char *)"SMTPUTF8", NULL};
    char *plain[] = {(char *)"<r@b.example>", NULL};
    char *dsn[] = {(char *)"<\"q r\"@b.example>", (char *)"NOTIFY=SUCCESS,DELAY",
                   (char *)"ORCPT=utf-8;m\\x{FC}@b.example", NULL};
    struct envelope *envelope = envelope_new(mail, NOW);

    assert_non_null(envelope);
    assert_true(envelope_set_queue_id(envelope, "4bZ1x20"));
    assert_true(envelope_add_recipient(envelope, plain));
    assert_true(envelope_add_recipient(envelope, dsn));
    assert_true(envelope_add_header(envelope, "Subject", "M\xfcller, M" UMLAUT "ller"));
    assert_true(envelope_add_body(envelope, "a\xff\tb\n", 5));
    return envelope;
}

static const char FULL[] =
    "{\"queue_id\": \"4bZ1x20\", \"sender\": \"s" UMLAUT "@a.example\", \"id\": \"x+\", "
    "\"return\": \"full\", \"utf8\": true, \"arrived\": 1795420800, \"recipients\": ["
    "{\"address\": \"r@b.example\", \"notify\": 0}, "
    "{\"address\": \"\\\"q r\\\"@b.example\", \"original\": \"utf-8;m" UMLAUT "@b.example\", "
    "\"notify\": 10}], \"header\": \"Subject: M?ller, M" UMLAUT "ller\\n\", "
    "\"body\": \"a?\\tb\\n\"}";

static void json_round_trip(void **state)
{
    struct envelope *first = full_envelope();
    struct envelope *second;
    json_t *json = envelope_to_json(first);
    json_t *again;
    char *text = json_dumps(json, 0);

    (void)state;
    assert_non_null(text);
    assert_string_equal(text, FULL);
    second = envelope_from_json(json);
    assert_non_null(second);
    again = envelope_to_json(second);
    assert_true(json_equal(json, again));
    assert_int_equal(second->header_len, first->header_len);
    assert_int_equal(second->body_len, first->body_len);
    assert_int_equal(second->wanted, ENVELOPE_RETURN_FULL);
    free(text);
    json_decref(again);
    json_decref(json);
    envelope_free(&second);
    envelope_free(&first);
}

static void the_least_makes_a_round_trip(void **state)
{
    struct envelope *first = envelope_from("<>");
    struct envelope *second;
    json_t *json = envelope_to_json(first);
    char *rcpt[] = {(char *)"<r@b.example>", NULL};

    (void)state;
    second = envelope_from_json(json);
    assert_non_null(second);
    assert_string_equal(second->sender, "");
    assert_string_equal(second->header, "");
    assert_null(second->id);
    assert_null(second->body);
    for (int i = 0; i < 5; i++)
        assert_true(envelope_add_recipient(second, rcpt));
    json_decref(json);
    envelope_free(&second);
    envelope_free(&first);
}

#define RECIPIENT(more) "[{\"address\": \"r@b.example\", \"notify\": 0" more "}]"

/* One value of FULL is replaced, or taken out; NULL as value. */
static const struct {
    const char *label, *key, *value;
    bool want;
} changes[] = {
    {"unknown key", "colour", "[1, {}]", true},
    {"no id", "id", NULL, true},
    {"no return", "return", NULL, true},
    {"no body", "body", NULL, true},
    {"empty header", "header", "\"\"", true},
    {"a header that was cut", "header_cut", "true", true},
    {"one that was not", "header_cut", "false", true},
    {"no recipients", "recipients", "[]", true},
    {"unknown key of a recipient", "recipients", RECIPIENT(", \"x\": null"), true},
    {"no queue id", "queue_id", NULL, false},
    {"empty queue id", "queue_id", "\"\"", false},
    {"queue id that is none", "queue_id", "\"a/b\"", false},
    {"no sender", "sender", NULL, false},
    {"null as sender", "sender", "null", false},
    {"NUL in the sender", "sender", "\"a@b\\u0000c\"", false},
    {"line break in the sender", "sender", "\"a@b\\nc\"", false},
    {"C1 control in the sender", "sender", "\"a\\u009b@b\"", false},
    {"null as id", "id", "null", false},
    {"line break in the id", "id", "\"a\\rb\"", false},
    {"number as id", "id", "1", false},
    {"another return", "return", "\"some\"", false},
    {"number as return", "return", "1", false},
    {"no utf8", "utf8", NULL, false},
    {"number as utf8", "utf8", "1", false},
    {"no arrival", "arrived", NULL, false},
    {"negative arrival", "arrived", "-1", false},
    {"fraction as arrival", "arrived", "1.5", false},
    {"text as arrival", "arrived", "\"1\"", false},
    {"no list of recipients", "recipients", NULL, false},
    {"an object as recipients", "recipients", "{}", false},
    {"a text as recipient", "recipients", "[\"r@b.example\"]", false},
    {"a recipient without address", "recipients", "[{\"notify\": 0}]", false},
    {"a recipient with an empty one", "recipients", "[{\"address\": \"\", \"notify\": 0}]", false},
    {"a recipient without notify", "recipients", "[{\"address\": \"r@b.example\"}]", false},
    {"the second is wrong", "recipients",
     "[{\"address\": \"r@b.example\", \"notify\": 0}, {\"address\": \"r@b.example\"}]", false},
    {"line break in a recipient", "recipients", "[{\"address\": \"r\\n@b\", \"notify\": 0}]",
     false},
    {"original without a type", "recipients", RECIPIENT(", \"original\": \"r@b\""), false},
    {"line break in the original", "recipients", RECIPIENT(", \"original\": \"rfc822;\\n\""),
     false},
    {"notify is negative", "recipients", RECIPIENT(", \"notify\": -1"), false},
    {"notify is too large", "recipients", RECIPIENT(", \"notify\": 16"), false},
    {"never and more", "recipients", RECIPIENT(", \"notify\": 3"), false},
    {"no header", "header", NULL, false},
    {"number as header_cut", "header_cut", "1", false},
    {"header without line end", "header", "\"A: b\"", false},
    {"NUL in the header", "header", "\"A: \\u0000\\n\"", false},
    {"NUL in the body", "body", "\"\\u0000\"", false},
    {"number as body", "body", "1", false},
};

static void json_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        json_t *json = json_loads(FULL, 0, NULL);
        json_t *value = changes[i].value
                            ? json_loads(changes[i].value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
                            : NULL;
        struct envelope *envelope;

        assert_non_null(json);
        assert_int_equal(value != NULL, changes[i].value != NULL);
        if (value)
            json_object_set_new(json, changes[i].key, value);
        else
            json_object_del(json, changes[i].key);
        envelope = envelope_from_json(json);
        if ((envelope != NULL) != changes[i].want)
            fail_msg("%s", changes[i].label);
        envelope_free(&envelope);
        json_decref(json);
    }
    assert_null(envelope_from_json(NULL));
}

/* Each text of the JSON at its bound, and a byte longer. */
static void json_is_bounded(void **state)
{
    static const struct {
        const char *key;
        size_t most;
    } cases[] = {
        {"queue_id", ENVELOPE_QUEUE_ID_MAX}, {"sender", ENVELOPE_ADDRESS_MAX},
        {"id", ENVELOPE_PARAMETER_MAX},      {"header", ENVELOPE_HEADER_MAX},
        {"body", ENVELOPE_BODY_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int over = 0; over <= 1; over++) {
            size_t len = cases[i].most + (size_t)over;
            json_t *json = json_loads(FULL, 0, NULL);
            char *text = repeated('x', len);
            struct envelope *envelope;

            if (strcmp(cases[i].key, "header") == 0)
                text[len - 1] = '\n';
            json_object_set_new(json, cases[i].key, json_string(text));
            envelope = envelope_from_json(json);
            if ((envelope == NULL) != over)
                fail_msg("%s of %zu bytes", cases[i].key, len);
            envelope_free(&envelope);
            json_decref(json);
            free(text);
        }
}

static void json_has_not_too_many_recipients(void **state)
{
    json_t *json = json_loads(FULL, 0, NULL);
    json_t *list = json_object_get(json, "recipients");
    json_t *one = json_array_get(list, 0);
    struct envelope *envelope;

    (void)state;
    while (json_array_size(list) < ENVELOPE_RECIPIENTS_MAX)
        json_array_append(list, one);
    envelope = envelope_from_json(json);
    assert_non_null(envelope);
    envelope_free(&envelope);
    json_array_append(list, one);
    assert_null(envelope_from_json(json));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_are_read),
        cmocka_unit_test(recipients_are_read),
        cmocka_unit_test(xtext),
        cmocka_unit_test(header_lines_stay_as_they_came),
        cmocka_unit_test(a_long_header_is_cut_between_fields),
        cmocka_unit_test(what_machines_and_lists_send),
        cmocka_unit_test(marks_in_any_text),
        cmocka_unit_test(a_cut_header_may_have_said_so),
        cmocka_unit_test(bodies_are_kept),
        cmocka_unit_test(a_long_body_is_left_out),
        cmocka_unit_test(a_body_with_a_nul_is_left_out),
        cmocka_unit_test(bounds),
        cmocka_unit_test(long_parameters_are_ignored),
        cmocka_unit_test(recipients_are_found),
        cmocka_unit_test(json_round_trip),
        cmocka_unit_test(the_least_makes_a_round_trip),
        cmocka_unit_test(json_is_checked),
        cmocka_unit_test(json_is_bounded),
        cmocka_unit_test(json_has_not_too_many_recipients),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
