/*
 * postern-earlyndr's callbacks: what they answer when Postfix calls them, with a real state beside
 * them, and the requests to posternd caught on the way (--wrap).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ask.h"
#include "clock.h"
#include "confref.h"
#include "earlyndr.h"
#include "fake_milter.h"
#include "fixture.h"
#include "record.h"
#include "say.h"

enum { HOUR = 3600 * 1000, PIECE = 7, PATIENCE_SECONDS = 20 };

static const struct smfiDesc *const milter = &earlyndr_program.description;

/* --- posternd: what it is asked, and answers --- */

enum may { UNASKABLE, NO, YES };

static struct {
    const char *bounce; /* the answers, as JSON; NULL: it cannot be asked */
    const char *report;
    enum may test;
    SMFICTX *watched; /* nothing may have been taken out of it before the report is asked for */
    bool too_early;
    json_t *question; /* of the last of these two */
    int questions;
    char tested[512]; /* what was asked about: "recipient a@b|" */
} posternd;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
/* Under `lock`: handed over by a thread of its own. */
static json_t *envelopes;
static int busy_for; /* so often posternd does not answer */
static size_t most_at_once;

json_t *__wrap_ask_json(const char *runtime_directory, const char *path, const json_t *body,
                        char *error_r, size_t size);
bool __wrap_ask_posternd(const char *runtime_directory, const char *verb, const char *what,
                         const char *name, bool *done_r, char *error_r, size_t size);

/* In the outbox's thread, where no assertion of cmocka's may fail. */
static json_t *take_envelopes(const json_t *list)
{
    bool busy;

    if (!json_is_array(list) || json_array_size(list) == 0)
        abort();
    pthread_mutex_lock(&lock);
    busy = busy_for > 0;
    busy_for -= busy;
    if (envelopes && !busy) {
        json_t *copy = json_deep_copy(list);
        json_array_extend(envelopes, copy);
        json_decref(copy);
    }
    if (json_array_size(list) > most_at_once)
        most_at_once = json_array_size(list);
    pthread_cond_signal(&arrived);
    pthread_mutex_unlock(&lock);
    return busy ? NULL : json_pack("{s:b}", "done", 1);
}

json_t *__wrap_ask_json(const char *runtime_directory, const char *path, const json_t *body,
                        char *error_r, size_t size)
{
    const char *answer;

    snprintf(error_r, size, "not there");
    if (strcmp(path, "envelopes") == 0)
        return take_envelopes(body);
    if (strcmp(path, "bounce") != 0 && strcmp(path, "report") != 0)
        abort();
    assert_string_equal(runtime_directory, folder);
    json_decref(posternd.question);
    posternd.question = json_deep_copy(body);
    posternd.questions++;
    if (posternd.watched && posternd.watched->deleted[0])
        posternd.too_early = true;
    answer = strcmp(path, "bounce") == 0 ? posternd.bounce : posternd.report;
    return answer ? json_loads(answer, JSON_DECODE_ANY, NULL) : NULL;
}

bool __wrap_ask_posternd(const char *runtime_directory, const char *verb, const char *what,
                         const char *name, bool *done_r, char *error_r, size_t size)
{
    size_t len = strlen(posternd.tested);

    assert_string_equal(runtime_directory, folder);
    assert_string_equal(verb, "test");
    snprintf(error_r, size, "not there");
    snprintf(posternd.tested + len, sizeof(posternd.tested) - len, "%s %s|", what, name);
    *done_r = posternd.test == YES;
    return posternd.test != UNASKABLE;
}

static void assert_question(const char *label, const char *key, const char *want)
{
    json_t *value = json_object_get(posternd.question, key);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

    assert_non_null(text);
    if (strcmp(text, want) != 0)
        fail_msg("%s: %s is %s", label, key, text);
    free(text);
}

/* --- The state, and that posternd lives --- */

static int set_up(void **state)
{
    (void)state;
    memset(&posternd, 0, sizeof(posternd));
    envelopes = json_array();
    return envelopes ? fixture_set_up("earlyndr") : -1;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop_posternd();
    json_decref(posternd.question);
    pthread_mutex_lock(&lock);
    json_decref(envelopes);
    envelopes = NULL;
    pthread_mutex_unlock(&lock);
    return confref_set(NULL, NULL) ? fixture_tear_down() : -1;
}

