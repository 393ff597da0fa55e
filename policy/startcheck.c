#include "startcheck.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "build.h"
#include "log.h"

enum { PATH_SIZE = 4200 };

/* The account that root takes on; NULL: it stays who it is. */
static bool find_account(const struct config *config, const struct passwd **account_r)
{
    const char *name = config_user(config);

    *account_r = NULL;
    if (geteuid() != 0 || name[0] == '\0')
        return true;
    *account_r = getpwnam(name);
    if (*account_r == NULL)
        log_warning("%s: user: there is no account \"%s\"; create it, or set user",
                    config_path(config), name);
    return *account_r != NULL;
}

static bool check_postfix(const struct config *config)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), "%s/main.cf", config_postfix_directory(config));
    if (access(path, R_OK) == 0)
        return true;
    log_warning("%s: postfix.config_directory: %s: %m", config_path(config), path);
    return false;
}

/* 0, or the errno of opening it as the account does: in a child, because there is no way back. */
static int open_as(const struct passwd *account, const char *path)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (account && (initgroups(account->pw_name, account->pw_gid) != 0 ||
                        setgid(account->pw_gid) != 0 || setuid(account->pw_uid) != 0))
            _exit(errno);
        _exit(open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK) < 0 ? errno : 0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static bool check_log(const struct config *config, const struct passwd *account)
{
    const char *log = config_log(config);
    int error;

#ifndef HAVE_LIBSYSTEMD
    if (strcmp(log, "journal") == 0) {
        log_warning("%s: postfix.log: this posternd was built without the journal (libsystemd)",
                    config_path(config));
        return false;
    }
#endif
    if (strcmp(log, "journal") == 0)
        return true;
    error = open_as(account, log);
    if (error == 0)
        return true;
    errno = error;
    if (error == ENOENT)
        log_warning("%s: postfix.log: %s is not there yet: nothing is known until it is; does "
                    "Postfix log to the journal?",
                    config_path(config), log);
    else if (account)
        log_warning("%s: postfix.log: %s: %m, for the account \"%s\"; on Debian it has to be in "
                    "the group adm",
                    config_path(config), log, account->pw_name);
    else
        log_warning("%s: postfix.log: %s: %m", config_path(config), log);
    return error == ENOENT;
}

static bool complain(const struct config *config, const char *setting, const char *path)
{
    log_warning("%s: %s: %s: %m", config_path(config), setting, path);
    return false;
}

/* It is there, or can be made: only the last part of its name is. */
static bool check_directory(const struct config *config, const char *setting, const char *path)
{
    char parent[PATH_SIZE];
    struct stat st;

    snprintf(parent, sizeof(parent), "%s", path);
    if (stat(path, &st) != 0) {
        if (errno != ENOENT)
            return complain(config, setting, path);
        path = dirname(parent);
        if (stat(path, &st) != 0)
            return complain(config, setting, path);
    }
    errno = ENOTDIR;
    if (S_ISDIR(st.st_mode) && access(path, W_OK | X_OK) == 0)
        return true;
    return complain(config, setting, path);
}

bool startcheck(const struct config *config)
{
    const struct passwd *account;
    bool known = find_account(config, &account);
    bool good = check_postfix(config);

    if (known)
        good &= check_log(config, account);
    good &= check_directory(config, "state_directory", config_state_directory(config));
    good &= check_directory(config, "runtime_directory", config_runtime_directory(config));
    return known && good;
}
