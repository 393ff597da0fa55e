#include "confref.h"

#include <pthread.h>
#include <stdlib.h>

struct confref {
    struct config *config;
    struct networks *local;
    unsigned long references; /* `current` has one of them */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct confref *current; /* under `lock`, and so are all reference counts */

static struct confref *exchange(struct confref *next)
{
    struct confref *last;

    pthread_mutex_lock(&lock);
    last = current;
    current = next;
    pthread_mutex_unlock(&lock);
    return last;
}

bool confref_set(struct config *config, struct networks *local)
{
    struct confref *next = NULL;
    struct confref *last;

    if (config != NULL) {
        next = calloc(1, sizeof(*next));
        if (next == NULL)
            return false;
        next->config = config;
        next->local = local;
        next->references = 1;
    }
    last = exchange(next);
    confref_release(&last);
    return true;
}

struct confref *confref_take(void)
{
    struct confref *ref;

    pthread_mutex_lock(&lock);
    ref = current;
    if (ref)
        ref->references++;
    pthread_mutex_unlock(&lock);
    return ref;
}

void confref_release(struct confref **ref)
{
    bool last;

    if (*ref == NULL)
        return;
    pthread_mutex_lock(&lock);
    last = --(*ref)->references == 0;
    pthread_mutex_unlock(&lock);
    if (last) {
        config_free(&(*ref)->config);
        networks_free(&(*ref)->local);
        free(*ref);
    }
    *ref = NULL;
}

const struct config *confref_config(const struct confref *ref)
{
    return ref->config;
}

const struct networks *confref_local(const struct confref *ref)
{
    return ref->local;
}
