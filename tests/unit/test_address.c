/* The one form of an address, however it was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "address.h"

static const struct {
    const char *address;
    const char *want; /* "": it is none */
} CASES[] = {
    /* the domain */
    {"a@example.com", "a@example.com"},
    {"<a@example.com>", "a@example.com"},
    {"First.Last+Tag@Example.COM", "First.Last+Tag@example.com"},
    {"a@example.com.", "a@example.com"},
    {"a@com", "a@com"},
    {"a@mx_1.Example.com", "a@mx_1.example.com"},
    {"a@_x.example.com", "a@_x.example.com"},
    {"a@-x-.example.com", "a@-x-.example.com"},
    {"a@127.0.0.1", "a@127.0.0.1"},
    {"a@example.com..", ""},
    {"a@.", ""},
    {"a@.example.com", ""},
    {"a@example..com", ""},
    {"a@exam ple.com", ""},
    {"a@example.com ", ""},
    {"a@ example.com", ""},
    {"a@example.com>", ""},
    {"a@example.com(comment)", ""},
    {"a@example,com", ""},
    {"a@x!y", ""},
    {"a@", ""},
    {"a", ""},
    {"", ""},
    {"<>", ""},
    {"<", ""},
    {"@", ""},
    {"@example.com", ""},
    {"\"\"@example.com", ""},

    /* literals, RFC 5321 section 4.1.3 */
    {"a@[192.0.2.1]", "a@[192.0.2.1]"},
    {"a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]"},
    {"a@[]", ""},
    {"a@[192.0.2.1", ""},
    {"a@192.0.2.1]", ""},
    {"a@[192.0.2.1].", ""},
    {"a@[[192.0.2.1]]", ""},
    {"a@[192.0.2.1 ]", ""},
    {"a@[x@y]", ""},

    /* IDNA 2008, without the mappings of 2003 */
    {"a@b\xc3\xbc"
     "cher.example",
     "a@xn--bcher-kva.example"},
    {"a@B\xc3\x9c"
     "CHER.Example.",
     "a@xn--bcher-kva.example"},
    {"a@bu\xcc\x88"
     "cher.example",
     "a@xn--bcher-kva.example"},
    {"a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"},
    {"a@stra\xc3\x9f"
     "e.example",
     "a@xn--strae-oqa.example"},
    {"a@b\xc3\xbc"
     "cher\xe3\x80\x82"
     "example",
     "a@xn--bcher-kva.example"},
    {"a@b\xc3\xbc"
     "cher.example\xe3\x80\x82",
     "a@xn--bcher-kva.example"},
    {"a@_x.b\xc3\xbc"
     "cher.example",
     "a@_x.xn--bcher-kva.example"},
    {"a@\xef\xbd\x85xample.com", "a@example.com"}, /* full-width e */
    /* A full-width '@', '<' and '/' (in U+2100) must not become real ones. */
    {"a@Evil\xef\xbc\xa0"
     "example.com",
     "a@evil\xef\xbc\xa0"
     "example.com"},
    {"a@x\xef\xb9\xa4"
     "example.com",
     "a@x\xef\xb9\xa4"
     "example.com"},
    {"a@\xe2\x84\x80.example.com", "a@\xe2\x84\x80.example.com"},
    /* invalid punycode, and an unassigned or forbidden label: the bytes */
    {"a@xn--\x61\x61\x61\x61\x61.Example", "a@xn--aaaaa.example"},
    {"a@X\xef\xbf\xbd.Example", "a@x\xef\xbf\xbd.example"},

    /* the local part: a dot-string wherever there is one */
    {"\"a\"@example.com", "a@example.com"},
    {"\"a.b\"@example.com", "a.b@example.com"},
    {"\"\\a\\.b\"@example.com", "a.b@example.com"},
    {"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
    {"\"a b\"@example.com", "\"a b\"@example.com"},
    {"\"a\\ b\"@example.com", "\"a b\"@example.com"},
    {"\"a\\\"b\\\\c\"@example.com", "\"a\\\"b\\\\c\"@example.com"},
    {"\"a@b\"@Example.com", "\"a@b\"@example.com"},
    {"\".a\"@example.com", "\".a\"@example.com"},
    {"\"a>b\"@example.com", "\"a>b\"@example.com"},
    {"<\"a>b\"@example.com>", "\"a>b\"@example.com"},
    {"\" \"@example.com", "\" \"@example.com"},
    {"\"\\\"\"@example.com", "\"\\\"\"@example.com"},
    {"j\xc3\xb6rg@example.com", "j\xc3\xb6rg@example.com"},
    {"\"j\xc3\xb6rg\"@example.com", "j\xc3\xb6rg@example.com"},
    {"SRS0=HHH=TT=example.org=a@example.com", "SRS0=HHH=TT=example.org=a@example.com"},
    {"list-bounce-a=example.org@example.com", "list-bounce-a=example.org@example.com"},

    /* bare, as logs had it */
    {"john doe@example.com", "\"john doe\"@example.com"},
    {"<john doe@example.com>", "\"john doe\"@example.com"},
    {"a..b@example.com", "\"a..b\"@example.com"},
    {"a.@example.com", "\"a.\"@example.com"},
    {".a@example.com", "\".a\"@example.com"},
    {"a@b@example.com", "\"a@b\"@example.com"},
    {"a\"b@example.com", "\"a\\\"b\"@example.com"},
    {"a\\b@example.com", "\"a\\\\b\"@example.com"},
    {"\"a@example.com", "\"\\\"a\"@example.com"},
    {"\"a\"b@example.com", "\"\\\"a\\\"b\"@example.com"},
    {"\"a\\\"@example.com", "\"\\\"a\\\\\\\"\"@example.com"},
    {"\"a\"@b@example.com", "\"\\\"a\\\"@b\"@example.com"},
    {"a,b@example.com", "\"a,b\"@example.com"},
    {"<a@example.com", "\"<a\"@example.com"},

    /* the source route, RFC 5321 appendix C */
    {"<@relay:a@example.com>", "a@example.com"},
    {"@relay:a@example.com", "a@example.com"},
    {"<@relay.example,@b.example:\"a b\"@Example.COM.>", "\"a b\"@example.com"},
    {"<@[IPv6:2001:db8::1]:a@example.com>", "a@example.com"},
    {"<@[IPv6:2001:db8::1],@b:a@example.com>", "a@example.com"},
    {"@relay:@example.com", ""},
    {"@relay:", ""},
    {"@:a@example.com", "\"@:a\"@example.com"},
    {"@a,b:c@example.com", "\"@a,b:c\"@example.com"},
    {"@a@example.com", "\"@a\"@example.com"},
    {"a:b@example.com", "\"a:b\"@example.com"},

    /* what no address may hold */
    {"a\tb@example.com", ""},
    {"\"a\tb\"@example.com", ""},
    {"a\r\n@example.com", ""},
    {"a\x7f@example.com", ""},
    {"a\x1b[2J@example.com", ""},
    {"a\xc2\x85@example.com", ""},
    {"a@b\xc2\x85.example", ""},
    {"\xff@example.com", ""},
    {"a@\xff.example", ""},
    {"\xc0\xaf@example.com", ""},
    {"\xed\xa0\x80@example.com", ""},
    {"\xc3@example.com", ""},
};

static void one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        char canonical[ADDRESS_MAX + 1], again[ADDRESS_MAX + 1];
        size_t len = address_canonical(canonical, slice_of(CASES[i].address));

        if (strcmp(canonical, CASES[i].want) != 0)
            fail_msg("%s: got \"%s\", want \"%s\"", CASES[i].address, canonical, CASES[i].want);
        assert_int_equal(len, strlen(canonical));
        assert_int_equal(address_canonical(again, (struct slice){canonical, len}), len);
        assert_string_equal(again, canonical);
    }
}

