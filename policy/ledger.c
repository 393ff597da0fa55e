/* What a log line changes. */
#include "ledger_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "counters.h"
#include "failure.h"
#include "log.h"
#include "probation.h"

/* default_destination_recipient_limit */
enum { NORMAL_RECIPIENTS = 50 };

/* How precisely last_open is kept; writing it for each delivery would cost more than reading them.
 */
enum { LAST_OPEN_STEP = 1000 };

/* Outages that begin in the same second, as they may by chance. */
enum { CROWD = 20 };

struct ledger *ledger_new(struct store *store, const struct config *config,
                          const struct ledger_actions *actions, void *context)
{
    struct ledger *l = calloc(1, sizeof(*l));
    char error[512];

    if (l == NULL)
        return NULL;
    l->store = store;
    l->config = config;
    l->actions = actions;
    l->context = context;
    l->enforce = config_enforce(config);
    l->lanes_possible = true;
    l->pools = config_lanes_mode(config);
    l->normal_recipients = NORMAL_RECIPIENTS;
    ledger_set_tags(l, "postfix", "smtp");
    if (config_outbound_limits(config)) {
        l->classifier = classifier_of_config(config, error, sizeof(error));
        if (l->classifier == NULL)
            log_error("recipient_limits: %s", error);
    }
    return l;
}

void ledger_set_enforce(struct ledger *l, bool enforce)
{
    l->enforce = enforce;
}

void ledger_set_lanes(struct ledger *l, bool possible, uint32_t normal_recipients)
{
    l->lanes_possible = possible;
    l->normal_recipients = normal_recipients;
}

void ledger_set_tags(struct ledger *l, const char *syslog_name, const char *smtp_tag)
{
    l->syslog_name = syslog_name;
    snprintf(l->smtp_tag, sizeof(l->smtp_tag), "%s", smtp_tag);
}

void ledger_set_pools(struct ledger *l, enum lanes_mode mode)
{
    l->pools = mode;
}

void ledger_set_early(struct ledger *l, const struct ledger_early *early)
{
    l->early = *early;
}

void ledger_free(struct ledger **ledger)
{
    if (*ledger)
        classifier_free(&(*ledger)->classifier);
    free(*ledger);
    *ledger = NULL;
}

/*
 * The log gives durations with two digits (util/format_tv.c), so that ended - trying may lie before
 * the true start. Rather too late: a retry must not seem to come before its time.
 */
static struct attempt attempt_of(const struct maillog_line *line, bool skipped)
{
    int64_t slack = line->trying >= 10000 ? 1000 : line->trying / 10;
    int64_t trying = skipped ? 0 : line->trying - slack;

    return (struct attempt){line->time - trying, line->time, skipped};
}

static bool load_destination(struct ledger *l, struct subject *s, const struct maillog_line *line)
{
    char domain[ROUTE_KEY_MAX];
    size_t len = route_domain(domain, sizeof(domain), line->recipient);

    if (len == 0)
        return false;
    subject_load_domain(l, s, (struct slice){domain, len});
    return true;
}

/* A record for this recipient of this message: the one that is there, or a new one. */
static bool open_case(struct ledger *l, struct case_file *c, const struct maillog_line *line,
                      const struct attempt *attempt)
{
    int64_t arrived = line->time - line->delay;

    if (!case_load(l, c, line->queue_id, line->recipient))
        return false;
    if (c->exists && recipient_is_other_message(&c->r, arrived, line->delay))
        case_forget(l, c);
    if (!c->exists) {
        memset(&c->r, 0, sizeof(c->r));
        c->before = c->r;
        c->r.arrived = arrived;
        c->r.first_failure = attempt->started;
    }
    c->r.last_seen = attempt->started;
    c->r.at_gate = false;
    c->r.rerouted = false;
    return true;
}

static struct attempt_record attempt_record_of(const struct maillog_line *line,
                                               const struct attempt *attempt, enum failure kind,
                                               uint64_t number)
{
    struct attempt_record a;

    memset(&a, 0, sizeof(a));
    a.started = attempt->started;
    a.ended = attempt->ended;
    a.number = number;
    a.kind = (uint8_t)kind;
    slice_copy(a.queue_id, sizeof(a.queue_id), line->queue_id);
    slice_copy(a.text, sizeof(a.text), failure_reason(line));
    return a;
}

