/* Whether Postfix's services reach a socket of ours by the name that main.cf has for it. */
#include "doctor_parts.h"

#include <stdlib.h>
#include <string.h>

bool doctor_socket_read(const struct patient *p, const char *text, struct doctor_socket *socket_r)
{
    const char *queue = postfix_queue_directory(p->plan.postfix);

    *socket_r = (struct doctor_socket){.text = text};
    if (text[0] == '\0' || !mainmaster_socket_parse(text, &socket_r->place))
        return false;
    mainmaster_socket_inside(&socket_r->place, queue, &socket_r->inside);
    socket_r->runs = setup_milter_runs(text);
    socket_r->is_inside = socket_r->runs && setup_milter_inside(text, queue);
    return true;
}

bool doctor_chrooted(const struct patient *p, unsigned place)
{
    return p->edited && (p->plan.milters.chrooted & place) != 0;
}

static bool names(const struct patient *p, const struct mainmaster_socket *socket,
                  struct slice endpoint)
{
    const char *queue = postfix_queue_directory(p->plan.postfix);

    return mainmaster_socket_is(socket, endpoint, queue, true) ||
           mainmaster_socket_is(socket, endpoint, queue, false);
}

bool doctor_socket_named(const struct patient *p, const struct doctor_socket *socket,
                         struct slice endpoint)
{
    return names(p, &socket->place, endpoint) || names(p, &socket->inside, endpoint);
}

bool doctor_socket_seen(const struct patient *p, const struct doctor_socket *socket, unsigned place)
{
    return socket->is_inside ||
           mainmaster_socket_visible(&socket->place, postfix_queue_directory(p->plan.postfix),
                                     doctor_chrooted(p, place));
}

const char *doctor_socket_path(const struct doctor_socket *socket)
{
    return socket->is_inside ? socket->inside.path : socket->place.path;
}

/* The list with another name for the socket. */
static void say_other_name(struct patient *p, const struct doctor_socket *socket,
                           const char *program, const char *setting, const char *list,
                           struct slice endpoint)
{
    const char *queue = postfix_queue_directory(p->plan.postfix);
    char *text = mainmaster_socket_text(&socket->inside, queue);
    char postconf[DOCTOR_PATH_MAX];
    char type[DOCTOR_PATH_MAX * 2];
    char restart[200] = "";

    if (!socket->is_inside)
        snprintf(restart, sizeof(restart), "systemctl restart %s && ", program);
    snprintf(type, sizeof(type), "%s%s -e '%s = %.*s%s%s' && postfix reload", restart,
             doctor_postconf_command(p, postconf, sizeof(postconf)), setting,
             (int)(endpoint.at - list), list, text ? text : "", endpoint.at + endpoint.len);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "%s has %.*s, which chrooted services do not reach; %s is %s to them, and to others",
               setting, (int)endpoint.len, endpoint.at, program, text ? text : "");
    free(text);
}

bool doctor_socket_check(struct patient *p, const struct doctor_socket *socket, const char *program,
                         unsigned place, const char *setting, const char *list,
                         struct slice endpoint)
{
    char type[200];
    bool inside = names(p, &socket->inside, endpoint);

    if (inside ? socket->is_inside
               : mainmaster_socket_visible(&socket->place, postfix_queue_directory(p->plan.postfix),
                                           doctor_chrooted(p, place)))
        return true;
    snprintf(type, sizeof(type), "systemctl restart %s", program);
    if (inside)
        doctor_say(p, DOCTOR_PROBLEM, type,
                   "Postfix asks %s at %s, and it does not listen there; if a restart does not "
                   "help its log says why",
                   program, socket->inside.path);
    else if (socket->inside.path[0])
        say_other_name(p, socket, program, setting, list, endpoint);
    return false;
}
