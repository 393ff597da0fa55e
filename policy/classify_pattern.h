/*
 * The notation of the classifier's patterns, and what they are made into. Pure and thread-safe.
 *
 * A pattern is a POSIX extended regular expression for a piece of the server's words, in any case.
 * - A blank also fits where one line of the reply ends and the next begins, code and all.
 * - '.' and [^...] do not fit '<', '>' and '@', and nothing else may: a pattern never reaches into
 *   an address, or over one.
 * - '^' (before the reply's code) may only come first, and '$' only last.
 * - What POSIX leaves undefined (\d, \1 ...) is refused: regexec(3) is not the same everywhere, and
 *   back references take time without bound. So are patterns that fit the empty text.
 */
#ifndef POSTERN_CLASSIFY_PATTERN_H
#define POSTERN_CLASSIFY_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum { CLASSIFY_PATTERN_MAX = 500 }; /* bytes, of PATTERN_ANYWHERE */

/* What may stand before and after the piece that the pattern fits. */
enum pattern_edge {
    PATTERN_ANYWHERE,    /* anything */
    PATTERN_WORDS,       /* it begins and ends with whole words */
    PATTERN_WHOLE_WORDS, /* nor are these the beginning of a host's name: "spam.example.com" */
};

/*
 * An expression for the whole text as logged, without a '^' before it; free() it. NULL, with the
 * reason in why_r (regcomp(3)'s words, where it has any).
 */
char *classify_pattern_expand(const char *pattern, enum pattern_edge edge, char *why_r,
                              size_t size);

/* Whether recipient_limits.patterns may hold it. */
bool classify_pattern_check(const char *pattern, char *why_r, size_t size);

#endif
