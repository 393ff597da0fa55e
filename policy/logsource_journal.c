#include "build.h"

#include "logsource_ops.h"

#include <stdio.h>

#ifndef HAVE_LIBSYSTEMD

struct logsource *logsource_journal_open(const char *directory,
                                         const struct logsource_position *start, char *error_r,
                                         size_t size)
{
    (void)directory;
    (void)start;
    snprintf(error_r, size,
             "log journal: this Postern was built without libsystemd; name a log file instead");
    return NULL;
}

#else

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "log.h"

/* Postfix writes at most 2000 bytes (msg_syslog.c); a program's name has to fit as well. */
enum { MESSAGE_MAX = 8192, PROGRAM_MAX = 128 };

struct journal_source {
    struct logsource base;
    sd_journal *journal;
    struct logsource_position at; /* the entry read last; len 0: none */
    int warned;                   /* the last failure that was logged */
    size_t program_len, message_len;
    char program[PROGRAM_MAX];
    char message[MESSAGE_MAX];
};

static struct journal_source *journal_source(struct logsource *source)
{
    return (struct journal_source *)source;
}

static void warn_once(struct journal_source *j, const char *what, int result)
{
    if (result != j->warned)
        log_warning("log journal: %s: %s", what, strerror(-result));
    j->warned = result;
}

/*
 * Copies a field's value, which libsystemd keeps only until the next is asked for. False: the entry
 * has none, or one that does not fit.
 */
static bool copy_field(sd_journal *journal, const char *name, char *buffer, size_t size,
                       size_t *len_r)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;

    if (sd_journal_get_data(journal, name, &data, &len) < 0 || len < skip || len - skip > size)
        return false;
    *len_r = len - skip;
    memcpy(buffer, (const char *)data + skip, *len_r);
    return true;
}

/* A field that is a number; ULONG_MAX: it is none. */
static unsigned long number_field(sd_journal *journal, const char *name)
{
    char text[16];
    size_t len;

    if (!copy_field(journal, name, text, sizeof(text) - 1, &len) || len == 0)
        return ULONG_MAX;
    text[len] = '\0';
    return strspn(text, "0123456789") == len ? strtoul(text, NULL, 10) : ULONG_MAX;
}

/*
 * Any user may write an entry under Postfix's name (SYSLOG_IDENTIFIER). The fields that begin with
 * an underscore come from journald itself. _SYSTEMD_UNIT would not do: a command started by
 * local(8) for a user (.forward) belongs to Postfix's unit; it has that user's _UID, though.
 */
static bool is_postfix(const struct journal_source *j)
{
    unsigned long uid = number_field(j->journal, "_UID");

    return uid == 0 || uid == j->base.mail_owner;
}

/* Reads the current entry. */
static enum logsource_result read_entry(struct journal_source *j, struct maillog_line *line_r)
{
    uint64_t usec;

    if (!copy_field(j->journal, "SYSLOG_IDENTIFIER", j->program, sizeof(j->program),
                    &j->program_len) ||
        memchr(j->program, '/', j->program_len) == NULL || !is_postfix(j) ||
        !copy_field(j->journal, "MESSAGE", j->message, sizeof(j->message), &j->message_len) ||
        sd_journal_get_realtime_usec(j->journal, &usec) < 0)
        return LOGSOURCE_SKIP;
    if (!maillog_parse_entry(&j->base.reader, (struct slice){j->program, j->program_len},
                             (struct slice){j->message, j->message_len}, (int64_t)(usec / 1000),
                             line_r))
        return LOGSOURCE_SKIP;
    line_r->pid = (uint32_t)number_field(j->journal, "_PID");
    return LOGSOURCE_LINE;
}

/* Makes the position of the current entry, as libsystemd's cursor. */
static void note_position(struct journal_source *j)
{
    char *cursor = NULL;
    int result = sd_journal_get_cursor(j->journal, &cursor);
    size_t len = result < 0 ? 0 : strlen(cursor);

    if (result < 0) {
        warn_once(j, "no cursor", result);
    } else if (len >= LOGSOURCE_POSITION_MAX - 1) {
        warn_once(j, "cursor too long", -EMSGSIZE);
    } else {
        j->at.bytes[0] = LOGSOURCE_POSITION_JOURNAL;
        memcpy(j->at.bytes + 1, cursor, len);
        j->at.len = (uint32_t)len + 1;
    }
    free(cursor);
}

