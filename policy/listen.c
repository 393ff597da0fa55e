#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "slice.h"

enum { BACKLOG = 4096, HOST_MAX = 256 };

static const char UNIX[] = "unix:";
static const char INET[] = "inet:";

/* What stands behind the prefix, or NULL. */
static const char *after(const char *where, const char *prefix)
{
    return slice_starts(slice_of(where), prefix) ? where + strlen(prefix) : NULL;
}

const char *listen_path(const char *where)
{
    return after(where, UNIX);
}

static int new_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Closes what could not be used, and keeps errno. */
static int give_up(int fd)
{
    int saved_errno = errno;

    close(fd);
    errno = saved_errno;
    return -1;
}

void listen_remove(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
}

/* False, with errno, when the path is too long. */
static bool fill_in(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    errno = ENAMETOOLONG;
    if (strlen(path) >= sizeof(address->sun_path))
        return false;
    slice_copy(address->sun_path, sizeof(address->sun_path), slice_of(path));
    return true;
}

static int open_unix(const char *path)
{
    struct sockaddr_un address;
    mode_t mask;
    int bound;
    int fd;

    if (!fill_in(&address, path))
        return -1;
    fd = new_socket(AF_UNIX);
    if (fd < 0)
        return -1;
    listen_remove(path);
    mask = umask(0111);
    bound = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    umask(mask);
    return bound == 0 && listen(fd, BACKLOG) == 0 ? fd : give_up(fd);
}

static int open_address(const struct addrinfo *address)
{
    int fd = new_socket(address->ai_family);
    int on = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    return give_up(fd);
}

/* Takes "HOST:PORT" apart. */
static bool split(const char *text, char host_r[HOST_MAX], const char **port_r)
{
    const char *colon = strrchr(text, ':');
    struct slice host;

    if (colon == NULL)
        return false;
    host = (struct slice){text, (size_t)(colon - text)};
    if (host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
        host = (struct slice){host.at + 1, host.len - 2};
    if (host.len == 0 || host.len >= HOST_MAX)
        return false;
    slice_copy(host_r, HOST_MAX, host);
    *port_r = colon + 1;
    return true;
}

/* The first of the host's addresses that will do. */
static int open_inet(const char *text, const char **problem_r)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list;
    char host[HOST_MAX];
    const char *port;
    int error;
    int fd = -1;

    errno = EINVAL;
    if (!split(text, host, &port))
        return -1;
    error = getaddrinfo(host, port, &hints, &list);
    if (error) {
        *problem_r = gai_strerror(error);
        return -1;
    }
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = open_address(a);
    freeaddrinfo(list);
    return fd;
}

int listen_open(const char *where, char *error_r, size_t size)
{
    const char *path = listen_path(where);
    const char *inet = after(where, INET);
    const char *problem = NULL;
    int fd = -1;

    errno = EINVAL;
    if (path)
        fd = open_unix(path);
    else if (inet)
        fd = open_inet(inet, &problem);
    if (fd < 0)
        snprintf(error_r, size, "%s: cannot listen there: %s", where,
                 problem ? problem : strerror(errno));
    return fd;
}

bool listen_alive(const char *where)
{
    const char *path = listen_path(where);
    struct sockaddr_un address;
    bool alive;
    int fd;

    if (path == NULL || !fill_in(&address, path))
        return false;
    fd = new_socket(AF_UNIX);
    if (fd < 0)
        return false;
    /* EAGAIN: it has much to do. */
    alive = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN;
    close(fd);
    return alive;
}
