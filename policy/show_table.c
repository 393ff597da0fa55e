/* The table of destinations, fitted to the terminal. */
#include <string.h>

#include "show_colour.h"
#include "show_parts.h"

enum { COLUMNS = 7, NAME = 0, HEALTH = 1, GAP = 2, NAME_MIN = 11, INDENT = 4, CELL_MAX = 300 };

static const struct {
    const char *title;
    bool right;
} columns[COLUMNS] = {
    {"DESTINATION", false}, {"HEALTH", false}, {"FAILED", true},  {"CAP", true},
    {"SINCE", false},       {"NEXT", false},   {"WAITING", true},
};

struct row {
    char cells[COLUMNS][CELL_MAX];
};

/* Bytes that go on with a UTF-8 character take no place on the terminal. */
static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

static int length(const char *s)
{
    int n = 0;

    for (; *s; s++)
        n += !is_continuation(*s);
    return n;
}

/* Shortens to `most` characters, the last three then "...". */
static void cut(char *s, int most)
{
    int n = 0;

    if (length(s) <= most)
        return;
    for (; *s; s++)
        if (!is_continuation(*s) && ++n > most - 3)
            break;
    strcpy(s, "...");
}

static void fill_next(char *cell, const json_t *d, int64_t now, bool acting)
{
    char until[SAY_MAX];
    const char *text = "-";

    if (!acting)
        text = "Postfix's schedule";
    else if (strcmp(show_string(d, "health"), "up") != 0 && show_number(d, "waiting") == 0)
        text = "next mail";
    else if (show_ms(d, "next_attempt") > 0)
        text = show_until(until, show_ms(d, "next_attempt"), now);
    snprintf(cell, CELL_MAX, "%s", text);
}

static void fill(struct row *row, const json_t *d, int64_t now, bool acting)
{
    long long cap = show_number(json_object_get(d, "policy"), "open_retries_cap");
    char since[SAY_MAX] = "-";

    if (show_ms(d, "since") > 0)
        say_duration(since, now - show_ms(d, "since"));
    snprintf(row->cells[NAME], CELL_MAX, "%s", show_string(d, "name"));
    snprintf(row->cells[HEALTH], CELL_MAX, "%s",
             show_truth(d, "draining") ? "draining" : show_string(d, "health"));
    snprintf(row->cells[2], CELL_MAX, "%lld", show_number(d, "open_retries"));
    snprintf(row->cells[3], CELL_MAX, "%lld", cap);
    if (cap == 0)
        strcpy(row->cells[3], "none");
    snprintf(row->cells[4], CELL_MAX, "%s", since);
    fill_next(row->cells[5], d, now, acting);
    snprintf(row->cells[6], CELL_MAX, "%lld", show_number(d, "waiting"));
}

static void widen(int *widths, const struct row *row)
{
    for (int i = 0; i < COLUMNS; i++)
        if (length(row->cells[i]) > widths[i])
            widths[i] = length(row->cells[i]);
}

/* Names give way to the other columns. */
static void fit(int *widths, int width)
{
    int others = 0;

    for (int i = 1; i < COLUMNS; i++)
        others += GAP + widths[i];
    if (widths[NAME] > width - others)
        widths[NAME] = width - others > NAME_MIN ? width - others : NAME_MIN;
}

static void print(FILE *out, struct row *row, const int *widths)
{
    cut(row->cells[NAME], widths[NAME]);
    for (int i = 0; i < COLUMNS; i++) {
        const char *cell = row->cells[i];
        int pad = widths[i] - length(cell);

        fprintf(out, "%*s", (i ? GAP : 0) + (columns[i].right ? pad : 0), "");
        show_coloured(out, cell, i == HEALTH ? show_health_colour(cell) : SHOW_PLAIN);
        fprintf(out, "%*s", columns[i].right ? 0 : pad, "");
    }
    fputc('\n', out);
}

void show_wrapped(FILE *out, const char *text, int width)
{
    int used = 0;

    while (*text) {
        size_t len = strcspn(text, " ");

        if (used > 0 && used + 1 + (int)len > width) {
            fputc('\n', out);
            used = 0;
        }
        used += fprintf(out, "%*s%.*s", used > 0 ? 1 : INDENT, "", (int)len, text);
        text += len;
        text += strspn(text, " ");
    }
    if (used > 0)
        fputc('\n', out);
}

static void print_table(FILE *out, int width, const json_t *report, const json_t *list)
{
    int64_t now = show_ms(report, "now");
    bool acting = show_truth(report, "acting");
    int widths[COLUMNS] = {0};
    struct row head;
    struct row row;
    const json_t *d;
    size_t i;

    for (int c = 0; c < COLUMNS; c++)
        strcpy(head.cells[c], columns[c].title);
    widen(widths, &head);
    json_array_foreach(list, i, d)
    {
        fill(&row, d, now, acting);
        widen(widths, &row);
    }
    fit(widths, width);
    print(out, &head, widths);
    json_array_foreach(list, i, d)
    {
        fill(&row, d, now, acting);
        print(out, &row, widths);
        show_wrapped(out, show_string(d, "last_error"), width);
    }
}

void show_destinations(FILE *out, int width, const json_t *report)
{
    const json_t *list = json_object_get(report, "destinations");
    long long up = show_number(report, "up");

    show_banner(out, report);
    if (json_array_size(list) > 0)
        print_table(out, width, report, list);
    else
        fputs("No destination is in an outage. ", out);
    fprintf(out, "%lld other%s up.\n", up, up == 1 ? " is" : "s are");
}
