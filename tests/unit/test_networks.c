/* Lists of networks as mynetworks has them, and who is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "networks.h"

static struct network address(const char *text)
{
    struct network a;

    assert_true(network_parse_address(slice_of(text), &a));
    return a;
}

static bool have(const struct networks *networks, const char *text)
{
    struct network a = address(text);

    return networks_have(networks, &a);
}

static void one_entry(void **state)
{
    static const struct {
        const char *label, *entry;
        bool taken;
        const char *in, *out; /* NULL: not asked */
    } cases[] = {
        {"IPv4", "192.0.2.0/24", true, "192.0.2.255", "192.0.3.0"},
        {"one IPv4 address", "192.0.2.1", true, "192.0.2.1", "192.0.2.2"},
        {"IPv6", "2001:db8::/32", true, "2001:db8::1", "2001:db9::1"},
        {"brackets around the address", "[2001:db8::]/32", true, "2001:db8::1", "2001:db9::1"},
        {"brackets and no length", "[::1]", true, "::1", "::2"},
        {"bits behind the prefix", "192.0.2.77/24", true, "192.0.2.1", "192.0.3.1"},
        {"IPv4-mapped", "[::ffff:192.0.2.0]/120", true, "192.0.2.9", "192.0.3.9"},
        {"everything in IPv4", "0.0.0.0/0", true, "203.0.113.9", "2001:db8::1"},
        {"out: nobody is in it", "!192.0.2.0/24", true, NULL, "192.0.2.1"},
        {"out, in brackets", "![::1]", true, NULL, "::1"},
        {"empty", "", false, NULL, "192.0.2.1"},
        {"out, and nothing else", "!", false, NULL, "192.0.2.1"},
        {"out twice", "!!192.0.2.0/24", false, NULL, "192.0.2.1"},
        {"a file", "/etc/postfix/networks", false, NULL, "192.0.2.1"},
        {"a table", "cidr:/etc/postfix/networks", false, NULL, "192.0.2.1"},
        {"braces", "{192.0.2.0/24}", false, NULL, "192.0.2.1"},
        {"a name", "localhost", false, NULL, "127.0.0.1"},
        {"too many bits", "192.0.2.0/33", false, NULL, "192.0.2.1"},
        {"no bits", "192.0.2.0/", false, NULL, "192.0.2.1"},
        {"three octets", "192.0.2/24", false, NULL, "192.0.2.1"},
        {"an open bracket", "[::1", false, NULL, "::1"},
        {"nothing in brackets", "[]/8", false, NULL, "::1"},
        {"digits behind the bracket", "[2001:db8::]1", false, NULL, "2001:db8::1"},
        {"a colon behind the bracket", "[2001:db8:]:1/128", false, NULL, "2001:db8::1"},
        {"brackets in the middle", "2001:[db8::]/32", false, NULL, "2001:db8::1"},
        {"two brackets", "[[::1]]", false, NULL, "::1"},
        {"longer than any network",
         "[::1]/00000000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "000000000000000000000000000000000000000000000000000000000000000000000000000000000000128",
         false, NULL, "::1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct networks *networks = networks_new();

        assert_non_null(networks);
        if (networks_add(networks, slice_of(cases[i].entry)) != cases[i].taken)
            fail_msg("%s: %s", cases[i].label, cases[i].taken ? "refused" : "taken");
        if (cases[i].in && !have(networks, cases[i].in))
            fail_msg("%s: %s is not in it", cases[i].label, cases[i].in);
        if (have(networks, cases[i].out))
            fail_msg("%s: %s is in it", cases[i].label, cases[i].out);
        networks_free(&networks);
        assert_null(networks);
    }
}

