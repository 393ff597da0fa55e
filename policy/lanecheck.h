/*
 * Whether the administrator's own transport_maps has a route for a domain: then a lane, which would
 * be found before it, is not published (theirs wins). Asks with `postmap -q`, so this blocks; not
 * thread-safe.
 */
#ifndef POSTERN_LANECHECK_H
#define POSTERN_LANECHECK_H

#include "postfix.h"

struct lanecheck;

/* Asks about all the domains in one go. NULL: out of memory. */
struct lanecheck *lanecheck_new(const struct postfix *postfix, const char *state_directory,
                                char *const *domains, size_t count);
void lanecheck_free(struct lanecheck **check);

/* True when there is a route, or when nobody could say. */
bool lanecheck_has_route(const struct lanecheck *check, const char *domain);

#endif
