/* What Prometheus reads: the format, strictly; what is in it; and that the dashboard asks for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "counters.h"
#include "metrics.h"
#include "record.h"

enum { FAMILIES_MOST = 100, SERIES_MOST = 2000, NAME_SIZE = 128 };

/* --- A strict reader of the text format 0.0.4 --- */

struct family {
    char name[NAME_SIZE];
    bool counter;
    unsigned samples;
};

struct reading {
    struct family families[FAMILIES_MOST];
    size_t count;
    char *series[SERIES_MOST]; /* "name{labels}", which must not come twice */
    size_t series_count;
};

static void end_reading(struct reading *r)
{
    for (size_t i = 0; i < r->series_count; i++)
        free(r->series[i]);
}

static const struct family *find_family(const struct reading *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->families[i].name, name) == 0)
            return &r->families[i];
    return NULL;
}

static bool is_name(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!(islower((unsigned char)s[i]) || s[i] == '_' ||
              (i > 0 && isdigit((unsigned char)s[i]))))
            return false;
    return len > 0;
}

static bool ends_in(const char *name, const char *end)
{
    return strlen(name) > strlen(end) && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

/* prometheus.io/docs/practices/naming: a prefix, base units, _total for counters alone. */
static void check_name(const struct family *f)
{
    static const char *const not_base[] = {"_ms",    "_milliseconds", "_minutes", "_kilobytes",
                                           "_count", "_sum",          "_bucket",  "_info_total"};

    assert_int_equal(strncmp(f->name, "postern_", 8), 0);
    if (f->counter != ends_in(f->name, "_total"))
        fail_msg("%s: _total and the type do not go together", f->name);
    for (size_t i = 0; i < sizeof(not_base) / sizeof(not_base[0]); i++)
        if (ends_in(f->name, not_base[i]))
            fail_msg("%s ends in %s", f->name, not_base[i]);
}

static void begin_family(struct reading *r, const char *help, const char *type)
{
    struct family *f = &r->families[r->count++];
    char name[NAME_SIZE];
    char kind[16];
    int used = 0;

    assert_true(r->count <= FAMILIES_MOST);
    assert_int_equal(sscanf(help, "# HELP %127s %n", f->name, &used), 1);
    if (help[used] == '\0' || help[strlen(help) - 1] != '.')
        fail_msg("%s: help that is no sentence", f->name);
    if (sscanf(type, "# TYPE %127s %15s", name, kind) != 2 || strcmp(name, f->name) != 0)
        fail_msg("%s: HELP without its TYPE", f->name);
    f->counter = strcmp(kind, "counter") == 0;
    assert_true(f->counter || strcmp(kind, "gauge") == 0);
    for (size_t i = 0; i + 1 < r->count; i++)
        if (strcmp(r->families[i].name, f->name) == 0)
            fail_msg("%s: a family in two places", f->name);
    check_name(f);
}

/* Behind NAME="; to the quote that ends it. */
static const char *skip_value(const char *s)
{
    for (; *s != '"'; s++) {
        assert_int_not_equal(*s, '\0');
        if (*s == '\\' && strchr("\\\"n", *++s) == NULL)
            fail_msg("an escape that is none: %s", s);
    }
    return s + 1;
}

static const char *skip_labels(const char *s)
{
    while (*s != '}') {
        size_t len = strcspn(s, "=");
        assert_true(is_name(s, len));
        assert_int_equal(strncmp(s + len, "=\"", 2), 0);
        s = skip_value(s + len + 2);
        assert_true(*s == ',' || *s == '}');
        s += *s == ',';
    }
    return s + 1;
}

static void read_sample(struct reading *r, const char *line)
{
    struct family *f = &r->families[r->count - 1];
    size_t len = strcspn(line, "{ ");
    const char *s = line + len;
    char *end;

    assert_true(r->count > 0 && is_name(line, len));
    if (strlen(f->name) != len || strncmp(line, f->name, len) != 0)
        fail_msg("%s: a sample in another family's place", line);
    if (*s == '{')
        s = skip_labels(s + 1);
    assert_int_equal(*s, ' ');
    assert_true(isdigit((unsigned char)s[1]));
    strtod(s + 1, &end);
    assert_int_equal(*end, '\0');
    assert_true(r->series_count < SERIES_MOST);
    r->series[r->series_count] = strndup(line, (size_t)(s - line));
    for (size_t i = 0; i < r->series_count; i++)
        if (strcmp(r->series[i], r->series[r->series_count]) == 0)
            fail_msg("twice: %s", r->series[i]);
    r->series_count++;
    f->samples++;
}

static void read_text(struct reading *r, const char *text)
{
    char *copy = strdup(text);
    char *rest = copy;
    char *line;

    memset(r, 0, sizeof(*r));
    assert_int_equal(text[strlen(text) - 1], '\n');
    while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
        if (*line == '#')
            begin_family(r, line, strsep(&rest, "\n"));
        else
            read_sample(r, line);
    }
    free(copy);
    for (size_t i = 0; i < r->count; i++)
        if (r->families[i].samples == 0)
            fail_msg("%s has no sample", r->families[i].name);
}

