/* Who goes through postern-probation, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probation.h"

enum { MINUTE = 60 * 1000 };

static const int64_t hour = 60 * MINUTE;
static const int64_t day = INT64_C(24) * 60 * MINUTE;
static const int64_t now = INT64_C(1795420800000);

static void ten_minutes_behind_the_last_failure(void **state)
{
    struct destination d = {.health = DESTINATION_FAILING};

    (void)state;
    probation_failed(&d, true, now);
    probation_failed(&d, false, now + hour);
    assert_true(probation_is_suspect(&d, now + day)); /* as long as the outage lasts */
    assert_int_equal(probation_end(&d, now + day), 0);
    d.health = DESTINATION_UP;
    assert_true(probation_is_suspect(&d, now + hour + 10 * MINUTE - 1));
    assert_false(probation_is_suspect(&d, now + hour + 10 * MINUTE));
    assert_int_equal(probation_end(&d, now + hour), now + hour + 10 * MINUTE);
    assert_int_equal(probation_end(&d, now + hour + 10 * MINUTE), 0);
}

static void relapses_double_it(void **state)
{
    static const struct {
        const char *label;
        int64_t pause; /* behind the end of the last */
        int64_t minutes;
    } cases[] = {
        {"the first", 0, 10},           {"soon", MINUTE, 20},
        {"before it was over", -1, 40}, {"in a day", INT64_C(86399) * 1000, 80},
        {"again", MINUTE, 160},         {"again", MINUTE, 320},
        {"no more than that", 0, 320},  {"a day later", INT64_C(86400) * 1000, 10},
    };
    struct destination d = {.health = DESTINATION_UP};
    int64_t at = now;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (i > 0)
            at = d.suspect_until + cases[i].pause;
        probation_failed(&d, true, at);
        if (d.suspect_until != at + cases[i].minutes * MINUTE)
            fail_msg("%s (%zu): %lld minutes", cases[i].label, i,
                     (long long)(d.suspect_until - at) / MINUTE);
    }
}

/* Only a new outage is a relapse: the failures of one are not. */
static void one_outage_is_one(void **state)
{
    struct destination d = {.health = DESTINATION_FAILING};

    (void)state;
    probation_failed(&d, true, now);
    for (int i = 1; i < 100; i++)
        probation_failed(&d, false, now + i * MINUTE);
    assert_int_equal(d.relapses, 0);
}

static void a_clock_set_back(void **state)
{
    struct destination d = {.health = DESTINATION_FAILING};

    (void)state;
    probation_failed(&d, true, now);
    d.health = DESTINATION_UP;
    assert_false(probation_is_suspect(&d, now - day));
    assert_int_equal(probation_end(&d, now - day), 0);
}

static void pools(void **state)
{
    static const struct {
        const char *label;
        enum lanes_mode mode;
        bool suspect;
        bool proven;
        enum pool want;
    } cases[] = {
        {"off", LANES_OFF, true, true, POOL_DEFAULT},
        {"suspect: fine", LANES_SUSPECT, false, true, POOL_DEFAULT},
        {"suspect: not", LANES_SUSPECT, true, true, POOL_PROBATION},
        {"proven: new", LANES_PROVEN, false, false, POOL_DEFAULT},
        {"proven: reached", LANES_PROVEN, false, true, POOL_NORMAL},
        {"proven: lately not", LANES_PROVEN, true, true, POOL_PROBATION},
        {"proven: never", LANES_PROVEN, true, false, POOL_PROBATION},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct destination d = {.health = DESTINATION_UP, .proven = cases[i].proven};

        if (cases[i].suspect)
            probation_failed(&d, true, now);
        if (probation_pool(&d, cases[i].mode, now) != cases[i].want)
            fail_msg("%s", cases[i].label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_minutes_behind_the_last_failure),
        cmocka_unit_test(relapses_double_it),
        cmocka_unit_test(one_outage_is_one),
        cmocka_unit_test(a_clock_set_back),
        cmocka_unit_test(pools),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
