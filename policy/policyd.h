/*
 * The policy service: what doorway.h knows of recipients, and the limits of inbound.h, for sites
 * without milters, in Postfix's policy delegation protocol (SMTPD_POLICY_README), on
 * config_policy_socket(). It lives in posternd's event loop, and reads the state between
 * transactions.
 *
 * Whatever is in doubt is answered DUNNO. No client can use more than its share: requests and
 * answers have a size and a time limit; of too many connections the one that has been silent the
 * longest is closed.
 */
#ifndef POSTERN_POLICYD_H
#define POSTERN_POLICYD_H

#include <stddef.h>

#include "config.h"
#include "policyreq.h"

struct event_base;
struct policyd;

/*
 * `config` has to live until policyd_reconfigure or policyd_free returns. An empty policy.socket
 * makes a service that does not listen, and so does one that cannot be opened as long as there are
 * no rules. A UNIX socket is made inside Postfix's queue_directory (inside.h; NULL: not known).
 * That and `hooks` are copied. NULL, with a line in error_r, when it cannot listen.
 */
struct policyd *policyd_new(struct event_base *base, const struct config *config,
                            const char *queue_directory, const struct policyreq_hooks *hooks,
                            char *error_r, size_t size);

/*
 * Takes another configuration. Transactions under way are forgotten: their count starts again. When
 * a changed policy.socket cannot be opened, the log says so, and the service does not listen.
 */
void policyd_reconfigure(struct policyd *policyd, const struct config *config,
                         const char *queue_directory);

void policyd_free(struct policyd **policyd);

#endif
