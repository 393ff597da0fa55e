/*
 * Plays a scenario: log lines and passing time go into the ledger, what it wants done is compared.
 *
 *     CONFIG            the lines up to END are a postern.conf
 *     LOG PROGRAM TEXT  a line of the mail log, at the present time: "LOG smtp 4F1: to=<...>, ..."
 *     TIME_PASSES N     N seconds (with a fraction) go by; what is due happens in between
 *     RESTART           posternd starts again; with an indented CONFIG before it, under that one
 *     RETRY NAME        posternctl retry; FORGET NAME: posternctl forget destination
 *     EARLY off         Postfix's own reports pass through no milter
 *     ENVELOPE ID SENDER RECIPIENT...   the door tells of a message; "NOTIFY=NEVER" and the like
 *                       behind a recipient are its parameters
 *     SENT ID           posternd's report is in Postfix's hands; FAILED ID: it is not
 *     DELAYED ID COUNT  posternd told the sender of the delay of so many recipients
 *     WARNED ID RECIPIENT DESTINATION    the sender was told of the delay at the door; the last is
 *                       "g:GROUP" or "d:DOMAIN"
 *     CLAIM ID RECIPIENT keep|drop|wait  Postfix's own report names it: what is to become of that
 *     TEST RECIPIENT yes|no              may a message try this bad address?
 *     BAD COUNT         so many addresses are known to be bad
 *     EXPECT ACTION     the next thing that was wanted: "route KEY SERVICE|none", "wake ID WHY",
 *                       "say TEXT" (its beginning). What was wanted and not expected is an error,
 *                       looked at before the next LOG, TIME_PASSES or the end.
 *
 * The time begins at 2026-11-23 08:00:00 UTC. Blank lines and lines with # are skipped.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ledger.h"
#include "maillog.h"

enum { ACTIONS_MAX = 4000, LINE_LENGTH_MAX = 4096 };

static const int64_t begin = INT64_C(1795420800000);

struct scene {
    const char *file;
    unsigned line;
    char directory[64];
    char config_path[128];
    struct config *config;
    struct store *store;
    struct ledger *ledger;
    struct maillog_reader reader;
    struct ledger_early early;
    int64_t now;
    char *wanted[ACTIONS_MAX];
    size_t count;
    size_t seen;
};

static _Noreturn void fail(const struct scene *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void remove_directory(const struct scene *s)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -r '%s'", s->directory);
    if (s->directory[0] && system(command) != 0)
        fprintf(stderr, "%s is left\n", s->directory);
}

static _Noreturn void fail(const struct scene *s, const char *format, ...)
{
    va_list ap;

    fprintf(stderr, "%s:%u: ", s->file, s->line);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    remove_directory(s);
    exit(1);
}

static void want(struct scene *s, char *text)
{
    if (text == NULL || s->count == ACTIONS_MAX)
        fail(s, "too many actions");
    s->wanted[s->count++] = text;
}

static void on_route(void *context, struct slice key, enum route route)
{
    char service[ROUTE_SERVICE_MAX];
    char *text = NULL;

    if (asprintf(&text, "route %.*s %s", (int)key.len, key.at,
                 route ? route_service(route, service) : "none") >= 0)
        want(context, text);
}

static void on_wake(void *context, struct slice queue_id, enum wake_why why, bool nudge)
{
    static const char *const whys[] = {"probe", "give-up", "transfer", "back"};
    char *text = NULL;

    (void)nudge;
    if (asprintf(&text, "wake %.*s %s", (int)queue_id.len, queue_id.at, whys[why]) >= 0)
        want(context, text);
}

static void on_say(void *context, const char *line)
{
    char *text = NULL;

    if (asprintf(&text, "say %s", line) >= 0)
        want(context, text);
}

static void on_report(void *context, struct slice queue_id)
{
    char *text = NULL;

    if (asprintf(&text, "report %.*s", (int)queue_id.len, queue_id.at) >= 0)
        want(context, text);
}

static void on_delay(void *context, struct slice queue_id)
{
    char *text = NULL;

    if (asprintf(&text, "delay %.*s", (int)queue_id.len, queue_id.at) >= 0)
        want(context, text);
}

static const struct ledger_actions actions = {on_route, on_wake, on_say, on_report, on_delay};

static void transact(struct scene *s)
{
    if (!store_begin(s->store))
        fail(s, "state: %s", store_error(s->store));
}

static void commit(struct scene *s)
{
    if (!store_commit(s->store))
        fail(s, "state: %s", store_error(s->store));
}

static void start(struct scene *s)
{
    char error[1024];

    ledger_free(&s->ledger);
    config_free(&s->config);
    store_close(&s->store);
    s->config = config_load(s->config_path, error, sizeof(error));
    if (s->config == NULL)
        fail(s, "%s", error);
    s->store = store_open(s->directory, true, (gid_t)-1, error, sizeof(error));
    if (s->store == NULL)
        fail(s, "%s", error);
    s->ledger = ledger_new(s->store, s->config, &actions, s);
    ledger_set_early(s->ledger, &s->early);
    transact(s);
    ledger_start(s->ledger, s->now);
    commit(s);
}

static void read_config(struct scene *s, FILE *file)
{
    char line[LINE_LENGTH_MAX];
    FILE *out = fopen(s->config_path, "w");

    while (out && fgets(line, sizeof(line), file)) {
        s->line++;
        if (strcmp(line, "END\n") == 0) {
            fclose(out);
            return;
        }
        fputs(line, out);
    }
    fail(s, "CONFIG without END");
}

static void play_log(struct scene *s, const char *text)
{
    char stamp[64];
    char line[LINE_LENGTH_MAX + 128];
    time_t seconds = (time_t)(s->now / 1000);
    struct maillog_line parsed;
    struct tm tm;
    int space = (int)strcspn(text, " ");
    int len;

    gmtime_r(&seconds, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    len = snprintf(line, sizeof(line), "%s.%03d+00:00 mail postfix/%.*s[1]: %s", stamp,
                   (int)(s->now % 1000), space, text, text + space + 1);
    if (!maillog_parse(&s->reader, line, (size_t)len, s->now, &parsed))
        fail(s, "not a line of Postfix: %s", line);
    transact(s);
    ledger_line(s->ledger, &parsed);
    ledger_tick(s->ledger, s->now, (struct ledger_room){100, 100});
    commit(s);
}

/* From one due time to the next, so that everything happens when it should. */
static void pass(struct scene *s, double seconds)
{
    int64_t end = s->now + (int64_t)(seconds * 1000 + 0.5);
    int64_t next;

    do {
        transact(s);
        next = ledger_tick(s->ledger, s->now, (struct ledger_room){100, 100});
        commit(s);
        if (next == 0 || next > end)
            break;
        s->now = next > s->now ? next : s->now + 1;
    } while (s->now <= end);
    s->now = end;
}

