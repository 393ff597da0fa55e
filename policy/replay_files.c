/* Finds the files of a replay, and says of them what there is to say. */
#include "replay_files_parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

enum { PEEK_LINES = 1000 };

struct replay_files *replay_files_new(int year, int64_t now)
{
    struct replay_files *files = calloc(1, sizeof(*files));

    if (files == NULL)
        return NULL;
    files->now = now;
    files->year = year;
    return files;
}

void replay_files_tags(struct replay_files *files, struct logtags *tags)
{
    files->tags = tags;
}

void replay_files_free(struct replay_files **files)
{
    struct replay_files *f = *files;

    *files = NULL;
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->open_count; i++)
        replay_open_free(&f->open[i]);
    for (size_t i = 0; i < f->count; i++)
        free(f->list[i].path);
    free(f->list);
    free(f);
}

/* Finding */

static bool is_postfix(const struct maillog_line *line)
{
    return line->program.len > 0 && memchr(line->program.at, '/', line->program.len) != NULL;
}

/* When it begins and whose it is, and whether it looks like Postfix's log at all. */
static bool peek(struct replay_files *f, struct replay_file *file)
{
    struct replay_open *o = replay_open_new(file);
    bool found = false;

    if (o == NULL)
        return false;
    for (int n = 0; n < PEEK_LINES && !found && replay_open_next(f, o); n++) {
        if (n == 0)
            slice_copy(file->begin, sizeof(file->begin), o->whole);
        if (o->line.time != 0 && file->first == 0) {
            file->first = o->line.time;
            slice_copy(file->stamp, sizeof(file->stamp), o->whole);
            slice_copy(file->host, sizeof(file->host), o->line.host);
        }
        found = is_postfix(&o->line);
    }
    replay_open_free(&o);
    return found;
}

static struct replay_file *add(struct replay_files *f, const char *path)
{
    struct replay_file *list = realloc(f->list, (f->count + 1) * sizeof(*list));

    if (list == NULL)
        return NULL;
    f->list = list;
    list[f->count] = (struct replay_file){.path = strdup(path)};
    if (list[f->count].path == NULL)
        return NULL;
    return &list[f->count++];
}

static bool add_file(struct replay_files *f, const char *path, const struct stat *st, bool searched)
{
    struct replay_file *file = add(f, path);
    bool found;

    if (file == NULL)
        return false;
    file->size = st->st_size;
    file->written = (int64_t)st->st_mtime * 1000 + 999;
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
    f->unknown = true;
    return add(f, "-") != NULL; /* it cannot be looked into, so it is opened first */
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

/* Order */

static int by_first(const void *a, const void *b)
{
    const struct replay_file *x = a, *y = b;

    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* Goes through a file for its stamps without a year; false: its first stamp has one. */
static bool read_span(const struct replay_file *file, struct replay_span *span_r)
{
    struct replay_calendar calendar = {.begun = false};
    struct replay_reader *reader;
    struct slice line;

    if (!replay_calendar_take(&calendar, slice_of(file->stamp)))
        return false;
    *span_r = (struct replay_span){.first = calendar.day, .written = file->written};
    reader = replay_reader_open(file->path);
    while (reader && replay_reader_line(reader, &line))
        replay_calendar_take(&calendar, line);
    if (reader)
        replay_reader_close(&reader);
    span_r->last = calendar.day;
    span_r->years = calendar.years;
    return true;
}

/* The time of its first line, now that the year is known. */
static void take_year(struct replay_file *file, int year)
{
    struct maillog_reader parser = {.quoting = MAILLOG_QUOTING_UNKNOWN};
    struct maillog_line line;

    file->year = year;
    maillog_parse(&parser, file->stamp, strlen(file->stamp), replay_year_end(year), &line);
    file->first = line.time;
}

static bool is_input(const struct replay_file *file)
{
    return strcmp(file->path, "-") == 0;
}

static void find_years(struct replay_files *f)
{
    struct replay_span *spans = calloc(f->count + 1, sizeof(*spans));
    size_t *files = calloc(f->count + 1, sizeof(*files));
    size_t count = 0;

    for (size_t i = 0; spans && files && i < f->count; i++)
        if (!is_input(&f->list[i]) && read_span(&f->list[i], &spans[count]))
            files[count++] = i;
    if (spans)
        replay_years(spans, count, f->year);
    for (size_t i = 0; i < count; i++)
        take_year(&f->list[files[i]], spans[i].year);
    free(spans);
    free(files);
}

/* A copy of one before it, such as "mail.log.1.gz" of "mail.log.1". */
static bool is_copy(const struct replay_files *f, size_t nth)
{
    const struct replay_file *file = &f->list[nth];

    for (; nth > 0 && f->list[nth - 1].first == file->first; nth--)
        if (file->begin[0] && strcmp(file->begin, f->list[nth - 1].begin) == 0)
            return true;
    return false;
}

void replay_files_sort(struct replay_files *f)
{
    find_years(f);
    if (f->count > 0)
        qsort(f->list, f->count, sizeof(*f->list), by_first);
    for (size_t i = 0; i < f->count; i++) {
        struct replay_file *file = &f->list[i];

        file->left_out = is_copy(f, i);
        if (file->left_out)
            file->note = "left out: it begins like one before it";
        f->size += file->size;
    }
}

/* What is said of them */

static json_t *when(int64_t ms)
{
    return ms > 0 ? json_real((double)ms / 1000) : json_null();
}

static const char *name_of(const struct replay_file *file, char *buffer, size_t size)
{
    slice_copy(buffer, size, slice_of(is_input(file) ? "standard input" : file->path));
    text_clean(buffer);
    return buffer;
}

/* Of the same server and the same time as another: NULL when there is none. */
static const struct replay_file *overlapped(const struct replay_files *f,
                                            const struct replay_file *file)
{
    for (const struct replay_file *other = f->list; other < file; other++)
        if (other->lines > 0 && file->lines > 0 && strcmp(other->host, file->host) == 0 &&
            other->to > file->from + 60 * 1000)
            return other;
    return NULL;
}

json_t *replay_files_report(const struct replay_files *f)
{
    json_t *array = json_array();

    for (size_t i = 0; i < f->count; i++) {
        const struct replay_file *file = &f->list[i];
        const struct replay_file *other = file->note ? NULL : overlapped(f, file);
        char name[1024], earlier[1024];
        json_t *note = file->note ? json_string(file->note) : json_null();

        if (other) {
            json_decref(note);
            note = json_sprintf("of the same server and time as %s: lines may count twice",
                                name_of(other, earlier, sizeof(earlier)));
        }
        json_array_append_new(array, json_pack("{s:s, s:I, s:o, s:o, s:o}", "name",
                                               name_of(file, name, sizeof(name)), "lines",
                                               (json_int_t)file->lines, "from", when(file->from),
                                               "to", when(file->to), "note", note));
    }
    return array;
}
