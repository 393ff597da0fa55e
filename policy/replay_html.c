/* The report of a replay as a page: no scripts, nothing from elsewhere, every element closed. */
#include "replay_html.h"

#include <stdbool.h>
#include <string.h>

#include "replay_report.h"
#include "replay_words.h"
#include "show_parts.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
    "<meta http-equiv=\"Content-Security-Policy\" "
    "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
    "<meta name=\"viewport\" content=\"width=device-width\"/>\n"
    "<title>Postern: what past logs tell</title>\n<style>\n"
    "body { font: 15px/1.45 sans-serif; color: #222; max-width: 980px; margin: 2em auto; "
    "padding: 0 1em; background: #fff; }\n"
    "h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; "
    "border-bottom: 1px solid #bbb; }\n"
    "table { border-collapse: collapse; width: 100%; font-size: 0.9em; }\n"
    "th, td { text-align: left; vertical-align: top; padding: 0.3em 0.6em 0.3em 0; "
    "border-bottom: 1px solid #ddd; overflow-wrap: anywhere; }\n"
    "td.time, td.n, th.n { white-space: nowrap; } td.n, th.n { text-align: right; }\n"
    "td small { color: #555; display: block; }\n"
    "code { font-size: 0.95em; } figure { margin: 1em 0; } figcaption { font-size: 0.9em; }\n"
    "svg { width: 100%; height: auto; } svg.histogram { max-width: 640px; }\n"
    "svg text { font: 12px sans-serif; fill: #222; } svg text.small { font-size: 11px; }\n"
    "svg text.middle { text-anchor: middle; }\n"
    ".tick, .axis { stroke: #ccc; } .axis { stroke: #888; } .bar { fill: #2e6da4; }\n"
    ".over { fill: #d98880; stroke: #b03a2e; } .ongoing { fill: #b03a2e; stroke: #7b241c; }\n"
    ".unknown { fill: url(#stripes); stroke: #b03a2e; stroke-dasharray: 3 2; }\n"
    "@media print { body { margin: 0; max-width: none; font-size: 11pt; } "
    "* { print-color-adjust: exact; -webkit-print-color-adjust: exact; } "
    "tr, figure, svg { break-inside: avoid; } h2 { break-after: avoid; } }\n"
    "</style>\n</head>\n<body>\n";

void replay_html_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '"')
            fputs("&quot;", out);
        else
            fputc(*text, out);
    }
}

/* <NAME>TEXT</NAME> */
static void element(FILE *out, const char *name, const char *text)
{
    fprintf(out, "<%s>", name);
    replay_html_text(out, text);
    fprintf(out, "</%s>\n", name);
}

