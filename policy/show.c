#include "show.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "say.h"

static int64_t ms_of(const json_t *object, const char *key)
{
    return (int64_t)(json_number_value(json_object_get(object, key)) * 1000 + 0.5);
}

static long long number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool truth(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s ? s : "";
}

/* "in 4 min", "now" */
static const char *say_until(char *buffer, int64_t at, int64_t now)
{
    char duration[SAY_MAX];

    if (at <= now)
        return strcpy(buffer, "now");
    snprintf(buffer, SAY_MAX, "in %s", say_duration(duration, at - now));
    return buffer;
}

void show_status(const json_t *report)
{
    const json_t *d = json_object_get(report, "destinations");

    printf("posternd:      %s%s\n",
           truth(report, "running") ? "running" : "NOT RUNNING (Postfix goes on without it)",
           truth(report, "enforce") ? "" : ", observing only (enforce = false)");
    printf("mail log:      %s\n", string(report, "log"));
    printf("state:         %s\n", string(report, "state"));
    printf("destinations:  %lld known, %lld proven: %lld up, %lld failing, %lld down, %lld trying\n",
           number(d, "total"), number(d, "proven"), number(d, "up"), number(d, "failing"),
           number(d, "down"), number(d, "trying"));
    printf("recipients:    %lld waiting for a destination\n", number(report, "waiting_recipients"));
    printf("routes:        %lld in the transport table\n", number(report, "routes"));
    if (number(d, "total") > number(d, "up"))
        printf("\nNext: posternctl destinations\n");
}

static void say_cap(char *buffer, size_t size, long long retries, long long cap)
{
    if (cap > 0)
        snprintf(buffer, size, "%lld of %lld", retries, cap);
    else
        snprintf(buffer, size, "%lld, no cap", retries);
}

static void show_row(const json_t *d, int64_t now, int width)
{
    char cap[64];
    char since[SAY_MAX];
    char next[SAY_MAX] = "-";

    say_cap(cap, sizeof(cap), number(d, "open_retries"),
            number(json_object_get(d, "policy"), "open_retries_cap"));
    if (ms_of(d, "next_attempt") > 0)
        say_until(next, ms_of(d, "next_attempt"), now);
    printf("%-*s  %-8s %-14s %-12s %-12s %7lld\n", width, string(d, "name"),
           truth(d, "draining") ? "draining" : string(d, "health"), cap,
           ms_of(d, "since") ? say_duration(since, now - ms_of(d, "since")) : "-", next,
           number(d, "waiting"));
    if (string(d, "last_error")[0])
        printf("    %s\n", string(d, "last_error"));
}

void show_destinations(const json_t *report)
{
    const json_t *list = json_object_get(report, "destinations");
    int64_t now = ms_of(report, "now");
    int width = 11;
    const json_t *d;
    size_t i;

    json_array_foreach (list, i, d)
        if ((int)strlen(string(d, "name")) > width)
            width = (int)strlen(string(d, "name"));
    if (json_array_size(list) > 0)
        printf("%-*s  %-8s %-14s %-12s %-12s %7s\n", width, "DESTINATION", "HEALTH", "RETRIES",
               "SINCE", "NEXT", "WAITING");
    json_array_foreach (list, i, d)
        show_row(d, now, width);
    if (json_array_size(list) == 0)
        printf("No destination is in an outage. ");
    printf("%lld other%s up.\n", number(report, "up"), number(report, "up") == 1 ? " is" : "s are");
}

static void show_attempts(const json_t *list, const char *indent)
{
    const json_t *a;
    size_t i;
    char started[SAY_MAX];
    char took[SAY_MAX];

    json_array_foreach (list, i, a) {
        printf("%s#%lld  %s  %s after %s", indent, number(a, "number"),
               say_time(started, ms_of(a, "started")), string(a, "kind"),
               say_duration(took, ms_of(a, "ended") - ms_of(a, "started")));
        printf("\n%s    %s\n", indent, string(a, "text"));
    }
}

static void show_policy(const json_t *d, const char *indent)
{
    const json_t *p = json_object_get(d, "policy");
    char interval[SAY_MAX];
    char transfer[SAY_MAX];

    printf("%spolicy:        %s: open retries %lld every %s", indent, string(p, "name"),
           number(p, "open_retries_cap"), say_duration(interval, number(p, "open_interval") * 1000));
    if (number(p, "max_transfer_retries") > 0)
        printf("; transfer retries %lld", number(p, "max_transfer_retries"));
    if (number(p, "transfer_interval") > 0)
        printf(" every %s", say_duration(transfer, number(p, "transfer_interval") * 1000));
    printf("%s\n", number(p, "open_retries_cap") == 0 ? " (0 = no cap)" : "");
}

