/* What the parts of `posternctl setup` share. One thread. */
#ifndef POSTERN_SETUP_PLAN_H
#define POSTERN_SETUP_PLAN_H

#include <limits.h>
#include <sys/types.h>

#include "classify.h"
#include "config.h"
#include "mainmaster.h"
#include "postfix.h"

/* main.cf or master.cf, before and after. */
struct setup_file {
    char *path;
    struct slice before;
    struct mainmaster_edit edit;
};

/* Strings belong to the plan unless said otherwise. */
struct setup_plan {
    const struct config *config; /* the caller's */
    struct postfix *postfix;     /* NULL: it could not be asked */
    char *directory;             /* of main.cf and master.cf */
    char *state;
    char *tables;
    char *table; /* without a type */
    char *table_file;
    char *filter;          /* of the gate */
    char *status_filter;   /* NULL: recipient_limits.outbound is false */
    const uint32_t *lanes; /* the configuration's; none without status_filter */
    size_t lane_count;
    struct mainmaster_probation probation; /* what comes of the configuration's lanes */
    struct classifier *classifier;         /* NULL: a status filter without rules */
    char *config_path;                     /* absolute */
    char owner[256];                       /* of the state, by name */
    const char *account;                   /* that runs the gate */
    uid_t uid;                             /* of the state */
    gid_t gid;
    struct mainmaster_milters milters; /* its strings are the configuration's and Postfix's */
    struct setup_file main;
    struct setup_file master;
};

/* Finds the places and asks Postfix; when that fails it says so, and plan->postfix is NULL. */
void setup_plan_open(struct setup_plan *plan, const struct config *config);
void setup_plan_close(struct setup_plan *plan);

/*
 * Finds out who owns the state and who runs the gate. Like all that follow, it returns 0, or an
 * exit status (see setup.h) after saying on standard error what is wrong.
 */
int setup_plan_accounts(struct setup_plan *plan);

/* Reads both files and works out how they would be. */
int setup_plan_edits(struct setup_plan *plan, bool apply);

/* Writes to standard output how a file would change, in the manner of diff(1). */
void setup_plan_show(const struct setup_file *file);

/* True when one of the two files would change. */
bool setup_plan_changes(const struct setup_plan *plan);

/* --- setup_check.c --- */

/* Whether everything is there that Postern needs; says on standard error what is not. */
int setup_check(const struct setup_plan *plan);
/* What works and yet needs a hand; on standard output. */
void setup_check_remarks(const struct setup_plan *plan);
/* Whether Postfix understands the files as they were meant. */
int setup_check_result(const struct setup_plan *plan);

/* Runs postconf(1) on the instance with up to two arguments; its output, or NULL. free() it. */
char *setup_postconf(const struct setup_plan *plan, const char *option, const char *what);
/* A service may have a setting of its own (-o), which ours in main.cf does not reach: a remark. */
void setup_remark_override(const struct setup_plan *plan, const char *setting, const char *effect);

/* True when Postfix has a service in master.cf, "name/unix", whose line has `command` in it. */
bool setup_result_has_service(const struct setup_plan *plan, const char *service,
                              const char *command);

/* --- setup_lane.c --- */

/* What is wanted of postern-probation, as far as Postfix's settings let lanes be used. */
struct mainmaster_probation setup_lane_want(const struct setup_plan *plan);
/* Why lanes are not used, or what they mean; on standard output. */
void setup_lane_remarks(const struct setup_plan *plan);
/* The same at length, for --print. */
void setup_lane_reasons(const struct setup_plan *plan);
/* Whether Postfix has the lanes. */
bool setup_lane_result(const struct setup_plan *plan);

/* --- setup_milter.c --- */

/* What is wanted of the milters and whether they run; needs master.cf as it was. */
struct mainmaster_milters setup_milter_want(const struct setup_plan *plan);
/* True when somebody listens on a milter's socket, in postern.conf's form. */
bool setup_milter_runs(const char *text);
/* True when its socket is inside queue_directory, where the place in postern.conf leads. */
bool setup_milter_inside(const char *text, const char *queue_directory);
/* What was not connected, and what helps; on standard output. */
void setup_milter_remarks(const struct setup_plan *plan);
/* Whether Postfix has those that were connected. */
bool setup_milter_result(const struct setup_plan *plan);

/* --- setup_state.c --- */

/* Makes plan->classifier, unless Postern is only to observe. */
int setup_state_plan(struct setup_plan *plan);
/* True when setup_state_make() would make or change a file. */
bool setup_state_differs(const struct setup_plan *plan);
/* Makes the directories, both filters and an empty table. */
int setup_state_make(const struct setup_plan *plan);

/* --- setup_posternd.c --- */

/*
 * Has a posternd that runs read its configuration and Postfix's again, and waits, for 5 s at most,
 * until it has published what follows. `aloud`: says how that went.
 */
void setup_tell_posternd(const struct setup_plan *plan, bool aloud);

/* --- setup_selinux.c --- */

/* Of contrib/selinux: when the policy has it, our module is there. */
#define SETUP_SELINUX_TYPE "postern_table_t"

/* What SELinux would deny Postfix or the gate, of what they need; NULL: nothing. */
const char *setup_selinux_denied(const struct setup_plan *plan);
/* The same, said on standard error. */
int setup_selinux_check(const struct setup_plan *plan);

/* How to call this program again with the same configuration. */
enum { SETUP_COMMAND_MAX = 4200 };
void setup_command(const struct setup_plan *plan, const char *option, char *command_r, size_t size);
/* What helps against a denial. */
void setup_selinux_command(const struct setup_plan *plan, char command_r[SETUP_COMMAND_MAX]);

/* One line on standard error, with the program's name before it. */
void setup_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- setup_other.c --- */

/*
 * The configuration that this Postfix is connected by, when that is another one, about this Postfix
 * as well, and with another state; and whether its posternd runs. False: there is none.
 */
bool setup_other_file(const struct setup_plan *plan, char file_r[PATH_MAX], bool *runs_r);
/* Complains of one that runs. */
int setup_check_other(const struct setup_plan *plan);
/* A table of routes in the list (of transport_maps) that another posternd publishes. */
bool setup_foreign_table(const struct setup_plan *plan, const char *list, char table_r[PATH_MAX]);
/* False, with a complaint: main.cf has one. */
bool setup_result_is_alone(const struct setup_plan *plan);

#endif
