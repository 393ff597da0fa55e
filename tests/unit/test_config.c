/* What postern.conf may say, what it means, and in which words a mistake is reported. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "config_syntax.h"
#include "config_table.h"

static char folder[] = "/tmp/postern-test-config.XXXXXX";
static char path[256];

static void write_file(const char *name, const char *text)
{
    char full[512];
    FILE *out;

    snprintf(full, sizeof(full), "%s/%s", folder, name);
    out = fopen(full, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    assert_int_equal(fclose(out), 0);
}

static struct config *load_ok(const char *label, const char *text)
{
    char error[1024] = "";
    struct config *config;

    write_file("postern.conf", text);
    config = config_load(path, error, sizeof(error));
    if (config == NULL)
        fail_msg("%s: refused: %s", label, error);
    return config;
}

/* `want` is the error without the folder in front: "postern.conf:LINE: ...". */
static void assert_refused(const char *label, const char *text, const char *want)
{
    char error[1024] = "", full[1024];
    struct config *config;

    write_file("postern.conf", text);
    config = config_load(path, error, sizeof(error));
    if (config != NULL)
        fail_msg("%s: accepted, want %s", label, want);
    snprintf(full, sizeof(full), "%s/%s", folder, want);
    if (strcmp(error, full) != 0)
        fail_msg("%s:\n  is   %s\n  want %s", label, error, full);
}

#define NUMBER_INTERVAL "a whole number from 0 to 2592000"
#define NUMBER_RETRIES "a whole number from 0 to 1000000"
#define INSTANCE_WANTED                                                                            \
    "the name of a Postfix instance without its \"postfix-\" (letters, digits, '.', '_' and "      \
    "'-'), "                                                                                       \
    "or \"\" for the default one"
#define PATH_WANTED "an absolute path without blanks, quotes, commas or '$'"
#define DOMAIN_WANTED                                                                              \
    "a list ( \"...\", ... ), not empty, each a domain \"d\", \".d\" for what is below d, "        \
    "\"[192.0.2.1]\", or \"*\" for the rest"
#define NAME_WANTED "1 to 64 printable ASCII characters without blanks or quotes"
#define GROUP(domains) "destinations = ( { name = \"g\"; domains = (" domains "); } );\n"

