#include "daemon_internal.h"

#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/event.h>

#include "clock.h"
#include "control.h"
#include "counters.h"
#include "filter.h"
#include "ledger.h"
#include "lock.h"
#include "log.h"
#include "logsource.h"
#include "logtags.h"
#include "policyd.h"
#include "table.h"
#include "wake.h"

enum {
    BATCH_LINES = 20000, /* in one transaction */
    BATCH_EVERY = 50,    /* ms: each commit waits for the disk */
    IDLE_CHECK = 1000,   /* ms: for logs that cannot be watched */
    STORE_PAUSE = 5000,  /* ms, after a commit that failed */
    SWEEP_EVERY = 60 * 1000,
    CHECK_EVERY = 30 * 1000,
    CONNECT_EVERY = 300 * 1000, /* asking postconf(1) takes a tenth of a second */
    UNCONNECTED_EVERY = 3 * 1000,
    UNFILTERED_EVERY = 30 * 1000, /* early reports wait for a milter to be connected */
    APART_EVERY = 300 * 1000,
    CLOCK_BACK = 60 * 1000, /* set back by more: plans are made anew */
};

/* Transactions */

static void plan_batch(struct daemon *daemon, int64_t in_ms)
{
    struct timeval wait = {in_ms / 1000, (in_ms % 1000) * 1000};

    event_add(daemon->batch, &wait);
}

bool daemon_begin(struct daemon *daemon)
{
    if (store_begin(daemon->store))
        return true;
    if (!daemon->store_fails)
        log_error("state: %s; the log is read again from the last good place once it works",
                  store_error(daemon->store));
    daemon->store_fails = true;
    return false;
}

/* Stores the log position with what was made of the log up to there. */
void daemon_put_status(struct daemon *daemon)
{
    char connected = daemon->connected ? 1 : 0;
    char early = daemon->early_possible ? 1 : 0;

    if (daemon->last_line > 0)
        store_put(daemon->store, STORE_META, slice_of("log-time"),
                  (struct slice){(const char *)&daemon->last_line, sizeof(daemon->last_line)});
    store_put(daemon->store, STORE_META, slice_of("connected"), (struct slice){&connected, 1});
    store_put(daemon->store, STORE_META, slice_of("early-possible"), (struct slice){&early, 1});
}

static bool commit(struct daemon *daemon)
{
    struct logsource_position position;

    logsource_position(daemon->source, &position);
    if (position.len != daemon->committed.len ||
        memcmp(position.bytes, daemon->committed.bytes, position.len) != 0)
        daemon_put_status(daemon);
    if (position.len != daemon->committed.len ||
        memcmp(position.bytes, daemon->committed.bytes, position.len) != 0)
        store_put(daemon->store, STORE_META, slice_of("log-position"),
                  (struct slice){(const char *)position.bytes, position.len});
    ledger_flush(daemon->ledger);
    if (!store_commit(daemon->store)) {
        counters_add(COUNTER_COMMIT_FAILED);
        if (!daemon->store_fails)
            log_error("state: %s; trying again until it works", store_error(daemon->store));
        daemon->store_fails = true;
        wishes_drop(daemon);
        logsource_rewind(daemon->source, &daemon->committed);
        ledger_rewound(daemon->ledger);
        return false;
    }
    if (daemon->store_fails)
        log_info("state: written again");
    daemon->store_fails = false;
    daemon->committed = position;
    return true;
}

static void count_line(enum logsource_result result, const struct maillog_line *line)
{
    static const enum counter by_status[] = {[MAILLOG_SENT] = COUNTER_SENT,
                                             [MAILLOG_DEFERRED] = COUNTER_DEFERRED,
                                             [MAILLOG_BOUNCED] = COUNTER_BOUNCED};

    if (result != LOGSOURCE_WAIT)
        counters_add(COUNTER_LINES);
    if (result == LOGSOURCE_LINE && line->kind == MAILLOG_DELIVERY)
        counters_add(by_status[line->status]);
}

