/*
 * Whether Postfix has a way of its own for a domain: a route in the administrator's transport_maps,
 * or a transport for domains that it takes mail for (mydestination, relay_domains,
 * virtual_mailbox_domains). A lane would be found before it and send the mail to the domain's MX
 * hosts, which may be this host itself ("mail loops back to myself"). Asks with `postmap -q`, so
 * this blocks; not thread-safe.
 */
#ifndef POSTERN_LANECHECK_H
#define POSTERN_LANECHECK_H

#include "postfix.h"

struct lanecheck;

/* Asks about all the domains in one go. NULL: out of memory. */
struct lanecheck *lanecheck_new(const struct postfix *postfix, const char *state_directory,
                                char *const *domains, size_t count);
void lanecheck_free(struct lanecheck **check);

/* A table or file that could not be asked: then nobody knows, of any domain. NULL: none. */
const char *lanecheck_unknown(const struct lanecheck *check);

/* The setting that has it ("transport_maps"); NULL: none, as far as is known. */
const char *lanecheck_setting(const struct lanecheck *check, const char *domain);

#endif
