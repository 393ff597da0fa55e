/* What becomes due: retries of destinations, messages over a cap, messages of an ended outage. */
#include "ledger_internal.h"

#include <stdio.h>

#include "failure.h"
#include "probation.h"

enum {
    STEP = 50,           /* records in one step of work, so that a step stays short */
    GIVING_UP_MAX = 100, /* recipients of one destination at the gate at a time */
    STEP_PAUSE = 500,
    GIVING_UP_PAUSE = 2000,
    BUSY_PAUSE = 200,
    PROBES_APART = 16,
};

/* Holds */

void work_hold_domain(struct ledger *l, struct slice domain, bool hold)
{
    enum route wanted;

    if (l->enforce && route_domain_valid(domain) && route_hold(l->store, domain, hold, &wanted))
        l->actions->route(l->context, domain, wanted);
}

static void hold_domain(struct ledger *l, const struct subject *s, struct slice domain)
{
    (void)s;
    work_hold_domain(l, domain, true);
}

static void release_domain(struct ledger *l, const struct subject *s, struct slice domain)
{
    (void)s;
    work_hold_domain(l, domain, false);
}

/*
 * "*" and ".d" are never published, only domains: transport(5) would apply a pattern to local
 * domains as well, and trivial-rewrite remembers "*" for 30 s (trivial-rewrite/transport.c).
 */
void work_hold(struct ledger *l, struct subject *s, bool hold)
{
    subject_each_domain(l, s, hold ? hold_domain : release_domain);
}

/* Over the cap */

static unsigned count_given_up(struct ledger *l, const struct subject *s, unsigned most)
{
    struct key found;
    uint64_t baseline;
    unsigned n = 0;

    for (bool more = waiting_first(l, s->record.d.id, WAITING_GIVEN_UP, &found, &baseline);
         more && n < most; more = waiting_next(l, s->record.d.id, &found, &baseline))
        n++;
    return n;
}

/*
 * An address that cannot have a route of its own comes to the gate by the hold of its domain. Where
 * nothing is ever held it is left to Postfix.
 */
static void give_up_one(struct ledger *l, struct subject *s, struct case_file *c, int64_t now)
{
    bool quick = subject_is_quick(s, GIVE_UP_OPEN);

    if (case_is_routable(c) || s->policy->hold_after > 0) {
        say_give_up(l, s, c, GIVE_UP_OPEN, s->record.error);
        case_give_up(l, c, GIVE_UP_OPEN, case_wake_time(c, true, quick, now));
    } else {
        case_stop_waiting(c);
    }
    case_save(l, c);
}

/* An index entry without a record should not be; it must not stop the others. */
static void drop_dangling(struct ledger *l, uint32_t destination, uint64_t baseline,
                          const struct key *found)
{
    struct key index;

    record_waiting_key(&index, destination, baseline, waiting_recipient_key(found));
    store_delete(l->store, STORE_WAITING, key_slice(&index));
}

/* Gives up a batch of those over the cap; more of them are left when it returns true. */
static bool give_up_batch(struct ledger *l, struct subject *s, int64_t now, uint64_t limit,
                          unsigned room)
{
    struct key found;
    struct case_file c;
    uint64_t baseline;

    for (unsigned n = 0; n < room; n++) {
        if (!waiting_first(l, s->record.d.id, WAITING_ALL, &found, &baseline) || baseline > limit)
            return false;
        if (case_load_key(l, &c, waiting_recipient_key(&found)))
            give_up_one(l, s, &c, now);
        else
            drop_dangling(l, s->record.d.id, baseline, &found);
    }
    return true;
}

static void go_on_giving_up(struct ledger *l, struct subject *s, int64_t now)
{
    uint64_t limit;
    unsigned there;
    unsigned room;

    s->record.d.work = 0;
    if (!destination_over_cap(&s->record.d, s->rules.cap, &limit))
        return;
    there = l->enforce ? count_given_up(l, s, GIVING_UP_MAX) : 0;
    room = GIVING_UP_MAX - there < STEP ? GIVING_UP_MAX - there : STEP;
    if (give_up_batch(l, s, now, limit, room))
        s->record.d.work = now + (room == STEP ? STEP_PAUSE : GIVING_UP_PAUSE);
}

/* After an outage */

