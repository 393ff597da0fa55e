/*
 * A mail host that several destinations may be behind. Pure decisions, thread-safe. Times are ms
 * since the epoch.
 */
#ifndef POSTERN_HOST_H
#define POSTERN_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct host {
    int64_t down_since; /* a destination is held because of it; 0: it is not down */
    int64_t last_open;  /* when a session with it was last open; 0: not known */
};

/* A destination behind it went down, in an outage that began at `since`. */
void host_went_down(struct host *host, int64_t since);

/* A session that began at `started` was open. True when that ended an outage of the host. */
bool host_opened(struct host *host, int64_t started, int64_t ended);

#endif
