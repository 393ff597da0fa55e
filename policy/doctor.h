/*
 * `posternctl doctor`: looks for what keeps Postern from working, and says what to type. It changes
 * nothing. What only root can know it leaves out when somebody else asks. Not thread-safe.
 */
#ifndef POSTERN_DOCTOR_H
#define POSTERN_DOCTOR_H

#include <stdio.h>

#include <jansson.h>

#include "config.h"

/*
 * {"problems": N, "notes": N, "root": BOOL, "checks": [{"check": NAME, "result": "ok" | "note" |
 * "problem" | "unknown", "text": TEXT, "type": COMMAND or null}, ...]}; a new reference.
 */
json_t *doctor_report(const struct config *config);

/* The report as text; show.h's show_report. */
void doctor_show(FILE *out, int width, const json_t *report);

/* 0: no problem was found; 1: some were. */
int doctor_status(const json_t *report);

#endif
