/* Between replay_files.c, which finds the files, and replay_merge.c, which reads them. */
#ifndef POSTERN_REPLAY_FILES_PARTS_H
#define POSTERN_REPLAY_FILES_PARTS_H

#include "replay_files.h"
#include "replay_reader.h"
#include "replay_years.h"

enum {
    REPLAY_FIRST_MAX = 512,
    REPLAY_OPEN_MAX = 200, /* files that are read at the same time */
};

struct replay_file {
    char *path; /* "-": standard input */
    int64_t size;
    int64_t written; /* ms: when it was last changed */
    int64_t first;   /* the time of the first line; 0: none has one */
    int64_t from, to;
    uint64_t lines;
    char begin[REPLAY_FIRST_MAX]; /* the first line, to find a file that is there twice */
    char stamp[REPLAY_FIRST_MAX]; /* the first line that has a time */
    char host[256];               /* whose line that is */
    int year;                     /* of its first stamp, where stamps have none; 0: they have one */
    bool left_out;
    const char *note; /* NULL: nothing is wrong */
};

/* A file that is being read. */
struct replay_open {
    struct replay_file *file;
    struct replay_reader *reader;
    struct maillog_reader parser;
    struct replay_calendar calendar;
    int first_year;   /* of its first stamp; 0: no stamp without a year so far */
    int year;         /* the present one, and... */
    int64_t year_end; /* ... its end, for maillog_parse */
    int64_t at;       /* the latest time so far, by which its next line has its turn */
    struct maillog_line line;
    struct slice whole;
};

struct replay_files {
    struct replay_file *list;
    size_t count;
    size_t next; /* the first in the list that was not opened yet */
    int year;    /* as given; 0: not */
    int64_t now;
    int64_t size, read; /* bytes, as they are on the disk */
    uint64_t lines;
    bool unknown;         /* the size */
    struct logtags *tags; /* the caller's */

    struct replay_open *open[REPLAY_OPEN_MAX]; /* a heap: the next line is that of the first */
    size_t open_count;
    bool given; /* the line of the first was handed out */
};

/* The first line of a file that is being read, or its next one; false: it has none. */
bool replay_open_next(const struct replay_files *files, struct replay_open *open);
/* NULL: it cannot be opened. */
struct replay_open *replay_open_new(struct replay_file *file);
/* Notes when it was damaged. */
void replay_open_free(struct replay_open **open);

#endif
