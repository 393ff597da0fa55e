/* When a destination rejects most of its recipients, and when that is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "guard.h"

enum { STEP = 60000 };

static const struct guard_rules rules = {.sample = 20, .ratio = 0.5, .window = 10 * STEP};
/* The beginning of a step. */
static const int64_t now = INT64_C(1795420800000);

static enum guard_news count(struct guard *guard, const struct guard_rules *with, unsigned rejected,
                             unsigned taken, int64_t at)
{
    enum guard_news news = GUARD_SAME;

    for (unsigned i = 0; i < taken + rejected; i++) {
        enum guard_news one = guard_count(guard, with, i >= taken, at);

        if (one != GUARD_SAME)
            news = one;
    }
    return news;
}

static void sample_and_ratio(void **state)
{
    static const struct {
        const char *label;
        struct guard_rules rules;
        unsigned rejected, taken;
        enum guard_news want;
    } cases[] = {
        {"one less than the sample", {20, 0.5, 600000}, 19, 0, GUARD_SAME},
        {"the sample", {20, 0.5, 600000}, 20, 0, GUARD_TRIPPED},
        {"just the share", {20, 0.5, 600000}, 10, 10, GUARD_SAME},
        {"just above", {20, 0.5, 600000}, 11, 10, GUARD_TRIPPED},
        {"nobody rejected", {20, 0.5, 600000}, 0, 100, GUARD_SAME},
        {"ratio 0: one rejected", {20, 0, 600000}, 1, 19, GUARD_TRIPPED},
        {"ratio 0: none", {20, 0, 600000}, 0, 20, GUARD_SAME},
        {"ratio 1: never", {20, 1, 600000}, 1000, 0, GUARD_SAME},
        {"ratio 0.9", {10, 0.9, 600000}, 9, 1, GUARD_SAME},
        {"ratio 0.9, above", {10, 0.9, 600000}, 19, 2, GUARD_TRIPPED},
        {"sample 1", {1, 0.5, 600000}, 1, 0, GUARD_TRIPPED},
        {"sample 0", {0, 0.5, 600000}, 0, 1, GUARD_SAME},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guard guard = {0};
        enum guard_news news =
            count(&guard, &cases[i].rules, cases[i].rejected, cases[i].taken, now);

        if (news != cases[i].want)
            fail_msg("%s: %d", cases[i].label, (int)news);
        assert_int_equal(guard_rejected(&guard), cases[i].rejected);
        assert_int_equal(guard_total(&guard), cases[i].rejected + cases[i].taken);
        assert_int_equal(guard.since, news == GUARD_TRIPPED ? now : 0);
    }
}

static void each_news_comes_once(void **state)
{
    struct guard guard = {0};

    (void)state;
    assert_int_equal(count(&guard, &rules, 19, 0, now), GUARD_SAME);
    assert_int_equal(guard_count(&guard, &rules, true, now + 1), GUARD_TRIPPED);
    assert_int_equal(count(&guard, &rules, 100, 0, now + 2), GUARD_SAME);
    assert_int_equal(guard_pass(&guard, &rules, now + 3), GUARD_SAME);
    assert_int_equal(guard.since, now + 1);
    assert_int_equal(count(&guard, &rules, 0, 359, now + 4), GUARD_SAME); /* 120 of 479 */
    assert_int_equal(guard_count(&guard, &rules, false, now + 5), GUARD_OVER);
    assert_int_equal(guard.since, 0);
    assert_int_equal(count(&guard, &rules, 0, 10, now + 6), GUARD_SAME);
    assert_int_equal(guard_pass(&guard, &rules, now + 7), GUARD_SAME);
    assert_int_equal(count(&guard, &rules, 250, 0, now + 8), GUARD_SAME);
    assert_int_equal(count(&guard, &rules, 1, 0, now + 8), GUARD_TRIPPED);
}

