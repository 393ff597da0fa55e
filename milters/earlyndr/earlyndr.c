/*
 * What Postfix tells a milter of a message, and what follows from it:
 *
 * - At smtpd(8) there is no queue file before the first recipient, so the macro "i" is not set at
 *   MAIL (smtpd/smtpd_milter.c). For other mail cleanup(8) plays smtpd when the queue file is there
 *   (cleanup/cleanup_milter.c, cleanup_milter_emul_mail()): then "i" is set. That is how the two
 *   are told apart.
 * - Of other mail no recipient may be refused: cleanup(8) would keep the message and try again for
 *   ever ("can't reject recipient in non-smtpd(8) submission").
 * - Of other mail no DSN parameters are told (sendmail -N, -R, -V).
 * - smtpd(8) keeps what sits behind the first recipient that was refused; a recipient is taken out
 *   at the end of the message only.
 */
#include "earlyndr.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "clock.h"
#include "connection.h"
#include "door.h"
#include "local.h"
#include "log.h"
#include "outbox.h"
#include "parts.h"

/* One recipient that is to be taken out at the end of the message. */
struct drop {
    char *address; /* as the client gave it, with < > */
    char *bare;    /* the envelope's, without */
};

struct message {
    struct envelope *envelope; /* NULL: the null sender's, or not to be kept */
    bool outside;              /* smtpd(8): a client is there and can be answered */
    bool may_drop;             /* mode = "ndr", and the sender may be told: no backscatter */
    bool expands;              /* an alias may make more of a single recipient */
    bool said;                 /* that a recipient would be refused */
    size_t accepted;
    struct drop *drops;
    size_t drop_count;
    char refusal[DOOR_TEXT_MAX]; /* of the first one to be dropped */
    bool may_be_report;
    struct postfix_report report;
};

/* Whether the MTA lets us skip the rest of a body: the same for all connections. */
static atomic_bool can_skip;

/* Messages */

static void message_free(struct message **message)
{
    struct message *m = *message;

    if (m == NULL)
        return;
    for (size_t i = 0; i < m->drop_count; i++) {
        free(m->drops[i].address);
        free(m->drops[i].bare);
    }
    free(m->drops);
    envelope_free(&m->envelope);
    report_free(&m->report);
    free(m);
    *message = NULL;
}

static bool is_null(const char *sender)
{
    return sender[0] == '\0' || strcmp(sender, "<>") == 0;
}

static struct message *message_new(const struct connection *c, SMFICTX *ctx, char **argv)
{
    struct message *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return NULL;
    m->outside = connection_macro(ctx, "i")[0] == '\0';
    if (is_null(argv[0])) {
        m->may_be_report = !m->outside;
    } else {
        m->envelope = envelope_new(argv, clock_now());
        m->may_drop =
            m->envelope && config_early_mode(confref_config(c->conf)) == EARLY_NDR &&
            (!m->outside || c->local || connection_macro(ctx, "{auth_authen}")[0] != '\0');
    }
    return m;
}

/* Connections */

static sfsistat mlfi_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
                               unsigned long f3, unsigned long *pf0, unsigned long *pf1,
                               unsigned long *pf2, unsigned long *pf3)
{
    (void)ctx;
    (void)f2;
    (void)f3;
    *pf0 = f0 & (SMFIF_DELRCPT | SMFIF_CHGBODY);
    *pf1 = f1 & (SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_NOEOH | SMFIP_SKIP);
    *pf2 = 0;
    *pf3 = 0;
    can_skip = (f1 & SMFIP_SKIP) != 0;
    return SMFIS_CONTINUE;
}

