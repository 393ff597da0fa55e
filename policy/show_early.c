/* Bad addresses, and recipients that bounced. */
#include <string.h>

#include "show_parts.h"

enum { LIST_MAX = 200 };

static void show_bad(FILE *out, int width, const json_t *bad, int64_t now)
{
    char learned[SAY_MAX];
    char until[SAY_MAX];
    char text[1200];

    fprintf(out, "%s\n", show_string(bad, "address"));
    snprintf(text, sizeof(text), "%s said: %s", show_string(bad, "host"), show_string(bad, "said"));
    show_wrapped(out, text, width);
    fprintf(out, "    on %s, about %s", say_time(learned, show_ms(bad, "learned")),
            show_string(bad, "queue_id"));
    if (show_number(bad, "times") > 1)
        fprintf(out, ", %lld times in a row", show_number(bad, "times"));
    fprintf(out, "; forgotten %s\n", show_until(until, show_ms(bad, "ends"), now));
}

static void show_guards(FILE *out, const json_t *guards)
{
    const json_t *guard;
    char since[SAY_MAX];
    size_t i;

    json_array_foreach(guards, i, guard) fprintf(
        out, "%s: nothing is learned since %s: it rejected %lld of its last %lld recipients\n",
        show_string(guard, "destination"), say_time(since, show_ms(guard, "since")),
        show_number(guard, "rejected"), show_number(guard, "of"));
}

static const char *consequence(const char *mode)
{
    if (strcmp(mode, "ndr") == 0)
        return "refused at the door, or reported at once to those who may be told";
    return "refused at the door";
}

void show_recipients(FILE *out, int width, const json_t *report)
{
    const json_t *list = json_object_get(report, "recipients");
    const char *mode = show_string(report, "mode");
    size_t count = json_array_size(list);
    size_t shown = count < LIST_MAX ? count : LIST_MAX;

    show_banner(out, report);
    if (strcmp(mode, "off") == 0)
        fputs("early_ndr.mode is \"off\": nothing is learned, and nobody is refused\n\n", out);
    if (count == 0)
        fputs("No address is known to be bad.\n", out);
    else if (strcmp(mode, "off") != 0)
        fprintf(out, "%zu address%s known to be bad, and %s:\n\n", count,
                count == 1 ? " is" : "es are", consequence(mode));
    for (size_t i = 0; i < shown; i++) /* the latest first */
        show_bad(out, width, json_array_get(list, count - 1 - i), show_ms(report, "now"));
    if (count > shown)
        fprintf(out, "and %zu more: posternctl --json recipients\n", count - shown);
    if (json_array_size(json_object_get(report, "guards")) > 0)
        fputc('\n', out);
    show_guards(out, json_object_get(report, "guards"));
    if (count > 0)
        fputs("\nOne of them exists by now? posternctl forget recipient ADDRESS\n", out);
}

void show_early_status(FILE *out, const json_t *early)
{
    size_t guards = json_array_size(json_object_get(early, "guards"));
    long long bad = show_number(early, "bad_addresses");

    if (strcmp(show_string(early, "mode"), "off") == 0) {
        fputs("early NDRs:    off\n", out);
        return;
    }
    fprintf(out, "early NDRs:    %lld bad address%s known", bad, bad == 1 ? "" : "es");
    if (guards > 0)
        fprintf(out, "; NOTHING IS LEARNED from %zu destination%s: posternctl recipients", guards,
                show_plural((long long)guards));
    fputc('\n', out);
}

static void show_who_reports(FILE *out, const json_t *b, int64_t now)
{
    const char *state = show_string(b, "report");
    char at[SAY_MAX];

    fputs("    report:        ", out);
    if (show_ms(b, "reported") > 0)
        fprintf(out, "sent %s\n", say_time(at, show_ms(b, "reported")));
    else if (strcmp(state, "sending") == 0)
        fputs("being sent\n", out);
    else if (show_ms(b, "report_due") > 0)
        fprintf(out, "%s\n", show_until(at, show_ms(b, "report_due"), now));
    else
        fputs("left to Postfix, when it is done with this pass\n", out);
}

void show_bounced(FILE *out, const json_t *report)
{
    const json_t *b;
    char time[SAY_MAX];
    size_t i;

    json_array_foreach(json_object_get(report, "bounced"), i, b)
    {
        fprintf(out, "  to %s, bounced %s\n", show_string(b, "recipient"),
                say_time(time, show_ms(b, "bounced")));
        fprintf(out, "    said:          %s\n", show_string(b, "said"));
        show_who_reports(out, b, show_ms(report, "now"));
    }
}
