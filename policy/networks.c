#include "networks.h"

#include <stdlib.h>

#include "postfix_list.h"

struct entry {
    struct network network;
    bool out; /* "!" */
};

struct networks {
    struct entry *list;
    size_t count;
};

struct networks *networks_new(void)
{
    return calloc(1, sizeof(struct networks));
}

void networks_free(struct networks **networks)
{
    if (*networks)
        free((*networks)->list);
    free(*networks);
    *networks = NULL;
}

/* "[::1]/128" to "::1/128". What is not of that form stays, and is no network. */
static struct slice without_brackets(struct slice text, char *buffer, size_t size)
{
    const char *end = text.len > 0 && text.at[0] == '[' ? memchr(text.at, ']', text.len) : NULL;
    size_t len;

    if (end == NULL || (end + 1 < text.at + text.len && end[1] != '/'))
        return text;
    len = slice_copy(buffer, size, (struct slice){text.at + 1, (size_t)(end - text.at) - 1});
    len += slice_copy(buffer + len, size - len,
                      (struct slice){end + 1, (size_t)(text.at + text.len - end) - 1});
    return (struct slice){buffer, len};
}

bool networks_add(struct networks *networks, struct slice text)
{
    char buffer[128];
    struct entry entry = {.out = text.len > 0 && text.at[0] == '!'};
    struct entry *list;

    if (entry.out) {
        text.at++;
        text.len--;
    }
    if (!network_parse(without_brackets(text, buffer, sizeof(buffer)), &entry.network))
        return false;
    list = realloc(networks->list, (networks->count + 1) * sizeof(*list));
    if (list == NULL)
        return false;
    networks->list = list;
    networks->list[networks->count++] = entry;
    return true;
}

static void exclude_all(struct networks *networks)
{
    networks_add(networks, slice_of("!::/0"));
    networks_add(networks, slice_of("!0.0.0.0/0"));
}

size_t networks_add_list(struct networks *networks, const char *list)
{
    size_t left_out = 0;

    for (struct slice word; (word = postfix_list_next(&list)).len > 0;)
        if (!networks_add(networks, word)) {
            left_out++;
            if (word.at[0] == '!')
                exclude_all(networks);
        }
    return left_out;
}

bool networks_have(const struct networks *networks, const struct network *address)
{
    for (size_t i = 0; networks && i < networks->count; i++)
        if (network_has(&networks->list[i].network, address))
            return !networks->list[i].out;
    return false;
}
