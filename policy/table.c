#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "counters.h"
#include "log.h"

/* More changes than this at a time: a rebuild is cheaper, and bounds what is kept here. */
enum { CHANGES_MAX = 1000 };
enum { POSTMAP_TIMEOUT = 60 * 1000, PAUSE_MAX = 60 };

struct change {
    char *key;
    enum route route;
};

struct table {
    char path[4096]; /* without ".lmdb" */
    char map[4200];  /* "lmdb:" and the path */
    struct child_runner *runner;
    const struct postfix *postfix;
    struct table_hooks hooks;
    struct event *retry;
    struct change changes[CHANGES_MAX];
    size_t change_count;
    bool rebuild;
    bool running;
    int pause;       /* seconds until the next try after a failure; 0: all is well */
    char *additions; /* waits for the deletions to be done */
    uint64_t generation;
    struct stat file; /* as we left it */
};

/* One line of postmap's input. */
static void print_route(FILE *to, const struct table_hooks *hooks, struct slice key,
                        enum route route)
{
    char service[ROUTE_SERVICE_MAX];

    fprintf(to, "%.*s\t%s:%s\n", (int)key.len, key.at, route_service(route, service),
            route_delivers(route) ? hooks->nexthop(hooks->context) : "");
}

static void forget_changes(struct table *table)
{
    for (size_t i = 0; i < table->change_count; i++)
        free(table->changes[i].key);
    table->change_count = 0;
}

void table_want(struct table *table, struct slice key, enum route route)
{
    struct change change = {NULL, route};

    if (table->rebuild)
        return; /* which asks for all routes then */
    change.key = strndup(key.at, key.len);
    for (size_t i = 0; change.key && i < table->change_count; i++) {
        if (strcmp(table->changes[i].key, change.key) == 0) {
            table->changes[i].route = route;
            free(change.key);
            return;
        }
    }
    if (change.key == NULL || table->change_count == CHANGES_MAX) {
        free(change.key);
        table_want_all(table);
        return;
    }
    table->changes[table->change_count++] = change;
}

void table_want_all(struct table *table)
{
    table->rebuild = true;
}

bool table_is_settled(const struct table *table)
{
    return !table->running && !table->rebuild && table->change_count == 0;
}

uint64_t table_generation(const struct table *table)
{
    return table->generation;
}

uint64_t table_generation_wanted(const struct table *table)
{
    return table->generation + (table->running ? 1 : 0) +
           (table->rebuild || table->change_count > 0 ? 1 : 0);
}

static void take_owner(struct child_command *command, const char *path);

static void try_later(struct table *table, const struct child_end *end)
{
    char why[512];
    struct timeval wait = {0, 0};

    counters_add(COUNTER_PUBLISH_FAILED);
    if (table->pause == 0) {
        child_explain(end, why, sizeof(why));
        log_error("%s: postmap: %s; trying again until it works", table->path, why);
    }
    table->pause = table->pause ? table->pause * 2 : 1;
    if (table->pause > PAUSE_MAX)
        table->pause = PAUSE_MAX;
    table->rebuild = true; /* what was published is not known any more */
    wait.tv_sec = table->pause;
    event_add(table->retry, &wait);
}

static void on_retry(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    table_flush(arg);
}

static void run(struct table *table, const char *option, const char *replace, char *input,
                size_t input_len, child_done *done)
{
    char *argv[8];
    struct child_command command = {.argv = argv, .timeout_ms = POSTMAP_TIMEOUT};
    int n = 0;

    argv[n++] = (char *)(uintptr_t)postfix_postmap(table->postfix);
    argv[n++] = (char *)(uintptr_t) "-c";
    argv[n++] = (char *)(uintptr_t)postfix_config_directory(table->postfix);
    if (replace)
        argv[n++] = (char *)(uintptr_t)replace;
    if (option)
        argv[n++] = (char *)(uintptr_t)option;
    if (option && strcmp(option, "-d") == 0)
        argv[n++] = (char *)(uintptr_t) "-";
    argv[n++] = table->map;
    argv[n] = NULL;
    command.input = input;
    command.input_len = input_len;
    take_owner(&command, table->path);
    table->running = true;
    if (child_start_command(table->runner, &command, done, table) != 0) {
        struct child_end end = {.status = -1, .error = errno, .text = ""};
        table->running = false;
        try_later(table, &end);
    }
}

