/* posternctl replay: the study of a log, and the page. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "replay_html.h"
#include "replay_map.h"
#include "replay_parts.h"
#include "replay_report.h"
#include "replay_rows.h"

#undef stop /* a macro of cmocka 2 */

static const int64_t begin = INT64_C(1795420800000); /* 2026-11-23 08:00:00 UTC */

/* A study that is fed line by line. */
struct fixture {
    struct config *config;
    struct replay_study *study;
    struct maillog_reader reader;
    const char *host; /* whose lines these are */
};

static void start_within(struct fixture *f, const char *text, const struct replay_limits *limits)
{
    char path[] = "/tmp/postern-replay-XXXXXX";
    char error[512];
    int fd = mkstemp(path);

    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    memset(f, 0, sizeof(*f));
    f->host = "mail";
    f->config = config_load(path, error, sizeof(error));
    unlink(path);
    if (f->config == NULL)
        fail_msg("%s", error);
    f->study = replay_study_new(f->config, limits, 1, error, sizeof(error));
    assert_non_null(f->study);
}

static void start(struct fixture *f, const char *text)
{
    start_within(f, text, &replay_limits_default);
}

static void stop(struct fixture *f)
{
    replay_study_free(&f->study);
    config_free(&f->config);
}

/* The line of a program, so many seconds after the beginning. */
static void line(struct fixture *f, double seconds, const char *program, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void line(struct fixture *f, double seconds, const char *program, const char *format, ...)
{
    int64_t ms = begin + (int64_t)(seconds * 1000 + 0.5);
    time_t second = (time_t)(ms / 1000);
    struct maillog_line parsed;
    char whole[2000], stamp[40];
    struct tm tm;
    size_t len;
    va_list ap;

    gmtime_r(&second, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    len = (size_t)snprintf(whole, sizeof(whole), "%s.%03d+00:00 %s postfix/%s[7]: ", stamp,
                           (int)(ms % 1000), f->host, program);
    va_start(ap, format);
    len += (size_t)vsnprintf(whole + len, sizeof(whole) - len, format, ap);
    va_end(ap);
    if (maillog_parse(&f->reader, whole, len, ms, &parsed))
        replay_study_line(f->study, &parsed);
    else
        replay_study_other(f->study, &parsed, (struct slice){whole, len});
}

static void refused(struct fixture *f, double seconds, const char *id, const char *domain,
                    double age)
{
    line(f, seconds, "smtp",
         "%s: to=<u@%s>, relay=none, delay=%.0f, delays=%.0f/0/0/0, dsn=4.4.1, status=deferred "
         "(connect to mx.%s[192.0.2.1]:25: Connection refused)",
         id, domain, age, age, domain);
}

static void sent(struct fixture *f, double seconds, const char *id, const char *domain, double age)
{
    line(f, seconds, "smtp",
         "%s: to=<u@%s>, relay=mx.%s[192.0.2.1]:25, delay=%.0f, delays=%.0f/0/0/0, dsn=2.0.0, "
         "status=sent (250 ok)",
         id, domain, domain, age, age);
    line(f, seconds, "qmgr", "%s: removed", id);
}

static void expired(struct fixture *f, double seconds, const char *id, const char *sender)
{
    line(f, seconds, "qmgr", "%s: from=<%s>, status=expired, returned to sender", id, sender);
    line(f, seconds, "qmgr", "%s: removed", id);
}

static json_t *finish(struct fixture *f)
{
    replay_study_end(f->study);
    return replay_report(f->study);
}

static double number(const json_t *object, const char *path)
{
    char key[64];
    const char *dot;

    for (; (dot = strchr(path, '.')); path = dot + 1) {
        snprintf(key, sizeof(key), "%.*s", (int)(dot - path), path);
        object = json_object_get(object, key);
    }
    return json_number_value(json_object_get(object, path));
}

/* Parts */

static void count_values(void *context, void *value)
{
    *(int *)context += *(int *)value;
}

static void map_keeps_what_it_has_room_for(void **state)
{
    size_t room = 5000;
    struct replay_map *map = replay_map_new(sizeof(int), &room, 42);
    char key[32];
    int sum = 0;

    (void)state;
    for (int i = 0; i < 5001; i++) {
        int *value = replay_map_add(
            map, (struct slice){key, (size_t)snprintf(key, sizeof(key), "user%d@example", i)});

        assert_true((value != NULL) == (i < 5000));
        if (value)
            *value = 1;
    }
    replay_map_remove(map, slice_of("user7@example"));
    replay_map_remove(map, slice_of("user7@example"));
    assert_null(replay_map_find(map, slice_of("user7@example")));
    assert_non_null(replay_map_find(map, slice_of("user4999@example")));
    assert_string_equal(replay_map_key(map, replay_map_find(map, slice_of("user8@example"))).at,
                        "user8@example");
    replay_map_each(map, count_values, &sum);
    assert_int_equal(sum, 4999);
    assert_int_equal(replay_map_count(map), 4999);
    replay_map_free(&map);
    assert_null(map);
}

static void tally_steps(void **state)
{
    struct replay_tally tally = {0};

    (void)state;
    replay_tally_add(&tally, -5);
    replay_tally_add(&tally, 999);
    replay_tally_add(&tally, 1000);
    replay_tally_add(&tally, INT64_C(400000000));
    assert_int_equal(tally.steps[0], 2);
    assert_int_equal(tally.steps[1], 1);
    assert_int_equal(tally.steps[REPLAY_STEPS - 1], 1);
    assert_int_equal(replay_step_end(REPLAY_STEPS - 1), 0);
    assert_int_equal(replay_tally_mean(&tally), 400001999 / 4);
}

static void time_in_the_active_queue(void **state)
{
    static const char text[] =
        "Nov 23 08:00:00 mail postfix/smtp[7]: 4F1A2B3C4: to=<a@b.example>, "
        "relay=mx[192.0.2.1]:25, conn_use=3, delay=90, delays=5/80.5/3/1.5, dsn=2.0.0, "
        "status=sent (, delays=1/2/3/4, dsn=2.0.0)";
    struct maillog_reader reader = {0};
    struct maillog_line parsed;

    (void)state;
    assert_true(maillog_parse(&reader, text, strlen(text), begin, &parsed));
    assert_int_equal(replay_queued(&parsed), 80500);
}

/* Outages */

static void outage_is_named(void **state)
{
    struct fixture f;
    json_t *report;
    const json_t *outage;

    (void)state;
    start(&f, "");
    sent(&f, 0, "4F1A2B3C1", "a.example", 1);
    refused(&f, 100, "4F1A2B3C2", "a.example", 1);
    refused(&f, 500, "4F1A2B3C2", "a.example", 401);
    line(&f, 800, "error",
         "4F1A2B3C2: to=<u@a.example>, relay=none, delay=701, delays=701/0/0/0, dsn=4.4.1, "
         "status=deferred (delivery temporarily suspended: connect to mx.a.example[192.0.2.1]:25: "
         "Connection refused)");
    sent(&f, 1000, "4F1A2B3C3", "a.example", 1);
    sent(&f, 1600, "4F1A2B3C2", "a.example", 1501);
    report = finish(&f);
    assert_int_equal(json_array_size(json_object_get(report, "outages")), 1);
    outage = json_array_get(json_object_get(report, "outages"), 0);
    assert_string_equal(json_string_value(json_object_get(outage, "destination")), "a.example");
    assert_string_equal(json_string_value(json_object_get(outage, "state")), "over");
    assert_true(number(outage, "began") == (double)begin / 1000 + 100);
    assert_true(number(outage, "ended") == (double)begin / 1000 + 1000);
    assert_true(number(outage, "attempts") == 2 && number(outage, "suspended") == 1);
    assert_true(number(outage, "waited.count") == 1 && number(outage, "waited.most") == 1500);
    assert_true(number(report, "after_outages.mean") == 600);
    json_decref(report);
    stop(&f);
}

static void single_failures_are_no_outage(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "");
    refused(&f, 100, "4F1A2B3C2", "a.example", 1);
    refused(&f, 110, "4F1A2B3C3", "a.example", 1); /* the same retry, for another message */
    sent(&f, 500, "4F1A2B3C2", "a.example", 401);
    sent(&f, 500, "4F1A2B3C3", "a.example", 391);
    report = finish(&f);
    assert_int_equal(json_array_size(json_object_get(report, "outages")), 0);
    assert_true(number(report, "mail.short_outages") == 1);
    json_decref(report);
    stop(&f);
}

/* Nobody waits any more: what fails a day later is another outage. */
static void outages_far_apart(void **state)
{
    struct fixture f;
    json_t *report;
    const json_t *list;

    (void)state;
    start(&f, "");
    for (int day = 0; day < 2; day++) {
        const char *id = day ? "4F1A2B3C2" : "4F1A2B3C1";

        refused(&f, day * 86400 + 100, id, "a.example", 1);
        refused(&f, day * 86400 + 500, id, "a.example", 401);
        line(&f, day * 86400 + 600, "postsuper", "%s: removed", id);
    }
    report = finish(&f);
    list = json_object_get(report, "outages");
    assert_int_equal(json_array_size(list), 2);
    assert_true(number(json_array_get(list, 0), "lasted") == 400);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "state")),
                        "not seen to end");
    json_decref(report);
    stop(&f);
}

