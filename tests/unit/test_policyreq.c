/* The policy service's decisions: requests, answers, and the transactions it remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fixture.h"
#include "policyreq.h"

enum { MOST = 3, LIFETIME = 1000 };

static const char RULES[] = "recipient_limits = { inbound = ( "
                            "{ limit = 2; networks = (\"192.0.2.0/24\"); }, "
                            "{ limit = 1; logins = (\"ann\"); action = \"reject\"; } ); };";

#define CLOCK INT64_C(1795525920000) /* 2026-11-24 13:12:00 UTC */

static void expect_of(const char *label, struct slice text, struct policyreq_service *service,
                      int64_t now, const char *want)
{
    /* Exactly so long: a byte read beyond it is found by the sanitizer. */
    char *copy = malloc(text.len + 1);
    char action[POLICYREQ_ACTION_MAX];

    assert_non_null(copy);
    memcpy(copy, text.at, text.len);
    copy = realloc(copy, text.len ? text.len : 1);
    policyreq_answer(service, (struct slice){copy, text.len}, now, CLOCK, action);
    free(copy);
    if (strncmp(action, want, strlen(want)) != 0)
        fail_msg("%s: %s", label, action);
}

/* Of a service that knows nothing of recipients. */
static void expect(const char *label, struct slice text, struct instances *instances,
                   const struct config *config, int64_t now, const char *want)
{
    struct policyreq_service service = {.config = config, .instances = instances};

    expect_of(label, text, &service, now, want);
}

/* Each is asked three times: only one that is counted gets another answer than DUNNO. */

#define HEAD "request=smtpd_access_policy\nprotocol_state=RCPT\n"
#define CLIENT "client_address=192.0.2.7\n"
#define RCPT "recipient=r@b.example\n"
#define INSTANCE "instance=12.3.4.0\n"
#define LONG                                                                                       \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char BY_TRANSACTION[] =
    "452 4.5.3 Too many recipients: 2 are allowed in one transaction; send the rest in another";

static const struct {
    const char *label;
    const char *text;
    const char *third; /* the answer to the third; 550 is the answer to the second already */
} requests[] = {
    {"complete", HEAD CLIENT "sender=s@a.example\n" RCPT INSTANCE "recipient_count=0\n",
     BY_TRANSACTION},
    {"attributes in another order", INSTANCE RCPT CLIENT HEAD, BY_TRANSACTION},
    {"unknown attributes", "a=\nb=c=d\n" HEAD CLIENT RCPT INSTANCE, BY_TRANSACTION},
    {"equals sign in a value", HEAD CLIENT "recipient=r=x@b.example\n" INSTANCE, BY_TRANSACTION},
    {"IPv4-mapped client", HEAD "client_address=::ffff:192.0.2.7\n" RCPT INSTANCE, BY_TRANSACTION},
    {"login, 550", HEAD "client_address=::1\nsasl_username=ann\n" RCPT INSTANCE,
     "550 5.5.3 Too many recipients: 1 is allowed in one message"},
    {"no rule for it", HEAD "client_address=::1\n" RCPT INSTANCE, "DUNNO"},
    {"client unknown", HEAD "client_address=unknown\n" RCPT INSTANCE, "DUNNO"},
    {"VRFY", "request=smtpd_access_policy\nprotocol_state=VRFY\n" CLIENT RCPT INSTANCE, "DUNNO"},
    {"DATA", "request=smtpd_access_policy\nprotocol_state=DATA\n" CLIENT RCPT INSTANCE, "DUNNO"},
    {"no state", "request=smtpd_access_policy\n" CLIENT RCPT INSTANCE, "DUNNO"},
    {"no request type", "protocol_state=RCPT\n" CLIENT RCPT INSTANCE, "DUNNO"},
    {"another request type", "request=x\nprotocol_state=RCPT\n" CLIENT RCPT INSTANCE, "DUNNO"},
    {"no instance", HEAD CLIENT RCPT, "DUNNO"},
    {"empty instance", HEAD CLIENT RCPT "instance=\n", "DUNNO"},
    {"longest instance", HEAD CLIENT RCPT "instance=" LONG "\n", BY_TRANSACTION},
    {"instance too long", HEAD CLIENT RCPT "instance=" LONG "x\n", "DUNNO"},
    {"no recipient", HEAD CLIENT INSTANCE, "DUNNO"},
    {"empty recipient", HEAD CLIENT "recipient=\n" INSTANCE, "DUNNO"},
    {"attribute twice", HEAD CLIENT RCPT RCPT INSTANCE, "DUNNO"},
    {"empty attribute twice", HEAD CLIENT "sender=\nsender=\n" RCPT INSTANCE, "DUNNO"},
    {"line without equals sign", HEAD CLIENT "what\n" RCPT INSTANCE, "DUNNO"},
    {"line without a name", HEAD CLIENT "=what\n" RCPT INSTANCE, "DUNNO"},
    {"empty line within", HEAD CLIENT "\n" RCPT INSTANCE, "DUNNO"},
    {"no line break at the end", HEAD CLIENT RCPT "instance=12.3.4.0", "DUNNO"},
    {"nothing", "", "DUNNO"},
    {"another protocol", "EHLO client.example\r\n", "DUNNO"},
};

