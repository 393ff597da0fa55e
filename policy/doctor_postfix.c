/* Is Postfix one that Postern can work with, and does it do as it was set up? */
#include "doctor_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "child.h"
#include "postfix_list.h"

enum { LEAST_MAJOR = 3, LEAST_MINOR = 4, QUOTED_MINOR = 5, POSTCONF_TIMEOUT = 20 * 1000 };

void doctor_postfix_asked(struct patient *p)
{
    char error[512];
    struct postfix *postfix;

    if (p->plan.postfix)
        return;
    postfix = postfix_open(config_postfix_directory(p->config), error, sizeof(error));
    if (postfix == NULL)
        doctor_say(p, DOCTOR_PROBLEM, "postconf mail_version", "Postfix cannot be asked: %s",
                   error);
    postfix_free(&postfix);
}

/* What the parser makes of such lines: maillog_delivery.c. */
static void say_unquoted(struct patient *p)
{
    static const char effect[] = "no attempt for an alias (orig_to=) is counted, and none whose "
                                 "reply imitates such a line";
    const char *version = postfix_version(p->plan.postfix);
    char postconf[DOCTOR_PATH_MAX];
    char type[DOCTOR_PATH_MAX + 200];

    if (!postfix_version_at_least(p->plan.postfix, LEAST_MAJOR, QUOTED_MINOR)) {
        doctor_say(p, DOCTOR_NOTE, NULL,
                   "Postfix %s logs addresses without quotes: %s; 3.5 has info_log_address_format",
                   version, effect);
        return;
    }
    snprintf(
        type, sizeof(type),
        "%s -e info_log_address_format=external && postfix reload && systemctl reload posternd",
        doctor_postconf_command(p, postconf, sizeof(postconf)));
    doctor_say(p, DOCTOR_NOTE, type,
               "Postfix logs addresses without quotes (info_log_address_format is internal): %s",
               effect);
}

void doctor_postfix_version(struct patient *p)
{
    const struct postfix *postfix = p->plan.postfix;

    if (!postfix_version_at_least(postfix, LEAST_MAJOR, LEAST_MINOR))
        doctor_say(p, DOCTOR_PROBLEM, "postconf mail_version",
                   "Postfix %s is too old: %d.%d is the oldest that Postern is made for (filters "
                   "of the delivery status are of 3.0, settings of single milters of 3.0, "
                   "maillog_file of 3.4)",
                   postfix_version(postfix), LEAST_MAJOR, LEAST_MINOR);
    else if (!postfix_logs_external(postfix))
        say_unquoted(p);
}

/* master(8) holds a lock on this file; to try it would be in the way of one that starts. */
void doctor_postfix_runs(struct patient *p)
{
    char path[DOCTOR_PATH_MAX];
    char type[DOCTOR_PATH_MAX];
    char locks[128 * 1024];
    struct stat st;

    snprintf(path, sizeof(path), "%s/pid/master.pid", postfix_queue_directory(p->plan.postfix));
    if (!doctor_read("/proc/locks", locks, sizeof(locks)) ||
        (stat(path, &st) == 0 && doctor_locks_have(locks, st.st_ino)))
        return;
    snprintf(type, sizeof(type), "postfix -c %s start", postfix_config_directory(p->plan.postfix));
    doctor_say(p, DOCTOR_PROBLEM, type, "Postfix is not running in %s",
               postfix_queue_directory(p->plan.postfix));
}

void doctor_lmdb(struct patient *p)
{
    char release[4096];
    char type[128];

    if (postfix_has_lmdb(p->plan.postfix))
        return;
    doctor_read("/etc/os-release", release, sizeof(release));
    snprintf(type, sizeof(type), "%s postfix-lmdb", doctor_installer(release));
    doctor_say(p, DOCTOR_PROBLEM, type,
               "Postfix cannot read lmdb tables (postconf -m does not list lmdb)");
}

/* --- transport_maps --- */

/* The type of a table may have "proxy:" before it. */
static bool is_our_table(const struct patient *p, struct slice entry)
{
    char ours[DOCTOR_PATH_MAX + 8];

    if (slice_starts(entry, "proxy:"))
        entry = (struct slice){entry.at + 6, entry.len - 6};
    snprintf(ours, sizeof(ours), "lmdb:%s", p->plan.table);
    return slice_equals(entry, ours);
}

