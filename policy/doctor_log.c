/* Does the mail log reach posternd, whole and in time? */
#include "doctor_parts.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "say.h"

enum {
    SILENT_MS = 10 * 60 * 1000, /* mail moved so long after the last line */
    LAG_SECONDS = 300,
    JOURNAL_TIMEOUT = 20 * 1000,
};

bool doctor_reads_journal(const struct patient *p)
{
    return strcmp(config_log(p->config), "journal") == 0;
}

/* --- Reading it --- */

/* What a running posternd was given when it started: a group that came later, it does not have. */
static bool running_has_group(const struct patient *p, gid_t group)
{
    struct doctor_account running = p->account;
    char path[64];
    char status[4096];

    snprintf(path, sizeof(path), "/proc/%d/status", (int)p->pid);
    if (p->pid == 0 || !doctor_read(path, status, sizeof(status)))
        return true;
    doctor_read_groups(status, &running);
    for (int i = 0; i < running.group_count; i++)
        if (running.groups[i] == group)
            return true;
    return false;
}

static bool account_has_group(const struct patient *p, gid_t group)
{
    for (int i = 0; i < p->account.group_count; i++)
        if (p->account.groups[i] == group)
            return true;
    return false;
}

static void say_group(struct patient *p, const char *group, const char *what)
{
    char type[300];

    snprintf(type, sizeof(type), "usermod -a -G %.64s %.64s && systemctl restart posternd", group,
             p->account.name);
    doctor_say(p, DOCTOR_PROBLEM, type, "the account %s may not read %s: it is not in the group %s",
               p->account.name, what, group);
}

/* What may read the journal besides root (systemd-journald.service(8)). */
static void check_journal_access(struct patient *p)
{
    static const char *const names[] = {"systemd-journal", "adm", "wheel"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        gid_t group = doctor_group(names[i]);
        if (group != (gid_t)-1 && account_has_group(p, group))
            return;
    }
    say_group(p, "systemd-journal", "the journal");
}

/* It may by its group, if anybody of that group may. */
static void check_log_group(struct patient *p, const struct stat *st)
{
    const struct group *group = getgrgid(st->st_gid);
    char type[DOCTOR_PATH_MAX + 100];

    if (group && group->gr_gid != 0 && (st->st_mode & S_IRGRP) != 0 &&
        !account_has_group(p, group->gr_gid)) {
        say_group(p, group->gr_name, config_log(p->config));
        return;
    }
    snprintf(type, sizeof(type),
             "chgrp adm %s && chmod g+r %s && usermod -a -G adm %s && "
             "systemctl restart posternd",
             config_log(p->config), config_log(p->config), p->account.name);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "the account %s may not read %s; rotation has to keep what is done about that",
               p->account.name, config_log(p->config));
}

static void check_log_file(struct patient *p)
{
    const char *log = config_log(p->config);
    char blame[DOCTOR_PATH_MAX];
    struct stat st;

    if (stat(log, &st) != 0) {
        doctor_say(p, DOCTOR_PROBLEM, "systemctl restart posternd",
                   "%s: %s; if Postfix logs to the journal, set postfix.log = \"journal\" in %s",
                   log, strerror(errno), config_path(p->config));
    } else if (!doctor_may(p, &p->account, log, R_OK, blame)) {
        if (strcmp(blame, log) == 0)
            check_log_group(p, &st);
        else
            doctor_check_path(p, &p->account, log, R_OK);
    } else if ((st.st_mode & S_IROTH) == 0 && st.st_uid != p->account.uid &&
               account_has_group(p, st.st_gid) && !running_has_group(p, st.st_gid)) {
        doctor_say(p, DOCTOR_PROBLEM, "systemctl restart posternd",
                   "posternd was started before its account could read %s", log);
    }
}

void doctor_log(struct patient *p)
{
    if (!p->known || p->account.uid == 0)
        return;
    if (doctor_reads_journal(p))
        check_journal_access(p);
    else
        check_log_file(p);
}

