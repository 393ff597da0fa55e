/* Addresses that do not exist: learned from what their servers say, forgotten when that was wrong.
 */
#include "ledger_internal.h"

#include <stdlib.h>

#include "address.h"
#include "badreply.h"

static const struct config_early *settings(const struct ledger *l)
{
    return config_early(l->config);
}

static bool is_on(const struct ledger *l)
{
    return config_early_mode(l->config) != EARLY_OFF;
}

static struct guard_rules guard_rules_of(const struct ledger *l)
{
    return (struct guard_rules){.sample = settings(l)->guard_sample,
                                .ratio = settings(l)->guard_ratio,
                                .window = (int64_t)settings(l)->guard_window * 1000};
}

static bool load(struct ledger *l, struct slice recipient, char address[ADDRESS_MAX + 1],
                 struct bad_record *r)
{
    size_t len = address_canonical(address, recipient);

    return len > 0 && record_load_bad(l->store, (struct slice){address, len}, r);
}

/* Only once it can matter: most deliveries are to addresses that never failed. */
static bool forget(struct ledger *l, struct slice recipient)
{
    char address[ADDRESS_MAX + 1];
    struct bad_record r;

    if (store_count(l->store, STORE_BAD) == 0 || !load(l, recipient, address, &r))
        return false;
    record_delete_bad(l->store, slice_of(address), &r);
    return true;
}

/* The guard */

/* What was learned from a destination since then was learned from its illness. */
static unsigned forget_since(struct ledger *l, uint32_t destination, int64_t since)
{
    struct bad_record r;
    struct slice address;
    struct slice key;
    struct slice value;
    struct key from;
    unsigned forgotten = 0;
    int64_t learned;

    record_bad_age_key(&from, since, (struct slice){"", 0});
    while (store_seek(l->store, STORE_BAD_AGE, key_slice(&from), &key, &value)) {
        key_after(&from, key);
        if (!record_bad_age_parts((struct slice){(const char *)from.bytes, from.len - 1}, &learned,
                                  &address) ||
            !record_load_bad(l->store, address, &r) || r.b.destination != destination)
            continue;
        record_delete_bad(l->store, address, &r);
        forgotten++;
    }
    return forgotten;
}

static void guard_news_are(struct ledger *l, const struct subject *s, const struct guard *guard,
                           enum guard_news news, int64_t now)
{
    unsigned forgotten = 0;

    if (news == GUARD_SAME)
        return;
    if (news == GUARD_TRIPPED)
        forgotten = forget_since(l, s->record.d.id, now - guard_rules_of(l).window);
    say_guard(l, s, guard, news == GUARD_TRIPPED, forgotten);
}

/*
 * Every delivery counts, so the counts are kept here, and only those of destinations that rejected
 * somebody are written. Of others what is lost by a restart makes the guard trip sooner.
 */
static void write_back(struct ledger *l, struct guard_slot *slot)
{
    if (slot->id != 0 && slot->changed &&
        (slot->guard.since != 0 || guard_rejected(&slot->guard) > 0))
        record_save_guard(l->store, slot->id, &slot->guard);
    slot->changed = false;
}

static struct guard *guard_of(struct ledger *l, uint32_t id)
{
    struct guard_slot *slot = &l->guards[id % GUARD_SLOTS];

    if (slot->id != id) {
        write_back(l, slot);
        if (!record_load_guard(l->store, id, &slot->guard))
            memset(&slot->guard, 0, sizeof(slot->guard));
        slot->id = id;
    }
    slot->changed = true;
    return &slot->guard;
}

void ledger_flush(struct ledger *l)
{
    for (size_t i = 0; l->guards_changed && i < GUARD_SLOTS; i++)
        write_back(l, &l->guards[i]);
    l->guards_changed = false;
}

void ledger_rewound(struct ledger *l)
{
    memset(l->guards, 0, sizeof(l->guards));
    l->guards_changed = false;
}

/* True while nothing may be learned from this destination. */
static bool count(struct ledger *l, const struct subject *s, bool rejected, int64_t now)
{
    const struct guard_rules rules = guard_rules_of(l);
    struct guard *guard = guard_of(l, s->record.d.id);

    guard_news_are(l, s, guard, guard_count(guard, &rules, rejected, now), now);
    l->guards_changed |= rejected || guard->since != 0 || guard_rejected(guard) > 0;
    return guard->since != 0;
}

/* Learning */

/* More than may be kept: the oldest leave. */
static void evict(struct ledger *l)
{
    struct bad_record r;
    struct slice address;
    struct slice key;
    struct slice value;
    struct key copy;
    int64_t learned;

    while (store_count(l->store, STORE_BAD) > settings(l)->max_recipients &&
           store_seek(l->store, STORE_BAD_AGE, (struct slice){"", 0}, &key, &value)) {
        key_after(&copy, key);
        copy.len--;
        if (record_bad_age_parts(key_slice(&copy), &learned, &address) &&
            record_load_bad(l->store, address, &r))
            record_delete_bad(l->store, address, &r);
        else
            store_delete(l->store, STORE_BAD_AGE, key_slice(&copy));
    }
}

