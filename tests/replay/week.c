/*
 * Writes the mail log of a week, with outages put into it, and what they were.
 *
 *     week MESSAGES OUTAGES [old | SERVERS]    to standard output; OUTAGES is a file; old: stamps
 *                                              without a year, as rsyslog's traditional ones;
 *                                              SERVERS: so many take turns, with the same queue ids
 *
 * MESSAGES come on top of what the outages need. Each line of OUTAGES: destination, when it went
 * down, when it came back (0: not in this week), in seconds, separated by tabs. Everything else in
 * the log must not be taken for an outage: greylisting, single failures, full mailboxes, limits of
 * recipients, our own configuration, replies that imitate Postfix. The same arguments always give
 * the same log. The week begins on 2026-11-16 00:00 UTC.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, WEEK = 7 * DAY, LIFETIME = 5 * DAY };
enum { ORDINARY = 5000, SILENT_HOSTS = 40, BIG_DOMAINS = 41, MANY = 120, TAKES = 40 };

static const int64_t monday = INT64_C(1794787200);

enum how { REFUSED, TIMEOUT, NO_DNS, TURNED_DOWN, SILENT };

struct outage {
    const char *destination;
    int64_t from, to; /* s of the week */
    enum how how;
    bool never; /* it is never reached */
};

static const struct outage outages[] = {
    {"bank.example", 1 * DAY + 2 * HOUR, 1 * DAY + 7 * HOUR + 30 * MINUTE, REFUSED, false},
    {"partner.example", 1 * DAY + 9 * HOUR, 1 * DAY + 10 * HOUR, TIMEOUT, false},
    {"partner.example", 5 * DAY + 20 * HOUR, 6 * DAY + 6 * HOUR, TIMEOUT, false},
    {"dns.example", 2 * DAY, 2 * DAY + 3 * HOUR, NO_DNS, false},
    {"busy.example", 3 * DAY + 14 * HOUR, 3 * DAY + 14 * HOUR + 40 * MINUTE, TURNED_DOWN, false},
    {"closed.example", 12 * HOUR, 6 * DAY + 12 * HOUR, TIMEOUT, false},
    {"gone.example", 6 * DAY, WEEK, REFUSED, false},
    {"exmaple.example", 0, WEEK, TIMEOUT, true},
};
enum { OUTAGES = sizeof(outages) / sizeof(outages[0]) };

/* Silent hosts that all wait at the same time. */
static const int64_t silence = 4 * DAY + 12 * HOUR;
enum { SILENCE = 45 * MINUTE };

/* One mail host of many domains. */
static const struct outage big = {"big", 2 * DAY + 6 * HOUR, 2 * DAY + 9 * HOUR + 12 * MINUTE,
                                  REFUSED, false};

enum kind { PLAIN, GREY, FLAKY, FULL, LIMIT_452, LIMIT_552, SLOW, OURS, IMITATION, LOST, KINDS };

struct message {
    char id[20];
    char domain[32];
    enum kind kind;
    int64_t arrived; /* ms of the week */
    unsigned tries;
    unsigned left; /* recipients */
    unsigned server;
    const struct outage *met;
};

enum what { ARRIVE, TRY, FAILED, SENT, LAST };

struct event {
    int64_t at; /* ms of the week */
    uint64_t order;
    enum what what;
    struct message *m;
    int64_t queued; /* ms */
};

static struct {
    struct event *heap;
    size_t count, size;
    uint64_t order;
    uint64_t random;
    uint64_t ids;
    bool old;
    bool flaky_failed;
    unsigned servers; /* 0: one, called "mail" */
    unsigned server;  /* whose lines these are */
} all = {.random = 88172645463325252u};

static uint32_t chance(uint32_t below)
{
    all.random ^= all.random << 13;
    all.random ^= all.random >> 7;
    all.random ^= all.random << 17;
    return (uint32_t)(all.random >> 16) % below;
}

/* The heap of what is to come */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void plan(int64_t at, enum what what, struct message *m, int64_t queued)
{
    struct event event = {at, all.order++, what, m, queued};
    size_t i = all.count++;

    if (i == all.size) {
        all.size = all.size ? all.size * 2 : 1024;
        all.heap = realloc(all.heap, all.size * sizeof(*all.heap));
        if (all.heap == NULL)
            exit(1);
    }
    for (; i > 0 && is_before(&event, &all.heap[(i - 1) / 2]); i = (i - 1) / 2)
        all.heap[i] = all.heap[(i - 1) / 2];
    all.heap[i] = event;
}

