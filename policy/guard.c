#include "guard.h"

#include <string.h>

/* A window shorter than GUARD_STEPS ms still has steps of one. */
static int64_t step_of(const struct guard_rules *rules, int64_t now)
{
    int64_t length = rules->window / GUARD_STEPS;

    return now > 0 ? now / (length > 0 ? length : 1) : 0;
}

/*
 * Makes the step of `now` the newest. Forward, the steps entered have the places of those that the
 * window has left; backward, the steps left lie in the future. Both ways what lies between is
 * forgotten.
 */
static void move_to(struct guard *guard, int64_t step)
{
    int64_t first = guard->step < step ? guard->step : step;
    uint64_t apart = guard->step < step ? (uint64_t)step - (uint64_t)guard->step
                                        : (uint64_t)guard->step - (uint64_t)step;

    guard->step = step;
    if (first < 0 || apart >= GUARD_STEPS) {
        memset(guard->rejected, 0, sizeof(guard->rejected));
        memset(guard->total, 0, sizeof(guard->total));
        return;
    }
    for (uint64_t i = 1; i <= apart; i++) {
        size_t place = (size_t)(((uint64_t)first + i) % GUARD_STEPS);

        guard->rejected[place] = 0;
        guard->total[place] = 0;
    }
}

static uint64_t sum(const uint32_t counters[GUARD_STEPS])
{
    uint64_t all = 0;

    for (size_t i = 0; i < GUARD_STEPS; i++)
        all += counters[i];
    return all;
}

static void add_one(uint32_t *counter)
{
    *counter += *counter < UINT32_MAX;
}

/*
 * The sample is needed to trip, not to stay so: at night a destination that rejects everybody is
 * asked about a few recipients only. And it is over at half the ratio: a destination right at it
 * would trip with every other recipient.
 */
static enum guard_news judge(struct guard *guard, const struct guard_rules *rules, int64_t now)
{
    uint64_t total = sum(guard->total);
    double ratio = guard->since == 0 ? rules->ratio : rules->ratio / 2;
    bool most = (double)sum(guard->rejected) > ratio * (double)total;

    if (guard->since == 0 && most && total >= rules->sample) {
        guard->since = now > 0 ? now : 1;
        return GUARD_TRIPPED;
    }
    if (guard->since != 0 && !most) {
        guard->since = 0;
        return GUARD_OVER;
    }
    return GUARD_SAME;
}

enum guard_news guard_count(struct guard *guard, const struct guard_rules *rules, bool rejected,
                            int64_t now)
{
    size_t place;

    move_to(guard, step_of(rules, now));
    place = (size_t)(guard->step % GUARD_STEPS);
    /* Where the total is full the share would grow by the rejected ones alone. */
    if (rejected && guard->total[place] < UINT32_MAX)
        add_one(&guard->rejected[place]);
    add_one(&guard->total[place]);
    return judge(guard, rules, now);
}

enum guard_news guard_pass(struct guard *guard, const struct guard_rules *rules, int64_t now)
{
    move_to(guard, step_of(rules, now));
    return judge(guard, rules, now);
}

static uint32_t saturated(uint64_t value)
{
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

uint32_t guard_rejected(const struct guard *guard)
{
    return saturated(sum(guard->rejected));
}

uint32_t guard_total(const struct guard *guard)
{
    return saturated(sum(guard->total));
}
