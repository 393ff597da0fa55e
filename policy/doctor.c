/* The table of checks, and what they share. */
#include "doctor_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "lock.h"

/* Where the units "posternd@.service" and so on look for their configuration. */
#define UNITS_DIRECTORY "/etc/postern"

static const struct {
    const char *name;
    doctor_check *check;
    bool needs_postfix; /* left out when Postfix cannot be asked */
} CHECKS[] = {
    {"posternd", doctor_runs, false},
    {"answers", doctor_answers, false},
    {"version", doctor_version, false},
    {"configuration", doctor_same_file, false},
    {"enforce", doctor_enforces, false},
    {"account", doctor_account_good, false},
    {"directories", doctor_directories, false},
    {"mail-log", doctor_log, false},
    {"log-place", doctor_log_place, true},
    {"log-lines", doctor_log_lines, false},
    {"log-clock", doctor_log_clock, false},
    {"log-flow", doctor_log_flow, true},
    {"log-lag", doctor_log_lag, false},
    {"journal", doctor_journal, false},
    {"postfix", doctor_postfix_asked, false},
    {"postfix-version", doctor_postfix_version, true},
    {"postfix-runs", doctor_postfix_runs, true},
    {"lmdb", doctor_lmdb, true},
    {"state", doctor_state, false},
    {"tables", doctor_tables, true},
    {"filters", doctor_filters, true},
    {"routes", doctor_routes, true},
    {"gate", doctor_gate, false},
    {"transport_maps", doctor_transport_maps, true},
    {"services", doctor_services, true},
    {"setup", doctor_setup, true},
    {"overrides", doctor_overrides, true},
    {"lanes", doctor_lanes, true},
    {"commands", doctor_commands, true},
    {"milters", doctor_milters, true},
    {"early-reports", doctor_early, true},
    {"policy", doctor_policy, true},
    {"limits", doctor_limits, true},
    {"error-limit", doctor_error_limit, true},
    {"instances", doctor_instances, true},
    {"failures", doctor_failures, false},
    {"selinux", doctor_selinux, true},
};

static const char *const RESULTS[] = {[DOCTOR_OK] = "ok",
                                      [DOCTOR_NOTE] = "note",
                                      [DOCTOR_PROBLEM] = "problem",
                                      [DOCTOR_UNKNOWN] = "unknown"};

/* --- Findings --- */

static void add(struct patient *p, enum doctor_level level, const char *text, const char *type)
{
    char command[DOCTOR_PATH_MAX * 3];

    if (type)
        doctor_instance_command(type, p->unit, p->other_directory, command, sizeof(command));
    json_array_append_new(p->checks,
                          json_pack("{s:s, s:s, s:s, s:s?}", "check", p->check, "result",
                                    RESULTS[level], "text", text, "type", type ? command : NULL));
}

void doctor_say(struct patient *p, enum doctor_level level, const char *type, const char *format,
                ...)
{
    char text[DOCTOR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    add(p, level, text, type);
    p->said = true;
}

/* --- Accounts and paths --- */

static bool fill_account(const struct passwd *entry, struct doctor_account *account_r)
{
    memset(account_r, 0, sizeof(*account_r));
    if (entry == NULL)
        return false;
    snprintf(account_r->name, sizeof(account_r->name), "%s", entry->pw_name);
    account_r->uid = entry->pw_uid;
    account_r->group_count = DOCTOR_GROUPS_MAX;
    if (getgrouplist(entry->pw_name, entry->pw_gid, account_r->groups, &account_r->group_count) < 0)
        account_r->group_count = DOCTOR_GROUPS_MAX;
    return true;
}

bool doctor_find_account(const char *name, struct doctor_account *account_r)
{
    return fill_account(getpwnam(name), account_r);
}

gid_t doctor_group(const char *name)
{
    const struct group *group = getgrnam(name);

    return group ? group->gr_gid : (gid_t)-1;
}

/* In a child, because there is no way back. */
static bool try_as(const struct doctor_account *account, const char *path, int want)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        if (setgroups((size_t)account->group_count, account->groups) != 0 ||
            setgid(account->groups[0]) != 0 || setuid(account->uid) != 0)
            _exit(0); /* not the account's fault */
        _exit(access(path, want) == 0 ? 0 : 1);
    }
    return child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
           WEXITSTATUS(status) == 0;
}

static bool mode_allows(const struct doctor_account *account, const char *path, int want)
{
    struct stat st;

    return stat(path, &st) != 0 || doctor_allowed(account, st.st_mode, st.st_uid, st.st_gid, want);
}

bool doctor_may(const struct patient *p, const struct doctor_account *account, const char *path,
                int want, char *blame_r)
{
    char part[DOCTOR_PATH_MAX];

    snprintf(blame_r, DOCTOR_PATH_MAX, "%s", path);
    if (account->uid == 0 || (p->root && try_as(account, path, want)))
        return true;
    snprintf(part, sizeof(part), "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!mode_allows(account, part, X_OK)) {
            snprintf(blame_r, DOCTOR_PATH_MAX, "%s", part);
            return false;
        }
        *slash = '/';
    }
    return !p->root && mode_allows(account, path, want);
}

