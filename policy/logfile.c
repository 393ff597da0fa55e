#include "logfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "logsource_ops.h"

/* How a rotated file's name tells its age. */
enum order {
    ORDER_MTIME,  /* it does not ("mail.log.old") */
    ORDER_NUMBER, /* mail.log.1 is newer than mail.log.2 */
    ORDER_DATE,   /* mail.log-20231124 is newer than mail.log-20231123 */
};

struct sibling {
    uint64_t dev, ino;
    int64_t mtime;
    enum order order;
    unsigned long number;
    char name[NAME_MAX + 1];
    char stamp[NAME_MAX + 1]; /* the part of the name that rotation added */
};

struct siblings {
    struct sibling *at;
    size_t count;
};

enum { VERSION = 1, POSITION_LEN = 2 + 4 * 8 + 4 + 8 };

static unsigned char *put(unsigned char *at, const void *value, size_t len)
{
    memcpy(at, value, len);
    return at + len;
}

static const unsigned char *get(const unsigned char *at, void *value, size_t len)
{
    memcpy(value, at, len);
    return at + len;
}

/* In the machine's own byte order: a position never leaves it. */
void logfile_encode(const struct logfile_mark *mark, struct logsource_position *position_r)
{
    unsigned char *at = position_r->bytes;

    *at++ = LOGSOURCE_POSITION_FILE;
    *at++ = VERSION;
    at = put(at, &mark->dev, sizeof(mark->dev));
    at = put(at, &mark->ino, sizeof(mark->ino));
    at = put(at, &mark->offset, sizeof(mark->offset));
    at = put(at, &mark->mtime, sizeof(mark->mtime));
    at = put(at, &mark->head, sizeof(mark->head));
    at = put(at, &mark->hash, sizeof(mark->hash));
    position_r->len = (uint32_t)(at - position_r->bytes);
}

bool logfile_decode(const struct logsource_position *position, struct logfile_mark *mark_r)
{
    const unsigned char *at = position->bytes + 2;

    if (position->len != POSITION_LEN || position->bytes[0] != LOGSOURCE_POSITION_FILE ||
        position->bytes[1] != VERSION)
        return false;
    at = get(at, &mark_r->dev, sizeof(mark_r->dev));
    at = get(at, &mark_r->ino, sizeof(mark_r->ino));
    at = get(at, &mark_r->offset, sizeof(mark_r->offset));
    at = get(at, &mark_r->mtime, sizeof(mark_r->mtime));
    at = get(at, &mark_r->head, sizeof(mark_r->head));
    get(at, &mark_r->hash, sizeof(mark_r->hash));
    return mark_r->offset >= 0 && mark_r->head <= LOGFILE_HEAD_MAX;
}

/* FNV-1a, 64 bits. It tells files apart; nobody gains by making two alike. */
uint64_t logfile_hash(const unsigned char *bytes, size_t len)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    return hash;
}

