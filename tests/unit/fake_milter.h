/*
 * The part of libmilter that callbacks call, for tests that play Postfix: a context remembers what
 * it is given and gives out the macros it is told to.
 */
#ifndef FAKE_MILTER_H
#define FAKE_MILTER_H

#include <libmilter/mfapi.h>

enum { FAKE_MACROS_MOST = 8, FAKE_BODY_MOST = 16384 };

struct smfi_str {
    void *priv;
    const char *macros[FAKE_MACROS_MOST][2]; /* name, value; NULL after the last */
    char reply[1024];                        /* "452 4.5.3 text", of the last smfi_setreply */
    char deleted[1024];                      /* "<a@b>|<c@d>|", of smfi_delrcpt */
    int replaced;                            /* calls of smfi_replacebody */
    char body[FAKE_BODY_MOST];               /* what they gave, NUL-terminated */
    int body_len;
    int fail; /* all of these do, and smfi_setpriv */
};

/* Sets a macro, or takes it away (NULL). Neither string is copied. */
void fake_macro(SMFICTX *ctx, const char *name, const char *value);

/* A client connects from this address; from a socket that has none when it is not one. */
sfsistat fake_connect(SMFICTX *ctx, const struct smfiDesc *milter, const char *address);

#endif
