#include "filter.h"

#include <stdio.h>

#include "failure.h"

/* Takes "transport:[host]:port" apart. */
static void add(struct filters *filters, struct slice value)
{
    const char *end = value.at + value.len;
    const char *host = memchr(value.at, ':', value.len);
    const char *port = memrchr(value.at, ':', value.len);
    size_t len;

    if (filters->count == FILTERS_MAX || host == NULL || port == host)
        return;
    host++;
    len = (size_t)(port - host);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof(filters->list[0].host) || end - port < 2 ||
        (size_t)(end - port) > sizeof(filters->list[0].port))
        return;
    slice_copy(filters->list[filters->count].host, sizeof(filters->list[0].host),
               (struct slice){host, len});
    slice_copy(filters->list[filters->count].port, sizeof(filters->list[0].port),
               (struct slice){port + 1, (size_t)(end - port - 1)});
    if (strcmp(filters->list[filters->count].port, "25") != 0 &&
        strcmp(filters->list[filters->count].port, "smtp") != 0)
        filters->count++;
}

void filters_read(struct filters *filters, const char *global, const char *services)
{
    static const char equals[] = "/content_filter = ";

    memset(filters, 0, sizeof(*filters));
    add(filters, slice_of(global));
    while (*services) {
        size_t len = strcspn(services, "\n");
        const char *value = memmem(services, len, equals, sizeof(equals) - 1);
        if (value) {
            value += sizeof(equals) - 1;
            add(filters, (struct slice){value, (size_t)(services + len - value)});
        }
        services += len + (services[len] == '\n');
    }
}

/* "host[address]:port" at the start of the text. */
static bool is_host(struct slice text, const char *host, const char *port)
{
    const char *open = memchr(text.at, '[', text.len);
    const char *close = open ? memchr(open, ']', text.len - (size_t)(open - text.at)) : NULL;
    struct slice name;
    struct slice address;
    struct slice rest;

    if (close == NULL || close + 1 == text.at + text.len || close[1] != ':')
        return false;
    name = (struct slice){text.at, (size_t)(open - text.at)};
    address = (struct slice){open + 1, (size_t)(close - open - 1)};
    rest = (struct slice){close + 2, text.len - (size_t)(close + 2 - text.at)};
    if (!slice_equals(name, host) && !slice_equals(address, host))
        return false;
    return slice_starts(rest, port) &&
           (rest.len == strlen(port) || rest.at[strlen(port)] < '0' || rest.at[strlen(port)] > '9');
}

/* Where the delivery went: relay=, or behind the "connect to " that smtp(8) writes without a
 * session. */
static struct slice host_of(const struct maillog_line *line)
{
    static const char connect[] = "connect to ";
    struct slice reason = failure_reason(line);

    if (!slice_equals(line->relay, "none"))
        return line->relay;
    if (!slice_starts(reason, connect))
        return (struct slice){"", 0};
    return (struct slice){reason.at + sizeof(connect) - 1, reason.len - (sizeof(connect) - 1)};
}

bool filters_match(const struct filters *filters, const struct maillog_line *line)
{
    struct slice host;

    if (filters->count == 0 || line->kind != MAILLOG_DELIVERY)
        return false;
    host = host_of(line);
    for (size_t i = 0; i < filters->count; i++)
        if (is_host(host, filters->list[i].host, filters->list[i].port))
            return true;
    return false;
}
