/*
 * Recipient limits of other servers (DESIGN 3.3): what is learned from the recipients they refuse
 * as too many, the lanes that follow, and the message that is sent on at once.
 */
#include "ledger_internal.h"

#include "failure.h"

enum {
    QUIET = 250, /* smtp(8) logs the recipients of one transaction together, those taken last */
    LONE_QUIET = 2000, /* nobody was taken so far: the answer to DATA may be on its way */
    /* smtp_data_done_timeout: after that no answer comes */
    SLOWEST = 660 * 1000,
};

static const char lane_tag[] = "/postern-rcpt";

/* "postfix/postern-rcpt10/smtp": the lane the delivery went through; 0: none. */
static uint32_t lane_of(struct slice program)
{
    const char *at = memmem(program.at, program.len, lane_tag, sizeof(lane_tag) - 1);
    uint32_t n = 0;

    if (at == NULL)
        return 0;
    for (at += sizeof(lane_tag) - 1; at < program.at + program.len && *at >= '0' && *at <= '9';
         at++)
        if (n < 100000)
            n = n * 10 + (uint32_t)(*at - '0');
    return n;
}

/* What is behind the last slash; the rest goes to *before_r, whose len is 0 without a slash. */
static struct slice last_part(struct slice name, struct slice *before_r)
{
    const char *slash = name.len > 0 ? memrchr(name.at, '/', name.len) : NULL;
    size_t before = slash ? (size_t)(slash - name.at) : 0;

    *before_r = (struct slice){name.at, before};
    return slash ? (struct slice){slash + 1, name.len - before - 1} : name;
}

/* "relay" of "postfix/relay/smtp", as Debian's master.cf has it; "lmtp" of "postfix/lmtp". */
static struct slice service_of(const struct ledger *l, struct slice program)
{
    struct slice tag, rest;
    struct slice agent = last_part(program, &tag);
    struct slice service = last_part(tag, &rest);

    return rest.len == 0 || slice_equals(tag, l->syslog_name) ? agent : service;
}

/*
 * Other services than smtp, of which the lanes are copies, serve the domains that this Postfix
 * takes mail for, with options and a next hop of their own; a lane would send to the MX hosts, and
 * those may be this host. Services that log as smtp does are left to lanecheck.h.
 */
void lanes_note_service(struct ledger *l, struct subject *s, const struct maillog_line *line)
{
    struct slice service;
    bool elsewhere;

    if (line->agent != MAILLOG_AGENT_SMTP)
        return;
    service = service_of(l, line->program);
    elsewhere = !slice_equals(service, "smtp") && !slice_equals(service, l->smtp_tag) &&
                !slice_starts(service, "postern-");
    if (elsewhere == s->record.d.elsewhere)
        return;
    s->record.d.elsewhere = elsewhere;
    if (elsewhere && s->record.d.lane > 0) {
        s->record.d.lane = 0;
        lanes_publish(l, s);
    }
    pools_update(l, s, line->time);
    subject_save(l, s);
}

static struct lane_rules rules_of_lanes(const struct ledger *l, const struct destination *d)
{
    struct lane_rules rules = {.normal = l->normal_recipients,
                               .lifetime = (int64_t)config_learned_lifetime(l->config) * 1000};

    if (l->lanes_possible && !d->elsewhere)
        rules.lanes = config_lanes(l->config, &rules.count);
    return rules;
}

/* Publishing */

static enum route route_of_lane(const struct destination *d)
{
    if (d->lane == 0)
        return ROUTE_NONE;
    return (enum route)(ROUTE_LANE + d->lane);
}

static void publish_domain(struct ledger *l, const struct subject *s, struct slice domain)
{
    enum route wanted;

    if (l->enforce && route_domain_valid(domain) &&
        route_lane(l->store, domain, route_of_lane(&s->record.d), &wanted))
        l->actions->route(l->context, domain, wanted);
}

void lanes_publish(struct ledger *l, struct subject *s)
{
    subject_each_domain(l, s, publish_domain);
}

