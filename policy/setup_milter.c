/* Postern's milters: which of them run, whether Postfix can reach them, and what to say of it. */
#include "setup_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inside.h"
#include "listen.h"

enum { CONNECT_TIMEOUT_MS = 5000 };

/* What people have to know of each. */
static const struct {
    const char *program;
    const char *missed; /* while it is not asked */
} milters[MAINMASTER_MILTERS] = {
    [MAINMASTER_EARLYNDR] = {"postern-earlyndr", "no early NDRs"},
    [MAINMASTER_RETRYCAP] = {"postern-retrycap",
                             "mail for a destination that is down is accepted like any other"},
    [MAINMASTER_RCPTLIMIT] = {"postern-rcptlimit",
                              "no limits of recipients at the door but those of the policy "
                              "service"},
};

/* --- Who runs --- */

static bool connects(int family, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0;
    socklen_t size = sizeof(error);
    if (fd < 0)
        return false;
    /* EAGAIN: no port of ours is free, which says nothing of theirs. */
    bool ok = connect(fd, address, len) == 0 || errno == EAGAIN;
    if (!ok && errno == EINPROGRESS) {
        struct pollfd wait = {.fd = fd, .events = POLLOUT};
        ok = poll(&wait, 1, CONNECT_TIMEOUT_MS) == 1 &&
             getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
    }
    close(fd);
    return ok;
}

static bool connects_unix(const struct mainmaster_socket *socket)
{
    char where[sizeof(socket->path) + 8];
    snprintf(where, sizeof(where), "unix:%s", socket->path);
    return listen_alive(where);
}

static bool connects_inet(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list;
    bool ok = false;
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return false;
    for (const struct addrinfo *a = list; a != NULL && !ok; a = a->ai_next)
        ok = connects(a->ai_family, a->ai_addr, a->ai_addrlen);
    freeaddrinfo(list);
    return ok;
}

bool setup_milter_runs(const char *text)
{
    struct mainmaster_socket socket;
    if (!mainmaster_socket_parse(text, &socket))
        return false;
    return *socket.path != '\0' ? connects_unix(&socket) : connects_inet(socket.host, socket.port);
}

/* A socket of the same name inside may be another milter's: the link tells whose it is. */
bool setup_milter_inside(const char *text, const char *queue_directory)
{
    char path[INSIDE_PATH_MAX];
    return queue_directory != NULL && inside_path(queue_directory, text, path) &&
           inside_leads(text, path) && setup_milter_runs(text);
}

/* --- What is wanted --- */

/* "-" in the column chroot of master.cf means "y" below level 1 (master/master_ent.c). */
static bool chrooted_by_default(const struct setup_plan *plan)
{
    char *level = setup_postconf(plan, "-hx", "compatibility_level");
    bool chrooted = level == NULL || strtol(level, NULL, 10) < 1;
    free(level);
    return chrooted;
}

struct mainmaster_milters setup_milter_want(const struct setup_plan *plan)
{
    const struct config *config = plan->config;
    enum when_down when_down = config_when_down(config);
    struct mainmaster_milters want = {.queue_directory = postfix_queue_directory(plan->postfix),
                                      .retrycap_refuses = when_down != WHEN_DOWN_WARN};
    if (config_early_mode(config) != EARLY_OFF && *config_earlyndr_socket(config) != '\0')
        want.sockets[MAINMASTER_EARLYNDR] = config_earlyndr_socket(config);
    if (when_down != WHEN_DOWN_ACCEPT && *config_retrycap_socket(config) != '\0')
        want.sockets[MAINMASTER_RETRYCAP] = config_retrycap_socket(config);
    if (config_inbound_count(config) > 0 && *config_rcptlimit_socket(config) != '\0')
        want.sockets[MAINMASTER_RCPTLIMIT] = config_rcptlimit_socket(config);
    for (size_t i = 0; i < MAINMASTER_MILTERS; i++)
        if (want.sockets[i] != NULL) {
            want.running[i] = setup_milter_runs(want.sockets[i]);
            want.inside[i] = setup_milter_inside(want.sockets[i], want.queue_directory);
        }
    want.chrooted = mainmaster_chrooted(plan->master.before, chrooted_by_default(plan));
    return want;
}

