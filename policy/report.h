/*
 * What posternctl reports, as JSON: the text on a terminal is made from the same objects (show.h).
 * Times are seconds since the epoch with a fraction, null when there is none. Reads within the
 * caller's store transaction. Every function returns a new reference; NULL: there is no such thing.
 *
 * Every report has "running", "enforce", "connected" (null: not known) and "acting": when posternd
 * does not act, nothing is planned, and Postfix delivers on its own schedule.
 */
#ifndef POSTERN_REPORT_H
#define POSTERN_REPORT_H

#include <jansson.h>

#include "config.h"
#include "store.h"

/* What all reports are made of; nothing in it is kept. */
struct report_question {
    struct store *store; /* within a transaction */
    const struct config *config;
    int64_t now;
    bool running; /* posternd is */
};

json_t *report_status(const struct report_question *q);
/* In an outage, or draining, first; the others are only counted. */
json_t *report_destinations(const struct report_question *q);
/* By the name of a group, a domain, or a domain of a group. */
json_t *report_destination(const struct report_question *q, const char *name);
json_t *report_message(const struct report_question *q, const char *queue_id);
/* Addresses that are known to be bad, and destinations from which nothing is learned. */
json_t *report_recipients(const struct report_question *q);

#endif