void lanes_note_domain(struct ledger *l, struct subject *s, struct slice domain)
{
    if (s->record.d.lane > 0)
        publish_domain(l, s, domain);
}

/* Transactions */

static void move_transaction(struct ledger *l, struct slice key, int64_t from, int64_t to)
{
    struct key due;

    if (from > 0) {
        record_due_key(&due, from, DUE_TRANSACTION, key);
        store_delete(l->store, STORE_DUE, key_slice(&due));
    }
    if (to > 0) {
        record_due_key(&due, to, DUE_TRANSACTION, key);
        store_put(l->store, STORE_DUE, key_slice(&due), (struct slice){"", 0});
    }
}

static void save_transaction(struct ledger *l, struct slice key, struct transaction_record *r,
                             int64_t due)
{
    move_transaction(l, key, r->t.due, due);
    r->t.due = due;
    record_save_transaction(l->store, key, r);
}

static void end_transaction(struct ledger *l, struct slice key, const struct transaction_record *r)
{
    move_transaction(l, key, r->t.due, 0);
    store_delete(l->store, STORE_TRANSACTION, key);
}

/* The message goes on as soon as it is out of the active queue. */
static void send_rest(struct ledger *l, const struct transaction_record *r, bool rerouted,
                      int64_t now)
{
    struct case_file c;

    if (!case_load_key(l, &c, key_slice(&r->last_refused)))
        return;
    c.r.wakes = 0;
    c.r.next = now + SETTLE;
    c.r.rerouted = rerouted;
    case_save(l, &c);
}

static void give_up_limit(struct ledger *l, struct subject *s, const struct transaction_record *r,
                          int64_t now)
{
    struct attempt_record attempts[RECORD_ATTEMPTS];
    struct case_file c;
    size_t n;

    if (!case_load_key(l, &c, key_slice(&r->last_refused)) || c.r.give_up || !case_is_routable(&c))
        return;
    n = record_load_attempts(l->store, key_slice(&c.key), attempts, RECORD_ATTEMPTS);
    say_give_up(l, s, &c, GIVE_UP_LIMIT, n > 0 ? attempts[n - 1].text : "");
    case_give_up(l, &c, GIVE_UP_LIMIT, case_wake_time(&c, true, true, now));
    case_save(l, &c);
}

static void learn(struct ledger *l, struct subject *s, const struct transaction_record *r,
                  int64_t now)
{
    const struct lane_rules rules = rules_of_lanes(l, &s->record.d);
    uint32_t before = s->record.d.lane;

    switch (lane_learn(&s->record.d, &r->t, &rules)) {
    case LANE_PROGRESS:
        send_rest(l, r, s->record.d.lane != before, now);
        break;
    case LANE_NO_PROGRESS:
        give_up_limit(l, s, r, now);
        break;
    case LANE_WAIT:
        break;
    }
    if (s->record.d.lane != before) {
        say_lane(l, s);
        lanes_publish(l, s);
    }
}

/* True when there is nothing more to come of it. */
static bool is_over(const struct transaction *t, int64_t now)
{
    return t->taken > 0 || t->refused_all > 0 || t->lane == 1 || now >= t->last + SLOWEST;
}

static void look_at(struct ledger *l, struct slice key, struct transaction_record *r, int64_t now)
{
    struct subject s;

    if (subject_load_id(l, &s, r->t.destination)) {
        const struct lane_rules rules = rules_of_lanes(l, &s.record.d);
        if (now < r->t.last + SLOWEST)
            learn(l, &s, r, now);
        else if (lane_is_hopeless(&r->t, &rules))
            give_up_limit(l, &s, r, now);
        subject_save(l, &s);
    }
    if (is_over(&r->t, now))
        end_transaction(l, key, r);
    else
        save_transaction(l, key, r, r->t.last + SLOWEST);
}

