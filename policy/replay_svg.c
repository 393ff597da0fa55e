/* The pictures of the page: outages over time, and how often something took how long. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "replay_html.h"
#include "replay_rows.h"
#include "replay_words.h"
#include "show_parts.h"

enum {
    WIDTH = 960,
    LABELS = 220,
    ROW = 20,
    TOP = 24,
    ROWS_MAX = 80,
    BARS_WIDTH = 640,
    BARS_HEIGHT = 120,
    TICKS_MAX = 9
};

/* What the time line shows, and where. */
struct line {
    int64_t from;
    int64_t to;
    const char *names[ROWS_MAX]; /* the titles, a row each */
    int rows;
    int left_out; /* outages of titles beyond ROWS_MAX */
};

static double across(const struct line *l, int64_t ms)
{
    double share = l->to > l->from ? (double)(ms - l->from) / (double)(l->to - l->from) : 0;

    return LABELS + (share < 0 ? 0 : share > 1 ? 1 : share) * (WIDTH - LABELS - 10);
}

/* -1: there is no row left. */
static int row_of(struct line *l, const char *name)
{
    for (int i = 0; i < l->rows; i++)
        if (strcmp(l->names[i], name) == 0)
            return i;
    if (l->rows == ROWS_MAX)
        return -1;
    l->names[l->rows] = name;
    return l->rows++;
}

static void find_rows(struct line *l, const json_t *list)
{
    const json_t *row;
    size_t i;

    json_array_foreach(list, i, row)
    {
        if (row_of(l, show_string(row, "title")) < 0)
            l->left_out++;
        if (show_ms(row, "began") < l->from)
            l->from = show_ms(row, "began");
    }
}

/* The next midnight, or hour, of the local time zone that is not before `ms`. */
static int64_t next_tick(int64_t ms, int hours)
{
    time_t seconds = (time_t)((ms + 999) / 1000);
    struct tm tm;
    time_t at;

    if (localtime_r(&seconds, &tm) == NULL)
        return INT64_MAX;
    tm.tm_min = 0;
    tm.tm_sec = 0;
    tm.tm_hour -= tm.tm_hour % hours;
    tm.tm_isdst = -1;
    for (at = mktime(&tm); at < seconds; at = mktime(&tm)) {
        tm.tm_hour += hours;
        tm.tm_isdst = -1;
    }
    return (int64_t)at * 1000;
}

/* Hours between the ticks, so that there are not too many. */
static int tick_hours(const struct line *l)
{
    static const int steps[] = {1, 3, 6, 12, 24, 48, 168, 720};
    int64_t hours = (l->to - l->from) / 3600000;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (hours / steps[i] <= TICKS_MAX)
            return steps[i];
    return (int)(hours / TICKS_MAX);
}

static void ticks(FILE *out, const struct line *l)
{
    int hours = tick_hours(l);
    int bottom = TOP + l->rows * ROW;

    for (int64_t at = next_tick(l->from, hours < 24 ? hours : 24); at <= l->to;
         at = next_tick(at + (int64_t)(hours < 24 ? 1 : hours - 2) * 3600000,
                        hours < 24 ? hours : 24)) {
        time_t seconds = (time_t)(at / 1000);
        char label[32];
        struct tm tm;

        localtime_r(&seconds, &tm);
        strftime(label, sizeof(label), hours < 24 ? "%d %b %H:%M" : "%d %b", &tm);
        fprintf(out, "<line class=\"tick\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n",
                across(l, at), TOP - 4, across(l, at), bottom);
        if (across(l, at) < WIDTH - 50)
            fprintf(out, "<text class=\"small\" x=\"%.1f\" y=\"%d\">%s</text>\n", across(l, at) + 2,
                    TOP - 8, label);
    }
}

/* The beginning of a name that is too long for its column. */
static void row_names(FILE *out, const struct line *l)
{
    enum { FITS = 34 };

    for (int i = 0; i < l->rows; i++) {
        char name[FITS + 4] = "";
        size_t len = 0;
        const char *at = l->names[i];

        while (len < FITS && at[len])
            len++;
        while (at[len] && len > 0 && ((unsigned char)at[len] & 0xC0) == 0x80)
            len--;
        memcpy(name, at, len);
        strcpy(name + len, at[len] ? "..." : "");
        fprintf(out, "<text x=\"0\" y=\"%d\">", TOP + i * ROW + 14);
        replay_html_text(out, name);
        fputs("</text>\n", out);
    }
}

static void bar(FILE *out, struct line *l, const json_t *row)
{
    int place = row_of(l, show_string(row, "title"));
    const char *state = show_string(row, "state");
    int64_t began = show_ms(row, "began");
    double from = across(l, began);
    double to = across(l, began + show_ms(row, "lasted"));
    char at[SAY_MAX];
    char length[SAY_MAX];

    if (place < 0)
        return;
    fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>",
            strcmp(state, "over") == 0      ? "over"
            : strcmp(state, "ongoing") == 0 ? "ongoing"
                                            : "unknown",
            from, TOP + place * ROW + 3, to - from > 2 ? to - from : 2, ROW - 6);
    replay_html_text(out, show_string(row, "title"));
    fprintf(out, ": %s, %s</title></rect>\n", replay_minute_words(at, sizeof(at), began),
            say_duration(length, show_ms(row, "lasted")));
}

