/* What the door makes of a recipient whose address or destination posternd knows something about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "doorway.h"
#include "fixture.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

#define NOW INT64_C(1795525920000) /* 2026-11-24 13:12:00 UTC */

static int set_up(void **state)
{
    (void)state;
    return fixture_set_up("doorway");
}

static int tear_down(void **state)
{
    (void)state;
    return fixture_tear_down();
}

/* --- Addresses --- */

#define SAID "host mx.b.example[192.0.2.9] said: "
#define TO " (in reply to RCPT TO command)"

static struct bad_record bad_record_of(const char *text, int64_t learned, int64_t tested)
{
    struct bad_record r;

    memset(&r, 0, sizeof(r));
    r.b = (struct bad){.learned = learned, .tested = tested, .destination = 1, .times = 1};
    strcpy(r.queue_id, "3F1A72C0E9");
    strcpy(r.status, "5.1.1");
    strcpy(r.host, "mx.b.example");
    snprintf(r.text, sizeof(r.text), "%s", text);
    return r;
}

static void know_bad(const char *address, int64_t age, int64_t tested)
{
    struct bad_record r = bad_record_of(SAID "550 5.1.1 no such user" TO, NOW - age, tested);

    record_save_bad(store, slice_of(address), NULL, &r);
}

/* A lifetime of a day: a message may try the address after half of it, then each hour. */
static void addresses(void **state)
{
    static const char on[] = "early_ndr = { mode = \"refuse\"; lifetime = 86400; };";
    static const char ndr[] = "early_ndr = { mode = \"ndr\"; lifetime = 86400; };";
    static const char off[] = "early_ndr = { mode = \"off\"; };";
    static const char observe[] = "enforce = false; early_ndr = { lifetime = 86400; };";
    static const struct {
        const char *label, *settings, *recipient;
        enum doorway_answer want;
    } cases[] = {
        {"known", on, "young@b.example", DOORWAY_BAD},
        {"as on the wire", on, "<young@B.Example.>", DOORWAY_BAD},
        {"needless quotes", on, "<\"young\"@b.example>", DOORWAY_BAD},
        {"mode = ndr", ndr, "young@b.example", DOORWAY_BAD},
        {"mode = off", off, "young@b.example", DOORWAY_PASS},
        {"enforce is the caller's business", observe, "young@b.example", DOORWAY_BAD},
        {"another case", on, "Young@b.example", DOORWAY_PASS},
        {"another domain", on, "young@c.example", DOORWAY_PASS},
        {"no domain", on, "young", DOORWAY_PASS},
        {"nobody", on, "", DOORWAY_PASS},
        {"<>", on, "<>", DOORWAY_PASS},
        {"half of its life is over", on, "old@b.example", DOORWAY_TEST},
        {"a message tries it", on, "tried@b.example", DOORWAY_BAD},
        {"that was an hour ago", on, "again@b.example", DOORWAY_TEST},
        {"its life is over", on, "over@b.example", DOORWAY_PASS},
        {"learned in the future", on, "future@b.example", DOORWAY_PASS},
    };

    (void)state;
    know_bad("young@b.example", 11 * HOUR, 0);
    know_bad("old@b.example", 12 * HOUR, 0);
    know_bad("tried@b.example", 14 * HOUR, NOW - 59 * MINUTE);
    know_bad("again@b.example", 14 * HOUR, NOW - 60 * MINUTE);
    know_bad("over@b.example", 24 * HOUR, 0);
    know_bad("future@b.example", -HOUR, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *config = fixture_config(cases[i].settings);
        struct bad_record bad = {.text = ""};
        enum doorway_answer got =
            doorway_address(store, config, slice_of(cases[i].recipient), NOW, &bad);

        if (got != cases[i].want)
            fail_msg("%s: answer %d", cases[i].label, (int)got);
        if (got != DOORWAY_PASS)
            assert_string_equal(bad.host, "mx.b.example");
        config_free(&config);
    }
}

/* --- Destinations --- */

#define REFUSED "connect to mx.partner.example[192.0.2.1]:25: Connection refused"

static void know(const char *name, const struct destination *d)
{
    struct destination_record r;

    memset(&r, 0, sizeof(r));
    r.d = *d;
    r.d.id = 0;
    r.d.proven = true;
    snprintf(r.name, sizeof(r.name), "%s", name);
    strcpy(r.error, REFUSED);
    record_create_destination(store, &r);
}

/* Three attempts in twenty minutes, and the next one is due in five. */
#define DOWN                                                                                       \
    {                                                                                              \
        .health = DESTINATION_DOWN, .retries = 13, .outage_start = 10, .since = NOW - 20 * MINUTE, \
        .next = NOW + 5 * MINUTE                                                                   \
    }

