/* "$name" in values of main.cf, as far as main.cf itself says what they are. */
#include "mainmaster_work.h"

#include <stdlib.h>

/* Postfix would give up on settings that go in circles; so deep nobody nests them. */
enum { DEPTH_MAX = 8 };

/* "$name", "${name}" or "$(name)"; or the beginning of a condition, "${name?...}". */
struct reference {
    const char *at;
    const char *end;
    struct slice name;
    bool plain;
};

/* Letters, digits and "_", as in util/mac_parse.c. */
static size_t name_length(const char *at)
{
    return strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static bool read_reference(const char *at, struct reference *r)
{
    const char *name = at + 1;
    char close = *name == '{' ? '}' : *name == '(' ? ')' : '\0';
    name += close != '\0' ? 1 : 0;
    size_t len = name_length(name);
    bool closed = close != '\0' && name[len] == close;
    *r =
        (struct reference){at, name + len + (closed ? 1 : 0), {name, len}, close == '\0' || closed};
    return len > 0;
}

static bool next_reference(const char *text, struct reference *r)
{
    while ((text = strchr(text, '$')) != NULL) {
        if (text[1] != '$' && read_reference(text, r))
            return true;
        text += text[1] == '$' ? 2 : 1;
    }
    return false;
}

/* free() it; NULL: not set, or failed. */
static char *value_of(struct mainmaster_work *work, const struct mainmaster_want *want,
                      struct slice name)
{
    char buffer[128];
    size_t line;
    if (slice_copy(buffer, sizeof(buffer), name) < name.len)
        return NULL;
    char *value = mainmaster_find_setting(work, buffer, &line);
    if (value == NULL && strcmp(buffer, "queue_directory") == 0 &&
        want->milters.queue_directory != NULL)
        value = strdup(want->milters.queue_directory);
    return value;
}

static void write_expanded(FILE *out, struct mainmaster_work *work,
                           const struct mainmaster_want *want, const char *text, int depth)
{
    struct reference r;
    for (; next_reference(text, &r); text = r.end) {
        char *value = r.plain && depth > 0 ? value_of(work, want, r.name) : NULL;
        fwrite(text, 1, (size_t)(r.at - text), out);
        if (value != NULL)
            write_expanded(out, work, want, value, depth - 1);
        else
            fwrite(r.at, 1, (size_t)(r.end - r.at), out);
        free(value);
    }
    fputs(text, out);
}

/* Closes a memory stream. NULL: out of memory. */
static char *finish(struct mainmaster_work *work, FILE *out, char **text)
{
    if (out != NULL && fclose(out) == 0)
        return *text;
    if (out != NULL)
        free(*text);
    mainmaster_no_memory(work);
    return NULL;
}

char *mainmaster_expand(struct mainmaster_work *work, const struct mainmaster_want *want,
                        struct slice text)
{
    char *copy = strndup(text.at, text.len), *expanded = NULL;
    size_t len = 0;
    FILE *out = copy != NULL ? open_memstream(&expanded, &len) : NULL;
    if (out != NULL)
        write_expanded(out, work, want, copy, DEPTH_MAX);
    free(copy);
    return finish(work, out, &expanded);
}

char *mainmaster_write_out(struct mainmaster_work *work, const char *text, const char *name,
                           const char *value)
{
    char *result = NULL;
    size_t len = 0;
    struct reference r;
    FILE *out = open_memstream(&result, &len);
    for (; out != NULL && next_reference(text, &r); text = r.end) {
        fwrite(text, 1, (size_t)(r.at - text), out);
        if (r.plain && slice_equals(r.name, name))
            fputs(value, out);
        else
            fwrite(r.at, 1, (size_t)(r.end - r.at), out);
    }
    if (out != NULL)
        fputs(text, out);
    return finish(work, out, &result);
}

static bool leads_to(struct mainmaster_work *work, const struct mainmaster_want *want,
                     const char *text, const char *name, int depth)
{
    struct reference r;
    bool found = false;
    for (; !found && next_reference(text, &r); text = r.end) {
        char *value = depth > 0 ? value_of(work, want, r.name) : NULL;
        found = slice_equals(r.name, name) ||
                (value != NULL && leads_to(work, want, value, name, depth - 1));
        free(value);
    }
    return found;
}

bool mainmaster_leads_to(struct mainmaster_work *work, const struct mainmaster_want *want,
                         const char *text, const char *name)
{
    return leads_to(work, want, text, name, DEPTH_MAX);
}