void doctor_log_place(struct patient *p)
{
    char *file = doctor_postconf(p, "maillog_file");

    if (file[0] == '/' && strcmp(file, config_log(p->config)) != 0)
        doctor_say(p, DOCTOR_PROBLEM, "systemctl restart posternd",
                   "Postfix logs to %s (maillog_file), but posternd reads %s: set postfix.log = "
                   "\"%s\" in %s",
                   file, doctor_reads_journal(p) ? "the journal" : config_log(p->config), file,
                   config_path(p->config));
    free(file);
}

/* --- Does it keep up? --- */

/* When mail last came, went or was put off: the queue's directories change then. */
static int64_t last_movement(const struct patient *p)
{
    static const char *const queues[] = {"active", "incoming", "maildrop"};
    char path[DOCTOR_PATH_MAX];
    int64_t last = 0;
    struct stat st;

    for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", postfix_queue_directory(p->plan.postfix), queues[i]);
        if (stat(path, &st) == 0 && (int64_t)st.st_mtim.tv_sec * 1000 > last)
            last = (int64_t)st.st_mtim.tv_sec * 1000;
    }
    return last;
}

void doctor_log_flow(struct patient *p)
{
    int64_t moved = last_movement(p);
    char since[SAY_MAX];
    char then[SAY_MAX];
    struct stat st;

    if (doctor_reads_journal(p) || stat(config_log(p->config), &st) != 0 ||
        moved - (int64_t)st.st_mtim.tv_sec * 1000 < SILENT_MS)
        return;
    doctor_say(p, DOCTOR_PROBLEM, "systemctl restart rsyslog posternd",
               "mail moves (%s), but nothing was logged to %s since %s", say_time(then, moved),
               config_log(p->config), say_time(since, (int64_t)st.st_mtim.tv_sec * 1000));
}

void doctor_log_lag(struct patient *p)
{
    double lag = 0;

    if (p->metrics && doctor_metric(p->metrics, "postern_log_lag_seconds", &lag) &&
        lag > LAG_SECONDS)
        doctor_say(p, DOCTOR_NOTE, "posternctl status",
                   "posternd is %.0f s behind the log, and acts when it has read it to its end",
                   lag);
}

/* --- The journal's rate limit --- */

static void say_suppressed(struct patient *p, const char *unit, uint64_t count)
{
    char type[700];

    snprintf(
        type, sizeof(type),
        "mkdir -p /etc/systemd/system/%s.d && printf '[Service]\\nLogRateLimitIntervalSec=0\\n'"
        " > /etc/systemd/system/%s.d/no-rate-limit.conf && systemctl daemon-reload && "
        "systemctl restart postfix",
        unit, unit);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "the journal threw away %" PRIu64 " lines of %s in the last day (its rate limit): "
               "attempts are not counted",
               count, unit);
}

static void read_suppressed(struct patient *p, const char *output)
{
    char unit[DOCTOR_UNIT_MAX] = "";
    char found[DOCTOR_UNIT_MAX];
    uint64_t total = 0;
    uint64_t count;

    for (; *output; output += strcspn(output, "\n"), output += *output == '\n') {
        if (!doctor_suppressed((struct slice){output, strcspn(output, "\n")}, &count, found))
            continue;
        total += count;
        memcpy(unit, found, sizeof(unit));
    }
    if (total > 0)
        say_suppressed(p, unit, total);
}

/* All that goes through /dev/log goes through the journal. */
void doctor_journal(struct patient *p)
{
    char *argv[] = {(char *)(uintptr_t) "journalctl",
                    (char *)(uintptr_t) "-q",
                    (char *)(uintptr_t) "--no-pager",
                    (char *)(uintptr_t) "-o",
                    (char *)(uintptr_t) "cat",
                    (char *)(uintptr_t) "--since=-24h",
                    (char *)(uintptr_t) "-t",
                    (char *)(uintptr_t) "systemd-journald",
                    NULL};
    struct child_command command = {.argv = argv, .timeout_ms = JOURNAL_TIMEOUT};
    struct child_result *result = child_run(&command);

    if (result && result->end.status == 0)
        read_suppressed(p, result->output);
    else if (doctor_reads_journal(p))
        doctor_say(p, DOCTOR_UNKNOWN, NULL, "journalctl does not answer");
    free(result);
}
