#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int open_lock(const char *directory, const char *name, int flags)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
}

/* Kept open as long as the process lives. */
static int held = -1;

bool lock_take(const char *state_directory)
{
    held = open_lock(state_directory, "posternd.lock", O_RDWR | O_CREAT);
    if (held < 0 || flock(held, LOCK_EX | LOCK_NB) != 0)
        return false;
    lock_beat();
    return true;
}

void lock_beat(void)
{
    static time_t last;
    time_t now = time(NULL);

    if (held < 0 || (now >= last && now < last + LOCK_BEAT))
        return;
    last = now;
    futimens(held, NULL);
}

static bool works(int fd)
{
    struct stat st;
    time_t now = time(NULL);

    return fstat(fd, &st) == 0 && now - st.st_mtime < LOCK_PATIENCE;
}

/* flock(2) works on a descriptor that may only read, so anybody may ask. */
bool lock_is_held(const char *state_directory)
{
    int fd = open_lock(state_directory, "posternd.lock", O_RDONLY);
    bool alive;

    if (fd < 0)
        return false;
    alive = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK && works(fd);
    close(fd);
    return alive;
}

bool lock_slot(const char *directory, const char *name, unsigned slots)
{
    char slot[64];

    for (unsigned i = 0; i < slots; i++) {
        snprintf(slot, sizeof(slot), ".%s.%u", name, i);
        int fd = open_lock(directory, slot, O_RDWR | O_CREAT);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (fd >= 0)
            close(fd);
    }
    return false;
}
