/*
 * How fast a mail log is taken in: from the file through parser, ledger and store, with the log
 * position committed as posternd does it. Compared with only counting the lines of the same file,
 * in the same run.
 *
 *     ingest [LINES [DEFERRED_PERCENT [DIRECTORY]]]     defaults: 1000000 8 /tmp
 *
 * The log: 10,000 destinations, long queue ids; each delivery line comes with its "queue active"
 * and, when the mail is gone, its "removed". LINES counts delivery lines only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ledger.h"
#include "logsource.h"

enum { DESTINATIONS = 10000, BATCH_LINES = 20000 };

static const int64_t begin = INT64_C(1795420800000);

struct tally {
    uint64_t routes;
    uint64_t wakes;
    uint64_t said;
};

static void on_route(void *context, struct slice key, enum route route)
{
    (void)key;
    (void)route;
    ((struct tally *)context)->routes++;
}

static void on_wake(void *context, struct slice queue_id, enum wake_why why, bool nudge)
{
    (void)queue_id;
    (void)why;
    (void)nudge;
    ((struct tally *)context)->wakes++;
}

static void on_say(void *context, const char *line)
{
    (void)line;
    ((struct tally *)context)->said++;
}

static double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void print_stamp(FILE *log, int64_t now)
{
    char stamp[32];
    time_t second = (time_t)(now / 1000);
    struct tm tm;

    gmtime_r(&second, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    fprintf(log, "%s.%03d000+00:00 mail ", stamp, (int)(now % 1000));
}

/* One message for one recipient; the failing destinations are the first of the list. */
static void print_message(FILE *log, unsigned n, int64_t now, unsigned deferred_percent)
{
    bool fails = n % 100 < deferred_percent;
    unsigned destination = fails ? n % 97 : 97 + n % (DESTINATIONS - 97);
    char id[24];

    snprintf(id, sizeof(id), "4dPz%07uz%c", n, 'B' + (int)(n % 20));
    for (char *c = id; *c; c++) /* the alphabet of long queue ids has no vowels */
        *c = *c == '0' || *c == '1' ? 'w' : *c;
    snprintf(id + 4, sizeof(id) - 4, "%07uz%c", n, 'B' + (int)(n % 20));
    print_stamp(log, now);
    fprintf(
        log,
        "postfix/qmgr[811]: %s: from=<bulk@sender.example>, size=4312, nrcpt=1 (queue active)\n",
        id);
    print_stamp(log, now + 300);
    if (fails) {
        fprintf(log,
                "postfix/smtp[%u]: %s: to=<user%u@d%u.example>, relay=none, delay=30, "
                "delays=0.02/0.01/30/0, dsn=4.4.1, status=deferred (connect to "
                "mx.d%u.example[192.0.2.7]:25: Connection timed out)\n",
                900 + n % 50, id, n, destination, destination);
        return;
    }
    fprintf(
        log,
        "postfix/smtp[%u]: %s: to=<user%u@d%u.example>, relay=mx.d%u.example[192.0.2.7]:25, "
        "delay=0.41, delays=0.02/0.01/0.2/0.18, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as "
        "5C1D3A0042)\n",
        900 + n % 50, id, n, destination, destination);
    print_stamp(log, now + 310);
    fprintf(log, "postfix/qmgr[811]: %s: removed\n", id);
}

static void write_log(const char *path, unsigned lines, unsigned deferred_percent)
{
    FILE *log = fopen(path, "w");

    if (log == NULL) {
        perror(path);
        exit(1);
    }
    /* 100 messages a second. */
    for (unsigned n = 0; n < lines; n++)
        print_message(log, n, begin + (int64_t)n * 10, deferred_percent);
    fclose(log);
}

static uint64_t count_lines(const char *path)
{
    static char buffer[65536];
    FILE *log = fopen(path, "r");
    uint64_t lines = 0;
    size_t got;

    while (log && (got = fread(buffer, 1, sizeof(buffer), log)) > 0)
        for (const char *at = buffer; (at = memchr(at, '\n', (size_t)(buffer + got - at))); at++)
            lines++;
    if (log)
        fclose(log);
    return lines;
}

static void fail(const char *what)
{
    fprintf(stderr, "ingest: %s\n", what);
    exit(1);
}

