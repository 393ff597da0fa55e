/*
 * The encodings of DSN parameters: xtext (RFC 3461 section 4), and the one that RFC 6533 section 3
 * has for addresses of type utf-8. Pure and thread-safe.
 */
#ifndef POSTERN_XTEXT_H
#define POSTERN_XTEXT_H

#include <stdbool.h>

/*
 * Both write into decoded_r, which has room for strlen(encoded) + 1 bytes. False: malformed, or it
 * stands for nothing, or for what is not printable.
 */

/* "a+2Bb" is "a+b"; the result is ASCII. */
bool xtext_decode(char *decoded_r, const char *encoded);
/* "\x{FC}" is U+00FC; other characters of UTF-8 stand for themselves. */
bool xtext_decode_utf8(char *decoded_r, const char *encoded);

#endif
