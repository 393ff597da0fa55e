/*
 * Who goes through the lane postern-probation (DESIGN 3.5): destinations that could not be reached
 * lately. Pure decisions, thread-safe. Times are ms since the epoch.
 *
 * A host that answers now and then must not change lanes with each message: a destination stays for
 * ten minutes behind its last failure, and each relapse within a day doubles that, up to about five
 * hours.
 */
#ifndef POSTERN_PROBATION_H
#define POSTERN_PROBATION_H

#include "destination.h"

/* Which of Postfix's pools of smtp(8) processes its mail goes to. */
enum pool {
    POOL_DEFAULT,   /* where default_transport says */
    POOL_PROBATION, /* postern-probation */
    POOL_NORMAL,    /* the service smtp, where default_transport is postern-probation */
};

/* It could not be reached, and that was counted. `began`: that began an outage. */
void probation_failed(struct destination *d, bool began, int64_t now);

/* True while it has to stay there. */
bool probation_is_suspect(const struct destination *d, int64_t now);

/* When it may leave, if it is reachable by now; 0: it is not there, or not reachable. */
int64_t probation_end(const struct destination *d, int64_t now);

enum pool probation_pool(const struct destination *d, enum lanes_mode mode, int64_t now);

#endif
