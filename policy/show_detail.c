/* One destination, or one message: what was tried, what happens next, and why. */
#include <string.h>

#include "show_colour.h"
#include "show_parts.h"

/* One that took a moment says so: "after 0 s" would look like an error of ours. */
static void show_kind(FILE *out, const json_t *attempt)
{
    const char *kind = show_string(attempt, "kind");
    int64_t lasted = show_ms(attempt, "ended") - show_ms(attempt, "started");
    char took[SAY_MAX];

    if (strcmp(kind, "skipped") == 0) {
        fputs("not tried (suspended)", out);
        return;
    }
    fputs(strcmp(kind, "transfer_failure") == 0 ? "not accepted" : "no session", out);
    if (lasted >= 100)
        fprintf(out, " (after %s)", say_duration(took, lasted));
    else
        fputs(" (at once)", out);
}

/* `number`: the key of its number, or NULL for none. `message`: named where it is another one. */
static void show_attempt(FILE *out, const json_t *a, const char *number, const char *message,
                         const char *indent)
{
    char started[SAY_MAX];

    fputs(indent, out);
    if (number)
        fprintf(out, "#%lld  ", show_number(a, number));
    fprintf(out, "%s  ", say_time(started, show_ms(a, "started")));
    show_kind(out, a);
    if (message && strcmp(show_string(a, "queue_id"), message) != 0)
        fprintf(out, ", by %s", show_string(a, "queue_id"));
    fprintf(out, "\n%s    %s\n", indent, show_string(a, "text"));
}

static void show_allowed(FILE *out, long long most, long long interval, const char *otherwise)
{
    char pace[SAY_MAX];

    fprintf(out, "%lld attempt%s", most, show_plural(most));
    if (interval > 0)
        fprintf(out, ", one %s", say_pace(pace, (uint32_t)interval));
    else
        fputs(otherwise, out);
}

static void show_policy(FILE *out, const json_t *d, const char *indent)
{
    const json_t *p = json_object_get(d, "policy");
    long long cap = show_number(p, "open_retries_cap");
    long long interval = show_number(p, "open_interval");
    char pace[SAY_MAX];

    fprintf(out, "%spolicy:        %s: ", indent, show_string(p, "name"));
    if (cap > 0)
        show_allowed(out, cap, interval, "");
    else if (interval > 0)
        fprintf(out, "no cap, one attempt %s", say_pace(pace, (uint32_t)interval));
    else
        fputs("no cap", out);
    if (show_number(p, "max_transfer_retries") > 0) {
        fputs("; in a session: ", out);
        show_allowed(out, show_number(p, "max_transfer_retries"),
                     show_number(p, "transfer_interval"), ", on Postfix's schedule");
    }
    fputc('\n', out);
}

/* Nobody is there to try with. */
static void show_no_probe(FILE *out, const json_t *d, int64_t now)
{
    char held[SAY_MAX];
    int64_t next = show_ms(d, "next_attempt");

    if (strcmp(show_string(d, "health"), "down") == 0 && next >= now + 1000)
        fprintf(out, "mail is held for %s; ", say_duration(held, next - now));
    fputs("nobody waits: the next message is the probe\n", out);
}

/* What happens to the destination next, and when. */
static void show_next(FILE *out, const json_t *report, const json_t *d, const char *indent)
{
    int64_t now = show_ms(report, "now");
    int64_t next = show_ms(d, "next_attempt");
    const char *health = show_string(d, "health");
    char until[SAY_MAX];

    fprintf(out, "%snext:          ", indent);
    if (strcmp(health, "up") == 0 && !show_truth(d, "draining"))
        fputs("nothing: mail goes out normally\n", out);
    else if (!show_truth(report, "acting"))
        fputs("Postfix's schedule\n", out);
    else if (show_truth(d, "draining"))
        fputs("it is back; waiting messages are being sent\n", out);
    else if (show_number(d, "waiting") == 0)
        show_no_probe(out, d, now);
    else if (next == 0)
        fputs("an attempt on Postfix's own schedule\n", out);
    else if (next < now + 1000)
        fputs("an attempt is due or under way\n", out);
    else
        fprintf(out, "attempt %s%s\n", show_until(until, next, now),
                strcmp(health, "down") == 0 ? "; until then its mail is held" : "");
}

