/* Destinations and their outages. */
#include "replay_parts.h"

#include <stdlib.h>

#include "failure.h"
#include "route.h"
#include "rules.h"

/*
 * While mail waits Postfix tries at least every maximal_backoff_time, 4000 s by default. When
 * nobody waited, a failure later than this says nothing of the time before it.
 */
enum { APART = 3600 * 1000, APART_UNSURE = 6 * 3600 * 1000 };

/* Without hold_after the failures that posternd would have to see are none; two are an outage. */
enum { LEAST_FAILURES = 2 };

static void take_policy(const struct config *config, struct replay_destination *to,
                        struct slice name)
{
    const struct config_group *group = NULL;

    for (size_t i = 0; slice_starts(name, "g:") && i < config_group_count(config); i++)
        if (slice_equals((struct slice){name.at + 2, name.len - 2},
                         config_group_at(config, i)->name))
            group = config_group_at(config, i);
    to->policy = group ? &group->retry : config_retry(config);
    to->listed = group != NULL;
}

struct replay_destination *replay_destination_of(struct replay_study *s, struct slice recipient)
{
    char domain[ROUTE_KEY_MAX];
    char name[ROUTE_KEY_MAX + 2];
    struct replay_destination *to;
    size_t len = route_domain(domain, sizeof(domain), recipient);

    if (len == 0)
        return NULL;
    rules_name(s->config, (struct slice){domain, len}, name, sizeof(name));
    to = replay_map_add(s->at->destinations, slice_of(name));
    if (to == NULL)
        s->destinations_lost++;
    else if (to->policy == NULL)
        take_policy(s->config, to, slice_of(name));
    return to;
}

/* True when Postern makes the retries, rather than Postfix. */
static bool has_schedule(const struct retry_policy *policy)
{
    return policy->open_interval > 0 && policy->hold_after > 0;
}

static struct replay_outage *outage_new(struct replay_destination *to)
{
    struct replay_outage *o = calloc(1, sizeof(*o));

    if (o == NULL)
        return NULL;
    o->to = to;
    o->began = to->d.since;
    o->number = to->d.outage_start;
    o->open = true;
    o->observed = !has_schedule(to->policy);
    return o;
}

static void outage_free(struct replay_outage *o)
{
    if (o)
        free(o->counted_at);
    free(o);
}

static void free_if_unused(struct replay_outage *o)
{
    if (!o->open && !o->kept && o->waiting == 0)
        outage_free(o);
}

void replay_outage_leave(struct replay_outage **outage)
{
    struct replay_outage *o = *outage;

    *outage = NULL;
    if (o == NULL)
        return;
    o->waiting--;
    free_if_unused(o);
}

static uint64_t failures_least(const struct retry_policy *policy)
{
    return policy->hold_after > 0 ? policy->hold_after : LEAST_FAILURES;
}

/* It is over: kept when it was one, and not only an attempt that failed once. */
static void close_outage(struct replay_study *s, struct replay_destination *to, int64_t ended)
{
    struct replay_outage *o = to->now;

    to->now = NULL;
    o->open = false;
    o->ended = ended;
    replay_host_acquit(o);
    if (o->counted < failures_least(to->policy) && !o->by_host) {
        to->short_ones++;
        s->short_outages++;
    } else if (s->room.outages == 0) {
        s->outages_lost++;
    } else {
        s->room.outages--;
        o->kept = true;
        o->next = to->outages;
        to->outages = o;
    }
    free_if_unused(o);
}

/* What failed last was so long ago, with nobody waiting since, that this is another outage. */
static bool is_apart(const struct replay_study *s, const struct replay_outage *o, int64_t started)
{
    if (o->waiting > 0)
        return false;
    return started > o->last_failed + (s->waiters_lost ? APART_UNSURE : APART);
}

static void begin_anew(struct replay_study *s, struct replay_destination *to)
{
    close_outage(s, to, 0);
    to->d.health = DESTINATION_UP;
    to->d.outage_start = to->d.retries;
}

