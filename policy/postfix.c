#include "postfix.h"

#include "child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { POSTCONF_TIMEOUT_MS = 30000, ERROR_MAX = 256, WORDS_MAX = 40 };

/* What one call of postconf(1) asks for, and where the answers go. */
enum parameter {
    COMMAND_DIRECTORY,
    DAEMON_DIRECTORY,
    QUEUE_DIRECTORY,
    MAIL_OWNER,
    SETGID_GROUP,
    SENDMAIL_PATH,
    MAIL_VERSION,
    TRANSPORT_MAPS,
    QUEUE_LIFETIME,
    PARENT_MATCHES,
    CONTENT_FILTER,
    RELAYHOST,
    DEFAULT_TRANSPORT,
    RECIPIENT_LIMIT, /* known only while master.cf has a service "smtp" */
    DEFAULT_RECIPIENT_LIMIT,
    SENDER_RELAYHOSTS,
    SENDER_TRANSPORTS,
    DEFER_TRANSPORTS,
    SYSLOG_NAME,
    MYHOSTNAME,
    MYDESTINATION,
    RELAY_DOMAINS,
    RELAY_TRANSPORT,
    VIRTUAL_DOMAINS,
    VIRTUAL_TRANSPORT,
    MYNETWORKS,
    NON_SMTPD_MILTERS,
    INTERNAL_FILTERS,
    LOG_ADDRESSES, /* Postfix 3.5 */
    PARAMETERS
};

static const char *const parameter_names[PARAMETERS] = {
    [COMMAND_DIRECTORY] = "command_directory",
    [DAEMON_DIRECTORY] = "daemon_directory",
    [QUEUE_DIRECTORY] = "queue_directory",
    [MAIL_OWNER] = "mail_owner",
    [SETGID_GROUP] = "setgid_group",
    [SENDMAIL_PATH] = "sendmail_path",
    [MAIL_VERSION] = "mail_version",
    [TRANSPORT_MAPS] = "transport_maps",
    [QUEUE_LIFETIME] = "maximal_queue_lifetime",
    [PARENT_MATCHES] = "parent_domain_matches_subdomains",
    [CONTENT_FILTER] = "content_filter",
    [RELAYHOST] = "relayhost",
    [DEFAULT_TRANSPORT] = "default_transport",
    [RECIPIENT_LIMIT] = "smtp_destination_recipient_limit",
    [DEFAULT_RECIPIENT_LIMIT] = "default_destination_recipient_limit",
    [SENDER_RELAYHOSTS] = "sender_dependent_relayhost_maps",
    [SENDER_TRANSPORTS] = "sender_dependent_default_transport_maps",
    [DEFER_TRANSPORTS] = "defer_transports",
    [SYSLOG_NAME] = "syslog_name",
    [MYHOSTNAME] = "myhostname",
    [MYDESTINATION] = "mydestination",
    [RELAY_DOMAINS] = "relay_domains",
    [RELAY_TRANSPORT] = "relay_transport",
    [VIRTUAL_DOMAINS] = "virtual_mailbox_domains",
    [VIRTUAL_TRANSPORT] = "virtual_transport",
    [MYNETWORKS] = "mynetworks",
    [NON_SMTPD_MILTERS] = "non_smtpd_milters",
    [INTERNAL_FILTERS] = "internal_mail_filter_classes",
    [LOG_ADDRESSES] = "info_log_address_format",
};

struct postfix {
    char *values[PARAMETERS];
    char *config_directory;
    char *default_directory;
    char *postconf;
    char *postmap;
    char *postqueue;
    char *control;
    char *service_filters;
    char *services;
    uint32_t queue_lifetime;
    uint32_t recipient_limit;
    bool parent_matches_subdomains;
    bool directory_allowed;
    bool has_lmdb;
};

