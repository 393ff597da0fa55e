#include "cflines.h"

#include <stdlib.h>

/* ISSPACE() of util/sys_defs.h: ASCII only, whatever the locale. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool cflines_insert(struct cflines *lines, size_t index, struct cfline line)
{
    if (lines->count == lines->room) {
        size_t room = lines->room > 0 ? lines->room * 2 : 64;
        struct cfline *at = realloc(lines->at, room * sizeof(*at));
        if (at == NULL)
            return false;
        lines->at = at;
        lines->room = room;
    }
    memmove(lines->at + index + 1, lines->at + index, (lines->count - index) * sizeof(line));
    lines->at[index] = line;
    lines->count++;
    return true;
}

bool cflines_add(struct cflines *lines, struct cfline line)
{
    return cflines_insert(lines, lines->count, line);
}

void cflines_free(struct cflines *lines)
{
    free(lines->at);
    *lines = (struct cflines){0};
}

struct slice cflines_take(struct slice *rest)
{
    struct slice line = *rest;
    const char *newline = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;
    if (newline != NULL)
        line.len = (size_t)(newline - rest->at) + 1;
    rest->at += line.len;
    rest->len -= line.len;
    return line;
}

bool cfline_ends_crlf(struct slice line)
{
    return line.len >= 2 && line.at[line.len - 2] == '\r' && line.at[line.len - 1] == '\n';
}

bool cfline_is_content(const struct cfline *line)
{
    size_t i = 0;
    while (i < line->text.len && is_space(line->text.at[i]))
        i++;
    return !line->commented && i < line->text.len && line->text.at[i] != '#';
}

/* A line that begins with space or "#" does not end the logical line before it. */
static bool continues(const struct cfline *line)
{
    return line->commented || is_space(line->text.at[0]) || line->text.at[0] == '#';
}

bool cflines_next(const struct cflines *lines, size_t from, struct cfspan *span_r)
{
    while (from < lines->count && !cfline_is_content(&lines->at[from]))
        from++;
    if (from == lines->count)
        return false;
    *span_r = (struct cfspan){from, from + 1};
    for (size_t i = from + 1; i < lines->count && continues(&lines->at[i]); i++)
        if (cfline_is_content(&lines->at[i]))
            span_r->end = i + 1;
    return true;
}

/* Copies a line without its newline; stops at a NUL byte. Returns the end of the copy. */
static char *copy_line(char *to, struct slice line)
{
    for (size_t i = 0; i < line.len && line.at[i] != '\n' && line.at[i] != '\0'; i++)
        *to++ = is_space(line.at[i]) ? ' ' : line.at[i];
    return to;
}

char *cflines_join(const struct cflines *lines, struct cfspan span)
{
    size_t size = 1;
    for (size_t i = span.first; i < span.end; i++)
        size += lines->at[i].text.len;
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
    char *end = text;
    for (size_t i = span.first; i < span.end; i++) {
        struct slice line = lines->at[i].text;
        if (!cfline_is_content(&lines->at[i]))
            continue;
        end = copy_line(end, line);
        if (memchr(line.at, '\0', line.len) != NULL)
            break;
    }
    *end = '\0';
    return text;
}

bool cflines_split_setting(char *text, char **name_r, char **value_r)
{
    size_t name_len = strcspn(text, " =");
    char *equals = text + name_len + strspn(text + name_len, " ");
    if (name_len == 0 || *equals != '=')
        return false;
    text[name_len] = '\0';
    *name_r = text;
    *value_r = equals + 1 + strspn(equals + 1, " ");
    size_t len = strlen(*value_r);
    while (len > 0 && (*value_r)[len - 1] == ' ')
        (*value_r)[--len] = '\0';
    return true;
}

char *cflines_first_word(char *text)
{
    text += strspn(text, " ");
    text[strcspn(text, " ")] = '\0';
    return text;
}

void cflines_squeeze(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++)
        if (*from != ' ' || (to > text && to[-1] != ' '))
            *to++ = *from;
    if (to > text && to[-1] == ' ')
        to--;
    *to = '\0';
}
