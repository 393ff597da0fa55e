/* What can be concluded from a log, and what cannot: in words, with the report. */
#include <stdarg.h>

#include "replay_report.h"
#include "show_parts.h"

static void note(json_t *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(json_t *notes, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    json_array_append_new(notes, json_vsprintf(format, ap));
    va_end(ap);
}

static void about_outages(json_t *notes, const json_t *report)
{
    long long brief = show_number(json_object_get(report, "mail"), "short_outages");

    note(notes, "An outage goes from the first attempt that got no session to the first session "
                "that Postfix opened afterwards; the host may have been back earlier than that.");
    note(notes,
         "It is named when at least hold_after retries failed, open_interval apart: Postern "
         "would have held its mail; or fewer, where it was known that all its mail hosts were "
         "down. %lld shorter failure%s %s left out.",
         brief, show_plural(brief), brief == 1 ? "is" : "are");
    if (json_array_size(json_object_get(report, "servers")) > 1)
        note(notes, "Each server is judged as with a Postern of its own, by its own lines. What "
                    "several saw of one destination or one mail host at the same time is one "
                    "outage here; FAILED, WAITED and all sums are of all servers.");
}

static void about_caps(json_t *notes, const json_t *report)
{
    (void)report;
    note(notes, "When a cap would have returned mail is worked out, not seen: from the first "
                "failure on, one retry per open_interval, as posternd makes them (with "
                "open_interval = 0 or hold_after = 0: the retries in the log). The log cannot tell "
                "whether the retries that Postfix did not make would have reached the host.");
    note(notes, "A destination that was reached later in this log is not taken for a mistyped "
                "domain; one that never was has the cap of unproven.");
}

static void about_the_door(json_t *notes, const json_t *door)
{
    long long tripped = show_number(door, "guards_tripped");

    if (show_number(door, "messages") > 0)
        note(notes, "At the door comes what clients send through postern-earlyndr; the log of the "
                    "deliveries does not tell which mail that was. After half of lifetime one "
                    "message is let in to try the address.");
    if (tripped > 0)
        note(notes,
             "%lld time%s a destination rejected so many that nothing was learned from it "
             "(early_ndr.guard).",
             tripped, show_plural(tripped));
}

static void about_the_rest(json_t *notes, const json_t *report)
{
    const json_t *held = json_object_get(report, "held_up");
    const json_t *early = json_object_get(report, "bad_beside_slow");

    note(notes, "Refused as one recipient too many: Postern sends the rest in another transaction "
                "at once. What that server then does with it, the log cannot tell.");
    note(notes,
         "For a bad address beside a slow one the NDR would have left %lld s after the "
         "rejection, for mail that came in through postern-earlyndr.",
         show_number(early, "after"));
    about_the_door(notes, json_object_get(report, "at_the_door"));
    note(notes,
         "Mail counts as held up by silent hosts when attempts of 10 s or more kept at "
         "least %lld processes busy at some time while it waited.",
         show_number(held, "beside_silence_processes"));
}

/* Where the estimates stand on less than the whole story. */
static void about_gaps(json_t *notes, const json_t *report)
{
    const json_t *ndrs = json_object_get(report, "ndrs");
    const json_t *mail = json_object_get(report, "mail");
    long long unseen = show_number(ndrs, "not_seen_to_fail");
    long long ours = show_number(mail, "deferred_by_postern");

    if (unseen > 0)
        note(notes,
             "%lld message%s expired whose first failure is not in this log; nothing is "
             "concluded from %s.",
             unseen, show_plural(unseen), unseen == 1 ? "it" : "them");
    if (ours > 0)
        note(notes,
             "%lld deliver%s deferred by Postern itself: for that time this is not what "
             "Postfix alone would have done.",
             ours, ours == 1 ? "y was" : "ies were");
}

/* Every limit that was hit, by the name it has in "limits_hit". */
static void about_limits(json_t *notes, const json_t *report)
{
    static const struct {
        const char *key;
        const char *what;
    } limits[] = {
        {"servers", "lines were of servers beyond the number that is kept"},
        {"addresses", "bounces were of bad addresses beyond the number that is kept"},
        {"destinations", "lines were about destinations beyond the number that is kept"},
        {"recipients", "failures were about messages beyond the number that is kept"},
        {"outages", "outages are not listed, beyond the number that is kept"},
        {"minutes", "times held-up mail could not be placed in time"},
    };
    const json_t *hit = json_object_get(report, "limits_hit");

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (show_number(hit, limits[i].key) > 0)
            note(notes, "INCOMPLETE: %lld %s.", show_number(hit, limits[i].key), limits[i].what);
}

void replay_notes(json_t *report)
{
    json_t *notes = json_array();

    about_limits(notes, report);
    about_gaps(notes, report);
    about_outages(notes, report);
    about_caps(notes, report);
    about_the_rest(notes, report);
    json_object_set_new(report, "notes", notes);
}
