/*
 * The lines of main.cf and master.cf as Postfix reads them (util/readlline.c,
 * util/split_nameval.c). Pure and thread-safe. Lines point into the bytes they were split from.
 */
#ifndef POSTERN_CFLINES_H
#define POSTERN_CFLINES_H

#include "slice.h"

/* One physical line. */
struct cfline {
    struct slice text; /* with its newline, if it has one */
    size_t number;     /* from 1; 0: not from the file */
    bool aside;        /* set aside: written with a marker before it that makes it a comment */
    bool commented;    /* to be a comment from now on */
};

struct cflines {
    struct cfline *at;
    size_t count;
    size_t room;
};

/* Appends; false: out of memory. */
bool cflines_add(struct cflines *lines, struct cfline line);
/* Puts one before lines->at[index]; false: out of memory. */
bool cflines_insert(struct cflines *lines, size_t index, struct cfline line);
void cflines_free(struct cflines *lines);

/* The next physical line of *rest, which is moved on; its len is 0 at the end. */
struct slice cflines_take(struct slice *rest);

/*
 * A logical line: content lines from `first` up to, not including, `end`, and the comments and
 * blank lines between them, which Postfix leaves out.
 */
struct cfspan {
    size_t first;
    size_t end;
};

bool cfline_ends_crlf(struct slice line);

/* True when Postfix takes the line for more than a comment or space. */
bool cfline_is_content(const struct cfline *line);

/* Finds the logical line that begins at or behind `from`; false: there is none. */
bool cflines_next(const struct cflines *lines, size_t from, struct cfspan *span_r);

/*
 * The logical line as one string, every kind of space in it a plain one, up to the first NUL byte
 * (which is where Postfix stops). free() it; NULL: out of memory.
 */
char *cflines_join(const struct cflines *lines, struct cfspan span);

/*
 * Splits "name = value" in place. False when it is none, also for a line that begins with space:
 * Postfix ignores it with a warning.
 */
bool cflines_split_setting(char *text, char **name_r, char **value_r);

/* Cuts `text` at the end of its first word and returns it (master.cf: the service's name). */
char *cflines_first_word(char *text);

/* Squeezes runs of spaces into one, in place, and drops those at the ends. */
void cflines_squeeze(char *text);

#endif