/* What happens to the destination next, and when. */
static void show_next(const json_t *d, int64_t now, const char *indent)
{
    const char *health = string(d, "health");
    char next[SAY_MAX];

    if (truth(d, "draining"))
        printf("%snext:          it is back; waiting messages are being sent\n", indent);
    else if (strcmp(health, "up") == 0)
        printf("%snext:          nothing: mail goes out normally\n", indent);
    else if (strcmp(health, "trying") == 0)
        printf("%snext:          an attempt is due or under way\n", indent);
    else if (ms_of(d, "next_attempt") > 0)
        printf("%snext:          attempt %s%s\n", indent,
               say_until(next, ms_of(d, "next_attempt"), now),
               strcmp(health, "down") == 0 ? "; until then its mail is held" : "");
}

/* The limit learned, and when a wider lane is tried. */
static void show_limit(const json_t *d, int64_t now)
{
    const json_t *limit = json_object_get(d, "recipient_limit");
    char until[SAY_MAX];

    if (!json_is_object(limit))
        return;
    printf("  recipients:    it takes %lld in one transaction", number(limit, "takes"));
    if (number(limit, "lane") > 0)
        printf("; lane postern-rcpt%lld, a wider one is tried %s", number(limit, "lane"),
               say_until(until, ms_of(limit, "wider_at"), now));
    putchar('\n');
}

void show_destination(const json_t *report)
{
    int64_t now = ms_of(report, "now");
    char time[SAY_MAX];
    char ago[SAY_MAX];
    const json_t *m;
    size_t i;

    printf("%s: %s%s\n", string(report, "name"), string(report, "health"),
           truth(report, "proven") ? "" : ", never yet reached");
    show_policy(report, "  ");
    if (ms_of(report, "since") > 0)
        printf("  outage:        %lld failed attempts in %s, since %s\n",
               number(report, "open_retries"), say_duration(ago, now - ms_of(report, "since")),
               say_time(time, ms_of(report, "since")));
    show_limit(report, now);
    printf("  last reached:  %s\n", say_time(time, ms_of(report, "last_open")));
    show_next(report, now, "  ");
    printf("  waiting:       %lld recipients\n", number(report, "waiting"));
    json_array_foreach (json_object_get(report, "messages"), i, m)
        printf("    %s  %s\n", string(m, "queue_id"), string(m, "recipient"));
    if (json_array_size(json_object_get(report, "history")) > 0)
        printf("  counted attempts:\n");
    show_attempts(json_object_get(report, "history"), "    ");
}

/* Why this recipient is where it is. */
static void show_why(const json_t *r, int64_t now)
{
    const json_t *d = json_object_get(r, "destination");
    const json_t *policy = json_object_get(d, "policy");
    char cap[64];
    char at[SAY_MAX];

    say_cap(cap, sizeof(cap), number(r, "open_retries"), number(policy, "open_retries_cap"));
    if (truth(r, "waiting"))
        printf("    why:           %s cannot be reached (%s); open retries of this message: %s\n",
               string(d, "name"), string(d, "health"), cap);
    say_cap(cap, sizeof(cap), number(r, "transfer_retries"), number(policy, "max_transfer_retries"));
    if (number(r, "transfer_retries") > 0)
        printf("    why:           %s did not take it; transfer retries: %s\n", string(d, "name"),
               cap);
    if (string(r, "over_cap")[0])
        printf("    next:          over the cap of %s retries: the NDR leaves at its next pass\n",
               string(r, "over_cap"));
    else if (ms_of(r, "wake_at") > 0)
        printf("    next:          attempt %s\n", say_until(at, ms_of(r, "wake_at"), now));
    else if (truth(r, "waiting"))
        show_next(d, now, "    ");
    else
        printf("    next:          an attempt on Postfix's own schedule\n");
}

void show_message(const json_t *report)
{
    int64_t now = ms_of(report, "now");
    char arrived[SAY_MAX];
    const json_t *r;
    size_t i;

    printf("%s\n", string(report, "queue_id"));
    json_array_foreach (json_object_get(report, "recipients"), i, r) {
        long long shown = (long long)json_array_size(json_object_get(r, "attempts"));
        printf("  to %s, in the queue since %s\n", string(r, "recipient"),
               say_time(arrived, ms_of(r, "arrived")));
        show_policy(json_object_get(r, "destination"), "    ");
        show_why(r, now);
        printf("    attempts:      %lld of its own%s\n", number(r, "failed_attempts"),
               number(r, "failed_attempts") > shown ? "; the last ones:" : "");
        show_attempts(json_object_get(r, "attempts"), "      ");
    }
}
