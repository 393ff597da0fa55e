/*
 * The incidents as people are shown them: a row each, but one row for those of a crowd that began
 * to fail alike at the same time, as when many hosts fall silent or the own line is cut.
 * Thread-safe.
 */
#ifndef POSTERN_REPLAY_ROWS_H
#define POSTERN_REPLAY_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/*
 * A new array, by when they began. Rows are objects with the keys of an incident, and "title";
 * those of a crowd have "crowd", how many they are, "came_back", how many of these did, and
 * "lasted_least". With several servers "seen_by" names those that saw it. `never_reached`: those of
 * which no destination was ever reached in this log, or the others.
 */
json_t *replay_rows(const json_t *report, bool never_reached);

/* Leaves the `most` rows with the most mail; returns how many left. */
size_t replay_rows_cut(json_t *rows, size_t most);

#endif
