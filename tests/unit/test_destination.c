/* The decisions of destination.h and recipient.h, with a clock set by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "destination.h"
#include "recipient.h"

static const int64_t begin = INT64_C(1795420800000);

static struct attempt at(int64_t started)
{
    return (struct attempt){.started = started, .ended = started + 20};
}

static void x400_connector_gives_up_after_24_hours(void **state)
{
    const struct retry_policy policy = {
        .max_open_retries = 144, .open_interval = 600, .hold_after = 2, .count_suspended = true};
    struct destination d = {.id = 1};
    int64_t now = begin;
    int64_t before = 0;
    uint64_t limit;
    int retries = 0;

    (void)state;
    do {
        /* It takes the queue manager a moment to try, and the lag must not add up. */
        struct attempt attempt = at(now + 80);
        assert_true(destination_failed(&d, &policy, &attempt).counted);
        retries++;
        if (retries > 1)
            assert_int_equal(d.last_counted - before, 600 * 1000);
        before = d.last_counted;
        if (destination_over_cap(&d, policy.max_open_retries, &limit))
            break;
        now = d.next;
        assert_true(destination_due(&d, &policy, now));
    } while (retries < 1000);
    assert_int_equal(retries, 144);
    assert_int_equal(limit, 0);
    assert_int_equal(now + 80 - begin, 143 * 600 * 1000 + 80 + 80);
}

