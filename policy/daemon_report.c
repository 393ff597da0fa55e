/* posternd's own reports about failures: of bounced recipients, and of those dropped at the door.
 */
#include "daemon_early.h"

#include <stdlib.h>

#include "classify.h"
#include "clock.h"
#include "control.h"
#include "dsn.h"
#include "log.h"

/* One about bounced recipients. */
struct flight_report {
    struct daemon *daemon;
    char *queue_id;
};

/* A report about known-bad recipients that the milter waits for. */
struct door_report {
    struct control_reply *reply;
};

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

struct dsn_report daemon_report_about(const struct envelope *envelope)
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
    struct dsn_report report = daemon_report_about(bounced->envelope);
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

/* Known-bad recipients, dropped at the door */

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
    struct dsn_report report = daemon_report_about(envelope);
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
