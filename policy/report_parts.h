/* What report*.c share. Contracts as in report.h. */
#ifndef POSTERN_REPORT_PARTS_H
#define POSTERN_REPORT_PARTS_H

#include "record.h"
#include "report.h"
#include "rules.h"

/* null for 0 */
json_t *report_when(int64_t ms);
/* Texts of strangers are not always UTF-8; what is not becomes '?'. */
json_t *report_text(const char *s);
json_t *report_text_slice(struct slice s);
/* For what a server said. */
json_t *report_long_text(struct slice s);

/* True when posternd does what it plans: it runs, enforces, and Postfix is connected. */
bool report_acting(const struct report_question *q);
/* The keys that every report begins with. */
json_t *report_begin(const struct report_question *q);

/* "trying" with nobody to try: the next message is the probe, and until it comes it is down. */
bool report_lacks_probe(const struct report_question *q, const struct destination *d);
enum destination_health report_health(const struct report_question *q, const struct destination *d);

json_t *report_destination_object(const struct report_question *q,
                                  const struct destination_record *record);

/* A recipient's own failed attempts. */
json_t *report_attempts(struct store *store, struct slice recipient_key);
/* The counted retries of a destination: all that are kept, or those that count from `baseline`. */
json_t *report_retries(struct store *store, const struct destination *d, const uint64_t *baseline);

/* Early NDRs (report_early.c). */
json_t *report_early_status(const struct report_question *q);
json_t *report_bounced(const struct report_question *q, const char *queue_id);

#endif
