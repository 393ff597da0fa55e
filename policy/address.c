#include "address.h"

#include <idn2.h>

#include "text.h"

/* Of a domain before it is made ASCII: 255 bytes (RFC 1035) of punycode come from no more. */
enum { DOMAIN_MAX = 1024 };

struct parts {
    struct slice local; /* with its quotes, where `quoted` */
    struct slice domain;
    bool quoted;
};

static void skip(struct slice *s, size_t len)
{
    s->at += len;
    s->len -= len;
}

static bool is_control(const char *at, size_t len)
{
    unsigned char byte = (unsigned char)at[0];

    /* C2 80 to C2 9F are C1, which some terminals obey. */
    return byte < 0x20 || byte == 0x7F || (len == 2 && byte == 0xC2 && (unsigned char)at[1] < 0xA0);
}

/* UTF-8 (RFC 6531) without control characters. */
static bool is_clean(struct slice s)
{
    while (s.len > 0) {
        size_t len = text_utf8_length(s.at, s.len);

        if (len == 0 || is_control(s.at, len))
            return false;
        skip(&s, len);
    }
    return true;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter_or_digit(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/* The length of a quoted string at the start, quotes included; 0: there is none. */
static size_t quoted_length(struct slice s)
{
    if (s.len == 0 || s.at[0] != '"')
        return 0;
    for (size_t i = 1; i < s.len; i++) {
        if (s.at[i] == '"')
            return i + 1;
        i += s.at[i] == '\\';
    }
    return 0;
}

/* The length of one "@domain" of a source route: literals hold ':' themselves. */
static size_t hop_length(struct slice s)
{
    size_t len = 1;

    if (s.len < 2 || s.at[0] != '@')
        return 0;
    if (s.at[1] == '[')
        while (len < s.len && s.at[len] != ']')
            len++;
    while (len < s.len && strchr(",:@\"<>", s.at[len]) == NULL)
        len++;
    return len > 1 ? len : 0;
}

/* "@a,@b:", which everybody is to ignore (RFC 5321 appendix C). */
static void drop_route(struct slice *s)
{
    struct slice rest = *s;
    size_t len;

    while ((len = hop_length(rest)) > 0 && len < rest.len) {
        char end = rest.at[len];

        skip(&rest, len + 1);
        if (end == ':')
            *s = rest;
        if (end != ',')
            return;
    }
}

/* A Quoted-string as RFC 5321 has it; any other local part is taken for bare, as Postfix before 3.5
 * logs it (info_log_addr_form). */
static bool split(struct slice s, struct parts *parts_r)
{
    size_t quoted = quoted_length(s);
    const char *at = s.len > 0 ? memrchr(s.at, '@', s.len) : NULL;

    if (at == NULL)
        return false;
    parts_r->quoted = quoted > 0 && s.at + quoted == at;
    parts_r->local = (struct slice){s.at, (size_t)(at - s.at)};
    parts_r->domain = (struct slice){at + 1, s.len - parts_r->local.len - 1};
    return true;
}

/* What the quotes hold, with \x as x. Returns its length. */
static size_t unquote(char local[ADDRESS_MAX], const struct parts *parts)
{
    size_t len = 0;
    struct slice s = parts->local;

    if (parts->quoted)
        s = (struct slice){s.at + 1, s.len - 2};
    for (size_t i = 0; i < s.len; i++) {
        if (parts->quoted && s.at[i] == '\\')
            i++;
        if (len == ADDRESS_MAX)
            return 0;
        local[len++] = s.at[i];
    }
    return len;
}

/* RFC 5321 section 4.1.2, RFC 5322 section 3.2.3, RFC 6531 section 3.3 */
static bool is_dot_string(struct slice s)
{
    static const char others[] = "!#$%&'*+-/=?^_`{|}~";
    char last = '.';

    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];

        if (c == '.' ? last == '.'
                     : (unsigned char)c < 0x80 && !is_letter_or_digit(c) && !strchr(others, c))
            return false;
        last = c;
    }
    return last != '.';
}

