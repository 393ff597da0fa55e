#include "report.h"

#include <ctype.h>
#include <string.h>

#include "report_parts.h"

enum { LIST_MAX = 50 };

/* Destinations */

static bool in_trouble(const struct destination *d)
{
    return d->health != DESTINATION_UP || d->draining;
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
    const struct report_question *q;
    json_int_t by_health[4];
    json_int_t proven;
    json_int_t total;
    json_int_t limits; /* destinations whose limit of recipients is known */
    json_t *lanes;     /* those in use */
};

static void note_lane(json_t *lanes, uint32_t lane)
{
    const json_t *known;
    size_t i;

    json_array_foreach(lanes, i, known) if (json_integer_value(known) == lane) return;
    if (lane > 0)
        json_array_append_new(lanes, json_integer(lane));
}

static void count_one(void *context, const struct destination_record *record)
{
    struct counts *counts = context;

    counts->by_health[report_health(counts->q, &record->d)]++;
    counts->proven += record->d.proven;
    counts->total++;
    counts->limits += record->d.takes > 0;
    note_lane(counts->lanes, record->d.lane);
}

/* When the last line of Postfix's that posternd has read was written; 0: none yet. */
static int64_t log_time(struct store *store)
{
    struct slice found;
    int64_t time;

    if (!store_get(store, STORE_META, slice_of("log-time"), &found) || found.len != sizeof(time))
        return 0;
    memcpy(&time, found.at, sizeof(time));
    return time;
}

static json_t *count_object(const struct counts *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "total", c->total, "proven", c->proven, "up",
                     c->by_health[DESTINATION_UP], "failing", c->by_health[DESTINATION_FAILING],
                     "down", c->by_health[DESTINATION_DOWN], "trying",
                     c->by_health[DESTINATION_TRYING]);
}

json_t *report_status(const struct report_question *q)
{
    struct counts c = {.q = q, .lanes = json_array()};
    json_t *report = report_begin(q);
    json_t *rest;

    each_destination(q->store, count_one, &c);
    rest = json_pack("{s:s, s:o, s:s, s:o, s:{s:I, s:o}, s:I, s:I}", "log", config_log(q->config),
                     "log_time", report_when(log_time(q->store)), "state",
                     config_state_directory(q->config), "destinations", count_object(&c),
                     "recipient_limits", "learned", c.limits, "lanes_in_use", c.lanes,
                     "waiting_recipients", (json_int_t)store_count(q->store, STORE_WAITING),
                     "routes", (json_int_t)store_count(q->store, STORE_ROUTE));
    json_object_update(report, rest);
    json_object_set_new(report, "early_ndr", report_early_status(q));
    json_decref(rest);
    return report;
}

struct listing {
    const struct report_question *q;
    json_t *list;
    json_int_t up;
};

static void list_one(void *context, const struct destination_record *record)
{
    struct listing *l = context;

    if (in_trouble(&record->d))
        json_array_append_new(l->list, report_destination_object(l->q, record));
    else
        l->up++;
}

json_t *report_destinations(const struct report_question *q)
{
    struct listing l = {q, json_array(), 0};
    json_t *report = report_begin(q);

    each_destination(q->store, list_one, &l);
    json_object_set_new(report, "destinations", l.list);
    json_object_set_new(report, "up", json_integer(l.up));
    return report;
}

static bool find_destination(const struct report_question *q, const char *name,
                             struct destination_record *record)
{
    char domain[sizeof(record->name)];
    char key[sizeof(record->name)];
    size_t n = slice_copy(domain, sizeof(domain), slice_of(name));

    snprintf(key, sizeof(key), "g:%.*s", (int)sizeof(key) - 3, name);
    if (record_load_destination(q->store, slice_of(key), record))
        return true;
    for (size_t i = 0; i < n; i++)
        domain[i] = (char)tolower((unsigned char)domain[i]);
    rules_name(q->config, slice_of(domain), key, sizeof(key));
    return record_load_destination(q->store, slice_of(key), record);
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
        json_t *one =
            json_pack("{s:o, s:o}", "queue_id", report_text_slice(record_key_queue_id(rest)),
                      "recipient", report_text_slice(record_key_recipient(rest)));

        json_array_append_new(array, one);
        more = store_next(store, STORE_WAITING, &key, &value);
    }
    return array;
}

