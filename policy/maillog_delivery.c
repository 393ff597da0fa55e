#include "maillog_parts.h"

/*
 * "to=<r>, [orig_to=<o>, ]relay=R, [conn_use=n, ]delay=d, delays=a/b/c/d, [tls=t, ]dsn=x.y.z,
 * status=S (text)": log_adhoc.c. The addresses and the text are a stranger's, so every '>' is tried
 * as the end of the address: it is one only if all the fields follow, in order, and the address is
 * one that Postfix could have written. If more than one way remains to read the line, it is
 * refused.
 */

/*
 * Lines that arrive through an RFC 3164 receiver are cut at 1024 bytes; the priority comes off and
 * the host's name and perhaps a longer stamp go on.
 */
enum { CUT_3164_LEAST = 1000, CUT_3164_MOST = 1120 };

/* More places than a real line has where orig_to=<..> could begin. */
enum { ORIGINALS_MAX = 4 };

static const char ORIGINAL[] = ", orig_to=<";
enum { ORIGINAL_LEN = sizeof(ORIGINAL) - 1 };

/* The fields behind the addresses. */
struct tail {
    enum maillog_status status;
    struct slice relay, dsn, text;
    int64_t delay, trying;
};

/* The state of the search for the one way to read a line. */
struct readings {
    enum maillog_quoting quoting;
    bool cut; /* the line may have been cut: its real end may be missing */
    int found;
    struct slice recipient;
    struct slice original; /* of orig_to=<..>; empty: none */
    struct tail tail;
    size_t originals[ORIGINALS_MAX]; /* where a '>' is followed by ", orig_to=<" */
    int original_count;
    bool too_many; /* more of those than are kept */
};

/* Bytes up to a comma, a space, or what cannot stand in a host's, service's or policy's name. */
static struct slice read_name(struct cursor *c)
{
    const char *start = c->at;

    while (c->at < c->end && (unsigned char)*c->at > ' ' && *c->at != ',' && *c->at != '<' &&
           *c->at != '>' && *c->at != '(' && *c->at != ')' && *c->at != '"')
        c->at++;
    return (struct slice){start, (size_t)(c->at - start)};
}

/* Seconds with up to six decimals (util/format_tv.c), to ms. */
static bool read_delay(struct cursor *c, int64_t *ms_r)
{
    static const int64_t scale[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    int64_t seconds, part;
    const char *start;

    if (!cursor_digits(c, 12, &seconds))
        return false;
    *ms_r = seconds * 1000;
    if (!CURSOR_WORD(c, "."))
        return true;
    start = c->at;
    if (!cursor_digits(c, 6, &part))
        return false;
    *ms_r += part * scale[c->at - start] / 1000;
    return true;
}

/* ", delay=d, delays=a/b/c/d" */
static bool read_delays(struct cursor *c, struct tail *tail_r)
{
    int64_t before, queued, setup, transfer;

    if (!CURSOR_WORD(c, ", delay=") || !read_delay(c, &tail_r->delay) ||
        !CURSOR_WORD(c, ", delays=") || !read_delay(c, &before) || !CURSOR_WORD(c, "/") ||
        !read_delay(c, &queued) || !CURSOR_WORD(c, "/") || !read_delay(c, &setup) ||
        !CURSOR_WORD(c, "/") || !read_delay(c, &transfer))
        return false;
    tail_r->trying = setup + transfer;
    return true;
}

/* ", dsn=4.4.1" (RFC 3463: class, then two numbers of up to three digits). */
static bool read_dsn(struct cursor *c, struct tail *tail_r)
{
    int64_t number;

    if (!CURSOR_WORD(c, ", dsn="))
        return false;
    tail_r->dsn.at = c->at;
    if (c->at == c->end || (*c->at != '2' && *c->at != '4' && *c->at != '5'))
        return false;
    c->at++;
    if (!CURSOR_WORD(c, ".") || !cursor_digits(c, 3, &number) || !CURSOR_WORD(c, ".") ||
        !cursor_digits(c, 3, &number))
        return false;
    tail_r->dsn.len = (size_t)(c->at - tail_r->dsn.at);
    return true;
}

/* ", status=sent (". Probes (deliverable, undeliverable) and the like are no deliveries. */
static bool read_status(struct cursor *c, struct tail *tail_r)
{
    static const struct {
        const char *word;
        size_t len;
        enum maillog_status status;
    } words[] = {
        {"sent (", 6, MAILLOG_SENT},
        {"deferred (", 10, MAILLOG_DEFERRED},
        {"bounced (", 9, MAILLOG_BOUNCED},
        {"SOFTBOUNCE (", 12, MAILLOG_DEFERRED},
    };

    if (!CURSOR_WORD(c, ", status="))
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (cursor_word(c, words[i].word, words[i].len)) {
            tail_r->status = words[i].status;
            return true;
        }
    }
    return false;
}

