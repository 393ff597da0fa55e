/* What show*.c share: reading the report's objects, and the sentences that several reports have. */
#ifndef POSTERN_SHOW_PARTS_H
#define POSTERN_SHOW_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "say.h"
#include "show.h"

/* 0 for null, and for what is not there */
int64_t show_ms(const json_t *object, const char *key);
long long show_number(const json_t *object, const char *key);
bool show_truth(const json_t *object, const char *key);
/* "" for null, and for what is not there */
const char *show_string(const json_t *object, const char *key);
/* "" or "s" */
const char *show_plural(long long n);
/* "in 4 min", "now"; fills SAY_MAX bytes and returns them */
const char *show_until(char *buffer, int64_t at, int64_t now);

/* The first line of every report, when posternd does not act. */
void show_banner(FILE *out, const json_t *report);

/* Words on lines of at most `width`, each indented. A longer word has a line of its own. */
void show_wrapped(FILE *out, const char *text, int width);

/* Parts of other reports (show_early.c). */
void show_early_status(FILE *out, const json_t *early);
void show_bounced(FILE *out, const json_t *report);

#endif
