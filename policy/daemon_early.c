/*
 * Early reports in posternd: what the door tells, posternd's own reports, and what becomes of
 * Postfix's.
 */
#include "daemon_internal.h"

#include <stdlib.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "classify.h"
#include "clock.h"
#include "control.h"
#include "dsn.h"
#include "log.h"

enum {
    ENVELOPES_MAX = 4000, /* not yet written; more are left to Postfix */
    ENVELOPES_BYTES_MAX = 32 << 20,
    CLAIMS_MAX = 200, /* Postfix's reports that wait for an answer; more pass as they are */
    CLAIM_SECONDS = 3,
};

/* One that the door told of, not yet written. */
struct arrival {
    STAILQ_ENTRY(arrival) link;
    char *queue_id;
    int64_t arrived;
    char *json;
    size_t len;
    struct control_reply *reply; /* of the last one of a request; else NULL */
};

/* A report of Postfix's, asked about by the milter. */
struct claim {
    LIST_ENTRY(claim) link;
    struct daemon *daemon;
    struct control_reply *reply;
    struct event *deadline;
    json_t *body; /* checked */
};

/* A report about known-bad recipients that the milter waits for. */
struct door_report {
    struct control_reply *reply;
};

/* One about bounced recipients. */
struct flight_report {
    struct daemon *daemon;
    char *queue_id;
};

STAILQ_HEAD(arrivals, arrival);
LIST_HEAD(claims, claim);

struct daemon_early {
    struct arrivals arrivals;
    size_t arrival_count;
    size_t arrival_bytes;
    struct claims claims;
    size_t claim_count;
    struct origins *origins;
    struct reporter *reporter;
};

/* --- What the door saw --- */

static void drop_arrival(struct daemon_early *early, struct arrival *arrival, bool written)
{
    early->arrival_count--;
    early->arrival_bytes -= arrival->len;
    if (arrival->reply)
        control_reply_send(&arrival->reply, written, NULL);
    free(arrival->queue_id);
    free(arrival->json);
    free(arrival);
}

static struct arrival *make_arrival(const struct envelope *envelope)
{
    struct arrival *arrival = calloc(1, sizeof(*arrival));
    json_t *json = envelope_to_json(envelope);

    if (arrival) {
        arrival->queue_id = strdup(envelope->queue_id);
        arrival->json = json ? json_dumps(json, JSON_COMPACT) : NULL;
        arrival->arrived = envelope->arrived;
    }
    json_decref(json);
    if (arrival && arrival->queue_id && arrival->json) {
        arrival->len = strlen(arrival->json);
        return arrival;
    }
    if (arrival) {
        free(arrival->queue_id);
        free(arrival->json);
    }
    free(arrival);
    return NULL;
}

/* NULL: it is of no use, or there are too many. */
static struct arrival *add_arrival(struct daemon_early *early, const json_t *json)
{
    struct envelope *envelope = envelope_from_json(json);
    struct arrival *arrival = NULL;

    if (envelope && envelope->sender[0] && early->arrival_count < ENVELOPES_MAX &&
        early->arrival_bytes < ENVELOPES_BYTES_MAX)
        arrival = make_arrival(envelope);
    envelope_free(&envelope);
    if (arrival == NULL)
        return NULL;
    early->arrival_count++;
    early->arrival_bytes += arrival->len;
    STAILQ_INSERT_TAIL(&early->arrivals, arrival, link);
    return arrival;
}

void daemon_envelopes(struct daemon *daemon, const json_t *body, struct control_reply *reply)
{
    struct arrival *last = NULL;
    const json_t *one;
    size_t i;

    json_array_foreach(body, i, one)
    {
        struct arrival *arrival = add_arrival(daemon->early, one);
        last = arrival ? arrival : last;
    }
    if (last)
        last->reply = reply;
    else
        control_reply_send(&reply, false, NULL);
    daemon_soon(daemon);
}

void early_store_arrivals(struct daemon *daemon)
{
    struct arrival *arrival;

    STAILQ_FOREACH(arrival, &daemon->early->arrivals, link)
    ledger_envelope(daemon->ledger, slice_of(arrival->queue_id), arrival->arrived,
                    (struct slice){arrival->json, arrival->len});
}

