#include "show.h"

#include <string.h>

#include "show_parts.h"

int64_t show_ms(const json_t *object, const char *key)
{
    return (int64_t)(json_number_value(json_object_get(object, key)) * 1000 + 0.5);
}

long long show_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

bool show_truth(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

const char *show_string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    return s ? s : "";
}

const char *show_plural(long long n)
{
    return n == 1 ? "" : "s";
}

const char *show_until(char *buffer, int64_t at, int64_t now)
{
    char duration[SAY_MAX];

    if (at < now + 1000)
        return strcpy(buffer, "now");
    snprintf(buffer, SAY_MAX, "in %s", say_duration(duration, at - now));
    return buffer;
}

void show_banner(FILE *out, const json_t *report)
{
    if (!show_truth(report, "running"))
        fputs("posternd is NOT RUNNING: Postfix delivers on its own schedule\n\n", out);
    else if (!show_truth(report, "enforce"))
        fputs("observing only (enforce = false): Postfix delivers on its own schedule\n\n", out);
    else if (!show_truth(report, "acting"))
        fputs(
            "Postfix is NOT CONNECTED: run posternctl setup --apply; observing only until then\n\n",
            out);
}

/* Status */

static void show_log(FILE *out, const json_t *report)
{
    int64_t at = show_ms(report, "log_time");
    int64_t now = show_ms(report, "now");
    char time[SAY_MAX];
    char ago[SAY_MAX];

    fprintf(out, "mail log:      %s, ", show_string(report, "log"));
    if (at == 0)
        fputs("NOTHING READ YET\n", out);
    else
        fprintf(out, "read up to %s (%s ago)\n", say_time(time, at), say_duration(ago, now - at));
}

static void show_limits(FILE *out, const json_t *report)
{
    const json_t *limits = json_object_get(report, "recipient_limits");
    const json_t *lanes = json_object_get(limits, "lanes_in_use");
    const json_t *lane;
    size_t i;

    fprintf(out, "limits:        %lld learned (of recipients in one transaction); ",
            show_number(limits, "learned"));
    fprintf(out, "%zu lane%s in use", json_array_size(lanes),
            show_plural((long long)json_array_size(lanes)));
    json_array_foreach(lanes, i, lane)
        fprintf(out, "%spostern-rcpt%lld", i ? ", " : ": ", (long long)json_integer_value(lane));
    fputc('\n', out);
}

static void show_programs(FILE *out, const json_t *report)
{
    const json_t *connected = json_object_get(report, "connected");

    fprintf(out, "posternd:      %s%s\n", show_truth(report, "running") ? "running" : "not running",
            show_truth(report, "enforce") ? "" : ", observing only (enforce = false)");
    if (json_is_boolean(connected))
        fprintf(out, "postfix:       %s\n",
                json_is_true(connected)
                    ? "connected"
                    : "NOT CONNECTED: run posternctl setup --apply; observing only until then");
}

void show_status(FILE *out, int width, const json_t *report)
{
    const json_t *d = json_object_get(report, "destinations");
    long long waiting = show_number(report, "waiting_recipients");

    (void)width;
    show_banner(out, report);
    show_programs(out, report);
    show_log(out, report);
    fprintf(out, "state:         %s\n", show_string(report, "state"));
    fprintf(out,
            "destinations:  %lld known: %lld up, %lld failing, %lld down, %lld trying "
            "(%lld reached at least once)\n",
            show_number(d, "total"), show_number(d, "up"), show_number(d, "failing"),
            show_number(d, "down"), show_number(d, "trying"), show_number(d, "proven"));
    fprintf(out, "recipients:    %lld waiting for a destination\n", waiting);
    show_limits(out, report);
    show_early_status(out, json_object_get(report, "early_ndr"));
    fprintf(out, "routes:        %lld %s\n", show_number(report, "routes"),
            show_truth(report, "acting") ? "in the transport table" : "wanted");
    if (show_number(d, "total") > show_number(d, "up"))
        fputs("\nNext: posternctl destinations\n", out);
}