static const struct {
    const char *label, *text, *want;
} MISTAKES[] = {
    {"syntax", "enforce = true;\nretry = ;\n",
     "postern.conf:2: syntax error; here or just before; a setting is written NAME = VALUE;"},
    {"group not closed", "retry = {\n open_interval = 300;\n",
     "postern.conf:3: syntax error; here or just before; a setting is written NAME = VALUE;"},
    {"twice", "enforce = true;\n\nenforce = false;\n",
     "postern.conf:3: duplicate setting name; each setting may be there once"},
    {"array of two types", "recipient_limits = {\n lanes = [1, \"a\"];\n};\n",
     "postern.conf:2: mismatched element type in array; [ ] holds values of one type"},
    {"string without an end", "user = \"postern;\nenforce = true;\n",
     "postern.conf:1: a string without an end; it must end in \""},
    {"comment without an end", "enforce = true;\n/* and so\non\n",
     "postern.conf:2: a comment without an end; it must end in */"},

    {"unknown, a letter missing", "retry = {\n  max_open_retry = 3;\n};\n",
     "postern.conf:2: unknown setting max_open_retry; did you mean max_open_retries?"},
    {"unknown, letters swapped", "enfocre = true;\n",
     "postern.conf:1: unknown setting enfocre; did you mean enforce?"},
    {"unknown, plural", "destination = ();\n",
     "postern.conf:1: unknown setting destination; did you mean destinations?"},
    {"unknown, nothing near", "unproven = { colour = \"red\"; };\n",
     "postern.conf:1: unknown setting colour; unproven may hold max_open_retries"},
    {"unknown at the top", "colour = \"red\";\n",
     "postern.conf:1: unknown setting colour; the file may hold instance, postfix, "
     "state_directory, runtime_directory, user, enforce, retry, unproven, destinations, "
     "recipient_limits, "
     "early_ndr, "
     "lanes, probation_processes, milters, policy, metrics"},
    {"unknown in a group",
     "destinations = (\n { name = \"a\"; domains = (\"a.example\");\n"
     "   open_intervall = 1; } );\n",
     "postern.conf:3: unknown setting open_intervall; did you mean open_interval?"},
    {"unknown, deep down", "early_ndr = { guard = {\n sampel = 3; }; };\n",
     "postern.conf:2: unknown setting sampel; did you mean sample?"},
    {"names are case-sensitive", "Enforce = true;\n",
     "postern.conf:1: unknown setting Enforce; did you mean enforce?"},

    {"text for a number", "retry = { open_interval = \"300\"; };\n",
     "postern.conf:1: retry.open_interval is \"300\"; it must be " NUMBER_INTERVAL},
    {"fraction for a number", "retry = { open_interval = 0.5; };\n",
     "postern.conf:1: retry.open_interval is the fraction 0.5; it must be " NUMBER_INTERVAL},
    {"switch for a number", "retry = { open_interval = true; };\n",
     "postern.conf:1: retry.open_interval is true; it must be " NUMBER_INTERVAL},
    {"list for a number", "retry = { open_interval = (300); };\n",
     "postern.conf:1: retry.open_interval is a list; it must be " NUMBER_INTERVAL},
    {"negative", "retry = {\n\n max_open_retries = -1; };\n",
     "postern.conf:3: retry.max_open_retries is -1; it must be " NUMBER_RETRIES},
    {"beyond the range", "retry = { open_interval = 2592001; };\n",
     "postern.conf:1: retry.open_interval is 2592001; it must be " NUMBER_INTERVAL},
    {"beyond 32 bits", "retry = { open_interval = 4294967297; };\n",
     "postern.conf:1: retry.open_interval is 4294967297; it must be " NUMBER_INTERVAL},
    {"beyond 32 bits, hexadecimal", "retry = { open_interval = 0x100000005; };\n",
     "postern.conf:1: retry.open_interval is 4294967301; it must be " NUMBER_INTERVAL},
    {"beyond 64 bits", "enforce = true;\nretry = { open_interval = 99999999999999999999L; };\n",
     "postern.conf:2: the number 99999999999999999999 is too large; 64 bits are the limit"},
    {"beyond 64 bits, without L", "retry = { open_interval = 18446744073709551617; };\n",
     "postern.conf:1: the number 18446744073709551617 is too large; 64 bits are the limit"},
    {"number for text", "user = 5;\n",
     "postern.conf:1: user is 5; it must be the name of an account (letters, digits, '.', '_' and "
     "'-'), or \"\" to keep the present one"},
    {"number for a switch", "enforce = 1;\n",
     "postern.conf:1: enforce is 1; it must be true or false"},
    {"text for a section", "retry = \"often\";\n",
     "postern.conf:1: retry is \"often\"; it must be a group { ... }"},
    {"section for a list", "destinations = { name = \"a\"; };\n",
     "postern.conf:1: destinations is a group; it must be a list of at most 100000 groups "
     "( { ... }, ... )"},
    {"text in the list of groups", "destinations = (\n \"partner\" );\n",
     "postern.conf:2: destinations holds \"partner\"; it must be a list of at most 100000 groups "
     "( { ... }, ... )"},

    {"relative directory", "state_directory = \"lib\";\n",
     "postern.conf:1: state_directory is \"lib\"; it must be " PATH_WANTED},
    {"empty directory", "runtime_directory = \"\";\n",
     "postern.conf:1: runtime_directory is \"\"; it must be " PATH_WANTED},
    {"blank in a directory", "postfix = { config_directory = \"/etc/my postfix\"; };\n",
     "postern.conf:1: postfix.config_directory is \"/etc/my postfix\"; it must be " PATH_WANTED},
    {"no room for the socket's name",
     "runtime_directory = "
     "\"/run/0123456789012345678901234567890123456789012345678901234567890123456789"
     "01234567890123456789012345678\";\n",
     "postern.conf:1: runtime_directory is too long; 94 bytes are the limit"},
    {"relative log", "postfix = { log = \"mail.log\"; };\n",
     "postern.conf:1: postfix.log is \"mail.log\"; it must be an absolute path without blanks, "
     "quotes, commas or '$', or \"journal\""},
    {"user with a blank", "user = \"post ern\";\n",
     "postern.conf:1: user is \"post ern\"; it must be the name of an account (letters, digits, "
     "'.', '_' and '-'), or \"\" to keep the present one"},
    {"instance by its whole name", "instance = \"postfix-out\";\n",
     "postern.conf:1: instance is \"postfix-out\"; it must be " INSTANCE_WANTED},
    {"instance with a slash", "instance = \"../x\";\n",
     "postern.conf:1: instance is \"../x\"; it must be " INSTANCE_WANTED},
    {"instance that is too long", "instance = \"a23456789b23456789c23456789d23456\";\n",
     "postern.conf:1: instance is too long; 32 bytes are the limit"},
    {"user that looks like an option", "user = \"-x\";\n",
     "postern.conf:1: user is \"-x\"; it must be the name of an account (letters, digits, '.', "
     "'_' and '-'), or \"\" to keep the present one"},
    {"control characters are not passed on", "user = \"a\\x1b[31m\\n\";\n",
     "postern.conf:1: user is \"a?[31m?\"; it must be the name of an account (letters, digits, "
     "'.', '_' and '-'), or \"\" to keep the present one"},

    {"cap without an interval", "retry = {\n open_interval = 0;\n max_open_retries = 4;\n};\n",
     "postern.conf:3: max_open_retries is 4 while open_interval is 0; set an open_interval, or "
     "max_open_retries = 0"},
    {"unproven cap without an interval",
     "unproven = { max_open_retries = 3; };\nretry = { open_interval = 0; };\n",
     "postern.conf:1: unproven.max_open_retries is 3 while retry.open_interval is 0; set an "
     "open_interval, or unproven.max_open_retries = 0"},
    {"default unproven cap without an interval",
     "enforce = true;\nretry = { open_interval = 0; };\n",
     "postern.conf:2: unproven.max_open_retries is 24 while retry.open_interval is 0; set an "
     "open_interval, or unproven.max_open_retries = 0"},
    {"cap of a group without an interval",
     "destinations = (\n { name = \"g\"; domains = (\"g.example\");\n   open_interval = 0;\n"
     "   max_open_retries = 4; } );\n",
     "postern.conf:4: max_open_retries is 4 while open_interval is 0; set an open_interval, or "
     "max_open_retries = 0"},
    {"inherited cap without an interval",
     "retry = { max_open_retries = 7; };\ndestinations = (\n { name = \"g\"; domains = (\"a\");\n"
     "   open_interval = 0; } );\n",
     "postern.conf:3: max_open_retries is 7 while open_interval is 0; set an open_interval, or "
     "max_open_retries = 0"},

    {"two groups of one name",
     "destinations = (\n { name = \"g\"; domains = (\"a\"); },\n { name = \"h\"; domains = "
     "(\"b\"); "
     "},\n { name = \"g\"; domains = (\"c\"); }\n);\n",
     "postern.conf:4: two groups are named \"g\"; each needs a name of its own"},
    {"one domain in two groups",
     "destinations = (\n { name = \"g\"; domains = (\"a.example\"); },\n"
     " { name = \"h\"; domains = (\"b\",\n   \"A.EXAMPLE\"); }\n);\n",
     "postern.conf:4: domain \"a.example\" is already in group \"g\"; a domain may be in one group "
     "only"},
    {"one domain twice in a group", GROUP("\"a\", \"A\""),
     "postern.conf:1: domain \"a\" is listed twice in group \"g\"; once is enough"},
    {"the rest in two groups",
     "destinations = ( { name = \"g\"; domains = (\"*\"); },\n"
     " { name = \"h\"; domains = (\"*\"); } );\n",
     "postern.conf:2: domain \"*\" is already in group \"g\"; a domain may be in one group only"},
    {"group without name", "destinations = (\n\n { domains = (\"a\"); } );\n",
     "postern.conf:3: an entry of destinations without name; it must be " NAME_WANTED},
    {"group without domains", "destinations = (\n { name = \"g\"; } );\n",
     "postern.conf:2: an entry of destinations without domains; it must be " DOMAIN_WANTED},
    {"group with no domains", GROUP(""),
     "postern.conf:1: destinations.domains is empty; it must be " DOMAIN_WANTED},
    {"domains not in a list", "destinations = ( { name = \"g\"; domains = \"a\"; } );\n",
     "postern.conf:1: destinations.domains is \"a\"; it must be " DOMAIN_WANTED},
    {"last domain of a list",
     "destinations = ( { name = \"g\"; domains = (\n  \"a\" /* b\n */,\n"
     "  \"b c\" # d\n\n); } );\n",
     "postern.conf:4: destinations.domains holds \"b c\"; it must be " DOMAIN_WANTED},
    {"number for a domain", GROUP("5"),
     "postern.conf:1: destinations.domains holds 5; it must be " DOMAIN_WANTED},
    {"blank in a domain", GROUP("\"a b\""),
     "postern.conf:1: destinations.domains holds \"a b\"; it must be " DOMAIN_WANTED},
    {"blank in a name", "destinations = ( { name = \"a b\"; domains = (\"a\"); } );\n",
     "postern.conf:1: destinations.name is \"a b\"; it must be " NAME_WANTED},
    {"long name",
     "destinations = ( { name = "
     "\"01234567890123456789012345678901234567890123456789012345678901234\"; domains = (\"a\"); } "
     ");\n",
     "postern.conf:1: destinations.name is too long; 64 bytes are the limit"},

    {"lanes: other word", "lanes = \"fast\";\n",
     "postern.conf:1: lanes is \"fast\"; it must be \"suspect\", \"proven\" or \"off\""},
    {"lanes: two words in one", "lanes = \"suspect\\\", \\\"proven\";\n",
     "postern.conf:1: lanes is \"suspect\", \"proven\"; it must be \"suspect\", \"proven\" or "
     "\"off\""},
    {"early_ndr.mode", "early_ndr = { mode = \"never\"; };\n",
     "postern.conf:1: early_ndr.mode is \"never\"; it must be \"refuse\", \"ndr\" or \"off\""},
    {"early_ndr.guard.ratio", "early_ndr = { guard = { ratio = 1.5; }; };\n",
     "postern.conf:1: early_ndr.guard.ratio is the fraction 1.5; it must be a number from 0 to 1"},
    {"early_ndr.guard.ratio is text", "early_ndr = { guard = { ratio = \"half\"; }; };\n",
     "postern.conf:1: early_ndr.guard.ratio is \"half\"; it must be a number from 0 to 1"},
    {"early_ndr.guard.sample", "early_ndr = { guard = { sample = 0; }; };\n",
     "postern.conf:1: early_ndr.guard.sample is 0; it must be a whole number from 1 to 1000000"},
    {"recipient_limits.lanes: zero", "recipient_limits = { lanes = [0, 1]; };\n",
     "postern.conf:1: recipient_limits.lanes holds 0; it must be an array [ ... ] of whole numbers "
     "from 1 to 1000, each above the one before"},
    {"recipient_limits.lanes: order", "recipient_limits = { lanes = [5, 1]; };\n",
     "postern.conf:1: recipient_limits.lanes holds 1; it must be an array [ ... ] of whole numbers "
     "from 1 to 1000, each above the one before"},
    {"recipient_limits.lanes: empty", "recipient_limits = { lanes = []; };\n",
     "postern.conf:1: recipient_limits.lanes is empty; it must be an array [ ... ] of whole "
     "numbers from 1 to 1000, each above the one before"},
    {"recipient_limits.patterns: regcomp's words", "recipient_limits = { patterns = (\"(\"); };\n",
     "postern.conf:1: recipient_limits.patterns holds \"(\": Unmatched ( or \\(; it must be a "
     "POSIX "
     "extended regular expression"},
    {"recipient_limits.patterns: the line of the pattern",
     "recipient_limits = {\n patterns = (\"a\",\n  \"b[a\"\n); };\n",
     "postern.conf:3: recipient_limits.patterns holds \"b[a\": Unmatched [, [^, [:, [., or [=; it "
     "must "
     "be a POSIX extended regular expression"},
    {"recipient_limits.patterns: fits everything", "recipient_limits = { patterns = (\".*\"); };\n",
     "postern.conf:1: recipient_limits.patterns holds \".*\": it fits every reply; it must be a "
     "POSIX "
     "extended regular expression"},
    {"recipient_limits.patterns: not text", "recipient_limits = { patterns = (5); };\n",
     "postern.conf:1: recipient_limits.patterns holds 5; it must be a list ( \"...\", ... ), each "
     "a "
     "POSIX extended regular expression"},
    {"recipient_limits.inbound: networks",
     "recipient_limits = { inbound = (\n { limit = 1;\n networks = (\"192.0.2.1/24\"); } ); };\n",
     "postern.conf:3: recipient_limits.inbound.networks holds \"192.0.2.1/24\"; it must be a list "
     "( "
     "\"...\", ... ), not empty, each an address, or a network \"192.0.2.0/24\" or "
     "\"2001:db8::/32\" with nothing behind its prefix"},
    {"recipient_limits.inbound: no networks",
     "recipient_limits = { inbound = ( { limit = 1; networks = (); } ); };\n",
     "postern.conf:1: recipient_limits.inbound.networks is empty; it must be a list ( \"...\", ... "
     "), "
     "not empty, each an address, or a network \"192.0.2.0/24\" or \"2001:db8::/32\" with nothing "
     "behind its prefix"},
    {"recipient_limits.inbound: logins",
     "recipient_limits = { inbound = ( { limit = 1; logins = (\"\"); } ); };\n",
     "postern.conf:1: recipient_limits.inbound.logins holds \"\"; it must be a list ( \"...\", ... "
     "), "
     "not empty, each a login name of at most 255 bytes without control characters, or \"*\" for "
     "any"},
    {"recipient_limits.inbound: sender_domains",
     "recipient_limits = { inbound = ( { limit = 1; sender_domains = (\"a b\"); } ); };\n",
     "postern.conf:1: recipient_limits.inbound.sender_domains holds \"a b\"; it must "
     "be " DOMAIN_WANTED},
    {"recipient_limits.inbound: limit", "recipient_limits = { inbound = ( { limit = 0; } ); };\n",
     "postern.conf:1: recipient_limits.inbound.limit is 0; it must be a whole number from 1 to "
     "100000"},
    {"recipient_limits.inbound: action",
     "recipient_limits = { inbound = ( { limit = 1; action = \"452\"; } ); };\n",
     "postern.conf:1: recipient_limits.inbound.action is \"452\"; it must be \"defer\" or "
     "\"reject\""},
    {"recipient_limits.inbound without limit",
     "recipient_limits = { inbound = (\n { recipient_domains = (\"a\"); } ); };\n",
     "postern.conf:2: an entry of recipient_limits.inbound without limit; it must be a whole "
     "number from 1 to 100000"},
    {"recipient_limits.inbound: unknown",
     "recipient_limits = { inbound = ( { recipient_domain = (\"a\"); limit = 1; } ); };\n",
     "postern.conf:1: unknown setting recipient_domain; did you mean recipient_domains?"},
    {"milters: socket", "milters = { earlyndr = { socket = \"/run/x.sock\"; }; };\n",
     "postern.conf:1: milters.earlyndr.socket is \"/run/x.sock\"; it must be \"unix:/path\", "
     "\"inet:PORT@HOST\", \"inet6:PORT@HOST\", or \"\" for none"},
    {"milters: when_down", "milters = { retrycap = { when_down = \"refuse\"; }; };\n",
     "postern.conf:1: milters.retrycap.when_down is \"refuse\"; it must be \"accept\", \"warn\", "
     "\"tempfail\" or \"refuse-over-cap\""},
    {"lanes", "lanes = \"on\";\n",
     "postern.conf:1: lanes is \"on\"; it must be \"suspect\", \"proven\" or \"off\""},
    {"early_ndr.networks", "early_ndr = { networks = (\"192.0.2.1/24\"); };\n",
     "postern.conf:1: early_ndr.networks holds \"192.0.2.1/24\"; it must be a list ( \"...\", ... "
     "), not empty, each an address, or a network \"192.0.2.0/24\" or \"2001:db8::/32\" with "
     "nothing behind its prefix"},
    {"early_ndr.max_recipients", "early_ndr = { max_recipients = 0; };\n",
     "postern.conf:1: early_ndr.max_recipients is 0; it must be a whole number from 1 to "
     "10000000"},
    {"milters: when_down belongs to retrycap",
     "milters = { earlyndr = { when_down = \"warn\"; }; };",
     "postern.conf:1: unknown setting when_down; milters.earlyndr may hold socket"},
    {"policy: socket", "policy = { socket = \"inet:8891@localhost\"; };\n",
     "postern.conf:1: policy.socket is \"inet:8891@localhost\"; it must be \"unix:/path\", "
     "\"inet:HOST:PORT\", or \"\" for none"},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(MISTAKES) / sizeof(MISTAKES[0]); i++)
        assert_refused(MISTAKES[i].label, MISTAKES[i].text, MISTAKES[i].want);
}

