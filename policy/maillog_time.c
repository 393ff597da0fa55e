#include <time.h>

#include "maillog_parts.h"

enum { PREFIX_LEN = 12 }; /* "Nov 23 08:00" */

static const int64_t MINUTE = 60 * 1000;
static const int64_t DAY = 24 * 60 * 60 * 1000;

/* 0 to 11, or -1. */
static int month_of(const char *name)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int m = 0; m < 12; m++)
        if (memcmp(name, months + 3 * m, 3) == 0)
            return m;
    return -1;
}

/* Two decimal digits below `limit`, or -1; a leading space counts as 0 ("Nov  3"). */
static int two_digits(const char *at, int limit)
{
    int tens = at[0] == ' ' ? 0 : at[0] - '0';
    int ones = at[1] - '0';

    if (tens < 0 || tens > 9 || ones < 0 || ones > 9 || tens * 10 + ones >= limit)
        return -1;
    return tens * 10 + ones;
}

/* One of the two times a wall clock may mean around a change of the clocks; false: it means none.
 */
static bool wall_clock(const struct tm *wall, int isdst, int64_t *ms_r)
{
    struct tm tm = *wall;
    time_t t;

    tm.tm_isdst = isdst;
    t = mktime(&tm);
    if (t == (time_t)-1)
        return false;
    *ms_r = (int64_t)t * 1000;
    return tm.tm_mon == wall->tm_mon && tm.tm_mday == wall->tm_mday &&
           tm.tm_hour == wall->tm_hour && tm.tm_min == wall->tm_min;
}

/*
 * Local time to ms. In the hour that comes twice in autumn the second pass is meant, unless that is
 * still to come; *until_r is lowered to where the answer changes.
 */
static bool local_minute(const struct tm *wall, int64_t now, int64_t *base_r, int64_t *until_r)
{
    int64_t summer = 0, winter = 0;
    bool has_summer = wall_clock(wall, 1, &summer);
    bool has_winter = wall_clock(wall, 0, &winter);

    if (has_summer && has_winter && winter > now) {
        *base_r = summer;
        *until_r = winter;
        return true;
    }
    if (has_summer || has_winter) {
        *base_r = has_winter ? winter : summer;
        return true;
    }
    /* In spring's missing hour (a clock set by hand): as mktime() sees it, but not another day. */
    struct tm tm = *wall;
    tm.tm_isdst = -1;
    *base_r = (int64_t)mktime(&tm) * 1000;
    return tm.tm_mon == wall->tm_mon && tm.tm_mday == wall->tm_mday;
}

/* Finds the latest year in which this minute is not more than a day ahead of now. */
static bool convert_minute(struct maillog_reader *reader, const char *prefix, int64_t now)
{
    time_t seconds = (time_t)(now / 1000);
    struct tm today, wall = {.tm_mon = month_of(prefix),
                             .tm_mday = two_digits(prefix + 4, 32),
                             .tm_hour = two_digits(prefix + 7, 24),
                             .tm_min = two_digits(prefix + 10, 60)};

    if (wall.tm_mon < 0 || wall.tm_mday < 1 || wall.tm_hour < 0 || wall.tm_min < 0 ||
        prefix[3] != ' ' || prefix[6] != ' ' || prefix[9] != ':' || prefix[7] == ' ' ||
        prefix[10] == ' ' || localtime_r(&seconds, &today) == NULL)
        return false;
    /* Eight years back there is a 29 February, except around 2100. */
    for (int year = today.tm_year + 1; year >= today.tm_year - 8; year--) {
        int64_t base, until = INT64_MAX;

        wall.tm_year = year;
        if (!local_minute(&wall, now, &base, &until) || base > now + DAY)
            continue;
        reader->base = base;
        reader->until = until < base + 364 * DAY ? until : base + 364 * DAY;
        memcpy(reader->prefix, prefix, PREFIX_LEN);
        return true;
    }
    return false;
}