static void no_nul_byte(void **state)
{
    static const char inside[] = "a\0b@example.com", behind[] = "a@example.com\0",
                      domain[] = "a@b\0c.example";
    char canonical[ADDRESS_MAX + 1];

    (void)state;
    assert_int_equal(address_canonical(canonical, (struct slice){inside, sizeof(inside) - 1}), 0);
    assert_int_equal(address_canonical(canonical, (struct slice){behind, sizeof(behind) - 1}), 0);
    assert_int_equal(address_canonical(canonical, (struct slice){domain, sizeof(domain) - 1}), 0);
    assert_int_equal(address_canonical(canonical, (struct slice){NULL, 0}), 0);
    assert_string_equal(canonical, "");
}

/* `before`, then `count` times `c`, then `after` */
static size_t length_of(const char *before, char c, size_t count, const char *after)
{
    char address[8192], canonical[ADDRESS_MAX + 1];
    size_t len = strlen(before);

    memcpy(address, before, len);
    memset(address + len, c, count);
    strcpy(address + len + count, after);
    return address_canonical(canonical, slice_of(address));
}

static void the_longest(void **state)
{
    (void)state;
    assert_int_equal(length_of("", 'a', ADDRESS_MAX - 4, "@b.c"), ADDRESS_MAX);
    assert_int_equal(length_of("", 'a', ADDRESS_MAX - 3, "@b.c"), 0);
    assert_int_equal(length_of("a@", 'b', ADDRESS_MAX - 2, ""), ADDRESS_MAX);
    assert_int_equal(length_of("a@", 'b', ADDRESS_MAX - 1, ""), 0);
    /* The quotes and backslashes count where they are needed. */
    assert_int_equal(length_of("\"", 'a', ADDRESS_MAX - 4, "\"@b.c"), ADDRESS_MAX);
    assert_int_equal(length_of("\"", ' ', ADDRESS_MAX - 6, "\"@b.c"), ADDRESS_MAX);
    assert_int_equal(length_of("\"", ' ', ADDRESS_MAX - 5, "\"@b.c"), 0);
    assert_int_equal(length_of("", '\\', ADDRESS_MAX - 10, "@b.c"), 0);
    /* The route is no part of it. */
    assert_int_equal(length_of("<@", 'r', 4000, ":a@b.c>"), 5);
    assert_int_equal(length_of("", 'a', 8000, "@b.c"), 0);
    assert_int_equal(length_of("a@", 'b', 8000, ""), 0);
    assert_int_equal(length_of("a@\xc3\xbc", 'b', 8000, ""), 0);
}

static void the_domain(void **state)
{
    static const struct {
        const char *canonical, *want;
    } cases[] = {
        {"a@example.com", "example.com"},
        {"\"a@b\"@example.com", "example.com"},
        {"a@[ipv6:::1]", "[ipv6:::1]"},
        {"a", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(slice_equals(address_domain(slice_of(cases[i].canonical)), cases[i].want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_form),
        cmocka_unit_test(no_nul_byte),
        cmocka_unit_test(the_longest),
        cmocka_unit_test(the_domain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
