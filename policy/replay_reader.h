/*
 * The lines of one log file, plain or gzip, or of the standard input. Not thread-safe.
 */
#ifndef POSTERN_REPLAY_READER_H
#define POSTERN_REPLAY_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

struct replay_reader;

/* "-": the standard input. NULL: it cannot be opened, or no memory. */
struct replay_reader *replay_reader_open(const char *path);
/* False: it ended in the middle of what was packed, or was damaged before. */
bool replay_reader_close(struct replay_reader **reader);

/* The next line without its end, valid until the next call; one that is too long is left out. */
bool replay_reader_line(struct replay_reader *reader, struct slice *line_r);

/* Bytes read so far, as they are on the disk. */
int64_t replay_reader_offset(const struct replay_reader *reader);

#endif
