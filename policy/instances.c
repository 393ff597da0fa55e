#include "instances.h"

#include <stdlib.h>
#include <sys/queue.h>

struct instance {
    TAILQ_ENTRY(instance) by_use; /* the one last asked for is the last */
    LIST_ENTRY(instance) in_bucket;
    struct inbound *inbound;
    int64_t used;
    size_t len;
    char name[];
};

TAILQ_HEAD(uses, instance);
LIST_HEAD(bucket, instance);

struct instances {
    size_t most;
    int64_t lifetime;
    size_t count;
    struct uses uses;
    size_t bucket_count;
    struct bucket buckets[];
};

struct instances *instances_new(size_t most, int64_t lifetime_ms)
{
    struct instances *instances = calloc(1, sizeof(*instances) + most * sizeof(struct bucket));

    if (instances == NULL)
        return NULL;
    instances->most = most;
    instances->lifetime = lifetime_ms;
    instances->bucket_count = most;
    TAILQ_INIT(&instances->uses);
    return instances;
}

void instances_free(struct instances **instances)
{
    if (*instances == NULL)
        return;
    instances_clear(*instances);
    free(*instances);
    *instances = NULL;
}

/* FNV-1a. The names are smtpd(8)'s own, not a stranger's. */
static struct bucket *bucket_of(struct instances *instances, struct slice name)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.at[i]) * 16777619u;
    return &instances->buckets[hash % instances->bucket_count];
}

static struct instance *find(struct instances *instances, struct slice name)
{
    struct instance *instance;

    LIST_FOREACH(instance, bucket_of(instances, name), in_bucket)
    if (instance->len == name.len && memcmp(instance->name, name.at, name.len) == 0)
        return instance;
    return NULL;
}

static void forget(struct instances *instances, struct instance *instance)
{
    TAILQ_REMOVE(&instances->uses, instance, by_use);
    LIST_REMOVE(instance, in_bucket);
    inbound_free(&instance->inbound);
    free(instance);
    instances->count--;
}

static void forget_old(struct instances *instances, int64_t now)
{
    struct instance *oldest;

    while ((oldest = TAILQ_FIRST(&instances->uses)) != NULL &&
           now - oldest->used >= instances->lifetime)
        forget(instances, oldest);
}

/* Takes `inbound` over. NULL when there is no memory. */
static struct instance *add(struct instances *instances, struct slice name, struct inbound *inbound)
{
    struct instance *instance = calloc(1, sizeof(*instance) + name.len);

    if (instance == NULL) {
        inbound_free(&inbound);
        return NULL;
    }
    if (instances->count == instances->most)
        forget(instances, TAILQ_FIRST(&instances->uses));
    instance->inbound = inbound;
    instance->len = name.len;
    memcpy(instance->name, name.at, name.len);
    TAILQ_INSERT_TAIL(&instances->uses, instance, by_use);
    LIST_INSERT_HEAD(bucket_of(instances, name), instance, in_bucket);
    instances->count++;
    return instance;
}

struct inbound *instances_get(struct instances *instances, struct slice name,
                              const struct config *config, const struct inbound_mail *mail,
                              int64_t now)
{
    struct instance *instance;

    forget_old(instances, now);
    instance = find(instances, name);
    if (instance == NULL) {
        struct inbound *inbound = inbound_begin(config, mail);
        if (inbound)
            instance = add(instances, name, inbound);
    }
    if (instance == NULL)
        return NULL;
    instance->used = now;
    TAILQ_REMOVE(&instances->uses, instance, by_use);
    TAILQ_INSERT_TAIL(&instances->uses, instance, by_use);
    return instance->inbound;
}

void instances_end(struct instances *instances, struct slice name)
{
    struct instance *instance = find(instances, name);

    if (instance)
        forget(instances, instance);
}

void instances_clear(struct instances *instances)
{
    struct instance *instance;

    while ((instance = TAILQ_FIRST(&instances->uses)) != NULL)
        forget(instances, instance);
}

size_t instances_count(const struct instances *instances)
{
    return instances->count;
}