json_t *report_destination(const struct report_question *q, const char *name)
{
    struct destination_record record;
    json_t *report;
    json_t *object;

    if (!find_destination(q, name, &record))
        return NULL;
    report = report_begin(q);
    object = report_destination_object(q, &record);
    json_object_update(report, object);
    json_decref(object);
    json_object_set_new(report, "history", report_retries(q->store, &record.d, NULL));
    json_object_set_new(report, "messages", waiting_list(q->store, &record));
    return report;
}

/* Messages */

static const char *give_up_name(const struct recipient *r, const struct destination_record *to,
                                const struct rules *rules)
{
    if (!recipient_given_up(r, &to->d, rules->cap))
        return NULL;
    switch (r->give_up) {
    case GIVE_UP_OPEN:
        return "open";
    case GIVE_UP_TRANSFER:
        return "transfer";
    default:
        return "recipient limit";
    }
}

/* `left` more failed attempts, the first at `next`, one every `interval` seconds; 0: unknown when.
 */
static json_t *forecast(const char *why, uint64_t left, int64_t next, uint32_t interval)
{
    int64_t about = 0;

    if (next > 0 && (interval > 0 || left == 1))
        about = next + (int64_t)(left - 1) * interval * 1000;
    return json_pack("{s:s, s:I, s:o}", "cap", why, "after", (json_int_t)left, "about",
                     report_when(about));
}

/* When it will be given up if all goes on like this; null: not foreseen, or decided already. */
static json_t *gives_up(const struct report_question *q, const struct recipient *r,
                        const struct destination *d, const struct rules *rules)
{
    uint64_t had = r->waiting ? destination_retries_of(d, r->baseline) : r->transfers;
    uint64_t cap = r->waiting ? rules->cap : rules->policy->max_transfer_retries;
    int64_t next = d->health == DESTINATION_TRYING || d->next < q->now ? q->now : d->next;

    if (!report_acting(q) || cap == 0 || had >= cap || recipient_given_up(r, d, rules->cap) ||
        (!r->waiting && had == 0))
        return json_null();
    if (!r->waiting)
        return forecast("transfer", cap - had, r->next, rules->policy->transfer_interval);
    return forecast("open", cap - had, d->next ? next : 0, rules->policy->open_interval);
}

static json_t *recipient_object(const struct report_question *q, struct slice key,
                                const struct recipient *r)
{
    struct destination_record to;
    struct rules rules;

    if (!record_load_destination_id(q->store, r->destination, &to))
        return NULL;
    rules = rules_of(q->config, &to);
    return json_pack(
        "{s:o, s:o, s:b, s:I, s:I, s:o, s:o, s:I, s:s?, s:o, s:o, s:o, s:o}", "recipient",
        report_text_slice(record_key_recipient(key)), "arrived", report_when(r->arrived), "waiting",
        r->waiting, "open_retries",
        r->waiting ? (json_int_t)destination_retries_of(&to.d, r->baseline) : 0, "transfer_retries",
        (json_int_t)r->transfers, "first_failure", report_when(r->first_failure), "wake_at",
        report_when(report_acting(q) ? r->next : 0), "failed_attempts", (json_int_t)r->failures,
        "over_cap", give_up_name(r, &to, &rules), "gives_up", gives_up(q, r, &to.d, &rules),
        "destination", report_destination_object(q, &to), "counted",
        r->waiting ? report_retries(q->store, &to.d, &r->baseline) : json_array(), "attempts",
        report_attempts(q->store, key));
}

json_t *report_message(const struct report_question *q, const char *queue_id)
{
    json_t *recipients = json_array();
    json_t *bounced = report_bounced(q, queue_id);
    json_t *report;
    struct recipient r;
    struct key prefix;
    struct key from;
    struct slice key;
    struct slice value;

    record_message_prefix(&prefix, slice_of(queue_id));
    from = prefix;
    while (store_seek(q->store, STORE_RECIPIENT, key_slice(&from), &key, &value) &&
           record_has_prefix(key, &prefix)) {
        key_after(&from, key);
        key = (struct slice){(const char *)from.bytes, from.len - 1};
        if (record_decode_recipient(value, &r))
            json_array_append_new(recipients, recipient_object(q, key, &r));
    }
    if (json_array_size(recipients) == 0 && json_array_size(bounced) == 0) {
        json_decref(recipients);
        json_decref(bounced);
        return NULL;
    }
    report = report_begin(q);
    json_object_set_new(report, "queue_id", json_string(queue_id));
    json_object_set_new(report, "recipients", recipients);
    json_object_set_new(report, "bounced", bounced);
    return report;
}
