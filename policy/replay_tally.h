/*
 * How long something took, many times over: how often, in all, at most, and how it is spread over
 * steps of about a factor of six. Pure; thread-safe.
 */
#ifndef POSTERN_REPLAY_TALLY_H
#define POSTERN_REPLAY_TALLY_H

#include <stdint.h>

enum { REPLAY_STEPS = 9 };

struct replay_tally {
    uint64_t count;
    int64_t sum; /* ms */
    int64_t most;
    uint64_t steps[REPLAY_STEPS];
};

/* Less than 0 counts as 0. */
void replay_tally_add(struct replay_tally *tally, int64_t ms);
/* Adds all that another one counted. */
void replay_tally_merge(struct replay_tally *tally, const struct replay_tally *other);
int64_t replay_tally_mean(const struct replay_tally *tally);

/* Where a step ends, in ms; 0 for the last one, which has no end. */
int64_t replay_step_end(int step);

#endif