static struct destination down_with(uint64_t failures)
{
    struct destination d = DOWN;

    d.retries = d.outage_start + failures;
    return d;
}

/* Retries every ten minutes; "partner" gives up after four, others never. */
#define DESTINATIONS                                                                               \
    "retry = { open_interval = 600; }; unproven = { max_open_retries = 0; }; destinations = ( "    \
    "{ name = \"partner\"; domains = (\"partner.example\", \".partner.example\"); "                \
    "max_open_retries = 4; } ); "
#define WHEN(what) DESTINATIONS "milters = { retrycap = { when_down = \"" what "\"; }; };"

static enum doorway_answer ask(const char *settings, const char *recipient,
                               struct doorway_down *down_r)
{
    struct config *config = fixture_config(settings);
    enum doorway_answer answer;

    memset(down_r, 0, sizeof(*down_r));
    answer = doorway_destination(store, config, slice_of(recipient), NOW, down_r);
    down_r->policy = NULL; /* goes with the configuration */
    config_free(&config);
    return answer;
}

static void what_is_asked_for(void **state)
{
    static const char tempfail[] = WHEN("tempfail");
    static const char refuse[] = WHEN("refuse-over-cap");
    static const char unproven[] =
        "unproven = { max_open_retries = 3; }; "
        "milters = { retrycap = { when_down = \"refuse-over-cap\"; }; };";
    static const struct {
        const char *label, *settings, *recipient;
        enum doorway_answer want;
    } cases[] = {
        {"by default", DESTINATIONS, "a@down3.example", DOORWAY_PASS},
        {"accept", WHEN("accept"), "a@down3.example", DOORWAY_PASS},
        {"warn", WHEN("warn"), "a@down3.example", DOORWAY_WARN},
        {"tempfail", tempfail, "a@down3.example", DOORWAY_TEMPFAIL},
        {"enforce is the caller's business", "enforce = false; " WHEN("tempfail"),
         "a@down3.example", DOORWAY_TEMPFAIL},
        {"as on the wire", tempfail, "<@relay.example:a@Down3.Example.>", DOORWAY_TEMPFAIL},
        {"quoted", tempfail, "<\"a@b\"@down3.example>", DOORWAY_TEMPFAIL},
        {"another domain", tempfail, "a@b.example", DOORWAY_PASS},
        {"no domain", tempfail, "a", DOORWAY_PASS},
        {"nobody", tempfail, "", DOORWAY_PASS},
        {"no name that is one", tempfail, "<a@down3..example>", DOORWAY_PASS},
        {"a group", tempfail, "a@partner.example", DOORWAY_TEMPFAIL},
        {"a domain of the group", tempfail, "a@sub.partner.example", DOORWAY_TEMPFAIL},
        {"no cap", refuse, "a@down3.example", DOORWAY_PASS},
        {"as many as the cap", refuse, "a@partner.example", DOORWAY_REFUSE},
        {"the cap of unproven destinations is not for proven ones", unproven, "a@down3.example",
         DOORWAY_PASS},
    };
    struct destination four = down_with(4);
    struct destination three = down_with(3);
    struct doorway_down down;

    (void)state;
    know("d:down3.example", &three);
    know("g:partner", &four);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum doorway_answer got = ask(cases[i].settings, cases[i].recipient, &down);
        if (got != cases[i].want)
            fail_msg("%s: answer %d", cases[i].label, (int)got);
    }
}

