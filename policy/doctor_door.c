/* What smtpd(8) and cleanup(8) ask: the milters and the policy service. */
#include "doctor_parts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "postfix_list.h"

/* A milter, and what is known of it. */
struct milter {
    const char *program;
    size_t number;    /* as setup has it */
    const char *text; /* of its socket, in postern.conf */
    bool wanted;
    bool at_cleanup; /* it wants other mail, too */
    struct doctor_socket socket;
};

enum { MILTERS_COUNT = 3 };

static void find_milters(const struct patient *p, struct milter *list)
{
    const struct config *c = p->config;

    list[0] = (struct milter){.program = "postern-earlyndr",
                              .number = MAINMASTER_EARLYNDR,
                              .text = config_earlyndr_socket(c),
                              .wanted = config_early_mode(c) != EARLY_OFF,
                              .at_cleanup = true};
    list[1] = (struct milter){.program = "postern-rcptlimit",
                              .number = MAINMASTER_RCPTLIMIT,
                              .text = config_rcptlimit_socket(c),
                              .wanted = config_inbound_count(c) > 0};
    list[2] = (struct milter){.program = "postern-retrycap",
                              .number = MAINMASTER_RETRYCAP,
                              .text = config_retrycap_socket(c),
                              .wanted = config_when_down(c) != WHEN_DOWN_ACCEPT,
                              .at_cleanup = config_when_down(c) == WHEN_DOWN_WARN};
    for (size_t i = 0; i < MILTERS_COUNT; i++)
        list[i].wanted = list[i].wanted && doctor_socket_read(p, list[i].text, &list[i].socket);
}

/* Where a milter stands in a list; false: nowhere. */
static bool find_entry(const struct patient *p, const struct milter *m, const char *list,
                       size_t *n_r, struct slice *entry_r)
{
    for (*n_r = 0; (*entry_r = postfix_list_next(&list)).len > 0; ++*n_r)
        if (doctor_socket_named(p, &m->socket, postfix_list_endpoint(*entry_r)))
            return true;
    return false;
}

/* In the administrator's own list: setup does not have it, nor would it. */
static bool is_by_hand(const struct patient *p, const struct milter *m, unsigned place)
{
    const struct mainmaster_milter_result *result = &p->plan.main.edit.milters[m->number];

    return p->edited && ((result->connected | result->idle | result->unreachable) & place) == 0;
}

/* --- It is connected --- */

/* Whatever is set for all milters: ours are not to be missed. */
static void check_action(struct patient *p, const struct milter *m, unsigned place,
                         const char *list, size_t n, struct slice entry)
{
    const char *setting = mainmaster_milter_setting(place);
    struct slice own = doctor_entry_setting(entry, "default_action");
    struct slice endpoint = postfix_list_endpoint(entry);
    char *all = doctor_postconf(p, "milter_default_action");
    char postconf[DOCTOR_PATH_MAX];
    char with[600];
    char value[2000];
    char type[DOCTOR_PATH_MAX * 2];

    if (!slice_equals(own.len > 0 ? own : slice_of(all), "accept")) {
        snprintf(with, sizeof(with), "{ %.*s, default_action=accept }", (int)endpoint.len,
                 endpoint.at);
        doctor_list_replaced(list, n, with, value, sizeof(value));
        snprintf(type, sizeof(type), "%s -e '%s = %s' && postfix reload",
                 doctor_postconf_command(p, postconf, sizeof(postconf)), setting, value);
        doctor_say(p, DOCTOR_PROBLEM, type,
                   "%s names %s without default_action=accept, and milter_default_action is %s: "
                   "mail is not taken while it is stopped",
                   setting, m->program, all);
    }
    free(all);
}

static void say_stopped(struct patient *p, const struct milter *m)
{
    char type[200];

    snprintf(type, sizeof(type), "systemctl enable --now %s", m->program);
    doctor_say(p, DOCTOR_PROBLEM, type, "%s is connected, but does not run on %s", m->program,
               m->text);
}

/* --- It is not --- */

static void say_chroot(struct patient *p, const struct milter *m)
{
    char setup[SETUP_COMMAND_MAX];
    char type[SETUP_COMMAND_MAX + 100];

    doctor_setup_command(p, setup);
    snprintf(type, sizeof(type), "systemctl restart %s && %s", m->program, setup);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "smtpd or cleanup is chrooted, and cannot reach %s on %s: it has no socket in "
               "%s/postern; if a restart does not help its log says why",
               m->program, m->text, postfix_queue_directory(p->plan.postfix));
}

