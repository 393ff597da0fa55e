#include "logwatch.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "log.h"
#include "logfile.h"

static const uint32_t FILE_EVENTS = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;

/* No IN_MODIFY: /var/log is a busy place. IN_ATTRIB tells of permissions given. */
static const uint32_t DIRECTORY_EVENTS = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                         IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

void logwatch_open(struct logwatch *watch)
{
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->failed = watch->fd < 0;
    for (int i = 0; i < LOGWATCH_COUNT; i++)
        watch->watches[i] = -1;
    if (watch->fd < 0)
        log_warning("inotify: %s; looking at the log every second", strerror(errno));
}

void logwatch_close(struct logwatch *watch)
{
    if (watch->fd >= 0)
        close(watch->fd);
    watch->fd = -1;
}

/* -1 for what is not there or must not be seen; that is no failure. */
static int add(struct logwatch *watch, const char *path, uint32_t events, bool *failed)
{
    int wd = inotify_add_watch(watch->fd, path, events);

    if (wd < 0 && (errno == ENOSPC || errno == ENOMEM)) {
        if (!watch->failed)
            log_warning("inotify watch on %s: %s; looking at the log every second", path,
                        strerror(errno));
        *failed = true;
    }
    return wd;
}

/* The directory, or the nearest one above it that exists, in which it may appear. */
static int add_directory(struct logwatch *watch, const char *directory, bool *failed)
{
    char path[2 * PATH_MAX];
    int wd;

    snprintf(path, sizeof(path), "%s", directory);
    while ((wd = add(watch, path, DIRECTORY_EVENTS, failed)) < 0 && !*failed) {
        char *slash = strrchr(path, '/');

        if (slash == NULL || strcmp(path, "/") == 0)
            return -1;
        slash[slash == path ? 1 : 0] = '\0';
    }
    return wd;
}

/* The directory named in the path, before any symbolic link is followed. */
static void directory_of(const char *path, char *directory_r, size_t size)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        snprintf(directory_r, size, ".");
    else
        snprintf(directory_r, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static bool has(const int *watches, int wd)
{
    for (int i = 0; i < LOGWATCH_COUNT; i++)
        if (watches[i] == wd)
            return true;
    return false;
}

/* Puts the new watches in place of the old ones. */
static bool replace(struct logwatch *watch, const int *watches)
{
    bool changed = false;

    for (int i = 0; i < LOGWATCH_COUNT; i++) {
        changed |= watches[i] >= 0 && !has(watch->watches, watches[i]);
        if (watch->watches[i] >= 0 && !has(watches, watch->watches[i]))
            inotify_rm_watch(watch->fd, watch->watches[i]);
    }
    memcpy(watch->watches, watches, sizeof(watch->watches));
    return changed;
}

bool logwatch_update(struct logwatch *watch, const char *path, int file)
{
    int watches[LOGWATCH_COUNT] = {-1, -1, -1, -1};
    char directory[2 * PATH_MAX], open_file[64];
    const char *base;
    bool failed = false;

    if (watch->fd < 0)
        return false;
    watches[0] = add(watch, path, FILE_EVENTS, &failed);
    if (file >= 0) {
        snprintf(open_file, sizeof(open_file), "/proc/self/fd/%d", file);
        watches[1] = add(watch, open_file, FILE_EVENTS, &failed);
    }
    directory_of(path, directory, sizeof(directory));
    watches[2] = add_directory(watch, directory, &failed);
    if (logfile_directory(path, directory, sizeof(directory), &base))
        watches[3] = add_directory(watch, directory, &failed);
    watch->failed = failed;
    return replace(watch, watches);
}

int logwatch_descriptor(const struct logwatch *watch)
{
    return watch->failed ? -1 : watch->fd;
}

void logwatch_drain(struct logwatch *watch)
{
    char events[4096];

    while (watch->fd >= 0 && read(watch->fd, events, sizeof(events)) > 0)
        ;
}
