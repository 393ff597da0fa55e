#include "recipient.h"

/* Between wake-ups of a message that may still be in the active queue. */
enum { WAKE_PATIENCE = 1000, WAKE_PATIENCE_MAX = 60 * 1000, WAKES_MAX = 60 };

void recipient_transfer_failed(struct recipient *r, const struct retry_policy *policy,
                               const struct attempt *attempt)
{
    int64_t interval = (int64_t)policy->transfer_interval * 1000;
    int64_t due = r->last_transfer + interval;

    if (r->transfers > 0 && attempt->started < due)
        return;
    r->last_transfer = r->transfers > 0 ? attempt_begin(attempt, due, interval) : attempt->started;
    r->transfers++;
    r->wakes = 0;
    r->next = interval > 0 ? r->last_transfer + interval : 0;
}

bool recipient_over_transfer_cap(const struct recipient *r, const struct retry_policy *policy)
{
    return policy->max_transfer_retries > 0 && r->transfers >= policy->max_transfer_retries;
}

bool recipient_given_up(const struct recipient *r, const struct destination *d, uint32_t cap)
{
    if (r->give_up != GIVE_UP_OPEN)
        return r->give_up != GIVE_UP_NOT;
    return cap > 0 && d->health != DESTINATION_UP && destination_retries_of(d, r->baseline) >= cap;
}

bool recipient_woken(struct recipient *r, int64_t now)
{
    int64_t wait = WAKE_PATIENCE;

    for (uint32_t i = 0; i < r->wakes && wait < WAKE_PATIENCE_MAX; i++)
        wait *= 2;
    r->wakes++;
    r->next = now + (wait < WAKE_PATIENCE_MAX ? wait : WAKE_PATIENCE_MAX);
    return r->wakes <= WAKES_MAX;
}

bool recipient_is_other_message(const struct recipient *r, int64_t arrived, int64_t delay)
{
    int64_t apart = arrived > r->arrived ? arrived - r->arrived : r->arrived - arrived;

    return apart > 5000 + delay / 20;
}
