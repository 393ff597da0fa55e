/* The limits of recipients per transaction at our own door. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fixture.h"
#include "inbound.h"
#include "network.h"

/* Networks */

static void networks_hold_addresses(void **state)
{
    static const struct {
        const char *network;
        const char *address;
        bool want;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.0/31", "192.0.2.1", true},
        {"192.0.2.0/31", "192.0.2.2", false},
        {"192.0.2.77/24", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1/32", "192.0.2.1", true},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"2001:DB8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:db8::1", "IPv6:2001:db8::1", true},
        {"2001:db8::1/128", "ipv6:2001:db8::2", false},
        {"fe80::/10", "fe80::1%eth0", true},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"192.0.2.0/24", "::ffff:192.0.2.9", true},
        {"192.0.2.0/24", "IPv6:::ffff:192.0.3.9", false},
        {"::ffff:192.0.2.0/120", "192.0.2.9", true},
        {"::ffff:192.0.2.0/120", "192.0.3.9", false},
        {"192.0.2.0/24", "::192.0.2.9", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct network network;
        struct network address;
        assert_true(network_parse(slice_of(cases[i].network), &network));
        assert_true(network_parse_address(slice_of(cases[i].address), &address));
        if (network_has(&network, &address) != cases[i].want)
            fail_msg("%s in %s", cases[i].address, cases[i].network);
    }
}

static void what_is_no_network(void **state)
{
    static const char *const cases[] = {
        "",
        "/",
        "/8",
        "192.0.2.0/",
        "192.0.2.0/33",
        "192.0.2.0/-1",
        "192.0.2",
        "192.0.2.0/x",
        "192.0.2.0/ 8",
        "192.0.2.0/024x",
        "2001:db8::/129",
        "::/0000",
        "unknown",
        "example.com",
        "192.0.2.0/8/8",
        "IPv6:::1",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd"};
    struct network network;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (network_parse(slice_of(cases[i]), &network))
            fail_msg("\"%s\" is taken for a network", cases[i]);
    assert_false(network_parse((struct slice){"192.0.2.1\0x", 11}, &network));
    assert_false(network_parse_address(slice_of("unknown"), &network));
    assert_false(network_parse_address(slice_of(""), &network));
    assert_false(network_parse_address(slice_of("192.0.2.0/24"), &network));
}

/* Which transactions and recipients a rule of limit 1 is for: the second recipient tells. */

struct fit {
    const char *label;
    const char *rule;
    const char *client;
    const char *login;
    const char *sender;
    const char *recipient;
    bool want;
};

#define ANY "192.0.2.1", "", "<s@a.example>", "<r@b.example>"

static const struct fit fits[] = {
    {"a rule without lists", "", ANY, true},
    {"network", "networks = (\"192.0.2.0/24\");", ANY, true},
    {"second network", "networks = (\"10.0.0.0/8\", \"192.0.2.0/24\");", ANY, true},
    {"other network", "networks = (\"192.0.3.0/24\");", ANY, false},
    {"client of unknown address", "networks = (\"0.0.0.0/0\", \"::/0\");", "unknown", "", "<>",
     "<r@b.example>", false},
    {"login", "logins = (\"ann\", \"bob\");", "::1", "bob", "<>", "<r@b.example>", true},
    {"login in another case", "logins = (\"bob\");", "::1", "Bob", "<>", "<r@b.example>", false},
    {"login that begins alike", "logins = (\"bob\");", "::1", "bobby", "<>", "<r@b.example>",
     false},
    {"any login", "logins = (\"*\");", "::1", "bob", "<>", "<r@b.example>", true},
    {"no login", "logins = (\"*\");", ANY, false},
    {"sender domain", "sender_domains = (\"a.example\");", ANY, true},
    {"sender domain, another case", "sender_domains = (\"a.example\");", "::1", "", "<S@A.EXAMPLE>",
     "<r@b.example>", true},
    {"bare sender", "sender_domains = (\"a.example\");", "::1", "", "s@a.example", "r@b.example",
     true},
    {"other sender domain", "sender_domains = (\"example\", \"xa.example\");", ANY, false},
    {"sender below", "sender_domains = (\".example\");", ANY, true},
    {"a domain is not below itself", "sender_domains = (\".a.example\");", ANY, false},
    {"no part of a label", "sender_domains = (\".example\");", "::1", "", "<s@xexample>",
     "<r@b.example>", false},
    {"null sender", "sender_domains = (\"a.example\", \".example\");", "::1", "", "<>",
     "<r@b.example>", false},
    {"null sender and *", "sender_domains = (\"*\");", "::1", "", "<>", "<r@b.example>", true},
    {"recipient domain", "recipient_domains = (\"b.example\");", ANY, true},
    {"other recipient domain", "recipient_domains = (\"c.example\");", ANY, false},
    {"source route", "recipient_domains = (\"b.example\");", "::1", "", "<>",
     "<@relay.example,@two.example:r@b.example>", true},
    {"at sign in the local part", "recipient_domains = (\"b.example\");", "::1", "", "<>",
     "<\"r@c.example\"@b.example>", true},
    {"dot at the end", "recipient_domains = (\"b.example\");", "::1", "", "<>", "<r@b.example.>",
     true},
    {"address literal", "recipient_domains = (\"[192.0.2.1]\");", "::1", "", "<>",
     "<r@[192.0.2.1]>", true},
    {"no domain", "recipient_domains = (\"b.example\");", "::1", "", "<>", "<postmaster>", false},
    {"no domain and *", "recipient_domains = (\"*\");", "::1", "", "<>", "<postmaster>", true},
    {"domain hidden behind the bracket", "recipient_domains = (\"b.example\");", "::1", "", "<>",
     "<r@b.example> ", true},
    {"all lists fit",
     "networks = (\"192.0.2.1\"); logins = (\"ann\"); sender_domains = (\"a.example\"); "
     "recipient_domains = (\"b.example\");",
     "192.0.2.1", "ann", "<s@a.example>", "<r@b.example>", true},
    {"all lists but one fit",
     "networks = (\"192.0.2.1\"); logins = (\"ann\"); sender_domains = (\"a.example\"); "
     "recipient_domains = (\"b.example\");",
     "192.0.2.1", "bob", "<s@a.example>", "<r@b.example>", false},
};

static void rules_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
        const struct fit *c = &fits[i];
        const struct inbound_mail mail = {slice_of(c->client), slice_of(c->login),
                                          slice_of(c->sender)};
        char text[512];
        snprintf(text, sizeof(text), "recipient_limits = { inbound = ( { limit = 1; %s } ); };",
                 c->rule);
        struct config *config = fixture_config(text);
        struct inbound *inbound = inbound_begin(config, &mail);
        if (inbound_rcpt(inbound, slice_of(c->recipient)).surplus)
            fail_msg("%s: the first recipient is surplus", c->label);
        if (inbound_rcpt(inbound, slice_of(c->recipient)).surplus != c->want)
            fail_msg("%s: want %d", c->label, c->want);
        inbound_free(&inbound);
        assert_null(inbound);
        config_free(&config);
    }
}

