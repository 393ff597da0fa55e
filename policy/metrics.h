/*
 * Prometheus's text format (version 0.0.4) of what posternd counts (counters.h) and of what the
 * state holds. The number of time series is bounded: destinations appear as counts by health, and
 * by name only those groups that the configuration names, the first METRICS_GROUPS of them.
 */
#ifndef POSTERN_METRICS_H
#define POSTERN_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "destination.h"
#include "store.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
enum { METRICS_GROUPS = 200 };
#define METRICS_HEALTHS 4 /* enum destination_health */

struct metrics_group {
    const char *name; /* the configuration's */
    enum destination_health health;
    uint64_t open_retries; /* in its outage */
    bool known;            /* mail to it was seen */
};

/* Times are in ms since the epoch; 0: none. */
struct metrics_facts {
    int64_t started; /* posternd */
    int64_t now;
    bool enforcing;
    bool connected;
    bool early_possible;
    bool caught_up;
    int64_t last_line; /* of Postfix's that was read */

    bool state; /* it could be read: what follows is known */
    uint64_t by_health[METRICS_HEALTHS];
    uint64_t waiting;
    uint64_t routes;
    uint64_t bad_addresses;
    uint64_t state_bytes;
    struct metrics_group groups[METRICS_GROUPS];
    size_t group_count;
};

/* Fills in what the state tells, within the caller's transaction. */
void metrics_gather(struct metrics_facts *facts, struct store *store, const struct config *config);

/* The whole text; free() it. NULL: out of memory. */
char *metrics_text(const struct metrics_facts *facts);

#endif