/* Several servers, and mail hosts */

static const json_t *incident(const json_t *report, size_t nth)
{
    return json_array_get(json_object_get(report, "incidents"), nth);
}

static const char *nth_string(const json_t *object, const char *key, size_t nth)
{
    const char *text = json_string_value(json_array_get(json_object_get(object, key), nth));

    return text ? text : "";
}

/* The same queue id on two servers is two messages; what one server opens, it opens for itself. */
static void servers_are_apart(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "retry = { max_open_retries = 4; open_interval = 600; };\n");
    f.host = "mx1";
    sent(&f, 0, "4F1A2B3C1", "a.example", 1);
    refused(&f, 100, "4F1A2B3C2", "a.example", 0);
    f.host = "mx2";
    refused(&f, 150, "4F1A2B3C2", "a.example", 0);
    f.host = "mx1";
    refused(&f, 800, "4F1A2B3C2", "a.example", 700);
    f.host = "mx2";
    refused(&f, 900, "4F1A2B3C2", "a.example", 750);
    sent(&f, 1000, "4F1A2B3C2", "a.example", 850);
    f.host = "mx1";
    refused(&f, 2000, "4F1A2B3C2", "a.example", 1900);
    expired(&f, 432000, "4F1A2B3C2", "s@sender.example");
    report = finish(&f);
    assert_int_equal(json_array_size(json_object_get(report, "outages")), 2);
    assert_int_equal(json_array_size(json_object_get(report, "incidents")), 1);
    assert_string_equal(nth_string(incident(report, 0), "servers", 0), "mx1");
    assert_string_equal(nth_string(incident(report, 0), "servers", 1), "mx2");
    assert_true(number(incident(report, 0), "attempts") == 5);
    assert_true(number(incident(report, 0), "waited.count") == 2);
    assert_true(number(incident(report, 0), "began") == (double)begin / 1000 + 100);
    assert_true(number(report, "mail.destinations") == 1);
    assert_true(number(report, "ndrs.earlier.count") == 1);
    assert_true(number(report, "ndrs.not_seen_to_fail") == 0);
    assert_int_equal(json_array_size(json_object_get(report, "servers")), 2);
    json_decref(report);
    stop(&f);
}