static struct event next_event(void)
{
    struct event first = all.heap[0];
    struct event moved = all.heap[--all.count];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < all.count && is_before(&all.heap[child + 1], &all.heap[child]))
            child++;
        if (child >= all.count || !is_before(&all.heap[child], &moved))
            break;
        all.heap[i] = all.heap[child];
        i = child;
    }
    all.heap[i] = moved;
    return first;
}

/* Lines */

static void begin_line(int64_t at, const char *program, unsigned pid)
{
    static int64_t minute = -1;
    static char text[32];
    char host[32] = "mail";
    time_t seconds = (time_t)(monday + at / 1000);

    if (minute != seconds / MINUTE) {
        struct tm tm;

        minute = seconds / MINUTE;
        gmtime_r(&seconds, &tm);
        strftime(text, sizeof(text), all.old ? "%b %e %H:%M" : "%Y-%m-%dT%H:%M", &tm);
    }
    if (all.servers)
        snprintf(host, sizeof(host), "mx%u", all.server + 1);
    if (all.old)
        printf("%s:%02d %s postfix/%s[%u]: ", text, (int)(seconds % 60), host, program, pid);
    else
        printf("%s:%02d.%03d000+00:00 %s postfix/%s[%u]: ", text, (int)(seconds % 60),
               (int)(at % 1000), host, program, pid);
}

/* Long queue ids: digits and letters without vowels, a 'z', and an inode number without one. */
static void make_id(struct message *m)
{
    static const char digits[] = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxy";
    uint64_t n = all.ids++;

    if (all.servers) {
        m->server = (unsigned)(n % all.servers);
        all.server = m->server;
        n /= all.servers;
    }
    strcpy(m->id, "4dPz000000z9kBd");
    for (int i = 9; i >= 4; i--, n /= 51)
        m->id[i] = digits[n % 51];
}

/* Two digits, as Postfix gives durations (util/format_tv.c). */
static const char *two_digits(char *buffer, int64_t ms)
{
    double seconds = ms > 0 ? (double)ms / 1000 : 0;

    sprintf(buffer, seconds >= 9.95 ? "%.0f" : seconds >= 0.995 ? "%.1f" : "%.2f", seconds);
    return buffer;
}

static void delivery(int64_t at, const struct message *m, const char *user, const char *relay,
                     int64_t queued, int64_t trying, const char *dsn, const char *status,
                     const char *text)
{
    char all_of_it[32], before[32], in_queue[32], in_session[32];

    begin_line(at, "smtp", 900 + (unsigned)(m->id[9] + m->id[8] * 7 + m->id[7]) % 400);
    printf("%s: to=<%s@%s>, relay=%s, delay=%s, delays=%s/%s/%s/0.1, dsn=%s, status=%s (%s)\n",
           m->id, user, m->domain, relay, two_digits(all_of_it, at - m->arrived + 100),
           two_digits(before, at - m->arrived - queued - trying), two_digits(in_queue, queued),
           two_digits(in_session, trying), dsn, status, text);
}

/* The domain that its mail host has its name from. */
static const char *host_of(const struct message *m)
{
    return strncmp(m->domain, big.destination, strlen(big.destination)) == 0 ? "big.example"
                                                                             : m->domain;
}

static const char *relay_of(const struct message *m, char *buffer)
{
    sprintf(buffer, "mx.%s[192.0.2.7]:25", host_of(m));
    return buffer;
}

static void sent(int64_t at, const struct message *m, const char *user, int64_t queued,
                 int64_t trying)
{
    char relay[64];

    delivery(at, m, user, relay_of(m, relay), queued, trying, "2.0.0", "sent",
             "250 2.0.0 Ok: queued as 5C1D3A0042");
}

static void active(int64_t at, const struct message *m)
{
    begin_line(at, "qmgr", 811);
    printf("%s: from=<anna@sender.example>, size=4312, nrcpt=%u (queue active)\n", m->id, m->left);
}

static void removed(int64_t at, struct message *m)
{
    begin_line(at, "qmgr", 811);
    printf("%s: removed\n", m->id);
    free(m);
}

static void ndr(int64_t at, const struct message *m)
{
    begin_line(at, "bounce", 1500);
    printf("%s: sender non-delivery notification: 4F%s\n", m->id, "1A2B3C4D5");
}

/* What happens */

