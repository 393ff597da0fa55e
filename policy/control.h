/*
 * $runtime_directory/control.sock: HTTP over a UNIX socket, for posternctl and the milters. Only
 * root and the account of posternd can connect.
 *
 *     POST /retry?destination=NAME
 *     POST /forget?destination=NAME
 *     POST /forget?recipient=ADDRESS
 *     POST /test?recipient=ADDRESS
 *         may this message try an address that is said not to exist?
 *     POST /envelopes
 *         body: [an envelope (envelope.h), ...]; answered when they are written
 *     POST /report
 *         body: {"envelope": ..., "recipients": [ADDRESS, ...]}, known bad: the sender is told
 *     POST /warn
 *         body: {"envelope": ..., "recipients": [ADDRESS, ...]}, of destinations that are down: the
 *         sender is told of the delay
 *     POST /bounce
 *         body: {"queue_id": of a message, "report": of Postfix's report on it, "recipients":
 *         [ADDRESS, ...]}
 *     POST /reload
 *         body: {}; reads the configuration again, as SIGHUP does, and looks at Postfix's; answered
 *         when what follows from both is published, or at once with {"why": TEXT} when it stays
 *
 *     GET /metrics
 *         Prometheus's text format (metrics.h)
 *
 * answers 200, or 404 when there is no such thing (or no); the body is JSON: {"done": true|false},
 * and from /bounce also "reported": [true|false, ...]: which of them the sender knows of already.
 */
#ifndef POSTERN_CONTROL_H
#define POSTERN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct config;
struct control;
struct daemon;
struct event_base;

/* NULL, with a line in error_r. */
struct control *control_new(struct event_base *base, struct daemon *daemon,
                            const char *runtime_directory, char *error_r, size_t size);
void control_free(struct control **control);

/* The same metrics by TCP, where the configuration wants that; a failure is logged, and no more. */
void control_set_metrics(struct control *control, const struct config *config);

/* An answer that is still owed. When the client goes it stays valid, and leads nowhere. */
struct control_reply;

/* Answers, once; takes over `body`, which may be NULL. */
void control_reply_send(struct control_reply **reply, bool done, json_t *body);

#endif
