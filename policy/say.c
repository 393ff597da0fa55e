#include "say.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct unit {
    int64_t seconds;
    const char *abbreviation;
    const char *word;
    const char *article;
};

static const struct unit units[] = {
    {86400, "d", "day", "a"},
    {3600, "h", "hour", "an"},
    {60, "min", "minute", "a"},
    {1, "s", "second", "a"},
};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

const char *say_time(char *buffer, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    if (ms == 0 || localtime_r(&seconds, &tm) == NULL)
        return strcpy(buffer, "never");
    strftime(buffer, SAY_MAX, "%Y-%m-%d %H:%M:%S %z", &tm);
    return buffer;
}

static size_t add_unit(char *buffer, size_t used, int64_t n, const struct unit *unit, int words)
{
    const char *gap = used ? " " : "";
    int len;

    if (words)
        len = snprintf(buffer + used, SAY_MAX - used, "%s%lld %s%s", gap, (long long)n, unit->word,
                       n == 1 ? "" : "s");
    else
        len = snprintf(buffer + used, SAY_MAX - used, "%s%lld %s", gap, (long long)n,
                       unit->abbreviation);
    return used + (size_t)len;
}

/* Below this, seconds are shown beside minutes: intervals are often of that size. */
enum { FINE_SECONDS = 600, MINUTES = 2 };

/* The largest unit that fits and the one below it. */
static const char *duration(char *buffer, int64_t ms, int words)
{
    int64_t seconds = (ms + 500) / 1000;
    bool fine = seconds < FINE_SECONDS;
    size_t used = 0;
    int i = 0;

    while (i < UNITS - 1 && seconds < units[i].seconds)
        i++;
    used = add_unit(buffer, 0, seconds / units[i].seconds, &units[i], words);
    seconds %= units[i].seconds;
    if (i < (fine ? MINUTES + 1 : MINUTES) && seconds / units[i + 1].seconds > 0)
        add_unit(buffer, used, seconds / units[i + 1].seconds, &units[i + 1], words);
    return buffer;
}

const char *say_duration(char *buffer, int64_t ms)
{
    if (ms >= 100 && ms < 1000) {
        snprintf(buffer, SAY_MAX, "0.%d s", (int)(ms / 100));
        return buffer;
    }
    return duration(buffer, ms >= 100 ? ms : 0, 0);
}

const char *say_duration_words(char *buffer, int64_t ms)
{
    return duration(buffer, ms > 0 ? ms : 0, 1);
}

const char *say_pace(char *buffer, uint32_t seconds)
{
    char words[SAY_MAX];

    for (int i = 0; i < UNITS; i++)
        if (seconds == units[i].seconds) {
            snprintf(buffer, SAY_MAX, "%s %s", units[i].article, units[i].word);
            return buffer;
        }
    snprintf(buffer, SAY_MAX, "every %s", say_duration_words(words, (int64_t)seconds * 1000));
    return buffer;
}
