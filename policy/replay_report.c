#include "replay_report.h"

#include <stdlib.h>

#include "replay_parts.h"
#include "text.h"

static json_t *when(int64_t ms)
{
    return ms > 0 ? json_real((double)ms / 1000) : json_null();
}

static json_t *seconds(int64_t ms)
{
    return json_real((double)ms / 1000);
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* Strangers' text is not always UTF-8. */
static json_t *text(struct slice s)
{
    char copy[STORE_KEY_MAX + 1];

    slice_copy(copy, sizeof(copy), s);
    text_clean(copy);
    return json_string(copy);
}

static json_t *steps_of(const struct replay_tally *tally)
{
    json_t *array = json_array();

    for (int i = 0; i < REPLAY_STEPS; i++) {
        int64_t end = replay_step_end(i);

        json_array_append_new(array,
                              json_pack("{s:o, s:o}", "below", end ? seconds(end) : json_null(),
                                        "count", number(tally->steps[i])));
    }
    return array;
}

static json_t *tally_of(const struct replay_tally *tally)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "count", number(tally->count), "mean",
                     seconds(replay_tally_mean(tally)), "most", seconds(tally->most), "steps",
                     steps_of(tally));
}

static json_t *samples_of(const struct replay_samples *samples)
{
    json_t *array = json_array();

    for (size_t i = 0; i < samples->count; i++) {
        const struct replay_sample *sample = &samples->list[i];

        json_array_append_new(array, json_pack("{s:o, s:o, s:o, s:o}", "queue_id",
                                               text(slice_of(sample->queue_id)), "recipient",
                                               text(slice_of(sample->recipient)), "would",
                                               when(sample->would), "was", when(sample->was)));
    }
    return array;
}

/* Outages */

struct found {
    const struct replay_outage *outage;
    const struct replay_destination *to;
    struct slice name;
};

struct found_list {
    struct found *list;
    size_t count;
    size_t size;
};

struct finding {
    const struct replay_study *study;
    struct found_list outages;
    struct found_list limits; /* destinations that refused recipients as too many */
};

static const char *state_of(const struct replay_outage *o)
{
    if (o->ended > 0)
        return "over";
    return o->still > 0 ? "ongoing" : "not seen to end";
}

static json_t *outage_object(const struct replay_study *s, const struct found *f)
{
    const struct replay_outage *o = f->outage;
    int64_t end = o->ended > 0 ? o->ended : o->still > 0 ? s->last : o->last_failed;
    uint32_t cap = o->ended > 0 ? f->to->policy->max_open_retries
                                : destination_cap(&f->to->d, f->to->policy, f->to->listed,
                                                  config_unproven_max_open_retries(s->config));
    json_t *object = json_pack("{s:o, s:b, s:b, s:s, s:o, s:o, s:o, s:o}", "destination",
                               text((struct slice){f->name.at + 2, f->name.len - 2}), "group",
                               f->to->listed, "reached", f->to->d.proven, "state", state_of(o),
                               "began", when(o->began), "ended", when(o->ended), "last_failed",
                               when(o->last_failed), "lasted", seconds(end - o->began));
    json_t *more = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "attempts",
        number(o->attempts - o->skipped), "suspended", number(o->skipped), "counted",
        number(o->counted), "busy", seconds(o->busy), "waited", tally_of(&o->waited), "lag",
        tally_of(&o->lag), "expired", number(o->expired), "over_cap", number(o->returned),
        "still_waiting", number(o->still), "cap", (json_int_t)cap, "open_interval",
        (json_int_t)f->to->policy->open_interval, "last_error", text(slice_of(o->error)));

    json_object_update(object, more);
    json_decref(more);
    return object;
}

static void add_found(struct found_list *found, struct found f)
{
    if (found->count == found->size) {
        size_t size = found->size ? found->size * 2 : 256;
        struct found *list = realloc(found->list, size * sizeof(*list));

        if (list == NULL)
            return;
        found->list = list;
        found->size = size;
    }
    found->list[found->count++] = f;
}

static void look_at(void *context, void *value)
{
    struct finding *finding = context;
    struct replay_destination *to = value;
    struct slice name = replay_map_key(finding->study->destinations, to);

    for (const struct replay_outage *o = to->outages; o; o = o->next)
        add_found(&finding->outages, (struct found){o, to, name});
    if (to->wrong_bounces > 0 || to->splits > 0)
        add_found(&finding->limits, (struct found){NULL, to, name});
}

static int by_begin(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->outage->began != y->outage->began)
        return x->outage->began < y->outage->began ? -1 : 1;
    return strcmp(x->name.at, y->name.at);
}

/* Those with most to lose come first. */
static int by_bounces(const void *a, const void *b)
{
    const struct replay_destination *x = ((const struct found *)a)->to;
    const struct replay_destination *y = ((const struct found *)b)->to;

    if (x->wrong_bounces != y->wrong_bounces)
        return x->wrong_bounces > y->wrong_bounces ? -1 : 1;
    if (x->splits != y->splits)
        return x->splits > y->splits ? -1 : 1;
    return strcmp(((const struct found *)a)->name.at, ((const struct found *)b)->name.at);
}

