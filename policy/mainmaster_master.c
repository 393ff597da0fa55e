#include "mainmaster_work.h"

#include <stdlib.h>

static const char gate_comment[] =
    "# The gate: asked whether a message is to wait or to be given up. It never delivers mail.\n";
static const char lanes_comment[] =
    "# Lanes: your own service \"smtp\", for hosts that take only so many recipients at once; "
    "main.cf\n"
    "# has the limits. After a change of \"smtp\", run \"posternctl setup --apply\" again.\n";
static const char probation_comment[] =
    "# Your own service \"smtp\" once more, with processes of its own: hosts that accept a "
    "connection\n"
    "# and say nothing keep only these. After a change of \"smtp\", run \"posternctl setup "
    "--apply\"\n"
    "# again.\n";

/*
 * pipe(8) needs its privileges to run a command under another account, and the command is outside a
 * chroot: hence "n n". A status that is not the gate's own is made temporary by the filter: pipe(8)
 * would bounce when the gate cannot be loaded or takes too long (global/pipe_command.c). "q" writes
 * addresses as the mail log does (global/info_log_addr_form.c); an empty null_sender gives the gate
 * an empty argument for <>, which by default would read MAILER-DAEMON (pipe/pipe.c).
 */
static char *gate_text(const struct mainmaster_want *want, const char *what)
{
    char *text;
    int len =
        asprintf(&text,
                 "postern-%-8s unix -     n       n       -       20      pipe\n"
                 "  -o pipe_delivery_status_filter=regexp:%s\n"
                 "  flags=q user=%s null_sender= argv=%s -c %s -s %s\n"
                 "  %s ${queue_id} ${nexthop} ${sender} ${recipient}\n",
                 what, want->filter, want->account, want->gate, want->config, want->state, what);
    return len < 0 ? NULL : text;
}

/* The lines of a service as one squeezed line, to compare with. */
static char *squeezed(const char *text)
{
    char *line = strdup(text);
    if (line == NULL)
        return NULL;
    for (char *c = line; *c != '\0'; c++)
        *c = *c == '\n' ? ' ' : *c;
    cflines_squeeze(line);
    return line;
}

/* `text` (NULL: out of memory) is taken over. */
static void add_service(struct mainmaster_work *work, struct mainmaster_items *items,
                        const char *comment, char *text)
{
    struct mainmaster_item item = {.comment = comment, .text = text};
    if (text != NULL) {
        item.name = strndup(text, strcspn(text, " "));
        item.value = squeezed(text);
        if (item.name == NULL || item.value == NULL)
            mainmaster_no_memory(work);
    }
    mainmaster_items_add(work, items, item);
}

/* For people: what is to be made, and how to do without. */
static void name_lanes(const struct mainmaster_want *want, const char **lanes_r,
                       const char **without_r)
{
    bool limits = want->lane_count > 0, probation = want->probation.processes > 0;
    *lanes_r = limits && probation ? LANE_SERVICE "N, " PROBATION_SERVICE
               : limits            ? LANE_SERVICE "N"
                                   : PROBATION_SERVICE;
    *without_r = limits && probation ? "recipient_limits.outbound = false and lanes = \"off\""
                 : limits            ? "recipient_limits.outbound = false"
                                     : "lanes = \"off\"";
}

/*
 * The administrator's own "smtp unix", as one line; the last one counts (master/master_conf.c).
 * free() it; NULL: a conflict, or out of memory.
 */
static char *find_client(struct mainmaster_work *work, const struct mainmaster_want *want)
{
    const char *lanes = NULL, *without = NULL;
    struct cfspan span = {0, 0};
    struct slice command, found = {"", 0};
    char *client = NULL;
    size_t at = 0;
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *line = cflines_join(&work->kept, span);
        if (line == NULL)
            mainmaster_no_memory(work);
        if (line == NULL || !mainmaster_is_client(line, &command)) {
            free(line);
            continue;
        }
        free(client);
        client = line;
        found = command;
        at = work->kept.at[span.first].number;
    }
    if (client != NULL && slice_equals(found, "smtp") && !work->failed)
        return client;
    name_lanes(want, &lanes, &without);
    if (client != NULL)
        mainmaster_conflict(
            work, at,
            "this service runs \"%.*s\", and Postern can make its lanes (%s) of one that runs "
            "smtp(8) only; set %s in postern.conf, or have it run smtp",
            (int)found.len, found.at, lanes, without);
    else
        mainmaster_conflict(work, 0,
                            "there is no service \"smtp unix\" of which to make Postern's lanes "
                            "(%s); add one (master(5)), or set %s in postern.conf",
                            lanes, without);
    free(client);
    return NULL;
}

static void add_lanes(struct mainmaster_work *work, struct mainmaster_items *items,
                      const char *client, const struct mainmaster_want *want)
{
    const struct mainmaster_lane probation = {.name = PROBATION_SERVICE,
                                              .processes = want->probation.processes};
    for (size_t i = 0; i < want->lane_count; i++) {
        struct mainmaster_lane lane = mainmaster_lane_of(want->lanes[i]);
        add_service(work, items, lanes_comment,
                    mainmaster_lane_text(client, &lane, want->log_name));
    }
    if (probation.processes > 0)
        add_service(work, items, probation_comment,
                    mainmaster_lane_text(client, &probation, want->log_name));
}

void mainmaster_plan_master(struct mainmaster_work *work, const struct mainmaster_want *want,
                            struct mainmaster_items *items)
{
    bool lanes = want->lane_count > 0 || want->probation.processes > 0;
    char *client = lanes ? find_client(work, want) : NULL;
    add_service(work, items, gate_comment, gate_text(want, "hold"));
    add_service(work, items, gate_comment, gate_text(want, "expire"));
    if (client != NULL)
        add_lanes(work, items, client, want);
    free(client);
    if (!work->failed)
        mainmaster_items_survey(work, items);
}