/* What is left, to the closing parenthesis, which only a cut line lacks. */
static bool read_text(struct cursor *c, bool cut, struct tail *tail_r)
{
    size_t len = cursor_left(c);
    bool closed = len > 0 && c->end[-1] == ')';

    tail_r->text = (struct slice){c->at, closed ? len - 1 : len};
    return closed || cut;
}

/*
 * Whether this agent can have logged that. The queue manager and error(8) know no relay, and "sent"
 * from them is a notice thrown away (qmgr_message.c); smtp(8) has "none" until it has a session, or
 * its own service's name when it will not serve the request (reject_deliver_request.c).
 */
static bool agent_can(enum maillog_agent agent, const struct tail *tail)
{
    bool none = slice_equals(tail->relay, "none");
    bool host = memchr(tail->relay.at, '[', tail->relay.len) != NULL;

    switch (agent) {
    case MAILLOG_AGENT_QUEUE:
        return none && tail->status != MAILLOG_SENT;
    case MAILLOG_AGENT_PIPE:
    case MAILLOG_AGENT_LOCAL:
        return !none && !host;
    case MAILLOG_AGENT_SMTP:
        break;
    }
    return host || tail->status != MAILLOG_SENT;
}

/* Everything behind the '>' of the last address. */
static bool read_tail(struct cursor c, enum maillog_agent agent, bool cut, struct tail *tail_r)
{
    int64_t number;

    if (!CURSOR_WORD(&c, ", relay="))
        return false;
    tail_r->relay = read_name(&c);
    if (tail_r->relay.len == 0)
        return false;
    if (CURSOR_WORD(&c, ", conn_use=") && !cursor_digits(&c, 9, &number))
        return false;
    if (!read_delays(&c, tail_r))
        return false;
    if (CURSOR_WORD(&c, ", tls=") && read_name(&c).len == 0)
        return false;
    return read_dsn(&c, tail_r) && read_status(&c, tail_r) && read_text(&c, cut, tail_r) &&
           agent_can(agent, tail_r);
}

/* The end of a leading quoted string, or 0 when it has none (quote_822_local.c escapes " and \). */
static size_t quoted_len(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.at[i] == '"')
            return i + 1;
        if (s.at[i] == '\\')
            i++;
    }
    return 0;
}

/* The length of the leading run of bytes that quote_822_local.c leaves unquoted. */
static size_t dot_string_len(struct slice s)
{
    size_t i = 0;

    while (i < s.len && (unsigned char)s.at[i] > ' ' && s.at[i] != '\177' &&
           memchr("()<>@,;:\\\"[]", s.at[i], 12) == NULL)
        i++;
    return i;
}

enum extent {
    WHOLE,     /* with a domain, as every envelope recipient has */
    BARE,      /* the domain may be missing, as an original recipient's may */
    BEGINNING, /* of an address whose end was cut off */
};

/*
 * Whether quote_822_local.c can have written this: it quotes the local part and leaves what follows
 * the last '@' as it is. What follows is not only a host's name: sendmail(1) takes anything,
 * error(8) logs it, and a content filter gets it unchecked. So is a source route's, up to its
 * colon.
 */
static bool external_possible(struct slice s, enum extent extent)
{
    size_t i;

    if (s.len == 0)
        return extent == BEGINNING;
    if (s.at[0] == '@')
        return true;
    i = s.at[0] == '"' ? quoted_len(s) : dot_string_len(s);
    if (i == 0)
        return extent == BEGINNING && s.at[0] == '"';
    if (i == s.len)
        return extent != WHOLE;
    return s.at[i] == '@' && memchr(s.at + i + 1, '@', s.len - i - 1) == NULL;
}

/* The same when the local part may have gone into the log as it is. */
static bool any_possible(struct slice s, enum extent extent)
{
    if (extent == WHOLE)
        return s.len > 1 && memchr(s.at + 1, '@', s.len - 1) != NULL;
    return true;
}

static bool possible(enum maillog_quoting quoting, struct slice s, enum extent extent)
{
    return quoting == MAILLOG_QUOTING_EXTERNAL ? external_possible(s, extent)
                                               : any_possible(s, extent);
}

/* Whether the part behind the last '@' is a host's name or an address literal. */
static bool has_domain(struct slice s)
{
    const char *at = memrchr(s.at, '@', s.len);
    const char *end = s.at + s.len;
    bool literal;

    if (at == NULL || at == s.at || *s.at == '@' || ++at == end || end - at > 255)
        return false;
    literal = *at == '[';
    if (literal && (*--end != ']' || ++at == end))
        return false;
    for (; at < end; at++)
        if (!is_alnum(*at) && *at != '-' && *at != '.' && *at != (literal ? ':' : '_') &&
            (literal || (unsigned char)*at < 0x80))
            return false;
    return true;
}