static void say_unconnected(struct patient *p, const struct milter *m)
{
    char type[SETUP_COMMAND_MAX];

    doctor_setup_command(p, type);
    doctor_say(p, DOCTOR_PROBLEM, type, "%s runs, but Postfix does not ask it (smtpd_milters)",
               m->program);
}

/* --- One milter --- */

static void check_list(struct patient *p, const struct milter *m, unsigned place, bool *named_r)
{
    char *list = doctor_postconf(p, mainmaster_milter_setting(place));
    struct slice entry;
    size_t n;

    *named_r = find_entry(p, m, list, &n, &entry);
    if (*named_r)
        check_action(p, m, place, list, n, entry);
    if (*named_r && m->socket.runs && is_by_hand(p, m, place))
        doctor_socket_check(p, &m->socket, m->program, place, mainmaster_milter_setting(place),
                            list, postfix_list_endpoint(entry));
    else if (m->socket.runs && !doctor_socket_seen(p, &m->socket, place))
        say_chroot(p, m);
    else if (m->socket.runs && !*named_r && place == MAINMASTER_AT_SMTPD)
        say_unconnected(p, m);
    free(list);
}

static void check_milter(struct patient *p, const struct milter *m)
{
    bool at_smtpd = false;
    bool at_cleanup = false;
    unsigned before = (unsigned)json_array_size(p->checks);

    check_list(p, m, MAINMASTER_AT_SMTPD, &at_smtpd);
    if (m->at_cleanup && json_array_size(p->checks) == before)
        check_list(p, m, MAINMASTER_AT_CLEANUP, &at_cleanup);
    if ((at_smtpd || at_cleanup) && !m->socket.runs)
        say_stopped(p, m);
    else if (m->socket.runs && doctor_socket_path(&m->socket)[0])
        doctor_check_path(p, &p->postfix, doctor_socket_path(&m->socket), W_OK);
}

void doctor_milters(struct patient *p)
{
    struct milter list[MILTERS_COUNT];

    find_milters(p, list);
    for (size_t i = 0; i < MILTERS_COUNT; i++)
        if (list[i].wanted)
            check_milter(p, &list[i]);
}

/* --- Early reports --- */

void doctor_early(struct patient *p)
{
    struct milter list[MILTERS_COUNT];
    char setup[SETUP_COMMAND_MAX];
    char type[SETUP_COMMAND_MAX + 100];
    char why[512];

    find_milters(p, list);
    if (config_early_mode(p->config) == EARLY_OFF ||
        postfix_reports_filtered(p->plan.postfix, why, sizeof(why)))
        return;
    doctor_setup_command(p, setup);
    snprintf(type, sizeof(type), "systemctl enable --now postern-earlyndr && %s", setup);
    doctor_say(p, list[0].socket.runs ? DOCTOR_PROBLEM : DOCTOR_NOTE,
               list[0].socket.runs ? setup : type, "bounced recipients are not reported early: %s",
               why);
}

/* --- The policy service --- */

/* "inet:HOST:PORT" is what a milter calls "inet:PORT@HOST". */
static bool read_policy(const struct patient *p, struct doctor_socket *socket_r, char *text,
                        size_t size)
{
    const char *where = config_policy_socket(p->config);
    const char *colon = strrchr(where, ':');

    if (strncmp(where, "inet:", 5) == 0 && colon > where + 4)
        snprintf(text, size, "inet:%s@%.*s", colon + 1, (int)(colon - where - 5), where + 5);
    else
        snprintf(text, size, "%s", where);
    return doctor_socket_read(p, text, socket_r);
}

/* The entry of one of smtpd's lists of restrictions that names our service. */
struct policy_entry {
    const char *setting;
    char *list; /* to be freed */
    struct slice entry;
};

static bool find_policy(const struct patient *p, const struct doctor_socket *socket,
                        struct policy_entry *found_r)
{
    static const char *const settings[] = {
        "smtpd_recipient_restrictions",   "smtpd_relay_restrictions",
        "smtpd_end_of_data_restrictions", "smtpd_data_restrictions",
        "smtpd_sender_restrictions",      "smtpd_helo_restrictions",
        "smtpd_client_restrictions"};

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        *found_r = (struct policy_entry){settings[i], doctor_postconf(p, settings[i]), {NULL, 0}};
        for (size_t n = 0; doctor_policy_entry(found_r->list, n, &found_r->entry); n++)
            if (doctor_socket_named(p, socket, postfix_list_endpoint(found_r->entry)))
                return true;
        free(found_r->list);
    }
    found_r->list = NULL;
    return false;
}