static void what_counts_as_down(void **state)
{
    static const struct {
        const char *label;
        struct destination d;
        enum doorway_answer want;
    } cases[] = {
        {"held", DOWN, DOORWAY_TEMPFAIL},
        {"up", {.health = DESTINATION_UP, .retries = 13, .outage_start = 13}, DOORWAY_PASS},
        {"failing",
         {.health = DESTINATION_FAILING,
          .retries = 13,
          .outage_start = 10,
          .next = NOW + 5 * MINUTE},
         DOORWAY_PASS},
        {"being tried by a message in the queue",
         {.health = DESTINATION_TRYING,
          .retries = 13,
          .trying_since = NOW - MINUTE,
          .next = NOW + SECOND},
         DOORWAY_TEMPFAIL},
        {"nobody is left to try it: this message will",
         {.health = DESTINATION_TRYING, .retries = 13, .trying_since = NOW - MINUTE, .next = 0},
         DOORWAY_PASS},
        {"those who were to try it are gone",
         {.health = DESTINATION_TRYING,
          .retries = 13,
          .trying_since = NOW - 10 * MINUTE - SECOND,
          .next = NOW + SECOND},
         DOORWAY_PASS},
        {"trying it since the future",
         {.health = DESTINATION_TRYING,
          .retries = 13,
          .trying_since = NOW + 10 * MINUTE + SECOND,
          .next = NOW + SECOND},
         DOORWAY_PASS},
        {"the retry is late",
         {.health = DESTINATION_DOWN, .retries = 13, .next = NOW - 10 * MINUTE},
         DOORWAY_TEMPFAIL},
        {"the retry is long overdue",
         {.health = DESTINATION_DOWN, .retries = 13, .next = NOW - 10 * MINUTE - 1},
         DOORWAY_PASS},
        {"no retry is planned", {.health = DESTINATION_DOWN, .retries = 13}, DOORWAY_PASS},
        {"the clock was set back",
         {.health = DESTINATION_DOWN, .retries = 13, .next = NOW + 30 * MINUTE + 1},
         DOORWAY_PASS},
    };
    char name[64];
    struct doorway_down down;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(name, sizeof(name), "d:case%zu.example", i);
        know(name, &cases[i].d);
        snprintf(name, sizeof(name), "a@case%zu.example", i);
        if (ask(WHEN("tempfail"), name, &down) != cases[i].want)
            fail_msg("%s: not answered with %d", cases[i].label, (int)cases[i].want);
    }
}

/* The outage has to be as long as the policy tries: four retries. */
static void refused_over_the_cap(void **state)
{
    static const struct {
        const char *label;
        uint64_t failures;
        enum doorway_answer want;
    } cases[] = {{"none", 0, DOORWAY_PASS},
                 {"three", 3, DOORWAY_PASS},
                 {"four", 4, DOORWAY_REFUSE},
                 {"more", 400, DOORWAY_REFUSE}};
    struct doorway_down down;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct destination d = down_with(cases[i].failures);

        tear_down(NULL);
        set_up(NULL);
        know("g:partner", &d);
        if (ask(WHEN("refuse-over-cap"), "a@partner.example", &down) != cases[i].want)
            fail_msg("%s: not answered with %d", cases[i].label, (int)cases[i].want);
    }
}

static void what_is_told_of_it(void **state)
{
    struct destination d = down_with(4);
    struct destination trying = d;
    struct doorway_down down;

    (void)state;
    know("g:partner", &d);
    assert_int_equal(ask(WHEN("warn"), "<a@Sub.Partner.Example>", &down), DOORWAY_WARN);
    assert_string_equal(down.domain, "sub.partner.example");
    assert_string_equal(record_destination_title(&down.to), "partner");
    assert_int_equal(down.failures, 4);
    assert_int_equal(down.cap, 4);
    assert_int_equal(down.interval, 600);
    assert_int_equal(down.given_up, d.next + 3 * 10 * MINUTE);

    know("d:uncapped.example", &d);
    assert_int_equal(ask(WHEN("warn"), "a@uncapped.example", &down), DOORWAY_WARN);
    assert_int_equal(down.cap, 0);
    assert_int_equal(down.given_up, 0);

    trying.health = DESTINATION_TRYING;
    trying.trying_since = NOW - MINUTE;
    tear_down(NULL);
    set_up(NULL);
    know("g:partner", &trying);
    assert_int_equal(ask(WHEN("warn"), "a@partner.example", &down), DOORWAY_WARN);
    assert_int_equal(down.given_up, NOW - MINUTE + 3 * 10 * MINUTE);
}