static void requests_are_answered(void **state)
{
    struct config *config = fixture_config(RULES);

    (void)state;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        struct instances *instances = instances_new(MOST, LIFETIME);
        for (int n = 0; n < 3; n++)
            expect(requests[i].label, slice_of(requests[i].text), instances, config, 0,
                   n < (requests[i].third[0] == '5' ? 1 : 2) ? "DUNNO" : requests[i].third);
        instances_free(&instances);
    }
    config_free(&config);
}

static void a_nul_is_not_understood(void **state)
{
    static const char text[] = HEAD CLIENT "recipient=r\0@b.example\n" INSTANCE;
    struct config *config = fixture_config(RULES);
    struct instances *instances = instances_new(MOST, LIFETIME);

    (void)state;
    for (int n = 0; n < 4; n++)
        expect("NUL", (struct slice){text, sizeof(text) - 1}, instances, config, 0, "DUNNO");
    assert_int_equal(instances_count(instances), 0);
    instances_free(&instances);
    config_free(&config);
}

/*
 * Steps of transactions named by a letter: a RCPT in it, an END-OF-MESSAGE ("."), so many ms that
 * pass ("+"), or a new configuration ("!"). A capital letter is a RCPT that is to be refused.
 */
static const struct {
    const char *label;
    const char *steps;
} histories[] = {
    {"transactions count for themselves", "aba b A BccC"},
    {"the end of a message", "aaA .a aaA"},
    {"another one's end", "aaA b .b A"},
    {"forgotten when not asked for in its time", "aaA + aaA"},
    {"asking keeps it", "a - a - A - A"},
    {"too many: the one not asked for the longest is forgotten", "aa bb cc A dd A C D bb B"},
    {"a new configuration", "aaA bb ! aaA bbB"},
};

static void step(const char *label, char what, char name, struct instances *instances,
                 const struct config *config, int64_t now)
{
    char text[512];
    int len =
        snprintf(text, sizeof(text),
                 "request=smtpd_access_policy\nprotocol_state=%s\n" CLIENT RCPT "instance=%c\n",
                 what == '.' ? "END-OF-MESSAGE" : "RCPT", name | 0x20);

    expect(label, (struct slice){text, (size_t)len}, instances, config, now,
           what != '.' && name < 'a' ? "452 4.5.3" : "DUNNO");
}

