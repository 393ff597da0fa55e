/* What strangers' addresses may be in the transport table, and who wants what there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "fixture.h"
#include "route.h"

#define TEN "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void domains_that_may_be_keys(void **state)
{
    static const struct {
        const char *label;
        const char *domain;
        bool valid;
    } cases[] = {
        {"plain", "b.example", true},
        {"one label", "localhost", true},
        {"capitals", "B.Example", true},
        {"underscore and hyphen", "_a-b.example", true},
        {"digits", "1.2.3.4", true},
        {"UTF-8",
         "b\xc3\xbc"
         "cher.example",
         true},
        {"IPv4 literal", "[192.0.2.1]", true},
        {"IPv6 literal", "[IPv6:2001:db8::1]", true},
        {"255 bytes", SIXTY "." SIXTY "." SIXTY "." SIXTY "." TEN "a", true},
        {"256 bytes", SIXTY "." SIXTY "." SIXTY "." SIXTY "." TEN "aa", false},
        {"nothing", "", false},
        {"everything", "*", false},
        {"all subdomains", ".com", false},
        {"dot at the end", "b.example.", false},
        {"two dots", "b..example", false},
        {"only a dot", ".", false},
        {"comment", "#x", false},
        {"space", "b example", false},
        {"tab", "b\texample", false},
        {"newline", "b\nc.example", false},
        {"quote", "\"b\".example", false},
        {"colon", "b.example:25", false},
        {"slash", "b/example", false},
        {"star inside", "b.*.example", false},
        {"at sign", "a@b.example", false},
        {"literal without an end", "[192.0.2.1", false},
        {"empty literal", "[]", false},
        {"literal with a port", "[192.0.2.1]:25", false},
        {"literal with a space", "[a b]", false},
        {"literal in a literal", "[[a]]", false},
        {"bracket at the end", "b.example]", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (route_domain_valid(slice_of(cases[i].domain)) != cases[i].valid)
            fail_msg("%s", cases[i].label);
    assert_false(route_domain_valid((struct slice){"b\0.example", 10}));
}

static void keys_of_addresses(void **state)
{
    static const struct {
        const char *label;
        const char *recipient;
        const char *domain; /* "": none */
        const char *address;
    } cases[] = {
        {"plain", "a@b.example", "b.example", "a@b.example"},
        {"capitals", "A@B.Example", "b.example", "a@b.example"},
        {"extension", "a+list=x@b.example", "b.example", "a+list=x@b.example"},
        {"odd but plain", "!#$%&'*+-/=?^_`{|}~.@b.example", "b.example",
         "!#$%&'*+-/=?^_`{|}~.@b.example"},
        {"literal", "a@[192.0.2.1]", "[192.0.2.1]", "a@[192.0.2.1]"},
        {"UTF-8 domain", "a@\xc3\xbc.example", "\xc3\xbc.example", "a@\xc3\xbc.example"},
        {"no domain", "a", "", ""},
        {"empty domain", "a@", "", ""},
        {"everything", "a@*", "", ""},
        {"all subdomains", "a@.com", "", ""},
        {"nothing", "", "", ""},
        {"the last @ counts", "\"victim.example@a\"@b.example", "b.example", NULL},
        {"space behind the @", "a@b.example c", "", ""},
    };
    char key[ROUTE_KEY_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice recipient = slice_of(cases[i].recipient);
        struct slice got = {key, route_domain(key, sizeof(key), recipient)};
        if (!slice_equals(got, cases[i].domain))
            fail_msg("%s: domain %.*s", cases[i].label, (int)got.len, got.at);
        got.len = route_address(key, sizeof(key), recipient);
        if (cases[i].address && !slice_equals(got, cases[i].address))
            fail_msg("%s: address %.*s", cases[i].label, (int)got.len, got.at);
    }
}