static void failed_behind(struct fixture *f, double seconds, const char *id, const char *domain,
                          const char *host, double age)
{
    line(f, seconds, "smtp",
         "%s: to=<u@%s>, relay=none, delay=%.0f, delays=%.0f/0/0/0, dsn=4.4.1, status=deferred "
         "(connect to %s[192.0.2.1]:25: Connection refused)",
         id, domain, age, age, host);
}

/*
 * One failure of a domain whose only host is down is part of the outage; a session with the host,
 * for whichever domain, is its end.
 */
static void domains_behind_one_host(void **state)
{
    struct fixture f;
    json_t *report;
    const json_t *one;

    (void)state;
    start(&f, "");
    failed_behind(&f, 100, "4F1A2B3C1", "a.example", "mx.big.example", 0);
    failed_behind(&f, 200, "4F1A2B3C2", "b.example", "MX.big.example", 0);
    failed_behind(&f, 600, "4F1A2B3C1", "a.example", "mx.big.example", 500);
    failed_behind(&f, 700, "4F1A2B3C3", "c.example", "mx.big.example", 0);
    failed_behind(&f, 710, "4F1A2B3C4", "other.example", "mx.other.example", 0);
    line(&f, 1000, "smtp",
         "4F1A2B3C5: to=<u@d.example>, relay=mx.big.example[192.0.2.1]:25, delay=1, "
         "delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)");
    line(&f, 1300, "smtp",
         "4F1A2B3C3: to=<u@c.example>, relay=mx.big.example[192.0.2.1]:25, delay=600, "
         "delays=600/0/0/0, dsn=2.0.0, status=sent (250 ok)");
    report = finish(&f);
    one = incident(report, 0);
    assert_int_equal(json_array_size(json_object_get(report, "incidents")), 1);
    assert_int_equal(json_array_size(json_object_get(one, "destinations")), 2);
    assert_string_equal(nth_string(one, "destinations", 0), "a.example");
    assert_string_equal(nth_string(one, "destinations", 1), "c.example");
    assert_int_equal(json_array_size(json_object_get(one, "mail_hosts")), 1);
    assert_string_equal(nth_string(one, "mail_hosts", 0), "mx.big.example");
    assert_string_equal(json_string_value(json_object_get(one, "state")), "over");
    assert_true(number(one, "ended") == (double)begin / 1000 + 1000);
    assert_true(number(report, "after_outages.count") == 1);
    assert_true(number(report, "after_outages.mean") == 300);
    json_decref(report);
    stop(&f);
}

