/* What becomes due: retries of destinations, messages over a cap, messages of an ended outage. */
#include "ledger_internal.h"

#include "failure.h"

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
        if (!case_load_key(l, &c, waiting_recipient_key(&found)))
            return false;
        say_give_up(l, s, &c, GIVE_UP_OPEN, s->record.error);
        case_give_up(l, &c, GIVE_UP_OPEN,
                     case_wake_time(&c, true, subject_is_quick(s, GIVE_UP_OPEN), now));
        case_save(l, &c);
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

static bool drain_one(struct ledger *l, struct subject *s, const struct key *found, int64_t now)
{
    bool quick = subject_is_quick(s, GIVE_UP_OPEN);
    struct case_file c;
    struct key key = *found;

    if (!case_load_key(l, &c, waiting_recipient_key(&key)))
        return false;
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
    return true;
}

/* Those that were about to be given up go first: they have waited longest. */
static void go_on_draining(struct ledger *l, struct subject *s, int64_t now, unsigned *wakes)
{
    struct key found;
    uint64_t baseline;
    uint32_t id = s->record.d.id;

    for (unsigned n = 0; n < STEP && *wakes > 0; n++, (*wakes)--) {
        if (!waiting_first(l, id, WAITING_GIVEN_UP, &found, &baseline) &&
            !waiting_first(l, id, WAITING_ALL, &found, &baseline)) {
            s->record.d.draining = false;
            s->record.d.work = 0;
            return;
        }
        if (!drain_one(l, s, &found, now))
            break;
    }
    s->record.d.work = now + STEP_PAUSE;
}

void work_go_on(struct ledger *l, struct subject *s, int64_t now, unsigned *wakes)
{
    if (s->record.d.health != DESTINATION_UP)
        go_on_giving_up(l, s, now);
    else if (s->record.d.draining)
        go_on_draining(l, s, now, wakes);
    else
        s->record.d.work = 0;
}

/* The retry of a destination */

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
        more = waiting_next(l, s->record.d.id, &found, &baseline);
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
    if (!l->enforce)
        return;
    l->actions->wake(l->context, record_key_queue_id(key_slice(&c.key)), WAKE_PROBE,
                     case_needs_nudge(&c, false, subject_is_quick(s, GIVE_UP_OPEN), now));
    (*wakes)--;
}

/* The clock */

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
    else
        work_go_on(l, &s, now, wakes);
    subject_save(l, &s);
}

static void recipient_is_due(struct ledger *l, struct slice subject, int64_t now, unsigned *wakes)
{
    struct case_file c;
    struct subject s;
    bool nudge;

    if (!case_load_key(l, &c, subject) || !subject_load_id(l, &s, c.r.destination))
        return;
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
    nudge = case_needs_nudge(&c, c.r.give_up != GIVE_UP_NOT, subject_is_quick(&s, c.r.give_up), now);
    if (!recipient_woken(&c.r, now)) {
        case_forget(l, &c);
        return;
    }
    case_save(l, &c);
    l->actions->wake(l->context, record_key_queue_id(key_slice(&c.key)),
                     c.r.give_up ? WAKE_GIVE_UP : WAKE_TRANSFER, nudge);
    (*wakes)--;
}

/* Takes the earliest entry out of the index when it is due; `next_r` is its time otherwise. */
static bool take_due(struct ledger *l, int64_t now, struct key *entry, int64_t *next_r)
{
    struct slice key;
    struct slice value;
    struct slice subject;
    enum due_kind kind;

    *next_r = 0;
    if (!store_seek(l->store, STORE_DUE, (struct slice){"", 0}, &key, &value) ||
        !record_due_parts(key, next_r, &kind, &subject))
        return false;
    if (*next_r > now)
        return false;
    entry->len = key.len;
    memcpy(entry->bytes, key.at, key.len);
    return true;
}

int64_t ledger_tick(struct ledger *l, int64_t now, unsigned wakes)
{
    struct key entry;
    struct slice subject;
    enum due_kind kind;
    int64_t next;

    while (take_due(l, now, &entry, &next)) {
        if (wakes == 0)
            return now + BUSY_PAUSE;
        store_delete(l->store, STORE_DUE, key_slice(&entry));
        record_due_parts(key_slice(&entry), &next, &kind, &subject);
        if (kind == DUE_RECIPIENT)
            recipient_is_due(l, subject, now, &wakes);
        else if (kind == DUE_TRANSACTION)
            lanes_transaction_due(l, subject, now);
        else
            destination_is_due(l, subject, kind, now, &wakes);
    }
    return next;
}
