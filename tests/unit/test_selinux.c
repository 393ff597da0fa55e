/* What is made of the kernel's words about SELinux. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "selinux.h"

static void test_type(void **state)
{
    static const struct {
        const char *label;
        const char *context;
        const char *type; /* NULL: it is not a context */
    } cases[] = {
        {"with a level", "system_u:object_r:postern_table_t:s0", "postern_table_t"},
        {"with categories", "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023",
         "unconfined_t"},
        {"without a level", "system_u:system_r:postfix_smtpd_t", "postfix_smtpd_t"},
        {"no type", "system_u:object_r:", NULL},
        {"no type, but a level", "system_u:object_r::s0", NULL},
        {"no role", "system_u:object_r", NULL},
        {"AppArmor's", "unconfined", NULL},
        {"empty", "", NULL},
    };
    char type[SELINUX_CONTEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool found = selinux_type(cases[i].context, type);
        if (found != (cases[i].type != NULL) || (found && strcmp(type, cases[i].type) != 0))
            fail_msg("%s", cases[i].label);
    }
}

static void test_long_type(void **state)
{
    char context[2 * SELINUX_CONTEXT_MAX];
    char type[SELINUX_CONTEXT_MAX];

    (void)state;
    memset(context, 'x', sizeof(context));
    memcpy(context, "u:r:", 4);
    context[sizeof(context) - 1] = '\0';
    assert_false(selinux_type(context, type));
    context[4 + SELINUX_CONTEXT_MAX - 1] = '\0';
    assert_true(selinux_type(context, type));
}

static void test_domain_context(void **state)
{
    char context[SELINUX_CONTEXT_MAX];

    (void)state;
    selinux_domain_context("postfix_smtpd_t", "system_u:object_r:var_lib_t:s0", context);
    assert_string_equal(context, "system_u:system_r:postfix_smtpd_t:s0");
    selinux_domain_context("postfix_smtpd_t", "system_u:object_r:var_lib_t", context);
    assert_string_equal(context, "system_u:system_r:postfix_smtpd_t");
}

static void test_answer(void **state)
{
    static const struct {
        const char *label;
        const char *answer;
        unsigned bits;
        bool allowed;
    } cases[] = {
        {"all of them", "26 ffffffff 0 ffffffff 9 0", 0x6, true},
        {"one is missing", "22 ffffffff 0 ffffffff 9 0", 0x6, false},
        {"none", "0 ffffffff 0 ffffffff 9 0", 0x1, false},
        {"nothing is asked", "0 ffffffff 0 ffffffff 9 0", 0, true},
        {"denials are only logged", "0 ffffffff 0 ffffffff 9 1", 0x6, true},
        {"another flag", "0 ffffffff 0 ffffffff 9 2", 0x6, false},
        {"no flags", "0 ffffffff 0 ffffffff 9", 0x6, false},
        {"not an answer", "-", 0x6, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (selinux_answer_allows(cases[i].answer, cases[i].bits) != cases[i].allowed)
            fail_msg("%s", cases[i].label);
}

/* What cannot be asked is allowed. */
static void test_unknown(void **state)
{
    (void)state;
    assert_true(selinux_may("no_such_domain_t", "/", "no_such_class", "read"));
    assert_false(selinux_has_type("no_such_type_t"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_type),    cmocka_unit_test(test_long_type),
        cmocka_unit_test(test_answer),  cmocka_unit_test(test_domain_context),
        cmocka_unit_test(test_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
