#include "replay_found.h"

#include <stdlib.h>

int replay_compare(struct slice a, struct slice b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

/* Finding them */

static void add_found(struct replay_found_list *found, struct replay_found f)
{
    if (found->count == found->size) {
        size_t size = found->size ? found->size * 2 : 256;
        struct replay_found *list = realloc(found->list, size * sizeof(*list));

        if (list == NULL)
            return;
        found->list = list;
        found->size = size;
    }
    found->list[found->count++] = f;
}

static void add_outages(void *context, void *value)
{
    struct replay_found_list *found = context;
    struct replay_destination *to = value;
    struct slice name = replay_map_key(found->destinations, to);

    for (const struct replay_outage *o = to->outages; o; o = o->next)
        add_found(found, (struct replay_found){o, name, found->server, 0});
}

static int by_begin(const void *a, const void *b)
{
    const struct replay_found *x = a, *y = b;

    if (x->outage->began != y->outage->began)
        return x->outage->began < y->outage->began ? -1 : 1;
    if (replay_compare(x->name, y->name) != 0)
        return replay_compare(x->name, y->name);
    return replay_compare(x->server, y->server);
}

static void add_server(void *context, void *value)
{
    struct replay_found_list *found = context;
    struct replay_server *server = value;

    found->server = replay_map_key(found->study->servers, server);
    found->destinations = server->destinations;
    replay_map_each(server->destinations, add_outages, found);
}

void replay_find(const struct replay_study *s, struct replay_found_list *found)
{
    *found = (struct replay_found_list){.study = s};
    replay_map_each(s->servers, add_server, found);
    if (found->count > 0)
        qsort(found->list, found->count, sizeof(*found->list), by_begin);
}

/* Putting them together */

/* One outage under one of the names by which it may belong to others. */
struct place {
    struct slice name;
    int64_t began, ended;
    size_t nth;
};

int64_t replay_end_of(const struct replay_study *s, const struct replay_outage *o)
{
    if (o->ended > 0)
        return o->ended;
    return o->still > 0 ? s->last : o->last_failed;
}

static int by_name(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int order = replay_compare(x->name, y->name);

    if (order != 0)
        return order;
    return x->began < y->began ? -1 : x->began > y->began;
}

size_t replay_first_of(const struct replay_found *list, size_t nth)
{
    while (list[nth].first != nth)
        nth = list[nth].first;
    return nth;
}

static void unite(struct replay_found *list, size_t a, size_t b)
{
    a = replay_first_of(list, a);
    b = replay_first_of(list, b);
    if (a < b)
        list[b].first = a;
    else
        list[a].first = b;
}

/* Those of the same name that overlap in time. */
static void unite_places(struct replay_found *list, struct place *places, size_t count)
{
    int64_t reach = 0;

    if (count > 0)
        qsort(places, count, sizeof(*places), by_name);
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && replay_compare(places[i].name, places[i - 1].name) == 0;

        if (same && places[i].began <= reach)
            unite(list, places[i - 1].nth, places[i].nth);
        else
            reach = 0;
        reach = places[i].ended > reach ? places[i].ended : reach;
    }
}

void replay_unite(struct replay_found_list *found)
{
    struct place *places = calloc(found->count + 1, REPLAY_HOSTS_MAX * sizeof(*places));
    size_t count = 0;

    for (size_t i = 0; i < found->count; i++)
        found->list[i].first = i;
    for (size_t i = 0; places && i < found->count; i++) {
        const struct replay_found *f = &found->list[i];

        places[i] =
            (struct place){f->name, f->outage->began, replay_end_of(found->study, f->outage), i};
    }
    if (places)
        unite_places(found->list, places, found->count);
    for (size_t i = 0; places && i < found->count; i++) {
        const struct replay_outage *o = found->list[i].outage;

        for (size_t h = 0; h < o->host_count; h++)
            places[count++] =
                (struct place){o->hosts[h]->name, o->began, replay_end_of(found->study, o), i};
    }
    if (places)
        unite_places(found->list, places, count);
    free(places);
}
