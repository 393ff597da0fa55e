/*
 * What kind of failure a deferred delivery was (DESIGN 3.1). Pure and thread-safe.
 *
 * Open: no usable session. Transfer: a temporary failure once the session was open. A text that
 * strangers write is only looked at behind the words Postfix puts before it.
 */
#ifndef POSTERN_FAILURE_H
#define POSTERN_FAILURE_H

#include "maillog.h"

enum failure {
    FAILURE_NONE, /* not a failure of the remote side: our own configuration, a local error */
    FAILURE_OPEN,
    FAILURE_SUSPENDED, /* skipped by Postfix: the destination is known to be dead */
    FAILURE_TRANSFER,
};

/* FAILURE_NONE for anything but a MAILLOG_DELIVERY line of status deferred. */
enum failure failure_classify(const struct maillog_line *line);

/*
 * The name of the host that a failure was about, as far as Postfix's own words tell: the one tried
 * last. Empty when there is none. Of a line, and of a reason alone.
 */
struct slice failure_host(const struct maillog_line *line);
struct slice failure_host_of(struct slice reason);

/* The reason without the queue manager's "delivery temporarily suspended: " before it. */
struct slice failure_reason(const struct maillog_line *line);

#endif
