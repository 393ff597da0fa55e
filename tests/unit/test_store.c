/*
 * The state on disk: errors that stick, a map that grows, files that are no good, readers beside
 * the writer. LMDB wants one environment per process, so readers are processes of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store.h"

struct fixture {
    char folder[64];
    int saved_stderr;
    struct store *store;
};

static struct fixture fx;

/* The linker puts this before LMDB's own: a map that begins a thousand times smaller fills at once.
 */
int __wrap_mdb_env_set_mapsize(MDB_env *env, size_t size);
int __real_mdb_env_set_mapsize(MDB_env *env, size_t size);

static unsigned growths;

int __wrap_mdb_env_set_mapsize(MDB_env *env, size_t size)
{
    bool first = size == (size_t)1 << 30;

    growths += !first && size > 0;
    return __real_mdb_env_set_mapsize(env, first ? size >> 10 : size);
}

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", fx.folder, name);
    return path;
}

/* Errors go to standard error, which is a file during a test. */
static int set_up(void **state)
{
    int fd;

    (void)state;
    fx = (struct fixture){.folder = "/tmp/postern-test-store.XXXXXX"};
    if (mkdtemp(fx.folder) == NULL)
        return -1;
    growths = 0;
    fx.saved_stderr = dup(STDERR_FILENO);
    fd = open(path_of("stderr"), O_RDWR | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDERR_FILENO);
    return close(fd);
}

static int tear_down(void **state)
{
    char command[256];

    (void)state;
    store_close(&fx.store);
    dup2(fx.saved_stderr, STDERR_FILENO);
    close(fx.saved_stderr);
    snprintf(command, sizeof(command), "rm -rf %s", fx.folder);
    return system(command);
}

static void open_writable(void)
{
    char error[512] = "";

    fx.store = store_open(fx.folder, true, (gid_t)-1, error, sizeof(error));
    if (fx.store == NULL)
        fail_msg("%s", error);
}

static void put(const char *key, const char *value)
{
    store_put(fx.store, STORE_ROUTE, slice_of(key), slice_of(value));
}

static bool has(struct store *store, const char *key, const char *value)
{
    struct slice found;

    return store_get(store, STORE_ROUTE, slice_of(key), &found) && slice_equals(found, value);
}

/* Values of one key each, in a transaction of its own. */
static void commit_one(const char *key, const char *value)
{
    assert_true(store_begin(fx.store));
    put(key, value);
    assert_true(store_commit(fx.store));
}

static void entries_are_found_in_order(void **state)
{
    struct slice key;
    struct slice value;

    (void)state;
    open_writable();
    assert_true(store_begin(fx.store));
    put("b", "2");
    put("a", "1");
    put("c", "");
    assert_int_equal(store_count(fx.store, STORE_ROUTE), 3);
    assert_int_equal(store_count(fx.store, STORE_DUE), 0);
    assert_true(store_seek(fx.store, STORE_ROUTE, slice_of(""), &key, &value));
    assert_true(slice_equals(key, "a") && slice_equals(value, "1"));
    assert_true(store_next(fx.store, STORE_ROUTE, &key, &value));
    assert_true(slice_equals(key, "b"));
    assert_true(store_seek(fx.store, STORE_ROUTE, slice_of("bb"), &key, &value));
    assert_true(slice_equals(key, "c") && value.len == 0);
    assert_false(store_next(fx.store, STORE_ROUTE, &key, &value));
    assert_false(store_seek(fx.store, STORE_ROUTE, slice_of("d"), &key, &value));
    store_delete(fx.store, STORE_ROUTE, slice_of("b"));
    assert_false(has(fx.store, "b", "2"));
    assert_true(store_commit(fx.store));
}

static void what_is_absent_is_no_error(void **state)
{
    (void)state;
    open_writable();
    assert_true(store_begin(fx.store));
    assert_false(has(fx.store, "nothing", ""));
    store_delete(fx.store, STORE_ROUTE, slice_of("nothing"));
    store_clear(fx.store, STORE_ROUTE);
    put("a", "1");
    assert_true(store_commit(fx.store));
    assert_true(store_begin(fx.store));
    store_clear(fx.store, STORE_ROUTE);
    assert_int_equal(store_count(fx.store, STORE_ROUTE), 0);
    assert_true(store_commit(fx.store));
}

