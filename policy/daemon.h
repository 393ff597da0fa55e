/*
 * posternd at work: the log goes into the ledger and the position with it, in one transaction; what
 * the ledger wants is done once that is committed. One event loop, one thread.
 */
#ifndef POSTERN_DAEMON_H
#define POSTERN_DAEMON_H

#include <sys/types.h>

#include <jansson.h>

#include "config.h"
#include "postfix.h"
#include "slice.h"

struct daemon;

/*
 * Takes `config` over. `group` may read the state besides the owner (store_open). NULL, with a line
 * in error_r, and then config is still the caller's.
 */
struct daemon *daemon_new(struct config *config, struct postfix *postfix, gid_t group,
                          char *error_r, size_t size);

/* Runs until daemon_stop(). Returns an exit status. */
int daemon_run(struct daemon *daemon);
void daemon_stop(struct daemon *daemon);

/* Takes its routes out of the table, closes everything. */
void daemon_free(struct daemon **daemon);

/* What the control socket may ask for. False: no such thing. */
bool daemon_retry(struct daemon *daemon, struct slice destination);
bool daemon_forget_destination(struct daemon *daemon, struct slice destination);
bool daemon_forget_recipient(struct daemon *daemon, struct slice address);
bool daemon_test_recipient(struct daemon *daemon, struct slice address);

/* What monitoring is told (metrics.h); free() it. NULL: out of memory. */
char *daemon_metrics(struct daemon *daemon);

/* The requests with a body (control.h); each answers through `reply`, maybe later. */
struct control_reply;
void daemon_envelopes(struct daemon *daemon, const json_t *body, struct control_reply *reply);
void daemon_report(struct daemon *daemon, const json_t *body, struct control_reply *reply);
void daemon_warn(struct daemon *daemon, const json_t *body, struct control_reply *reply);
void daemon_bounce(struct daemon *daemon, const json_t *body, struct control_reply *reply);
void daemon_reload_request(struct daemon *daemon, const json_t *body, struct control_reply *reply);

#endif
