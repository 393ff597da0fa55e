#include "config_scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Passes `len` bytes on as they are. */
static bool pass(struct config_scan *scan, size_t len)
{
    const char *from = scan->at;

    for (size_t i = 0; i < len; i++)
        scan->line += from[i] == '\n';
    scan->at += len;
    return config_source_emit(scan->source, from, len);
}

static bool looking_at(const struct config_scan *scan, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(scan->end - scan->at) >= len && memcmp(scan->at, text, len) == 0;
}

static bool pass_line_comment(struct config_scan *scan)
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

static bool pass_block_comment(struct config_scan *scan)
{
    const char *end = comment_end(scan->at, scan->end);

    if (end == NULL)
        return config_source_fail(scan->source,
                                  "%s:%u: a comment without an end; it must end in */", scan->file,
                                  scan->line);
    return pass(scan, (size_t)(end - scan->at));
}

/* The closing quote of the string that begins here, or NULL. */
static const char *string_end(const struct config_scan *scan)
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
static const char *skip_blanks(const struct config_scan *scan)
{
    struct config_scan ahead = *scan;
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
static bool pass_string(struct config_scan *scan)
{
    const char *end = string_end(scan);
    const char *next;

    if (end == NULL)
        return config_source_fail(scan->source, "%s:%u: a string without an end; it must end in \"",
                                  scan->file, scan->line);
    if (!pass(scan, (size_t)(end + 1 - scan->at)))
        return false;
    next = skip_blanks(scan);
    if (next == scan->end || memchr(",;)]}", *next, 5) == NULL)
        return true;
    if (!config_source_emit(scan->source, next, 1) || !pass(scan, (size_t)(next - scan->at)))
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

static bool pass_word(struct config_scan *scan)
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
static bool emit_number(struct config_scan *scan, const char *end, int base)
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
        return config_source_fail(
            scan->source, "%s:%u: the number %.*s%s is too large; 64 bits are the limit",
            scan->file, scan->line, len < 40 ? len : 40, scan->at, len < 40 ? "" : "...");
    for (scan->at = end; scan->at < scan->end && *scan->at == 'L' && scan->at - end < 2;)
        scan->at++;
    len = snprintf(decimal, sizeof(decimal), "%lldL", value);
    return config_source_emit(scan->source, decimal, (size_t)len);
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* What begins with a digit or a sign. */
static bool pass_number(struct config_scan *scan)
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

/* `at` stands on the opening quote of the name. */
static bool include(struct config_scan *scan)
{
    const char *name = scan->at + 1;
    const char *end = string_end(scan);

    if (end == NULL)
        return pass_string(scan);
    if (!config_source_include(scan, name, (size_t)(end - name)))
        return false;
    scan->at = end + 1;
    return true;
}

/* The quote of an include directive that begins on this line, or NULL (libconfig's rule). */
static const char *directive(const struct config_scan *scan)
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

static bool scan_token(struct config_scan *scan)
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

bool config_scan_all(struct config_scan *scan)
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
    return scan->end == begin || scan->end[-1] == '\n' || config_source_emit(scan->source, "\n", 1);
}
