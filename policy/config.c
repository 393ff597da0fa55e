#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_read.h"
#include "config_source.h"
#include "config_table.h"

/* "1 5 10 20" */
static bool set_numbers(const struct setting *row, struct config *config)
{
    uint32_t **place = (uint32_t **)(void *)((char *)config + row->offset);
    size_t *count = (size_t *)(void *)((char *)config + row->count_offset);
    char *at = (char *)(uintptr_t)row->text;

    *place = calloc(strlen(row->text), sizeof(**place));
    while (*place != NULL && *at != '\0')
        (*place)[(*count)++] = (uint32_t)strtoul(at, &at, 10);
    return *place != NULL;
}

static bool set_default(const struct setting *row, struct config *config)
{
    void *place = (char *)config + row->offset;

    if (row->type == SETTING_NUMBER)
        *(uint32_t *)place = (uint32_t)row->value;
    else if (row->type == SETTING_FRACTION)
        *(double *)place = strtod(row->text, NULL);
    else if (row->type == SETTING_WORD)
        *(unsigned *)place = setting_word(row, row->text);
    else if (row->type == SETTING_SWITCH)
        *(bool *)place = row->value != 0;
    else if (row->type == SETTING_NUMBERS)
        return set_numbers(row, config);
    else if (row->type == SETTING_TEXT && row->text != NULL)
        return (*(char **)place = strdup(row->text)) != NULL;
    return true;
}

/* Fills in what the table has defaults for. */
static bool set_defaults(struct config *config)
{
    const struct setting *row;

    for (size_t i = 0; (row = setting_at(i)) != NULL; i++) {
        if (row->offset != SETTING_NOT_KEPT && !setting_is_in_list(row) &&
            !set_default(row, config))
            return false;
    }
    return true;
}

/* What of it was not set is where the instance's name says, as postmulti(1) puts /etc/postfix-out.
 */
static bool set_directories(struct config *config)
{
    const struct {
        char **directory;
        const char *name;
    } directories[] = {
        {&config->postfix_directory, "/etc/postfix"},
        {&config->state_directory, "/var/lib/postern"},
        {&config->runtime_directory, "/run/postern"},
    };
    const char *dash = config->instance[0] ? "-" : "";

    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        char **directory = directories[i].directory;

        if (*directory == NULL &&
            asprintf(directory, "%s%s%s", directories[i].name, dash, config->instance) < 0)
            *directory = NULL;
        if (*directory == NULL)
            return false;
    }
    return true;
}

/* The sockets that were not set are in runtime_directory. */
static bool set_sockets(struct config *config)
{
    const struct {
        char **socket;
        const char *name;
    } sockets[] = {
        {&config->rcptlimit_socket, "rcptlimit.sock"},
        {&config->earlyndr_socket, "earlyndr.sock"},
        {&config->retrycap_socket, "retrycap.sock"},
        {&config->policy_socket, "policy.sock"},
    };

    for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
        if (*sockets[i].socket == NULL && asprintf(sockets[i].socket, "unix:%s/%s",
                                                   config->runtime_directory, sockets[i].name) < 0)
            *sockets[i].socket = NULL;
        if (*sockets[i].socket == NULL)
            return false;
    }
    return true;
}

/* What libconfig found wrong in the syntax, with what would be right. */
static bool fail_syntax(const struct config_reader *reader)
{
    static const struct {
        const char *text, *advice;
    } known[] = {
        {"syntax error", "here or just before; a setting is written NAME = VALUE;"},
        {"duplicate setting name", "each setting may be there once"},
        {"mismatched element type in array", "[ ] holds values of one type"},
    };
    const char *text = config_error_text(&reader->lib);

    if (text == NULL)
        text = "cannot be parsed";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(text, known[i].text) == 0)
            return config_read_fail_line(reader, (unsigned)config_error_line(&reader->lib),
                                         "%s; %s", text, known[i].advice);
    }
    return config_read_fail_line(reader, (unsigned)config_error_line(&reader->lib), "%s", text);
}

