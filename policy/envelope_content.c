/* The header and the body of what the door saw. */
#include "envelope.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* RFC 5322 section 2.2: printable ASCII without colon. */
static bool is_field_name(const char *name)
{
    if (*name == '\0')
        return false;
    for (; *name; name++)
        if (*name <= ' ' || *name >= 0x7F || *name == ':')
            return false;
    return true;
}

/* One line of a value: a CR that ends no line must not look as if it did. Returns the end. */
static char *put_line(char *to, const char *line, size_t len)
{
    while (len > 0 && line[len - 1] == '\r')
        len--;
    for (size_t i = 0; i < len; i++)
        *to++ = line[i] == '\r' ? ' ' : line[i];
    *to++ = '\n';
    return to;
}

/*
 * "Name: value". The value comes with the blank behind the colon or without it, as was negotiated
 * (SMFIP_HDR_LEADSPC). A line of blanks only would look like the end of the header.
 */
static size_t put_field(char *field_r, const char *name, const char *value)
{
    size_t len = strcspn(value, "\n");
    char *to = stpcpy(stpcpy(field_r, name), ":");

    if (len > 0 && !is_blank(value[0]) && value[0] != '\r')
        *to++ = ' ';
    to = put_line(to, value, len);
    while (value[len] != '\0') {
        value += len + 1;
        len = strcspn(value, "\n");
        if (strspn(value, " \t\r") >= len)
            continue;
        if (!is_blank(value[0]))
            *to++ = ' ';
        to = put_line(to, value, len);
    }
    return (size_t)(to - field_r);
}

/* Each line grows by a blank and the LF at most. */
static size_t field_max(const char *name, const char *value)
{
    size_t lines = 1;

    for (const char *at = value; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    return strlen(name) + 1 + strlen(value) + 2 * lines + 1;
}

static bool append(char **text, size_t *text_len, const char *bytes, size_t len)
{
    char *more = realloc(*text, *text_len + len + 1);

    if (more == NULL)
        return false;
    memcpy(more + *text_len, bytes, len);
    *text = more;
    *text_len += len;
    more[*text_len] = '\0';
    return true;
}

bool envelope_add_header(struct envelope *envelope, const char *name, const char *value)
{
    size_t len;
    char *field;
    bool added = true;

    if (envelope->header_cut || !is_field_name(name))
        return true;
    field = malloc(field_max(name, value));
    if (field == NULL)
        return false;
    len = put_field(field, name, value);
    if (envelope->header_len + len > ENVELOPE_HEADER_MAX)
        envelope->header_cut = true;
    else
        added = append(&envelope->header, &envelope->header_len, field, len);
    free(field);
    return added;
}

static void leave_body_out(struct envelope *envelope)
{
    free(envelope->body);
    envelope->body = NULL;
    envelope->body_len = 0;
    envelope->body_cut = true;
}

/* CRLF becomes LF, also where the two come in different pieces. */
static void drop_crs(struct envelope *envelope, size_t from)
{
    char *body = envelope->body;
    size_t len = from;

    for (size_t i = from; i < envelope->body_len; i++) {
        if (body[i] == '\n' && len > 0 && body[len - 1] == '\r')
            len--;
        body[len++] = body[i];
    }
    body[len] = '\0';
    envelope->body_len = len;
}

bool envelope_add_body(struct envelope *envelope, const char *bytes, size_t len)
{
    size_t before = envelope->body_len;

    if (envelope->body_cut || len == 0)
        return true;
    /* Twice: all could be CRLF, of which the half is kept. */
    if (memchr(bytes, '\0', len) != NULL || len > 2 * (size_t)ENVELOPE_BODY_MAX) {
        leave_body_out(envelope);
        return true;
    }
    if (!append(&envelope->body, &envelope->body_len, bytes, len)) {
        leave_body_out(envelope);
        return false;
    }
    drop_crs(envelope, before);
    if (envelope->body_len > ENVELOPE_BODY_MAX)
        leave_body_out(envelope);
    return true;
}

/* Takes a field with its folded lines from the front; without a colon its name is empty. */
static bool take_field(struct slice *rest, struct slice *name_r, struct slice *value_r)
{
    struct slice all = *rest;
    const char *colon;
    size_t len = 0;

    if (all.len == 0)
        return false;
    do {
        const char *end = memchr(all.at + len, '\n', all.len - len);
        len = end ? (size_t)(end + 1 - all.at) : all.len;
    } while (len < all.len && is_blank(all.at[len]));
    *rest = (struct slice){all.at + len, all.len - len};
    colon = memchr(all.at, ':', len);
    *name_r = (struct slice){all.at, colon ? (size_t)(colon - all.at) : 0};
    *value_r = colon ? (struct slice){colon + 1, (size_t)(rest->at - colon - 1)} : *name_r;
    return true;
}

/* The first word of a value, to a blank, a comment, a parameter, or the next of a list. */
static struct slice first_word(struct slice value)
{
    size_t from = 0;
    size_t to;

    while (from < value.len && strchr(" \t\n", value.at[from]))
        from++;
    for (to = from; to < value.len && !strchr(" \t\n(;,", value.at[to]);)
        to++;
    return (struct slice){value.at + from, to - from};
}

static bool is_word(struct slice s, const char *word)
{
    return s.len == strlen(word) && strncasecmp(s.at, word, s.len) == 0;
}

static bool is_mark(struct slice name, struct slice value)
{
    struct slice word;

    if (is_word(name, "List-Id") || is_word(name, "List-Unsubscribe") || is_word(name, "List-Post"))
        return true;
    word = first_word(value);
    if (is_word(name, "Precedence"))
        return is_word(word, "bulk") || is_word(word, "list") || is_word(word, "junk");
    if (is_word(name, "Auto-Submitted")) /* RFC 3834 section 5 */
        return !is_word(word, "no");
    /* Exchange's; a list of what is not wanted. */
    return is_word(name, "X-Auto-Response-Suppress") && !is_word(word, "None");
}

bool envelope_is_automatic(const struct envelope *envelope)
{
    struct slice rest = {envelope->header, envelope->header_len};
    struct slice name, value;

    while (take_field(&rest, &name, &value))
        if (is_mark(name, value))
            return true;
    return envelope->header_cut;
}