/* Like posternd's transaction; false at the end of the log. */
static bool take_batch(struct store *store, struct ledger *ledger, struct logsource *source)
{
    struct logsource_position position;
    struct maillog_line line;
    enum logsource_result result = LOGSOURCE_SKIP;

    if (!store_begin(store))
        fail(store_error(store));
    for (int n = 0; n < BATCH_LINES && result != LOGSOURCE_WAIT; n++) {
        result = logsource_next(source, begin + INT64_C(86400000), &line);
        if (result == LOGSOURCE_LINE)
            ledger_line(ledger, &line);
    }
    ledger_flush(ledger);
    logsource_position(source, &position);
    store_put(store, STORE_META, slice_of("log-position"),
              (struct slice){(const char *)position.bytes, position.len});
    if (!store_commit(store))
        fail(store_error(store));
    return result != LOGSOURCE_WAIT;
}

static void read_all(const char *directory, const char *log, struct tally *tally)
{
    static const struct ledger_actions actions = {
        .route = on_route, .wake = on_wake, .say = on_say};
    char path[512];
    char error[512];
    FILE *file;
    struct config *config;
    struct store *store;
    struct logsource *source;
    struct ledger *ledger;

    snprintf(path, sizeof(path), "%s/postern.conf", directory);
    file = fopen(path, "w");
    if (file == NULL || fputs("retry = { max_open_retries = 24; };\n", file) < 0 ||
        fclose(file) != 0)
        fail(path);
    config = config_load(path, error, sizeof(error));
    store = config ? store_open(directory, true, (gid_t)-1, error, sizeof(error)) : NULL;
    source = store ? logsource_open(log, NULL, error, sizeof(error)) : NULL;
    if (source == NULL)
        fail(error);
    ledger = ledger_new(store, config, &actions, tally);
    while (take_batch(store, ledger, source))
        continue;
    ledger_free(&ledger);
    logsource_close(&source);
    store_close(&store);
    config_free(&config);
}

/* Resident memory that is not the mapped state, in KiB. */
static long anonymous_memory(void)
{
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");

    while (status && fgets(line, sizeof(line), status))
        if (sscanf(line, "RssAnon: %ld", &kib) == 1)
            break;
    if (status)
        fclose(status);
    return kib;
}

static long long size_of(const char *directory)
{
    char path[512];
    struct stat st = {0};

    snprintf(path, sizeof(path), "%s/state.mdb", directory);
    return stat(path, &st) == 0 ? (long long)st.st_size : 0;
}

int main(int argc, char **argv)
{
    unsigned lines = argc > 1 ? (unsigned)atoi(argv[1]) : 1000000;
    unsigned deferred = argc > 2 ? (unsigned)atoi(argv[2]) : 8;
    char directory[256];
    char log[512];
    char command[512];
    struct tally tally = {0};
    double started;
    double counting;
    double reading;
    uint64_t all;

    setenv("TZ", "UTC", 1);
    snprintf(directory, sizeof(directory), "%s/postern-ingest-XXXXXX", argc > 3 ? argv[3] : "/tmp");
    if (mkdtemp(directory) == NULL)
        fail(directory);
    snprintf(log, sizeof(log), "%s/mail.log", directory);
    write_log(log, lines, deferred);
    count_lines(log); /* into the page cache, for both */
    started = seconds();
    all = count_lines(log);
    counting = seconds() - started;
    started = seconds();
    read_all(directory, log, &tally);
    reading = seconds() - started;
    printf("%u delivery lines (%" PRIu64
           " in all, %u %% deferred) in %.2f s: %.0f delivery lines/s\n",
           lines, all, deferred, reading, lines / reading);
    printf("%.1f times as long as counting the lines of the same file (%.3f s)\n",
           reading / counting, counting);
    printf("%.1f MiB of memory beside the mapped state of %.1f MiB\n",
           (double)anonymous_memory() / 1024, (double)size_of(directory) / 1048576);
    printf("%" PRIu64 " routes, %" PRIu64 " lines said\n", tally.routes, tally.said);
    snprintf(command, sizeof(command), "rm -r '%s'", directory);
    return system(command) != 0;
}
