/* Keys of the store: built, taken apart, in order; the rings in which attempts are kept; records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "record.h"

static int set_up(void **state)
{
    (void)state;
    return fixture_set_up("record");
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_tear_down();
}

static bool same(struct slice a, struct slice b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* An address of this length, different for each `letter` only in its last bytes. */
static struct slice long_address(size_t len, char letter)
{
    static char address[2048];

    memset(address, 'a', len);
    memcpy(address + len - 9, "@b.example", 9);
    address[len - 1] = letter;
    return (struct slice){address, len};
}

static void recipient_keys_round_trip(void **state)
{
    static const struct {
        const char *label;
        const char *queue_id;
        const char *recipient;
    } cases[] = {
        {"short id", "4F10000001", "a@b.example"},
        {"long id", "4bcDfG1hJkz2LmN", "a@b.example"},
        {"one letter", "A", "a"},
        {"quoted", "4F10000001", "\"a b\"@b.example"},
        {"UTF-8", "4F10000001", "\xc3\xa9@\xc3\xa9.example"},
        {"looks like a key", "4F10000001", "4F10000002#0123456789abcdef"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct key key;
        if (!record_recipient_key(&key, slice_of(cases[i].queue_id), slice_of(cases[i].recipient)))
            fail_msg("%s: refused", cases[i].label);
        if (!slice_equals(record_key_queue_id(key_slice(&key)), cases[i].queue_id) ||
            !slice_equals(record_key_recipient(key_slice(&key)), cases[i].recipient))
            fail_msg("%s: comes back as another", cases[i].label);
    }
}

static void what_is_no_recipient_key(void **state)
{
    char id[QUEUE_ID_MAX + 1];
    struct key key;

    (void)state;
    memset(id, 'A', sizeof(id));
    assert_true(record_recipient_key(&key, (struct slice){id, QUEUE_ID_MAX}, slice_of("a@b")));
    assert_false(record_recipient_key(&key, (struct slice){id, QUEUE_ID_MAX + 1}, slice_of("a@b")));
    assert_false(record_recipient_key(&key, slice_of(""), slice_of("a@b")));
    assert_false(record_recipient_key(&key, slice_of("A"), slice_of("")));
    /* Bytes that are no key at all. */
    assert_int_equal(record_key_recipient(slice_of("A")).len, 0);
    assert_int_equal(record_key_recipient(slice_of("")).len, 0);
}

/* With all that goes before and behind it in the indexes, the longest still is a key of the store.
 */
static void long_addresses_fit_and_differ(void **state)
{
    static const size_t lengths[] = {360, 379, 380, 381, 400, 1000, 2000};
    char id[QUEUE_ID_MAX];

    (void)state;
    memset(id, 'A', sizeof(id));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct slice queue_id = {id, sizeof(id)};
        struct slice found;
        struct key one;
        struct key other;
        struct key index;
        struct key after;
        assert_true(record_recipient_key(&one, queue_id, long_address(lengths[i], 'e')));
        assert_true(record_recipient_key(&other, queue_id, long_address(lengths[i], 'f')));
        if (same(key_slice(&one), key_slice(&other)))
            fail_msg("%zu bytes: two addresses, one key", lengths[i]);
        assert_true(same(record_key_queue_id(key_slice(&one)), queue_id));
        record_waiting_key(&index, UINT32_MAX, UINT64_MAX, key_slice(&one));
        store_put(store, STORE_WAITING, key_slice(&index), (struct slice){"", 0});
        key_after(&after, key_slice(&index));
        store_put(store, STORE_ATTEMPT, key_slice(&after), (struct slice){"", 0});
        if (!store_get(store, STORE_ATTEMPT, key_slice(&after), &found))
            fail_msg("%zu bytes: too long for the store", lengths[i]);
    }
}

static void prefixes_hold_one_message_together(void **state)
{
    struct key prefix;
    struct key key;

    (void)state;
    record_message_prefix(&prefix, slice_of("4F1"));
    record_recipient_key(&key, slice_of("4F1"), slice_of("a@b"));
    assert_true(record_has_prefix(key_slice(&key), &prefix));
    record_recipient_key(&key, slice_of("4F10"), slice_of("a@b"));
    assert_false(record_has_prefix(key_slice(&key), &prefix));
    assert_false(record_has_prefix(slice_of("4F1"), &prefix));
}