void early_drop_arrivals(struct daemon *daemon, bool written)
{
    struct daemon_early *early = daemon->early;
    struct arrival *arrival;

    while ((arrival = STAILQ_FIRST(&early->arrivals)) != NULL) {
        STAILQ_REMOVE_HEAD(&early->arrivals, link);
        drop_arrival(early, arrival, written);
    }
}

/* --- Reports --- */

/* What was said, with the server's own words in `reply`. */
static void describe(struct dsn_recipient *r, const char *host, const char *text, char *reply,
                     size_t size)
{
    struct reply_parts said;

    r->reason = text;
    if (host[0] == '\0' || !reply_parse(slice_of(text), &said))
        return;
    slice_copy(reply, size, said.words);
    r->remote_mta = host;
    r->diagnostic = reply;
}

static struct dsn_report report_about(const struct envelope *envelope)
{
    struct dsn_report report = {.action = DSN_FAILED,
                                .to = envelope->sender,
                                .id = envelope->id,
                                .queue_id = envelope->queue_id,
                                .arrived = envelope->arrived,
                                .utf8 = envelope->utf8,
                                .header = {envelope->header, envelope->header_len}};

    if (envelope->wanted == ENVELOPE_RETURN_FULL && envelope->body)
        report.body = (struct slice){envelope->body, envelope->body_len};
    return report;
}

/* The texts of one recipient. */
struct texts {
    char reply[RECORD_REPLY_MAX];
};

static void describe_bounced(struct dsn_recipient *to, struct texts *texts,
                             const struct envelope *envelope, struct ledger_bounced *from)
{
    const char *expanded = from->record.original;
    const struct envelope_recipient *known = envelope_find(envelope, slice_of(from->recipient));

    if (known == NULL && expanded[0])
        known = envelope_find(envelope, slice_of(expanded));
    *to = (struct dsn_recipient){.address = from->recipient,
                                 .original = known ? known->original : NULL,
                                 .expanded = expanded[0] ? expanded : NULL,
                                 .status = from->record.e.status,
                                 .last_attempt = from->record.e.bounced};
    describe(to, from->record.host, from->record.text, texts->reply, sizeof(texts->reply));
}

static bool send_flight(struct daemon *daemon, struct ledger_report *bounced,
                        struct flight_report *flight, reporter_done *done)
{
    struct dsn_recipient *recipients = calloc(bounced->count, sizeof(*recipients));
    struct texts *texts = calloc(bounced->count, sizeof(*texts));
    struct dsn_report report = report_about(bounced->envelope);
    bool sent = false;

    if (recipients && texts) {
        for (size_t i = 0; i < bounced->count; i++)
            describe_bounced(&recipients[i], &texts[i], bounced->envelope, &bounced->bounced[i]);
        report.recipients = recipients;
        report.count = bounced->count;
        sent = reporter_send(daemon->early->reporter, &report, done, flight);
    }
    free(recipients);
    free(texts);
    return sent;
}

static void flight_is_over(struct daemon *daemon, const char *queue_id, bool sent)
{
    bool written = daemon_begin(daemon);

    if (written) {
        ledger_reported(daemon->ledger, slice_of(queue_id), sent, clock_now());
        written = store_commit(daemon->store);
    }
    if (!written)
        log_error("%s: state: %s; Postfix reports it as well", queue_id,
                  store_error(daemon->store));
    early_settle_claims(daemon);
    daemon_soon(daemon);
}

static void on_flight(void *arg, bool sent)
{
    struct flight_report *flight = arg;

    flight_is_over(flight->daemon, flight->queue_id, sent);
    free(flight->queue_id);
    free(flight);
}

void early_send(struct daemon *daemon, const char *queue_id)
{
    struct flight_report *flight = calloc(1, sizeof(*flight));
    struct ledger_report report;
    bool loaded = false;
    bool begun = false;

    if (flight && (flight->queue_id = strdup(queue_id)) != NULL && daemon_begin(daemon)) {
        flight->daemon = daemon;
        loaded = ledger_report_load(daemon->ledger, slice_of(queue_id), &report);
        store_abort(daemon->store);
    }
    if (loaded) {
        begun = send_flight(daemon, &report, flight, on_flight);
        ledger_report_free(&report);
    }
    if (begun)
        return;
    if (flight)
        free(flight->queue_id);
    free(flight);
    flight_is_over(daemon, queue_id, false);
}

