/*
 * A recipient whose destination is down (milters.retrycap.when_down). What Postfix tells a milter
 * is described in earlyndr.c; of that matters here:
 *
 * - At smtpd(8) the macro "i" is not set at MAIL, for other mail it is.
 * - Of other mail no recipient may be refused, nor put off: cleanup(8) would try again for ever.
 * - A milter behind this one may still refuse the message at its end. Its sender then has both.
 */
#include "retrycap.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "connection.h"
#include "doorway.h"
#include "envelope.h"
#include "local.h"
#include "log.h"
#include "outbox.h"
#include "state.h"

/* A recipient whose sender is to be told. */
struct late {
    size_t index; /* in the envelope */
    char *destination;
};

struct message {
    struct envelope *envelope; /* NULL: nobody is told */
    struct late *late;
    size_t late_count;
    bool said; /* that a recipient would be refused */
};

/* Messages */

static void message_free(struct message **message)
{
    struct message *m = *message;

    if (m == NULL)
        return;
    for (size_t i = 0; i < m->late_count; i++)
        free(m->late[i].destination);
    free(m->late);
    envelope_free(&m->envelope);
    free(m);
    *message = NULL;
}

/* False for the null sender, and for one that sendmail(1) would have to complete. */
static bool can_be_told(const struct envelope *envelope)
{
    char sender[ADDRESS_MAX + 1];

    return envelope && address_canonical(sender, slice_of(envelope->sender)) > 0;
}

/* NULL: whatever becomes of its recipients, nothing is done about it. */
static struct message *message_new(const struct connection *c, SMFICTX *ctx, char **argv)
{
    bool outside = connection_macro(ctx, "i")[0] == '\0';
    bool warns = config_when_down(confref_config(c->conf)) == WHEN_DOWN_WARN;
    struct envelope *envelope = NULL;
    struct message *m = NULL;

    if (warns && (!outside || c->local || connection_macro(ctx, "{auth_authen}")[0] != '\0'))
        envelope = envelope_new(argv, clock_now());
    if (warns ? can_be_told(envelope) : outside)
        m = calloc(1, sizeof(*m));
    if (m)
        m->envelope = envelope;
    else
        envelope_free(&envelope);
    return m;
}

/* Connections */

static bool is_wanted(const struct config *config)
{
    return config_when_down(config) != WHEN_DOWN_ACCEPT;
}

static sfsistat mlfi_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    (void)host;
    return connection_open(ctx, address, is_wanted);
}

static sfsistat mlfi_envfrom(SMFICTX *ctx, char **argv)
{
    struct connection *c = smfi_getpriv(ctx);

    if (c == NULL)
        return SMFIS_ACCEPT;
    message_free(&c->message);
    c->message = message_new(c, ctx, argv);
    return c->message ? SMFIS_CONTINUE : SMFIS_ACCEPT;
}

/* Recipients */

static enum doorway_answer ask(const struct config *config, const char *recipient, int64_t now,
                               struct doorway_down *down_r)
{
    struct store *store = state_begin(config);
    enum doorway_answer answer;

    if (store == NULL)
        return DOORWAY_PASS;
    answer = doorway_destination(store, config, slice_of(recipient), now, down_r);
    state_end(store);
    return answer;
}

/* How smtpd(8) is told of an answer. */
struct reply {
    const char *code, *status;
    sfsistat action;
};

static const struct reply tempfail = {"450", "4.4.1", SMFIS_TEMPFAIL};
static const struct reply reject = {"550", "5.4.7", SMFIS_REJECT};

static void say_observed(struct message *m, SMFICTX *ctx, const char *recipient,
                         const struct reply *reply, const char *text)
{
    const char *queue_id = connection_macro(ctx, "i");

    if (!m->said)
        log_info("%s: would-refuse to=%s and maybe others: %s %s %s",
                 queue_id[0] ? queue_id : "NOQUEUE", recipient, reply->code, reply->status, text);
    m->said = true;
}

static sfsistat refuse(SMFICTX *ctx, const struct connection *c, const char *recipient,
                       const struct reply *reply, const char *text)
{
    char doubled[DOORWAY_DOUBLED_MAX];

    if (!config_enforce(confref_config(c->conf))) {
        say_observed(c->message, ctx, recipient, reply, text);
        return SMFIS_CONTINUE;
    }
    doorway_double(text, doubled);
    if (smfi_setreply(ctx, (char *)(uintptr_t)reply->code, (char *)(uintptr_t)reply->status,
                      doubled) != MI_SUCCESS)
        return SMFIS_CONTINUE;
    return reply->action;
}

/* RFC 3461 section 4.1: without NOTIFY a report of a delay may be sent, with it only for DELAY. */
static bool wants_warning(const struct envelope_recipient *recipient)
{
    return recipient->notify == 0 || (recipient->notify & ENVELOPE_DELAY) != 0;
}