/* What happened in a step is forgotten as a whole, with the tenth step after it. */
static void the_window_slides(void **state)
{
    static const struct {
        const char *label;
        int64_t passed;
        unsigned want_total;
        enum guard_news want;
    } cases[] = {
        {"no time", 0, 30, GUARD_SAME},
        {"the last ms of the newest step", STEP - 1, 30, GUARD_SAME},
        {"the last ms of the window", 9 * STEP - 1, 30, GUARD_SAME},
        {"the older step is forgotten", 9 * STEP, 25, GUARD_SAME},
        {"the last ms", 10 * STEP - 1, 25, GUARD_SAME},
        {"both are", 10 * STEP, 0, GUARD_OVER},
        {"a long pause", 1000 * (int64_t)STEP, 0, GUARD_OVER},
        {"all the time there is", INT64_MAX - now, 0, GUARD_OVER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guard guard = {0};

        assert_int_equal(count(&guard, &rules, 5, 0, now - 1), GUARD_SAME);
        assert_int_equal(count(&guard, &rules, 25, 0, now), GUARD_TRIPPED);
        if (guard_pass(&guard, &rules, now + cases[i].passed) != cases[i].want)
            fail_msg("%s", cases[i].label);
        assert_int_equal(guard_total(&guard), cases[i].want_total);
        assert_int_equal(guard_rejected(&guard), cases[i].want_total);
        assert_int_equal(guard_pass(&guard, &rules, now + cases[i].passed), GUARD_SAME);
    }
}

/* Fewer than the sample do not end it, as long as most of them are rejected. */
static void a_quiet_night_does_not_end_it(void **state)
{
    struct guard guard = {0};

    (void)state;
    assert_int_equal(count(&guard, &rules, 20, 0, now), GUARD_TRIPPED);
    for (int64_t at = now; at < now + 100 * STEP; at += 5 * STEP)
        assert_int_equal(guard_count(&guard, &rules, true, at), GUARD_SAME);
    assert_true(guard_total(&guard) < rules.sample);
    assert_int_equal(guard.since, now);
    assert_int_equal(count(&guard, &rules, 0, 5, now + 99 * STEP), GUARD_SAME);
    assert_int_equal(count(&guard, &rules, 0, 1, now + 99 * STEP), GUARD_OVER);
}

/* Before `now` the sample was never there within one window. */
static void a_slow_trickle_is_none(void **state)
{
    struct guard guard = {0};

    (void)state;
    for (int64_t i = 0; i < 1000; i++)
        assert_int_equal(guard_count(&guard, &rules, true, now + i * STEP), GUARD_SAME);
    assert_int_equal(guard_total(&guard), 10);
}

static void the_clock_is_set_back(void **state)
{
    static const struct {
        const char *label;
        int64_t back;
        unsigned want_total;
    } cases[] = {
        {"within the step", 0, 10},
        {"by one step", STEP, 9},
        {"by nine", 9 * STEP, 1},
        {"by the window", 10 * STEP, 0},
        {"by a day", 86400000, 0},
        {"to the beginning", INT64_C(1795420800000), 0},
        {"before it", INT64_C(1795420800000) + 5, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guard guard = {0};

        for (int64_t step = 9; step >= 0; step--)
            guard_count(&guard, &rules, true, now - step * STEP);
        assert_int_equal(guard_total(&guard), 10);
        assert_int_equal(guard_pass(&guard, &rules, now - cases[i].back), GUARD_SAME);
        if (guard_total(&guard) != cases[i].want_total)
            fail_msg("%s: %u", cases[i].label, (unsigned)guard_total(&guard));
        /* Nothing comes back with the time. */
        guard_pass(&guard, &rules, now);
        assert_true(guard_total(&guard) <= cases[i].want_total);
    }
}

static void counters_do_not_wrap(void **state)
{
    struct guard guard = {0};
    size_t place = (size_t)(now / STEP % GUARD_STEPS);

    (void)state;
    guard_pass(&guard, &rules, now);
    guard.total[place] = UINT32_MAX - 1;
    guard.rejected[place] = 5;
    guard_count(&guard, &rules, true, now);
    assert_int_equal(guard.total[place], UINT32_MAX);
    assert_int_equal(guard.rejected[place], 6);
    count(&guard, &rules, 3, 3, now);
    assert_int_equal(guard.total[place], UINT32_MAX);
    assert_int_equal(guard.rejected[place], 6);
    guard_count(&guard, &rules, true, now + STEP);
    assert_int_equal(guard_total(&guard), UINT32_MAX);
    assert_int_equal(guard_rejected(&guard), 7);
    memset(guard.total, 0xFF, sizeof(guard.total));
    memset(guard.rejected, 0xFF, sizeof(guard.rejected));
    assert_int_equal(guard_rejected(&guard), UINT32_MAX);
    assert_int_equal(guard_pass(&guard, &rules, now + STEP), GUARD_TRIPPED);
}

/* Steps are of one ms at least. */
static void a_window_of_almost_nothing(void **state)
{
    static const int64_t windows[] = {-1, 0, 1, GUARD_STEPS - 1, GUARD_STEPS, 2 * GUARD_STEPS - 1};

    (void)state;
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        const struct guard_rules brief = {.sample = 2, .ratio = 0.5, .window = windows[i]};
        struct guard guard = {0};

        assert_int_equal(guard_count(&guard, &brief, true, now), GUARD_SAME);
        assert_int_equal(guard_count(&guard, &brief, true, now + 9), GUARD_TRIPPED);
        assert_int_equal(guard_pass(&guard, &brief, now + 18), GUARD_SAME);
        assert_int_equal(guard_pass(&guard, &brief, now + 19), GUARD_OVER);
    }
}

static void at_the_epoch(void **state)
{
    struct guard guard = {0};

    (void)state;
    assert_int_equal(count(&guard, &rules, 20, 0, 0), GUARD_TRIPPED);
    assert_int_equal(count(&guard, &rules, 20, 0, 0), GUARD_SAME);
    assert_int_equal(guard_pass(&guard, &rules, now), GUARD_OVER);
}

/* A state that was damaged, or written with other rules, does no harm. */
static void any_state_and_any_rules(void **state)
{
    static const int64_t steps[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    static const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    const struct guard_rules wide = {.sample = 20, .ratio = 0.5, .window = INT64_MAX};

    (void)state;
    for (size_t i = 0; i < 25; i++) {
        struct guard guard = {.step = steps[i / 5], .since = -1};

        guard_count(&guard, i % 2 == 0 ? &rules : &wide, true, times[i % 5]);
        assert_int_equal(guard_total(&guard), 1);
        assert_int_equal(guard_pass(&guard, &rules, now), GUARD_OVER);
        assert_int_equal(guard.since, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_and_ratio),       cmocka_unit_test(each_news_comes_once),
        cmocka_unit_test(the_window_slides),      cmocka_unit_test(a_quiet_night_does_not_end_it),
        cmocka_unit_test(a_slow_trickle_is_none), cmocka_unit_test(the_clock_is_set_back),
        cmocka_unit_test(counters_do_not_wrap),   cmocka_unit_test(a_window_of_almost_nothing),
        cmocka_unit_test(at_the_epoch),           cmocka_unit_test(any_state_and_any_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