/* The limit learned, and when a wider lane is tried. */
static void show_limit(FILE *out, const json_t *d, int64_t now)
{
    const json_t *limit = json_object_get(d, "recipient_limit");
    char until[SAY_MAX];

    if (!json_is_object(limit))
        return;
    fprintf(out, "  recipients:    it takes %lld in one transaction", show_number(limit, "takes"));
    if (show_number(limit, "lane") > 0)
        fprintf(out, "; lane postern-rcpt%lld, a wider one is tried %s", show_number(limit, "lane"),
                show_until(until, show_ms(limit, "wider_at"), now));
    fputc('\n', out);
}

/* The pool of processes its mail goes to, and the hosts it is behind. */
static void show_lane(FILE *out, const json_t *d)
{
    const json_t *lane = json_object_get(d, "lane");
    char until[SAY_MAX];

    if (!json_is_object(lane))
        return;
    fprintf(out, "  lane:          %s", show_string(lane, "service"));
    if (show_ms(lane, "until") > 0)
        fprintf(out, ", until %s", say_time(until, show_ms(lane, "until")));
    fputc('\n', out);
}

static void show_hosts(FILE *out, const json_t *d)
{
    const char *label = "mail hosts:";
    const json_t *host;
    char since[SAY_MAX];
    size_t i;

    json_array_foreach(json_object_get(d, "hosts"), i, host)
    {
        fprintf(out, "  %-15s%s", label, show_string(host, "name"));
        if (show_ms(host, "down_since") > 0)
            fprintf(out, ", down since %s", say_time(since, show_ms(host, "down_since")));
        fputc('\n', out);
        label = "";
    }
}

/* The attempts of the present outage, or those of the outages before it. */
static void show_history(FILE *out, const json_t *list, bool present, const char *title)
{
    const json_t *a;
    bool any = false;
    size_t i;

    json_array_foreach(list, i, a)
    {
        if (json_is_integer(json_object_get(a, "in_outage")) != present)
            continue;
        if (!any)
            fprintf(out, "  %s:\n", title);
        any = true;
        show_attempt(out, a, present ? "in_outage" : NULL, "", "    ");
    }
}

static void show_outage(FILE *out, const json_t *report, int64_t now)
{
    long long failed = show_number(report, "open_retries");
    int64_t since = show_ms(report, "since");
    char time[SAY_MAX];
    char ago[SAY_MAX];

    if (since > 0)
        fprintf(out, "  outage:        %lld failed attempt%s in %s, since %s\n", failed,
                show_plural(failed), say_duration(ago, now - since), say_time(time, since));
}

void show_destination(FILE *out, int width, const json_t *report)
{
    int64_t now = show_ms(report, "now");
    long long waiting = show_number(report, "waiting");
    char time[SAY_MAX];
    const json_t *m;
    size_t i;

    (void)width;
    show_banner(out, report);
    fprintf(out, "%s: ", show_string(report, "name"));
    show_coloured(out, show_string(report, "health"),
                  show_health_colour(show_string(report, "health")));
    fputs(show_truth(report, "proven") ? "\n" : ", never yet reached\n", out);
    show_policy(out, report, "  ");
    show_outage(out, report, now);
    show_limit(out, report, now);
    show_lane(out, report);
    show_hosts(out, report);
    fprintf(out, "  last reached:  %s\n", say_time(time, show_ms(report, "last_open")));
    show_next(out, report, report, "  ");
    fprintf(out, "  waiting:       %lld recipient%s\n", waiting, show_plural(waiting));
    json_array_foreach(json_object_get(report, "messages"), i, m)
        fprintf(out, "    %s  %s\n", show_string(m, "queue_id"), show_string(m, "recipient"));
    show_history(out, json_object_get(report, "history"), true, "failed attempts");
    show_history(out, json_object_get(report, "history"), false,
                 "before, in an outage that is over");
}

/* Messages */

/* "2 of 4 attempts" */
static void show_count(FILE *out, long long had, long long cap, const char *remark)
{
    fprintf(out, "    failed:        %lld ", had);
    if (cap > 0)
        fprintf(out, "of %lld ", cap);
    fprintf(out, "attempt%s%s%s\n", show_plural(cap > 0 ? cap : had), remark,
            cap > 0 ? "" : " (no cap)");
}

