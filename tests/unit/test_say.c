/* Times and durations in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "say.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static const int64_t DAY = (int64_t)24 * HOUR;

static void durations(void **state)
{
    const struct {
        int64_t ms;
        const char *brief;
        const char *words;
    } cases[] = {
        {-5 * SECOND, "0 s", "0 seconds"},
        {0, "0 s", "0 seconds"},
        {1, "0 s", "0 seconds"},
        {99, "0 s", "0 seconds"},
        {100, "0.1 s", "0 seconds"},
        {400, "0.4 s", "0 seconds"},
        {999, "0.9 s", "1 second"},
        {SECOND, "1 s", "1 second"},
        {1499, "1 s", "1 second"},
        {1500, "2 s", "2 seconds"},
        {45 * SECOND, "45 s", "45 seconds"},
        {59499, "59 s", "59 seconds"},
        {59500, "1 min", "1 minute"},
        {MINUTE, "1 min", "1 minute"},
        {MINUTE + 30 * SECOND, "1 min 30 s", "1 minute 30 seconds"},
        {9 * MINUTE + 59499, "9 min 59 s", "9 minutes 59 seconds"},
        {9 * MINUTE + 59500, "10 min", "10 minutes"},
        {10 * MINUTE + SECOND, "10 min", "10 minutes"},
        {12 * MINUTE, "12 min", "12 minutes"},
        {HOUR - SECOND, "59 min", "59 minutes"},
        {HOUR, "1 h", "1 hour"},
        {HOUR + MINUTE, "1 h 1 min", "1 hour 1 minute"},
        {3 * HOUR + 12 * MINUTE, "3 h 12 min", "3 hours 12 minutes"},
        {3 * HOUR + 30 * SECOND, "3 h", "3 hours"},
        {DAY, "1 d", "1 day"},
        {DAY + 59 * MINUTE, "1 d", "1 day"},
        {5 * DAY + 2 * HOUR, "5 d 2 h", "5 days 2 hours"},
        {144 * 600 * SECOND, "1 d", "1 day"},
        {143 * 600 * SECOND, "23 h 50 min", "23 hours 50 minutes"},
        {100000 * DAY, "100000 d", "100000 days"},
    };
    char buffer[SAY_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_ptr_equal(say_duration(buffer, cases[i].ms), buffer);
        assert_string_equal(buffer, cases[i].brief);
        assert_ptr_equal(say_duration_words(buffer, cases[i].ms), buffer);
        assert_string_equal(buffer, cases[i].words);
    }
}

static void paces(void **state)
{
    static const struct {
        uint32_t seconds;
        const char *want;
    } cases[] = {
        {1, "a second"},           {2, "every 2 seconds"},
        {60, "a minute"},          {90, "every 1 minute 30 seconds"},
        {600, "every 10 minutes"}, {3600, "an hour"},
        {7200, "every 2 hours"},   {86400, "a day"},
        {172800, "every 2 days"},
    };
    char buffer[SAY_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_ptr_equal(say_pace(buffer, cases[i].seconds), buffer);
        assert_string_equal(buffer, cases[i].want);
    }
}

static void times(void **state)
{
    static const struct {
        const char *zone;
        int64_t ms;
        const char *want;
    } cases[] = {
        {"UTC", INT64_C(1795420800000), "2026-11-23 08:00:00 +0000"},
        {"UTC", INT64_C(1795420800999), "2026-11-23 08:00:00 +0000"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1795420800000), "2026-11-23 09:00:00 +0100"},
        {"CET-1CEST,M3.5.0,M10.5.0/3", INT64_C(1782900000000), "2026-07-01 12:00:00 +0200"},
        {"UTC", 0, "never"},
    };
    char buffer[SAY_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setenv("TZ", cases[i].zone, 1);
        tzset();
        assert_ptr_equal(say_time(buffer, cases[i].ms), buffer);
        assert_string_equal(buffer, cases[i].want);
    }
}

/* The longest a 64-bit number gives still fits. */
static void the_longest_duration(void **state)
{
    char buffer[SAY_MAX];

    (void)state;
    say_duration_words(buffer, INT64_MAX - SECOND);
    assert_string_equal(buffer, "106751991167 days 7 hours");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(paces),
        cmocka_unit_test(times),
        cmocka_unit_test(the_longest_duration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