static void the_key_after_is_the_next_one(void **state)
{
    struct key key = {0, {0}};
    struct slice found = slice_of("abc");

    (void)state;
    assert_true(same(key_after(&key, found), (struct slice){"abc", 4}));
    assert_true(same(key_slice(&key), (struct slice){"abc", 4}));
}

static void waiting_keys_round_trip_and_sort(void **state)
{
    static const uint64_t baselines[] = {0,         1, 255, 256, 65536, UINT32_MAX, UINT64_MAX - 1,
                                         UINT64_MAX};
    struct slice recipient = slice_of("4F1\0a@b");
    struct slice rest;
    uint64_t baseline;
    struct key last = {0, {0}};
    struct key key;

    (void)state;
    for (size_t i = 0; i < sizeof(baselines) / sizeof(baselines[0]); i++) {
        record_waiting_key(&key, 7, baselines[i], recipient);
        assert_true(record_waiting_parts(key_slice(&key), 7, &baseline, &rest));
        assert_true(baseline == baselines[i] && same(rest, recipient));
        assert_false(record_waiting_parts(key_slice(&key), 8, &baseline, &rest));
        assert_true(i == 0 || memcmp(last.bytes, key.bytes, key.len) < 0);
        last = key;
    }
    record_waiting_key(&key, 8, 0, recipient);
    assert_true(memcmp(last.bytes, key.bytes, key.len) < 0);
    key.len = 12; /* without a recipient */
    assert_false(record_waiting_parts(key_slice(&key), 8, &baseline, &rest));
}

static void due_keys_round_trip_and_sort(void **state)
{
    static const struct {
        int64_t time;
        enum due_kind kind;
    } cases[] = {
        {1, DUE_WORK},
        {255, DUE_RETRY},
        {256, DUE_RECIPIENT},
        {INT64_C(1795420800000), DUE_RETRY},
        {INT64_C(1795420800001), DUE_WORK},
    };
    uint32_t id = 0x01020304;
    struct key last = {0, {0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice subject;
        enum due_kind kind;
        int64_t time;
        struct key key;
        record_due_key(&key, cases[i].time, cases[i].kind, record_id_subject(&id));
        assert_true(record_due_parts(key_slice(&key), &time, &kind, &subject));
        assert_true(time == cases[i].time && kind == cases[i].kind);
        assert_true(subject.len == sizeof(id) && memcmp(subject.at, &id, sizeof(id)) == 0);
        assert_true(i == 0 || memcmp(last.bytes, key.bytes, 9) < 0);
        last = key;
        key.len = 9; /* without a subject */
        assert_false(record_due_parts(key_slice(&key), &time, &kind, &subject));
    }
}

static struct destination_record destination(const char *name)
{
    struct destination_record r;

    memset(&r, 0, sizeof(r));
    strcpy(r.name, name);
    return r;
}

static void destinations_are_found_by_name_and_id(void **state)
{
    struct destination_record a = destination("d:a.example");
    struct destination_record g = destination("g:partner");
    struct destination_record found;

    (void)state;
    a.d.retries = 12;
    strcpy(a.error, "Connection refused");
    record_create_destination(store, &a);
    record_create_destination(store, &g);
    assert_true(a.d.id > 0 && g.d.id > 0 && a.d.id != g.d.id);
    assert_true(record_load_destination(store, slice_of("d:a.example"), &found));
    assert_int_equal(found.d.retries, 12);
    assert_string_equal(found.error, "Connection refused");
    assert_string_equal(record_destination_title(&found), "a.example");
    assert_false(record_destination_is_group(&found));
    assert_true(record_load_destination_id(store, g.d.id, &found));
    assert_string_equal(found.name, "g:partner");
    assert_string_equal(found.error, "");
    assert_true(record_destination_is_group(&found));
    record_delete_destination(store, &a);
    assert_false(record_load_destination(store, slice_of("d:a.example"), &found));
    assert_false(record_load_destination_id(store, a.d.id, &found));
    /* An id is never given twice: recipients may still name it. */
    found = destination("d:c.example");
    record_create_destination(store, &found);
    assert_true(found.d.id != a.d.id && found.d.id != g.d.id);
}

static void records_that_are_too_short(void **state)
{
    struct destination_record d;
    struct recipient r;

    (void)state;
    store_put(store, STORE_DESTINATION, slice_of("d:short"), slice_of("x"));
    assert_false(record_load_destination(store, slice_of("d:short"), &d));
    store_put(store, STORE_RECIPIENT, slice_of("4F1"), slice_of("x"));
    assert_false(record_load_recipient(store, slice_of("4F1"), &r));
    assert_false(record_load_recipient(store, slice_of("4F2"), &r));
}

static struct attempt_record attempt(uint64_t number)
{
    struct attempt_record a;

    memset(&a, 0, sizeof(a));
    a.number = number;
    a.started = (int64_t)number * 1000;
    strcpy(a.queue_id, "4F1");
    snprintf(a.text, sizeof(a.text), "attempt %d", (int)number);
    return a;
}

/* The last ones are kept, oldest first, whatever else was tried. */
static void assert_ring(const struct attempt_record *list, size_t n, size_t size, uint64_t last)
{
    char text[32];

    assert_int_equal(n, last < size ? last : size);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(list[i].number, last - n + 1 + i);
        assert_int_equal(list[i].started, (int64_t)list[i].number * 1000);
        snprintf(text, sizeof(text), "attempt %d", (int)list[i].number);
        assert_string_equal(list[i].text, text);
    }
}

