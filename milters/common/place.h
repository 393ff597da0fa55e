/*
 * Where a milter lives: its account, the folder of its socket, the socket. place_enter and
 * place_listen are called once each, in this order, before there are threads. What is wrong ends
 * the program (log_fatal).
 */
#ifndef POSTERN_PLACE_H
#define POSTERN_PLACE_H

#include "config.h"
#include "inside.h"

struct place {
    const char *where;            /* the socket, in libmilter's own syntax; set by the caller */
    char *queue;                  /* Postfix's queue_directory; NULL: not known */
    char inside[INSIDE_PATH_MAX]; /* where it is in there; "": it is not */
};

/*
 * Makes $runtime_directory if it is missing, and the folder in queue_directory; as root, takes on
 * the account of `user`.
 */
void place_enter(struct place *place, const struct config *config);

/*
 * Has libmilter listen. A UNIX socket is open to every account of
 * this machine, as Postfix's own smtpd(8) is on its port: the folder's mode may say otherwise. One
 * that a program still listens on is left alone; one that was left over is replaced. See inside.h
 * for where it is.
 */
void place_listen(struct place *place);

/* Takes a UNIX socket away again, and frees what place_enter() kept. */
void place_leave(struct place *place);

#endif
