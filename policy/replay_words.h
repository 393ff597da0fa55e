/*
 * What the text and the page say alike. Each fills `size` bytes and returns them. Thread-safe.
 */
#ifndef POSTERN_REPLAY_WORDS_H
#define POSTERN_REPLAY_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum { REPLAY_WORDS = 1000 };

/* Puts more behind what is in the buffer; what does not fit is cut. */
void replay_add_words(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "2026-11-23 08:00", in the local time zone; "-" for 0. */
const char *replay_minute_words(char *buffer, size_t size, int64_t ms);

/* replay_row_words.c: what became of an incident (or a row, replay_rows.h) and its mail; "": there
 * is nothing to tell.
 */
const char *replay_outage_words(char *buffer, size_t size, const json_t *outage);
/* Its destinations, the first `most` of them; "" when there is only one. */
const char *replay_names_words(char *buffer, size_t size, const json_t *row, size_t most);

/* One sentence or more for each section. */
const char *replay_summary_words(char *buffer, size_t size, const json_t *report);
const char *replay_ndr_words(char *buffer, size_t size, const json_t *report);
const char *replay_vain_words(char *buffer, size_t size, const json_t *report);
const char *replay_limit_words(char *buffer, size_t size, const json_t *report);
const char *replay_early_words(char *buffer, size_t size, const json_t *report);
const char *replay_door_words(char *buffer, size_t size, const json_t *report);
const char *replay_held_words(char *buffer, size_t size, const json_t *report);
const char *replay_lag_words(char *buffer, size_t size, const json_t *report);

/* The sections, in order; the titles end both reports' headings. */
struct replay_section {
    const char *title;
    const char *(*words)(char *buffer, size_t size, const json_t *report);
    const char *group;  /* of what follows, in the report; NULL: the report itself */
    const char *number; /* NULL: the count of the tally */
    const char *tally;
    const char *samples;
    const char *caption; /* of the histogram */
};
extern const struct replay_section replay_sections[];
extern const size_t replay_section_count;

/* How many it is about, in short. */
long long replay_section_number(const struct replay_section *section, const json_t *report);
/* The tally of a section; NULL: it has none, or nothing is in it. */
const json_t *replay_section_tally(const struct replay_section *section, const json_t *report);

/* "10 s to 1 min", of a tally's step. */
const char *replay_step_words(char *buffer, size_t size, const json_t *steps, size_t nth);

#endif
