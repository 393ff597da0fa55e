#include "replay_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <zlib.h>

#include "logsource.h"
#include "text.h"

enum { BUFFER_SIZE = 4 * LOGSOURCE_LINE_MAX, PEEK_LINES = 1000, FIRST_MAX = 512 };

static const int64_t DAY = INT64_C(24) * 3600 * 1000;

struct file {
    char *path; /* "-": standard input */
    int64_t size;
    int64_t year_by; /* stamps without a year are not later than this, or by a day at most */
    int64_t first;   /* the time of the first line; 0: none has one */
    int64_t from, to;
    uint64_t lines;
    char begin[FIRST_MAX]; /* the first line, to find a file that is there twice */
    const char *note;      /* NULL: nothing is wrong */
};

struct replay_files {
    struct file *list;
    size_t count;
    size_t current;
    int64_t year_by; /* with a year given; 0: the files' own times */
    int64_t now;
    int64_t size, read; /* bytes, as they are on the disk */
    uint64_t lines;
    bool unknown; /* the size */

    gzFile in; /* NULL: the current file is not open */
    struct maillog_reader reader;
    struct logtags *tags;
    int64_t last;
    bool skipping; /* the rest of a line that is too long */
    size_t begin, end;
    char buffer[BUFFER_SIZE];
};

/* The end of that year but one day, because maillog_parse looks a day ahead. */
static int64_t end_of_year(int year)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = 11,
                    .tm_mday = 30,
                    .tm_hour = 23,
                    .tm_min = 59,
                    .tm_sec = 59,
                    .tm_isdst = -1};

    return (int64_t)mktime(&tm) * 1000 + 999;
}

struct replay_files *replay_files_new(int year, int64_t now)
{
    struct replay_files *files = calloc(1, sizeof(*files));

    if (files == NULL)
        return NULL;
    files->now = now;
    files->year_by = year > 0 ? end_of_year(year) : 0;
    return files;
}

void replay_files_tags(struct replay_files *files, struct logtags *tags)
{
    files->tags = tags;
}

void replay_files_free(struct replay_files **files)
{
    if (*files == NULL)
        return;
    if ((*files)->in)
        gzclose((*files)->in);
    for (size_t i = 0; i < (*files)->count; i++)
        free((*files)->list[i].path);
    free((*files)->list);
    free(*files);
    *files = NULL;
}

/* Reading */

static bool open_file(struct replay_files *f, const char *path)
{
    f->in = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "r") : gzopen(path, "r");
    if (f->in)
        gzbuffer(f->in, LOGSOURCE_LINE_MAX);
    f->begin = 0;
    f->end = 0;
    f->skipping = false;
    f->reader = (struct maillog_reader){.quoting = MAILLOG_QUOTING_UNKNOWN};
    return f->in != NULL;
}

/* False: it ended in the middle of what was packed, or was damaged before. */
static bool close_file(struct replay_files *f)
{
    int error = Z_OK;
    bool good;

    gzerror(f->in, &error);
    good = gzclose(f->in) == Z_OK && (error == Z_OK || error == Z_STREAM_END);
    f->in = NULL;
    return good;
}

/* False at the end, and where a file is damaged. */
static bool fill(struct replay_files *f)
{
    int got;

    if (f->begin > 0)
        memmove(f->buffer, f->buffer + f->begin, f->end - f->begin);
    f->end -= f->begin;
    f->begin = 0;
    if (f->end == BUFFER_SIZE) {
        f->skipping = true;
        f->end = 0;
    }
    got = gzread(f->in, f->buffer + f->end, (unsigned)(BUFFER_SIZE - f->end));
    if (got <= 0)
        return false;
    f->end += (size_t)got;
    return true;
}

