/* The outages of a study as JSON, one by one, and put together to incidents. */
#include "replay_found.h"
#include "replay_json.h"

#include <stdlib.h>

/* One outage as JSON */

static const char *state_of(const struct replay_outage *o)
{
    if (o->ended > 0)
        return "over";
    return o->still > 0 ? "ongoing" : "not seen to end";
}

static int by_slice(const void *a, const void *b)
{
    return replay_compare(*(const struct slice *)a, *(const struct slice *)b);
}

/* In order, each once. */
static json_t *names_of(struct slice *names, size_t count)
{
    json_t *array = json_array();

    if (count > 0)
        qsort(names, count, sizeof(*names), by_slice);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || replay_compare(names[i], names[i - 1]) != 0)
            json_array_append_new(array, replay_json_text(names[i]));
    return array;
}

static json_t *hosts_of(const struct replay_outage *o)
{
    struct slice names[REPLAY_HOSTS_MAX];

    for (size_t i = 0; i < o->host_count; i++)
        names[i] = o->hosts[i]->name;
    return names_of(names, o->host_count);
}

static struct slice title_of(const struct replay_found *f)
{
    return (struct slice){f->name.at + 2, f->name.len - 2};
}

static json_t *outage_object(const struct replay_study *s, const struct replay_found *f)
{
    const struct replay_outage *o = f->outage;
    json_t *object =
        json_pack("{s:o, s:o, s:o, s:b, s:b, s:s, s:o, s:o, s:o, s:o}", "destination",
                  replay_json_text(title_of(f)), "server", replay_json_text(f->server),
                  "mail_hosts", hosts_of(o), "group", o->to->listed, "reached", o->to->d.proven,
                  "state", state_of(o), "began", replay_json_when(o->began), "ended",
                  replay_json_when(o->ended), "last_failed", replay_json_when(o->last_failed),
                  "lasted", replay_json_seconds(replay_end_of(s, o) - o->began));
    json_t *more = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "attempts",
        replay_json_number(o->attempts - o->skipped), "suspended", replay_json_number(o->skipped),
        "counted", replay_json_number(o->counted), "busy", replay_json_seconds(o->busy), "waited",
        replay_json_tally(&o->waited), "lag", replay_json_tally(&o->lag), "expired",
        replay_json_number(o->expired), "over_cap", replay_json_number(o->returned),
        "still_waiting", replay_json_number(o->still), "cap", (json_int_t)replay_cap_of(s, o->to),
        "open_interval", (json_int_t)o->to->policy->open_interval, "last_error",
        replay_json_text(slice_of(o->error)));

    json_object_update(object, more);
    json_decref(more);
    return object;
}

/* Several of them as JSON */

struct incident {
    const struct replay_found **list; /* its outages */
    size_t count;
    struct slice *names; /* room for all that is named */
};

struct sums {
    uint64_t attempts, skipped, expired, over_cap, still;
    struct replay_tally waited;
    bool reached, over, ongoing, one_cap;
    uint32_t cap;
    int64_t began, ended, seen;       /* seen: up to when it is known to have lasted */
    const struct replay_outage *last; /* that failed last */
};

static void add_up(struct sums *sums, const struct replay_study *s, const struct replay_outage *o)
{
    bool first = sums->last == NULL;

    sums->attempts += o->attempts - o->skipped;
    sums->skipped += o->skipped;
    sums->expired += o->expired;
    sums->over_cap += o->returned;
    sums->still += o->still;
    replay_tally_merge(&sums->waited, &o->waited);
    sums->reached |= o->to->d.proven;
    sums->over |= o->ended > 0;
    sums->ongoing |= o->ended == 0 && o->still > 0;
    sums->one_cap = first || (sums->one_cap && sums->cap == replay_cap_of(s, o->to));
    sums->cap = replay_cap_of(s, o->to);
    sums->began = first || o->began < sums->began ? o->began : sums->began;
    sums->ended = o->ended > sums->ended ? o->ended : sums->ended;
    sums->seen = replay_end_of(s, o) > sums->seen ? replay_end_of(s, o) : sums->seen;
    if (first || o->last_failed > sums->last->last_failed)
        sums->last = o;
}

