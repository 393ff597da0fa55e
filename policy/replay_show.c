/* The report of a replay as text. */
#include <string.h>

#include "replay_report.h"
#include "replay_rows.h"
#include "replay_words.h"
#include "show_colour.h"
#include "show_parts.h"

enum {
    ROWS_MAX = 15, /* of each list of outages */
    NAMES_MAX = 4, /* of destinations in a row */
    LIMITS_MAX = 15,
    FILES_MAX = 8,
    SAMPLES_SHOWN = 2,
    BAR = 30,
    NAME_MIN = 12,
};

struct page {
    FILE *out;
    int width;
};

/* Words on lines of at most `width` columns, `indent` of them blank. */
static void paragraph(const struct page *p, int indent, const char *text)
{
    int used = 0;

    while (*text) {
        size_t len = strcspn(text, " ");

        if (used > 0 && used + 1 + (int)len > p->width) {
            fputc('\n', p->out);
            used = 0;
        }
        used += fprintf(p->out, "%*s%.*s", used > 0 ? 1 : indent, "", (int)len, text);
        text += len;
        text += strspn(text, " ");
    }
    if (used > 0)
        fputc('\n', p->out);
}

static void heading(const struct page *p, const char *text)
{
    fprintf(p->out, "\n%s\n", text);
    for (size_t i = 0; i < strlen(text); i++)
        fputc('-', p->out);
    fputc('\n', p->out);
}

/* Outages */

static enum show_colour colour_of(const json_t *outage)
{
    const char *state = show_string(outage, "state");

    if (strcmp(state, "over") == 0)
        return SHOW_PLAIN;
    return strcmp(state, "ongoing") == 0 ? SHOW_RED : SHOW_YELLOW;
}

static const char *lasted(char *buffer, const json_t *outage)
{
    char duration[SAY_MAX];

    snprintf(buffer, SAY_MAX, "%s%s", say_duration(duration, show_ms(outage, "lasted")),
             strcmp(show_string(outage, "state"), "over") == 0 ? "" : " +");
    return buffer;
}

static int name_width(const struct page *p)
{
    return p->width - 51 > NAME_MIN ? p->width - 51 : NAME_MIN;
}

static void row_lines(const struct page *p, const json_t *row)
{
    int name = name_width(p);
    char from[SAY_MAX];
    char length[SAY_MAX];
    char words[REPLAY_WORDS];
    const char *title = show_string(row, "title");

    replay_minute_words(from, sizeof(from), show_ms(row, "began"));
    if ((int)strlen(title) > name)
        fprintf(p->out, "%s\n%*s", title, name, "");
    else
        fprintf(p->out, "%-*s", name, title);
    fprintf(p->out, "  %-16s  ", from);
    show_coloured(p->out, lasted(length, row), colour_of(row));
    fprintf(p->out, "%*s  %6lld  %6lld\n", 13 - (int)strlen(length), "",
            show_number(row, "attempts") + show_number(row, "suspended"),
            show_number(json_object_get(row, "waited"), "count"));
    paragraph(p, 4, replay_names_words(words, sizeof(words), row, NAMES_MAX));
    paragraph(p, 4, show_string(row, "last_error"));
    paragraph(p, 4, replay_outage_words(words, sizeof(words), row));
}

static void outage_list(const struct page *p, const json_t *report, bool never_reached)
{
    json_t *rows = replay_rows(report, never_reached);
    size_t left = replay_rows_cut(rows, ROWS_MAX);
    const json_t *row;
    size_t i;

    if (json_array_size(rows) == 0)
        fputs("None.\n", p->out);
    else
        fprintf(p->out, "%-*s  %-16s  %-13s  %6s  %6s\n", name_width(p), "DESTINATION", "FROM",
                "LASTED", "FAILED", "WAITED");
    json_array_foreach(rows, i, row) row_lines(p, row);
    if (left > 0)
        fprintf(p->out, "... and %zu more, with less mail: --json and --html have them\n", left);
    json_decref(rows);
}

/* The other sections */

/* Nothing where all are alike: the words tell how long. */
static void histogram(const struct page *p, const json_t *tally, const char *caption)
{
    const json_t *steps = json_object_get(tally, "steps");
    const json_t *step;
    long long most = 1;
    size_t i;

    json_array_foreach(steps, i, step) if (show_number(step, "count") > most) most =
        show_number(step, "count");
    if (most >= show_number(tally, "count"))
        return;
    fprintf(p->out, "  %s:\n", caption);
    json_array_foreach(steps, i, step)
    {
        long long n = show_number(step, "count");
        char label[SAY_MAX];

        if (n == 0)
            continue;
        fprintf(p->out, "    %-16s %8lld ", replay_step_words(label, sizeof(label), steps, i), n);
        for (long long bar = 0; bar < (n * BAR + most - 1) / most; bar++)
            fputc('#', p->out);
        fputc('\n', p->out);
    }
}

