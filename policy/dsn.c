#include "dsn.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dsn_parts.h"

enum { TEXT, FIELDS, RETURNED, PARTS, BOUNDARY_MAX = 40, MESSAGE_ID_MAX = 900 };

struct part {
    char *at; /* as open_memstream(3) makes it */
    size_t len;
};

typedef void part_writer(struct dsn_out *out, const struct dsn_report *report);

static bool build(struct part *part, part_writer *put, const struct dsn_report *report)
{
    struct dsn_out out = {open_memstream(&part->at, &part->len), false};
    bool broken;

    if (out.file == NULL)
        return false;
    put(&out, report);
    broken = ferror(out.file) != 0;
    return fclose(out.file) == 0 && !broken && !out.failed;
}

/* Lines of the message, whatever they hold; only each must end in LF. */
static void put_lines(struct dsn_out *out, struct slice lines)
{
    for (size_t i = 0; i < lines.len; i++)
        if (lines.at[i] != '\r' || i + 1 == lines.len || lines.at[i + 1] != '\n')
            fputc(lines.at[i], out->file);
    if (lines.len > 0 && lines.at[lines.len - 1] != '\n')
        fputc('\n', out->file);
}

static void put_returned(struct dsn_out *out, const struct dsn_report *report)
{
    put_lines(out, report->header);
    if (report->body.at) {
        fputc('\n', out->file);
        put_lines(out, report->body);
    }
}

static bool is_8bit(const struct part *part)
{
    for (size_t i = 0; i < part->len; i++)
        if ((unsigned char)part->at[i] >= 0x80)
            return true;
    return false;
}

/* A field with the lines it is folded into, from the beginning of the header. */
static struct slice first_field(struct slice header)
{
    size_t len = 0;

    do {
        const char *end = memchr(header.at + len, '\n', header.len - len);

        len = end ? (size_t)(end + 1 - header.at) : header.len;
    } while (len < header.len && (header.at[len] == ' ' || header.at[len] == '\t'));
    return (struct slice){header.at, len};
}

static struct slice trimmed(struct slice s)
{
    while (s.len > 0 && isspace((unsigned char)s.at[s.len - 1]))
        s.len--;
    while (s.len > 0 && isspace((unsigned char)s.at[0])) {
        s.at++;
        s.len--;
    }
    return s;
}

static bool is_message_id(struct slice s)
{
    if (s.len < 3 || s.len > MESSAGE_ID_MAX || s.at[0] != '<' || s.at[s.len - 1] != '>')
        return false;
    for (size_t i = 1; i < s.len - 1; i++)
        if (s.at[i] <= ' ' || s.at[i] >= 0x7F || s.at[i] == '<' || s.at[i] == '>')
            return false;
    return true;
}

/* Of the header; empty when there is none that can be referred to. */
static struct slice message_id(struct slice header)
{
    static const char name[] = "Message-ID:";
    const size_t len = sizeof(name) - 1;

    while (header.len > 0) {
        struct slice field = first_field(header);
        struct slice value;

        if (field.len > len && strncasecmp(field.at, name, len) == 0) {
            value = trimmed((struct slice){field.at + len, field.len - len});
            return is_message_id(value) ? value : (struct slice){"", 0};
        }
        header = (struct slice){header.at + field.len, header.len - field.len};
    }
    return (struct slice){"", 0};
}

/* An address that needs UTF-8 stands here as it is: only mail with SMTPUTF8 can reach it. */
static void put_to(struct dsn_out *out, const char *address)
{
    char *clean = dsn_clean(address, DSN_UTF8, DSN_ADDRESS_MAX);

    if (clean)
        dsn_line(out, DSN_UTF8, NULL, "To: <%s>", clean);
    else
        out->failed = true;
    free(clean);
}

