#include "report_parts.h"

#include <string.h>

#include "failure.h"
#include "host.h"
#include "probation.h"
#include "text.h"

/* More than this many waiting recipients are "at least that many": counting must not take minutes.
 */
enum { COUNT_MAX = 100000 };

json_t *report_when(int64_t ms)
{
    return ms > 0 ? json_real((double)ms / 1000) : json_null();
}

json_t *report_text(const char *s)
{
    json_t *string = json_string(s);
    char copy[STORE_KEY_MAX + 1];

    if (string)
        return string;
    slice_copy(copy, sizeof(copy), slice_of(s));
    text_make_utf8(copy, strlen(copy));
    return json_string(copy);
}

json_t *report_text_slice(struct slice s)
{
    char copy[STORE_KEY_MAX + 1];

    slice_copy(copy, sizeof(copy), s);
    return report_text(copy);
}

json_t *report_long_text(struct slice s)
{
    char copy[RECORD_REPLY_MAX];

    slice_copy(copy, sizeof(copy), s);
    text_make_utf8(copy, strlen(copy));
    return json_string(copy);
}

/* Whether Postfix is connected, as posternd last saw it. False when it has not said. */
static bool load_connected(const struct report_question *q, bool *connected_r)
{
    struct slice found;

    *connected_r = true;
    if (!store_get(q->store, STORE_META, slice_of("connected"), &found) || found.len != 1)
        return false;
    *connected_r = found.at[0] != 0;
    return true;
}

bool report_acting(const struct report_question *q)
{
    bool connected;

    load_connected(q, &connected);
    return q->running && config_enforce(q->config) && connected;
}

json_t *report_begin(const struct report_question *q)
{
    bool connected;
    bool known = load_connected(q, &connected);

    return json_pack("{s:o, s:b, s:b, s:o, s:b}", "now", report_when(q->now), "running", q->running,
                     "enforce", config_enforce(q->config), "connected",
                     known ? json_boolean(connected) : json_null(), "acting", report_acting(q));
}

static uint64_t count_waiting(struct store *store, uint32_t id, uint64_t most)
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
    for (; more && n < most && record_waiting_parts(key, id, &baseline, &recipient); n++)
        more = store_next(store, STORE_WAITING, &key, &value);
    return n;
}

bool report_lacks_probe(const struct report_question *q, const struct destination *d)
{
    return d->health == DESTINATION_TRYING && count_waiting(q->store, d->id, 1) == 0;
}

enum destination_health report_health(const struct report_question *q, const struct destination *d)
{
    return report_lacks_probe(q, d) ? DESTINATION_DOWN : d->health;
}

static json_t *policy_object(const struct rules *rules)
{
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:I}", "name", rules->name, "open_retries_cap",
        (json_int_t)rules->cap, "max_open_retries", (json_int_t)rules->policy->max_open_retries,
        "open_interval", (json_int_t)rules->policy->open_interval, "max_transfer_retries",
        (json_int_t)rules->policy->max_transfer_retries, "transfer_interval",
        (json_int_t)rules->policy->transfer_interval, "count_suspended",
        rules->policy->count_suspended, "hold_after", (json_int_t)rules->policy->hold_after);
}

/* What was learned of its limit of recipients in one transaction; null: nothing. */
static json_t *limit_object(const struct destination *d)
{
    if (d->takes == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:o}", "takes", (json_int_t)d->takes, "lane", (json_int_t)d->lane,
                     "wider_at", report_when(d->lane_until));
}

/* When posternd makes the next attempt; 0: it does not. */
static int64_t next_attempt(const struct report_question *q, const struct destination *d)
{
    if (d->health == DESTINATION_UP || !report_acting(q) || report_lacks_probe(q, d))
        return 0;
    return d->health == DESTINATION_TRYING && d->next > 0 ? q->now : d->next;
}

/* The lane its mail goes through, beside that of its limit of recipients; null: the usual one. */
static json_t *pool_object(const struct report_question *q, const struct destination *d)
{
    static const char *const names[] = {
        [POOL_PROBATION] = "postern-probation", [POOL_NORMAL] = "smtp"};

    if (d->pool == POOL_DEFAULT)
        return json_null();
    return json_pack("{s:s, s:o}", "service", names[d->pool], "until",
                     report_when(d->pool == POOL_PROBATION ? probation_end(d, q->now) : 0));
}

