#include "place.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "listen.h"
#include "log.h"
#include "queuedir.h"

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

/* The account need not be able to read main.cf, nor to write to queue_directory. */
static void enter_queue(struct place *place, const struct config *config, const struct passwd *pw)
{
    char error[512];

    place->queue = NULL;
    if (!slice_starts(slice_of(place->where), "unix:"))
        return;
    place->queue = queuedir_read(config_postfix_directory(config), error, sizeof(error));
    if (place->queue)
        inside_make_folder(place->queue, pw ? pw->pw_uid : geteuid(), pw ? pw->pw_gid : getegid());
    else
        log_warning("%s; chrooted services of Postfix do not reach %s", error, place->where);
}

void place_enter(struct place *place, const struct config *config)
{
    const struct passwd *pw = account_of(config);

    umask(022);
    make_directory(config_runtime_directory(config), pw);
    enter_queue(place, config, pw);
    if (pw == NULL)
        return;
    if (initgroups(pw->pw_name, pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
        setuid(pw->pw_uid) != 0)
        log_fatal(EX_OSERR, "cannot become %s: %m", config_user(config));
}

/* When it fails, libmilter takes another place for its socket as if it had not been asked. */
static bool listen_at(const char *where, void *context)
{
    mode_t mask;
    int opened;

    (void)context;
    if (smfi_setconn((char *)(uintptr_t)where) != MI_SUCCESS)
        return false;
    mask = umask(0111);
    errno = 0;
    opened = smfi_opensocket(true);
    umask(mask);
    return opened == MI_SUCCESS;
}

void place_listen(struct place *place)
{
    const char *where = place->where;

    if (listen_alive(where))
        log_fatal(EX_TEMPFAIL,
                  "%s: another program listens there; of another Postfix instance? Set instance, "
                  "runtime_directory or this socket in one of the files",
                  where);
    if (smfi_setbacklog(BACKLOG) != MI_SUCCESS)
        log_fatal(EX_OSERR, "%s: out of memory", where);
    if (!inside_open(where, place->queue, listen_at, NULL, place->inside))
        log_fatal(EX_UNAVAILABLE, "%s: cannot listen there: %m", where);
}

void place_leave(struct place *place)
{
    inside_remove(place->where, place->inside);
    free(place->queue);
    place->queue = NULL;
}