static enum logsource_result journal_next(struct logsource *source, int64_t now,
                                          struct maillog_line *line_r)
{
    struct journal_source *j = journal_source(source);
    int result = sd_journal_next(j->journal);

    (void)now;
    if (result < 0)
        warn_once(j, "cannot read on", result);
    if (result <= 0)
        return LOGSOURCE_WAIT;
    j->warned = 0;
    note_position(j);
    return read_entry(j, line_r);
}

static void journal_position(const struct logsource *source, struct logsource_position *position_r)
{
    *position_r = ((const struct journal_source *)source)->at;
}

/* Goes to the entry behind the position. */
static void seek(struct journal_source *j, const struct logsource_position *position)
{
    char cursor[LOGSOURCE_POSITION_MAX];
    int result;

    j->at.len = 0;
    if (position == NULL || position->len < 2 || position->len > LOGSOURCE_POSITION_MAX) {
        sd_journal_seek_head(j->journal);
        return;
    }
    memcpy(cursor, position->bytes + 1, position->len - 1);
    cursor[position->len - 1] = '\0';
    result = sd_journal_seek_cursor(j->journal, cursor);
    if (result >= 0)
        result = sd_journal_next(j->journal);
    if (result > 0 && sd_journal_test_cursor(j->journal, cursor) > 0) {
        j->at = *position;
        return;
    }
    log_warning("log journal: the entry where reading ended is gone; entries may have been lost");
    /* Again, to the nearest entry, which has not been read yet. */
    if (result <= 0 || sd_journal_seek_cursor(j->journal, cursor) < 0)
        sd_journal_seek_head(j->journal);
}

static void journal_rewind(struct logsource *source, const struct logsource_position *position)
{
    seek(journal_source(source), position);
}

static int journal_descriptor(const struct logsource *source)
{
    struct journal_source *j = journal_source((struct logsource *)(uintptr_t)source);
    int fd = sd_journal_get_fd(j->journal);

    /* On a network file system libsystemd gets no notice of changes. */
    return fd >= 0 && sd_journal_reliable_fd(j->journal) > 0 ? fd : -1;
}

static void journal_woken(struct logsource *source)
{
    sd_journal_process(journal_source(source)->journal);
}

static void journal_close(struct logsource *source)
{
    struct journal_source *j = journal_source(source);

    sd_journal_close(j->journal);
    free(j);
}

static const struct logsource_ops journal_ops = {
    .close = journal_close,
    .next = journal_next,
    .position = journal_position,
    .rewind = journal_rewind,
    .descriptor = journal_descriptor,
    .woken = journal_woken,
};

/*
 * Only what came through syslog(3): that is how Postfix logs, and _TRANSPORT is journald's own
 * word, so the index leaves out most of the journal.
 */
static int open_journal(sd_journal **journal_r, const char *directory)
{
    int result = directory != NULL ? sd_journal_open_directory(journal_r, directory, 0)
                                   : sd_journal_open(journal_r, SD_JOURNAL_LOCAL_ONLY);

    if (result < 0)
        return result;
    result = sd_journal_add_match(*journal_r, "_TRANSPORT=syslog", 0);
    if (result >= 0)
        result = sd_journal_set_data_threshold(*journal_r, MESSAGE_MAX + PROGRAM_MAX);
    if (result >= 0)
        result = sd_journal_get_fd(*journal_r); /* from here on changes are noticed */
    if (result < 0)
        sd_journal_close(*journal_r);
    return result;
}

struct logsource *logsource_journal_open(const char *directory,
                                         const struct logsource_position *start, char *error_r,
                                         size_t size)
{
    struct journal_source *j = calloc(1, sizeof(*j));
    int result = j != NULL ? open_journal(&j->journal, directory) : -ENOMEM;

    if (result < 0) {
        snprintf(error_r, size, "log journal: %s", strerror(-result));
        free(j);
        return NULL;
    }
    j->base.ops = &journal_ops;
    seek(j, start);
    return &j->base;
}

#endif
