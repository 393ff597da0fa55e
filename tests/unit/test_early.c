/* Who tells the sender of a bounced recipient, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "early.h"

static const int64_t T0 = INT64_C(1795420800000);

static void when_it_is_due(void **state)
{
    static const struct {
        const char *label;
        uint32_t after;
        int64_t want;
    } cases[] = {
        {"at once", 0, 0},
        {"10 s", 10, 10000},
        {"the longest: no overflow", UINT32_MAX, (int64_t)UINT32_MAX * 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (early_due(T0, cases[i].after) != T0 + cases[i].want)
            fail_msg("%s: %lld", cases[i].label, (long long)(early_due(T0, cases[i].after) - T0));
}

/* From the parameters as a client gives them (RFC 3461 section 4.1). */
static void who_wants_a_report(void **state)
{
    static const struct {
        const char *label, *sender, *notify;
        bool want;
    } cases[] = {
        {"no NOTIFY", "<s@a.example>", NULL, true},
        {"FAILURE", "<s@a.example>", "NOTIFY=FAILURE", true},
        {"all", "<s@a.example>", "NOTIFY=SUCCESS,FAILURE,DELAY", true},
        {"NEVER", "<s@a.example>", "NOTIFY=NEVER", false},
        {"SUCCESS", "<s@a.example>", "NOTIFY=SUCCESS", false},
        {"DELAY", "<s@a.example>", "NOTIFY=DELAY", false},
        {"SUCCESS and DELAY", "<s@a.example>", "NOTIFY=SUCCESS,DELAY", false},
        {"null sender", "<>", NULL, false},
        {"null sender that wants one", "<>", "NOTIFY=FAILURE", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *mail[] = {(char *)(uintptr_t)cases[i].sender, NULL};
        char *rcpt[] = {(char *)(uintptr_t) "<r@b.example>", (char *)(uintptr_t)cases[i].notify,
                        NULL};
        struct envelope *envelope = envelope_new(mail, T0);

        assert_non_null(envelope);
        assert_true(envelope_add_recipient(envelope, rcpt));
        if (early_wanted(envelope, &envelope->recipients[0]) != cases[i].want)
            fail_msg("%s: %s", cases[i].label, cases[i].want ? "not wanted" : "wanted");
        envelope_free(&envelope);
    }
}

/* Postfix is about to report it. */
static void left_to_postfix(void **state)
{
    static const struct {
        enum early_state before, after;
        bool left;
        const char *name; /* of `before` */
    } cases[] = {
        {EARLY_PENDING, EARLY_POSTFIX, true, "pending"},
        {EARLY_SENDING, EARLY_SENDING, false, "sending"},
        {EARLY_SENT, EARLY_SENT, false, "sent"},
        {EARLY_POSTFIX, EARLY_POSTFIX, true, "postfix"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct early early = {.state = cases[i].before, .bounced = T0, .reported = T0 + 1};

        assert_string_equal(early_state_name(cases[i].before), cases[i].name);
        if (early_leave(&early) != cases[i].left || early.state != cases[i].after)
            fail_msg("%s: becomes %s", cases[i].name, early_state_name(early.state));
        assert_int_equal(early.bounced, T0);
        assert_int_equal(early.reported, T0 + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_it_is_due),
        cmocka_unit_test(who_wants_a_report),
        cmocka_unit_test(left_to_postfix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