static void assert_load_error(const char *file, const char *want)
{
    char error[1024] = "";

    assert_null(config_load(file, error, sizeof(error)));
    assert_string_equal(error, want);
}

static void test_unreadable(void **state)
{
    char want[1024];

    (void)state;
    assert_load_error("/nonexistent/postern.conf",
                      "/nonexistent/postern.conf: cannot read the file: No such file or directory");
    snprintf(want, sizeof(want), "%s: cannot read the file: Is a directory", folder);
    assert_load_error(folder, want);
}

/* Whatever the size of the caller's buffer, the line ends inside it. */
static void test_error_is_cut(void **state)
{
    static const char *const texts[] = {"colour = 1;\n", "/*", "a = ;", "@include \"none\""};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_file("postern.conf", texts[i]);
        for (size_t size = 1; size < 400; size++) {
            char *error = malloc(size); /* its own, so that ASan sees the end */

            assert_non_null(error);
            assert_null(config_load(path, error, size));
            assert_true(strlen(error) < size);
            free(error);
        }
    }
}

static void test_nul_byte(void **state)
{
    static const char text[] = "enforce = true;\n\0enforce = 5;\n";
    char want[1024];
    FILE *out = fopen(path, "w");

    (void)state;
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, sizeof(text) - 1, out), sizeof(text) - 1);
    assert_int_equal(fclose(out), 0);
    snprintf(want, sizeof(want), "%s: holds a NUL byte; only text is allowed", path);
    assert_load_error(path, want);
}

