/* Lines of reports: text of strangers made harmless, and wrapped. */
#include "dsn_parts.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum {
    WIDTH = 76,
    WORD_MAX = 900, /* bytes, of the 998 that a line may have */
    ESCAPE_MAX = sizeof("\\x{10FFFF}") - 1,
};

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

static bool is_escaped(uint32_t code, enum dsn_form form)
{
    if (code >= 0x80)
        return form != DSN_UTF8;
    return form == DSN_XTEXT && strchr(" +=\\", (int)code) != NULL;
}

/* Writes what becomes of the character at *from, and goes on to the next. */
static size_t clean_one(char to_r[ESCAPE_MAX + 1], const char **from, size_t left,
                        enum dsn_form form)
{
    uint32_t code = 0;
    size_t len = text_utf8_decode(*from, left, &code);
    size_t written = 1;

    if (len == 0)
        *to_r = '?';
    else if (is_control(code))
        *to_r = code == '\t' || code == '\n' || code == '\r' ? ' ' : '?';
    else if (is_escaped(code, form))
        written = (size_t)snprintf(to_r, ESCAPE_MAX + 1, "\\x{%02X}", (unsigned)code);
    else
        memcpy(to_r, *from, written = len);
    *from += len ? len : 1;
    return written;
}

char *dsn_clean(const char *text, enum dsn_form form, size_t max)
{
    static const char mark[] = "...";
    const char *end = text + strlen(text);
    size_t most = (size_t)(end - text) * (ESCAPE_MAX - 2);
    char *clean = malloc((most < max ? most : max) + ESCAPE_MAX + sizeof(mark));
    size_t used = 0;
    size_t fits = 0; /* so much may stay if it has to be cut */

    while (clean && text < end && used <= max) {
        if (used + sizeof(mark) - 1 <= max)
            fits = used;
        used += clean_one(clean + used, &text, (size_t)(end - text), form);
    }
    if (clean && used > max)
        strcpy(clean + fits, mark);
    else if (clean)
        clean[used] = '\0';
    return clean;
}

/* Columns, not bytes, as far as that can be told without tables. */
static size_t columns(const char *text, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xC0) != 0x80;
    return n;
}

/* How much of a word fits into a line of its own. */
static size_t word_piece(const char *word)
{
    size_t len = strcspn(word, " ");

    if (len <= WORD_MAX)
        return len;
    len = WORD_MAX;
    while (((unsigned char)word[len] & 0xC0) == 0x80)
        len--;
    return len;
}

static void wrap(FILE *file, const char *text, const char *indent)
{
    size_t column = 0;

    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        size_t len = word_piece(text);
        size_t wide = columns(text, len);

        if (column > 0 && column + 1 + wide > WIDTH) {
            fprintf(file, "\n%s", indent);
            column = strlen(indent);
        } else if (column > 0) {
            fputc(' ', file);
            column++;
        }
        fwrite(text, 1, len, file);
        text += len;
        column += wide;
    }
    fputc('\n', file);
}

void dsn_line(struct dsn_out *out, enum dsn_form form, const char *indent, const char *format, ...)
{
    va_list ap;
    char *text;
    char *clean;
    int len;

    va_start(ap, format);
    len = vasprintf(&text, format, ap);
    va_end(ap);
    clean = len >= 0 ? dsn_clean(text, form, indent ? DSN_TEXT_MAX : DSN_LINE_MAX) : NULL;
    if (clean && indent)
        wrap(out->file, clean, indent);
    else if (clean)
        fprintf(out->file, "%s\n", clean);
    else
        out->failed = true;
    free(clean);
    if (len >= 0)
        free(text);
}
