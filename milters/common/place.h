/*
 * Where a milter lives: its account, the folder of its socket, the socket. place_enter and
 * place_listen are called once each, in this order, before there are threads. What is wrong ends
 * the program (log_fatal).
 */
#ifndef POSTERN_PLACE_H
#define POSTERN_PLACE_H

#include "config.h"

/* Makes $runtime_directory if it is missing; as root, takes on the account of `user`. */
void place_enter(const struct config *config);

/*
 * Has libmilter listen on `where`, in its own syntax. A UNIX socket is open to every account of
 * this machine, as Postfix's own smtpd(8) is on its port: the folder's mode may say otherwise. One
 * that a program still listens on is left alone; one that was left over is replaced.
 */
void place_listen(const char *where);

/* Takes a UNIX socket away again. */
void place_leave(const char *where);

#endif
