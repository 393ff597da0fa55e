#include "config_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_syntax.h"

/*
 * A cap on open retries means nothing without the interval in which they count as one: a hundred
 * messages that fail in the same second would be a hundred retries.
 */
static bool find_cap_without_interval(const struct retry_policy *retry, const char *section,
                                      size_t group, struct config_breach *breach_r)
{
    if (retry->max_open_retries == 0 || retry->open_interval > 0)
        return false;
    breach_r->section = section;
    breach_r->group = group;
    breach_r->setting = "max_open_retries";
    snprintf(breach_r->text, sizeof(breach_r->text),
             "max_open_retries is %u while open_interval is 0; set an open_interval, or "
             "max_open_retries = 0",
             (unsigned)retry->max_open_retries);
    return true;
}

/* An unproven destination is one that no group lists: the interval is that of `retry`. */
static bool find_unproven(const struct config *config, struct config_breach *breach_r)
{
    if (config->unproven_max_open_retries == 0 || config->retry.open_interval > 0)
        return false;
    breach_r->section = "unproven";
    breach_r->setting = "max_open_retries";
    snprintf(breach_r->text, sizeof(breach_r->text),
             "unproven.max_open_retries is %u while retry.open_interval is 0; set an "
             "open_interval, or unproven.max_open_retries = 0",
             (unsigned)config->unproven_max_open_retries);
    return true;
}

static bool find_double_name(const struct config *config, struct config_breach *breach_r)
{
    for (size_t i = 1; i < config->group_count; i++) {
        const struct config_key *key = &config->names[i];

        if (strcmp(key[-1].name, key->name) != 0)
            continue;
        breach_r->section = "destinations";
        breach_r->group = key->group;
        breach_r->setting = "name";
        snprintf(breach_r->text, sizeof(breach_r->text),
                 "two groups are named \"%s\"; each needs a name of its own", key->name);
        return true;
    }
    return false;
}

static void say_double_domain(const struct config *config, const struct config_key *key,
                              struct config_breach *breach_r)
{
    const char *other = config->groups[key[-1].group].name;

    if (key[-1].group == key->group)
        snprintf(breach_r->text, sizeof(breach_r->text),
                 "domain \"%s\" is listed twice in group \"%s\"; once is enough", key->name, other);
    else
        snprintf(breach_r->text, sizeof(breach_r->text),
                 "domain \"%s\" is already in group \"%s\"; a domain may be in one group only",
                 key->name, other);
}

static bool find_double_domain(const struct config *config, struct config_breach *breach_r)
{
    for (size_t i = 1; i < config->domain_count; i++) {
        const struct config_key *key = &config->domains[i];

        if (strcmp(key[-1].name, key->name) != 0)
            continue;
        breach_r->section = "destinations";
        breach_r->group = key->group;
        breach_r->setting = "domains";
        breach_r->element = key->element;
        say_double_domain(config, key, breach_r);
        return true;
    }
    return false;
}

bool config_breach_find(const struct config *config, struct config_breach *breach_r)
{
    memset(breach_r, 0, sizeof(*breach_r));
    if (find_cap_without_interval(&config->retry, "retry", 0, breach_r) ||
        find_unproven(config, breach_r))
        return true;
    for (size_t i = 0; i < config->group_count; i++) {
        if (find_cap_without_interval(&config->groups[i].retry, "destinations", i, breach_r))
            return true;
    }
    return find_double_name(config, breach_r) || find_double_domain(config, breach_r);
}

bool config_idle_find(const struct config *config, size_t index, struct config_breach *idle_r)
{
    const struct retry_policy *retry = &config->retry;

    memset(idle_r, 0, sizeof(*idle_r));
    if (index > config->group_count)
        return false;
    idle_r->section = index == 0 ? "retry" : "destinations";
    idle_r->setting = "warn_after_retries";
    if (index > 0) {
        idle_r->group = index - 1;
        retry = &config->groups[index - 1].retry;
    }
    if (retry->warn_after_retries > 0 && retry->max_open_retries > 0 &&
        retry->warn_after_retries >= retry->max_open_retries)
        snprintf(idle_r->text, sizeof(idle_r->text),
                 "warn_after_retries is %u and max_open_retries %u: mail is returned before its "
                 "sender would be warned",
                 (unsigned)retry->warn_after_retries, (unsigned)retry->max_open_retries);
    else if (retry->warn_after_retries > 0 && config_early_mode(config) == EARLY_OFF)
        snprintf(idle_r->text, sizeof(idle_r->text),
                 "warn_after_retries is %u, but with early_ndr.mode = \"off\" postern-earlyndr hands "
                 "over no envelopes, and nobody is warned",
                 (unsigned)retry->warn_after_retries);
    return true;
}

/* Of two of one name, the first in the file comes first: the second is the one to complain of. */
static int compare_keys(const void *a, const void *b)
{
    const struct config_key *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    if (order != 0)
        return order;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->element > y->element) - (x->element < y->element);
}

void config_sort(struct config *config)
{
    if (config->group_count == 0)
        return;
    qsort(config->names, config->group_count, sizeof(*config->names), compare_keys);
    qsort(config->domains, config->domain_count, sizeof(*config->domains), compare_keys);
}

static int compare_name(const void *name, const void *key)
{
    return strcmp(name, ((const struct config_key *)key)->name);
}

static const struct config_group *group_named(const struct config *config, const char *domain)
{
    const struct config_key *key = bsearch(domain, config->domains, config->domain_count,
                                           sizeof(*config->domains), compare_name);

    return key != NULL ? &config->groups[key->group] : NULL;
}

const struct config_group *config_group_of(const struct config *config, struct slice domain)
{
    char lower[CONFIG_DOMAIN_MAX + 1];
    const struct config_group *group;

    if (config->domain_count == 0 || domain.len >= sizeof(lower) ||
        (domain.len > 0 && memchr(domain.at, '\0', domain.len) != NULL))
        return NULL;
    for (size_t i = 0; i < domain.len; i++) {
        char c = domain.at[i];

        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    lower[domain.len] = '\0';
    group = group_named(config, lower);
    for (const char *dot = strchr(lower, '.'); group == NULL && dot != NULL;
         dot = strchr(dot + 1, '.'))
        group = group_named(config, dot);
    return group != NULL ? group : group_named(config, "*");
}
