/* Postfix's own reports, about which the milter asks. */
#include "daemon_early.h"

#include <stdlib.h>

#include <event2/event.h>

#include "control.h"
#include "counters.h"

enum {
    CLAIMS_MAX = 200, /* that wait for an answer; more pass as they are */
    CLAIM_SECONDS = 3,
};

/* A report of Postfix's, asked about by the milter. */
struct claim {
    LIST_ENTRY(claim) link;
    struct daemon *daemon;
    struct control_reply *reply;
    struct event *deadline;
    json_t *body; /* checked */
};

/* All its recipients were reported already, some, or none. */
static enum counter claim_counter(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "reported");
    const json_t *one;
    size_t reported = 0;
    size_t i;

    json_array_foreach(list, i, one) reported += json_is_true(one);
    if (reported == 0)
        return COUNTER_CLAIMS_KEPT;
    return reported < json_array_size(list) ? COUNTER_CLAIMS_REDUCED : COUNTER_CLAIMS_DISCARDED;
}

static void end_claim(struct claim *claim, bool done, json_t *answer)
{
    counters_add(claim_counter(done ? answer : NULL));
    LIST_REMOVE(claim, link);
    claim->daemon->early->claim_count--;
    control_reply_send(&claim->reply, done, answer);
    if (claim->deadline)
        event_free(claim->deadline);
    json_decref(claim->body);
    free(claim);
}

/* The answer about each; NULL: one of ours is on its way. Within a transaction. */
static json_t *answer_claim(struct daemon *daemon, const json_t *body, bool *wait_r)
{
    struct slice id = slice_of(json_string_value(json_object_get(body, "queue_id")));
    json_t *list = json_array();
    const json_t *address;
    size_t i;

    *wait_r = false;
    json_array_foreach(json_object_get(body, "recipients"), i, address)
    {
        enum ledger_claim claim =
            ledger_claim(daemon->ledger, id, slice_of(json_string_value(address)));
        *wait_r |= claim == LEDGER_CLAIM_WAIT;
        json_array_append_new(list, json_boolean(claim == LEDGER_CLAIM_DROP));
    }
    return json_pack("{s:o}", "reported", list);
}

static void settle_claim(struct claim *claim)
{
    struct daemon *daemon = claim->daemon;
    const char *report = json_string_value(json_object_get(claim->body, "report"));
    enum origin origin = origins_of(daemon->early->origins, slice_of(report));
    json_t *answer;
    bool written;
    bool wait;

    if (origin == ORIGIN_SUBMITTED)
        end_claim(claim, false, NULL);
    if (origin != ORIGIN_INTERNAL)
        return;
    if (!daemon_begin(daemon)) {
        end_claim(claim, false, NULL);
        return;
    }
    answer = answer_claim(daemon, claim->body, &wait);
    written = store_commit(daemon->store);
    if (written && wait)
        json_decref(answer);
    else
        end_claim(claim, written, answer);
}

void early_settle_claims(struct daemon *daemon)
{
    struct claim *claim = LIST_FIRST(&daemon->early->claims);

    while (claim) {
        struct claim *next = LIST_NEXT(claim, link);
        settle_claim(claim);
        claim = next;
    }
}

static void on_claim_deadline(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    end_claim(arg, false, NULL);
}

static bool is_claim(const json_t *body)
{
    const json_t *list = json_object_get(body, "recipients");
    const json_t *address;
    size_t i;

    if (!json_is_string(json_object_get(body, "queue_id")) ||
        !json_is_string(json_object_get(body, "report")) || !json_is_array(list) ||
        json_array_size(list) > ENVELOPE_RECIPIENTS_MAX)
        return false;
    json_array_foreach(list, i, address) if (!json_is_string(address)) return false;
    return true;
}

void daemon_bounce(struct daemon *daemon, const json_t *body, struct control_reply *reply)
{
    struct daemon_early *early = daemon->early;
    const struct timeval patience = {CLAIM_SECONDS, 0};
    struct claim *claim =
        is_claim(body) && early->claim_count < CLAIMS_MAX ? calloc(1, sizeof(*claim)) : NULL;

    if (claim == NULL) {
        control_reply_send(&reply, false, NULL);
        return;
    }
    claim->daemon = daemon;
    claim->reply = reply;
    claim->body = json_incref((json_t *)(uintptr_t)body);
    claim->deadline = evtimer_new(daemon->base, on_claim_deadline, claim);
    LIST_INSERT_HEAD(&early->claims, claim, link);
    early->claim_count++;
    if (claim->deadline == NULL || evtimer_add(claim->deadline, &patience) != 0)
        end_claim(claim, false, NULL);
    else
        settle_claim(claim);
}

void claims_drop(struct daemon *daemon)
{
    while (!LIST_EMPTY(&daemon->early->claims))
        end_claim(LIST_FIRST(&daemon->early->claims), false, NULL);
}
