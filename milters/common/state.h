/*
 * What posternd knows, for the threads of a milter: they take turns. Only while posternd lives:
 * what it knew may be wrong by now, and nobody would notice.
 */
#ifndef POSTERN_MILTER_STATE_H
#define POSTERN_MILTER_STATE_H

#include "config.h"
#include "store.h"

/*
 * Begins to read. NULL when posternd does not work, or its state cannot be read: then mail is
 * accepted, and there is nothing to end. The log says so once.
 */
struct store *state_begin(const struct config *config);
void state_end(struct store *store);

#endif