static void note_attempt(struct ledger *l, struct case_file *c, const struct maillog_line *line,
                         const struct attempt *attempt, enum failure kind)
{
    struct attempt_record a = attempt_record_of(line, attempt, kind, ++c->r.failures);

    record_save_attempt(l->store, key_slice(&c->key), &a);
}

/* A group's domains are remembered so that a hold can name them. */
static void note_domain(struct ledger *l, struct subject *s, struct slice recipient)
{
    struct key key = {sizeof(s->record.d.id), {0}};
    struct slice found;
    size_t len;

    if (s->rules.group == NULL)
        return;
    memcpy(key.bytes, &s->record.d.id, key.len);
    len = route_domain((char *)key.bytes + key.len, ROUTE_KEY_MAX, recipient);
    key.len += len;
    if (store_get(l->store, STORE_DOMAIN, key_slice(&key), &found))
        return;
    store_put(l->store, STORE_DOMAIN, key_slice(&key), (struct slice){"", 0});
    if (s->record.d.health == DESTINATION_DOWN)
        work_hold_domain(l, (struct slice){(char *)key.bytes + key.len - len, len}, true);
    lanes_note_domain(l, s, (struct slice){(char *)key.bytes + key.len - len, len});
    pools_note_domain(l, s, (struct slice){(char *)key.bytes + key.len - len, len});
}

/* Many that fail in the same second are not to be probed in the same second. */
static void one_of_a_crowd(struct ledger *l, struct subject *s, int64_t now)
{
    if (l->crowd.second != now / 1000)
        l->crowd = (struct crowd){now / 1000, 0};
    if (++l->crowd.count > CROWD)
        destination_spread(&s->record.d, s->policy, l->crowd.count - CROWD);
}

/* What a counted retry brings with it: history, the hold, messages over the cap. */
static void retry_was_counted(struct ledger *l, struct subject *s, const struct maillog_line *line,
                              const struct attempt *attempt, struct destination_change change)
{
    struct destination *d = &s->record.d;
    enum failure kind = attempt->skipped ? FAILURE_SUSPENDED : FAILURE_OPEN;
    struct attempt_record a = attempt_record_of(line, attempt, kind, ++d->recorded);
    unsigned wakes = 0;

    counters_add(COUNTER_OPEN_RETRIES);
    slice_copy(s->record.error, sizeof(s->record.error), failure_reason(line));
    probation_failed(d, change.outage_began, attempt->ended);
    pools_update(l, s, attempt->ended);
    subject_save(l, s); /* gives a new one its id */
    record_save_retry(l->store, d->id, &a);
    if (change.outage_began)
        one_of_a_crowd(l, s, attempt->ended);
    if (hosts_failed(l, s, line))
        change.held = destination_hold_now(d, s->policy);
    if (change.held) {
        work_hold(l, s, true);
        if (!d->held)
            say_down(l, s);
        d->held = true;
    }
    work_go_on(l, s, attempt->ended, &wakes);
}

/* In an outage the destination's retries wake it, and no plan of its own. */
static void leave_to_destination(struct case_file *c, const struct subject *s)
{
    if (c->r.give_up != GIVE_UP_NOT || s->record.d.health == DESTINATION_UP)
        return;
    c->r.next = 0;
    c->r.wakes = 0;
}

static void open_failed(struct ledger *l, const struct maillog_line *line, bool skipped)
{
    struct attempt attempt = attempt_of(line, skipped);
    struct destination_change change;
    struct subject s;
    struct case_file c;
    uint64_t limit;

    if (!load_destination(l, &s, line) || !open_case(l, &c, line, &attempt))
        return;
    change = destination_failed(&s.record.d, s.policy, &attempt);
    if (s.record.d.id == 0)
        subject_save(l, &s);
    lanes_note_service(l, &s, line);
    case_assign(l, &c, &s);
    note_attempt(l, &c, line, &attempt, skipped ? FAILURE_SUSPENDED : FAILURE_OPEN);
    note_domain(l, &s, line->recipient);
    case_wait(&c, &s.record.d, !skipped || s.policy->count_suspended);
    leave_to_destination(&c, &s);
    case_save(l, &c);
    if (change.counted)
        retry_was_counted(l, &s, line, &attempt, change);
    else if (destination_over_cap(&s.record.d, s.rules.cap, &limit) && c.r.waiting &&
             c.r.give_up == GIVE_UP_NOT && c.r.baseline <= limit)
        s.record.d.work = attempt.ended; /* it shares the retry that was one too many */
    subject_save(l, &s);
}