static void an_error_sticks_until_the_end(void **state)
{
    char key[STORE_KEY_MAX + 1];
    struct slice found_key;
    struct slice found;
    const struct {
        const char *label;
        struct slice key;
    } cases[] = {
        {"key too long", {key, sizeof(key)}},
        {"key empty", {key, 0}},
    };

    (void)state;
    memset(key, 'k', sizeof(key));
    open_writable();
    commit_one("before", "1");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(store_begin(fx.store));
        put("during", "1");
        store_put(fx.store, STORE_ROUTE, cases[i].key, slice_of("x"));
        put("after", "1");
        store_delete(fx.store, STORE_ROUTE, slice_of("before"));
        store_clear(fx.store, STORE_ROUTE);
        if (has(fx.store, "before", "1") || store_count(fx.store, STORE_ROUTE) != 0 ||
            store_seek(fx.store, STORE_ROUTE, slice_of(""), &found_key, &found) ||
            store_next(fx.store, STORE_ROUTE, &found_key, &found))
            fail_msg("%s: reads go on", cases[i].label);
        if (store_commit(fx.store))
            fail_msg("%s: committed", cases[i].label);
        assert_string_equal(store_error(fx.store), mdb_strerror(MDB_BAD_VALSIZE));
        assert_true(store_begin(fx.store));
        if (!has(fx.store, "before", "1") || store_count(fx.store, STORE_ROUTE) != 1)
            fail_msg("%s: something of it stayed", cases[i].label);
        store_abort(fx.store);
    }
}

static void the_longest_key_is_taken(void **state)
{
    char key[STORE_KEY_MAX];
    struct slice found;

    (void)state;
    memset(key, 'k', sizeof(key));
    open_writable();
    assert_true(store_begin(fx.store));
    store_put(fx.store, STORE_DUE, (struct slice){key, sizeof(key)}, slice_of("x"));
    assert_true(store_commit(fx.store));
    assert_true(store_begin(fx.store));
    assert_true(store_get(fx.store, STORE_DUE, (struct slice){key, sizeof(key)}, &found));
    store_abort(fx.store);
}

static void what_was_aborted_is_gone(void **state)
{
    (void)state;
    open_writable();
    assert_true(store_begin(fx.store));
    put("a", "1");
    store_abort(fx.store);
    store_abort(fx.store);
    assert_true(store_begin(fx.store));
    assert_false(has(fx.store, "a", "1"));
    store_abort(fx.store);
    store_close(&fx.store);
    assert_null(fx.store);
    store_close(&fx.store);
}

/* About 5 MB in one transaction, into a map of 1 MB. False when the map was full. */
enum { MANY = 5000, VALUE = 1000 };

static bool put_many(void)
{
    static char value[VALUE];
    char key[16];

    assert_true(store_begin(fx.store));
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(key, sizeof(key), "%08d", i);
        store_put(fx.store, STORE_ATTEMPT, (struct slice){key, (size_t)len},
                  (struct slice){value, sizeof(value)});
    }
    return store_commit(fx.store);
}

static void a_full_map_grows_and_the_work_is_done_again(void **state)
{
    unsigned tries = 1;

    (void)state;
    open_writable();
    commit_one("before", "1");
    while (!put_many()) {
        assert_string_equal(store_error(fx.store), mdb_strerror(MDB_MAP_FULL));
        assert_true(++tries < 10);
    }
    assert_uint_in_range(tries, 2, 5); /* it doubles: 1, 2, 4, 8 MB */
    assert_int_equal(growths, tries - 1);
    assert_true(store_begin(fx.store));
    assert_int_equal(store_count(fx.store, STORE_ATTEMPT), MANY);
    assert_true(has(fx.store, "before", "1"));
    store_abort(fx.store);
    /* Opened anew, the map is at least as large as what is in it. */
    store_close(&fx.store);
    open_writable();
    assert_true(store_begin(fx.store));
    assert_int_equal(store_count(fx.store, STORE_ATTEMPT), MANY);
    store_abort(fx.store);
}

