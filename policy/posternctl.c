/* posternctl: says what Postern knows and why, and asks posternd for something. */
#include <ctype.h>
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "build.h"
#include "classify_command.h"
#include "clock.h"
#include "doctor.h"
#include "lock.h"
#include "log.h"
#include "options.h"
#include "replay.h"
#include "report.h"
#include "setup.h"
#include "show.h"
#include "show_colour.h"

static const char usage[] =
    "usage: posternctl [-c FILE] [--json] [--color=WHEN] COMMAND\n"
    "  status                             is it running, how much is waiting\n"
    "  destinations                       those that cannot be reached\n"
    "  destination NAME                   one of them: attempts, what happens next and when\n"
    "  message QUEUEID                    why it is still in the queue\n"
    "  recipients                         addresses that are known not to exist\n"
    "  retry DESTINATION                  make the next attempt now\n"
    "  forget destination|recipient NAME  begin its counts anew\n"
    "  classify TEXT|-|--table            what is made of a server's reply, or of each line\n"
    "  replay --log FILE...               what Postern would have done, from past logs\n"
    "  doctor                             what keeps Postern from working, and what helps\n"
    "  setup [--print|--apply|--remove]   connect Postfix with Postern, or undo it\n"
    "  --json   a report as JSON; --color=always|never|auto: words in colour\n"
    "  -c FILE  configuration (default " OPTIONS_DEFAULT_CONFIG ")\n"
    "  -V       version\n"
    "  -h       this text\n";

enum { EXIT_NOT_FOUND = 1 };

struct call {
    const struct config *config;
    bool json;
    int argc; /* of the command: argv[0] is its name */
    char **argv;
};

static int wrong_usage(void)
{
    fputs(usage, stderr);
    return EX_USAGE;
}

/* Reports */

/* What fits on a line: COLUMNS, the terminal's own width, or the usual one. */
static int screen_width(void)
{
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    struct winsize size;

    if (width <= 0 && isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    if (width <= 0 || width > 10000)
        width = SHOW_WIDTH_DEFAULT;
    return width < SHOW_WIDTH_MIN ? SHOW_WIDTH_MIN : (int)width;
}

static int print_report(const struct call *call, json_t *report, show_report *show)
{
    if (call->json) {
        json_dumpf(report, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(14));
        putchar('\n');
    } else {
        show(stdout, screen_width(), report);
    }
    json_decref(report);
    return EX_OK;
}

/* What only root and posternd's own account may read, or write to. */
static void need_access(const struct config *config, const char *directory, const char *name,
                        int mode)
{
    const char *user = config_user(config);
    char path[4200];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    if (access(path, mode) == 0 || errno != EACCES)
        return;
    log_fatal(EX_NOPERM, "%s: not allowed; run it as root or as %s", path,
              user[0] ? user : "the account that posternd runs as");
}

static struct store *open_state(const struct config *config)
{
    char error[512];
    struct store *store;

    need_access(config, config_state_directory(config), "state.mdb", R_OK);
    need_access(config, config_state_directory(config), "state.mdb-lock", R_OK | W_OK);
    store = store_open(config_state_directory(config), false, (gid_t)-1, error, sizeof(error));
    if (store == NULL)
        log_fatal(EX_UNAVAILABLE, "%s%s", error,
                  lock_is_held(config_state_directory(config))
                      ? ""
                      : "; posternd is not running: has it ever been started?");
    if (!store_begin(store))
        log_fatal(EX_UNAVAILABLE, "state: %s", store_error(store));
    return store;
}

static struct report_question question(const struct call *call)
{
    return (struct report_question){.store = open_state(call->config),
                                    .config = call->config,
                                    .now = clock_now(),
                                    .running = lock_is_held(config_state_directory(call->config))};
}

static int command_status(const struct call *call)
{
    struct report_question q = question(call);
    int status = print_report(call, report_status(&q), show_status);

    store_close(&q.store);
    return status;
}

static int command_destinations(const struct call *call)
{
    struct report_question q = question(call);
    int status = print_report(call, report_destinations(&q), show_destinations);

    store_close(&q.store);
    return status;
}

static int command_recipients(const struct call *call)
{
    struct report_question q = question(call);
    int status = print_report(call, report_recipients(&q), show_recipients);

    store_close(&q.store);
    return status;
}

static int not_found(const char *kind, const char *name, const char *hint)
{
    fprintf(stderr, "posternctl: no %s \"%s\" is known%s\n", kind, name, hint);
    return EXIT_NOT_FOUND;
}

static int command_destination(const struct call *call)
{
    struct report_question q = question(call);
    json_t *report = report_destination(&q, call->argv[1]);
    int status =
        report ? print_report(call, report, show_destination)
               : not_found("destination", call->argv[1], ": no mail to it was seen in the log");

    store_close(&q.store);
    return status;
}

static int command_message(const struct call *call)
{
    struct report_question q = question(call);
    json_t *report = report_message(&q, call->argv[1]);
    int status = report ? print_report(call, report, show_message)
                        : not_found("message", call->argv[1],
                                    ": it has not failed, or it has left the queue");

    store_close(&q.store);
    return status;
}

/* Requests */

static int ask(const struct call *call, const char *verb, const char *what, const char *name)
{
    char error[512];
    bool done = false;

    need_access(call->config, config_runtime_directory(call->config), "control.sock", R_OK | W_OK);
    if (!ask_posternd(config_runtime_directory(call->config), verb, what, name, &done, error,
                      sizeof(error)))
        log_fatal(EX_UNAVAILABLE, "%s", error);
    if (call->json)
        printf("{\"done\": %s}\n", done ? "true" : "false");
    if (!done)
        return not_found(what, name, strcmp(verb, "retry") == 0 ? " to be in an outage" : "");
    if (!call->json)
        printf("%s: %s\n", name,
               strcmp(verb, "retry") == 0 ? "an attempt is being made"
                                          : "forgotten; its counts begin anew");
    return EX_OK;
}

static bool is_group(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config_group_count(config); i++)
        if (strcmp(config_group_at(config, i)->name, name) == 0)
            return true;
    return false;
}