static void check_all_seen(struct scene *s)
{
    if (s->seen < s->count)
        fail(s, "not expected: %s", s->wanted[s->seen]);
}

static void expect(struct scene *s, const char *text)
{
    const char *got = s->seen < s->count ? s->wanted[s->seen++] : "nothing more";
    bool part = strncmp(text, "say ", 4) == 0;

    if (part ? strncmp(got, text, strlen(text)) != 0 : strcmp(got, text) != 0)
        fail(s, "expected: %s\n  got: %s", text, got);
}

static const char *argument(const char *line, const char *verb)
{
    size_t len = strlen(verb);

    if (strncmp(line, verb, len) != 0 || (line[len] != ' ' && line[len] != '\0'))
        return NULL;
    return line[len] ? line + len + 1 : line + len;
}

static void request(struct scene *s, const char *name, bool retry)
{
    bool found;

    transact(s);
    found = retry ? ledger_retry(s->ledger, slice_of(name), s->now)
                  : ledger_forget_destination(s->ledger, slice_of(name), s->now);
    ledger_tick(s->ledger, s->now, (struct ledger_room){100, 100});
    commit(s);
    if (!found)
        fail(s, "nothing is known of %s", name);
}

static void play_early(struct scene *s, bool possible)
{
    s->early.possible = possible;
    ledger_set_early(s->ledger, &s->early);
}

/* Cuts the next word off. */
static char *next_word(char **rest)
{
    char *word = strsep(rest, " ");

    return word ? word : (char *)(uintptr_t) "";
}

static void play_envelope(struct scene *s, const char *text)
{
    char *copy = strdup(text);
    char *rest = copy;
    const char *id = next_word(&rest);
    char *mail[] = {next_word(&rest), NULL};
    struct envelope *envelope = envelope_new(mail, s->now);
    char *json_text = NULL;
    json_t *json;

    while (envelope && rest) {
        char *rcpt[] = {next_word(&rest), NULL, NULL};
        if (rest && strncmp(rest, "NOTIFY=", 7) == 0)
            rcpt[1] = next_word(&rest);
        if (!envelope_add_recipient(envelope, rcpt))
            fail(s, "not to be kept: %s", rcpt[0]);
    }
    if (envelope == NULL || !envelope_set_queue_id(envelope, id))
        fail(s, "no envelope: %s", text);
    json = envelope_to_json(envelope);
    json_text = json_dumps(json, JSON_COMPACT);
    transact(s);
    if (!ledger_envelope(s->ledger, slice_of(id), envelope->arrived, slice_of(json_text)))
        fail(s, "the ledger does not take it");
    commit(s);
    free(json_text);
    json_decref(json);
    envelope_free(&envelope);
    free(copy);
}

static void play_reported(struct scene *s, const char *id, bool sent)
{
    struct ledger_report report;

    transact(s);
    if (!ledger_report_load(s->ledger, slice_of(id), &report))
        fail(s, "%s: there is nothing to report", id);
    ledger_report_free(&report);
    ledger_reported(s->ledger, slice_of(id), sent, s->now);
    commit(s);
}

