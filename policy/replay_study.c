#include "replay_parts.h"

#include <stdio.h>
#include <stdlib.h>

#include "failure.h"

/* Some hundred MB at the very most; a year of minutes, of all servers together. */
const struct replay_limits replay_limits_default = {
    .destinations = 200000,
    .waiters = 500000,
    .outages = 10000,
    .minutes = 527040,
    .servers = 200,
    .addresses = 200000,
    .hosts = 200000,
};

struct replay_study *replay_study_new(const struct config *config,
                                      const struct replay_limits *limits, uint64_t seed,
                                      char *error_r, size_t size)
{
    struct replay_study *s = calloc(1, sizeof(*s));

    snprintf(error_r, size, "out of memory");
    if (s == NULL)
        return NULL;
    s->config = config;
    s->limits = *limits;
    s->room = *limits;
    s->message_room = limits->waiters;
    s->seed = seed;
    if (config_outbound_limits(config))
        s->classifier = classifier_of_config(config, error_r, size);
    s->servers = replay_map_new(sizeof(struct replay_server), &s->room.servers, seed);
    if (s->servers == NULL || (config_outbound_limits(config) && s->classifier == NULL))
        replay_study_free(&s);
    return s;
}

void replay_study_free(struct replay_study **study)
{
    struct replay_study *s = *study;

    *study = NULL;
    if (s == NULL)
        return;
    replay_servers_free(s);
    classifier_free(&s->classifier);
    free(s);
}

/* The ledger's slack for durations in the log, which have two digits. */
static struct attempt attempt_of(const struct maillog_line *line, bool skipped)
{
    int64_t slack = line->trying >= 10000 ? 1000 : line->trying / 10;
    int64_t trying = skipped ? 0 : line->trying - slack;

    return (struct attempt){line->time - trying, line->time, skipped};
}

int64_t replay_queued(const struct maillog_line *line)
{
    const char *at = line->relay.at + line->relay.len;
    char between[160];
    const char *field;
    double queued = 0;

    slice_copy(between, sizeof(between), (struct slice){at, (size_t)(line->dsn.at - at)});
    field = strstr(between, ", delays=");

    /* Postfix wrote all between relay= and dsn=, and the parser has checked it. */
    if (field && sscanf(field, ", delays=%*[0-9.]/%lf/", &queued) == 1)
        return (int64_t)(queued * 1000);
    return 0;
}

static bool is_split(const struct replay_study *s, const struct maillog_line *line,
                     struct classify_info *info_r)
{
    return s->classifier && line->agent == MAILLOG_AGENT_SMTP &&
           classify_reply(s->classifier, line->text, info_r) == CLASSIFY_SPLIT;
}

static void note_reply(struct replay_destination *to, const struct maillog_line *line)
{
    if (to && to->limit_reply == NULL)
        to->limit_reply = strndup(line->text.at, line->text.len < 300 ? line->text.len : 300);
}

static void open_failed(struct replay_study *s, const struct maillog_line *line, bool skipped)
{
    struct attempt attempt = attempt_of(line, skipped);
    struct replay_destination *to = replay_destination_of(s, line->recipient);
    struct replay_waiter *w;

    s->open_failures += !skipped;
    s->skipped += skipped;
    if (!skipped)
        replay_busy(s, line);
    if (to == NULL)
        return;
    replay_failed(s, to, line, &attempt);
    w = to->now ? replay_waiter_of(s, line, true) : NULL;
    if (w)
        replay_met_outage(s, w, to, attempt.started);
}

static void transfer_failed(struct replay_study *s, const struct maillog_line *line)
{
    struct attempt attempt = attempt_of(line, false);
    struct replay_destination *to = replay_destination_of(s, line->recipient);
    struct classify_info info;
    struct replay_waiter *w;
    bool split = is_split(s, line, &info);

    s->transfer_failures++;
    s->splits += split;
    if (to == NULL)
        return;
    replay_opened(s, to, line, &attempt);
    to->splits += split;
    if (split)
        note_reply(to, line);
    w = replay_waiter_of(s, line, true);
    if (w && split && w->to == NULL)
        w->to = to;
    if (w && split)
        replay_refused(s, w, line);
    else if (w)
        replay_transfer_failed(s, w, to, &attempt);
}

static void deferred(struct replay_study *s, const struct maillog_line *line)
{
    s->deferred++;
    s->ours += line->agent == MAILLOG_AGENT_PIPE && slice_starts(line->relay, "postern-");
    switch (failure_classify(line)) {
    case FAILURE_NONE:
        break;
    case FAILURE_OPEN:
        open_failed(s, line, false);
        break;
    case FAILURE_SUSPENDED:
        open_failed(s, line, true);
        break;
    case FAILURE_TRANSFER:
        transfer_failed(s, line);
        break;
    }
}

static void was_sent(struct replay_study *s, struct replay_destination *to,
                     const struct maillog_line *line)
{
    s->sent++;
    if (to)
        to->sent++;
    replay_tally_add(&s->delays, line->delay);
    if (line->agent == MAILLOG_AGENT_SMTP && line->delay >= REPLAY_HELD_UP * 1000)
        replay_held(s, line, replay_queued(line));
}

