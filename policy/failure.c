#include "failure.h"

/*
 * The texts are those of Postfix 2.x to 3.12: smtp_connect.c, smtp_addr.c, dns_lookup.c and
 * smtp_tls_policy.c before there is a session (relay=none), smtp_proto.c, smtp_trouble.c and
 * smtp_sasl_*.c in one. A stranger's words come last in each, so only the beginning is compared; a
 * host's name, checked by valid_hostname() before it gets here, holds no space.
 */

static const char SUSPENDED[] = "delivery temporarily suspended: ";

/* Our own configuration or machine, whatever the enhanced status code. */
static const char *const local_texts[] = {
    "local data error while talking to ",
    "client TLS configuration problem",
    "TLS is required, but our TLS engine is unavailable",
    "REQUIRETLS policy configuration error",
    "server configuration error", /* smtp_bind_address_enforce */
    "network address conversion failed",
    "all network protocols are disabled",
    "mail transport unavailable",
    "unknown mail transport error",
    "mail for ", /* "... loops back to myself" */
};

/* What this message asks for, not whether the host can be reached. */
static const char *const message_texts[] = {
    "message requires SMTPUTF8, but ", "Sender requested REQUIRETLS, but ",
    "unexpected server message", /* before MAIL FROM was answered */
};

/* No usable session, although there was a connection. */
static const char *const open_texts[] = {
    "TLS is required, but ",          "Cannot start TLS: handshake failure",
    "Server certificate not trusted", "Server certificate not verified",
    "SASL authentication failed",     "SASL [CACHED] authentication failed",
};

/* After "lost connection with H[ip] while " and "conversation with H[ip] timed out while ". */
static const char *const open_phases[] = {
    "receiving the initial server greeting",
    "performing the initial protocol handshake", /* before Postfix 2.3 */
    "performing the EHLO handshake",             /* AUTH as well */
    "performing the HELO handshake",
    "performing the LHLO handshake",
    "receiving the STARTTLS response",
};

static bool skip(struct slice *s, const char *prefix)
{
    if (!slice_starts(*s, prefix))
        return false;
    s->at += strlen(prefix);
    s->len -= strlen(prefix);
    return true;
}

/* Steps over "host[ip]". */
static bool skip_host(struct slice *s)
{
    const char *space = memchr(s->at, ' ', s->len);

    if (space == NULL || space == s->at)
        return false;
    s->len -= (size_t)(space - s->at);
    s->at = space;
    return true;
}

static bool starts_with_any(struct slice s, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_starts(s, texts[i]))
            return true;
    return false;
}

#define STARTS_WITH_ANY(s, texts) starts_with_any((s), (texts), sizeof(texts) / sizeof((texts)[0]))

/* The connection broke or went silent; open while it had not become a usable session. */
static bool broken(struct slice text, enum failure *failure_r)
{
    bool lost = skip(&text, "lost connection with ");

    if (!lost && !skip(&text, "conversation with "))
        return false;
    if (!skip_host(&text) || !skip(&text, lost ? " while " : " timed out while "))
        return false;
    *failure_r = FAILURE_TRANSFER;
    for (size_t i = 0; i < sizeof(open_phases) / sizeof(open_phases[0]); i++)
        if (slice_equals(text, open_phases[i]))
            *failure_r = FAILURE_OPEN;
    return true;
}

/* What the host answered: to our coming at all, or to a command. */
static bool answered(struct slice text, enum failure *failure_r)
{
    if (!skip(&text, "host ") || !skip_host(&text))
        return false;
    if (slice_starts(text, " refused to talk to me: "))
        *failure_r = FAILURE_OPEN;
    else if (slice_starts(text, " said: "))
        *failure_r = FAILURE_TRANSFER;
    else
        return false;
    return true;
}

/* Recognizes the failures that Postfix words the same whether or not the line has the relay. */
static bool by_text(struct slice text, enum failure *failure_r)
{
    skip(&text,
         "Protocol error: "); /* smtp_trouble.c, before an answer that is neither 4xx nor 5xx */
    if (STARTS_WITH_ANY(text, local_texts)) {
        *failure_r = FAILURE_NONE;
        return true;
    }
    if (STARTS_WITH_ANY(text, open_texts)) {
        *failure_r = FAILURE_OPEN;
        return true;
    }
    if (STARTS_WITH_ANY(text, message_texts)) {
        *failure_r = FAILURE_TRANSFER;
        return true;
    }
    return broken(text, failure_r) || answered(text, failure_r);
}

/*
 * Without a session every failure is one to open it, unless it is ours: 4.3.0 is a failed table or
 * resolver on our side, 4.3.5 a mistake in our configuration.
 */
static enum failure without_session(struct slice dsn, struct slice text)
{
    enum failure failure;

    if (by_text(text, &failure))
        return failure;
    return slice_starts(dsn, "4.3.") ? FAILURE_NONE : FAILURE_OPEN;
}

static enum failure with_session(struct slice relay, struct slice text)
{
    enum failure failure;

    /* The service's own name: smtp(8) refused to serve the request (reject_deliver_request.c). */
    if (memchr(relay.at, '[', relay.len) == NULL)
        return FAILURE_NONE;
    return by_text(text, &failure) ? failure : FAILURE_TRANSFER;
}

/*
 * The queue manager repeats what stopped the destination (qmgr_deliver.c), and has retry, that is
 * error(8), log it. A connection lost in the middle of a message stops a destination as well; that
 * says nothing about whether it can be reached.
 */
static enum failure not_tried(const struct maillog_line *line)
{
    struct slice reason = line->text;

    if (!skip(&reason, SUSPENDED))
        return FAILURE_NONE;
    return without_session(line->dsn, reason) == FAILURE_OPEN ? FAILURE_SUSPENDED : FAILURE_NONE;
}

enum failure failure_classify(const struct maillog_line *line)
{
    if (line->kind != MAILLOG_DELIVERY || line->status != MAILLOG_DEFERRED)
        return FAILURE_NONE;
    switch (line->agent) {
    case MAILLOG_AGENT_QUEUE:
        return not_tried(line);
    case MAILLOG_AGENT_SMTP:
        if (slice_equals(line->relay, "none"))
            return without_session(line->dsn, line->text);
        return with_session(line->relay, line->text);
    case MAILLOG_AGENT_PIPE:
    case MAILLOG_AGENT_LOCAL:
        break;
    }
    return FAILURE_NONE;
}

struct slice failure_reason(const struct maillog_line *line)
{
    struct slice reason = line->text;

    if (line->agent == MAILLOG_AGENT_QUEUE)
        skip(&reason, SUSPENDED);
    return reason;
}

struct slice failure_host_of(struct slice reason)
{
    static const char *const begins[] = {"connect to ", "host ", "lost connection with ",
                                         "conversation with "};
    const char *bracket;

    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        if (!skip(&reason, begins[i]))
            continue;
        bracket = memchr(reason.at, '[', reason.len);
        if (bracket == NULL || memchr(reason.at, ' ', (size_t)(bracket - reason.at)) != NULL)
            break;
        return (struct slice){reason.at, (size_t)(bracket - reason.at)};
    }
    return (struct slice){"", 0};
}

struct slice failure_host(const struct maillog_line *line)
{
    const char *bracket = memchr(line->relay.at, '[', line->relay.len);

    if (bracket != NULL)
        return (struct slice){line->relay.at, (size_t)(bracket - line->relay.at)};
    return failure_host_of(failure_reason(line));
}
