/*
 * Which messages Postfix itself made: its reports to senders, not somebody's mail that looks like
 * one.
 *
 * Whoever submits mail is named in the log before the content is read: pickup(8) logs "uid=" and
 * qmqpd(8) "client=" before they hand over the first line of it (pickup/pickup.c, qmqpd/qmqpd.c),
 * and cleanup(8) logs "message-id=" when it has read the header (cleanup/cleanup_message.c). A
 * message of which the latter was seen and not the former was made within Postfix. smtpd(8) is left
 * out: its mail is told apart by the milter, since it has no queue id at MAIL.
 *
 * Holds the last few of both; what is not known is ORIGIN_UNKNOWN, never ORIGIN_INTERNAL. Not
 * thread-safe.
 */
#ifndef POSTERN_ORIGINS_H
#define POSTERN_ORIGINS_H

#include "maillog.h"

struct origins;

enum origin { ORIGIN_UNKNOWN, ORIGIN_INTERNAL, ORIGIN_SUBMITTED };

/* NULL: no memory. */
struct origins *origins_new(void);
void origins_free(struct origins **origins);

/* Every line of the log, in order. */
void origins_saw(struct origins *origins, const struct maillog_line *line);

enum origin origins_of(const struct origins *origins, struct slice queue_id);

#endif
