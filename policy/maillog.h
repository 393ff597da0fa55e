/*
 * Reads one line of Postfix's mail log into its fields, without allocating.
 *
 * What stands inside to=<...>, from=<...> and behind "status=... (" is written by strangers. The
 * parser walks the line from the left, field by field, the way Postfix writes it
 * (global/log_adhoc.c), and never searches the whole line for a word. Where a line could have come
 * about in two ways it is refused: an attempt not counted does less harm than a forged one
 * believed.
 *
 * Only a program of the form TAG/AGENT (Postfix's syslog_name, "postfix/smtp",
 * "postfix/relay/smtp") is believed, so another program can only be mistaken for Postfix if it
 * chooses such a name itself; that a local user may do so with logger(1) or postlog(1) is a matter
 * for who may write to the log. Which Postfix it is, where several write one log: logtags.h.
 */
#ifndef POSTERN_MAILLOG_H
#define POSTERN_MAILLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

enum maillog_kind {
    MAILLOG_OTHER,     /* nothing for Postern */
    MAILLOG_DELIVERY,  /* QUEUEID: to=<r>, relay=..., status=... (...) */
    MAILLOG_ACTIVE,    /* qmgr: QUEUEID: from=<s>, size=n, nrcpt=n (queue active) */
    MAILLOG_REMOVED,   /* qmgr, postsuper: QUEUEID: removed */
    MAILLOG_SUBMITTED, /* pickup, qmqpd: QUEUEID is somebody's mail, none that Postfix makes */
    MAILLOG_CONTENT,   /* cleanup: QUEUEID: message-id=...: it is reading that message */
    MAILLOG_RETURNED,  /* bounce: QUEUEID: sender non-delivery notification: OTHER */
};

enum maillog_agent {
    MAILLOG_AGENT_SMTP,  /* smtp(8) or lmtp(8): it talked to a remote host, or tried to */
    MAILLOG_AGENT_PIPE,  /* pipe(8): relay= is the service's name, e.g. postern-hold */
    MAILLOG_AGENT_QUEUE, /* qmgr(8), or error(8) and its retry service: nothing was tried */
    MAILLOG_AGENT_LOCAL, /* local(8) or virtual(8) */
};

enum maillog_status {
    MAILLOG_SENT,
    MAILLOG_DEFERRED, /* also SOFTBOUNCE (soft_bounce = yes) */
    MAILLOG_BOUNCED,
};

struct logtags;

struct maillog_line {
    enum maillog_kind kind;
    int64_t time; /* ms since the epoch; see maillog_parse */
    bool coarse;  /* the stamp has no fraction: `time` is the last ms of that second, at most now */
    struct slice host; /* whose line it is; empty for an entry of the journal */
    struct slice queue_id;
    struct slice program; /* "postfix/smtp", "postfix/relay/smtp" */
    uint32_t pid;         /* of that process; 0: unknown */

    /* MAILLOG_DELIVERY */
    enum maillog_agent agent;
    enum maillog_status status;
    struct slice recipient; /* as logged, without < >; maybe in quoted form; has a domain */
    struct slice original;  /* orig_to=<..>, likewise; empty: the line has none */
    struct slice relay;     /* "none", "host[ip]:port", "host[path]", or the pipe service */
    struct slice dsn;       /* "4.4.1" */
    struct slice text;      /* between the outermost parentheses; written by strangers */
    int64_t delay;          /* ms since the message arrived */
    int64_t trying;         /* ms from the hand-off to the agent to the end: delays c + d */

    /* MAILLOG_ACTIVE */
    struct slice sender;
    uint32_t recipients; /* nrcpt= */

    /*
     * MAILLOG_RETURNED: the queue id of the report; MAILLOG_SUBMITTED: what the message was called
     * before postsuper -r, maybe empty
     */
    struct slice other;
};

/*
 * How Postfix writes an address into the log (info_log_address_format).
 *
 * EXTERNAL (the default since Postfix 3.5) puts an odd local part into quotes, so its end can be
 * told and a server's reply can imitate whatever it likes. INTERNAL (the only form before 3.5) does
 * not: then a reply that imitates the fields of a line costs that line, and so does orig_to=<..>,
 * which a recipient can forge. UNKNOWN refuses such replies too, and believes orig_to=<..> when
 * both addresses look external.
 */
enum maillog_quoting {
    MAILLOG_QUOTING_UNKNOWN,
    MAILLOG_QUOTING_EXTERNAL,
    MAILLOG_QUOTING_INTERNAL,
};

/* All zero is a good start. One per reader; not thread-safe: it remembers the last minute it saw.
 */
struct maillog_reader {
    enum maillog_quoting quoting;
    struct logtags *tags; /* lines of other instances do not matter; NULL: of any. Not its own */
    char prefix[12];      /* "Nov 23 08:00" */
    int64_t base;         /* that minute, ms since the epoch */
    int64_t until; /* from this `now` on another year (or the other side of a clock change) fits */
};

/*
 * Parses `len` bytes without the newline (a NUL is a byte like others). Returns true when the line
 * is one of Postfix's that matters here; line_r then points into `bytes`. `now` (ms) gives
 * traditional stamps, which are in local time, their year (never more than a day ahead of now) and
 * bounds coarse ones: never later than now, unless their whole second is.
 */
bool maillog_parse(struct maillog_reader *reader, const char *bytes, size_t len, int64_t now,
                   struct maillog_line *line_r);

/* The same for a journal entry, whose program name ("postfix/smtp") and time come apart. */
bool maillog_parse_entry(const struct maillog_reader *reader, struct slice program,
                         struct slice message, int64_t time, struct maillog_line *line_r);

#endif