static json_t *destinations_of(const struct incident *n)
{
    for (size_t i = 0; i < n->count; i++)
        n->names[i] = title_of(n->list[i]);
    return names_of(n->names, n->count);
}

static json_t *servers_of(const struct incident *n)
{
    for (size_t i = 0; i < n->count; i++)
        n->names[i] = n->list[i]->server;
    return names_of(n->names, n->count);
}

static json_t *all_hosts_of(const struct incident *n)
{
    size_t count = 0;

    for (size_t i = 0; i < n->count; i++)
        for (size_t h = 0; h < n->list[i]->outage->host_count; h++)
            n->names[count++] = n->list[i]->outage->hosts[h]->name;
    return names_of(n->names, count);
}

static json_t *incident_object(const struct replay_study *s, const struct incident *n)
{
    struct sums sums = {.last = NULL};
    json_t *object;

    for (size_t i = 0; i < n->count; i++)
        add_up(&sums, s, n->list[i]->outage);
    object = json_pack("{s:o, s:o, s:o, s:b, s:s, s:o, s:o, s:o, s:o}", "mail_hosts",
                       all_hosts_of(n), "destinations", destinations_of(n), "servers",
                       servers_of(n), "reached", sums.reached, "state",
                       sums.ongoing ? "ongoing"
                       : sums.over  ? "over"
                                    : "not seen to end",
                       "began", replay_json_when(sums.began), "ended",
                       replay_json_when(sums.ongoing ? 0 : sums.ended), "last_failed",
                       replay_json_when(sums.last->last_failed), "lasted",
                       replay_json_seconds(sums.seen - sums.began));
    json_t *more = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "attempts", replay_json_number(sums.attempts),
        "suspended", replay_json_number(sums.skipped), "waited", replay_json_tally(&sums.waited),
        "expired", replay_json_number(sums.expired), "over_cap", replay_json_number(sums.over_cap),
        "still_waiting", replay_json_number(sums.still), "cap",
        sums.one_cap ? replay_json_number(sums.cap) : json_null(), "last_error",
        replay_json_text(slice_of(sums.last->error)));
    json_object_update(object, more);
    json_decref(more);
    return object;
}

static int by_incident(const void *a, const void *b)
{
    const struct replay_found *x = *(const struct replay_found *const *)a;
    const struct replay_found *y = *(const struct replay_found *const *)b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x < y ? -1 : x > y;
}

static json_t *incidents_of(const struct replay_found_list *found)
{
    const struct replay_found **sorted = calloc(found->count + 1, sizeof(struct replay_found *));
    struct slice *names = calloc(found->count + 1, REPLAY_HOSTS_MAX * sizeof(*names));
    json_t *array = json_array();
    size_t count;

    for (size_t i = 0; sorted && i < found->count; i++) {
        found->list[i].first = replay_first_of(found->list, i);
        sorted[i] = &found->list[i];
    }
    if (sorted && found->count > 0)
        qsort(sorted, found->count, sizeof(struct replay_found *), by_incident);
    for (size_t i = 0; sorted && names && i < found->count; i += count) {
        for (count = 1; i + count < found->count && sorted[i + count]->first == sorted[i]->first;)
            count++;
        json_array_append_new(
            array, incident_object(found->study, &(struct incident){&sorted[i], count, names}));
    }
    free(names);
    free(sorted);
    return array;
}

void replay_incidents(const struct replay_study *s, json_t *report)
{
    struct replay_found_list found;
    json_t *outages = json_array();

    replay_find(s, &found);
    for (size_t i = 0; i < found.count; i++)
        json_array_append_new(outages, outage_object(s, &found.list[i]));
    replay_unite(&found);
    json_object_set_new(report, "outages", outages);
    json_object_set_new(report, "incidents", incidents_of(&found));
    free(found.list);
}
