/*
 * smtphost: the remote mail hosts of the end-to-end tests, many addresses in one process.
 *
 *   smtphost -f SCRIPT -l LOG -s SPOOL [-p PORT]
 *
 * SCRIPT (see behaviour.h) is read again on SIGHUP; a script with a mistake leaves the old one in
 * force. LOG gets one line an event:
 *
 *   SECONDS.MS ADDRESS CONNECTION connect|command|reply|message|close|script|error DETAIL
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/listener.h>

#include "session.h"

struct listener {
    struct listener *next;
    char *address;
    struct evconnlistener *socket;
};

static struct {
    const char *script_path;
    unsigned port;
    FILE *log;
    struct script *script;
    struct listener *listeners;
    struct session_world world;
} host = {.port = 25};

/* Stands for an address that the script no longer names. */
static const struct behaviour gone = {.refuse = true};

static void write_log(const char *address, unsigned long id, const char *event, const char *detail)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    fprintf(host.log, "%lld.%03ld %s %lu %s ", (long long)now.tv_sec, now.tv_nsec / 1000000,
            address, id, event);
    for (const char *at = detail; *at != '\0'; at++) {
        if (*at != '\r')
            fputc(*at == '\n' ? '|' : *at, host.log);
    }
    fputc('\n', host.log);
    fflush(host.log);
}

static const struct behaviour *behaviour_now(const char *address)
{
    const struct behaviour *found = script_find(host.script, address);

    return found != NULL ? found : &gone;
}

static void on_connection(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *from,
                          int length, void *context)
{
    const struct sockaddr_in *peer = (const struct sockaddr_in *)(const void *)from;
    char text[INET_ADDRSTRLEN + 8];
    char name[INET_ADDRSTRLEN];
    struct listener *listener = context;

    (void)socket;
    (void)length;
    inet_ntop(AF_INET, &peer->sin_addr, name, sizeof(name));
    snprintf(text, sizeof(text), "%s:%u", name, ntohs(peer->sin_port));
    session_start(&host.world, fd, listener->address, text);
}

static struct evconnlistener *listen_on(struct listener *listener)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)host.port)};

    if (inet_pton(AF_INET, listener->address, &at.sin_addr) != 1) {
        errno = EINVAL;
        return NULL;
    }
    return evconnlistener_new_bind(host.world.loop, on_connection, listener,
                                   LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE |
                                       LEV_OPT_CLOSE_ON_EXEC,
                                   1024, (struct sockaddr *)(void *)&at, sizeof(at));
}

static bool is_listening(const char *address)
{
    for (const struct listener *at = host.listeners; at != NULL; at = at->next) {
        if (strcmp(at->address, address) == 0)
            return true;
    }
    return false;
}

static void start_listener(const char *address)
{
    struct listener *listener = calloc(1, sizeof(*listener));

    if (listener == NULL)
        abort();
    listener->address = strdup(address);
    listener->socket = listen_on(listener);
    if (listener->socket == NULL) {
        write_log(address, 0, "error", strerror(errno));
        free(listener->address);
        free(listener);
        return;
    }
    listener->next = host.listeners;
    host.listeners = listener;
}

/* Closes the listeners that the script refuses now (all of them: when `all`). */
static void stop_listeners(bool all)
{
    struct listener **link = &host.listeners;

    while (*link != NULL) {
        struct listener *listener = *link;
        if (!all && !behaviour_now(listener->address)->refuse) {
            link = &listener->next;
            continue;
        }
        *link = listener->next;
        session_end_all(listener->address);
        evconnlistener_free(listener->socket);
        free(listener->address);
        free(listener);
    }
}

/* Returns false, with the mistake logged and the old script in force. */
static bool load_script(void)
{
    char error[PATH_MAX + 128];
    struct script *script = script_load(host.script_path, error, sizeof(error));

    if (script == NULL) {
        write_log("-", 0, "error", error);
        fprintf(stderr, "smtphost: %s\n", error);
        return false;
    }
    script_free(&host.script);
    host.script = script;
    stop_listeners(false);
    for (size_t i = 0; i < script->count; i++) {
        const struct behaviour *wanted = &script->hosts[i];
        if (!wanted->refuse && !is_listening(wanted->address))
            start_listener(wanted->address);
    }
    write_log("-", 0, "script", host.script_path);
    return true;
}

static void on_hangup(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    load_script();
}

static void on_end(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(context);
}

static bool read_options(int argc, char **argv)
{
    int option;
    const char *log_path = NULL;

    while ((option = getopt(argc, argv, "f:l:s:p:")) != -1) {
        if (option == 'f')
            host.script_path = optarg;
        else if (option == 'l')
            log_path = optarg;
        else if (option == 's')
            host.world.spool = optarg;
        else if (option == 'p')
            host.port = (unsigned)strtoul(optarg, NULL, 10);
        else
            return false;
    }
    if (optind != argc || host.script_path == NULL || host.world.spool == NULL ||
        log_path == NULL || host.port < 1 || host.port > UINT16_MAX)
        return false;
    host.log = fopen(log_path, "ae");
    if (host.log == NULL)
        perror(log_path);
    return host.log != NULL;
}

static struct event *watch_signal(int number, event_callback_fn handler)
{
    struct event *event = evsignal_new(host.world.loop, number, handler, host.world.loop);

    if (event == NULL || event_add(event, NULL) < 0)
        abort();
    return event;
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv)) {
        fprintf(stderr, "usage: smtphost -f SCRIPT -l LOG -s SPOOL [-p PORT]\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    host.world.loop = event_base_new();
    host.world.behaviour = behaviour_now;
    host.world.log = write_log;
    struct event *watched[] = {
        watch_signal(SIGHUP, on_hangup),
        watch_signal(SIGTERM, on_end),
        watch_signal(SIGINT, on_end),
    };
    bool loaded = load_script();
    if (loaded)
        event_base_dispatch(host.world.loop);
    stop_listeners(true);
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
        event_free(watched[i]);
    script_free(&host.script);
    event_base_free(host.world.loop);
    fclose(host.log);
    return loaded ? EXIT_SUCCESS : EXIT_FAILURE;
}
