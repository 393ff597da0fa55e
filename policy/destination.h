/*
 * The health of one destination, and its open retries (DESIGN 3.1, 3.2; KB Q157630, Q277831).
 *
 *     UP -> FAILING -> (hold_after failures) -> DOWN -> (open_interval) -> TRYING -> UP | DOWN
 *
 * Pure decisions: no I/O, no clock of their own, thread-safe. All times are ms since the epoch.
 */
#ifndef POSTERN_DESTINATION_H
#define POSTERN_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

enum destination_health {
    DESTINATION_UP,
    DESTINATION_FAILING, /* in an outage, not held */
    DESTINATION_DOWN,    /* held until `next` */
    DESTINATION_TRYING,  /* a retry is due or under way: not held */
};

struct destination {
    uint32_t id;
    enum destination_health health;
    bool proven;           /* was opened at least once */
    bool held;             /* in this outage, at least once */
    uint64_t retries;      /* open failures counted, ever */
    uint64_t outage_start; /* `retries` when the outage began */
    uint64_t recorded;     /* counted retries kept in the history so far */
    int64_t since;         /* when the first failed attempt of the outage began */
    int64_t last_counted;  /* when the last counted attempt began */
    int64_t last_open;     /* when it was last known to be open */
    int64_t trying_since;  /* when the retry under way was due */
    int64_t next;          /* when destination_due wants to be asked; 0: never */
    uint32_t probes;       /* messages woken for the retry under way */
    int64_t work;          /* when the ledger goes on with its waiting messages; 0: nothing to do */
    bool draining;         /* came back: waiting messages are being woken */
    uint32_t takes;        /* recipients in one transaction, as far as known (lane.h); 0: any */
    uint32_t lane;         /* N of the lane postern-rcptN it goes through; 0: none */
    bool elsewhere;        /* by another service than smtp: it goes through no lane */
    int64_t lane_until;    /* when a wider lane is tried; 0: never */
    int64_t suspect_until; /* in probation until then (probation.h); 0: never was */
    uint32_t relapses;     /* outages within a day of the one before */
    uint32_t pool;         /* enum pool: what is published */
    int64_t pool_due;      /* when it leaves probation; 0: not by time */
    uint32_t host;         /* hash of the name of the host that took the last delivery */
    uint64_t warned;       /* senders with a baseline below this were told of the delay */
};

/* One delivery attempt, as the log tells of it. */
struct attempt {
    int64_t started;
    int64_t ended;
    bool skipped; /* Postfix did not try: "delivery temporarily suspended" */
};

/*
 * When the attempt counts as begun. One that was due and begins a little later (postmap, postqueue
 * and the queue manager take their time) counts from when it was due: the lag must not add up over
 * 144 retries. `interval` in ms.
 */
int64_t attempt_begin(const struct attempt *attempt, int64_t due, int64_t interval);

/* What a failure changed. */
struct destination_change {
    bool counted;
    bool outage_began;
    bool held; /* from now on held */
};

/* An attempt that got no usable session. Counts it at most once per open_interval. */
struct destination_change destination_failed(struct destination *d,
                                             const struct retry_policy *policy,
                                             const struct attempt *attempt);

/*
 * The first retry of one of a crowd that failed in the same second: `nth` of them, from 1, is put
 * off by a share of the interval, so that they are not all probed in the same second. The shares
 * are those of the van der Corput sequence: however many there are, they lie evenly.
 */
void destination_spread(struct destination *d, const struct retry_policy *policy, uint32_t nth);

/* Known by other means to be down: held from now on, without waiting for hold_after failures. */
bool destination_hold_now(struct destination *d, const struct retry_policy *policy);

/* A session was opened. True when this ended an outage. */
bool destination_opened(struct destination *d, const struct attempt *attempt);

/* Asked when `next` has come: true when a waiting message is to be woken as the probe. */
bool destination_due(struct destination *d, const struct retry_policy *policy, int64_t now);

/* Brings the next retry forward to now (posternctl retry). False when there is no outage. */
bool destination_retry_now(struct destination *d, int64_t now);

/* Open retries since the outage began. */
uint64_t destination_failures(const struct destination *d);

/*
 * Where a message that meets the outage now begins to count. One whose own attempt failed shares
 * the retry just counted; one that was only turned away at the hold has had none yet.
 */
uint64_t destination_baseline(const struct destination *d, bool tried);

/* The open retries that a message with this baseline has had in the present outage. */
uint64_t destination_retries_of(const struct destination *d, uint64_t baseline);

/*
 * The cap that counts: the policy's own, and for a destination that nobody listed and that was
 * never once opened the smaller of that and `unproven`. 0: no cap.
 */
uint32_t destination_cap(const struct destination *d, const struct retry_policy *policy,
                         bool listed, uint32_t unproven);

/* True when messages may be over the cap: those with a baseline of at most *limit_r. */
bool destination_over_cap(const struct destination *d, uint32_t cap, uint64_t *limit_r);

const char *destination_health_name(enum destination_health health);

#endif