/* Files that are no good */

static void write_file(const char *name, char byte, size_t len)
{
    FILE *file = fopen(path_of(name), "w");

    assert_non_null(file);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(fputc(byte, file), byte);
    assert_int_equal(fclose(file), 0);
}

static size_t count_aside(char *first_r, size_t size)
{
    glob_t found = {0};
    size_t n;

    glob(path_of("state.mdb.bad.*"), 0, NULL, &found);
    n = found.gl_pathc;
    if (n > 0)
        snprintf(first_r, size, "%s", found.gl_pathv[0]);
    globfree(&found);
    return n;
}

static bool stderr_says(const char *words)
{
    static char text[8192];
    FILE *file = fopen(path_of("stderr"), "r");

    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return strstr(text, words) != NULL;
}

static void a_damaged_file_is_put_aside(void **state)
{
    static const struct {
        const char *label;
        size_t len;
    } cases[] = {
        {"too short for anything", 10},
        {"of the right size", 65536},
    };
    char aside[256];
    struct stat st;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_file("state.mdb", 'x', cases[i].len);
        open_writable();
        commit_one("new", "1");
        if (count_aside(aside, sizeof(aside)) != 1)
            fail_msg("%s: not put aside", cases[i].label);
        assert_int_equal(stat(aside, &st), 0);
        assert_int_equal(st.st_size, cases[i].len);
        assert_true(stderr_says("retry counts begin anew"));
        store_close(&fx.store);
        unlink(aside);
    }
}

/* Earlier versions have fewer tables. */
static void remove_table(const char *name)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;

    assert_int_equal(mdb_env_create(&env), 0);
    mdb_env_set_maxdbs(env, 1);
    assert_int_equal(mdb_env_open(env, path_of("state.mdb"), MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, name, 0, &table), 0);
    assert_int_equal(mdb_drop(txn, table, 1), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void another_format_is_put_aside(void **state)
{
    char aside[256];
    char error[512] = "";

    (void)state;
    open_writable();
    commit_one("old", "1");
    assert_true(store_begin(fx.store));
    store_put(fx.store, STORE_META, slice_of("format"), slice_of("postern-0"));
    assert_true(store_commit(fx.store));
    store_close(&fx.store);
    remove_table("hosts-of");
    assert_null(store_open(fx.folder, false, (gid_t)-1, error, sizeof(error)));
    assert_non_null(strstr(error, "state.mdb: it is of another version"));
    open_writable();
    assert_int_equal(count_aside(aside, sizeof(aside)), 1);
    assert_true(stderr_says("state.mdb: it is of another version; put aside as "));
    assert_true(store_begin(fx.store));
    assert_false(has(fx.store, "old", "1"));
    store_abort(fx.store);
    /* The new one is of the right format. */
    store_close(&fx.store);
    open_writable();
    assert_int_equal(count_aside(aside, sizeof(aside)), 1);
}

static void a_reader_leaves_bad_files_alone(void **state)
{
    char aside[256];
    char error[512] = "";

    (void)state;
    write_file("state.mdb", 'x', 65536);
    write_file("state.mdb-lock", '\0', 0);
    assert_null(store_open(fx.folder, false, (gid_t)-1, error, sizeof(error)));
    assert_non_null(strstr(error, "state.mdb: "));
    assert_int_equal(count_aside(aside, sizeof(aside)), 0);
}

static void where_there_is_nothing(void **state)
{
    static const struct {
        const char *label;
        const char *folder;
        bool writable;
    } cases[] = {
        {"a reader of nothing", "", false},
        {"no such directory", "/none", true},
        {"no such directory, to read", "/none", false},
    };
    struct stat st;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char folder[128];
        char error[512] = "";
        snprintf(folder, sizeof(folder), "%s%s", fx.folder, cases[i].folder);
        if (store_open(folder, cases[i].writable, (gid_t)-1, error, sizeof(error)) != NULL)
            fail_msg("%s: opened", cases[i].label);
        if (strstr(error, "state.mdb: No such file or directory") == NULL)
            fail_msg("%s: %s", cases[i].label, error);
    }
    /* A lock file made by whoever only looked would keep posternd out. */
    assert_int_equal(stat(path_of("state.mdb-lock"), &st), -1);
}

