#include "badreply.h"

#include "badreply_parts.h"

enum { ANY_WORDS_MAX = 4 };

/* One of "a|b*" */
static bool choice_fits(struct slice choice, const char *word)
{
    if (choice.len > 0 && choice.at[choice.len - 1] == '*')
        return strncmp(word, choice.at, choice.len - 1) == 0;
    return slice_equals(choice, word);
}

static bool item_fits(struct slice item, const char *word)
{
    while (item.len > 0) {
        const char *bar = memchr(item.at, '|', item.len);
        size_t len = bar != NULL ? (size_t)(bar - item.at) : item.len;

        if (choice_fits((struct slice){item.at, len}, word))
            return true;
        len += bar != NULL;
        item = (struct slice){item.at + len, item.len - len};
    }
    return false;
}

/* Where a pattern is to fit. Quoted words are passed over where they must not decide. */
struct place {
    const struct badreply_words *words;
    size_t at;
    bool skip_quoted;
};

static const char *next_word(struct place *place)
{
    while (place->at < place->words->count) {
        const struct badreply_word *word = &place->words->words[place->at++];

        if (!word->quoted || !place->skip_quoted)
            return word->at;
    }
    return NULL;
}

static bool fits_at(const char *pattern, struct place place);

/* "...": as few words as will do */
static bool fits_behind(const char *pattern, struct place place)
{
    for (int passed = 0; passed <= ANY_WORDS_MAX; passed++) {
        if (fits_at(pattern, place))
            return true;
        if (next_word(&place) == NULL)
            return false;
    }
    return false;
}

static bool fits_at(const char *pattern, struct place place)
{
    struct slice item = {pattern, strcspn(pattern, " ")};
    const char *rest = pattern + item.len + strspn(pattern + item.len, " ");
    const char *word;

    if (item.len == 0)
        return true;
    if (slice_equals(item, "..."))
        return fits_behind(rest, place);
    if (item.at[item.len - 1] == '?') {
        item.len--;
        if (fits_at(rest, place))
            return true;
    }
    word = next_word(&place);
    return word != NULL && item_fits(item, word) && fits_at(rest, place);
}

/* The first row that fits anywhere, or NULL. */
static const struct badreply_row *find(const struct badreply_row *row_at(size_t),
                                       const struct badreply_words *words, bool skip_quoted)
{
    const struct badreply_row *row;

    for (size_t i = 0; (row = row_at(i)) != NULL; i++) {
        for (size_t at = 0; at < words->count; at++) {
            struct place place = {words, at, skip_quoted};

            if (fits_at(row->pattern, place))
                return row;
        }
    }
    return NULL;
}

static bool names_block_list(const struct badreply_words *words)
{
    const struct badreply_row *row;

    for (size_t i = 0; (row = badreply_list_at(i)) != NULL; i++)
        for (size_t at = 0; at < words->count; at++)
            if (strstr(words->words[at].at, row->pattern) != NULL)
                return true;
    return false;
}

/* Quoted words count against a bad address, never for it. */
static bool decide(const struct badreply_words *words)
{
    if (words->doubtful || words->about_us || words->other_code || names_block_list(words) ||
        find(badreply_other_at, words, false) != NULL)
        return false;
    return words->address_code || find(badreply_bad_at, words, true) != NULL;
}

/* An address that servers may show bare, so that its words would look like theirs. */
static bool is_odd(struct slice address)
{
    for (size_t i = 0; i < address.len; i++)
        if ((unsigned char)address.at[i] <= ' ' || strchr("<>()\\", address.at[i]) != NULL)
            return true;
    return false;
}

bool badreply_is_bad_address(struct slice text, const struct badreply_context *context)
{
    struct badreply_words words;
    struct reply_parts reply;

    if (!reply_parse(text, &reply) || reply.phase != REPLY_PHASE_RCPT || !reply.permanent ||
        is_odd(context->recipient) || is_odd(context->sender))
        return false;
    badreply_cut(&words, reply.words, context);
    return decide(&words);
}
