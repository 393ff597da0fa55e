#include "state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "lock.h"
#include "log.h"

/* How long it is believed that posternd lives, and that the file is the same. */
enum { BELIEVED = 1 }; /* s */

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
/* All under `turn`. */
static struct store *store;
static char *directory; /* whose state `store` is */
static struct stat file;
static time_t checked; /* monotonic */
static bool alive;
static bool said;

static time_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static void say(const char *why)
{
    if (!said)
        log_warning("%s: mail is accepted as it comes until that has passed", why);
    said = true;
}

/* posternd puts a damaged file aside and begins another. */
static bool is_another(const struct stat *st)
{
    return st->st_dev != file.st_dev || st->st_ino != file.st_ino;
}

static void open_store(const char *wanted)
{
    char path[4200];
    char error[512];
    struct stat st;

    snprintf(path, sizeof(path), "%s/state.mdb", wanted);
    if (stat(path, &st) != 0)
        memset(&st, 0, sizeof(st));
    if (store && directory && strcmp(directory, wanted) == 0 && !is_another(&st))
        return;
    store_close(&store);
    free(directory);
    directory = strdup(wanted);
    file = st;
    store = directory ? store_open(wanted, false, (gid_t)-1, error, sizeof(error)) : NULL;
    if (store == NULL)
        say(directory ? error : "out of memory");
}

static void look(const char *wanted)
{
    time_t now = monotonic();

    if (directory && strcmp(directory, wanted) == 0 && now < checked + BELIEVED)
        return;
    checked = now;
    alive = lock_is_held(wanted);
    if (!alive)
        say("posternd does not run");
    else
        open_store(wanted);
}

struct store *state_begin(const struct config *config)
{
    pthread_mutex_lock(&turn);
    look(config_state_directory(config));
    if (alive && store && store_begin(store)) {
        if (said)
            log_info("posternd is asked again");
        said = false;
        return store;
    }
    pthread_mutex_unlock(&turn);
    return NULL;
}

void state_end(struct store *begun)
{
    store_abort(begun);
    pthread_mutex_unlock(&turn);
}
