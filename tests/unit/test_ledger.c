/*
 * What scenarios cannot say of the ledger: what it costs, how it bounds its work, what it leaves.
 * Costs are counted in calls of LMDB and in pages, so that they are the same on every machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "record.h"

static const int64_t begin = INT64_C(1795420800000);

enum { SECOND = 1000, MINUTE = 60 * SECOND };

#define REFUSED "connect to mx.partner.example[192.0.2.1]:25: Connection refused"
#define FULL "host mx.partner.example[192.0.2.1] said: 452 4.2.2 mailbox full"

/* The linker puts these before LMDB's own. Nothing here has to outlive the machine: no waiting. */
int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode);
int __real_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode);

int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode)
{
    return __real_mdb_env_open(env, path, flags | MDB_NOSYNC, mode);
}

int __wrap_mdb_get(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data);
int __real_mdb_get(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data);
int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags);
int __real_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags);
int __wrap_mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data);
int __real_mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data);
int __wrap_mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op);
int __real_mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op);

static unsigned operations;

int __wrap_mdb_get(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data)
{
    operations++;
    return __real_mdb_get(txn, dbi, key, data);
}

int __wrap_mdb_put(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags)
{
    operations++;
    return __real_mdb_put(txn, dbi, key, data, flags);
}

int __wrap_mdb_del(MDB_txn *txn, MDB_dbi dbi, MDB_val *key, MDB_val *data)
{
    operations++;
    return __real_mdb_del(txn, dbi, key, data);
}

int __wrap_mdb_cursor_get(MDB_cursor *cursor, MDB_val *key, MDB_val *data, MDB_cursor_op op)
{
    operations++;
    return __real_mdb_cursor_get(cursor, key, data, op);
}

struct fixture {
    char folder[64];
    struct config *config;
    struct store *store;
    struct ledger *ledger;
    int64_t now;
    unsigned wakes[4]; /* by reason */
    unsigned said;
    unsigned expiring; /* routes to the gate that were asked for */
    unsigned withdrawn;
    char last_woken[QUEUE_ID_MAX + 1];
};

static struct fixture fx;

static void on_route(void *context, struct slice key, enum route route)
{
    (void)context;
    (void)key;
    fx.expiring += route == ROUTE_EXPIRE;
    fx.withdrawn += route == ROUTE_NONE;
}

static void on_wake(void *context, struct slice queue_id, enum wake_why why, bool nudge)
{
    (void)context;
    (void)nudge;
    slice_copy(fx.last_woken, sizeof(fx.last_woken), queue_id);
    fx.wakes[why]++;
}

static void on_say(void *context, const char *line)
{
    (void)context;
    (void)line;
    fx.said++;
}

static const struct ledger_actions actions = {.route = on_route, .wake = on_wake, .say = on_say};

static void transact(void)
{
    assert_true(store_begin(fx.store));
}

static void commit(void)
{
    if (!store_commit(fx.store))
        fail_msg("%s", store_error(fx.store));
}

static int set_up(void **state)
{
    (void)state;
    fx = (struct fixture){.folder = "/tmp/postern-test-ledger.XXXXXX", .now = begin};
    return mkdtemp(fx.folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[256];

    (void)state;
    ledger_free(&fx.ledger);
    config_free(&fx.config);
    store_close(&fx.store);
    snprintf(command, sizeof(command), "rm -r %s", fx.folder);
    return system(command);
}

/* posternd starts with these settings, anew if it ran already. */
static void start(const char *settings)
{
    char path[128];
    char error[1024] = "";
    FILE *file;

    snprintf(path, sizeof(path), "%s/postern.conf", fx.folder);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(settings, file) >= 0);
    assert_int_equal(fclose(file), 0);
    ledger_free(&fx.ledger);
    config_free(&fx.config);
    store_close(&fx.store);
    fx.config = config_load(path, error, sizeof(error));
    if (fx.config)
        fx.store = store_open(fx.folder, true, (gid_t)-1, error, sizeof(error));
    if (fx.store == NULL)
        fail_msg("%s", error);
    fx.ledger = ledger_new(fx.store, fx.config, &actions, NULL);
    assert_non_null(fx.ledger);
    transact();
    ledger_start(fx.ledger, fx.now);
    commit();
}

