/*
 * What a past log tells of outages and of what Postern would have done (posternctl replay).
 *
 * The ledger counts what Postfix tried, but under Postern there would have been other retries. So
 * this keeps the outages as the ledger does (destination.h, failure.h), and works out from the
 * configuration when the retries would have come. Lines of several servers may come in turn: each
 * is judged as with a Postern of its own, and the sums are of all. Pure: no I/O, no clock; times
 * are ms since the epoch. Memory is bounded by struct replay_limits. Not thread-safe.
 */
#ifndef POSTERN_REPLAY_STUDY_H
#define POSTERN_REPLAY_STUDY_H

#include <stdint.h>

#include "config.h"
#include "maillog.h"

/* How much is kept in detail; what is beyond is counted (struct replay_study). */
struct replay_limits {
    size_t destinations;
    size_t waiters; /* recipients of messages that failed and are in the queue at one time */
    size_t outages;
    size_t minutes;   /* for held-up mail */
    size_t servers;   /* by the names in the lines */
    size_t addresses; /* that do not exist */
    size_t hosts;     /* mail hosts */
};
extern const struct replay_limits replay_limits_default;

struct replay_study;

/* The configuration must outlive it. NULL, with a line in error_r. */
struct replay_study *replay_study_new(const struct config *config,
                                      const struct replay_limits *limits, uint64_t seed,
                                      char *error_r, size_t size);
void replay_study_free(struct replay_study **study);

/* A line that maillog_parse took for one of Postfix's. */
void replay_study_line(struct replay_study *study, const struct maillog_line *line);

/*
 * One it did not take, with what it found before it gave up: the queue manager's "status=expired,
 * returned to sender" is looked for. True when it was that.
 */
bool replay_study_other(struct replay_study *study, const struct maillog_line *line,
                        struct slice whole);

/* The log is at its end: what still waits is counted as such. Nothing may be fed after it. */
void replay_study_end(struct replay_study *study);

/* ms in the active queue, of a delivery line: the second of delays=a/b/c/d. */
int64_t replay_queued(const struct maillog_line *line);

#endif
