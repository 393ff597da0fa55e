#include "logtags.h"

#include <stdlib.h>
#include <string.h>

/* qmgr(8) works on 20000 messages at most (qmgr_message_active_limit), unless told otherwise. */
enum { ACTIVE_BITS = 17, ACTIVE_SLOTS = 1 << ACTIVE_BITS };

struct logtags {
    char *ours;
    char *others;
    /* By its hash, what our queue manager took up; a later one takes an earlier one's place. */
    uint32_t active[ACTIVE_SLOTS];
};

struct logtags *logtags_new(const char *ours, const char *others)
{
    struct logtags *tags = calloc(1, sizeof(*tags));

    if (tags == NULL)
        return NULL;
    tags->ours = strdup(ours);
    tags->others = strdup(others);
    if (tags->ours == NULL || tags->others == NULL)
        logtags_free(&tags);
    return tags;
}

void logtags_free(struct logtags **tags)
{
    if (*tags == NULL)
        return;
    free((*tags)->ours);
    free((*tags)->others);
    free(*tags);
    *tags = NULL;
}

bool logtags_same(const struct logtags *a, const struct logtags *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return strcmp(a->ours, b->ours) == 0 && strcmp(a->others, b->others) == 0;
}

/* The tag is this name, or the name and a slash begin it. */
static bool claims(struct slice name, struct slice tag)
{
    return name.len > 0 && tag.len >= name.len && memcmp(tag.at, name.at, name.len) == 0 &&
           (tag.len == name.len || tag.at[name.len] == '/');
}

/* The length of the longest name in the list that claims the tag; 0: none does. */
static size_t claim_of(const char *list, struct slice tag)
{
    size_t longest = 0;

    for (size_t len; *list != '\0'; list += len + (list[len] == '\n')) {
        len = strcspn(list, "\n");
        if (len > longest && claims((struct slice){list, len}, tag))
            longest = len;
    }
    return longest;
}

/* FNV-1a. A stranger does not choose queue ids. */
static uint64_t hash_of(struct slice id)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.at[i]) * 1099511628211u;
    return hash ^ hash >> 32;
}

/* What its slot holds; never 0, which an empty one has. */
static uint32_t mark_of(uint64_t hash)
{
    return (uint32_t)(hash >> ACTIVE_BITS) | 1;
}

bool logtags_ours(struct logtags *tags, const struct maillog_line *line)
{
    const char *slash =
        line->program.len > 0 ? memrchr(line->program.at, '/', line->program.len) : NULL;
    struct slice tag = {line->program.at, slash ? (size_t)(slash - line->program.at) : 0};
    size_t ours = claim_of(tags->ours, tag), others = claim_of(tags->others, tag);
    uint64_t hash;

    if (ours == 0 || ours < others)
        return false;
    hash = hash_of(line->queue_id);
    if (ours == others)
        return tags->active[hash % ACTIVE_SLOTS] == mark_of(hash);
    if (line->kind == MAILLOG_ACTIVE)
        tags->active[hash % ACTIVE_SLOTS] = mark_of(hash);
    return true;
}
