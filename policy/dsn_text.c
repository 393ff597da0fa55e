/* The part of a report that people read. */
#include "dsn_parts.h"

#include <stdlib.h>
#include <string.h>

#include "say.h"

static void paragraph(struct dsn_out *out, const char *text)
{
    fputc('\n', out->file);
    dsn_line(out, DSN_UTF8, "", "%s", text);
}

/* Whether it was the address, and not the recipient's mailbox or something else, that was refused
 * (RFC 3463 section 3.2; X.1.7 to X.1.9 are about the sender and the server). */
static bool blames_address(const char *status)
{
    static const char *const such[] = {"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"};

    for (size_t i = 0; i < sizeof(such) / sizeof(such[0]); i++)
        if (strcmp(status, such[i]) == 0)
            return true;
    return false;
}

static bool any_address_is_wrong(const struct dsn_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (blames_address(dsn_status(report, &report->recipients[i])))
            return true;
    return false;
}

static void put_count(struct dsn_out *out, const struct dsn_report *report)
{
    bool failed = report->action == DSN_FAILED;

    fputc('\n', out->file);
    if (report->count == 1)
        dsn_line(out, DSN_UTF8, "",
                 "Your message could not be delivered to this address%s:", failed ? "" : " so far");
    else
        dsn_line(out, DSN_UTF8, "",
                 "Your message could not be delivered to these %zu addresses%s:", report->count,
                 failed ? "" : " so far");
}

static const char *reason_of(const struct dsn_recipient *recipient)
{
    if (recipient->reason && *recipient->reason)
        return recipient->reason;
    return recipient->diagnostic ? recipient->diagnostic : "no reason was given";
}

/* In the form in which Postfix's own reports name them: "<a@b>: host c said: ...". */
static void put_recipient(struct dsn_out *out, const struct dsn_report *report,
                          const struct dsn_recipient *recipient)
{
    static const char indent[] = "    ";
    const char *reason = reason_of(recipient);
    char until[SAY_MAX];

    fputc('\n', out->file);
    if (recipient->expanded && *recipient->expanded)
        dsn_line(out, DSN_UTF8, indent, "<%s> (expanded from <%s>): %s", recipient->address,
                 recipient->expanded, reason);
    else
        dsn_line(out, DSN_UTF8, indent, "<%s>: %s", recipient->address, reason);
    if (report->action == DSN_DELAYED && recipient->retry_until > 0)
        fprintf(out->file, "    Delivery is tried until %s.\n",
                say_time(until, recipient->retry_until));
}

static void put_advice(struct dsn_out *out, const struct dsn_report *report)
{
    bool one = report->count == 1;

    if (report->action == DSN_DELAYED)
        paragraph(out, report->summary ? report->summary
                                       : "You need not do anything now. You will hear again if "
                                         "delivery has to be given up.");
    else if (any_address_is_wrong(report))
        paragraph(out, one ? "What to do: please check the address for typing errors, and send "
                             "your message once more to the right one. If it is right, ask the "
                             "recipient in another way whether it is still in use."
                           : "What to do: please check the addresses for typing errors, and send "
                             "your message once more to the right ones. If they are right, ask the "
                             "recipients in another way whether they are still in use.");
    else
        paragraph(out, "What to do: the reason is given above. If it does not help you, ask the "
                       "recipient in another way.");
}

static void put_others(struct dsn_out *out, const struct dsn_report *report)
{
    bool failed = report->action == DSN_FAILED;

    paragraph(out, failed ? "If your message has other recipients, they are not affected by this: "
                            "it was delivered to them, or is still on its way. Do not send it to "
                            "them again."
                          : "If your message has other recipients, they are not affected by this.");
    if (failed && report->summary)
        paragraph(out, report->summary);
}

void dsn_put_text(struct dsn_out *out, const struct dsn_report *report)
{
    dsn_line(out, DSN_UTF8, "", "This is Postern at host %s, which looks after outgoing mail.",
             report->host);
    if (report->action == DSN_DELAYED)
        paragraph(out, "This is only a warning: your message is still being tried, and there is "
                       "no need to send it again.");
    put_count(out, report);
    for (size_t i = 0; i < report->count; i++)
        put_recipient(out, report, &report->recipients[i]);
    put_advice(out, report);
    put_others(out, report);
    fputc('\n', out->file);
    dsn_line(out, DSN_UTF8, "",
             "For help, write to postmaster@%s and enclose this report. %s of your message "
             "is attached.",
             report->host, report->body.at ? "A copy" : "The header");
}
