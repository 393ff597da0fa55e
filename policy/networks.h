/* A list of networks. Read-only once made; thread-safe then. */
#ifndef POSTERN_NETWORKS_H
#define POSTERN_NETWORKS_H

#include "network.h"

struct networks;

/* An empty one. NULL: no memory. */
struct networks *networks_new(void);
void networks_free(struct networks **networks);

/* "192.0.2.0/24" and the like, also with brackets around an IPv6 address, as Postfix has it. False:
 * it is none, or there is no memory. */
bool networks_add(struct networks *networks, struct slice text);

/*
 * What is in a list such as mynetworks (postconf(5)). "!network" takes out of what stands behind
 * it; files and tables cannot be read here: they are left out, and counted. Behind a "!" that could
 * not be read nobody is known to be inside.
 */
size_t networks_add_list(struct networks *networks, const char *list);

/* False for NULL. */
bool networks_have(const struct networks *networks, const struct network *address);

#endif
