/* Loading and saving, with the indexes that follow from the records. */
#include "ledger_internal.h"

/* In the index of those waiting, given-up recipients stand behind all that still count. */
static const uint64_t behind_all = UINT64_MAX;

static void move_due(struct ledger *l, enum due_kind kind, struct slice subject, int64_t from,
                     int64_t to)
{
    struct key key;

    if (from == to)
        return;
    if (from != 0) {
        record_due_key(&key, from, kind, subject);
        store_delete(l->store, STORE_DUE, key_slice(&key));
    }
    if (to != 0) {
        record_due_key(&key, to, kind, subject);
        store_put(l->store, STORE_DUE, key_slice(&key), (struct slice){"", 0});
    }
}

/* Destinations */

static void take_rules(struct ledger *l, struct subject *s)
{
    s->rules = rules_of(l->config, &s->record);
    s->policy = s->rules.policy;
    s->before = s->record.d;
}

bool subject_load_domain(struct ledger *l, struct subject *s, struct slice domain)
{
    char name[sizeof(s->record.name)];
    bool found;

    rules_name(l->config, domain, name, sizeof(name));
    found = record_load_destination(l->store, slice_of(name), &s->record);
    if (!found) {
        memset(&s->record, 0, sizeof(s->record));
        memcpy(s->record.name, name, sizeof(name));
    }
    take_rules(l, s);
    return found;
}

void subject_adopt(struct ledger *l, struct subject *s, const struct destination_record *record)
{
    s->record = *record;
    take_rules(l, s);
}

bool subject_load_id(struct ledger *l, struct subject *s, uint32_t id)
{
    struct destination_record record;

    if (!record_load_destination_id(l->store, id, &record))
        return false;
    subject_adopt(l, s, &record);
    return true;
}

void subject_save(struct ledger *l, struct subject *s)
{
    struct slice id = record_id_subject(&s->record.d.id);

    if (s->record.d.id == 0)
        record_create_destination(l->store, &s->record);
    else if (memcmp(&s->before, &s->record.d, sizeof(s->before)) != 0)
        record_save_destination(l->store, &s->record);
    else
        return;
    move_due(l, DUE_RETRY, id, s->before.next, s->record.d.next);
    move_due(l, DUE_WORK, id, s->before.work, s->record.d.work);
    move_due(l, DUE_LANE, id, s->before.lane_until, s->record.d.lane_until);
    move_due(l, DUE_POOL, id, s->before.pool_due, s->record.d.pool_due);
    s->before = s->record.d;
}

void subject_delete(struct ledger *l, struct subject *s)
{
    struct slice id = record_id_subject(&s->record.d.id);

    move_due(l, DUE_RETRY, id, s->before.next, 0);
    move_due(l, DUE_WORK, id, s->before.work, 0);
    move_due(l, DUE_LANE, id, s->before.lane_until, 0);
    move_due(l, DUE_POOL, id, s->before.pool_due, 0);
    record_delete_retries(l->store, s->record.d.id);
    record_delete_destination(l->store, &s->record);
}

bool subject_is_quick(const struct subject *s, enum give_up why)
{
    if (why == GIVE_UP_LIMIT)
        return true; /* rare: a lane for one is learned before */
    if (why == GIVE_UP_TRANSFER)
        return s->policy->transfer_interval > 0 && s->policy->transfer_interval < QUICK_INTERVAL;
    return s->policy->open_interval < QUICK_INTERVAL;
}

/* The domains of a group: those named in the configuration, and those seen to fail. */
static void each_of_group(struct ledger *l, const struct subject *s, subject_domain *visit)
{
    struct key prefix = {sizeof(s->record.d.id), {0}};
    struct key from;
    struct slice key;
    struct slice value;

    for (size_t i = 0; s->rules.group && i < s->rules.group->domain_count; i++)
        visit(l, s, slice_of(s->rules.group->domains[i]));
    memcpy(prefix.bytes, &s->record.d.id, sizeof(s->record.d.id));
    from = prefix;
    while (store_seek(l->store, STORE_DOMAIN, key_slice(&from), &key, &value) &&
           record_has_prefix(key, &prefix)) {
        key_after(&from, key);
        visit(l, s,
              (struct slice){(const char *)from.bytes + prefix.len, from.len - 1 - prefix.len});
    }
}

void subject_each_domain(struct ledger *l, const struct subject *s, subject_domain *visit)
{
    if (record_destination_is_group(&s->record))
        each_of_group(l, s, visit);
    else
        visit(l, s, slice_of(record_destination_title(&s->record)));
}

void subject_forget_domains(struct ledger *l, const struct subject *s)
{
    uint32_t id = s->record.d.id;
    struct key prefix = {sizeof(id), {0}};
    struct key found;
    struct slice key;
    struct slice value;

    memcpy(prefix.bytes, &id, sizeof(id));
    while (store_seek(l->store, STORE_DOMAIN, key_slice(&prefix), &key, &value) &&
           record_has_prefix(key, &prefix)) {
        key_after(&found, key);
        store_delete(l->store, STORE_DOMAIN,
                     (struct slice){(const char *)found.bytes, found.len - 1});
    }
}

/* Those who wait for a destination */

bool waiting_next(struct ledger *l, uint32_t destination, struct key *found, uint64_t *baseline_r)
{
    struct slice recipient_key;
    struct slice key;
    struct slice value;

    if (!store_seek(l->store, STORE_WAITING, key_slice(found), &key, &value) ||
        !record_waiting_parts(key, destination, baseline_r, &recipient_key))
        return false;
    key_after(found, key);
    return true;
}

