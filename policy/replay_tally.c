#include "replay_tally.h"

static const int64_t ends[REPLAY_STEPS] = {1000,     10000,    60000,     600000,   3600000,
                                           21600000, 86400000, 259200000, INT64_MAX};

void replay_tally_add(struct replay_tally *tally, int64_t ms)
{
    int step = 0;

    if (ms < 0)
        ms = 0;
    while (ms >= ends[step] && step < REPLAY_STEPS - 1)
        step++;
    tally->steps[step]++;
    tally->count++;
    tally->sum += ms;
    if (ms > tally->most)
        tally->most = ms;
}

void replay_tally_merge(struct replay_tally *tally, const struct replay_tally *other)
{
    for (int i = 0; i < REPLAY_STEPS; i++)
        tally->steps[i] += other->steps[i];
    tally->count += other->count;
    tally->sum += other->sum;
    if (other->most > tally->most)
        tally->most = other->most;
}

int64_t replay_tally_mean(const struct replay_tally *tally)
{
    return tally->count ? tally->sum / (int64_t)tally->count : 0;
}

int64_t replay_step_end(int step)
{
    return step < REPLAY_STEPS - 1 ? ends[step] : 0;
}
