/* Listening sockets, by name: "unix:/path" or "inet:HOST:PORT" (HOST may be "[v6]"). */
#ifndef POSTERN_LISTEN_H
#define POSTERN_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A non-blocking listening socket, the caller's to close; -1 with a line in error_r. A UNIX socket
 * is open to every account of this machine, and takes the place of one that nobody listens on any
 * more. Asks the resolver about a HOST that is no address.
 */
int listen_open(const char *where, char *error_r, size_t size);

/* True when a program listens on the UNIX socket in `where`. False for one by TCP: not asked. */
bool listen_alive(const char *where);

/* The path of the UNIX socket in `where`, inside of it; NULL for another one. */
const char *listen_path(const char *where);

/* Removes the socket at a path; what is no socket stays. */
void listen_remove(const char *path);

#endif
