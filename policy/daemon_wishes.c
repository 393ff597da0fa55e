/* What the ledger wants: kept until its transaction is committed, then done. */
#include "daemon_internal.h"

#include <stdlib.h>

#include "log.h"

static void wish(struct daemon *daemon, struct wish wish, struct slice key)
{
    struct wishes *w = &daemon->wishes;

    if (w->count == w->room) {
        w->room = w->room ? w->room * 2 : 64;
        w->list = realloc(w->list, w->room * sizeof(*w->list));
    }
    wish.key = strndup(key.at, key.len);
    if (w->list == NULL || wish.key == NULL)
        log_fatal(71, "out of memory");
    w->list[w->count++] = wish;
}

static void want_route(void *context, struct slice key, enum route route)
{
    wish(context, (struct wish){.is_route = true, .route = route}, key);
}

static void want_wake(void *context, struct slice queue_id, enum wake_why why, bool nudge)
{
    wish(context, (struct wish){.why = why, .nudge = nudge}, queue_id);
}

static void say(void *context, const char *line)
{
    (void)context;
    log_info("%s", line);
}

static void want_report(void *context, struct slice queue_id)
{
    wish(context, (struct wish){.is_report = true}, queue_id);
}

static void want_delay(void *context, struct slice queue_id)
{
    wish(context, (struct wish){.is_delay = true}, queue_id);
}

const struct ledger_actions daemon_actions = {want_route, want_wake, say, want_report, want_delay};

void wishes_drop(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->wishes.count; i++)
        free(daemon->wishes.list[i].key);
    daemon->wishes.count = 0;
}

void wishes_grant(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->wishes.count; i++) {
        const struct wish *w = &daemon->wishes.list[i];
        if (w->is_route)
            table_want(daemon->table, slice_of(w->key), w->route);
        else if (w->is_report)
            early_send(daemon, w->key);
        else if (w->is_delay)
            delay_send(daemon, w->key);
        else
            waker_add(daemon->waker, slice_of(w->key), w->why, w->nudge);
    }
    if (daemon->check_foreign)
        publish_yield_all(daemon);
    else
        publish_yield(daemon);
    wishes_drop(daemon);
    table_flush(daemon->table);
    waker_run(daemon->waker);
}

void wishes_postpone(struct daemon *daemon)
{
    if (daemon->wishes.count > 0) {
        table_want_all(daemon->table);
        daemon->check_foreign = true;
    }
    wishes_drop(daemon);
}
