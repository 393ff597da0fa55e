/* What an administrator reads, from a state made by hand to the text on the terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "record.h"
#include "report.h"
#include "show.h"
#include "show_colour.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND };

static const int64_t begin = INT64_C(1795420800000); /* 2026-11-23 08:00:00 UTC */

#define REFUSED "connect to mx.partner.example[127.0.0.2]:25: Connection refused"

static const char rules[] =
    "enforce = %s;\n"
    "destinations = ({ name = \"partner\"; domains = (\"partner.example\");\n"
    "  max_open_retries = 4; open_interval = 60;\n"
    "  max_transfer_retries = 3; transfer_interval = 120; });\n";

/* A state in a folder of its own. */
struct world {
    char directory[64];
    struct config *config;
    struct store *store;
    struct destination_record partner;
    struct report_question q;
};

static void load_rules(struct world *w, const char *enforce)
{
    char path[96];
    char error[512];
    FILE *file;

    snprintf(path, sizeof(path), "%s/postern.conf", w->directory);
    file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, rules, enforce);
    assert_int_equal(fclose(file), 0);
    config_free(&w->config);
    w->config = config_load(path, error, sizeof(error));
    if (w->config == NULL)
        fail_msg("%s", error);
    w->q.config = w->config;
}

/* partner refused for the fourth and fifth time; three failures are of an outage before. */
static void make(struct world *w)
{
    char error[512];

    memset(w, 0, sizeof(*w));
    strcpy(w->directory, "/tmp/postern-report.XXXXXX");
    assert_non_null(mkdtemp(w->directory));
    w->store = store_open(w->directory, true, (gid_t)-1, error, sizeof(error));
    if (w->store == NULL)
        fail_msg("%s", error);
    assert_true(store_begin(w->store));
    w->q = (struct report_question){.store = w->store, .now = begin + 90 * SECOND, .running = true};
    load_rules(w, "true");
    strcpy(w->partner.name, "g:partner");
    strcpy(w->partner.error, REFUSED);
    w->partner.d = (struct destination){.health = DESTINATION_DOWN,
                                        .retries = 5,
                                        .recorded = 5,
                                        .outage_start = 3,
                                        .since = begin,
                                        .last_counted = begin + MINUTE,
                                        .next = begin + 2 * MINUTE};
    record_create_destination(w->store, &w->partner);
}

static void end(struct world *w)
{
    char command[128];

    store_close(&w->store);
    config_free(&w->config);
    snprintf(command, sizeof(command), "rm -rf %s", w->directory);
    assert_int_equal(system(command), 0);
}

static void save(struct world *w)
{
    record_save_destination(w->store, &w->partner);
}

static void tried(struct world *w, uint64_t number, int64_t started, int64_t lasted,
                  enum failure kind, const char *queue_id)
{
    struct attempt_record a = {
        .started = started, .ended = started + lasted, .number = number, .kind = (uint8_t)kind};

    strcpy(a.queue_id, queue_id);
    strcpy(a.text, REFUSED);
    record_save_retry(w->store, w->partner.d.id, &a);
}

static void history(struct world *w)
{
    tried(w, 2, begin - 600 * MINUTE, 0, FAILURE_OPEN, "OLD");
    tried(w, 3, begin - 599 * MINUTE, 0, FAILURE_SUSPENDED, "OLD");
    tried(w, 4, begin, 200, FAILURE_OPEN, "FIRST");
    tried(w, 5, begin + MINUTE, 30 * SECOND, FAILURE_OPEN, "FIRST");
}

static void message(struct world *w, const char *queue_id, const struct recipient *r)
{
    struct key key;
    struct key waiting;

    assert_true(record_recipient_key(&key, slice_of(queue_id), slice_of("a@partner.example")));
    record_save_recipient(w->store, key_slice(&key), r);
    record_waiting_key(&waiting, r->destination, r->baseline, key_slice(&key));
    if (r->waiting)
        store_put(w->store, STORE_WAITING, key_slice(&waiting), (struct slice){"", 0});
}

static void waits(struct world *w, const char *queue_id, uint64_t baseline)
{
    const struct recipient r = {.destination = w->partner.d.id,
                                .waiting = true,
                                .baseline = baseline,
                                .arrived = begin,
                                .first_failure = begin,
                                .failures = 1};

    message(w, queue_id, &r);
}

