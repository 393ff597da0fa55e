/*
 * What posternctl reports, as JSON: the text on a terminal is made from the same objects (show.h).
 * Times are seconds since the epoch with a fraction, null when there is none. Reads within the
 * caller's store transaction. Every function returns a new reference; NULL: there is no such thing.
 */
#ifndef POSTERN_REPORT_H
#define POSTERN_REPORT_H

#include <jansson.h>

#include "config.h"
#include "store.h"

json_t *report_status(struct store *store, const struct config *config, int64_t now);
/* In an outage, or draining, first; the others are only counted. */
json_t *report_destinations(struct store *store, const struct config *config, int64_t now);
/* By the name of a group, a domain, or a domain of a group. */
json_t *report_destination(struct store *store, const struct config *config, const char *name,
                           int64_t now);
json_t *report_message(struct store *store, const struct config *config, const char *queue_id,
                       int64_t now);

#endif