void lanes_transaction_due(struct ledger *l, struct slice subject, int64_t now)
{
    struct transaction_record r;
    struct key key = {subject.len, {0}};

    memcpy(key.bytes, subject.at, subject.len);
    if (record_load_transaction(l->store, key_slice(&key), &r))
        look_at(l, key_slice(&key), &r, now);
}

/*
 * The same process goes on with other recipients of the message. A refusal behind a delivery tells;
 * recipients refused together, in reply to the data, have the same delay to the digit.
 */
static bool is_next_transaction(const struct transaction *t, const struct maillog_line *line,
                                const struct classify_info *info)
{
    if (t->taken > 0 || t->lane == 1) /* one recipient each */
        return true;
    return info->phase != REPLY_PHASE_RCPT && t->refused_all > 0 && t->spent != line->delay;
}

static bool open_transaction(struct ledger *l, uint32_t destination, struct key *key,
                             struct transaction_record *r, const struct maillog_line *line,
                             const struct classify_info *info)
{
    if (!record_transaction_key(key, line->queue_id, line->pid, destination))
        return false;
    if (record_load_transaction(l->store, key_slice(key), r)) {
        if (!is_next_transaction(&r->t, line, info))
            return true;
        look_at(l, key_slice(key), r, line->time);
    }
    memset(r, 0, sizeof(*r));
    return true;
}

static void add_refusal(struct transaction *t, const struct maillog_line *line,
                        const struct classify_info *info)
{
    if (info->phase == REPLY_PHASE_RCPT)
        t->refused++;
    else
        t->refused_all++;
    if (info->limit > 0)
        t->named = info->limit;
    t->permanent = info->permanent;
    t->lane = lane_of(line->program);
    t->spent = line->delay;
    t->last = line->time;
}

/*
 * More of it may be to come: the answer to DATA, or lines that were logged late, as when a server
 * refuses fewer than the number it names.
 */
static bool is_doubtful(const struct transaction *t)
{
    if (t->lane == 1)
        return false;
    return t->refused_all == 0 || (t->named > 0 && t->refused + t->refused_all <= t->named);
}

void lanes_refused(struct ledger *l, struct subject *s, const struct maillog_line *line,
                   const struct classify_info *info, const struct case_file *c)
{
    struct transaction_record r;
    struct key key;
    bool lone;

    subject_save(l, s); /* an earlier transaction may be learned from now, with a copy of its own */
    if (!open_transaction(l, s->record.d.id, &key, &r, line, info))
        return;
    subject_load_id(l, s, s->record.d.id);
    r.t.destination = s->record.d.id;
    r.last_refused = c->key;
    add_refusal(&r.t, line, info);
    lone = is_doubtful(&r.t);
    save_transaction(l, key_slice(&key), &r, line->time + (lone ? LONE_QUIET : QUIET));
}

void lanes_taken(struct ledger *l, const struct subject *s, const struct maillog_line *line)
{
    struct transaction_record r;
    struct key key;

    if (store_count(l->store, STORE_TRANSACTION) == 0 ||
        !record_transaction_key(&key, line->queue_id, line->pid, s->record.d.id) ||
        !record_load_transaction(l->store, key_slice(&key), &r) || r.t.lane == 1)
        return;
    r.t.taken++;
    r.t.last = line->time;
    save_transaction(l, key_slice(&key), &r, line->time + QUIET);
}

void lanes_widen(struct ledger *l, struct subject *s, int64_t now)
{
    const struct lane_rules rules = rules_of_lanes(l, &s->record.d);

    if (s->record.d.lane_until == 0 || now < s->record.d.lane_until)
        return;
    lane_widen(&s->record.d, &rules, now);
    say_lane(l, s);
    lanes_publish(l, s);
}

bool lanes_classify(const struct ledger *l, const struct maillog_line *line,
                    struct classify_info *info_r)
{
    return l->classifier && line->agent == MAILLOG_AGENT_SMTP &&
           classify_reply(l->classifier, line->text, info_r) == CLASSIFY_SPLIT;
}
