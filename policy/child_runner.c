#include "child_spawn.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    LIST_ENTRY(child) link;
    struct child_runner *runner;
    pid_t pid;
    int fd; /* its outputs */
    struct event *readable;
    struct event *timeout;
    child_done *done;
    void *arg;
    bool timed_out;
    int wait_status;
    size_t text_len;
    char text[CHILD_TEXT_MAX + 1];
};

LIST_HEAD(child_list, child);

struct child_runner {
    struct event_base *base;
    struct event *ended; /* SIGCHLD */
    struct child_list children;
    size_t count;
};

static void child_free(struct child *child)
{
    if (child->readable != NULL)
        event_free(child->readable);
    if (child->timeout != NULL)
        event_free(child->timeout);
    if (child->fd >= 0)
        close(child->fd);
    free(child);
}

/* Keeps the first CHILD_TEXT_MAX bytes. Returns false at the end of the stream. */
static bool read_text(struct child *child)
{
    char chunk[4096];
    ssize_t n;
    while ((n = read(child->fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        size_t room = CHILD_TEXT_MAX - child->text_len;
        size_t len = (size_t)n < room ? (size_t)n : room;
        memcpy(child->text + child->text_len, chunk, len);
        child->text_len += len;
    }
    return false;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct child *child = arg;
    (void)fd;
    (void)what;
    if (!read_text(child))
        event_del(child->readable);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct child *child = arg;
    (void)fd;
    (void)what;
    child->timed_out = true;
    child_kill(child->pid);
}

/* The command is over: tells its owner. */
static void finish(struct child *child)
{
    struct child_end end = {.text = child->text};
    read_text(child);
    child->text[child->text_len] = '\0';
    end.text_len = child->text_len;
    child_set_end(&end, child->wait_status, child->timed_out);
    child->done(child->arg, &end);
    child_free(child);
}

/* One SIGCHLD may stand for several children. Callbacks may start others, so they come last. */
static void on_ended(evutil_socket_t number, short what, void *arg)
{
    struct child_runner *runner = arg;
    struct child_list finished = LIST_HEAD_INITIALIZER(finished);
    struct child *child, *next;
    (void)number;
    (void)what;
    for (child = LIST_FIRST(&runner->children); child != NULL; child = next) {
        next = LIST_NEXT(child, link);
        if (waitpid(child->pid, &child->wait_status, WNOHANG) != child->pid)
            continue;
        LIST_REMOVE(child, link);
        LIST_INSERT_HEAD(&finished, child, link);
        runner->count--;
    }
    while ((child = LIST_FIRST(&finished)) != NULL) {
        LIST_REMOVE(child, link);
        finish(child);
    }
}

struct child_runner *child_runner_new(struct event_base *base)
{
    struct child_runner *runner = calloc(1, sizeof(*runner));
    if (runner == NULL)
        return NULL;
    runner->base = base;
    LIST_INIT(&runner->children);
    runner->ended = evsignal_new(base, SIGCHLD, on_ended, runner);
    if (runner->ended == NULL || event_add(runner->ended, NULL) < 0)
        child_runner_free(&runner);
    return runner;
}

void child_runner_free(struct child_runner **runner)
{
    struct child *child;
    if (*runner == NULL)
        return;
    while ((child = LIST_FIRST(&(*runner)->children)) != NULL) {
        LIST_REMOVE(child, link);
        child_kill(child->pid);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        child_free(child);
    }
    if ((*runner)->ended != NULL)
        event_free((*runner)->ended);
    free(*runner);
    *runner = NULL;
}

size_t child_running(const struct child_runner *runner)
{
    return runner->count;
}

/* The events that a command needs while it runs. */
static int watch(struct child *child, int timeout_ms)
{
    struct event_base *base = child->runner->base;
    struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000L};
    child->readable = event_new(base, child->fd, EV_READ | EV_PERSIST, on_readable, child);
    child->timeout = evtimer_new(base, on_timeout, child);
    if (child->readable == NULL || child->timeout == NULL || event_add(child->readable, NULL) < 0 ||
        event_add(child->timeout, &limit) < 0) {
        errno = ENOMEM;
        return -1;
    }
    return 0;
}

/* Pipe, events, process: in that order, so that a process that runs is always watched. */
static int launch(struct child *child, const struct child_command *command)
{
    int fds[2];
    if (child_pipe(fds) < 0)
        return -1;
    child->fd = fds[0];
    child->pid = watch(child, command->timeout_ms) < 0 ? -1 : child_spawn(command, fds[1], fds[1]);
    int saved = errno;
    close(fds[1]);
    errno = saved;
    return child->pid < 0 ? -1 : 0;
}

int child_start_command(struct child_runner *runner, const struct child_command *command,
                        child_done *done, void *arg)
{
    struct child *child = calloc(1, sizeof(*child));
    if (child == NULL)
        return -1;
    *child = (struct child){.runner = runner, .fd = -1, .done = done, .arg = arg};
    if (launch(child, command) < 0) {
        int saved = errno;
        child_free(child);
        errno = saved;
        return -1;
    }
    LIST_INSERT_HEAD(&runner->children, child, link);
    runner->count++;
    return 0;
}

int child_start(struct child_runner *runner, char *const *argv, const void *input, size_t input_len,
                int timeout_ms, child_done *done, void *arg)
{
    const struct child_command command = {
        .argv = argv, .input = input, .input_len = input_len, .timeout_ms = timeout_ms};

    return child_start_command(runner, &command, done, arg);
}
