/*
 * Text that goes to people, some of it written by strangers. Pure and thread-safe.
 */
#ifndef POSTERN_TEXT_H
#define POSTERN_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* The length (1 to 4) of the valid UTF-8 sequence (RFC 3629) at `at`, or 0 when there is none. */
size_t text_utf8_length(const char *at, size_t len);

/* Writes '?' over control characters (C0, DEL, C1) and over bytes that are not valid UTF-8. */
void text_clean(char *text);

/*
 * Formats into `size` bytes (at least 1) and cleans. What does not fit is cut between characters,
 * and then ends in "...". Errors of printf(3) itself leave the bare format.
 */
void text_print(char *buffer, size_t size, const char *format, va_list ap)
    __attribute__((format(printf, 3, 0)));

#endif
