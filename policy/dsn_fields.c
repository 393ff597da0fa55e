/* The part of a report that programs read (RFC 3464 section 2, RFC 6533 section 4). */
#include "dsn_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "slice.h"

/* Of fields that are folded. */
static const char INDENT[] = "    ";

static enum dsn_form form_of(const struct dsn_report *report)
{
    return report->utf8 ? DSN_UTF8 : DSN_ASCII;
}

static bool is_present(const char *text)
{
    return text && *text;
}

/* RFC 5322 section 3.3, whatever the locale. */
static void put_date(struct dsn_out *out, const char *name, int64_t ms)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    enum { YEAR = 1900, LAST_YEAR = 9999 };
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char zone[8];

    if (ms <= 0 || localtime_r(&seconds, &tm) == NULL || tm.tm_year > LAST_YEAR - YEAR)
        return;
    strftime(zone, sizeof(zone), "%z", &tm);
    dsn_line(out, DSN_ASCII, NULL, "%s: %s, %d %s %d %02d:%02d:%02d %s", name, days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], tm.tm_year + YEAR, tm.tm_hour, tm.tm_min, tm.tm_sec,
             zone);
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* An address that is not ASCII has the type utf-8; without SMTPUTF8 it is written in ASCII. */
static void put_address(struct dsn_out *out, const struct dsn_report *report, const char *name,
                        const char *type, const char *address)
{
    char *clean = dsn_clean(address, DSN_UTF8, DSN_ADDRESS_MAX);
    char *coded = NULL;

    if (clean && !is_ascii(clean) && strcasecmp(type, "rfc822") == 0)
        type = "utf-8";
    if (clean && !report->utf8 && strcasecmp(type, "utf-8") == 0)
        coded = dsn_clean(address, DSN_XTEXT, DSN_ADDRESS_MAX);
    else if (clean)
        coded = strdup(clean);
    if (coded)
        dsn_line(out, form_of(report), NULL, "%s: %s; %s", name, type, coded);
    else
        out->failed = true;
    free(coded);
    free(clean);
}

/* "rfc822;a@b", as ORCPT had it. */
static void put_original(struct dsn_out *out, const struct dsn_report *report, const char *original)
{
    enum { TYPE_MAX = 40 };
    static const char name[] = "Original-Recipient";
    const char *end = strchr(original, ';');
    char type[TYPE_MAX + 1];

    if (end == NULL || end == original || end - original > TYPE_MAX) {
        put_address(out, report, name, "rfc822", end ? end + 1 : original);
        return;
    }
    slice_copy(type, sizeof(type), (struct slice){original, (size_t)(end - original)});
    put_address(out, report, name, type, end + 1 + strspn(end + 1, " "));
}

/* One to three digits, which *at is moved beyond. */
static bool skip_number(const char **at)
{
    const char *start = *at;

    while (isdigit((unsigned char)**at) && *at - start < 3)
        (*at)++;
    return *at > start;
}

/* RFC 3463 section 2 */
static bool is_status(const char *status, char class)
{
    if (status == NULL || status[0] != class || status[1] != '.')
        return false;
    status += 2;
    return skip_number(&status) && *status++ == '.' && skip_number(&status) && *status == '\0';
}

const char *dsn_status(const struct dsn_report *report, const struct dsn_recipient *recipient)
{
    bool failed = report->action == DSN_FAILED;

    if (is_status(recipient->status, failed ? '5' : '4'))
        return recipient->status;
    return failed ? "5.0.0" : "4.0.0";
}

static bool is_reply(const char *text)
{
    return text && isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]) &&
           isdigit((unsigned char)text[2]);
}

/* The type smtp is for replies of SMTP servers, and for nothing else (RFC 3464 section 9.3). */
static void put_diagnostic(struct dsn_out *out, const struct dsn_report *report,
                           const struct dsn_recipient *recipient)
{
    enum dsn_form form = form_of(report);

    if (is_reply(recipient->diagnostic))
        dsn_line(out, form, INDENT, "Diagnostic-Code: smtp; %s", recipient->diagnostic);
    else if (is_present(recipient->reason))
        dsn_line(out, form, INDENT, "Diagnostic-Code: X-Postern; %s", recipient->reason);
    else if (is_present(recipient->diagnostic))
        dsn_line(out, form, INDENT, "Diagnostic-Code: X-Postern; %s", recipient->diagnostic);
}

static void put_recipient(struct dsn_out *out, const struct dsn_report *report,
                          const struct dsn_recipient *recipient)
{
    bool failed = report->action == DSN_FAILED;

    fputc('\n', out->file);
    if (is_present(recipient->original))
        put_original(out, report, recipient->original);
    put_address(out, report, "Final-Recipient", "rfc822", recipient->address);
    dsn_line(out, DSN_ASCII, NULL, "Action: %s", failed ? "failed" : "delayed");
    dsn_line(out, DSN_ASCII, NULL, "Status: %s", dsn_status(report, recipient));
    if (is_present(recipient->remote_mta))
        dsn_line(out, form_of(report), NULL, "Remote-MTA: dns; %s", recipient->remote_mta);
    put_diagnostic(out, report, recipient);
    put_date(out, "Last-Attempt-Date", recipient->last_attempt);
    if (!failed)
        put_date(out, "Will-Retry-Until", recipient->retry_until);
}

void dsn_put_fields(struct dsn_out *out, const struct dsn_report *report)
{
    enum dsn_form form = form_of(report);

    dsn_line(out, form, NULL, "Reporting-MTA: dns; %s", report->host);
    if (is_present(report->id))
        dsn_line(out, form, NULL, "Original-Envelope-Id: %s", report->id);
    dsn_line(out, form, NULL, "X-Postern-Queue-ID: %s", report->queue_id);
    put_address(out, report, "X-Postern-Sender", "rfc822", report->to);
    put_date(out, "Arrival-Date", report->arrived);
    for (size_t i = 0; i < report->count; i++)
        put_recipient(out, report, &report->recipients[i]);
}