/* Returns true when the end of the log was reached. */
static bool read_log(struct daemon *daemon, int64_t now)
{
    struct maillog_line line;

    for (int n = 0; n < BATCH_LINES; n++) {
        enum logsource_result result = logsource_next(daemon->source, now, &line);
        count_line(result, &line);
        switch (result) {
        case LOGSOURCE_LINE:
            daemon->last_line = line.time;
            if (!filters_match(&daemon->filters, &line))
                ledger_line(daemon->ledger, &line);
            waker_saw(daemon->waker, &line);
            early_saw(daemon, &line);
            break;
        case LOGSOURCE_SKIP:
            break;
        case LOGSOURCE_WAIT:
            return true;
        }
    }
    return false;
}

static void sweep(struct daemon *daemon, int64_t now)
{
    if (now - daemon->last_sweep < SWEEP_EVERY && now >= daemon->last_sweep)
        return;
    daemon->last_sweep = now;
    store_check_readers(daemon->store);
    ledger_sweep(daemon->ledger, now, (int64_t)postfix_queue_lifetime(daemon->postfix) * 1000);
}

/* When to look again: when something is due, or to see whether the log has grown unnoticed. */
static int64_t next_batch(int64_t due, int64_t now)
{
    int64_t wait = due == 0 || due - now > IDLE_CHECK ? IDLE_CHECK : due - now;

    return wait > 0 ? wait : 1;
}

/* The source may lose its way to watch the log; then IDLE_CHECK alone has to do. */
static void check_descriptor(struct daemon *daemon)
{
    if (daemon->readable && logsource_descriptor(daemon->source) < 0) {
        event_free(daemon->readable);
        daemon->readable = NULL;
    }
}

static int64_t connect_every(const struct daemon *daemon)
{
    if (!daemon->connected)
        return UNCONNECTED_EVERY;
    return daemon->early_possible || config_early_mode(daemon->config) == EARLY_OFF
               ? CONNECT_EVERY
               : UNFILTERED_EVERY;
}

/* What others may have changed since: the clock, the published files, Postfix's configuration. */
static void keep_up(struct daemon *daemon, int64_t now)
{
    if (now < daemon->last_batch - CLOCK_BACK) {
        log_warning("the clock was set back: plans are made anew");
        daemon->last_check = 0;
        daemon->last_connect = 0;
        daemon->last_apart = 0;
        if (!daemon_start_ledger(daemon))
            log_fatal(71, "state: %s", store_error(daemon->store));
    }
    if (now - daemon->last_check >= CHECK_EVERY) {
        daemon->last_check = now;
        publish_filter(daemon);
        table_check(daemon->table);
    }
    if (now - daemon->last_connect >= connect_every(daemon)) {
        daemon->last_connect = now;
        publish_check(daemon);
    }
    if (now - daemon->last_apart >= APART_EVERY) {
        daemon->last_apart = now;
        daemon_tell_apart(daemon);
    }
}

static void on_batch(evutil_socket_t fd, short events, void *arg)
{
    struct daemon *daemon = arg;
    int64_t now = clock_now();
    int64_t due = 0;

    (void)fd;
    (void)events;
    lock_beat();
    notify_beat(daemon, now);
    keep_up(daemon, now);
    daemon->last_batch = now;
    if (!daemon_begin(daemon)) {
        notify_state(daemon);
        plan_batch(daemon, STORE_PAUSE);
        return;
    }
    early_store_arrivals(daemon);
    daemon->caught_up = read_log(daemon, now);
    if (daemon->caught_up) {
        check_descriptor(daemon);
        due = ledger_tick(daemon->ledger, now,
                          (struct ledger_room){waker_room(daemon->waker), early_room(daemon)});
        sweep(daemon, now);
    }
    if (!commit(daemon)) {
        notify_state(daemon);
        plan_batch(daemon, STORE_PAUSE);
        return;
    }
    notify_state(daemon);
    early_drop_arrivals(daemon, true);
    if (daemon->caught_up)
        wishes_grant(daemon);
    else
        wishes_postpone(daemon);
    early_settle_claims(daemon);
    plan_batch(daemon, daemon->caught_up ? next_batch(due, now) : 0);
}

