/*
 * The configuration in force, shared by all connections of a milter: one that began with it keeps
 * it to its end, also when SIGHUP has put another in force meanwhile. Thread-safe.
 */
#ifndef POSTERN_CONFREF_H
#define POSTERN_CONFREF_H

#include <stdbool.h>

#include "config.h"
#include "networks.h"

struct confref;

/*
 * Puts a configuration in force, and the networks that are ours (NULL: not known), and takes both
 * over. False when there is no memory: then they are still the caller's, and what is in force
 * stays. NULL puts none in force.
 */
bool confref_set(struct config *config, struct networks *local);

/* A reference to the configuration in force, to be released; NULL when there is none. */
struct confref *confref_take(void);
void confref_release(struct confref **ref);

/* Good until the reference is released. */
const struct config *confref_config(const struct confref *ref);
const struct networks *confref_local(const struct confref *ref);

#endif
