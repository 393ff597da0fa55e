/*
 * What should stand in the published transport table, and which keys may stand there at all.
 *
 * Keys come from recipient addresses, which strangers write: a domain such as "*" or ".com", or a
 * local part that begins with '#', would route other people's mail or break postmap's input
 * (transport(5), postmap(1)). Only keys that mean exactly one domain or one address are let through.
 */
#ifndef POSTERN_ROUTE_H
#define POSTERN_ROUTE_H

#include "store.h"

enum { ROUTE_KEY_MAX = 400 };

enum route {
    ROUTE_NONE,
    ROUTE_HOLD,   /* postern-hold: the destination is down */
    ROUTE_EXPIRE, /* postern-expire: somebody's mail to this address is over its cap */
};

/* The name of the Postfix service, NULL for ROUTE_NONE. */
const char *route_service(enum route route);

/*
 * The domain of an address as logged, in lower case; its length, or 0 when it has none that may be a
 * key. `size` of ROUTE_KEY_MAX holds every valid one.
 */
size_t route_domain(char *domain_r, size_t size, struct slice recipient);

/* The key for one address: all of it in lower case or, where the local part cannot be one, its domain. */
size_t route_address(char *key_r, size_t size, struct slice recipient);

/* True when this is one domain name or address literal, and no pattern. */
bool route_domain_valid(struct slice domain);

/* Each changes what is wanted for a key; true when that made a difference, and then *wanted_r is it. */
bool route_hold(struct store *store, struct slice key, bool hold, enum route *wanted_r);
bool route_expire(struct store *store, struct slice key, bool more, enum route *wanted_r);

/* The first wanted route whose key is not below `from` (see store_seek). */
bool route_seek(struct store *store, struct slice from, struct slice *key_r, enum route *route_r);

#endif
