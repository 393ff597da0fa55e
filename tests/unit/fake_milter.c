#include "fake_milter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fake_macro(SMFICTX *ctx, const char *name, const char *value)
{
    for (int i = 0; i < FAKE_MACROS_MOST; i++) {
        if (ctx->macros[i][0] == NULL || strcmp(ctx->macros[i][0], name) == 0) {
            ctx->macros[i][0] = name;
            ctx->macros[i][1] = value;
            return;
        }
    }
    abort();
}

char *smfi_getsymval(SMFICTX *ctx, char *name)
{
    for (int i = 0; i < FAKE_MACROS_MOST && ctx->macros[i][0]; i++)
        if (strcmp(ctx->macros[i][0], name) == 0)
            return (char *)ctx->macros[i][1];
    return NULL;
}

int smfi_setpriv(SMFICTX *ctx, void *priv)
{
    if (ctx->fail && priv)
        return MI_FAILURE;
    ctx->priv = priv;
    return MI_SUCCESS;
}

void *smfi_getpriv(SMFICTX *ctx)
{
    return ctx->priv;
}

/* libmilter wants a code of three digits, and a text without line breaks that is no format. */
int smfi_setreply(SMFICTX *ctx, char *code, char *status, char *text)
{
    if (ctx->fail || strlen(code) != 3 || strpbrk(text, "\r\n%") != NULL)
        return MI_FAILURE;
    snprintf(ctx->reply, sizeof(ctx->reply), "%s %s %s", code, status, text);
    return MI_SUCCESS;
}
