#include "bounce.h"

#include <stdlib.h>

#include "bounce_lines.h"

/*
 * What bounce(8) writes, in Postfix 3.4 to 3.12 (bounce/bounce_notify_util.c; what differs between
 * these versions is in the header of the message). B is the boundary, QUEUEID.TIME/MYHOSTNAME.
 *
 *   This is a MIME-encapsulated message.
 *
 *   --B                                          two or three fields of MIME, an empty line
 *   the template's text; none for postmaster
 *                                                and for each recipient an empty line before
 *   <ADDRESS>: REASON                            or <ADDRESS> (expanded from <ADDRESS>): REASON
 *
 *   --B                                          MIME
 *   Reporting-MTA: dns; MYHOSTNAME
 *   Original-Envelope-Id: ...                    if there is one
 *   X-Postfix-Queue-ID: QUEUEID
 *   X-Postfix-Sender: rfc822; ADDRESS            if the original could be read; so is the next
 *   Arrival-Date: ...
 *                                                and for each recipient an empty line before
 *   Final-Recipient: rfc822; ADDRESS             or utf-8
 *   Original-Recipient: ...                      if there is one
 *   Action: failed
 *   Status: 5.1.1
 *   Remote-MTA: dns; ...                         if there is one
 *   Diagnostic-Code: ...
 *
 *   --B                                          MIME
 *   the original, whole or only its header; a line that says so, and no end, if it is lost
 *
 *   --B--
 *
 * All that strangers have a say in was masked before (printable(), in bounce/bounce.c and
 * global/bounce_log.c): no control character is left, and so no line break. With smtputf8_enable
 * UTF-8 passes. Only the sender is not masked: a report with a control character in it is not
 * understood.
 *
 * The paragraphs, Remote-MTA and Diagnostic-Code are wrapped at blanks (util/line_wrap.c): lines
 * after the first begin with four, and one may have nothing else, but none is empty. So an empty
 * line always ends a paragraph or a group, and a line of the report's own never begins with "--".
 */

enum { PREAMBLE, NOTICE, STATUS, ORIGINAL, PARTS };

struct recipient {
    struct slice paragraph; /* both with the empty line before it */
    struct slice group;
    char *address;
};

struct bounce {
    struct slice body;
    char *queue_id;
    char *sender;
    struct recipient *recipients;
    size_t count;
    size_t size;
};

/* --- The boundary --- */

static bool split_boundary(struct slice boundary, struct slice *queue_id_r, struct slice *host_r)
{
    static const char digits[] = "0123456789";
    static const char alnum[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    if (boundary.len >= BOUNCE_BOUNDARY_MAX || has_control(boundary))
        return false;
    *queue_id_r = eat_all(&boundary, alnum);
    if (queue_id_r->len == 0 || !eat_text(&boundary, "."))
        return false;
    if (eat_all(&boundary, digits).len == 0 || !eat_text(&boundary, "/"))
        return false;
    *host_r = boundary;
    return boundary.len > 0 && memchr(boundary.at, '"', boundary.len) == NULL &&
           memchr(boundary.at, ' ', boundary.len) == NULL;
}

bool bounce_boundary(struct slice content_type, char boundary_r[BOUNCE_BOUNDARY_MAX])
{
    static const char *const words[] = {"multipart/report;", "report-type=delivery-status;",
                                        "boundary=\""};
    static const char blanks[] = " \t\r\n";
    struct slice s = content_type, boundary, queue_id, host;
    const char *quote;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        eat_all(&s, blanks);
        if (!eat_text(&s, words[i]))
            return false;
    }
    quote = memchr(s.at, '"', s.len);
    if (quote == NULL)
        return false;
    boundary = (struct slice){s.at, (size_t)(quote - s.at)};
    skip(&s, boundary.len + 1);
    eat_all(&s, blanks);
    if (s.len > 0 || !split_boundary(boundary, &queue_id, &host))
        return false;
    slice_copy(boundary_r, BOUNCE_BOUNDARY_MAX, boundary);
    return true;
}