static void drain_one(struct ledger *l, struct subject *s, const struct key *found,
                      uint64_t baseline, int64_t now)
{
    bool quick = subject_is_quick(s, GIVE_UP_OPEN);
    struct case_file c;
    struct key key = *found;

    if (!case_load_key(l, &c, waiting_recipient_key(&key))) {
        drop_dangling(l, s->record.d.id, baseline, found);
        return;
    }
    if (c.r.give_up)
        case_take_back(l, &c);
    case_stop_waiting(&c);
    c.r.wakes = 0;
    c.r.next = case_wake_time(&c, false, quick, now);
    if (c.r.next <= now + SETTLE && l->enforce) {
        c.r.next = 0;
        l->actions->wake(l->context, record_key_queue_id(key_slice(&c.key)), WAKE_BACK,
                         case_needs_nudge(&c, false, quick, now));
    }
    case_save(l, &c);
}

/* Those that were about to be given up go first: they have waited longest. */
static void go_on_draining(struct ledger *l, struct subject *s, int64_t now, unsigned *wakes)
{
    struct key found;
    uint64_t baseline;
    uint32_t id = s->record.d.id;

    for (unsigned n = 0; n<STEP && * wakes> 0; n++, (*wakes)--) {
        if (!waiting_first(l, id, WAITING_GIVEN_UP, &found, &baseline) &&
            !waiting_first(l, id, WAITING_ALL, &found, &baseline)) {
            s->record.d.draining = false;
            s->record.d.work = 0;
            return;
        }
        drain_one(l, s, &found, baseline, now);
    }
    s->record.d.work = now + STEP_PAUSE;
}

void work_go_on(struct ledger *l, struct subject *s, int64_t now, unsigned *wakes)
{
    if (s->record.d.health != DESTINATION_UP) {
        go_on_giving_up(l, s, now);
        delay_go_on(l, s, now);
    } else if (s->record.d.draining) {
        go_on_draining(l, s, now, wakes);
    } else {
        s->record.d.work = 0;
    }
}

/* The retry of a destination */

/* Behind all recipients of the same message, as far as they have met the outage together. */
static bool next_message(struct ledger *l, uint32_t destination, struct key *found,
                         uint64_t *baseline_r)
{
    struct slice id = record_key_queue_id(waiting_recipient_key(found));
    struct key last;
    char after[QUEUE_ID_MAX + 2];

    /* The byte behind the NUL that ends the queue id in a key. */
    snprintf(after, sizeof(after), "%.*s\x01", (int)id.len, id.at);
    record_waiting_key(&last, destination, *baseline_r, slice_of(after));
    *found = last;
    return waiting_next(l, destination, found, baseline_r);
}

/* Another message each time: the first may be busy with other recipients, or gone. */
static bool probe_candidate(struct ledger *l, const struct subject *s, struct key *found_r)
{
    struct key found;
    uint64_t baseline;
    uint32_t skip = (s->record.d.probes - 1) % PROBES_APART;
    bool more = waiting_first(l, s->record.d.id, WAITING_ALL, &found, &baseline);
    bool any = false;

    while (more && baseline != UINT64_MAX) {
        *found_r = found;
        any = true;
        if (skip-- == 0)
            break;
        more = next_message(l, s->record.d.id, &found, &baseline);
    }
    return any;
}

static void retry_destination(struct ledger *l, struct subject *s, int64_t now, unsigned *wakes)
{
    bool was_held = s->record.d.health == DESTINATION_DOWN;
    struct case_file c;
    struct key found;

    if (!destination_due(&s->record.d, s->policy, now))
        return;
    if (was_held)
        work_hold(l, s, false);
    if (!probe_candidate(l, s, &found) || !case_load_key(l, &c, waiting_recipient_key(&found))) {
        s->record.d.next = 0; /* nobody waits: the next message is the probe */
        return;
    }
    if (!l->enforce || *wakes == 0)
        return;
    l->actions->wake(l->context, record_key_queue_id(key_slice(&c.key)), WAKE_PROBE,
                     case_needs_nudge(&c, false, subject_is_quick(s, GIVE_UP_OPEN), now));
    (*wakes)--;
}

/* The clock */

static void probation_is_over(struct ledger *l, struct subject *s, int64_t now)
{
    pools_update(l, s, now);
    if (s->record.d.health == DESTINATION_UP && s->record.d.pool == POOL_DEFAULT &&
        s->record.d.lane == 0)
        subject_forget_domains(l, s);
}

static void destination_is_due(struct ledger *l, struct slice subject, enum due_kind kind,
                               int64_t now, unsigned *wakes)
{
    struct subject s;
    uint32_t id;

    if (subject.len != sizeof(id))
        return;
    memcpy(&id, subject.at, sizeof(id));
    if (!subject_load_id(l, &s, id))
        return;
    if (kind == DUE_RETRY)
        retry_destination(l, &s, now, wakes);
    else if (kind == DUE_LANE)
        lanes_widen(l, &s, now);
    else if (kind == DUE_POOL)
        probation_is_over(l, &s, now);
    else
        work_go_on(l, &s, now, wakes);
    subject_save(l, &s);
}

