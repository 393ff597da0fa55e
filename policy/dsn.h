/*
 * Composes delivery status notifications: RFC 3464 in the form of RFC 6522 (multipart/report), and
 * RFC 6533 where an address or the message needs UTF-8. Pure and thread-safe.
 *
 * Everything about the message and in the replies was written by strangers: control characters and
 * line breaks in fields become blanks or '?', and no text can end its part early.
 */
#ifndef POSTERN_DSN_H
#define POSTERN_DSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

enum dsn_action { DSN_FAILED, DSN_DELAYED };

struct dsn_recipient {
    const char *address;    /* Final-Recipient, without < > */
    const char *original;   /* Original-Recipient, "rfc822;a@b"; NULL: none */
    const char *expanded;   /* the address that an alias of ours expanded to this one; NULL: none */
    const char *status;     /* "5.1.1" */
    const char *remote_mta; /* the host that said it; NULL: none did */
    const char *diagnostic; /* its reply ("550 5.1.1 ..."), or NULL with remote_mta == NULL */
    const char *reason;     /* for people, one paragraph; as Postfix logs it */
    int64_t last_attempt;   /* ms since the epoch; 0: not said */
    int64_t retry_until;    /* DSN_DELAYED: Will-Retry-Until; 0: not said */
};

struct dsn_report {
    enum dsn_action action;
    const char *host;     /* Reporting-MTA: myhostname */
    const char *to;       /* the envelope sender of the message */
    const char *id;       /* Original-Envelope-Id; NULL: none */
    const char *queue_id; /* of the message */
    int64_t arrived;      /* ms since the epoch; 0: not said */
    int64_t now;
    uint64_t nonce;      /* makes the MIME boundary one that no text holds */
    bool utf8;           /* the message was sent with SMTPUTF8 */
    const char *summary; /* DSN_FAILED: NULL or a further paragraph for people; DSN_DELAYED: what
                            happens next */
    const struct dsn_recipient *recipients;
    size_t count;
    struct slice header; /* of the message, lines ending in LF */
    struct slice body;   /* at == NULL: only the header is returned */
};

/*
 * The whole message, header first, lines ending in LF; free() it. NULL: no memory. `From:` is
 * MAILER-DAEMON at the host; there are "Auto-Submitted: auto-replied" (RFC 3834), References and
 * In-Reply-To when the header has a Message-ID. Message-ID and Date are left to cleanup(8).
 */
char *dsn_compose(const struct dsn_report *report, size_t *len_r);

#endif
