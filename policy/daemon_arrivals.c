/* What the door tells of messages, on its way into the state. */
#include "daemon_early.h"

#include <stdlib.h>

#include "control.h"

enum {
    ENVELOPES_MAX = 4000, /* not yet written; more are left to Postfix */
    ENVELOPES_BYTES_MAX = 32 << 20,
};

/* One that the door told of, not yet written. */
struct arrival {
    STAILQ_ENTRY(arrival) link;
    char *queue_id;
    int64_t arrived;
    char *json;
    size_t len;
    struct control_reply *reply; /* of the last one of a request; else NULL */
};

static void drop_arrival(struct daemon_early *early, struct arrival *arrival, bool written)
{
    early->arrival_count--;
    early->arrival_bytes -= arrival->len;
    if (arrival->reply)
        control_reply_send(&arrival->reply, written, NULL);
    free(arrival->queue_id);
    free(arrival->json);
    free(arrival);
}

static struct arrival *make_arrival(const struct envelope *envelope)
{
    struct arrival *arrival = calloc(1, sizeof(*arrival));
    json_t *json = envelope_to_json(envelope);

    if (arrival) {
        arrival->queue_id = strdup(envelope->queue_id);
        arrival->json = json ? json_dumps(json, JSON_COMPACT) : NULL;
        arrival->arrived = envelope->arrived;
    }
    json_decref(json);
    if (arrival && arrival->queue_id && arrival->json) {
        arrival->len = strlen(arrival->json);
        return arrival;
    }
    if (arrival) {
        free(arrival->queue_id);
        free(arrival->json);
    }
    free(arrival);
    return NULL;
}

/* NULL: it is of no use, or there are too many. */
static struct arrival *add_arrival(struct daemon_early *early, const json_t *json)
{
    struct envelope *envelope = envelope_from_json(json);
    struct arrival *arrival = NULL;

    if (envelope && envelope->sender[0] && early->arrival_count < ENVELOPES_MAX &&
        early->arrival_bytes < ENVELOPES_BYTES_MAX)
        arrival = make_arrival(envelope);
    envelope_free(&envelope);
    if (arrival == NULL)
        return NULL;
    early->arrival_count++;
    early->arrival_bytes += arrival->len;
    STAILQ_INSERT_TAIL(&early->arrivals, arrival, link);
    return arrival;
}

void daemon_envelopes(struct daemon *daemon, const json_t *body, struct control_reply *reply)
{
    struct arrival *last = NULL;
    const json_t *one;
    size_t i;

    json_array_foreach(body, i, one)
    {
        struct arrival *arrival = add_arrival(daemon->early, one);
        last = arrival ? arrival : last;
    }
    if (last)
        last->reply = reply;
    else
        control_reply_send(&reply, false, NULL);
    daemon_soon(daemon);
}

void early_store_arrivals(struct daemon *daemon)
{
    struct arrival *arrival;

    STAILQ_FOREACH(arrival, &daemon->early->arrivals, link)
    ledger_envelope(daemon->ledger, slice_of(arrival->queue_id), arrival->arrived,
                    (struct slice){arrival->json, arrival->len});
}

void early_drop_arrivals(struct daemon *daemon, bool written)
{
    struct daemon_early *early = daemon->early;
    struct arrival *arrival;

    while ((arrival = STAILQ_FIRST(&early->arrivals)) != NULL) {
        STAILQ_REMOVE_HEAD(&early->arrivals, link);
        drop_arrival(early, arrival, written);
    }
}