/* The text of a report; static. */
static const char *text_of(show_report *show, int width, json_t *report)
{
    static char text[8192];
    FILE *out = fmemopen(text, sizeof(text), "w");

    assert_non_null(out);
    assert_non_null(report);
    show(out, width, report);
    assert_int_equal(fclose(out), 0);
    json_decref(report);
    return text;
}

static void expect_has(const char *label, const char *text, const char *want)
{
    if (strstr(text, want) == NULL)
        fail_msg("%s: not there: %s\n%s", label, want, text);
}

static void expect_lacks(const char *label, const char *text, const char *not_wanted)
{
    if (strstr(text, not_wanted) != NULL)
        fail_msg("%s: there: %s\n%s", label, not_wanted, text);
}

static void the_table(void **state)
{
    struct world w;

    (void)state;
    make(&w);
    waits(&w, "FIRST", 3);
    assert_string_equal(text_of(show_destinations, 80, report_destinations(&w.q)),
                        "DESTINATION  HEALTH  FAILED  CAP  SINCE       NEXT     WAITING\n"
                        "partner      down         2    4  1 min 30 s  in 30 s        1\n"
                        "    " REFUSED "\n"
                        "0 others are up.\n");
    end(&w);
}

/* The words and the columns are the same; without the codes nothing differs. */
static void the_table_in_colour(void **state)
{
    struct world w;

    (void)state;
    make(&w);
    waits(&w, "FIRST", 3);
    assert_false(show_colour_set("often"));
    assert_true(show_colour_set("always"));
    expect_has("table", text_of(show_destinations, 80, report_destinations(&w.q)),
               "\npartner      \033[31mdown\033[0m         2    4  1 min 30 s  in 30 s        1\n");
    expect_has("one", text_of(show_destination, 80, report_destination(&w.q, "partner")),
               "partner: \033[31mdown\033[0m, never yet reached\n");
    assert_true(show_colour_set("auto")); /* no terminal here */
    expect_has("plain", text_of(show_destinations, 80, report_destinations(&w.q)),
               "\npartner      down    ");
    assert_true(show_colour_set("never"));
    end(&w);
}

/* Names give way, errors are wrapped, and no line is longer than the terminal is wide. */
static void the_table_fits(void **state)
{
    static const int widths[] = {70, 75, 80, 200};
    struct world w;
    struct destination_record other = {.d = {.health = DESTINATION_FAILING, .since = begin}};

    (void)state;
    make(&w);
    snprintf(other.name, sizeof(other.name), "d:a-very-long-name-of-a-host-%060d.example", 7);
    snprintf(other.error, sizeof(other.error), "lost connection with %0100d and %050d", 1, 2);
    strcpy(other.error + 40, " while receiving the initial server greeting, or so it seems to us");
    other.d.next = begin + 24 * 60 * MINUTE;
    record_create_destination(w.store, &other);
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        char text[8192];

        strcpy(text, text_of(show_destinations, widths[i], report_destinations(&w.q)));
        assert_true((strstr(text, "...") != NULL) == (widths[i] < 200));
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            if ((int)strlen(line) > widths[i])
                fail_msg("width %d: %s", widths[i], line);
    }
    end(&w);
}

static void one_destination(void **state)
{
    struct world w;

    (void)state;
    make(&w);
    waits(&w, "FIRST", 3);
    history(&w);
    assert_string_equal(
        text_of(show_destination, 80, report_destination(&w.q, "Partner.EXAMPLE")),
        "partner: down, never yet reached\n"
        "  policy:        partner: 4 attempts, one a minute; in a session: 3 attempts, one every 2 "
        "minutes\n"
        "  outage:        2 failed attempts in 1 min 30 s, since 2026-11-23 08:00:00 +0000\n"
        "  last reached:  never\n"
        "  next:          attempt in 30 s; until then its mail is held\n"
        "  waiting:       1 recipient\n"
        "    FIRST  a@partner.example\n"
        "  failed attempts:\n"
        "    #1  2026-11-23 08:00:00 +0000  no session (after 0.2 s), by FIRST\n"
        "        " REFUSED "\n"
        "    #2  2026-11-23 08:01:00 +0000  no session (after 30 s), by FIRST\n"
        "        " REFUSED "\n"
        "  before, in an outage that is over:\n"
        "    2026-11-22 22:00:00 +0000  no session (at once), by OLD\n"
        "        " REFUSED "\n"
        "    2026-11-22 22:01:00 +0000  not tried (suspended), by OLD\n"
        "        " REFUSED "\n");
    end(&w);
}