static void attempts_are_kept_in_a_ring(void **state)
{
    struct attempt_record list[RECORD_ATTEMPTS];
    struct key key;
    struct key neighbour;

    (void)state;
    record_recipient_key(&key, slice_of("4F1"), slice_of("a@b.example"));
    record_recipient_key(&neighbour, slice_of("4F1"), slice_of("a@b.example2"));
    for (uint64_t n = 1; n <= 1000; n++) {
        struct attempt_record a = attempt(n);
        record_save_attempt(store, key_slice(&key), &a);
        if (n == 3)
            record_save_attempt(store, key_slice(&neighbour), &a);
        if (n == 1 || n == RECORD_ATTEMPTS || n == RECORD_ATTEMPTS + 1 || n == 1000)
            assert_ring(list, record_load_attempts(store, key_slice(&key), list, RECORD_ATTEMPTS),
                        RECORD_ATTEMPTS, n);
    }
    assert_int_equal(record_load_attempts(store, key_slice(&key), list, 5), 5);
    assert_int_equal(store_count(store, STORE_ATTEMPT), RECORD_ATTEMPTS + 1);
    record_delete_attempts(store, key_slice(&key));
    assert_int_equal(record_load_attempts(store, key_slice(&key), list, RECORD_ATTEMPTS), 0);
    assert_int_equal(record_load_attempts(store, key_slice(&neighbour), list, RECORD_ATTEMPTS), 1);
}

static void retries_are_kept_in_a_ring(void **state)
{
    struct attempt_record list[RECORD_RETRIES];

    (void)state;
    for (uint64_t n = 1; n <= 500; n++) {
        struct attempt_record a = attempt(n);
        record_save_retry(store, 1, &a);
        if (n <= 2)
            record_save_retry(store, 256, &a);
    }
    assert_ring(list, record_load_retries(store, 1, list, RECORD_RETRIES), RECORD_RETRIES, 500);
    assert_ring(list, record_load_retries(store, 256, list, RECORD_RETRIES), RECORD_RETRIES, 2);
    record_delete_retries(store, 1);
    assert_int_equal(record_load_retries(store, 1, list, RECORD_RETRIES), 0);
    assert_int_equal(store_count(store, STORE_RETRY), 2);
}

/* A text that fills its field loses nothing but what does not fit. */
static void the_longest_text(void **state)
{
    struct attempt_record a = attempt(1);
    struct attempt_record found;
    struct key key;

    (void)state;
    memset(a.text, 'x', sizeof(a.text) - 1);
    a.text[sizeof(a.text) - 1] = '\0';
    record_recipient_key(&key, slice_of("4F1"), slice_of("a@b.example"));
    record_save_attempt(store, key_slice(&key), &a);
    assert_int_equal(record_load_attempts(store, key_slice(&key), &found, 1), 1);
    assert_string_equal(found.text, a.text);
}

/* The records of early reports */

static void fill(char *text, size_t size, char letter)
{
    memset(text, letter, size - 1);
    text[size - 1] = '\0';
}

