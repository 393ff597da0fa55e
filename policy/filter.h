/*
 * Deliveries to a content filter (content_filter, FILTER_README) say nothing about a destination:
 * the log shows the recipient's domain, but the host is amavis or the like. Its failures must not
 * count against the domain, and its acceptance does not prove the domain. Pure once made;
 * thread-safe.
 */
#ifndef POSTERN_FILTER_H
#define POSTERN_FILTER_H

#include "maillog.h"

enum { FILTERS_MAX = 16 };

struct filters {
    size_t count;
    struct {
        char host[256]; /* a name, or an address without brackets */
        char port[16];
    } list[FILTERS_MAX];
};

/*
 * From the values of content_filter ("transport:host:port", "transport:[host]:port"): the global
 * one, and the lines "service/type/content_filter = value" of `postconf -P`. Filters that are no
 * SMTP host with a port of their own (pipe services, port 25) are left out: those are told apart
 * otherwise.
 */
void filters_read(struct filters *filters, const char *global, const char *services);

/* True when this delivery went to a filter, or tried to. */
bool filters_match(const struct filters *filters, const struct maillog_line *line);

#endif