static struct maillog_line delivery(const char *queue_id, const char *recipient)
{
    return (struct maillog_line){.kind = MAILLOG_DELIVERY,
                                 .time = fx.now,
                                 .queue_id = slice_of(queue_id),
                                 .agent = MAILLOG_AGENT_SMTP,
                                 .status = MAILLOG_DEFERRED,
                                 .recipient = slice_of(recipient),
                                 .relay = slice_of("none"),
                                 .dsn = slice_of("4.4.1"),
                                 .text = slice_of(REFUSED),
                                 .delay = fx.now - begin};
}

/* No connection: within the transaction that is open. */
static void refused(const char *queue_id, const char *recipient)
{
    struct maillog_line line = delivery(queue_id, recipient);

    ledger_line(fx.ledger, &line);
}

/* Connected, and not taken. */
static void put_off(const char *queue_id, const char *recipient)
{
    struct maillog_line line = delivery(queue_id, recipient);

    line.relay = slice_of("mx.partner.example[192.0.2.1]:25");
    line.dsn = slice_of("4.2.2");
    line.text = slice_of(FULL);
    ledger_line(fx.ledger, &line);
}

static void sent(const char *queue_id, const char *recipient)
{
    struct maillog_line line = delivery(queue_id, recipient);

    line.relay = slice_of("mx.partner.example[192.0.2.1]:25");
    line.dsn = slice_of("2.0.0");
    line.status = MAILLOG_SENT;
    line.text = slice_of("250 OK");
    ledger_line(fx.ledger, &line);
}

static void bounced_at_gate(const char *queue_id, const char *recipient)
{
    struct maillog_line line = delivery(queue_id, recipient);

    line.agent = MAILLOG_AGENT_PIPE;
    line.relay = slice_of("postern-expire");
    line.status = MAILLOG_BOUNCED;
    ledger_line(fx.ledger, &line);
}

static void removed(const char *queue_id)
{
    struct maillog_line line = {
        .kind = MAILLOG_REMOVED, .time = fx.now, .queue_id = slice_of(queue_id)};

    ledger_line(fx.ledger, &line);
}

static const char *id_of(unsigned n)
{
    static char id[16];

    snprintf(id, sizeof(id), "4F%08X", n);
    return id;
}

static const char *address_of(unsigned n)
{
    static char address[64];

    snprintf(address, sizeof(address), "a%u@partner.example", n);
    return address;
}

/* Messages [from, to) fail at once. */
static void many_refused(unsigned from, unsigned to)
{
    transact();
    for (unsigned n = from; n < to; n++)
        refused(id_of(n), address_of(n));
    commit();
}

static int64_t tick(unsigned wakes)
{
    int64_t next;

    transact();
    next = ledger_tick(fx.ledger, fx.now, (struct ledger_room){wakes, 100});
    commit();
    return next;
}

static uint64_t count(enum store_table table)
{
    uint64_t n;

    transact();
    n = store_count(fx.store, table);
    store_abort(fx.store);
    return n;
}

static struct destination find_destination(const char *name)
{
    struct destination_record record = {.name = ""};

    transact();
    assert_true(record_load_destination(fx.store, slice_of(name), &record));
    store_abort(fx.store);
    return record.d;
}

static unsigned all_wakes(void)
{
    return fx.wakes[0] + fx.wakes[1] + fx.wakes[2] + fx.wakes[3];
}

/* What one failed attempt costs */

struct cost {
    unsigned attempt; /* another failure within the interval */
    unsigned retry;   /* one that counts, and gives up a batch */
};

static struct cost cost_with(unsigned waiting)
{
    struct cost cost;

    start("destinations = ( { name = \"partner\"; domains = (\"partner.example\");\n"
          "  max_open_retries = 3; open_interval = 60; } );\n");
    many_refused(0, waiting);
    transact();
    operations = 0;
    refused(id_of(waiting / 2), address_of(waiting / 2));
    cost.attempt = operations;
    commit();
    for (int i = 0; i < 2; i++) {
        fx.now += MINUTE;
        tick(10);
        transact();
        operations = 0;
        refused(id_of(0), address_of(0));
        cost.retry = operations;
        commit();
    }
    assert_int_equal(find_destination("g:partner").retries, 3);
    assert_true(fx.expiring > 0);
    return cost;
}

static void an_attempt_costs_the_same_however_many_wait(void **state)
{
    struct cost few = cost_with(1000);
    struct cost many;

    tear_down(state);
    assert_int_equal(set_up(state), 0);
    many = cost_with(200000);
    assert_int_equal(few.attempt, many.attempt);
    assert_int_equal(few.retry, many.retry);
    assert_uint_in_range(many.attempt, 1, 20);
    assert_uint_in_range(many.retry, 1, 1000);
    assert_int_equal(count(STORE_RECIPIENT), 200000);
}

