#include "origins.h"

#include <stdlib.h>

/* pickup(8) hands over one message at a time, qmqpd(8) as many as there are processes. */
enum { SUBMITTED_KEPT = 256, INTERNAL_KEPT = 4096, ID_MAX = 40 };

struct id {
    char text[ID_MAX + 1];
};

/* The last ones, in a ring. */
struct ring {
    struct id *list;
    size_t size;
    size_t next;
};

struct origins {
    struct ring submitted;
    struct ring internal;
};

struct origins *origins_new(void)
{
    struct origins *o = calloc(1, sizeof(*o));

    if (o == NULL)
        return NULL;
    o->submitted = (struct ring){calloc(SUBMITTED_KEPT, sizeof(struct id)), SUBMITTED_KEPT, 0};
    o->internal = (struct ring){calloc(INTERNAL_KEPT, sizeof(struct id)), INTERNAL_KEPT, 0};
    if (o->submitted.list == NULL || o->internal.list == NULL)
        origins_free(&o);
    return o;
}

void origins_free(struct origins **origins)
{
    if (*origins) {
        free((*origins)->submitted.list);
        free((*origins)->internal.list);
    }
    free(*origins);
    *origins = NULL;
}

static bool has(const struct ring *ring, struct slice queue_id)
{
    for (size_t i = 0; i < ring->size; i++)
        if (ring->list[i].text[0] == queue_id.at[0] && slice_equals(queue_id, ring->list[i].text))
            return true;
    return false;
}

static void add(struct ring *ring, struct slice queue_id)
{
    slice_copy(ring->list[ring->next].text, ID_MAX + 1, queue_id);
    ring->next = (ring->next + 1) % ring->size;
}

static void forget(struct ring *ring, struct slice queue_id)
{
    for (size_t i = 0; i < ring->size; i++)
        if (slice_equals(queue_id, ring->list[i].text))
            ring->list[i].text[0] = '\0';
}

void origins_saw(struct origins *origins, const struct maillog_line *line)
{
    if (line->queue_id.len == 0 || line->queue_id.len > ID_MAX)
        return;
    if (line->kind == MAILLOG_SUBMITTED) {
        add(&origins->submitted, line->queue_id);
        forget(&origins->internal, line->queue_id); /* short ids are used again */
    } else if (line->kind == MAILLOG_CONTENT && !has(&origins->submitted, line->queue_id)) {
        add(&origins->internal, line->queue_id);
    }
}

enum origin origins_of(const struct origins *origins, struct slice queue_id)
{
    if (queue_id.len == 0 || queue_id.len > ID_MAX)
        return ORIGIN_UNKNOWN;
    if (has(&origins->submitted, queue_id))
        return ORIGIN_SUBMITTED;
    return has(&origins->internal, queue_id) ? ORIGIN_INTERNAL : ORIGIN_UNKNOWN;
}
