#include "classify_pattern.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* smtp/smtp_proto.c: "host %s said: %s (in reply to %s)", a host's name and address without blank.
 */
#define HEAD "host [^ ]+ said:"
#define END "[(]in reply to [^()]*[)]$"

/* An address between < >, and the rest of a word behind '@'. */
#define ADDRESS "<[^<>]*>|@[^ <>]*( |<[^<>]*>)"
#define SKIPPED "([^<>@]|" ADDRESS ")*"
/* What stands before a word, a line's code included. No '-', '.' or '/': what follows is a name. */
#define WORD_EDGE "([] (\"':;,=*#[]| [45][0-9][0-9]-|" ADDRESS ")"

/* The rest of the word in which the pattern ended, which must be no address, and what follows. */
#define REST "([ <].*)?" END
#define REST_ANY "[^ <>@]*" REST
#define REST_WORD "([^ <>@a-zA-Z0-9][^ <>@]*)?" REST
#define REST_WHOLE_WORD "[].,;:!?)'\"]*" REST

/*
 * A blank. Postfix joins the lines of a reply with one and leaves their codes where they are
 * (smtp/smtp_chat.c): "552-5.5.3 Too many 552 5.5.3 recipients".
 */
#define GAP "( +([45][0-9][0-9][ -] *([45][.][0-9]+[.][0-9]+ +)?)?)"

/* The product of all {n} of a pattern: regcomp(3) copies what is repeated. */
enum { REPEATS_MAX = 300 };

/* Of the patterns of the table, which are put together from parts. */
enum { BUILT_IN_MAX = 2000 };

struct translation {
    const char *begin;
    const char *at;
    FILE *out;
    char *why; /* the first problem */
    size_t size;
    unsigned depth; /* of ( ) */
    bool branches;  /* '|' outside of ( ) */
    bool first;     /* '^' came first */
    bool last;      /* '$' came last */
};