/* A removal finds what belongs to the message and nothing else. */
static void a_message_that_leaves_costs_what_is_its_own(void **state)
{
    unsigned alone;

    (void)state;
    start("retry = { open_interval = 60; };\n");
    many_refused(0, 20000);
    transact();
    operations = 0;
    removed(id_of(7));
    alone = operations;
    commit();
    assert_uint_in_range(alone, 1, 20);
    assert_int_equal(count(STORE_RECIPIENT), 19999);
    assert_int_equal(count(STORE_WAITING), 19999);
    assert_int_equal(count(STORE_ATTEMPT), 19999);
    transact();
    operations = 0;
    removed("4FFFFFFFFF"); /* never failed */
    assert_uint_in_range(operations, 1, 2);
    commit();
}

/* Bounded work */

static void start_with_cap(void)
{
    start("retry = { max_open_retries = 1; open_interval = 3600; };\n");
}

/* At most 50 in one step and 100 at the gate; each that leaves makes room for another. */
static void messages_are_given_up_in_batches(void **state)
{
    unsigned gone = 0;

    (void)state;
    start("lanes = \"off\";\n"
          "retry = { max_open_retries = 2; open_interval = 3600; hold_after = 0; };\n");
    many_refused(0, 300);
    assert_int_equal(fx.expiring, 0);
    fx.now += 3600 * SECOND;
    many_refused(0, 1);
    assert_int_equal(fx.expiring, 50);
    for (int i = 0; i < 20; i++) {
        unsigned before = fx.expiring;
        fx.now += 500;
        tick(1000);
        assert_true(fx.expiring - before <= 50);
    }
    assert_int_equal(fx.expiring, 100);
    /* All at the gate bounce; the rest follows, never more than 100 at a time. */
    for (int i = 0; i < 1000 && gone < 300; i++) {
        fx.now += 500;
        while (gone < fx.expiring) {
            transact();
            bounced_at_gate(id_of(gone), address_of(gone));
            removed(id_of(gone));
            commit();
            gone++;
        }
        tick(1000);
        assert_true(fx.expiring - gone <= 100);
    }
    assert_int_equal(gone, 300);
    assert_int_equal(count(STORE_RECIPIENT), 0);
    assert_int_equal(count(STORE_WAITING), 0);
    assert_int_equal(count(STORE_ATTEMPT), 0);
    assert_int_equal(count(STORE_ROUTE), 0);
}

static void waiting_mail_is_woken_in_steps(void **state)
{
    unsigned ticks = 0;

    (void)state;
    start("retry = { open_interval = 3600; hold_after = 0; };\n");
    many_refused(0, 500);
    fx.now += 2 * MINUTE;
    transact();
    sent("5F00000000", "b@partner.example");
    commit();
    assert_true(find_destination("d:partner.example").draining);
    while (find_destination("d:partner.example").draining && ticks++ < 100) {
        unsigned before = fx.wakes[WAKE_BACK];
        tick(1000);
        assert_true(fx.wakes[WAKE_BACK] - before <= 50);
        fx.now += 500;
    }
    assert_int_equal(fx.wakes[WAKE_BACK], 500);
    assert_int_equal(count(STORE_WAITING), 0);
    assert_uint_in_range(ticks, 10, 12);
    assert_int_equal(all_wakes(), 500);
}

/* It was back for a moment only: the rest stays where it is. */
static void waking_stops_when_it_fails_again(void **state)
{
    unsigned woken;

    (void)state;
    start("retry = { open_interval = 3600; hold_after = 0; };\n");
    many_refused(0, 500);
    fx.now += 2 * MINUTE;
    transact();
    sent("5F00000000", "b@partner.example");
    commit();
    tick(1000);
    fx.now += 500;
    tick(1000);
    woken = fx.wakes[WAKE_BACK];
    assert_uint_in_range(woken, 50, 150);
    fx.now += 100;
    many_refused(0, 1); /* one of those that were woken */
    for (int i = 0; i < 100; i++) {
        fx.now += 500;
        tick(1000);
    }
    assert_int_equal(fx.wakes[WAKE_BACK], woken);
    assert_false(find_destination("d:partner.example").draining);
    assert_int_equal(count(STORE_WAITING), 500 - woken + 1);
}