bool waiting_first(struct ledger *l, uint32_t destination, int which, struct key *found_r,
                   uint64_t *baseline_r)
{
    record_waiting_key(found_r, destination, which == WAITING_GIVEN_UP ? behind_all : 0,
                       (struct slice){"", 0});
    return waiting_next(l, destination, found_r, baseline_r);
}

/* `found` is one NUL byte longer than the key it stands behind. */
struct slice waiting_recipient_key(const struct key *found)
{
    return (struct slice){(const char *)found->bytes + 12, found->len - 13};
}

bool subject_has_waiting(struct ledger *l, const struct subject *s)
{
    struct key found;
    uint64_t baseline;

    return waiting_first(l, s->record.d.id, WAITING_ALL, &found, &baseline);
}

/* Recipients */

bool case_load_key(struct ledger *l, struct case_file *c, struct slice key)
{
    memcpy(c->key.bytes, key.at, key.len);
    c->key.len = key.len;
    c->exists = record_load_recipient(l->store, key_slice(&c->key), &c->r);
    if (!c->exists)
        memset(&c->r, 0, sizeof(c->r));
    c->before = c->r;
    return c->exists;
}

bool case_load(struct ledger *l, struct case_file *c, struct slice queue_id, struct slice recipient)
{
    struct key key;

    /* Keys are split at NUL bytes; Postfix logs none. */
    if (memchr(queue_id.at, '\0', queue_id.len) || memchr(recipient.at, '\0', recipient.len) ||
        !record_recipient_key(&key, queue_id, recipient))
        return false;
    case_load_key(l, c, key_slice(&key));
    return true;
}

static void index_waiting(struct ledger *l, const struct key *key, const struct recipient *r,
                          bool add)
{
    struct key index;

    if (!r->waiting)
        return;
    record_waiting_key(&index, r->destination, r->give_up ? behind_all : r->baseline,
                       key_slice(key));
    if (add)
        store_put(l->store, STORE_WAITING, key_slice(&index), (struct slice){"", 0});
    else
        store_delete(l->store, STORE_WAITING, key_slice(&index));
}

static bool same_place(const struct recipient *a, const struct recipient *b)
{
    return a->waiting == b->waiting && a->destination == b->destination &&
           a->baseline == b->baseline && a->give_up == b->give_up;
}

void case_save(struct ledger *l, struct case_file *c)
{
    struct slice key = key_slice(&c->key);

    if (!same_place(&c->before, &c->r)) {
        index_waiting(l, &c->key, &c->before, false);
        index_waiting(l, &c->key, &c->r, true);
    }
    move_due(l, DUE_RECIPIENT, key, c->before.next, c->r.next);
    record_save_recipient(l->store, key, &c->r);
    c->exists = true;
    c->before = c->r;
}

bool case_is_routable(const struct case_file *c)
{
    char address[ROUTE_KEY_MAX];

    return route_address(address, sizeof(address), record_key_recipient(key_slice(&c->key))) > 0;
}

/* Counts this recipient in or out of the routes to postern-expire. */
static void route_case(struct ledger *l, struct case_file *c, bool to_gate)
{
    char address[ROUTE_KEY_MAX];
    struct slice key = {address, 0};
    enum route wanted;

    if (c->r.routed == to_gate || !l->enforce)
        return;
    key.len = route_address(address, sizeof(address), record_key_recipient(key_slice(&c->key)));
    if (key.len == 0)
        return;
    if (route_expire(l->store, key, to_gate, &wanted))
        l->actions->route(l->context, key, wanted);
    c->r.routed = to_gate;
}

void case_forget(struct ledger *l, struct case_file *c)
{
    struct slice key = key_slice(&c->key);

    if (!c->exists)
        return;
    route_case(l, c, false);
    index_waiting(l, &c->key, &c->before, false);
    move_due(l, DUE_RECIPIENT, key, c->before.next, 0);
    record_delete_attempts(l->store, key);
    store_delete(l->store, STORE_RECIPIENT, key);
    c->exists = false;
}

void case_wait(struct case_file *c, const struct destination *d, bool tried)
{
    if (c->r.waiting || d->health == DESTINATION_UP)
        return;
    c->r.waiting = true;
    c->r.baseline = destination_baseline(d, tried);
}

/* A domain may have moved into a group, or out of one: what was counted elsewhere does not count.
 */
void case_assign(struct ledger *l, struct case_file *c, const struct subject *s)
{
    if (c->exists && c->r.destination != s->record.d.id) {
        case_take_back(l, c);
        c->r.waiting = false;
        c->r.next = 0;
        c->r.wakes = 0;
    }
    c->r.destination = s->record.d.id;
}

void case_stop_waiting(struct case_file *c)
{
    c->r.waiting = false;
}

static bool remembered_wrong(const struct case_file *c, bool to_gate, int64_t now)
{
    return c->r.at_gate != to_gate && now < c->r.last_seen + ROUTE_MEMORY;
}

int64_t case_wake_time(const struct case_file *c, bool to_gate, bool quick, int64_t now)
{
    if (quick || !remembered_wrong(c, to_gate, now + SETTLE))
        return now + SETTLE;
    return c->r.last_seen + ROUTE_MEMORY;
}

bool case_needs_nudge(const struct case_file *c, bool to_gate, bool quick, int64_t now)
{
    if (!to_gate && c->r.rerouted)
        return now < c->r.last_seen + ROUTE_MEMORY;
    return quick && remembered_wrong(c, to_gate, now);
}

void case_give_up(struct ledger *l, struct case_file *c, enum give_up why, int64_t next)
{
    c->r.give_up = why;
    c->r.wakes = 0;
    route_case(l, c, true);
    c->r.next = l->enforce ? next : 0;
}

void case_take_back(struct ledger *l, struct case_file *c)
{
    c->r.give_up = GIVE_UP_NOT;
    route_case(l, c, false);
}
