#include "rules.h"

#include <stdio.h>

static const struct config_group *group_named(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config_group_count(config); i++)
        if (strcmp(config_group_at(config, i)->name, name) == 0)
            return config_group_at(config, i);
    return NULL;
}

static const char *name_of(const struct rules *rules)
{
    if (rules->group)
        return rules->group->name;
    return rules->cap != rules->policy->max_open_retries ? "unproven" : "retry";
}

struct rules rules_of(const struct config *config, const struct destination_record *record)
{
    bool is_group = record_destination_is_group(record);
    const char *title = record_destination_title(record);
    struct rules rules = {0};

    if (is_group)
        rules.group = group_named(config, title);
    rules.policy = rules.group ? &rules.group->retry : config_retry(config);
    rules.cap = destination_cap(&record->d, rules.policy, rules.group != NULL,
                                config_unproven_max_open_retries(config));
    rules.name = name_of(&rules);
    rules.current =
        is_group ? rules.group != NULL : config_group_of(config, slice_of(title)) == NULL;
    return rules;
}

void rules_name(const struct config *config, struct slice domain, char *name_r, size_t size)
{
    const struct config_group *group = config_group_of(config, domain);

    if (group)
        snprintf(name_r, size, "g:%s", group->name);
    else
        snprintf(name_r, size, "d:%.*s", (int)domain.len, domain.at);
}
