#include "policyd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <time.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "clock.h"
#include "counters.h"
#include "inside.h"
#include "instances.h"
#include "listen.h"
#include "log.h"

enum {
    CLIENTS_MOST = 10000, /* each smtpd(8) has one connection */
    REQUEST_MAX = 8192,
    ANSWERS_MAX = 16384, /* bytes that a client has not read yet */
    REQUEST_SECONDS =
        10,             /* from the first byte of a request to its last; for an answer to be read */
    IDLE_SECONDS = 400, /* more than smtpd_policy_service_max_idle (300 s): smtpd(8) waits a second
                           when the connection it wants to use again is gone (attr_clnt.c) */
    INSTANCES_MOST = 50000,
    INSTANCE_SECONDS = 310, /* more than smtpd_timeout (300 s), in which a RCPT has to come */
    ACCEPT_PAUSE = 1,       /* s, when there are no more descriptors */
    ACCEPTS_MOST = 100,     /* in a row: then it is the turn of those that are connected */
};

struct client {
    TAILQ_ENTRY(client) by_use; /* the one silent the longest is the first */
    struct policyd *policyd;
    struct bufferevent *bev;
    struct event *deadline;
    bool in_request;
    bool skipping; /* the rest of a request that is too long */
};

TAILQ_HEAD(clients, client);

struct policyd {
    struct event_base *base;
    struct policyreq_service service;
    struct evconnlistener *listener; /* NULL when it does not listen */
    struct event *resume;            /* accepting again after a pause */
    unsigned accepts;                /* in a row */
    char *queue;                     /* queue_directory when it was opened; NULL: not known */
    char *where;                     /* what `listener` listens on */
    char inside[INSIDE_PATH_MAX];    /* the socket itself, where `where` leads; "": no link */
    struct clients clients;
    size_t client_count;
    size_t clients_most;
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Clients */

static void drop(struct client *client)
{
    struct policyd *policyd = client->policyd;

    TAILQ_REMOVE(&policyd->clients, client, by_use);
    policyd->client_count--;
    if (client->bev)
        bufferevent_free(client->bev);
    if (client->deadline)
        event_free(client->deadline);
    free(client);
}

static void allow(struct client *client, int seconds)
{
    const struct timeval wait = {seconds, 0};

    event_add(client->deadline, &wait);
}

static void on_deadline(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    drop(arg);
}

/* One request of `len` bytes, at the head of the input, is complete. */
static void answer(struct client *client, struct evbuffer *input, size_t len)
{
    struct policyd *policyd = client->policyd;
    const char *bytes =
        client->skipping ? NULL : (const char *)evbuffer_pullup(input, (ssize_t)len);
    char action[POLICYREQ_ACTION_MAX] = "DUNNO";

    if (bytes)
        policyreq_answer(&policyd->service, (struct slice){bytes, len - 1}, now_ms(), clock_now(),
                         action);
    counters_policy(action);
    evbuffer_add_printf(bufferevent_get_output(client->bev), "action=%s\n\n", action);
    evbuffer_drain(input, len);
    client->skipping = false;
    TAILQ_REMOVE(&policyd->clients, client, by_use);
    TAILQ_INSERT_TAIL(&policyd->clients, client, by_use);
}

/* Keeps no more of a request that is too long than its end can be told by. */
static void skip_if_too_long(struct client *client, struct evbuffer *input)
{
    size_t len = evbuffer_get_length(input);

    if (len <= REQUEST_MAX)
        return;
    client->skipping = true;
    evbuffer_drain(input, len - 1);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct client *client = arg;
    struct evbuffer *input = bufferevent_get_input(bev);
    bool answered = false;
    struct evbuffer_ptr end;

    while ((end = evbuffer_search(input, "\n\n", 2, NULL)).pos >= 0) {
        if ((size_t)end.pos + 2 > REQUEST_MAX)
            client->skipping = true;
        answer(client, input, (size_t)end.pos + 2);
        answered = true;
    }
    skip_if_too_long(client, input);
    if (evbuffer_get_length(bufferevent_get_output(bev)) > ANSWERS_MAX) {
        drop(client);
        return;
    }
    if (evbuffer_get_length(input) == 0) {
        client->in_request = false;
        allow(client, IDLE_SECONDS);
    } else if (answered || !client->in_request) {
        client->in_request = true;
        allow(client, REQUEST_SECONDS);
    }
}

static void on_event(struct bufferevent *bev, short events, void *arg)
{
    (void)bev;
    (void)events;
    drop(arg);
}

static bool set_up(struct client *client, evutil_socket_t fd)
{
    const struct timeval write_time = {REQUEST_SECONDS, 0};
    struct event_base *base = client->policyd->base;

    client->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (client->bev == NULL) {
        evutil_closesocket(fd);
        return false;
    }
    client->deadline = evtimer_new(base, on_deadline, client);
    if (client->deadline == NULL)
        return false;
    bufferevent_setcb(client->bev, on_read, NULL, on_event, client);
    bufferevent_set_timeouts(client->bev, NULL, &write_time);
    bufferevent_setwatermark(client->bev, EV_READ, 0, 2 * REQUEST_MAX);
    allow(client, REQUEST_SECONDS);
    return bufferevent_enable(client->bev, EV_READ | EV_WRITE) == 0;
}

static void pause_accepting(struct policyd *policyd, int seconds)
{
    const struct timeval pause = {seconds, 0};

    evconnlistener_disable(policyd->listener);
    evtimer_add(policyd->resume, &pause);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
    struct policyd *policyd = arg;
    struct client *client = calloc(1, sizeof(*client));

    (void)listener;
    (void)address;
    (void)len;
    if (++policyd->accepts >= ACCEPTS_MOST)
        pause_accepting(policyd, 0);
    if (client == NULL) {
        evutil_closesocket(fd);
        return;
    }
    if (policyd->client_count >= policyd->clients_most)
        drop(TAILQ_FIRST(&policyd->clients));
    client->policyd = policyd;
    TAILQ_INSERT_TAIL(&policyd->clients, client, by_use);
    policyd->client_count++;
    if (!set_up(client, fd))
        drop(client);
}

/* Listening */

static void on_resume(evutil_socket_t fd, short events, void *arg)
{
    struct policyd *policyd = arg;

    (void)fd;
    (void)events;
    policyd->accepts = 0;
    if (policyd->listener)
        evconnlistener_enable(policyd->listener);
}

/* Out of descriptors, most likely: the connection stays in the queue, and would be tried at once.
 */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct policyd *policyd = arg;