static void know_bad_since(const char *address, int64_t learned, const char *text)
{
    struct bad_record bad;

    memset(&bad, 0, sizeof(bad));
    bad.b.learned = learned;
    strcpy(bad.queue_id, "3F1A72C0E9");
    strcpy(bad.status, "5.1.1");
    strcpy(bad.host, "mx.b.example");
    snprintf(bad.text, sizeof(bad.text), "%s", text);
    record_save_bad(store, slice_of(address), NULL, &bad);
}

static int64_t learned; /* of the last one */

static void know_bad(const char *address)
{
    learned = clock_now() - 1000;
    know_bad_since(address, learned,
                   "host mx.b.example[192.0.2.9] said: 550 5.1.1 no such user (in reply to RCPT "
                   "TO command)");
}

static void know_message(const char *queue_id)
{
    struct message_record m = {.arrived = clock_now(), .json = slice_of("{}")};

    record_save_message(store, slice_of(queue_id), &m);
}

static void go(void)
{
    fixture_end_state();
    fixture_start_posternd();
}

static void use(const char *settings)
{
    char text[1024];
    struct config *config;

    snprintf(text, sizeof(text), "state_directory = \"%s\"; runtime_directory = \"%s\"; %s", folder,
             folder, settings);
    config = fixture_config(text);
    assert_true(confref_set(config, earlyndr_program.local(config)));
}

#define REFUSE "early_ndr = { mode = \"refuse\"; };"
#define NDR "early_ndr = { mode = \"ndr\"; networks = (\"192.0.2.0/24\", \"2001:db8::/32\"); };"
#define OBSERVE "enforce = false; "

/* --- Postfix --- */

static void negotiate(SMFICTX *ctx, unsigned long steps)
{
    unsigned long actions_r, steps_r, f2, f3;

    assert_int_equal(milter->xxfi_negotiate(ctx, SMFIF_DELRCPT | SMFIF_CHGBODY | SMFIF_ADDHDRS,
                                            steps, 0, 0, &actions_r, &steps_r, &f2, &f3),
                     SMFIS_CONTINUE);
    assert_int_equal(actions_r, SMFIF_DELRCPT | SMFIF_CHGBODY);
    assert_int_equal(steps_r & ~steps, 0);
}

static sfsistat open_connection(SMFICTX *ctx, const char *address)
{
    negotiate(ctx, SMFIP_SKIP | SMFIP_NOHELO);
    return fake_connect(ctx, milter, address);
}

/* Where mail comes from. */
enum source { SMTPD, CLEANUP };

#define ID "3F1A72C0E9"

/* `parameters`: NULL, or words between blanks. */
static void split(char *argv[8], char *copy, size_t size, const char *address,
                  const char *parameters)
{
    char *rest = copy;
    int n = 0;

    snprintf(copy, size, "%s", parameters ? parameters : "");
    argv[n++] = (char *)(uintptr_t)address;
    for (char *word; n < 7 && (word = strsep(&rest, " ")) != NULL;)
        if (*word)
            argv[n++] = word;
    argv[n] = NULL;
}

static sfsistat mail(SMFICTX *ctx, enum source source, const char *sender, const char *parameters)
{
    char copy[512];
    char *argv[8];

    fake_macro(ctx, "i", source == CLEANUP ? ID : NULL);
    split(argv, copy, sizeof(copy), sender, parameters);
    return milter->xxfi_envfrom(ctx, argv);
}

/* smtpd(8) makes the queue file before it asks about the first recipient. */
static sfsistat rcpt(SMFICTX *ctx, const char *recipient, const char *parameters)
{
    char copy[512];
    char *argv[8];

    fake_macro(ctx, "i", ID);
    split(argv, copy, sizeof(copy), recipient, parameters);
    return milter->xxfi_envrcpt(ctx, argv);
}

static sfsistat header(SMFICTX *ctx, const char *name, const char *value)
{
    return milter->xxfi_header(ctx, (char *)(uintptr_t)name, (char *)(uintptr_t)value);
}

static sfsistat body(SMFICTX *ctx, const char *text, size_t len)
{
    return milter->xxfi_body(ctx, (unsigned char *)(uintptr_t)text, len);
}

static sfsistat eom(SMFICTX *ctx, const char *queue_id)
{
    fake_macro(ctx, "i", queue_id);
    return milter->xxfi_eom(ctx);
}

