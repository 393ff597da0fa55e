#include "metrics_http.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "clock.h"
#include "listen.h"
#include "metrics.h"
#include "slice.h"

enum { CLIENTS_MOST = 16, HEADERS_MAX = 8192, CLIENT_SECONDS = 5, FRESH_MS = 1000 };

struct client {
    TAILQ_ENTRY(client) link;
    struct metrics_http *http;
    struct bufferevent *bev;
    struct event *deadline;
    bool answered;
};

struct metrics_http {
    struct event_base *base;
    struct evconnlistener *listener;
    char *where;
    metrics_source *source;
    void *context;
    char *text; /* of the last answer */
    int64_t made;
    TAILQ_HEAD(, client) clients;
    unsigned client_count;
};

static void drop(struct client *client)
{
    TAILQ_REMOVE(&client->http->clients, client, link);
    client->http->client_count--;
    if (client->deadline)
        event_free(client->deadline);
    if (client->bev)
        bufferevent_free(client->bev);
    free(client);
}

static void on_deadline(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    drop(arg);
}

static void on_event(struct bufferevent *bev, short events, void *arg)
{
    (void)bev;
    (void)events;
    drop(arg);
}

/* All is sent: the client reads to the end of the connection. */
static void on_written(struct bufferevent *bev, void *arg)
{
    (void)bev;
    if (((struct client *)arg)->answered)
        drop(arg);
}

static const char *fresh_text(struct metrics_http *http)
{
    int64_t now = clock_now();

    if (http->text == NULL || now - http->made >= FRESH_MS || now < http->made) {
        free(http->text);
        http->text = http->source(http->context);
        http->made = now;
    }
    return http->text;
}

static void answer(struct client *client, const char *status, const char *body, bool with_body)
{
    struct evbuffer *output = bufferevent_get_output(client->bev);

    client->answered = true;
    bufferevent_disable(client->bev, EV_READ);
    evbuffer_add_printf(output,
                        "HTTP/1.1 %s\r\nContent-Type: " METRICS_CONTENT_TYPE
                        "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                        status, strlen(body));
    if (with_body)
        evbuffer_add(output, body, strlen(body));
}

/* True for "METHOD /metrics HTTP/1.1" and "METHOD /metrics?...". */
static bool asks_for_metrics(struct slice line, const char *method)
{
    static const char path[] = " /metrics";
    size_t at = strlen(method);

    if (!slice_starts(line, method) || line.len <= at + strlen(path) ||
        memcmp(line.at + at, path, strlen(path)) != 0)
        return false;
    return line.at[at + strlen(path)] == ' ' || line.at[at + strlen(path)] == '?';
}

static void answer_line(struct client *client, struct slice line)
{
    bool get = slice_starts(line, "GET ");
    bool with_body = !slice_starts(line, "HEAD ");
    const char *text;

    if (!get && with_body) {
        answer(client, "405 Method Not Allowed", "GET /metrics\n", true);
    } else if (!asks_for_metrics(line, get ? "GET" : "HEAD")) {
        answer(client, "404 Not Found", "GET /metrics\n", with_body);
    } else {
        text = fresh_text(client->http);
        answer(client, text ? "200 OK" : "503 Service Unavailable", text ? text : "", with_body);
    }
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct client *client = arg;
    struct evbuffer *input = bufferevent_get_input(bev);
    size_t len = evbuffer_get_length(input);
    const char *bytes = (const char *)evbuffer_pullup(input, -1);

    if (client->answered || bytes == NULL)
        return;
    if (memmem(bytes, len, "\r\n\r\n", 4) != NULL || memmem(bytes, len, "\n\n", 2) != NULL)
        answer_line(client, (struct slice){bytes, len});
    else if (len >= HEADERS_MAX)
        drop(client);
}

static bool set_up(struct client *client, evutil_socket_t fd)
{
    const struct timeval most = {CLIENT_SECONDS, 0};

    client->bev = bufferevent_socket_new(client->http->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (client->bev == NULL) {
        evutil_closesocket(fd);
        return false;
    }
    client->deadline = evtimer_new(client->http->base, on_deadline, client);
    if (client->deadline == NULL || evtimer_add(client->deadline, &most) != 0)
        return false;
    bufferevent_setcb(client->bev, on_read, on_written, on_event, client);
    bufferevent_setwatermark(client->bev, EV_READ, 0, HEADERS_MAX);
    return bufferevent_enable(client->bev, EV_READ | EV_WRITE) == 0;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
    struct metrics_http *http = arg;
    struct client *client = calloc(1, sizeof(*client));

    (void)listener;
    (void)address;
    (void)len;
    if (client == NULL) {
        evutil_closesocket(fd);
        return;
    }
    if (http->client_count >= CLIENTS_MOST)
        drop(TAILQ_FIRST(&http->clients));
    client->http = http;
    TAILQ_INSERT_TAIL(&http->clients, client, link);
    http->client_count++;
    if (!set_up(client, fd))
        drop(client);
}

static bool start(struct metrics_http *http, char *error_r, size_t size)
{
    char name[128];
    int fd;

    snprintf(name, sizeof(name), "inet:%s", http->where);
    fd = listen_open(name, error_r, size);
    if (fd < 0)
        return false;
    http->listener = evconnlistener_new(http->base, on_accept, http,
                                        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (http->listener == NULL)
        evutil_closesocket(fd);
    return http->listener != NULL;
}

struct metrics_http *metrics_http_new(struct event_base *base, const char *where,
                                      metrics_source *source, void *context, char *error_r,
                                      size_t size)
{
    struct metrics_http *http = calloc(1, sizeof(*http));

    snprintf(error_r, size, "out of memory");
    if (http == NULL)
        return NULL;
    TAILQ_INIT(&http->clients);
    http->base = base;
    http->source = source;
    http->context = context;
    http->where = strdup(where);
    if (http->where == NULL || !start(http, error_r, size))
        metrics_http_free(&http);
    return http;
}

void metrics_http_free(struct metrics_http **http)
{
    struct metrics_http *h = *http;

    if (h == NULL)
        return;
    while (!TAILQ_EMPTY(&h->clients))
        drop(TAILQ_FIRST(&h->clients));
    if (h->listener)
        evconnlistener_free(h->listener);
    free(h->where);
    free(h->text);
    free(h);
    *http = NULL;
}

const char *metrics_http_where(const struct metrics_http *http)
{
    return http->where;
}