static void assert_policy(const struct retry_policy *is, const struct retry_policy *want)
{
    assert_int_equal(is->max_open_retries, want->max_open_retries);
    assert_int_equal(is->open_interval, want->open_interval);
    assert_int_equal(is->max_transfer_retries, want->max_transfer_retries);
    assert_int_equal(is->transfer_interval, want->transfer_interval);
    assert_int_equal(is->count_suspended, want->count_suspended);
    assert_int_equal(is->hold_after, want->hold_after);
    assert_int_equal(is->warn_after_retries, want->warn_after_retries);
}

static const struct retry_policy DEFAULTS = {0, 300, 0, 0, true, 2, 0};

static const uint32_t DEFAULT_LANES[] = {1, 5, 10, 20};

static void assert_lanes(const struct config *config, const uint32_t *want, size_t count)
{
    size_t is_count;
    const uint32_t *is = config_lanes(config, &is_count);

    assert_int_equal(is_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(is[i], want[i]);
}

/* With all else at its default. */
static void assert_early(const struct config_early *early, enum early_mode mode)
{
    assert_int_equal(early->mode, mode);
    assert_int_equal(early->lifetime, 86400);
    assert_int_equal(early->after, 10);
    assert_int_equal(early->max_recipients, 100000);
    assert_int_equal(early->guard_sample, 20);
    assert_true(early->guard_ratio == 0.5);
    assert_int_equal(early->guard_window, 600);
}

static void assert_defaults(const struct config *config)
{
    assert_string_equal(config_path(config), path);
    assert_string_equal(config_postfix_directory(config), "/etc/postfix");
    assert_string_equal(config_log(config), "/var/log/mail.log");
    assert_string_equal(config_state_directory(config), "/var/lib/postern");
    assert_string_equal(config_runtime_directory(config), "/run/postern");
    assert_string_equal(config_user(config), "postern");
    assert_true(config_enforce(config));
    assert_policy(config_retry(config), &DEFAULTS);
    assert_int_equal(config_unproven_max_open_retries(config), 24);
    assert_true(config_outbound_limits(config));
    assert_lanes(config, DEFAULT_LANES, sizeof(DEFAULT_LANES) / sizeof(DEFAULT_LANES[0]));
    assert_int_equal(config_learned_lifetime(config), 86400);
    assert_int_equal(config_pattern_count(config), 0);
    assert_null(config_pattern_at(config, 0));
    assert_string_equal(config_rcptlimit_socket(config), "unix:/run/postern/rcptlimit.sock");
    assert_string_equal(config_policy_socket(config), "unix:/run/postern/policy.sock");
    assert_early(config_early(config), EARLY_REFUSE);
    assert_string_equal(config_earlyndr_socket(config), "unix:/run/postern/earlyndr.sock");
    assert_int_equal(config_lanes_mode(config), LANES_SUSPECT);
    assert_int_equal(config_probation_processes(config), 250);
    assert_int_equal(config_when_down(config), WHEN_DOWN_ACCEPT);
    assert_string_equal(config_retrycap_socket(config), "unix:/run/postern/retrycap.sock");
    assert_false(config_warns(config));
    assert_string_equal(config_metrics_listen(config), "");
}

static void test_lanes_and_retrycap(void **state)
{
    static const struct {
        const char *text;
        enum lanes_mode mode;
    } modes[] = {{"suspect", LANES_SUSPECT}, {"proven", LANES_PROVEN}, {"off", LANES_OFF}};
    static const struct {
        const char *text;
        enum when_down when;
    } whens[] = {{"accept", WHEN_DOWN_ACCEPT},
                 {"warn", WHEN_DOWN_WARN},
                 {"tempfail", WHEN_DOWN_TEMPFAIL},
                 {"refuse-over-cap", WHEN_DOWN_REFUSE_OVER_CAP}};
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        snprintf(text, sizeof(text), "lanes = \"%s\"; probation_processes = 7;\n", modes[i].text);
        struct config *config = load_ok(text, text);
        assert_int_equal(config_lanes_mode(config), modes[i].mode);
        assert_int_equal(config_probation_processes(config), 7);
        config_free(&config);
    }
    for (size_t i = 0; i < sizeof(whens) / sizeof(whens[0]); i++) {
        snprintf(text, sizeof(text),
                 "milters = { retrycap = { socket = \"inet:1@h\"; when_down = \"%s\"; }; };\n",
                 whens[i].text);
        struct config *config = load_ok(text, text);
        assert_int_equal(config_when_down(config), whens[i].when);
        assert_string_equal(config_retrycap_socket(config), "inet:1@h");
        config_free(&config);
    }
}

/* Allowed, but it will never happen: said with its line. */
static void test_warnings(void **state)
{
    struct config *config = load_ok(
        "warn_after_retries", "retry = { max_open_retries = 5;\n warn_after_retries = 4; };\n"
                              "destinations = (\n { name = \"a\"; domains = (\"a\");\n"
                              "   warn_after_retries = 5; },\n"
                              " { name = \"b\"; domains = (\"b\"); max_open_retries = 0; } );\n");
    char want[512];

    (void)state;
    snprintf(want, sizeof(want),
             "%s:5: warn_after_retries is 5 and max_open_retries 5: mail is returned before its "
             "sender would be warned",
             path);
    assert_non_null(config_warning(config, 0));
    assert_string_equal(config_warning(config, 0), want);
    assert_null(config_warning(config, 1));
    assert_true(config_warns(config));
    config_free(&config);
    config = load_ok("without envelopes", "early_ndr = { mode = \"off\"; };\n"
                                          "retry = { warn_after_retries = 2; };\n");
    assert_non_null(config_warning(config, 0));
    assert_non_null(strstr(config_warning(config, 0), ":2: warn_after_retries is 2, but with "));
    assert_null(config_warning(config, 1));
    config_free(&config);
    config = load_ok("none", "");
    assert_false(config_warns(config));
    config_free(&config);
}

static void test_early_ndr(void **state)
{
    struct config *config = load_ok(
        "early_ndr", "early_ndr = { mode = \"ndr\"; lifetime = 60; after = 0; max_recipients = 5;\n"
                     "  networks = (\"192.0.2.0/24\", \"::1\");\n"
                     "  guard = { sample = 3; ratio = 0.25; window = 30; }; };\n"
                     "milters = { earlyndr = { socket = \"inet:8891@127.0.0.1\"; }; };\n");
    const struct config_early *early = config_early(config);

    (void)state;
    assert_int_equal(config_early_mode(config), EARLY_NDR);
    assert_int_equal(early->lifetime, 60);
    assert_int_equal(early->after, 0);
    assert_int_equal(early->max_recipients, 5);
    assert_int_equal(early->guard_sample, 3);
    assert_true(early->guard_ratio == 0.25);
    assert_int_equal(early->guard_window, 30);
    assert_int_equal(config_early_network_count(config), 2);
    assert_string_equal(config_early_network_at(config, 1), "::1");
    assert_null(config_early_network_at(config, 2));
    assert_string_equal(config_earlyndr_socket(config), "inet:8891@127.0.0.1");
    config_free(&config);
    config = load_ok("off", "early_ndr = { mode = \"off\"; guard = { ratio = 1; }; };\n");
    assert_int_equal(config_early_mode(config), EARLY_OFF);
    assert_true(config_early(config)->guard_ratio == 1);
    config_free(&config);
}