static bool is_wanted(const struct config *config)
{
    return config_early_mode(config) != EARLY_OFF;
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

/* It stays until the end of the message. False: no memory. */
static bool add_drop(struct message *m, const char *address)
{
    struct drop *drops = realloc(m->drops, (m->drop_count + 1) * sizeof(*drops));
    struct drop *drop;

    if (drops == NULL)
        return false;
    m->drops = drops;
    drop = &drops[m->drop_count];
    drop->address = strdup(address);
    drop->bare = strdup(m->envelope->recipients[m->envelope->count - 1].address);
    if (drop->address && drop->bare) {
        m->drop_count++;
        return true;
    }
    free(drop->address);
    free(drop->bare);
    return false;
}

static void note_recipient(struct message *m, SMFICTX *ctx, char **argv)
{
    const char *mailer = connection_macro(ctx, "{rcpt_mailer}");

    if (m->accepted++ == 0 && m->envelope)
        m->envelope->arrived = clock_now(); /* as Postfix counts: when the queue file was made */
    if (!m->outside || strcmp(mailer, "local") == 0 || strcmp(mailer, "virtual") == 0 ||
        strcmp(mailer, "error") == 0)
        m->expands = true;
    if (m->envelope && !envelope_add_recipient(m->envelope, argv)) {
        envelope_free(&m->envelope);
        m->may_drop = false;
    }
}

static sfsistat refuse(SMFICTX *ctx, const char *text)
{
    if (smfi_setreply(ctx, (char *)(uintptr_t) "550", (char *)(uintptr_t) "5.1.1",
                      (char *)(uintptr_t)text) != MI_SUCCESS)
        return SMFIS_CONTINUE;
    return SMFIS_REJECT;
}

static void say_observed(struct message *m, SMFICTX *ctx, const char *recipient,
                         const struct bad_record *bad)
{
    char text[DOORWAY_TEXT_MAX];

    doorway_bad_text(bad, slice_of(recipient), text);
    if (!m->said)
        log_info("%s: would-refuse to=%s and maybe others: 550 5.1.1 %s",
                 connection_macro(ctx, "i")[0] ? connection_macro(ctx, "i") : "NOQUEUE", recipient,
                 text);
    m->said = true;
}

/* A recipient that is known to be bad. */
static sfsistat bad_recipient(SMFICTX *ctx, const struct connection *c, char **argv,
                              const struct bad_record *bad)
{
    struct message *m = c->message;
    char text[DOOR_TEXT_MAX];

    door_text(bad, slice_of(argv[0]), text);
    if (!config_enforce(confref_config(c->conf))) {
        say_observed(m, ctx, argv[0], bad);
        note_recipient(m, ctx, argv);
        return SMFIS_CONTINUE;
    }
    if (!m->may_drop && m->outside)
        return refuse(ctx, text);
    note_recipient(m, ctx, argv);
    /* Who wants no report gets none, and Postfix sees to that. */
    if (m->may_drop &&
        early_wanted(m->envelope, &m->envelope->recipients[m->envelope->count - 1]) &&
        add_drop(m, argv[0]) && m->drop_count == 1)
        memcpy(m->refusal, text, sizeof(text));
    return SMFIS_CONTINUE;
}

static sfsistat mlfi_envrcpt(SMFICTX *ctx, char **argv)
{
    struct connection *c = smfi_getpriv(ctx);
    struct bad_record bad;

    if (c == NULL || c->message == NULL)
        return SMFIS_CONTINUE;
    /* What Postfix itself sends back must arrive. */
    if (!c->message->may_be_report &&
        door_ask(confref_config(c->conf), slice_of(argv[0]), &bad) == DOOR_REFUSE)
        return bad_recipient(ctx, c, argv, &bad);
    note_recipient(c->message, ctx, argv);
    return SMFIS_CONTINUE;
}

/* Content */

static sfsistat mlfi_header(SMFICTX *ctx, char *name, char *value)
{
    struct connection *c = smfi_getpriv(ctx);

    if (c == NULL || c->message == NULL)
        return SMFIS_CONTINUE;
    if (c->message->may_be_report)
        report_header(&c->message->report, name, value);
    if (c->message->envelope && !envelope_add_header(c->message->envelope, name, value))
        envelope_free(&c->message->envelope);
    return SMFIS_CONTINUE;
}

/* Only reports are read, and messages whose sender wants all of them back. */
static sfsistat mlfi_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
    struct connection *c = smfi_getpriv(ctx);
    struct message *m = c ? c->message : NULL;
    bool more = false;

    if (m && m->may_be_report)
        more = report_body(&m->report, (const char *)bytes, len);
    else if (m && m->envelope && m->envelope->wanted == ENVELOPE_RETURN_FULL)
        more = envelope_add_body(m->envelope, (const char *)bytes, len) && !m->envelope->body_cut;
    return more || !can_skip ? SMFIS_CONTINUE : SMFIS_SKIP;
}

