#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "ask.h"
#include "daemon.h"
#include "log.h"
#include "metrics.h"
#include "metrics_http.h"

/* An envelope of ENVELOPE_RECIPIENTS_MAX recipients is the longest body. */
enum { HEADERS_MAX = 8192, BODY_MAX = 8 << 20, REQUEST_SECONDS = 10, BACKLOG = 64 };

struct control {
    struct evhttp *http;
    struct event_base *base;
    struct metrics_http *metrics; /* NULL: not by TCP */
    struct daemon *daemon;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void answer(struct evhttp_request *request, int status, const char *body)
{
    struct evbuffer *buffer = evbuffer_new();

    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      "application/json");
    if (buffer)
        evbuffer_add_printf(buffer, "%s\n", body);
    evhttp_send_reply(request, status, NULL, buffer);
    if (buffer)
        evbuffer_free(buffer);
}

typedef bool control_verb(struct daemon *daemon, struct slice name);

/* Calls `verb` with the value of the query's `name`, if it has one. */
static bool apply(struct control *control, const struct evkeyvalq *query, const char *name,
                  control_verb *verb, bool *done_r)
{
    const char *value = evhttp_find_header(query, name);

    if (value == NULL || verb == NULL)
        return false;
    *done_r = verb(control->daemon, slice_of(value));
    return true;
}

static void serve(struct evhttp_request *request, struct control *control,
                  control_verb *destination, control_verb *recipient)
{
    struct evkeyvalq query;
    const char *text = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
    bool done = false;

    if (evhttp_request_get_command(request) != EVHTTP_REQ_POST ||
        evhttp_parse_query_str(text ? text : "", &query) != 0) {
        answer(request, HTTP_BADREQUEST, "{\"error\": \"POST with a query is needed\"}");
        return;
    }
    if (!apply(control, &query, "destination", destination, &done) &&
        !apply(control, &query, "recipient", recipient, &done))
        answer(request, HTTP_BADREQUEST, "{\"error\": \"nothing is named\"}");
    else
        answer(request, done ? HTTP_OK : HTTP_NOTFOUND,
               done ? "{\"done\": true}" : "{\"done\": false}");
    evhttp_clear_headers(&query);
}

static void on_retry(struct evhttp_request *request, void *arg)
{
    serve(request, arg, daemon_retry, NULL);
}

static void on_test(struct evhttp_request *request, void *arg)
{
    serve(request, arg, NULL, daemon_test_recipient);
}

static void on_forget(struct evhttp_request *request, void *arg)
{
    serve(request, arg, daemon_forget_destination, daemon_forget_recipient);
}

/* Requests with a body of JSON, which may be answered later */

struct control_reply {
    struct evhttp_request *request; /* NULL: the client is gone */
};

static void on_client_gone(struct evhttp_connection *connection, void *arg)
{
    struct control_reply *reply = arg;

    (void)connection;
    reply->request = NULL;
}

void control_reply_send(struct control_reply **reply, bool done, json_t *body)
{
    struct evhttp_request *request = (*reply)->request;
    json_t *object = body ? body : json_object();
    char *text;

    free(*reply);
    *reply = NULL;
    json_object_set_new(object, "done", json_boolean(done));
    text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (request) {
        evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
        answer(request, done && text ? HTTP_OK : HTTP_NOTFOUND, text ? text : "{\"done\": false}");
    }
    free(text);
}

static json_t *body_of(struct evhttp_request *request)
{
    struct evbuffer *buffer = evhttp_request_get_input_buffer(request);
    size_t len = evbuffer_get_length(buffer);
    const char *bytes = (const char *)evbuffer_pullup(buffer, -1);

    if (evhttp_request_get_command(request) != EVHTTP_REQ_POST || bytes == NULL)
        return NULL;
    return json_loadb(bytes, len, 0, NULL);
}

typedef void control_task(struct daemon *daemon, const json_t *body, struct control_reply *reply);

static void begin(struct evhttp_request *request, struct control *control, control_task *task)
{
    json_t *body = body_of(request);
    struct control_reply *reply = body ? calloc(1, sizeof(*reply)) : NULL;

    if (reply == NULL) {
        answer(request, HTTP_BADREQUEST, "{\"error\": \"POST with a body of JSON is needed\"}");
    } else {
        reply->request = request;
        evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_client_gone,
                                      reply);
        task(control->daemon, body, reply);
    }
    json_decref(body);
}

