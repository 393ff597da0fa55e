#include "setup.h"

#include "cfile.h"
#include "child.h"
#include "options.h"
#include "setup_plan.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* `postfix reload` looks at every file of the active queue first. */
enum { STATUS_TIMEOUT_MS = 30000, RELOAD_TIMEOUT_MS = 300000, EXPLANATION_MAX = 512 };

enum mode { MODE_PRINT, MODE_APPLY, MODE_REMOVE };

static const char usage[] = "usage: posternctl setup [--print | --apply | --remove]\n"
                            "  --print   show what --apply would change, and why (the default)\n"
                            "  --apply   connect Postfix with Postern\n"
                            "  --remove  take the connection away again\n";

static const char reasons[] =
    "Why:\n"
    "  transport_maps: Postern's table is asked first, because a hold has to be seen before your\n"
    "    own routes. They apply unchanged to all mail that is not held. A route of yours for one\n"
    "    address (user@domain) still comes before a hold of its whole domain.\n"
    "  postern-hold, postern-expire: pipe(8) services that ask Postern's gate whether a message\n"
    "    is to wait or to be given up. They never touch the network.\n"
    "  *_destination_recipient_limit = 1: the gate answers for one recipient at a time.\n";

static const char limit_reasons[] =
    "  smtp_delivery_status_filter: \"too many recipients\" with a permanent code becomes\n"
    "    temporary, so that no mail is returned for it. What was set before is asked first.\n";

static const char milter_reasons[] =
    "  smtpd_milters, non_smtpd_milters: Postern's milters, behind those that were set before; "
    "mail\n"
    "    goes on without them when they do not run, whatever milter_default_action is.\n";
static const char bounce_reasons[] =
    "  internal_mail_filter_classes: Postfix's own bounces pass the milters of non_smtpd_milters,\n"
    "    so that nobody gets a second NDR. They pass your other milters, content_filter and\n"
    "    header_checks as well then.\n";

void setup_command(const struct setup_plan *plan, const char *option, char *command_r, size_t size)
{
    if (strcmp(config_path(plan->config), OPTIONS_DEFAULT_CONFIG) == 0)
        snprintf(command_r, size, "posternctl setup %s", option);
    else
        snprintf(command_r, size, "posternctl -c %s setup %s", plan->config_path, option);
}

static void print_command(const struct setup_plan *plan, const char *option)
{
    char command[SETUP_COMMAND_MAX];
    setup_command(plan, option, command, sizeof(command));
    printf("    %s\n", command);
}

/* --- Writing the files --- */

static struct slice after(const struct setup_file *file)
{
    return (struct slice){file->edit.bytes, file->edit.len};
}

static int write_file(const struct setup_file *file)
{
    if (file->edit.result != MAINMASTER_CHANGED)
        return 0;
    if (cfile_replace(file->path, file->before, after(file)) == 0)
        return 0;
    int error = errno;
    setup_complain("%s: %s", file->path,
                   error == ESTALE ? "was changed by somebody else just now; try again"
                                   : strerror(error));
    return error == EACCES || error == EPERM ? EX_NOPERM : EX_IOERR;
}

static void put_back(const struct setup_file *file)
{
    if (file->edit.result != MAINMASTER_CHANGED)
        return;
    if (cfile_replace(file->path, after(file), file->before) == 0)
        setup_complain("%s is as it was", file->path);
    else
        setup_complain("%s cannot be put back: %s; it still has Postern's changes", file->path,
                       strerror(errno));
}

/* --- Telling Postfix --- */

/* Runs postfix(1). True when it ended with 0. */
static bool control(const struct setup_plan *plan, const char *verb, int timeout_ms,
                    bool show_output)
{
    char why[EXPLANATION_MAX];
    char *argv[] = {(char *)(uintptr_t)postfix_control(plan->postfix), (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)postfix_config_directory(plan->postfix),
                    (char *)(uintptr_t)verb, NULL};
    struct child_command command = {
        .argv = argv, .timeout_ms = timeout_ms, .show_output = show_output};
    fflush(stdout);
    struct child_result *result = child_run(&command);
    bool ok = result != NULL && result->end.status == 0;
    if (result != NULL && !ok && show_output) {
        child_explain(&result->end, why, sizeof(why));
        setup_complain("postfix %s: %s", verb, why);
    }
    free(result);
    return ok;
}

