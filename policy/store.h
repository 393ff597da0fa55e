/*
 * The state on disk: the one place that calls LMDB.
 *
 * posternd opens it to write, everything else to read. Between store_begin and store_commit errors
 * are sticky: reads find nothing, writes do nothing, and store_commit returns false. The caller
 * then does the whole transaction again (after STORE_FULL the map has been made larger). One store
 * per process, opened after the last fork, used by one thread.
 */
#ifndef POSTERN_STORE_H
#define POSTERN_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "slice.h"

enum store_table {
    STORE_META,        /* name -> bytes: format, log position */
    STORE_DESTINATION, /* "d:domain" or "g:group" -> record */
    STORE_NAME,        /* destination id -> its key above */
    STORE_DOMAIN,      /* group's id, domain -> nothing: domains of a group that failed */
    STORE_RECIPIENT,   /* queue id, recipient -> record */
    STORE_WAITING,     /* destination id, baseline, queue id, recipient -> nothing */
    STORE_ATTEMPT,     /* queue id, recipient, slot -> attempt */
    STORE_RETRY,       /* destination id, slot -> counted retry */
    STORE_ROUTE,       /* key of the transport table -> what is wanted there */
    STORE_DUE,         /* time, kind, subject -> nothing */
    STORE_TRANSACTION, /* queue id, process, destination -> SMTP transaction in which recipients
                          were refused */
    STORE_ENVELOPE,    /* queue id -> what the door saw of a message */
    STORE_EARLY,       /* queue id, recipient -> one that bounced while its message is under way */
    STORE_BAD,         /* address -> what its server said: it does not exist */
    STORE_BAD_AGE,     /* time, address -> nothing: the oldest come first */
    STORE_GUARD,       /* destination id -> how many of its recipients were rejected lately */
    STORE_HOST,        /* mail host -> record */
    STORE_BEHIND,      /* mail host, destination id -> nothing */
    STORE_HOSTS_OF,    /* destination id, mail host -> when it was last seen */
    STORE_TABLES
};

enum { STORE_KEY_MAX = 511 };

struct store;

/*
 * Opens `directory`/state.mdb. `writable` creates it; a file that is damaged or of another format
 * is then put aside under a name with ".bad" and a new one begun, with an error in the log. `group`
 * is the group that may read it besides the owner ((gid_t)-1: none). NULL, with a line in error_r.
 */
struct store *store_open(const char *directory, bool writable, gid_t group, char *error_r,
                         size_t size);
void store_close(struct store **store);

bool store_begin(struct store *store);
bool store_commit(struct store *store);
void store_abort(struct store *store);
/*
 * Begins to read only, also in posternd between two transactions; ends with store_abort. Cheap: it
 * does not wait for the disk. False, too, while another transaction is open.
 */
bool store_begin_read(struct store *store);
/* Why the last store_begin or store_commit failed; static text. */
const char *store_error(const struct store *store);

/* Values point into the map: valid until the next write or the end of the transaction. */
bool store_get(struct store *store, enum store_table table, struct slice key,
               struct slice *value_r);
void store_put(struct store *store, enum store_table table, struct slice key, struct slice value);
void store_delete(struct store *store, enum store_table table, struct slice key);
void store_clear(struct store *store, enum store_table table);

/* The first entry whose key is not below `from`. To go on, ask with the key found plus a NUL byte.
 */
bool store_seek(struct store *store, enum store_table table, struct slice from, struct slice *key_r,
                struct slice *value_r);
/* The entry after the one last returned by store_seek or store_next, with no write in between. */
bool store_next(struct store *store, enum store_table table, struct slice *key_r,
                struct slice *value_r);

/* Frees what killed readers hold, which keeps the file growing; every now and then. */
void store_check_readers(struct store *store);

uint64_t store_count(struct store *store, enum store_table table);

#endif
