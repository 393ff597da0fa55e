/* What the doctor makes of what it reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor_words.h"
#include "postfix_list.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static void test_allowed(void **state)
{
    static const struct {
        const char *label;
        uid_t uid;
        gid_t group;
        mode_t mode;
        int want;
        bool allowed;
    } cases[] = {
        {"its own", 7, 70, 0600, R_OK | W_OK, true},
        {"its own, but not for it", 7, 70, 0077, R_OK, false},
        {"its group's", 8, 99, 0640, R_OK, true},
        {"its group's, to write", 8, 99, 0640, W_OK, false},
        {"its group has less than others", 8, 99, 0604, R_OK, false},
        {"others'", 8, 70, 0604, R_OK, true},
        {"others may not pass", 8, 70, 0750, X_OK, false},
        {"root", 0, 0, 0000, R_OK, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct doctor_account a = {
            .uid = cases[i].uid, .groups = {1, cases[i].group}, .group_count = 2};
        if (doctor_allowed(&a, cases[i].mode, 7, 99, cases[i].want) != cases[i].allowed)
            fail_msg("%s", cases[i].label);
    }
}

static void test_groups(void **state)
{
    struct doctor_account a = {.group_count = 5};

    (void)state;
    doctor_read_groups("Name:\tposternd\nUid:\t1\t1\nGroups:\t4 101 102 \nNStgid:\t1\n", &a);
    assert_int_equal(a.group_count, 3);
    assert_int_equal(a.groups[0], 4);
    assert_int_equal(a.groups[2], 102);
    doctor_read_groups("Name:\tx\nGroups:\t\nVmPeak:\t1\n", &a);
    assert_int_equal(a.group_count, 0);
    doctor_read_groups("", &a);
    assert_int_equal(a.group_count, 0);
}

static void test_clock(void **state)
{
    static const struct {
        const char *label;
        int64_t ahead;
        enum doctor_clock want;
    } cases[] = {
        {"the same", 0, DOCTOR_CLOCK_FINE},
        {"a minute", -MINUTE, DOCTOR_CLOCK_FINE},
        {"an hour", HOUR, DOCTOR_CLOCK_ZONE},
        {"an hour and a bit", -HOUR - 30 * SECOND, DOCTOR_CLOCK_ZONE},
        {"Kathmandu", 5 * HOUR + 45 * MINUTE, DOCTOR_CLOCK_ZONE},
        {"ten minutes", 10 * MINUTE, DOCTOR_CLOCK_WRONG},
        {"a quarter of an hour: no zone is so near", 15 * MINUTE, DOCTOR_CLOCK_WRONG},
        {"an hour and five minutes", HOUR + 5 * MINUTE, DOCTOR_CLOCK_WRONG},
        {"a day and a half", -36 * HOUR, DOCTOR_CLOCK_WRONG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (doctor_clock(INT64_C(1795420800000) + cases[i].ahead, INT64_C(1795420800000)) !=
            cases[i].want)
            fail_msg("%s", cases[i].label);
}

static void test_zones(void **state)
{
    const int64_t quiet[] = {0, 2 * HOUR, 2 * HOUR + SECOND, 5 * HOUR};
    const int64_t late[] = {5 * SECOND, 4 * SECOND, 6 * SECOND};
    const int64_t mixed[] = {2 * HOUR, 2 * HOUR + SECOND, 2 * SECOND, 2 * HOUR + 3 * SECOND};

    (void)state;
    assert_false(doctor_zones_mixed(quiet, 4));
    assert_false(doctor_zones_mixed(late, 3));
    assert_false(doctor_zones_mixed(mixed, 1));
    assert_false(doctor_zones_mixed(NULL, 0));
    assert_true(doctor_zones_mixed(mixed, 4));
}

static void test_suppressed(void **state)
{
    static const struct {
        const char *line;
        uint64_t count;
        const char *unit;
    } cases[] = {
        {"Suppressed 4711 messages from postfix@-.service", 4711, "postfix@-.service"},
        {"Suppressed 3 messages from /system.slice/system-postfix.slice/postfix@-.service\n", 3,
         "postfix@-.service"},
        {"Suppressed 9 messages from /system.slice/postfix.service", 9, "postfix.service"},
        {"Suppressed 9 messages from ssh.service", 0, NULL},
        {"Suppressed messages from postfix.service", 0, NULL},
        {"Suppressed 9 message from postfix.service", 0, NULL},
        {"Runtime Journal is using 8.0M", 0, NULL},
        {"", 0, NULL},
    };
    char unit[DOCTOR_UNIT_MAX];
    uint64_t count;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool found = doctor_suppressed(slice_of(cases[i].line), &count, unit);
        if (found != (cases[i].unit != NULL))
            fail_msg("%s", cases[i].line);
        if (found && (count != cases[i].count || strcmp(unit, cases[i].unit) != 0))
            fail_msg("%s: %s", cases[i].line, unit);
    }
}

static void test_tag(void **state)
{
    static const struct {
        const char *line;
        const char *tag;
    } cases[] = {
        {"Nov 23 08:00:00 mail postfix/smtp[1]: A: to=<a@b>", "postfix"},
        {"Nov 23 08:00:00 mail postfix/relay/smtp[1]: A: to=<a@b>", "postfix"},
        {"2026-11-23T08:00:00.1+00:00 mail postfix-out/smtp[1]: A", "postfix-out"},
        {"Nov 23 08:00:00 mail dovecot: imap/x", NULL},
        {"Nov 23 08:00:00 mail sshd[1]: a/b]: c", NULL},
        {"/[1]: x", NULL},
        {"", NULL},
    };
    struct slice tag;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool found = doctor_log_tag(slice_of(cases[i].line), &tag);
        if (found != (cases[i].tag != NULL) || (found && !slice_equals(tag, cases[i].tag)))
            fail_msg("%s", cases[i].line);
    }
}

static void test_commands_of_an_instance(void **state)
{
    static const struct {
        const char *command, *unit, *directory, *want;
    } cases[] = {
        {"systemctl restart posternd; systemctl try-restart postern-earlyndr postern-retrycap",
         "out", "",
         "systemctl restart posternd@out; systemctl try-restart postern-earlyndr@out "
         "postern-retrycap@out"},
        {"systemctl restart posternd", "", "/etc/postfix-out", "systemctl restart posternd"},
        {"postconf -c /d -e 'a = b' && postfix reload && systemctl reload posternd", "out", "/d",
         "postconf -c /d -e 'a = b' && postfix -c /d reload && systemctl reload posternd@out"},
        {"systemctl restart rsyslog postfix", "out", "/d", "systemctl restart rsyslog postfix"},
        {"postfix -c /e reload", "out", "/d", "postfix -c /e reload"},
        {"chown postern: /x", "out", "/d", "chown postern: /x"},
        {"", "out", "/d", ""},
    };
    char command[200];
    char small[16];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        doctor_instance_command(cases[i].command, cases[i].unit, cases[i].directory, command,
                                sizeof(command));
        assert_string_equal(command, cases[i].want);
    }
    doctor_instance_command("systemctl restart posternd posternd", "out", "", small, sizeof(small));
    assert_string_equal(small, "systemctl resta");
}

static void test_unit_of(void **state)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        {"/etc/postern/out.conf", "out"},
        {"/etc/postern/postern.conf", ""},
        {"/etc/postern/.conf", ""},
        {"/etc/postern/a/b.conf", ""},
        {"/etc/posternx/out.conf", ""},
        {"/etc/postern/out.conf.old", ""},
        {"/etc/postern/o ut.conf", ""},
        {"/srv/out.conf", ""},
        {"/etc/postern", ""},
    };
    char unit[64];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        doctor_unit_of(cases[i].path, "/etc/postern", unit, sizeof(unit));
        if (strcmp(unit, cases[i].want) != 0)
            fail_msg("%s: %s", cases[i].path, unit);
    }
}

static void test_lists(void **state)
{
    char list[100];
    char small[8];

    (void)state;
    doctor_list_without("a, transport_maps b", "transport_maps", list, sizeof(list));
    assert_string_equal(list, "a, b");
    doctor_list_without("a", "a", list, sizeof(list));
    assert_string_equal(list, "");
    doctor_list_first("hash:x, lmdb:o, hash:y", "lmdb:o", list, sizeof(list));
    assert_string_equal(list, "lmdb:o, hash:x, hash:y");
    doctor_list_with("", "x", list, sizeof(list));
    assert_string_equal(list, "x");
    doctor_list_with("x { a, b }", "y", list, sizeof(list));
    assert_string_equal(list, "x, { a, b }, y");
    doctor_list_replaced("a, { b, c } d", 1, "B", list, sizeof(list));
    assert_string_equal(list, "a, B, d");
    doctor_list_with("abcdefghijkl mn op", "y", small, sizeof(small));
    assert_string_equal(small, "abcdefg");
}

static void test_entries(void **state)
{
    struct slice entry = slice_of("{ unix:a/b, default_action=accept, connect_timeout=5s }");

    (void)state;
    assert_true(slice_equals(postfix_list_endpoint(entry), "unix:a/b"));
    assert_true(slice_equals(postfix_list_endpoint(slice_of("inet:h:1")), "inet:h:1"));
    assert_true(slice_equals(postfix_list_endpoint(slice_of("{\tinet:h:1\t}")), "inet:h:1"));
    assert_true(slice_equals(doctor_entry_setting(entry, "default_action"), "accept"));
    assert_true(slice_equals(doctor_entry_setting(entry, "connect_timeout"), "5s"));
    assert_int_equal(doctor_entry_setting(entry, "default").len, 0);
    assert_int_equal(doctor_entry_setting(slice_of("unix:a"), "default_action").len, 0);
    assert_int_equal(doctor_entry_setting(slice_of("{"), "default_action").len, 0);
}

static void test_policy_entries(void **state)
{
    static const char restrictions[] =
        "permit_mynetworks, check_policy_service inet:127.0.0.1:1, reject check_policy_service "
        "{ unix:p, default_action=DUNNO }, check_policy_service";
    struct slice entry;

    (void)state;
    assert_true(doctor_policy_entry(restrictions, 0, &entry));
    assert_true(slice_equals(entry, "inet:127.0.0.1:1"));
    assert_true(doctor_policy_entry(restrictions, 1, &entry));
    assert_true(slice_equals(postfix_list_endpoint(entry), "unix:p"));
    assert_false(doctor_policy_entry(restrictions, 2, &entry));
    assert_false(doctor_policy_entry("", 0, &entry));
}

static void test_metrics(void **state)
{
    static const char text[] = "# HELP postern_build_info Always 1; the version.\n"
                               "postern_build_info{version=\"0.1.0\"} 1\n"
                               "# TYPE postern_lag gauge\npostern_lag 4.5\npostern_lag_x 7\n";
    char version[16];
    double value = 0;

    (void)state;
    assert_true(doctor_metric(text, "postern_lag", &value));
    assert_true(value == 4.5);
    assert_false(doctor_metric(text, "postern_la", &value));
    assert_true(doctor_metric_version(text, version, sizeof(version)));
    assert_string_equal(version, "0.1.0");
    assert_false(doctor_metric_version("x\n", version, sizeof(version)));
}

static void test_others(void **state)
{
    (void)state;
    assert_true(doctor_locks_have("1: FLOCK  ADVISORY  WRITE 42 08:01:1234 0 EOF\n", 1234));
    assert_false(doctor_locks_have("1: FLOCK  ADVISORY  WRITE 1234 08:01:91234 0 EOF\n", 1234));
    assert_true(doctor_same_lines(slice_of("a\nb\nb\n"), slice_of("b\na\nb")));
    assert_false(doctor_same_lines(slice_of("a\nb\nb\n"), slice_of("b\na\na\n")));
    assert_false(doctor_same_lines(slice_of("a\n"), slice_of("a\nb\n")));
    assert_true(doctor_same_lines(slice_of(""), slice_of("")));
    assert_string_equal(doctor_installer("ID=debian\nNAME=fedora\n"), "apt-get install");
    assert_string_equal(doctor_installer("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n"),
                        "dnf install");
    assert_string_equal(doctor_installer("ID=fedora\n"), "dnf install");
    assert_string_equal(doctor_installer("ID=x\nID_LIKE=\"suse opensuse\"\n"), "zypper install");
    assert_string_equal(doctor_installer(""), "apt-get install");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowed),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_suppressed),
        cmocka_unit_test(test_tag),
        cmocka_unit_test(test_commands_of_an_instance),
        cmocka_unit_test(test_unit_of),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_policy_entries),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
