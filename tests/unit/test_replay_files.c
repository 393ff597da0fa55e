/* posternctl replay: the files of a log, their order and their years. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include <zlib.h>

#include "replay_files.h"
#include "replay_years.h"

static const int64_t begin = INT64_C(1795420800000); /* 2026-11-23 08:00:00 UTC */

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
    const struct maillog_line *parsed;
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
            times[n++] = parsed->time;
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
    const struct maillog_line *parsed;
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
    const struct maillog_line *parsed;
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
    assert_int_equal(parsed->time / 1000, 1577836799); /* 2019-12-31 23:59:59 */
    assert_int_equal(replay_files_next(files, &parsed, &whole), REPLAY_LINE_POSTFIX);
    assert_int_equal(parsed->time / 1000, 1577836801);
    replay_files_free(&files);
    remove_all(directory);
}

/* Lines of two servers come in the order of time, those of one as its files have them. */
static void lines_of_two_servers(void **state)
{
    static const char *const files[][2] = {
        {"a.log.1", "2026-11-20T08:00:00+00:00 mx1 postfix/qmgr[7]: 4F1A2B3C1: removed\n"
                    "2026-11-20T08:00:02+00:00 mx1 postfix/qmgr[7]: 4F1A2B3C2: removed\n"
                    "2026-11-20T08:00:01+00:00 mx1 postfix/qmgr[7]: 4F1A2B3C3: removed\n"
                    "2026-11-20T08:00:09+00:00 mx1 postfix/qmgr[7]: 4F1A2B3C6: removed\n"},
        {"a.log", "2026-11-20T08:00:11+00:00 mx1 postfix/qmgr[7]: 4F1A2B3C8: removed\n"},
        {"b.log", "2026-11-20T08:00:03+00:00 mx2 postfix/qmgr[7]: 4F1A2B3C4: removed\n"
                  "2026-11-20T08:00:04+00:00 mx2 postfix/qmgr[7]: 4F1A2B3C5: removed\n"
                  "2026-11-20T08:00:10+00:00 mx2 postfix/qmgr[7]: 4F1A2B3C7: removed\n"
                  "2026-11-20T08:00:12+00:00 mx2 postfix/qmgr[7]: 4F1A2B3C9: removed\n"},
    };
    char directory[] = "/tmp/postern-replay-XXXXXX";
    char error[256], seen[16] = "";
    struct replay_files *read = replay_files_new(0, begin);
    const struct maillog_line *parsed;
    struct slice whole;

    (void)state;
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < 3; i++) {
        char path[256];
        FILE *out;

        snprintf(path, sizeof(path), "%s/%s", directory, files[i][0]);
        out = fopen(path, "w");
        fputs(files[i][1], out);
        fclose(out);
    }
    assert_true(replay_files_add(read, directory, error, sizeof(error)));
    replay_files_sort(read);
    while (replay_files_next(read, &parsed, &whole) == REPLAY_LINE_POSTFIX)
        strncat(seen, parsed->queue_id.at + 8, 1);
    assert_string_equal(seen, "123456789");
    replay_files_free(&read);
    remove_all(directory);
}

/* More files of the same time than are read together: all are read, and it is said. */
static void too_many_files_at_once(void **state)
{
    enum { FILES = 205 };
    char directory[] = "/tmp/postern-replay-XXXXXX";
    char error[256], *text;
    struct replay_files *read = replay_files_new(0, begin);
    const struct maillog_line *parsed;
    struct slice whole;
    json_t *report;
    int lines = 0;

    (void)state;
    assert_non_null(mkdtemp(directory));
    for (int i = 0; i < FILES; i++) {
        char path[256];
        FILE *out;

        snprintf(path, sizeof(path), "%s/mail.log%d", directory, i);
        out = fopen(path, "w");
        for (int n = 0; n < 2; n++)
            fprintf(out,
                    "2026-11-20T%02d:%02d:%02d+00:00 mx%d postfix/qmgr[7]: 4F1A2B3C1: removed\n",
                    8 + n, i / 60, i % 60, i);
        fclose(out);
    }
    assert_true(replay_files_add(read, directory, error, sizeof(error)));
    replay_files_sort(read);
    while (replay_files_next(read, &parsed, &whole) == REPLAY_LINE_POSTFIX)
        lines++;
    assert_int_equal(lines, 2 * FILES);
    report = replay_files_report(read);
    text = json_dumps(report, 0);
    assert_non_null(strstr(text, "read late"));
    free(text);
    json_decref(report);
    replay_files_free(&read);
    remove_all(directory);
}

