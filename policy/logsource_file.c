#include "logsource_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "logfile.h"
#include "logwatch.h"

/* Two lines of the longest kind, so that a read is seldom a short one. */
enum { BUFFER_SIZE = 2 * LOGSOURCE_LINE_MAX };

struct file_source {
    struct logsource base;
    char *path;
    int fd; /* -1: no file yet */
    uint64_t dev, ino;
    struct logfile_mark sought; /* where to go on, while fd is -1 */
    bool seeking;
    int64_t line;  /* offset of the next line */
    int64_t read;  /* offset of what is not yet in the buffer */
    bool skipping; /* inside a line that is too long */
    unsigned char head[LOGFILE_HEAD_MAX];
    size_t head_len;
    size_t start, scanned, end; /* in the buffer: the next line, where to look for its end */
    int warned;                 /* errno of the last failure that was logged */
    struct logwatch watch;
    char buffer[BUFFER_SIZE];
};

static struct file_source *file_source(struct logsource *source)
{
    return (struct file_source *)source;
}

/* Says once why the log cannot be read. Its absence is not worth a word. */
static void warn_once(struct file_source *f, int error)
{
    if (error != ENOENT && error != f->warned)
        log_warning("log %s: %s; trying again", f->path,
                    error == EINVAL ? "not a regular file" : strerror(error));
    f->warned = error;
}

/* Takes a file over; the position in it is an offset where a line begins. */
static void adopt(struct file_source *f, int fd, int64_t offset)
{
    struct stat st = {0};
    ssize_t n;

    if (f->fd >= 0 && f->fd != fd)
        close(f->fd);
    (void)fstat(fd, &st);
    f->fd = fd;
    f->dev = st.st_dev;
    f->ino = st.st_ino;
    f->line = f->read = offset;
    f->start = f->scanned = f->end = 0;
    f->skipping = f->seeking = false;
    f->warned = 0;
    n = pread(fd, f->head, offset < LOGFILE_HEAD_MAX ? (size_t)offset : LOGFILE_HEAD_MAX, 0);
    f->head_len = n > 0 ? (size_t)n : 0;
}

/* Where the next line begins, in a form that finds the file again. */
static struct logfile_mark mark_of(const struct file_source *f)
{
    struct logfile_mark mark = {.dev = f->dev, .ino = f->ino, .offset = f->line};
    struct stat st;

    if (fstat(f->fd, &st) == 0)
        mark.mtime = logfile_mtime(&st);
    mark.head = (uint32_t)(f->line < (int64_t)f->head_len ? (size_t)f->line : f->head_len);
    mark.hash = logfile_hash(f->head, mark.head);
    return mark;
}

/* The file of a stored position is gone: whatever was written after it, oldest first, is next. */
static bool open_after_loss(struct file_source *f)
{
    struct logfile_mark mark = f->sought;
    int fd;

    mark.dev = mark.ino = UINT64_MAX; /* the number may belong to another file now */
    fd = logfile_after(f->path, &mark);
    if (fd < 0)
        return false;
    log_warning(
        "log %s: the place where reading ended is in none of the files, nor in a rotated one "
        "that is not compressed; lines may have been lost",
        f->path);
    adopt(f, fd, 0);
    return true;
}

/* Opens the file to read first. False: wait for it. */
static bool open_first(struct file_source *f)
{
    struct stat st;
    int fd = logfile_open(f->path, &st), error = errno;

    if (f->seeking) {
        int found = logfile_find(f->path, &f->sought, false);

        if (fd >= 0)
            close(fd);
        if (found >= 0) {
            adopt(f, found, f->sought.offset);
            return true;
        }
        if (fd >= 0)
            return open_after_loss(f);
    }
    if (fd < 0) {
        warn_once(f, error);
        return false;
    }
    adopt(f, fd, 0);
    return true;
}

/*
 * The file shrank, or begins with other bytes than before: copytruncate, or somebody's ">
 * mail.log". The copy has what was not read yet.
 */
static void truncated(struct file_source *f)
{
    struct logfile_mark mark = mark_of(f);
    int fd = mark.head > 0 ? logfile_find(f->path, &mark, true) : -1;

    if (fd >= 0) {
        adopt(f, fd, mark.offset);
        return;
    }
    log_warning("log %s: it was truncated, and there is no copy of it; lines may have been lost",
                f->path);
    adopt(f, f->fd, 0);
}

/* Whether the file still begins with the bytes it began with. */
static bool begins_the_same(const struct file_source *f)
{
    unsigned char head[LOGFILE_HEAD_MAX];

    return pread(f->fd, head, f->head_len, 0) == (ssize_t)f->head_len &&
           memcmp(head, f->head, f->head_len) == 0;
}

/* Notes bytes read at f->read as part of the head. */
static void extend_head(struct file_source *f, const char *bytes, size_t len)
{
    size_t room = LOGFILE_HEAD_MAX - f->head_len;

    if (f->read != (int64_t)f->head_len || room == 0)
        return;
    len = len < room ? len : room;
    memcpy(f->head + f->head_len, bytes, len);
    f->head_len += len;
}

/* Makes room behind the unread bytes. A line that fills the buffer is given up. */
static void make_room(struct file_source *f)
{
    if (f->end - f->start > LOGSOURCE_LINE_MAX) {
        f->skipping = true;
        f->start = f->end;
    }
    memmove(f->buffer, f->buffer + f->start, f->end - f->start);
    f->end -= f->start;
    f->start = 0;
    f->scanned = f->end;
}

