/*
 * The log files of a replay: plain, gzip, directories, the standard input. Their lines come in the
 * order of time, whatever files and servers they are of. Not thread-safe.
 */
#ifndef POSTERN_REPLAY_FILES_H
#define POSTERN_REPLAY_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "logtags.h"
#include "maillog.h"

struct replay_files;

/* `year`: of the first line, for stamps without one; 0: see replay_years.h. */
struct replay_files *replay_files_new(int year, int64_t now);
void replay_files_free(struct replay_files **files);

/* Lines of other instances are then of something else. They are the caller's. */
void replay_files_tags(struct replay_files *files, struct logtags *tags);

/* A file, a directory of them, or "-". False, with a line in error_r. */
bool replay_files_add(struct replay_files *files, const char *path, char *error_r, size_t size);

/* After the last of them, before the first line. */
void replay_files_sort(struct replay_files *files);

enum replay_line {
    REPLAY_LINE_POSTFIX, /* *line_r is it */
    REPLAY_LINE_OTHER,   /* of something else: *line_r holds what maillog_parse found */
    REPLAY_LINE_END,
};
/* Valid until the next call. `whole_r` is the line as it stands. */
enum replay_line replay_files_next(struct replay_files *files, const struct maillog_line **line_r,
                                   struct slice *whole_r);

/* How far it is, 0 to 1; below 0: nobody knows (standard input). */
double replay_files_share(const struct replay_files *files);
uint64_t replay_files_lines(const struct replay_files *files);
/* The files in the order of their first lines, and what is to be said of them. */
json_t *replay_files_report(const struct replay_files *files);

#endif