/* postfix(1) is for root only. A Postfix that does not run reads the files when it starts. */
static int reload(const struct setup_plan *plan)
{
    if (plan->postfix == NULL || geteuid() != 0) {
        printf("Now run: postfix -c %s reload\n", plan->directory);
        return 0;
    }
    if (!control(plan, "status", STATUS_TIMEOUT_MS, false)) {
        printf("Postfix does not run now; it takes the change up when it starts.\n");
        return 0;
    }
    if (!control(plan, "reload", RELOAD_TIMEOUT_MS, true)) {
        setup_complain("the files are changed, but Postfix did not reload them; run: postfix -c %s "
                       "reload",
                       plan->directory);
        return EX_UNAVAILABLE;
    }
    printf("Postfix has been told to read its files again (postfix reload).\n");
    return 0;
}

/* master(8) alone has to know of a new service now; the rest of Postfix is told when all is done.
 */
static int make_known(const struct setup_plan *plan)
{
    if (geteuid() != 0 || !control(plan, "status", STATUS_TIMEOUT_MS, false) ||
        control(plan, "reload", RELOAD_TIMEOUT_MS, true))
        return 0;
    setup_complain("Postfix did not reload %s", plan->master.path);
    return EX_UNAVAILABLE;
}

static void say_changed(const struct setup_file *file)
{
    printf("%s: %s\n", file->path,
           file->edit.result == MAINMASTER_CHANGED ? "changed" : "nothing to change");
}

/* --- The three modes --- */

/* Everything that has to be known before anything is changed. Complains of all that is wrong. */
static int prepare(struct setup_plan *plan)
{
    if (plan->postfix == NULL)
        return EX_UNAVAILABLE;
    int status = setup_plan_accounts(plan);
    if (status != 0)
        return status;
    int check_status = setup_check(plan);
    if (check_status == 0)
        check_status = setup_check_other(plan);
    int state_status = setup_state_plan(plan);
    status = setup_plan_edits(plan, true);
    return status != 0 ? status : check_status != 0 ? check_status : state_status;
}

static void print_files(const struct setup_plan *plan)
{
    if (setup_state_differs(plan)) {
        printf("Would be made or brought up to date, for the account %s:\n", plan->owner);
        if (access(plan->table_file, F_OK) < 0)
            printf("  %s (empty)\n", plan->table_file);
        printf("  %s\n", plan->filter);
        if (plan->status_filter != NULL)
            printf("  %s\n", plan->status_filter);
        putchar('\n');
    }
    if (plan->master.edit.result == MAINMASTER_CHANGED)
        setup_plan_show(&plan->master);
    if (plan->main.edit.result == MAINMASTER_CHANGED)
        setup_plan_show(&plan->main);
}

static void print_reasons(const struct setup_plan *plan)
{
    unsigned milters = 0;
    fputs(reasons, stdout);
    if (plan->status_filter != NULL)
        fputs(limit_reasons, stdout);
    setup_lane_reasons(plan);
    for (size_t i = 0; i < MAINMASTER_MILTERS; i++)
        milters |= plan->main.edit.milters[i].connected;
    if (milters != 0)
        fputs(milter_reasons, stdout);
    if ((milters & MAINMASTER_AT_BOUNCES) != 0)
        fputs(bounce_reasons, stdout);
}

static int print(struct setup_plan *plan)
{
    int status = prepare(plan);
    bool ready = plan->main.edit.bytes != NULL && plan->master.edit.bytes != NULL;
    if (!ready)
        return status;
    printf("Postfix %s in %s; the gate runs as %s.\n\n", postfix_version(plan->postfix),
           plan->directory, plan->account);
    print_files(plan);
    setup_check_remarks(plan);
    if (!setup_plan_changes(plan) && !setup_state_differs(plan)) {
        printf("Everything is in place: nothing to change.\n");
        return status;
    }
    print_reasons(plan);
    printf("\nNothing has been changed. %s\n",
           status == 0 ? "To do it:" : "Once what is said above is put right:");
    print_command(plan, "--apply");
    return status;
}

static int may_apply(const struct setup_plan *plan)
{
    if (geteuid() == 0 || geteuid() == plan->uid)
        return 0;
    setup_complain("this takes root: the state has to belong to the account %s", plan->owner);
    return EX_NOPERM;
}