/* --- The parts --- */

/*
 * The parts, each with its last line break. The original may hold anything, but not this boundary:
 * it was made up long after. If it does, somebody guessed it, and nothing is sure.
 */
static bool split_parts(struct slice body, const char *boundary, struct slice eol,
                        struct slice parts_r[PARTS])
{
    char mark[BOUNCE_BOUNDARY_MAX + 3] = "\n--";
    size_t mark_len;

    strcat(mark, boundary);
    mark_len = strlen(mark);
    for (int i = 0; i < PARTS; i++) {
        const char *at = memmem(body.at, body.len, mark, mark_len);
        if (at == NULL)
            return false;
        parts_r[i] = (struct slice){body.at, (size_t)(at + 1 - body.at)};
        skip(&body, parts_r[i].len - 1 + mark_len);
        if ((i == PARTS - 1 && !eat_text(&body, "--")) || !eat(&body, eol))
            return false;
    }
    return body.len == 0;
}

/* The fields of MIME that a part begins with, and the empty line after them. */
static bool take_head(struct reader *in, const char *description, const char *const *types)
{
    struct slice rest, type;

    if (!take(in, "Content-Description: ", &rest) || !slice_equals(rest, description) ||
        !take(in, "Content-Type: ", &type))
        return false;
    take_line(in, "Content-Transfer-Encoding: 8bit");
    for (; *types != NULL; types++)
        if (slice_equals(type, *types))
            return take_line(in, "");
    return false;
}

static bool read_original(struct reader in)
{
    static const char *const whole[] = {"message/rfc822", "message/global", NULL};
    static const char *const header[] = {"text/rfc822-headers", "message/global-headers", NULL};
    struct reader again = in;

    return take_head(&in, "Undelivered Message", whole) ||
           take_head(&again, "Undelivered Message Headers", header);
}

/* --- The part for programs --- */

/* "rfc822; ADDRESS" or "utf-8; ADDRESS". */
static bool eat_address_type(struct slice *value)
{
    return (eat_text(value, "rfc822; ") || eat_text(value, "utf-8; ")) && value->len > 0;
}

/* X-NAME-Sender, where NAME is that of X-NAME-Queue-ID. */
static bool read_sender(struct bounce *bounce, struct reader *in, struct slice name)
{
    struct reader ahead = *in;
    struct slice value;

    if (take(&ahead, "X-", &value) && eat(&value, name) && eat_text(&value, "-Sender: ")) {
        if (!eat_address_type(&value))
            return false;
        *in = ahead;
    } else {
        value = slice_of("");
    }
    bounce->sender = strndup(value.at, value.len);
    return bounce->sender != NULL;
}

/* "Postfix" in the names is $mail_name; blanks, colons and the like are '-' in it. */
static bool read_message_group(struct bounce *bounce, struct reader *in, struct slice queue_id,
                               struct slice host)
{
    struct slice value, name;
    const char *colon;

    if (!take(in, "Reporting-MTA: dns; ", &value) || !eat(&value, host) || value.len > 0)
        return false;
    take(in, "Original-Envelope-Id: ", &value);
    if (!take(in, "X-", &value) || (colon = memchr(value.at, ':', value.len)) == NULL)
        return false;
    name = (struct slice){value.at, (size_t)(colon - value.at)};
    skip(&value, name.len);
    if (!eat_suffix(&name, "-Queue-ID") || !eat_text(&value, ": ") || !eat(&value, queue_id) ||
        value.len > 0)
        return false;
    bounce->queue_id = strndup(queue_id.at, queue_id.len);
    if (bounce->queue_id == NULL || !read_sender(bounce, in, name))
        return false;
    take(in, "Arrival-Date: ", &value);
    return true;
}

/* Room for one more; NULL when there are too many, or no memory. */
static struct recipient *add_recipient(struct bounce *bounce)
{
    struct recipient *more;
    size_t size = bounce->size ? 2 * bounce->size : 8;

