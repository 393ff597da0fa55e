/*
 * Words of reports in colour, as a help to the eye: each says the same without. Off unless switched
 * on, once, before the first report. Not thread-safe.
 */
#ifndef POSTERN_SHOW_COLOUR_H
#define POSTERN_SHOW_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

enum show_colour { SHOW_PLAIN, SHOW_RED, SHOW_YELLOW, SHOW_GREEN };

/*
 * "always", "never" or "auto": on a terminal that is not "dumb", unless NO_COLOR is set and not
 * empty (no-color.org). False: none of these.
 */
bool show_colour_set(const char *when);

void show_coloured(FILE *out, const char *text, enum show_colour colour);
/* The colour of "up", "failing", "down", "trying" and "draining". */
enum show_colour show_health_colour(const char *health);

#endif
