/* Starting, cleaning up, and what an administrator may ask for. */
#include "ledger_internal.h"

#include <stdio.h>

enum { SWEEP_STEP = 1000, TRYING_MAX = 600 * 1000 };

/* How long a destination that nobody writes to is remembered as proven. */
static const int64_t proven_lifetime = (int64_t)30 * 86400 * 1000;
/* Mail may stay somewhat longer than maximal_queue_lifetime: it is looked at only now and then. */
static const int64_t lifetime_grace = (int64_t)86400 * 1000;

/*
 * The configuration may have moved a domain into a group, or out of one: those who wait under the
 * old name are woken, and meet the outage again under the new one.
 */
static void let_go(struct ledger *l, struct subject *s, int64_t now)
{
    s->record.d.health = DESTINATION_UP;
    s->record.d.held = false;
    s->record.d.outage_start = s->record.d.retries;
    s->record.d.next = 0;
    s->record.d.draining = subject_has_waiting(l, s);
    s->record.d.work = s->record.d.draining ? now : 0;
    subject_save(l, s);
}

/* Lanes may have been taken out of the configuration. */
static void start_lane(struct ledger *l, struct subject *s, int64_t now)
{
    struct destination *d = &s->record.d;
    /* A lifetime that was longer, or a clock set back: learned long ago, so nothing is under way.
     */
    int64_t most = now + (int64_t)config_learned_lifetime(l->config) * 1000 - 10 * 1000;
    size_t count = 0;
    const uint32_t *lanes = config_lanes(l->config, &count);
    bool there = false;

    for (size_t i = 0; i < count; i++)
        there |= lanes[i] == d->lane;
    if (d->lane_until > most)
        d->lane_until = most > now ? most : now + 1;
    if (d->lane == 0) {
        subject_save(l, s);
        return;
    }
    if (!there || !l->lanes_possible || l->classifier == NULL || !s->rules.current) {
        d->lane = 0;
        d->takes = 0;
        d->lane_until = 0;
    } else {
        lanes_publish(l, s);
    }
    subject_save(l, s);
}

/* One of a crowd (destination_spread) comes up to an interval later. */
static int64_t planned(const struct destination *d, int64_t interval)
{
    int64_t next = d->last_counted + interval;

    return d->next > next && d->next < next + interval ? d->next : next;
}

/* The interval may have been changed, and the clock may have been set back. */
static int64_t next_retry(const struct destination *d, const struct retry_policy *policy,
                          int64_t now)
{
    int64_t interval = (int64_t)policy->open_interval * 1000;
    int64_t next = planned(d, interval);

    if (interval == 0)
        return 0;
    if (d->health == DESTINATION_TRYING)
        return d->next > now + TRYING_MAX ? now : d->next;
    return next > now + 2 * interval ? now + interval : next;
}

static void start_destination(struct ledger *l, struct subject *s, int64_t now)
{
    struct destination *d = &s->record.d;

    start_lane(l, s, now);
    pools_start(l, s, now);
    if (d->health == DESTINATION_UP)
        return;
    if (!s->rules.current) {
        let_go(l, s, now);
        return;
    }
    if (d->health == DESTINATION_DOWN &&
        (s->policy->hold_after == 0 || s->policy->open_interval == 0))
        d->health = DESTINATION_FAILING;
    d->next = next_retry(d, s->policy, now);
    d->work = now; /* a cap may have been lowered */
    if (d->health == DESTINATION_DOWN)
        work_hold(l, s, true);
    subject_save(l, s);
}

static void start_destinations(struct ledger *l, int64_t now)
{
    struct destination_record record;
    struct subject s;
    struct key from = {0, {0}};
    struct slice key;
    struct slice value;

    while (store_seek(l->store, STORE_DESTINATION, key_slice(&from), &key, &value)) {
        bool good = record_decode_destination(key, value, &record);
        key_after(&from, key);
        if (good) {
            subject_adopt(l, &s, &record);
            start_destination(l, &s, now);
        }
    }
}

