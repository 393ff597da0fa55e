/*
 * What the files of dsn.h share: lines that are cleaned and wrapped, and the parts that say what
 * happened. Pure and thread-safe.
 */
#ifndef POSTERN_DSN_PARTS_H
#define POSTERN_DSN_PARTS_H

#include <stdio.h>

#include "dsn.h"

/* Where lines go. Errors stick: look at `failed`, and at what fclose(3) says, at the end. */
struct dsn_out {
    FILE *file;
    bool failed; /* no memory */
};

/* How bytes above 127 are written. */
enum dsn_form {
    DSN_UTF8,
    DSN_ASCII, /* as "\x{FC}" */
    DSN_XTEXT, /* the same, for addresses of type utf-8 (utf-8-addr-xtext of RFC 6533) */
};

/* In bytes. A line of mail has 998 at most. */
enum { DSN_ADDRESS_MAX = 880, DSN_LINE_MAX = 960, DSN_TEXT_MAX = 8000 };

/* A copy without line breaks and control characters, of at most `max` bytes (what does not fit is
 * cut and ends in "..."); free() it. NULL: no memory. */
char *dsn_clean(const char *text, enum dsn_form form, size_t max);

/*
 * Prints a line, cleaned, and wrapped at blanks: those after the first begin with `indent`. NULL:
 * it is not wrapped (not all programs unfold fields), but cut.
 */
void dsn_line(struct dsn_out *out, enum dsn_form form, const char *indent, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The recipient's status, or a general one when that does not match the action. */
const char *dsn_status(const struct dsn_report *report, const struct dsn_recipient *recipient);

/* The part for people: text. */
void dsn_put_text(struct dsn_out *out, const struct dsn_report *report);
/* The part for programs: the fields of RFC 3464. */
void dsn_put_fields(struct dsn_out *out, const struct dsn_report *report);

#endif
