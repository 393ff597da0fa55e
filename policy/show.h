/* The reports of report.h as text for people, on standard output. */
#ifndef POSTERN_SHOW_H
#define POSTERN_SHOW_H

#include <jansson.h>

void show_status(const json_t *report);
void show_destinations(const json_t *report);
void show_destination(const json_t *report);
void show_message(const json_t *report);

#endif
