#include "config_table.h"

#include <stdio.h>
#include <string.h>

#include "classify_pattern.h"
#include "config_syntax.h"

/*
 * A socket address holds 107 bytes of path (unix(7)): what is left for the folder of control.sock.
 * PATH_MAX (4096) bounds the other folders.
 */
enum { DIRECTORY_MAX = 4000, SOCKET_DIRECTORY_MAX = 107 - (int)sizeof("control.sock") };
enum { RETRIES_MAX = 1000000, INTERVAL_MAX = 30 * 86400, LIFETIME_MAX = 365 * 86400 };

static const char *const EARLY_NDR_MODES[] = {"refuse", "ndr", "off", NULL};
static const char *const LANES[] = {"suspect", "proven", "off", NULL};
static const char *const WHEN_DOWN[] = {"accept", "warn", "tempfail", "refuse-over-cap", NULL};
static const char *const ACTIONS[] = {"defer", "reject", NULL};

static const struct setting_form PATH = {
    .valid = config_syntax_path,
    .wanted = "an absolute path without blanks, quotes, commas or '$'"};
static const struct setting_form LOG = {
    .valid = config_syntax_log,
    .wanted = "an absolute path without blanks, quotes, commas or '$', or \"journal\""};
static const struct setting_form INSTANCE = {
    .valid = config_syntax_instance,
    .wanted = "the name of a Postfix instance without its \"postfix-\" (letters, digits, '.', '_' "
              "and '-'), or \"\" for the default one"};
static const struct setting_form USER = {
    .valid = config_syntax_user,
    .wanted = "the name of an account (letters, digits, '.', '_' and '-'), or \"\" to keep the "
              "present one"};
static const struct setting_form NAME = {
    .valid = config_syntax_name,
    .wanted = "1 to 64 printable ASCII characters without blanks or quotes"};
static const struct setting_form DOMAIN = {
    .valid = config_syntax_domain,
    .wanted = "a domain \"d\", \".d\" for what is below d, \"[192.0.2.1]\", or \"*\" for the rest",
    .fold = true};
static const struct setting_form NETWORK = {
    .valid = config_syntax_network,
    .wanted = "an address, or a network \"192.0.2.0/24\" or \"2001:db8::/32\" with nothing behind "
              "its prefix"};
static const struct setting_form LOGIN = {
    .valid = config_syntax_login,
    .wanted = "a login name of at most 255 bytes without control characters, or \"*\" for any"};
static const struct setting_form MILTER_SOCKET_OR_NONE = {
    .valid = config_syntax_milter_socket_or_none,
    .wanted = "\"unix:/path\", \"inet:PORT@HOST\", \"inet6:PORT@HOST\", or \"\" for none"};
static const struct setting_form POLICY_SOCKET = {
    .valid = config_syntax_policy_socket,
    .wanted = "\"unix:/path\", \"inet:HOST:PORT\", or \"\" for none"};
static const struct setting_form LOOPBACK = {
    .valid = config_syntax_loopback,
    .wanted =
        "a loopback address and a port, \"127.0.0.1:9154\" or \"[::1]:9154\", or \"\" for none"};
static const struct setting_form REGEXP = {.explain = classify_pattern_check,
                                           .wanted = "a POSIX extended regular expression"};
static const struct setting_form MODE = {.words = EARLY_NDR_MODES,
                                         .wanted = "\"refuse\", \"ndr\" or \"off\""};
static const struct setting_form LANE = {.words = LANES,
                                         .wanted = "\"suspect\", \"proven\" or \"off\""};
static const struct setting_form DOWN = {.words = WHEN_DOWN,
                                         .wanted = "\"accept\", \"warn\", \"tempfail\" or "
                                                   "\"refuse-over-cap\""};
static const struct setting_form ACTION = {.words = ACTIONS, .wanted = "\"defer\" or \"reject\""};

#define KEEP(member) offsetof(struct config, member)
#define GROUP(member) offsetof(struct config_group, member)
#define INBOUND(member) offsetof(struct config_inbound, member)
#define DROP SETTING_NOT_KEPT

#define ROW(scope_, name_, type_, ...)                                                             \
    {                                                                                              \
        .scope = scope_, .name = name_, .type = type_, __VA_ARGS__                                 \
    }
#define SECTION(scope, name, bits) ROW(scope, name, SETTING_SECTION, .offset = DROP, .flags = bits)
#define SECTIONS(scope, name, kept, counted, entry)                                                \
    ROW(scope, name, SETTING_SECTIONS, .most = 100000, .offset = kept, .count_offset = counted,    \
        .entry_size = sizeof(entry))