static void learn(struct ledger *l, const struct subject *s, const struct maillog_line *line)
{
    char address[ADDRESS_MAX + 1];
    const char *bracket = memchr(line->relay.at, '[', line->relay.len);
    struct bad_record before;
    struct bad_record r;
    bool known = load(l, line->recipient, address, &before);

    if (address[0] == '\0')
        return;
    memset(&r, 0, sizeof(r));
    r.b = (struct bad){.learned = line->time,
                       .destination = s->record.d.id,
                       .times = known ? before.b.times + 1 : 1};
    slice_copy(r.queue_id, sizeof(r.queue_id), line->queue_id);
    slice_copy(r.status, sizeof(r.status),
               slice_starts(line->dsn, "5.1.") ? line->dsn : slice_of("5.1.1"));
    slice_copy(r.host, sizeof(r.host),
               (struct slice){line->relay.at,
                              bracket ? (size_t)(bracket - line->relay.at) : line->relay.len});
    slice_copy(r.text, sizeof(r.text), line->text);
    record_save_bad(l->store, slice_of(address), known ? &before : NULL, &r);
    if (!known)
        say_bad(l, s, address, &r);
    evict(l);
}

static bool is_bad_address(struct ledger *l, const struct maillog_line *line)
{
    char *sender = early_sender(l, line->queue_id);
    struct badreply_context context = {.recipient = line->recipient,
                                       .sender = slice_of(sender ? sender : ""),
                                       .host = slice_of(l->early.host ? l->early.host : "")};
    bool bad = badreply_is_bad_address(line->text, &context);

    free(sender);
    return bad;
}

void bad_taken(struct ledger *l, const struct subject *s, const struct maillog_line *line)
{
    if (!is_on(l))
        return;
    count(l, s, false, line->time);
    if (forget(l, line->recipient))
        say_good(l, line);
}

void bad_refused(struct ledger *l, const struct subject *s, const struct maillog_line *line)
{
    bool bad;

    if (!is_on(l))
        return;
    bad = is_bad_address(l, line);
    if (!count(l, s, bad, line->time) && bad)
        learn(l, s, line);
}

/* What is written is right, and about to be changed there. */
static void forget_slot(struct ledger *l, uint32_t id)
{
    if (l->guards[id % GUARD_SLOTS].id == id)
        l->guards[id % GUARD_SLOTS].id = 0;
}

/* On request */

bool ledger_test_bad(struct ledger *l, struct slice recipient, int64_t now)
{
    char address[ADDRESS_MAX + 1];
    struct bad_record before;
    struct bad_record r;

    if (!load(l, recipient, address, &r))
        return true; /* forgotten meanwhile */
    before = r;
    if (!bad_take_test(&r.b, settings(l)->lifetime, now))
        return bad_judge(&r.b, settings(l)->lifetime, now) == BAD_OVER;
    record_save_bad(l->store, slice_of(address), &before, &r);
    return true;
}

bool bad_forget_recipient(struct ledger *l, struct slice recipient)
{
    return forget(l, recipient);
}

void bad_forget_guard(struct ledger *l, uint32_t destination)
{
    forget_slot(l, destination);
    store_delete(l->store, STORE_GUARD, record_id_subject(&destination));
}

/* Cleaning up */

static void sweep_old(struct ledger *l, int64_t now, unsigned most)
{
    struct bad_record r;
    struct slice address;
    struct slice key;
    struct slice value;
    struct key copy;
    int64_t learned;

    while (most-- > 0 && store_seek(l->store, STORE_BAD_AGE, (struct slice){"", 0}, &key, &value)) {
        key_after(&copy, key);
        copy.len--;
        if (!record_bad_age_parts(key_slice(&copy), &learned, &address) ||
            !record_load_bad(l->store, address, &r))
            store_delete(l->store, STORE_BAD_AGE, key_slice(&copy));
        else if (bad_judge(&r.b, settings(l)->lifetime, now) == BAD_OVER)
            record_delete_bad(l->store, address, &r);
        else
            return;
    }
}

/* Of destinations that had no mail lately there is nothing to remember. */
static void sweep_guards(struct ledger *l, int64_t now, unsigned most)
{
    const struct guard_rules rules = guard_rules_of(l);
    struct guard guard;
    struct subject s;
    struct slice key;
    struct slice value;
    uint32_t id;

    while (most-- > 0) {
        if (!store_seek(l->store, STORE_GUARD, key_slice(&l->swept_guards), &key, &value)) {
            l->swept_guards.len = 0;
            return;
        }
        key_after(&l->swept_guards, key);
        memcpy(&id, l->swept_guards.bytes, sizeof(id));
        if (!record_load_guard(l->store, id, &guard) || !subject_load_id(l, &s, id)) {
            store_delete(l->store, STORE_GUARD, record_id_subject(&id));
            continue;
        }
        forget_slot(l, id);
        guard_news_are(l, &s, &guard, guard_pass(&guard, &rules, now), now);
        if (guard_total(&guard) == 0)
            store_delete(l->store, STORE_GUARD, record_id_subject(&id));
        else
            record_save_guard(l->store, id, &guard);
    }
}

void bad_sweep(struct ledger *l, int64_t now, unsigned most)
{
    ledger_flush(l);
    sweep_old(l, now, most);
    sweep_guards(l, now, most);
}
