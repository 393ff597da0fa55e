/*
 * A small reader of regexp: tables as regexp_table(5) describes them, apart from Postfix and from
 * the code that makes them: rules, if, if !, endif, options left out, and $1 in results.
 */
#ifndef POSTERN_TABLE_EVAL_H
#define POSTERN_TABLE_EVAL_H

#include <stdbool.h>
#include <stddef.h>

struct table_eval;

/* Fails the test at anything that it does not understand. */
struct table_eval *table_eval_new(const char *text);
void table_eval_free(struct table_eval **table);

/* False when the table has no answer. */
bool table_eval(const struct table_eval *table, const char *key, char *result_r, size_t size);

#endif
