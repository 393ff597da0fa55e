/*
 * The mass-bounce guard (DESIGN 3.4): notices when a destination suddenly rejects most of its
 * recipients, as Gmail did on 2020-12-15 for addresses that exist, so that nothing is learned from
 * that. Pure and thread-safe. Times are ms since the epoch.
 *
 * It trips when more than `ratio` of at least `sample` recipients were rejected, and is over when
 * no more than `ratio` are, of however few: at night a destination is asked about a few only.
 *
 * A sliding window in steps of a GUARD_STEPS-th of it; what is older is forgotten. The clock may be
 * set back: what lies in the future is forgotten as well.
 */
#ifndef POSTERN_GUARD_H
#define POSTERN_GUARD_H

#include <stdbool.h>
#include <stdint.h>

enum { GUARD_STEPS = 10 };

struct guard_rules {
    uint32_t sample; /* so many recipients at least */
    double ratio;    /* more than this share of them rejected; over at half of it */
    int64_t window;  /* ms */
};

/* Of one destination; all zero is a good start. */
struct guard {
    int64_t step; /* number of the newest step: time / (window / GUARD_STEPS) */
    uint32_t rejected[GUARD_STEPS];
    uint32_t total[GUARD_STEPS];
    int64_t since; /* when it tripped; 0: it has not */
};

enum guard_news { GUARD_SAME, GUARD_TRIPPED, GUARD_OVER };

/* One recipient was taken, or rejected. */
enum guard_news guard_count(struct guard *guard, const struct guard_rules *rules, bool rejected,
                            int64_t now);

/* Time has passed: GUARD_OVER when it is over by that alone. */
enum guard_news guard_pass(struct guard *guard, const struct guard_rules *rules, int64_t now);

/* Within the window, as of the last call of the above. */
uint32_t guard_rejected(const struct guard *guard);
uint32_t guard_total(const struct guard *guard);

#endif
