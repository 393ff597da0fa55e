/*
 * The table $state_directory/tables/status_filter.regexp for smtp_delivery_status_filter: it makes
 * 4.5.3 of a permanent reply that classify_reply() takes for CLASSIFY_SPLIT, with the server's
 * words kept, and leaves every other status as it is (regexp_table(5); global/dsn_filter.c asks it
 * once for each recipient). A file without a server behind it: a failed look-up changes nothing,
 * and a delivery never waits for Postern.
 */
#ifndef POSTERN_STATUS_FILTER_H
#define POSTERN_STATUS_FILTER_H

#include "classify.h"

/* The table's text, without rules when there is no classifier; free() it. NULL: no memory. */
char *status_filter_text(const struct classifier *classifier);

/*
 * Writes it in one piece through a new file beside it, readable by all; a file that says the same
 * already stays untouched. smtp(8) reads it when it starts: it takes "postfix reload", or
 * max_idle, for a change to be seen. False, with a line in error_r: then the old table stays.
 */
bool status_filter_write(const char *state_directory, const struct classifier *classifier,
                         char *error_r, size_t size);

#endif