/* postmap(1) reads a line "key value": what would be a comment, or two words, is never the key. */
static void odd_local_parts_are_no_keys(void **state)
{
    static const char *const addresses[] = {
        "#a@b.example",
        "\"a b\"@b.example",
        "\"\"@b.example",
        "\"a\\\"b\"@b.example",
        "a\"b@b.example",
        "a b@b.example",
        "a\tb@b.example",
        "a\nb@b.example",
        "a,b@b.example",
        "a;b@b.example",
        "a:b@b.example",
        "a<b@b.example",
        "a>b@b.example",
        "a\\b@b.example",
        "a(b)@b.example",
        "a[b]@b.example",
        "\"@c.example\"@b.example",
        "\xc3\xbc@b.example",
        "\x01@b.example",
    };
    char key[ROUTE_KEY_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        size_t len = route_address(key, sizeof(key), slice_of(addresses[i]));
        if (len > 0 && !slice_equals((struct slice){key, len}, "b.example"))
            fail_msg("%s: %.*s", addresses[i], (int)len, key);
    }
}

static void keys_that_do_not_fit(void **state)
{
    char small[12];

    (void)state;
    assert_int_equal(route_domain(small, 9, slice_of("a@b.example")), 0);
    assert_int_equal(route_domain(small, 10, slice_of("a@b.example")), 9);
    assert_int_equal(route_address(small, 11, slice_of("a@b.example")), 0);
    assert_int_equal(route_address(small, 12, slice_of("a@b.example")), 11);
    assert_string_equal(small, "a@b.example");
}

/* Who wants what */

static int set_up(void **state)
{
    (void)state;
    return fixture_set_up("route");
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_tear_down();
}

enum act { HOLD, RELEASE, EXPIRE, DONE, LANE, NO_LANE, PROBATION, NORMAL, NO_POOL, FOREIGN };

#define LANE10 ((enum route)(ROUTE_LANE + 10))

struct step {
    enum act act;
    bool changed;
    enum route wanted;
};

static bool act_on(struct slice key, enum act act, enum route *wanted)
{
    switch (act) {
    case HOLD:
    case RELEASE:
        return route_hold(store, key, act == HOLD, wanted);
    case EXPIRE:
    case DONE:
        return route_expire(store, key, act == EXPIRE, wanted);
    case LANE:
        return route_lane(store, key, LANE10, wanted);
    case NO_LANE:
        return route_lane(store, key, ROUTE_NONE, wanted);
    case PROBATION:
        return route_pool(store, key, ROUTE_PROBATION, wanted);
    case NORMAL:
        return route_pool(store, key, ROUTE_NORMAL, wanted);
    case NO_POOL:
        return route_pool(store, key, ROUTE_NONE, wanted);
    default:
        return route_foreign(store, key, wanted);
    }
}

static void play(const char *label, struct slice key, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum route wanted = ROUTE_NONE;
        bool changed = act_on(key, steps[i].act, &wanted);
        if (changed != steps[i].changed || wanted != steps[i].wanted)
            fail_msg("%s, step %zu: changed %d, wanted %d", label, i + 1, changed, (int)wanted);
    }
}

#define PLAY(label, key, ...)                                                                      \
    do {                                                                                           \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        play(label, slice_of(key), steps, sizeof(steps) / sizeof(steps[0]));                       \
    } while (0)

/* The gate keeps a key as long as anybody waits there; a hold of the same key comes back after it.
 */