void outage_ended(struct ledger *l, struct subject *s, const struct attempt *attempt)
{
    struct destination *d = &s->record.d;
    struct destination before = *d;

    if (!destination_opened(d, attempt))
        return;
    work_hold(l, s, false);
    pools_update(l, s, attempt->ended);
    if (d->lane == 0 && d->pool == POOL_DEFAULT)
        subject_forget_domains(l, s);
    if (before.held)
        say_up(l, s, destination_failures(&before), before.since, attempt->ended);
    d->draining = subject_has_waiting(l, s);
    d->work = d->draining ? attempt->ended : 0;
    subject_save(l, s);
}

/* The destination is open. */
static void note_open(struct ledger *l, struct subject *s, const struct maillog_line *line,
                      const struct attempt *attempt)
{
    struct destination *d = &s->record.d;
    struct destination before = *d;

    lanes_note_service(l, s, line);
    if (before.health != DESTINATION_UP) {
        outage_ended(l, s, attempt);
    } else {
        destination_opened(d, attempt);
        if (!before.proven)
            pools_update(l, s, attempt->ended);
    }
    if (d->id == 0 || !before.proven || d->last_open >= before.last_open + LAST_OPEN_STEP)
        subject_save(l, s);
    hosts_opened(l, s, line, attempt);
}

static void give_up_transfer(struct ledger *l, struct subject *s, struct case_file *c,
                             const struct maillog_line *line)
{
    char error[RECORD_TEXT_MAX];
    bool quick = subject_is_quick(s, GIVE_UP_TRANSFER);

    slice_copy(error, sizeof(error), failure_reason(line));
    say_give_up(l, s, c, GIVE_UP_TRANSFER, error);
    case_give_up(l, c, GIVE_UP_TRANSFER, case_wake_time(c, true, quick, line->time));
}

/* Refused as one recipient too many: not a failure of the message but of how it was sent. */
static void too_many(struct ledger *l, struct subject *s, struct case_file *c,
                     const struct maillog_line *line, const struct classify_info *info)
{
    c->r.next = 0;
    case_save(l, c);
    note_domain(l, s, line->recipient);
    lanes_refused(l, s, line, info, c);
    subject_save(l, s);
}

static void transfer_failed(struct ledger *l, const struct maillog_line *line)
{
    struct attempt attempt = attempt_of(line, false);
    struct classify_info info;
    struct subject s;
    struct case_file c;

    if (!load_destination(l, &s, line))
        return;
    note_open(l, &s, line, &attempt);
    if (!open_case(l, &c, line, &attempt))
        return;
    case_assign(l, &c, &s);
    if (c.r.give_up == GIVE_UP_OPEN)
        case_take_back(l, &c);
    case_stop_waiting(&c);
    note_attempt(l, &c, line, &attempt, FAILURE_TRANSFER);
    if (c.r.give_up == GIVE_UP_NOT && lanes_classify(l, line, &info)) {
        too_many(l, &s, &c, line, &info);
        return;
    }
    counters_add(COUNTER_TRANSFER_FAILURES);
    recipient_transfer_failed(&c.r, s.policy, &attempt);
    /* One without a route of its own is left to Postfix: its domain is reachable. */
    if (c.r.give_up == GIVE_UP_NOT && recipient_over_transfer_cap(&c.r, s.policy) &&
        case_is_routable(&c))
        give_up_transfer(l, &s, &c, line);
    case_save(l, &c);
}

/* It left the queue, for this recipient. Another over the cap may take its place at the gate. */
static void recipient_is_done(struct ledger *l, struct case_file *c)
{
    struct subject s;

    if (c->exists && c->r.give_up == GIVE_UP_OPEN && subject_load_id(l, &s, c->r.destination) &&
        s.record.d.work == 0) {
        s.record.d.work = 1; /* at once */
        subject_save(l, &s);
    }
    case_forget(l, c);
}

