#include "destination.h"

/*
 * A woken message may still be in the active queue, where waking does nothing (flush(8) looks only
 * into deferred and incoming), or be gone: wait so long for news before waking another.
 */
enum { PROBE_PATIENCE = 10 * 1000, PROBE_PATIENCE_MAX = 600 * 1000 };

/* The most that a retry may be late and still keep to the schedule instead of the clock. */
enum { LATE_MAX = 10 * 1000 };

int64_t attempt_begin(const struct attempt *attempt, int64_t due, int64_t interval)
{
    int64_t late = interval / 2 < LATE_MAX ? interval / 2 : LATE_MAX;

    return attempt->started >= due && attempt->started < due + late ? due : attempt->started;
}

static int64_t interval_of(const struct retry_policy *policy)
{
    return (int64_t)policy->open_interval * 1000;
}

/* True when the attempt is a retry of its own rather than part of the last one. */
static bool is_new_retry(const struct destination *d, const struct retry_policy *policy,
                         const struct attempt *attempt)
{
    if (d->health == DESTINATION_UP)
        return true;
    if (d->health == DESTINATION_TRYING && attempt->started >= d->trying_since)
        return true;
    return attempt->started >= d->last_counted + interval_of(policy);
}

/* True when the destination is to be held after this many failures. */
static bool must_hold(const struct destination *d, const struct retry_policy *policy)
{
    return policy->hold_after > 0 && policy->open_interval > 0 &&
           destination_failures(d) >= policy->hold_after;
}

struct destination_change destination_failed(struct destination *d,
                                             const struct retry_policy *policy,
                                             const struct attempt *attempt)
{
    struct destination_change change = {0};

    /* Older than the last success: no news. */
    if (attempt->started < d->last_open || (attempt->skipped && !policy->count_suspended) ||
        !is_new_retry(d, policy, attempt))
        return change;

    change.counted = true;
    d->last_counted = d->health == DESTINATION_TRYING
                          ? attempt_begin(attempt, d->trying_since, interval_of(policy))
                          : attempt->started;
    if (d->health == DESTINATION_UP) {
        change.outage_began = true;
        d->since = attempt->started;
        d->outage_start = d->retries;
        d->warned = d->retries;
        d->draining = false;
    }
    d->retries++;
    change.held = must_hold(d, policy);
    d->health = change.held ? DESTINATION_DOWN : DESTINATION_FAILING;
    d->probes = 0;
    d->next = policy->open_interval > 0 ? d->last_counted + interval_of(policy) : 0;
    return change;
}

void destination_spread(struct destination *d, const struct retry_policy *policy, uint32_t nth)
{
    uint32_t reversed = 0;

    for (int bit = 0; bit < 32; bit++)
        reversed |= ((nth >> bit) & 1u) << (31 - bit);
    if (d->next > 0)
        d->next += (int64_t)(((uint64_t)interval_of(policy) * reversed) >> 32);
}

bool destination_hold_now(struct destination *d, const struct retry_policy *policy)
{
    if (d->health != DESTINATION_FAILING || policy->hold_after == 0 || policy->open_interval == 0)
        return false;
    d->health = DESTINATION_DOWN;
    return true;
}

bool destination_opened(struct destination *d, const struct attempt *attempt)
{
    bool in_outage = d->health != DESTINATION_UP;

    d->proven = true;
    /* A session that was opened before the outage began says nothing about it. */
    if (in_outage && attempt->started < d->since)
        return false;
    if (attempt->ended > d->last_open)
        d->last_open = attempt->ended;
    if (!in_outage)
        return false;
    d->health = DESTINATION_UP;
    d->held = false;
    d->outage_start = d->retries;
    d->next = 0;
    d->probes = 0;
    return true;
}

static int64_t patience(const struct retry_policy *policy, uint32_t probes)
{
    int64_t wait = interval_of(policy) < PROBE_PATIENCE ? interval_of(policy) : PROBE_PATIENCE;

    while (probes-- > 1 && wait < PROBE_PATIENCE_MAX)
        wait *= 2;
    return wait < PROBE_PATIENCE_MAX ? wait : PROBE_PATIENCE_MAX;
}

bool destination_due(struct destination *d, const struct retry_policy *policy, int64_t now)
{
    if (d->health == DESTINATION_UP || d->next == 0 || now < d->next)
        return false;
    if (d->health != DESTINATION_TRYING) {
        d->health = DESTINATION_TRYING;
        d->trying_since = now - d->next < LATE_MAX ? d->next : now;
        d->probes = 0;
    }
    d->probes++;
    d->next = now + patience(policy, d->probes);
    return true;
}

bool destination_retry_now(struct destination *d, int64_t now)
{
    if (d->health == DESTINATION_UP)
        return false;
    if (d->health == DESTINATION_TRYING)
        d->probes = 0;
    d->next = now;
    return true;
}

uint64_t destination_failures(const struct destination *d)
{
    return d->retries - d->outage_start;
}

uint64_t destination_baseline(const struct destination *d, bool tried)
{
    return tried && d->retries > d->outage_start ? d->retries - 1 : d->retries;
}

uint64_t destination_retries_of(const struct destination *d, uint64_t baseline)
{
    uint64_t from = baseline > d->outage_start ? baseline : d->outage_start;

    return d->retries > from ? d->retries - from : 0;
}

uint32_t destination_cap(const struct destination *d, const struct retry_policy *policy,
                         bool listed, uint32_t unproven)
{
    uint32_t cap = policy->max_open_retries;

    if (listed || d->proven || unproven == 0)
        return cap;
    return cap == 0 || unproven < cap ? unproven : cap;
}

bool destination_over_cap(const struct destination *d, uint32_t cap, uint64_t *limit_r)
{
    if (cap == 0 || d->health == DESTINATION_UP || destination_failures(d) < cap)
        return false;
    *limit_r = d->retries - cap;
    return true;
}

const char *destination_health_name(enum destination_health health)
{
    static const char *const names[] = {"up", "failing", "down", "trying"};

    return names[health];
}
