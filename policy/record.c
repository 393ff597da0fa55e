#include "record_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* Longer addresses keep so many bytes in keys, followed by a hash of the whole. */
enum { KEY_ADDRESS_MAX = 380, KEY_ADDRESS_KEEP = 360 };

struct slice key_slice(const struct key *key)
{
    return (struct slice){(const char *)key->bytes, key->len};
}

void key_add(struct key *key, const void *bytes, size_t len)
{
    if (len > sizeof(key->bytes) - key->len)
        len = sizeof(key->bytes) - key->len;
    memcpy(key->bytes + key->len, bytes, len);
    key->len += len;
}

void key_add_number(struct key *key, uint64_t number, unsigned width)
{
    unsigned char bytes[8];

    for (unsigned i = 0; i < width; i++)
        bytes[i] = (unsigned char)(number >> (8 * (width - 1 - i)));
    key_add(key, bytes, width);
}

uint64_t key_number_at(const char *at, unsigned width)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < width; i++)
        number = number << 8 | (unsigned char)at[i];
    return number;
}

struct slice key_after(struct key *key, struct slice found)
{
    key->len = 0;
    key_add(key, found.at, found.len);
    key_add(key, "", 1);
    return key_slice(key);
}

bool record_has_prefix(struct slice found, const struct key *prefix)
{
    return found.len >= prefix->len && memcmp(found.at, prefix->bytes, prefix->len) == 0;
}

/* Destinations */

bool record_decode_destination(struct slice name, struct slice value, struct destination_record *r)
{
    if (value.len < sizeof(r->d))
        return false;
    memcpy(&r->d, value.at, sizeof(r->d));
    slice_copy(r->name, sizeof(r->name), name);
    slice_copy(r->error, sizeof(r->error),
               (struct slice){value.at + sizeof(r->d), value.len - sizeof(r->d)});
    return true;
}

bool record_load_destination(struct store *store, struct slice name, struct destination_record *r)
{
    struct slice value;

    return store_get(store, STORE_DESTINATION, name, &value) &&
           record_decode_destination(name, value, r);
}

bool record_load_destination_id(struct store *store, uint32_t id, struct destination_record *r)
{
    char name[sizeof(r->name)];
    struct slice found;

    if (!store_get(store, STORE_NAME, record_id_subject(&id), &found))
        return false;
    slice_copy(name, sizeof(name), found);
    return record_load_destination(store, slice_of(name), r);
}

void record_save_destination(struct store *store, const struct destination_record *r)
{
    char value[sizeof(r->d) + sizeof(r->error)];
    size_t len = strlen(r->error);

    memcpy(value, &r->d, sizeof(r->d));
    memcpy(value + sizeof(r->d), r->error, len);
    store_put(store, STORE_DESTINATION, slice_of(r->name),
              (struct slice){value, sizeof(r->d) + len});
}

void record_create_destination(struct store *store, struct destination_record *r)
{
    struct slice found;
    uint32_t next = 1;

    if (store_get(store, STORE_META, slice_of("next-id"), &found) && found.len == sizeof(next))
        memcpy(&next, found.at, sizeof(next));
    r->d.id = next++;
    store_put(store, STORE_META, slice_of("next-id"),
              (struct slice){(const char *)&next, sizeof(next)});
    store_put(store, STORE_NAME, record_id_subject(&r->d.id), slice_of(r->name));
    record_save_destination(store, r);
}

void record_delete_destination(struct store *store, const struct destination_record *r)
{
    store_delete(store, STORE_NAME, record_id_subject(&r->d.id));
    store_delete(store, STORE_DESTINATION, slice_of(r->name));
}

const char *record_destination_title(const struct destination_record *r)
{
    return r->name + 2;
}

bool record_destination_is_group(const struct destination_record *r)
{
    return r->name[0] == 'g';
}

/* Recipients */

/* FNV-1a, 64 bits: only to keep two long addresses of one message apart. */
static uint64_t hash(struct slice s)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.at[i]) * 1099511628211u;
    return h;
}

void record_message_prefix(struct key *key_r, struct slice queue_id)
{
    key_r->len = 0;
    key_add(key_r, queue_id.at, queue_id.len);
    key_add(key_r, "", 1);
}

