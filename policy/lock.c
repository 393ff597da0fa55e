#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static int open_lock(const char *directory, const char *name, int flags)
{
    char path[4200];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
}

bool lock_take(const char *runtime_directory)
{
    int fd = open_lock(runtime_directory, "posternd.lock", O_RDWR | O_CREAT);

    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* flock(2) works on a descriptor that may only read, so anybody may ask. */
bool lock_is_held(const char *runtime_directory)
{
    int fd = open_lock(runtime_directory, "posternd.lock", O_RDONLY);
    bool held;

    if (fd < 0)
        return false;
    held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
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
