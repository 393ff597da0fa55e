/*
 * The years of stamps that have none ("Nov 23 08:00:00"): from when the files were last changed,
 * and from the order of what is in them. Pure; thread-safe.
 */
#ifndef POSTERN_REPLAY_YEARS_H
#define POSTERN_REPLAY_YEARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

/* Goes through lines and counts the New Years between them. All zero is a good start. */
struct replay_calendar {
    bool begun;
    char seen[7]; /* "Nov 23 " */
    int day;      /* of a year with twelve months of 31 days */
    int years;    /* since the first line */
};

/* False: the line has no such stamp. A day that lies half a year back is of the next year. */
bool replay_calendar_take(struct replay_calendar *calendar, struct slice line);

/* The stamps of one file. */
struct replay_span {
    int first, last; /* days, as above */
    int years;       /* New Years between them */
    int64_t written; /* ms: when the file was last changed */
    int year;        /* the answer: of its first stamp */
};

/*
 * A file's last stamp is of the latest year that is not more than a day after it was changed. Files
 * that were all changed within a day were copied, or are short: they are put one behind the other
 * so that they fill less than half a year, where that can be. `year`: of the first stamp of all; 0:
 * not known.
 */
void replay_years(struct replay_span *spans, size_t count, int year);

/* The end of that year (ms, local time) but one day, because maillog_parse looks a day ahead. */
int64_t replay_year_end(int year);

#endif