struct output {
    char *at;
    size_t len; /* more than ADDRESS_MAX: it does not fit */
};

static void put(struct output *out, char c)
{
    if (out->len < ADDRESS_MAX)
        out->at[out->len] = c;
    out->len++;
}

static bool put_local(struct output *out, const struct parts *parts)
{
    char local[ADDRESS_MAX];
    struct slice s = {local, unquote(local, parts)};
    bool bare = is_dot_string(s);

    if (!bare)
        put(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '"' || s.at[i] == '\\')
            put(out, '\\');
        put(out, s.at[i]);
    }
    if (!bare)
        put(out, '"');
    return s.len > 0;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3) */
static bool is_literal(struct slice s)
{
    if (s.len < 3 || s.at[0] != '[' || s.at[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i < s.len - 1; i++)
        if (!is_letter_or_digit(s.at[i]) && (s.at[i] == '\0' || !strchr(".:-", s.at[i])))
            return false;
    return true;
}

/* Labels of letters, digits, '-' and '_' (hosts do have it); others than ASCII when `utf8`. */
static bool is_name(struct slice s, bool utf8)
{
    char last = '.';

    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        bool plain = is_letter_or_digit(c) || c == '-' || c == '_';

        if (c == '.' ? last == '.' : !plain && !(utf8 && (unsigned char)c >= 0x80))
            return false;
        last = c;
    }
    return last != '.';
}

static void drop_last_dot(struct slice *s)
{
    if (s->len > 0 && s->at[s->len - 1] == '.')
        s->len--;
}

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.at[i] >= 0x80)
            return false;
    return true;
}

static void put_lower(struct output *out, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        put(out, lower(s.at[i]));
}

/*
 * The ASCII form. Where there is none the bytes have to do. It is checked again: UTS #46 makes a
 * '@' of U+FF20, and a dot of U+3002.
 */
static bool put_idn(struct output *out, struct slice domain)
{
    char utf8[DOMAIN_MAX + 1], *ascii = NULL;
    int error;

    if (domain.len > DOMAIN_MAX)
        return false;
    slice_copy(utf8, sizeof(utf8), domain);
    error = idn2_to_ascii_8z(utf8, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (error == IDN2_OK) {
        struct slice name = slice_of(ascii);

        drop_last_dot(&name);
        if (is_name(name, false))
            domain = name;
        put_lower(out, domain);
        idn2_free(ascii);
    } else if (error != IDN2_MALLOC) {
        put_lower(out, domain);
    }
    return error != IDN2_MALLOC;
}

static bool put_domain(struct output *out, struct slice domain)
{
    if (!is_literal(domain)) {
        drop_last_dot(&domain);
        if (!is_name(domain, true))
            return false;
        if (!is_ascii(domain))
            return put_idn(out, domain);
    }
    put_lower(out, domain);
    return true;
}

size_t address_canonical(char canonical_r[ADDRESS_MAX + 1], struct slice address)
{
    struct output out = {canonical_r, 0};
    struct parts parts;
    bool ok;

    if (address.len > 1 && address.at[0] == '<' && address.at[address.len - 1] == '>')
        address = (struct slice){address.at + 1, address.len - 2};
    drop_route(&address);
    ok = is_clean(address) && split(address, &parts) && put_local(&out, &parts);
    put(&out, '@');
    ok = ok && put_domain(&out, parts.domain) && out.len <= ADDRESS_MAX;
    if (!ok)
        out.len = 0;
    canonical_r[out.len] = '\0';
    return out.len;
}

struct slice address_domain(struct slice canonical)
{
    const char *at = canonical.len > 0 ? memrchr(canonical.at, '@', canonical.len) : NULL;

    if (at == NULL)
        return (struct slice){"", 0};
    return (struct slice){at + 1, canonical.len - (size_t)(at + 1 - canonical.at)};
}