/* The last recipient of the envelope. Without memory its sender is not told of it. */
static void note_late(struct message *m, const struct doorway_down *down)
{
    size_t index = m->envelope->count - 1;
    struct late *late;

    if (!wants_warning(&m->envelope->recipients[index]))
        return;
    late = realloc(m->late, (m->late_count + 1) * sizeof(*late));
    if (late == NULL)
        return;
    m->late = late;
    late[m->late_count] = (struct late){index, strdup(record_destination_title(&down->to))};
    if (late[m->late_count].destination)
        m->late_count++;
}

/* False: no report can be made. */
static bool note_recipient(struct message *m, char **argv)
{
    if (m->envelope && m->envelope->count == 0)
        m->envelope->arrived = clock_now(); /* as Postfix counts: when the queue file was made */
    if (m->envelope && !envelope_add_recipient(m->envelope, argv))
        envelope_free(&m->envelope);
    return m->envelope != NULL;
}

static sfsistat mlfi_envrcpt(SMFICTX *ctx, char **argv)
{
    struct connection *c = smfi_getpriv(ctx);
    struct message *m = c ? c->message : NULL;
    int64_t now = clock_now();
    char text[DOORWAY_TEXT_MAX];
    struct doorway_down down;
    enum doorway_answer answer;
    bool noted;

    if (m == NULL)
        return SMFIS_CONTINUE;
    noted = note_recipient(m, argv);
    answer = ask(confref_config(c->conf), argv[0], now, &down);
    if (answer == DOORWAY_WARN && noted)
        note_late(m, &down);
    if (answer != DOORWAY_TEMPFAIL && answer != DOORWAY_REFUSE)
        return SMFIS_CONTINUE;
    doorway_down_text(&down, answer, now, text);
    return refuse(ctx, c, argv[0], answer == DOORWAY_REFUSE ? &reject : &tempfail, text);
}

/* Content: the header of a message that its sender is told about goes back with the report. */

static sfsistat mlfi_header(SMFICTX *ctx, char *name, char *value)
{
    struct connection *c = smfi_getpriv(ctx);
    struct message *m = c ? c->message : NULL;

    if (m && m->late_count > 0 && m->envelope && !envelope_add_header(m->envelope, name, value))
        envelope_free(&m->envelope);
    return SMFIS_CONTINUE;
}

/* The end */

static const char *address_of(const struct message *m, size_t i)
{
    return m->envelope->recipients[m->late[i].index].address;
}

/* NULL: no memory. */
static json_t *request_of(const struct message *m)
{
    json_t *list = json_array();

    for (size_t i = 0; i < m->late_count; i++)
        json_array_append_new(list, json_string(address_of(m, i)));
    return json_pack("{s:o, s:o}", "envelope", envelope_to_json(m->envelope), "recipients", list);
}

static void warn(const struct config *config, const struct message *m)
{
    const char *queue_id = m->envelope->queue_id;

    if (!config_enforce(config)) {
        log_info("%s: would-warn to=<%s> destination=%s sender=<%s> recipients=%zu", queue_id,
                 address_of(m, 0), m->late[0].destination, m->envelope->sender, m->late_count);
        return;
    }
    if (!outbox_warn(config_runtime_directory(config), request_of(m)))
        return;
    for (size_t i = 0; i < m->late_count; i++)
        log_info("%s: warn to=<%s> destination=%s sender=<%s>", queue_id, address_of(m, i),
                 m->late[i].destination, m->envelope->sender);
}

static sfsistat mlfi_eom(SMFICTX *ctx)
{
    struct connection *c = smfi_getpriv(ctx);
    struct message *m = c ? c->message : NULL;

    if (m == NULL)
        return SMFIS_CONTINUE;
    if (m->envelope && m->late_count > 0 &&
        envelope_set_queue_id(m->envelope, connection_macro(ctx, "i")) &&
        !envelope_is_automatic(m->envelope))
        warn(confref_config(c->conf), m);
    message_free(&c->message);
    return SMFIS_CONTINUE;
}

static sfsistat mlfi_abort(SMFICTX *ctx)
{
    struct connection *c = smfi_getpriv(ctx);

    if (c)
        message_free(&c->message);
    return SMFIS_CONTINUE;
}

static sfsistat mlfi_close(SMFICTX *ctx)
{
    mlfi_abort(ctx);
    connection_close(ctx);
    return SMFIS_CONTINUE;
}

/* Asked for in one mode only: it may take a while. */
static struct networks *networks_of(const struct config *config)
{
    return config_when_down(config) == WHEN_DOWN_WARN ? local_networks(config) : networks_new();
}

/* Events without a callback are not even sent, so that no body passes through here. */
const struct milter_program retrycap_program = {
    .name = "postern-retrycap",
    .setting = "milters.retrycap.socket",
    .socket = config_retrycap_socket,
    .local = networks_of,
    .description =
        {
            .xxfi_name = (char *)"postern-retrycap",
            .xxfi_version = SMFI_VERSION,
            .xxfi_flags = SMFIF_NONE,
            .xxfi_connect = mlfi_connect,
            .xxfi_envfrom = mlfi_envfrom,
            .xxfi_envrcpt = mlfi_envrcpt,
            .xxfi_header = mlfi_header,
            .xxfi_eom = mlfi_eom,
            .xxfi_abort = mlfi_abort,
            .xxfi_close = mlfi_close,
        },
};