unsigned early_room(const struct daemon *daemon)
{
    return reporter_room(daemon->early->reporter);
}

/* --- Reports about known-bad recipients, dropped at the door --- */

static void on_door(void *arg, bool sent)
{
    struct door_report *door = arg;

    control_reply_send(&door->reply, sent, NULL);
    free(door);
}

/* False: it is not known to be bad any more, and nothing may be said of it. */
static bool describe_bad(struct daemon *daemon, struct dsn_recipient *to, struct bad_record *record,
                         struct texts *texts, const struct envelope *envelope, const char *address)
{
    const struct envelope_recipient *known = envelope_find(envelope, slice_of(address));
    char canonical[ADDRESS_MAX + 1];
    size_t len = address_canonical(canonical, slice_of(address));

    if (known == NULL || !early_wanted(envelope, known) ||
        !record_load_bad(daemon->store, (struct slice){canonical, len}, record))
        return false;
    *to = (struct dsn_recipient){.address = known->address,
                                 .original = known->original,
                                 .status = record->status,
                                 .last_attempt = record->b.learned};
    describe(to, record->host, record->text, texts->reply, sizeof(texts->reply));
    return true;
}

/* All of them, or none: the milter drops those it asked for. */
static bool describe_all(struct daemon *daemon, struct dsn_recipient *recipients,
                         struct bad_record *records, struct texts *texts,
                         const struct envelope *envelope, const json_t *addresses)
{
    bool good = daemon_begin(daemon);
    const json_t *address;
    size_t i;

    if (!good)
        return false;
    json_array_foreach(addresses, i, address)
    {
        good = good && json_is_string(address) &&
               describe_bad(daemon, &recipients[i], &records[i], &texts[i], envelope,
                            json_string_value(address));
    }
    store_abort(daemon->store);
    return good;
}

static bool send_door(struct daemon *daemon, const struct envelope *envelope,
                      const json_t *addresses, struct door_report *door)
{
    size_t count = json_array_size(addresses);
    struct dsn_recipient *recipients = calloc(count + 1, sizeof(*recipients));
    struct bad_record *records = calloc(count + 1, sizeof(*records));
    struct texts *texts = calloc(count + 1, sizeof(*texts));
    struct dsn_report report = report_about(envelope);
    bool sent = recipients && records && texts && count > 0 && envelope->sender[0] &&
                reporter_room(daemon->early->reporter) > 0 &&
                describe_all(daemon, recipients, records, texts, envelope, addresses);

    report.recipients = recipients;
    report.count = count;
    report.summary = "This was said about an earlier message, and was not tried again with this "
                     "one. If the address exists by now, please send the message again in a day.";
    sent = sent && reporter_send(daemon->early->reporter, &report, on_door, door);
    free(recipients);
    free(records);
    free(texts);
    return sent;
}

void daemon_report(struct daemon *daemon, const json_t *body, struct control_reply *reply)
{
    struct envelope *envelope = envelope_from_json(json_object_get(body, "envelope"));
    const json_t *addresses = json_object_get(body, "recipients");
    struct door_report *door = calloc(1, sizeof(*door));

    if (door)
        door->reply = reply;
    if (door == NULL || envelope == NULL || !json_is_array(addresses) ||
        !send_door(daemon, envelope, addresses, door)) {
        free(door);
        control_reply_send(&reply, false, NULL);
    }
    envelope_free(&envelope);
}

/* --- Postfix's own reports --- */

static void end_claim(struct claim *claim, bool done, json_t *answer)
{
    LIST_REMOVE(claim, link);
    claim->daemon->early->claim_count--;
    control_reply_send(&claim->reply, done, answer);
    if (claim->deadline)
        event_free(claim->deadline);
    json_decref(claim->body);
    free(claim);
}

