/*
 * postern-retrycap's callbacks: what they answer when Postfix calls them, with a real state beside
 * them, and what they ask of posternd and say in the log caught on the way (--wrap).
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

#include <cmocka.h>

#include "ask.h"
#include "clock.h"
#include "confref.h"
#include "envelope.h"
#include "fake_milter.h"
#include "fixture.h"
#include "log.h"
#include "record.h"
#include "retrycap.h"

enum { MINUTE = 60 * 1000, PATIENCE_SECONDS = 20, WAITING_MOST = 1000 };

static const struct smfiDesc *const milter = &retrycap_program.description;

/* --- posternd and the log --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* All under `lock`: the outbox has a thread of its own. */
static json_t *warnings; /* what posternd took */
static int asked;
static int deaf_for; /* so often posternd does not answer */
static bool held;    /* posternd does not answer until it is over */
static char said[4096];
static int lines; /* that begin with a queue id and "warn" */

json_t *__wrap_ask_json(const char *runtime_directory, const char *path, const json_t *body,
                        char *error_r, size_t size);
void __wrap_log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* In the outbox's thread, where no assertion of cmocka's may fail. */
json_t *__wrap_ask_json(const char *runtime_directory, const char *path, const json_t *body,
                        char *error_r, size_t size)
{
    bool deaf;

    snprintf(error_r, size, "not there");
    if (strcmp(path, "warn") != 0 || !json_is_object(body) || strcmp(runtime_directory, folder))
        abort();
    pthread_mutex_lock(&lock);
    asked++;
    pthread_cond_broadcast(&changed);
    while (held)
        pthread_cond_wait(&changed, &lock);
    deaf = deaf_for > 0;
    deaf_for -= deaf;
    if (!deaf && warnings)
        json_array_append_new(warnings, json_deep_copy(body));
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return deaf ? NULL : json_pack("{s:b}", "done", 1);
}

void __wrap_log_info(const char *format, ...)
{
    char line[1024];
    size_t len;
    va_list ap;

    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    pthread_mutex_lock(&lock);
    len = strlen(said);
    lines += strstr(line, ": warn ") != NULL;
    if (strstr(line, "posternd ") == NULL && len + strlen(line) + 2 < sizeof(said))
        sprintf(said + len, "%s\n", line);
    pthread_mutex_unlock(&lock);
}

/* --- The state, and that posternd lives --- */

static int set_up(void **state)
{
    (void)state;
    pthread_mutex_lock(&lock);
    warnings = json_array();
    asked = lines = 0;
    said[0] = '\0';
    pthread_mutex_unlock(&lock);
    return warnings ? fixture_set_up("retrycap") : -1;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_stop_posternd();
    pthread_mutex_lock(&lock);
    json_decref(warnings);
    warnings = NULL;
    pthread_mutex_unlock(&lock);
    return confref_set(NULL, NULL) ? fixture_tear_down() : -1;
}

static void know(const char *name, enum destination_health health, uint64_t failures)
{
    int64_t now = clock_now();
    struct destination_record r;

    memset(&r, 0, sizeof(r));
    r.d = (struct destination){.health = health,
                               .proven = true,
                               .retries = 10 + failures,
                               .outage_start = 10,
                               .since = now - 20 * MINUTE,
                               .trying_since = now - 1000,
                               .next = now + MINUTE};
    snprintf(r.name, sizeof(r.name), "%s", name);
    strcpy(r.error, "connect to mx.b.example[192.0.2.9]:25: Connection timed out");
    record_create_destination(store, &r);
}

/* The domains of all tests: their names say how they are. */
static void know_all(void)
{
    know("d:up.example", DESTINATION_UP, 0);
    know("d:failing.example", DESTINATION_FAILING, 9);
    know("d:down.example", DESTINATION_DOWN, 3);
    know("d:trying.example", DESTINATION_TRYING, 3);
    know("d:over.example", DESTINATION_DOWN, 4);
    know("d:tryingover.example", DESTINATION_TRYING, 5);
    know("g:partner", DESTINATION_DOWN, 3);
}

static void go(void)
{
    know_all();
    fixture_end_state();
    fixture_start_posternd();
}

#define DESTINATIONS                                                                               \
    "retry = { max_open_retries = 4; open_interval = 600; }; destinations = ( "                    \
    "{ name = \"partner\"; domains = (\"partner.example\"); max_open_retries = 0; } ); "           \
    "early_ndr = { networks = (\"192.0.2.0/24\", \"2001:db8::/32\"); }; "
