/*
 * One connection of Postfix to a milter, from xxfi_connect to xxfi_close: the configuration that it
 * began with, whether the client is one of ours, and the message under way. A connection belongs to
 * one thread at a time.
 */
#ifndef POSTERN_CONNECTION_H
#define POSTERN_CONNECTION_H

#include <libmilter/mfapi.h>

#include "confref.h"

struct message; /* each milter has its own */

/* The context's private data. */
struct connection {
    struct confref *conf;
    bool local; /* from one of our networks */
    struct message *message;
};

/*
 * For xxfi_connect: makes the connection if the configuration wants it. Otherwise, and without
 * memory, SMFIS_ACCEPT: the milter is not asked about its mail, and the context has no data.
 */
sfsistat connection_open(SMFICTX *ctx, const _SOCK_ADDR *address,
                         bool (*wanted)(const struct config *config));

/* For xxfi_close; its message has been freed. Nothing when there is none. */
void connection_close(SMFICTX *ctx);

/* A macro of Postfix's, "" when it is not set. Good until the callback returns. */
const char *connection_macro(SMFICTX *ctx, const char *name);

#endif
