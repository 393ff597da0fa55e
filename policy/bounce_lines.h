/* How bounce.c reads the lines of a report. Pure, thread-safe; nobody else includes it. */
#ifndef POSTERN_BOUNCE_LINES_H
#define POSTERN_BOUNCE_LINES_H

#include <stdbool.h>

#include "slice.h"

/* What wrapped lines begin with. */
#define INDENT "    "

/* Reads lines; `eol` is how they all have to end. */
struct reader {
    struct slice rest;
    struct slice eol;
};

static inline bool starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && memcmp(s.at, prefix.at, prefix.len) == 0;
}

static inline void skip(struct slice *s, size_t len)
{
    s->at += len;
    s->len -= len;
}

static inline bool eat(struct slice *s, struct slice prefix)
{
    if (!starts_with(*s, prefix))
        return false;
    skip(s, prefix.len);
    return true;
}

static inline bool eat_text(struct slice *s, const char *prefix)
{
    return eat(s, slice_of(prefix));
}

static inline bool eat_suffix(struct slice *s, const char *suffix)
{
    size_t len = strlen(suffix);

    if (s->len < len || memcmp(s->at + s->len - len, suffix, len) != 0)
        return false;
    s->len -= len;
    return true;
}

/* The first characters that are in `set`; they are skipped. */
static inline struct slice eat_all(struct slice *s, const char *set)
{
    struct slice eaten = {s->at, 0};

    while (eaten.len < s->len && s->at[eaten.len] != '\0' && strchr(set, s->at[eaten.len]))
        eaten.len++;
    skip(s, eaten.len);
    return eaten;
}

static inline bool has_control(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] < ' ' || s.at[i] == '\177')
            return true;
    return false;
}

/* From `start` up to where `rest`, the end of the same text, begins. */
static inline struct slice up_to(const char *start, struct slice rest)
{
    return (struct slice){start, (size_t)(rest.at - start)};
}

/* A line with a control character, or with another end, is not understood. */
static inline bool next_line(struct reader *in, struct slice *line_r)
{
    const char *end = memchr(in->rest.at, '\n', in->rest.len);
    struct slice line;

    if (end == NULL)
        return false;
    line = (struct slice){in->rest.at, (size_t)(end + 1 - in->rest.at) - in->eol.len};
    if (in->eol.len > (size_t)(end + 1 - in->rest.at) ||
        memcmp(line.at + line.len, in->eol.at, in->eol.len) != 0 || has_control(line))
        return false;
    skip(&in->rest, line.len + in->eol.len);
    *line_r = line;
    return true;
}

/* Goes on only if the next line begins with `prefix`; the rest of that line. */
static inline bool take(struct reader *in, const char *prefix, struct slice *rest_r)
{
    struct reader ahead = *in;

    if (!next_line(&ahead, rest_r) || !eat_text(rest_r, prefix))
        return false;
    *in = ahead;
    return true;
}

static inline bool take_line(struct reader *in, const char *text)
{
    struct reader ahead = *in;
    struct slice rest;

    if (!take(&ahead, text, &rest) || rest.len > 0)
        return false;
    *in = ahead;
    return true;
}

static inline void take_indented(struct reader *in)
{
    struct slice rest;

    while (take(in, INDENT, &rest))
        ;
}

#endif
