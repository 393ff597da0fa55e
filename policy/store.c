#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>

#include "log.h"

/* Raised whenever the meaning of a record changes. */
static const char format[] = "postern-4";

/* Address space, not memory: the file grows as it is filled. Doubled when it is full. */
static const size_t first_map_size = (size_t)1 << 30;

/* posternctl and up to a few hundred postern-gate at a time. */
enum { READERS_MAX = 1024 };

static const char *const table_names[STORE_TABLES] = {
    "meta",    "destination", "name", "domain",      "recipient", "waiting", "attempt",
    "retry",   "route",       "due",  "transaction", "envelope",  "early",   "bad",
    "bad-age", "guard",       "host", "behind",      "hosts-of",
};

struct store {
    MDB_env *env;
    MDB_txn *txn;
    MDB_txn *reader; /* the writer's own, kept from one store_begin_read to the next */
    MDB_dbi tables[STORE_TABLES];
    MDB_cursor *cursors[STORE_TABLES];
    bool writable;
    int error; /* sticky within a transaction */
};

/* The one place where LMDB's codes are looked at. */
static bool failed(struct store *store, int code)
{
    if (code != MDB_SUCCESS && code != MDB_NOTFOUND && store->error == 0)
        store->error = code;
    return code != MDB_SUCCESS;
}

static MDB_val val(struct slice s)
{
    return (MDB_val){s.len, (void *)(uintptr_t)s.at};
}

static struct slice slice_from(MDB_val v)
{
    return (struct slice){v.mv_data, v.mv_size};
}

static void close_cursors(struct store *store)
{
    for (int i = 0; i < STORE_TABLES; i++) {
        if (store->cursors[i])
            mdb_cursor_close(store->cursors[i]);
        store->cursors[i] = NULL;
    }
}

bool store_begin(struct store *store)
{
    int code;

    store->error = 0;
    code = mdb_txn_begin(store->env, NULL, store->writable ? 0 : MDB_RDONLY, &store->txn);
    if (code == MDB_MAP_RESIZED) { /* posternd made it larger: take the new size */
        mdb_env_set_mapsize(store->env, 0);
        code = mdb_txn_begin(store->env, NULL, store->writable ? 0 : MDB_RDONLY, &store->txn);
    }
    return !failed(store, code);
}

bool store_begin_read(struct store *store)
{
    int code;

    if (!store->writable)
        return store_begin(store);
    if (store->txn)
        return false;
    store->error = 0;
    code = store->reader ? mdb_txn_renew(store->reader)
                         : mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reader);
    if (failed(store, code))
        return false;
    store->txn = store->reader;
    return true;
}

void store_abort(struct store *store)
{
    if (store->txn == NULL)
        return;
    close_cursors(store);
    if (store->txn == store->reader)
        mdb_txn_reset(store->reader);
    else
        mdb_txn_abort(store->txn);
    store->txn = NULL;
}

static void grow(struct store *store)
{
    MDB_envinfo info;

    if (mdb_env_info(store->env, &info) == 0)
        mdb_env_set_mapsize(store->env, info.me_mapsize * 2);
}

bool store_commit(struct store *store)
{
    if (store->error == 0) {
        close_cursors(store);
        failed(store, mdb_txn_commit(store->txn));
        store->txn = NULL;
    } else {
        store_abort(store);
    }
    if (store->error == MDB_MAP_FULL)
        grow(store);
    return store->error == 0;
}

const char *store_error(const struct store *store)
{
    return mdb_strerror(store->error);
}

bool store_get(struct store *store, enum store_table table, struct slice key, struct slice *value_r)
{
    MDB_val k = val(key);
    MDB_val v;

    if (store->error || failed(store, mdb_get(store->txn, store->tables[table], &k, &v)))
        return false;
    *value_r = slice_from(v);
    return true;
}

void store_put(struct store *store, enum store_table table, struct slice key, struct slice value)
{
    MDB_val k = val(key);
    MDB_val v = val(value);

    if (store->error == 0)
        failed(store, mdb_put(store->txn, store->tables[table], &k, &v, 0));
}

void store_delete(struct store *store, enum store_table table, struct slice key)
{
    MDB_val k = val(key);

    if (store->error == 0)
        failed(store, mdb_del(store->txn, store->tables[table], &k, NULL));
}

void store_clear(struct store *store, enum store_table table)
{
    if (store->error == 0)
        failed(store, mdb_drop(store->txn, store->tables[table], 0));
}

static MDB_cursor *cursor_of(struct store *store, enum store_table table)
{
    if (store->error == 0 && store->cursors[table] == NULL)
        failed(store, mdb_cursor_open(store->txn, store->tables[table], &store->cursors[table]));
    return store->error == 0 ? store->cursors[table] : NULL;
}

static bool move(struct store *store, enum store_table table, MDB_val *k, MDB_cursor_op op,
                 struct slice *key_r, struct slice *value_r)
{
    MDB_cursor *cursor = cursor_of(store, table);
    MDB_val v;

    if (cursor == NULL || failed(store, mdb_cursor_get(cursor, k, &v, op)))
        return false;
    *key_r = slice_from(*k);
    *value_r = slice_from(v);
    return true;
}

bool store_seek(struct store *store, enum store_table table, struct slice from, struct slice *key_r,
                struct slice *value_r)
{
    MDB_val k = val(from);

    return move(store, table, &k, from.len ? MDB_SET_RANGE : MDB_FIRST, key_r, value_r);
}

bool store_next(struct store *store, enum store_table table, struct slice *key_r,
                struct slice *value_r)
{
    MDB_val k = {0};

    return move(store, table, &k, MDB_NEXT, key_r, value_r);
}