static void transactions_are_remembered(void **state)
{
    struct config *config = fixture_config(RULES);

    (void)state;
    for (size_t i = 0; i < sizeof(histories) / sizeof(histories[0]); i++) {
        struct instances *instances = instances_new(MOST, LIFETIME);
        int64_t now = 5000;
        for (const char *at = histories[i].steps; *at; at++) {
            if (*at == '+')
                now += LIFETIME;
            else if (*at == '-')
                now += LIFETIME - 1;
            else if (*at == '!')
                instances_clear(instances);
            else if (*at == '.')
                at++, step(histories[i].label, '.', *at, instances, config, now);
            else if (*at != ' ')
                step(histories[i].label, 'r', *at, instances, config, now);
            assert_uint_in_range(instances_count(instances), 0, MOST);
        }
        instances_free(&instances);
    }
    config_free(&config);
}

/* Transactions that no rule is for take no place. */
static void the_unlimited_are_not_remembered(void **state)
{
    struct config *config = fixture_config(RULES);
    struct instances *instances = instances_new(MOST, LIFETIME);

    (void)state;
    expect("limited", slice_of(HEAD CLIENT RCPT INSTANCE), instances, config, 0, "DUNNO");
    assert_int_equal(instances_count(instances), 1);
    expect("unlimited", slice_of(HEAD "client_address=::1\n" RCPT "instance=x\n"), instances,
           config, 0, "DUNNO");
    assert_int_equal(instances_count(instances), 1);
    instances_free(&instances);
    assert_null(instances);
    config_free(&config);
}

static void observing_refuses_nobody(void **state)
{
    struct config *config = fixture_config("enforce = false; recipient_limits = { inbound = ( "
                                           "{ limit = 1; } ); };");
    struct instances *instances = instances_new(MOST, LIFETIME);

    (void)state;
    for (int n = 0; n < 4; n++)
        expect("observing", slice_of(HEAD CLIENT RCPT INSTANCE), instances, config, 0, "DUNNO");
    instances_free(&instances);
    config_free(&config);
}

/* --- With a state --- */

enum { HOUR = 3600 * 1000, MINUTE = 60 * 1000 };

static struct {
    char folder[64];
    struct store *store;
    bool unreliable; /* the daemon has not read the log to its end */
    bool chosen;     /* what is answered to who asks whether to try an address */
    int asked;
} posternd;

static struct store *state_of(void *context)
{
    assert_ptr_equal(context, &posternd);
    return posternd.unreliable ? NULL : posternd.store;
}

/* It writes, so nobody may be reading. */
static bool may_test(void *context, struct slice recipient)
{
    assert_ptr_equal(context, &posternd);
    assert_true(slice_equals(recipient, "old@b.example"));
    posternd.asked++;
    assert_true(store_begin(posternd.store));
    assert_true(store_commit(posternd.store));
    return posternd.chosen;
}

static const struct policyreq_hooks hooks = {state_of, may_test, &posternd};

static void know_bad(const char *address, int64_t age)
{
    struct bad_record r;

    memset(&r, 0, sizeof(r));
    r.b = (struct bad){.learned = CLOCK - age, .destination = 1, .times = 1};
    strcpy(r.host, "mx.b.example");
    strcpy(r.text, "host mx.b.example[192.0.2.9] said: 550 5.1.1 no such user (in reply to RCPT TO "
                   "command)");
    record_save_bad(posternd.store, slice_of(address), NULL, &r);
}

static void know_down(const char *name, uint64_t failures)
{
    struct destination_record r;

    memset(&r, 0, sizeof(r));
    r.d = (struct destination){.health = DESTINATION_DOWN,
                               .proven = true,
                               .retries = failures,
                               .since = CLOCK - HOUR,
                               .next = CLOCK + MINUTE};
    snprintf(r.name, sizeof(r.name), "%s", name);
    strcpy(r.error, "connect to mx.d.example[192.0.2.1]:25: Connection refused");
    record_create_destination(posternd.store, &r);
}

