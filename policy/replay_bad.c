/*
 * Addresses that do not exist, learned as the ledger learns them (ledger_bad.c), and the later mail
 * to them that would have been refused at the door, or reported at once.
 */
#include "replay_parts.h"

#include "address.h"
#include "badreply.h"

static struct guard_rules rules_of(const struct replay_study *s)
{
    const struct config_early *early = config_early(s->config);

    return (struct guard_rules){.sample = early->guard_sample,
                                .ratio = early->guard_ratio,
                                .window = (int64_t)early->guard_window * 1000};
}

/* What was learned from a destination since then was learned from its illness. */
static void forget_since(struct replay_destination *to, int64_t since)
{
    for (struct replay_bad *bad = to->bad; bad; bad = bad->next)
        if (bad->b.learned >= since)
            bad->b.learned = 0;
}

/* True while nothing may be learned from this destination. */
static bool is_ill(struct replay_study *s, struct replay_destination *to, bool rejected,
                   int64_t now)
{
    const struct guard_rules rules = rules_of(s);

    if (guard_count(&to->guard, &rules, rejected, now) == GUARD_TRIPPED) {
        s->guards_tripped++;
        forget_since(to, now - rules.window);
    }
    return to->guard.since != 0;
}

static struct replay_bad *find(const struct replay_study *s, struct slice recipient)
{
    char address[ADDRESS_MAX + 1];
    size_t len = address_canonical(address, recipient);

    return len > 0 ? replay_map_find(s->at->bad, (struct slice){address, len}) : NULL;
}

/* Whether a message that arrived then would have been let in, because that is how it is tested. */
static bool is_refused(const struct replay_study *s, struct replay_bad *bad, int64_t arrived)
{
    uint32_t lifetime = config_early(s->config)->lifetime;

    /* It was under way before. */
    if (bad == NULL || bad->b.learned == 0 || arrived < bad->b.learned)
        return false;
    if (bad_judge(&bad->b, lifetime, arrived) == BAD_OVER)
        return false;
    return !bad_take_test(&bad->b, lifetime, arrived);
}

static void count_refused(struct replay_study *s, struct replay_bad *bad,
                          const struct maillog_line *line)
{
    int64_t arrived = line->time - line->delay;

    s->door_messages++;
    bad->refused = true;
    replay_sample(&s->door_samples, line->queue_id, line->recipient, arrived, line->time);
    if (line->status != MAILLOG_SENT)
        return;
    s->door_delivered++;
    replay_sample(&s->door_delivered_samples, line->queue_id, line->recipient, arrived, line->time);
}

void replay_bad_taken(struct replay_study *s, struct replay_destination *to,
                      const struct maillog_line *line)
{
    struct replay_bad *bad;

    is_ill(s, to, false, line->time);
    bad = to->bad ? find(s, line->recipient) : NULL;
    if (is_refused(s, bad, line->time - line->delay))
        count_refused(s, bad, line);
    else if (bad)
        bad->b.learned = 0;
}

static void learn(struct replay_study *s, struct replay_destination *to,
                  const struct maillog_line *line)
{
    char address[ADDRESS_MAX + 1];
    size_t len = address_canonical(address, line->recipient);
    size_t before = replay_map_count(s->at->bad);
    struct replay_bad *bad = NULL;

    if (len > 0)
        bad = replay_map_add(s->at->bad, (struct slice){address, len});
    s->bad_lost += len > 0 && bad == NULL;
    if (bad == NULL)
        return;
    if (replay_map_count(s->at->bad) > before) {
        bad->next = to->bad;
        to->bad = bad;
        s->bad_learned++;
    }
    bad->b.learned = line->time;
    bad->b.times++;
}

/* Our own name in a reply tells that it is about us; a single word may stand there by chance. */
static struct slice own_name(const struct maillog_line *line)
{
    if (line->host.len > 0 && memchr(line->host.at, '.', line->host.len))
        return line->host;
    return (struct slice){"", 0};
}

void replay_bad_refused(struct replay_study *s, struct replay_destination *to,
                        const struct maillog_line *line)
{
    struct badreply_context context = {.recipient = line->recipient, .host = own_name(line)};
    bool is_bad = badreply_is_bad_address(line->text, &context);
    struct replay_bad *known = is_bad ? find(s, line->recipient) : NULL;

    /* Refused at the door, its server would not have been asked. */
    if (is_refused(s, known, line->time - line->delay))
        count_refused(s, known, line);
    else if (!is_ill(s, to, is_bad, line->time) && is_bad)
        learn(s, to, line);
}
