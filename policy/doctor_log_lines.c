/* What is in the mail log: lines of this Postfix, in the right time and one time zone? */
#include "doctor_parts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "maillog_parts.h"
#include "neighbours.h"
#include "say.h"

enum {
    TAIL_MAX = 64 * 1024,
    STAMPS_MAX = 1000,
};

/* The end of the log. */
struct tail {
    char bytes[TAIL_MAX];
    size_t len;
    int64_t written; /* ms */
};

static bool read_tail(const struct patient *p, struct tail *tail)
{
    int fd = doctor_reads_journal(p)
                 ? -1
                 : open(config_log(p->config), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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

    if (doctor_reads_journal(p))
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
