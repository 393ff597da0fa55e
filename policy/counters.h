/*
 * What a process did since it began, for metrics.h. A number may be counted anywhere and at any
 * time: the counters are the process's own, and thread-safe. A line of the log that is read again,
 * because the state could not be written, counts again.
 */
#ifndef POSTERN_COUNTERS_H
#define POSTERN_COUNTERS_H

#include <stdint.h>

enum counter {
    COUNTER_LINES, /* of the log, whatever they say */
    COUNTER_SENT,
    COUNTER_DEFERRED,
    COUNTER_BOUNCED,
    COUNTER_OPEN_RETRIES, /* that counted for a destination */
    COUNTER_TRANSFER_FAILURES,
    COUNTER_HOLDS,
    COUNTER_HOLDS_OVER,
    COUNTER_GIVEN_UP_OPEN,
    COUNTER_GIVEN_UP_TRANSFER,
    COUNTER_GIVEN_UP_LIMIT,
    COUNTER_WAKES,
    COUNTER_WAKES_FAILED,
    COUNTER_REPORTS_FAILURE, /* to senders, about recipients that failed */
    COUNTER_REPORTS_DELAY,
    COUNTER_REPORTS_FAILED, /* sendmail(1) did not take one */
    COUNTER_CLAIMS_KEPT,    /* Postfix's own reports: nobody in it knew */
    COUNTER_CLAIMS_REDUCED,
    COUNTER_CLAIMS_DISCARDED,
    COUNTER_BAD_LEARNED,
    COUNTER_BAD_FORGOTTEN, /* it was delivered to */
    COUNTER_GUARDS,        /* a destination rejected too many */
    COUNTER_POLICY_DUNNO,
    COUNTER_POLICY_BAD,
    COUNTER_POLICY_DOWN,
    COUNTER_POLICY_LIMIT,
    COUNTER_PUBLISHED,
    COUNTER_PUBLISH_FAILED,
    COUNTER_COMMIT_FAILED,
    COUNTERS
};

void counters_add(enum counter counter);
uint64_t counters_get(enum counter counter);

/* An answer of the policy service: "DUNNO", "550 5.1.1 ..." */
void counters_policy(const char *action);

#endif
