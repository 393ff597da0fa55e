/* Senders are told when their mail waits for long: warn_after_retries. */
#include "ledger_internal.h"

#include <stdlib.h>

#include "envelope.h"

enum { STEP = 200, STEP_PAUSE = 500 };

/* Finding them */

static bool may_be_told(struct ledger *l, const struct case_file *c)
{
    struct message_record m;

    return c->r.warned == 0 && !c->r.warn_due && c->r.give_up == GIVE_UP_NOT &&
           record_load_message(l->store, record_key_queue_id(key_slice(&c->key)), &m);
}

static void tell(struct ledger *l, struct case_file *c, int64_t now)
{
    struct key due;

    c->r.warn_due = true;
    case_save(l, c);
    record_due_key(&due, now, DUE_DELAY, record_key_queue_id(key_slice(&c->key)));
    store_put(l->store, STORE_DUE, key_slice(&due), (struct slice){"", 0});
}

/* Where to go on: behind those looked at before, or with the first that was not told. */
static struct delay_mark *mark_of(struct ledger *l, const struct destination *d)
{
    struct delay_mark *mark = &l->delay_marks[d->id % DELAY_MARKS];

    if (mark->destination != d->id || mark->warned != d->warned) {
        mark->destination = d->id;
        mark->warned = d->warned;
        record_waiting_key(&mark->from, d->id, d->warned, (struct slice){"", 0});
    }
    return mark;
}

void delay_go_on(struct ledger *l, struct subject *s, int64_t now)
{
    struct destination *d = &s->record.d;
    uint32_t after = s->policy->warn_after_retries;
    struct delay_mark *mark;
    struct case_file c;
    uint64_t baseline;
    uint64_t limit;

    if (after == 0 || destination_failures(d) < after || d->warned > d->retries - after)
        return;
    limit = d->retries - after;
    mark = mark_of(l, d);
    for (unsigned n = 0; n < STEP; n++) {
        struct key found = mark->from;
        if (!waiting_next(l, d->id, &found, &baseline) || baseline > limit) {
            d->warned = limit + 1;
            mark->destination = 0;
            return;
        }
        mark->from = found;
        if (case_load_key(l, &c, waiting_recipient_key(&found)) && may_be_told(l, &c))
            tell(l, &c, now);
    }
    if (d->work == 0 || d->work > now + STEP_PAUSE)
        d->work = now + STEP_PAUSE;
}

/* Telling them */

typedef void visit_case(struct ledger *l, struct case_file *c, void *context);

static void each_due(struct ledger *l, struct slice queue_id, visit_case *visit, void *context)
{
    struct case_file c;
    struct key prefix;
    struct key from;
    struct slice key;
    struct slice value;

    record_message_prefix(&prefix, queue_id);
    from = prefix;
    while (store_seek(l->store, STORE_RECIPIENT, key_slice(&from), &key, &value) &&
           record_has_prefix(key, &prefix)) {
        key_after(&from, key);
        if (case_load_key(l, &c, (struct slice){(const char *)from.bytes, from.len - 1}) &&
            c.r.warn_due)
            visit(l, &c, context);
    }
}

/* RFC 3461 section 4.1: without NOTIFY a report of a delay may be sent, with it only for DELAY. */
static bool wants_it(const struct envelope *envelope, struct slice recipient)
{
    const struct envelope_recipient *r = envelope_find(envelope, recipient);

    return r && (r->notify == 0 || (r->notify & ENVELOPE_DELAY) != 0);
}

/* The door may have told of it since that became due. */
static bool is_told(const struct envelope *envelope, const struct case_file *c)
{
    return c->r.warned == 0 && wants_it(envelope, record_key_recipient(key_slice(&c->key)));
}

static void gather(struct ledger *l, struct case_file *c, void *context)
{
    struct ledger_delay *delay = context;
    struct slice to = record_key_recipient(key_slice(&c->key));
    struct ledger_delayed *list;
    struct subject s;

    if (!c->r.waiting || !is_told(delay->envelope, c) || !subject_load_id(l, &s, c->r.destination))
        return;
    list = realloc(delay->list, (delay->count + 1) * sizeof(*list));
    if (list == NULL)
        return;
    delay->list = list;
    list[delay->count] =
        (struct ledger_delayed){.recipient = strndup(to.at, to.len),
                                .to = s.record,
                                .retries = destination_retries_of(&s.record.d, c->r.baseline),
                                .cap = s.rules.cap,
                                .interval = s.policy->open_interval};
    if (list[delay->count].recipient)
        delay->count++;
}

bool ledger_delay_load(struct ledger *l, struct slice queue_id, struct ledger_delay *delay_r)
{
    *delay_r = (struct ledger_delay){.envelope = early_envelope(l, queue_id)};
    if (delay_r->envelope && delay_r->envelope->sender[0] &&
        !envelope_is_automatic(delay_r->envelope))
        each_due(l, queue_id, gather, delay_r);
    if (delay_r->count > 0)
        return true;
    ledger_delay_free(delay_r);
    return false;
}

void ledger_delay_free(struct ledger_delay *delay)
{
    for (size_t i = 0; i < delay->count; i++)
        free(delay->list[i].recipient);
    free(delay->list);
    envelope_free(&delay->envelope);
    *delay = (struct ledger_delay){0};
}

struct told {
    const struct envelope *envelope; /* NULL: nothing was sent */
    int64_t now;
};

static void settle(struct ledger *l, struct case_file *c, void *context)
{
    const struct told *told = context;

    if (told->envelope && is_told(told->envelope, c))
        say_delay(l, c);
    c->r.warn_due = false;
    if (c->r.warned == 0)
        c->r.warned = told->now;
    case_save(l, c);
}

void ledger_delayed(struct ledger *l, struct slice queue_id, bool sent, int64_t now)
{
    struct envelope *envelope = sent ? early_envelope(l, queue_id) : NULL;
    struct told told = {envelope, now};

    each_due(l, queue_id, settle, &told);
    envelope_free(&envelope);
}

/*
 * Its record may be there before its first failure: the log comes later than the door, or posternd
 * has not read it yet. It goes with the message, like any other.
 */
void ledger_warned(struct ledger *l, const struct ledger_warned *w, int64_t now)
{
    struct case_file c;

    if (!case_load(l, &c, w->queue_id, w->recipient))
        return;
    if (!c.exists) {
        c.r.destination = w->destination;
        c.r.arrived = w->arrived;
        c.r.first_failure = w->arrived;
        c.r.last_seen = w->arrived;
    }
    c.r.warned = now;
    case_save(l, &c);
}

static void observe(struct ledger *l, struct case_file *c, void *context)
{
    (void)context;
    c->r.warn_due = false;
    c->r.warned = c->r.last_seen;
    case_save(l, c);
    say_delay(l, c);
}

void delay_is_due(struct ledger *l, struct slice queue_id)
{
    if (l->enforce)
        l->actions->delay(l->context, queue_id);
    else
        each_due(l, queue_id, observe, NULL);
}