/* A domain that has another host, which works, is not down with the one that does not. */
static void domain_with_another_host(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "");
    sent(&f, 50, "4F1A2B3C3", "b.example", 1);
    failed_behind(&f, 100, "4F1A2B3C1", "a.example", "mx.big.example", 0);
    failed_behind(&f, 600, "4F1A2B3C1", "a.example", "mx.big.example", 500);
    failed_behind(&f, 700, "4F1A2B3C2", "b.example", "mx.big.example", 0);
    sent(&f, 1000, "4F1A2B3C2", "b.example", 300);
    report = finish(&f);
    assert_int_equal(json_array_size(json_object_get(report, "outages")), 1);
    assert_true(number(report, "mail.short_outages") == 1);
    json_decref(report);
    stop(&f);
}

/* Processes are counted on each server by itself. */
static void silence_on_two_servers(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "");
    for (int i = 0; i < 30; i++) {
        char id[32];

        snprintf(id, sizeof(id), "4F1A2B3%02d", i);
        f.host = i % 2 ? "mx1" : "mx2";
        f.reader = (struct maillog_reader){0};
        line(&f, 400 + i, "smtp",
             "%s: to=<u@s%d.example>, relay=none, delay=300, delays=0/0/300/0, dsn=4.4.1, "
             "status=deferred (conversation with mx.s%d.example[192.0.2.1] timed out while "
             "receiving the initial server greeting)",
             id, i, i);
    }
    report = finish(&f);
    assert_true(number(report, "held_up.busiest") <= 15);
    json_decref(report);
    stop(&f);
}

/* Caps */

