#include "setup_plan.h"

#include "child.h"

#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define GATE POSTERN_LIBEXECDIR "/postern-gate"

enum { COMMAND_TIMEOUT_MS = 30000 };

/* Delivery status filters are of 3.0, $name in postconf of 2.10; nothing older than 3.4 was tried.
 */
enum { LEAST_MAJOR = 3, LEAST_MINOR = 4 };

char *setup_postconf(const struct setup_plan *plan, const char *option, const char *what)
{
    char *argv[] = {(char *)(uintptr_t)postfix_postconf(plan->postfix),
                    (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)postfix_config_directory(plan->postfix),
                    (char *)(uintptr_t)option,
                    (char *)(uintptr_t)what,
                    NULL};
    struct child_command command = {.argv = argv, .timeout_ms = COMMAND_TIMEOUT_MS};
    struct child_result *result = child_run(&command);
    char *output = NULL;
    if (result != NULL && result->end.status == 0)
        output = strdup(result->output);
    free(result);
    return output;
}

static bool check_version(const struct setup_plan *plan)
{
    if (postfix_version_at_least(plan->postfix, LEAST_MAJOR, LEAST_MINOR))
        return true;
    setup_complain("Postfix %s is too old: Postern needs %d.%d", postfix_version(plan->postfix),
                   LEAST_MAJOR, LEAST_MINOR);
    return false;
}

static bool check_lmdb(const struct setup_plan *plan)
{
    if (postfix_has_lmdb(plan->postfix))
        return true;
    setup_complain("Postfix cannot read lmdb tables (postconf -m does not list lmdb); install the "
                   "package postfix-lmdb");
    return false;
}

static bool check_gate(void)
{
    if (access(GATE, X_OK) == 0)
        return true;
    setup_complain(GATE " is not there, or cannot be run; install Postern first (make install)");
    return false;
}

/* The gate's account, by the rules of pipe(8) (pipe/pipe.c, get_service_attr()). */
static bool check_account(const struct setup_plan *plan)
{
    const struct passwd *entry = getpwnam(plan->account);
    if (entry == NULL) {
        setup_complain(
            "there is no account \"%s\" to run the gate as; create it, or set user in %s",
            plan->account, config_path(plan->config));
        return false;
    }
    uid_t uid = entry->pw_uid;
    gid_t gid = entry->pw_gid;
    const struct passwd *owner = getpwnam(postfix_mail_owner(plan->postfix));
    bool its_own = owner == NULL || (owner->pw_uid != uid && owner->pw_gid != gid);
    const struct group *group = getgrnam(postfix_setgid_group(plan->postfix));
    if (uid != 0 && gid != 0 && its_own && (group == NULL || group->gr_gid != gid))
        return true;
    setup_complain("the account \"%s\" cannot run the gate: pipe(8) refuses root, Postfix's own "
                   "account and their groups; set user in %s to one of its own",
                   plan->account, config_path(plan->config));
    return false;
}

int setup_check(const struct setup_plan *plan)
{
    bool version = check_version(plan);
    bool lmdb = check_lmdb(plan);
    bool gate = check_gate();
    bool account = check_account(plan);
    int selinux_status = setup_selinux_check(plan);
    return version && lmdb && gate && account ? selinux_status : EX_UNAVAILABLE;
}

void setup_remark_override(const struct setup_plan *plan, const char *setting, const char *effect)
{
    char what[128];
    snprintf(what, sizeof(what), "*/*/%s", setting);
    char *output = setup_postconf(plan, "-P", what);
    if (output != NULL && *output != '\0')
        printf("Remark: %s sets %s for single services; %s:\n%s", plan->master.path, setting,
               effect, output);
    free(output);
}

void setup_check_remarks(const struct setup_plan *plan)
{
    if (!postfix_config_directory_allowed(plan->postfix) && plan->uid != 0)
        printf("Remark: posternd runs as %s, and postqueue(1) does not take this directory from "
               "it yet. Run:\n"
               "    postconf -c %s -e 'alternate_config_directories = %s'\n"
               "(with any directories that are listed there already).\n",
               plan->owner, postfix_default_directory(plan->postfix),
               postfix_config_directory(plan->postfix));
    setup_remark_override(plan, "transport_maps", "Postern cannot hold what those route");
    if (plan->status_filter != NULL)
        setup_remark_override(plan, "smtp_delivery_status_filter",
                              "Postern's filter does not see what those send");
    setup_lane_remarks(plan);
    setup_milter_remarks(plan);
}

/* True when main.cf, as Postfix reads it, has `table` in this list, by itself or behind others. */
static bool result_has_table(const struct setup_plan *plan, const char *setting, const char *type,
                             const char *table)
{
    char name[4200];
    snprintf(name, sizeof(name), "%s:%s", type, table);
    char *tables = setup_postconf(plan, "-h", setting);
    bool ok = tables != NULL && strstr(tables, name) != NULL;
    if (!ok)
        setup_complain("Postfix does not see Postern's table: %s is \"%.*s\"", setting,
                       tables != NULL ? (int)strcspn(tables, "\n") : 0,
                       tables != NULL ? tables : "");
    free(tables);
    return ok;
}

bool setup_result_has_service(const struct setup_plan *plan, const char *service,
                              const char *command)
{
    char *line = setup_postconf(plan, "-M", service);
    bool ok = line != NULL && strstr(line, command) != NULL;
    if (!ok)
        setup_complain("Postfix does not see the service %s in %s", service, plan->master.path);
    free(line);
    return ok;
}

static bool result_has_filter(const struct setup_plan *plan)
{
    return plan->status_filter == NULL ||
           result_has_table(plan, "smtp_delivery_status_filter", "regexp", plan->status_filter);
}

int setup_check_result(const struct setup_plan *plan)
{
    return result_has_table(plan, "transport_maps", "lmdb", plan->table) &&
                   setup_result_is_alone(plan) &&
                   setup_result_has_service(plan, "postern-hold/unix", GATE) &&
                   setup_result_has_service(plan, "postern-expire/unix", GATE) &&
                   result_has_filter(plan) && setup_lane_result(plan) && setup_milter_result(plan)
               ? 0
               : EX_CONFIG;
}