/* The next line, without its end. One that is too long is left out. */
static bool next_line(struct replay_files *f, struct slice *line_r)
{
    for (;;) {
        char *start = f->buffer + f->begin;
        char *end = memchr(start, '\n', f->end - f->begin);
        bool whole = !f->skipping;

        if (end == NULL && fill(f))
            continue;
        if (end == NULL) {
            *line_r = (struct slice){f->buffer + f->begin, f->end - f->begin};
            f->begin = f->end;
            return line_r->len > 0 && whole;
        }
        *line_r = (struct slice){start, (size_t)(end - start)};
        f->begin += line_r->len + 1;
        f->skipping = false;
        if (whole && line_r->len <= LOGSOURCE_LINE_MAX)
            return true;
    }
}

/* Finding */

static bool is_postfix(const struct maillog_line *line)
{
    return line->program.len > 0 && memchr(line->program.at, '/', line->program.len) != NULL;
}

/* When it begins, and whether it looks like Postfix's log at all. */
static bool peek(struct replay_files *f, struct file *file)
{
    struct maillog_line line;
    struct slice whole;
    bool found = false;

    if (!open_file(f, file->path))
        return false;
    for (int n = 0; n < PEEK_LINES && !found && next_line(f, &whole); n++) {
        if (n == 0)
            slice_copy(file->begin, sizeof(file->begin), whole);
        maillog_parse(&f->reader, whole.at, whole.len, file->year_by, &line);
        if (line.time != 0 && file->first == 0)
            file->first = line.time;
        found = is_postfix(&line);
    }
    close_file(f);
    return found;
}

static struct file *add(struct replay_files *f, const char *path)
{
    struct file *list = realloc(f->list, (f->count + 1) * sizeof(*list));

    if (list == NULL)
        return NULL;
    f->list = list;
    list[f->count] = (struct file){.path = strdup(path)};
    if (list[f->count].path == NULL)
        return NULL;
    return &list[f->count++];
}

static bool add_file(struct replay_files *f, const char *path, const struct stat *st, bool searched)
{
    struct file *file = add(f, path);
    bool found;

    if (file == NULL)
        return false;
    file->size = st->st_size;
    file->year_by = f->year_by ? f->year_by : (int64_t)st->st_mtime * 1000 + 999;
    found = peek(f, file);
    if (!found && searched) {
        free(file->path);
        f->count--;
    } else if (!found) {
        file->note = "no line of Postfix's near its beginning";
    }
    return true;
}

static bool is_mail_log(const char *name)
{
    return strncmp(name, "mail.log", 8) == 0 || strncmp(name, "maillog", 7) == 0;
}

/*
 * In a directory with files by the usual names these are meant: others, such as syslog, may have
 * the same lines again. Otherwise any file that has lines of Postfix's.
 */
static bool add_directory(struct replay_files *f, const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    bool usual = false;
    bool done = count >= 0;

    for (int i = 0; i < count; i++)
        usual = usual || is_mail_log(names[i]->d_name);
    for (int i = 0; i < count; i++) {
        char full[4096];
        struct stat st;
        int len = snprintf(full, sizeof(full), "%s/%s", path, names[i]->d_name);

        if (done && len < (int)sizeof(full) && (!usual || is_mail_log(names[i]->d_name)) &&
            stat(full, &st) == 0 && S_ISREG(st.st_mode) && access(full, R_OK) == 0)
            done = add_file(f, full, &st, true);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return done;
}

static bool add_input(struct replay_files *f)
{
    struct file *file = add(f, "-");

    f->unknown = true;
    if (file == NULL)
        return false;
    file->year_by = f->year_by ? f->year_by : f->now;
    file->first = INT64_MAX; /* it cannot be looked into, so it comes last */
    return true;
}

bool replay_files_add(struct replay_files *f, const char *path, char *error_r, size_t size)
{
    size_t before = f->count;
    struct stat st;

    errno = 0;
    if (strcmp(path, "-") == 0 && add_input(f))
        return true;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode) && add_directory(f, path)) {
            snprintf(error_r, size, "%s: there is no log of Postfix's in it", path);
            return f->count > before;
        }
        if (!S_ISDIR(st.st_mode) && access(path, R_OK) == 0 && add_file(f, path, &st, false))
            return true;
    }
    snprintf(error_r, size, "%s: %s", path, strerror(errno ? errno : ENOMEM));
    return false;
}

static int by_first(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return strcmp(x->path, y->path);
}

