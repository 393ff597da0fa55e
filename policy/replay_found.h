/*
 * The outages of a study, and which of them belong together: what failed at the same time behind
 * the same mail host, or for the same destination on several servers.
 */
#ifndef POSTERN_REPLAY_FOUND_H
#define POSTERN_REPLAY_FOUND_H

#include "replay_parts.h"

struct replay_found {
    const struct replay_outage *outage;
    struct slice name;   /* of the destination, with its "d:" or "g:" */
    struct slice server; /* that saw it */
    size_t first;        /* another of the same incident, nearer to its first; that one itself */
};

struct replay_found_list {
    const struct replay_study *study;
    struct slice server;                   /* the one that is being looked through, ... */
    const struct replay_map *destinations; /* ... and its own */
    struct replay_found *list;             /* by when they began */
    size_t count;
    size_t size;
};

/* After replay_study_end. The caller frees the list. */
void replay_find(const struct replay_study *study, struct replay_found_list *found_r);
/* Fills in `first`, by way of which replay_first_of finds the incident's first outage. */
void replay_unite(struct replay_found_list *found);
size_t replay_first_of(const struct replay_found *list, size_t nth);

/* Up to when it is known to have lasted. */
int64_t replay_end_of(const struct replay_study *study, const struct replay_outage *outage);
int replay_compare(struct slice a, struct slice b);

#endif