#define WHEN(what) DESTINATIONS "milters = { retrycap = { when_down = \"" what "\"; }; };"
#define ACCEPT WHEN("accept")
#define WARN WHEN("warn")
#define TEMPFAIL WHEN("tempfail")
#define REFUSE WHEN("refuse-over-cap")
#define OBSERVE "enforce = false; "

static void use(const char *settings)
{
    char text[2048];
    struct config *config;

    snprintf(text, sizeof(text), "state_directory = \"%s\"; runtime_directory = \"%s\"; %s", folder,
             folder, settings);
    config = fixture_config(text);
    assert_true(confref_set(config, retrycap_program.local(config)));
}

/* --- Postfix --- */

#define ID "3F1A72C0E9"
#define STRANGER "203.0.113.1"
#define OURS "192.0.2.7"

/* Where mail comes from. */
enum source { SMTPD, CLEANUP };

static sfsistat open_connection(SMFICTX *ctx, const char *address)
{
    return fake_connect(ctx, milter, address);
}

static sfsistat mail(SMFICTX *ctx, enum source source, const char *sender)
{
    char *argv[] = {(char *)(uintptr_t)sender, (char *)(uintptr_t) "RET=FULL", NULL};

    fake_macro(ctx, "i", source == CLEANUP ? ID : NULL);
    return milter->xxfi_envfrom(ctx, argv);
}

/* smtpd(8) makes the queue file before it asks about the first recipient. */
static sfsistat rcpt(SMFICTX *ctx, const char *recipient, const char *parameter)
{
    char *argv[] = {(char *)(uintptr_t)recipient, (char *)(uintptr_t)parameter, NULL};

    fake_macro(ctx, "i", ID);
    return milter->xxfi_envrcpt(ctx, argv);
}

static void header(SMFICTX *ctx, const char *name, const char *value)
{
    assert_int_equal(milter->xxfi_header(ctx, (char *)(uintptr_t)name, (char *)(uintptr_t)value),
                     SMFIS_CONTINUE);
}

static void eom(SMFICTX *ctx, const char *queue_id)
{
    fake_macro(ctx, "i", queue_id);
    assert_int_equal(milter->xxfi_eom(ctx), SMFIS_CONTINUE);
}

/* --- The outbox --- */

static bool wait_until(bool (*happened)(void))
{
    struct timespec deadline;
    int error = 0;
    bool done;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_SECONDS;
    pthread_mutex_lock(&lock);
    while (!(done = happened()) && error == 0)
        error = pthread_cond_timedwait(&changed, &lock, &deadline);
    pthread_mutex_unlock(&lock);
    return done;
}

#define FENCE "FFFFFFFFF"

static const char *queue_id_of(const json_t *warning)
{
    json_t *envelope = json_object_get(warning, "envelope");

    return json_string_value(json_object_get(envelope, "queue_id"));
}

static bool fence_is_there(void)
{
    size_t count = json_array_size(warnings);

    return count > 0 && strcmp(queue_id_of(json_array_get(warnings, count - 1)), FENCE) == 0;
}

/*
 * What was asked since the last time, to be freed. They come in order, so what is not there before
 * the next one was not asked.
 */
static json_t *take_warnings(void)
{
    SMFICTX ctx = {NULL};
    json_t *taken;

    use(WARN);
    open_connection(&ctx, OURS);
    mail(&ctx, SMTPD, "<fence@a.example>");
    rcpt(&ctx, "<x@down.example>", NULL);
    eom(&ctx, FENCE);
    milter->xxfi_close(&ctx);
    if (!wait_until(fence_is_there))
        fail_msg("a warning is not asked for");
    pthread_mutex_lock(&lock);
    taken = warnings;
    warnings = json_array();
    said[0] = '\0';
    pthread_mutex_unlock(&lock);
    json_array_remove(taken, json_array_size(taken) - 1);
    return taken;
}

static size_t count_warnings(void)
{
    json_t *taken = take_warnings();
    size_t count = json_array_size(taken);

    json_decref(taken);
    return count;
}

static void assert_said(const char *label, const char *want)
{
    if (strcmp(said, want) != 0)
        fail_msg("%s: said \"%s\"", label, said);
}

/* --- At RCPT --- */

