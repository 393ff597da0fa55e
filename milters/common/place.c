#include "place.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "log.h"

enum { BACKLOG = 128 };

/* NULL when the account we have is to be kept. */
static const struct passwd *account_of(const struct config *config)
{
    const char *name = config_user(config);
    const struct passwd *pw;

    if (geteuid() != 0 || name[0] == '\0')
        return NULL;
    pw = getpwnam(name);
    if (pw == NULL)
        log_fatal(EX_CONFIG, "%s: user: there is no account \"%s\"; create it, or set user",
                  config_path(config), name);
    return pw->pw_uid == 0 ? NULL : pw;
}

/* Postfix's accounts have to get through to the socket. */
static void make_directory(const char *path, const struct passwd *pw)
{
    if (mkdir(path, 0755) == 0) {
        if (pw && lchown(path, pw->pw_uid, pw->pw_gid) != 0)
            log_fatal(EX_CANTCREAT, "%s: %m", path);
    } else if (errno != EEXIST) {
        log_warning("%s: %m", path);
    }
}

void place_enter(const struct config *config)
{
    const struct passwd *pw = account_of(config);

    umask(022);
    make_directory(config_runtime_directory(config), pw);
    if (pw == NULL)
        return;
    if (initgroups(pw->pw_name, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
        setuid(pw->pw_uid) != 0)
        log_fatal(EX_OSERR, "cannot become %s: %m", config_user(config));
}

/* The path of a UNIX socket; NULL for another one. */
static const char *unix_path(const char *where)
{
    static const char prefix[] = "unix:";

    return slice_starts(slice_of(where), prefix) ? where + strlen(prefix) : NULL;
}

/* True when a program listens on the UNIX socket at `path`. */
static bool is_alive(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;
    bool alive;

    if (strlen(path) >= sizeof(address.sun_path))
        return false;
    slice_copy(address.sun_path, sizeof(address.sun_path), slice_of(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    alive = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return alive;
}

void place_listen(const char *where)
{
    const char *path = unix_path(where);
    mode_t mask;
    int opened;

    if (path && is_alive(path))
        log_fatal(EX_TEMPFAIL,
                  "%s: another program listens there; of another Postfix instance? Set instance, "
                  "runtime_directory or this socket in one of the files",
                  where);
    if (smfi_setconn((char *)where) != MI_SUCCESS || smfi_setbacklog(BACKLOG) != MI_SUCCESS)
        log_fatal(EX_OSERR, "%s: out of memory", where);
    mask = umask(0111);
    errno = 0;
    opened = smfi_opensocket(true);
    umask(mask);
    if (opened != MI_SUCCESS)
        log_fatal(EX_UNAVAILABLE, "%s: cannot listen there: %m", where);
}

void place_leave(const char *where)
{
    const char *path = unix_path(where);

    if (path && unlink(path) != 0 && errno != ENOENT)
        log_warning("%s: %m", path);
}
