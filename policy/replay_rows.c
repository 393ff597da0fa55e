#include "replay_rows.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show_parts.h"
#include "text.h"

/* So many incidents that began within so many ms, with the same words, are one row. */
enum { CROWD = 5, AT_ONCE = 10 * 60 * 1000, TITLE_MAX = 300 };

/* One that is not in a row yet. */
struct entry {
    json_t *incident;
    int64_t began;
    const char *kind; /* what its error says but for the names in it */
};

/* All that is behind "host[address]", or the last part. */
static const char *kind_of(const json_t *incident)
{
    const char *at = show_string(incident, "last_error");
    const char *bracket = strchr(at, ']');
    const char *colon;

    if (bracket)
        return bracket + 1;
    while ((colon = strstr(at, ": ")) != NULL)
        at = colon + 2;
    return at;
}

static bool is_alike(const struct entry *a, const struct entry *b)
{
    return b->began <= a->began + AT_ONCE && strcmp(a->kind, b->kind) == 0;
}

/* Where the log is of several servers, those that saw it. */
static void add_seen_by(json_t *row, const json_t *report)
{
    const json_t *name;
    char text[TITLE_MAX] = "";
    size_t i;

    if (json_array_size(json_object_get(report, "servers")) < 2)
        return;
    json_array_foreach(json_object_get(row, "servers"), i, name)
    {
        size_t used = strlen(text);

        snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? ", " : "",
                 json_string_value(name));
    }
    text_clean(text); /* cut, maybe within a character */
    json_object_set_new(row, "seen_by", json_string(text));
}

/* A row of one */

static json_t *row_of(const json_t *incident)
{
    const json_t *hosts = json_object_get(incident, "mail_hosts");
    const json_t *destinations = json_object_get(incident, "destinations");
    size_t count = json_array_size(destinations);
    const char *destination = json_string_value(json_array_get(destinations, 0));
    const char *host = json_string_value(json_array_get(hosts, 0));
    json_t *row = json_copy((json_t *)(uintptr_t)incident);
    char title[TITLE_MAX];

    if (count == 1 || host == NULL)
        snprintf(title, sizeof(title), "%s", destination ? destination : "");
    else if (json_array_size(hosts) == 1)
        snprintf(title, sizeof(title), "%s (%zu domains)", host, count);
    else
        snprintf(title, sizeof(title), "%s and %zu more (%zu domains)", host,
                 json_array_size(hosts) - 1, count);
    json_object_set_new(row, "title", json_string(title));
    return row;
}

/* A row of several */

static void add_number(json_t *row, const json_t *incident, const char *key)
{
    json_object_set_new(row, key, json_integer(show_number(row, key) + show_number(incident, key)));
}

static double real_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void add_most(json_t *row, const json_t *incident, const char *key)
{
    if (real_at(incident, key) > real_at(row, key))
        json_object_set(row, key, json_object_get(incident, key));
}

/* Names that are not there yet. */
static void add_names(json_t *row, const json_t *incident, const char *key)
{
    json_t *names = json_object_get(row, key);
    const json_t *name;
    size_t i;

    json_array_foreach(json_object_get(incident, key), i, name)
    {
        bool known = false;

        for (size_t n = 0; n < json_array_size(names) && !known; n++)
            known = json_equal(json_array_get(names, n), name);
        if (!known)
            json_array_append(names, (json_t *)(uintptr_t)name);
    }
}

static void join(json_t *row, const json_t *incident)
{
    static const char *const sums[] = {"attempts", "suspended", "expired", "over_cap",
                                       "still_waiting"};
    const json_t *waited = json_object_get(incident, "waited");

    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
        add_number(row, incident, sums[i]);
    add_number(json_object_get(row, "waited"), waited, "count");
    add_most(json_object_get(row, "waited"), waited, "most");
    add_most(row, incident, "last_failed");
    add_most(row, incident, "lasted");
    if (real_at(incident, "lasted") < real_at(row, "lasted_least"))
        json_object_set(row, "lasted_least", json_object_get(incident, "lasted"));
    add_names(row, incident, "servers");
    json_array_extend(json_object_get(row, "destinations"),
                      json_object_get(incident, "destinations"));
    add_most(row, incident, "ended");
    if (strcmp(show_string(incident, "state"), "over") == 0)
        json_object_set_new(row, "came_back", json_integer(show_number(row, "came_back") + 1));
    if (!json_equal(json_object_get(row, "cap"), json_object_get(incident, "cap")))
        json_object_set_new(row, "cap", json_null());
}