bool doctor_check_path(struct patient *p, const struct doctor_account *account, const char *path,
                       int want)
{
    char blame[DOCTOR_PATH_MAX];
    char type[DOCTOR_PATH_MAX + 32];
    bool leads = false;

    if (access(path, F_OK) != 0 && errno == ENOENT)
        return true; /* said elsewhere */
    if (account->name[0] == '\0' || doctor_may(p, account, path, want, blame))
        return true;
    leads = strcmp(blame, path) != 0;
    snprintf(type, sizeof(type), "chmod o+%s %s",
             leads          ? "x"
             : want == R_OK ? "r"
             : want == X_OK ? "rx"
                            : "rw",
             blame);
    doctor_say(p, DOCTOR_PROBLEM, type, "the account %s cannot %s %s%s%s", account->name,
               want == R_OK   ? "read"
               : want == X_OK ? "run"
                              : "use",
               path, leads ? ": it may not pass " : "", leads ? blame : "");
    return false;
}

/* --- Asking --- */

char *doctor_postconf(const struct patient *p, const char *setting)
{
    char *value = p->plan.postfix ? setup_postconf(&p->plan, "-hx", setting) : NULL;

    if (value == NULL)
        return strdup("");
    value[strcspn(value, "\n")] = '\0';
    return value;
}

void doctor_setup_command(const struct patient *p, char command_r[SETUP_COMMAND_MAX])
{
    setup_command(&p->plan, "--apply", command_r, SETUP_COMMAND_MAX);
}

const char *doctor_postconf_command(const struct patient *p, char *buffer, size_t size)
{
    const char *directory = postfix_config_directory(p->plan.postfix);

    if (strcmp(directory, postfix_default_directory(p->plan.postfix)) == 0)
        snprintf(buffer, size, "postconf");
    else
        snprintf(buffer, size, "postconf -c %s", directory);
    return buffer;
}

bool doctor_read(const char *path, char *buffer, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(buffer, 1, size - 1, file) : 0;

    buffer[got] = '\0';
    if (file)
        fclose(file);
    return file != NULL;
}

/* --- The patient --- */

/* What setup says on standard error, the checks say in their own way. Returns the way back. */
static int hush(void)
{
    int saved = dup(STDERR_FILENO);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (saved >= 0 && null >= 0)
        dup2(null, STDERR_FILENO);
    if (null >= 0)
        close(null);
    return saved;
}

static void speak(int saved)
{
    if (saved < 0)
        return;
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void plan(struct patient *p)
{
    int saved = hush();

    setup_plan_open(&p->plan, p->config);
    p->known = setup_plan_accounts(&p->plan) == 0;
    if (p->known && p->plan.postfix)
        p->edited = setup_plan_edits(&p->plan, true) == 0;
    speak(saved);
    if (p->known)
        p->known = doctor_find_account(p->plan.owner, &p->account);
    if (p->plan.postfix)
        doctor_find_account(postfix_mail_owner(p->plan.postfix), &p->postfix);
}

static void open_state(struct patient *p)
{
    char error[512];
    int saved = hush();

    p->store =
        store_open(config_state_directory(p->config), false, (gid_t)-1, error, sizeof(error));
    speak(saved);
    if (p->store && !store_begin(p->store))
        store_close(&p->store);
}

/* Where it is not the default, commands have to name it. */
static const char *find_directory(const struct setup_plan *plan)
{
    const char *directory = plan->postfix ? postfix_config_directory(plan->postfix) : "";

    if (plan->postfix && strcmp(directory, postfix_default_directory(plan->postfix)) == 0)
        return "";
    return directory;
}

static void begin(struct patient *p, const struct config *config)
{
    *p = (struct patient){.config = config, .checks = json_array(), .root = geteuid() == 0};
    plan(p);
    doctor_unit_of(p->plan.config_path, UNITS_DIRECTORY, p->unit, sizeof(p->unit));
    p->other_directory = find_directory(&p->plan);
    p->running = lock_is_held(config_state_directory(config));
    p->pid = ask_whom(config_runtime_directory(config));
    p->metrics =
        ask_text(config_runtime_directory(config), "metrics", p->no_answer, sizeof(p->no_answer));
    open_state(p);
}

static void end(struct patient *p)
{
    store_close(&p->store);
    free(p->metrics);
    setup_plan_close(&p->plan);
}

static json_int_t count(const json_t *checks, const char *result)
{
    const json_t *one;
    json_int_t n = 0;
    size_t i;

    json_array_foreach(checks, i, one) n +=
        strcmp(json_string_value(json_object_get(one, "result")), result) == 0;
    return n;
}

json_t *doctor_report(const struct config *config)
{
    struct patient p;

    begin(&p, config);
    for (size_t i = 0; i < sizeof(CHECKS) / sizeof(CHECKS[0]); i++) {
        if (CHECKS[i].needs_postfix && p.plan.postfix == NULL)
            continue;
        p.check = CHECKS[i].name;
        p.said = false;
        CHECKS[i].check(&p);
        if (!p.said)
            add(&p, DOCTOR_OK, "", NULL);
    }
    end(&p);
    return json_pack("{s:I, s:I, s:b, s:o}", "problems", count(p.checks, "problem"), "notes",
                     count(p.checks, "note"), "root", p.root, "checks", p.checks);
}

int doctor_status(const json_t *report)
{
    return json_integer_value(json_object_get(report, "problems")) > 0 ? 1 : 0;
}