/* The end */

/* Has posternd tell the sender, at once; only then they may be dropped. */
static bool report_drops(const struct config *config, const struct message *m)
{
    json_t *list = json_array();
    json_t *question;
    json_t *answer = NULL;
    char error[512];
    bool done;

    for (size_t i = 0; i < m->drop_count; i++)
        json_array_append_new(list, json_string(m->drops[i].bare));
    question =
        json_pack("{s:o, s:o}", "envelope", envelope_to_json(m->envelope), "recipients", list);
    if (question)
        answer =
            ask_json(config_runtime_directory(config), "report", question, error, sizeof(error));
    done = json_is_true(json_object_get(answer, "done"));
    json_decref(question);
    json_decref(answer);
    return done;
}

static void drop_recipients(SMFICTX *ctx, const struct config *config, const struct message *m)
{
    if (!report_drops(config, m))
        return; /* Postfix tries them, and returns what the other server says */
    for (size_t i = 0; i < m->drop_count; i++) {
        if (smfi_delrcpt(ctx, m->drops[i].address) == MI_SUCCESS)
            log_info("%s: drop to=<%s> sender=<%s>: known to be bad, and reported",
                     m->envelope->queue_id, m->drops[i].bare, m->envelope->sender);
    }
}

/* A single recipient that is delivered as it is needs no early report: Postfix's is no later. */
static bool is_worth_telling(const struct config *config, const struct message *m)
{
    return config_warns(config) || m->accepted - m->drop_count >= 2 || m->expands;
}

static sfsistat end_of_mail(SMFICTX *ctx, const struct config *config, struct message *m)
{
    if (m->envelope == NULL || !envelope_set_queue_id(m->envelope, connection_macro(ctx, "i")))
        return SMFIS_CONTINUE;
    if (m->drop_count > 0 && m->drop_count == m->accepted)
        return refuse(ctx, m->refusal);
    if (m->drop_count > 0)
        drop_recipients(ctx, config, m);
    if (is_worth_telling(config, m))
        outbox_envelope(config_runtime_directory(config), m->envelope);
    return SMFIS_CONTINUE;
}

static sfsistat mlfi_eom(SMFICTX *ctx)
{
    struct connection *c = smfi_getpriv(ctx);
    sfsistat status = SMFIS_CONTINUE;
    const struct config *config;

    if (c == NULL || c->message == NULL)
        return status;
    config = confref_config(c->conf);
    if (c->message->may_be_report && config_enforce(config))
        status = report_end(ctx, config, &c->message->report, connection_macro(ctx, "i"));
    else
        status = end_of_mail(ctx, config, c->message);
    message_free(&c->message);
    return status;
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
    return config_early_mode(config) == EARLY_NDR ? local_networks(config) : networks_new();
}

const struct milter_program earlyndr_program = {
    .name = "postern-earlyndr",
    .setting = "milters.earlyndr.socket",
    .socket = config_earlyndr_socket,
    .local = networks_of,
    .description =
        {
            .xxfi_name = (char *)"postern-earlyndr",
            .xxfi_version = SMFI_VERSION,
            .xxfi_flags = SMFIF_DELRCPT | SMFIF_CHGBODY,
            .xxfi_connect = mlfi_connect,
            .xxfi_envfrom = mlfi_envfrom,
            .xxfi_envrcpt = mlfi_envrcpt,
            .xxfi_header = mlfi_header,
            .xxfi_body = mlfi_body,
            .xxfi_eom = mlfi_eom,
            .xxfi_abort = mlfi_abort,
            .xxfi_close = mlfi_close,
            .xxfi_negotiate = mlfi_negotiate,
        },
};
