/*
 * What the door saw of a message (postern-earlyndr), and posternd needs to return it: the envelope
 * with its DSN parameters (RFC 3461), and the lines of its header.
 *
 * It travels as JSON from the milter to posternd, and rests as such in the state. All of it was
 * written by strangers: nothing in it is believed but as what it is, and everything has a bound.
 * A struct envelope owns its strings. Not thread-safe; different ones are independent.
 */
#ifndef POSTERN_ENVELOPE_H
#define POSTERN_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "slice.h"

enum {
    ENVELOPE_RECIPIENTS_MAX = 10000,
    ENVELOPE_QUEUE_ID_MAX = 64,
    ENVELOPE_ADDRESS_MAX = 1000,     /* longer ones make the envelope unfit */
    ENVELOPE_PARAMETER_MAX = 500,    /* of RFC 3461 for ORCPT; ENVID may be longer than its 100 */
    ENVELOPE_HEADER_MAX = 64 * 1024, /* what comes behind is left out, in whole lines */
    ENVELOPE_BODY_MAX = 50000,       /* bounce_size_limit: a longer body is left out */
};

/* RFC 3461 section 4.1. 0: no NOTIFY was given. */
enum envelope_notify {
    ENVELOPE_NEVER = 1,
    ENVELOPE_SUCCESS = 2,
    ENVELOPE_FAILURE = 4,
    ENVELOPE_DELAY = 8,
};

/* RFC 3461 section 4.3 */
enum envelope_return { ENVELOPE_RETURN_UNSET, ENVELOPE_RETURN_HEADERS, ENVELOPE_RETURN_FULL };

struct envelope_recipient {
    char *address;   /* without < >, maybe with a quoted local part */
    char *original;  /* of ORCPT, decoded from xtext: "rfc822;a@b"; NULL: none */
    unsigned notify; /* enum envelope_notify */
};

struct envelope {
    char *queue_id; /* "": not known yet */
    char *sender;   /* without < >; "" for the null sender */
    char *id;       /* of ENVID, decoded from xtext; NULL: none */
    enum envelope_return wanted;
    bool utf8;       /* SMTPUTF8 was given (RFC 6531) */
    int64_t arrived; /* ms since the epoch */
    struct envelope_recipient *recipients;
    size_t count, room;
    char *header; /* lines that end in LF; "" for none */
    size_t header_len;
    char *body; /* lines that end in LF; NULL: not kept */
    size_t body_len;
    bool header_cut; /* something was left out, and so will be what comes behind it */
    bool body_cut;   /* the body is of no use, and left out */
};

/*
 * A new one from MAIL's arguments as libmilter gives them: the address, then parameters. NULL: no
 * memory, or an address that is too long or not made of printable UTF-8: a report must not go to
 * another one. Parameters that are malformed are ignored.
 */
struct envelope *envelope_new(char *const *mail, int64_t now);
void envelope_free(struct envelope **envelope);

/* False: it is none, or there is no memory. */
bool envelope_set_queue_id(struct envelope *envelope, const char *queue_id);

/*
 * Adds a recipient from RCPT's arguments. False: it cannot be kept (see above), or its NOTIFY is
 * not understood, so that nobody knows whether a report is wanted: the envelope is of no use.
 */
bool envelope_add_recipient(struct envelope *envelope, char *const *rcpt);
/* Takes the last one out again. */
void envelope_drop_recipient(struct envelope *envelope);

/* Adds a line of the header, folded ones with LF inside; too much is left out. False: no memory. */
bool envelope_add_header(struct envelope *envelope, const char *name, const char *value);

/* Adds a piece of the body, with LF or CRLF; one that is too long, or holds NULs, is left out as a
 * whole. False: no memory; it is left out too. */
bool envelope_add_body(struct envelope *envelope, const char *bytes, size_t len);

/* The recipient of that address (as logged by Postfix, without < >), or NULL. */
const struct envelope_recipient *envelope_find(const struct envelope *envelope,
                                               struct slice address);

/*
 * Whether a machine or a list sent it, by the lines of its header: nobody reads what is sent back,
 * or all of a list do. One whose header was cut counts as such, since what was left out may say
 * so.
 */
bool envelope_is_automatic(const struct envelope *envelope);

/* A new reference; NULL: no memory. Bytes that are no UTF-8 become '?'. */
json_t *envelope_to_json(const struct envelope *envelope);
/* NULL: not what envelope_to_json() makes, or beyond the bounds. */
struct envelope *envelope_from_json(const json_t *json);

#endif