/* Nothing is known of its destination any more: nothing of ours stands in its way either. */
static void release_case(struct ledger *l, struct case_file *c, unsigned *wakes)
{
    case_take_back(l, c);
    case_stop_waiting(c);
    c->r.next = 0;
    case_save(l, c);
    if (!l->enforce)
        return;
    l->actions->wake(l->context, record_key_queue_id(key_slice(&c->key)), WAKE_BACK, false);
    (*wakes)--;
}

static void recipient_is_due(struct ledger *l, struct slice subject, int64_t now, unsigned *wakes)
{
    struct case_file c;
    struct subject s;
    bool nudge;

    if (!case_load_key(l, &c, subject))
        return;
    if (!subject_load_id(l, &s, c.r.destination)) {
        release_case(l, &c, wakes);
        return;
    }
    if (c.r.give_up && !c.r.routed && s.record.d.health != DESTINATION_DOWN && l->enforce) {
        c.r.next = now + STEP_PAUSE; /* only the hold leads it to the gate */
        case_save(l, &c);
        return;
    }
    if (c.r.give_up && !recipient_given_up(&c.r, &s.record.d, s.rules.cap)) {
        case_take_back(l, &c);
        c.r.next = 0;
        case_save(l, &c);
        return;
    }
    if (!l->enforce) {
        c.r.next = 0;
        case_save(l, &c);
        return;
    }
    nudge =
        case_needs_nudge(&c, c.r.give_up != GIVE_UP_NOT, subject_is_quick(&s, c.r.give_up), now);
    if (!recipient_woken(&c.r, now)) {
        case_forget(l, &c);
        return;
    }
    case_save(l, &c);
    l->actions->wake(l->context, record_key_queue_id(key_slice(&c.key)),
                     c.r.give_up         ? WAKE_GIVE_UP
                     : c.r.transfers > 0 ? WAKE_TRANSFER
                                         : WAKE_BACK,
                     nudge);
    (*wakes)--;
}

/* The retries of destinations withdraw holds, which must happen even when nothing may be woken. */
static bool has_room(const struct ledger *l, enum due_kind kind, unsigned wakes)
{
    if (kind == DUE_EARLY || kind == DUE_DELAY)
        return l->reports > 0;
    return wakes > 0 || (kind != DUE_RECIPIENT && kind != DUE_WORK);
}

/*
 * Finds the first entry behind `entry` that is due and can be done. `next_r` is the time of the
 * first that is not due.
 */
static bool find_due(struct ledger *l, int64_t now, unsigned wakes, struct key *entry,
                     int64_t *next_r)
{
    struct slice key;
    struct slice value;
    struct slice subject;
    enum due_kind kind;

    *next_r = 0;
    while (store_seek(l->store, STORE_DUE, key_slice(entry), &key, &value) &&
           record_due_parts(key, next_r, &kind, &subject) && *next_r <= now) {
        if (has_room(l, kind, wakes)) {
            entry->len = key.len;
            memcpy(entry->bytes, key.at, key.len);
            return true;
        }
        key_after(entry, key);
    }
    return false;
}

static void report_is_due(struct ledger *l, enum due_kind kind, struct slice queue_id)
{
    l->reports--;
    if (kind == DUE_EARLY)
        early_is_due(l, queue_id);
    else
        delay_is_due(l, queue_id);
}

static void do_due(struct ledger *l, const struct key *entry, int64_t now, unsigned *wakes)
{
    struct slice subject;
    enum due_kind kind;
    int64_t time;

    record_due_parts(key_slice(entry), &time, &kind, &subject);
    if (kind == DUE_RECIPIENT)
        recipient_is_due(l, subject, now, wakes);
    else if (kind == DUE_TRANSACTION)
        lanes_transaction_due(l, subject, now);
    else if (kind == DUE_EARLY || kind == DUE_DELAY)
        report_is_due(l, kind, subject);
    else
        destination_is_due(l, subject, kind, now, wakes);
}

int64_t ledger_tick(struct ledger *l, int64_t now, struct ledger_room room)
{
    struct key entry = {0, {0}};
    int64_t next;

    l->reports = room.reports;
    while (find_due(l, now, room.wakes, &entry, &next)) {
        store_delete(l->store, STORE_DUE, key_slice(&entry));
        do_due(l, &entry, now, &room.wakes);
        if (room.wakes > 0 && l->reports > 0)
            entry.len = 0;
    }
    return room.wakes == 0 || l->reports == 0 ? now + BUSY_PAUSE : next;
}