static const char capped[] = "retry = { max_open_retries = 4; open_interval = 600; };\n"
                             "unproven = { max_open_retries = 2; };\n";

/* One that began the outage shares its first retry; a later one has the next as its first. */
static void ndr_would_have_gone_at_the_cap(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, capped);
    sent(&f, 0, "4F1A2B3C1", "a.example", 1);
    refused(&f, 100, "4F1A2B3C2", "a.example", 0);
    refused(&f, 800, "4F1A2B3C3", "a.example", 0);
    expired(&f, 432000, "4F1A2B3C2", "s@sender.example");
    expired(&f, 433000, "4F1A2B3C3", "s@sender.example");
    report = finish(&f);
    assert_true(number(report, "ndrs.earlier.count") == 2);
    assert_int_equal(f.study->earlier_samples.list[0].would, begin + (100 + 3 * 600) * 1000);
    assert_int_equal(f.study->earlier_samples.list[1].would, begin + (100 + 5 * 600) * 1000);
    json_decref(report);
    stop(&f);
}

static void never_reached_has_its_own_cap(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, capped);
    refused(&f, 100, "4F1A2B3C2", "typo.example", 0);
    refused(&f, 800, "4F1A2B3C2", "typo.example", 700);
    expired(&f, 432000, "4F1A2B3C2", "s@sender.example");
    report = finish(&f);
    assert_int_equal(f.study->earlier_samples.list[0].would, begin + (100 + 600) * 1000);
    assert_true(json_is_false(
        json_object_get(json_array_get(json_object_get(report, "outages"), 0), "reached")));
    json_decref(report);
    stop(&f);
}

static void delivered_after_the_cap(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, capped);
    refused(&f, 100, "4F1A2B3C2", "a.example", 0);
    refused(&f, 4000, "4F1A2B3C2", "a.example", 3900);
    sent(&f, 8000, "4F1A2B3C2", "a.example", 7900);
    report = finish(&f);
    assert_true(number(report, "ndrs.delivered_after_cap.count") == 1);
    assert_true(number(report, "ndrs.delivered_after_cap.mean") == 8000 - 1900);
    json_decref(report);
    stop(&f);
}

/* Posternd makes no retries of its own then: those in the log count. */
static void without_an_interval_the_log_counts(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "retry = { max_open_retries = 3; open_interval = 300; hold_after = 0; };\n"
              "unproven = { max_open_retries = 0; };\n");
    for (int i = 0; i < 5; i++)
        refused(&f, 100 + i * 1000, "4F1A2B3C2", "a.example", i * 1000);
    expired(&f, 432000, "4F1A2B3C2", "s@sender.example");
    report = finish(&f);
    assert_int_equal(f.study->earlier_samples.list[0].would, begin + 2100 * 1000);
    json_decref(report);
    stop(&f);
}

static void transfer_cap(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "retry = { max_transfer_retries = 2; };\n");
    for (int i = 0; i < 3; i++)
        line(&f, 100 + i * 1000, "smtp",
             "4F1A2B3C2: to=<u@a.example>, relay=mx.a.example[192.0.2.1]:25, delay=%d, "
             "delays=%d/0/0/0, dsn=4.2.0, status=deferred (host mx.a.example[192.0.2.1] said: 450 "
             "4.2.0 try later (in reply to RCPT TO command))",
             i * 1000, i * 1000);
    expired(&f, 432000, "4F1A2B3C2", "s@sender.example");
    report = finish(&f);
    assert_int_equal(f.study->earlier_samples.list[0].would, begin + 1100 * 1000);
    assert_int_equal(json_array_size(json_object_get(report, "outages")), 0);
    json_decref(report);
    stop(&f);
}

