/*
 * A recipient that bounced while its message is still under way, and who tells the sender
 * (DESIGN 3.4).
 *
 *     PENDING -> SENDING -> SENT       posternd's own report
 *        |          |
 *        +----------+-----> POSTFIX    left to Postfix's
 *
 * Postfix tells of all recipients that bounced when the pass of its queue manager is over
 * (qmgr/qmgr_active.c), so a report of ours has to be known before that one passes by. In doubt it
 * is POSTFIX: two reports at worst, never none. Pure and thread-safe; times are ms since the epoch.
 */
#ifndef POSTERN_EARLY_H
#define POSTERN_EARLY_H

#include <stdbool.h>
#include <stdint.h>

#include "envelope.h"

enum early_state {
    EARLY_PENDING,
    EARLY_SENDING, /* sendmail(1) was started: whether it got through is not known yet */
    EARLY_SENT,
    EARLY_POSTFIX,
};

struct early {
    enum early_state state;
    int64_t bounced;  /* when */
    int64_t reported; /* when the report was sent; 0: not yet */
    char status[12];  /* "5.1.1" */
};

/* When it is to be reported if nothing happens before. `after` in seconds. */
int64_t early_due(int64_t bounced, uint32_t after);

/* Whether the sender wants a report of a failure (RFC 3461 section 4.1), and may get one. */
bool early_wanted(const struct envelope *envelope, const struct envelope_recipient *recipient);

/* Postfix is about to report it, or did. False when ours is out, or may be. */
bool early_leave(struct early *early);

const char *early_state_name(enum early_state state);

#endif
