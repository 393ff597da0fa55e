#include "lane.h"

/* The largest lane not above n, or else the smallest; none when n is what Postfix sends anyway. */
static uint32_t lane_for(uint32_t n, const struct lane_rules *rules)
{
    uint32_t lane = rules->count > 0 ? rules->lanes[0] : 0;

    if (n >= rules->normal)
        return 0;
    for (size_t i = 0; i < rules->count; i++)
        if (rules->lanes[i] <= n)
            lane = rules->lanes[i];
    return lane;
}

/*
 * Transactions that were under way when the limit was learned say nothing new, and the rest of
 * their recipients can go through the lane now. Later ones mean that the lane is not used.
 */
enum { UNDER_WAY = 10 * 1000 };

static uint32_t offered_to(const struct transaction *t)
{
    return t->taken + t->refused + t->refused_all;
}

/* Some were taken. A limit that was named is better than a count: others may have been unknown. */
static uint32_t counted(const struct destination *d, const struct transaction *t)
{
    uint32_t n = t->named >= t->taken ? t->named : t->taken;

    /* Of several hosts with different limits the smallest counts, as long as it is fresh. */
    return d->takes > 0 && d->takes < n && t->last < d->lane_until ? d->takes : n;
}

/* Refused as a whole: the server gives no count away, unless it names its limit. */
static uint32_t halved(const struct transaction *t)
{
    uint32_t offered = offered_to(t);

    if (t->named > 0 && t->named < offered)
        return t->named;
    return offered > 1 ? offered / 2 : 1;
}

static enum lane_verdict set_takes(struct destination *d, uint32_t n, const struct transaction *t,
                                   const struct lane_rules *rules)
{
    d->takes = n;
    d->lane = lane_for(n, rules);
    d->lane_until = t->last + rules->lifetime;
    return LANE_PROGRESS;
}

/* Nobody was taken. */
static enum lane_verdict learn_from_refusal(struct destination *d, const struct transaction *t,
                                            const struct lane_rules *rules)
{
    bool alone = offered_to(t) == 1;
    uint32_t n = alone ? 1 : halved(t);

    if (t->lane == 1)
        return t->permanent ? LANE_NO_PROGRESS : LANE_WAIT;
    if (t->refused_all == 0 && !(alone && t->permanent))
        return LANE_WAIT; /* 452 to everybody: not a limit, and not to be hammered */
    if (d->lane > 0 && t->lane != d->lane && offered_to(t) > d->lane)
        return t->last < d->lane_until - rules->lifetime + UNDER_WAY ? LANE_PROGRESS : LANE_WAIT;
    if (alone && (rules->count == 0 || rules->lanes[0] != 1))
        return LANE_WAIT;
    /* Known before, and it made no difference. */
    if (d->takes > 0 && n >= d->takes)
        return LANE_WAIT;
    return set_takes(d, n, t, rules);
}

enum lane_verdict lane_learn(struct destination *d, const struct transaction *t,
                             const struct lane_rules *rules)
{
    if (t->taken == 0)
        return learn_from_refusal(d, t, rules);
    return set_takes(d, counted(d, t), t, rules);
}

bool lane_is_hopeless(const struct transaction *t, const struct lane_rules *rules)
{
    return t->taken == 0 && offered_to(t) == 1 && t->permanent &&
           (rules->count == 0 || rules->lanes[0] != 1);
}

void lane_widen(struct destination *d, const struct lane_rules *rules, int64_t now)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (rules->lanes[i] > d->lane && d->lane > 0 && rules->lanes[i] < rules->normal) {
            d->lane = rules->lanes[i];
            d->takes = d->lane;
            d->lane_until = now + rules->lifetime;
            return;
        }
    }
    d->lane = 0;
    d->takes = 0;
    d->lane_until = 0;
}