uint64_t store_count(struct store *store, enum store_table table)
{
    MDB_stat stat;

    if (store->error || failed(store, mdb_stat(store->txn, store->tables[table], &stat)))
        return 0;
    return stat.ms_entries;
}

void store_check_readers(struct store *store)
{
    mdb_reader_check(store->env, NULL);
}

/* A file that was cut off would end the process by SIGBUS when the missing pages are read. */
static bool is_cut_off(struct store *store, const char *path)
{
    MDB_envinfo info;
    MDB_stat stat;
    struct stat file;

    if (mdb_env_info(store->env, &info) != 0 || mdb_env_stat(store->env, &stat) != 0 ||
        lstat(path, &file) != 0)
        return false;
    return (uint64_t)file.st_size < (uint64_t)(info.me_last_pgno + 1) * stat.ms_psize;
}

static bool is_other_format(struct store *store)
{
    struct slice found;

    return store_get(store, STORE_META, slice_of("format"), &found) && !slice_equals(found, format);
}

/*
 * Opens the tables and checks the format, or writes it into a new file. The format comes first:
 * another one has other tables.
 */
static int open_tables(struct store *store)
{
    struct slice found;

    if (!store_begin(store))
        return store->error;
    for (int i = 0; i < STORE_TABLES; i++) {
        int code = mdb_dbi_open(store->txn, table_names[i], store->writable ? MDB_CREATE : 0,
                                &store->tables[i]);
        if (code == 0 && i == STORE_META && is_other_format(store))
            code = MDB_VERSION_MISMATCH;
        if (code != 0) {
            store_abort(store);
            return code;
        }
    }
    if (store->writable && !store_get(store, STORE_META, slice_of("format"), &found))
        store_put(store, STORE_META, slice_of("format"), slice_of(format));
    return store_commit(store) ? 0 : store->error;
}

static int open_file(struct store *store, const char *path)
{
    /*
     * The reader's slot belongs to the transaction: a milter's threads take turns, and posternd
     * keeps one while it writes.
     */
    unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | (store->writable ? 0 : MDB_RDONLY);
    int code = mdb_env_create(&store->env);

    if (code != 0)
        return code;
    mdb_env_set_maxdbs(store->env, STORE_TABLES);
    mdb_env_set_maxreaders(store->env, READERS_MAX);
    if (store->writable)
        mdb_env_set_mapsize(store->env, first_map_size);
    code = mdb_env_open(store->env, path, flags, 0640);
    if (code == 0 && store->writable)
        store_check_readers(store);
    if (code == 0 && is_cut_off(store, path))
        code = MDB_CORRUPTED;
    if (code == 0)
        code = open_tables(store);
    if (code != 0) {
        mdb_env_close(store->env);
        store->env = NULL;
    }
    return code;
}

static bool is_damage(int code)
{
    return code == MDB_INVALID || code == MDB_CORRUPTED || code == MDB_VERSION_MISMATCH ||
           code == MDB_PAGE_NOTFOUND;
}

static const char *words_of(int code)
{
    return code == MDB_VERSION_MISMATCH ? "it is of another version" : mdb_strerror(code);
}

/* Keeps the bad file for whoever wants to look at it: counts begin anew, no mail depends on them.
 */
static int begin_anew(struct store *store, const char *path, int code)
{
    char aside[4200];

    snprintf(aside, sizeof(aside), "%s.bad.%lld", path, (long long)time(NULL));
    log_error("%s: %s; put aside as %s, retry counts begin anew", path, words_of(code), aside);
    if (rename(path, aside) != 0)
        return errno;
    snprintf(aside, sizeof(aside), "%s-lock", path);
    unlink(aside);
    return open_file(store, path);
}

/*
 * Readers write their slot into the lock file, so the group that may read needs to write there.
 */
static void let_group_read(const char *path, gid_t group)
{
    char lock[4200];

    snprintf(lock, sizeof(lock), "%s-lock", path);
    if (chown(path, (uid_t)-1, group) != 0 || chmod(path, 0640) != 0 ||
        chown(lock, (uid_t)-1, group) != 0 || chmod(lock, 0660) != 0)
        log_warning("%s: cannot let postern-gate read it: %m", path);
}

/*
 * A state without its lock file, as a backup may have left it, waits for posternd: if a reader made
 * that file, it would be the reader's own, and keep posternd out.
 */
static bool waits_for_writer(const char *path, char *error_r, size_t size)
{
    char lock[4200];

    snprintf(lock, sizeof(lock), "%s-lock", path);
    if (access(path, F_OK) != 0 || access(lock, F_OK) == 0 || errno != ENOENT)
        return false;
    snprintf(error_r, size, "%s: %s", lock, strerror(ENOENT));
    return true;
}

struct store *store_open(const char *directory, bool writable, gid_t group, char *error_r,
                         size_t size)
{
    struct store *store = calloc(1, sizeof(*store));
    char path[4096];
    int code;

    if (store == NULL) {
        snprintf(error_r, size, "out of memory");
        return NULL;
    }
    store->writable = writable;
    snprintf(path, sizeof(path), "%s/state.mdb", directory);
    if (!writable && waits_for_writer(path, error_r, size)) {
        free(store);
        return NULL;
    }
    code = open_file(store, path);
    if (is_damage(code) && writable)
        code = begin_anew(store, path, code);
    if (code != 0) {
        snprintf(error_r, size, "%s: %s", path, words_of(code));
        store_close(&store);
        return NULL;
    }
    if (writable && group != (gid_t)-1)
        let_group_read(path, group);
    return store;
}

void store_close(struct store **store)
{
    if (*store == NULL)
        return;
    store_abort(*store);
    if ((*store)->reader)
        mdb_txn_abort((*store)->reader);
    if ((*store)->env)
        mdb_env_close((*store)->env);
    free(*store);
    *store = NULL;
}