bool record_recipient_key(struct key *key_r, struct slice queue_id, struct slice recipient)
{
    char tail[20];

    if (queue_id.len == 0 || queue_id.len > QUEUE_ID_MAX || recipient.len == 0)
        return false;
    record_message_prefix(key_r, queue_id);
    if (recipient.len <= KEY_ADDRESS_MAX) {
        key_add(key_r, recipient.at, recipient.len);
        return true;
    }
    snprintf(tail, sizeof(tail), "#%016llx", (unsigned long long)hash(recipient));
    key_add(key_r, recipient.at, KEY_ADDRESS_KEEP);
    key_add(key_r, tail, strlen(tail));
    return true;
}

struct slice record_key_queue_id(struct slice recipient_key)
{
    return (struct slice){recipient_key.at, strnlen(recipient_key.at, recipient_key.len)};
}

struct slice record_key_recipient(struct slice recipient_key)
{
    size_t skip = strnlen(recipient_key.at, recipient_key.len) + 1;

    if (skip > recipient_key.len)
        return (struct slice){"", 0};
    return (struct slice){recipient_key.at + skip, recipient_key.len - skip};
}

bool record_decode_recipient(struct slice value, struct recipient *r)
{
    if (value.len < sizeof(*r))
        return false;
    memcpy(r, value.at, sizeof(*r));
    return true;
}

bool record_load_recipient(struct store *store, struct slice key, struct recipient *r)
{
    struct slice value;

    return store_get(store, STORE_RECIPIENT, key, &value) && record_decode_recipient(value, r);
}

void record_save_recipient(struct store *store, struct slice key, const struct recipient *r)
{
    store_put(store, STORE_RECIPIENT, key, (struct slice){(const char *)r, sizeof(*r)});
}

/* Indexes */

void record_waiting_key(struct key *key_r, uint32_t destination, uint64_t baseline,
                        struct slice recipient_key)
{
    key_r->len = 0;
    key_add_number(key_r, destination, 4);
    key_add_number(key_r, baseline, 8);
    key_add(key_r, recipient_key.at, recipient_key.len);
}

bool record_waiting_parts(struct slice found, uint32_t destination, uint64_t *baseline_r,
                          struct slice *recipient_key_r)
{
    if (found.len <= 12 || key_number_at(found.at, 4) != destination)
        return false;
    *baseline_r = key_number_at(found.at + 4, 8);
    *recipient_key_r = (struct slice){found.at + 12, found.len - 12};
    return true;
}

void record_due_key(struct key *key_r, int64_t time, enum due_kind kind, struct slice subject)
{
    char letter = (char)kind;

    key_r->len = 0;
    key_add_number(key_r, (uint64_t)time, 8);
    key_add(key_r, &letter, 1);
    key_add(key_r, subject.at, subject.len);
}

bool record_due_parts(struct slice found, int64_t *time_r, enum due_kind *kind_r,
                      struct slice *subject_r)
{
    if (found.len <= 9)
        return false;
    *time_r = (int64_t)key_number_at(found.at, 8);
    *kind_r = (enum due_kind)found.at[8];
    *subject_r = (struct slice){found.at + 9, found.len - 9};
    return true;
}

struct slice record_id_subject(const uint32_t *id)
{
    return (struct slice){(const char *)id, sizeof(*id)};
}

/* Transactions */

bool record_transaction_key(struct key *key_r, struct slice queue_id, uint32_t pid,
                            uint32_t destination)
{
    if (queue_id.len == 0 || queue_id.len > QUEUE_ID_MAX)
        return false;
    record_message_prefix(key_r, queue_id);
    key_add_number(key_r, pid, 4);
    key_add_number(key_r, destination, 4);
    return true;
}

bool record_load_transaction(struct store *store, struct slice key, struct transaction_record *r)
{
    struct slice value;

    if (!store_get(store, STORE_TRANSACTION, key, &value) || value.len < sizeof(r->t) ||
        value.len - sizeof(r->t) > sizeof(r->last_refused.bytes))
        return false;
    memcpy(&r->t, value.at, sizeof(r->t));
    r->last_refused.len = value.len - sizeof(r->t);
    memcpy(r->last_refused.bytes, value.at + sizeof(r->t), r->last_refused.len);
    return true;
}

