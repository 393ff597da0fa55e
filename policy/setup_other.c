/* Whether another Postern, of another Postfix instance or another configuration, is in our way. */
#include "setup_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lock.h"
#include "postfix_list.h"

/* The configuration that the gate is run with: in the line of postern-hold, behind "-c". */
static bool find_file(const struct postfix *postfix, char file_r[PATH_MAX])
{
    static const char service[] = "postern-hold ", option[] = " -c ";
    const char *line = postfix_services(postfix);
    struct slice rest;
    const char *at;

    while (*line != '\0' && strncmp(line, service, sizeof(service) - 1) != 0) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    rest = (struct slice){line, strcspn(line, "\n")};
    at = rest.len > 0 ? memmem(rest.at, rest.len, option, sizeof(option) - 1) : NULL;
    if (at == NULL)
        return false;
    at += sizeof(option) - 1;
    slice_copy(file_r, PATH_MAX, (struct slice){at, strcspn(at, " \n")});
    return true;
}

static bool same_place(const char *a, const char *b)
{
    struct stat first, second;

    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/*
 * A main.cf and a master.cf that were copied from another instance lead to that one's file, too:
 * but that file is not about this Postfix, and setup puts ours in its place.
 */
bool setup_other_file(const struct setup_plan *plan, char file_r[PATH_MAX], bool *runs_r)
{
    struct config *other;
    char error[1024];
    bool is_other;

    if (!find_file(plan->postfix, file_r) || same_place(file_r, plan->config_path))
        return false;
    other = config_load(file_r, error, sizeof(error));
    if (other == NULL)
        return false;
    is_other =
        same_place(config_postfix_directory(other), config_postfix_directory(plan->config)) &&
        !same_place(config_state_directory(other), config_state_directory(plan->config));
    *runs_r = is_other && lock_is_held(config_state_directory(other));
    config_free(&other);
    return is_other;
}

/* One whose posternd is gone has only its place to lose. */
int setup_check_other(const struct setup_plan *plan)
{
    char file[PATH_MAX];
    bool runs;

    if (!setup_other_file(plan, file, &runs) || !runs)
        return 0;
    setup_complain("the Postfix in %s is connected by %s already, and a posternd works for it; is "
                   "postfix.config_directory right in %s? To change over, first: posternctl -c %s "
                   "setup --remove, and stop that posternd",
                   plan->directory, file, plan->config_path, file);
    return EX_CONFIG;
}

bool setup_foreign_table(const struct setup_plan *plan, const char *list, char table_r[PATH_MAX])
{
    static const char type[] = "lmdb:", proxy[] = "proxy:", tail[] = "/tables/transport";
    char lock[PATH_MAX + 32];

    for (struct slice entry; (entry = postfix_list_next(&list)).len > 0;) {
        if (slice_starts(entry, proxy))
            entry = (struct slice){entry.at + sizeof(proxy) - 1, entry.len - (sizeof(proxy) - 1)};
        slice_copy(table_r, PATH_MAX, entry);
        size_t len = strlen(table_r);
        if (!slice_starts(entry, type) || len < sizeof(type) + sizeof(tail) ||
            strcmp(table_r + len - (sizeof(tail) - 1), tail) != 0 ||
            strcmp(table_r + sizeof(type) - 1, plan->table) == 0)
            continue;
        snprintf(lock, sizeof(lock), "%.*s/posternd.lock",
                 (int)(len - (sizeof(type) - 1) - (sizeof(tail) - 1)), table_r + sizeof(type) - 1);
        if (access(lock, F_OK) == 0)
            return true;
    }
    return false;
}

bool setup_result_is_alone(const struct setup_plan *plan)
{
    char table[PATH_MAX];
    char *list = setup_postconf(plan, "-h", "transport_maps");
    bool foreign = list != NULL && setup_foreign_table(plan, list, table);

    free(list);
    if (foreign)
        setup_complain("%s: transport_maps has %s outside of Postern's block, the table of another "
                       "posternd: what that holds would be held here; take it out",
                       plan->main.path, table);
    return !foreign;
}
