/* The records of early reports: messages, bounced recipients, bad addresses, guards. */
#include "record_parts.h"

#include <stdlib.h>

/* A struct, then strings that each end in a NUL. */
struct packed {
    char bytes[sizeof(struct bad) + sizeof(struct early) + ADDRESS_MAX + RECORD_HOST_MAX +
               RECORD_REPLY_MAX + QUEUE_ID_MAX + 32];
    size_t len;
};

static void pack(struct packed *p, const void *bytes, size_t len)
{
    memcpy(p->bytes + p->len, bytes, len);
    p->len += len;
}

static void pack_string(struct packed *p, const char *s)
{
    pack(p, s, strlen(s) + 1);
}

static void unpack_string(struct slice *rest, char *buffer, size_t size)
{
    size_t len = strnlen(rest->at, rest->len);

    slice_copy(buffer, size, (struct slice){rest->at, len});
    if (len < rest->len)
        len++;
    rest->at += len;
    rest->len -= len;
}

/* Messages */

bool record_load_message(struct store *store, struct slice queue_id, struct message_record *r)
{
    const size_t head = offsetof(struct message_record, json);
    struct slice value;

    if (queue_id.len == 0 || queue_id.len > QUEUE_ID_MAX ||
        !store_get(store, STORE_ENVELOPE, queue_id, &value) || value.len < head)
        return false;
    memcpy(r, value.at, head);
    r->json = (struct slice){value.at + head, value.len - head};
    return true;
}

void record_save_message(struct store *store, struct slice queue_id, const struct message_record *r)
{
    const size_t head = offsetof(struct message_record, json);
    char *value = malloc(head + r->json.len);

    if (value == NULL)
        return; /* it is as if the door had not told */
    memcpy(value, r, head);
    memcpy(value + head, r->json.at, r->json.len);
    store_put(store, STORE_ENVELOPE, queue_id, (struct slice){value, head + r->json.len});
    free(value);
}

/* Bounced recipients */

bool record_decode_early(struct slice value, struct early_record *r)
{
    struct slice rest = {value.at + sizeof(r->e), value.len - sizeof(r->e)};

    if (value.len < sizeof(r->e))
        return false;
    memcpy(&r->e, value.at, sizeof(r->e));
    unpack_string(&rest, r->original, sizeof(r->original));
    unpack_string(&rest, r->host, sizeof(r->host));
    unpack_string(&rest, r->text, sizeof(r->text));
    return true;
}

bool record_load_early(struct store *store, struct slice key, struct early_record *r)
{
    struct slice value;

    return store_get(store, STORE_EARLY, key, &value) && record_decode_early(value, r);
}

void record_save_early(struct store *store, struct slice key, const struct early_record *r)
{
    struct packed p = {.len = 0};

    pack(&p, &r->e, sizeof(r->e));
    pack_string(&p, r->original);
    pack_string(&p, r->host);
    pack_string(&p, r->text);
    store_put(store, STORE_EARLY, key, (struct slice){p.bytes, p.len});
}

/* Bad addresses */

bool record_decode_bad(struct slice value, struct bad_record *r)
{
    struct slice rest = {value.at + sizeof(r->b), value.len - sizeof(r->b)};

    if (value.len < sizeof(r->b))
        return false;
    memcpy(&r->b, value.at, sizeof(r->b));
    unpack_string(&rest, r->queue_id, sizeof(r->queue_id));
    unpack_string(&rest, r->status, sizeof(r->status));
    unpack_string(&rest, r->host, sizeof(r->host));
    unpack_string(&rest, r->text, sizeof(r->text));
    return true;
}

bool record_load_bad(struct store *store, struct slice address, struct bad_record *r)
{
    struct slice value;

    return address.len > 0 && store_get(store, STORE_BAD, address, &value) &&
           record_decode_bad(value, r);
}

void record_bad_age_key(struct key *key_r, int64_t learned, struct slice address)
{
    key_r->len = 0;
    key_add_number(key_r, (uint64_t)learned, 8);
    key_add(key_r, address.at, address.len);
}

bool record_bad_age_parts(struct slice found, int64_t *learned_r, struct slice *address_r)
{
    if (found.len <= 8)
        return false;
    *learned_r = (int64_t)key_number_at(found.at, 8);
    *address_r = (struct slice){found.at + 8, found.len - 8};
    return true;
}

static void delete_age(struct store *store, struct slice address, const struct bad_record *r)
{
    struct key age;

    record_bad_age_key(&age, r->b.learned, address);
    store_delete(store, STORE_BAD_AGE, key_slice(&age));
}

void record_save_bad(struct store *store, struct slice address, const struct bad_record *before,
                     const struct bad_record *r)
{
    struct packed p = {.len = 0};
    struct key age;

    if (before)
        delete_age(store, address, before);
    record_bad_age_key(&age, r->b.learned, address);
    store_put(store, STORE_BAD_AGE, key_slice(&age), (struct slice){"", 0});
    pack(&p, &r->b, sizeof(r->b));
    pack_string(&p, r->queue_id);
    pack_string(&p, r->status);
    pack_string(&p, r->host);
    pack_string(&p, r->text);
    store_put(store, STORE_BAD, address, (struct slice){p.bytes, p.len});
}

void record_delete_bad(struct store *store, struct slice address, const struct bad_record *r)
{
    delete_age(store, address, r);
    store_delete(store, STORE_BAD, address);
}

/* Guards */

bool record_load_guard(struct store *store, uint32_t destination, struct guard *guard)
{
    struct slice value;

    if (!store_get(store, STORE_GUARD, record_id_subject(&destination), &value) ||
        value.len != sizeof(*guard))
        return false;
    memcpy(guard, value.at, sizeof(*guard));
    return true;
}

void record_save_guard(struct store *store, uint32_t destination, const struct guard *guard)
{
    store_put(store, STORE_GUARD, record_id_subject(&destination),
              (struct slice){(const char *)guard, sizeof(*guard)});
}