/* Every domain and every group name, for searching. */
static bool build_index(struct config *config)
{
    size_t count = 0;

    for (size_t i = 0; i < config->group_count; i++)
        count += config->groups[i].domain_count;
    config->domains = calloc(count + 1, sizeof(*config->domains));
    config->names = calloc(config->group_count + 1, sizeof(*config->names));
    if (config->domains == NULL || config->names == NULL)
        return false;
    for (size_t i = 0; i < config->group_count; i++) {
        const struct config_group *group = &config->groups[i];

        config->names[i] = (struct config_key){group->name, i, 0};
        for (size_t j = 0; j < group->domain_count; j++)
            config->domains[config->domain_count++] = (struct config_key){group->domains[j], i, j};
    }
    config_sort(config);
    return true;
}

/* The line to blame: the setting's, or where it is not in the file, that of what it stands in. */
static const config_setting_t *place_of_breach(const struct config_reader *reader,
                                               const struct config_breach *breach)
{
    const config_setting_t *at = config_root_setting(&reader->lib);
    const config_setting_t *section = config_setting_get_member(at, breach->section);
    const config_setting_t *setting;

    if (section != NULL && config_setting_is_list(section))
        section = config_setting_get_elem(section, (unsigned)breach->group);
    /* The default of a section that is not there clashes with `retry`. */
    if (section == NULL)
        section = config_setting_get_member(at, "retry");
    if (section != NULL)
        at = section;
    setting = section != NULL ? config_setting_get_member(section, breach->setting) : NULL;
    if (setting != NULL)
        at = setting;
    if (setting != NULL && strcmp(breach->setting, "domains") == 0)
        at = config_setting_get_elem(setting, (unsigned)breach->element);
    return at;
}

/* What is allowed, and hardly meant. */
static bool warn_of_idle(const struct config_reader *reader)
{
    struct config_breach idle;

    for (size_t i = 0; config_idle_find(reader->config, i, &idle); i++)
        if (idle.text[0] != '\0' &&
            !config_read_warn(reader, place_of_breach(reader, &idle), idle.text))
            return false;
    return true;
}

static bool read_source(struct config_reader *reader)
{
    struct config_breach breach;

    if (!config_read_string(&reader->lib, config_source_text(reader->source)))
        return fail_syntax(reader);
    if (!config_read_settings(reader))
        return false;
    if (!set_directories(reader->config) || !set_sockets(reader->config) ||
        !build_index(reader->config))
        return config_read_fail_line(reader, 1, "out of memory");
    if (config_breach_find(reader->config, &breach))
        return config_read_fail(reader, place_of_breach(reader, &breach), "%s", breach.text);
    return warn_of_idle(reader);
}

static bool read_file(struct config *config, char *error_r, size_t size)
{
    struct config_source *source = config_source_read(config->path, error_r, size);
    struct config_reader reader = {.config = config, .source = source, .error = error_r};
    bool ok;

    if (source == NULL)
        return false;
    reader.size = size;
    config_init(&reader.lib);
    ok = read_source(&reader);
    config_destroy(&reader.lib);
    config_source_free(&source);
    return ok;
}

struct config *config_load(const char *path, char *error_r, size_t size)
{
    struct config *config = calloc(1, sizeof(*config));

    if (config == NULL || (config->path = strdup(path)) == NULL || !set_defaults(config))
        snprintf(error_r, size, "%s: out of memory", path);
    else if (read_file(config, error_r, size))
        return config;
    config_free(&config);
    return NULL;
}

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(strings[i]);
    free(strings);
}

static void free_inbound(struct config_inbound *rule)
{
    free_strings(rule->networks, rule->network_count);
    free_strings(rule->logins, rule->login_count);
    free_strings(rule->sender_domains, rule->sender_domain_count);
    free_strings(rule->recipient_domains, rule->recipient_domain_count);
}