#define NUMBER(scope, name, low, high, number, kept, bits)                                         \
    ROW(scope, name, SETTING_NUMBER, .least = low, .most = high, .value = number, .offset = kept,  \
        .flags = bits)
#define NUMBERS(scope, name, low, high, numbers, kept, counted)                                    \
    ROW(scope, name, SETTING_NUMBERS, .least = low, .most = high, .text = numbers, .offset = kept, \
        .count_offset = counted)
#define FRACTION(scope, name, low, high, number, kept)                                             \
    ROW(scope, name, SETTING_FRACTION, .least = low, .most = high, .text = number, .offset = kept)
#define SWITCH(scope, name, on, kept)                                                              \
    ROW(scope, name, SETTING_SWITCH, .most = 1, .value = on, .offset = kept)
#define TEXT(scope, name, low, high, string, kind, kept, bits)                                     \
    ROW(scope, name, SETTING_TEXT, .least = low, .most = high, .text = string, .form = &(kind),    \
        .offset = kept, .flags = bits)
#define WORD(scope, name, word, kind, kept)                                                        \
    ROW(scope, name, SETTING_WORD, .text = word, .form = &(kind), .offset = kept)
#define TEXTS(scope, name, low, high, kind, kept, counted, bits)                                   \
    ROW(scope, name, SETTING_TEXTS, .least = low, .most = high, .form = &(kind), .offset = kept,   \
        .count_offset = counted, .flags = bits)

