/*
 * The published transport table, $state_directory/tables/transport.lmdb, written with postmap(1).
 *
 * Postfix takes its own locks on the file, so LMDB's own must never write it. `postmap -i` and `-d`
 * commit each line on its own (about 1,600 lines/s); a whole new table is one transaction, which
 * readers never see half done: few changes update, many rebuild. Runs in the event loop; one
 * thread.
 */
#ifndef POSTERN_TABLE_H
#define POSTERN_TABLE_H

#include "child.h"
#include "postfix.h"
#include "route.h"

struct table;

/* Calls `emit` for every route that is wanted now. */
typedef void table_emit(void *emit_context, struct slice key, enum route route);
/* False: not all of them could be told. */
typedef bool table_source(void *context, table_emit *emit, void *emit_context);

/* What stands behind "service:" in the table for a lane: a next hop, or "" for the domain itself.
 */
typedef const char *table_nexthop(void *context);

struct table_hooks {
    table_nexthop *nexthop;
    table_source *source;           /* for a rebuild */
    void (*settled)(void *context); /* what was wanted is published */
    void *context;
};

/* The runner and postfix must outlive it. NULL: no memory. */
struct table *table_new(const char *state_directory, struct event_base *base,
                        struct child_runner *runner, const struct postfix *postfix,
                        const struct table_hooks *hooks);
void table_free(struct table **table);

/* From the next table_flush on, this is wanted for the key. */
void table_want(struct table *table, struct slice key, enum route route);
/* From the next table_flush on, exactly what hooks->source says. */
void table_want_all(struct table *table);
/* Publishes what is wanted, unless that is being done already; failures are tried again. */
void table_flush(struct table *table);

/* True when everything that was asked for is published. */
bool table_is_settled(const struct table *table);
/* Rises with each change that was published. */
uint64_t table_generation(const struct table *table);
/* What it will be when all that was asked for is published. */
uint64_t table_generation_wanted(const struct table *table);

/* Publishes anew when the file is not as we left it; every now and then. */
void table_check(struct table *table);

/*
 * Writes a table without any route, at once and without an event loop: the last act of posternd,
 * and what postern-gate does when posternd is gone. False, with a line in error_r.
 */
bool table_withdraw(const char *state_directory, const struct postfix *postfix, char *error_r,
                    size_t size);

#endif
