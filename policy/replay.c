#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "neighbours.h"
#include "replay_files.h"
#include "replay_report.h"
#include "replay_study.h"
#include "say.h"

enum { PROGRESS_LINES = 1 << 15, PROGRESS_PAUSE = 200, BAR = 40, EXIT_NOTHING = 1 };

/* What the command line asks for. */
struct request {
    int year;
    bool html;
    char **logs; /* into argv */
    int count;
};

/* The progress on a terminal. */
struct progress {
    bool on;
    int64_t started;
    int64_t shown;
};

static bool is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* "--log FILE..." takes words up to the next option. The logs are moved to the front of argv. */
static bool read_request(struct request *r, int argc, char **argv)
{
    bool in_logs = false;

    r->logs = argv;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--log") == 0) {
            in_logs = true;
        } else if (strcmp(argv[i], "--html") == 0) {
            r->html = true;
            in_logs = false;
        } else if (strcmp(argv[i], "--year") == 0 && i + 1 < argc) {
            r->year = atoi(argv[++i]);
            in_logs = false;
            if (r->year < 1970 || r->year > 9999)
                return false;
        } else if (in_logs && !is_option(argv[i])) {
            r->logs[r->count++] = argv[i];
        } else {
            return false;
        }
    }
    return r->count > 0;
}

static void show_progress(struct progress *progress, const struct replay_files *files)
{
    int64_t now = clock_now();
    double share = replay_files_share(files);
    char left[SAY_MAX];

    if (!progress->on || now < progress->shown + PROGRESS_PAUSE)
        return;
    progress->shown = now;
    fprintf(stderr, "\r\033[K");
    if (share >= 0) {
        int done = (int)(share * BAR);

        fprintf(stderr, "[%.*s%*s] %3d %%  ", done, "########################################",
                BAR - done, "", (int)(share * 100));
    }
    fprintf(stderr, "%" PRIu64 " lines", replay_files_lines(files));
    if (share > 0.01)
        fprintf(
            stderr, ", %s left",
            say_duration(left, (int64_t)((double)(now - progress->started) / share * (1 - share))));
    fflush(stderr);
}

static void end_progress(const struct progress *progress)
{
    if (progress->shown > 0)
        fputs("\r\033[K", stderr);
}

static void read_all(struct replay_study *study, struct replay_files *files)
{
    struct progress progress = {.on = isatty(STDERR_FILENO) != 0, .started = clock_now()};
    const struct maillog_line *line;
    struct slice whole;
    enum replay_line kind;
    unsigned n = 0;

    while ((kind = replay_files_next(files, &line, &whole)) != REPLAY_LINE_END) {
        if (kind == REPLAY_LINE_POSTFIX)
            replay_study_line(study, line);
        else if (line->queue_id.len > 0)
            replay_study_other(study, line, whole);
        if (++n % PROGRESS_LINES == 0)
            show_progress(&progress, files);
    }
    replay_study_end(study);
    end_progress(&progress);
}

static struct replay_files *open_logs(const struct request *r)
{
    struct replay_files *files = replay_files_new(r->year, clock_now());
    char error[512];

    if (files == NULL)
        log_fatal(EX_OSERR, "out of memory");
    for (int i = 0; i < r->count; i++)
        if (!replay_files_add(files, r->logs[i], error, sizeof(error)))
            log_fatal(EX_NOINPUT, "%s", error);
    replay_files_sort(files);
    return files;
}

/* Logs may come from elsewhere: where Postfix cannot be asked, each of its lines counts. */
static struct logtags *tags_of(const struct config *config)
{
    char error[512];
    struct postfix *postfix = postfix_open(config_postfix_directory(config), error, sizeof(error));
    struct neighbours *neighbours = postfix ? neighbours_ask(postfix, config_log(config)) : NULL;
    struct logtags *tags = neighbours ? neighbours_tags(neighbours, postfix) : NULL;

    neighbours_free(&neighbours);
    postfix_free(&postfix);
    return tags;
}

static void print(const struct request *r, bool json, int width, const json_t *report)
{
    if (json) {
        json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(14));
        putchar('\n');
    } else if (r->html) {
        replay_html(stdout, report);
    } else {
        replay_show(stdout, width, report);
    }
}

static json_t *study_logs(const struct config *config, struct replay_files *files)
{
    struct replay_study *study;
    char error[512];
    uint64_t seed = 0;
    json_t *report;

    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
        seed = (uint64_t)clock_now();
    study = replay_study_new(config, &replay_limits_default, seed, error, sizeof(error));
    if (study == NULL)
        log_fatal(EX_OSERR, "%s", error);
    read_all(study, files);
    report = replay_report(study);
    replay_study_free(&study);
    if (report == NULL)
        log_fatal(EX_OSERR, "out of memory");
    json_object_set_new(report, "lines", json_integer((json_int_t)replay_files_lines(files)));
    json_object_set_new(report, "files", replay_files_report(files));
    return report;
}

int replay_main(const struct config *config, bool json, int width, int argc, char **argv)
{
    struct request r = {0};
    struct replay_files *files;
    struct logtags *tags;
    json_t *report;
    bool found;

    if (!read_request(&r, argc, argv) || (json && r.html))
        return -1;
    files = open_logs(&r);
    tags = tags_of(config);
    replay_files_tags(files, tags);
    report = study_logs(config, files);
    logtags_free(&tags);
    found = !json_is_null(json_object_get(report, "from"));
    if (!found)
        fputs("posternctl: there is no line of Postfix's in these logs\n", stderr);
    print(&r, json, width, report);
    json_decref(report);
    replay_files_free(&files);
    return found ? EX_OK : EXIT_NOTHING;
}
