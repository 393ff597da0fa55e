/*
 * Prints the reports of report.h as text for people. `width` is the terminal's, in columns; only
 * the table of destinations is fitted to it.
 */
#ifndef POSTERN_SHOW_H
#define POSTERN_SHOW_H

#include <stdio.h>

#include <jansson.h>

enum { SHOW_WIDTH_DEFAULT = 80, SHOW_WIDTH_MIN = 40 };

typedef void show_report(FILE *out, int width, const json_t *report);

show_report show_status;
show_report show_destinations;
show_report show_destination;
show_report show_message;
show_report show_recipients;

#endif
