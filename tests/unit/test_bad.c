/* What is made of a bad address as time passes; the time is set by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bad.h"

enum { DAY = 86400, HOUR = 3600 * 1000, MINUTE = 60 * 1000 };

static const int64_t T0 = INT64_C(1795420800000);

static const char *name(enum bad_verdict verdict)
{
    static const char *const names[] = {"refuse", "test", "over"};

    return names[verdict];
}

static void judged_by_age(void **state)
{
    static const struct {
        const char *label;
        uint32_t lifetime;
        int64_t age; /* ms */
        enum bad_verdict want;
    } cases[] = {
        {"just learned", DAY, 0, BAD_REFUSE},
        {"a ms before half the time", DAY, 12 * HOUR - 1, BAD_REFUSE},
        {"half the time", DAY, 12 * HOUR, BAD_TEST},
        {"a ms before the end", DAY, 24 * HOUR - 1, BAD_TEST},
        {"the end", DAY, 24 * HOUR, BAD_OVER},
        {"long after", DAY, INT64_C(1000) * 24 * HOUR, BAD_OVER},
        {"a minute ahead: two clocks that differ", DAY, -MINUTE, BAD_REFUSE},
        {"more: the clock was set back", DAY, -MINUTE - 1, BAD_OVER},
        {"a year ahead", DAY, INT64_C(-365) * 24 * HOUR, BAD_OVER},
        {"one second: the first half", 1, 499, BAD_REFUSE},
        {"one second: the second half", 1, 500, BAD_TEST},
        {"one second: over", 1, 1000, BAD_OVER},
        {"the longest: no overflow", UINT32_MAX, (int64_t)UINT32_MAX * 500 - 1, BAD_REFUSE},
        {"the longest: half", UINT32_MAX, (int64_t)UINT32_MAX * 500, BAD_TEST},
        {"the longest: end", UINT32_MAX, (int64_t)UINT32_MAX * 1000, BAD_OVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bad bad = {.learned = T0};
        enum bad_verdict verdict = bad_judge(&bad, cases[i].lifetime, T0 + cases[i].age);

        if (verdict != cases[i].want)
            fail_msg("%s: %s", cases[i].label, name(verdict));
        assert_int_equal(bad_end(&bad, cases[i].lifetime), T0 + cases[i].lifetime * INT64_C(1000));
    }
}

/* The one that may try it, and when another may. Times are ms since it was learned. */
static void which_message_tries_it(void **state)
{
    static const struct {
        const char *label;
        int64_t tested; /* 0: not yet */
        int64_t now;
        bool want;
    } cases[] = {
        {"too young", 0, 12 * HOUR - 1, false},
        {"the first one", 0, 12 * HOUR, true},
        {"too old: it need not ask", 0, 24 * HOUR, false},
        {"at the same time", 13 * HOUR, 13 * HOUR, false},
        {"a ms before the next", 13 * HOUR, 14 * HOUR - 1, false},
        {"the next", 13 * HOUR, 14 * HOUR, true},
        {"much later", 13 * HOUR, 23 * HOUR, true},
        {"tested, and it was said again", -2 * HOUR, 12 * HOUR, true},
        {"tested, and it was said again within the same ms", 0, 12 * HOUR, true},
        {"the clock was set back behind the test", 15 * HOUR, 13 * HOUR, true},
        {"behind what was learned", 15 * HOUR, -2 * HOUR, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bad bad = {.learned = T0, .tested = cases[i].tested ? T0 + cases[i].tested : 0};
        int64_t before = bad.tested;
        bool may = bad_take_test(&bad, DAY, T0 + cases[i].now);

        if (may != cases[i].want)
            fail_msg("%s: %s", cases[i].label, may ? "may" : "may not");
        if (bad.tested != (may ? T0 + cases[i].now : before))
            fail_msg("%s: noted as tested at %lld", cases[i].label, (long long)bad.tested);
        assert_int_equal(bad.learned, T0);
    }
}

/* Asked each minute of its life: one in an hour of the second half. */
static void tests_are_an_hour_apart(void **state)
{
    struct bad bad = {.learned = T0};
    int64_t last = 0;
    int tests = 0;

    (void)state;
    for (int64_t now = T0; now < T0 + INT64_C(30) * HOUR; now += MINUTE) {
        if (!bad_take_test(&bad, DAY, now))
            continue;
        assert_true(tests == 0 || now - last == HOUR);
        assert_false(bad_take_test(&bad, DAY, now));
        last = now;
        tests++;
    }
    assert_int_equal(tests, 12);
}

/* A clock that jumps to and fro must not let everybody through. */
static void a_clock_that_jumps(void **state)
{
    struct bad bad = {.learned = T0};
    int tests = 0;

    (void)state;
    assert_true(bad_take_test(&bad, DAY, T0 + 20 * HOUR));
    for (int i = 0; i < 100; i++)
        tests += bad_take_test(&bad, DAY, T0 + 13 * HOUR + i * 1000);
    assert_int_equal(tests, 1);
    assert_int_equal(bad.tested, T0 + 13 * HOUR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judged_by_age),
        cmocka_unit_test(which_message_tries_it),
        cmocka_unit_test(tests_are_an_hour_apart),
        cmocka_unit_test(a_clock_that_jumps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
