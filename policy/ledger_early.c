/* Recipients that bounced while their message is under way: who tells the sender, and when. */
#include "ledger_internal.h"

#include <stdlib.h>

#include "envelope.h"

enum {
    OTHER_MESSAGE = 600 * 1000, /* arrivals this far apart: a queue id that was used again */
    CLOCKS_APART = 2000,        /* the log may have whole seconds only */
    SEND_AGAIN = 30 * 1000,
    MESSAGES_MAX = 100000, /* what the door told of; more are left to Postfix */
};

static bool is_on(const struct ledger *l)
{
    return config_early_mode(l->config) != EARLY_OFF;
}

/* Messages */

static void move_due(struct ledger *l, struct slice queue_id, struct message_record *m, int64_t due)
{
    struct key key;

    if (m->due == due)
        return;
    if (m->due != 0) {
        record_due_key(&key, m->due, DUE_EARLY, queue_id);
        store_delete(l->store, STORE_DUE, key_slice(&key));
    }
    if (due != 0) {
        record_due_key(&key, due, DUE_EARLY, queue_id);
        store_put(l->store, STORE_DUE, key_slice(&key), (struct slice){"", 0});
    }
    /* The JSON lies in the store, and the writes may have moved it. */
    if (record_load_message(l->store, queue_id, m)) {
        m->due = due;
        record_save_message(l->store, queue_id, m);
    }
}

static void plan(struct ledger *l, struct slice queue_id, int64_t due)
{
    struct message_record m;

    if (record_load_message(l->store, queue_id, &m) && (due == 0 || m.due == 0 || due < m.due))
        move_due(l, queue_id, &m, due);
}

struct envelope *early_envelope(struct ledger *l, struct slice queue_id)
{
    struct message_record m;
    struct envelope *envelope;
    json_t *json;

    if (!record_load_message(l->store, queue_id, &m))
        return NULL;
    json = json_loadb(m.json.at, m.json.len, 0, NULL);
    envelope = json ? envelope_from_json(json) : NULL;
    json_decref(json);
    return envelope;
}

char *early_sender(struct ledger *l, struct slice queue_id)
{
    struct envelope *envelope = early_envelope(l, queue_id);
    char *sender = envelope ? strdup(envelope->sender) : NULL;

    envelope_free(&envelope);
    return sender;
}

/* Bounced recipients */

typedef void early_visit(struct ledger *l, struct slice key, struct early_record *r, void *context);

/* Calls `visit` with each of a message's, which may save or delete it. */
static void each_early(struct ledger *l, struct slice queue_id, early_visit *visit, void *context)
{
    struct early_record r;
    struct key prefix;
    struct key from;
    struct slice key;
    struct slice value;

    record_message_prefix(&prefix, queue_id);
    from = prefix;
    while (store_seek(l->store, STORE_EARLY, key_slice(&from), &key, &value) &&
           record_has_prefix(key, &prefix)) {
        bool good = record_decode_early(value, &r);
        key_after(&from, key);
        if (good)
            visit(l, (struct slice){(const char *)from.bytes, from.len - 1}, &r, context);
    }
}

/* "mx.good.example[192.0.2.1]:25" to the name; none when nobody said it. */
static void copy_host(char *buffer, size_t size, struct slice relay)
{
    const char *bracket = memchr(relay.at, '[', relay.len);

    slice_copy(buffer, size, (struct slice){relay.at, bracket ? (size_t)(bracket - relay.at) : 0});
}

/* A short queue id may be used again when its message is gone. */
static void drop_other_message(struct ledger *l, const struct maillog_line *line)
{
    int64_t arrived = line->time - line->delay;
    struct message_record m;

    if (record_load_message(l->store, line->queue_id, &m) &&
        (m.arrived > arrived + OTHER_MESSAGE || m.arrived < arrived - OTHER_MESSAGE))
        early_removed(l, line->queue_id);
}

/* Whether the door told of its message is asked when the report is due. */
void early_bounced(struct ledger *l, const struct maillog_line *line)
{
    struct early_record r;
    struct key key;

    if (!is_on(l) || memchr(line->recipient.at, '\0', line->recipient.len) ||
        !record_recipient_key(&key, line->queue_id, line->recipient))
        return;
    drop_other_message(l, line);
    memset(&r, 0, sizeof(r));
    r.e.bounced = line->time;
    slice_copy(r.e.status, sizeof(r.e.status), line->dsn);
    slice_copy(r.original, sizeof(r.original), line->original);
    copy_host(r.host, sizeof(r.host), line->relay);
    slice_copy(r.text, sizeof(r.text), line->text);
    record_save_early(l->store, key_slice(&key), &r);
    plan(l, line->queue_id, early_due(line->time, config_early(l->config)->after));
}

