/*
 * Between the files of badreply only.
 *
 * A reply is cut into words, in lower case and without apostrophes: "doesn't" is "doesnt",
 * "over-quota" are two. Names with a dot in them and URLs stay whole, so that no word of theirs
 * counts. Addresses and the codes of the lines are left out.
 */
#ifndef POSTERN_BADREPLY_PARTS_H
#define POSTERN_BADREPLY_PARTS_H

#include "badreply.h"
#include "classify.h"

/* One word needs two bytes of the text. */
enum { BADREPLY_WORDS_MAX = CLASSIFY_TEXT_MAX / 2 };

struct badreply_word {
    const char *at; /* in `text`, NUL-terminated */
    bool quoted;    /* in "", or a local part: somebody chose it */
};

struct badreply_words {
    struct badreply_word words[BADREPLY_WORDS_MAX];
    size_t count;
    bool address_code; /* one of RFC 3463 that says that the address is no good */
    bool other_code;   /* another enhanced code */
    bool about_us;     /* names the sender, our host, or an IP address */
    bool doubtful;     /* shows an address whose end cannot be told */
    char text[CLASSIFY_TEXT_MAX * 2];
    size_t text_len;
};

/* `reply` is the server's, "550 5.1.1 ...". */
void badreply_cut(struct badreply_words *words_r, struct slice reply,
                  const struct badreply_context *context);

/*
 * A pattern is one or more items with a blank between them; each fits one word, and an item that
 * ends in '?' also none. "a|b*" fits the word a, and those that begin with b; "..." up to four
 * words of any kind.
 */
struct badreply_row {
    const char *pattern;
    const char *source; /* who says so */
};

/* The rows for replies about something else, and for bad addresses; NULL past the last. */
const struct badreply_row *badreply_other_at(size_t index);
const struct badreply_row *badreply_bad_at(size_t index);
/* Pieces of the names and URLs of block lists. */
const struct badreply_row *badreply_list_at(size_t index);

#endif