/* "Nov 23 08:00:00"; *ms_r is the beginning of the second. */
static bool traditional(struct maillog_reader *reader, struct cursor *c, int64_t now, int64_t *ms_r)
{
    int second;

    if (cursor_left(c) < 16 || c->at[12] != ':' || c->at[13] == ' ')
        return false;
    second = two_digits(c->at + 13, 61);
    if (second < 0)
        return false;
    if (memcmp(reader->prefix, c->at, PREFIX_LEN) != 0 || reader->base > now + DAY ||
        now >= reader->until) {
        if (!convert_minute(reader, c->at, now))
            return false;
    }
    *ms_r = reader->base + second * 1000;
    c->at += 15;
    return true;
}

/* Days since 1970-01-01 of a Gregorian date. The year begins in March, so that leap days end it. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Exactly two digits and, unless it is NUL, the byte behind them. */
static bool field(struct cursor *c, int64_t least, int64_t most, char behind, int64_t *value_r)
{
    const char *start = c->at;

    if (!cursor_digits(c, 2, value_r) || c->at - start != 2 || *value_r < least || *value_r > most)
        return false;
    if (behind == '\0')
        return true;
    return c->at < c->end && *c->at++ == behind;
}

/* ".123456" to ms, cut, not rounded. No fraction is no error. */
static bool fraction(struct cursor *c, int64_t *ms_r, bool *coarse_r)
{
    int64_t digits = 0;
    const char *start;

    *ms_r = 0;
    *coarse_r = c->at == c->end || *c->at != '.';
    if (*coarse_r)
        return true;
    start = ++c->at;
    if (!cursor_digits(c, 9, &digits))
        return false;
    for (long n = c->at - start; n < 3; n++)
        digits *= 10;
    for (long n = c->at - start; n > 3; n--)
        digits /= 10;
    *ms_r = digits;
    return true;
}

/* "Z" or "+01:00", as minutes to subtract. */
static bool zone(struct cursor *c, int64_t *minutes_r)
{
    int64_t hours, minutes;
    char sign;

    *minutes_r = 0;
    if (CURSOR_WORD(c, "Z"))
        return true;
    if (c->at == c->end || (*c->at != '+' && *c->at != '-'))
        return false;
    sign = *c->at++;
    if (!field(c, 0, 23, ':', &hours) || !field(c, 0, 59, '\0', &minutes))
        return false;
    *minutes_r = (hours * 60 + minutes) * (sign == '+' ? 1 : -1);
    return true;
}

/* RFC 3339, "2023-11-23T08:00:00.123456+01:00". */
static bool rfc3339(struct cursor *c, int64_t *ms_r, bool *coarse_r)
{
    int64_t year, month, day, hour, minute, second, ms, offset;
    const char *start = c->at;

    if (!cursor_digits(c, 4, &year) || c->at - start != 4 || !CURSOR_WORD(c, "-"))
        return false;
    if (!field(c, 1, 12, '-', &month) || !field(c, 1, 31, 'T', &day) ||
        !field(c, 0, 23, ':', &hour) || !field(c, 0, 59, ':', &minute) ||
        !field(c, 0, 60, '\0', &second) || !fraction(c, &ms, coarse_r) || !zone(c, &offset))
        return false;
    *ms_r = days_of(year, month, day) * DAY + (hour * 60 + minute - offset) * MINUTE +
            second * 1000 + ms;
    return true;
}

bool maillog_stamp(struct maillog_reader *reader, struct cursor *c, int64_t now,
                   struct maillog_line *line_r)
{
    int64_t ms, part = 0;

    if (c->at == c->end)
        return false;
    if (is_digit(*c->at)) {
        if (!rfc3339(c, &ms, &line_r->coarse))
            return false;
    } else if (!traditional(reader, c, now, &ms) || !fraction(c, &part, &line_r->coarse)) {
        return false;
    }
    ms += part;
    if (line_r->coarse)
        ms = ms <= now && ms + 999 > now ? now : ms + 999;
    line_r->time = ms;
    return CURSOR_WORD(c, " ");
}