int64_t logfile_mtime(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int logfile_open(const char *path, struct stat *st_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return -1;
    if (fstat(fd, st_r) == 0 && S_ISREG(st_r->st_mode))
        return fd;
    close(fd);
    errno = EINVAL;
    return -1;
}

bool logfile_begins(int fd, const struct stat *st, const struct logfile_mark *mark)
{
    unsigned char head[LOGFILE_HEAD_MAX];

    return st->st_size >= mark->offset && pread(fd, head, mark->head, 0) == (ssize_t)mark->head &&
           logfile_hash(head, mark->head) == mark->hash;
}

/* Where a symbolic link points to that leads nowhere yet; other paths as they are. */
static void follow_dangling(const char *path, char *real_r, size_t size)
{
    char target[PATH_MAX];
    ssize_t len = readlink(path, target, sizeof(target) - 1);
    const char *slash = strrchr(path, '/');

    if (len <= 0) {
        snprintf(real_r, size, "%s", path);
        return;
    }
    target[len] = '\0';
    if (target[0] == '/' || slash == NULL)
        snprintf(real_r, size, "%s", target);
    else
        snprintf(real_r, size, "%.*s/%s", (int)(slash - path), path, target);
}

bool logfile_directory(const char *path, char *directory_r, size_t size, const char **base_r)
{
    char real[2 * PATH_MAX];
    char *slash;
    int len;

    if (realpath(path, real) == NULL)
        follow_dangling(path, real, sizeof(real));
    slash = strrchr(real, '/');
    if (slash == NULL)
        len = snprintf(directory_r, size, ".%c%s", '\0', real);
    else
        len = snprintf(directory_r, size, "%.*s%c%s", slash == real ? 1 : (int)(slash - real), real,
                       '\0', slash + 1);
    if (len < 0 || (size_t)len >= size)
        return false;
    *base_r = directory_r + strlen(directory_r) + 1;
    return true;
}

/* Whether rotation may have added this to a name: ".1", "-20231123", "-20231123-1700000000", ".old"
 */
static bool is_stamp(const char *stamp)
{
    bool digits = false;

    if (stamp[0] == '\0' || strchr(".-_", stamp[0]) == NULL)
        return false;
    if (strcmp(stamp + 1, "old") == 0 || strcmp(stamp + 1, "bak") == 0)
        return true;
    for (const char *c = stamp; *c != '\0'; c++) {
        if (strchr("0123456789.-_:T", *c) == NULL)
            return false;
        digits |= *c >= '0' && *c <= '9';
    }
    return digits;
}

/* Takes NAME or STEM off the front and EXTENSION off the end; what is left is rotation's. */
static bool stamp_of(const char *name, const char *base, char *stamp_r)
{
    const char *dot = strrchr(base, '.');
    size_t stem = dot != NULL && dot != base ? (size_t)(dot - base) : 0;
    size_t len = strlen(name), all = strlen(base);

    if (len > all && strncmp(name, base, all) == 0 && is_stamp(name + all)) {
        snprintf(stamp_r, NAME_MAX + 1, "%s", name + all);
        return true;
    }
    if (stem == 0 || len <= all || strncmp(name, base, stem) != 0 ||
        strcmp(name + len - (all - stem), dot) != 0)
        return false;
    snprintf(stamp_r, NAME_MAX + 1, "%.*s", (int)(len - all), name + stem);
    return is_stamp(stamp_r);
}

static void read_stamp(struct sibling *sibling)
{
    const char *digits = sibling->stamp + 1;
    size_t len = strspn(digits, "0123456789");

    sibling->order = len >= 4 ? ORDER_DATE : ORDER_NUMBER;
    sibling->number = strtoul(digits, NULL, 10);
    if (len == 0)
        sibling->order = ORDER_MTIME;
    else if (sibling->order == ORDER_NUMBER && digits[len] != '\0')
        sibling->order = ORDER_MTIME;
}

/* Whether two names were made by the same rule: digits stand where digits stand. */
static bool look_alike(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        bool digit = *a >= '0' && *a <= '9';

        if (digit != (*b >= '0' && *b <= '9') || (!digit && *a != *b))
            return false;
    }
    return *a == *b;
}

static bool names_compare(const struct sibling *a, const struct sibling *b)
{
    if (a->order != b->order || a->order == ORDER_MTIME)
        return false;
    return a->order == ORDER_NUMBER || look_alike(a->stamp, b->stamp);
}

/* Whether `a` was written after `b`. The name knows best: a file's mtime changes when it is
 * touched. */
static bool is_later(const struct sibling *a, const struct sibling *b)
{
    if (!names_compare(a, b))
        return a->mtime > b->mtime;
    if (a->order == ORDER_NUMBER)
        return a->number < b->number;
    return strcmp(a->stamp, b->stamp) > 0;
}

static bool add_sibling(struct siblings *siblings, int directory, const char *name,
                        const char *stamp)
{
    struct sibling *more, *s;
    struct stat st;

    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return true;
    more = realloc(siblings->at, (siblings->count + 1) * sizeof(*more));
    if (more == NULL)
        return false;
    siblings->at = more;
    s = &more[siblings->count++];
    *s = (struct sibling){.dev = st.st_dev, .ino = st.st_ino, .mtime = logfile_mtime(&st)};
    snprintf(s->name, sizeof(s->name), "%s", name);
    snprintf(s->stamp, sizeof(s->stamp), "%s", stamp);
    read_stamp(s);
    return true;
}

