/*
 * Between the files of the classifier and the table made from it only.
 */
#ifndef POSTERN_CLASSIFY_PARTS_H
#define POSTERN_CLASSIFY_PARTS_H

#include <regex.h>

#include "classify.h"

/* One row of the table of patterns (classify_table.c); the notation is that of classify_pattern.h.
 */
struct classify_row {
    enum reply_kind kind;
    const char *pattern;
    const char *source; /* who says so */
};

/* The rows, one after the other; NULL past the last. */
const struct classify_row *classify_row_at(size_t index);

/* A rule as it is asked: an expression for the whole text, without '^' before it. */
struct classify_rule {
    enum reply_kind kind;
    const char *source;
    char *expression;
    regex_t compiled; /* of '^' and the expression, as Postfix's regexp: tables compile it */
};

/* The rules, in the order in which they are asked; NULL past the last. */
const struct classify_rule *classifier_rule_at(const struct classifier *classifier, size_t index);

/*
 * The number of recipients that a server's words name as its limit, or 0. `words` has neither
 * Postfix's words nor more than CLASSIFY_TEXT_MAX bytes.
 */
struct classify_limits;
struct classify_limits *classify_limits_new(void);
void classify_limits_free(struct classify_limits **limits);
uint32_t classify_limit(const struct classify_limits *limits, struct slice words);

#endif