void replay_files_sort(struct replay_files *f)
{
    if (f->count > 0)
        qsort(f->list, f->count, sizeof(*f->list), by_first);
    for (size_t i = 0; i < f->count; i++) {
        struct file *file = &f->list[i];

        if (i > 0 && file->begin[0] && strcmp(file->begin, file[-1].begin) == 0)
            file->note = "left out: it begins like the one before it";
        f->size += file->size;
    }
}

/* Going through */

static bool is_left_out(const struct file *file)
{
    return file->note && strncmp(file->note, "left out", 8) == 0;
}

static bool next_file(struct replay_files *f)
{
    for (; f->current < f->count; f->current++) {
        struct file *file = &f->list[f->current];

        if (is_left_out(file))
            continue;
        if (open_file(f, file->path))
            return true;
        file->note = "cannot be opened";
    }
    return false;
}

static void note_end(struct replay_files *f)
{
    struct file *file = &f->list[f->current];

    if (!close_file(f))
        file->note = "damaged: read as far as possible";
    f->read += file->size;
    if (file->to > f->last)
        f->last = file->to;
    f->current++;
}

/* With a year given, the stamps begin in it; where they jump back a year, it is the next. */
static void parse(struct replay_files *f, struct file *file, struct slice whole,
                  struct maillog_line *line_r)
{
    int64_t last = file->to > f->last ? file->to : f->last;

    maillog_parse(&f->reader, whole.at, whole.len, file->year_by, line_r);
    if (f->year_by == 0 || line_r->time == 0 || last < line_r->time + 300 * DAY)
        return;
    file->year_by += 365 * DAY;
    maillog_parse(&f->reader, whole.at, whole.len, file->year_by, line_r);
}

/* A line of another instance is nobody's. */
static void disown(struct replay_files *f, struct maillog_line *line)
{
    if (f->tags == NULL || logtags_ours(f->tags, line))
        return;
    line->kind = MAILLOG_OTHER;
    line->queue_id.len = 0;
}

enum replay_line replay_files_next(struct replay_files *f, struct maillog_line *line_r,
                                   struct slice *whole_r)
{
    while (f->in || next_file(f)) {
        struct file *file = &f->list[f->current];

        if (!next_line(f, whole_r)) {
            note_end(f);
            continue;
        }
        f->lines++;
        parse(f, file, *whole_r, line_r);
        disown(f, line_r);
        if (line_r->time != 0 && file->lines == 0 && f->last > line_r->time + 60 * 1000 &&
            file->note == NULL)
            file->note = "begins before the one before it ends";
        file->lines++;
        if (line_r->time != 0 && (file->from == 0 || line_r->time < file->from))
            file->from = line_r->time;
        if (line_r->time > file->to)
            file->to = line_r->time;
        return line_r->kind != MAILLOG_OTHER ? REPLAY_LINE_POSTFIX : REPLAY_LINE_OTHER;
    }
    return REPLAY_LINE_END;
}

double replay_files_share(const struct replay_files *f)
{
    int64_t done = f->read + (f->in ? gzoffset(f->in) : 0);

    if (f->unknown || f->size == 0)
        return -1;
    return done >= f->size ? 1 : (double)done / (double)f->size;
}

uint64_t replay_files_lines(const struct replay_files *f)
{
    return f->lines;
}

static json_t *when(int64_t ms)
{
    return ms > 0 ? json_real((double)ms / 1000) : json_null();
}

json_t *replay_files_report(const struct replay_files *f)
{
    json_t *array = json_array();

    for (size_t i = 0; i < f->count; i++) {
        const struct file *file = &f->list[i];
        char name[1024];

        slice_copy(name, sizeof(name),
                   slice_of(strcmp(file->path, "-") == 0 ? "standard input" : file->path));
        text_clean(name);
        json_array_append_new(array, json_pack("{s:s, s:I, s:o, s:o, s:s?}", "name", name, "lines",
                                               (json_int_t)file->lines, "from", when(file->from),
                                               "to", when(file->to), "note", file->note));
    }
    return array;
}
