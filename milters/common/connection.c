#include "connection.h"

#include <stdlib.h>

#include "local.h"

sfsistat connection_open(SMFICTX *ctx, const _SOCK_ADDR *address,
                         bool (*wanted)(const struct config *config))
{
    struct connection *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return SMFIS_ACCEPT;
    c->conf = confref_take();
    if (c->conf && wanted(confref_config(c->conf))) {
        c->local = local_has(c->conf, address);
        if (smfi_setpriv(ctx, c) == MI_SUCCESS)
            return SMFIS_CONTINUE;
    }
    confref_release(&c->conf);
    free(c);
    return SMFIS_ACCEPT;
}

void connection_close(SMFICTX *ctx)
{
    struct connection *c = smfi_getpriv(ctx);

    if (c == NULL)
        return;
    smfi_setpriv(ctx, NULL);
    confref_release(&c->conf);
    free(c);
}

const char *connection_macro(SMFICTX *ctx, const char *name)
{
    const char *value = smfi_getsymval(ctx, (char *)(uintptr_t)name);

    return value ? value : "";
}
