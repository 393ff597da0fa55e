/* posternctl replay: the study of a log, its files, and the page. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <zlib.h>

#include "replay_files.h"
#include "replay_html.h"
#include "replay_map.h"
#include "replay_parts.h"
#include "replay_report.h"

#undef stop /* a macro of cmocka 2 */

static const int64_t begin = INT64_C(1795420800000); /* 2026-11-23 08:00:00 UTC */

/* A study that is fed line by line. */
struct fixture {
    struct config *config;
    struct replay_study *study;
    struct maillog_reader reader;
};

static void start_within(struct fixture *f, const char *text, const struct replay_limits *limits)
{
    char path[] = "/tmp/postern-replay-XXXXXX";
    char error[512];
    int fd = mkstemp(path);

    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    memset(f, 0, sizeof(*f));
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
    len = (size_t)snprintf(whole, sizeof(whole), "%s.%03d+00:00 mail postfix/%s[7]: ", stamp,
                           (int)(ms % 1000), program);
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
    struct replay_map *map = replay_map_new(sizeof(int), 5000, 42);
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
    json_decref(report);
    stop(&f);
}

static void limits_are_told(void **state)
{
    static const struct replay_limits tight = {2, 2, 1, 10};
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

/* Files */

static void write_log(const char *directory, const char *name, const char *stamp, time_t mtime)
{
    char path[256], text[256];
    struct utimbuf times = {mtime, mtime};
    size_t len = strlen(name);

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    snprintf(text, sizeof(text), "%s mail postfix/qmgr[7]: 4F1A2B3C4: removed\nno line\n", stamp);
    if (len > 3 && strcmp(name + len - 3, ".gz") == 0) {
        gzFile out = gzopen(path, "w");

        gzputs(out, text);
        gzclose(out);
    } else {
        FILE *out = fopen(path, "w");

        fputs(text, out);
        fclose(out);
    }
    utime(path, &times);
}

static void remove_all(const char *directory)
{
    char command[256];

    snprintf(command, sizeof(command), "rm -r '%s'", directory);
    assert_int_equal(system(command), 0);
}

/* The oldest first, packed or not; no file twice, none that is no mail log. */
static void directory_of_rotated_logs(void **state)
{
    char directory[] = "/tmp/postern-replay-XXXXXX";
    char error[256];
    struct replay_files *files = replay_files_new(0, begin);
    struct maillog_line parsed;
    struct slice whole;
    int64_t times[8] = {0};
    size_t n = 0;
    enum replay_line kind;

    (void)state;
    assert_non_null(mkdtemp(directory));
    write_log(directory, "mail.log", "Jan  3 10:00:00", 1799000000);      /* 2027-01-04 */
    write_log(directory, "mail.log.1", "Dec 28 10:00:00", 1798700000);    /* 2026-12-31 */
    write_log(directory, "mail.log.2.gz", "Dec 20 10:00:00", 1798000000); /* 2026-12-23 */
    write_log(directory, "mail.log.1.gz", "Dec 28 10:00:00", 1798700000);
    write_log(directory, "syslog", "Dec 21 10:00:00", 1798700000);
    assert_true(replay_files_add(files, directory, error, sizeof(error)));
    replay_files_sort(files);
    while ((kind = replay_files_next(files, &parsed, &whole)) != REPLAY_LINE_END)
        if (kind == REPLAY_LINE_POSTFIX && n < 8)
            times[n++] = parsed.time;
    assert_int_equal(n, 3);
    assert_int_equal(times[0] / 1000, 1797760800); /* 2026-12-20 10:00 */
    assert_int_equal(times[1] / 1000, 1798452000);
    assert_int_equal(times[2] / 1000, 1798970400); /* 2027-01-03 10:00 */
    assert_int_equal(replay_files_lines(files), 6);
    assert_true(replay_files_share(files) > 0.7);
    replay_files_free(&files);
    remove_all(directory);
}

static void packed_file_that_was_cut(void **state)
{
    char directory[] = "/tmp/postern-replay-XXXXXX";
    char path[256], error[256];
    struct replay_files *files = replay_files_new(0, begin);
    struct maillog_line parsed;
    struct slice whole;
    json_t *report;

    (void)state;
    assert_non_null(mkdtemp(directory));
    write_log(directory, "log.gz", "2026-11-23T08:00:00+00:00", 1795420800);
    snprintf(path, sizeof(path), "%s/log.gz", directory);
    assert_int_equal(truncate(path, 60), 0);
    assert_true(replay_files_add(files, path, error, sizeof(error)));
    replay_files_sort(files);
    while (replay_files_next(files, &parsed, &whole) != REPLAY_LINE_END)
        continue;
    report = replay_files_report(files);
    assert_non_null(
        strstr(json_string_value(json_object_get(json_array_get(report, 0), "note")), "damaged"));
    json_decref(report);
    replay_files_free(&files);
    remove_all(directory);
}

/* The year of the first line; the next one begins where the stamps jump back. */
static void year_is_given(void **state)
{
    char directory[] = "/tmp/postern-replay-XXXXXX";
    char path[256], error[256];
    struct replay_files *files = replay_files_new(2019, begin);
    struct maillog_line parsed;
    struct slice whole;

    (void)state;
    assert_non_null(mkdtemp(directory));
    write_log(directory, "log",
              "Dec 31 23:59:59 mail postfix/qmgr[7]: 4F1A2B3C4: removed\nJan  1 00:00:01",
              1799000000);
    snprintf(path, sizeof(path), "%s/log", directory);
    assert_true(replay_files_add(files, path, error, sizeof(error)));
    replay_files_sort(files);
    assert_int_equal(replay_files_next(files, &parsed, &whole), REPLAY_LINE_POSTFIX);
    assert_int_equal(parsed.time / 1000, 1577836799); /* 2019-12-31 23:59:59 */
    assert_int_equal(replay_files_next(files, &parsed, &whole), REPLAY_LINE_POSTFIX);
    assert_int_equal(parsed.time / 1000, 1577836801);
    replay_files_free(&files);
    remove_all(directory);
}

static void what_cannot_be_read(void **state)
{
    char directory[] = "/tmp/postern-replay-XXXXXX";
    char error[256];
    struct replay_files *files = replay_files_new(0, begin);

    (void)state;
    assert_false(replay_files_add(files, "/tmp/postern-no-such-log", error, sizeof(error)));
    assert_string_equal(error, "/tmp/postern-no-such-log: No such file or directory");
    assert_non_null(mkdtemp(directory));
    assert_false(replay_files_add(files, directory, error, sizeof(error)));
    assert_non_null(strstr(error, "there is no log"));
    replay_files_free(&files);
    remove_all(directory);
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
        cmocka_unit_test(ndr_would_have_gone_at_the_cap),
        cmocka_unit_test(never_reached_has_its_own_cap),
        cmocka_unit_test(delivered_after_the_cap),
        cmocka_unit_test(without_an_interval_the_log_counts),
        cmocka_unit_test(transfer_cap),
        cmocka_unit_test(nobody_to_tell_and_imitations),
        cmocka_unit_test(limits_of_recipients),
        cmocka_unit_test(ndr_that_waited),
        cmocka_unit_test(limits_are_told),
        cmocka_unit_test(strangers_are_escaped),
        cmocka_unit_test(directory_of_rotated_logs),
        cmocka_unit_test(packed_file_that_was_cut),
        cmocka_unit_test(year_is_given),
        cmocka_unit_test(what_cannot_be_read),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