/* clang-format off */
static const struct setting TABLE[] = {
    /* The directories follow from it, when the whole file was read: config.c. */
    TEXT("", "instance", 0, 32, "", INSTANCE, KEEP(instance), 0),
    SECTION("", "postfix", 0),
    TEXT("postfix", "config_directory", 1, DIRECTORY_MAX, NULL, PATH, KEEP(postfix_directory), 0),
    TEXT("postfix", "log", 1, DIRECTORY_MAX, "/var/log/mail.log", LOG, KEEP(log), 0),
    TEXT("", "state_directory", 1, DIRECTORY_MAX, NULL, PATH, KEEP(state_directory), 0),
    TEXT("", "runtime_directory", 1, SOCKET_DIRECTORY_MAX, NULL, PATH, KEEP(runtime_directory), 0),
    TEXT("", "user", 0, 64, "postern", USER, KEEP(user), 0),
    SWITCH("", "enforce", true, KEEP(enforce)),

    SECTION("", "retry", 0),
    NUMBER("retry", "max_open_retries", 0, RETRIES_MAX, 0, KEEP(retry.max_open_retries), 0),
    NUMBER("retry", "open_interval", 0, INTERVAL_MAX, 300, KEEP(retry.open_interval), 0),
    NUMBER("retry", "max_transfer_retries", 0, RETRIES_MAX, 0, KEEP(retry.max_transfer_retries), 0),
    NUMBER("retry", "transfer_interval", 0, INTERVAL_MAX, 0, KEEP(retry.transfer_interval), 0),
    SWITCH("retry", "count_suspended", true, KEEP(retry.count_suspended)),
    NUMBER("retry", "hold_after", 0, RETRIES_MAX, 2, KEEP(retry.hold_after), 0),
    NUMBER("retry", "warn_after_retries", 0, RETRIES_MAX, 0, KEEP(retry.warn_after_retries), 0),

    SECTION("", "unproven", 0),
    NUMBER("unproven", "max_open_retries", 0, RETRIES_MAX, 24, KEEP(unproven_max_open_retries), 0),

    /* What an entry does not name it takes from `retry`, not from here. */
    SECTIONS("", "destinations", KEEP(groups), KEEP(group_count), struct config_group),
    TEXT("destinations", "name", 1, 64, NULL, NAME, GROUP(name), SETTING_REQUIRED),
    TEXTS("destinations", "domains", 1, 1000000, DOMAIN, GROUP(domains),
          GROUP(domain_count), SETTING_REQUIRED),
    NUMBER("destinations", "max_open_retries", 0, RETRIES_MAX, 0, GROUP(retry.max_open_retries), 0),
    NUMBER("destinations", "open_interval", 0, INTERVAL_MAX, 0, GROUP(retry.open_interval), 0),
    NUMBER("destinations", "max_transfer_retries", 0, RETRIES_MAX, 0,
           GROUP(retry.max_transfer_retries), 0),
    NUMBER("destinations", "transfer_interval", 0, INTERVAL_MAX, 0, GROUP(retry.transfer_interval),
           0),
    SWITCH("destinations", "count_suspended", true, GROUP(retry.count_suspended)),
    NUMBER("destinations", "hold_after", 0, RETRIES_MAX, 0, GROUP(retry.hold_after), 0),
    NUMBER("destinations", "warn_after_retries", 0, RETRIES_MAX, 0, GROUP(retry.warn_after_retries),
           0),

    /* postconf(5): default_destination_recipient_limit is 50; no lane beyond 1000 makes sense. */
    SECTION("", "recipient_limits", 0),
    SWITCH("recipient_limits", "outbound", true, KEEP(outbound_limits)),
    NUMBERS("recipient_limits", "lanes", 1, 1000, "1 5 10 20", KEEP(lanes), KEEP(lane_count)),
    NUMBER("recipient_limits", "learned_lifetime", 1, LIFETIME_MAX, 86400, KEEP(learned_lifetime),
           0),
    TEXTS("recipient_limits", "patterns", 0, 1000, REGEXP, KEEP(patterns), KEEP(pattern_count), 0),
    SECTIONS("recipient_limits", "inbound", KEEP(inbound), KEEP(inbound_count),
             struct config_inbound),
    TEXTS("recipient_limits.inbound", "networks", 1, 100000, NETWORK, INBOUND(networks),
          INBOUND(network_count), 0),
    TEXTS("recipient_limits.inbound", "logins", 1, 100000, LOGIN, INBOUND(logins),
          INBOUND(login_count), 0),
    TEXTS("recipient_limits.inbound", "sender_domains", 1, 1000000, DOMAIN, INBOUND(sender_domains),
          INBOUND(sender_domain_count), 0),
    TEXTS("recipient_limits.inbound", "recipient_domains", 1, 1000000, DOMAIN,
          INBOUND(recipient_domains), INBOUND(recipient_domain_count), 0),
    NUMBER("recipient_limits.inbound", "limit", 1, 100000, 0, INBOUND(limit), SETTING_REQUIRED),
    WORD("recipient_limits.inbound", "action", "defer", ACTION, INBOUND(reject)),

    SECTION("", "early_ndr", 0),
    WORD("early_ndr", "mode", "refuse", MODE, KEEP(early.mode)),
    NUMBER("early_ndr", "lifetime", 1, LIFETIME_MAX, 86400, KEEP(early.lifetime), 0),
    NUMBER("early_ndr", "after", 0, INTERVAL_MAX, 10, KEEP(early.after), 0),
    NUMBER("early_ndr", "max_recipients", 1, 10000000, 100000, KEEP(early.max_recipients), 0),
    TEXTS("early_ndr", "networks", 1, 100000, NETWORK, KEEP(early_networks),
          KEEP(early_network_count), 0),
    SECTION("early_ndr", "guard", 0),
    NUMBER("early_ndr.guard", "sample", 1, 1000000, 20, KEEP(early.guard_sample), 0),
    FRACTION("early_ndr.guard", "ratio", 0, 1, "0.5", KEEP(early.guard_ratio)),
    NUMBER("early_ndr.guard", "window", 1, INTERVAL_MAX, 600, KEEP(early.guard_window), 0),

    WORD("", "lanes", "suspect", LANE, KEEP(lanes_mode)),
    NUMBER("", "probation_processes", 1, 100000, 250, KEEP(probation_processes), 0),

    SECTION("", "milters", 0),
    /* The sockets are in runtime_directory, which is known when the whole file was read: config.c. */
    SECTION("milters", "retrycap", 0),
    TEXT("milters.retrycap", "socket", 0, 512, NULL, MILTER_SOCKET_OR_NONE, KEEP(retrycap_socket),
         0),
    WORD("milters.retrycap", "when_down", "accept", DOWN, KEEP(when_down)),
    SECTION("milters", "earlyndr", 0),
    TEXT("milters.earlyndr", "socket", 0, 512, NULL, MILTER_SOCKET_OR_NONE, KEEP(earlyndr_socket),
         0),
    SECTION("milters", "rcptlimit", 0),
    TEXT("milters.rcptlimit", "socket", 0, 512, NULL, MILTER_SOCKET_OR_NONE, KEEP(rcptlimit_socket),
         0),

    SECTION("", "policy", 0),
    TEXT("policy", "socket", 0, 512, NULL, POLICY_SOCKET, KEEP(policy_socket), 0),

    SECTION("", "metrics", 0),
    TEXT("metrics", "listen", 0, 64, "", LOOPBACK, KEEP(metrics_listen), 0),
};
/* clang-format on */

enum { TABLE_LEN = sizeof(TABLE) / sizeof(TABLE[0]) };

const struct setting *setting_at(size_t index)
{
    return index < TABLE_LEN ? &TABLE[index] : NULL;
}

