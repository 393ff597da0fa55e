#include "mainmaster_work.h"

#include <stdlib.h>

static const char routes_comment[] =
    "# Postern's table comes first: a hold has to be seen before the routes behind it.\n"
    "# Those apply unchanged to all mail that is not held.\n";
static const char gate_comment[] =
    "# The gate's answer is about one recipient, so it is asked about each by itself.\n";
static const char status_comment[] =
    "# \"Too many recipients\" is no reason to return mail, whatever code a host gives it. What\n"
    "# was set before is asked first.\n";
static const char lanes_comment[] =
    "# Lanes for hosts that take only so many recipients at once. Other settings are as they are\n"
    "# for \"smtp\"; after a change of those, run \"posternctl setup --apply\" again.\n";

static const char door_comment[] =
    "# Each recipient refused at our own door counts as a client's error. By default "
    "20\n"
    "# (under stress 1) end the connection before any mail was taken (smtpd_hard_error_limit).\n";

/* As many as Postfix itself lets a client send beyond its limit (smtpd_recipient_overshoot_limit).
 */
#define DOOR_ERRORS "1000"

static const char gate_reason[] = "the gate answers for one recipient at a time";
static const char lane_reason[] = "the lane's name says how many recipients it may send at once";

/* --- Settings --- */

char *mainmaster_find_setting(struct mainmaster_work *work, const char *wanted, size_t *line_r)
{
    struct cfspan span = {0, 0};
    char *found = NULL;
    *line_r = 0;
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *text = NULL, *name = NULL, *value = NULL;
        if (mainmaster_read_span(work, &work->kept, span, &text, &name, &value) &&
            strcmp(name, wanted) == 0) {
            free(found);
            found = strdup(value);
            *line_r = work->kept.at[span.first].number;
            if (found == NULL)
                mainmaster_no_memory(work);
        }
        mainmaster_drop_span(work, text, value);
    }
    return found;
}

void mainmaster_add_setting(struct mainmaster_work *work, struct mainmaster_items *items,
                            const char *comment, const char *why, const char *name,
                            const char *value)
{
    struct mainmaster_item item = {.comment = comment, .why = why};
    item.name = strdup(name);
    item.value = why != NULL ? strdup(value) : NULL;
    if (asprintf(&item.text, "%s = %s\n", name, value) < 0)
        item.text = NULL;
    if (item.name == NULL || (why != NULL && item.value == NULL))
        mainmaster_no_memory(work);
    mainmaster_items_add(work, items, item);
}

/* --- Lists of tables --- */

/* True when a list of tables has ours, itself or through proxymap(8); *first_r: before all others.
 */
static bool names_table(const char *tables, const struct mainmaster_list *list, const char *table,
                        bool *first_r)
{
    size_t type_len = strlen(list->head);
    *first_r = true;
    for (tables += strspn(tables, ", "); *tables != '\0'; tables += strspn(tables, ", ")) {
        struct slice word = {tables, strcspn(tables, ", ")};
        tables += word.len;
        if (slice_starts(word, "proxy:")) {
            word.at += strlen("proxy:");
            word.len -= strlen("proxy:");
        }
        if (slice_starts(word, list->head) &&
            slice_equals((struct slice){word.at + type_len, word.len - type_len}, table))
            return true;
        *first_r = false;
    }
    return false;
}

/* Every definition: one left in front of ours would only make Postfix warn. */
void mainmaster_set_aside(struct mainmaster_work *work, const char *wanted)
{
    struct cfspan span = {0, 0};
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *text = NULL, *name = NULL, *value = NULL;
        bool is_it = mainmaster_read_span(work, &work->kept, span, &text, &name, &value) &&
                     strcmp(name, wanted) == 0;
        for (size_t i = span.first; is_it && i < span.end; i++)
            work->kept.at[i].aside = cfline_is_content(&work->kept.at[i]);
        mainmaster_drop_span(work, text, value);
    }
}

void mainmaster_add_list(struct mainmaster_work *work, struct mainmaster_items *items,
                         const struct mainmaster_list *list, const char *comment, const char *table,
                         const char *former)
{
    struct mainmaster_item item = {.comment = comment};
    const char *comma = *former != '\0' ? ", " : "";
    int len =
        list->first
            ? asprintf(&item.text, "%s = %s%s%s%s\n", list->name, list->head, table, comma, former)
            : asprintf(&item.text, "%s = %s%s%s%s\n", list->name, former, comma, list->head, table);
    if (len < 0)
        item.text = NULL;
    mainmaster_set_aside(work, list->name);
    mainmaster_items_add(work, items, item);
}

