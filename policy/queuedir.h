/*
 * Postfix's queue_directory, for programs that do not run postconf(1). Not what postconf(1) would
 * say in all cases: a value with a "$" in it is not followed. Thread-safe.
 */
#ifndef POSTERN_QUEUEDIR_H
#define POSTERN_QUEUEDIR_H

#include <stddef.h>

/*
 * What main.cf in `config_directory` says, or Postfix's own default when it says nothing. free()
 * it. NULL: it cannot be told, with a line for people in error_r.
 */
char *queuedir_read(const char *config_directory, char *error_r, size_t size);

#endif
