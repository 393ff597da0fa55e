#include "wake.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "counters.h"
#include "gate.h"
#include "log.h"
#include "record.h"

enum {
    LIST_MAX = 512,
    AT_ONCE = 3,
    EVERY_MS = 12, /* 80 messages a second */
    COMMAND_TIMEOUT = 30 * 1000,
    NUDGE_TIMEOUT = 3 * 1000,
    PAUSE_MAX = 30,
};

struct wanted {
    char queue_id[QUEUE_ID_MAX + 1];
    enum wake_why why;
    bool nudge;
    uint64_t generation; /* of the table that it has to be resolved with */
};

struct waker {
    struct child_runner *runner;
    const struct postfix *postfix;
    const struct table *table;
    struct event *next;     /* the next message may go */
    struct event *patience; /* for the nudge */
    struct wanted list[LIST_MAX];
    size_t count;
    struct wanted underway[AT_ONCE];
    unsigned running;
    bool nudging;
    uint64_t nudge_generation; /* of the table, when the nudge set out */
    uint64_t forgotten;        /* the queue manager remembers nothing older than this generation */
    int pause;                 /* seconds, after a failure; 0: all is well */
};

unsigned waker_room(const struct waker *waker)
{
    return waker->pause ? 0 : LIST_MAX - (unsigned)waker->count;
}

void waker_add(struct waker *waker, struct slice queue_id, enum wake_why why, bool nudge)
{
    for (size_t i = 0; i < waker->count; i++) {
        if (slice_equals(queue_id, waker->list[i].queue_id)) {
            waker->list[i].nudge |= nudge;
            waker->list[i].generation = table_generation_wanted(waker->table);
            if (why < waker->list[i].why)
                waker->list[i].why = why;
            return;
        }
    }
    if (waker->count == LIST_MAX || queue_id.len == 0 || queue_id.len > QUEUE_ID_MAX)
        return;
    slice_copy(waker->list[waker->count].queue_id, QUEUE_ID_MAX + 1, queue_id);
    waker->list[waker->count].why = why;
    waker->list[waker->count].nudge = nudge;
    waker->list[waker->count].generation = table_generation_wanted(waker->table);
    waker->count++;
}

static void go_on_in(struct event *event, int ms)
{
    struct timeval wait = {ms / 1000, (ms % 1000) * 1000};

    if (!event_pending(event, EV_TIMEOUT, NULL))
        event_add(event, &wait);
}

static void try_later(struct waker *waker, const char *command, const struct child_end *end)
{
    char why[512];

    if (waker->pause == 0) {
        child_explain(end, why, sizeof(why));
        log_warning("%s: %s; trying again until it works", command, why);
    }
    waker->pause = waker->pause ? waker->pause * 2 : 1;
    if (waker->pause > PAUSE_MAX)
        waker->pause = PAUSE_MAX;
    event_del(waker->next);
    go_on_in(waker->next, waker->pause * 1000);
}

static void worked(struct waker *waker)
{
    if (waker->pause)
        log_info("Postfix takes requests again");
    waker->pause = 0;
}

/* One slot for each command under way tells its callback what it was about. */
struct slot {
    struct waker *waker;
    unsigned n;
};

static void on_woken(void *arg, const struct child_end *end)
{
    struct slot slot = *(struct slot *)arg;
    struct waker *waker = slot.waker;
    struct wanted *w = &waker->underway[slot.n];

    free(arg);
    waker->running--;
    if (end->status != 0) {
        waker_add(waker, slice_of(w->queue_id), w->why, w->nudge);
        counters_add(COUNTER_WAKES_FAILED);
        try_later(waker, "postqueue -i", end);
    } else {
        counters_add(COUNTER_WAKES);
        worked(waker);
    }
    w->queue_id[0] = '\0';
    waker_run(waker);
}

/* One of those that are not under way; there is one. */
static unsigned free_place(const struct waker *waker)
{
    unsigned n = 0;

    while (n < AT_ONCE - 1 && waker->underway[n].queue_id[0])
        n++;
    return n;
}

static void wake(struct waker *waker, size_t at)
{
    struct slot *slot = malloc(sizeof(*slot));
    unsigned n = free_place(waker);
    struct wanted *w = &waker->underway[n];
    char *argv[] = {(char *)(uintptr_t)postfix_postqueue(waker->postfix),
                    (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)postfix_config_directory(waker->postfix),
                    (char *)(uintptr_t) "-i",
                    w->queue_id,
                    NULL};

    *w = waker->list[at];
    waker->list[at] = waker->list[--waker->count];
    if (slot == NULL)
        log_fatal(71, "out of memory");
    *slot = (struct slot){waker, n};
    waker->running++;
    if (child_start(waker->runner, argv, NULL, 0, COMMAND_TIMEOUT, on_woken, slot) != 0) {
        struct child_end end = {.status = -1, .error = errno, .text = ""};
        on_woken(slot, &end);
    }
}

