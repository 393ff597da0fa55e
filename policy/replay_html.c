/* The report of a replay as a page: no scripts, nothing from elsewhere, every element closed. */
#include "replay_html.h"

#include <stdbool.h>
#include <string.h>

#include "replay_report.h"
#include "replay_rows.h"
#include "replay_words.h"
#include "show_parts.h"

enum {
    NAMES_MAX = 60, /* of destinations in a row */
    FILES_MAX = 20, /* with nothing to be said of them */
    SAMPLES_MAX = 5,
    FIRST_SECTION = 2, /* before it: outages, and what was never reached */
};

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
    "<meta http-equiv=\"Content-Security-Policy\" "
    "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
    "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
    "<title>Postern: what past logs tell</title>\n<style>\n"
    ":root { --text: #222; --soft: #555; --line: #ccc; --page: #fff; --bar: #2e6da4; "
    "--link: #1b4f80; }\n"
    "@media (prefers-color-scheme: dark) { :root { --text: #ddd; --soft: #aaa; --line: #555; "
    "--page: #1b1d1f; --bar: #6ba3d6; --link: #8fc1ee; } }\n"
    "body { font: 15px/1.45 sans-serif; color: var(--text); background: var(--page); "
    "max-width: 980px; margin: 2em auto; padding: 0 1em; }\n"
    "h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2em; "
    "border-bottom: 1px solid var(--line); }\n"
    "a { color: var(--link); }\n"
    "table { border-collapse: collapse; width: 100%; font-size: 0.9em; }\n"
    "table.short { width: auto; }\n"
    "th, td { text-align: left; vertical-align: top; padding: 0.3em 0.6em 0.3em 0; "
    "border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }\n"
    "td.time, td.n, th.n { white-space: nowrap; } td.n, th.n { text-align: right; }\n"
    "td.n { font-variant-numeric: tabular-nums; }\n"
    "td small { color: var(--soft); display: block; }\n"
    "code { font-size: 0.95em; overflow-wrap: anywhere; }\n"
    "figure { margin: 1em 0; } figcaption { font-size: 0.9em; }\n"
    ".wide { overflow-x: auto; } svg { width: 100%; height: auto; }\n"
    "svg.timeline { min-width: 720px; } svg.histogram { max-width: 640px; min-width: 480px; }\n"
    "svg text { font: 12px sans-serif; fill: var(--text); } svg text.small { font-size: 11px; }\n"
    "svg text.middle { text-anchor: middle; }\n"
    ".tick, .axis { stroke: var(--line); } .axis { stroke: var(--soft); } "
    ".bar { fill: var(--bar); }\n"
    ".over { fill: #d98880; stroke: #b03a2e; } .ongoing { fill: #b03a2e; stroke: #7b241c; }\n"
    ".unknown { fill: url(#stripes); stroke: #b03a2e; stroke-dasharray: 3 2; }\n"
    "@media (max-width: 600px) {\n"
    "table.list, table.list tbody, table.list tr, table.list td { display: block; }\n"
    "table.list thead { display: none; } table.list tr { padding: 0.5em 0; "
    "border-bottom: 1px solid var(--line); }\n"
    "table.list td { border: 0; padding: 0 1em 0 0; text-align: left; white-space: normal; }\n"
    "table.list td[title] { display: inline-block; }\n"
    "table.list td[title]::before { content: attr(title) \": \"; color: var(--soft); } }\n"
    "@media print { :root { --text: #000; --soft: #333; --line: #999; --page: #fff; "
    "--bar: #2e6da4; --link: #000; }\n"
    "body { margin: 0; padding: 0; max-width: none; font-size: 10pt; }\n"
    "* { print-color-adjust: exact; -webkit-print-color-adjust: exact; }\n"
    ".wide { overflow: visible; } svg.timeline, svg.histogram { min-width: 0; }\n"
    "svg.histogram { max-width: 12cm; }\n"
    "tr, figure, svg.histogram { break-inside: avoid; } h2 { break-after: avoid; } }\n"
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
    const json_t *list = json_object_get(report, "files");
    const json_t *file;
    size_t shown = 0;
    size_t i;

    fputs("<ul>\n", out);
    json_array_foreach(list, i, file)
    {
        const char *note = show_string(file, "note");

        if (note[0] == '\0' && shown >= FILES_MAX)
            continue;
        shown++;
        fputs("<li><code>", out);
        replay_html_text(out, show_string(file, "name"));
        fprintf(out, "</code>: %lld lines%s", show_number(file, "lines"),
                note[0] ? "; note: " : "");
        replay_html_text(out, note);
        fputs("</li>\n", out);
    }
    if (shown < json_array_size(list))
        fprintf(out, "<li>and %zu more files</li>\n", json_array_size(list) - shown);
    fputs("</ul>\n", out);
}

/* Outages */

static void small(FILE *out, const char *text)
{
    if (text[0] == '\0')
        return;
    fputs("<small>", out);
    replay_html_text(out, text);
    fputs("</small>", out);
}

