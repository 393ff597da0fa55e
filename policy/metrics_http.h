/*
 * GET /metrics on a loopback TCP port (metrics.listen), and nothing else: any account of the
 * machine can connect there. So it takes few clients at a time, the latest, each for a few
 * seconds, and makes the text anew at most once a second. In posternd's event loop.
 */
#ifndef POSTERN_METRICS_HTTP_H
#define POSTERN_METRICS_HTTP_H

#include <stddef.h>

struct event_base;
struct metrics_http;

/* Makes the text; the caller of it frees. NULL: none can be had. */
typedef char *metrics_source(void *context);

/* Listens on "127.0.0.1:PORT" or "[::1]:PORT". NULL, with a line in error_r. */
struct metrics_http *metrics_http_new(struct event_base *base, const char *where,
                                      metrics_source *source, void *context, char *error_r,
                                      size_t size);
void metrics_http_free(struct metrics_http **http);
/* As given to metrics_http_new. */
const char *metrics_http_where(const struct metrics_http *http);

#endif
