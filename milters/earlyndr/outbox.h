/*
 * What the door saw, on its way to posternd: handed over by a thread of its own, so that no message
 * waits for posternd. What cannot be handed over is dropped: Postfix reports by itself then.
 * Thread-safe.
 */
#ifndef POSTERN_OUTBOX_H
#define POSTERN_OUTBOX_H

#include "envelope.h"

/* Copies the envelope. */
void outbox_put(const char *runtime_directory, const struct envelope *envelope);

#endif
