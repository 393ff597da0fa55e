/* Reports of delays: for warn_after_retries, and at the door (postern-retrycap). */
#include "daemon_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "address.h"
#include "clock.h"
#include "control.h"
#include "dsn.h"
#include "failure.h"
#include "log.h"
#include "rules.h"
#include "say.h"
#include "text.h"

enum { REASON_MAX = 900 };

/* A destination that mail waits for, and what a message of now can expect of it. */
struct wait {
    const struct destination_record *to;
    uint64_t failures; /* that count for the message */
    uint32_t cap;      /* 0: none */
    uint32_t interval; /* s */
};

struct texts {
    char reason[REASON_MAX];
    char host[RECORD_HOST_MAX];
};

static void say_reason(char *text, const struct wait *wait)
{
    char since[SAY_MAX];
    char lasted[SAY_MAX];
    int64_t now = clock_now();

    snprintf(text, REASON_MAX,
             "its mail server could not be reached for %s (since %s); %" PRIu64
             " attempts failed. The last error was: %.500s",
             say_duration_words(lasted, now - wait->to->d.since),
             say_time(since, wait->to->d.since), destination_failures(&wait->to->d),
             wait->to->error);
}

/* When it is given up: by the cap, or else by Postfix. */
static int64_t retried_until(const struct daemon *daemon, const struct wait *wait, int64_t arrived)
{
    int64_t end = arrived + (int64_t)postfix_queue_lifetime(daemon->postfix) * 1000;
    int64_t left = wait->cap > wait->failures ? (int64_t)(wait->cap - wait->failures) : 0;
    int64_t capped = clock_now() + left * wait->interval * 1000;

    return wait->cap > 0 && capped < end ? capped : end;
}

static void describe(const struct daemon *daemon, struct dsn_recipient *r, struct texts *texts,
                     const char *address, const struct envelope *envelope, const struct wait *wait)
{
    const struct envelope_recipient *known = envelope_find(envelope, slice_of(address));

    say_reason(texts->reason, wait);
    slice_copy(texts->host, sizeof(texts->host), failure_host_of(slice_of(wait->to->error)));
    *r = (struct dsn_recipient){.address = address,
                                .original = known ? known->original : NULL,
                                .status = "4.4.1",
                                .remote_mta = texts->host[0] ? texts->host : NULL,
                                .reason = texts->reason,
                                .last_attempt = wait->to->d.last_counted,
                                .retry_until = retried_until(daemon, wait, envelope->arrived)};
}

static const char summary[] = "You will be told if it cannot be delivered by then.";

static bool send(struct daemon *daemon, const struct envelope *envelope,
                 struct dsn_recipient *recipients, size_t count, reporter_done *done, void *arg)
{
    struct dsn_report report = daemon_report_about(envelope);

    report.action = DSN_DELAYED;
    report.body = (struct slice){NULL, 0}; /* RFC 3461 section 4.3: only of failures */
    report.summary = summary;
    report.recipients = recipients;
    report.count = count;
    return reporter_send(daemon_reporter(daemon), &report, done, arg);
}

/* Messages that wait */

struct delayed {
    struct daemon *daemon;
    char *queue_id;
};

static void delay_is_over(struct daemon *daemon, const char *queue_id, bool sent)
{
    bool written = daemon_begin(daemon);

    if (written) {
        ledger_delayed(daemon->ledger, slice_of(queue_id), sent, clock_now());
        written = store_commit(daemon->store);
    }
    if (!written)
        log_error("%s: state: %s", queue_id, store_error(daemon->store));
    daemon_soon(daemon);
}

static void on_delayed(void *arg, bool sent)
{
    struct delayed *delayed = arg;

    delay_is_over(delayed->daemon, delayed->queue_id, sent);
    free(delayed->queue_id);
    free(delayed);
}

static bool send_delay(struct daemon *daemon, const struct ledger_delay *delay,
                       struct delayed *delayed)
{
    struct dsn_recipient *recipients = calloc(delay->count, sizeof(*recipients));
    struct texts *texts = calloc(delay->count, sizeof(*texts));
    bool sent = false;

    if (recipients && texts) {
        for (size_t i = 0; i < delay->count; i++) {
            const struct ledger_delayed *one = &delay->list[i];
            const struct wait wait = {&one->to, one->retries, one->cap, one->interval};
            describe(daemon, &recipients[i], &texts[i], one->recipient, delay->envelope, &wait);
        }
        sent = send(daemon, delay->envelope, recipients, delay->count, on_delayed, delayed);
    }
    free(recipients);
    free(texts);
    return sent;
}

void delay_send(struct daemon *daemon, const char *queue_id)
{
    struct delayed *delayed = calloc(1, sizeof(*delayed));
    struct ledger_delay delay;
    bool loaded = false;
    bool begun = false;

    if (delayed && (delayed->queue_id = strdup(queue_id)) != NULL && daemon_begin(daemon)) {
        delayed->daemon = daemon;
        loaded = ledger_delay_load(daemon->ledger, slice_of(queue_id), &delay);
        store_abort(daemon->store);
    }
    if (loaded) {
        begun = send_delay(daemon, &delay, delayed);
        ledger_delay_free(&delay);
    }
    if (begun)
        return;
    if (delayed)
        free(delayed->queue_id);
    free(delayed);
    delay_is_over(daemon, queue_id, false);
}

/* At the door */

/* A recipient that the sender is told of. */
struct warned {
    char *address;
    uint32_t destination; /* its id */
    int64_t since;        /* when that went down */
};

/* A report that is on its way. */
struct warning {
    struct daemon *daemon;
    struct control_reply *reply; /* owed to the milter */
    char *queue_id;
    int64_t arrived;
    struct warned *list;
    size_t count;
};