void daemon_soon(struct daemon *daemon)
{
    int64_t since = clock_now() - daemon->last_batch;

    plan_batch(daemon, since >= 0 && since < BATCH_EVERY ? BATCH_EVERY - since : 0);
}

static void on_readable(evutil_socket_t fd, short events, void *arg)
{
    struct daemon *daemon = arg;

    (void)fd;
    (void)events;
    logsource_woken(daemon->source);
    daemon_soon(daemon);
}

static void on_settled(void *context)
{
    struct daemon *daemon = context;

    waker_run(daemon->waker);
    daemon_reload_done(daemon);
}

static void on_signal(evutil_socket_t number, short events, void *arg)
{
    char error[1024];

    (void)events;
    if (number == SIGHUP) {
        notify_reloading(arg);
        daemon_reload(arg, error, sizeof(error));
        notify_state(arg);
    } else {
        daemon_stop(arg);
    }
}

/* Behind the log it may say what has changed since. */
static struct store *policy_state(void *context)
{
    const struct daemon *daemon = context;

    return daemon->caught_up ? daemon->store : NULL;
}

static bool policy_may_test(void *context, struct slice recipient)
{
    return daemon_test_recipient(context, recipient);
}

/* Life */

void daemon_trust_log(struct daemon *daemon)
{
    const struct passwd *owner = getpwnam(postfix_mail_owner(daemon->postfix));

    logsource_trust(daemon->source,
                    postfix_logs_external(daemon->postfix) ? MAILLOG_QUOTING_EXTERNAL
                                                           : MAILLOG_QUOTING_INTERNAL,
                    owner ? owner->pw_uid : 0);
    filters_read(&daemon->filters, postfix_content_filter(daemon->postfix),
                 postfix_service_filters(daemon->postfix));
    daemon->last_apart = clock_now();
    daemon_tell_apart(daemon);
}

static bool open_log(struct daemon *daemon, char *error_r, size_t size)
{
    struct slice stored;

    if (daemon_begin(daemon)) {
        if (store_get(daemon->store, STORE_META, slice_of("log-position"), &stored) &&
            stored.len <= sizeof(daemon->committed.bytes)) {
            daemon->committed.len = (uint32_t)stored.len;
            memcpy(daemon->committed.bytes, stored.at, stored.len);
        }
        store_abort(daemon->store);
    }
    daemon->source = logsource_open(config_log(daemon->config), &daemon->committed, error_r, size);
    if (daemon->source == NULL)
        return false;
    if (daemon->committed.len == 0)
        log_info("first start: %s is read from its beginning", config_log(daemon->config));
    daemon_trust_log(daemon);
    return true;
}

/* What stands in the way is seldom memory: the disk is full. */
static bool first_ledger(struct daemon *daemon, char *error_r, size_t size)
{
    if (daemon_start_ledger(daemon))
        return true;
    if (daemon->ledger)
        snprintf(error_r, size, "state: %s", store_error(daemon->store));
    return false;
}

static bool add_events(struct daemon *daemon)
{
    static const int numbers[] = {SIGHUP, SIGTERM, SIGINT};
    int fd = logsource_descriptor(daemon->source);

    for (int i = 0; i < 3; i++) {
        daemon->signals[i] = evsignal_new(daemon->base, numbers[i], on_signal, daemon);
        if (daemon->signals[i] == NULL || event_add(daemon->signals[i], NULL) != 0)
            return false;
    }
    daemon->batch = event_new(daemon->base, -1, 0, on_batch, daemon);
    if (fd >= 0) {
        daemon->readable = event_new(daemon->base, fd, EV_READ | EV_PERSIST, on_readable, daemon);
        if (daemon->readable == NULL || event_add(daemon->readable, NULL) != 0)
            return false;
    }
    return daemon->batch != NULL;
}

