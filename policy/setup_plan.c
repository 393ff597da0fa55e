#include "setup_plan.h"

#include "cfile.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define GATE POSTERN_LIBEXECDIR "/postern-gate"

enum { ERROR_MAX = 512 };

void setup_complain(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fputs("posternctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* A new string. Without memory for a path there is nothing to be done. */
__attribute__((format(printf, 1, 2))) static char *make_string(const char *format, ...)
{
    va_list args;
    char *text;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        abort();
    return text;
}

/* master.cf is read far from our directory. The name stays as given, with its symbolic links. */
static char *absolute_path(const char *path)
{
    if (*path == '/')
        return make_string("%s", path);
    char *here = getcwd(NULL, 0);
    char *result = make_string("%s/%s", here != NULL ? here : ".", path);
    free(here);
    return result;
}

static char *trimmed_directory(const char *path)
{
    char *copy = make_string("%s", path);
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--)
        copy[len - 1] = '\0';
    return copy;
}

/*
 * pipe(8) refuses root (pipe/pipe.c, get_service_attr()), so the gate of a state that belongs to
 * root runs as nobody.
 */
int setup_plan_accounts(struct setup_plan *plan)
{
    const char *user = config_user(plan->config);
    const struct passwd *entry = *user != '\0' ? getpwnam(user) : getpwuid(geteuid());
    if (entry == NULL && *user != '\0') {
        setup_complain("%s: there is no account \"%s\"; create it (useradd --system --user-group "
                       "--no-create-home --shell /usr/sbin/nologin %s), or set another user",
                       config_path(plan->config), user, user);
        return EX_UNAVAILABLE;
    }
    if (entry == NULL) {
        setup_complain("the account with the number %u has no name", (unsigned)geteuid());
        return EX_UNAVAILABLE;
    }
    plan->uid = entry->pw_uid;
    plan->gid = entry->pw_gid;
    snprintf(plan->owner, sizeof(plan->owner), "%s", entry->pw_name);
    plan->account = entry->pw_uid != 0 ? plan->owner : "nobody";
    return 0;
}

static void find_paths(struct setup_plan *plan)
{
    char *state = trimmed_directory(config_state_directory(plan->config));
    plan->directory = trimmed_directory(config_postfix_directory(plan->config));
    plan->state = make_string("%s", state);
    plan->tables = make_string("%s/tables", state);
    plan->table = make_string("%s/transport", plan->tables);
    plan->table_file = make_string("%s.lmdb", plan->table);
    plan->filter = make_string("%s/gate_filter.regexp", plan->tables);
    if (config_outbound_limits(plan->config)) {
        plan->status_filter = make_string("%s/status_filter.regexp", plan->tables);
        plan->lanes = config_lanes(plan->config, &plan->lane_count);
    }
    plan->config_path = absolute_path(config_path(plan->config));
    plan->main.path = make_string("%s/main.cf", plan->directory);
    plan->master.path = make_string("%s/master.cf", plan->directory);
    free(state);
}

void setup_plan_open(struct setup_plan *plan, const struct config *config)
{
    char error[ERROR_MAX];
    *plan = (struct setup_plan){.config = config};
    find_paths(plan);
    plan->postfix = postfix_open(plan->directory, error, sizeof(error));
    if (plan->postfix == NULL)
        setup_complain("Postfix cannot be asked about itself: %s", error);
}

static void close_file(struct setup_file *file)
{
    free((char *)(uintptr_t)file->before.at);
    free(file->path);
    mainmaster_edit_free(&file->edit);
}

void setup_plan_close(struct setup_plan *plan)
{
    close_file(&plan->main);
    close_file(&plan->master);
    free(plan->directory);
    free(plan->tables);
    free(plan->table);
    free(plan->table_file);
    free(plan->filter);
    free(plan->status_filter);
    classifier_free(&plan->classifier);
    free(plan->config_path);
    free(plan->state);
    postfix_free(&plan->postfix);
}

/* What is wrong with a file, with its line if there is one. */
static void explain_edit(const struct setup_file *file)
{
    if (file->edit.line > 0)
        setup_complain("%s:%zu: %s", file->path, file->edit.line, file->edit.message);
    else
        setup_complain("%s: %s", file->path, file->edit.message);
}

static int read_file(struct setup_file *file)
{
    if (cfile_read(file->path, &file->before) == 0)
        return 0;
    int error = errno;
    setup_complain("%s: %s", file->path, strerror(error));
    return error == EACCES || error == EPERM ? EX_NOPERM : EX_IOERR;
}

static int work_out(struct setup_file *file, mainmaster_function *function,
                    const struct mainmaster_want *want)
{
    function(file->before, want, &file->edit);
    if (file->edit.result == MAINMASTER_NO_MEMORY) {
        setup_complain("%s: out of memory", file->path);
        return EX_OSERR;
    }
    if (*file->edit.message != '\0')
        explain_edit(file);
    return file->edit.result == MAINMASTER_CONFLICT ? EX_CONFIG : 0;
}

static struct mainmaster_want what_to_want(const struct setup_plan *plan, bool apply)
{
    return (struct mainmaster_want){.table = plan->table,
                                    .filter = plan->filter,
                                    .account = apply ? plan->account : "",
                                    .gate = GATE,
                                    .config = plan->config_path,
                                    .state = plan->state,
                                    .inbound = config_inbound_count(plan->config) > 0,
                                    .status_filter = plan->status_filter,
                                    .lanes = plan->lanes,
                                    .lane_count = plan->lane_count,
                                    .probation = plan->probation,
                                    .log_name = apply ? postfix_syslog_name(plan->postfix) : "",
                                    .milters = plan->milters};
}

static bool is_stranded(const struct setup_plan *plan, bool after)
{
    const struct setup_file *main = &plan->main, *master = &plan->master;
    return after ? mainmaster_is_stranded((struct slice){main->edit.bytes, main->edit.len},
                                          (struct slice){master->edit.bytes, master->edit.len})
                 : mainmaster_is_stranded(main->before, master->before);
}

/* A default_transport that is not in our block stays when our service goes. */
static int check_service(const struct setup_plan *plan)
{
    if (!is_stranded(plan, true) || is_stranded(plan, false))
        return 0;
    setup_complain(
        "%s: default_transport is postern-probation outside of Postern's block, and that "
        "service would be taken out of %s: Postfix could not deliver any more; set "
        "default_transport to what it was before and try again",
        plan->main.path, plan->master.path);
    return EX_CONFIG;
}

/* Both files are looked at before anything is said about the outcome: all conflicts at once. */
int setup_plan_edits(struct setup_plan *plan, bool apply)
{
    int main_status = read_file(&plan->main);
    int master_status = read_file(&plan->master);
    if (main_status != 0 || master_status != 0)
        return main_status != 0 ? main_status : master_status;
    if (apply) {
        plan->milters = setup_milter_want(plan);
        plan->probation = setup_lane_want(plan);
    }
    struct mainmaster_want want = what_to_want(plan, apply);
    main_status =
        work_out(&plan->main, apply ? mainmaster_apply_main : mainmaster_remove_main, &want);
    if (plan->main.edit.probation_refused)
        want.probation = plan->probation = (struct mainmaster_probation){0};
    master_status =
        work_out(&plan->master, apply ? mainmaster_apply_master : mainmaster_remove_master, &want);
    return main_status != 0     ? main_status
           : master_status != 0 ? master_status
                                : check_service(plan);
}

bool setup_plan_changes(const struct setup_plan *plan)
{
    return plan->main.edit.result == MAINMASTER_CHANGED ||
           plan->master.edit.result == MAINMASTER_CHANGED;
}

/* --- Showing a change --- */

/* The rest of two texts, as far as they were compared. */
struct comparison {
    struct slice before;
    struct slice after;
    size_t line; /* of `before` */
    bool told;   /* that a group of changes has begun */
};

static struct slice first_line(struct slice text)
{
    const char *newline = text.len > 0 ? memchr(text.at, '\n', text.len) : NULL;
    return newline != NULL ? (struct slice){text.at, (size_t)(newline - text.at) + 1} : text;
}

static struct slice skip(struct slice text, struct slice line)
{
    return (struct slice){text.at + line.len, text.len - line.len};
}

static bool same_line(struct slice a, struct slice b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* How many lines to pass in `text` to reach `line`; SIZE_MAX: it is not there. */
static size_t distance(struct slice text, struct slice line)
{
    for (size_t n = 0; text.len > 0; n++) {
        struct slice here = first_line(text);
        if (same_line(here, line))
            return n;
        text = skip(text, here);
    }
    return SIZE_MAX;
}

static void print_line(struct comparison *comparison, char sign, struct slice line)
{
    bool whole = line.len > 0 && line.at[line.len - 1] == '\n';
    if (!comparison->told)
        printf("@@ line %zu @@\n", comparison->line);
    comparison->told = true;
    putchar(sign);
    fwrite(line.at, 1, line.len, stdout);
    if (!whole)
        fputs("\n\\ no newline at the end\n", stdout);
}

static void take_before(struct comparison *comparison, struct slice line)
{
    print_line(comparison, '-', line);
    comparison->before = skip(comparison->before, line);
    comparison->line++;
}

static void take_after(struct comparison *comparison, struct slice line)
{
    print_line(comparison, '+', line);
    comparison->after = skip(comparison->after, line);
}

/* Two different lines: the one that comes up again sooner in the other text waits for it there. */
static void show_difference(struct comparison *comparison, struct slice old, struct slice new)
{
    size_t old_later = old.len > 0 ? distance(comparison->after, old) : SIZE_MAX;
    size_t new_later = new.len > 0 ? distance(comparison->before, new) : SIZE_MAX;
    if (new.len == 0 || (old.len > 0 && new_later <= old_later))
        take_before(comparison, old);
    else
        take_after(comparison, new);
    if (old_later == SIZE_MAX && new_later == SIZE_MAX && old.len > 0 && new.len > 0)
        take_after(comparison, new);
}

void setup_plan_show(const struct setup_file *file)
{
    struct comparison c = {file->before, {file->edit.bytes, file->edit.len}, 1, false};
    printf("--- %s\n+++ %s, after\n", file->path, file->path);
    while (c.before.len > 0 || c.after.len > 0) {
        struct slice old = first_line(c.before), new = first_line(c.after);
        if (old.len > 0 && new.len > 0 && same_line(old, new)) {
            c.before = skip(c.before, old);
            c.after = skip(c.after, new);
            c.line++;
            c.told = false;
        } else {
            show_difference(&c, old, new);
        }
    }
    putchar('\n');
}
