/* Does the mail log reach posternd, whole, in time and with the right time? */
#include "doctor_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "maillog_parts.h"
#include "neighbours.h"
#include "say.h"

enum {
    TAIL_MAX = 64 * 1024,
    STAMPS_MAX = 1000,
    SILENT_MS = 10 * 60 * 1000, /* mail moved so long after the last line */
    LAG_SECONDS = 300,
    JOURNAL_TIMEOUT = 20 * 1000,
};

static bool is_journal(const struct patient *p)
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
    if (is_journal(p))
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
                   file, is_journal(p) ? "the journal" : config_log(p->config), file,
                   config_path(p->config));
    free(file);
}

/* --- What is in it --- */

/* The end of the log. */
struct tail {
    char bytes[TAIL_MAX];
    size_t len;
    int64_t written; /* ms */
};

static bool read_tail(const struct patient *p, struct tail *tail)
{
    int fd = is_journal(p) ? -1 : open(config_log(p->config), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t got = -1;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        off_t from = st.st_size > TAIL_MAX ? st.st_size - TAIL_MAX : 0;
        got = pread(fd, tail->bytes, TAIL_MAX, from);
        tail->written = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    }
    if (fd >= 0)
        close(fd);
    tail->len = got > 0 ? (size_t)got : 0;
    return got >= 0;
}

/* Calls for each whole line. */
typedef void tail_line(void *context, const char *at, size_t len);

static void each_line(const struct tail *tail, tail_line *visit, void *context)
{
    const char *at = tail->bytes;
    const char *end = tail->bytes + tail->len;
    const char *newline;

    for (; at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL; at = newline + 1)
        visit(context, at, (size_t)(newline - at));
}

struct stamps {
    struct maillog_reader reader;
    int64_t now;
    int64_t list[STAMPS_MAX]; /* the last ones */
    size_t count;
};

static void add_stamp(void *context, const char *at, size_t len)
{
    struct stamps *s = context;
    struct maillog_line line = {.time = 0};
    struct cursor c = {at, at + len};

    if (!maillog_stamp(&s->reader, &c, s->now, &line))
        return;
    if (s->count == STAMPS_MAX) {
        memmove(s->list, s->list + 1, (STAMPS_MAX - 1) * sizeof(s->list[0]));
        s->count--;
    }
    s->list[s->count++] = line.time;
}

static void say_clock(struct patient *p, enum doctor_clock clock, int64_t stamp, int64_t written)
{
    char said[SAY_MAX];
    char was[SAY_MAX];

    if (clock == DOCTOR_CLOCK_ZONE)
        doctor_say(p, DOCTOR_PROBLEM, "timedatectl; systemctl restart rsyslog postfix",
                   "the log's time zone is not this machine's: its last line says %s and was "
                   "written at %s; whoever writes it has to be started again after a change of the "
                   "time zone",
                   say_time(said, stamp), say_time(was, written));
    else
        doctor_say(p, DOCTOR_PROBLEM, "timedatectl set-ntp true",
                   "the log's clock is off: its last line says %s and was written at %s",
                   say_time(said, stamp), say_time(was, written));
}

/* A chrooted program finds no /etc/localtime, and stamps its lines in UTC. */
static void say_mixed(struct patient *p)
{
    char type[DOCTOR_PATH_MAX * 2];
    const char *queue =
        p->plan.postfix ? postfix_queue_directory(p->plan.postfix) : "/var/spool/postfix";

    snprintf(type, sizeof(type), "install -D /etc/localtime %s/etc/localtime && postfix reload",
             queue);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "the lines of the log are in two time zones: programs in the chroot %s do not know "
               "this machine's",
               queue);
}

