/*
 * Small files that must never be seen half written: read whole, replaced whole. Thread-safe.
 */
#ifndef POSTERN_CFILE_H
#define POSTERN_CFILE_H

#include "slice.h"

enum { CFILE_MAX = 16 * 1024 * 1024 };

/* Reads a file; free() text_r->at. Returns 0, or -1 with errno (EFBIG: longer than CFILE_MAX). */
int cfile_read(const char *path, struct slice *text_r);

/*
 * Replaces a file that still has the text `before`, through a new file beside it that is synced and
 * renamed; mode, owner and a symbolic link that leads to it stay. Returns 0, or -1 with errno
 * (ESTALE: somebody changed it meanwhile), and then the file is as it was.
 */
int cfile_replace(const char *path, struct slice before, struct slice after);

#endif
