/*
 * Text that goes to people, some of it written by strangers. Pure and thread-safe.
 */
#ifndef POSTERN_TEXT_H
#define POSTERN_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length (1 to 4) of the valid UTF-8 sequence (RFC 3629) at `at`, or 0 when there is none. */
size_t text_utf8_length(const char *at, size_t len);
/* The same, and the code point. */
size_t text_utf8_decode(const char *at, size_t len, uint32_t *code_r);
/* Writes a code point without a NUL, and returns its length; 0: it is none that UTF-8 can hold. */
size_t text_utf8_encode(char at[4], uint32_t code);

/* Writes '?' over control characters (C0, DEL, C1) and over bytes that are not valid UTF-8. */
void text_clean(char *text);
/* Whether text_clean() would leave it as it is. */
bool text_is_clean(const char *text);
/* Writes '?' over bytes that are not valid UTF-8 only; of `len` bytes, which may hold NULs. */
void text_make_utf8(char *text, size_t len);

/*
 * Formats into `size` bytes (at least 1) and cleans. What does not fit is cut between characters,
 * and then ends in "...". Errors of printf(3) itself leave the bare format.
 */
void text_print(char *buffer, size_t size, const char *format, va_list ap)
    __attribute__((format(printf, 3, 0)));

#endif