static void warning_free(struct warning **warning)
{
    struct warning *w = *warning;

    *warning = NULL;
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->count; i++)
        free(w->list[i].address);
    free(w->list);
    free(w->queue_id);
    free(w);
}

static struct warning *warning_new(struct daemon *daemon, const struct envelope *envelope,
                                   size_t most, struct control_reply *reply)
{
    struct warning *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return NULL;
    *w = (struct warning){.daemon = daemon,
                          .reply = reply,
                          .queue_id = strdup(envelope->queue_id),
                          .arrived = envelope->arrived,
                          .list = calloc(most + 1, sizeof(*w->list))};
    if (w->queue_id == NULL || w->list == NULL)
        warning_free(&w);
    return w;
}

static void say_warned(const struct warning *w)
{
    char since[SAY_MAX];

    for (size_t i = 0; i < w->count; i++)
        log_info("%s: delay-report to=<%s> since=\"%s\"", w->queue_id, w->list[i].address,
                 say_time(since, w->list[i].since));
}

/* warn_after_retries need not tell the sender again. */
static void note_warned(const struct warning *w)
{
    struct daemon *daemon = w->daemon;
    bool written = daemon_begin(daemon);

    for (size_t i = 0; written && i < w->count; i++) {
        const struct ledger_warned warned = {.queue_id = slice_of(w->queue_id),
                                             .recipient = slice_of(w->list[i].address),
                                             .arrived = w->arrived,
                                             .destination = w->list[i].destination};
        ledger_warned(daemon->ledger, &warned, clock_now());
    }
    written = written && store_commit(daemon->store);
    if (!written)
        log_error("%s: state: %s; its sender may be told of the delay again", w->queue_id,
                  store_error(daemon->store));
    daemon_soon(daemon);
}

static void on_warned(void *arg, bool sent)
{
    struct warning *w = arg;

    if (sent) {
        say_warned(w);
        note_warned(w);
    }
    control_reply_send(&w->reply, sent, NULL);
    warning_free(&w);
}

/* False: its destination is not down (any more). Within a transaction. */
static bool describe_down(struct daemon *daemon, struct dsn_recipient *r, struct texts *texts,
                          struct destination_record *to, const struct envelope *envelope,
                          const char *address)
{
    char domain[ROUTE_KEY_MAX];
    char name[sizeof(to->name)];
    struct rules rules;
    struct wait wait;

    if (route_domain(domain, sizeof(domain), slice_of(address)) == 0)
        return false;
    rules_name(daemon->config, slice_of(domain), name, sizeof(name));
    if (!record_load_destination(daemon->store, slice_of(name), to) ||
        to->d.health == DESTINATION_UP)
        return false;
    rules = rules_of(daemon->config, to);
    wait = (struct wait){to, 0, rules.cap, rules.policy->open_interval};
    describe(daemon, r, texts, address, envelope, &wait);
    return true;
}

/* False: it was named before, maybe written in another way. Postfix sends it one copy. */
static bool is_new(json_t *seen, const char *address)
{
    char canonical[ADDRESS_MAX + 1];

    if (address_canonical(canonical, slice_of(address)) == 0)
        return true;
    return json_object_get(seen, canonical) == NULL &&
           json_object_set_new(seen, canonical, json_true()) == 0;
}

/* Of as many recipients as there may be. */
struct description {
    struct dsn_recipient *recipients;
    struct destination_record *to;
    struct texts *texts;
    json_t *seen;
};

static bool description_begin(struct description *d, size_t most)
{
    *d = (struct description){.recipients = calloc(most + 1, sizeof(*d->recipients)),
                              .to = calloc(most + 1, sizeof(*d->to)),
                              .texts = calloc(most + 1, sizeof(*d->texts)),
                              .seen = json_object()};
    return d->recipients && d->to && d->texts && d->seen;
}

static void description_end(struct description *d)
{
    free(d->recipients);
    free(d->to);
    free(d->texts);
    json_decref(d->seen);
}

static void describe_one(struct warning *w, struct description *d, const struct envelope *envelope,
                         const char *address)
{
    size_t n = w->count;

    if (address == NULL || !text_is_clean(address) || !is_new(d->seen, address) ||
        !describe_down(w->daemon, &d->recipients[n], &d->texts[n], &d->to[n], envelope, address))
        return;
    w->list[n] = (struct warned){strdup(address), d->to[n].d.id, d->to[n].d.since};
    if (w->list[n].address)
        w->count++;
}

static bool warn(struct warning *w, const struct envelope *envelope, const json_t *addresses)
{
    struct description d;
    const json_t *address;
    bool sent = false;
    size_t i;

    if (description_begin(&d, json_array_size(addresses)) && daemon_begin(w->daemon)) {
        json_array_foreach(addresses, i, address)
        {
            describe_one(w, &d, envelope, json_string_value(address));
        }
        store_abort(w->daemon->store);
    }
    if (w->count > 0 && reporter_room(daemon_reporter(w->daemon)) > 0)
        sent = send(w->daemon, envelope, d.recipients, w->count, on_warned, w);
    description_end(&d);
    return sent;
}

void daemon_warn(struct daemon *daemon, const json_t *body, struct control_reply *reply)
{
    struct envelope *envelope = envelope_from_json(json_object_get(body, "envelope"));
    const json_t *addresses = json_object_get(body, "recipients");
    struct warning *w = NULL;

    if (envelope && json_is_array(addresses) && envelope->sender[0] != '\0' &&
        json_array_size(addresses) <= ENVELOPE_RECIPIENTS_MAX)
        w = warning_new(daemon, envelope, json_array_size(addresses), reply);
    if (w == NULL || !warn(w, envelope, addresses)) {
        control_reply_send(&reply, false, NULL);
        warning_free(&w);
    }
    envelope_free(&envelope);
}