static bool make_parts(struct daemon *daemon)
{
    const struct table_hooks hooks = {publish_nexthop, publish_routes, on_settled, daemon};

    daemon->base = event_base_new();
    daemon->runner = daemon->base ? child_runner_new(daemon->base) : NULL;
    if (daemon->runner == NULL)
        return false;
    daemon->table = table_new(config_state_directory(daemon->config), daemon->base, daemon->runner,
                              daemon->postfix, &hooks);
    if (daemon->table == NULL)
        return false;
    daemon->waker = waker_new(daemon->base, daemon->runner, daemon->postfix, daemon->table);
    return daemon->waker != NULL && early_begin(daemon);
}

struct daemon *daemon_new(struct config *config, struct postfix *postfix, gid_t group,
                          char *error_r, size_t size)
{
    struct daemon *daemon = calloc(1, sizeof(*daemon));
    const struct policyreq_hooks hooks = {policy_state, policy_may_test, daemon};
    bool ready;

    if (daemon == NULL) {
        snprintf(error_r, size, "out of memory");
        return NULL;
    }
    snprintf(error_r, size, "out of memory or descriptors");
    daemon->started = clock_now();
    daemon->config = config;
    daemon->postfix = postfix;
    daemon->store = store_open(config_state_directory(config), true, group, error_r, size);
    publish_judge(daemon); /* posternd asked Postfix a moment ago */
    daemon->last_connect = clock_now();
    ready = daemon->store && make_parts(daemon) && open_log(daemon, error_r, size) &&
            first_ledger(daemon, error_r, size) && add_events(daemon);
    if (ready)
        daemon->policyd = policyd_new(daemon->base, config, postfix_queue_directory(postfix),
                                      &hooks, error_r, size);
    if (daemon->policyd)
        daemon->control =
            control_new(daemon->base, daemon, config_runtime_directory(config), error_r, size);
    if (daemon->control == NULL) {
        daemon->config = NULL;
        daemon_free(&daemon);
    } else {
        control_set_metrics(daemon->control, config);
        daemon_say_warnings(config);
    }
    return daemon;
}

int daemon_run(struct daemon *daemon)
{
    char error[512];

    log_info("started: log=%s state=%s%s", config_log(daemon->config),
             config_state_directory(daemon->config),
             config_enforce(daemon->config) ? "" : " (enforce = false: observing only)");
    notify_begin(daemon);
    plan_batch(daemon, 0);
    event_base_dispatch(daemon->base);
    notify_stopping();
    child_runner_free(&daemon->runner); /* no postmap of ours may write after the withdrawal */
    if (!table_withdraw(config_state_directory(daemon->config), daemon->postfix, error,
                        sizeof(error)))
        log_error("cannot withdraw the routes: %s", error);
    log_info("stopped");
    return 0;
}

void daemon_stop(struct daemon *daemon)
{
    event_base_loopbreak(daemon->base);
}

static void free_events(struct daemon *daemon)
{
    struct event *events[] = {daemon->batch, daemon->readable, daemon->signals[0],
                              daemon->signals[1], daemon->signals[2]};

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i])
            event_free(events[i]);
}

void daemon_free(struct daemon **daemon)
{
    struct daemon *d = *daemon;

    if (d == NULL)
        return;
    early_end(d);
    if (d->reload)
        control_reply_send(&d->reload, false, NULL);
    control_free(&d->control);
    policyd_free(&d->policyd);
    free_events(d);
    waker_free(&d->waker);
    table_free(&d->table);
    if (d->runner)
        child_runner_free(&d->runner);
    logsource_close(&d->source);
    logtags_free(&d->tags);
    ledger_free(&d->ledger);
    store_close(&d->store);
    if (d->base)
        event_base_free(d->base);
    wishes_drop(d);
    free(d->wishes.list);
    config_free(&d->config);
    free(d);
    *daemon = NULL;
}
