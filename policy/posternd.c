/* posternd: follows the mail log and keeps the promises of postern.conf. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "ask.h"
#include "build.h"
#include "daemon.h"
#include "inside.h"
#include "lock.h"
#include "log.h"
#include "options.h"
#include "peer.h"
#include "queuedir.h"
#include "startcheck.h"

static const char usage[] = "usage: posternd [-c FILE] [-f] [-t] [-V] [-h]\n"
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

/* The account the daemon and the gate run as. */
struct account {
    uid_t uid;
    gid_t gid;
    bool change;      /* root takes it on */
    uid_t gate_user;  /* the account of the gate, when that is another one */
    gid_t gate_group; /* may read the state besides the owner; (gid_t)-1: nobody needs to */
};

/* pipe(8) runs the gate as somebody else than root (pipe/pipe.c, get_service_attr). */
static void choose_gate(struct account *account)
{
    const struct passwd *nobody = account->uid == 0 ? getpwnam("nobody") : NULL;

    account->gate_user = nobody ? nobody->pw_uid : account->uid;
    account->gate_group = nobody ? nobody->pw_gid : (gid_t)-1;
}

static struct account find_account(const struct config *config)
{
    struct account account = {.uid = geteuid(), .gid = getegid()};
    const char *name = config_user(config);
    const struct passwd *pw;

    if (geteuid() == 0 && name[0]) {
        pw = getpwnam(name);
        if (pw == NULL)
            log_fatal(EX_CONFIG, "%s: user: there is no account \"%s\"; create it, or set user",
                      config_path(config), name);
        account.uid = pw->pw_uid;
        account.gid = pw->pw_gid;
        account.change = pw->pw_uid != 0;
    }
    choose_gate(&account);
    return account;
}

/* With the table in it, so Postfix's own accounts have to get through. */
static void make_directory(const char *path, const struct account *account)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        log_fatal(EX_CANTCREAT, "%s: %m", path);
    if (account->change && lchown(path, account->uid, account->gid) != 0)
        log_fatal(EX_CANTCREAT, "%s: %m", path);
}

static void take_account(const struct config *config, const struct account *account)
{
    if (!account->change)
        return;
    if (initgroups(config_user(config), account->gid) != 0 || setgid(account->gid) != 0 ||
        setuid(account->uid) != 0)
        log_fatal(EX_OSERR, "cannot become %s: %m", config_user(config));
}

/*
 * Where the gate takes routes out when posternd is gone. Made with the account that posternd works
 * under: root follows no names that another account may have replaced.
 */