static void legend(FILE *out, const struct line *l)
{
    int y = TOP + l->rows * ROW + 20;

    fprintf(out,
            "<rect class=\"over\" x=\"%d\" y=\"%d\" width=\"30\" height=\"12\"/>"
            "<text class=\"small\" x=\"%d\" y=\"%d\">came back</text>\n"
            "<rect class=\"ongoing\" x=\"%d\" y=\"%d\" width=\"30\" height=\"12\"/>"
            "<text class=\"small\" x=\"%d\" y=\"%d\">still down at the end</text>\n"
            "<rect class=\"unknown\" x=\"%d\" y=\"%d\" width=\"30\" height=\"12\"/>"
            "<text class=\"small\" x=\"%d\" y=\"%d\">not seen to come back</text>\n",
            LABELS, y, LABELS + 36, y + 11, LABELS + 160, y, LABELS + 196, y + 11, LABELS + 380, y,
            LABELS + 416, y + 11);
}

static void draw(FILE *out, struct line *l, const json_t *list)
{
    const json_t *row;
    size_t i;

    fprintf(out,
            "<div class=\"wide\"><svg class=\"timeline\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"Outages over time\">\n"
            "<defs><pattern id=\"stripes\" width=\"6\" height=\"6\" "
            "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
            "<rect width=\"6\" height=\"6\" fill=\"#f6d5d0\"/>"
            "<rect width=\"3\" height=\"6\" fill=\"#b03a2e\"/></pattern></defs>\n",
            WIDTH, TOP + l->rows * ROW + 40);
    ticks(out, l);
    row_names(out, l);
    json_array_foreach(list, i, row) bar(out, l, row);
    legend(out, l);
    fputs("</svg></div>\n", out);
    if (l->left_out > 0)
        fprintf(out, "<p>%d more are in the tables only.</p>\n", l->left_out);
}

void replay_svg_timeline(FILE *out, const json_t *report)
{
    struct line l = {.from = show_ms(report, "from"), .to = show_ms(report, "to")};
    json_t *list = replay_rows(report, false);
    json_t *never = replay_rows(report, true);

    json_array_extend(list, never);
    find_rows(&l, list);
    if (l.rows > 0)
        draw(out, &l, list);
    json_decref(never);
    json_decref(list);
}

/* Heights are logarithmic, so that the few do not vanish beside the many. */
static double height_of(long long n, long long most)
{
    return n == 0 ? 0 : BARS_HEIGHT * log10(1 + (double)n) / log10(1 + (double)most);
}

static long long most_of(const json_t *steps)
{
    const json_t *step;
    long long most = 1;
    size_t i;

    json_array_foreach(steps, i, step) if (show_number(step, "count") > most) most =
        show_number(step, "count");
    return most;
}

static void column(FILE *out, const json_t *steps, size_t i, double width, long long most)
{
    long long n = show_number(json_array_get(steps, i), "count");
    double height = height_of(n, most);
    char label[SAY_MAX];
    char *gap;

    fprintf(out, "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
            (double)i * width + 4, 20 + BARS_HEIGHT - height, width - 8, height);
    fprintf(out, "<text class=\"small middle\" x=\"%.1f\" y=\"%.1f\">%lld</text>",
            ((double)i + 0.5) * width, 15 + BARS_HEIGHT - height, n);
    replay_step_words(label, sizeof(label), steps, i);
    gap = strstr(label, " to ");
    if (gap)
        *gap = '\0';
    fprintf(out, "<text class=\"small middle\" x=\"%.1f\" y=\"%d\">%s</text>",
            ((double)i + 0.5) * width, 36 + BARS_HEIGHT, label);
    if (gap)
        fprintf(out, "<text class=\"small middle\" x=\"%.1f\" y=\"%d\">to %s</text>",
                ((double)i + 0.5) * width, 50 + BARS_HEIGHT, gap + 4);
    fputc('\n', out);
}

void replay_svg_histogram(FILE *out, const json_t *tally, const char *caption)
{
    const json_t *steps = json_object_get(tally, "steps");
    size_t count = json_array_size(steps);

    /* Where all are alike, the words tell how long. */
    if (count == 0 || most_of(steps) >= show_number(tally, "count"))
        return;
    fputs("<figure><figcaption>", out);
    replay_html_text(out, caption);
    fprintf(out,
            " (logarithmic scales)</figcaption>\n"
            "<div class=\"wide\"><svg class=\"histogram\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"Histogram\">\n"
            "<line class=\"axis\" x1=\"0\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>\n",
            BARS_WIDTH, BARS_HEIGHT + 56, BARS_HEIGHT + 20, BARS_WIDTH, BARS_HEIGHT + 20);
    for (size_t i = 0; i < count; i++)
        column(out, steps, i, (double)BARS_WIDTH / (double)count, most_of(steps));
    fputs("</svg></div></figure>\n", out);
}
