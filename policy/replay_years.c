#include "replay_years.h"

#include <stdlib.h>
#include <time.h>

enum { MONTH = 31, YEAR = 12 * MONTH, HALF = YEAR / 2, SEEN = 7 };

static const int64_t DAY = INT64_C(24) * 3600 * 1000;

/* "Nov 23 "; -1: something else. */
static int day_of(const char *at)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int tens = at[4] == ' ' ? 0 : at[4] - '0';
    int day = tens * 10 + at[5] - '0';

    if (at[3] != ' ' || at[6] != ' ' || day < 1 || day > MONTH)
        return -1;
    for (int m = 0; m < 12; m++)
        if (memcmp(at, months + 3 * m, 3) == 0)
            return m * MONTH + day - 1;
    return -1;
}

bool replay_calendar_take(struct replay_calendar *c, struct slice line)
{
    int day;

    if (line.len < SEEN)
        return false;
    if (c->begun && memcmp(c->seen, line.at, SEEN) == 0)
        return true;
    day = day_of(line.at);
    if (day < 0)
        return false;
    /* Also back again: the lines around New Year need not be in order. */
    if (c->begun && day < c->day - HALF)
        c->years++;
    else if (c->begun && day > c->day + HALF)
        c->years--;
    c->begun = true;
    c->day = day;
    memcpy(c->seen, line.at, SEEN);
    return true;
}

static int year_by_file(const struct replay_span *span)
{
    time_t most = (time_t)((span->written + DAY) / 1000);
    struct tm tm = {0};
    int day;

    localtime_r(&most, &tm);
    day = tm.tm_mon * MONTH + tm.tm_mday - 1;
    return tm.tm_year + 1900 - (span->last > day) - span->years;
}

static bool were_copied(const struct replay_span *spans, size_t count)
{
    int64_t least = INT64_MAX;
    int64_t most = 0;

    for (size_t i = 0; i < count; i++) {
        least = spans[i].written < least ? spans[i].written : least;
        most = spans[i].written > most ? spans[i].written : most;
    }
    return count > 1 && most - least < DAY;
}

static int by_first(const void *a, const void *b)
{
    const struct replay_span *x = a, *y = b;

    return x->first - y->first;
}

/* The day on which the files begin, behind the longest time without any; -1: it is not long. */
static int beginning(struct replay_span *sorted, size_t count)
{
    int reach = 0;
    int longest = HALF;
    int day = -1;

    qsort(sorted, count, sizeof(*sorted), by_first);
    for (size_t i = 0; i < count; i++)
        if (sorted[i].last + sorted[i].years * YEAR > reach)
            reach = sorted[i].last + sorted[i].years * YEAR;
    reach -= YEAR;
    for (size_t i = 0; i < count; i++) {
        int end = sorted[i].last + sorted[i].years * YEAR;

        if (sorted[i].first - reach > longest) {
            longest = sorted[i].first - reach;
            day = sorted[i].first;
        }
        reach = end > reach ? end : reach;
    }
    return day;
}

/* In the latest year that their own times allow. */
static void put_in_order(struct replay_span *spans, size_t count)
{
    struct replay_span *sorted = calloc(count, sizeof(*sorted));
    int year = INT32_MAX;
    int day = -1;

    if (sorted) {
        memcpy(sorted, spans, count * sizeof(*sorted));
        day = beginning(sorted, count);
    }
    free(sorted);
    for (size_t i = 0; i < count; i++)
        if (spans[i].year - (spans[i].first < day) < year)
            year = spans[i].year - (spans[i].first < day);
    for (size_t i = 0; day >= 0 && i < count; i++)
        spans[i].year = year + (spans[i].first < day);
}

void replay_years(struct replay_span *spans, size_t count, int year)
{
    int least = INT32_MAX;

    for (size_t i = 0; i < count; i++)
        spans[i].year = year_by_file(&spans[i]);
    if (were_copied(spans, count))
        put_in_order(spans, count);
    for (size_t i = 0; i < count; i++)
        least = spans[i].year < least ? spans[i].year : least;
    for (size_t i = 0; year > 0 && i < count; i++)
        spans[i].year += year - least;
}

int64_t replay_year_end(int year)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = 11,
                    .tm_mday = 30,
                    .tm_hour = 23,
                    .tm_min = 59,
                    .tm_sec = 59,
                    .tm_isdst = -1};

    return (int64_t)mktime(&tm) * 1000 + 999;
}