static const int64_t nov_24_2026 = INT64_C(1795500000000);

static int day(int month, int of_month)
{
    return (month - 1) * 31 + of_month - 1;
}

static void years_of_files(void **state)
{
    enum { DAYS = 86400 };
    static const struct {
        const char *label;
        int first[2], last[2], years, written; /* days before 2026-11-24 */
        int first_2[2], last_2[2], years_2, written_2;
        int year;
        int want, want_2;
    } cases[] = {
        {"by their own times", {11, 1}, {11, 20}, 0, 4, {12, 1}, {12, 31}, 0, 328, 0, 2026, 2025},
        {"over New Year, rotated",
         {12, 20},
         {12, 31},
         0,
         327,
         {1, 1},
         {1, 9},
         0,
         319,
         0,
         2025,
         2026},
        {"over New Year, copied", {12, 20}, {12, 31}, 0, 0, {1, 1}, {1, 9}, 0, 0, 0, 2025, 2026},
        {"autumn, copied a year later",
         {11, 1},
         {11, 23},
         0,
         0,
         {11, 28},
         {12, 9},
         0,
         0,
         0,
         2025,
         2025},
        {"the same, with its year",
         {11, 1},
         {11, 23},
         0,
         0,
         {11, 28},
         {12, 9},
         0,
         0,
         2019,
         2019,
         2019},
        {"over New Year, with its year",
         {12, 20},
         {12, 31},
         0,
         0,
         {1, 1},
         {1, 9},
         0,
         0,
         2019,
         2019,
         2020},
        {"one file, two New Years", {3, 1}, {2, 1}, 2, 296, {2, 1}, {2, 9}, 0, 288, 0, 2024, 2026},
        {"the same month of two years",
         {11, 1},
         {11, 9},
         0,
         379,
         {11, 1},
         {11, 9},
         0,
         14,
         0,
         2025,
         2026},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct replay_span spans[2] = {
            {day(cases[i].first[0], cases[i].first[1]), day(cases[i].last[0], cases[i].last[1]),
             cases[i].years, nov_24_2026 - (int64_t)cases[i].written * DAYS * 1000, 0},
            {day(cases[i].first_2[0], cases[i].first_2[1]),
             day(cases[i].last_2[0], cases[i].last_2[1]), cases[i].years_2,
             nov_24_2026 - (int64_t)cases[i].written_2 * DAYS * 1000, 0},
        };

        replay_years(spans, 2, cases[i].year);
        if (spans[0].year != cases[i].want || spans[1].year != cases[i].want_2)
            fail_msg("%s: %d and %d", cases[i].label, spans[0].year, spans[1].year);
    }
}

static void new_years_are_counted(void **state)
{
    static const char *const lines[] = {"Dec 30 10:00:00", "Dec 31 23:59:59", "Jan  1 00:00:00",
                                        "Dec 31 23:59:59", "Jan  1 00:00:01", "no stamp",
                                        "Jun 30 00:00:00", "Jan  2 00:00:00"};
    static const int wants[] = {0, 0, 1, 0, 1, 1, 1, 1};
    struct replay_calendar calendar = {.begun = false};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_true(replay_calendar_take(&calendar, slice_of(lines[i])) == (i != 5));
        assert_int_equal(calendar.years, wants[i]);
    }
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
        cmocka_unit_test(directory_of_rotated_logs),
        cmocka_unit_test(packed_file_that_was_cut),
        cmocka_unit_test(year_is_given),
        cmocka_unit_test(lines_of_two_servers),
        cmocka_unit_test(too_many_files_at_once),
        cmocka_unit_test(years_of_files),
        cmocka_unit_test(new_years_are_counted),
        cmocka_unit_test(what_cannot_be_read),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