static void make_tables(const char *state_directory, const struct account *account)
{
    static const char *const names[] = {"/transport", "/transport.lmdb", ""};
    struct stat st;
    char path[4200];

    snprintf(path, sizeof(path), "%s/tables", state_directory);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        log_fatal(EX_CANTCREAT, "%s: %m", path);
    if (lstat(path, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid == account->gate_user)
        return; /* what is in it is the gate's own business by now */
    for (size_t i = 0; account->gate_user != account->uid && i < 3; i++) {
        snprintf(path, sizeof(path), "%s/tables%s", state_directory, names[i]);
        if (lchown(path, account->gate_user, account->gate_group) != 0 && errno != ENOENT)
            log_warning("%s: %m", path);
    }
}

/* For the policy service. What cannot be done shows when that opens its socket. */
static void make_folder(const struct config *config, const struct account *account)
{
    char error[512];
    char *queue = queuedir_read(config_postfix_directory(config), error, sizeof(error));

    if (queue)
        inside_make_folder(queue, account->uid, account->gid);
    free(queue);
}

/* Each instance of Postfix has a posternd, and that has directories of its own. */
static void say_clash(const struct config *config, const char *setting, const char *path)
{
    char theirs[PATH_MAX];
    bool known = peer_config(ask_whom(config_runtime_directory(config)), theirs);

    if (known && strcmp(theirs, config_path(config)) == 0)
        log_fatal(EX_TEMPFAIL, "%s: another posternd runs with this file", theirs);
    log_fatal(
        EX_TEMPFAIL,
        "%s: %s: another posternd%s%s%s works in %s; set instance, or %s, in one of the files, "
        "for each Postfix instance needs its own",
        config_path(config), setting, known ? " (started with " : "", known ? theirs : "",
        known ? ")" : "", path, setting);
}

static void prepare(const struct config *config, const struct account *account)
{
    umask(022);
    make_directory(config_state_directory(config), account);
    make_directory(config_runtime_directory(config), account);
    make_folder(config, account);
    take_account(config, account);
    make_tables(config_state_directory(config), account);
    if (!lock_take(config_state_directory(config))) {
        if (errno == EWOULDBLOCK)
            say_clash(config, "state_directory", config_state_directory(config));
        log_fatal(EX_CANTCREAT, "%s/posternd.lock: %m", config_state_directory(config));
    }
    if (ask_whom(config_runtime_directory(config)) != 0)
        say_clash(config, "runtime_directory", config_runtime_directory(config));
}

/* The policy service takes half of them: each smtpd(8) of a large site keeps a connection. */
static void raise_descriptors(void)
{
    const rlim_t most = 32768;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= most)
        return;
    limit.rlim_cur = limit.rlim_max < most ? limit.rlim_max : most;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warning("cannot have more descriptors: %m");
}

/* By its full path: SIGHUP reads it again from wherever the daemon is then. */
static struct config *read_config(const struct invocation *invocation)
{
    char error[1024];
    char *path = realpath(invocation->config, NULL);
    struct config *config = config_load(path ? path : invocation->config, error, sizeof(error));

    free(path);
    if (config == NULL)
        log_fatal(EX_CONFIG, "%s", error);
    return config;
}

static int test(const struct invocation *invocation)
{
    struct config *config = read_config(invocation);
    const char *warning;

    for (size_t i = 0; (warning = config_warning(config, i)) != NULL; i++)
        log_warning("%s", warning);
    if (startcheck(config))
        printf("%s: no mistakes\n", invocation->config);
    else
        printf("%s: no mistakes in the file; see the warnings\n", invocation->config);
    config_free(&config);
    return EX_OK;
}

static int serve(const struct invocation *invocation)
{
    struct config *config = read_config(invocation);
    struct account account = find_account(config);
    struct postfix *postfix;
    struct daemon *d;
    char error[1024];
    int status;

    if (!invocation->foreground) {
        if (daemon(0, 0) != 0)
            log_fatal(EX_OSERR, "cannot go to the background: %m");
        log_open("posternd", 1);
    }
    raise_descriptors();
    prepare(config, &account);
    postfix = postfix_open(config_postfix_directory(config), error, sizeof(error));
    if (postfix == NULL)
        log_fatal(EX_UNAVAILABLE, "%s", error);
    d = daemon_new(config, postfix, account.gate_group, error, sizeof(error));
    if (d == NULL)
        log_fatal(EX_UNAVAILABLE, "%s", error);
    status = daemon_run(d);
    daemon_free(&d);
    postfix_free(&postfix);
    return status;
}

int main(int argc, char **argv)
{
    struct invocation invocation = {.config = OPTIONS_DEFAULT_CONFIG};
    int option;

    while ((option = getopt(argc, argv, "c:ftVh")) != -1) {
        if (option == 'c')
            invocation.config = optarg;
        else if (option == 'f')
            invocation.foreground = true;
        else if (option == 't')
            invocation.test = true;
        else
            return options_common(option, "posternd", usage);
    }
    if (optind != argc)
        return options_common('?', "posternd", usage);
    signal(SIGPIPE, SIG_IGN);
    log_open("posternd", 0);
    return invocation.test ? test(&invocation) : serve(&invocation);
}