#define SINCE " cannot be reached since "
#define PUT_OFF(domain) "450 4.4.1 " domain SINCE
#define REFUSED(domain) "550 5.4.7 " domain " could not be reached"

static void what_the_door_answers(void **state)
{
    static const struct {
        const char *label, *settings;
        enum source source;
        const char *client, *login, *sender, *recipient;
        const char *want; /* how the answer begins; NULL: accepted */
    } cases[] = {
        {"accept", ACCEPT, SMTPD, STRANGER, NULL, "<s@a.example>", "<r@over.example>", NULL},
        {"warn", WARN, SMTPD, OURS, NULL, "<s@a.example>", "<r@over.example>", NULL},
        {"tempfail: up", TEMPFAIL, SMTPD, STRANGER, NULL, "<s@a.example>", "<r@up.example>", NULL},
        {"tempfail: not known", TEMPFAIL, SMTPD, STRANGER, NULL, "<s@a.example>", "<r@b.example>",
         NULL},
        {"tempfail: failing", TEMPFAIL, SMTPD, STRANGER, NULL, "<s@a.example>",
         "<r@failing.example>", NULL},
        {"tempfail: down", TEMPFAIL, SMTPD, STRANGER, NULL, "<s@a.example>", "<r@down.example>",
         PUT_OFF("down.example")},
        {"tempfail: trying", TEMPFAIL, SMTPD, STRANGER, NULL, "<s@a.example>", "<r@trying.example>",
         PUT_OFF("trying.example")},
        {"tempfail: over the cap", TEMPFAIL, SMTPD, STRANGER, NULL, "<s@a.example>",
         "<r@over.example>", PUT_OFF("over.example")},
        {"tempfail: a group", TEMPFAIL, SMTPD, STRANGER, NULL, "<s@a.example>",
         "<r@Partner.Example>", PUT_OFF("partner.example")},
        {"tempfail: one of our networks", TEMPFAIL, SMTPD, OURS, NULL, "<s@a.example>",
         "<r@down.example>", PUT_OFF("down.example")},
        {"tempfail: a login", TEMPFAIL, SMTPD, STRANGER, "ann", "<s@a.example>", "<r@down.example>",
         PUT_OFF("down.example")},
        {"tempfail: the null sender", TEMPFAIL, SMTPD, STRANGER, NULL, "<>", "<r@down.example>",
         PUT_OFF("down.example")},
        {"tempfail: a sender that cannot be told", TEMPFAIL, SMTPD, STRANGER, NULL, "<s\x01@a>",
         "<r@down.example>", PUT_OFF("down.example")},
        {"tempfail: nobody", TEMPFAIL, SMTPD, STRANGER, NULL, "<s@a.example>", "<>", NULL},
        {"tempfail: observing", OBSERVE TEMPFAIL, SMTPD, STRANGER, NULL, "<s@a.example>",
         "<r@down.example>", NULL},
        {"refuse: down, and the cap is not reached", REFUSE, SMTPD, STRANGER, NULL, "<s@a.example>",
         "<r@down.example>", NULL},
        {"refuse: over the cap", REFUSE, SMTPD, STRANGER, NULL, "<s@a.example>", "<r@over.example>",
         REFUSED("over.example")},
        {"refuse: trying, over the cap", REFUSE, SMTPD, OURS, "ann", "<s@a.example>",
         "<r@tryingover.example>", REFUSED("tryingover.example")},
        {"refuse: failing, over the cap", REFUSE, SMTPD, STRANGER, NULL, "<s@a.example>",
         "<r@failing.example>", NULL},
        {"refuse: no cap", REFUSE, SMTPD, STRANGER, NULL, "<s@a.example>", "<r@partner.example>",
         NULL},
        {"refuse: the null sender", REFUSE, SMTPD, STRANGER, NULL, "<>", "<r@over.example>",
         REFUSED("over.example")},
        {"refuse: observing", OBSERVE REFUSE, SMTPD, STRANGER, NULL, "<s@a.example>",
         "<r@over.example>", NULL},
    };

    (void)state;
    go();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *want = cases[i].want ? cases[i].want : "";
        sfsistat status = SMFIS_CONTINUE;
        SMFICTX ctx = {NULL};

        if (*want)
            status = *want == '4' ? SMFIS_TEMPFAIL : SMFIS_REJECT;
        use(cases[i].settings);
        fake_macro(&ctx, "{auth_authen}", cases[i].login);
        open_connection(&ctx, cases[i].client);
        mail(&ctx, cases[i].source, cases[i].sender);
        if (rcpt(&ctx, cases[i].recipient, NULL) != status)
            fail_msg("%s: not answered so", cases[i].label);
        if (*want ? strncmp(ctx.reply, want, strlen(want)) != 0 : ctx.reply[0])
            fail_msg("%s: \"%s\"", cases[i].label, ctx.reply);
        milter->xxfi_close(&ctx);
        assert_null(ctx.priv);
    }
}