/* --- Texts --- */

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG_LOCAL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void texts_of_addresses(void **state)
{
    static const struct {
        const char *label, *said, *recipient, *want;
    } cases[] = {
        {"as it was said", SAID "550 5.1.1 no such user" TO, "<no@b.example>",
         "<no@b.example>: mx.b.example said on 2026-11-24 13:12:00 +0000: 550 5.1.1 no such user"},
        {"Postfix names the recipient", SAID "550 5.1.1 no such user" TO, "",
         "mx.b.example said on 2026-11-24 13:12:00 +0000: 550 5.1.1 no such user"},
        {"not to be printed", SAID "550 \x1b[31mno\r\nsuch\tuser\x7f \xc3\xa9" TO, "no@b.example",
         "no@b.example: mx.b.example said on 2026-11-24 13:12:00 +0000: 550 ?[31mno??such?user? "
         "??"},
        {"no reply: the whole text", "unknown user: \"no\" 100%", "no@b.example",
         "no@b.example: mx.b.example said on 2026-11-24 13:12:00 +0000: unknown user: \"no\" "
         "100%"},
        {"a long address", SAID "550 no" TO, LONG_LOCAL "@" LONG_LOCAL ".example",
         "recipient: mx.b.example said on 2026-11-24 13:12:00 +0000: 550 no"},
        {"long words", SAID "550 " X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 TO, "",
         "mx.b.example said on 2026-11-24 13:12:00 +0000: 550 " X50 X50 X50 X50 X50 X50 X50
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bad_record bad = bad_record_of(cases[i].said, NOW, 0);
        char text[DOORWAY_TEXT_MAX];

        doorway_bad_text(&bad, slice_of(cases[i].recipient), text);
        if (strcmp(text, cases[i].want) != 0)
            fail_msg("%s:\n  is   %s\n  want %s", cases[i].label, text, cases[i].want);
    }
}

static struct doorway_down down_of(const char *domain, uint64_t failures, int64_t since)
{
    struct doorway_down down;

    memset(&down, 0, sizeof(down));
    snprintf(down.domain, sizeof(down.domain), "%s", domain);
    strcpy(down.to.error, REFUSED);
    down.to.d.since = since;
    down.policy = "partner";
    down.failures = failures;
    down.cap = 144;
    return down;
}

static void texts_of_destinations(void **state)
{
    static const struct {
        const char *label, *domain;
        uint64_t failures;
        int64_t lasted;
        enum doorway_answer answer;
        const char *want;
    } cases[] = {
        {"tempfail", "partner.example", 20, 192 * MINUTE, DOORWAY_TEMPFAIL,
         "partner.example cannot be reached since 2026-11-24 10:00:00 +0000 (3 h 12 min, "
         "20 attempts): please try again later"},
        {"warn", "partner.example", 1, 2 * MINUTE, DOORWAY_WARN,
         "partner.example cannot be reached since 2026-11-24 13:10:00 +0000 (2 min, 1 attempt)"},
        {"the clock was set back", "partner.example", 2, -MINUTE, DOORWAY_WARN,
         "partner.example cannot be reached since 2026-11-24 13:13:00 +0000 (0 s, 2 attempts)"},
        {"refuse", "partner.example", 150, 72 * MINUTE, DOORWAY_REFUSE,
         "partner.example could not be reached: 150 attempts since 2026-11-24 12:00:00 +0000 "
         "failed, and the policy \"partner\" of this mail system allows 144; last error: " REFUSED},
        {"UTF-8", "\xc3\xa9.example", 1, 2 * MINUTE, DOORWAY_WARN,
         "??.example cannot be reached since 2026-11-24 13:10:00 +0000 (2 min, 1 attempt)"},
        {"a long domain", LONG_LOCAL "." LONG_LOCAL ".example", 1, 2 * MINUTE, DOORWAY_WARN,
         "the recipient's domain cannot be reached since 2026-11-24 13:10:00 +0000 (2 min, "
         "1 attempt)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct doorway_down down =
            down_of(cases[i].domain, cases[i].failures, NOW - cases[i].lasted);
        char text[DOORWAY_TEXT_MAX];

        doorway_down_text(&down, cases[i].answer, NOW, text);
        if (strcmp(text, cases[i].want) != 0)
            fail_msg("%s:\n  is   %s\n  want %s", cases[i].label, text, cases[i].want);
    }
}

static void long_errors_are_cut(void **state)
{
    struct doorway_down down = down_of("partner.example", 144, NOW - HOUR);
    char policy[400];
    char text[DOORWAY_TEXT_MAX];

    (void)state;
    memset(policy, 'p', sizeof(policy) - 1);
    policy[sizeof(policy) - 1] = '\0';
    down.policy = policy;
    memset(down.to.error, '\n', sizeof(down.to.error) - 1);
    doorway_down_text(&down, DOORWAY_REFUSE, NOW, text);
    assert_int_equal(strlen(text), DOORWAY_TEXT_MAX - 1);
    assert_null(strchr(text, '\n'));
}

static void per_cents_are_doubled(void **state)
{
    char text[DOORWAY_TEXT_MAX];
    char doubled[DOORWAY_DOUBLED_MAX];

    (void)state;
    doorway_double("100% %s", doubled);
    assert_string_equal(doubled, "100%% %%s");
    doorway_double("", doubled);
    assert_string_equal(doubled, "");
    memset(text, '%', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    doorway_double(text, doubled);
    assert_int_equal(strlen(doubled), 2 * (DOORWAY_TEXT_MAX - 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(addresses),
        TEST(what_is_asked_for),
        TEST(what_counts_as_down),
        TEST(refused_over_the_cap),
        TEST(what_is_told_of_it),
        cmocka_unit_test(texts_of_addresses),
        cmocka_unit_test(texts_of_destinations),
        cmocka_unit_test(long_errors_are_cut),
        cmocka_unit_test(per_cents_are_doubled),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
