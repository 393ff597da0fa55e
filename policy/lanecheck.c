#include "lanecheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"

enum { TIMEOUT = 30 * 1000 };

struct lanecheck {
    bool parents; /* a parent domain is asked for as "d" rather than ".d" */
    bool unknown; /* a table could not be asked */
    char *found;  /* "\nkey\tvalue\nkey\tvalue..." */
};

typedef void visit_key(void *context, const char *key);

/* The keys under which transport(5) finds a domain. */
static void each_key(const struct lanecheck *check, const char *domain, visit_key *visit,
                     void *context)
{
    visit(context, domain);
    for (const char *dot = strchr(domain, '.'); dot && dot[1]; dot = strchr(dot + 1, '.'))
        visit(context, check->parents ? dot + 1 : dot);
    visit(context, "*");
}

static void print_key(void *context, const char *key)
{
    fprintf(context, "%s\n", key);
}

static char *all_keys(const struct lanecheck *check, char *const *domains, size_t count)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    for (size_t i = 0; to && i < count; i++)
        each_key(check, domains[i], print_key, to);
    return to && fclose(to) == 0 ? text : NULL;
}

/* postmap -q - exits with 1 when it found none of the keys. */
static void ask(struct lanecheck *check, const struct postfix *postfix, char *map, char *keys,
                FILE *found)
{
    char *argv[] = {(char *)(uintptr_t)postfix_postmap(postfix),
                    (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)postfix_config_directory(postfix),
                    (char *)(uintptr_t) "-q",
                    (char *)(uintptr_t) "-",
                    map,
                    NULL};
    const struct child_command command = {
        .argv = argv, .input = keys, .input_len = strlen(keys), .timeout_ms = TIMEOUT};
    struct child_result *result = child_run(&command);

    if (result && result->end.status == 0)
        fprintf(found, "\n%s", result->output);
    else if (result == NULL || result->end.status != 1 || result->errors[0])
        check->unknown = true;
    free(result);
}

struct lanecheck *lanecheck_new(const struct postfix *postfix, const char *state_directory,
                                char *const *domains, size_t count)
{
    struct lanecheck *check = calloc(1, sizeof(*check));
    char **maps = postfix_other_transport_maps(postfix, state_directory);
    size_t len = 0;
    FILE *found = check ? open_memstream(&check->found, &len) : NULL;
    char *keys = NULL;

    if (found) {
        check->parents = postfix_parent_matches_subdomains(postfix);
        keys = all_keys(check, domains, count);
        check->unknown = maps == NULL || keys == NULL;
        for (size_t i = 0; !check->unknown && maps[i]; i++)
            ask(check, postfix, maps[i], keys, found);
    }
    if (found == NULL || fclose(found) != 0)
        lanecheck_free(&check);
    free(keys);
    free(maps);
    return check;
}

void lanecheck_free(struct lanecheck **check)
{
    if (*check)
        free((*check)->found);
    free(*check);
    *check = NULL;
}

struct search {
    const char *found;
    bool hit;
};

static void search_key(void *context, const char *key)
{
    struct search *search = context;
    char line[300];

    snprintf(line, sizeof(line), "\n%s\t", key);
    search->hit |= strstr(search->found, line) != NULL;
}

bool lanecheck_has_route(const struct lanecheck *check, const char *domain)
{
    struct search search = {check->found, check->unknown};

    each_key(check, domain, search_key, &search);
    return search.hit;
}