/* --- The door --- */

static void refused_with_the_servers_words(void **state)
{
#define SAID "host mx.b.example[192.0.2.9] said: "
#define TO " (in reply to RCPT TO command)"
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

/* --- Reports instead of refusals (mode = "ndr") --- */

struct rcpt {
    const char *address, *parameters;
};

/* A whole message; <no@b.example> and <none@b.example> are known to be bad. */
static sfsistat send_to(SMFICTX *ctx, enum source source, const char *sender,
                        const struct rcpt *list, size_t count)
{
    mail(ctx, source, sender, NULL);
    for (size_t i = 0; i < count && list[i].address; i++)
        assert_int_equal(rcpt(ctx, list[i].address, list[i].parameters), SMFIS_CONTINUE);
    header(ctx, "Subject", "figures");
    return eom(ctx, ID);
}

static void who_is_dropped(void **state)
{
#define DONE "{\"done\":true}"
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

    (void)state;
    know_bad_since("none@b.example", clock_now(), SAID "550 another" TO);
    know_bad("no@b.example");
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

/* --- What is handed over to posternd --- */

/* Waits for the envelope of that queue id; a new reference. */
static json_t *await_envelope(const char *queue_id)
{
    struct timespec deadline;
    json_t *found = NULL;
    int error = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_SECONDS;
    pthread_mutex_lock(&lock);
    while (found == NULL && error == 0) {
        size_t i;
        json_t *one;
        json_array_foreach(envelopes, i, one)
        {
            if (strcmp(json_string_value(json_object_get(one, "queue_id")), queue_id) == 0)
                found = json_incref(one);
        }
        if (found == NULL)
            error = pthread_cond_timedwait(&arrived, &lock, &deadline);
    }
    pthread_mutex_unlock(&lock);
    if (found == NULL)
        fail_msg("%s: not handed over", queue_id);
    return found;
}

/* They come in order, so what is not there before the next one was not handed over. */
static size_t handed_over(SMFICTX *ctx)
{
    json_t *fence;
    size_t count;

    mail(ctx, SMTPD, "<fence@a.example>", NULL);
    rcpt(ctx, "<x@a.example>", NULL);
    rcpt(ctx, "<y@a.example>", NULL);
    eom(ctx, "FFFFFFFFF");
    fence = await_envelope("FFFFFFFFF");
    json_decref(fence);
    pthread_mutex_lock(&lock);
    count = json_array_size(envelopes) - 1;
    json_array_clear(envelopes);
    pthread_mutex_unlock(&lock);
    return count;
}

/* What earlier tests left behind. */
static void wait_for_the_outbox(void)
{
    SMFICTX ctx = {NULL};

    open_connection(&ctx, "203.0.113.1");
    handed_over(&ctx);
    milter->xxfi_close(&ctx);
}

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
    pthread_mutex_lock(&lock);
    busy_for = 2;
    pthread_mutex_unlock(&lock);
    mail(&ctx, SMTPD, "<s@a.example>", NULL);
    rcpt(&ctx, "<a@b.example>", NULL);
    rcpt(&ctx, "<c@b.example>", NULL);
    assert_int_equal(eom(&ctx, ID), SMFIS_CONTINUE);
    assert_int_equal(handed_over(&ctx), 1);
    assert_int_equal(busy_for, 0);
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

/* --- Postfix's own reports --- */

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
    assert_true(most_at_once >= 1 && most_at_once <= 50);
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
        TEST(who_is_dropped),
        TEST(all_are_refused_with_the_first_ones_words),
        TEST(the_report_is_asked_for_with_the_envelope),
        TEST(nothing_is_dropped_without_a_queue_id),
        TEST(a_recipient_that_cannot_be_taken_out),
        TEST(each_message_starts_afresh),
        TEST(which_messages_are_handed_over),
        TEST(one_that_was_aborted_is_not),
        TEST(they_wait_a_little_for_posternd),
        TEST(the_envelope_is_complete),
        TEST(whose_body_is_kept),
        TEST(what_becomes_of_a_report),
        TEST(a_message_that_is_not_known),
        TEST(a_report_without_posternd),
        TEST(a_body_that_cannot_be_replaced),
        TEST(each_report_starts_afresh),
        TEST(a_report_without_end),
        TEST(threads_take_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
