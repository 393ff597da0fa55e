/*
 * One connection to a scripted SMTP host: the dialogue of RFC 5321, answered as the host's
 * behaviour says at that moment, so that a reload of the script also changes the connections that
 * are open.
 */
#ifndef E2E_SESSION_H
#define E2E_SESSION_H

#include <event2/event.h>

#include "behaviour.h"

struct session;

/* What a session needs from the program; it outlives every session. */
struct session_world {
    struct event_base *loop;
    /* The behaviour of this address now; never NULL, valid until the next turn of the loop. */
    const struct behaviour *(*behaviour)(const char *address);
    /* Writes one line of the log. */
    void (*log)(const char *address, unsigned long id, const char *event, const char *detail);
    const char *spool; /* a directory for the messages taken */
};

/* Takes over the socket. The session frees itself when the connection ends. */
void session_start(const struct session_world *world, evutil_socket_t fd, const char *address,
                   const char *peer);

/* Ends every session of an address (it stopped listening), or of all addresses (NULL). */
void session_end_all(const char *address);

#endif