    if (bounce->count == BOUNCE_RECIPIENTS_MAX)
        return NULL;
    if (bounce->count == bounce->size) {
        more = realloc(bounce->recipients, size * sizeof(*more));
        if (more == NULL)
            return NULL;
        bounce->recipients = more;
        bounce->size = size;
    }
    more = &bounce->recipients[bounce->count++];
    *more = (struct recipient){.address = NULL};
    return more;
}

/* `start` is the empty line before the group. */
static bool read_group(struct bounce *bounce, struct reader *in, const char *start)
{
    struct recipient *recipient = add_recipient(bounce);
    struct slice address, value;

    if (recipient == NULL || !take(in, "Final-Recipient: ", &address) ||
        !eat_address_type(&address))
        return false;
    take(in, "Original-Recipient: ", &value);
    if (!take_line(in, "Action: failed") || !take(in, "Status: ", &value))
        return false;
    if (take(in, "Remote-MTA:", &value))
        take_indented(in);
    if (!take(in, "Diagnostic-Code:", &value))
        return false;
    take_indented(in);
    recipient->group = up_to(start, in->rest);
    recipient->address = strndup(address.at, address.len);
    return recipient->address != NULL;
}

static bool read_status(struct bounce *bounce, struct reader in, struct slice queue_id,
                        struct slice host)
{
    static const char *const types[] = {"message/delivery-status", "message/global-delivery-status",
                                        NULL};
    const char *start;

    if (!take_head(&in, "Delivery report", types) ||
        !read_message_group(bounce, &in, queue_id, host))
        return false;
    for (start = in.rest.at; take_line(&in, ""); start = in.rest.at) {
        if (in.rest.len == 0)
            return bounce->count > 0;
        if (!read_group(bounce, &in, start))
            return false;
    }
    return false;
}

/* --- The part for people --- */

/* Goes on only if this comes next, each wrapping taken back to a single blank. */
static bool follows(struct reader *in, struct slice want)
{
    struct slice s = in->rest;

    for (size_t i = 0; i < want.len; i++) {
        if (eat(&s, in->eol)) {
            if (!eat_text(&s, INDENT) || want.at[i] != ' ')
                return false;
        } else if (s.len == 0 || s.at[0] != want.at[i]) {
            return false;
        } else {
            skip(&s, 1);
        }
    }
    in->rest = s;
    return true;
}

/*
 * Wrapping takes all blanks at its place away. When these were several, inside of the address, it
 * is not found, and the report not understood.
 */
static bool names(struct reader in, struct slice address)
{
    static const char expanded_end[] = ">): ";

    if (!follows(&in, slice_of("<")) || !follows(&in, address) || !follows(&in, slice_of(">")))
        return false;
    if (follows(&in, slice_of(": ")))
        return true;
    if (!follows(&in, slice_of(" (expanded from <")))
        return false;
    for (; in.rest.len > 0; skip(&in.rest, 1))
        if (in.rest.at[0] == '>' && follows(&in, slice_of(expanded_end)))
            return true;
    return false;
}

static bool is_paragraph(struct reader in, struct slice address)
{
    struct reader text;
    struct slice line;

    if (!take_line(&in, ""))
        return false;
    text = in;
    if (!next_line(&in, &line) || !slice_starts(line, "<"))
        return false;
    take_indented(&in);
    return in.rest.len == 0 && names(text, address);
}

/* Cuts the last empty line off `text`, with all lines after it. */
static bool cut_paragraph(struct slice *text, struct slice eol, struct slice *paragraph_r)
{
    size_t start = text->len;

    while (start > 0) {
        const char *before = memrchr(text->at, '\n', start - 1);
        struct slice line = {before ? before + 1 : text->at, 0};
        line.len = (size_t)(text->at + start - line.at);
        start -= line.len;
        if (line.len == eol.len && starts_with(line, eol)) {
            *paragraph_r = (struct slice){line.at, text->len - start};
            text->len = start;
            return true;
        }
    }
    return false;
}