/* Runs a command of less than WORDS_MAX words; its output (malloc'ed), or NULL with error_r. */
static char *ask(const char *const *words, char *error_r, size_t size)
{
    char *argv[WORDS_MAX] = {NULL};
    char why[ERROR_MAX];
    char *output = NULL;
    for (size_t i = 0; words[i] != NULL && i < WORDS_MAX - 1; i++)
        argv[i] = (char *)(uintptr_t)words[i]; /* execve() does not write to them */
    struct child_command command = {.argv = argv, .timeout_ms = POSTCONF_TIMEOUT_MS};
    struct child_result *result = child_run(&command);
    if (result == NULL) {
        snprintf(error_r, size, "out of memory");
        return NULL;
    }
    if (result->end.status == 0) {
        output = strdup(result->output);
        if (output == NULL)
            snprintf(error_r, size, "out of memory");
    } else {
        child_explain(&result->end, why, sizeof(why));
        snprintf(error_r, size, "%s: %s", words[0], why);
    }
    free(result);
    return output;
}

/* The next line of *text, NUL-terminated in place, or NULL. */
static char *next_line(char **text)
{
    char *line = *text;
    if (*line == '\0')
        return NULL;
    char *end = strchr(line, '\n');
    *text = end != NULL ? end + 1 : line + strlen(line);
    if (end != NULL)
        *end = '\0';
    return line;
}

/* True when `word` is one of the words of a Postfix list. */
static bool list_has(const char *list, const char *word)
{
    size_t len = strlen(word);
    while (*(list += strspn(list, ", \t\r\n")) != '\0') {
        size_t n = strcspn(list, ", \t\r\n");
        if (n == len && memcmp(list, word, n) == 0)
            return true;
        list += n;
    }
    return false;
}

/* Lists are matched from the left, and "!name" says no (util/match_list.c). */
static bool parent_matches(const char *list)
{
    static const char name[] = "transport_maps";
    while (*(list += strspn(list, ", \t\r\n")) != '\0') {
        size_t n = strcspn(list, ", \t\r\n");
        bool no = *list == '!';
        if (n - no == sizeof(name) - 1 && memcmp(list + no, name, n - no) == 0)
            return !no;
        list += n;
    }
    return false;
}

/* As global/conv_time.c reads it: only the first character behind the digits counts. */
bool postfix_parse_time(const char *text, char unit, uint32_t *seconds_r)
{
    uint64_t value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10)
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (uint64_t)(text[i] - '0');
    if (text[digits] != '\0')
        unit = text[digits];
    switch (unit) {
    case 'w':
        value *= 7;
        /* fall through */
    case 'd':
        value *= 24;
        /* fall through */
    case 'h':
        value *= 60;
        /* fall through */
    case 'm':
        value *= 60;
        /* fall through */
    case 's':
        break;
    default:
        return false;
    }
    if (value > INT32_MAX)
        return false;
    *seconds_r = (uint32_t)value;
    return true;
}

/* Takes the value out of "name = value"; an empty value has no space behind the "=". */
static void take_value(struct postfix *postfix, char *line)
{
    char *equals = strstr(line, " =");
    if (equals == NULL)
        return;
    *equals = '\0';
    const char *value = equals + 2 + strspn(equals + 2, " ");
    for (int i = 0; i < PARAMETERS; i++)
        if (postfix->values[i] == NULL && strcmp(line, parameter_names[i]) == 0)
            postfix->values[i] = strdup(value);
}

/* What postconf(1) does not know everywhere, as Postfix takes it then. */
static void add_missing(struct postfix *postfix)
{
    const char *limit = postfix->values[DEFAULT_RECIPIENT_LIMIT];
    if (postfix->values[LOG_ADDRESSES] == NULL)
        postfix->values[LOG_ADDRESSES] = strdup("internal");
    if (postfix->values[RECIPIENT_LIMIT] == NULL && limit != NULL)
        postfix->values[RECIPIENT_LIMIT] = strdup(limit);
}

