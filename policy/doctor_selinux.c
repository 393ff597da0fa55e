/* With SELinux in force: will Postfix be denied what is Postern's? */
#include "doctor_parts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "selinux.h"

static void check_socket(struct patient *p, const char *where)
{
    static const char prefix[] = "unix:";
    char command[SETUP_COMMAND_MAX];
    const char *path = where + strlen(prefix);

    if (strncmp(where, prefix, strlen(prefix)) != 0 || access(path, F_OK) != 0 ||
        selinux_may("postfix_smtpd_t", path, "sock_file", "getattr write"))
        return;
    setup_selinux_command(&p->plan, command);
    doctor_say(p, DOCTOR_PROBLEM, command,
               "SELinux denies smtpd(8) the use of %s: mail goes on without it", path);
}

/* A posternd that was started before the module came is not in the domain that Postfix may use. */
static void check_domain(struct patient *p)
{
    char path[64];
    char context[SELINUX_CONTEXT_MAX];
    char type[SELINUX_CONTEXT_MAX];

    snprintf(path, sizeof(path), "/proc/%d/attr/current", (int)p->pid);
    if (p->pid > 0 && selinux_has_type("postern_t") &&
        doctor_read(path, context, sizeof(context)) && selinux_type(context, type) &&
        strcmp(type, "postern_t") != 0)
        doctor_say(p, DOCTOR_PROBLEM,
                   "restorecon -F $(command -v posternd) && systemctl restart posternd",
                   "posternd runs in SELinux's domain %s instead of postern_t", type);
}

void doctor_selinux(struct patient *p)
{
    char command[SETUP_COMMAND_MAX];
    const char *denied;

    if (!selinux_enforcing())
        return;
    denied = setup_selinux_denied(&p->plan);
    if (denied) {
        setup_selinux_command(&p->plan, command);
        doctor_say(p, DOCTOR_PROBLEM, command,
                   "SELinux denies Postfix, or the gate that it runs, the use of %s: mail is put "
                   "off while Postfix is connected",
                   denied);
    }
    check_socket(p, config_earlyndr_socket(p->config));
    check_socket(p, config_rcptlimit_socket(p->config));
    check_socket(p, config_retrycap_socket(p->config));
    check_socket(p, config_policy_socket(p->config));
    check_domain(p);
}
