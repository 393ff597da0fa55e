#include "config_source.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* One file on its way into the whole. */
struct scan {
    struct config_source *source;
    const char *file;
    const char *at;
    const char *end;
    unsigned line;
    unsigned depth;
};

static bool fail(struct config_source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(struct config_source *source, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    text_print(source->error, source->error_size, format, ap);
    va_end(ap);
    return false;
}

static bool fail_memory(struct config_source *source)
{
    return fail(source, "%s: out of memory", source->file_count > 0 ? source->files[0] : "?");
}

static bool emit(struct config_source *source, const char *bytes, size_t len)
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

/* Passes `len` bytes on as they are. */
static bool pass(struct scan *scan, size_t len)
{
    const char *from = scan->at;

    for (size_t i = 0; i < len; i++)
        scan->line += from[i] == '\n';
    scan->at += len;
    return emit(scan->source, from, len);
}

static bool looking_at(const struct scan *scan, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(scan->end - scan->at) >= len && memcmp(scan->at, text, len) == 0;
}

static bool pass_line_comment(struct scan *scan)
{
    const char *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));

    return pass(scan, (size_t)((newline != NULL ? newline : scan->end) - scan->at));
}

/* The end of the block comment at p, or NULL. */
static const char *comment_end(const char *p, const char *end)
{
    const char *close = memmem(p + 2, (size_t)(end - p) - 2, "*/", 2);

    return close != NULL ? close + 2 : NULL;
}

static bool pass_block_comment(struct scan *scan)
{
    const char *end = comment_end(scan->at, scan->end);

    if (end == NULL)
        return fail(scan->source, "%s:%u: a comment without an end; it must end in */", scan->file,
                    scan->line);
    return pass(scan, (size_t)(end - scan->at));
}

/* The closing quote of the string that begins here, or NULL. */
static const char *string_end(const struct scan *scan)
{
    for (const char *p = scan->at + 1; p < scan->end; p++) {
        if (*p == '"')
            return p;
        if (*p == '\\' && p + 1 < scan->end)
            p++;
    }
    return NULL;
}

/* The first byte that is neither blank nor in a comment. */
static const char *skip_blanks(const struct scan *scan)
{
    struct scan ahead = *scan;
    const char *next = scan->at;

    while (next != NULL && next < ahead.end) {
        ahead.at = next;
        if (strchr(" \t\r\n\f", *next) != NULL)
            next++;
        else if (*next == '#' || looking_at(&ahead, "//"))
            next = memchr(next, '\n', (size_t)(ahead.end - next));
        else if (looking_at(&ahead, "/*"))
            next = comment_end(next, ahead.end);
        else
            break;
    }
    return next != NULL ? next : ahead.at;
}

/*
 * libconfig's parser looks one token further before it takes a string for complete (another may
 * follow), and gives the string that token's line. So what ends a string goes out right behind it,
 * before the line ends: then the line is that of the string.
 */
static bool pass_string(struct scan *scan)
{
    const char *end = string_end(scan);
    const char *next;

    if (end == NULL)
        return fail(scan->source, "%s:%u: a string without an end; it must end in \"", scan->file,
                    scan->line);
    if (!pass(scan, (size_t)(end + 1 - scan->at)))
        return false;
    next = skip_blanks(scan);
    if (next == scan->end || memchr(",;)]}", *next, 5) == NULL)
        return true;
    if (!emit(scan->source, next, 1) || !pass(scan, (size_t)(next - scan->at)))
        return false;
    scan->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*';
}

static bool pass_word(struct scan *scan)
{
    const char *p = scan->at;

    while (p < scan->end && (is_letter(*p) || is_digit(*p) || *p == '-' || *p == '_'))
        p++;
    return pass(scan, (size_t)(p - scan->at));
}

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && is_digit(*p))
        p++;
    return p;
}

/* The end of the fraction or exponent at p; p itself when there is none. */
static const char *skip_fraction(const char *p, const char *end)
{
    const char *e;

    if (p < end && *p == '.')
        p = skip_digits(p + 1, end);
    if (p == end || (*p != 'e' && *p != 'E'))
        return p;
    e = p + 1;
    if (e < end && (*e == '+' || *e == '-'))
        e++;
    return e < end && is_digit(*e) ? skip_digits(e, end) : p;
}