/* --- The text --- */

static char *text_of(struct metrics_facts *facts)
{
    char *text = metrics_text(facts);

    assert_non_null(text);
    return text;
}

static void assert_has(const char *text, const char *line)
{
    char wanted[300];

    snprintf(wanted, sizeof(wanted), "\n%s\n", line);
    if (strstr(text, wanted) == NULL)
        fail_msg("no line %s in:\n%s", line, text);
}

static struct metrics_facts *new_facts(void)
{
    struct metrics_facts *facts = calloc(1, sizeof(*facts));

    facts->started = INT64_C(1795420800125);
    facts->now = facts->started + 90000;
    facts->last_line = facts->now - 4500;
    facts->enforcing = true;
    facts->state = true;
    return facts;
}

static void test_format(void **state)
{
    struct metrics_facts *facts = new_facts();
    struct reading reading;
    char *text;

    (void)state;
    facts->groups[0] = (struct metrics_group){"a\"b\\c", DESTINATION_DOWN, 7, true};
    facts->groups[1] = (struct metrics_group){"quiet", DESTINATION_UP, 0, false};
    facts->group_count = 2;
    text = text_of(facts);
    read_text(&reading, text);
    assert_true(reading.count > 25);
    assert_has(text, "postern_start_time_seconds 1795420800.125");
    assert_has(text, "postern_log_lag_seconds 4.500");
    assert_has(text, "postern_group_health{group=\"a\\\"b\\\\c\",health=\"down\"} 1");
    assert_has(text, "postern_group_health{group=\"a\\\"b\\\\c\",health=\"up\"} 0");
    assert_has(text, "postern_group_health{group=\"quiet\",health=\"up\"} 0");
    assert_has(text, "postern_group_open_retries{group=\"a\\\"b\\\\c\"} 7");
    end_reading(&reading);
    free(text);
    free(facts);
}

/* The same families, whatever was counted; those of the state are missing when it cannot be read.
 */
static void test_what_is_not_known(void **state)
{
    struct metrics_facts *facts = new_facts();
    struct reading reading;
    char *text;

    (void)state;
    facts->state = false;
    facts->last_line = 0;
    text = text_of(facts);
    read_text(&reading, text);
    assert_has(text, "postern_state_readable 0");
    assert_null(find_family(&reading, "postern_destinations"));
    assert_null(find_family(&reading, "postern_log_lag_seconds"));
    end_reading(&reading);
    free(text);

    facts->caught_up = true;
    text = text_of(facts);
    assert_has(text, "postern_log_lag_seconds 0.000");
    free(text);
    free(facts);
}

static void test_counters(void **state)
{
    struct metrics_facts *facts = new_facts();
    uint64_t before = counters_get(COUNTER_POLICY_BAD);
    char *text;

    (void)state;
    counters_add(COUNTER_HOLDS);
    counters_add(COUNTER_HOLDS);
    counters_policy("DUNNO");
    counters_policy("550 5.1.1 no");
    counters_policy("550 5.4.7 no");
    counters_policy("DEFER_IF_PERMIT 4.4.1 later");
    counters_policy("452 4.5.3 too many");
    assert_int_equal(counters_get(COUNTER_POLICY_BAD), before + 1);
    text = text_of(facts);
    assert_has(text, "postern_holds_total 2");
    assert_has(text, "postern_policy_requests_total{answer=\"dunno\"} 1");
    assert_has(text, "postern_policy_requests_total{answer=\"bad_address\"} 1");
    assert_has(text, "postern_policy_requests_total{answer=\"destination_down\"} 2");
    assert_has(text, "postern_policy_requests_total{answer=\"too_many_recipients\"} 1");
    free(text);
    free(facts);
}

/* Every counter has a row of its own: one more in each makes each value 1 more. */
static void test_every_counter_is_shown(void **state)
{
    struct metrics_facts *facts = new_facts();
    char *text = text_of(facts);
    unsigned lines[2] = {0, 0};
    char *after;

    (void)state;
    for (int c = 0; c < COUNTERS; c++)
        counters_add((enum counter)c);
    after = text_of(facts);
    for (const char *s = text; (s = strstr(s, "_total")) != NULL; s++)
        lines[0]++;
    for (int c = 0; c < COUNTERS; c++)
        assert_true(counters_get((enum counter)c) > 0);
    for (const char *s = after; (s = strchr(s, '\n')) != NULL; s++)
        lines[1] += s[1] != '#' && strstr(s + 1, "_total") != NULL &&
                    strcspn(s + 1, "\n") > (size_t)(strstr(s + 1, "_total") - (s + 1));
    assert_int_equal(lines[1], COUNTERS);
    assert_true(lines[0] > lines[1]); /* HELP and TYPE name them, too */
    free(text);
    free(after);
    free(facts);
}