/* cleanup(8) could not answer, and would try again for ever: it need not even ask. */
static void mail_of_cleanup_is_accepted_as_a_whole(void **state)
{
    static const char *const settings[] = {TEMPFAIL, REFUSE, OBSERVE TEMPFAIL};

    (void)state;
    go();
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        SMFICTX ctx = {NULL};

        use(settings[i]);
        assert_int_equal(open_connection(&ctx, OURS), SMFIS_CONTINUE);
        assert_int_equal(mail(&ctx, CLEANUP, "<s@a.example>"), SMFIS_ACCEPT);
        assert_int_equal(rcpt(&ctx, "<r@over.example>", NULL), SMFIS_CONTINUE);
        eom(&ctx, ID);
        /* The same connection, of which another message comes by SMTP. */
        assert_int_equal(mail(&ctx, SMTPD, "<s@a.example>"), SMFIS_CONTINUE);
        assert_string_equal(said, "");
        milter->xxfi_close(&ctx);
    }
}

/* The other recipients go on. */
static void each_recipient_has_its_own_answer(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    go();
    use(REFUSE);
    open_connection(&ctx, STRANGER);
    mail(&ctx, SMTPD, "<s@a.example>");
    assert_int_equal(rcpt(&ctx, "<a@up.example>", NULL), SMFIS_CONTINUE);
    assert_int_equal(rcpt(&ctx, "<b@over.example>", NULL), SMFIS_REJECT);
    assert_int_equal(rcpt(&ctx, "<c@down.example>", NULL), SMFIS_CONTINUE);
    assert_int_equal(rcpt(&ctx, "<d@over.example>", NULL), SMFIS_REJECT);
    eom(&ctx, ID);
    assert_said("Postfix says it", "");
    milter->xxfi_close(&ctx);
    assert_int_equal(asked, 0);
}

static void per_cents_are_no_format(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    know("g:100%s", DESTINATION_DOWN, 4);
    fixture_end_state();
    fixture_start_posternd();
    use("destinations = ( { name = \"100%s\"; domains = (\"pct.example\"); "
        "max_open_retries = 1; } ); "
        "milters = { retrycap = { when_down = \"refuse-over-cap\"; }; };");
    open_connection(&ctx, STRANGER);
    mail(&ctx, SMTPD, "<s@a.example>");
    assert_int_equal(rcpt(&ctx, "<a@pct.example>", NULL), SMFIS_REJECT);
    assert_non_null(strstr(ctx.reply, "\"100%s\""));
    milter->xxfi_close(&ctx);
}

static void switched_off(void **state)
{
    SMFICTX ctx = {NULL};

    (void)state;
    go();
    use(ACCEPT);
    assert_int_equal(open_connection(&ctx, STRANGER), SMFIS_ACCEPT);
    assert_null(ctx.priv);
    assert_int_equal(mail(&ctx, SMTPD, "<s@a.example>"), SMFIS_ACCEPT);
    milter->xxfi_close(&ctx);
}

/* What it knew may be wrong by now, and nobody would notice. */
static void all_is_accepted_without_posternd(void **state)
{
    static const char *const settings[] = {TEMPFAIL, REFUSE, WARN};

    (void)state;
    know_all();
    fixture_end_state();
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        SMFICTX ctx = {NULL};

        use(settings[i]);
        open_connection(&ctx, OURS);
        assert_int_equal(mail(&ctx, SMTPD, "<s@a.example>"), SMFIS_CONTINUE);
        assert_int_equal(rcpt(&ctx, "<r@over.example>", NULL), SMFIS_CONTINUE);
        eom(&ctx, ID);
        assert_said(settings[i], "");
        milter->xxfi_close(&ctx);
    }
    fixture_start_posternd();
    assert_int_equal(count_warnings(), 0);
    assert_int_equal(asked, 1);
}