static void holds_and_those_who_wait_for_the_gate(void **state)
{
    (void)state;
    PLAY("hold twice", "a.example", {HOLD, true, ROUTE_HOLD}, {HOLD, false, ROUTE_HOLD},
         {RELEASE, true, ROUTE_NONE}, {RELEASE, false, ROUTE_NONE});
    PLAY("three recipients", "x@a.example", {EXPIRE, true, ROUTE_EXPIRE},
         {EXPIRE, false, ROUTE_EXPIRE}, {EXPIRE, false, ROUTE_EXPIRE}, {DONE, false, ROUTE_EXPIRE},
         {DONE, false, ROUTE_EXPIRE}, {DONE, true, ROUTE_NONE}, {DONE, false, ROUTE_NONE});
    PLAY("after one too few", "x@a.example", {DONE, false, ROUTE_NONE},
         {EXPIRE, true, ROUTE_EXPIRE}, {DONE, true, ROUTE_NONE});
    PLAY("both, hold first", "b.example", {HOLD, true, ROUTE_HOLD}, {EXPIRE, true, ROUTE_EXPIRE},
         {HOLD, false, ROUTE_EXPIRE}, {DONE, true, ROUTE_HOLD}, {RELEASE, true, ROUTE_NONE});
    PLAY("both, released meanwhile", "b.example", {EXPIRE, true, ROUTE_EXPIRE},
         {HOLD, false, ROUTE_EXPIRE}, {RELEASE, false, ROUTE_EXPIRE}, {DONE, true, ROUTE_NONE});
    assert_int_equal(store_count(store, STORE_ROUTE), 0);
}

/* A hold goes before all lanes; probation before a lane of recipients, that before the normal pool.
 */
static void lanes_and_pools(void **state)
{
    (void)state;
    PLAY("suspect", "a.example", {PROBATION, true, ROUTE_PROBATION}, {HOLD, true, ROUTE_HOLD},
         {RELEASE, true, ROUTE_PROBATION}, {NO_POOL, true, ROUTE_NONE});
    PLAY("a lane, then suspect", "a.example", {LANE, true, LANE10},
         {PROBATION, true, ROUTE_PROBATION}, {NO_POOL, true, LANE10}, {NO_LANE, true, ROUTE_NONE});
    PLAY("proven, then a lane", "a.example", {NORMAL, true, ROUTE_NORMAL}, {LANE, true, LANE10},
         {NO_LANE, true, ROUTE_NORMAL}, {NO_POOL, true, ROUTE_NONE});
    assert_int_equal(store_count(store, STORE_ROUTE), 0);
}

/* The administrator's own route stays, whatever we learn; only a hold goes before it. */
static void theirs_wins(void **state)
{
    enum route route;
    struct slice key;

    (void)state;
    PLAY("theirs", "a.example", {PROBATION, true, ROUTE_PROBATION}, {FOREIGN, true, ROUTE_NONE},
         {LANE, false, ROUTE_NONE}, {NORMAL, false, ROUTE_NONE}, {HOLD, true, ROUTE_HOLD},
         {RELEASE, true, ROUTE_NONE}, {PROBATION, false, ROUTE_NONE});
    /* It is remembered, so that it is not asked for again. */
    assert_true(route_seek(store, slice_of(""), &key, &route));
    assert_true(slice_equals(key, "a.example") && route == ROUTE_NONE);
}

static void wanted_routes_are_listed(void **state)
{
    enum route route;
    struct slice key;

    (void)state;
    route_hold(store, slice_of("b.example"), true, &route);
    route_expire(store, slice_of("x@a.example"), true, &route);
    route_hold(store, slice_of("c.example"), true, &route);
    route_hold(store, slice_of("c.example"), false, &route);
    assert_true(route_seek(store, slice_of(""), &key, &route));
    assert_true(slice_equals(key, "b.example") && route == ROUTE_HOLD);
    assert_true(route_seek(store, slice_of("b.example!"), &key, &route));
    assert_true(slice_equals(key, "x@a.example") && route == ROUTE_EXPIRE);
    assert_false(route_seek(store, slice_of("y"), &key, &route));
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_that_may_be_keys),
        cmocka_unit_test(keys_of_addresses),
        cmocka_unit_test(odd_local_parts_are_no_keys),
        cmocka_unit_test(keys_that_do_not_fit),
        STORE_TEST(holds_and_those_who_wait_for_the_gate),
        STORE_TEST(lanes_and_pools),
        STORE_TEST(theirs_wins),
        STORE_TEST(wanted_routes_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
