/*
 * What the door saw, on its way to posternd: handed over by a thread of its own, so that no message
 * waits for posternd. What cannot be handed over is dropped: mail goes on as without it.
 * Thread-safe.
 */
#ifndef POSTERN_OUTBOX_H
#define POSTERN_OUTBOX_H

#include "envelope.h"

/* POST /envelopes (control.h), with others; again for ten seconds. Copies the envelope. */
void outbox_envelope(const char *runtime_directory, const struct envelope *envelope);

/*
 * POST /warn, by itself and once: asked again, a posternd that is only slow would tell the sender
 * twice. Takes `body` over, which may be NULL. False: it is dropped, since too many wait already or
 * there is no memory.
 */
bool outbox_warn(const char *runtime_directory, json_t *body);

#endif
