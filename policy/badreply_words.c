#include <arpa/inet.h>
#include <strings.h>

#include "address.h"
#include "badreply_parts.h"

/* The state while a reply is cut. */
struct cutter {
    struct badreply_words *out;
    const struct badreply_context *context;
    const char *code;  /* the reply's, three digits */
    struct slice rest; /* not cut yet */
    bool in_quotes;    /* between " and " */
    bool is_local;     /* what is cut is somebody's local part */
    char sender[ADDRESS_MAX + 1], recipient[ADDRESS_MAX + 1]; /* canonical */
};

static void skip(struct slice *s, size_t len)
{
    s->at += len;
    s->len -= len;
}

static bool same(struct slice a, struct slice b)
{
    return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

static bool has(struct slice s, const char *what)
{
    return memmem(s.at, s.len, what, strlen(what)) != NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

/* Without the punctuation on both sides. */
static struct slice trim(struct slice s)
{
    while (s.len > 0 && !is_word_byte(s.at[0]))
        skip(&s, 1);
    while (s.len > 0 && !is_word_byte(s.at[s.len - 1]))
        s.len--;
    return s;
}

static struct slice local_part(struct slice address)
{
    const char *at = address.len > 0 ? memrchr(address.at, '@', address.len) : NULL;

    return (struct slice){address.at, at != NULL ? (size_t)(at - address.at) : 0};
}

/* The length of up to `most` digits. */
static size_t digits(struct slice s, size_t most)
{
    size_t len = 0;

    while (len < s.len && len < most && is_digit(s.at[len]))
        len++;
    return len;
}

/* The length of `count` numbers of up to three digits with dots between them, or 0. */
static size_t dotted_length(struct slice s, int count)
{
    struct slice rest = s;

    for (int i = 0; i < count; i++) {
        size_t len = digits(rest, 3);

        if (len == 0 || (i > 0 && rest.at[-1] != '.'))
            return 0;
        skip(&rest, len);
        if (i < count - 1 && rest.len > 0)
            skip(&rest, 1);
    }
    return s.len - rest.len;
}

/* An enhanced code (RFC 3463 section 2): "5.1.1", but not "5.1.1.example" */
static size_t code_length(struct slice s)
{
    size_t len =
        s.len > 1 && strchr("245", s.at[0]) != NULL && s.at[1] == '.' ? dotted_length(s, 3) : 0;

    return len == s.len || (len > 0 && s.at[len] != '.' && !is_word_byte(s.at[len])) ? len : 0;
}

static bool is_ipv6(struct slice s)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char ip[16];

    if (s.len >= sizeof(text))
        return false;
    slice_copy(text, sizeof(text), s);
    return inet_pton(AF_INET6, text, ip) == 1;
}

/* Anywhere in a word: "mx.example[192.0.2.1]:25" */
static bool has_ip_address(struct slice s)
{
    for (bool begins = true; s.len > 0; skip(&s, 1)) {
        size_t run = 0, colons = 0;

        for (; run < s.len && (s.at[run] == ':' || strchr("abcdefABCDEF.", s.at[run]) != NULL ||
                               is_digit(s.at[run]));
             run++)
            colons += s.at[run] == ':';
        if (begins &&
            (dotted_length(s, 4) > 0 || (colons > 1 && is_ipv6((struct slice){s.at, run}))))
            return true;
        begins = !is_word_byte(s.at[0]) && s.at[0] != '.';
    }
    return false;
}

/* RFC 3463 section 3.2, RFC 7505 */
static void note_code(struct badreply_words *out, struct slice code)
{
    static const char *const address_codes[] = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"};
    bool known = false;

    for (size_t i = 0; i < sizeof(address_codes) / sizeof(address_codes[0]); i++)
        known = known || slice_equals(code, address_codes[i]);
    if (known)
        out->address_code = true;
    else
        out->other_code = true;
}

static bool is_sender(const struct cutter *c, struct slice address)
{
    char canonical[ADDRESS_MAX + 1];

    return address_canonical(canonical, address) > 0 && strcmp(canonical, c->sender) == 0 &&
           strcmp(canonical, c->recipient) != 0;
}

/* A quote before it may belong to it ("s"@example.org), or around it. */
static void note_address(struct cutter *c, struct slice address)
{
    struct slice inner = trim(address);
    struct slice whole = {address.at, (size_t)(inner.at + inner.len - address.at)};

    if (is_sender(c, inner) || is_sender(c, whole))
        c->out->about_us = true;
}

/* A name of ours: our host's, or the sender's domain where it is not the recipient's. */
static void note_name(struct cutter *c, struct slice name)
{
    struct slice domain = address_domain(slice_of(c->sender));

    if (has_ip_address(name) || (name.len > 0 && same(name, c->context->host)))
        c->out->about_us = true;
    if (domain.len > 0 && same(name, domain) && !same(name, address_domain(slice_of(c->recipient))))
        c->out->about_us = true;
}

static void put(struct badreply_words *out, char byte)
{
    if (out->text_len < sizeof(out->text))
        out->text[out->text_len++] = byte;
}

/* Without apostrophes, so that "doesn't" is one word. */
static void add_word(struct cutter *c, struct slice word)
{
    struct badreply_words *out = c->out;
    size_t begin = out->text_len;

    /* Each byte of the reply is put once, and a NUL for it at most: there is room. */
    for (size_t i = 0; i < word.len; i++) {
        char byte = word.at[i];

        if (byte != '\'' && byte != '`')
            put(out, byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte);
    }
    put(out, '\0');
    if (out->count < BADREPLY_WORDS_MAX)
        out->words[out->count++] =
            (struct badreply_word){out->text + begin, c->in_quotes || c->is_local};
}

static void add_words(struct cutter *c, struct slice s)
{
    while (s.len > 0) {
        size_t len = 0;

        while (len < s.len && (is_word_byte(s.at[len]) || strchr("'`", s.at[len]) != NULL))
            len++;
        if (trim((struct slice){s.at, len}).len > 0)
            add_word(c, (struct slice){s.at, len});
        skip(&s, len < s.len ? len + 1 : len);
    }
}

static bool is_name(struct slice s)
{
    for (size_t i = 1; i + 1 < s.len; i++)
        if (s.at[i] == '.' && is_word_byte(s.at[i - 1]) && is_word_byte(s.at[i + 1]))
            return true;
    return false;
}

static bool is_local_part(const struct cutter *c, struct slice s)
{
    return s.len > 0 &&
           (same(s, local_part(c->context->recipient)) || same(s, local_part(c->context->sender)));
}

/* What stands between brackets and the like. */
static void cut_piece(struct cutter *c, struct slice piece)
{
    bool was_local = c->is_local;
    size_t len;

    note_name(c, piece);
    piece = trim(piece);
    while ((len = code_length(piece)) > 0) {
        note_code(c->out, (struct slice){piece.at, len});
        skip(&piece, len);
        piece = trim(piece);
    }
    note_name(c, piece);
    c->is_local = was_local || is_local_part(c, piece);
    if (is_name(piece))
        add_word(c, piece);
    else
        add_words(c, piece);
    c->is_local = was_local;
}

/* What stands between blanks, or '<' and '>'. */
static void cut_token(struct cutter *c, struct slice token)
{
    if (token.len >= 3 && memcmp(token.at, c->code, 3) == 0 &&
        (token.len == 3 || token.at[3] == '-'))
        skip(&token, token.len == 3 ? 3 : 4);
    if (has(token, "@")) {
        note_address(c, token);
        return;
    }
    if (has(token, "://")) {
        note_name(c, token);
        add_word(c, token);
        return;
    }
    c->is_local = is_local_part(c, trim(token));
    while (token.len > 0) {
        size_t len = 0;

        while (len < token.len && strchr("()[]{},;|=\"", token.at[len]) == NULL)
            len++;
        cut_piece(c, (struct slice){token.at, len});
        if (len < token.len && token.at[len] == '"')
            c->in_quotes = !c->in_quotes;
        skip(&token, len < token.len ? len + 1 : len);
    }
    c->is_local = false;
}

/* From '<' on. What neither is an address nor looks like a link may go on behind a '>' of its own.
 */
static void cut_angle(struct cutter *c)
{
    const char *close = memchr(c->rest.at, '>', c->rest.len);
    struct slice inside = {c->rest.at + 1, close != NULL ? (size_t)(close - c->rest.at - 1) : 0};

    if (close == NULL) {
        c->out->doubtful = true;
        c->rest.len = 0;
        return;
    }
    skip(&c->rest, inside.len + 2);
    if (has(inside, "@"))
        note_address(c, inside);
    else if (has(inside, "/"))
        cut_token(c, inside);
    else if (inside.len > 0 && !is_local_part(c, inside))
        c->out->doubtful = true;
}

/*
 * A Postfix that asked the next host shows what that said (reject_unverified_recipient): "host
 * mx[192.0.2.1] said: 550 ...". It is not us whom that names.
 */
static bool skip_host_said(struct slice *rest)
{
    struct slice s = *rest;
    const char *blank;

    if (!slice_starts(s, "host "))
        return false;
    skip(&s, 5);
    blank = memchr(s.at, ' ', s.len);
    if (blank == NULL)
        return false;
    skip(&s, (size_t)(blank - s.at));
    if (!slice_starts(s, " said: "))
        return false;
    skip(&s, 7);
    *rest = s;
    return true;
}

static void cut_next(struct cutter *c)
{
    size_t len = 0;

    if (c->rest.at[0] == '<') {
        cut_angle(c);
    } else if (c->rest.at[0] == ' ') {
        skip(&c->rest, 1);
    } else if (!skip_host_said(&c->rest)) {
        while (len < c->rest.len && strchr(" <", c->rest.at[len]) == NULL)
            len++;
        cut_token(c, (struct slice){c->rest.at, len});
        skip(&c->rest, len);
    }
}

/*
 * A quoted local part that cannot be told from the server's words: "no such user"@example.com shown
 * without < >, or with a '>' of its own. With '\\' in it, where it begins is not known.
 */
static bool shows_odd_address(struct slice reply)
{
    for (size_t i = 1; i + 1 < reply.len; i++) {
        const char *quote;
        struct slice inside;

        if (reply.at[i] != '"' || reply.at[i + 1] != '@')
            continue;
        quote = memrchr(reply.at, '"', i);
        if (quote == NULL || has(reply, "\\"))
            return true;
        inside = (struct slice){quote, (size_t)(reply.at + i - quote)};
        if (has(inside, " ") || has(inside, "<") || has(inside, ">"))
            return true;
    }
    return false;
}

void badreply_cut(struct badreply_words *words_r, struct slice reply,
                  const struct badreply_context *context)
{
    struct cutter c = {.out = words_r, .context = context, .code = reply.at, .rest = reply};

    words_r->count = 0;
    words_r->text_len = 0;
    words_r->address_code = words_r->other_code = words_r->about_us = false;
    words_r->doubtful = shows_odd_address(reply);
    address_canonical(c.sender, context->sender);
    address_canonical(c.recipient, context->recipient);
    skip(&c.rest, 4);
    while (c.rest.len > 0)
        cut_next(&c);
}
