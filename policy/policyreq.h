/*
 * One request of Postfix's policy delegation protocol (SMTPD_POLICY_README): "name=value" lines,
 * then an empty line. Pure, thread-safe.
 */
#ifndef POSTERN_POLICYREQ_H
#define POSTERN_POLICYREQ_H

#include <stdbool.h>

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
 */
bool policyreq_parse(struct slice text, struct policyreq *req_r);

enum { POLICYREQ_ACTION_MAX = INBOUND_TEXT_MAX + 16 };

/*
 * The action, such as "DUNNO" or "452 4.5.3 Too many recipients: ...". Counts the recipient in its
 * transaction. DUNNO for whatever is no RCPT, or is not understood.
 */
void policyreq_answer(struct slice text, struct instances *instances, const struct config *config,
                      int64_t now_ms, char action_r[POLICYREQ_ACTION_MAX]);

#endif
