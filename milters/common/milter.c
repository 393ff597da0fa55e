#include "milter.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "confref.h"
#include "log.h"
#include "options.h"
#include "place.h"

static const char usage[] = "usage: %s [-c FILE] [-f] [-t] [-V] [-h]\n"
                            "  -c FILE  configuration (default " OPTIONS_DEFAULT_CONFIG ")\n"
                            "  -f       stay in the foreground, write the log to standard error\n"
                            "  -t       check the configuration and exit (78: it is wrong)\n"
                            "  -V       version\n"
                            "  -h       this text\n";

struct invocation {
    const char *config;
    bool foreground;
    bool test;
};

/*
 * Signals. libmilter has a thread that waits for SIGHUP, SIGTERM and SIGINT, and stops the milter
 * at each of them. A signal sent to the process goes to the main thread if that does not block it
 * (Linux, kernel/signal.c: the main thread "gets first crack"), so the main thread never does, and
 * does nothing else than take signals; libmilter runs in a thread of its own.
 */
static atomic_bool want_reload;
static atomic_bool want_end;
static atomic_bool milter_ended;
static sem_t happened; /* one of these */

static void on_signal(int number)
{
    int saved_errno = errno;

    if (number == SIGHUP)
        want_reload = true;
    else
        want_end = true;
    sem_post(&happened);
    errno = saved_errno;
}

static void handle_signals(sigset_t *set_r)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};
    struct sigaction action = {.sa_handler = on_signal};

    sem_init(&happened, 0, 0);
    sigemptyset(set_r);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        sigaction(numbers[i], &action, NULL);
        sigaddset(set_r, numbers[i]);
    }
    signal(SIGPIPE, SIG_IGN);
}

/* By its full path: SIGHUP reads it again from wherever the milter is then. */
static struct config *read_config(const char *path, char *error_r, size_t size)
{
    char *full = realpath(path, NULL);
    struct config *config = config_load(full ? full : path, error_r, size);

    free(full);
    return config;
}

static void say_warnings(const struct config *config)
{
    const char *warning;

    for (size_t i = 0; (warning = config_warning(config, i)) != NULL; i++)
        log_warning("%s", warning);
}

/* Takes over the configuration. */
static bool put_in_force(const struct milter_program *program, struct config *config)
{
    struct networks *local = program->local ? program->local(config) : NULL;

    if (confref_set(config, local))
        return true;
    networks_free(&local);
    config_free(&config);
    return false;
}

/* A mistake leaves the running configuration in force. */
static void reload(const struct milter_program *program)
{
    struct confref *old = confref_take();
    const struct config *running = confref_config(old);
    char error[1024];
    struct config *config = read_config(config_path(running), error, sizeof(error));

    if (config == NULL) {
        log_error("%s; the running configuration stays", error);
    } else if (strcmp(program->socket(config), program->socket(running)) != 0 ||
               strcmp(config_user(config), config_user(running)) != 0) {
        log_error("%s: %s and user cannot change while %s runs: restart it; the running "
                  "configuration stays",
                  config_path(config), program->setting, program->name);
        config_free(&config);
    } else {
        say_warnings(config);
        log_info("%s: read again", config_path(config));
        if (!put_in_force(program, config))
            log_error("out of memory; the running configuration stays");
    }
    confref_release(&old);
}

static void *run_libmilter(void *arg)
{
    (void)arg;
    smfi_main();
    milter_ended = true;
    sem_post(&happened);
    return NULL;
}

/*
 * Until it is told to end. Connections still open just end: Postfix goes on without the milter. Not
 * by smfi_stop(): it waits for libmilter's listener, for up to five seconds.
 */
static int run(const struct milter_program *program, struct place *place)
{
    pthread_t thread;
    sigset_t set;
    int error;

    handle_signals(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    error = pthread_create(&thread, NULL, run_libmilter, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    if (error)
        log_fatal(EX_OSERR, "cannot start a thread: %s", strerror(error));
    for (;;) {
        while (sem_wait(&happened) != 0)
            continue;
        if (want_end) {
            place_leave(place);
            log_info("stopped");
            return EX_OK;
        }
        if (milter_ended)
            log_fatal(EX_TEMPFAIL, "libmilter has stopped");
        if (atomic_exchange(&want_reload, false))
            reload(program);
    }
}

static void go_to_background(const struct milter_program *program)
{
    if (daemon(0, 0) != 0)
        log_fatal(EX_OSERR, "cannot go to the background: %m");
    log_open(program->name, 1);
}

static int serve(const struct milter_program *program, const struct invocation *invocation,
                 struct config *config)
{
    char *socket = strdup(program->socket(config));
    struct place place = {.where = socket};
    int status;

    if (socket == NULL)
        log_fatal(EX_OSERR, "out of memory");
    if (socket[0] == '\0')
        log_fatal(EX_CONFIG, "%s: %s is empty: there is nothing to listen on", config_path(config),
                  program->setting);
    if (smfi_register(program->description) != MI_SUCCESS)
        log_fatal(EX_SOFTWARE, "libmilter does not take the milter: it is another version's");
    place_enter(&place, config);
    place_listen(&place);
    if (!invocation->foreground)
        go_to_background(program);
    say_warnings(config);
    log_info("started: socket=%s%s%s%s", socket, place.inside[0] ? " inside=" : "", place.inside,
             config_enforce(config) ? "" : " (enforce = false: observing only)");
    if (!put_in_force(program, config))
        log_fatal(EX_OSERR, "out of memory");
    status = run(program, &place);
    free(socket);
    return status;
}

static int test(const struct milter_program *program, struct config *config)
{
    const char *warning;

    for (size_t i = 0; (warning = config_warning(config, i)) != NULL; i++)
        fprintf(stderr, "%s: warning: %s\n", program->name, warning);
    config_free(&config);
    return EX_OK;
}

static int common_option(int option, const struct milter_program *program)
{
    char text[sizeof(usage) + 64];

    snprintf(text, sizeof(text), usage, program->name);
    return options_common(option, program->name, text);
}

int milter_main(int argc, char **argv, const struct milter_program *program)
{
    struct invocation invocation = {.config = OPTIONS_DEFAULT_CONFIG};
    struct config *config;
    char error[1024];
    int option;

    while ((option = getopt(argc, argv, "c:ftVh")) != -1) {
        if (option == 'c')
            invocation.config = optarg;
        else if (option == 'f')
            invocation.foreground = true;
        else if (option == 't')
            invocation.test = true;
        else
            return common_option(option, program);
    }
    if (optind != argc)
        return common_option('?', program);
    log_open(program->name, 0);
    config = read_config(invocation.config, error, sizeof(error));
    if (config == NULL)
        log_fatal(EX_CONFIG, "%s", error);
    return invocation.test ? test(program, config) : serve(program, &invocation, config);
}