static void messages_round_trip(void **state)
{
    static const char json[] = "{\"sender\":\"s@a.example\"}\0behind a NUL";
    static const struct {
        const char *label;
        struct slice json;
    } cases[] = {
        {"nothing", {"", 0}},
        {"some", {json, sizeof(json)}},
    };
    struct message_record found;

    (void)state;
    assert_false(record_load_message(store, slice_of("4F1"), &found));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message_record m = {.due = 5, .arrived = -7, .json = cases[i].json};
        record_save_message(store, slice_of("4F1"), &m);
        if (!record_load_message(store, slice_of("4F1"), &found) || found.due != 5 ||
            found.arrived != -7 || !same(found.json, cases[i].json))
            fail_msg("%s: comes back as another", cases[i].label);
        assert_false(record_load_message(store, slice_of("4F"), &found));
    }
    /* Saved again with what points into the store. */
    found.due = 0;
    record_save_message(store, slice_of("4F1"), &found);
    assert_true(record_load_message(store, slice_of("4F1"), &found));
    assert_int_equal(found.due, 0);
    assert_true(same(found.json, cases[1].json));
}

static void what_is_no_message(void **state)
{
    char id[STORE_KEY_MAX + 1];
    struct message_record m = {.due = 5, .json = {"{}", 2}};

    (void)state;
    memset(id, 'A', sizeof(id));
    record_save_message(store, (struct slice){id, QUEUE_ID_MAX}, &m);
    assert_true(record_load_message(store, (struct slice){id, QUEUE_ID_MAX}, &m));
    assert_false(record_load_message(store, (struct slice){id, QUEUE_ID_MAX + 1}, &m));
    assert_false(record_load_message(store, (struct slice){id, sizeof(id)}, &m));
    assert_false(record_load_message(store, slice_of(""), &m));
    store_put(store, STORE_ENVELOPE, slice_of("4F2"),
              (struct slice){id, offsetof(struct message_record, json) - 1});
    assert_false(record_load_message(store, slice_of("4F2"), &m));
    /* None of that spoiled the transaction. */
    assert_true(record_load_message(store, (struct slice){id, QUEUE_ID_MAX}, &m));
}

static void assert_early(const char *label, const struct early_record *r)
{
    struct early_record found;
    struct key key;

    record_recipient_key(&key, slice_of("4F1"), slice_of("a@b.example"));
    record_save_early(store, key_slice(&key), r);
    memset(&found, 'z', sizeof(found));
    if (!record_load_early(store, key_slice(&key), &found) || found.e.state != r->e.state ||
        found.e.bounced != r->e.bounced || found.e.reported != r->e.reported ||
        strcmp(found.e.status, r->e.status) != 0 || strcmp(found.original, r->original) != 0 ||
        strcmp(found.host, r->host) != 0 || strcmp(found.text, r->text) != 0)
        fail_msg("%s: comes back as another", label);
}

static void bounced_recipients_round_trip(void **state)
{
    struct early_record r;

    (void)state;
    memset(&r, 0, sizeof(r));
    assert_early("nothing", &r);
    r.e = (struct early){EARLY_SENDING, INT64_C(1795420800000), INT64_C(1795420800001), "5.1.1"};
    strcpy(r.text, "host mx[192.0.2.1] said: 550 5.1.1 no");
    assert_early("text alone", &r);
    strcpy(r.host, "mx.b.example");
    strcpy(r.original, "list@a.example");
    assert_early("all", &r);
    fill(r.original, sizeof(r.original), 'o');
    fill(r.host, sizeof(r.host), 'h');
    fill(r.text, sizeof(r.text), 't');
    fill(r.e.status, sizeof(r.e.status), '5');
    assert_early("as long as can be", &r);
    r.host[0] = '\0';
    assert_early("no host between two long ones", &r);
}

static void assert_bad(const char *label, const char *address, const struct bad_record *r)
{
    struct bad_record found;

    memset(&found, 'z', sizeof(found));
    if (!record_load_bad(store, slice_of(address), &found) ||
        memcmp(&found.b, &r->b, sizeof(r->b)) != 0 || strcmp(found.queue_id, r->queue_id) != 0 ||
        strcmp(found.status, r->status) != 0 || strcmp(found.host, r->host) != 0 ||
        strcmp(found.text, r->text) != 0)
        fail_msg("%s: comes back as another", label);
}