static void one_retry_in_an_interval(void **state)
{
    static const struct {
        const char *label;
        int64_t started;
        bool skipped;
        bool count_suspended;
        bool counted;
    } cases[] = {
        {"in the same second", 500, false, true, false},
        {"just before the interval ends", 59999, false, true, false},
        {"a full interval later", 60000, false, true, true},
        {"skipped within the interval", 100, true, true, false},
        {"skipped later, and counted", 61000, true, true, true},
        {"skipped later, not counted", 61000, true, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct retry_policy policy = {.open_interval = 60,
                                            .count_suspended = cases[i].count_suspended};
        struct destination d = {.id = 1};
        struct attempt first = at(begin);
        struct attempt second = at(begin + cases[i].started);
        second.skipped = cases[i].skipped;
        assert_true(destination_failed(&d, &policy, &first).counted);
        if (destination_failed(&d, &policy, &second).counted != cases[i].counted)
            fail_msg("%s", cases[i].label);
    }
}

static void health_goes_down_and_up(void **state)
{
    const struct retry_policy policy = {.open_interval = 60, .hold_after = 2};
    struct destination d = {.id = 1};
    struct attempt attempt = at(begin);
    struct destination_change change = destination_failed(&d, &policy, &attempt);

    (void)state;
    assert_true(change.outage_began);
    assert_false(change.held);
    assert_int_equal(d.health, DESTINATION_FAILING);
    assert_int_equal(d.next, begin + 60000);
    assert_false(destination_due(&d, &policy, begin + 59999));
    assert_true(destination_due(&d, &policy, begin + 60000));
    assert_int_equal(d.health, DESTINATION_TRYING);
    attempt = at(begin + 60100);
    change = destination_failed(&d, &policy, &attempt);
    assert_false(change.outage_began);
    assert_true(change.held);
    assert_int_equal(d.health, DESTINATION_DOWN);
    assert_true(destination_due(&d, &policy, begin + 120000));
    attempt = at(begin + 120100);
    assert_true(destination_opened(&d, &attempt));
    assert_int_equal(d.health, DESTINATION_UP);
    assert_int_equal(destination_failures(&d), 0);
    assert_true(d.proven);
    assert_false(destination_opened(&d, &attempt));
}

static void late_news_changes_nothing(void **state)
{
    const struct retry_policy policy = {.open_interval = 60, .hold_after = 2};
    struct destination d = {.id = 1};
    struct attempt good = {.started = begin + 200000, .ended = begin + 200020};
    struct attempt timed_out = {.started = begin, .ended = begin + 300000};
    struct attempt long_transfer = {.started = begin + 100000, .ended = begin + 900000};
    struct attempt bad = at(begin + 400000);

    (void)state;
    destination_opened(&d, &good);
    assert_false(destination_failed(&d, &policy, &timed_out).counted);
    assert_true(destination_failed(&d, &policy, &bad).counted);
    assert_false(destination_opened(&d, &long_transfer));
    assert_int_equal(d.health, DESTINATION_FAILING);
}

static void a_probe_without_news_is_tried_less_and_less(void **state)
{
    const struct retry_policy policy = {.open_interval = 60, .hold_after = 1};
    struct destination d = {.id = 1};
    struct attempt attempt = at(begin);
    int64_t last;
    int64_t wait = 0;

    (void)state;
    destination_failed(&d, &policy, &attempt);
    assert_true(destination_due(&d, &policy, d.next));
    for (int i = 0; i < 12; i++) {
        last = d.next;
        assert_true(destination_due(&d, &policy, d.next));
        assert_true(d.next - last >= wait);
        wait = d.next - last;
    }
    assert_int_equal(wait, 600 * 1000);
}

static void each_message_has_its_own_count(void **state)
{
    struct destination d = {.id = 1, .health = DESTINATION_DOWN, .retries = 12, .outage_start = 10};

    (void)state;
    assert_int_equal(destination_baseline(&d, true), 11);
    assert_int_equal(destination_baseline(&d, false), 12);
    assert_int_equal(destination_retries_of(&d, 11), 1);
    assert_int_equal(destination_retries_of(&d, 12), 0);
    /* From an outage that is over: it counts from the beginning of this one. */
    assert_int_equal(destination_retries_of(&d, 3), 2);
}

static void the_cap_that_counts(void **state)
{
    static const struct {
        const char *label;
        uint32_t cap;
        uint32_t unproven;
        bool proven;
        bool listed;
        uint32_t want;
    } cases[] = {
        {"proven: its own", 144, 24, true, false, 144},
        {"never opened: the smaller", 144, 24, false, false, 24},
        {"never opened, own is smaller", 4, 24, false, false, 4},
        {"never opened, no cap of its own", 0, 24, false, false, 24},
        {"never opened, unproven off", 144, 0, false, false, 144},
        {"listed by name: no typing mistake", 144, 24, false, true, 144},
        {"no caps at all", 0, 0, false, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct retry_policy policy = {.max_open_retries = cases[i].cap};
        struct destination d = {.proven = cases[i].proven};
        if (destination_cap(&d, &policy, cases[i].listed, cases[i].unproven) != cases[i].want)
            fail_msg("%s", cases[i].label);
    }
}

static void transfer_retries_keep_their_interval(void **state)
{
    const struct retry_policy policy = {.max_transfer_retries = 2, .transfer_interval = 120};
    struct recipient r = {0};
    struct attempt attempt = at(begin);

    (void)state;
    recipient_transfer_failed(&r, &policy, &attempt);
    assert_int_equal(r.transfers, 1);
    assert_int_equal(r.next, begin + 120000);
    assert_false(recipient_over_transfer_cap(&r, &policy));
    attempt = at(begin + 60000); /* Postfix's own schedule */
    recipient_transfer_failed(&r, &policy, &attempt);
    assert_int_equal(r.transfers, 1);
    attempt = at(begin + 120090);
    recipient_transfer_failed(&r, &policy, &attempt);
    assert_int_equal(r.transfers, 2);
    assert_int_equal(r.last_transfer, begin + 120000);
    assert_true(recipient_over_transfer_cap(&r, &policy));
}

static void a_decision_to_give_up_is_undone(void **state)
{
    struct destination d = {.health = DESTINATION_DOWN, .retries = 4};
    struct recipient r = {.give_up = GIVE_UP_OPEN};

    (void)state;
    assert_true(recipient_given_up(&r, &d, 4));
    assert_false(recipient_given_up(&r, &d, 5)); /* the cap was raised */
    assert_false(recipient_given_up(&r, &d, 0)); /* or taken away */
    d.health = DESTINATION_UP;
    assert_false(recipient_given_up(&r, &d, 4));
    r.give_up = GIVE_UP_TRANSFER;
    assert_true(recipient_given_up(&r, &d, 4));
}

static void a_queue_id_is_used_again(void **state)
{
    const struct recipient r = {.arrived = begin};

    (void)state;
    assert_false(recipient_is_other_message(&r, begin + 900, 100));
    assert_false(recipient_is_other_message(&r, begin - 900, 400000));
    assert_true(recipient_is_other_message(&r, begin + 60000, 100));
}

/* Ten thousand that failed in the same second: no second of the interval has many of them. */
static void a_crowd_is_spread(void **state)
{
    const struct retry_policy minutes = {.open_interval = 300, .hold_after = 2};
    unsigned buckets[300] = {0};

    (void)state;
    for (uint32_t nth = 1; nth <= 10000; nth++) {
        struct destination d = {0};
        struct attempt attempt = at(begin);
        destination_failed(&d, &minutes, &attempt);
        assert_int_equal(d.next, begin + 300000);
        destination_spread(&d, &minutes, nth);
        assert_uint_in_range(d.next, begin + 300000, begin + 600000 - 1);
        buckets[(d.next - begin - 300000) / 1000]++;
    }
    for (size_t i = 0; i < 300; i++)
        assert_uint_in_range(buckets[i], 30, 37);
}

/* Also of few: the second is half an interval behind the first. */
static void a_small_crowd_is_spread(void **state)
{
    static const int64_t want[] = {150000, 75000, 225000, 37500};
    const struct retry_policy minutes = {.open_interval = 300};

    (void)state;
    for (uint32_t nth = 1; nth <= 4; nth++) {
        struct destination d = {.next = 1000};
        destination_spread(&d, &minutes, nth);
        assert_int_equal(d.next, 1000 + want[nth - 1]);
    }
}

static void held_before_its_time(void **state)
{
    const struct retry_policy never = {.open_interval = 300, .hold_after = 0};
    const struct retry_policy later = {.open_interval = 300, .hold_after = 5};
    struct destination d = {0};
    struct attempt attempt = at(begin);

    (void)state;
    assert_false(destination_hold_now(&d, &later)); /* it is up */
    destination_failed(&d, &later, &attempt);
    assert_false(destination_hold_now(&d, &never));
    assert_true(destination_hold_now(&d, &later));
    assert_int_equal(d.health, DESTINATION_DOWN);
    assert_false(destination_hold_now(&d, &later));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(x400_connector_gives_up_after_24_hours),
        cmocka_unit_test(one_retry_in_an_interval),
        cmocka_unit_test(health_goes_down_and_up),
        cmocka_unit_test(late_news_changes_nothing),
        cmocka_unit_test(a_probe_without_news_is_tried_less_and_less),
        cmocka_unit_test(each_message_has_its_own_count),
        cmocka_unit_test(the_cap_that_counts),
        cmocka_unit_test(transfer_retries_keep_their_interval),
        cmocka_unit_test(a_decision_to_give_up_is_undone),
        cmocka_unit_test(a_queue_id_is_used_again),
        cmocka_unit_test(a_crowd_is_spread),
        cmocka_unit_test(a_small_crowd_is_spread),
        cmocka_unit_test(held_before_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