static void test_empty_file_is_all_defaults(void **state)
{
    static const char *const texts[] = {"", "# nothing", "/* nothing */\n\n", "destinations = ();"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct config *config = load_ok(texts[i], texts[i]);

        assert_defaults(config);
        assert_int_equal(config_group_count(config), 0);
        assert_int_equal(config_inbound_count(config), 0);
        assert_null(config_inbound_at(config, 0));
        assert_null(config_group_at(config, 0));
        assert_null(config_group_of(config, slice_of("a.example")));
        assert_null(config_warning(config, 0));
        config_free(&config);
        assert_null(config);
    }
}

/* The sample of the design, word for word. */
static const char CONTRACT[] =
    "# postern.conf (libconfig); times in seconds; 0 = no limit. Unknown settings are errors.\n"
    "postfix = {\n"
    "  config_directory = \"/etc/postfix\";\n"
    "  log = \"/var/log/mail.log\";              # or \"journal\"\n"
    "};\n"
    "state_directory = \"/var/lib/postern\";\n"
    "runtime_directory = \"/run/postern\";       # control.sock\n"
    "user = \"postern\";                         # taken on when started as root\n"
    "enforce = true;                           # false: observe only\n"
    "\n"
    "retry = {                                 # for every destination not listed below\n"
    "  max_open_retries = 0;\n"
    "  open_interval = 300;\n"
    "  max_transfer_retries = 0;\n"
    "  transfer_interval = 0;                  # 0: Postfix's own schedule\n"
    "  count_suspended = true;\n"
    "  hold_after = 2;\n"
    "};\n"
    "unproven = { max_open_retries = 24; };\n"
    "destinations = (\n"
    "  { name = \"partner\";\n"
    "    domains = (\"partner.example\", \".partner.example\");   # .d matches subdomains\n"
    "    max_open_retries = 144; open_interval = 600;\n"
    "    max_transfer_retries = 2; transfer_interval = 120; }\n"
    ");\n"
    "recipient_limits = {\n"
    "  outbound = true;\n"
    "  lanes = [1, 5, 10, 20];\n"
    "  learned_lifetime = 86400;\n"
    "  patterns = ();                          # further regular expressions\n"
    "  inbound = ( { recipient_domains = (\"lists.example\"); limit = 20; } );\n"
    "};\n"
    "early_ndr = {\n"
    "  mode = \"refuse\";                        # \"refuse\", \"ndr\" or \"off\"\n"
    "  lifetime = 86400;\n"
    "  after = 10;                             # in flight\n"
    "  guard = { sample = 20; ratio = 0.5; window = 600; };\n"
    "};\n"
    "lanes = \"suspect\";\n"
    "milters = {\n"
    "  retrycap  = { socket = \"unix:/run/postern/retrycap.sock\"; when_down = \"accept\"; };\n"
    "  earlyndr  = { socket = \"unix:/run/postern/earlyndr.sock\"; };\n"
    "  rcptlimit = { socket = \"unix:/run/postern/rcptlimit.sock\"; };\n"
    "};\n"
    "policy = { socket = \"unix:/run/postern/policy.sock\"; };\n";

static void test_contract_sample(void **state)
{
    static const struct retry_policy want = {144, 600, 2, 120, true, 2, 0};
    struct config *config = load_ok("contract", CONTRACT);
    const struct config_group *group = config_group_at(config, 0);

    (void)state;
    assert_defaults(config);
    assert_int_equal(config_group_count(config), 1);
    assert_string_equal(group->name, "partner");
    assert_int_equal(group->domain_count, 2);
    assert_string_equal(group->domains[0], "partner.example");
    assert_string_equal(group->domains[1], ".partner.example");
    assert_policy(&group->retry, &want);
    assert_int_equal(config_inbound_count(config), 1);
    assert_string_equal(config_inbound_at(config, 0)->recipient_domains[0], "lists.example");
    assert_int_equal(config_inbound_at(config, 0)->limit, 20);
    assert_null(config_warning(config, 0));
    config_free(&config);
}

/* Every default of the table is one that the table itself allows. */
static void test_table_allows_its_defaults(void **state)
{
    const struct setting *row;
    char why[SETTING_TEXT_MAX];

    (void)state;
    for (size_t i = 0; (row = setting_at(i)) != NULL; i++) {
        if (row->type == SETTING_NUMBER && (row->flags & SETTING_REQUIRED) == 0 &&
            (row->value < row->least || row->value > row->most))
            fail_msg("%s.%s: the default is out of range", row->scope, row->name);
        if ((row->type == SETTING_TEXT || row->type == SETTING_WORD) && row->text != NULL &&
            !setting_accepts(row, row->text, why))
            fail_msg("%s.%s: the default is not allowed", row->scope, row->name);
        if (setting_find(row->scope, row->name) != row)
            fail_msg("%s.%s stands there twice", row->scope, row->name);
    }
}

static void test_inheritance(void **state)
{
    /* `retry` after `destinations`: the order in the file does not matter. */
    struct config *config =
        load_ok("inheritance", "destinations = (\n"
                               " { name = \"all\"; domains = (\"a\"); },\n"
                               " { name = \"some\"; domains = (\"b\"); open_interval = 5;\n"
                               "   count_suspended = true; hold_after = 0; } );\n"
                               "retry = { max_open_retries = 10; open_interval = 60;\n"
                               " max_transfer_retries = 3; transfer_interval = 20;\n"
                               " count_suspended = false; hold_after = 7; };\n");
    static const struct retry_policy all = {10, 60, 3, 20, false, 7, 0};
    static const struct retry_policy some = {10, 5, 3, 20, true, 0, 0};

    (void)state;
    assert_policy(config_retry(config), &all);
    assert_policy(&config_group_at(config, 0)->retry, &all);
    assert_policy(&config_group_at(config, 1)->retry, &some);
    config_free(&config);
}

static void test_ways_to_write_a_number(void **state)
{
    static const struct {
        const char *text;
        uint32_t want;
    } cases[] = {
        {"300L", 300},        {"300LL", 300},        {"0x12C", 300}, {"0X12cL", 300},
        {"+300", 300},        {"0300", 300},         {"-0", 0},      {"1", 1},
        {"2592000", 2592000}, {"/* 5 */ 7 // 8", 7}, {"9# 10", 9},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        struct config *config;

        snprintf(text, sizeof(text), "retry = { transfer_interval = %s\n};\n", cases[i].text);
        config = load_ok(cases[i].text, text);
        if (config_retry(config)->transfer_interval != cases[i].want)
            fail_msg("%s is read as %u", cases[i].text, config_retry(config)->transfer_interval);
        config_free(&config);
    }
}