static void forget_untold(struct ledger *l, struct slice key, struct early_record *r, void *context)
{
    (void)context;
    if (early_leave(&r->e))
        store_delete(l->store, STORE_EARLY, key);
}

void early_returned(struct ledger *l, struct slice queue_id)
{
    if (store_count(l->store, STORE_EARLY) == 0)
        return;
    each_early(l, queue_id, forget_untold, NULL);
    plan(l, queue_id, 0);
}

static void drop(struct ledger *l, struct slice key, struct early_record *r, void *context)
{
    (void)r;
    (void)context;
    store_delete(l->store, STORE_EARLY, key);
}

static void drop_message(struct ledger *l, struct slice queue_id)
{
    plan(l, queue_id, 0);
    store_delete(l->store, STORE_ENVELOPE, queue_id);
}

void early_removed(struct ledger *l, struct slice queue_id)
{
    if (store_count(l->store, STORE_EARLY) > 0)
        each_early(l, queue_id, drop, NULL);
    if (store_count(l->store, STORE_ENVELOPE) > 0)
        drop_message(l, queue_id);
}

/* Bounced recipients that the door told of only now, or another message's, long ago. */
struct earlier {
    int64_t arrived;
    int64_t first; /* of the present message; 0: none */
};

static void look_at_earlier(struct ledger *l, struct slice key, struct early_record *r,
                            void *context)
{
    struct earlier *e = context;

    if (r->e.bounced < e->arrived - CLOCKS_APART)
        store_delete(l->store, STORE_EARLY, key);
    else if (r->e.state == EARLY_PENDING && (e->first == 0 || r->e.bounced < e->first))
        e->first = r->e.bounced;
}

bool ledger_envelope(struct ledger *l, struct slice queue_id, int64_t arrived, struct slice json)
{
    struct message_record m;
    struct earlier earlier = {arrived, 0};

    if (!is_on(l) || queue_id.len == 0 || queue_id.len > QUEUE_ID_MAX ||
        memchr(queue_id.at, '\0', queue_id.len) != NULL)
        return false;
    if (record_load_message(l->store, queue_id, &m) && m.arrived == arrived)
        return true; /* told again */
    drop_message(l, queue_id);
    if (store_count(l->store, STORE_ENVELOPE) >= MESSAGES_MAX)
        return false;
    m = (struct message_record){.arrived = arrived, .json = json};
    record_save_message(l->store, queue_id, &m);
    each_early(l, queue_id, look_at_earlier, &earlier);
    if (earlier.first > 0)
        plan(l, queue_id, early_due(earlier.first, config_early(l->config)->after));
    return true;
}

/* The report */

struct collection {
    const struct envelope *envelope;
    bool send;
    unsigned count;
};

static const struct envelope_recipient *find(const struct envelope *envelope, struct slice key,
                                             const struct early_record *r)
{
    const struct envelope_recipient *found =
        envelope ? envelope_find(envelope, record_key_recipient(key)) : NULL;

    if (found == NULL && envelope && r->original[0])
        found = envelope_find(envelope, slice_of(r->original));
    return found;
}

static void collect(struct ledger *l, struct slice key, struct early_record *r, void *context)
{
    struct collection *c = context;
    const struct envelope_recipient *recipient = find(c->envelope, key, r);

    if (r->e.state != EARLY_PENDING)
        return;
    if (recipient && early_wanted(c->envelope, recipient) && l->early.possible) {
        c->count++;
        r->e.state = c->send ? EARLY_SENDING : EARLY_POSTFIX;
        if (!c->send)
            say_early(l, key, r, c->envelope->sender, c->count);
    } else {
        early_leave(&r->e);
    }
    record_save_early(l->store, key, r);
}

void early_is_due(struct ledger *l, struct slice queue_id)
{
    struct collection c = {.send = l->enforce};
    struct envelope *envelope = early_envelope(l, queue_id);

    c.envelope = envelope;
    each_early(l, queue_id, collect, &c);
    plan(l, queue_id, 0);
    if (c.count > 0 && c.send)
        l->actions->report(l->context, queue_id);
    envelope_free(&envelope);
}

struct outcome {
    bool sent;
    int64_t now;
    const char *sender;
    unsigned count;
};

static void settle(struct ledger *l, struct slice key, struct early_record *r, void *context)
{
    struct outcome *o = context;

    if (r->e.state != EARLY_SENDING)
        return;
    o->count++;
    r->e.state = o->sent ? EARLY_SENT : EARLY_PENDING;
    r->e.reported = o->sent ? o->now : 0;
    record_save_early(l->store, key, r);
    if (o->sent)
        say_early(l, key, r, o->sender, o->count);
}

