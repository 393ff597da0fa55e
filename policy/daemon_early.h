/* What the files of posternd's early reports share. Nobody else includes it. */
#ifndef POSTERN_DAEMON_EARLY_H
#define POSTERN_DAEMON_EARLY_H

#include <sys/queue.h>

#include "daemon_internal.h"

struct arrival;
struct claim;
STAILQ_HEAD(arrivals, arrival);
LIST_HEAD(claims, claim);

struct daemon_early {
    struct arrivals arrivals; /* what the door told, not yet written */
    size_t arrival_count;
    size_t arrival_bytes;
    struct claims claims; /* Postfix's reports that wait for an answer */
    size_t claim_count;
    struct origins *origins;
    struct reporter *reporter;
};

/* Answers all with no. */
void claims_drop(struct daemon *daemon);

#endif
