/* Is posternd there, is it the right one, and may it do what it has to? */
#include "doctor_parts.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build.h"
#include "peer.h"

void doctor_runs(struct patient *p)
{
    if (p->running)
        return;
    if (p->metrics)
        doctor_say(p, DOCTOR_PROBLEM, "systemctl restart posternd",
                   "a posternd answers, but not one that works on %s",
                   config_state_directory(p->config));
    else
        doctor_say(p, DOCTOR_PROBLEM, "systemctl enable --now posternd",
                   "posternd is not running: nothing is held, and Postfix delivers on its own "
                   "schedule");
}

void doctor_answers(struct patient *p)
{
    char path[DOCTOR_PATH_MAX];

    if (!p->running || p->metrics)
        return;
    snprintf(path, sizeof(path), "%s/control.sock", config_runtime_directory(p->config));
    if (access(path, R_OK | W_OK) != 0 && errno == EACCES)
        doctor_say(p, DOCTOR_UNKNOWN, NULL, "only root may ask posternd at %s", path);
    else
        doctor_say(p, DOCTOR_PROBLEM, "systemctl restart posternd",
                   "posternd runs, but cannot be asked: %s", p->no_answer);
}

void doctor_version(struct patient *p)
{
    char version[64];

    if (p->metrics && doctor_metric_version(p->metrics, version, sizeof(version)) &&
        strcmp(version, PACKAGE_VERSION) != 0)
        doctor_say(p, DOCTOR_PROBLEM,
                   "systemctl restart posternd; systemctl try-restart postern-earlyndr "
                   "postern-rcptlimit postern-retrycap",
                   "posternd %s runs, but " PACKAGE_VERSION " is installed", version);
}

void doctor_same_file(struct patient *p)
{
    char theirs[PATH_MAX];
    char ours[PATH_MAX];
    char type[PATH_MAX + 40];

    if (!peer_config(p->pid, theirs) || realpath(config_path(p->config), ours) == NULL ||
        strcmp(ours, theirs) == 0)
        return;
    snprintf(type, sizeof(type), "posternctl -c %s doctor", theirs);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "the posternd that answers here was started with %s, and this is about %s", theirs,
               ours);
}

void doctor_enforces(struct patient *p)
{
    if (!config_enforce(p->config))
        doctor_say(p, DOCTOR_NOTE, "systemctl reload posternd",
                   "only observing: nothing is held or given up; to act, take \"enforce = false;\" "
                   "out of %s",
                   config_path(p->config));
}

/* pipe(8) refuses root, Postfix's account and the groups of both (pipe/pipe.c). */
static bool may_run_gate(const struct patient *p)
{
    const struct passwd *entry = getpwnam(p->plan.account);
    gid_t gid = entry ? entry->pw_gid : 0;

    if (entry == NULL || entry->pw_uid == 0 || gid == 0)
        return false;
    if (p->plan.postfix == NULL || p->postfix.name[0] == '\0')
        return true;
    return entry->pw_uid != p->postfix.uid && gid != p->postfix.groups[0] &&
           gid != doctor_group(postfix_setgid_group(p->plan.postfix));
}

void doctor_account_good(struct patient *p)
{
    char type[300];
    const char *user = config_user(p->config);

    if (user[0] == '\0' || !p->known)
        user = user[0] ? user : "postern";
    snprintf(type, sizeof(type),
             "useradd --system --user-group --no-create-home --shell /usr/sbin/nologin %.64s",
             user);
    if (!p->known)
        doctor_say(p, DOCTOR_PROBLEM, type, "%s: user: there is no account \"%s\"",
                   config_path(p->config), config_user(p->config));
    else if (!may_run_gate(p))
        doctor_say(p, DOCTOR_PROBLEM, NULL,
                   "pipe(8) will not run the gate as %s, which is root's or Postfix's account, or "
                   "has one of their groups: set user in %s to one of its own",
                   p->plan.account, config_path(p->config));
}

static void check_directory(struct patient *p, const char *setting, const char *path,
                            const char *missing)
{
    char type[DOCTOR_PATH_MAX + 100];
    struct stat st;

    if (stat(path, &st) != 0) {
        doctor_say(p, DOCTOR_PROBLEM, missing, "%s: %s: %s", setting, path, strerror(errno));
        return;
    }
    if (!p->known || p->account.uid == 0 || (st.st_uid == p->account.uid && (st.st_mode & 0300)))
        return;
    snprintf(type, sizeof(type), "chown %s: %s && chmod 755 %s", p->account.name, path, path);
    doctor_say(p, DOCTOR_PROBLEM, type, "%s: %s does not belong to the account %s", setting, path,
               p->account.name);
}

void doctor_directories(struct patient *p)
{
    char setup[SETUP_COMMAND_MAX];

    doctor_setup_command(p, setup);
    check_directory(p, "state_directory", config_state_directory(p->config), setup);
    if (p->running)
        check_directory(p, "runtime_directory", config_runtime_directory(p->config),
                        "systemctl restart posternd");
}

static void check_counter(struct patient *p, const char *series, const char *what)
{
    double value = 0;

    if (p->metrics && doctor_metric(p->metrics, series, &value) && value > 0)
        doctor_say(p, DOCTOR_NOTE, "journalctl -u posternd -p warning",
                   "%s %.0f times since its "
                   "start; its log says why",
                   what, value);
}

void doctor_failures(struct patient *p)
{
    check_counter(p, "postern_state_failures_total", "posternd could not write the state");
    check_counter(p, "postern_table_publish_failures_total",
                  "posternd could not publish its routes");
    check_counter(p, "postern_report_failures_total", "sendmail did not take a report of posternd");
    check_counter(p, "postern_wake_failures_total", "postqueue did not wake a message");
}