/* The destination that this recipient belongs to under the present configuration. */
static bool is_assigned_well(struct ledger *l, const struct case_file *c, struct subject *s)
{
    char domain[ROUTE_KEY_MAX];
    size_t len = route_domain(domain, sizeof(domain), record_key_recipient(key_slice(&c->key)));

    return len > 0 && subject_load_domain(l, s, (struct slice){domain, len}) &&
           s->record.d.id == c->r.destination;
}

/* A plan further ahead than its interval comes from a clock that was set back since. */
static void clamp_plan(struct case_file *c, const struct subject *s, int64_t now)
{
    int64_t interval = (int64_t)s->policy->transfer_interval * 1000;
    int64_t most = interval > ROUTE_MEMORY * 2 ? interval : ROUTE_MEMORY * 2;

    if (c->r.next > now + most)
        c->r.next = now + most;
}

static void start_recipient(struct ledger *l, struct case_file *c, int64_t now)
{
    bool was_routed = c->r.routed;
    struct subject s;

    c->r.routed = false;
    if (!is_assigned_well(l, c, &s)) {
        /* Its domain joined a group, or left one: it is woken, and counts anew. */
        c->r.give_up = GIVE_UP_NOT;
        c->r.waiting = false;
        c->r.next = now;
    } else if (c->r.give_up) {
        if (l->enforce && !was_routed)
            say_give_up(l, &s, c, c->r.give_up, s.record.error);
        case_give_up(l, c, c->r.give_up, c->r.next && c->r.next < now + 60000 ? c->r.next : now);
    } else {
        clamp_plan(c, &s, now);
    }
    case_save(l, c);
}

static void start_recipients(struct ledger *l, int64_t now)
{
    struct case_file c;
    struct key from = {0, {0}};
    struct slice key;
    struct slice value;

    while (store_seek(l->store, STORE_RECIPIENT, key_slice(&from), &key, &value)) {
        key_after(&from, key);
        if (case_load_key(l, &c, (struct slice){(const char *)from.bytes, from.len - 1}))
            start_recipient(l, &c, now);
    }
}

/* Domains that are no longer of the group they were noted for. */
static void start_domains(struct ledger *l)
{
    struct key from = {0, {0}};
    struct slice key;
    struct slice value;
    struct subject s;
    uint32_t id;

    while (store_seek(l->store, STORE_DOMAIN, key_slice(&from), &key, &value)) {
        key_after(&from, key);
        memcpy(&id, from.bytes, sizeof(id));
        if (subject_load_domain(
                l, &s,
                (struct slice){(const char *)from.bytes + sizeof(id), from.len - 1 - sizeof(id)}) &&
            s.record.d.id == id)
            continue;
        store_delete(l->store, STORE_DOMAIN,
                     (struct slice){(const char *)from.bytes, from.len - 1});
    }
}

static void ignore_route(void *context, struct slice key, enum route route)
{
    (void)context;
    (void)key;
    (void)route;
}

void ledger_start(struct ledger *l, int64_t now)
{
    const struct ledger_actions *actions = l->actions;
    const struct ledger_actions quiet = {.route = ignore_route, .say = actions->say};

    l->actions = &quiet;
    store_clear(l->store, STORE_ROUTE);
    start_domains(l);
    start_destinations(l, now);
    start_recipients(l, now);
    early_start(l);
    l->actions = actions;
}

/* Cleaning up: normally the log tells when mail leaves, but a log may lose lines. */

static bool sweep_recipient(struct ledger *l, struct slice key, int64_t before)
{
    struct case_file c;

    if (!case_load_key(l, &c, key))
        return false;
    if (c.r.arrived < before)
        case_forget(l, &c);
    return true;
}

static void sweep_recipients(struct ledger *l, int64_t before)
{
    struct slice key;
    struct slice value;

    for (int n = 0; n < SWEEP_STEP; n++) {
        if (!store_seek(l->store, STORE_RECIPIENT, key_slice(&l->swept), &key, &value)) {
            l->swept.len = 0;
            return;
        }
        key_after(&l->swept, key);
        sweep_recipient(l, (struct slice){(const char *)l->swept.bytes, l->swept.len - 1}, before);
    }
}