/*
 * From the end, since what is before the paragraphs is up to the administrator, who may have
 * replaced the template: it may even hold paragraphs that look the same.
 */
static bool read_notice(struct bounce *bounce, struct reader in)
{
    struct slice value, text;

    if (!take_line(&in, "Content-Description: Notification") ||
        !take(&in, "Content-Type: text/plain; charset=", &value))
        return false;
    take_line(&in, "Content-Transfer-Encoding: 8bit");
    if (!take_line(&in, "") || !cut_paragraph(&in.rest, in.eol, &text) || text.len != in.eol.len)
        return false;
    for (size_t i = bounce->count; i-- > 0;) {
        struct recipient *recipient = &bounce->recipients[i];
        if (!cut_paragraph(&in.rest, in.eol, &recipient->paragraph) ||
            !is_paragraph((struct reader){recipient->paragraph, in.eol},
                          slice_of(recipient->address)))
            return false;
    }
    return true;
}

/* --- The whole --- */

static bool parse(struct bounce *bounce, const char *boundary)
{
    struct slice body = bounce->body;
    struct slice eol, queue_id, host, parts[PARTS];

    if (!split_boundary(slice_of(boundary), &queue_id, &host) ||
        !eat_text(&body, "This is a MIME-encapsulated message."))
        return false;
    eol = slice_of(slice_starts(body, "\r") ? "\r\n" : "\n");
    if (!split_parts(body, boundary, eol, parts))
        return false;
    return eat(&parts[PREAMBLE], eol) && eat(&parts[PREAMBLE], eol) && parts[PREAMBLE].len == 0 &&
           read_status(bounce, (struct reader){parts[STATUS], eol}, queue_id, host) &&
           read_notice(bounce, (struct reader){parts[NOTICE], eol}) &&
           read_original((struct reader){parts[ORIGINAL], eol});
}

struct bounce *bounce_parse(const char *boundary, struct slice body)
{
    struct bounce *bounce = calloc(1, sizeof(*bounce));

    if (bounce == NULL)
        return NULL;
    bounce->body = body;
    if (!parse(bounce, boundary))
        bounce_free(&bounce);
    return bounce;
}

void bounce_free(struct bounce **bounce)
{
    struct bounce *old = *bounce;

    *bounce = NULL;
    if (old == NULL)
        return;
    for (size_t i = 0; i < old->count; i++)
        free(old->recipients[i].address);
    free(old->recipients);
    free(old->queue_id);
    free(old->sender);
    free(old);
}

const char *bounce_queue_id(const struct bounce *bounce)
{
    return bounce->queue_id;
}

const char *bounce_sender(const struct bounce *bounce)
{
    return bounce->sender;
}

size_t bounce_count(const struct bounce *bounce)
{
    return bounce->count;
}

const char *bounce_recipient(const struct bounce *bounce, size_t index)
{
    return bounce->recipients[index].address;
}

/* --- Without some recipients --- */

struct copy {
    char *to;
    struct slice left; /* of the body */
};

static void copy_until(struct copy *copy, const char *end)
{
    struct slice piece = {copy->left.at, (size_t)(end - copy->left.at)};

    memcpy(copy->to, piece.at, piece.len);
    copy->to += piece.len;
    skip(&copy->left, piece.len);
}

static void leave_out(struct copy *copy, struct slice what)
{
    copy_until(copy, what.at);
    skip(&copy->left, what.len);
}

char *bounce_without(const struct bounce *bounce, const bool *drop, size_t *len_r)
{
    char *text = malloc(bounce->body.len);
    struct copy copy = {text, bounce->body};

    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < bounce->count; i++)
        if (drop[i])
            leave_out(&copy, bounce->recipients[i].paragraph);
    for (size_t i = 0; i < bounce->count; i++)
        if (drop[i])
            leave_out(&copy, bounce->recipients[i].group);
    copy_until(&copy, copy.left.at + copy.left.len);
    *len_r = (size_t)(copy.to - text);
    return text;
}