static int by_text(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

static json_t *sorted(const json_t *names)
{
    size_t count = json_array_size(names);
    json_t **list = calloc(count + 1, sizeof(json_t *));
    json_t *array = json_array();

    for (size_t i = 0; list && i < count; i++)
        list[i] = json_array_get(names, i);
    if (list)
        qsort(list, count, sizeof(json_t *), by_text);
    for (size_t i = 0; list && i < count; i++)
        json_array_append(array, list[i]);
    free(list);
    return array;
}

static json_t *crowd_of(const struct entry *members, size_t count)
{
    json_t *row = json_deep_copy(members[0].incident);
    bool over = strcmp(show_string(row, "state"), "over") == 0;
    char title[TITLE_MAX];

    json_object_set(row, "lasted_least", json_object_get(row, "lasted"));
    json_object_set_new(row, "crowd", json_integer((json_int_t)count));
    json_object_set_new(row, "came_back", json_integer(over));
    for (size_t i = 1; i < count; i++)
        join(row, members[i].incident);
    over = show_number(row, "came_back") == (long long)count;
    json_object_set_new(row, "state", json_string(over ? "over" : "not seen to end"));
    json_object_set_new(row, "destinations", sorted(json_object_get(row, "destinations")));
    snprintf(title, sizeof(title), "%zu destinations at once",
             json_array_size(json_object_get(row, "destinations")));
    json_object_set_new(row, "title", json_string(title));
    return row;
}

/* All of them */

static size_t count_alike(const struct entry *list, size_t count)
{
    size_t alike = 0;

    for (size_t i = 0; i < count && list[i].began <= list[0].began + AT_ONCE; i++)
        alike += is_alike(&list[0], &list[i]);
    return alike;
}

/* Moves so many that are like the first of the list, and that itself, to its beginning. */
static void gather(struct entry *list, size_t alike)
{
    size_t found = 1;

    for (size_t i = 1; found < alike; i++) {
        struct entry moved = list[i];

        if (!is_alike(&list[0], &moved))
            continue;
        memmove(&list[found + 1], &list[found], (i - found) * sizeof(*list));
        list[found++] = moved;
    }
}

static size_t choose(struct entry *list, const json_t *report, bool never_reached)
{
    json_t *incident;
    size_t count = 0;
    size_t i;

    json_array_foreach(json_object_get(report, "incidents"), i, incident)
    {
        if (!show_truth(incident, "reached") == never_reached)
            list[count++] = (struct entry){incident, show_ms(incident, "began"), kind_of(incident)};
    }
    return count;
}

json_t *replay_rows(const json_t *report, bool never_reached)
{
    size_t size = json_array_size(json_object_get(report, "incidents")) + 1;
    struct entry *list = calloc(size, sizeof(*list));
    json_t *rows = json_array();
    json_t *row;
    size_t count = list ? choose(list, report, never_reached) : 0;
    size_t taken;

    for (size_t i = 0; i < count; i += taken) {
        taken = count_alike(list + i, count - i);
        if (taken >= CROWD) {
            gather(list + i, taken);
            row = crowd_of(list + i, taken);
        } else {
            taken = 1;
            row = row_of(list[i].incident);
        }
        add_seen_by(row, report);
        json_array_append_new(rows, row);
    }
    free(list);
    return rows;
}

static long long mail_of(const json_t *row)
{
    return show_number(json_object_get(row, "waited"), "count");
}

static int by_mail(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;

    return x > y ? -1 : x < y;
}

size_t replay_rows_cut(json_t *rows, size_t most)
{
    size_t count = json_array_size(rows);
    long long *mail = calloc(count + 1, sizeof(*mail));
    size_t left = count > most ? count - most : 0;

    for (size_t i = 0; mail && i < count; i++)
        mail[i] = mail_of(json_array_get(rows, i));
    if (mail)
        qsort(mail, count, sizeof(*mail), by_mail);
    /* From the end, so that of rows with the same the earlier ones stay. */
    for (size_t i = count; mail && left > 0 && i > 0; i--)
        if (mail_of(json_array_get(rows, i - 1)) < mail[most])
            json_array_remove(rows, i - 1);
    for (size_t i = json_array_size(rows); mail && i > 0 && json_array_size(rows) > most; i--)
        if (mail_of(json_array_get(rows, i - 1)) == mail[most])
            json_array_remove(rows, i - 1);
    free(mail);
    return left;
}
