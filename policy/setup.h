/*
 * `posternctl setup [--print|--apply|--remove]`: connects Postfix with Postern, and takes the
 * connection away again.
 *
 * --print (the default) changes nothing and says what --apply would. --apply makes the state
 * directory and an empty table first, because a table that main.cf names and that is missing makes
 * smtpd(8) answer 451 to every recipient; then it edits master.cf and main.cf (mainmaster.h), asks
 * Postfix what it makes of them, and puts the old files back when that is not what was meant.
 * --remove takes the edit out and leaves the state.
 *
 * Exit statuses:
 *   0   done, or nothing to do
 *   64  EX_USAGE        wrong arguments
 *   69  EX_UNAVAILABLE  something Postern needs is missing: Postfix, its version, lmdb, an account
 *   73  EX_CANTCREAT    the state directory or the table could not be made
 *   74  EX_IOERR        main.cf or master.cf could not be read or written
 *   77  EX_NOPERM       not allowed to
 *   78  EX_CONFIG       main.cf or master.cf stands in the way, or Postfix did not accept the
 * result; both files are as they were
 */
#ifndef POSTERN_SETUP_H
#define POSTERN_SETUP_H

#include "config.h"

/* argv[0] is "setup". Writes to standard output and error. Returns an exit status. */
int setup_main(const struct config *config, int argc, char **argv);

#endif
