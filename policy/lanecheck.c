#include "lanecheck.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "postfix_list.h"

enum { TIMEOUT = 30 * 1000, LISTS = 4, FILE_MAX = 1 << 20, DEPTH_MAX = 3 };

/* The keys under which a list or table finds a domain (util/match_ops.c, transport(5)). */
enum keys {
    KEYS_EXACT,   /* example.com */
    KEYS_DOTTED,  /* and .example.com for its subdomains */
    KEYS_PARENTS, /* and example.com for its subdomains */
};

struct list {
    const char *setting;
    enum keys keys;
    bool wildcard; /* and "*" */
    char *found;   /* "\nkey\tvalue\nkey\tvalue..." */
};

struct lanecheck {
    struct list lists[LISTS];
    size_t count;
    char unknown[256];
};

/* What is asked of one list. */
struct question {
    struct lanecheck *check;
    const struct postfix *postfix;
    char *keys; /* one in a line */
    FILE *found;
};

typedef void visit_key(void *context, const char *key);

static void each_key(const struct list *list, const char *domain, visit_key *visit, void *context)
{
    visit(context, domain);
    for (const char *dot = strchr(domain, '.'); list->keys != KEYS_EXACT && dot && dot[1];
         dot = strchr(dot + 1, '.'))
        visit(context, list->keys == KEYS_PARENTS ? dot + 1 : dot);
    if (list->wildcard)
        visit(context, "*");
}

static void print_key(void *context, const char *key)
{
    fprintf(context, "%s\n", key);
}

static char *all_keys(const struct list *list, char *const *domains, size_t count)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);

    for (size_t i = 0; to && i < count; i++)
        each_key(list, domains[i], print_key, to);
    return to && fclose(to) == 0 ? text : NULL;
}

static void not_known(struct lanecheck *check, const char *what)
{
    if (check->unknown[0] == '\0')
        snprintf(check->unknown, sizeof(check->unknown), "%s", what);
}

/* postmap -q - exits with 1 when it found none of the keys. */
static void ask_table(struct question *q, const char *map)
{
    char *argv[] = {(char *)(uintptr_t)postfix_postmap(q->postfix),
                    (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)postfix_config_directory(q->postfix),
                    (char *)(uintptr_t) "-q",
                    (char *)(uintptr_t) "-",
                    (char *)(uintptr_t)map,
                    NULL};
    const struct child_command command = {
        .argv = argv, .input = q->keys, .input_len = strlen(q->keys), .timeout_ms = TIMEOUT};
    struct child_result *result = child_run(&command);

    if (result && result->end.status == 0)
        fprintf(q->found, "\n%s", result->output);
    else if (result == NULL || result->end.status != 1 || result->errors[0])
        not_known(q->check, map);
    free(result);
}

static void ask_list(struct question *q, const char *text, unsigned depth);

/* A file in a list has more of the list (util/match_list.c). */
static void ask_file(struct question *q, const char *path, unsigned depth)
{
    FILE *file = depth < DEPTH_MAX ? fopen(path, "re") : NULL;
    char *text = file ? calloc(1, FILE_MAX + 1) : NULL;
    size_t len = text ? fread(text, 1, FILE_MAX, file) : 0;

    if (text && len < FILE_MAX && !ferror(file))
        ask_list(q, text, depth + 1);
    else
        not_known(q->check, path);
    free(text);
    if (file)
        fclose(file);
}

static void ask_entry(struct question *q, char *entry, unsigned depth)
{
    if (entry[0] == '!')
        return; /* what it takes out counts as in: no lane is never wrong */
    if (entry[0] == '/') {
        ask_file(q, entry, depth);
    } else if (strchr(entry, ':') != NULL && entry[0] != '[') {
        ask_table(q, entry);
    } else {
        for (char *c = entry; *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
        fprintf(q->found, "\n%s\t", entry);
    }
}

static void ask_list(struct question *q, const char *text, unsigned depth)
{
    for (struct slice word; (word = postfix_list_next(&text)).len > 0;) {
        char *entry = strndup(word.at, word.len);
        if (entry != NULL)
            ask_entry(q, entry, depth);
        else
            not_known(q->check, "out of memory");
        free(entry);
    }
}

/* Adds a list to what is known, with its answers. */
static void ask(struct lanecheck *check, const struct postfix *postfix, struct list list,
                const char *text, char *const *domains, size_t count)
{
    struct list *added = &check->lists[check->count];
    struct question q = {.check = check, .postfix = postfix};
    size_t len = 0;

    *added = list;
    q.keys = all_keys(added, domains, count);
    q.found = open_memstream(&added->found, &len);
    if (q.keys && q.found)
        ask_list(&q, text, 0);
    if (q.keys == NULL || q.found == NULL || fclose(q.found) != 0)
        not_known(check, "out of memory");
    else
        check->count++;
    free(q.keys);
}

static void ask_transport_maps(struct lanecheck *check, const struct postfix *postfix,
                               const char *state_directory, char *const *domains, size_t count)
{
    struct list list = {
        "transport_maps",
        postfix_parent_matches_subdomains(postfix) ? KEYS_PARENTS : KEYS_DOTTED,
        true,
        NULL,
    };
    char *others = postfix_other_transport_maps(postfix, state_directory);

    if (others == NULL)
        not_known(check, "out of memory");
    else if (*others != '\0')
        ask(check, postfix, list, others, domains, count);
    free(others);
}

/*
 * Domains of other address classes (ADDRESS_CLASS_README). Deliveries by lmtp(8), or with a tag of
 * their own, are known by it (ledger_lanes.c); a table that nobody but Postfix may read is not to
 * be asked for those.
 */
static void ask_classes(struct lanecheck *check, const struct postfix *postfix,
                        char *const *domains, size_t count)
{
    bool parents = postfix_list_has(postfix_parent_matches(postfix), "relay_domains");
    const struct list local = {"mydestination", KEYS_EXACT, false, NULL};
    const struct list relay = {"relay_domains", parents ? KEYS_PARENTS : KEYS_DOTTED, false, NULL};
    const struct list hosted = {"virtual_mailbox_domains", KEYS_EXACT, false, NULL};

    ask(check, postfix, local, postfix_mydestination(postfix), domains, count);
    if (postfix_logs_as_smtp(postfix, postfix_relay_transport(postfix)))
        ask(check, postfix, relay, postfix_relay_domains(postfix), domains, count);
    if (postfix_logs_as_smtp(postfix, postfix_virtual_transport(postfix)))
        ask(check, postfix, hosted, postfix_virtual_domains(postfix), domains, count);
}

struct lanecheck *lanecheck_new(const struct postfix *postfix, const char *state_directory,
                                char *const *domains, size_t count)
{
    struct lanecheck *check = calloc(1, sizeof(*check));

    if (check == NULL)
        return NULL;
    ask_transport_maps(check, postfix, state_directory, domains, count);
    ask_classes(check, postfix, domains, count);
    return check;
}

void lanecheck_free(struct lanecheck **check)
{
    for (size_t i = 0; *check && i < (*check)->count; i++)
        free((*check)->lists[i].found);
    free(*check);
    *check = NULL;
}

const char *lanecheck_unknown(const struct lanecheck *check)
{
    return check->unknown[0] != '\0' ? check->unknown : NULL;
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

const char *lanecheck_setting(const struct lanecheck *check, const char *domain)
{
    for (size_t i = 0; i < check->count; i++) {
        struct search search = {check->lists[i].found, false};
        each_key(&check->lists[i], domain, search_key, &search);
        if (search.hit)
            return check->lists[i].setting;
    }
    return NULL;
}