/* Why this recipient is where it is. */
static void show_why(FILE *out, const json_t *r)
{
    const json_t *d = json_object_get(r, "destination");
    const json_t *policy = json_object_get(d, "policy");

    if (show_truth(r, "waiting")) {
        fprintf(out, "    why:           %s cannot be reached (%s)\n", show_string(d, "name"),
                show_string(d, "health"));
        show_count(out, show_number(r, "open_retries"), show_number(policy, "open_retries_cap"),
                   " since this message came");
    }
    if (show_number(r, "transfer_retries") > 0) {
        fprintf(out, "    why:           %s did not take it\n", show_string(d, "name"));
        show_count(out, show_number(r, "transfer_retries"),
                   show_number(policy, "max_transfer_retries"), " in a session");
    }
}

static void show_next_of_message(FILE *out, const json_t *report, const json_t *r)
{
    char at[SAY_MAX];

    if (show_string(r, "over_cap")[0])
        fputs("    next:          given up: the NDR leaves at its next pass\n", out);
    else if (show_ms(r, "wake_at") > 0)
        fprintf(out, "    next:          attempt %s\n",
                show_until(at, show_ms(r, "wake_at"), show_ms(report, "now")));
    else if (show_truth(r, "waiting"))
        show_next(out, report, json_object_get(r, "destination"), "    ");
    else
        fputs("    next:          an attempt on Postfix's own schedule\n", out);
}

/* "after 1 more failed attempt, about 09:31:26"; with the day when that is not within half a day.
 */
static void show_give_up(FILE *out, const json_t *r, int64_t now)
{
    const json_t *g = json_object_get(r, "gives_up");
    const int64_t half_day = (int64_t)12 * 3600 * 1000;
    enum { CLOCK_AT = 11, CLOCK_LEN = 8 }; /* in say_time */
    int64_t about = show_ms(g, "about");
    char time[SAY_MAX];

    if (!json_is_object(g))
        return;
    fprintf(out, "    given up:      after %lld more failed attempt%s", show_number(g, "after"),
            show_plural(show_number(g, "after")));
    say_time(time, about);
    if (about > now + half_day)
        fprintf(out, ", about %s", time);
    else if (about > 0)
        fprintf(out, ", about %.*s", CLOCK_LEN, time + CLOCK_AT);
    fputc('\n', out);
}

/* The same attempt may stand in both lists: it is shown once. */
static bool is_among(const json_t *counted, const json_t *attempt, const char *queue_id)
{
    const json_t *c;
    size_t i;

    json_array_foreach(counted, i,
                       c) if (strcmp(show_string(c, "queue_id"), queue_id) == 0 &&
                              show_ms(c, "started") == show_ms(attempt, "started")) return true;
    return false;
}

static void show_attempts(FILE *out, const json_t *r, const char *queue_id)
{
    const json_t *counted = json_object_get(r, "counted");
    const json_t *own = json_object_get(r, "attempts");
    long long failed = show_number(r, "failed_attempts");
    const json_t *a;
    size_t i;

    if (json_array_size(counted) > 0)
        fputs("    counted:       whichever message made the attempt\n", out);
    json_array_foreach(counted, i, a) show_attempt(out, a, "in_outage", queue_id, "      ");
    fprintf(out, "    its own:       %lld failed attempt%s%s\n", failed, show_plural(failed),
            json_array_size(own) > 0 && failed > (long long)json_array_size(own)
                ? "; the last ones:"
                : "");
    json_array_foreach(own, i, a)
    {
        if (!is_among(counted, a, queue_id))
            show_attempt(out, a, "number", NULL, "      ");
    }
}

void show_message(FILE *out, int width, const json_t *report)
{
    const char *queue_id = show_string(report, "queue_id");
    char arrived[SAY_MAX];
    const json_t *r;
    size_t i;

    (void)width;
    show_banner(out, report);
    fprintf(out, "%s\n", queue_id);
    json_array_foreach(json_object_get(report, "recipients"), i, r)
    {
        fprintf(out, "  to %s, in the queue since %s\n", show_string(r, "recipient"),
                say_time(arrived, show_ms(r, "arrived")));
        show_policy(out, json_object_get(r, "destination"), "    ");
        show_why(out, r);
        show_next_of_message(out, report, r);
        show_give_up(out, r, show_ms(report, "now"));
        show_attempts(out, r, queue_id);
    }
    show_bounced(out, report);
}
