/* Every answer of the gate, and its words: they stand in the log, in mailq and in the NDR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate.h"
#include "route.h"

static const int64_t begin = INT64_C(1795420800000); /* 2026-11-23 08:00:00 UTC */

#define REFUSED "connect to mx.partner.example[192.0.2.1]:25: Connection refused"
#define FULL "host mx.partner.example[192.0.2.1] said: 452 4.2.2 mailbox full"

static const struct retry_policy policy = {.max_open_retries = 4,
                                           .open_interval = 3,
                                           .max_transfer_retries = 2,
                                           .transfer_interval = 120,
                                           .hold_after = 2};

/* A group that refused four times, and its message over the cap. */
struct case_of {
    struct destination_record to;
    struct recipient r;
    struct gate_question q;
};

static void make(struct case_of *c)
{
    memset(c, 0, sizeof(*c));
    strcpy(c->to.name, "g:partner");
    strcpy(c->to.error, REFUSED);
    c->to.d = (struct destination){.id = 1,
                                   .health = DESTINATION_DOWN,
                                   .retries = 14,
                                   .outage_start = 10,
                                   .since = begin,
                                   .last_counted = begin + 9000,
                                   .next = begin + 12000};
    c->r = (struct recipient){.destination = 1,
                              .waiting = true,
                              .baseline = 10,
                              .first_failure = begin,
                              .give_up = GIVE_UP_OPEN};
    c->q = (struct gate_question){.sender = slice_of("sender@us.example"),
                                  .recipient = slice_of("a@Partner.example"),
                                  .enforce = true,
                                  .running = true,
                                  .to = &c->to,
                                  .r = &c->r,
                                  .rules = {.policy = &policy, .cap = 4, .name = "partner"},
                                  .last_error = REFUSED,
                                  .now = begin + 9200};
}

static void expect(const char *label, const struct case_of *c, enum gate_answer answer,
                   const char *text)
{
    char got[GATE_TEXT_MAX];
    enum gate_answer given = gate_decide(&c->q, got);

    if (given != answer)
        fail_msg("%s: answer %d: %s", label, (int)given, got);
    if (strcmp(got, text) != 0)
        fail_msg("%s:\n  is   %s\n  want %s", label, got, text);
}

static void over_the_open_cap(void **state)
{
    static const struct retry_policy long_ago = {.max_open_retries = 144, .open_interval = 600};
    struct case_of c;

    (void)state;
    make(&c);
    expect(
        "four in nine seconds", &c, GATE_GIVEN_UP,
        "5.4.7 Your message was not delivered. The mail server for partner.example could not be "
        "reached: 4 attempts in 9 seconds failed, and the policy \"partner\" of this mail system "
        "allows 4 attempts, one every 3 seconds. First attempt: 2026-11-23 08:00:00 +0000. Last "
        "error: " REFUSED);

    make(&c);
    c.to.d.retries = 11;
    c.to.d.last_counted = begin;
    c.q.rules.cap = 1;
    expect("one", &c, GATE_GIVEN_UP,
           "5.4.7 Your message was not delivered. The mail server for partner.example could not be "
           "reached: 1 attempt failed, and the policy \"partner\" of this mail system allows 1 "
           "attempt. "
           "First attempt: 2026-11-23 08:00:00 +0000. Last error: " REFUSED);

    make(&c);
    strcpy(c.to.name, "d:typo.example");
    c.q.recipient = slice_of("a@typo.example");
    c.to.d.retries = 154;
    c.to.d.last_counted = begin + (int64_t)143 * 600 * 1000;
    c.q.rules = (struct rules){.policy = &long_ago, .cap = 144, .name = "retry"};
    c.to.d.next = c.to.d.last_counted + 600 * 1000;
    c.q.now = c.to.d.last_counted;
    expect("a day", &c, GATE_GIVEN_UP,
           "5.4.7 Your message was not delivered. The mail server for typo.example could not be "
           "reached: 144 attempts in 23 hours 50 minutes failed, and the policy \"retry\" of this "
           "mail system allows 144 attempts, one every 10 minutes. First attempt: 2026-11-23 "
           "08:00:00 +0000. "
           "Last error: " REFUSED);
}

/* A retry under way changes nothing: what was decided is decided until the destination opens. */
static void over_the_open_cap_during_a_retry(void **state)
{
    struct case_of c;
    char text[GATE_TEXT_MAX];

    (void)state;
    make(&c);
    c.to.d.health = DESTINATION_TRYING;
    assert_int_equal(gate_decide(&c.q, text), GATE_GIVEN_UP);
    c.to.d.health = DESTINATION_FAILING;
    assert_int_equal(gate_decide(&c.q, text), GATE_GIVEN_UP);
}

