/*
 * How the ledger's records and keys look in the store. Fixed structs in the machine's own byte
 * order (the file never leaves the machine; store.c's format string changes with them); numbers in
 * keys are big-endian so that they sort. Loads return false for what is absent or too short. Not
 * thread-safe beyond what the store is.
 */
#ifndef POSTERN_RECORD_H
#define POSTERN_RECORD_H

#include "address.h"
#include "bad.h"
#include "destination.h"
#include "early.h"
#include "guard.h"
#include "lane.h"
#include "recipient.h"
#include "store.h"

enum { RECORD_TEXT_MAX = 300, RECORD_ATTEMPTS = 24, RECORD_RETRIES = 32, QUEUE_ID_MAX = 64 };

struct key {
    size_t len;
    unsigned char bytes[STORE_KEY_MAX];
};

struct slice key_slice(const struct key *key);
/* Turns a found key into the smallest one behind it, for store_seek. */
struct slice key_after(struct key *key, struct slice found);

/* A destination with what it is called and its last error. */
struct destination_record {
    struct destination d;
    char name[264];              /* "d:domain" or "g:group" */
    char error[RECORD_TEXT_MAX]; /* of the last counted retry */
};

bool record_load_destination(struct store *store, struct slice name, struct destination_record *r);
bool record_load_destination_id(struct store *store, uint32_t id, struct destination_record *r);
bool record_decode_destination(struct slice name, struct slice value, struct destination_record *r);
void record_save_destination(struct store *store, const struct destination_record *r);
/* Gives it an id and saves it. */
void record_create_destination(struct store *store, struct destination_record *r);
void record_delete_destination(struct store *store, const struct destination_record *r);
/* What people call it: the name without its "d:" or "g:". */
const char *record_destination_title(const struct destination_record *r);
bool record_destination_is_group(const struct destination_record *r);

/* False when the queue id is none, or the address is empty. Long addresses are shortened by a hash.
 */
bool record_recipient_key(struct key *key_r, struct slice queue_id, struct slice recipient);
void record_message_prefix(struct key *key_r, struct slice queue_id);
bool record_has_prefix(struct slice found, const struct key *prefix);
/* Queue id and recipient inside a recipient key. */
struct slice record_key_queue_id(struct slice recipient_key);
struct slice record_key_recipient(struct slice recipient_key);

bool record_load_recipient(struct store *store, struct slice key, struct recipient *r);
bool record_decode_recipient(struct slice value, struct recipient *r);
void record_save_recipient(struct store *store, struct slice key, const struct recipient *r);

void record_waiting_key(struct key *key_r, uint32_t destination, uint64_t baseline,
                        struct slice recipient_key);
/* False when `found` is of another destination. */
bool record_waiting_parts(struct slice found, uint32_t destination, uint64_t *baseline_r,
                          struct slice *recipient_key_r);

enum due_kind {
    DUE_RETRY = 'p',       /* destination: the next retry, or another probe */
    DUE_WORK = 'w',        /* destination: messages over the cap, or to be woken after an outage */
    DUE_RECIPIENT = 'r',   /* recipient: to be woken */
    DUE_LANE = 'l',        /* destination: a wider lane is tried */
    DUE_TRANSACTION = 't', /* transaction: it has gone quiet */
    DUE_POOL = 's',        /* destination: its probation ends */
    DUE_DELAY = 'd',       /* message: its sender is told of the delay */
    DUE_EARLY = 'e',       /* message: its bounced recipients are reported */
};
void record_due_key(struct key *key_r, int64_t time, enum due_kind kind, struct slice subject);
bool record_due_parts(struct slice found, int64_t *time_r, enum due_kind *kind_r,
                      struct slice *subject_r);
struct slice record_id_subject(const uint32_t *id);

/* One transaction, and the last recipient that was refused in it. */
struct transaction_record {
    struct transaction t;
    struct key last_refused; /* a recipient key */
};
bool record_transaction_key(struct key *key_r, struct slice queue_id, uint32_t pid,
                            uint32_t destination);
bool record_load_transaction(struct store *store, struct slice key, struct transaction_record *r);
void record_save_transaction(struct store *store, struct slice key,
                             const struct transaction_record *r);

/* What the door saw of a message; `json` points into the store (store_get). */
struct message_record {
    int64_t due;     /* when its bounced recipients are reported; 0: never */
    int64_t arrived; /* ms since the epoch */
    struct slice json;
};
bool record_load_message(struct store *store, struct slice queue_id, struct message_record *r);
void record_save_message(struct store *store, struct slice queue_id,
                         const struct message_record *r);

/* A recipient that bounced. Its key is a recipient key. */
enum { RECORD_REPLY_MAX = 1024, RECORD_HOST_MAX = 260 };
struct early_record {
    struct early e;
    char original[ADDRESS_MAX + 1]; /* the address that an alias made it of; "" */
    char host[RECORD_HOST_MAX];     /* that said it; "" when none did */
    char text[RECORD_REPLY_MAX];    /* the reason, as logged */
};
bool record_load_early(struct store *store, struct slice key, struct early_record *r);
bool record_decode_early(struct slice value, struct early_record *r);
void record_save_early(struct store *store, struct slice key, const struct early_record *r);

/* A bad address. Its key is the canonical address (address.h). */
struct bad_record {
    struct bad b;
    char queue_id[QUEUE_ID_MAX + 1]; /* of the message it was learned from */
    char status[12];                 /* "5.1.1" */
    char host[RECORD_HOST_MAX];
    char text[RECORD_REPLY_MAX];
};
bool record_load_bad(struct store *store, struct slice address, struct bad_record *r);
bool record_decode_bad(struct slice value, struct bad_record *r);
/* Keep the index of ages; `before` is the record as it was, NULL for none. */
void record_save_bad(struct store *store, struct slice address, const struct bad_record *before,
                     const struct bad_record *r);
void record_delete_bad(struct store *store, struct slice address, const struct bad_record *r);
void record_bad_age_key(struct key *key_r, int64_t learned, struct slice address);
bool record_bad_age_parts(struct slice found, int64_t *learned_r, struct slice *address_r);

bool record_load_guard(struct store *store, uint32_t destination, struct guard *guard);
void record_save_guard(struct store *store, uint32_t destination, const struct guard *guard);

/* A failed attempt of one recipient, or a counted retry of a destination. */
struct attempt_record {
    int64_t started;
    int64_t ended;
    uint64_t number; /* from 1 */
    uint8_t kind;    /* enum failure */
    char queue_id[QUEUE_ID_MAX + 1];
    char text[RECORD_TEXT_MAX];
};
/* The last RECORD_ATTEMPTS of a recipient and RECORD_RETRIES of a destination are kept. */
void record_save_attempt(struct store *store, struct slice recipient_key,
                         const struct attempt_record *a);
void record_save_retry(struct store *store, uint32_t destination, const struct attempt_record *a);
/* Fills at most `size`, oldest first; returns how many. */
size_t record_load_attempts(struct store *store, struct slice recipient_key,
                            struct attempt_record *list, size_t size);
size_t record_load_retries(struct store *store, uint32_t destination, struct attempt_record *list,
                           size_t size);
void record_delete_attempts(struct store *store, struct slice recipient_key);
void record_delete_retries(struct store *store, uint32_t destination);

#endif
