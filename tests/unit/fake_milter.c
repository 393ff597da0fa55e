#include "fake_milter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
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

/* The text is a format, of which only "%%" is allowed; false for others and for line breaks. */
static int take_text(char *text_r, const char *format)
{
    for (; *format; format++) {
        if (*format == '\r' || *format == '\n' || (*format == '%' && *++format != '%'))
            return 0;
        *text_r++ = *format;
    }
    *text_r = '\0';
    return 1;
}

/* libmilter wants a code of three digits; a text of 980 bytes at most (libmilter.h, MAXREPLYLEN).
 */
int smfi_setreply(SMFICTX *ctx, char *code, char *status, char *text)
{
    char plain[981];

    if (ctx->fail || strlen(code) != 3 || strlen(text) >= sizeof(plain) || !take_text(plain, text))
        return MI_FAILURE;
    snprintf(ctx->reply, sizeof(ctx->reply), "%s %s %s", code, status, plain);
    return MI_SUCCESS;
}

int smfi_delrcpt(SMFICTX *ctx, char *recipient)
{
    size_t len = strlen(ctx->deleted);

    if (ctx->fail)
        return MI_FAILURE;
    if (len + strlen(recipient) + 2 > sizeof(ctx->deleted))
        abort();
    sprintf(ctx->deleted + len, "%s|", recipient);
    return MI_SUCCESS;
}

/* Pieces follow one another. */
int smfi_replacebody(SMFICTX *ctx, unsigned char *bytes, int len)
{
    if (ctx->fail)
        return MI_FAILURE;
    if (len < 0 || len >= FAKE_BODY_MOST - ctx->body_len)
        abort();
    memcpy(ctx->body + ctx->body_len, bytes, (size_t)len);
    ctx->body_len += len;
    ctx->body[ctx->body_len] = '\0';
    ctx->replaced++;
    return MI_SUCCESS;
}

sfsistat fake_connect(SMFICTX *ctx, const struct smfiDesc *milter, const char *address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    _SOCK_ADDR *socket = NULL;

    if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
        socket = (_SOCK_ADDR *)&in;
    else if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1)
        socket = (_SOCK_ADDR *)&in6;
    return milter->xxfi_connect(ctx, (char *)(uintptr_t) "client.example", socket);
}