static bool fail(struct translation *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(struct translation *t, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(t->why, t->size, format, ap);
    va_end(ap);
    return false;
}

/* Compiles as Postfix's util/dict_regexp.c does; false with regcomp(3)'s words. */
static bool compile(regex_t *compiled, const char *expression, char *why, size_t size)
{
    int error = regcomp(compiled, expression, REG_EXTENDED | REG_ICASE | REG_NOSUB);

    if (error != 0)
        regerror(error, compiled, why, size);
    return error == 0;
}

static bool is_address_mark(char c)
{
    return c == '<' || c == '>' || c == '@';
}

/* The ']' that ends the bracket expression which `at` begins; NULL when there is none. */
static const char *bracket_end(const char *at)
{
    at += at[1] == '^' ? 2 : 1;
    if (*at == ']')
        at++;
    while (*at != '\0' && *at != ']') {
        const char *close = NULL;

        if (at[0] == '[' && at[1] != '\0' && strchr(":.=", at[1]) != NULL) {
            const char ends[] = {at[1], ']', '\0'};

            close = strstr(at + 2, ends);
            at += 1;
        }
        at = close != NULL ? close + 2 : at + 1;
    }
    return *at == ']' ? at : NULL;
}

/* True when the bracket expression fits one of the characters that mark an address. */
static bool bracket_fits_mark(const char *bracket, size_t len)
{
    char expression[BUILT_IN_MAX + 16];
    regex_t compiled;
    bool fits;

    snprintf(expression, sizeof(expression), "^%.*s$", (int)len, bracket);
    if (regcomp(&compiled, expression, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
        return true;
    fits = regexec(&compiled, "<", 0, NULL, 0) == 0 || regexec(&compiled, ">", 0, NULL, 0) == 0 ||
           regexec(&compiled, "@", 0, NULL, 0) == 0;
    regfree(&compiled);
    return fits;
}

/* Adds the marks to [^...]: before a last '-', which would make a range of them. */
static bool translate_bracket(struct translation *t)
{
    char bracket[BUILT_IN_MAX + 8];
    const char *end = bracket_end(t->at);
    size_t len, body;

    if (end == NULL)
        return fail(t, "'[' without ']'");
    len = (size_t)(end + 1 - t->at);
    body = t->at[1] == '^' ? len - 1 - (len > 3 && end[-1] == '-') : len;
    snprintf(bracket, sizeof(bracket), "%.*s%s%.*s", (int)body, t->at, body < len ? "<>@" : "",
             (int)(len - body), t->at + body);
    if (bracket_fits_mark(bracket, strlen(bracket)))
        return fail(t, "%.*s fits '<', '>' or '@'; what these mark is an address", (int)len, t->at);
    fputs(bracket, t->out);
    t->at = end + 1;
    return true;
}

static bool translate_escape(struct translation *t)
{
    static const char special[] = ".[]\\()*+?{}|^$", others[] = "/-#!%,:;=&~\"_";
    char c = t->at[1];

    if (c == '\0' || (strchr(special, c) == NULL && strchr(others, c) == NULL))
        return fail(t, "'\\%c' has no meaning in a POSIX extended regular expression", c);
    if (strchr(special, c) != NULL)
        fputc('\\', t->out);
    fputc(c, t->out);
    t->at += 2;
    return true;
}

/* '^' at the beginning and '$' at the end are left to the caller. */
static bool translate_anchor(struct translation *t)
{
    bool first = t->at == t->begin && *t->at == '^';
    bool last = t->at[1] == '\0' && *t->at == '$';

    if (!first && !last)
        return fail(t, "'%c' may only come %s; \\%c is the character", *t->at,
                    *t->at == '^' ? "first" : "last", *t->at);
    t->first = t->first || first;
    t->last = t->last || last;
    t->at++;
    return true;
}

static void translate_plain(struct translation *t)
{
    char c = *t->at++;

    if (c == '(')
        t->depth++;
    else if (c == ')')
        t->depth -= t->depth > 0;
    else if (c == '|' && t->depth == 0)
        t->branches = true;
    if (c == ' ')
        fputs(GAP, t->out);
    else if (c == '.')
        fputs("[^<>@]", t->out);
    else
        fputc(c, t->out);
}

static bool translate_next(struct translation *t)
{
    unsigned char c = (unsigned char)*t->at;

    if (c < ' ' || c == 0x7F)
        return fail(t, "it holds a control character");
    if (is_address_mark(*t->at))
        return fail(t, "'%c' cannot be looked for: it marks an address", c);
    switch (c) {
    case '[':
        return translate_bracket(t);
    case '\\':
        return translate_escape(t);
    case '^':
    case '$':
        return translate_anchor(t);
    default:
        translate_plain(t);
        return true;
    }
}

/* The piece itself, in ( ). */
static bool translate(struct translation *t)
{
    fputc('(', t->out);
    while (*t->at != '\0') {
        if (!translate_next(t))
            return false;
    }
    fputc(')', t->out);
    if ((t->first || t->last) && t->branches)
        return fail(t, "put what '|' parts into ( ), for '^' and '$' to apply to all of it");
    return true;
}

static bool write_expression(struct translation *t, enum pattern_edge edge)
{
    static const char *const rest[] = {REST_ANY, REST_WORD, REST_WHOLE_WORD};

    fputs(t->begin[0] == '^' ? HEAD " " : HEAD SKIPPED, t->out);
    if (t->begin[0] != '^' && edge != PATTERN_ANYWHERE)
        fputs(WORD_EDGE, t->out);
    if (!translate(t))
        return false;
    fputs(t->last ? " " END : rest[edge], t->out);
    return true;
}

/* regcomp(3) copies what {n}, {n,} and {n,m} repeat, and copies of copies in ( ). */
static bool repeats_too_often(const char *pattern)
{
    unsigned long product = 1;

    for (const char *at = strchr(pattern, '{'); at != NULL; at = strchr(at + 1, '{')) {
        char *end;
        unsigned long least = strtoul(at + 1, &end, 10);
        unsigned long most = *end == ',' && end[1] != '}' ? strtoul(end + 1, NULL, 10) : least;

        if (least > REPEATS_MAX || most > REPEATS_MAX)
            return true;
        product *= most > 1 ? most : 1;
        if (product > REPEATS_MAX)
            return true;
    }
    return false;
}

/* What regcomp(3) and common sense have against the pattern as it was written. */
static bool check_raw(const char *pattern, size_t most, char *why_r, size_t size)
{
    regex_t compiled;
    bool empty;

    if (*pattern == '\0' || strlen(pattern) > most) {
        snprintf(why_r, size, "it must have 1 to %zu bytes", most);
        return false;
    }
    if (repeats_too_often(pattern)) {
        snprintf(why_r, size, "it repeats too often; %d times are the limit", REPEATS_MAX);
        return false;
    }
    if (!compile(&compiled, pattern, why_r, size))
        return false;
    empty = regexec(&compiled, "", 0, NULL, 0) == 0;
    regfree(&compiled);
    if (empty)
        snprintf(why_r, size, "it fits every reply");
    return !empty;
}

/* The whole compiles, too: only the system's own limits can stand in the way now. */
static bool check_expanded(const char *expression, char *why_r, size_t size)
{
    regex_t compiled;

    if (!compile(&compiled, expression, why_r, size))
        return false;
    regfree(&compiled);
    return true;
}

char *classify_pattern_expand(const char *pattern, enum pattern_edge edge, char *why_r, size_t size)
{
    char *expression = NULL;
    size_t len;
    struct translation t = {.begin = pattern, .at = pattern, .why = why_r, .size = size};
    bool ok;

    if (!check_raw(pattern, edge == PATTERN_ANYWHERE ? CLASSIFY_PATTERN_MAX : BUILT_IN_MAX, why_r,
                   size))
        return NULL;
    t.out = open_memstream(&expression, &len);
    if (t.out == NULL) {
        snprintf(why_r, size, "out of memory");
        return NULL;
    }
    ok = write_expression(&t, edge);
    if (fclose(t.out) != 0)
        ok = fail(&t, "out of memory");
    if (ok && check_expanded(expression, why_r, size))
        return expression;
    free(expression);
    return NULL;
}

bool classify_pattern_check(const char *pattern, char *why_r, size_t size)
{
    char *expression = classify_pattern_expand(pattern, PATTERN_ANYWHERE, why_r, size);

    free(expression);
    return expression != NULL;
}