static void bad_addresses_round_trip(void **state)
{
    char address[ADDRESS_MAX + 1];
    struct bad_record found;
    struct bad_record r;

    (void)state;
    fill(address, sizeof(address), 'a');
    memset(&r, 0, sizeof(r));
    record_save_bad(store, slice_of(address), NULL, &r);
    assert_bad("nothing", address, &r);
    r.b = (struct bad){INT64_C(1795420800000), INT64_C(1795420800001), 7, 3};
    fill(r.queue_id, sizeof(r.queue_id), 'q');
    fill(r.status, sizeof(r.status), '5');
    fill(r.host, sizeof(r.host), 'h');
    fill(r.text, sizeof(r.text), 't');
    record_save_bad(store, slice_of(address), NULL, &r);
    assert_bad("as long as can be", address, &r);
    assert_false(record_load_bad(store, slice_of(""), &found));
    assert_false(record_load_bad(store, slice_of("a"), &found));
    assert_bad("the transaction goes on", address, &r);
}

/* The ages in order, as "learned:address|". */
static const char *ages(void)
{
    static char text[512];
    struct slice key = {"", 0};
    struct slice value;
    size_t len = 0;

    text[0] = '\0';
    for (bool found = store_seek(store, STORE_BAD_AGE, (struct slice){"\0", 1}, &key, &value);
         found; found = store_next(store, STORE_BAD_AGE, &key, &value)) {
        struct slice address;
        int64_t learned;
        assert_true(record_bad_age_parts(key, &learned, &address));
        assert_int_equal(value.len, 0);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%lld:%.*s|", (long long)learned,
                                (int)address.len, address.at);
    }
    return text;
}

static void learn(const char *address, const struct bad_record *before, int64_t learned)
{
    struct bad_record r = {.b.learned = learned};

    record_save_bad(store, slice_of(address), before, &r);
}

static void the_index_of_ages_stays_in_step(void **state)
{
    struct bad_record found;

    (void)state;
    learn("c@x", NULL, 256);
    learn("a@x", NULL, 1000);
    learn("b@x", NULL, 1000);
    learn("d@x", NULL, 255);
    assert_string_equal(ages(), "255:d@x|256:c@x|1000:a@x|1000:b@x|");
    /* Said once more, and once more at the same time. */
    assert_true(record_load_bad(store, slice_of("c@x"), &found));
    learn("c@x", &found, 2000);
    assert_true(record_load_bad(store, slice_of("b@x"), &found));
    learn("b@x", &found, 1000);
    assert_string_equal(ages(), "255:d@x|1000:a@x|1000:b@x|2000:c@x|");
    assert_true(record_load_bad(store, slice_of("a@x"), &found));
    record_delete_bad(store, slice_of("a@x"), &found);
    assert_false(record_load_bad(store, slice_of("a@x"), &found));
    assert_string_equal(ages(), "255:d@x|1000:b@x|2000:c@x|");
    assert_int_equal(store_count(store, STORE_BAD), 3);
    assert_int_equal(store_count(store, STORE_BAD_AGE), 3);
}

static void what_is_no_age(void **state)
{
    struct slice address;
    struct key key;
    int64_t learned;

    (void)state;
    record_bad_age_key(&key, 5, slice_of("a"));
    assert_true(record_bad_age_parts(key_slice(&key), &learned, &address));
    key.len--;
    assert_false(record_bad_age_parts(key_slice(&key), &learned, &address));
    assert_false(record_bad_age_parts(slice_of(""), &learned, &address));
}

static void guards_round_trip(void **state)
{
    struct guard saved = {.step = 7, .rejected = {1, 2}, .total = {3, 4}, .since = 9};
    struct guard found;

    (void)state;
    assert_false(record_load_guard(store, 1, &found));
    record_save_guard(store, 1, &saved);
    assert_false(record_load_guard(store, 256, &found));
    memset(&found, 'z', sizeof(found));
    assert_true(record_load_guard(store, 1, &found));
    assert_memory_equal(&found, &saved, sizeof(saved));
}

