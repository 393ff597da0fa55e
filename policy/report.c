#include "report.h"

#include <ctype.h>
#include <stdlib.h>

#include "lock.h"
#include "failure.h"
#include "record.h"
#include "rules.h"

/* More than this many waiting recipients are "at least that many": counting must not take minutes. */
enum { COUNT_MAX = 100000, LIST_MAX = 50 };

static json_t *when(int64_t ms)
{
    return ms > 0 ? json_real((double)ms / 1000) : json_null();
}

/* Texts of strangers are not always UTF-8. */
static json_t *text(const char *s)
{
    json_t *string = json_string(s);
    char copy[RECORD_TEXT_MAX + 1];

    if (string)
        return string;
    slice_copy(copy, sizeof(copy), slice_of(s));
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return json_string(copy);
}

static json_t *text_slice(struct slice s)
{
    char copy[STORE_KEY_MAX + 1];

    slice_copy(copy, sizeof(copy), s);
    return text(copy);
}

/* Destinations */

static uint64_t count_waiting(struct store *store, uint32_t id)
{
    struct key from;
    struct slice key;
    struct slice value;
    struct slice recipient;
    uint64_t baseline;
    uint64_t n = 0;
    bool more;

    record_waiting_key(&from, id, 0, (struct slice){"", 0});
    more = store_seek(store, STORE_WAITING, key_slice(&from), &key, &value);
    for (; more && n < COUNT_MAX && record_waiting_parts(key, id, &baseline, &recipient); n++)
        more = store_next(store, STORE_WAITING, &key, &value);
    return n;
}

static json_t *policy_object(const struct rules *rules)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:I}", "name", rules->name,
                     "open_retries_cap", (json_int_t)rules->cap, "max_open_retries",
                     (json_int_t)rules->policy->max_open_retries, "open_interval",
                     (json_int_t)rules->policy->open_interval, "max_transfer_retries",
                     (json_int_t)rules->policy->max_transfer_retries, "transfer_interval",
                     (json_int_t)rules->policy->transfer_interval, "count_suspended",
                     rules->policy->count_suspended, "hold_after",
                     (json_int_t)rules->policy->hold_after);
}

/* What was learned of its limit of recipients in one transaction; null: nothing. */
static json_t *limit_object(const struct destination *d)
{
    if (d->takes == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:o}", "takes", (json_int_t)d->takes, "lane",
                     (json_int_t)d->lane, "wider_at", when(d->lane_until));
}

static bool in_trouble(const struct destination *d)
{
    return d->health != DESTINATION_UP || d->draining;
}

static json_t *destination_object(struct store *store, const struct config *config,
                                  const struct destination_record *record)
{
    const struct destination *d = &record->d;
    const struct rules rules = rules_of(config, record);
    bool outage = d->health != DESTINATION_UP;

    return json_pack(
        "{s:o, s:b, s:s, s:b, s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:b, s:o, s:o}", "name",
        text(record_destination_title(record)), "group", record_destination_is_group(record),
        "health", destination_health_name(d->health), "proven", d->proven, "open_retries",
        (json_int_t)destination_failures(d), "since", when(outage ? d->since : 0), "last_attempt",
        when(d->last_counted), "next_attempt", when(outage ? d->next : 0), "last_open",
        when(d->last_open), "waiting", (json_int_t)count_waiting(store, d->id), "last_error",
        record->error[0] ? text(record->error) : json_null(), "draining", d->draining, "policy",
        policy_object(&rules), "recipient_limit", limit_object(d));
}

/* Calls `visit` with every destination. */
typedef void visit_destination(void *context, const struct destination_record *record);

static void each_destination(struct store *store, visit_destination *visit, void *context)
{
    struct destination_record record;
    struct key from = {0, {0}};
    struct slice key;
    struct slice value;

    while (store_seek(store, STORE_DESTINATION, key_slice(&from), &key, &value)) {
        if (record_decode_destination(key, value, &record))
            visit(context, &record);
        key_after(&from, key);
    }
}

struct counts {
    json_int_t by_health[4];
    json_int_t proven;
    json_int_t total;
};

static void count_one(void *context, const struct destination_record *record)
{
    struct counts *counts = context;

    counts->by_health[record->d.health]++;
    counts->proven += record->d.proven;
    counts->total++;
}

json_t *report_status(struct store *store, const struct config *config, int64_t now)
{
    struct counts c = {{0}, 0, 0};

    each_destination(store, count_one, &c);
    return json_pack(
        "{s:o, s:b, s:b, s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:I, s:I}", "now", when(now),
        "running", lock_is_held(config_runtime_directory(config)), "enforce",
        config_enforce(config), "log", config_log(config), "state",
        config_state_directory(config), "destinations", "total", c.total, "proven", c.proven, "up",
        c.by_health[DESTINATION_UP], "failing", c.by_health[DESTINATION_FAILING], "down",
        c.by_health[DESTINATION_DOWN], "trying", c.by_health[DESTINATION_TRYING],
        "waiting_recipients", (json_int_t)store_count(store, STORE_WAITING), "routes",
        (json_int_t)store_count(store, STORE_ROUTE));
}

struct listing {
    struct store *store;
    const struct config *config;
    json_t *list;
    json_int_t up;
};

static void list_one(void *context, const struct destination_record *record)
{
    struct listing *l = context;

    if (in_trouble(&record->d))
        json_array_append_new(l->list, destination_object(l->store, l->config, record));
    else
        l->up++;
}