static void check_policy_action(struct patient *p, struct slice entry)
{
    struct slice own = doctor_entry_setting(entry, "default_action");
    char *all = doctor_postconf(p, "smtpd_policy_service_default_action");
    char postconf[DOCTOR_PATH_MAX];
    char type[DOCTOR_PATH_MAX + 100];

    if (strncasecmp(own.len > 0 ? own.at : all, "DUNNO", 5) != 0) {
        snprintf(type, sizeof(type),
                 "%s -e 'smtpd_policy_service_default_action = DUNNO' && postfix reload",
                 doctor_postconf_command(p, postconf, sizeof(postconf)));
        doctor_say(p, DOCTOR_PROBLEM, type,
                   "the policy service is connected without default_action=DUNNO (\"%.100s\" "
                   "applies): recipients are refused while posternd is stopped",
                   all);
    }
    free(all);
}

static void check_policy_place(struct patient *p, const struct doctor_socket *socket,
                               const struct policy_entry *found)
{
    if (!socket->runs)
        doctor_say(p, DOCTOR_PROBLEM, "systemctl restart posternd",
                   "Postfix asks the policy service on %s, but nobody listens there",
                   config_policy_socket(p->config));
    else if (doctor_socket_check(p, socket, "posternd", MAINMASTER_AT_SMTPD, found->setting,
                                 found->list, postfix_list_endpoint(found->entry)) &&
             doctor_socket_path(socket)[0])
        doctor_check_path(p, &p->postfix, doctor_socket_path(socket), W_OK);
}

static bool policy_is_asked(const struct patient *p)
{
    struct doctor_socket socket;
    struct policy_entry found;
    char text[600];
    bool asked;

    if (!read_policy(p, &socket, text, sizeof(text)))
        return false;
    asked = find_policy(p, &socket, &found);
    free(found.list);
    return asked;
}

void doctor_policy(struct patient *p)
{
    struct doctor_socket socket;
    struct policy_entry found;
    char text[600];

    if (!read_policy(p, &socket, text, sizeof(text)) || !find_policy(p, &socket, &found))
        return;
    check_policy_action(p, found.entry);
    check_policy_place(p, &socket, &found);
    free(found.list);
}

/* --- Limits at our own door --- */

void doctor_limits(struct patient *p)
{
    struct milter list[MILTERS_COUNT];
    char setup[SETUP_COMMAND_MAX];
    char type[SETUP_COMMAND_MAX + 100];

    find_milters(p, list);
    if (config_inbound_count(p->config) == 0 || list[1].socket.runs || policy_is_asked(p))
        return;
    doctor_setup_command(p, setup);
    snprintf(type, sizeof(type), "systemctl enable --now postern-rcptlimit && %s", setup);
    doctor_say(p, DOCTOR_PROBLEM, type,
               "recipient_limits.inbound has limits, but nobody applies them: postern-rcptlimit "
               "does not run, and smtpd does not ask the policy service");
}

/* Each recipient that is refused is an error of the client's (smtpd/smtpd.c). */
void doctor_error_limit(struct patient *p)
{
    enum { FEW = 100 };
    char *limit = doctor_postconf(p, "smtpd_hard_error_limit");
    char *normal;
    char postconf[DOCTOR_PATH_MAX];
    char type[DOCTOR_PATH_MAX + 60];

    if (config_inbound_count(p->config) > 0) {
        /* "${stress?{1}:{20}}" is what -x leaves as it is */
        normal = strstr(limit, ":{");
        snprintf(type, sizeof(type), "%s -e 'smtpd_hard_error_limit = 1000' && postfix reload",
                 doctor_postconf_command(p, postconf, sizeof(postconf)));
        if (strtol(normal ? normal + 2 : limit, NULL, 10) < FEW)
            doctor_say(p, DOCTOR_NOTE, type,
                       "smtpd_hard_error_limit is %s: a client that is refused so many recipients "
                       "is disconnected, and sends none of its message",
                       limit);
    }
    free(limit);
}