/* The first that fits decides (util/match_list.c). */
static void lists(void **state)
{
    static const struct {
        const char *label, *list;
        size_t left_out;
        const char *address;
        bool want;
    } cases[] = {
        {"empty", "", 0, "127.0.0.1", false},
        {"blanks and commas only", " ,\n\t, ", 0, "127.0.0.1", false},
        {"as postconf(1) prints it", "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", 0, "::1",
         true},
        {"the first of it", "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", 0, "127.9.9.9", true},
        {"nobody of it", "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", 0, "128.0.0.1", false},
        {"commas and lines", "192.0.2.0/24,\n\t198.51.100.0/24", 0, "198.51.100.1", true},
        {"out before in", "!192.0.2.7, 192.0.2.0/24", 0, "192.0.2.7", false},
        {"the others of that network", "!192.0.2.7, 192.0.2.0/24", 0, "192.0.2.8", true},
        {"out behind in comes too late", "192.0.2.0/24, !192.0.2.7", 0, "192.0.2.7", true},
        {"in before out before in", "192.0.2.7 !192.0.2.0/24 192.0.0.0/16", 0, "192.0.2.7", true},
        {"the middle of it", "192.0.2.7 !192.0.2.0/24 192.0.0.0/16", 0, "192.0.2.8", false},
        {"the end of it", "192.0.2.7 !192.0.2.0/24 192.0.0.0/16", 0, "192.0.3.8", true},
        {"out alone lets nobody in", "!192.0.2.7", 0, "192.0.2.8", false},
        {"files and tables are left out", "hash:/etc/postfix/n, 192.0.2.0/24 /etc/n", 2,
         "192.0.2.1", true},
        {"braces are one entry", "{ 198.51.100.0/24, 203.0.113.0/24 } 192.0.2.0/24", 1,
         "198.51.100.1", false},
        {"what is behind them counts", "{ 198.51.100.0/24, 203.0.113.0/24 } 192.0.2.0/24", 1,
         "192.0.2.1", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct networks *networks = networks_new();
        size_t left_out;

        assert_non_null(networks);
        left_out = networks_add_list(networks, cases[i].list);
        if (left_out != cases[i].left_out)
            fail_msg("%s: %zu left out", cases[i].label, left_out);
        if (have(networks, cases[i].address) != cases[i].want)
            fail_msg("%s: %s", cases[i].label, cases[i].want ? "not in it" : "in it");
        networks_free(&networks);
    }
}

/* Both fill what they begin with, so that a list may be made of several. */
static void one_after_the_other(void **state)
{
    struct networks *networks = networks_new();

    (void)state;
    assert_non_null(networks);
    for (int i = 0; i < 50; i++)
        assert_true(networks_add(networks, slice_of("198.51.100.0/24")));
    assert_int_equal(networks_add_list(networks, "192.0.2.1 192.0.2.2"), 0);
    assert_true(networks_add(networks, slice_of("203.0.113.1")));
    assert_true(have(networks, "198.51.100.7"));
    assert_true(have(networks, "192.0.2.2"));
    assert_true(have(networks, "203.0.113.1"));
    assert_false(have(networks, "203.0.113.2"));
    networks_free(&networks);
    networks_free(&networks);
}

/* "!/etc/postfix/strangers, 192.0.2.0/24": who of them is a stranger cannot be told. */
static void an_exclusion_that_cannot_be_read(void **state)
{
    struct networks *networks = networks_new();

    (void)state;
    assert_non_null(networks);
    assert_int_equal(networks_add_list(networks, "127.0.0.1 !/etc/postfix/x 192.0.2.0/24 ::1"), 1);
    assert_true(have(networks, "127.0.0.1"));
    assert_false(have(networks, "192.0.2.1"));
    assert_false(have(networks, "::1"));
    networks_free(&networks);
}

static void no_list(void **state)
{
    (void)state;
    assert_false(have(NULL, "127.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_entry),
        cmocka_unit_test(lists),
        cmocka_unit_test(one_after_the_other),
        cmocka_unit_test(an_exclusion_that_cannot_be_read),
        cmocka_unit_test(no_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
