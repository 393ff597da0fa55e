#include "postfix.h"

#include "postfix_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool postfix_lanes_possible(const struct postfix *postfix, char *why_r, size_t size)
{
    const char *transport = postfix_default_transport(postfix);
    const char *set = overridden(postfix);
    if (set != NULL)
        snprintf(why_r, size, "%s is set, and a route to a lane would override it", set);
    else if (!slice_equals(transport_of(transport), "smtp"))
        snprintf(why_r, size, "default_transport is %s, and a lane is a copy of the service smtp",
                 transport);
    else if (postfix_list_has(postfix_defer_transports(postfix), "smtp"))
        snprintf(why_r, size, "defer_transports has smtp wait, and a lane would not");
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

char **postfix_other_transport_maps(const struct postfix *postfix, const char *state_directory)
{
    const char *list = postfix_transport_maps(postfix);
    size_t most = strlen(list) / 2 + 2; /* tables of a byte, one byte between them, and NULL */
    char **tables = malloc(most * sizeof(*tables) + strlen(list) + 1);
    if (tables == NULL)
        return NULL;
    char *text = (char *)(tables + most);
    size_t count = 0;
    for (struct slice table; (table = postfix_list_next(&list)).len > 0;) {
        if (is_ours(table, state_directory))
            continue;
        tables[count++] = text;
        memcpy(text, table.at, table.len);
        text[table.len] = '\0';
        text += table.len + 1;
    }
    tables[count] = NULL;
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
