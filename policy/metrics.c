#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "build.h"
#include "counters.h"
#include "record.h"

/* One time series of a counter. Those of one family follow each other, and share its help. */
struct row {
    enum counter counter;
    const char *name;
    const char *label; /* "" or NAME="VALUE" */
    const char *help;
};

/* clang-format off */
static const struct row ROWS[] = {
    {COUNTER_LINES, "postern_log_lines_total", "", "Lines of the mail log that were read."},
    {COUNTER_SENT, "postern_deliveries_total", "status=\"sent\"",
     "Deliveries in the log, one for each recipient and attempt, by Postfix's status."},
    {COUNTER_DEFERRED, "postern_deliveries_total", "status=\"deferred\"", ""},
    {COUNTER_BOUNCED, "postern_deliveries_total", "status=\"bounced\"", ""},
    {COUNTER_OPEN_RETRIES, "postern_open_failures_total", "",
     "Attempts without a usable session that counted for their destination."},
    {COUNTER_TRANSFER_FAILURES, "postern_transfer_failures_total", "",
     "Temporary failures within a session, one for each recipient."},
    {COUNTER_HOLDS, "postern_holds_total", "",
     "Destinations found down, whose mail is held (or would be, while only observing)."},
    {COUNTER_HOLDS_OVER, "postern_holds_ended_total", "",
     "Destinations that were down and could be reached again."},
    {COUNTER_GIVEN_UP_OPEN, "postern_give_ups_total", "reason=\"open\"",
     "Recipients given up at a cap (or that would be, while only observing), by what was counted."},
    {COUNTER_GIVEN_UP_TRANSFER, "postern_give_ups_total", "reason=\"transfer\"", ""},
    {COUNTER_GIVEN_UP_LIMIT, "postern_give_ups_total", "reason=\"limit\"", ""},
    {COUNTER_WAKES, "postern_wakes_total", "", "Messages that Postfix was asked to try now."},
    {COUNTER_WAKES_FAILED, "postern_wake_failures_total", "", "Calls of postqueue that failed."},
    {COUNTER_REPORTS_FAILURE, "postern_reports_sent_total", "kind=\"failure\"",
     "Reports that posternd sent: early ones of failures, and warnings of a delay."},
    {COUNTER_REPORTS_DELAY, "postern_reports_sent_total", "kind=\"delay\"", ""},
    {COUNTER_REPORTS_FAILED, "postern_report_failures_total", "",
     "Reports that sendmail did not take."},
    {COUNTER_CLAIMS_KEPT, "postern_postfix_reports_total", "answer=\"kept\"",
     "Postfix's own reports that the milter asked about, by what was answered."},
    {COUNTER_CLAIMS_REDUCED, "postern_postfix_reports_total", "answer=\"reduced\"", ""},
    {COUNTER_CLAIMS_DISCARDED, "postern_postfix_reports_total", "answer=\"discarded\"", ""},
    {COUNTER_BAD_LEARNED, "postern_bad_addresses_learned_total", "",
     "Addresses whose server said that they do not exist."},
    {COUNTER_BAD_FORGOTTEN, "postern_bad_addresses_forgotten_total", "",
     "Bad addresses that were delivered to after all."},
    {COUNTER_GUARDS, "postern_guard_trips_total", "",
     "Destinations that rejected too many recipients to be believed."},
    {COUNTER_POLICY_DUNNO, "postern_policy_requests_total", "answer=\"dunno\"",
     "Requests to the policy service, by answer."},
    {COUNTER_POLICY_BAD, "postern_policy_requests_total", "answer=\"bad_address\"", ""},
    {COUNTER_POLICY_DOWN, "postern_policy_requests_total", "answer=\"destination_down\"", ""},
    {COUNTER_POLICY_LIMIT, "postern_policy_requests_total", "answer=\"too_many_recipients\"", ""},
    {COUNTER_PUBLISHED, "postern_table_publishes_total", "",
     "Times that the transport table was written."},
    {COUNTER_PUBLISH_FAILED, "postern_table_publish_failures_total", "",
     "Times that postmap could not write the transport table."},
    {COUNTER_COMMIT_FAILED, "postern_state_failures_total", "",
     "Times that the state could not be written."},
};
/* clang-format on */

static const char *const HEALTHS[METRICS_HEALTHS] = {
    [DESTINATION_UP] = "up",
    [DESTINATION_FAILING] = "failing",
    [DESTINATION_DOWN] = "down",
    [DESTINATION_TRYING] = "trying",
};

/* --- What the state holds --- */

static void count_destinations(struct metrics_facts *facts, struct store *store)
{
    struct destination_record record;
    struct slice key;
    struct slice value;
    bool more = store_seek(store, STORE_DESTINATION, (struct slice){"", 0}, &key, &value);

    for (; more; more = store_next(store, STORE_DESTINATION, &key, &value))
        if (record_decode_destination(key, value, &record) && record.d.health < METRICS_HEALTHS)
            facts->by_health[record.d.health]++;
}

static struct metrics_group look_up_group(struct store *store, const char *name)
{
    struct metrics_group group = {.name = name, .health = DESTINATION_UP};
    struct destination_record record;
    char key[sizeof(record.name)];

    snprintf(key, sizeof(key), "g:%s", name);
    if (!record_load_destination(store, slice_of(key), &record))
        return group;
    group.known = true;
    group.health = record.d.health;
    if (record.d.health != DESTINATION_UP)
        group.open_retries = destination_failures(&record.d);
    return group;
}

static int64_t stored_time(struct store *store, const char *name)
{
    struct slice found;
    int64_t time = 0;

    if (store_get(store, STORE_META, slice_of(name), &found) && found.len == sizeof(time))
        memcpy(&time, found.at, sizeof(time));
    return time;
}