/* The nudge */

static void nudge_is_over(struct waker *waker)
{
    if (!waker->nudging)
        return;
    waker->nudging = false;
    waker->forgotten = waker->nudge_generation;
    event_del(waker->patience);
    waker_run(waker);
}

static void on_patience(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    nudge_is_over(arg);
}

static void on_nudged(void *arg, const struct child_end *end)
{
    if (end->status != 0)
        try_later(arg, "sendmail (nudge)", end);
}

static void send_nudge(struct waker *waker)
{
    static char text[] =
        "From: <>\nTo: <" GATE_NUDGE_ADDRESS ">\nSubject: nudge\n"
        "Auto-Submitted: auto-generated\n\n"
        "Makes the queue manager forget its last address; taken by postern-gate.\n";
    char *argv[] = {(char *)(uintptr_t)postfix_sendmail(waker->postfix),
                    (char *)(uintptr_t) "-C",
                    (char *)(uintptr_t)postfix_config_directory(waker->postfix),
                    (char *)(uintptr_t) "-i",
                    (char *)(uintptr_t) "-f",
                    (char *)(uintptr_t) "<>",
                    (char *)(uintptr_t)GATE_NUDGE_ADDRESS,
                    NULL};

    waker->nudging = true;
    waker->nudge_generation = table_generation(waker->table);
    go_on_in(waker->patience, NUDGE_TIMEOUT);
    if (child_start(waker->runner, argv, text, strlen(text), COMMAND_TIMEOUT, on_nudged, waker) !=
        0)
        log_warning("sendmail (nudge): %m");
}

void waker_saw(struct waker *waker, const struct maillog_line *line)
{
    if (waker->nudging && line->kind == MAILLOG_DELIVERY && line->agent == MAILLOG_AGENT_PIPE &&
        slice_equals(line->recipient, GATE_NUDGE_ADDRESS))
        nudge_is_over(waker);
}

/* The list */

static bool needs_nudge(const struct waker *waker, const struct wanted *w)
{
    uint64_t there = table_generation(waker->table);

    /* A publication that failed is made together with the next: the number wanted may never come.
     */
    return w->nudge && waker->forgotten < (w->generation < there ? w->generation : there);
}

/* The most urgent that may go; LIST_MAX when there is none. */
static size_t choose(const struct waker *waker, bool *nudge_r)
{
    size_t best = LIST_MAX;

    *nudge_r = false;
    for (size_t i = 0; i < waker->count; i++) {
        if (needs_nudge(waker, &waker->list[i]))
            *nudge_r = true;
        else if (best == LIST_MAX || waker->list[i].why < waker->list[best].why)
            best = i;
    }
    return best;
}

void waker_run(struct waker *waker)
{
    bool wants_nudge;
    size_t at;

    if (waker->count == 0 || event_pending(waker->next, EV_TIMEOUT, NULL) ||
        !table_is_settled(waker->table))
        return;
    at = choose(waker, &wants_nudge);
    if (wants_nudge && !waker->nudging)
        send_nudge(waker);
    if (at == LIST_MAX || waker->running == AT_ONCE)
        return;
    go_on_in(waker->next, EVERY_MS);
    wake(waker, at);
}

static void on_next(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    waker_run(arg);
}

struct waker *waker_new(struct event_base *base, struct child_runner *runner,
                        const struct postfix *postfix, const struct table *table)
{
    struct waker *waker = calloc(1, sizeof(*waker));

    if (waker == NULL)
        return NULL;
    waker->runner = runner;
    waker->postfix = postfix;
    waker->table = table;
    waker->next = event_new(base, -1, 0, on_next, waker);
    waker->patience = event_new(base, -1, 0, on_patience, waker);
    if (waker->next == NULL || waker->patience == NULL)
        waker_free(&waker);
    return waker;
}

void waker_free(struct waker **waker)
{
    if (*waker == NULL)
        return;
    if ((*waker)->next)
        event_free((*waker)->next);
    if ((*waker)->patience)
        event_free((*waker)->patience);
    free(*waker);
    *waker = NULL;
}
