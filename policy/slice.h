/*
 * A piece of text inside somebody else's buffer: it owns nothing, is not NUL-terminated, and is
 * valid only as long as that buffer. All functions are thread-safe.
 */
#ifndef POSTERN_SLICE_H
#define POSTERN_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *at;
    size_t len;
};

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline bool slice_equals(struct slice s, const char *text)
{
    size_t len = strlen(text);
    return s.len == len && memcmp(s.at, text, len) == 0;
}

static inline bool slice_starts(struct slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && memcmp(s.at, prefix, len) == 0;
}

/* Copies into a buffer of `size` bytes, cut to fit, always NUL-terminated; returns what was copied.
 */
static inline size_t slice_copy(char *buffer, size_t size, struct slice s)
{
    size_t len = s.len < size ? s.len : size - 1;
    if (len > 0)
        memcpy(buffer, s.at, len);
    buffer[len] = '\0';
    return len;
}

#endif
