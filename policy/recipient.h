/*
 * One recipient of one message that has failed at least once: what it still waits for (DESIGN 3.1).
 *
 * Pure decisions, thread-safe. All times are ms since the epoch.
 */
#ifndef POSTERN_RECIPIENT_H
#define POSTERN_RECIPIENT_H

#include "destination.h"

enum give_up {
    GIVE_UP_NOT,
    GIVE_UP_OPEN,     /* over max_open_retries */
    GIVE_UP_TRANSFER, /* over max_transfer_retries */
    GIVE_UP_LIMIT,    /* refused for good as too many recipients, though it was alone */
};

struct recipient {
    uint32_t destination;  /* its id */
    bool waiting;          /* stands in the index of the destination's outage, by `baseline` */
    uint64_t baseline;     /* the destination's retries when the message met the outage */
    int64_t arrived;       /* when the message came into the queue */
    int64_t first_failure; /* when the first failed attempt began */
    int64_t last_seen;     /* when the queue manager last took it up, as far as the log tells */
    uint32_t failures;     /* failed attempts of its own, counted or not */
    uint32_t transfers;    /* transfer failures counted */
    int64_t last_transfer; /* when the last counted one began */
    enum give_up give_up;
    bool at_gate;   /* when last seen it was at the gate, not at smtp(8) */
    bool rerouted;  /* its lane was changed since */
    bool routed;    /* a route to postern-expire is published for it */
    uint32_t wakes; /* wake-ups without an answer */
    int64_t next;   /* when it is to be woken; 0: not by us */
    int64_t warned; /* when the sender was told of the delay; 0: not yet */
    bool warn_due;  /* and is to be told now */
};

/*
 * A temporary failure once the session was open. Counts it, but not twice within transfer_interval
 * (Postfix's own schedule may be shorter), and plans the next attempt.
 */
void recipient_transfer_failed(struct recipient *r, const struct retry_policy *policy,
                               const struct attempt *attempt);

/* True when the transfer retries are used up. */
bool recipient_over_transfer_cap(const struct recipient *r, const struct retry_policy *policy);

/*
 * True while the decision to give it up stands: an outage that ended, or a cap that was raised,
 * undoes GIVE_UP_OPEN. `cap` is the destination's (destination_cap).
 */
bool recipient_given_up(const struct recipient *r, const struct destination *d, uint32_t cap);

/* After a wake-up at `now`: plans the next try. False when there were so many that it must be gone.
 */
bool recipient_woken(struct recipient *r, int64_t now);

/*
 * True when a line tells of another message under the same queue id: short ids are used again. The
 * log gives arrivals as "delay=", whose last digit may be a second or more off.
 */
bool recipient_is_other_message(const struct recipient *r, int64_t arrived, int64_t delay);

#endif