static void nobody_to_tell_and_imitations(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, capped);
    refused(&f, 100, "4F1A2B3C2", "a.example", 0);
    refused(&f, 100, "4F1A2B3C3", "a.example", 0);
    line(&f, 200, "qmgr",
         "4F1A2B3C3: from=<x>, status=expired, returned to sender@y>, size=1, nrcpt=1 (queue "
         "active)");
    line(&f, 200, "smtpd", "4F1A2B3C3: from=<x>, status=expired, returned to sender");
    expired(&f, 432000, "4F1A2B3C2", "");
    expired(&f, 432000, "4F1A2B3C9", "s@sender.example");
    report = finish(&f);
    assert_true(number(report, "ndrs.expired_messages") == 2);
    assert_true(number(report, "ndrs.not_seen_to_fail") == 1);
    assert_true(number(report, "ndrs.no_sender") == 1);
    assert_true(number(report, "ndrs.earlier.count") == 0);
    assert_true(number(report, "ndrs.waiting_over_cap") == 1);
    json_decref(report);
    stop(&f);
}

/* Recipients */

static void limits_of_recipients(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "");
    line(&f, 10, "smtp",
         "4F1A2B3C2: to=<a@a.example>, relay=mx.a.example[192.0.2.1]:25, delay=1, delays=1/0/0/0, "
         "dsn=5.5.3, status=bounced (host mx.a.example[192.0.2.1] said: 552 5.5.3 Too many "
         "recipients (in reply to RCPT TO command))");
    line(&f, 10, "smtp",
         "4F1A2B3C2: to=<b@a.example>, relay=mx.a.example[192.0.2.1]:25, delay=1, delays=1/0/0/0, "
         "dsn=5.2.2, status=bounced (host mx.a.example[192.0.2.1] said: 552 5.2.2 over quota (in "
         "reply to RCPT TO command))");
    line(&f, 20, "smtp",
         "4F1A2B3C3: to=<u@a.example>, relay=mx.a.example[192.0.2.1]:25, delay=1, delays=1/0/0/0, "
         "dsn=4.5.3, status=deferred (host mx.a.example[192.0.2.1] said: 452 4.5.3 Error: too many "
         "recipients (in reply to RCPT TO command))");
    sent(&f, 920, "4F1A2B3C3", "a.example", 901);
    report = finish(&f);
    assert_true(number(report, "recipient_limits.wrong_bounces") == 1);
    assert_true(number(report, "recipient_limits.drains.count") == 1);
    assert_true(number(report, "recipient_limits.drains.mean") == 900);
    json_decref(report);
    stop(&f);
}

static void ndr_that_waited(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "early_ndr = { after = 10; };\n");
    for (int i = 0; i < 2; i++) {
        const char *id = i ? "4F1A2B3C3" : "4F1A2B3C2";

        line(&f, 10, "smtp",
             "%s: to=<a@a.example>, relay=mx.a.example[192.0.2.1]:25, delay=1, delays=1/0/0/0, "
             "dsn=5.1.1, status=bounced (host mx.a.example[192.0.2.1] said: 550 5.1.1 unknown (in "
             "reply to RCPT TO command))",
             id);
        line(&f, i ? 310 : 15, "bounce", "%s: sender non-delivery notification: 4F1A2B3D1", id);
    }
    report = finish(&f);
    assert_true(number(report, "bad_beside_slow.ndrs") == 2);
    assert_true(number(report, "bad_beside_slow.earlier.count") == 1);
    assert_true(number(report, "bad_beside_slow.earlier.mean") == 290);
    assert_string_equal(f.study->early_samples.list[0].recipient, "a@a.example");
    json_decref(report);
    stop(&f);
}

/* The door */

static void unknown(struct fixture *f, double seconds, const char *id, const char *to)
{
    line(f, seconds, "smtp",
         "%s: to=<%s>, relay=mx.a.example[192.0.2.1]:25, delay=1, delays=1/0/0/0, dsn=5.1.1, "
         "status=bounced (host mx.a.example[192.0.2.1] said: 550 5.1.1 User unknown (in reply to "
         "RCPT TO command))",
         id, to);
}

/*
 * The first bounce is how it is learned. After half of lifetime one message is let through to try
 * the address; an address that is then delivered to is forgotten.
 */
