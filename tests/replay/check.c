/*
 * Looks at what posternctl replay says of a week made by `week`.
 *
 *     check outages REPORT.json OUTAGES    each outage is named, at its time, and nothing else is
 *     check incidents REPORT.json OUTAGES  likewise, in incidents; one is of all domains of a host
 *     check numbers REPORT.json            what else was put in was found
 *     check html PAGE.html                 every element is closed where it should be
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* An outage shows with the first mail after it began, and ends with the first that goes through. */
enum { EARLY = 60, LATE = 80 * 60, OUTAGES_MAX = 200, DEPTH_MAX = 64, BIG_DOMAINS = 41 };

static int wrong;

static json_t *load(const char *path)
{
    json_error_t error;
    json_t *report = json_load_file(path, 0, &error);

    if (report == NULL) {
        fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
        exit(1);
    }
    return report;
}

static bool is_near(double seen, double put_in)
{
    if (put_in == 0)
        return seen == 0;
    return seen >= put_in - EARLY && seen <= put_in + LATE;
}

static double number_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* Finds the outage in the report that was not found before. */
static bool find(const json_t *list, bool *found, const char *destination, double from, double to)
{
    const json_t *outage;
    size_t i;

    json_array_foreach(list, i, outage)
    {
        if (i < OUTAGES_MAX && !found[i] &&
            strcmp(json_string_value(json_object_get(outage, "destination")), destination) == 0 &&
            (is_near(number_at(outage, "began"), from) ||
             !json_is_true(json_object_get(outage, "reached"))) &&
            is_near(number_at(outage, "ended"), to)) {
            found[i] = true;
            return true;
        }
    }
    return false;
}

static void check_outages(const char *path, const char *truth)
{
    json_t *report = load(path);
    const json_t *list = json_object_get(report, "outages");
    bool found[OUTAGES_MAX] = {false};
    char destination[64];
    double from, to;
    FILE *file = fopen(truth, "r");
    const json_t *outage;
    size_t i;

    while (file && fscanf(file, "%63s %lf %lf", destination, &from, &to) == 3) {
        if (!find(list, found, destination, from, to)) {
            fprintf(stderr, "not named: %s, %.0f to %.0f\n", destination, from, to);
            wrong++;
        }
    }
    json_array_foreach(list, i, outage)
    {
        if (i >= OUTAGES_MAX || !found[i]) {
            fprintf(stderr, "named, and not put in: %s, %.0f to %.0f\n",
                    json_string_value(json_object_get(outage, "destination")),
                    number_at(outage, "began"), number_at(outage, "ended"));
            wrong++;
        }
    }
    printf("%zu outages\n", json_array_size(list));
    if (file)
        fclose(file);
    json_decref(report);
}

static bool has_name(const json_t *incident, const char *key, const char *name)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(incident, key), i, one)
    {
        if (strcmp(json_string_value(one), name) == 0)
            return true;
    }
    return false;
}

/* How many names of incidents the outage accounts for. */
static size_t count_names(const json_t *list, const char *destination, double from, double to)
{
    const json_t *incident;
    size_t count = 0;
    size_t i;

    json_array_foreach(list, i, incident) count +=
        has_name(incident, "destinations", destination) &&
        (is_near(number_at(incident, "began"), from) ||
         !json_is_true(json_object_get(incident, "reached"))) &&
        is_near(number_at(incident, "ended"), to);
    return count;
}

static void check_incidents(const char *path, const char *truth)
{
    json_t *report = load(path);
    const json_t *list = json_object_get(report, "incidents");
    const json_t *incident;
    size_t names = 0, accounted = 0, big = 0;
    char destination[64];
    double from, to;
    FILE *file = fopen(truth, "r");
    size_t i;

    while (file && fscanf(file, "%63s %lf %lf", destination, &from, &to) == 3) {
        if (count_names(list, destination, from, to) != 1) {
            fprintf(stderr, "not in one incident: %s, %.0f to %.0f\n", destination, from, to);
            wrong++;
        }
        accounted++;
    }
    json_array_foreach(list, i, incident)
    {
        names += json_array_size(json_object_get(incident, "destinations"));
        if (has_name(incident, "mail_hosts", "mx.big.example"))
            big = big > 0 ? 0 : json_array_size(json_object_get(incident, "destinations"));
    }
    if (names != accounted || big != BIG_DOMAINS) {
        fprintf(stderr,
                "%zu names in incidents for %zu outages; %zu domains behind mx.big.example\n",
                names, accounted, big);
        wrong++;
    }
    printf("%zu incidents\n", json_array_size(list));
    if (file)
        fclose(file);
    json_decref(report);
}