void metrics_gather(struct metrics_facts *facts, struct store *store, const struct config *config)
{
    char path[4200];
    struct stat st;

    count_destinations(facts, store);
    facts->group_count = 0;
    while (facts->group_count < METRICS_GROUPS && facts->group_count < config_group_count(config)) {
        size_t i = facts->group_count++;
        facts->groups[i] = look_up_group(store, config_group_at(config, i)->name);
    }
    facts->waiting = store_count(store, STORE_WAITING);
    facts->routes = store_count(store, STORE_ROUTE);
    facts->bad_addresses = store_count(store, STORE_BAD);
    if (facts->last_line == 0)
        facts->last_line = stored_time(store, "log-time");
    snprintf(path, sizeof(path), "%s/state.mdb", config_state_directory(config));
    facts->state_bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    facts->state = true;
}

/* --- Text --- */

static void head(FILE *to, const char *name, const char *type, const char *help)
{
    fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(FILE *to, const char *name, uint64_t value, const char *help)
{
    head(to, name, "gauge", help);
    fprintf(to, "%s %" PRIu64 "\n", name, value);
}

/* Times and durations are in seconds. */
static void seconds(FILE *to, const char *name, int64_t ms, const char *help)
{
    head(to, name, "gauge", help);
    fprintf(to, "%s %" PRId64 ".%03d\n", name, ms / 1000, (int)(ms % 1000));
}

static void print_counters(FILE *to)
{
    const char *family = "";

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const struct row *row = &ROWS[i];
        bool labelled = row->label[0] != '\0';
        if (strcmp(family, row->name) != 0)
            head(to, row->name, "counter", row->help);
        family = row->name;
        fprintf(to, "%s%s%s%s %" PRIu64 "\n", row->name, labelled ? "{" : "", row->label,
                labelled ? "}" : "", counters_get(row->counter));
    }
}

static void print_program(FILE *to, const struct metrics_facts *f)
{
    head(to, "postern_build_info", "gauge", "Always 1; the version of posternd.");
    fputs("postern_build_info{version=\"" PACKAGE_VERSION "\"} 1\n", to);
    seconds(to, "postern_start_time_seconds", f->started, "When posternd was started.");
    gauge(to, "postern_enforcing", f->enforcing, "1: enforce is true; 0: only observing.");
    gauge(to, "postern_postfix_connected", f->connected,
          "1: Postfix reads the transport table; 0: it does not, and nothing is held.");
    gauge(to, "postern_early_reports_possible", f->early_possible,
          "1: Postfix's own reports pass through postern-earlyndr; 0: no early reports.");
}

static void print_log(FILE *to, const struct metrics_facts *f)
{
    int64_t lag = f->caught_up ? 0 : f->now - f->last_line;

    if (f->last_line > 0)
        seconds(to, "postern_log_last_line_timestamp_seconds", f->last_line,
                "When the last line of Postfix's that was read was written.");
    if (f->caught_up || f->last_line > 0)
        seconds(to, "postern_log_lag_seconds", lag > 0 ? lag : 0,
                "How far reading is behind the log; 0 when its end was reached.");
}

/* backslash, quote and newline: the format's three escapes */
static void print_label(FILE *to, const char *value)
{
    for (; *value; value++) {
        if (*value == '\n')
            fputs("\\n", to);
        else if (*value == '\\' || *value == '"')
            fprintf(to, "\\%c", *value);
        else
            fputc(*value, to);
    }
}

static void print_group(FILE *to, const char *name, const char *group, const char *more,
                        uint64_t value)
{
    fprintf(to, "%s{group=\"", name);
    print_label(to, group);
    fprintf(to, "\"%s} %" PRIu64 "\n", more, value);
}

static void print_group_health(FILE *to, const struct metrics_group *group)
{
    char label[40];

    for (int h = 0; h < METRICS_HEALTHS; h++) {
        snprintf(label, sizeof(label), ",health=\"%s\"", HEALTHS[h]);
        print_group(to, "postern_group_health", group->name, label,
                    group->known && (int)group->health == h);
    }
}

static void print_groups(FILE *to, const struct metrics_facts *f)
{
    if (f->group_count == 0)
        return;
    head(to, "postern_group_health", "gauge",
         "1 for the health that a group of postern.conf has; all 0 before mail to it was seen.");
    for (size_t i = 0; i < f->group_count; i++)
        print_group_health(to, &f->groups[i]);
    head(to, "postern_group_open_retries", "gauge",
         "Failed attempts that count in the present outage of a group.");
    for (size_t i = 0; i < f->group_count; i++)
        print_group(to, "postern_group_open_retries", f->groups[i].name, "",
                    f->groups[i].open_retries);
}

static void print_state(FILE *to, const struct metrics_facts *f)
{
    gauge(to, "postern_state_readable", f->state, "1: the state could be read for this answer.");
    if (!f->state)
        return;
    head(to, "postern_destinations", "gauge", "Destinations, by health.");
    for (int h = 0; h < METRICS_HEALTHS; h++)
        fprintf(to, "postern_destinations{health=\"%s\"} %" PRIu64 "\n", HEALTHS[h],
                f->by_health[h]);
    print_groups(to, f);
    gauge(to, "postern_waiting_recipients", f->waiting, "Recipients that wait for a destination.");
    gauge(to, "postern_routes", f->routes, "Routes that are wanted in the transport table.");
    gauge(to, "postern_bad_addresses", f->bad_addresses, "Addresses known not to exist.");
    gauge(to, "postern_state_size_bytes", f->state_bytes, "Size of the file of the state.");
}

char *metrics_text(const struct metrics_facts *facts)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    if (to == NULL)
        return NULL;
    print_program(to, facts);
    print_log(to, facts);
    print_state(to, facts);
    print_counters(to);
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}