void config_free(struct config **config)
{
    struct config *c = *config;

    if (c == NULL)
        return;
    for (size_t i = 0; i < c->group_count; i++) {
        free(c->groups[i].name);
        free_strings(c->groups[i].domains, c->groups[i].domain_count);
    }
    free(c->groups);
    for (size_t i = 0; i < c->inbound_count; i++)
        free_inbound(&c->inbound[i]);
    free(c->inbound);
    free(c->lanes);
    free_strings(c->patterns, c->pattern_count);
    free(c->rcptlimit_socket);
    free(c->policy_socket);
    free(c->metrics_listen);
    free_strings(c->early_networks, c->early_network_count);
    free(c->earlyndr_socket);
    free(c->retrycap_socket);
    free_strings(c->warnings, c->warning_count);
    free(c->domains);
    free(c->names);
    free(c->path);
    free(c->instance);
    free(c->postfix_directory);
    free(c->log);
    free(c->state_directory);
    free(c->runtime_directory);
    free(c->user);
    free(c);
    *config = NULL;
}

const char *config_warning(const struct config *config, size_t index)
{
    return index < config->warning_count ? config->warnings[index] : NULL;
}

const char *config_path(const struct config *config)
{
    return config->path;
}

const char *config_postfix_directory(const struct config *config)
{
    return config->postfix_directory;
}

const char *config_log(const struct config *config)
{
    return config->log;
}

const char *config_state_directory(const struct config *config)
{
    return config->state_directory;
}

const char *config_runtime_directory(const struct config *config)
{
    return config->runtime_directory;
}

const char *config_user(const struct config *config)
{
    return config->user;
}

bool config_enforce(const struct config *config)
{
    return config->enforce;
}

const struct retry_policy *config_retry(const struct config *config)
{
    return &config->retry;
}

uint32_t config_unproven_max_open_retries(const struct config *config)
{
    return config->unproven_max_open_retries;
}

size_t config_group_count(const struct config *config)
{
    return config->group_count;
}

const struct config_group *config_group_at(const struct config *config, size_t index)
{
    return index < config->group_count ? &config->groups[index] : NULL;
}

bool config_outbound_limits(const struct config *config)
{
    return config->outbound_limits;
}

const uint32_t *config_lanes(const struct config *config, size_t *count_r)
{
    *count_r = config->lane_count;
    return config->lanes;
}

uint32_t config_learned_lifetime(const struct config *config)
{
    return config->learned_lifetime;
}

size_t config_pattern_count(const struct config *config)
{
    return config->pattern_count;
}

const char *config_pattern_at(const struct config *config, size_t index)
{
    return index < config->pattern_count ? config->patterns[index] : NULL;
}

size_t config_inbound_count(const struct config *config)
{
    return config->inbound_count;
}

const struct config_inbound *config_inbound_at(const struct config *config, size_t index)
{
    return index < config->inbound_count ? &config->inbound[index] : NULL;
}

const char *config_rcptlimit_socket(const struct config *config)
{
    return config->rcptlimit_socket;
}

const char *config_policy_socket(const struct config *config)
{
    return config->policy_socket;
}

const char *config_metrics_listen(const struct config *config)
{
    return config->metrics_listen;
}

const struct config_early *config_early(const struct config *config)
{
    return &config->early;
}

enum early_mode config_early_mode(const struct config *config)
{
    return (enum early_mode)config->early.mode;
}

size_t config_early_network_count(const struct config *config)
{
    return config->early_network_count;
}

const char *config_early_network_at(const struct config *config, size_t index)
{
    return index < config->early_network_count ? config->early_networks[index] : NULL;
}

const char *config_earlyndr_socket(const struct config *config)
{
    return config->earlyndr_socket;
}

enum lanes_mode config_lanes_mode(const struct config *config)
{
    return (enum lanes_mode)config->lanes_mode;
}

uint32_t config_probation_processes(const struct config *config)
{
    return config->probation_processes;
}

enum when_down config_when_down(const struct config *config)
{
    return (enum when_down)config->when_down;
}

const char *config_retrycap_socket(const struct config *config)
{
    return config->retrycap_socket;
}

bool config_warns(const struct config *config)
{
    bool warns = config->retry.warn_after_retries > 0;

    for (size_t i = 0; i < config->group_count; i++)
        warns |= config->groups[i].retry.warn_after_retries > 0;
    return warns;
}