/* Sees to it that a list has our table. */
static void plan_list(struct mainmaster_work *work, struct mainmaster_items *items,
                      const struct mainmaster_list *list, const char *comment, const char *table)
{
    size_t line;
    bool first;
    char *value = mainmaster_find_setting(work, list->name, &line);
    if (work->failed)
        return;
    const char *former = value != NULL ? mainmaster_trim_list(value) : list->inherited;
    if (!names_table(former, list, table, &first)) {
        mainmaster_add_list(work, items, list, comment, table, former);
    } else if (list->first && !first) {
        mainmaster_tell(work, line,
                        "%s has Postern's table already, but behind others: what those answer "
                        "cannot be held",
                        list->name);
    }
    free(value);
}

/* --- Lanes --- */

void mainmaster_add_as_for_client(struct mainmaster_work *work, struct mainmaster_items *items,
                                  const char *comment, const char *service, const char *setting)
{
    char name[128];
    size_t line;
    snprintf(name, sizeof(name), CLIENT_SERVICE "%s", setting);
    char *value = mainmaster_find_setting(work, name, &line);
    if (value != NULL) {
        snprintf(name, sizeof(name), "%s%s", service, setting);
        mainmaster_add_setting(work, items, comment, NULL, name, value);
    }
    free(value);
}

static void add_lanes(struct mainmaster_work *work, struct mainmaster_items *items,
                      const struct mainmaster_want *want)
{
    char name[128], number[16];
    for (size_t i = 0; i < want->lane_count; i++) {
        snprintf(name, sizeof(name), "%s" RECIPIENT_LIMIT, mainmaster_lane_of(want->lanes[i]).name);
        snprintf(number, sizeof(number), "%u", want->lanes[i]);
        mainmaster_add_setting(work, items, lanes_comment, lane_reason, name, number);
    }
    for (const char *const *s = mainmaster_transport_settings; *s != NULL; s++)
        for (size_t i = 0; i < want->lane_count; i++)
            mainmaster_add_as_for_client(work, items, lanes_comment,
                                         mainmaster_lane_of(want->lanes[i]).name, *s);
}

/* It is connected, by setup or maybe by hand. */
static bool milter_works(const struct mainmaster_work *work, const struct mainmaster_want *want,
                         size_t milter)
{
    return (work->edit->milters[milter].connected & MAINMASTER_AT_SMTPD) != 0 ||
           (want->milters.sockets[milter] != NULL && want->milters.running[milter]);
}

/* Limits of recipients, addresses that are known to be bad, destinations that are down. */
static bool door_refuses(const struct mainmaster_work *work, const struct mainmaster_want *want)
{
    return want->inbound || milter_works(work, want, MAINMASTER_EARLYNDR) ||
           (want->milters.retrycap_refuses && milter_works(work, want, MAINMASTER_RETRYCAP));
}

void mainmaster_plan_main(struct mainmaster_work *work, const struct mainmaster_want *want,
                          struct mainmaster_items *items)
{
    plan_list(work, items, &mainmaster_lists[MAINMASTER_ROUTES], routes_comment, want->table);
    mainmaster_add_setting(work, items, gate_comment, gate_reason, HOLD_SERVICE RECIPIENT_LIMIT,
                           "1");
    mainmaster_add_setting(work, items, gate_comment, gate_reason, EXPIRE_SERVICE RECIPIENT_LIMIT,
                           "1");
    if (want->status_filter != NULL)
        plan_list(work, items, &mainmaster_lists[MAINMASTER_STATUS], status_comment,
                  want->status_filter);
    if (!work->failed)
        mainmaster_plan_milters(work, want, items);
    if (!work->failed && door_refuses(work, want)) {
        mainmaster_add_setting(work, items, door_comment, NULL, DOOR_SOFT_LIMIT, DOOR_ERRORS);
        mainmaster_add_setting(work, items, door_comment, NULL, DOOR_HARD_LIMIT, DOOR_ERRORS);
    }
    if (!work->failed)
        add_lanes(work, items, want);
    if (!work->failed)
        mainmaster_plan_probation(work, want, items);
    if (!work->failed)
        mainmaster_items_survey(work, items);
}
