/* What is learned of a recipient limit, and the lane that follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lane.h"

static const uint32_t sizes[] = {1, 5, 10, 20};
static const struct lane_rules rules = {
    .lanes = sizes, .count = 4, .normal = 50, .lifetime = 86400000};
static const int64_t now = INT64_C(1795420800000);

static void what_one_transaction_tells(void **state)
{
    static const struct {
        const char *label;
        struct transaction t;
        uint32_t takes; /* known before */
        enum lane_verdict want;
        uint32_t want_takes;
        uint32_t want_lane;
    } cases[] = {
        {"10 of 50 taken", {.taken = 10, .refused = 40}, 0, LANE_PROGRESS, 10, 10},
        {"7 taken: the lane below", {.taken = 7, .refused = 43}, 0, LANE_PROGRESS, 7, 5},
        {"3 taken, and it says 10: others were unknown",
         {.taken = 3, .refused = 40, .named = 10},
         0,
         LANE_PROGRESS,
         10,
         10},
        {"it names less than it took",
         {.taken = 20, .refused = 30, .named = 3},
         0,
         LANE_PROGRESS,
         20,
         20},
        {"452 to everybody", {.refused = 50}, 0, LANE_WAIT, 0, 0},
        {"554 at the end of data",
         {.refused_all = 50, .permanent = true},
         0,
         LANE_PROGRESS,
         25,
         20},
        {"the same, and it names 8", {.refused_all = 50, .named = 8}, 0, LANE_PROGRESS, 8, 5},
        {"two at the end of data", {.refused_all = 2}, 0, LANE_PROGRESS, 1, 1},
        {"another host takes more", {.taken = 20, .refused = 30}, 10, LANE_PROGRESS, 10, 10},
        {"another host takes less",
         {.taken = 4, .refused = 6, .lane = 10},
         10,
         LANE_PROGRESS,
         4,
         1},
        {"under way when it was learned", {.refused_all = 50}, 10, LANE_PROGRESS, 10, 10},
        {"refused in its own lane: halved again",
         {.refused_all = 10, .lane = 10},
         10,
         LANE_PROGRESS,
         5,
         5},
        {"alone, for good: try the lane for one",
         {.refused = 1, .permanent = true},
         0,
         LANE_PROGRESS,
         1,
         1},
        {"alone, for now", {.refused = 1}, 0, LANE_WAIT, 0, 0},
        {"alone in the lane for one, for good",
         {.refused = 1, .permanent = true, .lane = 1},
         1,
         LANE_NO_PROGRESS,
         1,
         1},
        {"alone in the lane for one, for now", {.refused = 1, .lane = 1}, 1, LANE_WAIT, 1, 1},
        {"as many as Postfix sends anyway", {.taken = 50, .refused = 10}, 0, LANE_PROGRESS, 50, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct destination d = {.takes = cases[i].takes, .lane = cases[i].takes};
        struct transaction t = cases[i].t;
        t.last = now + 1000;
        if (d.takes > 0)
            d.lane_until = now + rules.lifetime;
        if (lane_learn(&d, &t, &rules) != cases[i].want || d.takes != cases[i].want_takes ||
            d.lane != cases[i].want_lane)
            fail_msg("%s: takes %u, lane %u", cases[i].label, d.takes, d.lane);
    }
}

static void a_lane_that_is_not_used_is_no_reason_to_hammer(void **state)
{
    struct destination d = {.takes = 10, .lane = 10, .lane_until = now + rules.lifetime};
    struct transaction t = {.refused_all = 50, .permanent = true, .last = now + 60000};

    (void)state;
    assert_int_equal(lane_learn(&d, &t, &rules), LANE_WAIT);
}

static void without_lanes_halving_ends(void **state)
{
    const struct lane_rules none = {.normal = 50, .lifetime = 1000};
    struct destination d = {0};
    struct transaction t = {.refused_all = 50, .permanent = true};
    int progress = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        t.last = now + i * 1000;
        progress += lane_learn(&d, &t, &none) == LANE_PROGRESS;
    }
    assert_int_equal(d.lane, 0);
    assert_true(progress < 10);
}

static void alone_and_refused_for_good_without_a_lane_for_one(void **state)
{
    static const uint32_t wide[] = {5, 10};
    const struct lane_rules none = {.normal = 50, .lifetime = 1000};
    const struct lane_rules no_one = {.lanes = wide, .count = 2, .normal = 50, .lifetime = 1000};
    struct transaction t = {.refused = 1, .permanent = true};

    (void)state;
    assert_true(lane_is_hopeless(&t, &none));
    assert_true(lane_is_hopeless(&t, &no_one));
    assert_false(lane_is_hopeless(&t, &rules)); /* the lane for one will show it */
    t.permanent = false;
    assert_false(lane_is_hopeless(&t, &none));
    t.permanent = true;
    t.refused = 2;
    assert_false(lane_is_hopeless(&t, &none));
}

static void wider_lanes_are_tried_in_turn(void **state)
{
    struct destination d = {.takes = 5, .lane = 5, .lane_until = now};

    (void)state;
    lane_widen(&d, &rules, now);
    assert_int_equal(d.lane, 10);
    assert_int_equal(d.lane_until, now + rules.lifetime);
    lane_widen(&d, &rules, now);
    assert_int_equal(d.lane, 20);
    lane_widen(&d, &rules, now);
    assert_int_equal(d.lane, 0);
    assert_int_equal(d.takes, 0);
    assert_int_equal(d.lane_until, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_transaction_tells),
        cmocka_unit_test(a_lane_that_is_not_used_is_no_reason_to_hammer),
        cmocka_unit_test(without_lanes_halving_ends),
        cmocka_unit_test(alone_and_refused_for_good_without_a_lane_for_one),
        cmocka_unit_test(wider_lanes_are_tried_in_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
