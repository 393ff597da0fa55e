#include "cfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads up to `size` bytes; -1 with errno. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t n = read(fd, bytes + len, size - len);
        if (n == 0)
            break;
        if (n < 0 && errno != EINTR)
            return -1;
        len += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)len;
}

static int read_file(int fd, struct slice *text_r)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    if (!S_ISREG(st.st_mode) || st.st_size > CFILE_MAX) {
        errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
        return -1;
    }
    char *bytes = malloc((size_t)st.st_size + 1);
    ssize_t len = bytes != NULL ? read_all(fd, bytes, (size_t)st.st_size) : -1;
    if (len < 0) {
        free(bytes);
        return -1;
    }
    *text_r = (struct slice){bytes, (size_t)len};
    return 0;
}

int cfile_read(const char *path, struct slice *text_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    int result = read_file(fd, text_r);
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

/* Fails with ESTALE when the file is no longer what it was taken for. */
static int check_unchanged(const char *path, struct slice before)
{
    struct slice now;
    if (cfile_read(path, &now) < 0)
        return -1;
    bool same = now.len == before.len && (now.len == 0 || memcmp(now.at, before.at, now.len) == 0);
    free((char *)(uintptr_t)now.at);
    errno = ESTALE;
    return same ? 0 : -1;
}

static int write_all(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.at, text.len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            text.at += n;
            text.len -= (size_t)n;
        }
    }
    return 0;
}

/* Gives the new file what the old one had. chown(2) may take bits of the mode away: mode last. */
static int fill(int fd, const struct stat *old, struct slice text)
{
    struct stat new;
    if (fstat(fd, &new) < 0)
        return -1;
    if ((new.st_uid != old->st_uid || new.st_gid != old->st_gid) &&
        fchown(fd, old->st_uid, old->st_gid) < 0)
        return -1;
    if (fchmod(fd, old->st_mode & 07777) < 0 || write_all(fd, text) < 0 || fsync(fd) < 0)
        return -1;
    return 0;
}

/* Makes the rename itself last. A directory that cannot be synced is no reason to fail now. */
static void sync_directory(char *path)
{
    char *slash = strrchr(path, '/');
    slash[slash == path ? 1 : 0] = '\0';
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

/* `real` has no symbolic links in it; `new` is the name of the file beside it. */
static int replace(char *real, char *new, struct slice before, struct slice after)
{
    struct stat old;
    if (stat(real, &old) < 0)
        return -1;
    int fd = mkostemp(new, O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fill(fd, &old, after);
    if (close(fd) < 0)
        result = -1;
    if (result == 0)
        result = check_unchanged(real, before);
    if (result == 0)
        result = rename(new, real);
    if (result == 0) {
        sync_directory(real);
        return 0;
    }
    int saved = errno;
    unlink(new);
    errno = saved;
    return -1;
}

int cfile_replace(const char *path, struct slice before, struct slice after)
{
    char *new = NULL;
    char *real = realpath(path, NULL);
    if (real == NULL)
        return -1;
    int result = -1;
    if (asprintf(&new, "%s.postern-XXXXXX", real) < 0)
        new = NULL;
    else
        result = replace(real, new, before, after);
    int saved = errno;
    free(new);
    free(real);
    errno = saved;
    return result;
}
