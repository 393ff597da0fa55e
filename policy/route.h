/*
 * What should stand in the published transport table, and which keys may stand there at all.
 *
 * Keys come from recipient addresses, which strangers write: a domain such as "*" or ".com", or a
 * local part that begins with '#', would route other people's mail or break postmap's input
 * (transport(5), postmap(1)). Only keys that mean exactly one domain or one address are let
 * through.
 */
#ifndef POSTERN_ROUTE_H
#define POSTERN_ROUTE_H

#include "store.h"

enum { ROUTE_KEY_MAX = 400, ROUTE_SERVICE_MAX = 32 };

enum route {
    ROUTE_NONE,
    ROUTE_HOLD,      /* postern-hold: the destination is down */
    ROUTE_EXPIRE,    /* postern-expire: somebody's mail to this address is over its cap */
    ROUTE_PROBATION, /* postern-probation: it could not be reached lately */
    ROUTE_NORMAL,    /* smtp: proven, where all else goes through postern-probation */
    /* ROUTE_LANE + N: postern-rcptN, the destination takes N recipients in one transaction */
    ROUTE_LANE = 1 << 16,
};

/* The name of the Postfix service, "" for ROUTE_NONE; in a buffer of ROUTE_SERVICE_MAX bytes. */
const char *route_service(enum route route, char *buffer);

/* The N of a lane, 0 for other routes. */
uint32_t route_lane_size(enum route route);

/*
 * The domain of an address as logged, in lower case; its length, or 0 when it has none that may be
 * a key. `size` of ROUTE_KEY_MAX holds every valid one.
 */
size_t route_domain(char *domain_r, size_t size, struct slice recipient);

/*
 * The key for one address: all of it in lower case. 0 when it cannot be one; its domain is no
 * stand-in, for that would route other people's mail.
 */
size_t route_address(char *key_r, size_t size, struct slice recipient);

/* True when this is one domain name or address literal, and no pattern. */
bool route_domain_valid(struct slice domain);

/* Each changes what is wanted for a key; true when that made a difference, and then *wanted_r is
 * it. */
bool route_hold(struct store *store, struct slice key, bool hold, enum route *wanted_r);
bool route_expire(struct store *store, struct slice key, bool more, enum route *wanted_r);
bool route_lane(struct store *store, struct slice key, enum route lane, enum route *wanted_r);
/* `pool`: ROUTE_PROBATION, ROUTE_NORMAL or ROUTE_NONE. */
bool route_pool(struct store *store, struct slice key, enum route pool, enum route *wanted_r);
/* The administrator has a route of his own for it: neither lane nor pool is published. */
bool route_foreign(struct store *store, struct slice key, enum route *wanted_r);

/* True for routes that only choose how smtp(8) delivers: the next hop is what it would be anyway.
 */
bool route_delivers(enum route route);

/* The first key not below `from` (see store_seek), and its route, which may be ROUTE_NONE. */
bool route_seek(struct store *store, struct slice from, struct slice *key_r, enum route *route_r);

#endif