static void one_message(void **state)
{
    struct world w;

    (void)state;
    make(&w);
    history(&w);
    waits(&w, "LATER", 4);
    assert_string_equal(
        text_of(show_message, 80, report_message(&w.q, "LATER")),
        "LATER\n"
        "  to a@partner.example, in the queue since 2026-11-23 08:00:00 +0000\n"
        "    policy:        partner: 4 attempts, one a minute; in a session: 3 attempts, one every "
        "2 minutes\n"
        "    why:           partner cannot be reached (down)\n"
        "    failed:        1 of 4 attempts since this message came\n"
        "    next:          attempt in 30 s; until then its mail is held\n"
        "    given up:      after 3 more failed attempts, about 08:04:00\n"
        "    counted:       whichever message made the attempt\n"
        "      #2  2026-11-23 08:01:00 +0000  no session (after 30 s), by FIRST\n"
        "          " REFUSED "\n"
        "    its own:       1 failed attempt\n");
    end(&w);
}

/* When it is given up: the text behind "given up:", or NULL where nothing is foreseen. */
static void forecasts(void **state)
{
    static const struct {
        const char *label;
        struct recipient r;
        enum destination_health health;
        const char *want;
    } cases[] = {
        {"the last one",
         {.waiting = true, .baseline = 2},
         DESTINATION_DOWN,
         "after 1 more failed attempt, about 08:02:00\n"},
        {"trying",
         {.waiting = true, .baseline = 4},
         DESTINATION_TRYING,
         "after 3 more failed attempts, about 08:03:30\n"},
        {"transfer",
         {.transfers = 1, .next = INT64_C(1795420800000) + 5 * MINUTE},
         DESTINATION_UP,
         "after 2 more failed attempts, about 08:07:00\n"},
        {"a transfer that nobody plans",
         {.transfers = 1},
         DESTINATION_UP,
         "after 2 more failed attempts\n"},
        {"half a day",
         {.transfers = 1, .next = INT64_C(1795420800000) + 800 * MINUTE},
         DESTINATION_UP,
         "after 2 more failed attempts, about 2026-11-23 21:22:00 +0000\n"},
        {"no failure that counts", {.failures = 1}, DESTINATION_UP, NULL},
        {"decided", {.transfers = 2, .give_up = GIVE_UP_TRANSFER}, DESTINATION_UP, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipient r = cases[i].r;
        struct world w;
        const char *text;

        make(&w);
        w.partner.d.outage_start = cases[i].health == DESTINATION_UP ? 5 : 1;
        w.partner.d.health = cases[i].health;
        save(&w);
        r.destination = w.partner.d.id;
        message(&w, "Q", &r);
        text = text_of(show_message, 80, report_message(&w.q, "Q"));
        if (cases[i].want == NULL)
            expect_lacks(cases[i].label, text, "given up:     ");
        else
            expect_has(cases[i].label, strstr(text, "given up:     ") ? text : "", cases[i].want);
        end(&w);
    }
}

/* "trying" is said of an attempt; without anybody to make it the destination is down. */
static void nobody_waits(void **state)
{
    struct world w;

    (void)state;
    make(&w);
    expect_has("held", text_of(show_destination, 80, report_destination(&w.q, "partner")),
               "mail is held for 30 s; nobody waits: the next message is the probe\n");
    w.partner.d.health = DESTINATION_TRYING;
    save(&w);
    expect_has("due", text_of(show_destination, 80, report_destination(&w.q, "partner")),
               "partner: down, never yet reached\n");
    expect_has("due", text_of(show_destination, 80, report_destination(&w.q, "partner")),
               "next:          nobody waits: the next message is the probe\n");
    expect_has("due", text_of(show_destinations, 80, report_destinations(&w.q)), "next mail");
    expect_has("due", text_of(show_status, 80, report_status(&w.q)),
               "1 known: 0 up, 0 failing, 1 down, 0 trying (0 reached at least once)");
    waits(&w, "FIRST", 3);
    expect_has("somebody", text_of(show_destination, 80, report_destination(&w.q, "partner")),
               "partner: trying");
    expect_has("somebody", text_of(show_status, 80, report_status(&w.q)), "0 down, 1 trying");
    end(&w);
}

/* Whatever keeps posternd from acting, no report promises what it would do. */
static void nobody_acts(void **state)
{
    static const struct {
        const char *label;
        bool running;
        const char *enforce;
        const char *connected;
        const char *banner;
    } cases[] = {
        {"not running", false, "true", "\1",
         "posternd is NOT RUNNING: Postfix delivers on its own schedule\n"},
        {"observing", true, "false", "\1",
         "observing only (enforce = false): Postfix delivers on its own schedule\n"},
        {"not connected", true, "true", "\0",
         "Postfix is NOT CONNECTED: run posternctl setup --apply; observing only until then\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *label = cases[i].label;
        json_t *reports[4];
        show_report *const shows[] = {show_status, show_destinations, show_destination,
                                      show_message};
        struct world w;

        make(&w);
        waits(&w, "FIRST", 3);
        load_rules(&w, cases[i].enforce);
        w.q.running = cases[i].running;
        store_put(w.store, STORE_META, slice_of("connected"),
                  (struct slice){cases[i].connected, 1});
        reports[0] = report_status(&w.q);
        reports[1] = report_destinations(&w.q);
        reports[2] = report_destination(&w.q, "partner");
        reports[3] = report_message(&w.q, "FIRST");
        for (int r = 0; r < 4; r++) {
            const char *text = text_of(shows[r], 80, reports[r]);

            if (strncmp(text, cases[i].banner, strlen(cases[i].banner)) != 0)
                fail_msg("%s: begins otherwise:\n%s", label, text);
            expect_lacks(label, text, " in 30 s");
            expect_lacks(label, text, "given up");
            expect_has(label, text, r == 0 ? "routes:        0 wanted\n" : "Postfix's schedule");
        }
        end(&w);
    }
}

static void what_is_alive(void **state)
{
    struct world w;
    int64_t read = begin + 87 * SECOND;

    (void)state;
    make(&w);
    expect_has("nothing read", text_of(show_status, 80, report_status(&w.q)),
               "mail log:      /var/log/mail.log, NOTHING READ YET\n");
    expect_lacks("not known", text_of(show_status, 80, report_status(&w.q)), "postfix:");
    store_put(w.store, STORE_META, slice_of("log-time"),
              (struct slice){(const char *)&read, sizeof(read)});
    store_put(w.store, STORE_META, slice_of("connected"), (struct slice){"\1", 1});
    w.partner.d.takes = 12;
    w.partner.d.lane = 10;
    save(&w);
    assert_string_equal(text_of(show_status, 80, report_status(&w.q)),
                        "posternd:      running\n"
                        "postfix:       connected\n"
                        "mail log:      /var/log/mail.log, read up to 2026-11-23 08:01:27 +0000 "
                        "(3 s ago)\n"
                        "state:         /var/lib/postern\n"
                        "destinations:  1 known: 0 up, 0 failing, 1 down, 0 trying (0 reached at "
                        "least once)\n"
                        "recipients:    0 waiting for a destination\n"
                        "limits:        1 learned (of recipients in one transaction); 1 lane in "
                        "use: postern-rcpt10\n"
                        "early NDRs:    0 bad addresses known\n"
                        "routes:        0 in the transport table\n"
                        "\nNext: posternctl destinations\n");
    end(&w);
}

static void kinds_in_json(void **state)
{
    static const struct {
        enum failure kind;
        const char *want;
    } cases[] = {
        {FAILURE_OPEN, "open_failure"},
        {FAILURE_SUSPENDED, "skipped"},
        {FAILURE_TRANSFER, "transfer_failure"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;
        json_t *report;
        json_t *attempt;

        make(&w);
        tried(&w, 5, begin, 0, cases[i].kind, "Q");
        report = report_destination(&w.q, "partner");
        attempt = json_array_get(json_object_get(report, "history"), 0);
        assert_string_equal(json_string_value(json_object_get(attempt, "kind")), cases[i].want);
        assert_int_equal(json_integer_value(json_object_get(attempt, "number")), 5);
        assert_int_equal(json_integer_value(json_object_get(attempt, "in_outage")), 2);
        json_decref(report);
        end(&w);
    }
}

#define UNKNOWN                                                                                    \
    "host mx.partner.example[127.0.0.2] said: 550 5.1.1 User unknown (in reply to RCPT TO "        \
    "command)"

static void bad(struct world *w, const char *address, int64_t learned, uint32_t times)
{
    struct bad_record r = {.b = {learned, 0, w->partner.d.id, times}};

    strcpy(r.queue_id, "4F1");
    strcpy(r.status, "5.1.1");
    strcpy(r.host, "mx.partner.example");
    strcpy(r.text, UNKNOWN);
    record_save_bad(w->store, slice_of(address), NULL, &r);
}

static void bad_addresses(void **state)
{
    struct guard guard = {.since = begin};
    int64_t day = INT64_C(86400) * SECOND;
    struct world w;

    (void)state;
    make(&w);
    assert_string_equal(text_of(show_recipients, 80, report_recipients(&w.q)),
                        "No address is known to be bad.\n");
    bad(&w, "gone@partner.example", begin - day, 1); /* its lifetime is over */
    bad(&w, "old@partner.example", begin - day / 2, 3);
    bad(&w, "new@partner.example", begin, 1);
    guard.step = (begin + 60 * SECOND) / (60 * SECOND);
    guard.rejected[guard.step % GUARD_STEPS] = 19;
    guard.total[guard.step % GUARD_STEPS] = 20;
    record_save_guard(w.store, w.partner.d.id, &guard);
    assert_string_equal(
        text_of(show_recipients, 80, report_recipients(&w.q)),
        "2 addresses are known to be bad, and refused at the door:\n\n"
        "new@partner.example\n"
        "    mx.partner.example said: 550 5.1.1 User unknown\n"
        "    on 2026-11-23 08:00:00 +0000, about 4F1; forgotten in 23 h 58 min\n"
        "old@partner.example\n"
        "    mx.partner.example said: 550 5.1.1 User unknown\n"
        "    on 2026-11-22 20:00:00 +0000, about 4F1, 3 times in a row; forgotten in 11 h 58 min\n"
        "\npartner: nothing is learned since 2026-11-23 08:00:00 +0000: it rejected 19 of its last "
        "20 recipients\n"
        "\nOne of them exists by now? posternctl forget recipient ADDRESS\n");
    expect_has("status", text_of(show_status, 80, report_status(&w.q)),
               "early NDRs:    3 bad addresses known; NOTHING IS LEARNED from 1 destination: "
               "posternctl recipients\n");
    /* The window passes without a word from the log. */
    w.q.now = begin + 3600 * SECOND;
    expect_lacks("later", text_of(show_recipients, 80, report_recipients(&w.q)), "nothing is");
    end(&w);
}

static void bounced(struct world *w, const char *recipient, enum early_state state,
                    int64_t reported)
{
    struct early_record r = {.e = {state, begin + 80 * SECOND, reported, "5.1.1"}};
    struct key key;

    strcpy(r.text, UNKNOWN);
    assert_true(record_recipient_key(&key, slice_of("4F1"), slice_of(recipient)));
    record_save_early(w->store, key_slice(&key), &r);
}

static void bounced_recipients(void **state)
{
    struct message_record m = {
        .due = begin + 95 * SECOND, .arrived = begin, .json = slice_of("{}")};
    struct world w;

    (void)state;
    make(&w);
    record_save_message(w.store, slice_of("4F1"), &m);
    assert_null(report_message(&w.q, "4F1"));
    bounced(&w, "a@x", EARLY_PENDING, 0);
    bounced(&w, "b@x", EARLY_SENDING, 0);
    bounced(&w, "c@x", EARLY_SENT, begin + 85 * SECOND);
    bounced(&w, "d@x", EARLY_POSTFIX, 0);
    assert_string_equal(text_of(show_message, 80, report_message(&w.q, "4F1")),
                        "4F1\n"
                        "  to a@x, bounced 2026-11-23 08:01:20 +0000\n"
                        "    said:          550 5.1.1 User unknown\n"
                        "    report:        in 5 s\n"
                        "  to b@x, bounced 2026-11-23 08:01:20 +0000\n"
                        "    said:          550 5.1.1 User unknown\n"
                        "    report:        being sent\n"
                        "  to c@x, bounced 2026-11-23 08:01:20 +0000\n"
                        "    said:          550 5.1.1 User unknown\n"
                        "    report:        sent 2026-11-23 08:01:25 +0000\n"
                        "  to d@x, bounced 2026-11-23 08:01:20 +0000\n"
                        "    said:          550 5.1.1 User unknown\n"
                        "    report:        left to Postfix, when it is done with this pass\n");
    w.q.running = false; /* then nobody sends one */
    expect_lacks("not running", text_of(show_message, 80, report_message(&w.q, "4F1")), "in 5 s");
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),           cmocka_unit_test(the_table_fits),
        cmocka_unit_test(the_table_in_colour), cmocka_unit_test(one_destination),
        cmocka_unit_test(one_message),         cmocka_unit_test(forecasts),
        cmocka_unit_test(nobody_waits),        cmocka_unit_test(nobody_acts),
        cmocka_unit_test(what_is_alive),       cmocka_unit_test(kinds_in_json),
        cmocka_unit_test(bad_addresses),       cmocka_unit_test(bounced_recipients),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
