/*
 * How one scripted SMTP host behaves: a line of smtphost's script.
 *
 *   ADDRESS WORD...      '#' begins a comment; "..." makes several words one
 *
 *   accept               take every message (what a host does anyway)
 *   refuse               do not listen on this address
 *   silent               accept the connection and say nothing
 *   delay SECONDS        before the greeting
 *   tarpit SECONDS       before every later reply
 *   reply STAGE TEXT     answer so at this stage; 421 also closes the connection
 *   drop STAGE           close the connection at this stage, without an answer
 *   rcpt PATTERN TEXT    answer so at RCPT for addresses that match (fnmatch)
 *   most STAGE N TEXT    rcpt: take N recipients a transaction, answer so to the rest
 *                        data, dot: answer so when the transaction has more than N
 *
 * STAGE: connect (the greeting), ehlo (or HELO), mail, rcpt, data, dot (the end of the data).
 */
#ifndef E2E_BEHAVIOUR_H
#define E2E_BEHAVIOUR_H

#include <stdbool.h>
#include <stddef.h>

enum stage {
    STAGE_CONNECT,
    STAGE_EHLO,
    STAGE_MAIL,
    STAGE_RCPT,
    STAGE_DATA,
    STAGE_DOT,
    STAGE_COUNT,
};

struct rcpt_rule {
    char *pattern;
    char *text;
};

struct behaviour {
    char *address;
    bool refuse;
    bool silent;
    unsigned delay;  /* ms */
    unsigned tarpit; /* ms */
    struct rcpt_rule *rules;
    size_t rule_count;
    struct {
        char *reply; /* NULL: the ordinary answer */
        bool drop;
        unsigned most;
        char *most_text; /* NULL: no limit */
    } at[STAGE_COUNT];
};

/* Free with script_free(). */
struct script {
    struct behaviour *hosts;
    size_t count;
};

/* Reads a whole script. On a mistake: NULL, and "FILE:LINE: what is wrong" in error_r. */
struct script *script_load(const char *path, char *error_r, size_t size);
void script_free(struct script **script);

/* The host with this address, or NULL. */
const struct behaviour *script_find(const struct script *script, const char *address);

/* What to answer to this recipient when `taken` were accepted before it; NULL: accept it. */
const char *behaviour_rcpt(const struct behaviour *host, const char *recipient, unsigned taken);

/* What to answer at any other stage when `taken` recipients were accepted; NULL: accept. */
const char *behaviour_reply(const struct behaviour *host, enum stage stage, unsigned taken);

#endif
