#include "replay_report.h"

#include <stdlib.h>

#include "replay_json.h"

static json_t *mail_of(const struct replay_study *s, size_t destinations)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "deliveries",
        replay_json_number(s->deliveries), "sent", replay_json_number(s->sent), "deferred",
        replay_json_number(s->deferred), "bounced", replay_json_number(s->bounced), "open_failures",
        replay_json_number(s->open_failures), "suspended", replay_json_number(s->skipped),
        "transfer_failures", replay_json_number(s->transfer_failures), "short_outages",
        replay_json_number(s->short_outages), "delays", replay_json_tally(&s->delays),
        "destinations", replay_json_number(destinations), "deferred_by_postern",
        replay_json_number(s->ours));
}

static json_t *ndrs_of(const struct replay_study *s)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "expired_messages",
        replay_json_number(s->expired_messages), "expired_recipients",
        replay_json_number(s->expired), "no_cap", replay_json_number(s->expired_uncapped),
        "no_sender", replay_json_number(s->expired_silent), "not_seen_to_fail",
        replay_json_number(s->expired_unseen), "earlier", replay_json_tally(&s->earlier),
        "earlier_samples", replay_json_samples(&s->earlier_samples), "delivered_after_cap",
        replay_json_tally(&s->in_vain), "delivered_after_cap_samples",
        replay_json_samples(&s->in_vain_samples), "waiting_over_cap",
        replay_json_number(s->waiting_over), "waiting", replay_json_number(s->waiting));
}

static json_t *early_of(const struct replay_study *s)
{
    const struct config_early *early = config_early(s->config);

    return json_pack("{s:b, s:I, s:o, s:o, s:o}", "on", early->mode != EARLY_OFF, "after",
                     (json_int_t)early->after, "ndrs", replay_json_number(s->ndrs), "earlier",
                     replay_json_tally(&s->late_ndrs), "samples",
                     replay_json_samples(&s->early_samples));
}

static json_t *held_of(const struct replay_study *s)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:i, s:o, s:o}", "least", REPLAY_HELD_UP, "all",
                     replay_json_tally(&s->held), "beside_silence",
                     replay_json_number(s->held_by_silence), "beside_silence_time",
                     replay_json_seconds(s->held_by_silence_ms), "beside_silence_processes",
                     REPLAY_SILENT_LEAST, "busiest", replay_json_number(s->busy_most), "busiest_at",
                     replay_json_when(s->busy_most_at));
}

static json_t *limits_hit(const struct replay_study *s)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o}", "servers", replay_json_number(s->servers_lost),
        "addresses", replay_json_number(s->bad_lost), "destinations",
        replay_json_number(s->destinations_lost), "recipients", replay_json_number(s->waiters_lost),
        "outages", replay_json_number(s->outages_lost), "minutes",
        replay_json_number(s->minutes_lost));
}

static json_t *settings_of(const struct replay_study *s)
{
    const struct retry_policy *retry = config_retry(s->config);

    return json_pack(
        "{s:o, s:b, s:I, s:I, s:I, s:I, s:b, s:b}", "file",
        replay_json_text(slice_of(config_path(s->config))), "enforce", config_enforce(s->config),
        "max_open_retries", (json_int_t)retry->max_open_retries, "open_interval",
        (json_int_t)retry->open_interval, "unproven_max_open_retries",
        (json_int_t)config_unproven_max_open_retries(s->config), "groups",
        (json_int_t)config_group_count(s->config), "outbound", config_outbound_limits(s->config),
        "lanes", config_lanes_mode(s->config) != LANES_OFF);
}

static json_t *limits_of(const struct replay_study *s, json_t *destinations)
{
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "wrong_bounces", replay_json_number(s->wrong_bounces),
        "deferrals", replay_json_number(s->splits), "drains", replay_json_tally(&s->drains),
        "samples", replay_json_samples(&s->wrong_samples), "destinations", destinations);
}

static const char *mode_of(const struct replay_study *s)
{
    switch (config_early_mode(s->config)) {
    case EARLY_REFUSE:
        return "refuse";
    case EARLY_NDR:
        return "ndr";
    default:
        return "off";
    }
}

struct refused {
    const struct replay_map *bad; /* of the present server */
    struct replay_map *all;
};

static void add_refused(void *context, void *value)
{
    struct refused *refused = context;
    const struct replay_bad *bad = value;

    if (bad->refused)
        replay_map_add(refused->all, replay_map_key(refused->bad, bad));
}

static void add_server_refused(void *context, void *value)
{
    struct refused *refused = context;
    const struct replay_server *server = value;

    refused->bad = server->bad;
    replay_map_each(server->bad, add_refused, refused);
}

/* Addresses that any of the servers would have refused at the door. */
static size_t count_refused(const struct replay_study *s)
{
    size_t room = SIZE_MAX;
    struct refused refused = {.all = replay_map_new(sizeof(char), &room, s->seed)};
    size_t count = 0;

    if (refused.all) {
        replay_map_each(s->servers, add_server_refused, &refused);
        count = replay_map_count(refused.all);
    }
    replay_map_free(&refused.all);
    return count;
}

static json_t *door_of(const struct replay_study *s)
{
    return json_pack(
        "{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "mode", mode_of(s), "lifetime",
        (json_int_t)config_early(s->config)->lifetime, "learned",
        replay_json_number(s->bad_learned), "messages", replay_json_number(s->door_messages),
        "addresses", replay_json_number(count_refused(s)), "delivered",
        replay_json_number(s->door_delivered), "guards_tripped",
        replay_json_number(s->guards_tripped), "samples", replay_json_samples(&s->door_samples),
        "delivered_samples", replay_json_samples(&s->door_delivered_samples));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct server_list {
    const struct replay_study *study;
    const char **names;
    size_t count;
};

static void add_server(void *context, void *value)
{
    struct server_list *list = context;

    if (list->names)
        list->names[list->count++] = replay_map_key(list->study->servers, value).at;
}

static json_t *servers_of(const struct replay_study *s)
{
    struct server_list list = {s, calloc(replay_map_count(s->servers) + 1, sizeof(char *)), 0};
    json_t *array = json_array();

    replay_map_each(s->servers, add_server, &list);
    if (list.count > 0)
        qsort(list.names, list.count, sizeof(char *), by_name);
    for (size_t i = 0; i < list.count; i++) {
        const struct replay_server *server = replay_map_find(s->servers, slice_of(list.names[i]));

        json_array_append_new(array, json_pack("{s:o, s:o}", "name",
                                               replay_json_text(slice_of(list.names[i])), "lines",
                                               replay_json_number(server ? server->lines : 0)));
    }
    free(list.names);
    return array;
}

json_t *replay_report(const struct replay_study *s)
{
    size_t destinations;
    json_t *limited = replay_limited(s, &destinations);
    json_t *report = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                               "configuration", settings_of(s), "from", replay_json_when(s->first),
                               "to", replay_json_when(s->last), "servers", servers_of(s), "mail",
                               mail_of(s, destinations), "ndrs", ndrs_of(s), "recipient_limits",
                               limits_of(s, limited), "bad_beside_slow", early_of(s), "at_the_door",
                               door_of(s), "held_up", held_of(s), "after_outages",
                               replay_json_tally(&s->lag), "limits_hit", limits_hit(s));

    if (report == NULL)
        return NULL;
    replay_incidents(s, report);
    replay_notes(report);
    return report;
}