/* Digits, comments and @include in a string are text; so are a quote and a backslash escaped. */
static void test_strings_are_left_alone(void **state)
{
    struct config *config = load_ok(
        "strings", "state_directory = \"/a/4294967297/*/0x10\" \"#//\";\n"
                   "recipient_limits = { patterns = (\"a\\\"5\\\\.\", \"b # 4294967297 /* 0x10 "
                   "*/\"); };\n"
                   "postfix = { log = \"journal\"; };\nuser = \"\";\nenforce = FALSE;\n");

    (void)state;
    assert_string_equal(config_state_directory(config), "/a/4294967297/*/0x10#//");
    assert_string_equal(config_log(config), "journal");
    assert_string_equal(config_user(config), "");
    assert_false(config_enforce(config));
    assert_int_equal(config_pattern_count(config), 2);
    assert_string_equal(config_pattern_at(config, 0), "a\"5\\.");
    assert_string_equal(config_pattern_at(config, 1), "b # 4294967297 /* 0x10 */");
    config_free(&config);
    assert_refused(
        "@include on a line of its own in a string", "user = \"a\n@include \\\"x\\\"\";\n",
        "postern.conf:1: user is \"a?@include \"x\"\"; it must be the name of an account "
        "(letters, digits, '.', '_' and '-'), or \"\" to keep the present one");
}

static void test_recipient_limits(void **state)
{
    struct config *config = load_ok(
        "recipient limits",
        "recipient_limits = { outbound = false; lanes = [2, 30]; learned_lifetime = 60;\n"
        "  patterns = (\"zu viele\", \"^552 [^.]+ [0-9]{2}$\");\n"
        "  inbound = ( { limit = 100; },\n"
        "    { networks = (\"192.0.2.0/24\", \"2001:db8::/32\", \"::1\"); logins = (\"Anna\", "
        "\"*\");\n"
        "      sender_domains = (\"A.Example\", \".a.example\"); recipient_domains = (\"*\");\n"
        "      limit = 20; action = \"reject\"; },\n"
        "    { limit = 5; action = \"defer\"; logins = [\"b\"]; } );\n"
        "};\nmilters = { rcptlimit = { socket = \"inet:1@h\"; }; };\npolicy = { socket = \"\"; "
        "};\n");
    static const uint32_t lanes[] = {2, 30};
    const struct config_inbound *rule = config_inbound_at(config, 1);

    (void)state;
    assert_false(config_outbound_limits(config));
    assert_lanes(config, lanes, 2);
    assert_int_equal(config_learned_lifetime(config), 60);
    assert_int_equal(config_pattern_count(config), 2);
    assert_string_equal(config_pattern_at(config, 0), "zu viele");
    assert_int_equal(config_inbound_count(config), 3);
    assert_int_equal(rule->network_count, 3);
    assert_string_equal(rule->networks[1], "2001:db8::/32");
    assert_int_equal(rule->login_count, 2);
    assert_string_equal(rule->logins[0], "Anna");
    assert_int_equal(rule->sender_domain_count, 2);
    assert_string_equal(rule->sender_domains[0], "a.example");
    assert_string_equal(rule->recipient_domains[0], "*");
    assert_int_equal(rule->limit, 20);
    assert_true(rule->reject);
    assert_false(config_inbound_at(config, 0)->reject);
    assert_int_equal(config_inbound_at(config, 0)->network_count, 0);
    assert_int_equal(config_inbound_at(config, 0)->recipient_domain_count, 0);
    assert_false(config_inbound_at(config, 2)->reject);
    assert_null(config_inbound_at(config, 3));
    assert_string_equal(config_rcptlimit_socket(config), "inet:1@h");
    assert_string_equal(config_policy_socket(config), "");
    assert_null(config_warning(config, 0));
    config_free(&config);
}

/* They stand where control.sock stands, wherever that is set in the file. */
/* Wherever it stands; what is set stays as it is set. */
static void test_directories_of_an_instance(void **state)
{
    struct config *config = load_ok("instance", "instance = \"out\";\n");

    (void)state;
    assert_string_equal(config_postfix_directory(config), "/etc/postfix-out");
    assert_string_equal(config_state_directory(config), "/var/lib/postern-out");
    assert_string_equal(config_runtime_directory(config), "/run/postern-out");
    assert_string_equal(config_policy_socket(config), "unix:/run/postern-out/policy.sock");
    assert_string_equal(config_earlyndr_socket(config), "unix:/run/postern-out/earlyndr.sock");
    assert_string_equal(config_log(config), "/var/log/mail.log");
    config_free(&config);

    config = load_ok("instance with directories",
                     "postfix = { config_directory = \"/srv/pf\"; };\n"
                     "state_directory = \"/var/lib/postern\";\ninstance = \"out\";\n");
    assert_string_equal(config_postfix_directory(config), "/srv/pf");
    assert_string_equal(config_state_directory(config), "/var/lib/postern");
    assert_string_equal(config_runtime_directory(config), "/run/postern-out");
    config_free(&config);
}

static void test_sockets_are_in_runtime_directory(void **state)
{
    struct config *config = load_ok("sockets", "policy = { };\nruntime_directory = \"/r\";\n");

    (void)state;
    assert_string_equal(config_policy_socket(config), "unix:/r/policy.sock");
    assert_string_equal(config_rcptlimit_socket(config), "unix:/r/rcptlimit.sock");
    config_free(&config);
}

static void test_group_of(void **state)
{
    static const char file[] =
        "destinations = (\n"
        " { name = \"exact\"; domains = (\"Partner.Example\", \"[192.0.2.1]\", "
        "\"[IPv6:2001:DB8::1]\","
        " \"m\xc3\xbcnchen.example\"); },\n"
        " { name = \"below\"; domains = (\".partner.example\"); },\n"
        " { name = \"deeper\"; domains = (\".eu.partner.example\"); },\n"
        " { name = \"top\"; domains = (\".example\", \"example\"); }%s\n);\n";
    static const struct {
        const char *domain, *want;
    } cases[] = {
        {"partner.example", "exact"},
        {"PARTNER.example", "exact"},
        {"mx.partner.example", "below"},
        {"MX.Partner.EXAMPLE", "below"},
        {"eu.partner.example", "below"},
        {"mx.eu.partner.example", "deeper"},
        {"a.b.eu.partner.example", "deeper"},
        {"a.b.us.partner.example", "below"},
        {"notpartner.example", "top"},
        {"example", "top"},
        {"[192.0.2.1]", "exact"},
        {"[192.0.2.2]", NULL},
        {"[ipv6:2001:db8::1]", "exact"},
        {"m\xc3\xbcnchen.example", "exact"},
        {"partner.example.org", NULL},
        {"partner.example.", NULL},
        {"example.com", NULL},
        {"*", NULL},
        {"", NULL},
    };
    static const char *const tails[] = {"", ", { name = \"rest\"; domains = (\"*\"); }"};

    (void)state;
    for (size_t with_rest = 0; with_rest < 2; with_rest++) {
        char text[1024];
        struct config *config;

        snprintf(text, sizeof(text), file, tails[with_rest]);
        config = load_ok("group_of", text);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            const struct config_group *is = config_group_of(config, slice_of(cases[i].domain));
            const char *want = cases[i].want;

            if (want == NULL && with_rest)
                want = "rest";
            if ((is != NULL) != (want != NULL) || (is != NULL && strcmp(is->name, want) != 0))
                fail_msg("\"%s\" is in %s, want %s", cases[i].domain, is ? is->name : "none",
                         want ? want : "none");
        }
        config_free(&config);
    }
}

