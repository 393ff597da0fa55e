#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "listen.h"
#include "log.h"
#include "slice.h"

#define FOLDER "/postern"

enum { WHY_MAX = 256 };

/* --- Names --- */

static size_t trimmed(const char *directory)
{
    size_t len = strlen(directory);

    while (len > 0 && directory[len - 1] == '/')
        len--;
    return len;
}

bool inside_path(const char *queue_directory, const char *where, char path_r[INSIDE_PATH_MAX])
{
    const char *place = listen_path(where);
    const char *name = place ? strrchr(place, '/') : NULL;
    size_t len = trimmed(queue_directory);
    int written;

    path_r[0] = '\0';
    if (name == NULL || name[1] == '\0' || len == 0 ||
        (strncmp(place, queue_directory, len) == 0 && place[len] == '/'))
        return false;
    written =
        snprintf(path_r, INSIDE_PATH_MAX, "%.*s" FOLDER "%s", (int)len, queue_directory, name);
    if (written > 0 && written < INSIDE_PATH_MAX)
        return true;
    path_r[0] = '\0';
    return false;
}

/* Where a symbolic link leads; "": it is none. */
static void read_link(const char *place, char target_r[INSIDE_PATH_MAX])
{
    ssize_t len = readlink(place, target_r, INSIDE_PATH_MAX);

    target_r[len > 0 && len < INSIDE_PATH_MAX ? len : 0] = '\0';
}

bool inside_leads(const char *where, const char *path)
{
    const char *place = listen_path(where);
    char target[INSIDE_PATH_MAX];

    if (place == NULL)
        return false;
    read_link(place, target);
    return path[0] && strcmp(target, path) == 0;
}

/* True for a link that inside_open() made, for whichever queue_directory. */
static bool is_our_link(const char *place, char target_r[INSIDE_PATH_MAX])
{
    const char *name = strrchr(place, '/');
    struct slice target;
    size_t tail = name ? strlen(FOLDER) + strlen(name) : 0;

    read_link(place, target_r);
    target = slice_of(target_r);
    if (tail == 0 || target_r[0] != '/' || target.len <= tail)
        return false;
    target = (struct slice){target.at + target.len - tail, tail};
    return slice_starts(target, FOLDER) && strcmp(target.at + strlen(FOLDER), name) == 0;
}

/* --- The folder --- */

/* Nobody but root and ourselves may put something else in its place, or into it. */
static bool is_guarded(const struct stat *st)
{
    return S_ISDIR(st->st_mode) && (st->st_uid == 0 || st->st_uid == geteuid()) &&
           (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* queue_directory may be a link of root's. The descriptor is the caller's to close; -1: no. */
static int open_queue(const char *queue_directory, char *why_r)
{
    int fd = open(queue_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && is_guarded(&st))
        return fd;
    if (fd < 0)
        snprintf(why_r, WHY_MAX, "%s", strerror(errno));
    else
        snprintf(why_r, WHY_MAX, "others than root may write to queue_directory");
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The name without its "/". */
static const char folder_name[] = "postern";

void inside_make_folder(const char *queue_directory, uid_t uid, gid_t gid)
{
    char why[WHY_MAX];
    int queue = open_queue(queue_directory, why);
    int folder;
    struct stat st;

    if (queue < 0)
        return;
    if (mkdirat(queue, folder_name, 0755) == 0 || errno == EEXIST) {
        folder = openat(queue, folder_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder >= 0 && geteuid() == 0 && fstat(folder, &st) == 0 && st.st_uid != uid &&
            fchown(folder, uid, gid) != 0)
            log_warning("%s" FOLDER ": %m", queue_directory);
        if (folder >= 0)
            close(folder);
    }
    close(queue);
}

static bool check_folder(const char *queue_directory, char *why_r)
{
    int queue = open_queue(queue_directory, why_r);
    struct stat st;
    int got;

    if (queue < 0)
        return false;
    got = fstatat(queue, folder_name, &st, AT_SYMLINK_NOFOLLOW);
    if (got != 0)
        snprintf(why_r, WHY_MAX, "%s", strerror(errno));
    else if (!is_guarded(&st))
        snprintf(why_r, WHY_MAX, "this is not a folder of our account alone");
    close(queue);
    return got == 0 && is_guarded(&st);
}

/* --- The socket --- */

/* Nobody listens there. What is neither a socket nor a link of ours stays. */
static void clear(const char *place)
{
    char target[INSIDE_PATH_MAX];

    if (is_our_link(place, target)) {
        listen_remove(target);
        unlink(place);
    } else {
        listen_remove(place);
    }
}

/* The link comes first: what it leads to cannot be taken back as easily (libmilter). */
static bool open_inside(const char *place, const char *path, inside_opener *opener, void *context,
                        char *why_r)
{
    char where[INSIDE_PATH_MAX + 8];

    snprintf(where, sizeof(where), "unix:%s", path);
    if (listen_alive(where)) {
        snprintf(why_r, WHY_MAX, "another program listens there");
        return false;
    }
    listen_remove(path);
    if (symlink(path, place) != 0) {
        snprintf(why_r, WHY_MAX, "%.150s cannot be made a link to it: %s", place, strerror(errno));
        return false;
    }
    errno = 0;
    if (opener(where, context))
        return true;
    snprintf(why_r, WHY_MAX, "%s", strerror(errno));
    unlink(place);
    return false;
}

bool inside_open(const char *where, const char *queue_directory, inside_opener *opener,
                 void *context, char path_r[INSIDE_PATH_MAX])
{
    const char *place = listen_path(where);
    char why[WHY_MAX];

    path_r[0] = '\0';
    if (listen_alive(where)) {
        errno = EADDRINUSE;
        return false;
    }
    if (place)
        clear(place);
    if (queue_directory && inside_path(queue_directory, where, path_r)) {
        if (check_folder(queue_directory, why) && open_inside(place, path_r, opener, context, why))
            return true;
        log_warning("%s: %s; chrooted services of Postfix do not reach %s", path_r, why, where);
        path_r[0] = '\0';
    }
    return opener(where, context);
}

void inside_remove(const char *where, const char *path)
{
    const char *place = listen_path(where);

    if (place == NULL)
        return;
    if (inside_leads(where, path))
        unlink(place);
    listen_remove(path[0] ? path : place);
}