enum fill { FILLED, AT_END, CHANGED };

/*
 * Reads on. The head is compared after the read, so that bytes read after a truncation are not
 * taken for the continuation of what was there before.
 */
static enum fill fill(struct file_source *f)
{
    struct stat st;
    ssize_t n;

    make_room(f);
    n = pread(f->fd, f->buffer + f->end, BUFFER_SIZE - f->end, f->read);
    if (n < 0) {
        warn_once(f, errno);
        return AT_END;
    }
    if (fstat(f->fd, &st) == 0 && (st.st_size < f->read || !begins_the_same(f))) {
        truncated(f);
        return CHANGED;
    }
    if (n == 0)
        return AT_END;
    extend_head(f, f->buffer + f->end, (size_t)n);
    f->end += (size_t)n;
    f->read += n;
    return FILLED;
}

/*
 * At the end of a file that is no longer at the path: goes on to the next one, which is there once
 * the writer has begun it, so that lines written to the old file after its renaming come first.
 */
static bool go_on(struct file_source *f)
{
    struct logfile_mark mark = mark_of(f);
    int fd = logfile_after(f->path, &mark);

    if (fd < 0)
        return false;
    /* The writer may have added to the old file just before it began the new one. */
    if (fill(f) != AT_END) {
        close(fd);
        return true;
    }
    if (f->end > f->start || f->skipping)
        log_warning("log %s: half a line at the end of the rotated file is left out", f->path);
    adopt(f, fd, 0);
    return true;
}

/* Takes the line that ends before `newline`. */
static enum logsource_result take_line(struct file_source *f, const char *newline, int64_t now,
                                       struct maillog_line *line_r)
{
    const char *line = f->buffer + f->start;
    size_t len = (size_t)(newline - line);
    bool whole = !f->skipping && len <= LOGSOURCE_LINE_MAX;

    f->start += len + 1;
    f->scanned = f->start;
    f->line = f->read - (int64_t)(f->end - f->start);
    f->skipping = false;
    if (whole && maillog_parse(&f->base.reader, line, len, now, line_r))
        return LOGSOURCE_LINE;
    return LOGSOURCE_SKIP;
}

/* Gets more to read, from this file or the next. False: wait. */
static bool read_on(struct file_source *f)
{
    if (f->fd < 0)
        return open_first(f);
    return fill(f) != AT_END || go_on(f);
}

static enum logsource_result file_next(struct logsource *source, int64_t now,
                                       struct maillog_line *line_r)
{
    struct file_source *f = file_source(source);

    for (;;) {
        const char *newline = memchr(f->buffer + f->scanned, '\n', f->end - f->scanned);

        if (newline != NULL)
            return take_line(f, newline, now, line_r);
        if (!read_on(f) && !logwatch_update(&f->watch, f->path, f->fd))
            return LOGSOURCE_WAIT;
    }
}

static void file_position(const struct logsource *source, struct logsource_position *position_r)
{
    const struct file_source *f = (const struct file_source *)source;
    struct logfile_mark mark;

    if (f->fd < 0 && !f->seeking)
        return;
    mark = f->fd >= 0 ? mark_of(f) : f->sought;
    logfile_encode(&mark, position_r);
}

/* Lets go of the file; the next call looks for the position. */
static void seek(struct file_source *f, const struct logsource_position *position)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    f->start = f->scanned = f->end = 0;
    f->seeking = position != NULL && position->len > 0;
    if (f->seeking && !logfile_decode(position, &f->sought)) {
        log_warning("log %s: the stored position is not one of this version's; starting at its "
                    "beginning",
                    f->path);
        f->seeking = false;
    }
}

static void file_rewind(struct logsource *source, const struct logsource_position *position)
{
    struct file_source *f = file_source(source);
    struct logfile_mark mark;
    struct stat st;

    /* The open file may have lost its name, so it is not let go of lightly. */
    if (f->fd >= 0 && logfile_decode(position, &mark) && mark.dev == f->dev && mark.ino == f->ino &&
        fstat(f->fd, &st) == 0 && logfile_begins(f->fd, &st, &mark))
        adopt(f, f->fd, mark.offset);
    else
        seek(f, position);
}

static void file_close(struct logsource *source)
{
    struct file_source *f = file_source(source);

    if (f->fd >= 0)
        close(f->fd);
    logwatch_close(&f->watch);
    free(f->path);
    free(f);
}

static int file_descriptor(const struct logsource *source)
{
    return logwatch_descriptor(&((const struct file_source *)source)->watch);
}

static void file_woken(struct logsource *source)
{
    logwatch_drain(&file_source(source)->watch);
}

static const struct logsource_ops file_ops = {
    .close = file_close,
    .next = file_next,
    .position = file_position,
    .rewind = file_rewind,
    .descriptor = file_descriptor,
    .woken = file_woken,
};

struct logsource *logsource_file_open(const char *path, const struct logsource_position *start,
                                      char *error_r, size_t size)
{
    struct file_source *f = calloc(1, sizeof(*f));

    if (f != NULL)
        f->path = strdup(path);
    if (f == NULL || f->path == NULL) {
        snprintf(error_r, size, "log %s: out of memory", path);
        free(f);
        return NULL;
    }
    f->base.ops = &file_ops;
    f->fd = -1;
    logwatch_open(&f->watch);
    seek(f, start);
    return &f->base;
}