static void no_state_without_a_rule(void **state)
{
    const struct inbound_mail mail = {slice_of("192.0.2.1"), slice_of(""), slice_of("<>")};
    struct config *config = fixture_config("recipient_limits = { inbound = ( { limit = 1; "
                                           "logins = (\"ann\"); } ); };");
    struct inbound *inbound = inbound_begin(config, &mail);

    (void)state;
    assert_null(inbound);
    assert_false(inbound_rcpt(inbound, slice_of("<r@b.example>")).surplus);
    inbound_free(&inbound);
    config_free(&config);
}

/* Counting: a letter is a recipient in that domain, a capital one is refused. */

struct sequence {
    const char *label;
    const char *rules;
    const char *recipients;
};

#define ALL(n) "{ limit = " n "; }"
#define TO(d, n) "{ recipient_domains = (\"" d ".example\"); limit = " n "; }"
#define REJECT(d, n)                                                                               \
    "{ recipient_domains = (\"" d ".example\"); limit = " n "; action = \"reject\"; }"

static const struct sequence sequences[] = {
    {"the first ones stay", ALL("3"), "aaaAAA"},
    {"recipients count, not domains", ALL("3"), "abcABC"},
    {"others do not count", TO("a", "2"), "babbaAbbbA"},
    {"each rule counts for itself", TO("a", "1") "," TO("b", "2"), "abAbABcc"},
    {"a recipient counts for every rule it fits", ALL("3") "," TO("a", "1"), "aAbbAB"},
    {"the order of rules does not matter", TO("a", "1") "," ALL("3"), "aAbbAB"},
    {"surplus ones use nothing up", TO("a", "1") "," ALL("3"), "aAAAAbbB"},
    {"also with action reject", REJECT("a", "1") "," ALL("3"), "aAAAAbbB"},
};

static void surplus_is_refused(void **state)
{
    const struct inbound_mail mail = {slice_of("192.0.2.1"), slice_of(""), slice_of("<>")};

    (void)state;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        const struct sequence *c = &sequences[i];
        char text[512];
        snprintf(text, sizeof(text), "recipient_limits = { inbound = ( %s ); };", c->rules);
        struct config *config = fixture_config(text);
        /* Twice: a transaction knows nothing of the one before. */
        for (int turn = 0; turn < 2; turn++) {
            struct inbound *inbound = inbound_begin(config, &mail);
            for (const char *at = c->recipients; *at; at++) {
                char address[] = "<r@?.example>";
                address[3] = *at;
                if (inbound_rcpt(inbound, slice_of(address)).refuse != (*at < 'a'))
                    fail_msg("%s: recipient %td", c->label, at - c->recipients + 1);
            }
            inbound_free(&inbound);
        }
        config_free(&config);
    }
}

