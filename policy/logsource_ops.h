/*
 * Between the kinds of log source only: what each of them does.
 */
#ifndef POSTERN_LOGSOURCE_OPS_H
#define POSTERN_LOGSOURCE_OPS_H

#include "logsource.h"

struct logsource_ops {
    void (*close)(struct logsource *source); /* frees it */
    enum logsource_result (*next)(struct logsource *source, int64_t now,
                                  struct maillog_line *line_r);
    void (*position)(const struct logsource *source, struct logsource_position *position_r);
    void (*rewind)(struct logsource *source, const struct logsource_position *position);
    int (*descriptor)(const struct logsource *source);
    void (*woken)(struct logsource *source);
};

/* The first member of each kind. */
struct logsource {
    const struct logsource_ops *ops;
    struct maillog_reader reader;
    uid_t mail_owner;
};

/* The first byte of a position says whose it is. */
enum { LOGSOURCE_POSITION_FILE = 'F', LOGSOURCE_POSITION_JOURNAL = 'J' };

struct logsource *logsource_file_open(const char *path, const struct logsource_position *start,
                                      char *error_r, size_t size);

/* `directory` holds journal files; NULL: this machine's journal. */
struct logsource *logsource_journal_open(const char *directory,
                                         const struct logsource_position *start, char *error_r,
                                         size_t size);

#endif
