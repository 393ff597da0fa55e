#include "classify_parts.h"

#include <stdlib.h>
#include <strings.h>

enum { NUMBER_MAX = 100000 };

/* What may stand between "limit" and its number. */
#define WORDS                                                                                      \
    "( (of|on|for|to|the|your|our|is|are|now|number|count|total|allowed|permitted|maximum|max|"    \
    "limit|exceeded|reached|recipients?|rcpts?|per|message|mail|e-?mail|transaction|session|"      \
    "connection|single|this|a|in|one))*[ :=(.]*"
#define NUMBER "([0-9]{1,6})"
/* Not a part of an address, an enhanced code, a time, a name or a range. */
#define END "([.,:;]?([ )]|$)|[])!'\"])"

/* The first that fits tells; `group` is the number's, 0: the number is 1. */
static const struct {
    const char *pattern;
    size_t group;
} LIMITS[] = {
    /* 51 > 50 */
    {"(^|[ (])[0-9]{1,6} ?> ?" NUMBER END, 2},
    {"(^|[ (\"':])(exceed(s|ed|ing)?|more than|at most|up to|over|only|limited to)" WORDS NUMBER
         END,
     6},
    {"(^|[ (\"':])(limits?|maximum|maximal|max)" WORDS NUMBER END, 5},
    {"(^|[ (\"':])" NUMBER " (recipients?|rcpts?|addressees|addresses)( is| are)?( the)? "
     "(max|maximum|limit|allowed|permitted|per|only|at)",
     2},
    {"(^|[ (\"':])" NUMBER " (max|maximum|allowed|permitted)", 2},
    {"(^|[ (\"':])(only|just|at most|more than|a) (one|single) (recipient|rcpt)", 0},
    {"(^|[ (\"':])(one|single) (recipient|rcpt)s? (at a time|per )", 0},
};
enum { LIMITS_LEN = sizeof(LIMITS) / sizeof(LIMITS[0]), GROUPS_MAX = 8 };

struct classify_limits {
    size_t count;
    regex_t compiled[LIMITS_LEN];
};

struct classify_limits *classify_limits_new(void)
{
    struct classify_limits *limits = calloc(1, sizeof(*limits));

    while (limits != NULL && limits->count < LIMITS_LEN) {
        if (regcomp(&limits->compiled[limits->count], LIMITS[limits->count].pattern,
                    REG_EXTENDED | REG_ICASE) != 0)
            classify_limits_free(&limits);
        else
            limits->count++;
    }
    return limits;
}

void classify_limits_free(struct classify_limits **limits)
{
    if (*limits == NULL)
        return;
    for (size_t i = 0; i < (*limits)->count; i++)
        regfree(&(*limits)->compiled[i]);
    free(*limits);
    *limits = NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A word that a number counts, when it counts no recipients: "300 seconds". */
static bool is_other_unit(const char *at)
{
    static const char *const units[] = {"sec", "min",  "hour",   "hr",   "day",  "week", "month",
                                        "kb",  "mb",   "byte",   "time", "mess", "mail", "conn",
                                        "err", "sess", "domain", "try",  "tries"};

    at += strspn(at, " )");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strncasecmp(at, units[i], strlen(units[i])) == 0)
            return true;
    }
    return false;
}

/* The length of a reply's code and enhanced code at the start of a word: "552-5.5.3 ", or 0. */
static size_t code_length(const char *at, const char *code)
{
    size_t len = 3;
    size_t enhanced;

    if (strncmp(at, code, 3) != 0 || (at[3] != ' ' && at[3] != '-'))
        return 0;
    len += 1 + strspn(at + 4, " ");
    enhanced = strspn(at + len, "0123456789.");
    if (enhanced >= 5 && at[len + 1] == '.' &&
        (at[len + enhanced] == ' ' || at[len + enhanced] == '\0'))
        return len + enhanced;
    /* Without an enhanced code, "550 " may be a number: it begins a line when others had a '-'. */
    return at[3] == '-' || code[3] == '-' ? len : 0;
}

/* The length of an address at the start of a word: <...>, or a word with '@' in it; or 0. */
static size_t address_length(const char *at)
{
    const char *close = at[0] == '<' ? strchr(at, '>') : NULL;
    size_t len = strcspn(at, " <>");

    if (close != NULL)
        return (size_t)(close + 1 - at);
    return memchr(at, '@', len) != NULL ? len : 0;
}

/* Leaves out addresses, the codes with which the lines of the reply begin, and blanks after blanks.
 */
static void strip(char *out, const char *words)
{
    const char *at = words + strcspn(words, " -");
    bool word_begins = true;

    while (*at != '\0') {
        size_t skip = *at == '<' || word_begins ? address_length(at) : 0;

        if (skip == 0 && word_begins)
            skip = code_length(at, words);
        if (skip == 0 && !(word_begins && *at == ' '))
            *out++ = *at;
        else if (!word_begins)
            *out++ = ' ';
        word_begins = skip > 0 || *at == ' ';
        at += skip > 0 ? skip : 1;
    }
    *out = '\0';
}

/* The value of a match, or 0. */
static uint32_t number_at(const char *words, size_t group, const regmatch_t *matches)
{
    const char *at = words + matches[group].rm_so;
    unsigned long value;

    if (group == 0)
        return 1;
    if (matches[group].rm_so < 0 || !is_digit(*at))
        return 0;
    value = strtoul(at, NULL, 10);
    return value <= NUMBER_MAX && !is_other_unit(words + matches[group].rm_eo) ? (uint32_t)value
                                                                               : 0;
}

uint32_t classify_limit(const struct classify_limits *limits, struct slice words)
{
    char copy[CLASSIFY_TEXT_MAX + 1], stripped[CLASSIFY_TEXT_MAX + 1];
    regmatch_t matches[GROUPS_MAX];
    uint32_t value = 0;

    slice_copy(copy, sizeof(copy), words);
    strip(stripped, copy);
    for (size_t i = 0; i < LIMITS_LEN && value == 0; i++) {
        if (regexec(&limits->compiled[i], stripped, GROUPS_MAX, matches, 0) == 0)
            value = number_at(stripped, LIMITS[i].group, matches);
    }
    return value;
}