static void on_envelopes(struct evhttp_request *request, void *arg)
{
    begin(request, arg, daemon_envelopes);
}

static void on_report(struct evhttp_request *request, void *arg)
{
    begin(request, arg, daemon_report);
}

static void on_warn(struct evhttp_request *request, void *arg)
{
    begin(request, arg, daemon_warn);
}

static void on_bounce(struct evhttp_request *request, void *arg)
{
    begin(request, arg, daemon_bounce);
}

static void on_reload(struct evhttp_request *request, void *arg)
{
    begin(request, arg, daemon_reload_request);
}

/* Monitoring */

static void on_metrics(struct evhttp_request *request, void *arg)
{
    struct control *control = arg;
    struct evbuffer *buffer = evbuffer_new();
    char *text = daemon_metrics(control->daemon);

    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type",
                      METRICS_CONTENT_TYPE);
    if (buffer && text)
        evbuffer_add(buffer, text, strlen(text));
    evhttp_send_reply(request, text ? HTTP_OK : HTTP_SERVUNAVAIL, NULL, buffer);
    if (buffer)
        evbuffer_free(buffer);
    free(text);
}

static char *metrics_of(void *context)
{
    return daemon_metrics(context);
}

void control_set_metrics(struct control *control, const struct config *config)
{
    const char *where = config_metrics_listen(config);
    char error[512];

    if (control->metrics && strcmp(where, metrics_http_where(control->metrics)) == 0)
        return;
    metrics_http_free(&control->metrics);
    if (where[0] == '\0')
        return;
    control->metrics =
        metrics_http_new(control->base, where, metrics_of, control->daemon, error, sizeof(error));
    if (control->metrics == NULL)
        log_error("metrics.listen: %s; metrics are on control.sock only", error);
}

/* Only one posternd runs (lock.h), so a socket that is there already is left over. */
static struct evconnlistener *listen_on(struct event_base *base, const struct sockaddr_un *address)
{
    struct evconnlistener *listener;
    mode_t mask;

    unlink(address->sun_path);
    mask = umask(0177);
    listener =
        evconnlistener_new_bind(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
                                BACKLOG, (const struct sockaddr *)address, (int)sizeof(*address));
    umask(mask);
    return listener;
}

struct control *control_new(struct event_base *base, struct daemon *daemon,
                            const char *runtime_directory, char *error_r, size_t size)
{
    struct control *control = calloc(1, sizeof(*control));
    struct sockaddr_un address;
    struct evconnlistener *listener;

    if (control == NULL || (control->http = evhttp_new(base)) == NULL) {
        free(control);
        return NULL;
    }
    control->daemon = daemon;
    control->base = base;
    if (!ask_address(&address, runtime_directory)) {
        snprintf(error_r, size, "runtime_directory \"%s\" is too long for a socket in it",
                 runtime_directory);
        control_free(&control);
        return NULL;
    }
    listener = listen_on(base, &address);
    if (listener == NULL || evhttp_bind_listener(control->http, listener) == NULL) {
        snprintf(error_r, size, "%s: %s", address.sun_path, strerror(errno));
        control_free(&control);
        return NULL;
    }
    memcpy(control->path, address.sun_path, sizeof(control->path));
    evhttp_set_timeout(control->http, REQUEST_SECONDS);
    evhttp_set_max_headers_size(control->http, HEADERS_MAX);
    evhttp_set_max_body_size(control->http, BODY_MAX);
    evhttp_set_cb(control->http, "/retry", on_retry, control);
    evhttp_set_cb(control->http, "/forget", on_forget, control);
    evhttp_set_cb(control->http, "/test", on_test, control);
    evhttp_set_cb(control->http, "/envelopes", on_envelopes, control);
    evhttp_set_cb(control->http, "/report", on_report, control);
    evhttp_set_cb(control->http, "/bounce", on_bounce, control);
    evhttp_set_cb(control->http, "/warn", on_warn, control);
    evhttp_set_cb(control->http, "/reload", on_reload, control);
    evhttp_set_cb(control->http, "/metrics", on_metrics, control);
    return control;
}

void control_free(struct control **control)
{
    if (*control == NULL)
        return;
    metrics_http_free(&(*control)->metrics);
    if ((*control)->http)
        evhttp_free((*control)->http);
    if ((*control)->path[0])
        unlink((*control)->path);
    free(*control);
    *control = NULL;
}
