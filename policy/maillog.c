#include "maillog_parts.h"

#include "logtags.h"

/* msg_syslog.c and msg_logger.c cut a message at 2000 bytes; a syslog daemon may take off some
 * more. */
enum { CUT_LEN = 1900 };

/* Longer than Postfix writes, also when a syslog daemon turned each byte of 2000 into "#303". */
enum { MESSAGE_MAX = 8192 };

enum { PROGRAM_MAX = 128, HOST_MAX = 255 };

/* What else a program tells of a message, by what stands behind the queue id. */
static const struct event {
    const char *begin;
    enum maillog_kind kind;
} content = {"message-id=", MAILLOG_CONTENT},
  returned = {"sender non-delivery notification: ", MAILLOG_RETURNED},
  picked_up = {"uid=", MAILLOG_SUBMITTED}, from_client = {"client=", MAILLOG_SUBMITTED};

/*
 * Programs by the last part of their name, which is argv[0] of the daemon (global/mail_task.c): the
 * retry service runs error(8) and logs as such, and LMTP is smtp(8) under the name "lmtp".
 */
static const struct program {
    const char *name;
    enum maillog_agent agent;
    bool delivers;
    bool manages; /* logs "(queue active)" */
    bool removes;
    const struct event *event; /* NULL: none beside these */
} programs[] = {
    {"smtp", MAILLOG_AGENT_SMTP, true, false, false, NULL},
    {"qmgr", MAILLOG_AGENT_QUEUE, true, true, true, NULL},
    {"cleanup", MAILLOG_AGENT_QUEUE, false, false, false, &content},
    {"lmtp", MAILLOG_AGENT_SMTP, true, false, false, NULL},
    {"local", MAILLOG_AGENT_LOCAL, true, false, false, NULL},
    {"virtual", MAILLOG_AGENT_LOCAL, true, false, false, NULL},
    {"pipe", MAILLOG_AGENT_PIPE, true, false, false, NULL},
    {"error", MAILLOG_AGENT_QUEUE, true, false, false, NULL},
    {"bounce", MAILLOG_AGENT_QUEUE, false, false, false, &returned},
    {"pickup", MAILLOG_AGENT_QUEUE, false, false, false, &picked_up},
    {"qmqpd", MAILLOG_AGENT_QUEUE, false, false, false, &from_client},
    {"oqmgr", MAILLOG_AGENT_QUEUE, true, true, true, NULL},
    {"nqmgr", MAILLOG_AGENT_QUEUE, true, true, true, NULL},
    {"postsuper", MAILLOG_AGENT_QUEUE, false, false, true, NULL},
};

bool maillog_may_be_cut(size_t message_len)
{
    return message_len >= CUT_LEN;
}

/* "postfix/relay/smtp" to the entry of "smtp"; NULL for what is not Postfix's or does not matter.
 */
static const struct program *program_of(struct slice name)
{
    const char *slash = memrchr(name.at, '/', name.len);
    struct slice last;

    if (slash == NULL || slash == name.at || name.len > PROGRAM_MAX)
        return NULL;
    last.at = slash + 1;
    last.len = name.len - (size_t)(last.at - name.at);
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
        if (slice_equals(last, programs[i].name))
            return &programs[i];
    return NULL;
}

/* "host ", which holds no space. */
static bool read_host(struct cursor *c, struct slice *host_r)
{
    const char *space = memchr(c->at, ' ', cursor_left(c));

    if (space == NULL || space == c->at || space - c->at > HOST_MAX)
        return false;
    *host_r = (struct slice){c->at, (size_t)(space - c->at)};
    c->at = space + 1;
    return true;
}

/* "postfix/smtp[123]: ". A name with a space in it is not Postfix's, whatever follows. */
static bool read_program(struct cursor *c, struct slice *name_r, uint32_t *pid_r)
{
    const char *start = c->at;
    int64_t pid;

    while (c->at < c->end && *c->at != '[') {
        if (*c->at == ' ' || *c->at == ':' || *c->at == ']')
            return false;
        c->at++;
    }
    *name_r = (struct slice){start, (size_t)(c->at - start)};
    if (name_r->len == 0 || !CURSOR_WORD(c, "[") || !cursor_digits(c, 10, &pid))
        return false;
    *pid_r = (uint32_t)pid;
    return CURSOR_WORD(c, "]: ");
}

static bool is_upper_hex(char c)
{
    return is_digit(c) || (c >= 'A' && c <= 'F');
}

/* Digits and letters without vowels (global/safe_ultostr.c). */
static bool is_base52(char c)
{
    return is_alnum(c) && memchr("AEIOUaeiou", c, 10) == NULL;
}

/* Five hexadecimal digits of microseconds and an inode number (global/mail_queue.h). */
static bool is_short_id(struct slice id)
{
    if (id.len < 6 || id.len > 5 + 16)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!is_upper_hex(id.at[i]))
            return false;
    return true;
}

/* At least six digits of seconds, four of microseconds, 'z', an inode number without 'z'. */
static bool is_long_id(struct slice id)
{
    const char *z = memrchr(id.at, 'z', id.len);

    if (z == NULL || z - id.at < 10 || z == id.at + id.len - 1 || id.len > 40)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!is_base52(id.at[i]))
            return false;
    return true;
}

static bool is_queue_id(struct slice id)
{
    return is_short_id(id) || is_long_id(id);
}