/* One call for all parameters, with $name expanded (-x, Postfix 2.10). */
static int ask_parameters(struct postfix *postfix, char *error_r, size_t size)
{
    const char *words[5 + PARAMETERS] = {"postconf", "-c", postfix->config_directory, "-x"};
    _Static_assert(sizeof(words) / sizeof(words[0]) <= WORDS_MAX, "one call asks for all");
    for (int i = 0; i < PARAMETERS; i++)
        words[4 + i] = parameter_names[i];
    char *output = ask(words, error_r, size);
    if (output == NULL)
        return -1;
    char *rest = output;
    for (char *line; (line = next_line(&rest)) != NULL;)
        take_value(postfix, line);
    free(output);
    add_missing(postfix);
    for (int i = 0; i < PARAMETERS; i++) {
        if (postfix->values[i] == NULL) {
            snprintf(error_r, size, "postconf does not know %s", parameter_names[i]);
            return -1;
        }
    }
    return 0;
}

/* The built-in default (-d) does not depend on any file. */
static int ask_default_directory(struct postfix *postfix, char *error_r, size_t size)
{
    static const char *const words[] = {"postconf", "-d", "-h", "config_directory", NULL};
    char *output = ask(words, error_r, size);
    if (output == NULL)
        return -1;
    output[strcspn(output, "\n")] = '\0';
    postfix->default_directory = output;
    return 0;
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* The name of the directory that Postfix itself would use; see the header. */
static int name_directory(struct postfix *postfix, const char *given, char *error_r, size_t size)
{
    bool is_default = same_file(given, postfix->default_directory);
    postfix->config_directory = strdup(is_default ? postfix->default_directory : given);
    if (postfix->config_directory == NULL) {
        snprintf(error_r, size, "out of memory");
        return -1;
    }
    size_t len = strlen(postfix->config_directory);
    while (len > 1 && postfix->config_directory[len - 1] == '/')
        postfix->config_directory[--len] = '\0';
    return 0;
}

/*
 * Postfix compares these values unexpanded, so they are asked for without -x. Without a default
 * main.cf nothing can be allowed in it.
 */
static void ask_directory_allowed(struct postfix *postfix)
{
    const char *words[] = {"postconf",
                           "-c",
                           postfix->default_directory,
                           "-h",
                           "alternate_config_directories",
                           "multi_instance_directories",
                           NULL};
    char why[ERROR_MAX];
    postfix->directory_allowed = strcmp(postfix->config_directory, postfix->default_directory) == 0;
    if (postfix->directory_allowed)
        return;
    char *output = ask(words, why, sizeof(why));
    if (output != NULL)
        postfix->directory_allowed = list_has(output, postfix->config_directory);
    free(output);
}

static int ask_table_types(struct postfix *postfix, char *error_r, size_t size)
{
    const char *words[] = {postfix->postconf, "-c", postfix->config_directory, "-m", NULL};
    char *output = ask(words, error_r, size);
    if (output == NULL)
        return -1;
    postfix->has_lmdb = list_has(output, "lmdb");
    free(output);
    return 0;
}

/* Many sites set content_filter for some services of master.cf only. */
static void ask_service_filters(struct postfix *postfix)
{
    const char *words[] = {postfix->postconf,    "-c", postfix->config_directory, "-P",
                           "*/*/content_filter", NULL};
    char why[ERROR_MAX];
    postfix->service_filters = ask(words, why, sizeof(why));
}

/* Without an answer no service counts as being there. */
static void ask_services(struct postfix *postfix)
{
    const char *words[] = {postfix->postconf, "-c", postfix->config_directory, "-M", NULL};
    char why[ERROR_MAX];
    postfix->services = ask(words, why, sizeof(why));
}

/* directory/name, or NULL. */
static char *path_of(const char *directory, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

/* As global/mail_conf_int.c reads it: digits, in an int. False when it is something else. */
static bool parse_number(const char *text, uint32_t *number_r)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] != '\0' || digits > 10)
        return false;
    unsigned long long number = strtoull(text, NULL, 10);
    *number_r = (uint32_t)number;
    return number <= INT32_MAX;
}

