/* The parts that a replay's report is made of. Each returns the caller's own reference. */
#ifndef POSTERN_REPLAY_JSON_H
#define POSTERN_REPLAY_JSON_H

#include <jansson.h>

#include "replay_parts.h"

json_t *replay_json_when(int64_t ms); /* null for 0 */
json_t *replay_json_seconds(int64_t ms);
json_t *replay_json_number(uint64_t n);
/* Strangers' text, which is not always UTF-8. */
json_t *replay_json_text(struct slice s);
json_t *replay_json_tally(const struct replay_tally *tally);
json_t *replay_json_samples(const struct replay_samples *samples);

/*
 * replay_limited.c: destinations that refused recipients as too many, those with most wrong bounces
 * first; and how many destinations there were at all.
 */
json_t *replay_limited(const struct replay_study *study, size_t *destinations_r);

/* replay_incidents.c: puts "outages" and "incidents" into the report. */
void replay_incidents(const struct replay_study *study, json_t *report);

#endif