static void delivered_or_refused(struct ledger *l, const struct maillog_line *line)
{
    struct attempt attempt = attempt_of(line, false);
    struct subject s;
    struct case_file c;

    if (line->agent == MAILLOG_AGENT_SMTP && !slice_equals(line->relay, "none") &&
        load_destination(l, &s, line)) {
        note_open(l, &s, line, &attempt);
        if (pools_want_domains(l))
            note_domain(l, &s, line->recipient);
        if (line->status == MAILLOG_SENT) {
            lanes_taken(l, &s, line);
            bad_taken(l, &s, line);
        } else {
            bad_refused(l, &s, line);
        }
    }
    if (line->status == MAILLOG_BOUNCED)
        early_bounced(l, line);
    if (case_load(l, &c, line->queue_id, line->recipient))
        recipient_is_done(l, &c);
}

/*
 * Turned away during a retry: this message was resolved before the hold was withdrawn. It may have
 * been the probe, or the only message there is.
 */
static void retry_anew(struct subject *s, int64_t now)
{
    int64_t soon = now + (subject_is_quick(s, GIVE_UP_OPEN) ? 2 * SETTLE : ROUTE_MEMORY);

    if (s->record.d.health == DESTINATION_TRYING &&
        (s->record.d.next == 0 || s->record.d.next > soon))
        s->record.d.next = soon;
}

/* The gate said "not yet": the message waits like those that failed. */
static void turned_away(struct ledger *l, const struct maillog_line *line)
{
    struct attempt attempt = {line->time, line->time, true};
    struct subject s;
    struct case_file c;

    if (!load_destination(l, &s, line) || !open_case(l, &c, line, &attempt))
        return;
    if (s.record.d.id == 0)
        subject_save(l, &s);
    case_assign(l, &c, &s);
    c.r.at_gate = true;
    note_domain(l, &s, line->recipient);
    case_wait(&c, &s.record.d, false);
    leave_to_destination(&c, &s);
    /* The hold was withdrawn meanwhile: do not leave it to Postfix's schedule. */
    if (s.record.d.health == DESTINATION_UP && c.r.give_up == GIVE_UP_NOT)
        c.r.next = case_wake_time(&c, false, subject_is_quick(&s, GIVE_UP_OPEN), line->time);
    retry_anew(&s, line->time);
    case_save(l, &c);
    subject_save(l, &s);
}

static void deferred(struct ledger *l, const struct maillog_line *line)
{
    if (line->agent == MAILLOG_AGENT_PIPE) {
        if (slice_equals(line->relay, "postern-hold") ||
            slice_equals(line->relay, "postern-expire"))
            turned_away(l, line);
        return;
    }
    switch (failure_classify(line)) {
    case FAILURE_NONE:
        break;
    case FAILURE_OPEN:
        open_failed(l, line, false);
        break;
    case FAILURE_SUSPENDED:
        open_failed(l, line, true);
        break;
    case FAILURE_TRANSFER:
        transfer_failed(l, line);
        break;
    }
}

static void message_removed(struct ledger *l, struct slice queue_id)
{
    struct key prefix;
    struct key from;
    struct slice key;
    struct slice value;
    struct case_file c;

    if (queue_id.len > QUEUE_ID_MAX || memchr(queue_id.at, '\0', queue_id.len))
        return;
    early_removed(l, queue_id);
    record_message_prefix(&prefix, queue_id);
    from = prefix;
    while (store_seek(l->store, STORE_RECIPIENT, key_slice(&from), &key, &value) &&
           record_has_prefix(key, &prefix)) {
        key_after(&from, key);
        if (case_load_key(l, &c, (struct slice){(const char *)from.bytes, from.len - 1}))
            recipient_is_done(l, &c);
    }
}

void ledger_line(struct ledger *l, const struct maillog_line *line)
{
    switch (line->kind) {
    case MAILLOG_OTHER:
    case MAILLOG_ACTIVE:
    case MAILLOG_CONTENT:
        break;
    case MAILLOG_SUBMITTED:
        /* Requeued: it meets the outage anew, and "removed" is never logged of the old id. */
        if (line->other.len > 0)
            message_removed(l, line->other);
        break;
    case MAILLOG_REMOVED:
        message_removed(l, line->queue_id);
        break;
    case MAILLOG_RETURNED:
        early_returned(l, line->queue_id);
        break;
    case MAILLOG_DELIVERY:
        if (line->status == MAILLOG_DEFERRED)
            deferred(l, line);
        else
            delivered_or_refused(l, line);
        break;
    }
}
