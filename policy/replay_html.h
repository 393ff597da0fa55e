/* Between the files of the page only. */
#ifndef POSTERN_REPLAY_HTML_H
#define POSTERN_REPLAY_HTML_H

#include <stdio.h>

#include <jansson.h>

/* Strangers' text, for an element or an attribute in double quotes. */
void replay_html_text(FILE *out, const char *text);

/* Pictures (replay_svg.c): nothing when there is nothing to draw. */
void replay_svg_timeline(FILE *out, const json_t *report);
void replay_svg_histogram(FILE *out, const json_t *tally, const char *caption);

#endif
