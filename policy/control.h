/*
 * $runtime_directory/control.sock: HTTP over a UNIX socket, for posternctl. Only root and the
 * account of posternd can connect.
 *
 *     POST /retry?destination=NAME
 *     POST /forget?destination=NAME
 *     POST /forget?recipient=ADDRESS
 *
 * answers 200, or 404 when there is no such thing; the body is JSON: {"done": true|false}.
 */
#ifndef POSTERN_CONTROL_H
#define POSTERN_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

struct control;
struct daemon;
struct event_base;

/* NULL, with a line in error_r. */
struct control *control_new(struct event_base *base, struct daemon *daemon,
                            const char *runtime_directory, char *error_r, size_t size);
void control_free(struct control **control);

#endif