static const struct outage *outage_at(const char *domain, int64_t at)
{
    static struct outage silent = {.how = SILENT};

    for (size_t i = 0; i < OUTAGES; i++)
        if (strcmp(outages[i].destination, domain) == 0 && at >= outages[i].from * 1000 &&
            at < outages[i].to * 1000)
            return &outages[i];
    if (strncmp(domain, big.destination, strlen(big.destination)) == 0 && at >= big.from * 1000 &&
        at < big.to * 1000)
        return &big;
    if (strncmp(domain, "silent", 6) == 0 && at >= silence * 1000 &&
        at < (silence + SILENCE) * 1000)
        return &silent;
    return NULL;
}

static void try_again(int64_t at, struct message *m)
{
    int64_t age = (at - m->arrived) / 1000;
    int64_t wait = age < 300 ? 300 : age > 4000 ? 4000 : age;

    plan(at + (wait + chance(300)) * 1000, TRY, m, 0);
}

static void open_failed(int64_t at, struct message *m, const struct outage *outage)
{
    static const int64_t takes[] = {50, 30000, 20, 200, 300000};
    char text[200];

    switch (outage->how) {
    case REFUSED:
    case TIMEOUT:
        snprintf(text, sizeof(text), "connect to mx.%s[192.0.2.7]:25: %s", host_of(m),
                 outage->how == REFUSED ? "Connection refused" : "Connection timed out");
        break;
    case NO_DNS:
        snprintf(text, sizeof(text),
                 "Host or domain name not found. Name service error for name=%s type=MX: Host not "
                 "found, try again",
                 m->domain);
        break;
    case TURNED_DOWN:
        snprintf(text, sizeof(text),
                 "host mx.%s[192.0.2.7] refused to talk to me: 421 4.3.2 too busy", m->domain);
        break;
    case SILENT:
        snprintf(text, sizeof(text),
                 "conversation with mx.%s[192.0.2.7] timed out while receiving the initial server "
                 "greeting",
                 m->domain);
        break;
    }
    delivery(at, m, "user", "none", 10, takes[outage->how], "4.4.1", "deferred", text);
    try_again(at, m);
}

/* The queue manager knows that it is dead: error(8) logs it. */
static void suspended(int64_t at, struct message *m)
{
    char age[32];

    two_digits(age, at - m->arrived);
    begin_line(at, "error", 1400);
    printf("%s: to=<user@%s>, relay=none, delay=%s, delays=%s/0.01/0/0.1, dsn=4.4.1, "
           "status=deferred (delivery temporarily suspended: connect to mx.%s[192.0.2.7]:25: "
           "Connection timed out)\n",
           m->id, m->domain, age, age, host_of(m));
    try_again(at, m);
}

static void transfer_failed(int64_t at, struct message *m, const char *dsn, const char *words)
{
    char relay[64];
    char text[300];

    snprintf(text, sizeof(text), "host mx.%s[192.0.2.7] said: %s", m->domain, words);
    delivery(at, m, "user", relay_of(m, relay), 10, 200, dsn, "deferred", text);
    try_again(at, m);
}

static void bounced(int64_t at, const struct message *m, const char *user, const char *words)
{
    char relay[64];
    char text[300];

    snprintf(text, sizeof(text), "host mx.%s[192.0.2.7] said: %s", m->domain, words);
    delivery(at, m, user, relay_of(m, relay), 10, 200, "5.0.0", "bounced", text);
}

/* TAKES recipients at a time; the rest is refused for now. */
static void limit_452(int64_t at, struct message *m)
{
    char user[16], relay[64];
    unsigned now = m->left < TAKES ? m->left : TAKES;

    for (unsigned i = 0; i < m->left; i++) {
        snprintf(user, sizeof(user), "u%u", MANY - m->left + i);
        if (i < now)
            sent(at, m, user, 10, 200);
        else
            delivery(at, m, user, relay_of(m, relay), 10, 200, "4.5.3", "deferred",
                     "host mx.l452.example[192.0.2.7] said: 452 4.5.3 Error: too many recipients "
                     "(in reply to RCPT TO command)");
    }
    m->left -= now;
    if (m->left > 0)
        try_again(at, m);
    else
        removed(at + 5, m);
}

static void limit_552(int64_t at, struct message *m)
{
    char user[16];

    for (unsigned i = 0; i < 30; i++) {
        snprintf(user, sizeof(user), "u%u", i);
        if (i < 10)
            sent(at, m, user, 10, 200);
        else
            bounced(at, m, user, "552 5.5.3 Too many recipients (in reply to RCPT TO command)");
    }
    ndr(at, m);
    removed(at, m);
}