/* Two tricks of strangers: a domain beyond any limit, and one with a NUL byte in it. */
static void test_group_of_odd_domains(void **state)
{
    struct config *config = load_ok("rest", GROUP("\"a.example\", \"*\""));
    char longest[256];

    (void)state;
    memset(longest, 'x', sizeof(longest));
    assert_non_null(config_group_of(config, (struct slice){longest, 255}));
    assert_null(config_group_of(config, (struct slice){longest, 256}));
    assert_null(config_group_of(config, (struct slice){"a.example\0b", 11}));
    assert_non_null(config_group_of(config, (struct slice){NULL, 0}));
    config_free(&config);
}

static void test_many_groups(void **state)
{
    enum { COUNT = 2000 };
    size_t size = COUNT * 80 + 64, len;
    char *text = malloc(size);
    struct config *config;

    (void)state;
    assert_non_null(text);
    len = (size_t)snprintf(text, size, "destinations = (\n");
    for (int i = 0; i < COUNT; i++)
        len += (size_t)snprintf(text + len, size - len,
                                "%s{ name = \"g%d\"; domains = (\"d%d.example\"); }\n",
                                i > 0 ? "," : "", i, i);
    snprintf(text + len, size - len, ");\n");
    config = load_ok("many", text);
    for (int i = 0; i < COUNT; i++) {
        char domain[32];

        snprintf(domain, sizeof(domain), "D%d.example", i);
        assert_ptr_equal(config_group_of(config, slice_of(domain)),
                         config_group_at(config, (size_t)i));
    }
    config_free(&config);
    free(text);
}

static void test_domain_syntax(void **state)
{
    static const struct {
        const char *text;
        bool domain;
    } cases[] = {
        {"example", true},
        {"a.example", true},
        {"_dmarc.a-b.example", true},
        {"1.2.3.4", true},
        {"xn--mnchen-3ya.example", true},
        {"m\xc3\xbcnchen.example", true},
        {".example", true},
        {"*", true},
        {"[192.0.2.1]", true},
        {"[IPv6:2001:db8::1]", true},
        {"[ipv6:::ffff:192.0.2.1]", true},
        {"", false},
        {".", false},
        {"..example", false},
        {"a..example", false},
        {"a.example.", false},
        {"*.example", false},
        {"a b", false},
        {"a\tb", false},
        {"user@example", false},
        {"a\xc2\xa0.example", false},
        {"a\xff.example", false},
        {"\xc0\xae.example", false},
        {"[192.0.2.256]", false},
        {"[2001:db8::1]", false},
        {"[IPv6:192.0.2.1]", false},
        {"[]", false},
        {"[192.0.2.1", false},
        {".[192.0.2.1]", false},
        {"[192.0.2.1].example", false},
        {"012345678901234567890123456789012345678901234567890123456789012.example", true},
        {"0123456789012345678901234567890123456789012345678901234567890123.example", false},
    };
    char longest[CONFIG_DOMAIN_MAX + 2];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (config_syntax_domain(cases[i].text) != cases[i].domain)
            fail_msg("domain \"%s\": want %d", cases[i].text, cases[i].domain);
    }
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = i % 2 == 0 ? 'a' : '.';
    longest[CONFIG_DOMAIN_MAX + 1] = '\0';
    assert_false(config_syntax_domain(longest));
    longest[CONFIG_DOMAIN_MAX] = '\0';
    assert_true(config_syntax_domain(longest));
}

static void test_network_syntax(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"192.0.2.1", true},
        {"192.0.2.0/24", true},
        {"192.0.2.128/25", true},
        {"0.0.0.0/0", true},
        {"192.0.2.1/32", true},
        {"2001:db8::1", true},
        {"2001:db8::/32", true},
        {"::/0", true},
        {"::ffff:192.0.2.0/120", true},
        {"192.0.2.1/24", false},
        {"192.0.2.128/24", false},
        {"2001:db8::1/64", false},
        {"192.0.2.0/33", false},
        {"2001:db8::/129", false},
        {"192.0.2.0/", false},
        {"192.0.2.0/+24", false},
        {"192.0.2.0/024", false},
        {"192.0.2.0/24/8", false},
        {"192.0.2.0/24 ", false},
        {"192.0.2", false},
        {"[2001:db8::1]", false},
        {"localhost", false},
        {"", false},
        {"/24", false},
        {"192.0.2.0/4294967320", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (config_syntax_network(cases[i].text) != cases[i].want)
            fail_msg("network \"%s\": want %d", cases[i].text, cases[i].want);
    }
}

static void test_socket_syntax(void **state)
{
    static const struct {
        const char *text;
        bool milter, policy;
    } cases[] = {
        {"unix:/run/postern/x.sock", true, true},
        {"inet:8891@127.0.0.1", true, false},
        {"inet:8891@mail.example", true, false},
        {"inet6:8891@[::1]", true, false},
        {"inet:127.0.0.1:8891", false, true},
        {"inet:[::1]:8891", false, true},
        {"inet:localhost:65535", false, true},
        {"inet:localhost:65536", false, false},
        {"inet:0@localhost", false, false},
        {"inet:8891", false, false},
        {"inet:8891@", false, false},
        {"inet:@localhost", false, false},
        {"inet::8891", false, false},
        {"unix:run/x.sock", false, false},
        {"unix:/", false, false},
        {"unix:/a b", false, false},
        {"/run/x.sock", false, false},
        {"", true, true},
    };
    char longest[128];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (config_syntax_milter_socket_or_none(cases[i].text) != cases[i].milter)
            fail_msg("milter \"%s\": want %d", cases[i].text, cases[i].milter);
        if (config_syntax_policy_socket(cases[i].text) != cases[i].policy)
            fail_msg("policy \"%s\": want %d", cases[i].text, cases[i].policy);
    }
    assert_false(config_syntax_milter_socket_or_none("unix:"));
    /* sun_path holds 107 bytes and a NUL */
    snprintf(longest, sizeof(longest), "unix:/%0106d", 0);
    assert_true(config_syntax_milter_socket_or_none(longest));
    snprintf(longest, sizeof(longest), "unix:/%0107d", 0);
    assert_false(config_syntax_milter_socket_or_none(longest));
}