static int set_up(void **state)
{
    char error[512];

    (void)state;
    memset(&posternd, 0, sizeof(posternd));
    strcpy(posternd.folder, "/tmp/test_policyreq.XXXXXX");
    if (mkdtemp(posternd.folder) == NULL)
        return -1;
    posternd.store = store_open(posternd.folder, true, (gid_t)-1, error, sizeof(error));
    if (posternd.store == NULL || !store_begin(posternd.store))
        return -1;
    know_bad("no@b.example", HOUR);
    know_bad("old@b.example", 13 * HOUR);
    know_bad("no@d.example", HOUR);
    know_bad("old@d.example", 13 * HOUR);
    know_down("d:d.example", 3);
    return store_commit(posternd.store) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    store_close(&posternd.store);
    snprintf(command, sizeof(command), "rm -r %s", posternd.folder);
    return system(command);
}

static struct policyreq_service open_service(const char *settings)
{
    return (struct policyreq_service){.config = fixture_config(settings),
                                      .instances = instances_new(MOST, LIFETIME),
                                      .hooks = hooks};
}

static void close_service(struct policyreq_service *service)
{
    instances_free(&service->instances);
    config_free((struct config **)(uintptr_t)&service->config);
}

static void ask(const char *label, const char *recipient, struct policyreq_service *service,
                int64_t now, const char *want)
{
    char text[1024];

    snprintf(text, sizeof(text), HEAD CLIENT "recipient=%s\n" INSTANCE, recipient);
    expect_of(label, slice_of(text), service, now, want);
}

#define EARLY "early_ndr = { mode = \"refuse\"; lifetime = 86400; }; "
#define WHEN(what)                                                                                 \
    EARLY "retry = { max_open_retries = 3; }; milters = { retrycap = { when_down = \"" what        \
          "\"; }; }; "
#define BAD "550 5.1.1 mx.b.example said on 2026-11-24 12:12:00 +0000: 550 5.1.1 no such user"
#define REFUSE                                                                                     \
    "550 5.4.7 d.example could not be reached: 3 attempts since 2026-11-24 12:12:00 +0000 "        \
    "failed, and the policy \"retry\" of this mail system allows 3; last error: connect to "       \
    "mx.d.example[192.0.2.1]:25: Connection refused"
#define TEMPFAIL                                                                                   \
    "DEFER_IF_PERMIT 4.4.1 d.example cannot be reached since 2026-11-24 12:12:00 +0000 (1 h, "     \
    "3 attempts): please try again later"