/* --- What there is to say --- */

static void remark_idle(const struct setup_plan *plan, size_t milter)
{
    char command[SETUP_COMMAND_MAX];
    setup_command(plan, "--apply", command, sizeof(command));
    printf("Remark: %s is not running on %s: start it, then run\n    %s\n"
           "again; until then: %s.\n",
           milters[milter].program, plan->milters.sockets[milter], command, milters[milter].missed);
}

/* The services whose chroot is in the way. Restarting helps when queue_directory has changed. */
static void remark_unreachable(const struct setup_plan *plan, size_t milter, unsigned places)
{
    char command[SETUP_COMMAND_MAX];
    bool smtpd = (places & MAINMASTER_AT_SMTPD) != 0, cleanup = (places & MAINMASTER_AT_CLEANUP);
    const char *services = smtpd && cleanup ? "smtpd and cleanup" : smtpd ? "smtpd" : "cleanup";
    setup_command(plan, "--apply", command, sizeof(command));
    printf("Remark: %s is not connected: in %s the services that run %s are chrooted, and cannot "
           "reach %s; it has no socket in %s/postern. Restart it, and put right what its log says "
           "of that, if it does; then run\n    %s\nagain; until then: %s.\n",
           milters[milter].program, plan->master.path, services, plan->milters.sockets[milter],
           plan->milters.queue_directory, command, milters[milter].missed);
}

void setup_milter_remarks(const struct setup_plan *plan)
{
    unsigned asked = 0;
    for (size_t i = 0; i < MAINMASTER_MILTERS; i++) {
        const struct mainmaster_milter_result *result = &plan->main.edit.milters[i];
        if (result->idle != 0)
            remark_idle(plan, i);
        if (result->unreachable != 0)
            remark_unreachable(plan, i, result->unreachable);
        asked |= result->connected;
    }
    if ((asked & MAINMASTER_AT_SMTPD) != 0)
        setup_remark_override(plan, "smtpd_milters", "Postern's milters are not asked there");
    if ((asked & MAINMASTER_AT_CLEANUP) != 0)
        setup_remark_override(plan, "non_smtpd_milters", "Postern's milters are not asked there");
}

/* --- Whether Postfix has it --- */

/* The settings behind the socket need no look: they are written in one piece. */
static bool result_has(const struct setup_plan *plan, unsigned place, const char *entry)
{
    const char *setting = mainmaster_milter_setting(place);
    char *value = setup_postconf(plan, "-h", setting);
    bool ok = value != NULL && entry != NULL && strstr(value, entry) != NULL;
    if (!ok)
        setup_complain("Postfix does not see Postern's milter %s: %s is \"%.*s\"",
                       entry != NULL ? entry : "", setting,
                       value != NULL ? (int)strcspn(value, "\n") : 0, value != NULL ? value : "");
    free(value);
    return ok;
}

static bool result_names(const struct setup_plan *plan, unsigned place, size_t milter,
                         const struct mainmaster_socket *socket)
{
    const char *queue = plan->milters.queue_directory;
    struct mainmaster_socket inside;
    if ((plan->main.edit.milters[milter].inside & place) != 0 &&
        mainmaster_socket_inside(socket, queue, &inside))
        socket = &inside;
    char *text = mainmaster_socket_text(socket, queue);
    bool ok = result_has(plan, place, text);
    free(text);
    return ok;
}

bool setup_milter_result(const struct setup_plan *plan)
{
    bool ok = true;
    for (size_t i = 0; i < MAINMASTER_MILTERS && ok; i++) {
        unsigned places = plan->main.edit.milters[i].connected;
        struct mainmaster_socket socket;
        if (places == 0 || !mainmaster_socket_parse(plan->milters.sockets[i], &socket))
            continue;
        for (unsigned place = MAINMASTER_AT_SMTPD; place <= MAINMASTER_AT_CLEANUP; place *= 2)
            ok = ok && ((places & place) == 0 || result_names(plan, place, i, &socket));
        if ((places & MAINMASTER_AT_BOUNCES) != 0)
            ok = ok && result_has(plan, MAINMASTER_AT_BOUNCES, "bounce");
    }
    return ok;
}
