/* What the files of postern-earlyndr share. Nobody else includes it. */
#ifndef POSTERN_EARLYNDR_PARTS_H
#define POSTERN_EARLYNDR_PARTS_H

#include <libmilter/mfapi.h>

#include "bounce.h"
#include "config.h"
#include "envelope.h"

/* A report that Postfix may have made, being collected. */
struct postfix_report {
    char boundary[BOUNCE_BOUNDARY_MAX]; /* "": it is none */
    char *body;
    size_t len, room;
    bool typed; /* it has a Content-Type */
    bool unfit; /* of another type, too long, or no memory */
};

void report_header(struct postfix_report *report, const char *name, const char *value);
/* False: nothing more of it is wanted. */
bool report_body(struct postfix_report *report, const char *bytes, size_t len);
/* What becomes of it; `report_id` is its own queue id. */
sfsistat report_end(SMFICTX *ctx, const struct config *config, struct postfix_report *report,
                    const char *report_id);
void report_free(struct postfix_report *report);

#endif
