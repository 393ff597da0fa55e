/*
 * Tells replies about the number of recipients in one transaction from those that only look alike
 * (DESIGN 3.3, RFC 5321 section 4.5.3.1.10).
 *
 * It is asked with the reason as Postfix logs it: "host mx[192.0.2.1] said: 552 5.5.3 Too many
 * recipients (in reply to RCPT TO command)". Only what stands between Postfix's own words is the
 * server's. What stands in <...>, and any word with an '@' in it, is taken for an address, which
 * the sender chose: it never decides. The same expressions, in the same order, make the table that
 * Postfix reads (status_filter.h), so both always agree.
 *
 * A classifier is read-only once made and may be shared by threads. Like Postfix's regexp: tables
 * it expects the C locale.
 */
#ifndef POSTERN_CLASSIFY_H
#define POSTERN_CLASSIFY_H

#include <stdint.h>

#include "config.h"
#include "slice.h"

enum reply_kind {
    CLASSIFY_OTHER, /* not a limit, or in doubt: leave it exactly as it is */
    CLASSIFY_SPLIT, /* a limit per transaction: send the rest in another one, now */
    CLASSIFY_WAIT,  /* a limit per time, or for us as a sender: back off, learn nothing */
};

enum reply_phase {
    REPLY_PHASE_OTHER,
    REPLY_PHASE_RCPT,
    REPLY_PHASE_DATA,
    REPLY_PHASE_END_OF_DATA,
};

/* What Postfix says of a failed command, and in it the server's words: "552 5.5.3 Too many ..." */
struct reply_parts {
    struct slice words;
    enum reply_phase phase;
    bool permanent; /* the reply's code is 5xx, whatever its enhanced code says */
};

/* False when smtp(8) made the text of something else, or it is too long or has a NUL in it. */
bool reply_parse(struct slice text, struct reply_parts *reply_r);

/* Texts longer than this are CLASSIFY_OTHER: cut, they might lose the words that matter. */
enum { CLASSIFY_TEXT_MAX = 1200 };

struct classify_info {
    enum reply_kind kind;
    enum reply_phase phase;
    bool permanent; /* the reply's code is 5xx, whatever its enhanced code says */
    uint32_t limit; /* of CLASSIFY_SPLIT: the recipients per transaction it names; 0: none */
    const char
        *source; /* of the rule that decided; "" when none fitted. Lives with the classifier */
};

struct classifier;

/*
 * The built-in rules and `patterns`, which make replies CLASSIFY_SPLIT that no rule takes for
 * something else. NULL, with a line in error_r: a pattern is no good, or there is no memory.
 */
struct classifier *classifier_new(const char *const *patterns, size_t count, char *error_r,
                                  size_t size);
/* With recipient_limits.patterns. */
struct classifier *classifier_of_config(const struct config *config, char *error_r, size_t size);
void classifier_free(struct classifier **classifier);

/* Never fails: what is not understood is CLASSIFY_OTHER. info_r may be NULL. */
enum reply_kind classify_reply(const struct classifier *classifier, struct slice text,
                               struct classify_info *info_r);

/* "split", "wait", "other"; "RCPT TO", "DATA", "end of DATA", "other". */
const char *reply_kind_name(enum reply_kind kind);
const char *reply_phase_name(enum reply_phase phase);

#endif
