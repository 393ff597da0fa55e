/* Messages and recipients that failed: how they were done with, and how they would have been. */
#include "replay_parts.h"

#include <stdlib.h>
#include <string.h>

void replay_sample(struct replay_samples *samples, struct slice queue_id, struct slice recipient,
                   int64_t would, int64_t was)
{
    struct replay_sample *sample = &samples->list[samples->count];

    /* One of each message is enough. */
    if (samples->count == REPLAY_SAMPLES ||
        (samples->count > 0 && slice_equals(queue_id, sample[-1].queue_id)))
        return;
    samples->count++;
    slice_copy(sample->queue_id, sizeof(sample->queue_id), queue_id);
    slice_copy(sample->recipient, sizeof(sample->recipient), recipient);
    sample->would = would;
    sample->was = was;
}

/* Short queue ids are used again; the line that told of the end of the first may be lost. */
static bool is_other(const struct replay_message *m, const struct maillog_line *line)
{
    struct recipient r = {.arrived = m->arrived};

    return m->arrived > 0 && recipient_is_other_message(&r, line->time - line->delay, line->delay);
}

struct replay_message *replay_message_of(struct replay_study *s, const struct maillog_line *line,
                                         bool make)
{
    struct replay_message *m = replay_map_find(s->at->messages, line->queue_id);

    if (m && line->kind == MAILLOG_DELIVERY && is_other(m, line)) {
        replay_message_done(s, m, REPLAY_GONE, line->time);
        m = NULL;
    }
    if (m || !make)
        return m;
    m = replay_map_add(s->at->messages, line->queue_id);
    if (m)
        m->arrived = line->time - line->delay;
    else
        s->waiters_lost++;
    return m;
}

static struct replay_waiter *waiter_new(struct replay_study *s, struct replay_message *m,
                                        const struct key *key)
{
    struct replay_waiter *w = replay_map_add(s->at->waiters, key_slice(key));

    if (w == NULL) {
        s->waiters_lost++;
        return NULL;
    }
    w->next = m->waiters;
    if (w->next)
        w->next->previous = w;
    m->waiters = w;
    return w;
}

struct replay_waiter *replay_waiter_of(struct replay_study *s, const struct maillog_line *line,
                                       bool make)
{
    struct replay_message *m = replay_message_of(s, line, make);
    struct replay_waiter *w;
    struct key key;

    if (m == NULL || (!make && m->waiters == NULL) ||
        !record_recipient_key(&key, line->queue_id, line->recipient))
        return NULL;
    w = replay_map_find(s->at->waiters, key_slice(&key));
    return w || !make ? w : waiter_new(s, m, &key);
}

/* What an outage, now or in the end, would have meant for it; it is left. */
static void settle_outage(struct replay_study *s, struct replay_waiter *w, int64_t now)
{
    const struct replay_outage *o = w->outage;
    int64_t end = o && o->ended > 0 && o->ended < now ? o->ended : now;
    int64_t at = o ? replay_cap_time(s, w->to, o, w->met, w->baseline) : 0;

    if (o)
        replay_tally_add(&w->outage->waited, now - w->met);
    if (at > 0 && at <= end && (w->returned == 0 || at < w->returned)) {
        w->returned = at;
        w->outage->returned++;
    }
    replay_outage_leave(&w->outage);
}

/* The message moved on to another destination's rules, or never had one. */
static void assign(struct replay_study *s, struct replay_waiter *w, struct replay_destination *to,
                   int64_t started)
{
    if (w->to != to)
        settle_outage(s, w, started);
    w->to = to;
}

void replay_met_outage(struct replay_study *s, struct replay_waiter *w,
                       struct replay_destination *to, int64_t started)
{
    assign(s, w, to, started);
    if (w->outage == to->now)
        return;
    settle_outage(s, w, started);
    w->outage = to->now;
    w->met = started;
    w->baseline = destination_baseline(&to->d, true);
    w->outage->waiting++;
}

/*
 * With transfer_interval the retries come that often; without, as Postfix made them, and the one in
 * the log that was one too many counts.
 */
static int64_t transfer_cap_time(const struct replay_waiter *w, int64_t now)
{
    const struct retry_policy *policy = w->to->policy;
    uint32_t cap = policy->max_transfer_retries;
    int64_t at;

    if (cap == 0 || w->transfers == 0)
        return 0;
    if (policy->transfer_interval == 0)
        return w->transfers == cap ? w->last_transfer : 0;
    at = w->first_transfer + (int64_t)(cap - 1) * policy->transfer_interval * 1000;
    return at <= now ? at : 0;
}

static void settle_transfers(struct replay_waiter *w, int64_t now)
{
    int64_t at = transfer_cap_time(w, now);

    if (at > 0 && (w->returned == 0 || at < w->returned))
        w->returned = at;
}

