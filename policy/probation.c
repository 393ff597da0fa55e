#include "probation.h"

enum { LEAST = 600 * 1000, DOUBLINGS_MAX = 5 };

static const int64_t relapse_within = INT64_C(86400) * 1000;

void probation_failed(struct destination *d, bool began, int64_t now)
{
    bool relapse = d->suspect_until > 0 && now < d->suspect_until + relapse_within;

    if (began)
        d->relapses = !relapse ? 0 : d->relapses < DOUBLINGS_MAX ? d->relapses + 1 : DOUBLINGS_MAX;
    d->suspect_until = now + ((int64_t)LEAST << d->relapses);
}

bool probation_is_suspect(const struct destination *d, int64_t now)
{
    /* A clock set back must not keep it there for ever. */
    bool plausible = d->suspect_until <= now + ((int64_t)LEAST << DOUBLINGS_MAX);

    return d->health != DESTINATION_UP || (now < d->suspect_until && plausible);
}

int64_t probation_end(const struct destination *d, int64_t now)
{
    return d->health == DESTINATION_UP && probation_is_suspect(d, now) ? d->suspect_until : 0;
}

enum pool probation_pool(const struct destination *d, enum lanes_mode mode, int64_t now)
{
    if (mode == LANES_OFF || d->elsewhere)
        return POOL_DEFAULT;
    if (probation_is_suspect(d, now))
        return POOL_PROBATION;
    return mode == LANES_PROVEN && d->proven ? POOL_NORMAL : POOL_DEFAULT;
}
