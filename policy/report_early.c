/* Reports about early NDRs: bad addresses, guards, and recipients that bounced. */
#include <string.h>

#include "classify.h"
#include "report_parts.h"

/* The server's words without Postfix's around them. */
static json_t *said(const char *text)
{
    struct reply_parts said;

    return reply_parse(slice_of(text), &said) ? report_long_text(said.words)
                                              : report_long_text(slice_of(text));
}

static json_t *destination_name(const struct report_question *q, uint32_t id)
{
    struct destination_record to;

    if (!record_load_destination_id(q->store, id, &to))
        return json_null();
    return report_text(record_destination_title(&to));
}

static json_t *bad_object(const struct report_question *q, struct slice address,
                          const struct bad_record *r)
{
    uint32_t lifetime = config_early(q->config)->lifetime;

    return json_pack(
        "{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:I, s:s}", "address", report_text_slice(address),
        "destination", destination_name(q, r->b.destination), "host", report_text(r->host),
        "status", r->status, "said", said(r->text), "learned", report_when(r->b.learned), "tested",
        report_when(r->b.tested), "ends", report_when(bad_end(&r->b, lifetime)), "times",
        (json_int_t)r->b.times, "queue_id", r->queue_id);
}

/* By age, the oldest first. */
static json_t *bad_list(const struct report_question *q)
{
    uint32_t lifetime = config_early(q->config)->lifetime;
    json_t *list = json_array();
    struct bad_record r;
    struct slice address;
    struct slice key;
    struct slice value;
    int64_t learned;
    bool more = store_seek(q->store, STORE_BAD_AGE, (struct slice){"", 0}, &key, &value);

    for (; more; more = store_next(q->store, STORE_BAD_AGE, &key, &value)) {
        if (record_bad_age_parts(key, &learned, &address) &&
            record_load_bad(q->store, address, &r) && bad_judge(&r.b, lifetime, q->now) != BAD_OVER)
            json_array_append_new(list, bad_object(q, address, &r));
    }
    return list;
}

/* Calls for each destination whose guard has tripped; the window may have passed since. */
static json_t *guard_list(const struct report_question *q)
{
    const struct config_early *early = config_early(q->config);
    const struct guard_rules rules = {early->guard_sample, early->guard_ratio,
                                      (int64_t)early->guard_window * 1000};
    json_t *list = json_array();
    struct guard guard;
    struct slice key;
    struct slice value;
    uint32_t id;
    bool more = store_seek(q->store, STORE_GUARD, (struct slice){"", 0}, &key, &value);

    for (; more; more = store_next(q->store, STORE_GUARD, &key, &value)) {
        if (key.len != sizeof(id) || value.len != sizeof(guard))
            continue;
        memcpy(&id, key.at, sizeof(id));
        memcpy(&guard, value.at, sizeof(guard));
        guard_pass(&guard, &rules, q->now);
        if (guard.since == 0)
            continue;
        json_array_append_new(
            list, json_pack("{s:o, s:I, s:I, s:o}", "destination", destination_name(q, id),
                            "rejected", (json_int_t)guard_rejected(&guard), "of",
                            (json_int_t)guard_total(&guard), "since", report_when(guard.since)));
    }
    return list;
}

static const char *mode_name(const struct config *config)
{
    static const char *const names[] = {
        [EARLY_REFUSE] = "refuse", [EARLY_NDR] = "ndr", [EARLY_OFF] = "off"};

    return names[config_early_mode(config)];
}

json_t *report_recipients(const struct report_question *q)
{
    json_t *report = report_begin(q);

    json_object_set_new(report, "mode", json_string(mode_name(q->config)));
    json_object_set_new(report, "recipients", bad_list(q));
    json_object_set_new(report, "guards", guard_list(q));
    return report;
}

json_t *report_early_status(const struct report_question *q)
{
    return json_pack("{s:s, s:I, s:o}", "mode", mode_name(q->config), "bad_addresses",
                     (json_int_t)store_count(q->store, STORE_BAD), "guards", guard_list(q));
}

/* Without a milter for Postfix's own reports posternd sends none. */
static bool is_possible(const struct report_question *q)
{
    struct slice found;

    return !store_get(q->store, STORE_META, slice_of("early-possible"), &found) ||
           (found.len == 1 && found.at[0] != 0);
}

static json_t *bounced_object(const struct report_question *q, struct slice key,
                              const struct early_record *r, const struct message_record *m)
{
    bool due = r->e.state == EARLY_PENDING && report_acting(q) && is_possible(q) && m->due > 0;

    return json_pack("{s:o, s:o, s:s, s:o, s:s, s:o, s:o}", "recipient",
                     report_text_slice(record_key_recipient(key)), "bounced",
                     report_when(r->e.bounced), "status", r->e.status, "said", said(r->text),
                     "report", early_state_name(r->e.state), "report_due",
                     report_when(due ? m->due : 0), "reported", report_when(r->e.reported));
}

json_t *report_bounced(const struct report_question *q, const char *queue_id)
{
    json_t *list = json_array();
    struct message_record m = {.due = 0};
    struct early_record r;
    struct key prefix;
    struct slice key;
    struct slice value;
    bool more;

    record_load_message(q->store, slice_of(queue_id), &m); /* the door may not have told of it */
    record_message_prefix(&prefix, slice_of(queue_id));
    more = store_seek(q->store, STORE_EARLY, key_slice(&prefix), &key, &value);
    for (; more && record_has_prefix(key, &prefix);
         more = store_next(q->store, STORE_EARLY, &key, &value))
        if (record_decode_early(value, &r))
            json_array_append_new(list, bounced_object(q, key, &r, &m));
    return list;
}