/* What stands before our table; an empty entry: nothing. False: ours is not there. */
static bool find_our_table(const struct patient *p, const char *list, struct slice *before_r)
{
    struct slice entry;

    *before_r = (struct slice){"", 0};
    while ((entry = postfix_list_next(&list)).len > 0) {
        if (is_our_table(p, entry))
            return true;
        if (before_r->len == 0)
            *before_r = entry;
    }
    return false;
}

static void say_shadow(struct patient *p, struct slice before, const char *list)
{
    char postconf[DOCTOR_PATH_MAX];
    char ours[DOCTOR_PATH_MAX + 8];
    char value[DOCTOR_PATH_MAX];
    char type[DOCTOR_PATH_MAX * 3];

    snprintf(ours, sizeof(ours), "lmdb:%s", p->plan.table);
    doctor_list_first(list, ours, value, sizeof(value));
    snprintf(type, sizeof(type), "%s -e 'transport_maps = %s' && postfix reload",
             doctor_postconf_command(p, postconf, sizeof(postconf)), value);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "transport_maps has %.*s before Postern's table: what it has a route for is not "
               "held",
               (int)before.len, before.at);
}

static void check_parents(struct patient *p)
{
    char *list;
    char postconf[DOCTOR_PATH_MAX];
    char value[2000];
    char type[DOCTOR_PATH_MAX * 2];

    if (!postfix_parent_matches_subdomains(p->plan.postfix))
        return;
    list = doctor_postconf(p, "parent_domain_matches_subdomains");
    doctor_list_without(list, "transport_maps", value, sizeof(value));
    snprintf(type, sizeof(type),
             "%s -e 'parent_domain_matches_subdomains = %s' && postfix reload && systemctl reload "
             "posternd",
             doctor_postconf_command(p, postconf, sizeof(postconf)), value);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "parent_domain_matches_subdomains has transport_maps: to hold a domain would hold "
               "its subdomains, so posternd only observes");
    free(list);
}

void doctor_transport_maps(struct patient *p)
{
    char setup[SETUP_COMMAND_MAX];
    char *list = doctor_postconf(p, "transport_maps");
    struct slice before;

    if (!find_our_table(p, list, &before)) {
        doctor_setup_command(p, setup);
        doctor_say(p, DOCTOR_PROBLEM, setup,
                   "Postfix is not connected: transport_maps (\"%.200s\") does not have lmdb:%s",
                   list, p->plan.table);
    } else if (before.len > 0) {
        say_shadow(p, before, list);
    }
    check_parents(p);
    free(list);
}

/* --- master.cf --- */

static void need_service(struct patient *p, const char *name, const char *what)
{
    char setup[SETUP_COMMAND_MAX];

    if (postfix_has_service(p->plan.postfix, name))
        return;
    doctor_setup_command(p, setup);
    doctor_say(p, DOCTOR_PROBLEM, setup, "%s has no service %s: %s", p->plan.master.path, name,
               what);
}

void doctor_services(struct patient *p)
{
    char name[40];

    need_service(p, "postern-hold", "mail that is to be held would be put off with an error");
    need_service(p, "postern-expire", "mail over its cap would be put off with an error");
    for (size_t i = 0; i < p->plan.lane_count; i++) {
        snprintf(name, sizeof(name), "postern-rcpt%u", (unsigned)p->plan.lanes[i]);
        need_service(p, name, "recipient_limits.lanes asks for it");
    }
    if (p->plan.probation.processes > 0)
        need_service(p, "postern-probation", "lanes asks for it");
}

/* Setup puts its block at the end; where it stands makes no difference by itself. */
static bool would_change(const struct setup_file *file)
{
    const struct mainmaster_edit *edit = &file->edit;

    return edit->result == MAINMASTER_CHANGED &&
           !doctor_same_lines(file->before, (struct slice){edit->bytes, edit->len});
}

void doctor_setup(struct patient *p)
{
    char setup[SETUP_COMMAND_MAX];

    if (!p->known)
        return;
    if (!p->edited) {
        setup_command(&p->plan, "--print", setup, sizeof(setup));
        if (p->root)
            doctor_say(p, DOCTOR_PROBLEM, setup, "%s or %s has what setup cannot work with",
                       p->plan.main.path, p->plan.master.path);
        else
            doctor_say(p, DOCTOR_UNKNOWN, NULL, "only root may see what setup would change");
    } else if (would_change(&p->plan.main) || would_change(&p->plan.master)) {
        doctor_setup_command(p, setup);
        doctor_say(p, DOCTOR_PROBLEM, setup,
                   "%s or %s is not as this version and %s want it; setup --print shows how",
                   p->plan.main.path, p->plan.master.path, config_path(p->config));
    }
}

