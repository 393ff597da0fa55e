/*
 * What the milters have in common: the command line, the configuration and its reload, the socket,
 * the account, signals. A milter itself is a description of callbacks for libmilter, which take the
 * configuration from confref.h.
 */
#ifndef POSTERN_MILTER_H
#define POSTERN_MILTER_H

#include <libmilter/mfapi.h>

#include "config.h"
#include "networks.h"

struct milter_program {
    const char *name;
    const char *setting;                                /* of the socket, as in postern.conf */
    const char *(*socket)(const struct config *config); /* in libmilter's syntax, "" = none */
    /* The networks that are ours, where that matters; else NULL. May take some time. */
    struct networks *(*local)(const struct config *config);
    struct smfiDesc description;
};

/* The whole of main(); returns its exit status. */
int milter_main(int argc, char **argv, const struct milter_program *program);

#endif