static void over_the_transfer_cap(void **state)
{
    struct retry_policy own_schedule = policy;
    struct case_of c;

    (void)state;
    make(&c);
    c.to.d = (struct destination){.id = 1, .health = DESTINATION_UP, .proven = true};
    c.r.waiting = false;
    c.r.give_up = GIVE_UP_TRANSFER;
    c.r.transfers = 2;
    c.r.last_transfer = begin + 120000;
    c.q.last_error = FULL;
    expect("two in two minutes", &c, GATE_GIVEN_UP,
           "5.4.7 Your message was not delivered. The mail server for partner.example was reached "
           "but did not take the message: 2 attempts in 2 minutes failed, and the policy "
           "\"partner\" of this mail system allows 2 attempts, one every 2 minutes. First attempt: "
           "2026-11-23 08:00:00 +0000. Last error: " FULL);
    own_schedule.transfer_interval = 0;
    c.q.rules.policy = &own_schedule;
    expect("at Postfix's own pace", &c, GATE_GIVEN_UP,
           "5.4.7 Your message was not delivered. The mail server for partner.example was reached "
           "but did not take the message: 2 attempts in 2 minutes failed, and the policy "
           "\"partner\" of this mail system allows 2 attempts. First attempt: 2026-11-23 08:00:00 "
           "+0000. "
           "Last error: " FULL);
}

#define HELD                                                                                       \
    "4.4.1 Held: no connection to partner since 2026-11-23 08:00:00 +0000, 4 failed attempts; "
#define LAST "Last error: " REFUSED

static void not_yet(void **state)
{
    struct case_of c;

    (void)state;
    make(&c);
    c.r.give_up = GIVE_UP_NOT;
    expect("its count is not full", &c, GATE_NOT_YET,
           HELD "one attempt every 3 seconds (policy \"partner\": gives up after 4). " LAST);
    c.q.r = NULL;
    expect("seen for the first time", &c, GATE_NOT_YET,
           HELD "one attempt every 3 seconds (policy \"partner\": gives up after 4). " LAST);
    c.q.rules.cap = 0;
    expect("no cap", &c, GATE_NOT_YET,
           HELD "one attempt every 3 seconds (policy \"partner\": no cap). " LAST);
    c.to.d.retries = 11;
    expect(
        "the first", &c, GATE_NOT_YET,
        "4.4.1 Held: no connection to partner since 2026-11-23 08:00:00 +0000, 1 failed attempt; "
        "one attempt every 3 seconds (policy \"partner\": no cap). " LAST);
    c.to.d.retries = 14;
    c.to.d.health = DESTINATION_TRYING;
    expect("resolved before the hold was withdrawn", &c, GATE_NOT_YET,
           HELD "one attempt every 3 seconds (policy \"partner\": no cap). " LAST);
    c.to.d.health = DESTINATION_UP;
    expect("it is back", &c, GATE_NOT_YET,
           "4.4.1 Mail for partner goes out again: an attempt follows at once");
    c.q.to = NULL;
    expect("nobody knows it", &c, GATE_NOT_YET,
           "4.4.1 Nothing is known about this destination yet");
}

/* What was decided is undone by a higher cap, by none, by an end of the outage, by a new outage. */
static void a_decision_that_does_not_stand_any_more(void **state)
{
    static const struct {
        const char *label;
        uint32_t cap;
        enum destination_health health;
        uint64_t outage_start;
        enum gate_answer want;
    } cases[] = {
        {"it stands", 4, DESTINATION_DOWN, 10, GATE_GIVEN_UP},
        {"lowered cap", 3, DESTINATION_DOWN, 10, GATE_GIVEN_UP},
        {"raised cap", 5, DESTINATION_DOWN, 10, GATE_NOT_YET},
        {"no cap any more", 0, DESTINATION_DOWN, 10, GATE_NOT_YET},
        {"it is back", 4, DESTINATION_UP, 10, GATE_NOT_YET},
        {"another outage", 4, DESTINATION_DOWN, 11, GATE_NOT_YET},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[GATE_TEXT_MAX];
        struct case_of c;
        make(&c);
        c.q.rules.cap = cases[i].cap;
        c.to.d.health = cases[i].health;
        c.to.d.outage_start = cases[i].outage_start;
        if (gate_decide(&c.q, text) != cases[i].want)
            fail_msg("%s: %s", cases[i].label, text);
    }
}