static void mail_is_accepted_when_something_fails(void **state)
{
    SMFICTX ctx = {.fail = 1};

    (void)state;
    go();
    use(TEMPFAIL);
    assert_int_equal(open_connection(&ctx, STRANGER), SMFIS_ACCEPT);
    assert_int_equal(mail(&ctx, SMTPD, "<s@a.example>"), SMFIS_ACCEPT);
    assert_int_equal(rcpt(&ctx, "<r@down.example>", NULL), SMFIS_CONTINUE);
    header(&ctx, "Subject", "x");
    eom(&ctx, ID);
    assert_int_equal(milter->xxfi_abort(&ctx), SMFIS_CONTINUE);
    assert_int_equal(milter->xxfi_close(&ctx), SMFIS_CONTINUE);
    /* A reply that libmilter does not take. */
    ctx.fail = 0;
    open_connection(&ctx, STRANGER);
    mail(&ctx, SMTPD, "<s@a.example>");
    ctx.fail = 1;
    assert_int_equal(rcpt(&ctx, "<r@down.example>", NULL), SMFIS_CONTINUE);
    ctx.fail = 0;
    milter->xxfi_close(&ctx);
    /* No configuration at all. */
    assert_true(confref_set(NULL, NULL));
    assert_int_equal(open_connection(&ctx, STRANGER), SMFIS_ACCEPT);
    milter->xxfi_close(&ctx);
}

/* --- Warnings --- */

static void send_to(SMFICTX *ctx, enum source source, const char *sender, const char *const to[][2],
                    const char *const *field)
{
    sfsistat begun = mail(ctx, source, sender);

    assert_true(begun == SMFIS_CONTINUE || begun == SMFIS_ACCEPT);
    for (size_t i = 0; i < 3 && to[i][0]; i++)
        assert_int_equal(rcpt(ctx, to[i][0], to[i][1]), SMFIS_CONTINUE);
    header(ctx, "Subject", "figures");
    if (field[0])
        header(ctx, field[0], field[1]);
    eom(ctx, ID);
}

static void expect_warning(const char *label, const json_t *taken, const char *want)
{
    json_t *recipients = json_object_get(json_array_get(taken, 0), "recipients");
    char *text = recipients ? json_dumps(recipients, JSON_COMPACT) : NULL;

    if (json_array_size(taken) != (want != NULL))
        fail_msg("%s: %zu warnings", label, json_array_size(taken));
    if (want && (text == NULL || strcmp(text, want) != 0))
        fail_msg("%s: about %s", label, text ? text : "nobody");
    free(text);
}