/* Domains are kept in lower case, the names of groups as they are written. */
static void fold(const struct config *config, char *name)
{
    if (is_group(config, name))
        return;
    for (; *name; name++)
        *name = (char)tolower((unsigned char)*name);
}

static int command_retry(const struct call *call)
{
    fold(call->config, call->argv[1]);
    return ask(call, "retry", "destination", call->argv[1]);
}

static int command_forget(const struct call *call)
{
    const char *what = call->argv[1];

    if (strcmp(what, "destination") != 0 && strcmp(what, "recipient") != 0)
        return wrong_usage();
    if (strcmp(what, "destination") == 0)
        fold(call->config, call->argv[2]);
    return ask(call, "forget", what, call->argv[2]);
}

static int command_classify(const struct call *call)
{
    return classify_command(call->config, call->argv[1], call->json);
}

static int command_replay(const struct call *call)
{
    int status = replay_main(call->config, call->json, screen_width(), call->argc, call->argv);

    return status < 0 ? wrong_usage() : status;
}

static int command_doctor(const struct call *call)
{
    json_t *report = doctor_report(call->config);
    int status = doctor_status(report);

    print_report(call, report, doctor_show);
    return status;
}

static int command_setup(const struct call *call)
{
    return setup_main(call->config, call->argc, call->argv);
}

struct command {
    const char *name;
    int least; /* arguments, the name included */
    int most;
    int (*run)(const struct call *call);
};

static const struct command commands[] = {
    {"status", 1, 1, command_status},
    {"destinations", 1, 1, command_destinations},
    {"destination", 2, 2, command_destination},
    {"message", 2, 2, command_message},
    {"recipients", 1, 1, command_recipients},
    {"retry", 2, 2, command_retry},
    {"forget", 3, 3, command_forget},
    {"classify", 2, 2, command_classify},
    {"replay", 3, INT_MAX, command_replay},
    {"doctor", 1, 1, command_doctor},
    {"setup", 1, 2, command_setup},
};

static const struct command *find_command(int argc, char **argv)
{
    for (size_t i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strcmp(commands[i].name, argv[0]) == 0)
            return argc >= commands[i].least && argc <= commands[i].most ? &commands[i] : NULL;
    return NULL;
}

/* Where each Postfix instance has a file of its own, there may be none of the usual name. */
static void hint_at_others(const char *path, char *hint_r, size_t size)
{
    char copy[PATH_MAX];
    char pattern[PATH_MAX + 8];
    glob_t files;

    *hint_r = '\0';
    snprintf(copy, sizeof(copy), "%s", path);
    snprintf(pattern, sizeof(pattern), "%s/*.conf", dirname(copy));
    if (access(path, F_OK) == 0 || errno != ENOENT || glob(pattern, 0, NULL, &files) != 0)
        return;
    snprintf(hint_r, size, "; there is %s: -c names a file", files.gl_pathv[0]);
    globfree(&files);
}

static int run(const char *path, struct call *call)
{
    const struct command *command = find_command(call->argc, call->argv);
    struct config *config;
    char hint[PATH_MAX + 64];
    char error[1024];
    int status;

    if (command == NULL)
        return wrong_usage();
    config = config_load(path, error, sizeof(error));
    if (config == NULL && access(path, R_OK) != 0 && errno == EACCES)
        log_fatal(EX_NOPERM, "%s: not allowed; run it as root", path);
    if (config == NULL) {
        hint_at_others(path, hint, sizeof(hint));
        log_fatal(EX_CONFIG, "%s%s", error, hint);
    }
    call->config = config;
    status = command->run(call);
    config_free(&config);
    if (fflush(stdout) != 0)
        log_fatal(EX_IOERR, "standard output: %m");
    return status;
}

/* Takes --json out, wherever it stands: "on every one that reports". */
static bool take_json(int *argc, char **argv)
{
    int kept = 0;
    bool json = false;

    for (int i = 0; i < *argc; i++) {
        if (i > 0 && strcmp(argv[i], "--json") == 0)
            json = true;
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    argv[kept] = NULL;
    return json;
}

/* The same with --color=WHEN. False: WHEN is none. */
static bool take_colour(int *argc, char **argv)
{
    static const char option[] = "--color=";
    bool good = show_colour_set("auto");
    int kept = 0;

    for (int i = 0; i < *argc; i++) {
        if (i > 0 && strncmp(argv[i], option, strlen(option)) == 0)
            good &= show_colour_set(argv[i] + strlen(option));
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    argv[kept] = NULL;
    return good;
}

int main(int argc, char **argv)
{
    const char *path = OPTIONS_DEFAULT_CONFIG;
    struct call call = {.json = take_json(&argc, argv)};
    int option;

    log_open("posternctl", 0);
    if (!take_colour(&argc, argv))
        return wrong_usage();
    while ((option = getopt(argc, argv, "+c:Vh")) != -1) {
        if (option != 'c')
            return options_common(option, "posternctl", usage);
        path = optarg;
    }
    call.argc = argc - optind;
    call.argv = argv + optind;
    return run(path, &call);
}