/* As a backup may have left it. */
static void a_reader_makes_no_lock_file(void **state)
{
    char error[512] = "";
    struct stat st;

    (void)state;
    open_writable();
    store_close(&fx.store);
    assert_int_equal(unlink(path_of("state.mdb-lock")), 0);
    fx.store = store_open(fx.folder, false, (gid_t)-1, error, sizeof(error));
    assert_null(fx.store);
    assert_non_null(strstr(error, "state.mdb-lock: No such file or directory"));
    assert_int_equal(stat(path_of("state.mdb-lock"), &st), -1);
    open_writable();
}

static void the_group_may_read(void **state)
{
    struct stat st;
    char error[512];

    (void)state;
    fx.store = store_open(fx.folder, true, getgid(), error, sizeof(error));
    assert_non_null(fx.store);
    assert_int_equal(stat(path_of("state.mdb"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_gid, getgid());
    assert_int_equal(stat(path_of("state.mdb-lock"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_int_equal(st.st_gid, getgid());
}

/* Readers beside the writer */

struct reader {
    pid_t pid;
    int ask;    /* a byte: go on */
    int answer; /* a byte: done so far */
};

static bool wait_for(int fd)
{
    char byte;

    return read(fd, &byte, 1) == 1;
}

static bool tell(int fd)
{
    return write(fd, "", 1) == 1;
}

/* Looks in one transaction before and after the writer's commit, then in a new one. */
static int read_beside(int ask, int answer)
{
    char error[512];
    struct store *store = store_open(fx.folder, false, (gid_t)-1, error, sizeof(error));

    if (store == NULL || !store_begin(store) || !has(store, "a", "1"))
        return 1;
    if (!tell(answer) || !wait_for(ask) || !has(store, "a", "1"))
        return 2;
    store_abort(store);
    if (!store_begin(store) || !has(store, "a", "2"))
        return 3;
    if (store_count(store, STORE_ATTEMPT) != MANY)
        return 4;
    store_close(&store);
    return 0;
}

static struct reader start_reader(int (*act)(int ask, int answer))
{
    struct reader reader;
    int ask[2];
    int answer[2];

    assert_int_equal(pipe(ask), 0);
    assert_int_equal(pipe(answer), 0);
    reader.pid = fork();
    if (reader.pid == 0)
        _exit(act(ask[0], answer[1]));
    close(ask[0]);
    close(answer[1]);
    reader.ask = ask[1];
    reader.answer = answer[0];
    return reader;
}

static int end_reader(struct reader *reader)
{
    int status = -1;

    close(reader->ask);
    close(reader->answer);
    waitpid(reader->pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* It sees one state, whatever is written meanwhile, and follows a map that has grown. */
static void a_reader_beside_the_writer(void **state)
{
    struct reader reader;

    (void)state;
    open_writable();
    commit_one("a", "1");
    store_close(&fx.store);
    reader = start_reader(read_beside);
    assert_true(wait_for(reader.answer));
    open_writable();
    commit_one("a", "2");
    while (!put_many())
        assert_true(growths < 10);
    assert_true(growths > 0);
    assert_true(tell(reader.ask));
    assert_int_equal(end_reader(&reader), 0);
}

static int write_as_reader(int ask, int answer)
{
    char error[512];
    struct store *store = store_open(fx.folder, false, (gid_t)-1, error, sizeof(error));

    (void)ask;
    (void)answer;
    if (store == NULL || !store_begin(store))
        return 1;
    store_put(store, STORE_ROUTE, slice_of("a"), slice_of("3"));
    return store_commit(store) ? 2 : 0;
}

static void a_reader_cannot_write(void **state)
{
    struct reader reader;

    (void)state;
    open_writable();
    commit_one("a", "1");
    store_close(&fx.store);
    reader = start_reader(write_as_reader);
    assert_int_equal(end_reader(&reader), 0);
    open_writable();
    assert_true(store_begin(fx.store));
    assert_true(has(fx.store, "a", "1"));
    store_abort(fx.store);
}

/* posternd itself reads between its transactions, again and again. */
static void the_writer_reads_between_transactions(void **state)
{
    struct slice key;
    struct slice value;

    (void)state;
    open_writable();
    commit_one("a", "1");
    for (int i = 0; i < 3; i++) {
        assert_true(store_begin_read(fx.store));
        assert_true(has(fx.store, "a", "1"));
        assert_true(store_seek(fx.store, STORE_ROUTE, slice_of(""), &key, &value));
        assert_false(has(fx.store, "b", "2"));
        store_abort(fx.store);
    }
    commit_one("b", "2");
    assert_true(store_begin_read(fx.store));
    assert_true(has(fx.store, "b", "2"));
    store_abort(fx.store);
}

/* Nothing is written in it, and what was written beside it stays. */
static void reading_and_writing_do_not_mix(void **state)
{
    (void)state;
    open_writable();
    assert_true(store_begin(fx.store));
    put("a", "1");
    assert_false(store_begin_read(fx.store));
    assert_true(store_commit(fx.store));
    assert_true(store_begin_read(fx.store));
    assert_false(store_begin_read(fx.store));
    put("b", "2");
    assert_false(has(fx.store, "a", "1")); /* the error sticks */
    store_abort(fx.store);
    assert_true(store_begin(fx.store));
    assert_true(has(fx.store, "a", "1"));
    assert_false(has(fx.store, "b", "2"));
    assert_true(store_commit(fx.store));
}

/* What is kept for the next reading is in nobody's way: neither of the map's growth nor of reuse.
 */
static void the_kept_reader_holds_nothing(void **state)
{
    static char big[60000];
    uint64_t pages;
    struct stat st;

    (void)state;
    open_writable();
    commit_one("a", "1");
    assert_true(store_begin_read(fx.store));
    store_abort(fx.store);
    memset(big, 'x', sizeof(big) - 1);
    while (growths == 0) {
        assert_true(store_begin(fx.store));
        for (int i = 0; i < 40; i++) {
            char name[16];
            snprintf(name, sizeof(name), "n%d", i);
            put(name, big);
        }
        store_commit(fx.store);
    }
    for (int i = 0; i < 20; i++)
        commit_one("n1", big);
    assert_int_equal(stat(path_of("state.mdb"), &st), 0);
    pages = (uint64_t)st.st_size;
    for (int i = 0; i < 100; i++)
        commit_one("n1", big);
    assert_int_equal(stat(path_of("state.mdb"), &st), 0);
    assert_int_equal(st.st_size, pages);
    assert_true(store_begin_read(fx.store));
    assert_true(has(fx.store, "a", "1"));
    store_abort(fx.store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_are_found_in_order),
        TEST(what_is_absent_is_no_error),
        TEST(an_error_sticks_until_the_end),
        TEST(the_longest_key_is_taken),
        TEST(what_was_aborted_is_gone),
        TEST(a_full_map_grows_and_the_work_is_done_again),
        TEST(a_damaged_file_is_put_aside),
        TEST(another_format_is_put_aside),
        TEST(a_reader_leaves_bad_files_alone),
        TEST(where_there_is_nothing),
        TEST(a_reader_makes_no_lock_file),
        TEST(the_group_may_read),
        TEST(a_reader_beside_the_writer),
        TEST(a_reader_cannot_write),
        TEST(the_writer_reads_between_transactions),
        TEST(reading_and_writing_do_not_mix),
        TEST(the_kept_reader_holds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