/* The answer about each; NULL: one of ours is on its way. Within a transaction. */
static json_t *answer_claim(struct daemon *daemon, const json_t *body, bool *wait_r)
{
    struct slice id = slice_of(json_string_value(json_object_get(body, "queue_id")));
    json_t *list = json_array();
    const json_t *address;
    size_t i;

    *wait_r = false;
    json_array_foreach(json_object_get(body, "recipients"), i, address)
    {
        enum ledger_claim claim =
            ledger_claim(daemon->ledger, id, slice_of(json_string_value(address)));
        *wait_r |= claim == LEDGER_CLAIM_WAIT;
        json_array_append_new(list, json_boolean(claim == LEDGER_CLAIM_DROP));
    }
    return json_pack("{s:o}", "reported", list);
}

static void settle_claim(struct claim *claim)
{
    struct daemon *daemon = claim->daemon;
    const char *report = json_string_value(json_object_get(claim->body, "report"));
    enum origin origin = origins_of(daemon->early->origins, slice_of(report));
    json_t *answer;
    bool written;
    bool wait;

    if (origin == ORIGIN_SUBMITTED)
        end_claim(claim, false, NULL);
    if (origin != ORIGIN_INTERNAL)
        return;
    if (!daemon_begin(daemon)) {
        end_claim(claim, false, NULL);
        return;
    }
    answer = answer_claim(daemon, claim->body, &wait);
    written = store_commit(daemon->store);
    if (written && wait)
        json_decref(answer);
    else
        end_claim(claim, written, answer);
}

void early_settle_claims(struct daemon *daemon)
{
    struct claim *claim = LIST_FIRST(&daemon->early->claims);

    while (claim) {
        struct claim *next = LIST_NEXT(claim, link);
        settle_claim(claim);
        claim = next;
    }
}

static void on_claim_deadline(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    end_claim(arg, false, NULL);
}

static bool is_claim(const json_t *body)
{
    const json_t *list = json_object_get(body, "recipients");
    const json_t *address;
    size_t i;

    if (!json_is_string(json_object_get(body, "queue_id")) ||
        !json_is_string(json_object_get(body, "report")) || !json_is_array(list) ||
        json_array_size(list) > ENVELOPE_RECIPIENTS_MAX)
        return false;
    json_array_foreach(list, i, address) if (!json_is_string(address)) return false;
    return true;
}

void daemon_bounce(struct daemon *daemon, const json_t *body, struct control_reply *reply)
{
    struct daemon_early *early = daemon->early;
    const struct timeval patience = {CLAIM_SECONDS, 0};
    struct claim *claim =
        is_claim(body) && early->claim_count < CLAIMS_MAX ? calloc(1, sizeof(*claim)) : NULL;

    if (claim == NULL) {
        control_reply_send(&reply, false, NULL);
        return;
    }
    claim->daemon = daemon;
    claim->reply = reply;
    claim->body = json_incref((json_t *)(uintptr_t)body);
    claim->deadline = evtimer_new(daemon->base, on_claim_deadline, claim);
    LIST_INSERT_HEAD(&early->claims, claim, link);
    early->claim_count++;
    if (claim->deadline == NULL || evtimer_add(claim->deadline, &patience) != 0)
        end_claim(claim, false, NULL);
    else
        settle_claim(claim);
}

void early_saw(struct daemon *daemon, const struct maillog_line *line)
{
    origins_saw(daemon->early->origins, line);
}

/* --- Life --- */

bool early_begin(struct daemon *daemon)
{
    struct daemon_early *early = calloc(1, sizeof(*early));

    daemon->early = early;
    if (early == NULL)
        return false;
    STAILQ_INIT(&early->arrivals);
    LIST_INIT(&early->claims);
    early->origins = origins_new();
    early->reporter = reporter_new(daemon->runner, daemon->postfix);
    return early->origins && early->reporter;
}

void early_end(struct daemon *daemon)
{
    struct daemon_early *early = daemon->early;

    if (early == NULL)
        return;
    while (!LIST_EMPTY(&early->claims))
        end_claim(LIST_FIRST(&early->claims), false, NULL);
    early_drop_arrivals(daemon, false);
    origins_free(&early->origins);
    reporter_free(&early->reporter);
    free(early);
    daemon->early = NULL;
}
