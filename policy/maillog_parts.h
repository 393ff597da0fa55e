/*
 * Between the files of the mail log parser only: a cursor, the time stamp, the delivery line.
 */
#ifndef POSTERN_MAILLOG_PARTS_H
#define POSTERN_MAILLOG_PARTS_H

#include "maillog.h"

/* What is left to read. */
struct cursor {
    const char *at;
    const char *end;
};

static inline size_t cursor_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* Steps over a word; false, without a step, when something else is there. */
static inline bool cursor_word(struct cursor *c, const char *word, size_t len)
{
    if (cursor_left(c) < len || memcmp(c->at, word, len) != 0)
        return false;
    c->at += len;
    return true;
}

/* For a string literal. */
#define CURSOR_WORD(c, literal) cursor_word((c), (literal), sizeof(literal) - 1)

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One to `max` decimal digits; max is at most 18, so that no value overflows. */
static inline bool cursor_digits(struct cursor *c, int max, int64_t *value_r)
{
    int64_t value = 0;
    int n = 0;

    while (n < max && c->at < c->end && is_digit(*c->at)) {
        value = value * 10 + (*c->at++ - '0');
        n++;
    }
    *value_r = value;
    return n > 0;
}

/* Reads the stamp and the space behind it. */
bool maillog_stamp(struct maillog_reader *reader, struct cursor *c, int64_t now,
                   struct maillog_line *line_r);

/*
 * Reads what follows "QUEUEID: to=<" into the delivery fields of line_r, where `agent` is set.
 * `whole` is the length of the line in the log, 0 if unknown: a long one may have been cut.
 */
bool maillog_delivery(enum maillog_quoting quoting, struct cursor c, size_t whole,
                      struct maillog_line *line_r);

/* Messages this long may have been cut by Postfix or by a syslog daemon on the way. */
bool maillog_may_be_cut(size_t message_len);

#endif
