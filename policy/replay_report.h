/*
 * A study as JSON, which is also what the text and the page are made of. Times are seconds since
 * the epoch, durations seconds; null where there is none.
 */
#ifndef POSTERN_REPLAY_REPORT_H
#define POSTERN_REPLAY_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "replay_study.h"

/* After replay_study_end. The caller's own reference. */
json_t *replay_report(const struct replay_study *study);

/* For people, on lines of `width` columns. */
void replay_show(FILE *out, int width, const json_t *report);

/* One HTML page that needs nothing else. */
void replay_html(FILE *out, const json_t *report);

/* Sentences that tell how the estimates were made, for this report; in its "notes". */
void replay_notes(json_t *report);

#endif