static void sample_line(const struct page *p, const json_t *sample)
{
    char was[SAY_MAX];
    char would[SAY_MAX];

    replay_minute_words(was, sizeof(was), show_ms(sample, "was"));
    replay_minute_words(would, sizeof(would), show_ms(sample, "would"));
    fprintf(p->out, "    %s%s%s\n", show_string(sample, "queue_id"),
            show_string(sample, "recipient")[0] ? " " : "", show_string(sample, "recipient"));
    if (show_ms(sample, "would") == 0)
        snprintf(would, sizeof(would), "no bounce");
    if (strcmp(was, would) == 0)
        fprintf(p->out, "        %s\n", was);
    else
        fprintf(p->out, "        %s; with Postern %s\n", was, would);
}

static void samples(const struct page *p, const json_t *list)
{
    const json_t *sample;
    size_t i;

    if (json_array_size(list) > 0)
        fputs("  For example:\n", p->out);
    json_array_foreach(list, i, sample)
    {
        if (i < SAMPLES_SHOWN)
            sample_line(p, sample);
    }
}

static void section(const struct page *p, const struct replay_section *section,
                    const json_t *report)
{
    const json_t *tally = replay_section_tally(section, report);
    const json_t *group = json_object_get(report, section->group ? section->group : "");
    char words[REPLAY_WORDS];

    heading(p, section->title);
    paragraph(p, 0, section->words(words, sizeof(words), report));
    if (tally)
        histogram(p, tally, section->caption);
    if (section->samples)
        samples(p, json_object_get(group, section->samples));
}

static void limit_list(const struct page *p, const json_t *report)
{
    const json_t *list =
        json_object_get(json_object_get(report, "recipient_limits"), "destinations");
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (i >= LIMITS_MAX)
            break;
        fprintf(p->out, "  %s: %lld bounced, %lld deferred\n", show_string(one, "destination"),
                show_number(one, "wrong_bounces"), show_number(one, "deferrals"));
        paragraph(p, 4, show_string(one, "reply"));
    }
}

static void in_short_line(const struct page *p, long long number, const char *what)
{
    if (number > 0)
        fprintf(p->out, "%9lld  %s\n", number, what);
    else
        fprintf(p->out, "%9s  %s\n", "-", what);
}

/* The numbers of all sections, on the first screen. */
static void in_short(const struct page *p, const json_t *report)
{
    json_t *rows = replay_rows(report, false);
    json_t *never = replay_rows(report, true);

    heading(p, "In short");
    in_short_line(p, (long long)json_array_size(rows), "Outages");
    in_short_line(p, (long long)json_array_size(never), "Never reached");
    for (size_t i = 0; i < replay_section_count; i++)
        in_short_line(p, replay_section_number(&replay_sections[i], report),
                      replay_sections[i].title);
    json_decref(never);
    json_decref(rows);
}

/* All with something to be said of them, and the first of the others. */
static void files(const struct page *p, const json_t *report)
{
    const json_t *list = json_object_get(report, "files");
    const json_t *file;
    size_t shown = 0;
    size_t i;

    json_array_foreach(list, i, file)
    {
        if (show_string(file, "note")[0] == '\0' && shown >= FILES_MAX)
            continue;
        fprintf(p->out, "  %s: %lld line%s\n", show_string(file, "name"),
                show_number(file, "lines"), show_plural(show_number(file, "lines")));
        paragraph(p, 4, show_string(file, "note"));
        shown++;
    }
    if (shown < json_array_size(list))
        fprintf(p->out, "  ... and %zu more files\n", json_array_size(list) - shown);
}

static void notes(const struct page *p, const json_t *report)
{
    const json_t *note;
    size_t i;

    heading(p, "How this was worked out");
    json_array_foreach(json_object_get(report, "notes"), i, note)
        paragraph(p, 2, json_string_value(note));
}

void replay_show(FILE *out, int width, const json_t *report)
{
    const struct page p = {out, width};
    char words[REPLAY_WORDS];

    paragraph(&p, 0, replay_summary_words(words, sizeof(words), report));
    files(&p, report);
    in_short(&p, report);
    heading(&p, "Outages");
    outage_list(&p, report, false);
    heading(&p, "Never reached (in this log; mistyped domains are among these)");
    outage_list(&p, report, true);
    for (size_t i = 0; i < replay_section_count; i++) {
        section(&p, &replay_sections[i], report);
        if (replay_sections[i].words == replay_limit_words)
            limit_list(&p, report);
    }
    notes(&p, report);
}