/* Where there is no memory for more, later retries are not known, and so are no caps reached. */
static void note_time(struct replay_outage *o, int64_t time)
{
    if (o->counted == o->size && o->size < REPLAY_COUNTED_MAX) {
        size_t size = o->size ? o->size * 2 : 16;
        int64_t *times = realloc(o->counted_at, size * sizeof(*times));

        if (times == NULL)
            return;
        o->counted_at = times;
        o->size = size;
    }
    if (o->counted < o->size)
        o->counted_at[o->counted] = time;
}

static void note_failure(struct replay_destination *to, const struct maillog_line *line,
                         const struct attempt *attempt, bool counted)
{
    struct replay_outage *o = to->now;

    if (counted && o->observed)
        note_time(o, attempt->started);
    o->counted += counted;
    o->attempts++;
    o->skipped += attempt->skipped;
    if (!attempt->skipped)
        o->busy += line->trying;
    if (attempt->ended > o->last_failed)
        o->last_failed = attempt->ended;
    if (!attempt->skipped || o->error[0] == '\0')
        slice_copy(o->error, sizeof(o->error), failure_reason(line));
}

void replay_failed(struct replay_study *s, struct replay_destination *to,
                   const struct maillog_line *line, const struct attempt *attempt)
{
    struct destination_change change;

    if (to->now && is_apart(s, to->now, attempt->started))
        begin_anew(s, to);
    change = destination_failed(&to->d, to->policy, attempt);
    if (change.outage_began && to->now == NULL)
        to->now = outage_new(to);
    if (to->now)
        note_failure(to, line, attempt, change.counted);
    if (to->now && change.counted)
        replay_host_failed(s, to, line);
}

void replay_opened(struct replay_study *s, struct replay_destination *to,
                   const struct maillog_line *line, const struct attempt *attempt)
{
    if (destination_opened(&to->d, attempt) && to->now)
        close_outage(s, to, attempt->ended);
    replay_host_opened(s, to, line, attempt);
}

void replay_freed(struct replay_study *s, struct replay_outage *outage,
                  const struct attempt *attempt)
{
    struct replay_destination *to = outage->to;
    bool proven = to->d.proven;

    if (destination_opened(&to->d, attempt))
        close_outage(s, to, attempt->ended);
    to->d.proven = proven; /* it was not opened itself */
}

static void end_one(void *context, void *value)
{
    struct replay_destination *to = value;

    if (to->now)
        close_outage(context, to, 0);
}

void replay_outages_end(struct replay_study *s)
{
    replay_map_each(s->at->destinations, end_one, s);
}

static void free_one(void *context, void *value)
{
    struct replay_destination *to = value;

    (void)context;
    while (to->outages) {
        struct replay_outage *gone = to->outages;

        to->outages = gone->next;
        outage_free(gone);
    }
    outage_free(to->now);
    free(to->limit_reply);
}

void replay_outages_free(struct replay_server *server)
{
    replay_map_each(server->destinations, free_one, NULL);
}

/* One that was reached is no mistyped domain; posternd, had it run before, would have known it. */
uint32_t replay_cap_of(const struct replay_study *s, const struct replay_destination *to)
{
    return destination_cap(&to->d, to->policy, to->listed,
                           config_unproven_max_open_retries(s->config));
}

/*
 * Postern retries once per open_interval from the first failure on. A message whose own attempt
 * began the outage shares that one; a later one is turned away at the hold, and its first retry is
 * the next.
 */
static int64_t scheduled(const struct retry_policy *policy, const struct replay_outage *o,
                         uint32_t cap, int64_t met)
{
    int64_t interval = (int64_t)policy->open_interval * 1000;
    int64_t late = met > o->began ? met - o->began : 0;

    return o->began + ((late + interval - 1) / interval + cap - 1) * interval;
}

/* As Postfix retried: the retry in the log that was one too many. */
static int64_t observed(const struct replay_outage *o, uint32_t cap, uint64_t baseline)
{
    uint64_t nth = (baseline > o->number ? baseline - o->number : 0) + cap - 1;

    return nth < o->counted && nth < o->size ? o->counted_at[nth] : 0;
}

int64_t replay_cap_time(const struct replay_study *s, const struct replay_destination *to,
                        const struct replay_outage *o, int64_t met, uint64_t baseline)
{
    uint32_t cap = replay_cap_of(s, to);

    if (cap == 0)
        return 0;
    return o->observed ? observed(o, cap, baseline) : scheduled(to->policy, o, cap, met);
}