static void what_is_known_of_recipients(void **state)
{
    static const struct {
        const char *label, *settings, *recipient, *want;
    } cases[] = {
        {"known to be bad", WHEN("accept"), "no@b.example", BAD},
        {"in another case", WHEN("accept"), "no@B.Example", BAD},
        {"off", "early_ndr = { mode = \"off\"; };", "no@b.example", "DUNNO"},
        {"observing", "enforce = false; " WHEN("tempfail"), "no@b.example", "DUNNO"},
        {"another", WHEN("accept"), "yes@b.example", "DUNNO"},
        {"down: accept", WHEN("accept"), "a@d.example", "DUNNO"},
        {"down: warn", WHEN("warn"), "a@d.example", "DUNNO"},
        {"down: tempfail", WHEN("tempfail"), "a@d.example", TEMPFAIL},
        {"down: refuse", WHEN("refuse-over-cap"), "a@d.example", REFUSE},
        {"down, and observing", "enforce = false; " WHEN("tempfail"), "a@d.example", "DUNNO"},
        {"down, and known to be bad", WHEN("tempfail"), "no@d.example", "550 5.1.1 "},
        {"down: nobody tries an old address", WHEN("tempfail"), "old@d.example", TEMPFAIL},
        {"up", WHEN("tempfail"), "a@u.example", "DUNNO"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policyreq_service service = open_service(cases[i].settings);

        ask(cases[i].label, cases[i].recipient, &service, 0, cases[i].want);
        close_service(&service);
    }
    assert_int_equal(posternd.asked, 0);
}

static void in_doubt_nothing_is_against_it(void **state)
{
    struct policyreq_service service = open_service(WHEN("tempfail"));

    (void)state;
    posternd.unreliable = true;
    ask("behind the log", "no@b.example", &service, 0, "DUNNO");
    ask("behind the log", "a@d.example", &service, 0, "DUNNO");
    posternd.unreliable = false;
    assert_true(store_begin(posternd.store));
    ask("the state is being written", "no@b.example", &service, 0, "DUNNO");
    store_abort(posternd.store);
    ask("again", "no@b.example", &service, 0, BAD);
    close_service(&service);
}

/* Asking is costly, so it is done now and then only. */
static void one_message_tries_an_old_address(void **state)
{
    struct policyreq_service service = open_service(EARLY);

    (void)state;
    posternd.chosen = true;
    ask("may", "old@b.example", &service, 1000, "DUNNO");
    assert_int_equal(posternd.asked, 1);
    ask("too soon", "old@b.example", &service, 1049, "550 5.1.1 ");
    assert_int_equal(posternd.asked, 1);
    posternd.chosen = false;
    ask("may not", "old@b.example", &service, 1050, "550 5.1.1 ");
    assert_int_equal(posternd.asked, 2);
    service.hooks.may_test = NULL;
    ask("nobody to ask", "old@b.example", &service, 2000, "DUNNO");
    close_service(&service);
    service = open_service("enforce = false; " EARLY);
    ask("observing", "old@b.example", &service, 3000, "DUNNO");
    assert_int_equal(posternd.asked, 2);
    close_service(&service);
}

static void the_refused_do_not_count(void **state)
{
    struct policyreq_service service =
        open_service(WHEN("tempfail") "recipient_limits = { inbound = ( { limit = 2; } ); };");

    (void)state;
    ask("first", "a@c.example", &service, 0, "DUNNO");
    ask("bad", "no@b.example", &service, 0, BAD);
    ask("down", "a@d.example", &service, 0, TEMPFAIL);
    ask("second", "b@c.example", &service, 0, "DUNNO");
    ask("third", "c@c.example", &service, 0, "452 4.5.3 ");
    ask("what is known is said first", "no@b.example", &service, 0, BAD);
    close_service(&service);
}

/* Postfix puts the recipient in front: all of it is one line of at most 512 bytes. */
static void replies_are_lines(void **state)
{
    static const char front[] = "450 4.4.1 <>: Recipient address rejected: \r\n";
    struct policyreq_service service = open_service(EARLY);
    char text[1024];
    struct bad_record r;

    (void)state;
    for (size_t len = 20; len < 380; len += 40) {
        char address[400];
        char action[POLICYREQ_ACTION_MAX];

        memset(&r, 0, sizeof(r));
        r.b = (struct bad){.learned = CLOCK - HOUR, .destination = 1, .times = 1};
        memset(r.text, 'x', sizeof(r.text) - 1);
        memset(address, 'a', len);
        strcpy(address + len - 10, "@b.example");
        assert_true(store_begin(posternd.store));
        record_save_bad(posternd.store, slice_of(address), NULL, &r);
        assert_true(store_commit(posternd.store));
        snprintf(text, sizeof(text), HEAD CLIENT "recipient=%s\n" INSTANCE, address);
        policyreq_answer(&service, slice_of(text), 0, CLOCK, action);
        assert_true(strncmp(action, "550 5.1.1 ", 10) == 0);
        assert_uint_in_range(strlen(action) - 10, 100, 480);
        if (len <= 340)
            assert_uint_in_range(strlen(action) - 10 + strlen(front) + len, 400, 512);
    }
    close_service(&service);
}

#define WITH_STATE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(a_nul_is_not_understood),
        cmocka_unit_test(transactions_are_remembered),
        cmocka_unit_test(the_unlimited_are_not_remembered),
        cmocka_unit_test(observing_refuses_nobody),
        WITH_STATE(what_is_known_of_recipients),
        WITH_STATE(in_doubt_nothing_is_against_it),
        WITH_STATE(one_message_tries_an_old_address),
        WITH_STATE(the_refused_do_not_count),
        WITH_STATE(replies_are_lines),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