static void outage_row(FILE *out, const json_t *row)
{
    bool over = strcmp(show_string(row, "state"), "over") == 0;
    char from[SAY_MAX];
    char length[SAY_MAX];
    char words[NAMES_MAX * 64];

    fputs("<tr><td>", out);
    replay_html_text(out, show_string(row, "title"));
    small(out, replay_names_words(words, sizeof(words), row, NAMES_MAX));
    small(out, show_string(row, "last_error"));
    small(out, replay_outage_words(words, sizeof(words), row));
    fprintf(out,
            "</td><td class=\"time\" title=\"From\">%s</td><td class=\"time\" title=\"Lasted\">"
            "%s%s</td><td class=\"n\" title=\"Failed\">%lld</td><td class=\"n\" "
            "title=\"Waited\">%lld</td></tr>\n",
            replay_minute_words(from, sizeof(from), show_ms(row, "began")),
            say_duration(length, show_ms(row, "lasted")), over ? "" : " +",
            show_number(row, "attempts") + show_number(row, "suspended"),
            show_number(json_object_get(row, "waited"), "count"));
}

static void outage_table(FILE *out, const json_t *report, bool never_reached)
{
    json_t *rows = replay_rows(report, never_reached);
    const json_t *row;
    size_t i;

    if (json_array_size(rows) > 0)
        fputs("<table class=\"list\">\n<thead><tr><th>Destination</th><th>From</th>"
              "<th>Lasted</th><th class=\"n\">Failed</th><th class=\"n\">Waited</th></tr>"
              "</thead>\n<tbody>\n",
              out);
    json_array_foreach(rows, i, row) outage_row(out, row);
    fputs(json_array_size(rows) > 0 ? "</tbody></table>\n" : "<p>None.</p>\n", out);
    json_decref(rows);
}

/* The other sections */

static void sample_table(FILE *out, const json_t *list)
{
    const json_t *sample;
    size_t i;

    if (json_array_size(list) == 0)
        return;
    fputs(
        "<table class=\"list\">\n<thead><tr><th>For example</th><th>Recipient</th><th>Happened</th>"
        "<th>With Postern</th></tr></thead>\n<tbody>\n",
        out);
    json_array_foreach(list, i, sample)
    {
        char was[SAY_MAX];
        char would[SAY_MAX];

        if (i == SAMPLES_MAX)
            break;
        fputs("<tr><td><code>", out);
        replay_html_text(out, show_string(sample, "queue_id"));
        fputs("</code></td><td>", out);
        replay_html_text(out, show_string(sample, "recipient"));
        fprintf(out,
                "</td><td class=\"time\" title=\"Happened\">%s</td><td class=\"time\" "
                "title=\"With Postern\">%s</td></tr>\n",
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
    fputs("<table class=\"list\">\n<thead><tr><th>Destination</th><th class=\"n\">Bounced</th>"
          "<th class=\"n\">Deferred</th></tr></thead>\n<tbody>\n",
          out);
    json_array_foreach(list, i, one)
    {
        fputs("<tr><td>", out);
        replay_html_text(out, show_string(one, "destination"));
        fputs("<small>", out);
        replay_html_text(out, show_string(one, "reply"));
        fprintf(out,
                "</small></td><td class=\"n\" title=\"Bounced\">%lld</td><td class=\"n\" "
                "title=\"Deferred\">%lld</td></tr>\n",
                show_number(one, "wrong_bounces"), show_number(one, "deferrals"));
    }
    fputs("</tbody></table>\n", out);
}

static void heading(FILE *out, size_t nth, const char *title)
{
    fprintf(out, "<h2 id=\"s%zu\">", nth);
    replay_html_text(out, title);
    fputs("</h2>\n", out);
}

static void section(FILE *out, size_t nth, const json_t *report)
{
    const struct replay_section *section = &replay_sections[nth];
    const json_t *group = json_object_get(report, section->group ? section->group : "");
    const json_t *tally = replay_section_tally(section, report);
    char words[REPLAY_WORDS];

    heading(out, nth + FIRST_SECTION, section->title);
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

static void in_short_row(FILE *out, size_t nth, long long number, const char *title)
{
    fputs("<tr><td class=\"n\">", out);
    if (number > 0)
        fprintf(out, "%lld", number);
    fprintf(out, "</td><td><a href=\"#s%zu\">", nth);
    replay_html_text(out, title);
    fputs("</a></td></tr>\n", out);
}

/* The numbers of all sections, on the first screen. */
static void in_short(FILE *out, const json_t *report)
{
    json_t *rows = replay_rows(report, false);
    json_t *never = replay_rows(report, true);

    fputs("<table class=\"short\">\n<tbody>\n", out);
    in_short_row(out, 0, (long long)json_array_size(rows), "Outages");
    in_short_row(out, 1, (long long)json_array_size(never), "Never reached");
    for (size_t i = 0; i < replay_section_count; i++)
        in_short_row(out, i + FIRST_SECTION, replay_section_number(&replay_sections[i], report),
                     replay_sections[i].title);
    fputs("</tbody></table>\n", out);
    json_decref(never);
    json_decref(rows);
}

void replay_html(FILE *out, const json_t *report)
{
    char words[REPLAY_WORDS];

    fputs(head, out);
    element(out, "h1", "What Postern would have done");
    element(out, "p", replay_summary_words(words, sizeof(words), report));
    files(out, report);
    in_short(out, report);
    heading(out, 0, "Outages");
    replay_svg_timeline(out, report);
    outage_table(out, report, false);
    heading(out, 1, "Never reached");
    element(out, "p", "In this log, that is; mistyped domains are among these.");
    outage_table(out, report, true);
    for (size_t i = 0; i < replay_section_count; i++)
        section(out, i, report);
    element(out, "h2", "All deliveries");
    replay_svg_histogram(out, json_object_get(json_object_get(report, "mail"), "delays"),
                         "From arrival to delivery, of all that was delivered");
    notes(out, report);
    fputs("</body>\n</html>\n", out);
}