/* A value cut anywhere is refused or gives what it still holds; it is never read beyond its end. */
static void values_that_are_cut(void **state)
{
    static const char none[sizeof(struct bad)];
    struct early_record early;
    struct bad_record bad;
    struct slice value;
    struct key key;

    (void)state;
    memset(&early, 0, sizeof(early));
    strcpy(early.original, "oo");
    strcpy(early.host, "hh");
    strcpy(early.text, "tt");
    record_recipient_key(&key, slice_of("4F1"), slice_of("a@b.example"));
    record_save_early(store, key_slice(&key), &early);
    assert_true(store_get(store, STORE_EARLY, key_slice(&key), &value));
    assert_int_equal(value.len, sizeof(early.e) + 9);
    for (size_t len = 0; len <= value.len; len++) {
        char *copy = malloc(len + 1);
        size_t strings = len - sizeof(early.e);
        assert_non_null(copy);
        memcpy(copy, value.at, len);
        copy = realloc(copy, len ? len : 1);
        assert_non_null(copy);
        if (record_decode_early((struct slice){copy, len}, &early) != (len >= sizeof(early.e)))
            fail_msg("early, %zu bytes", len);
        if (len >= sizeof(early.e)) {
            assert_int_equal(strlen(early.original), strings < 2 ? strings : 2);
            assert_int_equal(strlen(early.host), strings < 3 ? 0 : strings < 5 ? strings - 3 : 2);
            assert_int_equal(strlen(early.text), strings < 6 ? 0 : strings < 8 ? strings - 6 : 2);
        }
        free(copy);
    }
    memset(&bad, 'z', sizeof(bad));
    assert_false(record_decode_bad((struct slice){none, sizeof(none) - 1}, &bad));
    assert_true(record_decode_bad((struct slice){none, sizeof(none)}, &bad));
    assert_string_equal(bad.queue_id, "");
    assert_string_equal(bad.status, "");
    assert_string_equal(bad.host, "");
    assert_string_equal(bad.text, "");
    store_put(store, STORE_BAD, slice_of("short@x"), slice_of("x"));
    assert_false(record_load_bad(store, slice_of("short@x"), &bad));
}

/* As they would be in a file of another version: strings without an end, and too long ones. */
static void strings_that_do_not_fit(void **state)
{
    static char value[sizeof(struct bad) + 3000];
    struct bad_record bad;

    (void)state;
    memset(value, 0, sizeof(struct bad));
    memset(value + sizeof(struct bad), 'x', sizeof(value) - sizeof(struct bad));
    assert_true(record_decode_bad((struct slice){value, sizeof(value)}, &bad));
    assert_int_equal(strlen(bad.queue_id), sizeof(bad.queue_id) - 1);
    assert_string_equal(bad.status, "");
    value[sizeof(struct bad) + 2000] = '\0';
    assert_true(record_decode_bad((struct slice){value, sizeof(value)}, &bad));
    assert_int_equal(strlen(bad.queue_id), sizeof(bad.queue_id) - 1);
    assert_int_equal(strlen(bad.status), sizeof(bad.status) - 1);
    assert_string_equal(bad.host, "");
}

static void guards_of_another_size(void **state)
{
    char bytes[sizeof(struct guard) + 1] = {0};
    struct guard guard;
    uint32_t id = 3;

    (void)state;
    for (size_t len = sizeof(bytes) - 2; len <= sizeof(bytes); len++) {
        store_put(store, STORE_GUARD, record_id_subject(&id), (struct slice){bytes, len});
        if (record_load_guard(store, id, &guard) != (len == sizeof(guard)))
            fail_msg("%zu bytes", len);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(recipient_keys_round_trip),
        TEST(what_is_no_recipient_key),
        TEST(long_addresses_fit_and_differ),
        TEST(prefixes_hold_one_message_together),
        TEST(the_key_after_is_the_next_one),
        TEST(waiting_keys_round_trip_and_sort),
        TEST(due_keys_round_trip_and_sort),
        TEST(destinations_are_found_by_name_and_id),
        TEST(records_that_are_too_short),
        TEST(attempts_are_kept_in_a_ring),
        TEST(retries_are_kept_in_a_ring),
        TEST(the_longest_text),
        TEST(messages_round_trip),
        TEST(what_is_no_message),
        TEST(bounced_recipients_round_trip),
        TEST(bad_addresses_round_trip),
        TEST(the_index_of_ages_stays_in_step),
        TEST(what_is_no_age),
        TEST(guards_round_trip),
        TEST(values_that_are_cut),
        TEST(strings_that_do_not_fit),
        TEST(guards_of_another_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