/* Both or none. `known`: master(8) is told of the first before the second is written. */
static int write_both(const struct setup_plan *plan, const struct setup_file *first,
                      const struct setup_file *second, bool known)
{
    int status = write_file(first);
    if (status != 0)
        return status;
    status = known ? make_known(plan) : 0;
    if (status == 0)
        status = write_file(second);
    if (status != 0)
        put_back(first);
    return status;
}

/*
 * Whenever this process dies, Postfix goes on: main.cf never sends mail to a service that is not
 * there, for which qmgr(8) would defer it. So master.cf is first where services come, and main.cf
 * where the one goes that was its default_transport; then master.cf has one too many for a while.
 * To do the same again completes it.
 *
 * Processes of Postfix read main.cf whenever they start, but master(8) reads master.cf on a reload
 * only: before default_transport leads to a new service there has to be one. (Routes to others
 * come later, from posternd.)
 */
static int connect_postfix(const struct setup_plan *plan)
{
    bool was_default = postfix_default_is_probation(plan->postfix);
    bool goes = was_default && plan->probation.processes == 0;
    bool comes = !was_default && plan->probation.is_default;
    const struct setup_file *first = goes ? &plan->main : &plan->master;
    const struct setup_file *second = goes ? &plan->master : &plan->main;
    int status = write_both(plan, first, second, comes);
    if (status != 0)
        return status;
    status = setup_check_result(plan);
    if (status != 0) {
        put_back(second);
        put_back(first);
    }
    return status;
}

static void say_applied(const struct setup_plan *plan)
{
    say_changed(&plan->master);
    say_changed(&plan->main);
    if (plan->main.edit.result == MAINMASTER_CHANGED)
        printf("Postern's table comes first in transport_maps: a hold has to be seen before your "
               "own routes,\nwhich apply unchanged to all mail that is not held.\n");
    setup_check_remarks(plan);
}

/*
 * posternd is told twice: before, because no route may lead to a service that goes, and after,
 * because some may lead to those that came. Postfix does not notice by itself that a filter has
 * changed: regexp tables are read once.
 */
static int apply(struct setup_plan *plan)
{
    bool state_differs = false;
    int status = prepare(plan);
    if (status == 0)
        status = may_apply(plan);
    if (status == 0) {
        state_differs = setup_state_differs(plan);
        status = setup_state_make(plan);
    }
    if (status == 0 && setup_plan_changes(plan))
        setup_tell_posternd(plan, false);
    if (status == 0)
        status = connect_postfix(plan);
    if (status != 0)
        return status;
    say_applied(plan);
    if (setup_plan_changes(plan) || state_differs)
        status = reload(plan);
    else
        printf("Everything was in place already.\n");
    setup_tell_posternd(plan, true);
    return status;
}

/* main.cf first: nothing may be sent to the services any more when they go (connect_postfix()). */
static int disconnect(struct setup_plan *plan)
{
    int status = setup_plan_edits(plan, false);
    if (status == 0)
        status = write_both(plan, &plan->main, &plan->master, false);
    if (status != 0)
        return status;
    say_changed(&plan->main);
    say_changed(&plan->master);
    printf("Postern's state in %s is left where it is.\n", config_state_directory(plan->config));
    status = setup_plan_changes(plan) ? reload(plan) : 0;
    setup_tell_posternd(plan, true);
    return status;
}

static int run(const struct config *config, enum mode mode)
{
    static int (*const functions[])(struct setup_plan *) = {
        [MODE_PRINT] = print, [MODE_APPLY] = apply, [MODE_REMOVE] = disconnect};
    struct setup_plan plan;
    setup_plan_open(&plan, config);
    int status = functions[mode](&plan);
    setup_plan_close(&plan);
    return status;
}

int setup_main(const struct config *config, int argc, char **argv)
{
    static const struct option options[] = {{"print", no_argument, NULL, 'p'},
                                            {"apply", no_argument, NULL, 'a'},
                                            {"remove", no_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    enum mode mode = MODE_PRINT;
    int given = 0;
    optind = 0; /* the caller has used getopt() before */
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1; given++) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (option != 'p' && option != 'a' && option != 'r')
            given = argc;
        mode = option == 'a' ? MODE_APPLY : option == 'r' ? MODE_REMOVE : MODE_PRINT;
    }
    if (given > 1 || optind < argc) {
        fputs(usage, stderr);
        return EX_USAGE;
    }
    return run(config, mode);
}