static void whom_it_tells(void **state)
{
#define DOWN                                                                                       \
    {                                                                                              \
        {                                                                                          \
            "<r@down.example>"                                                                     \
        }                                                                                          \
    }
#define TOLD "[\"r@down.example\"]"
    static const struct {
        const char *label, *settings;
        enum source source;
        const char *client, *login, *sender;
        const char *to[3][2];
        const char *field[2];
        const char *want; /* the recipients; NULL: no warning */
    } cases[] = {
        {"one of our networks", WARN, SMTPD, OURS, NULL, "<s@a.example>", DOWN, {NULL}, TOLD},
        {"the same, IPv4-mapped",
         WARN,
         SMTPD,
         "::ffff:192.0.2.7",
         NULL,
         "<s@a.example>",
         DOWN,
         {NULL},
         TOLD},
        {"IPv6", WARN, SMTPD, "2001:db8::1", NULL, "<s@a.example>", DOWN, {NULL}, TOLD},
        {"a login", WARN, SMTPD, STRANGER, "ann", "<s@a.example>", DOWN, {NULL}, TOLD},
        {"sendmail(1)", WARN, CLEANUP, "", NULL, "<s@a.example>", DOWN, {NULL}, TOLD},
        {"a stranger", WARN, SMTPD, STRANGER, NULL, "<s@a.example>", DOWN, {NULL}, NULL},
        {"a login that is empty", WARN, SMTPD, STRANGER, "", "<s@a.example>", DOWN, {NULL}, NULL},
        {"a client without an address", WARN, SMTPD, "", NULL, "<s@a.example>", DOWN, {NULL}, NULL},
        {"the null sender", WARN, SMTPD, OURS, "ann", "<>", DOWN, {NULL}, NULL},
        {"the null sender of Postfix", WARN, CLEANUP, "", NULL, "", DOWN, {NULL}, NULL},
        {"a sender without a domain", WARN, SMTPD, OURS, NULL, "<s>", DOWN, {NULL}, NULL},
        {"one that no report can be sent to",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s\x01@a.example>",
         DOWN,
         {NULL},
         NULL},
        {"a list", WARN, SMTPD, OURS, NULL, "<s@a.example>", DOWN, {"List-Id", "<l.a>"}, NULL},
        {"a machine", WARN, CLEANUP, "", NULL, "<s@a.example>", DOWN, {"Precedence", "bulk"}, NULL},
        {"a person who says so",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         DOWN,
         {"Auto-Submitted", "no"},
         TOLD},
        {"up", WARN, SMTPD, OURS, NULL, "<s@a.example>", {{"<r@up.example>"}}, {NULL}, NULL},
        {"failing",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         {{"<r@failing.example>"}},
         {NULL},
         NULL},
        {"trying",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         {{"<r@trying.example>"}},
         {NULL},
         "[\"r@trying.example\"]"},
        {"over the cap",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         {{"<r@over.example>"}},
         {NULL},
         "[\"r@over.example\"]"},
        {"several, all in one",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         {{"<a@down.example>"}, {"<b@up.example>"}, {"<c@Partner.example>"}},
         {NULL},
         "[\"a@down.example\",\"c@Partner.example\"]"},
        {"NOTIFY=NEVER",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         {{"<r@down.example>", "NOTIFY=NEVER"}},
         {NULL},
         NULL},
        {"NOTIFY without DELAY",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         {{"<r@down.example>", "NOTIFY=SUCCESS,FAILURE"}},
         {NULL},
         NULL},
        {"NOTIFY with it",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         {{"<r@down.example>", "NOTIFY=FAILURE,DELAY"}},
         {NULL},
         TOLD},
        {"for each its own NOTIFY",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         {{"<a@down.example>", "NOTIFY=FAILURE"},
          {"<b@down.example>", "NOTIFY=DELAY"},
          {"<c@down.example>", NULL}},
         {NULL},
         "[\"b@down.example\",\"c@down.example\"]"},
        {"a NOTIFY that nobody understands",
         WARN,
         SMTPD,
         OURS,
         NULL,
         "<s@a.example>",
         {{"<r@down.example>"}, {"<a@up.example>", "NOTIFY=MAYBE"}, {"<b@down.example>"}},
         {NULL},
         NULL},
        {"observing", OBSERVE WARN, SMTPD, OURS, NULL, "<s@a.example>", DOWN, {NULL}, NULL},
        {"accept", ACCEPT, SMTPD, OURS, NULL, "<s@a.example>", DOWN, {NULL}, NULL},
        {"refuse-over-cap", REFUSE, SMTPD, OURS, NULL, "<s@a.example>", DOWN, {NULL}, NULL},
    };

    (void)state;
    go();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};
        json_t *taken;

        use(cases[i].settings);
        fake_macro(&ctx, "{auth_authen}", cases[i].login);
        open_connection(&ctx, cases[i].client);
        send_to(&ctx, cases[i].source, cases[i].sender, cases[i].to, cases[i].field);
        if ((strstr(said, ID ": warn ") != NULL) != (cases[i].want != NULL))
            fail_msg("%s: said \"%s\"", cases[i].label, said);
        milter->xxfi_close(&ctx);
        taken = take_warnings();
        expect_warning(cases[i].label, taken, cases[i].want);
        json_decref(taken);
    }
}

/* posternd composes the report from it. */
static void the_envelope_is_complete(void **state)
{
    static const char *const to[3][2] = {{"<a@up.example>", NULL},
                                         {"<b@down.example>", "ORCPT=rfc822;b+2Bx@down.example"}};
    static const char *const field[2] = {"Message-ID", "<1@a.example>"};
    int64_t before = clock_now();
    struct envelope *e;
    SMFICTX ctx = {NULL};
    json_t *taken;

    (void)state;
    go();
    use(WARN);
    open_connection(&ctx, OURS);
    send_to(&ctx, SMTPD, "<s@a.example>", to, field);
    milter->xxfi_close(&ctx);
    taken = take_warnings();
    expect_warning("about", taken, "[\"b@down.example\"]");
    e = envelope_from_json(json_object_get(json_array_get(taken, 0), "envelope"));
    assert_non_null(e);
    assert_string_equal(e->queue_id, ID);
    assert_string_equal(e->sender, "s@a.example");
    assert_int_equal(e->count, 2);
    assert_string_equal(e->recipients[1].original, "rfc822;b+x@down.example");
    assert_string_equal(e->header, "Subject: figures\nMessage-ID: <1@a.example>\n");
    assert_null(e->body);
    assert_true(e->arrived >= before && e->arrived <= clock_now());
    envelope_free(&e);
    json_decref(taken);
}

