/* Destinations that refused recipients as too many, of all servers together. */
#include "replay_json.h"

#include <stdlib.h>

struct limited {
    uint64_t wrong_bounces, splits;
    struct replay_tally drains;
    const char *reply;
    struct slice name;
};

struct finding {
    const struct replay_map *destinations; /* of the present server */
    struct replay_map *all;                /* struct limited, by the destination's name */
    const struct limited **list;           /* those with something to tell */
    size_t count;
};

static void add_up(void *context, void *value)
{
    struct finding *finding = context;
    const struct replay_destination *to = value;
    struct slice name = replay_map_key(finding->destinations, to);
    struct limited *l = replay_map_add(finding->all, name);

    if (l == NULL)
        return;
    l->name = replay_map_key(finding->all, l);
    l->wrong_bounces += to->wrong_bounces;
    l->splits += to->splits;
    replay_tally_merge(&l->drains, &to->drains);
    if (l->reply == NULL)
        l->reply = to->limit_reply;
}

static void add_server(void *context, void *value)
{
    struct finding *finding = context;
    const struct replay_server *server = value;

    finding->destinations = server->destinations;
    replay_map_each(server->destinations, add_up, finding);
}

static void choose(void *context, void *value)
{
    struct finding *finding = context;
    const struct limited *l = value;

    if (finding->list && l->wrong_bounces + l->splits > 0)
        finding->list[finding->count++] = l;
}

/* Those with most to lose come first. */
static int by_bounces(const void *a, const void *b)
{
    const struct limited *x = *(const struct limited *const *)a;
    const struct limited *y = *(const struct limited *const *)b;

    if (x->wrong_bounces != y->wrong_bounces)
        return x->wrong_bounces > y->wrong_bounces ? -1 : 1;
    if (x->splits != y->splits)
        return x->splits > y->splits ? -1 : 1;
    return strcmp(x->name.at, y->name.at);
}

static json_t *limited_object(const struct limited *l)
{
    struct slice name = {l->name.at + 2, l->name.len - 2};

    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "destination", replay_json_text(name),
                     "wrong_bounces", replay_json_number(l->wrong_bounces), "deferrals",
                     replay_json_number(l->splits), "drains", replay_json_tally(&l->drains),
                     "reply", replay_json_text(slice_of(l->reply ? l->reply : "")));
}

json_t *replay_limited(const struct replay_study *s, size_t *destinations_r)
{
    size_t room = SIZE_MAX;
    struct finding finding = {.all = replay_map_new(sizeof(struct limited), &room, s->seed)};
    json_t *array = json_array();

    *destinations_r = 0;
    if (finding.all == NULL)
        return array;
    replay_map_each(s->servers, add_server, &finding);
    *destinations_r = replay_map_count(finding.all);
    finding.list = calloc(*destinations_r + 1, sizeof(struct limited *));
    replay_map_each(finding.all, choose, &finding);
    if (finding.count > 0)
        qsort(finding.list, finding.count, sizeof(struct limited *), by_bounces);
    for (size_t i = 0; i < finding.count; i++)
        json_array_append_new(array, limited_object(finding.list[i]));
    free(finding.list);
    replay_map_free(&finding.all);
    return array;
}
