/*
 * What Postfix 3.7 tells a milter, and what follows from it:
 *
 * - A recipient that Postfix itself refuses is not reported, unless the milter asked for rejected
 *   ones (SMFIP_RCPT_REJ), which this one does not; smtpd_delay_reject changes nothing about that
 *   (smtpd/smtpd.c, rcpt_cmd()). One that is reported has passed all restrictions.
 * - Milters are asked in turn, and the first that refuses is the last one asked (milter/milter.c,
 *   milter_rcpt_event()). As the last of smtpd_milters this one counts exactly what is accepted.
 * - Milters add and remove recipients at end of message, when the client's transaction is over.
 * - RSET and HELO are reported as abort (smtpd/smtpd.c, mail_reset() and helo_reset()); that a
 *   message is complete is seen at the next MAIL.
 * - After XCLIENT there is a new connection to the milter, with the new client's address
 *   (smtpd/smtpd.c, xclient_cmd()).
 */
#include "rcptlimit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "confref.h"
#include "inbound.h"
#include "log.h"

struct connection {
    struct confref *conf;
    struct inbound *message; /* the present transaction; NULL: none, or none that is limited */
    char client[INET6_ADDRSTRLEN + sizeof("IPv6:")];
};

static const char *symbol(SMFICTX *ctx, const char *name, const char *otherwise)
{
    const char *value = smfi_getsymval(ctx, (char *)name);

    return value ? value : otherwise;
}

/* The address comes in binary; for a socket that has none, the macro may still know it. */
static void note_client(struct connection *connection, SMFICTX *ctx, const _SOCK_ADDR *address)
{
    const void *bytes = NULL;

    if (address && address->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    else if (address && address->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (bytes == NULL || inet_ntop(address->sa_family, bytes, connection->client,
                                   sizeof(connection->client)) == NULL)
        slice_copy(connection->client, sizeof(connection->client),
                   slice_of(symbol(ctx, "{client_addr}", "unknown")));
}

static sfsistat mlfi_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    (void)host;
    if (connection == NULL)
        return SMFIS_ACCEPT;
    connection->conf = confref_take();
    note_client(connection, ctx, address);
    if (connection->conf && smfi_setpriv(ctx, connection) == MI_SUCCESS)
        return SMFIS_CONTINUE;
    confref_release(&connection->conf);
    free(connection);
    return SMFIS_ACCEPT;
}

static sfsistat mlfi_envfrom(SMFICTX *ctx, char **argv)
{
    struct connection *connection = smfi_getpriv(ctx);
    struct inbound_mail mail;

    if (connection == NULL)
        return SMFIS_ACCEPT;
    mail.client = slice_of(connection->client);
    mail.login = slice_of(symbol(ctx, "{auth_authen}", ""));
    mail.sender = slice_of(argv[0]);
    inbound_free(&connection->message);
    connection->message = inbound_begin(confref_config(connection->conf), &mail);
    return connection->message ? SMFIS_CONTINUE : SMFIS_ACCEPT;
}

static void say_observed(SMFICTX *ctx, const struct connection *connection,
                         const struct inbound_answer *answer, const char *recipient)
{
    char text[INBOUND_TEXT_MAX];

    inbound_text(answer, text);
    log_info("%s: would refuse to=%s and others, client=%s, reply=%s %s %s",
             symbol(ctx, "i", "NOQUEUE"), recipient, connection->client, inbound_code(answer),
             inbound_status(answer), text);
}

static sfsistat mlfi_envrcpt(SMFICTX *ctx, char **argv)
{
    struct connection *connection = smfi_getpriv(ctx);
    struct inbound_answer answer;
    char text[INBOUND_TEXT_MAX];

    if (connection == NULL)
        return SMFIS_CONTINUE;
    answer = inbound_rcpt(connection->message, slice_of(argv[0]));
    if (!answer.refuse) {
        if (answer.first)
            say_observed(ctx, connection, &answer, argv[0]);
        return SMFIS_CONTINUE;
    }
    inbound_text(&answer, text);
    if (smfi_setreply(ctx, (char *)inbound_code(&answer), (char *)inbound_status(&answer), text) !=
        MI_SUCCESS)
        return SMFIS_CONTINUE;
    return answer.permanent ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

static sfsistat mlfi_abort(SMFICTX *ctx)
{
    struct connection *connection = smfi_getpriv(ctx);

    if (connection)
        inbound_free(&connection->message);
    return SMFIS_CONTINUE;
}

static sfsistat mlfi_close(SMFICTX *ctx)
{
    struct connection *connection = smfi_getpriv(ctx);

    if (connection == NULL)
        return SMFIS_CONTINUE;
    smfi_setpriv(ctx, NULL);
    inbound_free(&connection->message);
    confref_release(&connection->conf);
    free(connection);
    return SMFIS_CONTINUE;
}

/* Events without a callback are not even sent, so that the content never passes through here. */
const struct milter_program rcptlimit_program = {
    .name = "postern-rcptlimit",
    .setting = "milters.rcptlimit.socket",
    .socket = config_rcptlimit_socket,
    .description =
        {
            .xxfi_name = (char *)"postern-rcptlimit",
            .xxfi_version = SMFI_VERSION,
            .xxfi_flags = SMFIF_NONE,
            .xxfi_connect = mlfi_connect,
            .xxfi_envfrom = mlfi_envfrom,
            .xxfi_envrcpt = mlfi_envrcpt,
            .xxfi_abort = mlfi_abort,
            .xxfi_close = mlfi_close,
        },
};