static json_t *outages_of(const struct replay_study *s, struct found_list *found)
{
    json_t *array = json_array();

    if (found->count > 0)
        qsort(found->list, found->count, sizeof(*found->list), by_begin);
    for (size_t i = 0; i < found->count; i++)
        json_array_append_new(array, outage_object(s, &found->list[i]));
    return array;
}

static json_t *limited(struct found_list *found)
{
    json_t *array = json_array();

    if (found->count > 0)
        qsort(found->list, found->count, sizeof(*found->list), by_bounces);
    for (size_t i = 0; i < found->count; i++) {
        const struct replay_destination *to = found->list[i].to;
        struct slice name = found->list[i].name;

        json_array_append_new(
            array, json_pack("{s:o, s:o, s:o, s:o, s:o}", "destination",
                             text((struct slice){name.at + 2, name.len - 2}), "wrong_bounces",
                             number(to->wrong_bounces), "deferrals", number(to->splits), "drains",
                             tally_of(&to->drains), "reply",
                             text(slice_of(to->limit_reply ? to->limit_reply : ""))));
    }
    return array;
}

/* The other findings */

static json_t *mail_of(const struct replay_study *s)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "deliveries",
        number(s->deliveries), "sent", number(s->sent), "deferred", number(s->deferred), "bounced",
        number(s->bounced), "open_failures", number(s->open_failures), "suspended",
        number(s->skipped), "transfer_failures", number(s->transfer_failures), "short_outages",
        number(s->short_outages), "delays", tally_of(&s->delays), "destinations",
        number(replay_map_count(s->destinations)), "deferred_by_postern", number(s->ours));
}

static json_t *ndrs_of(const struct replay_study *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "expired_messages",
                     number(s->expired_messages), "expired_recipients", number(s->expired),
                     "no_cap", number(s->expired_uncapped), "no_sender", number(s->expired_silent),
                     "not_seen_to_fail", number(s->expired_unseen), "earlier",
                     tally_of(&s->earlier), "earlier_samples", samples_of(&s->earlier_samples),
                     "delivered_after_cap", tally_of(&s->in_vain), "delivered_after_cap_samples",
                     samples_of(&s->in_vain_samples), "waiting_over_cap", number(s->waiting_over),
                     "waiting", number(s->waiting));
}

static json_t *early_of(const struct replay_study *s)
{
    const struct config_early *early = config_early(s->config);

    return json_pack("{s:b, s:I, s:o, s:o, s:o}", "on", early->mode != EARLY_OFF, "after",
                     (json_int_t)early->after, "ndrs", number(s->ndrs), "earlier",
                     tally_of(&s->late_ndrs), "samples", samples_of(&s->early_samples));
}

static json_t *held_of(const struct replay_study *s)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:i, s:o, s:o}", "least", REPLAY_HELD_UP, "all",
                     tally_of(&s->held), "beside_silence", number(s->held_by_silence),
                     "beside_silence_time", seconds(s->held_by_silence_ms),
                     "beside_silence_processes", REPLAY_SILENT_LEAST, "busiest",
                     number(s->busy_most), "busiest_at", when(s->busy_most_at));
}

static json_t *limits_hit(const struct replay_study *s)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "destinations", number(s->destinations_lost),
                     "recipients", number(s->waiters_lost), "outages", number(s->outages_lost),
                     "minutes", number(s->minutes_lost));
}

static json_t *settings_of(const struct replay_study *s)
{
    const struct retry_policy *retry = config_retry(s->config);

    return json_pack(
        "{s:o, s:b, s:I, s:I, s:I, s:I, s:b, s:b}", "file", text(slice_of(config_path(s->config))),
        "enforce", config_enforce(s->config), "max_open_retries",
        (json_int_t)retry->max_open_retries, "open_interval", (json_int_t)retry->open_interval,
        "unproven_max_open_retries", (json_int_t)config_unproven_max_open_retries(s->config),
        "groups", (json_int_t)config_group_count(s->config), "outbound",
        config_outbound_limits(s->config), "lanes", config_lanes_mode(s->config) != LANES_OFF);
}

json_t *replay_report(const struct replay_study *s)
{
    struct finding finding = {.study = s};
    json_t *report;

    replay_map_each(s->destinations, look_at, &finding);
    report = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o, s:o, s:o}, s:o, s:o, s:o, "
                       "s:o}",
                       "configuration", settings_of(s), "from", when(s->first), "to", when(s->last),
                       "mail", mail_of(s), "outages", outages_of(s, &finding.outages), "ndrs",
                       ndrs_of(s), "recipient_limits", "wrong_bounces", number(s->wrong_bounces),
                       "deferrals", number(s->splits), "drains", tally_of(&s->drains), "samples",
                       samples_of(&s->wrong_samples), "destinations", limited(&finding.limits),
                       "bad_beside_slow", early_of(s), "held_up", held_of(s), "after_outages",
                       tally_of(&s->lag), "limits_hit", limits_hit(s));
    free(finding.outages.list);
    free(finding.limits.list);
    if (report)
        replay_notes(report);
    return report;
}
