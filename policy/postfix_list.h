/* Lists as main.cf has them: words between commas and blanks. Pure, thread-safe. */
#ifndef POSTERN_POSTFIX_LIST_H
#define POSTERN_POSTFIX_LIST_H

#include <stdbool.h>

#include "slice.h"

#define POSTFIX_LIST_SPACES ", \t\r\n"

/* The next entry of a list; braces hold one together (util/mystrtok.c). Its len is 0 at the end. */
static inline struct slice postfix_list_next(const char **list)
{
    int depth = 0;
    const char *at = *list + strspn(*list, POSTFIX_LIST_SPACES);
    struct slice entry = {at, 0};

    for (; *at != '\0' && (depth > 0 || strchr(POSTFIX_LIST_SPACES, *at) == NULL); at++)
        depth += *at == '{' ? 1 : *at == '}' && depth > 0 ? -1 : 0;
    entry.len = (size_t)(at - entry.at);
    *list = at;
    return entry;
}

/* Of an entry in braces the first word: its settings follow (milter/milter.c). Else all of it. */
static inline struct slice postfix_list_endpoint(struct slice entry)
{
    if (entry.len < 2 || entry.at[0] != '{')
        return entry;
    const char *at = entry.at + 1, *end = entry.at + entry.len - 1;
    while (at < end && strchr(POSTFIX_LIST_SPACES, *at) != NULL)
        at++;
    size_t len = 0;
    while (at + len < end && strchr(POSTFIX_LIST_SPACES, at[len]) == NULL)
        len++;
    return (struct slice){at, len};
}

static inline bool postfix_list_has(const char *list, const char *name)
{
    for (struct slice word; (word = postfix_list_next(&list)).len > 0;)
        if (slice_equals(word, name))
            return true;
    return false;
}

#endif
