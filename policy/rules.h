/*
 * Which part of postern.conf a destination follows. Pure; thread-safe. The strings belong to the
 * configuration.
 */
#ifndef POSTERN_RULES_H
#define POSTERN_RULES_H

#include "config.h"
#include "record.h"

struct rules {
    const struct config_group *group; /* NULL: not listed */
    const struct retry_policy *policy;
    uint32_t cap;     /* of open retries, see destination_cap(); 0: none */
    const char *name; /* what an administrator finds in the file: a group, "unproven" or "retry" */
    bool current; /* false: the record's name belongs to no domain or group of this configuration */
};

struct rules rules_of(const struct config *config, const struct destination_record *record);

/* The name under which a domain is kept: "g:" and its group, or "d:" and itself. */
void rules_name(const struct config *config, struct slice domain, char *name_r, size_t size);

#endif