#define LET_GO " and lets this message go: the next attempt is an ordinary one"

/* Nobody would ever let it go again: so the gate does, even one that is over its cap. */
static void mail_that_nobody_watches_over(void **state)
{
    struct case_of c;
    char text[GATE_TEXT_MAX];

    (void)state;
    make(&c);
    c.q.running = false;
    expect("posternd is gone", &c, GATE_LET_GO, "4.3.0 Postern is not running" LET_GO);
    c.q.to = NULL;
    c.q.r = NULL;
    expect("and the state too", &c, GATE_LET_GO, "4.3.0 Postern is not running" LET_GO);
    make(&c);
    c.q.enforce = false;
    expect("observing only", &c, GATE_LET_GO, "4.3.0 Postern is switched off" LET_GO);
    make(&c);
    c.q.now = c.to.d.next + 600 * 1000;
    assert_int_equal(gate_decide(&c.q, text), GATE_GIVEN_UP);
    c.q.now++;
    assert_int_equal(gate_decide(&c.q, text), GATE_LET_GO);
}

static void the_nudge_is_taken_from_nobody_only(void **state)
{
    static const struct {
        const char *label;
        const char *sender;
        const char *recipient;
        bool running;
        enum gate_answer want;
    } cases[] = {
        {"as pipe(8) writes it", "MAILER-DAEMON", GATE_NUDGE_ADDRESS, true, GATE_TAKEN},
        {"with an empty null_sender", "", GATE_NUDGE_ADDRESS, true, GATE_TAKEN},
        {"posternd ended meanwhile", "", GATE_NUDGE_ADDRESS, false, GATE_TAKEN},
        {"from somebody", "a@us.example", GATE_NUDGE_ADDRESS, true, GATE_NOT_YET},
        {"to another address", "", "a@postern.invalid", true, GATE_NOT_YET},
        {"to another domain", "", "postern-nudge@postern.invalid.example", true, GATE_NOT_YET},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[GATE_TEXT_MAX] = "x";
        struct case_of c;
        make(&c);
        c.q.sender = slice_of(cases[i].sender);
        c.q.recipient = slice_of(cases[i].recipient);
        c.q.running = cases[i].running;
        c.q.to = NULL;
        c.q.r = NULL;
        if (gate_decide(&c.q, text) != cases[i].want)
            fail_msg("%s: %s", cases[i].label, text);
        if (cases[i].want == GATE_TAKEN)
            assert_string_equal(text, "");
    }
}

/* Every text is one that pipe(8) takes the status from, however long a stranger's words are. */
static void the_longest_words_fit(void **state)
{
    char error[RECORD_TEXT_MAX];
    char address[ROUTE_KEY_MAX];
    char text[GATE_TEXT_MAX];
    struct case_of c;

    (void)state;
    memset(error, 'e', sizeof(error) - 1);
    error[sizeof(error) - 1] = '\0';
    memset(address, 'd', sizeof(address));
    memcpy(address, "a@", 2);
    for (size_t i = 62; i < 257; i += 63)
        address[i] = '.';
    make(&c);
    memcpy(c.to.error, error, sizeof(error));
    c.q.last_error = error;
    c.q.recipient = (struct slice){address, 2 + 255};
    assert_int_equal(gate_decide(&c.q, text), GATE_GIVEN_UP);
    assert_true(strncmp(text, "5.4.7 ", 6) == 0);
    assert_string_equal(text + strlen(text) - strlen(error), error);
    c.r.give_up = GIVE_UP_NOT;
    assert_int_equal(gate_decide(&c.q, text), GATE_NOT_YET);
    assert_string_equal(text + strlen(text) - strlen(error), error);
}

/* An address without a domain of its own: the destination is named instead. */
static void an_address_without_a_domain(void **state)
{
    char text[GATE_TEXT_MAX];
    struct case_of c;

    (void)state;
    make(&c);
    c.q.recipient = slice_of("a");
    assert_int_equal(gate_decide(&c.q, text), GATE_GIVEN_UP);
    assert_non_null(strstr(text, "The mail server for partner could not be reached"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_the_open_cap),
        cmocka_unit_test(over_the_open_cap_during_a_retry),
        cmocka_unit_test(over_the_transfer_cap),
        cmocka_unit_test(not_yet),
        cmocka_unit_test(a_decision_that_does_not_stand_any_more),
        cmocka_unit_test(mail_that_nobody_watches_over),
        cmocka_unit_test(the_nudge_is_taken_from_nobody_only),
        cmocka_unit_test(the_longest_words_fit),
        cmocka_unit_test(an_address_without_a_domain),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
