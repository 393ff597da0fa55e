/* A mail host that several destinations are behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host.h"

static void down_and_up(void **state)
{
    struct host host = {0};

    (void)state;
    host_went_down(&host, 1000);
    host_went_down(&host, 2000); /* another destination: the outage is the same */
    assert_int_equal(host.down_since, 1000);
    /* A session that was open before says nothing. */
    assert_false(host_opened(&host, 500, 1500));
    assert_int_equal(host.down_since, 1000);
    assert_true(host_opened(&host, 1000, 3000));
    assert_int_equal(host.down_since, 0);
    assert_false(host_opened(&host, 3000, 3100));
}

/* The log of one destination may tell of an outage that another has seen the end of. */
static void an_outage_that_is_over(void **state)
{
    struct host host = {0};

    (void)state;
    assert_false(host_opened(&host, 4000, 5000));
    host_went_down(&host, 4999);
    assert_int_equal(host.down_since, 0);
    host_went_down(&host, 5000);
    assert_int_equal(host.down_since, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(down_and_up),
        cmocka_unit_test(an_outage_that_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