/* The first try of those that do not simply go through; false: it does. */
static bool first_try(int64_t at, struct message *m)
{
    switch (m->kind) {
    case GREY:
        transfer_failed(at, m, "4.2.0",
                        "450 4.2.0 <user@grey.example>: Recipient address rejected: Greylisted (in "
                        "reply to RCPT TO command)");
        return true;
    case FLAKY:
        if (all.flaky_failed)
            return false;
        open_failed(at, m, &outages[1]);
        all.flaky_failed = true;
        return true;
    case FULL:
        bounced(at, m, "user",
                "552 5.2.2 <user@full.example>: user is over quota (in reply to RCPT "
                "TO command)");
        ndr(at, m);
        removed(at, m);
        return true;
    case OURS:
        delivery(at, m, "user", "none", 10, 20, "4.3.0", "deferred", "mail transport unavailable");
        try_again(at, m);
        return true;
    case IMITATION:
        transfer_failed(at, m, "4.3.0",
                        "451 4.3.0 to=<x@victim.example>, relay=none, delay=1, delays=0/0/1/0, "
                        "dsn=4.4.1, status=deferred (connect to victim.example[192.0.2.7]:25: "
                        "Connection timed out)");
        return true;
    case LOST:
        delivery(at, m, "user", "mx.lost.example[192.0.2.7]:25", 10, 200, "4.4.2", "deferred",
                 "lost connection with mx.lost.example[192.0.2.7] while sending end of data -- "
                 "message may be sent more than once");
        try_again(at, m);
        return true;
    default:
        return false;
    }
}

/* Postfix gives up. */
static void expire(int64_t at, struct message *m)
{
    begin_line(at, "qmgr", 811);
    printf("%s: from=<anna@sender.example>, status=expired, returned to sender\n", m->id);
    ndr(at, m);
    removed(at, m);
}

static void attempt(int64_t at, struct message *m)
{
    const struct outage *outage = outage_at(m->domain, at);
    static const int64_t takes[] = {50, 30000, 20, 200, 300000};
    int64_t queued = 10;

    if (at - m->arrived > (int64_t)LIFETIME * 1000) {
        expire(at, m);
        return;
    }
    active(at, m);
    if (outage && m->tries > 0 && chance(3) == 0) {
        suspended(at + 5, m);
        return;
    }
    if (outage == NULL && m->kind == PLAIN && at > silence * 1000 + 300000 &&
        at < (silence + SILENCE) * 1000)
        queued = 40000 + chance(400000); /* no process was free */
    m->tries++;
    m->met = outage;
    plan(at + queued + (outage ? takes[outage->how] : 200), outage ? FAILED : SENT, m, queued);
}

static void arrive(int64_t at, struct message *m)
{
    make_id(m);
    m->arrived = at;
    begin_line(at, "smtpd", 700);
    printf("%s: client=client.example[198.51.100.7]\n", m->id);
    begin_line(at, "cleanup", 710);
    printf("%s: message-id=<%" PRIu64 "@sender.example>\n", m->id, all.ids);
    attempt(at, m);
}

static void done(int64_t at, struct message *m, int64_t queued)
{
    if (m->kind == LIMIT_452) {
        limit_452(at, m);
    } else if (m->kind == LIMIT_552) {
        limit_552(at, m);
    } else if (m->kind == SLOW) {
        bounced(at, m, "nobody",
                "550 5.1.1 <nobody@slow.example>: User unknown (in reply to RCPT "
                "TO command)");
        plan(at + 280000, LAST, m, queued);
    } else if (m->tries > 1 || !first_try(at, m)) {
        all.flaky_failed = all.flaky_failed && m->kind != FLAKY;
        sent(at, m, "user", queued, 200);
        removed(at, m);
    }
}

static void happen(const struct event *event)
{
    all.server = event->m->server;
    switch (event->what) {
    case ARRIVE:
        arrive(event->at, event->m);
        break;
    case TRY:
        attempt(event->at, event->m);
        break;
    case FAILED:
        open_failed(event->at, event->m, event->m->met);
        break;
    case SENT:
        done(event->at, event->m, event->queued);
        break;
    case LAST: /* the slow recipient of two */
        sent(event->at, event->m, "slow", event->queued, 280000);
        ndr(event->at, event->m);
        removed(event->at, event->m);
        break;
    }
}

/* What is to come */