/* What is said: of rules used up by recipients in a.example. */

struct reply {
    const char *label;
    const char *rules;
    const char *want;
};

static const struct reply replies[] = {
    {"split", ALL("2"),
     "452 4.5.3 Too many recipients: 2 are allowed in one transaction; send the rest in another"},
    {"one", ALL("1"),
     "452 4.5.3 Too many recipients: 1 is allowed in one transaction; send the rest in another"},
    {"reject", REJECT("a", "3"), "550 5.5.3 Too many recipients: 3 are allowed in one message"},
    {"reject prevails", ALL("2") "," REJECT("a", "2"),
     "550 5.5.3 Too many recipients: 2 are allowed in one message"},
    {"reject prevails, order turned", REJECT("a", "2") "," ALL("2"),
     "550 5.5.3 Too many recipients: 2 are allowed in one message"},
    {"a rule not yet used up says nothing", REJECT("a", "4") "," ALL("2"),
     "452 4.5.3 Too many recipients: 2 are allowed in one transaction; send the rest in another"},
    {"nor one for others", REJECT("b", "1") "," ALL("2"),
     "452 4.5.3 Too many recipients: 2 are allowed in one transaction; send the rest in another"},
};

static void replies_name_the_limit(void **state)
{
    const struct inbound_mail mail = {slice_of("192.0.2.1"), slice_of(""), slice_of("<>")};

    (void)state;
    for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
        const struct reply *c = &replies[i];
        struct inbound_answer answer = {.surplus = false};
        char text[512];
        char said[INBOUND_TEXT_MAX];
        snprintf(text, sizeof(text), "recipient_limits = { inbound = ( %s ); };", c->rules);
        struct config *config = fixture_config(text);
        struct inbound *inbound = inbound_begin(config, &mail);
        for (int n = 0; n < 10 && !answer.surplus; n++)
            answer = inbound_rcpt(inbound, slice_of("<r@a.example>"));
        inbound_text(&answer, said);
        snprintf(text, sizeof(text), "%s %s %s", inbound_code(&answer), inbound_status(&answer),
                 said);
        if (strcmp(text, c->want) != 0)
            fail_msg("%s: %s", c->label, text);
        inbound_free(&inbound);
        config_free(&config);
    }
}

static void the_least_limit_is_told(void **state)
{
    const struct inbound_mail mail = {slice_of("192.0.2.1"), slice_of(""), slice_of("<>")};
    struct config *config =
        fixture_config("recipient_limits = { inbound = ( " ALL("3") "," TO("a", "2") " ); };");
    struct inbound *inbound = inbound_begin(config, &mail);

    (void)state;
    for (const char *at = "aab"; *at; at++) {
        char address[] = "<r@?.example>";
        address[3] = *at;
        assert_false(inbound_rcpt(inbound, slice_of(address)).surplus);
    }
    assert_int_equal(inbound_rcpt(inbound, slice_of("<r@a.example>")).limit, 2);
    assert_int_equal(inbound_rcpt(inbound, slice_of("<r@b.example>")).limit, 3);
    inbound_free(&inbound);
    config_free(&config);
}

/* enforce = false: nothing is refused, everything counts, the first surplus one is marked. */
static void observing_refuses_nobody(void **state)
{
    const struct inbound_mail mail = {slice_of("192.0.2.1"), slice_of(""), slice_of("<>")};
    struct config *config =
        fixture_config("enforce = false; recipient_limits = { inbound = ( " ALL("1") " ); };");
    struct inbound *inbound = inbound_begin(config, &mail);

    (void)state;
    for (int n = 0; n < 4; n++) {
        struct inbound_answer answer = inbound_rcpt(inbound, slice_of("<r@a.example>"));
        assert_int_equal(answer.surplus, n >= 1);
        assert_int_equal(answer.first, n == 1);
        assert_false(answer.refuse);
    }
    inbound_free(&inbound);
    config_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_hold_addresses),
        cmocka_unit_test(what_is_no_network),
        cmocka_unit_test(rules_fit),
        cmocka_unit_test(no_state_without_a_rule),
        cmocka_unit_test(surplus_is_refused),
        cmocka_unit_test(replies_name_the_limit),
        cmocka_unit_test(the_least_limit_is_told),
        cmocka_unit_test(observing_refuses_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