static void refused_at_the_door(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "early_ndr = { lifetime = 10000; };\n");
    unknown(&f, 100, "4F1A2B3C1", "nobody@a.example");
    unknown(&f, 100.5, "4F1A2B3C2", "nobody@a.example"); /* it was under way */
    unknown(&f, 200, "4F1A2B3C3", "nobody@A.example");
    unknown(&f, 300, "4F1A2B3C4", "gone@a.example");
    unknown(&f, 400, "4F1A2B3C5", "gone@a.example");
    unknown(&f, 5500, "4F1A2B3C6", "gone@a.example"); /* it tries */
    unknown(&f, 5600, "4F1A2B3C7", "gone@a.example");
    sent(&f, 6000, "4F1A2B3C8", "a.example", 1);
    unknown(&f, 90000, "4F1A2B3C9", "gone@a.example"); /* too late */
    report = finish(&f);
    assert_true(number(report, "at_the_door.learned") == 2);
    assert_true(number(report, "at_the_door.messages") == 3);
    assert_true(number(report, "at_the_door.addresses") == 2);
    assert_true(number(report, "at_the_door.delivered") == 0);
    json_decref(report);
    stop(&f);
}

static void good_address_refused(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "early_ndr = { lifetime = 10000; };\n");
    unknown(&f, 100, "4F1A2B3C1", "u@a.example");
    sent(&f, 200, "4F1A2B3C2", "a.example", 1);
    sent(&f, 5200, "4F1A2B3C3", "a.example", 1); /* it tries, and it is forgotten */
    sent(&f, 5300, "4F1A2B3C4", "a.example", 1);
    unknown(&f, 5400, "4F1A2B3C5", "u@a.example");
    report = finish(&f);
    assert_true(number(report, "at_the_door.messages") == 1);
    assert_true(number(report, "at_the_door.delivered") == 1);
    json_decref(report);
    stop(&f);
}

/* One that suddenly rejects nearly all is ill: nothing is learned from that. */
static void ill_destination_teaches_nothing(void **state)
{
    struct fixture f;
    json_t *report;

    (void)state;
    start(&f, "early_ndr = { guard = { sample = 5; ratio = 0.5; window = 600; }; };\n");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 6; i++) {
            char id[32], to[32];

            snprintf(id, sizeof(id), "4F1A2B3%d%d", round, i);
            snprintf(to, sizeof(to), "u%d@a.example", i);
            unknown(&f, 100 + i + round * 100, id, to);
        }
    }
    report = finish(&f);
    assert_true(number(report, "at_the_door.guards_tripped") == 1);
    assert_true(number(report, "at_the_door.messages") == 0);
    json_decref(report);
    stop(&f);
}

static void limits_are_told(void **state)
{
    static const struct replay_limits tight = {2, 2, 1, 10, 1, 1, 1};
    struct fixture f;
    json_t *report;
    char *text;

    (void)state;
    start_within(&f, capped, &tight);
    for (int i = 0; i < 3; i++) {
        char id[32], domain[32];

        snprintf(id, sizeof(id), "4F1A2B3C%d", i);
        snprintf(domain, sizeof(domain), "d%d.example", i);
        refused(&f, 100, id, domain, 0);
        refused(&f, 800, id, domain, 700);
    }
    report = finish(&f);
    assert_true(number(report, "limits_hit.destinations") == 2);
    assert_true(number(report, "limits_hit.outages") == 1);
    text = json_dumps(json_object_get(report, "notes"), 0);
    assert_non_null(strstr(text, "INCOMPLETE"));
    free(text);
    json_decref(report);
    stop(&f);
}

/* Rows */

static json_t *an_incident(const char *name, int begins, const char *error, int mail)
{
    return json_pack("{s:[s], s:[s], s:[s], s:b, s:s, s:i, s:i, s:i, s:i, s:i, s:{s:i, s:i}, s:s}",
                     "destinations", name, "mail_hosts", name, "servers", "mail", "reached", 1,
                     "state", "over", "began", begins, "ended", begins + 100, "lasted", 100,
                     "attempts", 1, "cap", 0, "waited", "count", mail, "most", 5, "last_error",
                     error);
}