/* --- The state --- */

static void add_destination(struct store *store, const char *name, enum destination_health health)
{
    struct destination_record record = {.d = {.health = health}};

    snprintf(record.name, sizeof(record.name), "%s", name);
    record_create_destination(store, &record);
}

static void test_gather(void **state)
{
    static const char rules[] =
        "destinations = ({ name = \"partner\"; domains = (\"p.example\"); },"
        "{ name = \"quiet\"; domains = (\"q.example\"); });";
    char folder[] = "/tmp/postern-test.XXXXXX";
    char path[64];
    char command[64];
    char error[512];
    struct metrics_facts *facts = new_facts();
    struct config *config;
    struct store *store;
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/postern.conf", folder);
    assert_non_null(file = fopen(path, "w"));
    fprintf(file, "state_directory = \"%s\"; %s\n", folder, rules);
    assert_int_equal(fclose(file), 0);
    assert_non_null(config = config_load(path, error, sizeof(error)));
    assert_non_null(store = store_open(folder, true, (gid_t)-1, error, sizeof(error)));
    assert_true(store_begin(store));
    add_destination(store, "d:one.example", DESTINATION_UP);
    add_destination(store, "d:two.example", DESTINATION_UP);
    add_destination(store, "d:three.example", DESTINATION_FAILING);
    add_destination(store, "g:partner", DESTINATION_DOWN);
    metrics_gather(facts, store, config);
    assert_true(facts->state);
    assert_int_equal(facts->by_health[DESTINATION_UP], 2);
    assert_int_equal(facts->by_health[DESTINATION_FAILING], 1);
    assert_int_equal(facts->by_health[DESTINATION_DOWN], 1);
    assert_int_equal(facts->by_health[DESTINATION_TRYING], 0);
    assert_int_equal(facts->group_count, 2);
    assert_true(facts->groups[0].known);
    assert_int_equal(facts->groups[0].health, DESTINATION_DOWN);
    assert_false(facts->groups[1].known);
    assert_true(facts->state_bytes > 0);
    store_abort(store);
    store_close(&store);
    config_free(&config);
    free(facts);
    snprintf(command, sizeof(command), "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* --- The dashboard --- */

struct dashboard {
    struct reading reading;
    bool used[FAMILIES_MOST];
    unsigned queries;
};

static void check_query(struct dashboard *d, const char *query)
{
    const char *s = query;

    d->queries++;
    while ((s = strstr(s, "postern_")) != NULL) {
        size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyz_");
        char name[NAME_SIZE];
        const struct family *f;

        snprintf(name, sizeof(name), "%.*s", (int)len, s);
        f = find_family(&d->reading, name);
        if (f == NULL)
            fail_msg("the dashboard asks for %s, which is not there: %s", name, query);
        d->used[f - d->reading.families] = true;
        if (f->counter && strstr(query, "rate(") == NULL && strstr(query, "increase(") == NULL)
            fail_msg("a counter without a rate: %s", query);
        s += len;
    }
}

static void walk(struct dashboard *d, const json_t *json)
{
    const char *key;
    json_t *value;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        if (json_is_string(value) && strcmp(key, "expr") == 0)
            check_query(d, json_string_value(value));
        walk(d, value);
    }
    json_array_foreach(json, i, value) walk(d, value);
}

static void check_panels(const json_t *json)
{
    const json_t *panel;
    size_t i;

    json_array_foreach(json_object_get(json, "panels"), i, panel)
    {
        const char *type = json_string_value(json_object_get(panel, "type"));
        const json_t *source = json_object_get(panel, "datasource");
        assert_non_null(type);
        if (strcmp(type, "row") != 0)
            assert_string_equal(json_string_value(json_object_get(source, "uid")), "${datasource}");
    }
}

static void test_dashboard(void **state)
{
    const char *srcdir = getenv("srcdir");
    struct metrics_facts *facts = new_facts();
    struct dashboard *d = calloc(1, sizeof(*d));
    json_error_t error;
    char path[4200];
    json_t *json;
    char *text;

    (void)state;
    snprintf(path, sizeof(path), "%s/contrib/grafana/postern.json", srcdir ? srcdir : ".");
    json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    facts->groups[0] = (struct metrics_group){"g", DESTINATION_UP, 0, true};
    facts->group_count = 1;
    text = text_of(facts);
    read_text(&d->reading, text);
    walk(d, json);
    check_panels(json);
    assert_true(d->queries > 20);
    for (size_t i = 0; i < d->reading.count; i++)
        if (!d->used[i])
            fail_msg("%s is on no panel", d->reading.families[i].name);
    json_decref(json);
    end_reading(&d->reading);
    free(text);
    free(d);
    free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),   cmocka_unit_test(test_what_is_not_known),
        cmocka_unit_test(test_counters), cmocka_unit_test(test_every_counter_is_shown),
        cmocka_unit_test(test_gather),   cmocka_unit_test(test_dashboard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