/* "QUEUEID: ". NOQUEUE is none. */
static bool read_queue_id(struct cursor *c, struct slice *id_r)
{
    id_r->at = c->at;
    while (c->at < c->end && is_alnum(*c->at))
        c->at++;
    id_r->len = (size_t)(c->at - id_r->at);
    return CURSOR_WORD(c, ": ") && is_queue_id(*id_r);
}

/* Takes the digits at the end of *s, at most nine of them. */
static bool last_number(struct slice *s, uint32_t *value_r)
{
    uint32_t value = 0, unit = 1;
    size_t digits = 0;

    while (digits < s->len && digits < 9 && is_digit(s->at[s->len - 1 - digits])) {
        value += (uint32_t)(s->at[s->len - 1 - digits] - '0') * unit;
        unit *= 10;
        digits++;
    }
    *value_r = value;
    s->len -= digits;
    return digits > 0;
}

/* Takes `word` off the end. */
static bool last_word(struct slice *s, const char *word)
{
    size_t len = strlen(word);

    if (s->len < len || memcmp(s->at + s->len - len, word, len) != 0)
        return false;
    s->len -= len;
    return true;
}

/*
 * Behind "from=<": "s>, size=n, nrcpt=n (queue active)" (global/opened.c). What follows the address
 * is Postfix's to the end of the line, so it is read from there, and the address may hold anything.
 */
static bool read_active(struct cursor c, struct maillog_line *line_r)
{
    struct slice rest = {c.at, cursor_left(&c)};
    uint32_t size_low;

    if (!last_word(&rest, " (queue active)") || !last_number(&rest, &line_r->recipients) ||
        !last_word(&rest, ", nrcpt="))
        return false;
    if (!last_number(&rest, &size_low))
        return false;
    while (rest.len > 0 && is_digit(rest.at[rest.len - 1]))
        rest.len--;
    if (!last_word(&rest, ">, size="))
        return false;
    line_r->kind = MAILLOG_ACTIVE;
    line_r->sender = rest;
    return true;
}

/*
 * Behind "uid=", of a message that postsuper -r had taken out of the queue: "n from=<s> orig_id=ID"
 * (pickup/pickup.c). Only an address stands before that, and it always ends in '>'.
 */
static void read_requeued(struct cursor c, struct maillog_line *line_r)
{
    const char *space = memrchr(c.at, ' ', cursor_left(&c));
    struct slice id;

    if (space == NULL || space == c.at || space[-1] != '>')
        return;
    c.at = space;
    if (!CURSOR_WORD(&c, " orig_id="))
        return;
    id = (struct slice){c.at, cursor_left(&c)};
    if (is_queue_id(id))
        line_r->other = id;
}

/* Behind the queue id. */
static bool read_event(struct cursor c, bool cut, const struct event *event,
                       struct maillog_line *line_r)
{
    if (!cursor_word(&c, event->begin, strlen(event->begin)))
        return false;
    if (event->kind == MAILLOG_RETURNED) {
        line_r->other = (struct slice){c.at, cursor_left(&c)};
        if (!is_queue_id(line_r->other))
            return false;
    }
    if (event == &picked_up && !cut)
        read_requeued(c, line_r);
    line_r->kind = event->kind;
    return true;
}

/* Behind the program. `whole` is the length of the line, 0 if unknown. */
static bool read_message(enum maillog_quoting quoting, const struct program *program,
                         struct cursor c, size_t whole, struct maillog_line *line_r)
{
    size_t len = cursor_left(&c);

    if (len > MESSAGE_MAX || !read_queue_id(&c, &line_r->queue_id))
        return false;
    if (program->delivers && CURSOR_WORD(&c, "to=<")) {
        line_r->agent = program->agent;
        return maillog_delivery(quoting, c, whole > len ? whole : len, line_r);
    }
    if (program->manages && CURSOR_WORD(&c, "from=<"))
        return !maillog_may_be_cut(len) && read_active(c, line_r);
    if (program->removes && CURSOR_WORD(&c, "removed") && c.at == c.end) {
        line_r->kind = MAILLOG_REMOVED;
        return true;
    }
    return program->event && read_event(c, maillog_may_be_cut(len), program->event, line_r);
}

static bool is_ours(const struct maillog_reader *reader, const struct maillog_line *line)
{
    return reader->tags == NULL || logtags_ours(reader->tags, line);
}

bool maillog_parse(struct maillog_reader *reader, const char *bytes, size_t len, int64_t now,
                   struct maillog_line *line_r)
{
    struct cursor c = {bytes, bytes + len};
    const struct program *program;
    struct slice name;

    *line_r = (struct maillog_line){.kind = MAILLOG_OTHER};
    if (!maillog_stamp(reader, &c, now, line_r) || !read_host(&c, &line_r->host) ||
        !read_program(&c, &name, &line_r->pid))
        return false;
    line_r->program = name;
    program = program_of(name);
    return program != NULL && read_message(reader->quoting, program, c, len, line_r) &&
           is_ours(reader, line_r);
}

bool maillog_parse_entry(const struct maillog_reader *reader, struct slice program,
                         struct slice message, int64_t time, struct maillog_line *line_r)
{
    const struct program *known = program_of(program);
    struct cursor c = {message.at, message.at + message.len};

    *line_r = (struct maillog_line){.kind = MAILLOG_OTHER, .time = time, .program = program};
    return known != NULL && read_message(reader->quoting, known, c, 0, line_r) &&
           is_ours(reader, line_r);
}
