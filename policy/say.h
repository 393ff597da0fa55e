/*
 * Times and durations as people say them. Every function fills a buffer of SAY_MAX bytes and
 * returns it. Thread-safe.
 */
#ifndef POSTERN_SAY_H
#define POSTERN_SAY_H

#include <stdint.h>

enum { SAY_MAX = 64 };

/* "2026-11-23 08:00:00 +0000", in the local time zone; "never" for 0. */
const char *say_time(char *buffer, int64_t ms);
/* "45 s", "1 min 30 s", "12 min", "3 h 12 min", "5 d 2 h"; under a second "0.4 s". */
const char *say_duration(char *buffer, int64_t ms);
/* The same, in words for readers of an NDR: "45 seconds", "3 hours 12 minutes". */
const char *say_duration_words(char *buffer, int64_t ms);
/* How often: "a minute", "an hour", "every 30 seconds": of "one attempt a minute". */
const char *say_pace(char *buffer, uint32_t seconds);

#endif
