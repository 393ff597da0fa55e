#include "postfix.h"

#include "postfix_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBATION "postern-probation"

/* The service of "service:nexthop". */
static struct slice transport_of(const char *value)
{
    return (struct slice){value, strcspn(value, ":")};
}

/* A setting that a route would override; NULL: none is set. */
static const char *overridden(const struct postfix *postfix)
{
    if (*postfix_sender_relayhosts(postfix) != '\0')
        return "sender_dependent_relayhost_maps";
    if (*postfix_sender_transports(postfix) != '\0')
        return "sender_dependent_default_transport_maps";
    return NULL;
}

bool postfix_default_is_probation(const struct postfix *postfix)
{
    return slice_equals(transport_of(postfix_default_transport(postfix)), PROBATION);
}

/* A transport of the lanes that waits until somebody runs `sendmail -q`; NULL: none. */
static const char *waiting(const struct postfix *postfix)
{
    static const char *const names[] = {"smtp", PROBATION};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (postfix_list_has(postfix_defer_transports(postfix), names[i]))
            return names[i];
    return NULL;
}

/* The line of a service of type unix in the output of `postconf -M`; its at is NULL without one. */
static struct slice service_line(const struct postfix *postfix, struct slice name)
{
    for (const char *line = postfix_services(postfix); *line != '\0';) {
        struct slice word = {line, strcspn(line, " \t\n")};
        const char *type = line + word.len + strspn(line + word.len, " \t");
        size_t len = strcspn(line, "\n");
        if (word.len == name.len && memcmp(word.at, name.at, name.len) == 0 &&
            slice_equals((struct slice){type, strcspn(type, " \t\n")}, "unix"))
            return (struct slice){line, len};
        line += len;
        line += *line == '\n' ? 1 : 0;
    }
    return (struct slice){NULL, 0};
}

bool postfix_has_service(const struct postfix *postfix, const char *name)
{
    return service_line(postfix, slice_of(name)).at != NULL;
}

bool postfix_logs_as_smtp(const struct postfix *postfix, const char *transport)
{
    static const char own_tag[] = "syslog_name";
    struct slice line = service_line(postfix, transport_of(transport));
    struct slice command = line;
    for (int column = 0; line.at != NULL && column < 7; column++) {
        size_t word = strcspn(command.at, " \t\n");
        command.at += word + strspn(command.at + word, " \t");
    }
    if (line.at == NULL ||
        !slice_equals((struct slice){command.at, strcspn(command.at, " \t\n")}, "smtp"))
        return false;
    return memmem(line.at, line.len, own_tag, sizeof(own_tag) - 1) == NULL;
}

void postfix_smtp_tag(const struct postfix *postfix, char *tag_r, size_t size)
{
    static const char option[] = "syslog_name=";
    struct slice line = service_line(postfix, slice_of("smtp"));
    const char *value = line.at ? memmem(line.at, line.len, option, sizeof(option) - 1) : NULL;
    size_t len = value ? strcspn(value, " \t\n") : 0;
    const char *slash = value ? memrchr(value, '/', len) : NULL;
    struct slice tag = slice_of("smtp");
    if (slash != NULL && slash[1] != '$' && slash + 1 < value + len)
        tag = (struct slice){slash + 1, (size_t)(value + len - slash) - 1};
    slice_copy(tag_r, size, tag);
}

bool postfix_lanes_possible(const struct postfix *postfix, char *why_r, size_t size)
{
    const char *transport = postfix_default_transport(postfix);
    const char *set = overridden(postfix);
    const char *waits = waiting(postfix);
    bool known = slice_equals(transport_of(transport), "smtp");
    if (set != NULL)
        snprintf(why_r, size, "%s is set, and a route to a lane would override it", set);
    else if (!known && !postfix_default_is_probation(postfix))
        snprintf(why_r, size, "default_transport is %s, and a lane is a copy of the service smtp",
                 transport);
    else if (waits != NULL)
        snprintf(why_r, size, "defer_transports has %s wait, and other lanes would not", waits);
    else
        return true;
    return false;
}

/* True when the table is lmdb:DIRECTORY/tables/transport. */
static bool is_ours(struct slice table, const char *directory)
{
    static const char type[] = "lmdb:", tail[] = "/tables/transport", proxy[] = "proxy:";
    size_t len = strlen(directory);
    while (len > 1 && directory[len - 1] == '/')
        len--;
    if (slice_starts(table, proxy)) {
        table.at += sizeof(proxy) - 1;
        table.len -= sizeof(proxy) - 1;
    }
    const char *rest = table.at + sizeof(type) - 1;
    return slice_starts(table, type) && table.len == sizeof(type) - 1 + len + sizeof(tail) - 1 &&
           memcmp(rest, directory, len) == 0 && memcmp(rest + len, tail, sizeof(tail) - 1) == 0;
}

char *postfix_other_transport_maps(const struct postfix *postfix, const char *state_directory)
{
    const char *list = postfix_transport_maps(postfix);
    char *tables = malloc(strlen(list) + 2); /* each has a byte behind it, but for the last */
    char *at = tables;
    if (tables == NULL)
        return NULL;
    for (struct slice table; (table = postfix_list_next(&list)).len > 0;) {
        if (is_ours(table, state_directory))
            continue;
        memcpy(at, table.at, table.len);
        at += table.len;
        *at++ = '\n';
    }
    *at = '\0';
    return tables;
}

bool postfix_reports_filtered(const struct postfix *postfix, char *why_r, size_t size)
{
    const char *missing = NULL;

    if (!postfix_list_has(postfix_internal_filters(postfix), "bounce"))
        missing = "internal_mail_filter_classes does not have \"bounce\"";
    else if (*postfix_non_smtpd_milters(postfix) == '\0')
        missing = "non_smtpd_milters is empty";
    if (missing)
        snprintf(why_r, size, "%s, so the sender would be told twice", missing);
    return missing == NULL;
}
