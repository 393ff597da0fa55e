/*
 * One request of Postfix's policy delegation protocol (SMTPD_POLICY_README): "name=value" lines,
 * then an empty line; and its answer.
 */
#ifndef POSTERN_POLICYREQ_H
#define POSTERN_POLICYREQ_H

#include <stdbool.h>

#include "doorway.h"
#include "inbound.h"
#include "instances.h"
#include "slice.h"

/* The attributes that matter here; empty when absent. */
struct policyreq {
    struct slice request;
    struct slice protocol_state;
    struct slice client_address;
    struct slice sasl_username;
    struct slice sender;
    struct slice recipient;
    struct slice queue_id;
    struct slice instance;
};

/*
 * `text` goes up to and including the line break before the empty line, and has to live as long as
 * the result. False when a line is no attribute, has a NUL in it, or names one of the above again.
 * Pure, thread-safe.
 */
bool policyreq_parse(struct slice text, struct policyreq *req_r);

/* What is known of recipients, and who may try one that is known to be bad. Each may be NULL. */
struct policyreq_hooks {
    /* The state, with no transaction open in it; NULL: it is not to be relied on just now. */
    struct store *(*state)(void *context);
    /* True for the one message that may try this address. */
    bool (*may_test)(void *context, struct slice recipient);
    void *context;
};

/* What requests are answered from. Not thread-safe. */
struct policyreq_service {
    const struct config *config;
    struct instances *instances;
    struct policyreq_hooks hooks;
    int64_t test_after; /* when the next address may be tried */
    int64_t say_after;  /* when it is said again that somebody would be refused */
};

enum { POLICYREQ_ACTION_MAX = DOORWAY_TEXT_MAX + 40 };

/*
 * The action, such as "DUNNO" or "452 4.5.3 Too many recipients: ...". Counts the recipient in its
 * transaction, if it may stay. DUNNO for whatever is no RCPT, is not understood, or is in doubt.
 * `now_ms` is a monotonic clock's, `clock_ms` since the epoch.
 */
void policyreq_answer(struct policyreq_service *service, struct slice text, int64_t now_ms,
                      int64_t clock_ms, char action_r[POLICYREQ_ACTION_MAX]);

#endif