/* "smtp/inet/smtpd_milters = ..." */
static void say_override(struct patient *p, const char *line, const char *setting,
                         const char *effect)
{
    char postconf[DOCTOR_PATH_MAX];
    char type[DOCTOR_PATH_MAX + 300];
    int len = (int)strcspn(line, " =");
    int service = (int)strcspn(line, "/");

    snprintf(type, sizeof(type), "%s -PX '%.*s' && postfix reload",
             doctor_postconf_command(p, postconf, sizeof(postconf)), len < 200 ? len : 200, line);
    doctor_say(p, strncmp(line, "rewrite/", 8) == 0 ? DOCTOR_PROBLEM : DOCTOR_NOTE, type,
               "%s sets %s for the service %.*s (-o): %s", p->plan.master.path, setting,
               service < 100 ? service : 100, line, effect);
}

static void check_override(struct patient *p, const char *setting, const char *effect)
{
    char what[128];
    char *lines;

    snprintf(what, sizeof(what), "*/*/%s", setting);
    lines = setup_postconf(&p->plan, "-P", what);
    for (char *at = lines; at && *at;) {
        char *newline = strchr(at, '\n');
        if (strncmp(at, "postern-", 8) != 0)
            say_override(p, at, setting, effect);
        at = newline ? newline + 1 : at + strlen(at);
    }
    free(lines);
}

void doctor_overrides(struct patient *p)
{
    check_override(p, "transport_maps", "Postern cannot hold what that routes");
    check_override(p, "smtp_delivery_status_filter",
                   "\"too many recipients\" is not put right there");
    check_override(p, "smtpd_milters", "Postern's milters are not asked there");
    check_override(p, "non_smtpd_milters", "Postern's milters are not asked there");
}

void doctor_lanes(struct patient *p)
{
    char why[512];

    if ((config_outbound_limits(p->config) || config_lanes_mode(p->config) != LANES_OFF) &&
        !postfix_lanes_possible(p->plan.postfix, why, sizeof(why)))
        doctor_say(p, DOCTOR_NOTE, NULL, "lanes are not used: %s", why);
}

/* --- postqueue(1) and sendmail(1) for posternd's account --- */

static void check_authorized(struct patient *p, const char *setting, const char *command)
{
    char *list = doctor_postconf(p, setting);
    char postconf[DOCTOR_PATH_MAX];
    char value[2000];
    char type[DOCTOR_PATH_MAX * 2];

    if (!postfix_list_has(list, "static:anyone") && !postfix_list_has(list, p->account.name) &&
        strchr(list, ':') == NULL) {
        doctor_list_with(list, p->account.name, value, sizeof(value));
        snprintf(type, sizeof(type), "%s -e '%s = %s'",
                 doctor_postconf_command(p, postconf, sizeof(postconf)), setting, value);
        doctor_say(p, DOCTOR_PROBLEM, type, "%s does not let the account %s run %s", setting,
                   p->account.name, command);
    }
    free(list);
}

static void check_directory_listed(struct patient *p)
{
    char command[DOCTOR_PATH_MAX];
    char *argv[] = {(char *)(uintptr_t)postfix_postconf(p->plan.postfix),
                    (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)postfix_default_directory(p->plan.postfix),
                    (char *)(uintptr_t) "-h",
                    (char *)(uintptr_t) "alternate_config_directories",
                    NULL};
    struct child_command ask = {.argv = argv, .timeout_ms = POSTCONF_TIMEOUT};
    struct child_result *result;
    char value[2000];

    if (postfix_config_directory_allowed(p->plan.postfix))
        return;
    result = child_run(&ask);
    doctor_list_with(result && result->end.status == 0 ? result->output : "",
                     postfix_config_directory(p->plan.postfix), value, sizeof(value));
    free(result);
    snprintf(command, sizeof(command), "postconf -c %s -e 'alternate_config_directories = %s'",
             postfix_default_directory(p->plan.postfix), value);
    doctor_say(p, DOCTOR_PROBLEM, command,
               "postqueue and sendmail do not take %s from the account %s: it is not in "
               "alternate_config_directories",
               postfix_config_directory(p->plan.postfix), p->account.name);
}

void doctor_commands(struct patient *p)
{
    if (!p->known || p->account.uid == 0)
        return;
    check_directory_listed(p);
    check_authorized(p, "authorized_flush_users", "postqueue: nothing is woken");
    check_authorized(p, "authorized_submit_users", "sendmail: no report is sent");
}

/* Their mail passes by here; each needs a Postern of its own. */