static void was_bounced(struct replay_study *s, struct replay_destination *to,
                        const struct maillog_line *line)
{
    struct replay_message *m = replay_message_of(s, line, true);
    struct classify_info info;

    s->bounced++;
    if (is_split(s, line, &info)) {
        s->wrong_bounces++;
        if (to)
            to->wrong_bounces++;
        note_reply(to, line);
        replay_sample(&s->wrong_samples, line->queue_id, line->recipient, 0, line->time);
    }
    if (m && m->bounced++ == 0) {
        m->bounced_at = line->time;
        m->bounced_to = strndup(line->recipient.at, line->recipient.len);
    }
}

static void delivered_or_refused(struct replay_study *s, const struct maillog_line *line)
{
    struct attempt attempt = attempt_of(line, false);
    struct replay_destination *to = NULL;
    struct replay_waiter *w;
    bool is_sent = line->status == MAILLOG_SENT;

    if (line->agent == MAILLOG_AGENT_SMTP && !slice_equals(line->relay, "none"))
        to = replay_destination_of(s, line->recipient);
    if (to)
        replay_opened(s, to, line, &attempt);
    if (is_sent)
        was_sent(s, to, line);
    else
        was_bounced(s, to, line);
    if (to && is_sent)
        replay_bad_taken(s, to, line);
    else if (to)
        replay_bad_refused(s, to, line);
    w = replay_waiter_of(s, line, false);
    if (w)
        replay_done(s, replay_message_of(s, line, false), w, is_sent ? REPLAY_SENT : REPLAY_BOUNCED,
                    line->time);
}

/* Postfix tells the sender of those that bounced, once the pass is over. */
static void ndr_sent(struct replay_study *s, const struct maillog_line *line)
{
    struct replay_message *m = replay_map_find(s->at->messages, line->queue_id);
    int64_t after = (int64_t)config_early(s->config)->after * 1000;

    if (m == NULL || m->bounced == 0)
        return;
    s->ndrs++;
    if (line->time - m->bounced_at > after) {
        replay_tally_add(&s->late_ndrs, line->time - m->bounced_at - after);
        replay_sample(&s->early_samples, line->queue_id,
                      slice_of(m->bounced_to ? m->bounced_to : ""), m->bounced_at + after,
                      line->time);
    }
    m->bounced = 0;
    free(m->bounced_to);
    m->bounced_to = NULL;
}

static void activated(struct replay_study *s, const struct maillog_line *line)
{
    struct replay_message *m = replay_map_find(s->at->messages, line->queue_id);

    if (m)
        m->null_sender = line->sender.len == 0;
}

static void removed(struct replay_study *s, const struct maillog_line *line)
{
    struct replay_message *m = replay_map_find(s->at->messages, line->queue_id);

    if (m)
        replay_message_done(s, m, REPLAY_GONE, line->time);
}

static void note_time(struct replay_study *s, int64_t time)
{
    if (s->first == 0 || time < s->first)
        s->first = time;
    if (time > s->last)
        s->last = time;
}

void replay_study_line(struct replay_study *s, const struct maillog_line *line)
{
    if (!replay_server_find(s, line->host))
        return;
    s->at->lines++;
    note_time(s, line->time);
    if (line->kind == MAILLOG_REMOVED)
        removed(s, line);
    else if (line->kind == MAILLOG_ACTIVE)
        activated(s, line);
    else if (line->kind == MAILLOG_RETURNED)
        ndr_sent(s, line);
    if (line->kind != MAILLOG_DELIVERY)
        return;
    s->deliveries++;
    if (line->status == MAILLOG_DEFERRED)
        deferred(s, line);
    else
        delivered_or_refused(s, line);
}

static bool ends_with(struct slice s, const char *end)
{
    size_t len = strlen(end);

    return s.len >= len && memcmp(s.at + s.len - len, end, len) == 0;
}

/*
 * "QUEUEID: from=<s>, status=expired, returned to sender", or since Postfix 3.5 "force-expired"
 * (postsuper -f), which is none of ours. All behind the last '>' is the queue manager's.
 */
static bool is_expiry(const struct maillog_line *line, struct slice whole)
{
    return line->queue_id.len > 0 && ends_with(line->program, "qmgr") &&
           ends_with(whole, ">, status=expired, returned to sender");
}

bool replay_study_other(struct replay_study *s, const struct maillog_line *line, struct slice whole)
{
    struct replay_message *m;
    const char *begin;

    if (!is_expiry(line, whole) || !replay_server_find(s, line->host))
        return false;
    note_time(s, line->time);
    s->expired_messages++;
    m = replay_map_find(s->at->messages, line->queue_id);
    if (m == NULL || m->waiters == NULL) {
        s->expired_unseen++;
        return true;
    }
    begin = line->queue_id.at + line->queue_id.len;
    if (slice_starts((struct slice){begin, (size_t)(whole.at + whole.len - begin)}, ": from=<>, "))
        m->null_sender = true;
    replay_message_done(s, m, REPLAY_EXPIRED, line->time);
    return true;
}

static void end_message(void *context, void *value)
{
    struct replay_study *s = context;

    replay_message_done(s, value, REPLAY_STILL, s->last);
}

static void end_server(void *context, void *value)
{
    struct replay_study *s = context;

    s->at = value;
    replay_map_each(s->at->messages, end_message, s);
    replay_outages_end(s);
    replay_held_end(s);
}

void replay_study_end(struct replay_study *s)
{
    replay_map_each(s->servers, end_server, s);
}
