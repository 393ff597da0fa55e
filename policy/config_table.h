/*
 * What config*.c share: the one table of settings, and the struct that it fills. Nobody else
 * includes this. The table is constant; everything here is thread-safe.
 */
#ifndef POSTERN_CONFIG_TABLE_H
#define POSTERN_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum setting_type {
    SETTING_SECTION,  /* { settings } */
    SETTING_SECTIONS, /* ( { settings }, ... ) */
    SETTING_NUMBER,   /* kept as uint32_t */
    SETTING_NUMBERS,  /* ascending */
    SETTING_FRACTION, /* kept as double */
    SETTING_SWITCH,   /* kept as bool */
    SETTING_TEXT,     /* kept as char * */
    SETTING_TEXTS,
    SETTING_WORD, /* kept as unsigned: its number among its form's words */
};

/* A kind of text: a function that knows it, or the words it may be; and how to say that. */
struct setting_form {
    bool (*valid)(const char *text);
    const char *const *words; /* ends in NULL */
    const char *wanted;
    /* True when the text is valid, or says what is wrong with it. Instead of `valid`. */
    bool (*explain)(const char *text, char *why_r, size_t size);
    bool fold; /* kept in lower case */
};

enum { SETTING_REQUIRED = 1 };
#define SETTING_NOT_KEPT ((size_t)-1)

struct setting {
    const char
        *scope; /* the section it stands in, dotted; an entry of a list has the list's name */
    const char *name;
    enum setting_type type;
    int64_t least, most; /* of numbers; of the bytes of a text, the number of texts or sections */
    int64_t value;       /* default of a number or switch */
    const char *text;    /* default of a text, word, fraction or numbers */
    size_t offset;       /* in struct config, or in the struct of an entry of the scope's list */
    size_t count_offset; /* of texts, numbers and sections: where their number is kept, a size_t */
    size_t entry_size;   /* of sections: of the struct of an entry */
    const struct setting_form *form;
    unsigned flags; /* SETTING_REQUIRED: has no default. */
};

/* A name by which groups are looked up. Points into the group. */
struct config_key {
    const char *name;
    size_t group;
    size_t element; /* of the group's domains */
};

struct config {
    char *path;
    char *instance;
    char *postfix_directory; /* NULL while it has its default */
    char *log;
    char *state_directory;   /* likewise */
    char *runtime_directory; /* likewise */
    char *user;
    bool enforce;
    struct retry_policy retry;
    uint32_t unproven_max_open_retries;
    bool outbound_limits;
    uint32_t *lanes;
    size_t lane_count;
    uint32_t learned_lifetime;
    char **patterns;
    size_t pattern_count;
    struct config_inbound *inbound;
    size_t inbound_count;
    char *rcptlimit_socket; /* NULL while it has its default */
    char *policy_socket;    /* likewise */
    char *metrics_listen;
    unsigned lanes_mode; /* enum lanes_mode */
    uint32_t probation_processes;
    unsigned when_down;    /* enum when_down */
    char *retrycap_socket; /* NULL while it has its default */
    struct config_early early;
    char **early_networks;
    size_t early_network_count;
    char *earlyndr_socket; /* NULL while it has its default */
    struct config_group *groups;
    size_t group_count;
    struct config_key *domains; /* sorted */
    size_t domain_count;
    struct config_key *names; /* sorted */
    char **warnings;
    size_t warning_count;
};

/* The rows of the table, one after the other; NULL past the last. */
const struct setting *setting_at(size_t index);
/* The setting of that name in a scope ("" is the top), or NULL. */
const struct setting *setting_find(const char *scope, const char *name);
/* The one whose name is a slip of the pen away, or NULL. */
const struct setting *setting_nearest(const char *scope, const char *name);

enum { SETTING_TEXT_MAX = 512 };
/* "retry.open_interval" */
void setting_path(const struct setting *setting, char buffer[SETTING_TEXT_MAX]);
/* What is allowed: "a whole number from 0 to 2592000" */
void setting_wanted(const struct setting *setting, char buffer[SETTING_TEXT_MAX]);
/* True when a text is of the setting's form; otherwise why_r says why not, where the form can tell.
 */
bool setting_accepts(const struct setting *setting, const char *text, char why_r[SETTING_TEXT_MAX]);
/* The number of a word among those of a SETTING_WORD's form, which has it. */
unsigned setting_word(const struct setting *setting, const char *word);
/* True for an entry of a list: its defaults are not those of the table. */
bool setting_is_in_list(const struct setting *setting);

/* Sorts `domains` and `names`, which config_breach_find and config_group_of need. */
void config_sort(struct config *config);

/* A rule that needs more than one setting, and is broken. */
struct config_breach {
    const char *section; /* "retry", "unproven", or "destinations" */
    size_t group;        /* of destinations */
    const char *setting; /* in that section */
    size_t element;      /* of the setting "domains" */
    char text[SETTING_TEXT_MAX];
};

/* The first one, if any. A pure function of what was read (config_rules.c). */
bool config_breach_find(const struct config *config, struct config_breach *breach_r);

/*
 * A setting that can have no effect beside another: of `retry` (index 0) and each of destinations
 * (from 1); the text is "" where all is well. False past the last.
 */
bool config_idle_find(const struct config *config, size_t index, struct config_breach *idle_r);

#endif
