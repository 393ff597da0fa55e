/* The ledger's lines for the log: a name or queue id first, a fixed verb, then key=value. */
#include "ledger_internal.h"

#include <inttypes.h>
#include <stdio.h>

#include "counters.h"
#include "probation.h"
#include "say.h"

static void say(struct ledger *l, const char *line)
{
    l->actions->say(l->context, line);
}

void say_down(struct ledger *l, const struct subject *s)
{
    char line[1024];
    char since[SAY_MAX];

    counters_add(COUNTER_HOLDS);
    snprintf(line, sizeof(line), "%s: %s open_retries=%" PRIu64 " since=\"%s\" error=\"%s\"",
             record_destination_title(&s->record), l->enforce ? "hold" : "would-hold",
             destination_failures(&s->record.d), say_time(since, s->record.d.since),
             s->record.error);
    say(l, line);
}

void say_up(struct ledger *l, const struct subject *s, uint64_t failures, int64_t since,
            int64_t now)
{
    char line[512];
    char after[SAY_MAX];

    counters_add(COUNTER_HOLDS_OVER);
    snprintf(line, sizeof(line), "%s: up after=\"%s\" open_retries=%" PRIu64,
             record_destination_title(&s->record), say_duration(after, now - since), failures);
    say(l, line);
}

void say_lane(struct ledger *l, const struct subject *s)
{
    const struct destination *d = &s->record.d;
    char line[512];

    if (d->lane > 0)
        snprintf(line, sizeof(line), "%s: %s takes=%u lane=postern-rcpt%u",
                 record_destination_title(&s->record), l->enforce ? "lane" : "would-use-lane",
                 d->takes, d->lane);
    else
        snprintf(line, sizeof(line), "%s: %s", record_destination_title(&s->record),
                 l->enforce ? "no-lane" : "would-use-no-lane");
    say(l, line);
}

void say_delay(struct ledger *l, const struct case_file *c)
{
    struct slice key = key_slice(&c->key);
    struct slice to = record_key_recipient(key);
    char line[1024];
    char since[SAY_MAX];

    snprintf(line, sizeof(line), "%.*s: %s to=<%.*s> since=\"%s\"",
             (int)record_key_queue_id(key).len, key.at,
             l->enforce ? "delay-report" : "would-delay-report", (int)to.len, to.at,
             say_time(since, c->r.first_failure));
    say(l, line);
}

void say_pool(struct ledger *l, const struct subject *s)
{
    const struct destination *d = &s->record.d;
    bool probation = d->pool == POOL_PROBATION;
    char line[1024];

    snprintf(line, sizeof(line), "%s: %s%s%s", record_destination_title(&s->record),
             l->enforce ? "" : "would-", probation ? "probation" : "no-probation",
             d->relapses > 0 && probation ? " relapse" : "");
    say(l, line);
}

/* Refused as one too many, though alone: no retries are counted for that. */
static void say_refused_alone(struct ledger *l, const struct subject *s, const struct case_file *c,
                              const char *error)
{
    struct slice key = key_slice(&c->key);
    struct slice to = record_key_recipient(key);
    char line[1400];

    snprintf(line, sizeof(line), "%.*s: %s to=<%.*s> destination=%s refused=alone error=\"%s\"",
             (int)record_key_queue_id(key).len, key.at, l->enforce ? "give-up" : "would-give-up",
             (int)to.len, to.at, record_destination_title(&s->record), error);
    say(l, line);
}

static enum counter given_up(enum give_up why)
{
    if (why == GIVE_UP_LIMIT)
        return COUNTER_GIVEN_UP_LIMIT;
    return why == GIVE_UP_OPEN ? COUNTER_GIVEN_UP_OPEN : COUNTER_GIVEN_UP_TRANSFER;
}

void say_give_up(struct ledger *l, const struct subject *s, const struct case_file *c,
                 enum give_up why, const char *error)
{
    bool open = why == GIVE_UP_OPEN;
    struct slice key = key_slice(&c->key);
    struct slice to = record_key_recipient(key);
    uint64_t had = open ? destination_retries_of(&s->record.d, c->r.baseline) : c->r.transfers;
    char line[1400];
    char since[SAY_MAX];

    counters_add(given_up(why));
    if (why == GIVE_UP_LIMIT) {
        say_refused_alone(l, s, c, error);
        return;
    }
    snprintf(line, sizeof(line),
             "%.*s: %s to=<%.*s> destination=%s %s_retries=%" PRIu64
             " limit=%u since=\"%s\" error=\"%s\"",
             (int)record_key_queue_id(key).len, key.at, l->enforce ? "give-up" : "would-give-up",
             (int)to.len, to.at, record_destination_title(&s->record), open ? "open" : "transfer",
             had, open ? s->rules.cap : s->policy->max_transfer_retries,
             say_time(since, c->r.first_failure), error);
    say(l, line);
}

/* The first few of a report are named: it may be about thousands. */
enum { EARLY_NAMED = 20 };

void say_early(struct ledger *l, struct slice key, const struct early_record *r, const char *sender,
               unsigned number)
{
    struct slice to = record_key_recipient(key);
    char line[1400];

    if (number > EARLY_NAMED)
        return;
    snprintf(line, sizeof(line), "%.*s: %s to=<%.*s> sender=<%s> status=%s said=\"%.600s\"%s",
             (int)record_key_queue_id(key).len, key.at,
             l->enforce ? "early-ndr" : "would-early-ndr", (int)to.len, to.at, sender, r->e.status,
             r->text, number == EARLY_NAMED ? " (more are not named)" : "");
    say(l, line);
}

void say_bad(struct ledger *l, const struct subject *s, const char *address,
             const struct bad_record *r)
{
    char line[1400];

    counters_add(COUNTER_BAD_LEARNED);
    snprintf(line, sizeof(line), "%s: bad-address to=<%s> destination=%s said=\"%.600s\"",
             r->queue_id, address, record_destination_title(&s->record), r->text);
    say(l, line);
}

void say_good(struct ledger *l, const struct maillog_line *out)
{
    char line[1024];

    counters_add(COUNTER_BAD_FORGOTTEN);
    snprintf(line, sizeof(line), "%.*s: good-address to=<%.*s>", (int)out->queue_id.len,
             out->queue_id.at, (int)out->recipient.len, out->recipient.at);
    say(l, line);
}

void say_guard(struct ledger *l, const struct subject *s, const struct guard *guard, bool tripped,
               unsigned forgotten)
{
    char line[512];

    if (tripped)
        counters_add(COUNTER_GUARDS);
    if (tripped)
        snprintf(line, sizeof(line),
                 "%s: guard rejected=%u of=%u forgotten=%u: no bad addresses are learned from it",
                 record_destination_title(&s->record), guard_rejected(guard), guard_total(guard),
                 forgotten);
    else
        snprintf(line, sizeof(line), "%s: guard-over: bad addresses are learned again",
                 record_destination_title(&s->record));
    say(l, line);
}