static void send_to(const char *domain, enum kind kind, int64_t at)
{
    struct message *m = calloc(1, sizeof(*m));

    if (m == NULL)
        exit(1);
    snprintf(m->domain, sizeof(m->domain), "%s", domain);
    m->kind = kind;
    m->left = kind == LIMIT_452 ? MANY : kind == LIMIT_552 ? 30 : 1;
    plan(at, ARRIVE, m, 0);
}

/* To the destinations that go down: every ten minutes, so that it shows when they do. */
static void plan_outages(FILE *truth)
{
    for (size_t i = 0; i < OUTAGES; i++) {
        const struct outage *o = &outages[i];

        fprintf(truth, "%s\t%" PRId64 "\t%" PRId64 "\n", o->destination, monday + o->from,
                o->to < WEEK ? monday + o->to : 0);
        if (o->never) {
            send_to(o->destination, PLAIN, (int64_t)DAY * 1000);
            continue;
        }
        if (i > 0 && strcmp(o->destination, o[-1].destination) == 0)
            continue;
        for (int64_t at = 5 * MINUTE; at < WEEK; at += 10 * MINUTE)
            send_to(o->destination, PLAIN, at * 1000 + chance(60000));
    }
}

static void plan_silence(FILE *truth)
{
    char domain[32];

    for (int i = 0; i < SILENT_HOSTS; i++) {
        snprintf(domain, sizeof(domain), "silent%d.example", i);
        fprintf(truth, "%s\t%" PRId64 "\t%" PRId64 "\n", domain, monday + silence,
                monday + silence + SILENCE);
        send_to(domain, PLAIN, (int64_t)DAY * 1000 + chance(60000));
        for (int n = -1; n < 6; n++)
            send_to(domain, PLAIN, (silence + n * 10 * MINUTE) * 1000 + chance(120000));
    }
}

/* Each of the domains has one message a day, and one in the outage: it hardly shows by itself. */
static void plan_big(FILE *truth)
{
    char domain[32];

    for (int i = 0; i < BIG_DOMAINS; i++) {
        snprintf(domain, sizeof(domain), "%s%d.example", big.destination, i);
        fprintf(truth, "%s\t%" PRId64 "\t%" PRId64 "\n", domain, monday + big.from,
                monday + big.to);
        for (int n = 0; n < 7; n++)
            send_to(domain, PLAIN, (int64_t)n * DAY * 1000 + chance(4 * HOUR * 1000));
        send_to(domain, PLAIN, big.from * 1000 + i * MINUTE * 1000 + chance(MINUTE * 1000));
    }
}

static void plan_others(void)
{
    static const char *const domains[KINDS] = {
        [GREY] = "grey.example",      [FLAKY] = "flaky.example",    [FULL] = "full.example",
        [LIMIT_452] = "l452.example", [LIMIT_552] = "l552.example", [SLOW] = "slow.example",
        [OURS] = "ours.example",      [IMITATION] = "evil.example", [LOST] = "lost.example"};

    for (int64_t at = 20 * MINUTE; at < WEEK - DAY; at += 2 * HOUR)
        for (enum kind kind = GREY; kind < KINDS; kind++)
            send_to(domains[kind], kind, at * 1000 + chance(600000));
}

static void plan_ordinary(unsigned long messages, unsigned long *planned, int64_t until)
{
    char domain[32];

    for (; *planned < messages; (*planned)++) {
        int64_t at = (int64_t)((double)*planned / (double)messages * (double)(WEEK - HOUR) * 1000);

        if (at > until)
            return;
        snprintf(domain, sizeof(domain), "d%u.example", chance(ORDINARY));
        send_to(domain, PLAIN, at);
    }
}

int main(int argc, char **argv)
{
    FILE *truth = argc > 2 ? fopen(argv[2], "w") : NULL;
    unsigned long messages = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    unsigned long planned = 0;

    if (truth == NULL) {
        fputs("usage: week MESSAGES OUTAGES [old | SERVERS]\n", stderr);
        return 2;
    }
    all.old = argc > 3 && strcmp(argv[3], "old") == 0;
    all.servers = argc > 3 && !all.old ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    plan_outages(truth);
    plan_silence(truth);
    plan_big(truth);
    plan_others();
    for (;;) {
        plan_ordinary(messages, &planned, all.count ? all.heap[0].at : INT64_MAX);
        if (all.count == 0)
            break;
        struct event event = next_event();
        if (event.at >= (int64_t)WEEK * 1000)
            break;
        happen(&event);
    }
    return fclose(truth) != 0 || fflush(stdout) != 0;
}
