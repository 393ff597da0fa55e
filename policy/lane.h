/*
 * How many recipients a destination takes in one transaction, and the lane that suits (DESIGN 3.3).
 *
 * RFC 5321 section 4.5.3.1.10: a server may refuse the recipients above its limit with 452 and
 * expects the rest in another transaction. It does not say its limit, but it shows it. Pure;
 * thread-safe. Times are ms since the epoch.
 */
#ifndef POSTERN_LANE_H
#define POSTERN_LANE_H

#include "destination.h"

/* One SMTP transaction, as one process of smtp(8) logged it. */
struct transaction {
    uint32_t destination; /* id */
    uint32_t taken;       /* recipients delivered */
    uint32_t refused;     /* as too many, at RCPT */
    uint32_t refused_all; /* as too many, in reply to DATA or the end of the data */
    uint32_t named;       /* the limit that the server named; 0: none */
    uint32_t lane;        /* N of the lane it went through; 0: none */
    bool permanent;       /* the server said 5xx */
    int64_t spent;        /* delay= of its recipients, where the whole transaction was refused */
    int64_t last;         /* when its last line was logged */
    int64_t due;          /* when it is looked at */
};

struct lane_rules {
    const uint32_t *lanes; /* ascending */
    size_t count;          /* 0: no lanes */
    uint32_t normal;  /* what Postfix sends without a lane (smtp_destination_recipient_limit) */
    int64_t lifetime; /* ms until a wider lane is tried */
};

enum lane_verdict {
    LANE_WAIT,        /* nobody was taken, nothing learned: the message waits its normal turn */
    LANE_PROGRESS,    /* the rest goes out at once */
    LANE_NO_PROGRESS, /* refused for good although it was alone: a real failure */
};

/* What a transaction in which recipients were refused tells. Changes takes, lane and lane_until. */
enum lane_verdict lane_learn(struct destination *d, const struct transaction *t,
                             const struct lane_rules *rules);

/*
 * True for a transaction that is surely over, in which one recipient was refused for good although
 * it was alone, where no lane for one can prove it.
 */
bool lane_is_hopeless(const struct transaction *t, const struct lane_rules *rules);

/* Asked when lane_until has come: the next wider lane, and after the widest none. */
void lane_widen(struct destination *d, const struct lane_rules *rules, int64_t now);

#endif
