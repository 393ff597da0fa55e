/*
 * The lines of all files in the order of time. A file is opened when its first line has its turn,
 * so of the rotated files of one server only one or two are open at a time.
 */
#include "replay_files_parts.h"

#include <stdlib.h>
#include <string.h>

/* The year of the first stamp of a file that could not be looked into, such as standard input. */
static int guess_year(const struct replay_files *f, const struct replay_open *o)
{
    struct replay_span span = {.first = o->calendar.day,
                               .last = o->calendar.day,
                               .written = o->file->written ? o->file->written : f->now};

    replay_years(&span, 1, f->year);
    return span.year;
}

/* Stamps without a year are of the year that the calendar has come to. */
static int64_t year_end_of(const struct replay_files *f, struct replay_open *o)
{
    int year;

    if (!replay_calendar_take(&o->calendar, o->whole))
        return f->now;
    if (o->first_year == 0)
        o->first_year = o->file->year ? o->file->year : guess_year(f, o);
    year = o->first_year + o->calendar.years;
    if (year != o->year)
        o->year_end = replay_year_end(year);
    o->year = year;
    return o->year_end;
}

/* A line of another instance is nobody's. */
static void disown(const struct replay_files *f, struct maillog_line *line)
{
    if (f->tags == NULL || logtags_ours(f->tags, line))
        return;
    line->kind = MAILLOG_OTHER;
    line->queue_id.len = 0;
}

bool replay_open_next(const struct replay_files *f, struct replay_open *o)
{
    if (!replay_reader_line(o->reader, &o->whole))
        return false;
    maillog_parse(&o->parser, o->whole.at, o->whole.len, year_end_of(f, o), &o->line);
    disown(f, &o->line);
    if (o->line.time > o->at)
        o->at = o->line.time;
    return true;
}

struct replay_open *replay_open_new(struct replay_file *file)
{
    struct replay_open *o = calloc(1, sizeof(*o));

    if (o == NULL)
        return NULL;
    o->file = file;
    o->parser.quoting = MAILLOG_QUOTING_UNKNOWN;
    o->reader = replay_reader_open(file->path);
    if (o->reader == NULL)
        replay_open_free(&o);
    return o;
}

void replay_open_free(struct replay_open **open)
{
    struct replay_open *o = *open;

    *open = NULL;
    if (o->reader && !replay_reader_close(&o->reader))
        o->file->note = "damaged: read as far as possible";
    free(o);
}

/* The heap. Of lines of the same time the one of the earlier file comes first. */

static bool is_before(const struct replay_open *a, const struct replay_open *b)
{
    return a->at != b->at ? a->at < b->at : a->file < b->file;
}

static void sift_down(struct replay_files *f)
{
    struct replay_open *moved = f->open[0];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child + 1 < f->open_count && is_before(f->open[child + 1], f->open[child]))
            child++;
        if (child >= f->open_count || !is_before(f->open[child], moved))
            break;
        f->open[i] = f->open[child];
        i = child;
    }
    f->open[i] = moved;
}

static void sift_up(struct replay_files *f, struct replay_open *added)
{
    size_t i = f->open_count++;

    for (; i > 0 && is_before(added, f->open[(i - 1) / 2]); i = (i - 1) / 2)
        f->open[i] = f->open[(i - 1) / 2];
    f->open[i] = added;
}

static void close_first(struct replay_files *f)
{
    f->read += f->open[0]->file->size;
    replay_open_free(&f->open[0]);
    f->open[0] = f->open[--f->open_count];
    if (f->open_count > 0)
        sift_down(f);
}

static void open_next(struct replay_files *f)
{
    struct replay_file *file = &f->list[f->next++];
    struct replay_open *o;

    if (file->left_out)
        return;
    o = replay_open_new(file);
    if (o == NULL) {
        file->note = "cannot be opened";
    } else if (!replay_open_next(f, o)) {
        f->read += file->size;
        replay_open_free(&o);
    } else {
        sift_up(f, o);
    }
}

/* The line handed out last is done with. */
static void step(struct replay_files *f)
{
    f->given = false;
    if (replay_open_next(f, f->open[0]))
        sift_down(f);
    else
        close_first(f);
}

/* Opens those whose first lines come before all that are open. */
static void open_due(struct replay_files *f)
{
    while (f->next < f->count && (f->open_count == 0 || f->list[f->next].first < f->open[0]->at)) {
        if (f->open_count == REPLAY_OPEN_MAX && !f->list[f->next].left_out) {
            f->list[f->next].note = "read late: too many files are of the same time";
            return;
        }
        open_next(f);
    }
}

static void note_times(struct replay_file *file, int64_t time)
{
    file->lines++;
    if (time == 0)
        return;
    if (file->from == 0 || time < file->from)
        file->from = time;
    if (time > file->to)
        file->to = time;
}

enum replay_line replay_files_next(struct replay_files *f, const struct maillog_line **line_r,
                                   struct slice *whole_r)
{
    struct replay_open *first;

    if (f->given)
        step(f);
    open_due(f);
    if (f->open_count == 0)
        return REPLAY_LINE_END;
    first = f->open[0];
    f->given = true;
    f->lines++;
    note_times(first->file, first->line.time);
    *line_r = &first->line;
    *whole_r = first->whole;
    return first->line.kind != MAILLOG_OTHER ? REPLAY_LINE_POSTFIX : REPLAY_LINE_OTHER;
}

double replay_files_share(const struct replay_files *f)
{
    int64_t done = f->read;

    if (f->unknown || f->size == 0)
        return -1;
    for (size_t i = 0; i < f->open_count; i++)
        done += replay_reader_offset(f->open[i]->reader);
    return done >= f->size ? 1 : (double)done / (double)f->size;
}

uint64_t replay_files_lines(const struct replay_files *f)
{
    return f->lines;
}