void replay_transfer_failed(struct replay_study *s, struct replay_waiter *w,
                            struct replay_destination *to, const struct attempt *attempt)
{
    assign(s, w, to, attempt->started);
    settle_outage(s, w, attempt->started);
    if (w->transfers++ == 0)
        w->first_transfer = attempt->started;
    w->last_transfer = attempt->started;
    settle_transfers(w, attempt->started);
}

void replay_refused(struct replay_study *s, struct replay_waiter *w,
                    const struct maillog_line *line)
{
    struct replay_message *m = replay_map_find(s->at->messages, line->queue_id);

    if (m == NULL || w->too_many)
        return;
    settle_outage(s, w, line->time);
    w->too_many = true;
    if (m->limit_waiting++ == 0 && m->limit_first == 0)
        m->limit_first = line->time;
    m->limit_to = w->to;
}

/* The last one that was one too many is through. */
static void drained(struct replay_study *s, struct replay_message *m)
{
    if (m->limit_last > 0) {
        replay_tally_add(&s->drains, m->limit_last - m->limit_first);
        if (m->limit_to)
            replay_tally_add(&m->limit_to->drains, m->limit_last - m->limit_first);
    }
    m->limit_first = 0;
    m->limit_last = 0;
}

static void leave_limit(struct replay_study *s, struct replay_message *m, struct replay_waiter *w,
                        enum replay_end how, int64_t now)
{
    if (!w->too_many)
        return;
    if (how == REPLAY_SENT)
        m->limit_last = now;
    if (--m->limit_waiting == 0)
        drained(s, m);
}

/* Returned after maximal_queue_lifetime. */
static void expired(struct replay_study *s, const struct replay_message *m,
                    const struct replay_waiter *w, struct slice queue_id, struct slice recipient,
                    int64_t now)
{
    s->expired++;
    if (m->null_sender) {
        s->expired_silent++;
    } else if (w->returned == 0) {
        s->expired_uncapped++;
    } else {
        replay_tally_add(&s->earlier, now - w->returned);
        replay_sample(&s->earlier_samples, queue_id, recipient, w->returned, now);
    }
}

static void sent(struct replay_study *s, const struct replay_waiter *w, int64_t back,
                 struct slice queue_id, struct slice recipient, int64_t now)
{
    if (w->returned > 0) {
        replay_tally_add(&s->in_vain, now - w->returned);
        replay_sample(&s->in_vain_samples, queue_id, recipient, w->returned, now);
    } else if (back > 0 && now > back) {
        replay_tally_add(&s->lag, now - back);
    }
}

static void count_in_outage(struct replay_outage *o, enum replay_end how, int64_t now)
{
    if (how == REPLAY_SENT && o->ended > 0 && now > o->ended)
        replay_tally_add(&o->lag, now - o->ended);
    o->expired += how == REPLAY_EXPIRED;
    o->still += how == REPLAY_STILL;
}

static void unlink_waiter(struct replay_message *m, struct replay_waiter *w)
{
    if (w->previous)
        w->previous->next = w->next;
    else
        m->waiters = w->next;
    if (w->next)
        w->next->previous = w->previous;
}

void replay_done(struct replay_study *s, struct replay_message *m, struct replay_waiter *w,
                 enum replay_end how, int64_t now)
{
    struct slice key = replay_map_key(s->at->waiters, w);
    struct slice queue_id = record_key_queue_id(key);
    struct slice recipient = record_key_recipient(key);
    int64_t back = w->outage ? w->outage->ended : 0;

    if (w->outage)
        count_in_outage(w->outage, how, now);
    settle_outage(s, w, now);
    if (w->to)
        settle_transfers(w, now);
    leave_limit(s, m, w, how, now);
    if (how == REPLAY_EXPIRED)
        expired(s, m, w, queue_id, recipient, now);
    else if (how == REPLAY_SENT)
        sent(s, w, back, queue_id, recipient, now);
    else if (how == REPLAY_STILL && w->returned > 0)
        s->waiting_over++;
    else if (how == REPLAY_STILL)
        s->waiting++;
    unlink_waiter(m, w);
    replay_map_remove(s->at->waiters, key);
}

void replay_message_done(struct replay_study *s, struct replay_message *m, enum replay_end how,
                         int64_t now)
{
    while (m->waiters)
        replay_done(s, m, m->waiters, how, now);
    free(m->bounced_to);
    replay_map_remove(s->at->messages, replay_map_key(s->at->messages, m));
}

static void free_one(void *context, void *value)
{
    struct replay_message *m = value;

    (void)context;
    free(m->bounced_to);
}

void replay_messages_free(struct replay_server *server)
{
    replay_map_each(server->messages, free_one, NULL);
}