/* Lists the rotated files beside `base`. An unreadable directory has none. */
static struct siblings list_siblings(const char *directory, const char *base)
{
    struct siblings siblings = {NULL, 0};
    DIR *dir = opendir(directory);
    struct dirent *entry;
    char stamp[NAME_MAX + 1];

    if (dir == NULL)
        return siblings;
    while ((entry = readdir(dir)) != NULL)
        if (stamp_of(entry->d_name, base, stamp) &&
            !add_sibling(&siblings, dirfd(dir), entry->d_name, stamp))
            break;
    closedir(dir);
    return siblings;
}

static int open_sibling(const char *directory, const struct sibling *sibling, struct stat *st_r)
{
    char path[3 * PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", directory, sibling->name) >= (int)sizeof(path))
        return -1;
    return logfile_open(path, st_r);
}

/* Opens a file if it is the marked one, or begins like it. */
static int open_if(int fd, const struct stat *st, const struct logfile_mark *mark, bool by_inode)
{
    bool same = st->st_dev == mark->dev && st->st_ino == mark->ino;

    if (fd >= 0 && logfile_begins(fd, st, mark) && (by_inode ? same : mark->head > 0))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int find_sibling(const char *path, const struct logfile_mark *mark, bool by_inode)
{
    char directory[2 * PATH_MAX];
    const char *base;
    struct siblings siblings;
    int fd = -1;

    if (!logfile_directory(path, directory, sizeof(directory), &base))
        return -1;
    siblings = list_siblings(directory, base);
    for (size_t i = 0; i < siblings.count && fd < 0; i++) {
        struct stat st;

        if (by_inode && siblings.at[i].ino != mark->ino)
            continue;
        fd = open_sibling(directory, &siblings.at[i], &st);
        fd = open_if(fd, &st, mark, by_inode);
    }
    free(siblings.at);
    return fd;
}

int logfile_find(const char *path, const struct logfile_mark *mark, bool siblings_only)
{
    for (int by_inode = 1; by_inode >= 0; by_inode--) {
        struct stat st;
        int fd = -1;

        if (!siblings_only)
            fd = open_if(logfile_open(path, &st), &st, mark, by_inode);
        if (fd < 0)
            fd = find_sibling(path, mark, by_inode);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

/* The oldest of those written after the mark's file, or NULL. */
static const struct sibling *next_sibling(const struct siblings *siblings,
                                          const struct logfile_mark *mark,
                                          const struct stat *current)
{
    struct sibling own = {.mtime = mark->mtime, .order = ORDER_MTIME};
    const struct sibling *next = NULL;

    for (size_t i = 0; i < siblings->count; i++)
        if (siblings->at[i].ino == mark->ino && siblings->at[i].dev == mark->dev)
            own = siblings->at[i];
    for (size_t i = 0; i < siblings->count; i++) {
        const struct sibling *s = &siblings->at[i];

        if ((s->ino == mark->ino && s->dev == mark->dev) ||
            (s->ino == current->st_ino && s->dev == current->st_dev))
            continue;
        if (is_later(s, &own) && (next == NULL || is_later(next, s)))
            next = s;
    }
    return next;
}

int logfile_after(const char *path, const struct logfile_mark *mark)
{
    char directory[2 * PATH_MAX];
    const char *base;
    struct siblings siblings;
    const struct sibling *next;
    struct stat current = {0}, st;
    int fd;

    if (stat(path, &current) == 0 && current.st_dev == mark->dev && current.st_ino == mark->ino)
        return -1;
    if (!logfile_directory(path, directory, sizeof(directory), &base))
        return -1;
    siblings = list_siblings(directory, base);
    next = next_sibling(&siblings, mark, &current);
    fd = next != NULL ? open_sibling(directory, next, &st) : -1;
    if (next != NULL && fd < 0)
        log_warning("cannot read %s/%s: %s; its lines are lost", directory, next->name,
                    strerror(errno));
    free(siblings.at);
    if (fd >= 0 || current.st_size == 0)
        return fd;
    return logfile_open(path, &st);
}