/* The parameters that are no strings. */
static int derive_numbers(struct postfix *postfix, char *error_r, size_t size)
{
    const char *lifetime = postfix->values[QUEUE_LIFETIME];
    const char *limit = postfix->values[RECIPIENT_LIMIT];
    if (!postfix_parse_time(lifetime, 'd', &postfix->queue_lifetime)) {
        snprintf(error_r, size, "%s/main.cf: maximal_queue_lifetime = %s is not a time",
                 postfix->config_directory, lifetime);
        return -1;
    }
    if (!parse_number(limit, &postfix->recipient_limit)) {
        snprintf(error_r, size, "%s/main.cf: smtp_destination_recipient_limit = %s is not a number",
                 postfix->config_directory, limit);
        return -1;
    }
    return 0;
}

/* What follows from the parameters. */
static int derive(struct postfix *postfix, char *error_r, size_t size)
{
    const char *commands = postfix->values[COMMAND_DIRECTORY];
    postfix->postconf = path_of(commands, "postconf");
    postfix->postmap = path_of(commands, "postmap");
    postfix->postqueue = path_of(commands, "postqueue");
    postfix->control = path_of(commands, "postfix");
    if (postfix->postconf == NULL || postfix->postmap == NULL || postfix->postqueue == NULL ||
        postfix->control == NULL) {
        snprintf(error_r, size, "out of memory");
        return -1;
    }
    postfix->parent_matches_subdomains = parent_matches(postfix->values[PARENT_MATCHES]);
    return derive_numbers(postfix, error_r, size);
}

struct postfix *postfix_open(const char *config_directory, char *error_r, size_t size)
{
    struct postfix *postfix = calloc(1, sizeof(*postfix));
    if (postfix == NULL) {
        snprintf(error_r, size, "out of memory");
        return NULL;
    }
    if (ask_default_directory(postfix, error_r, size) < 0 ||
        name_directory(postfix, config_directory, error_r, size) < 0 ||
        ask_parameters(postfix, error_r, size) < 0 || derive(postfix, error_r, size) < 0 ||
        ask_table_types(postfix, error_r, size) < 0)
        postfix_free(&postfix);
    else {
        ask_directory_allowed(postfix);
        ask_service_filters(postfix);
        ask_services(postfix);
    }
    return postfix;
}

