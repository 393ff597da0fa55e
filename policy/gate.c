#include "gate.h"

#include <inttypes.h>
#include <stdio.h>

#include "route.h"
#include "say.h"

/* A retry this long overdue means that posternd hangs. */
static const int64_t overdue = (int64_t)600 * 1000;

static bool is_nudge(const struct gate_question *q)
{
    return slice_equals(q->recipient, GATE_NUDGE_ADDRESS) &&
           (slice_equals(q->sender, "MAILER-DAEMON") || q->sender.len == 0);
}

/* Mail that Postern must not keep: nobody would ever let it go again. */
static bool is_unattended(const struct gate_question *q)
{
    if (!q->enforce || !q->running)
        return true;
    if (q->to == NULL || q->to->d.health != DESTINATION_DOWN)
        return false;
    /*
     * A retry that is long overdue, that was never planned, or that a clock set back has put off:
     * one of a crowd comes up to an interval later than others (destination_spread).
     */
    return q->to->d.next == 0 || q->now > q->to->d.next + overdue ||
           q->to->d.next > q->now + (int64_t)q->rules.policy->open_interval * 2000 + overdue;
}

/* "3 attempts in 9 seconds failed" */
static void say_attempts(char *buffer, size_t size, uint64_t attempts, int64_t lasted)
{
    char duration[SAY_MAX];

    if (attempts == 1)
        snprintf(buffer, size, "1 attempt failed");
    else
        snprintf(buffer, size, "%" PRIu64 " attempts in %s failed", attempts,
                 say_duration_words(duration, lasted));
}

/* "4 attempts, one a minute" */
static void say_allowed(char *buffer, size_t size, uint32_t allowed, uint32_t interval)
{
    char pace[SAY_MAX];

    snprintf(buffer, size, "%" PRIu32 " attempt%s%s%s", allowed, allowed == 1 ? "" : "s",
             interval > 0 && allowed > 1 ? ", one " : "",
             interval > 0 && allowed > 1 ? say_pace(pace, interval) : "");
}

/* An ordinary sender knows the domain, not what the administrator calls a group of them. */
static void say_domain(char *domain_r, size_t size, const struct gate_question *q)
{
    if (route_domain(domain_r, size, q->recipient) == 0)
        snprintf(domain_r, size, "%s", record_destination_title(q->to));
}

static void say_refused_alone(const struct gate_question *q, char *text)
{
    char domain[ROUTE_KEY_MAX];

    say_domain(domain, sizeof(domain), q);
    snprintf(
        text, GATE_TEXT_MAX,
        "5.5.3 Your message was not delivered. The mail server for %s refused this recipient as "
        "one too many, although it was the only one. Its words: %s",
        domain, q->last_error);
}

static void say_given_up(const struct gate_question *q, char *text)
{
    bool open = q->r->give_up == GIVE_UP_OPEN;
    const struct destination *d = &q->to->d;
    const struct retry_policy *policy = q->rules.policy;
    uint64_t attempts = open ? destination_retries_of(d, q->r->baseline) : q->r->transfers;
    int64_t last = open ? d->last_counted : q->r->last_transfer;
    char tried[128];
    char allowed[128];
    char first[SAY_MAX];
    char domain[ROUTE_KEY_MAX];

    say_domain(domain, sizeof(domain), q);
    say_attempts(tried, sizeof(tried), attempts, last - q->r->first_failure);
    say_allowed(allowed, sizeof(allowed), open ? q->rules.cap : policy->max_transfer_retries,
                open ? policy->open_interval : policy->transfer_interval);
    snprintf(text, GATE_TEXT_MAX,
             "5.4.7 Your message was not delivered. The mail server for %s %s: %s, and the policy "
             "\"%s\" of this mail system allows %s. First attempt: %s. Last error: %s",
             domain, open ? "could not be reached" : "was reached but did not take the message",
             tried, q->rules.name, allowed, say_time(first, q->r->first_failure), q->last_error);
}

/*
 * mailq shows this until the next answer, maybe for hours: so it tells no time that passes
 * meanwhile.
 */
static void say_not_yet(const struct gate_question *q, char *text)
{
    const struct destination *d = &q->to->d;
    uint64_t failed = destination_failures(d);
    char pace[SAY_MAX];
    char cap[128] = "no cap";
    char since[SAY_MAX];

    if (d->health == DESTINATION_UP) {
        snprintf(text, GATE_TEXT_MAX,
                 "4.4.1 Mail for %s goes out again: an attempt follows at once",
                 record_destination_title(q->to));
        return;
    }
    if (q->rules.cap > 0)
        snprintf(cap, sizeof(cap), "gives up after %" PRIu32, q->rules.cap);
    snprintf(text, GATE_TEXT_MAX,
             "4.4.1 Held: no connection to %s since %s, %" PRIu64
             " failed attempt%s; one attempt %s (policy \"%s\": %s). Last error: %s",
             record_destination_title(q->to), say_time(since, d->since), failed,
             failed == 1 ? "" : "s", say_pace(pace, q->rules.policy->open_interval), q->rules.name,
             cap, q->to->error);
}

enum gate_answer gate_decide(const struct gate_question *q, char *text_r)
{
    if (is_nudge(q)) {
        text_r[0] = '\0';
        return GATE_TAKEN;
    }
    if (is_unattended(q)) {
        snprintf(text_r, GATE_TEXT_MAX,
                 "4.3.0 Postern is %s and lets this message go: "
                 "the next attempt is an ordinary one",
                 q->enforce ? "not running" : "switched off");
        return GATE_LET_GO;
    }
    if (q->to == NULL) {
        snprintf(text_r, GATE_TEXT_MAX, "4.4.1 Nothing is known about this destination yet");
        return GATE_NOT_YET;
    }
    if (q->r && recipient_given_up(q->r, &q->to->d, q->rules.cap)) {
        if (q->r->give_up == GIVE_UP_LIMIT)
            say_refused_alone(q, text_r);
        else
            say_given_up(q, text_r);
        return GATE_GIVEN_UP;
    }
    say_not_yet(q, text_r);
    return GATE_NOT_YET;
}