static void put_header(struct dsn_out *out, const struct dsn_report *report)
{
    struct slice id = message_id(report->header);

    dsn_line(out, DSN_UTF8, NULL, "From: Mail Delivery System <MAILER-DAEMON@%s>", report->host);
    put_to(out, report->to);
    fprintf(out->file, "Subject: %s\n",
            report->action == DSN_FAILED ? "Undelivered Mail Returned to Sender"
                                         : "Delayed Mail (still being retried)");
    if (id.len > 0)
        fprintf(out->file, "References: %.*s\nIn-Reply-To: %.*s\n", (int)id.len, id.at, (int)id.len,
                id.at);
    fputs("Auto-Submitted: auto-replied\nMIME-Version: 1.0\n", out->file);
}

static const char *type_of(int part, const struct dsn_report *report, bool wide)
{
    switch (part) {
    case TEXT:
        return wide ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii";
    case FIELDS:
        return report->utf8 ? "message/global-delivery-status" : "message/delivery-status";
    default:
        break;
    }
    if (report->body.at)
        return report->utf8 ? "message/global" : "message/rfc822";
    if (report->utf8)
        return "message/global-headers";
    return wide ? "text/rfc822-headers; charset=utf-8" : "text/rfc822-headers";
}

static void put_part(struct dsn_out *out, const struct dsn_report *report, const char *boundary,
                     int number, const struct part *part)
{
    const char *descriptions[PARTS] = {"Notification", "Delivery report",
                                       report->body.at ? "Undelivered Message"
                                                       : "Undelivered Message Headers"};
    bool wide = is_8bit(part);

    fprintf(out->file, "\n--%s\nContent-Description: %s\nContent-Type: %s\n%s\n", boundary,
            descriptions[number], type_of(number, report, wide),
            wide ? "Content-Transfer-Encoding: 8bit\n" : "");
    fwrite(part->at, 1, part->len, out->file);
}

static char *frame(const struct dsn_report *report, const struct part parts[PARTS],
                   const char *boundary, size_t *len_r)
{
    struct part whole = {NULL, 0};
    struct dsn_out out = {open_memstream(&whole.at, &whole.len), false};
    bool broken;
    bool wide = is_8bit(&parts[TEXT]) || is_8bit(&parts[FIELDS]) || is_8bit(&parts[RETURNED]);

    if (out.file == NULL)
        return NULL;
    put_header(&out, report);
    fprintf(out.file,
            "Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"%s\"\n%s\n"
            "This is a message in MIME format.\n",
            boundary, wide ? "Content-Transfer-Encoding: 8bit\n" : "");
    for (int i = 0; i < PARTS; i++)
        put_part(&out, report, boundary, i, &parts[i]);
    fprintf(out.file, "\n--%s--\n", boundary);
    broken = ferror(out.file) != 0;
    if (fclose(out.file) != 0 || broken || out.failed) {
        free(whole.at);
        return NULL;
    }
    *len_r = whole.len;
    return whole.at;
}

static bool holds(const struct part *part, const char *boundary)
{
    return memmem(part->at, part->len, boundary, strlen(boundary)) != NULL;
}

/* Only someone who guesses 64 bits gets a second try. */
static void choose_boundary(char boundary_r[BOUNDARY_MAX], uint64_t nonce,
                            const struct part parts[PARTS])
{
    bool taken = true;

    while (taken) {
        snprintf(boundary_r, BOUNDARY_MAX, "=_postern_%016" PRIx64, nonce++);
        taken = false;
        for (int i = 0; i < PARTS; i++)
            taken = taken || holds(&parts[i], boundary_r);
    }
}

char *dsn_compose(const struct dsn_report *report, size_t *len_r)
{
    static part_writer *const writers[PARTS] = {dsn_put_text, dsn_put_fields, put_returned};
    struct part parts[PARTS] = {{NULL, 0}};
    char boundary[BOUNDARY_MAX];
    char *message = NULL;
    bool built = true;

    for (int i = 0; i < PARTS; i++)
        built = built && build(&parts[i], writers[i], report);
    if (built) {
        choose_boundary(boundary, report->nonce, parts);
        message = frame(report, parts, boundary, len_r);
    }
    for (int i = 0; i < PARTS; i++)
        free(parts[i].at);
    return message;
}