static json_t *hosts_array(const struct report_question *q, uint32_t id)
{
    json_t *list = json_array();
    struct key prefix = {sizeof(id), {0}};
    struct slice key;
    struct slice value;
    struct host host;
    bool more;

    memcpy(prefix.bytes, &id, sizeof(id));
    more = store_seek(q->store, STORE_HOSTS_OF, key_slice(&prefix), &key, &value);
    for (; more && record_has_prefix(key, &prefix);
         more = store_next(q->store, STORE_HOSTS_OF, &key, &value)) {
        struct slice name = {key.at + sizeof(id), key.len - sizeof(id)};
        memset(&host, 0, sizeof(host));
        if (store_get(q->store, STORE_HOST, name, &value) && value.len == sizeof(host))
            memcpy(&host, value.at, sizeof(host));
        json_array_append_new(list, json_pack("{s:o, s:o}", "name", report_text_slice(name),
                                              "down_since", report_when(host.down_since)));
    }
    return list;
}

json_t *report_destination_object(const struct report_question *q,
                                  const struct destination_record *record)
{
    const struct destination *d = &record->d;
    const struct rules rules = rules_of(q->config, record);
    bool outage = d->health != DESTINATION_UP;

    return json_pack(
        "{s:o, s:b, s:s, s:b, s:b, s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:b, s:o, s:o, s:o, s:o}",
        "name", report_text(record_destination_title(record)), "group",
        record_destination_is_group(record), "health", destination_health_name(report_health(q, d)),
        "lacks_probe", report_lacks_probe(q, d), "proven", d->proven, "open_retries",
        (json_int_t)destination_failures(d), "since", report_when(outage ? d->since : 0),
        "last_attempt", report_when(d->last_counted), "next_attempt",
        report_when(next_attempt(q, d)), "last_open", report_when(d->last_open), "waiting",
        (json_int_t)count_waiting(q->store, d->id, COUNT_MAX), "last_error",
        record->error[0] ? report_text(record->error) : json_null(), "draining", d->draining,
        "policy", policy_object(&rules), "recipient_limit", limit_object(d), "lane",
        pool_object(q, d), "hosts", hosts_array(q, d->id));
}

static const char *kind_name(uint8_t kind)
{
    switch (kind) {
    case FAILURE_SUSPENDED:
        return "skipped";
    case FAILURE_TRANSFER:
        return "transfer_failure";
    default:
        return "open_failure";
    }
}

static json_t *attempt_object(const struct attempt_record *a)
{
    return json_pack("{s:I, s:o, s:o, s:s, s:o, s:o}", "number", (json_int_t)a->number, "started",
                     report_when(a->started), "ended", report_when(a->ended), "kind",
                     kind_name(a->kind), "queue_id", report_text(a->queue_id), "text",
                     report_text(a->text));
}

json_t *report_attempts(struct store *store, struct slice recipient_key)
{
    struct attempt_record list[RECORD_ATTEMPTS];
    size_t n = record_load_attempts(store, recipient_key, list, RECORD_ATTEMPTS);
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, attempt_object(&list[i]));
    return array;
}

/*
 * The history goes on from one outage to the next, and its numbers with it: "in_outage" counts from
 * 1 within the present one, and is null for one that is over.
 */
json_t *report_retries(struct store *store, const struct destination *d, const uint64_t *baseline)
{
    struct attempt_record list[RECORD_RETRIES];
    size_t n = record_load_retries(store, d->id, list, RECORD_RETRIES);
    uint64_t before = d->recorded - destination_failures(d);
    uint64_t from = baseline ? d->recorded - destination_retries_of(d, *baseline) : 0;
    json_t *array = json_array();

    for (size_t i = 0; i < n; i++) {
        bool now = list[i].number > before;
        json_t *object;

        if (list[i].number <= from)
            continue;
        object = attempt_object(&list[i]);
        json_object_set_new(object, "in_outage",
                            now ? json_integer((json_int_t)(list[i].number - before))
                                : json_null());
        json_array_append_new(array, object);
    }
    return array;
}
