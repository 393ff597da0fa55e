/*
 * The part of libmilter that callbacks call, for tests that play Postfix: a context remembers what
 * it is given and gives out the macros it is told to.
 */
#ifndef FAKE_MILTER_H
#define FAKE_MILTER_H

#include <libmilter/mfapi.h>

enum { FAKE_MACROS_MOST = 8 };

struct smfi_str {
    void *priv;
    const char *macros[FAKE_MACROS_MOST][2]; /* name, value; NULL after the last */
    char reply[1024];                        /* "452 4.5.3 text", of the last smfi_setreply */
    int fail;                                /* smfi_setreply and smfi_setpriv do */
};

/* Sets a macro, or takes it away (NULL). Neither string is copied. */
void fake_macro(SMFICTX *ctx, const char *name, const char *value);

#endif