/* A budget of wakes is a promise: what does not fit stays due. */
static void no_more_is_woken_than_asked_for(void **state)
{
    static const unsigned budgets[] = {0, 1, 7, 49, 50, 51};

    (void)state;
    start("retry = { open_interval = 3600; hold_after = 0; transfer_interval = 60; };\n");
    many_refused(0, 400);
    transact();
    for (unsigned n = 1000; n < 1200; n++)
        put_off(id_of(n), "c@other.example");
    commit();
    fx.now += 2 * MINUTE;
    transact();
    sent("5F00000000", "b@partner.example");
    commit();
    for (size_t i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        unsigned before = all_wakes();
        int64_t next = tick(budgets[i]);
        if (all_wakes() - before > budgets[i])
            fail_msg("budget %u: %u woken", budgets[i], all_wakes() - before);
        assert_true(next > 0 && next <= fx.now + SECOND);
        fx.now += 500;
    }
    for (int i = 0; i < 100; i++) {
        tick(20);
        fx.now += 500;
    }
    assert_int_equal(fx.wakes[WAKE_BACK], 400);
    assert_true(fx.wakes[WAKE_TRANSFER] >= 200);
}

/* A wake that brings no news is tried again less and less, and not for ever. */
static void a_message_that_never_answers_is_let_go(void **state)
{
    int64_t last = 0;
    int64_t gap = 0;
    unsigned woken = 0;

    (void)state;
    start("retry = { transfer_interval = 60; max_transfer_retries = 1; };\n");
    transact();
    put_off(id_of(1), address_of(1));
    commit();
    assert_int_equal(fx.expiring, 1);
    for (int i = 0; i < 4 * 3600 && count(STORE_RECIPIENT) > 0; i++) {
        fx.now += SECOND;
        tick(10);
        if (fx.wakes[WAKE_GIVE_UP] == woken)
            continue;
        woken = fx.wakes[WAKE_GIVE_UP];
        assert_true(woken < 3 || fx.now - last >= gap);
        gap = fx.now - last;
        last = fx.now;
        assert_true(woken == 1 || gap <= 61 * SECOND);
    }
    assert_uint_in_range(woken, 20, 100);
    assert_int_equal(fx.withdrawn, 1);
    assert_int_equal(count(STORE_RECIPIENT), 0);
    assert_int_equal(count(STORE_ROUTE), 0);
    assert_int_equal(count(STORE_DUE), 0);
}

/* Every entry of the index of what is due belongs to a record that says the same. */
static void assert_due_index_is_exact(void)
{
    struct key from = {0, {0}};
    struct slice key;
    struct slice value;
    uint64_t recipients = 0;
    uint64_t planned = 0;

    transact();
    while (store_seek(fx.store, STORE_DUE, key_slice(&from), &key, &value)) {
        struct destination_record d;
        struct recipient r;
        struct slice subject;
        enum due_kind kind;
        int64_t time;
        uint32_t id;
        key_after(&from, key);
        assert_true(record_due_parts(key, &time, &kind, &subject));
        if (kind == DUE_RECIPIENT) {
            assert_true(record_load_recipient(fx.store, subject, &r));
            assert_true(r.next == time);
            recipients++;
        } else if (kind == DUE_RETRY || kind == DUE_WORK) {
            memcpy(&id, subject.at, sizeof(id));
            assert_true(record_load_destination_id(fx.store, id, &d));
            assert_true((kind == DUE_RETRY ? d.d.next : d.d.work) == time);
        }
    }
    from.len = 0;
    while (store_seek(fx.store, STORE_RECIPIENT, key_slice(&from), &key, &value)) {
        struct recipient r;
        key_after(&from, key);
        assert_true(record_decode_recipient(value, &r));
        planned += r.next != 0;
    }
    store_abort(fx.store);
    assert_int_equal(recipients, planned);
}

