/*
 * Reads one line of Postfix's mail log into its fields, without allocating.
 *
 * What stands inside to=<...>, from=<...> and behind "status=... (" is written by strangers. The
 * parser walks the line from the left, field by field, the way Postfix writes it (global/log_adhoc.c),
 * and never searches the whole line for a word, so nothing in those places is taken for a field.
 */
#ifndef POSTERN_MAILLOG_H
#define POSTERN_MAILLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

enum maillog_kind {
    MAILLOG_OTHER,    /* nothing for Postern */
    MAILLOG_DELIVERY, /* QUEUEID: to=<r>, relay=..., status=... (...) */
    MAILLOG_ACTIVE,   /* qmgr: QUEUEID: from=<s>, size=n, nrcpt=n (queue active) */
    MAILLOG_REMOVED,  /* qmgr, postsuper, cleanup: QUEUEID: removed */
};

enum maillog_agent {
    MAILLOG_AGENT_SMTP,  /* smtp(8) or lmtp(8): it talked to a remote host, or tried to */
    MAILLOG_AGENT_PIPE,  /* pipe(8): relay= is the service's name, e.g. postern-hold */
    MAILLOG_AGENT_QUEUE, /* qmgr(8), or error(8) and its retry service: nothing was tried */
};

enum maillog_status {
    MAILLOG_SENT,
    MAILLOG_DEFERRED, /* also SOFTBOUNCE (soft_bounce = yes) */
    MAILLOG_BOUNCED,
};

struct maillog_line {
    enum maillog_kind kind;
    int64_t time;    /* ms since the epoch; see maillog_parse */
    bool coarse;     /* the stamp has no fraction: `time` is the last ms of that second, at most now */
    struct slice queue_id;

    /* MAILLOG_DELIVERY */
    enum maillog_agent agent;
    enum maillog_status status;
    struct slice recipient; /* as logged, without < >; may be in quoted form */
    struct slice relay;     /* "none", "host[ip]:port", or the pipe service */
    struct slice dsn;       /* "4.4.1" */
    struct slice text;      /* between the outermost parentheses; written by strangers */
    int64_t delay;          /* ms since the message arrived */
    int64_t trying;         /* ms from the hand-off to the agent to the end: delays c + d */

    /* MAILLOG_ACTIVE */
    struct slice sender;
    uint32_t recipients; /* nrcpt= */
};

/* Remembers the last minute of local time it converted. One per reader; not thread-safe. */
struct maillog_clock {
    char prefix[16];
    int64_t base;
};

/*
 * Parses `len` bytes without the newline (a NUL is a byte like others). Returns true when the line is
 * one of Postfix's that matters here; line_r then points into `bytes`. `now` (ms) gives traditional
 * stamps their year (never more than a day ahead of now) and bounds coarse ones.
 */
bool maillog_parse(struct maillog_clock *clock, const char *bytes, size_t len, int64_t now,
                   struct maillog_line *line_r);

/* The same for a journal entry, whose program name ("postfix/smtp") and time come apart. */
bool maillog_parse_entry(struct slice program, struct slice message, int64_t time,
                         struct maillog_line *line_r);

#endif