void postfix_free(struct postfix **postfix)
{
    struct postfix *p = *postfix;
    if (p == NULL)
        return;
    for (int i = 0; i < PARAMETERS; i++)
        free(p->values[i]);
    free(p->config_directory);
    free(p->default_directory);
    free(p->postconf);
    free(p->postmap);
    free(p->postqueue);
    free(p->control);
    free(p->service_filters);
    free(p->services);
    free(p);
    *postfix = NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool postfix_update(struct postfix *postfix, struct postfix **newer)
{
    struct postfix swap = *postfix;
    bool differs = !same_text(postfix->service_filters, (*newer)->service_filters) ||
                   !same_text(postfix->services, (*newer)->services);
    for (int i = 0; i < PARAMETERS; i++)
        differs |= !same_text(postfix->values[i], (*newer)->values[i]);
    if (differs) {
        *postfix = **newer;
        **newer = swap;
    }
    postfix_free(newer);
    return differs;
}

bool postfix_version_at_least(const struct postfix *postfix, unsigned major, unsigned minor)
{
    unsigned its_major = 0, its_minor = 0;
    if (sscanf(postfix->values[MAIL_VERSION], "%u.%u", &its_major, &its_minor) != 2)
        return false;
    return its_major > major || (its_major == major && its_minor >= minor);
}

const char *postfix_config_directory(const struct postfix *postfix)
{
    return postfix->config_directory;
}

bool postfix_config_directory_allowed(const struct postfix *postfix)
{
    return postfix->directory_allowed;
}

const char *postfix_default_directory(const struct postfix *postfix)
{
    return postfix->default_directory;
}

const char *postfix_postconf(const struct postfix *postfix)
{
    return postfix->postconf;
}

const char *postfix_postmap(const struct postfix *postfix)
{
    return postfix->postmap;
}

const char *postfix_postqueue(const struct postfix *postfix)
{
    return postfix->postqueue;
}

const char *postfix_sendmail(const struct postfix *postfix)
{
    return postfix->values[SENDMAIL_PATH];
}

const char *postfix_control(const struct postfix *postfix)
{
    return postfix->control;
}

const char *postfix_daemon_directory(const struct postfix *postfix)
{
    return postfix->values[DAEMON_DIRECTORY];
}

const char *postfix_queue_directory(const struct postfix *postfix)
{
    return postfix->values[QUEUE_DIRECTORY];
}

const char *postfix_mail_owner(const struct postfix *postfix)
{
    return postfix->values[MAIL_OWNER];
}

const char *postfix_setgid_group(const struct postfix *postfix)
{
    return postfix->values[SETGID_GROUP];
}

const char *postfix_transport_maps(const struct postfix *postfix)
{
    return postfix->values[TRANSPORT_MAPS];
}

const char *postfix_relayhost(const struct postfix *postfix)
{
    return postfix->values[RELAYHOST];
}

const char *postfix_default_transport(const struct postfix *postfix)
{
    return postfix->values[DEFAULT_TRANSPORT];
}

uint32_t postfix_smtp_recipient_limit(const struct postfix *postfix)
{
    return postfix->recipient_limit;
}

const char *postfix_mydestination(const struct postfix *postfix)
{
    return postfix->values[MYDESTINATION];
}

const char *postfix_relay_domains(const struct postfix *postfix)
{
    return postfix->values[RELAY_DOMAINS];
}

const char *postfix_relay_transport(const struct postfix *postfix)
{
    return postfix->values[RELAY_TRANSPORT];
}

const char *postfix_virtual_domains(const struct postfix *postfix)
{
    return postfix->values[VIRTUAL_DOMAINS];
}

const char *postfix_virtual_transport(const struct postfix *postfix)
{
    return postfix->values[VIRTUAL_TRANSPORT];
}

const char *postfix_parent_matches(const struct postfix *postfix)
{
    return postfix->values[PARENT_MATCHES];
}

const char *postfix_services(const struct postfix *postfix)
{
    return postfix->services ? postfix->services : "";
}

const char *postfix_sender_relayhosts(const struct postfix *postfix)
{
    return postfix->values[SENDER_RELAYHOSTS];
}

const char *postfix_sender_transports(const struct postfix *postfix)
{
    return postfix->values[SENDER_TRANSPORTS];
}

const char *postfix_defer_transports(const struct postfix *postfix)
{
    return postfix->values[DEFER_TRANSPORTS];
}

const char *postfix_syslog_name(const struct postfix *postfix)
{
    return postfix->values[SYSLOG_NAME];
}

const char *postfix_myhostname(const struct postfix *postfix)
{
    return postfix->values[MYHOSTNAME];
}

const char *postfix_mynetworks(const struct postfix *postfix)
{
    return postfix->values[MYNETWORKS];
}

const char *postfix_non_smtpd_milters(const struct postfix *postfix)
{
    return postfix->values[NON_SMTPD_MILTERS];
}

const char *postfix_internal_filters(const struct postfix *postfix)
{
    return postfix->values[INTERNAL_FILTERS];
}

const char *postfix_version(const struct postfix *postfix)
{
    return postfix->values[MAIL_VERSION];
}

uint32_t postfix_queue_lifetime(const struct postfix *postfix)
{
    return postfix->queue_lifetime;
}

bool postfix_parent_matches_subdomains(const struct postfix *postfix)
{
    return postfix->parent_matches_subdomains;
}

bool postfix_has_lmdb(const struct postfix *postfix)
{
    return postfix->has_lmdb;
}

bool postfix_logs_external(const struct postfix *postfix)
{
    return strcmp(postfix->values[LOG_ADDRESSES], "external") == 0;
}

const char *postfix_content_filter(const struct postfix *postfix)
{
    return postfix->values[CONTENT_FILTER];
}

const char *postfix_service_filters(const struct postfix *postfix)
{
    return postfix->service_filters ? postfix->service_filters : "";
}