json_t *report_destinations(struct store *store, const struct config *config, int64_t now)
{
    struct listing l = {store, config, json_array(), 0};

    each_destination(store, list_one, &l);
    return json_pack("{s:o, s:b, s:o, s:I}", "now", when(now), "enforce", config_enforce(config),
                     "destinations", l.list, "up", l.up);
}

static bool find_destination(struct store *store, const struct config *config, const char *name,
                             struct destination_record *record)
{
    char domain[sizeof(record->name)];
    char key[sizeof(record->name)];
    size_t n = slice_copy(domain, sizeof(domain), slice_of(name));

    snprintf(key, sizeof(key), "g:%.*s", (int)sizeof(key) - 3, name);
    if (record_load_destination(store, slice_of(key), record))
        return true;
    for (size_t i = 0; i < n; i++)
        domain[i] = (char)tolower((unsigned char)domain[i]);
    rules_name(config, slice_of(domain), key, sizeof(key));
    return record_load_destination(store, slice_of(key), record);
}

static const char *kind_name(uint8_t kind)
{
    switch (kind) {
    case FAILURE_SUSPENDED:
        return "skipped";
    case FAILURE_TRANSFER:
        return "transfer";
    default:
        return "open";
    }
}

static json_t *attempt_list(const struct attempt_record *list, size_t n)
{
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            array, json_pack("{s:I, s:o, s:o, s:s, s:o, s:o}", "number",
                             (json_int_t)list[i].number, "started", when(list[i].started), "ended",
                             when(list[i].ended), "kind", kind_name(list[i].kind), "queue_id",
                             text(list[i].queue_id), "text", text(list[i].text)));
    return array;
}

static json_t *retries_of(struct store *store, uint32_t id)
{
    struct attempt_record list[RECORD_RETRIES];

    return attempt_list(list, record_load_retries(store, id, list, RECORD_RETRIES));
}

static json_t *waiting_list(struct store *store, const struct destination_record *record)
{
    json_t *array = json_array();
    struct key from;
    struct slice key;
    struct slice value;
    struct slice rest;
    uint64_t baseline;
    bool more;

    record_waiting_key(&from, record->d.id, 0, (struct slice){"", 0});
    more = store_seek(store, STORE_WAITING, key_slice(&from), &key, &value);
    while (more && json_array_size(array) < LIST_MAX &&
           record_waiting_parts(key, record->d.id, &baseline, &rest)) {
        json_array_append_new(array,
                              json_pack("{s:o, s:o}", "queue_id",
                                        text_slice(record_key_queue_id(rest)), "recipient",
                                        text_slice(record_key_recipient(rest))));
        more = store_next(store, STORE_WAITING, &key, &value);
    }
    return array;
}

json_t *report_destination(struct store *store, const struct config *config, const char *name,
                           int64_t now)
{
    struct destination_record record;
    json_t *object;

    if (!find_destination(store, config, name, &record))
        return NULL;
    object = destination_object(store, config, &record);
    json_object_set_new(object, "now", when(now));
    json_object_set_new(object, "enforce", json_boolean(config_enforce(config)));
    json_object_set_new(object, "history", retries_of(store, record.d.id));
    json_object_set_new(object, "messages", waiting_list(store, &record));
    return object;
}

/* Messages */

static const char *give_up_name(const struct recipient *r, const struct destination_record *to,
                                const struct rules *rules)
{
    if (!recipient_given_up(r, &to->d, rules->cap))
        return NULL;
    return r->give_up == GIVE_UP_OPEN ? "open" : "transfer";
}

static json_t *recipient_object(struct store *store, const struct config *config, struct slice key,
                                const struct recipient *r)
{
    struct attempt_record list[RECORD_ATTEMPTS];
    struct destination_record to;
    struct rules rules;
    const char *over;
    json_t *attempts;

    if (!record_load_destination_id(store, r->destination, &to))
        return NULL;
    rules = rules_of(config, &to);
    over = give_up_name(r, &to, &rules);
    attempts = attempt_list(list, record_load_attempts(store, key, list, RECORD_ATTEMPTS));
    return json_pack("{s:o, s:o, s:b, s:I, s:I, s:o, s:o, s:I, s:s?, s:o, s:o}", "recipient",
                     text_slice(record_key_recipient(key)), "arrived", when(r->arrived), "waiting",
                     r->waiting, "open_retries",
                     r->waiting ? (json_int_t)destination_retries_of(&to.d, r->baseline) : 0,
                     "transfer_retries", (json_int_t)r->transfers, "first_failure",
                     when(r->first_failure), "wake_at", when(r->next), "failed_attempts",
                     (json_int_t)r->failures, "over_cap", over, "destination",
                     destination_object(store, config, &to), "attempts", attempts);
}

json_t *report_message(struct store *store, const struct config *config, const char *queue_id,
                       int64_t now)
{
    json_t *recipients = json_array();
    struct recipient r;
    struct key prefix;
    struct key from;
    struct slice key;
    struct slice value;

    record_message_prefix(&prefix, slice_of(queue_id));
    from = prefix;
    while (store_seek(store, STORE_RECIPIENT, key_slice(&from), &key, &value) &&
           record_has_prefix(key, &prefix)) {
        key_after(&from, key);
        key = (struct slice){(const char *)from.bytes, from.len - 1};
        if (record_decode_recipient(value, &r))
            json_array_append_new(recipients, recipient_object(store, config, key, &r));
    }
    if (json_array_size(recipients) == 0) {
        json_decref(recipients);
        return NULL;
    }
    return json_pack("{s:o, s:s, s:b, s:o}", "now", when(now), "queue_id", queue_id, "enforce",
                     config_enforce(config), "recipients", recipients);
}
