/*
 * The transactions that the policy service knows of, by Postfix's `instance` attribute: a bounded
 * number, each for a limited time after it was last asked for; when there are too many, the one not
 * asked for the longest goes. One that is forgotten starts again at nought: in doubt mail is
 * accepted.
 *
 * No I/O; the time (ms, of any monotonic clock) is passed in. Not thread-safe.
 */
#ifndef POSTERN_INSTANCES_H
#define POSTERN_INSTANCES_H

#include <stddef.h>
#include <stdint.h>

#include "inbound.h"

struct instances;

/* NULL when there is no memory. */
struct instances *instances_new(size_t most, int64_t lifetime_ms);
void instances_free(struct instances **instances);

/*
 * The transaction of that name, begun with `mail` if it is not there yet. NULL when none of the
 * rules is for it, or there is no memory. Good until the next call.
 */
struct inbound *instances_get(struct instances *instances, struct slice name,
                              const struct config *config, const struct inbound_mail *mail,
                              int64_t now);

/* The transaction is over. */
void instances_end(struct instances *instances, struct slice name);

/* Forgets all: before the configuration goes that they were begun with. */
void instances_clear(struct instances *instances);

size_t instances_count(const struct instances *instances);

#endif
