/* Is what Postfix and the gate read there, readable and of the present? */
#include "doctor_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "record.h"
#include "route.h"

enum { ROUTES_MOST = 200, QUERY_TIMEOUT = 20 * 1000, SECOND_LOOK_SECONDS = 2 };

void doctor_state(struct patient *p)
{
    char path[DOCTOR_PATH_MAX];
    char type[DOCTOR_PATH_MAX + 200];
    struct stat st;

    snprintf(path, sizeof(path), "%s/state.mdb", config_state_directory(p->config));
    if (stat(path, &st) != 0) {
        if (p->running)
            doctor_say(p, DOCTOR_PROBLEM, "systemctl restart posternd", "%s: %s", path,
                       strerror(errno));
        return;
    }
    if (p->known && p->account.uid != 0 && st.st_uid != p->account.uid) {
        snprintf(type, sizeof(type), "chown -R %s: %s && systemctl restart posternd",
                 p->account.name, config_state_directory(p->config));
        doctor_say(p, DOCTOR_PROBLEM, type, "%s does not belong to the account %s", path,
                   p->account.name);
    } else if (p->store == NULL) {
        doctor_say(p, p->root ? DOCTOR_PROBLEM : DOCTOR_UNKNOWN,
                   p->root ? "systemctl restart posternd" : NULL,
                   p->root ? "%s cannot be read" : "only root may read %s", path);
    }
}

static void check_table(struct patient *p, const char *path)
{
    char setup[SETUP_COMMAND_MAX];

    if (path == NULL)
        return;
    if (access(path, F_OK) == 0 || errno != ENOENT) {
        doctor_check_path(p, &p->postfix, path, R_OK);
        return;
    }
    doctor_setup_command(p, setup);
    doctor_say(p, DOCTOR_PROBLEM, setup, "%s is not there", path);
}

void doctor_tables(struct patient *p)
{
    check_table(p, p->plan.table_file);
    check_table(p, p->plan.filter);
    check_table(p, p->plan.status_filter);
}

void doctor_filters(struct patient *p)
{
    char setup[SETUP_COMMAND_MAX];

    if (!p->edited || access(p->plan.table_file, F_OK) != 0 ||
        (p->plan.classifier == NULL && setup_state_plan(&p->plan) != 0) ||
        !setup_state_differs(&p->plan))
        return;
    doctor_setup_command(p, setup);
    doctor_say(p, DOCTOR_PROBLEM, setup,
               "the filters in %s are not those of %s: they are of another version or "
               "configuration",
               p->plan.tables, config_path(p->config));
}

/* --- The routes --- */

/* The keys that the state wants in the table, one a line; how many goes to *count_r. */
static char *wanted_keys(const struct patient *p, unsigned *count_r)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    struct key from = {0, {0}};
    struct slice key;
    enum route route;

    *count_r = 0;
    if (to == NULL)
        return NULL;
    while (*count_r < ROUTES_MOST && route_seek(p->store, key_slice(&from), &key, &route)) {
        key_after(&from, key);
        if (route == ROUTE_NONE)
            continue;
        fprintf(to, "%.*s\n", (int)key.len, key.at);
        ++*count_r;
    }
    return fclose(to) == 0 ? text : NULL;
}

/* How many of the keys postmap(1) finds; -1: it could not be asked. */
static int found_keys(const struct patient *p, const char *keys)
{
    char map[DOCTOR_PATH_MAX + 8];
    char *argv[] = {(char *)(uintptr_t)postfix_postmap(p->plan.postfix),
                    (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)postfix_config_directory(p->plan.postfix),
                    (char *)(uintptr_t) "-q",
                    (char *)(uintptr_t) "-",
                    map,
                    NULL};
    struct child_command command = {
        .argv = argv, .input = keys, .input_len = strlen(keys), .timeout_ms = QUERY_TIMEOUT};
    struct child_result *result;
    int lines = -1;

    snprintf(map, sizeof(map), "lmdb:%s", p->plan.table);
    result = child_run(&command);
    if (result &&
        (result->end.status == 0 || (result->end.status == 1 && result->end.text_len == 0))) {
        lines = 0;
        for (const char *at = result->output; (at = strchr(at, '\n')) != NULL; at++)
            lines++;
    }
    free(result);
    return lines;
}

/* How many that are wanted are missing. */
static int missing_routes(struct patient *p, unsigned *wanted_r)
{
    char *keys = wanted_keys(p, wanted_r);
    int found = keys && *wanted_r > 0 ? found_keys(p, keys) : -1;

    free(keys);
    return found < 0 ? 0 : (int)*wanted_r - found;
}

/* One of them may be on its way just now. */
void doctor_routes(struct patient *p)
{
    const struct timespec pause = {SECOND_LOOK_SECONDS, 0};
    double connected = 0;
    unsigned wanted = 0;
    int missing;

    if (p->store == NULL || !p->running || !config_enforce(p->config) ||
        (p->metrics && doctor_metric(p->metrics, "postern_postfix_connected", &connected) &&
         connected == 0))
        return;
    missing = missing_routes(p, &wanted);
    if (missing > 0) {
        nanosleep(&pause, NULL);
        store_abort(p->store);
        missing = store_begin(p->store) ? missing_routes(p, &wanted) : 0;
    }
    if (missing > 0)
        doctor_say(p, DOCTOR_PROBLEM, "systemctl reload posternd",
                   "%s.lmdb is older than the state: %d of %u routes that posternd wants are not "
                   "in it",
                   p->plan.table, missing, wanted);
}

/* --- The gate --- */

void doctor_gate(struct patient *p)
{
    static const char gate[] = POSTERN_LIBEXECDIR "/postern-gate";
    struct doctor_account account;

    if (access(gate, F_OK) != 0) {
        doctor_say(p, DOCTOR_PROBLEM, "make install", "%s: %s", gate, strerror(errno));
        return;
    }
    if (!p->known || !doctor_find_account(p->plan.account, &account))
        return;
    doctor_check_path(p, &account, gate, X_OK);
    doctor_check_path(p, &account, p->plan.config_path, R_OK);
}
