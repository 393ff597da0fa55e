#include "config_source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_scan.h"
#include "text.h"

enum { DEPTH_MAX = 10, BYTES_MAX = 16 * 1024 * 1024 };

/* From line `first` of the whole text on, the lines are those of `file` from `line` on. */
struct span {
    unsigned first;
    const char *file;
    unsigned line;
};

struct config_source {
    char *text;
    size_t text_len;
    FILE *out; /* writes `text`; NULL once it is complete */
    unsigned line;
    struct span *spans;
    size_t span_count;
    char **files; /* names */
    size_t file_count;
    char *error;
    size_t error_size;
};

bool config_source_fail(struct config_source *source, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    text_print(source->error, source->error_size, format, ap);
    va_end(ap);
    return false;
}

static bool fail_memory(struct config_source *source)
{
    return config_source_fail(source, "%s: out of memory",
                              source->file_count > 0 ? source->files[0] : "?");
}

bool config_source_emit(struct config_source *source, const char *bytes, size_t len)
{
    if (fwrite(bytes, 1, len, source->out) != len)
        return fail_memory(source);
    for (size_t i = 0; i < len; i++)
        source->line += bytes[i] == '\n';
    return true;
}

static bool add_span(struct config_source *source, const char *file, unsigned line)
{
    struct span *spans = realloc(source->spans, (source->span_count + 1) * sizeof(*spans));

    if (spans == NULL)
        return fail_memory(source);
    source->spans = spans;
    spans[source->span_count++] = (struct span){source->line, file, line};
    return true;
}

/* Keeps the name for as long as the source lives; takes it over, also when it fails. */
static const char *add_file(struct config_source *source, char *name)
{
    char **files = realloc(source->files, (source->file_count + 1) * sizeof(*files));

    if (files == NULL || name == NULL) {
        free(name);
        if (files != NULL)
            source->files = files;
        return NULL;
    }
    source->files = files;
    files[source->file_count++] = name;
    return name;
}

static bool scan_file(struct config_source *source, char *path, unsigned depth,
                      const struct config_scan *includer);

/* The file that an include names, as a path of its own; NULL when out of memory. */
static char *include_path(const struct config_scan *scan, const char *name, size_t len)
{
    const char *slash = strrchr(scan->file, '/');
    size_t folder = slash != NULL && name[0] != '/' ? (size_t)(slash + 1 - scan->file) : 0;
    char *path = malloc(folder + len + 1);
    char *to = path;

    if (path == NULL)
        return NULL;
    memcpy(to, scan->file, folder);
    to += folder;
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '\\' && i + 1 < len)
            i++;
        *to++ = name[i];
    }
    *to = '\0';
    return path;
}

bool config_source_include(struct config_scan *scan, const char *name, size_t len)
{
    char *path;

    if (scan->depth == DEPTH_MAX)
        return config_source_fail(scan->source,
                                  "%s:%u: @include nested too deep; %d levels are the limit",
                                  scan->file, scan->line, DEPTH_MAX);
    path = include_path(scan, name, len);
    if (path == NULL)
        return fail_memory(scan->source);
    return scan_file(scan->source, path, scan->depth + 1, scan) &&
           add_span(scan->source, scan->file, scan->line);
}

/* The file up to its first NUL byte, which is then the last one; NULL with errno set. */
static char *read_text(const char *path, size_t *len_r)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *in = fopen(path, "re");
    ssize_t len;

    *len_r = 0;
    if (in == NULL)
        return NULL;
    errno = 0;
    len = getdelim(&bytes, &size, '\0', in);
    if (len > 0)
        *len_r = (size_t)len;
    if (len < 0 && (ferror(in) || errno != 0)) {
        int error = errno;

        free(bytes);
        bytes = NULL;
        fclose(in);
        errno = error;
        return NULL;
    }
    fclose(in);
    return bytes;
}

static bool fail_read(struct config_source *source, const char *path,
                      const struct config_scan *includer)
{
    if (includer == NULL)
        return config_source_fail(source, "%s: cannot read the file: %m", path);
    return config_source_fail(source, "%s:%u: cannot read %s: %m", includer->file, includer->line,
                              path);
}

static bool scan_bytes(struct config_scan *scan, const char *bytes, size_t len)
{
    scan->at = bytes;
    scan->end = bytes + len;
    scan->line = 1;
    if (len > 0 && bytes[len - 1] == '\0')
        return config_source_fail(scan->source, "%s: holds a NUL byte; only text is allowed",
                                  scan->file);
    if (len > BYTES_MAX || ftello(scan->source->out) > BYTES_MAX)
        return config_source_fail(scan->source,
                                  "%s: too long; %d MiB with all includes are the limit",
                                  scan->file, BYTES_MAX / (1024 * 1024));
    return add_span(scan->source, scan->file, 1) && config_scan_all(scan);
}

/* Takes `path` over. */
static bool scan_file(struct config_source *source, char *path, unsigned depth,
                      const struct config_scan *includer)
{
    struct config_scan scan = {.source = source, .depth = depth};
    size_t len;
    char *bytes;
    bool ok;

    scan.file = add_file(source, path);
    if (scan.file == NULL)
        return fail_memory(source);
    bytes = read_text(scan.file, &len);
    if (bytes == NULL)
        return fail_read(source, scan.file, includer);
    ok = scan_bytes(&scan, bytes, len);
    free(bytes);
    return ok;
}

/* Closes the stream: from now on `text` is what was written. */
static bool finish(struct config_source *source)
{
    FILE *out = source->out;

    source->out = NULL;
    return out != NULL && fclose(out) == 0;
}

struct config_source *config_source_read(const char *path, char *error_r, size_t size)
{
    struct config_source *source = calloc(1, sizeof(*source));
    bool ok;

    if (source == NULL) {
        snprintf(error_r, size, "%s: out of memory", path);
        return NULL;
    }
    source->error = error_r;
    source->error_size = size;
    source->line = 1;
    source->out = open_memstream(&source->text, &source->text_len);
    ok = source->out != NULL ? scan_file(source, strdup(path), 0, NULL) : fail_memory(source);
    if (!finish(source) && ok)
        ok = fail_memory(source);
    if (!ok)
        config_source_free(&source);
    return source;
}

void config_source_free(struct config_source **source)
{
    if (*source == NULL)
        return;
    for (size_t i = 0; i < (*source)->file_count; i++)
        free((*source)->files[i]);
    free((*source)->files);
    free((*source)->spans);
    free((*source)->text);
    free(*source);
    *source = NULL;
}

const char *config_source_text(const struct config_source *source)
{
    return source->text;
}

const char *config_source_where(const struct config_source *source, unsigned line, unsigned *line_r)
{
    const struct span *span = &source->spans[0];

    for (size_t i = 1; i < source->span_count && source->spans[i].first <= line; i++)
        span = &source->spans[i];
    *line_r = span->line + (line - span->first);
    return span->file;
}