static void file_of(const struct table *table, struct stat *st)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s.lmdb", table->path);
    if (stat(path, st) != 0)
        memset(st, 0, sizeof(*st));
}

static void note_file(struct table *table)
{
    file_of(table, &table->file);
}

/* Who else writes it: an administrator, or a gate that found posternd gone when it only hung. */
void table_check(struct table *table)
{
    struct stat st;

    if (!table_is_settled(table) || table->generation == 0)
        return;
    file_of(table, &st);
    if (st.st_ino == table->file.st_ino && st.st_mtim.tv_sec == table->file.st_mtim.tv_sec &&
        st.st_mtim.tv_nsec == table->file.st_mtim.tv_nsec)
        return;
    log_error("%s.lmdb: %s; published anew", table->path,
              st.st_ino == 0 ? "it is gone, which makes Postfix refuse or defer all mail"
                             : "somebody else wrote it");
    table_want_all(table);
    table_flush(table);
}

static void published(struct table *table)
{
    if (table->pause)
        log_info("%s: published again", table->path);
    table->pause = 0;
    counters_add(COUNTER_PUBLISHED);
    table->generation++;
    note_file(table);
    table_flush(table);
    if (table_is_settled(table))
        table->hooks.settled(table->hooks.context);
}

static void on_published(void *arg, const struct child_end *end)
{
    struct table *table = arg;

    table->running = false;
    if (end->status != 0)
        try_later(table, end);
    else
        published(table);
}

/* postmap -d exits with 1, in silence, when none of the keys was there: that is as wanted. */
static void on_deleted(void *arg, const struct child_end *end)
{
    struct table *table = arg;
    char *additions = table->additions;

    table->running = false;
    table->additions = NULL;
    if (end->status != 0 && !(end->status == 1 && end->text_len == 0))
        try_later(table, end);
    else if (additions && *additions)
        run(table, "-i", "-r", additions, strlen(additions), on_published);
    else
        published(table);
    free(additions);
}

/* Deletions go first; on_deleted goes on with the additions. */
static void flush_changes(struct table *table)
{
    char *deletions = NULL;
    size_t deletions_len = 0;
    size_t additions_len = 0;
    FILE *gone = open_memstream(&deletions, &deletions_len);
    FILE *new;

    free(table->additions); /* of a command that could not be started */
    table->additions = NULL;
    new = open_memstream(&table->additions, &additions_len);

    for (size_t i = 0; gone && new &&i < table->change_count; i++) {
        if (table->changes[i].route == ROUTE_NONE)
            fprintf(gone, "%s\n", table->changes[i].key);
        else
            print_route(new, &table->hooks, slice_of(table->changes[i].key),
                        table->changes[i].route);
    }
    if (gone == NULL || fclose(gone) != 0 || new == NULL || fclose(new) != 0)
        log_fatal(71, "out of memory");
    forget_changes(table);
    if (deletions_len > 0) {
        run(table, "-d", NULL, deletions, deletions_len, on_deleted);
    } else {
        struct child_end nothing = {.status = 0, .text = ""};
        on_deleted(table, &nothing);
    }
    free(deletions);
}

struct emission {
    FILE *to;
    const struct table_hooks *hooks;
};

static void emit_line(void *context, struct slice key, enum route route)
{
    const struct emission *emission = context;

    print_route(emission->to, emission->hooks, key, route);
}

/*
 * The account that the table belongs to is the one that owns its directory: posternd's own or,
 * where posternd stays root, the gate's. Root must not work in a directory of somebody else's,
 * where any name may be a link to elsewhere, so postmap runs as that account.
 */