static void check_number(const json_t *report, const char *group, const char *tally,
                         const char *key, double least, double most)
{
    const json_t *object = json_object_get(report, group);
    double n;

    if (tally)
        object = json_object_get(object, tally);
    n = number_at(object, key);
    if (n >= least && n <= most)
        return;
    fprintf(stderr, "%s %s %s is %g, not within %g and %g\n", group, tally ? tally : "", key, n,
            least, most);
    wrong++;
}

/* A message every two hours of six days: 72 of each kind. */
static void check_numbers(const char *path)
{
    json_t *report = load(path);

    check_number(report, "recipient_limits", NULL, "wrong_bounces", 72 * 20, 72 * 20);
    check_number(report, "recipient_limits", NULL, "deferrals", 72 * 120, 72 * 120);
    check_number(report, "recipient_limits", "drains", "count", 72, 72);
    check_number(report, "recipient_limits", "drains", "mean", 600, 1800);
    check_number(report, "bad_beside_slow", "earlier", "count", 72, 72);
    check_number(report, "bad_beside_slow", "earlier", "mean", 269, 271);
    /* All to one address: the first is how it is learned, and later one in twelve hours tries. */
    check_number(report, "at_the_door", NULL, "messages", 72 - 1 - 12, 72 - 1 - 6);
    check_number(report, "at_the_door", NULL, "addresses", 1, 1);
    check_number(report, "at_the_door", NULL, "delivered", 0, 0);
    check_number(report, "held_up", NULL, "beside_silence", 1, 1e9);
    check_number(report, "held_up", NULL, "busiest", 20, 100);
    check_number(report, "ndrs", NULL, "expired_messages", 140, 240);
    check_number(report, "ndrs", NULL, "not_seen_to_fail", 0, 0);
    check_number(report, "ndrs", "earlier", "count", 140, 240);
    check_number(report, "ndrs", "earlier", "mean", 3 * 86400, 5 * 86400);
    check_number(report, "limits_hit", NULL, "recipients", 0, 0);
    json_decref(report);
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;

    if (file == NULL || getdelim(&text, &size, '\0', file) < 0) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return text;
}

/* Opens or closes one element; `at` is behind its '<'. */
static void take_tag(const char *at, size_t len, char open[][32], int *depth)
{
    char name[32] = "";
    bool closing = at[0] == '/';

    if (at[0] == '!' || at[len - 1] == '/')
        return;
    at += closing;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, " >"), at);
    if (!closing && *depth < DEPTH_MAX) {
        strcpy(open[(*depth)++], name);
    } else if (*depth == 0 || strcmp(open[--*depth], name) != 0) {
        fprintf(stderr, "</%s> closes <%s>\n", name, open[*depth]);
        wrong++;
    }
}

static void check_html(const char *path)
{
    char *text = read_text(path);
    char open[DEPTH_MAX][32] = {""};
    int depth = 0;

    for (const char *at = text; wrong == 0 && (at = strchr(at, '<')); at++) {
        size_t len = strcspn(at + 1, ">");

        take_tag(at + 1, len, open, &depth);
    }
    if (depth != 0)
        wrong++;
    if (strstr(text, "<script") || strstr(text, "http://") || strstr(text, "https://"))
        wrong++;
    free(text);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "outages") == 0)
        check_outages(argv[2], argv[3]);
    else if (argc == 4 && strcmp(argv[1], "incidents") == 0)
        check_incidents(argv[2], argv[3]);
    else if (argc == 3 && strcmp(argv[1], "numbers") == 0)
        check_numbers(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "html") == 0)
        check_html(argv[2]);
    else
        return 2;
    return wrong > 0;
}