const struct setting *setting_find(const char *scope, const char *name)
{
    for (size_t i = 0; i < TABLE_LEN; i++) {
        if (strcmp(TABLE[i].scope, scope) == 0 && strcmp(TABLE[i].name, name) == 0)
            return &TABLE[i];
    }
    return NULL;
}

enum { NAME_MAX_BYTES = 32 };

static size_t least_of(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/*
 * Changes that make one name of the other: a letter more, less, other, or two swapped (the
 * restricted Damerau-Levenshtein distance). Both are at most NAME_MAX_BYTES long.
 */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][NAME_MAX_BYTES + 1];
    size_t *two_up = rows[0], *up = rows[1], *row = rows[2];
    size_t len = strlen(b);

    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t *spare = two_up;

        two_up = up;
        up = row;
        row = spare;
        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            row[j] = least_of(up[j] + 1, row[j - 1] + 1, up[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two_up[j - 2] + 1 < row[j])
                row[j] = two_up[j - 2] + 1;
        }
    }
    return row[len];
}

/* Up to three changes, and fewer than half of the letters: "user" is no slip for "log". */
const struct setting *setting_nearest(const char *scope, const char *name)
{
    const struct setting *best = NULL;
    size_t best_distance = 4;

    if (strlen(name) > NAME_MAX_BYTES)
        return NULL;
    for (size_t i = 0; i < TABLE_LEN; i++) {
        size_t d;

        if (strcmp(TABLE[i].scope, scope) != 0)
            continue;
        d = distance(name, TABLE[i].name);
        if (d < best_distance && d * 2 < strlen(TABLE[i].name)) {
            best = &TABLE[i];
            best_distance = d;
        }
    }
    return best;
}

void setting_path(const struct setting *setting, char buffer[SETTING_TEXT_MAX])
{
    snprintf(buffer, SETTING_TEXT_MAX, "%s%s%s", setting->scope,
             setting->scope[0] != '\0' ? "." : "", setting->name);
}

/* "a list of at least 1: each a domain ..." */
static void wanted_texts(const struct setting *setting, char buffer[SETTING_TEXT_MAX])
{
    snprintf(buffer, SETTING_TEXT_MAX, "a list ( \"...\", ... ), %seach %s",
             setting->least > 0 ? "not empty, " : "", setting->form->wanted);
}

void setting_wanted(const struct setting *setting, char buffer[SETTING_TEXT_MAX])
{
    long long least = (long long)setting->least, most = (long long)setting->most;

    switch (setting->type) {
    case SETTING_SECTION:
        snprintf(buffer, SETTING_TEXT_MAX, "a group { ... }");
        break;
    case SETTING_SECTIONS:
        snprintf(buffer, SETTING_TEXT_MAX, "a list of at most %lld groups ( { ... }, ... )", most);
        break;
    case SETTING_NUMBER:
        snprintf(buffer, SETTING_TEXT_MAX, "a whole number from %lld to %lld", least, most);
        break;
    case SETTING_NUMBERS:
        snprintf(buffer, SETTING_TEXT_MAX,
                 "an array [ ... ] of whole numbers from %lld to %lld, each above the one before",
                 least, most);
        break;
    case SETTING_FRACTION:
        snprintf(buffer, SETTING_TEXT_MAX, "a number from %lld to %lld", least, most);
        break;
    case SETTING_SWITCH:
        snprintf(buffer, SETTING_TEXT_MAX, "true or false");
        break;
    case SETTING_TEXT:
    case SETTING_WORD:
        snprintf(buffer, SETTING_TEXT_MAX, "%s", setting->form->wanted);
        break;
    case SETTING_TEXTS:
        wanted_texts(setting, buffer);
        break;
    }
}

bool setting_accepts(const struct setting *setting, const char *text, char why_r[SETTING_TEXT_MAX])
{
    const struct setting_form *form = setting->form;
    const char *const *word = form->words;

    why_r[0] = '\0';
    if (form->explain != NULL)
        return form->explain(text, why_r, SETTING_TEXT_MAX);
    if (word == NULL)
        return form->valid(text);
    while (*word != NULL && strcmp(*word, text) != 0)
        word++;
    return *word != NULL;
}

unsigned setting_word(const struct setting *setting, const char *word)
{
    unsigned number = 0;

    while (strcmp(setting->form->words[number], word) != 0)
        number++;
    return number;
}

bool setting_is_in_list(const struct setting *setting)
{
    for (size_t i = 0; i < TABLE_LEN; i++) {
        char path[SETTING_TEXT_MAX];

        setting_path(&TABLE[i], path);
        if (strcmp(path, setting->scope) == 0)
            return TABLE[i].type == SETTING_SECTIONS;
    }
    return false;
}
