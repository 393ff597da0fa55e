/*
 * Tells log files apart when they are renamed, copied, truncated and replaced, and finds the ones
 * that were rotated away. For logsource_file only.
 *
 * A file is known by device, inode and a hash of its first bytes: a rename keeps all three,
 * copytruncate's copy keeps the bytes, a file on a reused inode has other bytes (a log begins with
 * a date). A rotated sibling is FILE.1, FILE-20231123, FILE.old, or the same before the extension
 * ("mail-20231123.log"); compressed ones are not read.
 */
#ifndef POSTERN_LOGFILE_H
#define POSTERN_LOGFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "logsource.h"

enum { LOGFILE_HEAD_MAX = 256 };

struct logfile_mark {
    uint64_t dev, ino;
    int64_t offset; /* where the next line begins */
    int64_t mtime;  /* ns; of the file when the mark was made */
    uint32_t head;  /* how many of the first bytes `hash` covers, never more than offset */
    uint64_t hash;
};

void logfile_encode(const struct logfile_mark *mark, struct logsource_position *position_r);
bool logfile_decode(const struct logsource_position *position, struct logfile_mark *mark_r);

uint64_t logfile_hash(const unsigned char *bytes, size_t len);
int64_t logfile_mtime(const struct stat *st);

/* Opens for reading, at most a regular file (else errno is EINVAL). -1 with errno. */
int logfile_open(const char *path, struct stat *st_r);

/* Whether the file still begins as it did, and reaches up to the mark. */
bool logfile_begins(int fd, const struct stat *st, const struct logfile_mark *mark);

/*
 * Finds the file a mark was made in: at `path` (unless `siblings_only`) or among its siblings; or a
 * copy of it. Returns a descriptor, -1 if there is none.
 */
int logfile_find(const char *path, const struct logfile_mark *mark, bool siblings_only);

/*
 * Opens what was written after the file with this device, inode and mtime, at its end: the next
 * sibling, or the file at `path` itself once it holds something. Returns a descriptor, -1 if none.
 */
int logfile_after(const char *path, const struct logfile_mark *mark);

/* The directory that holds the file itself when `path` is a symbolic link. False: too long. */
bool logfile_directory(const char *path, char *directory_r, size_t size, const char **base_r);

#endif