/* Five that began alike are one row; what began alike later, or otherwise, is not of them. */
static void crowds_are_rows(void **state)
{
    json_t *report = json_pack("{s:[], s:[]}", "servers", "incidents");
    json_t *list = json_object_get(report, "incidents");
    json_t *rows;
    char name[32];

    (void)state;
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof(name), "%c.example", 'f' - i);
        json_array_append_new(list, an_incident(name, 1000 + i,
                                                i == 2 ? "connect to a[1]:25: refused"
                                                       : "connect to b[2]:25: timed out",
                                                i));
    }
    json_array_append_new(list, an_incident("z.example", 1700, "connect to z[1]:25: timed out", 9));
    rows = replay_rows(report, false);
    assert_int_equal(json_array_size(rows), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 0), "title")),
                        "5 destinations at once");
    assert_string_equal(nth_string(json_array_get(rows, 0), "destinations", 0), "a.example");
    assert_true(number(json_array_get(rows, 0), "waited.count") == 0 + 1 + 3 + 4 + 5);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 1), "title")),
                        "d.example");
    assert_int_equal(replay_rows_cut(rows, 2), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 1), "title")),
                        "z.example");
    json_decref(rows);
    json_decref(report);
}

/* Pages */

static void strangers_are_escaped(void **state)
{
    struct fixture f;
    json_t *report;
    char *text = NULL;
    size_t size;
    FILE *out;

    (void)state;
    start(&f, "");
    for (int i = 0; i < 2; i++)
        line(&f, 100 + i * 400, "smtp",
             "4F1A2B3C2: to=<u@a.example>, relay=none, delay=%d, delays=%d/0/0/0, dsn=4.4.1, "
             "status=deferred (host mx.a.example[192.0.2.1] refused to talk to me: 421 "
             "<script>alert(\"&\")</script>)",
             i * 400, i * 400);
    report = finish(&f);
    out = open_memstream(&text, &size);
    replay_html(out, report);
    fclose(out);
    assert_null(strstr(text, "<script"));
    assert_non_null(strstr(text, "&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;"));
    free(text);
    out = open_memstream(&text, &size);
    replay_show(out, 80, report);
    fclose(out);
    assert_null(strchr(text, '\033'));
    for (char *at = text; *at; at += strcspn(at, "\n") + 1)
        assert_true(strcspn(at, "\n") <= 80);
    free(text);
    json_decref(report);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_keeps_what_it_has_room_for),
        cmocka_unit_test(tally_steps),
        cmocka_unit_test(time_in_the_active_queue),
        cmocka_unit_test(outage_is_named),
        cmocka_unit_test(single_failures_are_no_outage),
        cmocka_unit_test(outages_far_apart),
        cmocka_unit_test(servers_are_apart),
        cmocka_unit_test(domains_behind_one_host),
        cmocka_unit_test(domain_with_another_host),
        cmocka_unit_test(silence_on_two_servers),
        cmocka_unit_test(ndr_would_have_gone_at_the_cap),
        cmocka_unit_test(never_reached_has_its_own_cap),
        cmocka_unit_test(delivered_after_the_cap),
        cmocka_unit_test(without_an_interval_the_log_counts),
        cmocka_unit_test(transfer_cap),
        cmocka_unit_test(nobody_to_tell_and_imitations),
        cmocka_unit_test(limits_of_recipients),
        cmocka_unit_test(ndr_that_waited),
        cmocka_unit_test(refused_at_the_door),
        cmocka_unit_test(good_address_refused),
        cmocka_unit_test(ill_destination_teaches_nothing),
        cmocka_unit_test(limits_are_told),
        cmocka_unit_test(crowds_are_rows),
        cmocka_unit_test(strangers_are_escaped),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