void record_save_transaction(struct store *store, struct slice key,
                             const struct transaction_record *r)
{
    char value[sizeof(*r)];

    memcpy(value, &r->t, sizeof(r->t));
    memcpy(value + sizeof(r->t), r->last_refused.bytes, r->last_refused.len);
    store_put(store, STORE_TRANSACTION, key,
              (struct slice){value, sizeof(r->t) + r->last_refused.len});
}

/* Attempts and retries: rings, so that no message and no outage grows without bound. */

static void save(struct store *store, enum store_table table, struct key *key, unsigned slots,
                 const struct attempt_record *a)
{
    struct attempt_record copy;
    size_t len;

    memset(&copy, 0, sizeof(copy));
    copy = *a;
    len = offsetof(struct attempt_record, text) + strnlen(copy.text, sizeof(copy.text));
    key_add_number(key, a->number % slots, 1);
    store_put(store, table, key_slice(key), (struct slice){(const char *)&copy, len});
}

static void attempt_prefix(struct key *key, struct slice recipient_key)
{
    key->len = 0;
    key_add(key, recipient_key.at, recipient_key.len);
    key_add(key, "", 1);
}

static void retry_prefix(struct key *key, uint32_t destination)
{
    key->len = 0;
    key_add_number(key, destination, 4);
}

void record_save_attempt(struct store *store, struct slice recipient_key,
                         const struct attempt_record *a)
{
    struct key key;

    attempt_prefix(&key, recipient_key);
    save(store, STORE_ATTEMPT, &key, RECORD_ATTEMPTS, a);
}

void record_save_retry(struct store *store, uint32_t destination, const struct attempt_record *a)
{
    struct key key;

    retry_prefix(&key, destination);
    save(store, STORE_RETRY, &key, RECORD_RETRIES, a);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = ((const struct attempt_record *)a)->number;
    uint64_t y = ((const struct attempt_record *)b)->number;

    return x < y ? -1 : x > y;
}

static size_t load(struct store *store, enum store_table table, const struct key *prefix,
                   struct attempt_record *list, size_t size)
{
    const size_t head = offsetof(struct attempt_record, text);
    struct slice key;
    struct slice value;
    size_t n = 0;
    bool found = store_seek(store, table, key_slice(prefix), &key, &value);

    for (; found && n < size && record_has_prefix(key, prefix) && key.len == prefix->len + 1;
         found = store_next(store, table, &key, &value)) {
        if (value.len < head || value.len - head >= sizeof(list[n].text))
            continue;
        memset(&list[n], 0, sizeof(list[n]));
        memcpy(&list[n], value.at, value.len);
        n++;
    }
    qsort(list, n, sizeof(*list), by_number);
    return n;
}

size_t record_load_attempts(struct store *store, struct slice recipient_key,
                            struct attempt_record *list, size_t size)
{
    struct key key;

    attempt_prefix(&key, recipient_key);
    return load(store, STORE_ATTEMPT, &key, list, size);
}

size_t record_load_retries(struct store *store, uint32_t destination, struct attempt_record *list,
                           size_t size)
{
    struct key key;

    retry_prefix(&key, destination);
    return load(store, STORE_RETRY, &key, list, size);
}

static void delete_all(struct store *store, enum store_table table, const struct key *prefix)
{
    struct key copy;
    struct slice key;
    struct slice value;

    while (store_seek(store, table, key_slice(prefix), &key, &value) &&
           record_has_prefix(key, prefix) && key.len == prefix->len + 1) {
        copy.len = 0;
        key_add(&copy, key.at, key.len);
        store_delete(store, table, key_slice(&copy));
    }
}

void record_delete_attempts(struct store *store, struct slice recipient_key)
{
    struct key key;

    attempt_prefix(&key, recipient_key);
    delete_all(store, STORE_ATTEMPT, &key);
}

void record_delete_retries(struct store *store, uint32_t destination)
{
    struct key key;

    retry_prefix(&key, destination);
    delete_all(store, STORE_RETRY, &key);
}
