/*
 * What the text and the page say alike. Each fills `size` bytes and returns them. Thread-safe.
 */
#ifndef POSTERN_REPLAY_WORDS_H
#define POSTERN_REPLAY_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum { REPLAY_WORDS = 600 };

/* "2026-11-23 08:00", in the local time zone; "-" for 0. */
const char *replay_minute_words(char *buffer, size_t size, int64_t ms);

/* What became of an outage and its mail; "" when there is nothing to tell. */
const char *replay_outage_words(char *buffer, size_t size, const json_t *outage);

/* One sentence or more for each section. */
const char *replay_summary_words(char *buffer, size_t size, const json_t *report);
const char *replay_ndr_words(char *buffer, size_t size, const json_t *report);
const char *replay_vain_words(char *buffer, size_t size, const json_t *report);
const char *replay_limit_words(char *buffer, size_t size, const json_t *report);
const char *replay_early_words(char *buffer, size_t size, const json_t *report);
const char *replay_held_words(char *buffer, size_t size, const json_t *report);
const char *replay_lag_words(char *buffer, size_t size, const json_t *report);

/* The sections, in order; the titles end both reports' headings. */
struct replay_section {
    const char *title;
    const char *(*words)(char *buffer, size_t size, const json_t *report);
    const char *group; /* of the samples and the tally, in the report; NULL: none */
    const char *tally;
    const char *samples;
    const char *caption; /* of the histogram */
};
extern const struct replay_section replay_sections[];
extern const size_t replay_section_count;

/* The tally of a section; NULL: it has none, or nothing is in it. */
const json_t *replay_section_tally(const struct replay_section *section, const json_t *report);

/* True when this outage is of a destination that the log never shows to be reached. */
bool replay_never_reached(const json_t *outage);

/* "10 s to 1 min", of a tally's step. */
const char *replay_step_words(char *buffer, size_t size, const json_t *steps, size_t nth);

#endif