void ledger_reported(struct ledger *l, struct slice queue_id, bool sent, int64_t now)
{
    struct envelope *envelope = early_envelope(l, queue_id);
    struct outcome o = {sent, now, envelope ? envelope->sender : "", 0};

    each_early(l, queue_id, settle, &o);
    if (!sent && o.count > 0)
        plan(l, queue_id, now + SEND_AGAIN);
    envelope_free(&envelope);
}

struct gathering {
    struct ledger_report *report;
    bool failed;
};

static void gather(struct ledger *l, struct slice key, struct early_record *r, void *context)
{
    struct gathering *g = context;
    struct ledger_report *report = g->report;
    struct slice to = record_key_recipient(key);
    struct ledger_bounced *list;

    (void)l;
    if (r->e.state != EARLY_SENDING || g->failed)
        return;
    list = realloc(report->bounced, (report->count + 1) * sizeof(*list));
    if (list == NULL) {
        g->failed = true;
        return;
    }
    report->bounced = list;
    list[report->count].record = *r;
    list[report->count].recipient = strndup(to.at, to.len);
    g->failed = list[report->count++].recipient == NULL;
}

bool ledger_report_load(struct ledger *l, struct slice queue_id, struct ledger_report *report_r)
{
    struct gathering g = {report_r, false};

    *report_r = (struct ledger_report){.envelope = early_envelope(l, queue_id)};
    if (report_r->envelope)
        each_early(l, queue_id, gather, &g);
    if (report_r->count > 0 && !g.failed)
        return true;
    ledger_report_free(report_r);
    return false;
}

void ledger_report_free(struct ledger_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->bounced[i].recipient);
    free(report->bounced);
    envelope_free(&report->envelope);
    *report = (struct ledger_report){0};
}

/* Postfix's own report */

enum ledger_claim ledger_claim(struct ledger *l, struct slice queue_id, struct slice recipient)
{
    struct early_record r;
    struct key key;

    if (!record_recipient_key(&key, queue_id, recipient) ||
        !record_load_early(l->store, key_slice(&key), &r))
        return LEDGER_CLAIM_KEEP;
    if (r.e.state == EARLY_PENDING) {
        early_leave(&r.e);
        record_save_early(l->store, key_slice(&key), &r);
    }
    if (r.e.state == EARLY_SENDING)
        return LEDGER_CLAIM_WAIT;
    return r.e.state == EARLY_SENT ? LEDGER_CLAIM_DROP : LEDGER_CLAIM_KEEP;
}

/* Starting and cleaning up */

/* Whether these got through nobody knows: Postfix tells of them, too. */
void early_start(struct ledger *l)
{
    struct key from = {0, {0}};
    struct early_record r;
    struct slice key;
    struct slice value;

    while (store_seek(l->store, STORE_EARLY, key_slice(&from), &key, &value)) {
        bool good = record_decode_early(value, &r);
        key_after(&from, key);
        if (!good || r.e.state != EARLY_SENDING)
            continue;
        r.e.state = EARLY_POSTFIX;
        record_save_early(l->store, (struct slice){(const char *)from.bytes, from.len - 1}, &r);
    }
}

static void sweep_messages(struct ledger *l, int64_t before, unsigned most)
{
    struct message_record m;
    struct slice key;
    struct slice value;
    struct slice id;

    while (most-- > 0) {
        if (!store_seek(l->store, STORE_ENVELOPE, key_slice(&l->swept_messages), &key, &value)) {
            l->swept_messages.len = 0;
            return;
        }
        key_after(&l->swept_messages, key);
        id = (struct slice){(const char *)l->swept_messages.bytes, l->swept_messages.len - 1};
        if (record_load_message(l->store, id, &m) && m.arrived < before)
            early_removed(l, id);
    }
}

static void sweep_bounced(struct ledger *l, int64_t before, unsigned most)
{
    struct early_record r;
    struct slice key;
    struct slice value;

    while (most-- > 0) {
        if (!store_seek(l->store, STORE_EARLY, key_slice(&l->swept_bounced), &key, &value)) {
            l->swept_bounced.len = 0;
            return;
        }
        bool old = !record_decode_early(value, &r) || r.e.bounced < before;
        key_after(&l->swept_bounced, key);
        if (old)
            store_delete(
                l->store, STORE_EARLY,
                (struct slice){(const char *)l->swept_bounced.bytes, l->swept_bounced.len - 1});
    }
}

void early_sweep(struct ledger *l, int64_t before, unsigned most)
{
    sweep_messages(l, before, most);
    sweep_bounced(l, before, most);
}