    (void)listener;
    log_warning("%s: %m", policyd->where);
    pause_accepting(policyd, ACCEPT_PAUSE);
}

static void stop_listening(struct policyd *policyd)
{
    if (policyd->listener) {
        evconnlistener_free(policyd->listener);
        inside_remove(policyd->where, policyd->inside);
    }
    policyd->listener = NULL;
    free(policyd->where);
    policyd->where = NULL;
}

/* The outcome of listen_open(). */
struct opening {
    int fd;
    char *error;
    size_t size;
};

static bool try_to_listen(const char *where, void *context)
{
    struct opening *opening = context;

    opening->fd = listen_open(where, opening->error, opening->size);
    return opening->fd >= 0;
}

/* As listen_open(); inside queue_directory, if that can be. */
static int open_socket(struct policyd *policyd, const char *where, char *error_r, size_t size)
{
    struct opening opening = {.fd = -1, .error = error_r, .size = size};

    snprintf(error_r, size, "%s: another program listens there", where);
    inside_open(where, policyd->queue, try_to_listen, &opening, policyd->inside);
    return opening.fd;
}

/* True also when there is nothing to listen on, or no limit of the administrator's to answer for.
 */
static bool start_listening(struct policyd *policyd, char *error_r, size_t size)
{
    const char *where = config_policy_socket(policyd->service.config);
    char why[400];
    int fd;

    if (where[0] == '\0')
        return true;
    fd = open_socket(policyd, where, why, sizeof(why));
    if (fd < 0)
        snprintf(error_r, size, "policy.socket: %s", why);
    if (fd < 0 && config_inbound_count(policyd->service.config) > 0)
        return false;
    if (fd < 0) {
        /* Nobody need have told Postfix to ask here. */
        log_warning("%s; the policy service does not listen", error_r);
        return true;
    }
    policyd->where = strdup(where);
    if (policyd->where)
        policyd->listener =
            evconnlistener_new(policyd->base, on_accept, policyd,
                               LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (policyd->listener == NULL) {
        evutil_closesocket(fd);
        inside_remove(where, policyd->inside);
        stop_listening(policyd);
        snprintf(error_r, size, "%s: out of memory", where);
        return false;
    }
    evconnlistener_set_error_cb(policyd->listener, on_accept_error);
    return true;
}

/* Life */

/* Leaves half of the descriptors to the rest of posternd. */
static size_t clients_most(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 2 >= CLIENTS_MOST)
        return CLIENTS_MOST;
    return limit.rlim_cur >= 4 ? (size_t)limit.rlim_cur / 2 : 2;
}

/* Keeps a copy: without memory for it, it is not known. */
static void set_queue(struct policyd *policyd, const char *queue_directory)
{
    free(policyd->queue);
    policyd->queue = queue_directory ? strdup(queue_directory) : NULL;
}

static bool same_queue(const struct policyd *policyd, const char *queue_directory)
{
    return strcmp(policyd->queue ? policyd->queue : "", queue_directory ? queue_directory : "") ==
           0;
}

struct policyd *policyd_new(struct event_base *base, const struct config *config,
                            const char *queue_directory, const struct policyreq_hooks *hooks,
                            char *error_r, size_t size)
{
    struct policyd *policyd = calloc(1, sizeof(*policyd));

    snprintf(error_r, size, "out of memory");
    if (policyd == NULL)
        return NULL;
    TAILQ_INIT(&policyd->clients);
    policyd->base = base;
    set_queue(policyd, queue_directory);
    policyd->service.config = config;
    policyd->service.hooks = *hooks;
    policyd->clients_most = clients_most();
    policyd->resume = evtimer_new(base, on_resume, policyd);
    policyd->service.instances = instances_new(INSTANCES_MOST, INSTANCE_SECONDS * 1000);
    if (policyd->resume == NULL || policyd->service.instances == NULL ||
        !start_listening(policyd, error_r, size))
        policyd_free(&policyd);
    return policyd;
}

void policyd_reconfigure(struct policyd *policyd, const struct config *config,
                         const char *queue_directory)
{
    const char *where = config_policy_socket(config);
    char error[512];

    instances_clear(policyd->service.instances);
    policyd->service.config = config;
    if (strcmp(where, policyd->where ? policyd->where : "") == 0 &&
        same_queue(policyd, queue_directory))
        return;
    stop_listening(policyd);
    set_queue(policyd, queue_directory);
    if (!start_listening(policyd, error, sizeof(error)))
        log_error("%s; the policy service does not listen", error);
}

void policyd_free(struct policyd **policyd)
{
    struct policyd *p = *policyd;
    struct client *client;

    if (p == NULL)
        return;
    while ((client = TAILQ_FIRST(&p->clients)) != NULL)
        drop(client);
    stop_listening(p);
    free(p->queue);
    instances_free(&p->service.instances);
    if (p->resume)
        event_free(p->resume);
    free(p);
    *policyd = NULL;
}