static void files(FILE *out, const json_t *report)
{
    const json_t *file;
    size_t i;

    fputs("<ul>\n", out);
    json_array_foreach(json_object_get(report, "files"), i, file)
    {
        const char *note = show_string(file, "note");

        fputs("<li><code>", out);
        replay_html_text(out, show_string(file, "name"));
        fprintf(out, "</code>: %lld lines%s", show_number(file, "lines"),
                note[0] ? "; note: " : "");
        replay_html_text(out, note);
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
}

/* Outages */

static void outage_row(FILE *out, const json_t *outage)
{
    bool over = strcmp(show_string(outage, "state"), "over") == 0;
    char from[SAY_MAX];
    char length[SAY_MAX];
    char words[REPLAY_WORDS];

    fputs("<tr><td>", out);
    replay_html_text(out, show_string(outage, "destination"));
    fputs("<small>", out);
    replay_html_text(out, show_string(outage, "last_error"));
    fputs("</small><small>", out);
    replay_html_text(out, replay_outage_words(words, sizeof(words), outage));
    fprintf(out,
            "</small></td><td class=\"time\">%s</td><td class=\"time\">%s%s</td>"
            "<td class=\"n\">%lld</td><td class=\"n\">%lld</td></tr>\n",
            replay_minute_words(from, sizeof(from), show_ms(outage, "began")),
            say_duration(length, show_ms(outage, "lasted")), over ? "" : " +",
            show_number(outage, "attempts") + show_number(outage, "suspended"),
            show_number(json_object_get(outage, "waited"), "count"));
}

static void outage_table(FILE *out, const json_t *report, bool never_reached)
{
    const json_t *outage;
    size_t shown = 0;
    size_t i;

    json_array_foreach(json_object_get(report, "outages"), i, outage)
    {
        if (replay_never_reached(outage) != never_reached)
            continue;
        if (shown++ == 0)
            fputs("<table>\n<thead><tr><th>Destination</th><th>From</th><th>Lasted</th>"
                  "<th class=\"n\">Failed</th><th class=\"n\">Waited</th></tr></thead>\n<tbody>\n",
                  out);
        outage_row(out, outage);
    }
    fputs(shown ? "</tbody></table>\n" : "<p>None.</p>\n", out);
}

/* The other sections */

static void sample_table(FILE *out, const json_t *list)
{
    const json_t *sample;
    size_t i;

    if (json_array_size(list) == 0)
        return;
    fputs("<table>\n<thead><tr><th>For example</th><th>Recipient</th><th>Happened</th>"
          "<th>With Postern</th></tr></thead>\n<tbody>\n",
          out);
    json_array_foreach(list, i, sample)
    {
        char was[SAY_MAX];
        char would[SAY_MAX];

        fputs("<tr><td><code>", out);
        replay_html_text(out, show_string(sample, "queue_id"));
        fputs("</code></td><td>", out);
        replay_html_text(out, show_string(sample, "recipient"));
        fprintf(out, "</td><td class=\"time\">%s</td><td class=\"time\">%s</td></tr>\n",
                replay_minute_words(was, sizeof(was), show_ms(sample, "was")),
                show_ms(sample, "would") > 0
                    ? replay_minute_words(would, sizeof(would), show_ms(sample, "would"))
                    : "no bounce");
    }
    fputs("</tbody></table>\n", out);
}

static void limit_table(FILE *out, const json_t *list)
{
    const json_t *one;
    size_t i;

    if (json_array_size(list) == 0)
        return;
    fputs("<table>\n<thead><tr><th>Destination</th><th class=\"n\">Bounced</th>"
          "<th class=\"n\">Deferred</th></tr></thead>\n<tbody>\n",
          out);
    json_array_foreach(list, i, one)
    {
        fputs("<tr><td>", out);
        replay_html_text(out, show_string(one, "destination"));
        fputs("<small>", out);
        replay_html_text(out, show_string(one, "reply"));
        fprintf(out, "</small></td><td class=\"n\">%lld</td><td class=\"n\">%lld</td></tr>\n",
                show_number(one, "wrong_bounces"), show_number(one, "deferrals"));
    }
    fputs("</tbody></table>\n", out);
}

static void section(FILE *out, const struct replay_section *section, const json_t *report)
{
    const json_t *group = json_object_get(report, section->group ? section->group : "");
    const json_t *tally = replay_section_tally(section, report);
    char words[REPLAY_WORDS];

    element(out, "h2", section->title);
    element(out, "p", section->words(words, sizeof(words), report));
    if (tally)
        replay_svg_histogram(out, tally, section->caption);
    if (section->words == replay_limit_words)
        limit_table(out, json_object_get(group, "destinations"));
    if (section->samples)
        sample_table(out, json_object_get(group, section->samples));
}

static void notes(FILE *out, const json_t *report)
{
    const json_t *note;
    size_t i;

    element(out, "h2", "How this was worked out");
    fputs("<ul>\n", out);
    json_array_foreach(json_object_get(report, "notes"), i, note)
        element(out, "li", json_string_value(note));
    fputs("</ul>\n", out);
}

void replay_html(FILE *out, const json_t *report)
{
    char words[REPLAY_WORDS];

    fputs(head, out);
    element(out, "h1", "What Postern would have done");
    element(out, "p", replay_summary_words(words, sizeof(words), report));
    files(out, report);
    element(out, "h2", "Outages");
    replay_svg_timeline(out, report);
    outage_table(out, report, false);
    element(out, "h2", "Never reached in this log");
    element(out, "p", "Mistyped domains are among these.");
    outage_table(out, report, true);
    for (size_t i = 0; i < replay_section_count; i++)
        section(out, &replay_sections[i], report);
    element(out, "h2", "All deliveries");
    replay_svg_histogram(out, json_object_get(json_object_get(report, "mail"), "delays"),
                         "From arrival to delivery, of all that was delivered");
    notes(out, report);
    fputs("</body>\n</html>\n", out);
}