static void take_owner(struct child_command *command, const char *path)
{
    char directory[4096];
    struct stat st;

    slice_copy(directory, sizeof(directory),
               (struct slice){path, (size_t)(strrchr(path, '/') - path)});
    if (geteuid() != 0 || lstat(directory, &st) != 0 || st.st_uid == 0)
        return;
    command->as_account = true;
    command->uid = st.st_uid;
    command->gid = st.st_gid;
}

/* A new file under a name of its own, then renamed: no link is followed, no reader sees half of it.
 */
static FILE *open_new(const char *path, char *temporary, size_t size)
{
    struct child_command owner = {.as_account = false};
    FILE *file;
    int fd;

    snprintf(temporary, size, "%s.XXXXXX", path);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return NULL;
    take_owner(&owner, path);
    if (fchmod(fd, 0644) != 0 || (owner.as_account && fchown(fd, owner.uid, owner.gid) != 0)) {
        unlink(temporary);
        close(fd);
        return NULL;
    }
    file = fdopen(fd, "w");
    if (file == NULL)
        close(fd);
    return file;
}

/* postmap reads the source of a new table from the file that the table is named after. */
static bool write_source(const char *path, const struct table_hooks *hooks)
{
    char temporary[4200];
    FILE *file = open_new(path, temporary, sizeof(temporary));
    bool good;

    if (file == NULL)
        return false;
    good =
        hooks == NULL || hooks->source(hooks->context, emit_line, &(struct emission){file, hooks});
    good = ferror(file) == 0 && good;
    good = fclose(file) == 0 && good && rename(temporary, path) == 0;
    if (!good)
        unlink(temporary);
    return good;
}

static void flush_all(struct table *table)
{
    table->rebuild = false;
    forget_changes(table);
    if (write_source(table->path, &table->hooks)) {
        run(table, NULL, NULL, NULL, 0, on_published);
    } else {
        struct child_end end = {.status = -1, .error = errno, .text = ""};
        try_later(table, &end);
    }
}

void table_flush(struct table *table)
{
    if (table->running || event_pending(table->retry, EV_TIMEOUT, NULL))
        return;
    if (table->rebuild)
        flush_all(table);
    else if (table->change_count > 0)
        flush_changes(table);
}

static void table_path(char *path, size_t size, const char *state_directory)
{
    snprintf(path, size, "%s/tables/transport", state_directory);
}

struct table *table_new(const char *state_directory, struct event_base *base,
                        struct child_runner *runner, const struct postfix *postfix,
                        const struct table_hooks *hooks)
{
    struct table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return NULL;
    table_path(table->path, sizeof(table->path), state_directory);
    snprintf(table->map, sizeof(table->map), "lmdb:%s", table->path);
    table->runner = runner;
    table->postfix = postfix;
    table->hooks = *hooks;
    table->retry = event_new(base, -1, 0, on_retry, table);
    if (table->retry == NULL)
        table_free(&table);
    return table;
}

void table_free(struct table **table)
{
    if (*table == NULL)
        return;
    forget_changes(*table);
    free((*table)->additions);
    if ((*table)->retry)
        event_free((*table)->retry);
    free(*table);
    *table = NULL;
}

bool table_withdraw(const char *state_directory, const struct postfix *postfix, char *error_r,
                    size_t size)
{
    char path[4096];
    char map[4200];
    char *argv[] = {(char *)(uintptr_t)postfix_postmap(postfix), (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)postfix_config_directory(postfix), map, NULL};
    struct child_command command = {.argv = argv, .timeout_ms = POSTMAP_TIMEOUT};
    struct child_result *result;
    bool done;

    table_path(path, sizeof(path), state_directory);
    snprintf(map, sizeof(map), "lmdb:%s", path);
    if (!write_source(path, NULL)) {
        snprintf(error_r, size, "%s: %s", path, strerror(errno));
        return false;
    }
    take_owner(&command, path);
    result = child_run(&command);
    done = result && result->end.status == 0;
    if (!done && result)
        child_explain(&result->end, error_r, size);
    else if (!done)
        snprintf(error_r, size, "out of memory");
    free(result);
    return done;
}
