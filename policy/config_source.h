/*
 * The text of a configuration file with all that it includes, made safe for libconfig.
 *
 * Why not leave it to libconfig: version 1.5 (Debian 12) wraps a number that does not fit into 32
 * bits without a word (scanner.l: 4294967297 becomes 1), reads 010 as ten or as eight depending on
 * its version, and ends the whole process when a file to include is a directory (flex's
 * YY_FATAL_ERROR), which a reload must not do. So includes are resolved here, and every whole
 * number is handed on in decimal as a 64-bit one. Thread-safe: nothing is shared.
 */
#ifndef POSTERN_CONFIG_SOURCE_H
#define POSTERN_CONFIG_SOURCE_H

#include <stddef.h>

struct config_source;

/*
 * `@include "FILE"` at the start of a line stands for that file's text; a relative FILE is looked
 * for in the folder of the file that includes it. NULL, with a line in error_r: a file that cannot
 * be read or holds a NUL byte, nesting deeper than 10, more than 16 MiB in all, a comment or string
 * without an end, a number that does not fit into 64 bits, no memory.
 */
struct config_source *config_source_read(const char *path, char *error_r, size_t size);
void config_source_free(struct config_source **source);

/* Everything in one NUL-terminated text. */
const char *config_source_text(const struct config_source *source);

/* Where a line of that text (the first is 1) came from. The file's name belongs to the source. */
const char *config_source_where(const struct config_source *source, unsigned line,
                                unsigned *line_r);

#endif
