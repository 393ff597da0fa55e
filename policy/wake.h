/*
 * Wakes deferred messages with `postqueue -i`, at a bounded rate, once the table they need is
 * published.
 *
 * The nudge: the queue manager remembers the last address it resolved, for 30 s
 * (qmgr/qmgr_message.c asks through the one-entry cache of global/resolve_clnt.c). On a server with
 * other traffic that is forgotten at once; on a quiet one the same message, woken again within 30
 * s, would not see that its route has changed. So when retries are that close together, a message
 * from the null sender to GATE_NUDGE_ADDRESS goes through the queue first: it is resolved, and
 * taken by the gate.
 */
#ifndef POSTERN_WAKE_H
#define POSTERN_WAKE_H

#include "ledger.h"
#include "table.h"

struct waker;

/* All of them must outlive it. NULL: no memory. */
struct waker *waker_new(struct event_base *base, struct child_runner *runner,
                        const struct postfix *postfix, const struct table *table);
void waker_free(struct waker **waker);

/* How many more it takes now. */
unsigned waker_room(const struct waker *waker);
/* A message that is on the list already is not put there again; when the list is full it is
 * dropped. */
void waker_add(struct waker *waker, struct slice queue_id, enum wake_why why, bool nudge);
/* Goes on with the list; call it when the table has settled. */
void waker_run(struct waker *waker);
/* The log tells of this delivery: maybe the nudge. */
void waker_saw(struct waker *waker, const struct maillog_line *line);

#endif
