#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/http.h>

enum { MESSAGE_MAX = 4096, PATIENCE_SECONDS = 5 };

bool ask_address(struct sockaddr_un *address, const char *runtime_directory)
{
    int len;

    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    len = snprintf(address->sun_path, sizeof(address->sun_path), "%s/control.sock",
                   runtime_directory);
    return len > 0 && (size_t)len < sizeof(address->sun_path);
}

static int connect_to(const char *runtime_directory, char *error_r, size_t size)
{
    struct sockaddr_un address;
    struct timeval patience = {PATIENCE_SECONDS, 0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && ask_address(&address, runtime_directory) &&
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        return fd;
    }
    snprintf(error_r, size, "cannot ask posternd at %s/control.sock: %s", runtime_directory,
             strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static ssize_t exchange(int fd, const char *request, char *reply, size_t size)
{
    size_t have = 0;
    ssize_t got = send(fd, request, strlen(request), MSG_NOSIGNAL);

    while (got > 0 && have < size - 1) {
        got = read(fd, reply + have, size - 1 - have);
        if (got > 0)
            have += (size_t)got;
    }
    reply[have] = '\0';
    return got < 0 ? -1 : (ssize_t)have;
}

bool ask_posternd(const char *runtime_directory, const char *verb, const char *what,
                  const char *name, bool *done_r, char *error_r, size_t size)
{
    char request[MESSAGE_MAX];
    char reply[MESSAGE_MAX];
    char *encoded = evhttp_uriencode(name, -1, 0);
    int fd = connect_to(runtime_directory, error_r, size);
    int status = 0;

    if (fd < 0 || encoded == NULL) {
        free(encoded);
        return false;
    }
    snprintf(request, sizeof(request),
             "POST /%s?%s=%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Length: 0\r\n\r\n",
             verb, what, encoded);
    free(encoded);
    if (exchange(fd, request, reply, sizeof(reply)) > 0)
        sscanf(reply, "HTTP/1.%*d %d", &status);
    close(fd);
    *done_r = status == HTTP_OK;
    if (status == HTTP_OK || status == HTTP_NOTFOUND)
        return true;
    snprintf(error_r, size, "posternd did not answer as expected (status %d)", status);
    return false;
}
