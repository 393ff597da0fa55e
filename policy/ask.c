#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/http.h>

enum { HEAD_MAX = 8192, REPLY_MAX = 1 << 20, PATIENCE_SECONDS = 5 };

bool ask_address(struct sockaddr_un *address, const char *runtime_directory)
{
    int len;

    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    len = snprintf(address->sun_path, sizeof(address->sun_path), "%s/control.sock",
                   runtime_directory);
    return len > 0 && (size_t)len < sizeof(address->sun_path);
}

static int connect_to(const char *runtime_directory, int patience_seconds, char *error_r,
                      size_t size)
{
    struct sockaddr_un address;
    struct timeval patience = {patience_seconds, 0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && ask_address(&address, runtime_directory) &&
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        return fd;
    }
    snprintf(error_r, size, "cannot ask posternd at %s/control.sock: %s", runtime_directory,
             strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* To the end of the connection: posternd closes it behind its answer. NULL: none came in time. */
static char *receive(int fd)
{
    char *reply = malloc(REPLY_MAX + 1);
    size_t have = 0;
    ssize_t got = 1;

    while (reply && got > 0 && have < REPLY_MAX) {
        got = read(fd, reply + have, REPLY_MAX - have);
        if (got > 0)
            have += (size_t)got;
    }
    if (reply == NULL || got < 0) {
        free(reply);
        return NULL;
    }
    reply[have] = '\0';
    return reply;
}

/* The answer with its header, to be freed; *status_r is 0 when it has none. */
static char *exchange(int fd, const char *path, const char *body, int *status_r)
{
    char head[HEAD_MAX];
    char *reply = NULL;
    int len = snprintf(head, sizeof(head),
                       "POST /%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       path, strlen(body));

    *status_r = 0;
    if ((size_t)len < sizeof(head) && send_all(fd, head, (size_t)len) &&
        send_all(fd, body, strlen(body)))
        reply = receive(fd);
    if (reply)
        sscanf(reply, "HTTP/1.%*d %d", status_r);
    return reply;
}

/* The body of an answer that makes sense, or NULL with a line in error_r. */
static json_t *understand(const char *reply, int status, char *error_r, size_t size)
{
    const char *body = reply ? strstr(reply, "\r\n\r\n") : NULL;
    json_t *json = body ? json_loads(body + 4, 0, NULL) : NULL;

    if (json && (status == HTTP_OK || status == HTTP_NOTFOUND))
        return json;
    json_decref(json);
    snprintf(error_r, size, "posternd did not answer as expected (status %d)", status);
    return NULL;
}

static json_t *ask(const char *runtime_directory, const char *path, const char *body, char *error_r,
                   size_t size)
{
    int fd = connect_to(runtime_directory, PATIENCE_SECONDS, error_r, size);
    json_t *answer;
    char *reply;
    int status;

    if (fd < 0)
        return NULL;
    reply = exchange(fd, path, body, &status);
    close(fd);
    answer = understand(reply, status, error_r, size);
    free(reply);
    return answer;
}

bool ask_posternd(const char *runtime_directory, const char *verb, const char *what,
                  const char *name, bool *done_r, char *error_r, size_t size)
{
    char path[HEAD_MAX / 2];
    char *encoded = evhttp_uriencode(name, -1, 0);
    json_t *answer;

    if (encoded == NULL) {
        snprintf(error_r, size, "out of memory");
        return false;
    }
    snprintf(path, sizeof(path), "%s?%s=%s", verb, what, encoded);
    free(encoded);
    answer = ask(runtime_directory, path, "", error_r, size);
    *done_r = json_is_true(json_object_get(answer, "done"));
    json_decref(answer);
    return answer != NULL;
}

json_t *ask_json(const char *runtime_directory, const char *path, const json_t *body, char *error_r,
                 size_t size)
{
    char *text = json_dumps(body, JSON_COMPACT);
    json_t *answer = NULL;

    if (text)
        answer = ask(runtime_directory, path, text, error_r, size);
    else
        snprintf(error_r, size, "out of memory");
    free(text);
    return answer;
}

char *ask_text(const char *runtime_directory, const char *path, char *error_r, size_t size)
{
    int fd = connect_to(runtime_directory, PATIENCE_SECONDS, error_r, size);
    const char *body;
    char *text;
    char *reply;
    int status;

    if (fd < 0)
        return NULL;
    reply = exchange(fd, path, "", &status);
    close(fd);
    body = reply ? strstr(reply, "\r\n\r\n") : NULL;
    text = body && status == HTTP_OK ? strdup(body + 4) : NULL;
    if (text == NULL)
        snprintf(error_r, size, "posternd did not answer as expected (status %d)", status);
    free(reply);
    return text;
}

pid_t ask_whom(const char *runtime_directory)
{
    char error[512];
    int fd = connect_to(runtime_directory, PATIENCE_SECONDS, error, sizeof(error));
    struct ucred who;
    socklen_t len = sizeof(who);
    bool known = fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0;

    if (fd >= 0)
        close(fd);
    return known ? who.pid : 0;
}