static void add_reading(struct readings *readings, struct slice recipient, struct slice original,
                        const struct tail *tail)
{
    readings->found++;
    readings->recipient = recipient;
    readings->original = original;
    readings->tail = *tail;
}

/*
 * The address may end where orig_to=<..> begins. With unknown quoting that is taken to be so when
 * both addresses look external: nearly every line with an alias does.
 */
static void add_originals(struct readings *readings, struct slice both, const struct tail *tail)
{
    enum maillog_quoting quoting =
        readings->quoting == MAILLOG_QUOTING_UNKNOWN ? MAILLOG_QUOTING_EXTERNAL : readings->quoting;

    for (int i = 0; i < readings->original_count; i++) {
        size_t start = readings->originals[i] + 1 + ORIGINAL_LEN;
        struct slice to = {both.at, readings->originals[i]};
        struct slice original = {both.at + start, both.len - start};

        if (original.len > 0 && possible(quoting, to, WHOLE) && possible(quoting, original, BARE))
            add_reading(readings, to, original, tail);
    }
}

/*
 * The fields of `tail` follow these bytes. That orig_to=<..> belongs to a domain is not considered
 * where it need not be: that domain would be none, so the mail would not have gone there.
 */
static void add_readings(struct readings *readings, struct slice addresses, const struct tail *tail)
{
    int before = readings->found;

    if (readings->too_many)
        readings->found += 2;
    add_originals(readings, addresses, tail);
    if (readings->original_count == 0 || readings->quoting == MAILLOG_QUOTING_INTERNAL) {
        if (possible(readings->quoting, addresses, WHOLE))
            add_reading(readings, addresses, (struct slice){"", 0}, tail);
    } else if (readings->quoting == MAILLOG_QUOTING_UNKNOWN && readings->found == before) {
        readings->found += 2;
    }
}

/* Whether all that is there may be the beginning of an address, the real fields having been cut. */
static bool may_go_on(const struct readings *readings, struct slice all)
{
    if (!readings->cut)
        return false;
    if (readings->too_many)
        return true;
    if (readings->original_count == 0 || readings->quoting != MAILLOG_QUOTING_EXTERNAL)
        return possible(readings->quoting, all, BEGINNING);
    for (int i = 0; i < readings->original_count; i++) {
        size_t start = readings->originals[i] + 1 + ORIGINAL_LEN;
        struct slice to = {all.at, readings->originals[i]};
        struct slice original = {all.at + start, all.len - start};

        if (possible(readings->quoting, to, WHOLE) &&
            possible(readings->quoting, original, BEGINNING))
            return true;
    }
    return false;
}

/* Notes where orig_to=<..> may begin: behind what may be the recipient. */
static void add_original(struct readings *readings, struct slice recipient)
{
    if (!possible(readings->quoting, recipient, WHOLE))
        return;
    if (readings->original_count == ORIGINALS_MAX)
        readings->too_many = true;
    else
        readings->originals[readings->original_count++] = recipient.len;
}

/* Tries every '>'. */
static void find_readings(struct readings *readings, struct slice all, enum maillog_agent agent)
{
    const char *at = all.at, *end = all.at + all.len;

    while (readings->found < 2 && (at = memchr(at, '>', (size_t)(end - at))) != NULL) {
        struct slice addresses = {all.at, (size_t)(at - all.at)};
        struct cursor c = {++at, end};
        struct tail tail;

        if (cursor_word(&c, ORIGINAL, ORIGINAL_LEN))
            add_original(readings, addresses);
        else if (read_tail(c, agent, readings->cut, &tail))
            add_readings(readings, addresses, &tail);
    }
}

bool maillog_delivery(enum maillog_quoting quoting, struct cursor c, size_t whole,
                      struct maillog_line *line_r)
{
    struct slice all = {c.at, cursor_left(&c)};
    struct readings readings = {.quoting = quoting, .cut = maillog_may_be_cut(all.len)};

    /* A quoted local part that was cut shows it, so only then do the rarer cuts matter. */
    if (quoting != MAILLOG_QUOTING_EXTERNAL && whole >= CUT_3164_LEAST && whole <= CUT_3164_MOST)
        readings.cut = true;
    find_readings(&readings, all, line_r->agent);
    if (readings.found != 1 || may_go_on(&readings, all) || !has_domain(readings.recipient))
        return false;
    line_r->kind = MAILLOG_DELIVERY;
    line_r->recipient = readings.recipient;
    line_r->original = readings.original;
    line_r->status = readings.tail.status;
    line_r->relay = readings.tail.relay;
    line_r->dsn = readings.tail.dsn;
    line_r->text = readings.tail.text;
    line_r->delay = readings.tail.delay;
    line_r->trying = readings.tail.trying;
    return true;
}