static bool is_idle(struct ledger *l, const struct subject *s, int64_t now, int64_t before)
{
    const struct destination *d = &s->record.d;

    if (d->draining || subject_has_waiting(l, s))
        return false;
    if (d->health != DESTINATION_UP)
        return d->last_counted < before;
    return !d->proven || d->last_open < now - proven_lifetime;
}

/* A stale name must not take away what its domain has under another (route.h: one hold for a key).
 */
static void drop_destination(struct ledger *l, struct subject *s)
{
    if (s->rules.current) {
        work_hold(l, s, false);
        s->record.d.lane = 0;
        lanes_publish(l, s);
        pools_withdraw(l, s);
    }
    subject_forget_domains(l, s);
    hosts_forget(l, s);
    subject_delete(l, s);
}

static void sweep_destinations(struct ledger *l, int64_t now, int64_t before)
{
    struct destination_record record;
    struct subject s;
    struct slice key;
    struct slice value;

    for (int n = 0; n < SWEEP_STEP; n++) {
        if (!store_seek(l->store, STORE_DESTINATION, key_slice(&l->swept_names), &key, &value)) {
            l->swept_names.len = 0;
            return;
        }
        bool good = record_decode_destination(key, value, &record);
        key_after(&l->swept_names, key);
        if (!good)
            continue;
        subject_adopt(l, &s, &record);
        if (is_idle(l, &s, now, before))
            drop_destination(l, &s);
    }
}

void ledger_sweep(struct ledger *l, int64_t now, int64_t queue_lifetime)
{
    int64_t before = now - queue_lifetime - lifetime_grace;

    sweep_recipients(l, before);
    sweep_destinations(l, now, before);
    early_sweep(l, before, SWEEP_STEP);
    bad_sweep(l, now, SWEEP_STEP);
}

/* On request */

/* By the name of a group, or else of a domain (its group, when it has one). */
static bool find_destination(struct ledger *l, struct subject *s, struct slice title)
{
    struct destination_record record;
    char name[sizeof(record.name)];

    snprintf(name, sizeof(name), "g:%.*s", (int)title.len, title.at);
    if (record_load_destination(l->store, slice_of(name), &record)) {
        subject_adopt(l, s, &record);
        return true;
    }
    return title.len < ROUTE_KEY_MAX && subject_load_domain(l, s, title);
}

bool ledger_retry(struct ledger *l, struct slice destination, int64_t now)
{
    struct subject s;

    if (!find_destination(l, &s, destination) || !destination_retry_now(&s.record.d, now))
        return false;
    subject_save(l, &s);
    return true;
}

/* Its waiting mail is woken, then the rest of the record goes by the sweep; counts begin anew now.
 */
bool ledger_forget_destination(struct ledger *l, struct slice destination, int64_t now)
{
    struct subject s;

    if (!find_destination(l, &s, destination))
        return false;
    if (s.rules.current)
        work_hold(l, &s, false);
    s.record.d.proven = false;
    s.record.d.takes = 0;
    s.record.d.lane = 0;
    s.record.d.lane_until = 0;
    s.record.d.suspect_until = 0;
    s.record.d.relapses = 0;
    lanes_publish(l, &s);
    record_delete_retries(l->store, s.record.d.id);
    bad_forget_guard(l, s.record.d.id);
    let_go(l, &s, now);
    pools_update(l, &s, now);
    subject_save(l, &s);
    if (!s.record.d.draining)
        subject_forget_domains(l, &s);
    return true;
}

bool ledger_forget_recipient(struct ledger *l, struct slice address)
{
    struct case_file c;
    struct key from = {0, {0}};
    struct slice key;
    struct slice value;
    bool any = bad_forget_recipient(l, address);

    while (store_seek(l->store, STORE_RECIPIENT, key_slice(&from), &key, &value)) {
        struct slice to = record_key_recipient(key);
        bool same = to.len == address.len && memcmp(to.at, address.at, to.len) == 0;
        key_after(&from, key);
        if (!same)
            continue;
        case_load_key(l, &c, (struct slice){(const char *)from.bytes, from.len - 1});
        if (l->enforce)
            l->actions->wake(l->context, record_key_queue_id(key_slice(&c.key)), WAKE_BACK, false);
        case_forget(l, &c);
        any = true;
    }
    return any;
}
