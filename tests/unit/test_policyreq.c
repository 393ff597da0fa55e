/* The policy service's decisions: requests, answers, and the transactions it remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "policyreq.h"

enum { MOST = 3, LIFETIME = 1000 };

static const char RULES[] = "recipient_limits = { inbound = ( "
                            "{ limit = 2; networks = (\"192.0.2.0/24\"); }, "
                            "{ limit = 1; logins = (\"ann\"); action = \"reject\"; } ); };";

static struct config *configure(const char *text)
{
    char path[] = "/tmp/test_policyreq.XXXXXX";
    char error[1024];
    int fd = mkstemp(path);
    struct config *config;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    config = config_load(path, error, sizeof(error));
    unlink(path);
    if (config == NULL)
        fail_msg("%s", error);
    return config;
}

static void expect(const char *label, struct slice text, struct instances *instances,
                   const struct config *config, int64_t now, const char *want)
{
    /* Exactly so long: a byte read beyond it is found by the sanitizer. */
    char *copy = malloc(text.len + 1);
    char action[POLICYREQ_ACTION_MAX];

    assert_non_null(copy);
    memcpy(copy, text.at, text.len);
    copy = realloc(copy, text.len ? text.len : 1);
    policyreq_answer((struct slice){copy, text.len}, instances, config, now, action);
    free(copy);
    if (strncmp(action, want, strlen(want)) != 0)
        fail_msg("%s: %s", label, action);
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
    struct config *config = configure(RULES);

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
    struct config *config = configure(RULES);
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
    struct config *config = configure(RULES);

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
            assert_in_range(instances_count(instances), 0, MOST);
        }
        instances_free(&instances);
    }
    config_free(&config);
}

/* Transactions that no rule is for take no place. */
static void the_unlimited_are_not_remembered(void **state)
{
    struct config *config = configure(RULES);
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
    struct config *config = configure("enforce = false; recipient_limits = { inbound = ( "
                                      "{ limit = 1; } ); };");
    struct instances *instances = instances_new(MOST, LIFETIME);

    (void)state;
    for (int n = 0; n < 4; n++)
        expect("observing", slice_of(HEAD CLIENT RCPT INSTANCE), instances, config, 0, "DUNNO");
    instances_free(&instances);
    config_free(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(a_nul_is_not_understood),
        cmocka_unit_test(transactions_are_remembered),
        cmocka_unit_test(the_unlimited_are_not_remembered),
        cmocka_unit_test(observing_refuses_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