static void what_the_log_has(void **state)
{
    static const char *const to[3][2] = {
        {"<a@down.example>"}, {"<b@up.example>"}, {"<c@partner.example>"}};
    static const struct {
        const char *label, *settings, *want;
    } cases[] = {
        {"warn", WARN,
         ID ": warn to=<a@down.example> destination=down.example sender=<s@a.example>\n" ID
            ": warn to=<c@partner.example> destination=partner sender=<s@a.example>\n"},
        {"once a message", OBSERVE WARN,
         ID ": would-warn to=<a@down.example> destination=down.example sender=<s@a.example> "
            "recipients=2\n"},
    };

    (void)state;
    go();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};

        use(cases[i].settings);
        open_connection(&ctx, OURS);
        send_to(&ctx, SMTPD, "<s@a.example>", to, (const char *const[2]){NULL});
        assert_said(cases[i].label, cases[i].want);
        milter->xxfi_close(&ctx);
        json_decref(take_warnings());
    }
}

static void what_would_be_refused(void **state)
{
    static const struct {
        const char *settings, *begin;
    } cases[] = {
        {OBSERVE TEMPFAIL, ID ": would-refuse to=<a@over.example> and maybe others: "
                              "450 4.4.1 over.example cannot be reached since "},
        {OBSERVE REFUSE, ID ": would-refuse to=<a@over.example> and maybe others: "
                            "550 5.4.7 over.example could not be reached"},
    };

    (void)state;
    go();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SMFICTX ctx = {NULL};

        use(cases[i].settings);
        open_connection(&ctx, STRANGER);
        for (int n = 0; n < 2; n++) {
            said[0] = '\0';
            mail(&ctx, SMTPD, "<s@a.example>");
            rcpt(&ctx, "<a@over.example>", NULL);
            rcpt(&ctx, "<b@over.example>", NULL);
            eom(&ctx, ID);
            if (strncmp(said, cases[i].begin, strlen(cases[i].begin)) != 0 ||
                strchr(said, '\n')[1] != '\0')
                fail_msg("said \"%s\"", said);
        }
        milter->xxfi_close(&ctx);
        said[0] = '\0';
    }
}

/* RSET, a message that is complete, and a MAIL behind a MAIL. */
static void each_message_starts_afresh(void **state)
{
    static const char *const up[3][2] = {{"<a@up.example>"}};
    static const char *const none[2] = {NULL};
    SMFICTX ctx = {NULL};

    (void)state;
    go();
    use(WARN);
    open_connection(&ctx, OURS);
    mail(&ctx, SMTPD, "<s@a.example>");
    rcpt(&ctx, "<r@down.example>", NULL);
    assert_int_equal(milter->xxfi_abort(&ctx), SMFIS_CONTINUE);
    eom(&ctx, ID); /* there is no message */
    send_to(&ctx, SMTPD, "<s@a.example>", up, none);
    mail(&ctx, SMTPD, "<s@a.example>");
    rcpt(&ctx, "<r@down.example>", NULL);
    header(&ctx, "Subject", "lost");
    send_to(&ctx, SMTPD, "<s@a.example>", up, none);
    assert_int_equal(count_warnings(), 0);
    /* Another message of the same connection, and what one of a list says is not said of it. */
    use(WARN);
    send_to(&ctx, SMTPD, "<s@a.example>", (const char *const[3][2]){{"<r@down.example>"}},
            (const char *const[2]){"List-Id", "<l.a>"});
    assert_int_equal(count_warnings(), 0);
    send_to(&ctx, SMTPD, "<s@a.example>", (const char *const[3][2]){{"<r@down.example>"}}, none);
    send_to(&ctx, SMTPD, "<s@a.example>", (const char *const[3][2]){{"<r@down.example>"}}, none);
    eom(&ctx, ID); /* there is no other */
    assert_int_equal(count_warnings(), 2);
    milter->xxfi_abort(&ctx);
    milter->xxfi_abort(&ctx);
    milter->xxfi_close(&ctx);
}