static void play_delayed(struct scene *s, const char *text)
{
    struct ledger_delay delay;
    char *copy = strdup(text);
    char *rest = copy;
    const char *id = next_word(&rest);
    size_t count = 0;

    transact(s);
    if (ledger_delay_load(s->ledger, slice_of(id), &delay)) {
        count = delay.count;
        ledger_delay_free(&delay);
    }
    ledger_delayed(s->ledger, slice_of(id), count > 0, s->now);
    commit(s);
    if (rest == NULL || count != strtoul(rest, NULL, 10))
        fail(s, "%s: %zu recipients", id, count);
    free(copy);
}

static void play_warned(struct scene *s, const char *text)
{
    char *copy = strdup(text);
    char *rest = copy;
    struct ledger_warned warned = {.queue_id = slice_of(next_word(&rest)), .arrived = s->now};
    struct destination_record to;

    warned.recipient = slice_of(next_word(&rest));
    transact(s);
    if (!record_load_destination(s->store, slice_of(next_word(&rest)), &to))
        fail(s, "nothing is known of that destination");
    warned.destination = to.d.id;
    ledger_warned(s->ledger, &warned, s->now);
    commit(s);
    free(copy);
}

static void play_claim(struct scene *s, const char *text)
{
    static const char *const names[] = {"keep", "drop", "wait"};
    char *copy = strdup(text);
    char *rest = copy;
    const char *id = next_word(&rest);
    const char *recipient = next_word(&rest);
    enum ledger_claim claim;

    transact(s);
    claim = ledger_claim(s->ledger, slice_of(id), slice_of(recipient));
    commit(s);
    if (rest == NULL || strcmp(rest, names[claim]) != 0)
        fail(s, "the answer about %s is %s", recipient, names[claim]);
    free(copy);
}

static void play_test(struct scene *s, const char *text)
{
    const char *space = strchr(text, ' ');
    bool may;

    transact(s);
    may = ledger_test_bad(s->ledger, (struct slice){text, strcspn(text, " ")}, s->now);
    commit(s);
    if (space == NULL || strcmp(space + 1, may ? "yes" : "no") != 0)
        fail(s, "the answer is %s", may ? "yes" : "no");
}

static void play_bad(struct scene *s, const char *text)
{
    uint64_t known;

    transact(s);
    ledger_sweep(s->ledger, s->now, INT64_C(5) * 86400 * 1000);
    known = store_count(s->store, STORE_BAD);
    commit(s);
    if (known != strtoull(text, NULL, 10))
        fail(s, "%llu are known", (unsigned long long)known);
}

static void play_line(struct scene *s, const char *line, FILE *file)
{
    const char *rest;

    if (line[0] == '#' || line[strspn(line, " ")] == '\0')
        return;
    if ((rest = argument(line, "EXPECT"))) {
        expect(s, rest);
        return;
    }
    check_all_seen(s);
    if (strcmp(line, "CONFIG") == 0)
        read_config(s, file);
    else if (strcmp(line, "RESTART") == 0)
        start(s);
    else if (s->ledger == NULL)
        fail(s, "RESTART has to come first");
    else if ((rest = argument(line, "LOG")))
        play_log(s, rest);
    else if ((rest = argument(line, "TIME_PASSES")))
        pass(s, atof(rest));
    else if ((rest = argument(line, "RETRY")))
        request(s, rest, true);
    else if ((rest = argument(line, "FORGET")))
        request(s, rest, false);
    else if ((rest = argument(line, "EARLY")))
        play_early(s, strcmp(rest, "off") != 0);
    else if ((rest = argument(line, "ENVELOPE")))
        play_envelope(s, rest);
    else if ((rest = argument(line, "SENT")))
        play_reported(s, rest, true);
    else if ((rest = argument(line, "FAILED")))
        play_reported(s, rest, false);
    else if ((rest = argument(line, "DELAYED")))
        play_delayed(s, rest);
    else if ((rest = argument(line, "WARNED")))
        play_warned(s, rest);
    else if ((rest = argument(line, "CLAIM")))
        play_claim(s, rest);
    else if ((rest = argument(line, "TEST")))
        play_test(s, rest);
    else if ((rest = argument(line, "BAD")))
        play_bad(s, rest);
    else
        fail(s, "what is \"%s\"?", line);
}

static void play(const char *path)
{
    struct scene s = {
        .file = path, .now = begin, .early = {.possible = true, .host = "mail.example"}};
    char line[LINE_LENGTH_MAX];
    FILE *file = fopen(path, "r");

    strcpy(s.directory, "/tmp/postern-scenario-XXXXXX");
    if (file == NULL || mkdtemp(s.directory) == NULL)
        fail(&s, "cannot be played");
    snprintf(s.config_path, sizeof(s.config_path), "%s/postern.conf", s.directory);
    while (fgets(line, sizeof(line), file)) {
        s.line++;
        line[strcspn(line, "\n")] = '\0';
        play_line(&s, line, file);
    }
    check_all_seen(&s);
    fclose(file);
    ledger_free(&s.ledger);
    config_free(&s.config);
    store_close(&s.store);
    while (s.count > 0)
        free(s.wanted[--s.count]);
    remove_directory(&s);
    printf("ok %s\n", path);
}

int main(int argc, char **argv)
{
    setenv("TZ", "UTC", 1);
    for (int i = 1; i < argc; i++)
        play(argv[i]);
    return argc > 1 ? 0 : 2;
}
