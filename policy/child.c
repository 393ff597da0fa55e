#include "child_spawn.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long to wait before asking again whether the command has ended. */
enum { STEP_READING_MS = 50, STEP_CLOSED_MS = 2 };

/* One captured stream. */
struct capture {
    int fds[2]; /* [0] is ours; -1 when closed */
    char *bytes;
    size_t len;
};

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Takes what is there now; what does not fit is thrown away. Closes the stream at its end. */
static void capture_read(struct capture *capture)
{
    char chunk[16384];
    ssize_t n;
    while (capture->fds[0] >= 0 && (n = read(capture->fds[0], chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break;
        size_t room = CHILD_OUTPUT_MAX - capture->len;
        size_t len = (size_t)n < room ? (size_t)n : room;
        memcpy(capture->bytes + capture->len, chunk, len);
        capture->len += len;
    }
    close_fd(&capture->fds[0]);
}

/* Waits for output, or a moment; poll() skips a descriptor of -1. */
static void wait_for_output(struct capture captures[2], int64_t left)
{
    struct pollfd fds[2] = {{.fd = captures[0].fds[0], .events = POLLIN},
                            {.fd = captures[1].fds[0], .events = POLLIN}};
    int64_t step = fds[0].fd < 0 && fds[1].fd < 0 ? STEP_CLOSED_MS : STEP_READING_MS;
    poll(fds, 2, (int)(left < step ? left : step));
}

/*
 * Until the command itself has ended. A program it left in the background may keep the pipes open
 * for as long as it likes (`postfix reload` starts one), so their end is not waited for.
 */
static void wait_for_end(pid_t pid, int timeout_ms, struct capture captures[2],
                         struct child_end *end)
{
    int64_t deadline = clock_ms() + timeout_ms;
    bool timed_out = false;
    int wait_status = 0;
    pid_t got;
    while ((got = waitpid(pid, &wait_status, WNOHANG)) != pid) {
        if (got < 0 && errno != EINTR) {
            end->error = errno;
            return;
        }
        int64_t left = deadline - clock_ms();
        if (left <= 0 && !timed_out) {
            child_kill(pid);
            timed_out = true;
        }
        wait_for_output(captures, left > 0 ? left : STEP_CLOSED_MS);
        capture_read(&captures[0]);
        capture_read(&captures[1]);
    }
    capture_read(&captures[0]);
    capture_read(&captures[1]);
    child_set_end(end, wait_status, timed_out);
}

/* A process that ignores SIGCHLD gets no exit statuses (waitpid(2)); posternctl may inherit that.
 */
static void want_exit_statuses(void)
{
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

static void run(const struct child_command *command, struct capture captures[2],
                struct child_end *end)
{
    pid_t pid = -1;
    want_exit_statuses();
    if (command->show_output)
        pid = child_spawn(command, STDOUT_FILENO, STDERR_FILENO);
    else if (child_pipe(captures[0].fds) == 0 && child_pipe(captures[1].fds) == 0)
        pid = child_spawn(command, captures[0].fds[1], captures[1].fds[1]);
    end->error = pid < 0 ? errno : 0;
    close_fd(&captures[0].fds[1]);
    close_fd(&captures[1].fds[1]);
    if (pid > 0)
        wait_for_end(pid, command->timeout_ms, captures, end);
    close_fd(&captures[0].fds[0]);
    close_fd(&captures[1].fds[0]);
}

struct child_result *child_run(const struct child_command *command)
{
    struct child_result *result = malloc(sizeof(*result));
    if (result == NULL)
        return NULL;
    struct capture captures[2] = {{.fds = {-1, -1}, .bytes = result->output},
                                  {.fds = {-1, -1}, .bytes = result->errors}};
    result->end = (struct child_end){.status = -1};
    run(command, captures, &result->end);
    result->output_len = captures[0].len;
    result->output[captures[0].len] = '\0';
    result->errors[captures[1].len] = '\0';
    result->end.text = result->errors;
    result->end.text_len = captures[1].len;
    return result;
}

/* Puts text on one line, without control characters or space at its end. */
static void flatten(char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = ' ';
    while (len > 0 && text[len - 1] == ' ')
        text[--len] = '\0';
}

void child_explain(const struct child_end *end, char *buffer, size_t size)
{
    const char *text = end->text != NULL ? end->text : "";
    const char *colon = *text != '\0' ? ": " : "";
    if (end->status >= 0)
        snprintf(buffer, size, "exit status %d%s%s", end->status, colon, text);
    else if (end->error == ETIMEDOUT)
        snprintf(buffer, size, "did not end within its time%s%s", colon, text);
    else if (end->error == ECANCELED)
        snprintf(buffer, size, "was killed by signal %d%s%s", end->signal, colon, text);
    else
        snprintf(buffer, size, "could not be run: %s", strerror(end->error));
    flatten(buffer);
}