/* Writes the whole number of scan->at to `end` (L's left out) in decimal, as a 64-bit one. */
static bool emit_number(struct scan *scan, const char *end, int base)
{
    char digits[64], decimal[64];
    int len = (int)(end - scan->at);
    long long value = 0;

    errno = 0;
    if ((size_t)len < sizeof(digits)) {
        snprintf(digits, sizeof(digits), "%.*s", len, scan->at);
        value = strtoll(digits, NULL, base);
    }
    if ((size_t)len >= sizeof(digits) || errno != 0)
        return fail(scan->source, "%s:%u: the number %.*s%s is too large; 64 bits are the limit",
                    scan->file, scan->line, len < 40 ? len : 40, scan->at, len < 40 ? "" : "...");
    for (scan->at = end; scan->at < scan->end && *scan->at == 'L' && scan->at - end < 2;)
        scan->at++;
    len = snprintf(decimal, sizeof(decimal), "%lldL", value);
    return emit(scan->source, decimal, (size_t)len);
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* What begins with a digit or a sign. */
static bool pass_number(struct scan *scan)
{
    const char *p = scan->at, *end;

    if (scan->end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') && is_hex(p[2])) {
        for (p += 2; p < scan->end && is_hex(*p);)
            p++;
        return emit_number(scan, p, 16);
    }
    if (*p == '+' || *p == '-')
        p++;
    if (p == scan->end || !is_digit(*p))
        return pass(scan, 1);
    p = skip_digits(p, scan->end);
    end = skip_fraction(p, scan->end);
    return end > p ? pass(scan, (size_t)(end - scan->at)) : emit_number(scan, p, 10);
}

static bool scan_file(struct config_source *source, char *path, unsigned depth,
                      const struct scan *includer);

/* The file that an include names, as a path of its own; NULL when out of memory. */
static char *include_path(const struct scan *scan, const char *name, size_t len)
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

/* `at` stands on the opening quote of the name. */
static bool include(struct scan *scan)
{
    const char *name = scan->at + 1;
    const char *end = string_end(scan);
    char *path;

    if (end == NULL)
        return pass_string(scan);
    if (scan->depth == DEPTH_MAX)
        return fail(scan->source, "%s:%u: @include nested too deep; %d levels are the limit",
                    scan->file, scan->line, DEPTH_MAX);
    path = include_path(scan, name, (size_t)(end - name));
    if (path == NULL)
        return fail_memory(scan->source);
    if (!scan_file(scan->source, path, scan->depth + 1, scan))
        return false;
    scan->at = end + 1;
    return add_span(scan->source, scan->file, scan->line);
}

/* The quote of an include directive that begins on this line, or NULL (libconfig's rule). */
static const char *directive(const struct scan *scan)
{
    static const char word[] = "@include";
    const char *p = scan->at;
    const char *gap;

    while (p < scan->end && (*p == ' ' || *p == '\t'))
        p++;
    if ((size_t)(scan->end - p) < sizeof(word) || memcmp(p, word, sizeof(word) - 1) != 0)
        return NULL;
    gap = p += sizeof(word) - 1;
    while (p < scan->end && (*p == ' ' || *p == '\t'))
        p++;
    return p > gap && p < scan->end && *p == '"' ? p : NULL;
}

static bool scan_token(struct scan *scan)
{
    char c = *scan->at;

    if (c == '#' || looking_at(scan, "//"))
        return pass_line_comment(scan);
    if (looking_at(scan, "/*"))
        return pass_block_comment(scan);
    if (c == '"')
        return pass_string(scan);
    if (is_letter(c))
        return pass_word(scan);
    if (is_digit(c) || c == '+' || c == '-')
        return pass_number(scan);
    if (c == '.') /* .5, or nonsense: not a whole number in any case */
        return pass(scan, (size_t)(skip_fraction(scan->at, scan->end) - scan->at));
    return pass(scan, 1);
}

static bool scan_all(struct scan *scan)
{
    const char *begin = scan->at;

    while (scan->at < scan->end) {
        bool line_begins = scan->at == begin || scan->at[-1] == '\n';
        const char *quote = line_begins ? directive(scan) : NULL;

        if (quote != NULL) {
            scan->at = quote;
            if (!include(scan))
                return false;
        } else if (!scan_token(scan)) {
            return false;
        }
    }
    return scan->end == begin || scan->end[-1] == '\n' || emit(scan->source, "\n", 1);
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

static bool fail_read(struct config_source *source, const char *path, const struct scan *includer)
{
    if (includer == NULL)
        return fail(source, "%s: cannot read the file: %m", path);
    return fail(source, "%s:%u: cannot read %s: %m", includer->file, includer->line, path);
}

static bool scan_bytes(struct scan *scan, const char *bytes, size_t len)
{
    scan->at = bytes;
    scan->end = bytes + len;
    scan->line = 1;
    if (len > 0 && bytes[len - 1] == '\0')
        return fail(scan->source, "%s: holds a NUL byte; only text is allowed", scan->file);
    if (len > BYTES_MAX || ftello(scan->source->out) > BYTES_MAX)
        return fail(scan->source, "%s: too long; %d MiB with all includes are the limit",
                    scan->file, BYTES_MAX / (1024 * 1024));
    return add_span(scan->source, scan->file, 1) && scan_all(scan);
}

/* Takes `path` over. */
static bool scan_file(struct config_source *source, char *path, unsigned depth,
                      const struct scan *includer)
{
    struct scan scan = {.source = source, .depth = depth};
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
