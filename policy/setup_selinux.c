/*
 * SELinux may deny Postfix what main.cf and master.cf tell it to do. With a table that it may not
 * read, Postfix defers all mail: so this is asked before.
 */
#include "setup_plan.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "selinux.h"

#define GATE POSTERN_LIBEXECDIR "/postern-gate"

/* In the policies of Fedora, RHEL and Debian trivial-rewrite(8) has the domain of master(8). */
static const char *denied_to_postfix(const struct setup_plan *plan)
{
    static const char table[] = "getattr open read lock map";
    static const char filter[] = "getattr open read";

    if (!selinux_may("postfix_master_t", plan->table_file, "file", table))
        return plan->table_file;
    if (plan->status_filter && !selinux_may("postfix_smtp_t", plan->status_filter, "file", filter))
        return plan->status_filter;
    if (!selinux_may("postfix_pipe_t", plan->filter, "file", filter))
        return plan->filter;
    return selinux_may("postfix_pipe_t", GATE, "file", "execute") ? NULL : GATE;
}

/* The gate, in the domain that it has when pipe(8) runs it, reads the state. */
static const char *denied_to_gate(const struct setup_plan *plan)
{
    char domain[SELINUX_CONTEXT_MAX];

    selinux_domain_after("postfix_pipe_t", GATE, domain);
    return selinux_may(domain, plan->state, "file", "getattr open read lock map") ? NULL
                                                                                  : plan->state;
}

const char *setup_selinux_denied(const struct setup_plan *plan)
{
    const char *path;

    if (!selinux_enforcing() ||
        (access(plan->table_file, F_OK) != 0 && selinux_has_type(SETUP_SELINUX_TYPE)))
        return NULL;
    path = denied_to_postfix(plan);
    return path ? path : denied_to_gate(plan);
}

void setup_selinux_command(const struct setup_plan *plan, char command_r[SETUP_COMMAND_MAX])
{
    if (selinux_has_type(SETUP_SELINUX_TYPE))
        snprintf(command_r, SETUP_COMMAND_MAX, "restorecon -RF " POSTERN_LIBEXECDIR " %s %s",
                 plan->state, config_runtime_directory(plan->config));
    else
        snprintf(command_r, SETUP_COMMAND_MAX, "dnf install postern-selinux");
}

int setup_selinux_check(const struct setup_plan *plan)
{
    char command[SETUP_COMMAND_MAX];
    const char *path = setup_selinux_denied(plan);

    if (path == NULL)
        return 0;
    setup_selinux_command(plan, command);
    setup_complain("SELinux would deny Postfix, or the gate that it runs, the use of %s, and all "
                   "mail would be put off; run: %s",
                   path, command);
    return EX_NOPERM;
}