static void no_warning_without_a_queue_id(void **state)
{
    static const char *const ids[] = {NULL, "", "not an id"};
    SMFICTX ctx = {NULL};

    (void)state;
    go();
    use(WARN);
    open_connection(&ctx, OURS);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        mail(&ctx, SMTPD, "<s@a.example>");
        rcpt(&ctx, "<r@down.example>", NULL);
        eom(&ctx, ids[i]);
    }
    assert_int_equal(count_warnings(), 0);
    milter->xxfi_close(&ctx);
}

/* Asked again, a posternd that is only slow would tell the sender twice. */
static void posternd_is_asked_once(void **state)
{
    static const char *const down[3][2] = {{"<r@down.example>"}};
    SMFICTX ctx = {NULL};

    (void)state;
    go();
    use(WARN);
    open_connection(&ctx, OURS);
    pthread_mutex_lock(&lock);
    deaf_for = 1;
    pthread_mutex_unlock(&lock);
    send_to(&ctx, SMTPD, "<s@a.example>", down, (const char *const[2]){NULL});
    assert_int_equal(count_warnings(), 0);
    assert_int_equal(asked, 2);
    milter->xxfi_close(&ctx);
}

static bool is_asked(void)
{
    return asked > 0;
}

static void hold_posternd(bool on)
{
    pthread_mutex_lock(&lock);
    held = on;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Nor does it grow without end: what is dropped is not in the log either. */
static void no_message_waits_for_posternd(void **state)
{
    static const char *const down[3][2] = {{"<r@down.example>"}};
    SMFICTX ctx = {NULL};

    (void)state;
    go();
    use(WARN);
    open_connection(&ctx, OURS);
    hold_posternd(true);
    send_to(&ctx, SMTPD, "<s@a.example>", down, (const char *const[2]){NULL});
    assert_true(wait_until(is_asked));
    for (int i = 0; i < WAITING_MOST + 5; i++)
        send_to(&ctx, SMTPD, "<s@a.example>", down, (const char *const[2]){NULL});
    assert_int_equal(lines, 1 + WAITING_MOST);
    hold_posternd(false);
    milter->xxfi_close(&ctx);
}

/* --- Threads --- */

static void *converse(void *arg)
{
    bool *wrong = arg;

    for (int i = 0; i < 50; i++) {
        SMFICTX ctx = {NULL};
        sfsistat status;

        if (open_connection(&ctx, OURS) == SMFIS_CONTINUE) {
            mail(&ctx, SMTPD, "<s@a.example>");
            status = rcpt(&ctx, "<r@down.example>", NULL);
            *wrong = *wrong || (status != SMFIS_CONTINUE && status != SMFIS_TEMPFAIL) ||
                     rcpt(&ctx, "<a@up.example>", NULL) != SMFIS_CONTINUE;
            milter->xxfi_header(&ctx, (char *)(uintptr_t) "Subject", (char *)(uintptr_t) "x");
            fake_macro(&ctx, "i", ID);
            milter->xxfi_eom(&ctx);
        }
        milter->xxfi_close(&ctx);
    }
    return NULL;
}

/* Many at once, while the configuration changes: one for the sanitizers. */
static void threads_take_turns(void **state)
{
    static const char *const settings[] = {WARN, TEMPFAIL, ACCEPT, OBSERVE WARN};
    pthread_t threads[4];
    bool wrong[4] = {false};

    (void)state;
    go();
    use(WARN);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, converse, &wrong[i]), 0);
    for (int i = 0; i < 40; i++)
        use(settings[i % 4]);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        assert_false(wrong[i]);
    assert_true(count_warnings() <= 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_the_door_answers),
        TEST(mail_of_cleanup_is_accepted_as_a_whole),
        TEST(each_recipient_has_its_own_answer),
        TEST(per_cents_are_no_format),
        TEST(switched_off),
        TEST(all_is_accepted_without_posternd),
        TEST(mail_is_accepted_when_something_fails),
        TEST(whom_it_tells),
        TEST(the_envelope_is_complete),
        TEST(what_the_log_has),
        TEST(what_would_be_refused),
        TEST(each_message_starts_afresh),
        TEST(no_warning_without_a_queue_id),
        TEST(posternd_is_asked_once),
        TEST(threads_take_turns),
        /* The last one: its letters are still on their way when it ends. */
        TEST(no_message_waits_for_posternd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
