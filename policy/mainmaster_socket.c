#include "mainmaster_milter.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "inside.h"

/* Cuts `text` at the first or last `c`; what is behind it goes to rest_r. False: there is none. */
static bool cut(struct slice *text, char c, bool last, struct slice *rest_r)
{
    const char *at = last ? memrchr(text->at, c, text->len) : memchr(text->at, c, text->len);
    if (at == NULL)
        return false;
    *rest_r = (struct slice){at + 1, text->len - (size_t)(at - text->at) - 1};
    text->len = (size_t)(at - text->at);
    return true;
}

static bool copy(char *to, size_t size, struct slice from)
{
    return slice_copy(to, size, from) == from.len;
}

/* Both sides may put an IPv6 address in brackets, with "IPv6:" before it (util/host_port.c). */
static bool copy_host(char *to, size_t size, struct slice host)
{
    if (host.len >= 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
        host = (struct slice){host.at + 1, host.len - 2};
    if (host.len > 5 && strncasecmp(host.at, "IPv6:", 5) == 0)
        host = (struct slice){host.at + 5, host.len - 5};
    return copy(to, size, host);
}

bool mainmaster_socket_parse(const char *text, struct mainmaster_socket *socket_r)
{
    struct slice kind = slice_of(text), place, host;
    *socket_r = (struct mainmaster_socket){0};
    if (!cut(&kind, ':', false, &place))
        return false;
    if (slice_equals(kind, "unix"))
        return place.len > 0 && copy(socket_r->path, sizeof(socket_r->path), place);
    if ((!slice_equals(kind, "inet") && !slice_equals(kind, "inet6")) ||
        !cut(&place, '@', false, &host) || !copy(socket_r->port, sizeof(socket_r->port), place) ||
        !copy_host(socket_r->host, sizeof(socket_r->host), host))
        return false;
    /* It listens on all addresses: this machine's own is one that can be connected to. */
    if (strcmp(socket_r->host, "0.0.0.0") == 0)
        strcpy(socket_r->host, "127.0.0.1");
    if (strcmp(socket_r->host, "::") == 0)
        strcpy(socket_r->host, "::1");
    return *socket_r->host != '\0';
}

/* The part of a path that is inside a directory; NULL: it is not. */
static const char *inside(const char *path, const char *directory)
{
    size_t len = strlen(directory);
    while (len > 0 && directory[len - 1] == '/')
        len--;
    if (len == 0 || strncmp(path, directory, len) != 0 || path[len] != '/')
        return NULL;
    path += len + strspn(path + len, "/");
    return *path != '\0' ? path : NULL;
}

bool mainmaster_socket_inside(const struct mainmaster_socket *socket, const char *queue_directory,
                              struct mainmaster_socket *inside_r)
{
    char where[sizeof(socket->path) + 8], path[INSIDE_PATH_MAX];
    *inside_r = (struct mainmaster_socket){0};
    snprintf(where, sizeof(where), "unix:%s", socket->path);
    return *socket->path != '\0' && queue_directory != NULL &&
           inside_path(queue_directory, where, path) &&
           copy(inside_r->path, sizeof(inside_r->path), slice_of(path));
}

/*
 * Services work in queue_directory (master/single_server.c, multi_server.c), and a chrooted one in
 * what is "/" to it (util/chroot_uid.c): a relative path is right for both.
 */
char *mainmaster_socket_text(const struct mainmaster_socket *socket, const char *queue_directory)
{
    const char *relative = inside(socket->path, queue_directory);
    bool brackets = strchr(socket->host, ':') != NULL;
    char *text;
    int len;
    if (*socket->path != '\0')
        len = asprintf(&text, "unix:%s", relative != NULL ? relative : socket->path);
    else
        len = asprintf(&text, brackets ? "inet:[%s]:%s" : "inet:%s:%s", socket->host, socket->port);
    return len < 0 ? NULL : text;
}

bool mainmaster_socket_visible(const struct mainmaster_socket *socket, const char *queue_directory,
                               bool chrooted)
{
    return !chrooted || *socket->path == '\0' || inside(socket->path, queue_directory) != NULL;
}

static bool is_path(const char *path, struct slice found, const char *queue_directory,
                    bool chrooted)
{
    const char *relative = inside(path, queue_directory);
    if (slice_equals(found, path))
        return true;
    if (relative == NULL || found.len == 0)
        return false;
    if (found.at[0] == '/' && chrooted)
        found = (struct slice){found.at + 1, found.len - 1};
    return slice_equals(found, relative);
}

static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "::1") == 0;
}

/* "localhost" may be either address; the two addresses are not the same. */
static bool is_host(const char *host, const char *found)
{
    bool names = strcasecmp(host, "localhost") == 0 || strcasecmp(found, "localhost") == 0;
    return strcasecmp(host, found) == 0 || (names && is_loopback(host) && is_loopback(found));
}

/* "HOST:PORT", ":PORT" or "PORT"; without a host it is localhost (util/inet_connect.c). */
static bool is_address(const struct mainmaster_socket *socket, struct slice found)
{
    struct slice host = found, port = found;
    char name[sizeof(socket->host)] = "localhost";
    if (cut(&host, ':', true, &port) && host.len > 0 && !copy_host(name, sizeof(name), host))
        return false;
    return slice_equals(port, socket->port) && is_host(socket->host, name);
}

bool mainmaster_socket_is(const struct mainmaster_socket *socket, struct slice endpoint,
                          const char *queue_directory, bool chrooted)
{
    struct slice place;
    if (!cut(&endpoint, ':', false, &place))
        return false;
    if (slice_equals(endpoint, "inet"))
        return *socket->path == '\0' && is_address(socket, place);
    /* "local" is another word for it (milter/milter8.c, milter8_connect()). */
    return (slice_equals(endpoint, "unix") || slice_equals(endpoint, "local")) &&
           *socket->path != '\0' && is_path(socket->path, place, queue_directory, chrooted);
}