void doctor_log_clock(struct patient *p)
{
    struct stamps *stamps = calloc(1, sizeof(*stamps));
    struct tail *tail = calloc(1, sizeof(*tail));
    enum doctor_clock clock;

    if (stamps && tail && read_tail(p, tail)) {
        stamps->now = clock_now();
        each_line(tail, add_stamp, stamps);
    }
    if (stamps && stamps->count > 0) {
        int64_t last = stamps->list[stamps->count - 1];
        clock = doctor_clock(last, tail->written);
        if (doctor_zones_mixed(stamps->list, stamps->count))
            say_mixed(p);
        else if (clock != DOCTOR_CLOCK_FINE)
            say_clock(p, clock, last, tail->written);
    }
    free(stamps);
    free(tail);
}

struct programs {
    const char *tag; /* syslog_name */
    bool ours;
    char other[64]; /* of another instance, maybe: "postfix-out" */
    bool any;
};

/* "postfix/out", too, ends where a slash begins. */
static bool is_tag(struct slice program, const char *tag)
{
    size_t len = strlen(tag);

    return slice_starts(program, tag) && program.len > len && program.at[len] == '/';
}

static void note_program(void *context, const char *at, size_t len)
{
    struct programs *programs = context;
    struct slice tag;

    programs->any = true;
    if (!doctor_log_tag((struct slice){at, len}, &tag))
        return;
    if (is_tag((struct slice){tag.at, (size_t)(at + len - tag.at)}, programs->tag))
        programs->ours = true;
    else if (slice_starts(tag, "postfix"))
        slice_copy(programs->other, sizeof(programs->other), tag);
}

/* Another instance may be so busy that its lines are all there is. */
static bool is_shared(const struct patient *p)
{
    struct neighbours *neighbours =
        p->plan.postfix ? neighbours_ask(p->plan.postfix, config_log(p->config)) : NULL;
    const struct neighbour *other;
    bool shared = false;

    for (size_t i = 0; neighbours && (other = neighbours_at(neighbours, i)) != NULL; i++)
        shared |= other->same_log;
    neighbours_free(&neighbours);
    return shared;
}

static void say_no_lines(struct patient *p, const struct programs *programs)
{
    if (programs->other[0] && is_shared(p))
        doctor_say(p, DOCTOR_NOTE, "postmulti -l",
                   "the end of %s has lines of another Postfix only (%s/...): this one (%s/...) "
                   "has logged nothing for a while",
                   config_log(p->config), programs->other, programs->tag);
    else if (!programs->any)
        doctor_say(p, DOCTOR_NOTE, "postfix check",
                   "%s is empty: this turns up once Postfix has logged something",
                   config_log(p->config));
    else if (programs->other[0])
        doctor_say(p, DOCTOR_PROBLEM, "postmulti -l",
                   "the end of %s has lines of another Postfix (%s/...), and none of that of %s "
                   "(syslog_name = %s)",
                   config_log(p->config), programs->other, config_postfix_directory(p->config),
                   programs->tag);
    else
        doctor_say(p, DOCTOR_PROBLEM, "journalctl -n 20 SYSLOG_FACILITY=2",
                   "the end of %s has no line of Postfix (%s/...): does it log elsewhere?",
                   config_log(p->config), programs->tag);
}

void doctor_log_lines(struct patient *p)
{
    struct tail *tail = calloc(1, sizeof(*tail));
    struct programs programs = {.tag = p->plan.postfix ? postfix_syslog_name(p->plan.postfix)
                                                       : "postfix"};

    if (is_journal(p))
        ; /* the journal is nobody's end */
    else if (tail && read_tail(p, tail)) {
        each_line(tail, note_program, &programs);
        if (!programs.ours)
            say_no_lines(p, &programs);
    } else if (access(config_log(p->config), F_OK) == 0) {
        doctor_say(p, DOCTOR_UNKNOWN, NULL, "only root may read %s", config_log(p->config));
    }
    free(tail);
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

    if (is_journal(p) || stat(config_log(p->config), &st) != 0 ||
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
    else if (is_journal(p))
        doctor_say(p, DOCTOR_UNKNOWN, NULL, "journalctl does not answer");
    free(result);
}