/* A small generator, so that a failure comes back: Knuth's MMIX constants. */
static unsigned draw(uint64_t *seed, unsigned below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

static void do_something(uint64_t *seed)
{
    unsigned n = draw(seed, 30);

    transact();
    switch (draw(seed, 7)) {
    case 0:
    case 1:
    case 2:
        refused(id_of(n), address_of(n % 7));
        break;
    case 3:
        put_off(id_of(n), address_of(n % 7));
        break;
    case 4:
        if (draw(seed, 10) == 0)
            sent(id_of(n), address_of(n % 7));
        break;
    case 5:
        removed(id_of(n));
        break;
    case 6:
        ledger_sweep(fx.ledger, fx.now, 86400 * SECOND);
        break;
    }
    ledger_tick(fx.ledger, fx.now, (struct ledger_room){3, 100});
    commit();
    fx.now += draw(seed, 20) * SECOND;
}

/* Whatever happens in whatever order, index and records agree, and all goes when the mail goes. */
static void the_indexes_stay_exact(void **state)
{
    uint64_t seed = 1;

    (void)state;
    start("retry = { max_open_retries = 4; open_interval = 60;\n"
          "  max_transfer_retries = 3; transfer_interval = 30; };\n");
    for (int i = 0; i < 3000; i++) {
        do_something(&seed);
        if (i % 100 == 0)
            assert_due_index_is_exact();
    }
    for (unsigned n = 0; n < 30; n++) {
        transact();
        removed(id_of(n));
        commit();
    }
    assert_due_index_is_exact();
    assert_int_equal(count(STORE_RECIPIENT), 0);
    assert_int_equal(count(STORE_WAITING), 0);
    assert_int_equal(count(STORE_ATTEMPT), 0);
}

/* Cleaning up */

static void sweep(int64_t queue_lifetime)
{
    transact();
    ledger_sweep(fx.ledger, fx.now, queue_lifetime);
    commit();
}

static void mail_that_must_be_gone_is_swept(void **state)
{
    const int64_t day = (int64_t)86400 * SECOND;

    (void)state;
    start_with_cap();
    many_refused(0, 2500);
    assert_int_equal(count(STORE_RECIPIENT), 2500);
    fx.now = begin + 6 * day; /* a lifetime of 5 days, and one of grace */
    sweep(5 * day);
    assert_int_equal(count(STORE_RECIPIENT), 2500);
    fx.now += SECOND;
    sweep(5 * day);
    assert_int_equal(count(STORE_RECIPIENT), 1500); /* in steps */
    sweep(5 * day);
    sweep(5 * day);
    assert_int_equal(count(STORE_RECIPIENT), 0);
    assert_int_equal(count(STORE_WAITING), 0);
    assert_int_equal(count(STORE_ATTEMPT), 0);
    /* Nobody waits and nothing was tried for as long: the destination goes as well. */
    sweep(5 * day);
    sweep(5 * day);
    assert_int_equal(count(STORE_DESTINATION), 0);
    assert_int_equal(count(STORE_NAME), 0);
    assert_int_equal(count(STORE_RETRY), 0);
    assert_int_equal(count(STORE_ROUTE), 0);
    assert_int_equal(count(STORE_DUE), 0);
}

static void the_sweep_leaves_what_may_be_there(void **state)
{
    const int64_t day = (int64_t)86400 * SECOND;
    struct maillog_line line;

    (void)state;
    start_with_cap();
    many_refused(0, 1);
    transact();
    sent("5F00000000", "b@proven.example");
    commit();
    fx.now = begin + 7 * day;
    transact();
    line = delivery(id_of(1), address_of(1));
    line.delay = day;
    ledger_line(fx.ledger, &line);
    commit();
    sweep(5 * day);
    sweep(5 * day);
    assert_int_equal(count(STORE_RECIPIENT), 1);
    assert_int_equal(count(STORE_DESTINATION), 2);
    /* A month later nobody remembers that it was proven. */
    fx.now = begin + 31 * day;
    for (int i = 0; i < 4; i++)
        sweep(5 * day);
    assert_int_equal(count(STORE_DESTINATION), 0);
}

/* On request */

static void a_forgotten_destination_begins_anew(void **state)
{
    struct destination d;
    bool found;

    (void)state;
    start("retry = { max_open_retries = 9; open_interval = 60; };\n");
    many_refused(0, 3);
    fx.now += MINUTE;
    tick(10);
    many_refused(0, 1);
    assert_int_equal(find_destination("d:partner.example").health, DESTINATION_DOWN);
    fx.now += MINUTE / 2;
    transact();
    assert_false(ledger_forget_destination(fx.ledger, slice_of("never.example"), fx.now));
    found = ledger_forget_destination(fx.ledger, slice_of("partner.example"), fx.now);
    commit();
    assert_true(found);
    assert_int_equal(fx.withdrawn, 1);
    d = find_destination("d:partner.example");
    assert_int_equal(d.health, DESTINATION_UP);
    assert_false(d.proven);
    for (int i = 0; i < 100; i++) {
        fx.now += 500;
        tick(10);
    }
    assert_int_equal(count(STORE_WAITING), 0);
    assert_int_equal(count(STORE_RETRY), 0);
    many_refused(0, 1);
    d = find_destination("d:partner.example");
    assert_int_equal(destination_failures(&d), 1);
}

static void a_forgotten_destination_without_mail_goes_with_the_sweep(void **state)
{
    bool found;

    (void)state;
    start("destinations = ( { name = \"partner\"; domains = (\"partner.example\", \"*\");\n"
          "  open_interval = 60; } );\n");
    many_refused(0, 1);
    transact();
    refused(id_of(1), "a@seen.example");
    removed(id_of(0));
    removed(id_of(1));
    commit();
    assert_int_equal(count(STORE_DOMAIN), 2);
    transact();
    found = ledger_forget_destination(fx.ledger, slice_of("partner"), fx.now);
    commit();
    assert_true(found);
    assert_int_equal(count(STORE_DOMAIN), 0);
    assert_int_equal(count(STORE_DUE), 0);
    transact();
    ledger_sweep(fx.ledger, fx.now, 0);
    commit();
    assert_int_equal(count(STORE_DESTINATION), 0);
    assert_int_equal(count(STORE_NAME), 0);
}

static void a_forgotten_recipient_is_woken(void **state)
{
    bool found;
    bool again;

    (void)state;
    start_with_cap();
    transact();
    refused(id_of(1), "a@partner.example");
    refused(id_of(2), "a@partner.example");
    refused(id_of(2), "b@partner.example");
    commit();
    assert_true(fx.expiring > 0);
    transact();
    found = ledger_forget_recipient(fx.ledger, slice_of("a@partner.example"));
    again = ledger_forget_recipient(fx.ledger, slice_of("a@partner.example"));
    commit();
    assert_true(found);
    assert_false(again);
    assert_int_equal(fx.wakes[WAKE_BACK], 2);
    assert_int_equal(fx.withdrawn, 1);
    assert_int_equal(count(STORE_RECIPIENT), 1);
    assert_int_equal(count(STORE_WAITING), 1);
}

static void a_retry_on_request(void **state)
{
    bool up;
    bool down;

    (void)state;
    start("retry = { open_interval = 3600; };\n");
    transact();
    sent("5F00000000", "b@proven.example");
    refused(id_of(1), address_of(1));
    up = ledger_retry(fx.ledger, slice_of("proven.example"), fx.now);
    down = ledger_retry(fx.ledger, slice_of("partner.example"), fx.now);
    commit();
    assert_false(up);
    assert_true(down);
    tick(10);
    assert_int_equal(fx.wakes[WAKE_PROBE], 1);
    assert_string_equal(fx.last_woken, id_of(1));
}

/* Transactions that fail leave nothing, and the same lines may be fed again. */
static void a_lost_transaction_is_as_if_it_had_not_been(void **state)
{
    struct destination d;

    (void)state;
    start("retry = { open_interval = 60; };\n");
    many_refused(0, 1);
    fx.now += MINUTE;
    transact();
    refused(id_of(0), address_of(0));
    refused(id_of(1), address_of(1));
    store_abort(fx.store);
    d = find_destination("d:partner.example");
    assert_int_equal(d.retries, 1);
    assert_int_equal(count(STORE_RECIPIENT), 1);
    transact();
    refused(id_of(0), address_of(0));
    refused(id_of(1), address_of(1));
    commit();
    d = find_destination("d:partner.example");
    assert_int_equal(d.retries, 2);
    assert_int_equal(count(STORE_RECIPIENT), 2);
    assert_due_index_is_exact();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_attempt_costs_the_same_however_many_wait),
        TEST(a_message_that_leaves_costs_what_is_its_own),
        TEST(messages_are_given_up_in_batches),
        TEST(waiting_mail_is_woken_in_steps),
        TEST(waking_stops_when_it_fails_again),
        TEST(no_more_is_woken_than_asked_for),
        TEST(a_message_that_never_answers_is_let_go),
        TEST(the_indexes_stay_exact),
        TEST(mail_that_must_be_gone_is_swept),
        TEST(the_sweep_leaves_what_may_be_there),
        TEST(a_forgotten_destination_begins_anew),
        TEST(a_forgotten_destination_without_mail_goes_with_the_sweep),
        TEST(a_forgotten_recipient_is_woken),
        TEST(a_retry_on_request),
        TEST(a_lost_transaction_is_as_if_it_had_not_been),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