/* Only this machine is told, and a name may lead elsewhere. */
static void test_loopback(void **state)
{
    static const char *const good[] = {"", "127.0.0.1:9154", "127.1.2.3:1", "[::1]:65535"};
    static const char *const bad[] = {
        "0.0.0.0:9154", "192.0.2.1:9154",  "localhost:9154", "127.0.0.1",        "127.0.0.1:0",
        "127.0.0.1:",   "127.0.0.1:65536", "[::]:9154",      "::1:9154",         "[::1]",
        "127.1:9154",   ":9154",           "9154",           "[127.0.0.1]:9154", "127.0.0.1:9154 "};
    struct config *config;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (!config_syntax_loopback(good[i]))
            fail_msg("\"%s\" is refused", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (config_syntax_loopback(bad[i]))
            fail_msg("\"%s\" is accepted", bad[i]);
    config = load_ok("metrics", "metrics = { listen = \"127.0.0.1:9154\"; };\n");
    assert_string_equal(config_metrics_listen(config), "127.0.0.1:9154");
    config_free(&config);
}

static void test_include(void **state)
{
    struct config *config;

    (void)state;
    write_file("retry.conf", "open_interval = 77;\nhold_after = 5;"); /* no newline at the end */
    write_file("more.conf", "@include \"partner.conf\"\n");
    write_file("partner.conf", "destinations = ( { name = \"p\"; domains = (\"p\"); } );\n");
    config = load_ok("include", "@include \"more.conf\"\nretry = {\n"
                                "  @include \"retry.conf\" max_open_retries = 1;\n\n"
                                "  warn_after_retries = 1; };\n");
    assert_int_equal(config_retry(config)->open_interval, 77);
    assert_int_equal(config_retry(config)->hold_after, 5);
    assert_int_equal(config_retry(config)->max_open_retries, 1);
    assert_int_equal(config_group_count(config), 1);
    assert_non_null(strstr(config_warning(config, 0), "/postern.conf:5: warn_after_retries is 1"));
    config_free(&config);
}

static void test_include_of_absolute_path(void **state)
{
    char text[512];
    struct config *config;

    (void)state;
    write_file("user.conf", "user = \"mail\";\n");
    snprintf(text, sizeof(text), "@include \"%s/user.conf\"\n", folder);
    config = load_ok("absolute include", text);
    assert_string_equal(config_user(config), "mail");
    config_free(&config);
}

static void test_include_mistakes(void **state)
{
    char want[512];

    (void)state;
    write_file("bad.conf", "\n\nenforce = 3;\n");
    assert_refused("mistake in an included file", "user = \"a\";\n@include \"bad.conf\"\n",
                   "bad.conf:3: enforce is 3; it must be true or false");
    assert_refused("after an include", "@include \"bad.conf\"\n\nuser = 5 6;\n",
                   "postern.conf:3: syntax error; here or just before; a setting is written "
                   "NAME = VALUE;");
    write_file("bad.conf", "retry = {\n x = = \n };\n");
    assert_refused("syntax of an included file", "\n@include \"bad.conf\"\n",
                   "bad.conf:2: syntax error; here or just before; a setting is written NAME = "
                   "VALUE;");
    snprintf(want, sizeof(want),
             "postern.conf:2: cannot read %s/none.conf: No such file or directory", folder);
    assert_refused("missing", "\n@include \"none.conf\"\n", want);
    snprintf(want, sizeof(want), "postern.conf:1: cannot read %s/.: Is a directory", folder);
    assert_refused("a directory", "@include \".\"\n", want);
    assert_refused("itself", "user = \"x\";\n @include \"postern.conf\"\n",
                   "postern.conf:2: @include nested too deep; 10 levels are the limit");
}

/* A file beside the sources; `make check` says where those are. */
static char *read_source_file(const char *name)
{
    const char *srcdir = getenv("srcdir");
    char *text = NULL;
    size_t size = 0;
    char full[512];
    FILE *in;

    snprintf(full, sizeof(full), "%s/%s", srcdir != NULL ? srcdir : ".", name);
    in = fopen(full, "r");
    if (in == NULL)
        fail_msg("cannot read %s", full);
    assert_true(getdelim(&text, &size, '\0', in) > 0);
    fclose(in);
    return text;
}

/* Takes the '#' from every line that is not a remark: "# " and a word, or nothing. */
static void take_marks_off(char *text)
{
    bool line_begins = true;

    for (; *text != '\0'; text++) {
        bool remark = text[1] == '\n' || (text[1] == ' ' && text[2] != ' ');

        if (line_begins && *text == '#' && !remark)
            *text = ' ';
        line_begins = *text == '\n';
    }
}

static void test_sample_is_the_defaults(void **state)
{
    char *text = read_source_file("policy/postern.conf.sample");
    struct config *config = load_ok("sample", text);

    (void)state;
    assert_defaults(config);
    assert_int_equal(config_group_count(config), 0);
    assert_null(config_warning(config, 0));
    config_free(&config);

    take_marks_off(text);
    config = load_ok("sample with all settings", text);
    assert_defaults(config);
    assert_int_equal(config_group_count(config), 2);
    assert_null(config_warning(config, 0));
    assert_int_equal(config_early_network_count(config), 2);
    assert_int_equal(config_inbound_count(config), 3);
    assert_true(config_inbound_at(config, 2)->reject);
    assert_int_equal(config_group_at(config, 0)->retry.max_open_retries, 144);
    config_free(&config);
    free(text);
}

/* What the manual prints under EXAMPLES works as printed. */
static void test_examples_of_the_manual(void **state)
{
    static const char begin[] = ".Bd -literal -offset indent\n", end[] = ".Ed\n";
    char *manual = read_source_file("policy/postern.conf.5");
    char *example = strstr(manual, ".Sh EXAMPLES");
    char *stop = strstr(manual, ".Sh DIAGNOSTICS");
    int count = 0;

    (void)state;
    assert_true(example != NULL && stop != NULL);
    *stop = '\0';
    while ((example = strstr(example, begin)) != NULL) {
        char *close = strstr(example, end);
        struct config *config;

        assert_non_null(close);
        *close = '\0';
        config = load_ok("example", example + sizeof(begin) - 1);
        if (count == 0) {
            static const struct retry_policy kb = {144, 600, 2, 120, true, 2, 0};

            assert_policy(&config_group_of(config, slice_of("mx.partner.example"))->retry, &kb);
        }
        config_free(&config);
        example = close + 1;
        count++;
    }
    assert_int_equal(count, 12);
    free(manual);
}

/* A reload with a bad file, many times: nothing is lost (LeakSanitizer looks at the end). */
static void test_reload(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct config *config = load_ok("reload", CONTRACT);

        assert_refused(
            "cut off", "destinations = ( { name = \"g\"; domains = (\"a\", \"b c\"); } );",
            "postern.conf:1: destinations.domains holds \"b c\"; it must be " DOMAIN_WANTED);
        assert_defaults(config);
        config_free(&config);
        config_free(&config);
    }
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/postern.conf", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"postern.conf", "retry.conf", "more.conf",
                                        "partner.conf", "user.conf",  "bad.conf"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char full[512];

        snprintf(full, sizeof(full), "%s/%s", folder, names[i]);
        unlink(full);
    }
    return rmdir(folder);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_error_is_cut),
        cmocka_unit_test(test_nul_byte),
        cmocka_unit_test(test_empty_file_is_all_defaults),
        cmocka_unit_test(test_early_ndr),
        cmocka_unit_test(test_lanes_and_retrycap),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_contract_sample),
        cmocka_unit_test(test_table_allows_its_defaults),
        cmocka_unit_test(test_inheritance),
        cmocka_unit_test(test_ways_to_write_a_number),
        cmocka_unit_test(test_strings_are_left_alone),
        cmocka_unit_test(test_recipient_limits),
        cmocka_unit_test(test_directories_of_an_instance),
        cmocka_unit_test(test_sockets_are_in_runtime_directory),
        cmocka_unit_test(test_group_of),
        cmocka_unit_test(test_group_of_odd_domains),
        cmocka_unit_test(test_many_groups),
        cmocka_unit_test(test_domain_syntax),
        cmocka_unit_test(test_network_syntax),
        cmocka_unit_test(test_socket_syntax),
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_include),
        cmocka_unit_test(test_include_of_absolute_path),
        cmocka_unit_test(test_include_mistakes),
        cmocka_unit_test(test_sample_is_the_defaults),
        cmocka_unit_test(test_examples_of_the_manual),
        cmocka_unit_test(test_reload),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
