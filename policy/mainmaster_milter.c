#include "mainmaster_work.h"

#include <stdlib.h>

#include "postfix_list.h"

static const char smtpd_comment[] =
    "# Postern's milters come behind all others: postern-rcptlimit counts what those accept. When\n"
    "# they do not run, mail goes on without them, whatever milter_default_action is.\n";
static const char cleanup_comment[] =
    "# Postern's milters for mail that did not come by SMTP, such as that of sendmail(1).\n";
static const char written_out_comment[] =
    "# As it was, but for Postern's milters in the other list, which are not for this mail. After "
    "a\n"
    "# change of that list run \"posternctl setup --apply\" again.\n";
static const char classes_comment[] =
    "# Has Postfix's own bounces pass the milters of non_smtpd_milters.\n";

/* One of the two lists of milters. */
struct milter_list {
    const struct mainmaster_list *list;
    size_t number; /* of it */
    unsigned place;
    size_t line;
    char *set;                         /* what find_setting() gave */
    const char *value;                 /* the same, trimmed; "" */
    bool present[MAINMASTER_MILTERS];  /* in the administrator's own */
    char *entries[MAINMASTER_MILTERS]; /* to be added */
    bool inside[MAINMASTER_MILTERS];   /* by the name inside queue_directory */
};

struct milter_plan {
    struct mainmaster_work *work;
    const struct mainmaster_want *want;
    struct mainmaster_socket sockets[MAINMASTER_MILTERS];
    struct mainmaster_socket insides[MAINMASTER_MILTERS]; /* the same; no path and host: none */
    struct milter_list smtpd, cleanup;
};

const char *mainmaster_milter_setting(unsigned place)
{
    return mainmaster_lists[place == MAINMASTER_AT_SMTPD     ? MAINMASTER_SMTPD_MILTERS
                            : place == MAINMASTER_AT_CLEANUP ? MAINMASTER_OTHER_MILTERS
                                                             : MAINMASTER_CLASSES]
        .name;
}

/* --- What is there --- */

/* True when one entry of a list without references names the socket. */
static bool list_names(const struct milter_plan *plan, const struct milter_list *l,
                       const char *value, const struct mainmaster_socket *socket, bool ours_only)
{
    const struct mainmaster_milters *want = &plan->want->milters;
    struct slice entry;
    while ((entry = mainmaster_list_next(l->list, &value)).len > 0)
        if ((!ours_only || mainmaster_list_is_ours(l->list, entry)) &&
            mainmaster_socket_is(socket, postfix_list_endpoint(entry), want->queue_directory,
                                 (want->chrooted & l->place) != 0))
            return true;
    return false;
}

/* Where in a list of the administrator's the milter is named, behind "$name" too; NULL: nowhere. */
static const char *find_milter(const struct milter_plan *plan, const struct milter_list *l,
                               const char *value, size_t milter)
{
    struct slice entry;
    while ((entry = mainmaster_list_next(l->list, &value)).len > 0) {
        char *expanded = mainmaster_expand(plan->work, plan->want, entry);
        bool found =
            expanded != NULL && (list_names(plan, l, expanded, &plan->sockets[milter], false) ||
                                 list_names(plan, l, expanded, &plan->insides[milter], false));
        free(expanded);
        if (found)
            return entry.at;
    }
    return NULL;
}

static void read_list(struct milter_plan *plan, struct milter_list *l, size_t number,
                      unsigned place)
{
    *l = (struct milter_list){.list = &mainmaster_lists[number], .number = number, .place = place};
    l->set = mainmaster_find_setting(plan->work, l->list->name, &l->line);
    l->value = l->set != NULL ? mainmaster_trim_list(l->set) : "";
    if (!mainmaster_list_is_whole(l->value))
        mainmaster_conflict(plan->work, l->line,
                            "%s has a \"{\" without a \"}\": Postfix cannot read it, and nothing "
                            "can be added to it; put it right and try again",
                            l->list->name);
}

static void free_list(struct milter_list *l)
{
    free(l->set);
    for (size_t i = 0; i < MAINMASTER_MILTERS; i++)
        free(l->entries[i]);
}

/* --- What is to be added --- */

/*
 * A recipient refused in cleanup(8) makes it keep the whole message out of the queue
 * (cleanup/cleanup_milter.c, cleanup_milter_emul_rcpt()): so no limits there, and postern-retrycap
 * has nothing to do there unless it warns.
 */
static bool belongs(const struct milter_plan *plan, const struct milter_list *l, size_t milter)
{
    const struct mainmaster_milters *want = &plan->want->milters;
    bool refuses =
        milter == MAINMASTER_RCPTLIMIT || (milter == MAINMASTER_RETRYCAP && want->retrycap_refuses);
    return want->sockets[milter] != NULL && (l->place == MAINMASTER_AT_SMTPD || !refuses);
}

static const struct mainmaster_socket *socket_of(const struct milter_plan *plan,
                                                 const struct milter_list *l, size_t milter)
{
    return l->inside[milter] ? &plan->insides[milter] : &plan->sockets[milter];
}

static void make_entry(struct milter_plan *plan, struct milter_list *l, size_t milter)
{
    char *socket =
        mainmaster_socket_text(socket_of(plan, l, milter), plan->want->milters.queue_directory);
    if (socket == NULL || asprintf(&l->entries[milter], MILTER_HEAD "%s" MILTER_TAIL, socket) < 0) {
        l->entries[milter] = NULL;
        mainmaster_no_memory(plan->work);
    }
    free(socket);
}

/* Decides about one milter in one list. */
static void survey(struct milter_plan *plan, struct milter_list *l, size_t milter)
{
    const struct mainmaster_milters *want = &plan->want->milters;
    struct mainmaster_milter_result *result = &plan->work->edit->milters[milter];
    const char *block = plan->work->block_lists[l->number];
    if (!belongs(plan, l, milter))
        return;
    l->present[milter] = find_milter(plan, l, l->value, milter) != NULL;
    if (l->present[milter] || plan->work->failed)
        return;
    bool had_inside = block != NULL && list_names(plan, l, block, &plan->insides[milter], true);
    bool had =
        had_inside || (block != NULL && list_names(plan, l, block, &plan->sockets[milter], true));
    l->inside[milter] = want->running[milter] ? want->inside[milter] : had_inside;
    if (!want->running[milter] && !had)
        result->idle |= l->place;
    else if (!mainmaster_socket_visible(socket_of(plan, l, milter), want->queue_directory,
                                        (want->chrooted & l->place) != 0))
        result->unreachable |= l->place;
    else
        make_entry(plan, l, milter);
}

static bool has_entries(const struct milter_list *l)
{
    bool any = false;
    for (size_t i = 0; i < MAINMASTER_MILTERS; i++)
        any = any || l->entries[i] != NULL;
    return any;
}

/*
 * "non_smtpd_milters = $smtpd_milters" is much used: what we add to the one list must not get into
 * the other by that. free() the list as it is to be without; NULL: failed.
 */
static char *base_of(struct milter_plan *plan, const struct milter_list *l,
                     const struct milter_list *other)
{
    if (!has_entries(other))
        return strdup(l->value);
    char *base = mainmaster_write_out(plan->work, l->value, other->list->name, other->value);
    char *trimmed = base != NULL ? mainmaster_trim_list(base) : NULL;
    if (trimmed != NULL)
        memmove(base, trimmed, strlen(trimmed) + 1);
    return base;
}

/* Where a list takes the other over in a way that cannot be written out, the other stays as is. */
static void check_tangle(struct milter_plan *plan, const struct milter_list *l,
                         struct milter_list *other)
{
    char *base = base_of(plan, l, other);
    bool tangled = base != NULL && has_entries(other) &&
                   mainmaster_leads_to(plan->work, plan->want, base, other->list->name);
    free(base);
    if (!tangled)
        return;
    mainmaster_tell(plan->work, l->line,
                    "%s takes its milters from %s by way of another setting, and Postern's are not "
                    "for both: they are not connected to %s; name the milters in %s one by one, "
                    "then run posternctl setup --apply again",
                    l->list->name, other->list->name, other->list->name, l->list->name);
    for (size_t i = 0; i < MAINMASTER_MILTERS; i++) {
        free(other->entries[i]);
        other->entries[i] = NULL;
    }
}

/* By the administrator's own hand, or because he has one list be the other. */
static void warn_of_limits(struct milter_plan *plan)
{
    const struct milter_list *l = &plan->cleanup;
    if (plan->want->milters.sockets[MAINMASTER_RCPTLIMIT] == NULL ||
        find_milter(plan, l, l->value, MAINMASTER_RCPTLIMIT) == NULL)
        return;
    mainmaster_tell(plan->work, l->line,
                    "%s has postern-rcptlimit in it: mail of sendmail(1) with a recipient too many "
                    "will not get out of the maildrop directory; name it in %s only",
                    l->list->name, plan->smtpd.list->name);
}

/* --- Writing it --- */

/* Where an entry goes: last, but for those that belong behind it and are there already. */
static const char *place_of(const struct milter_plan *plan, const struct milter_list *l,
                            const char *base, size_t milter)
{
    const char *place = base + strlen(base);
    for (size_t i = milter + 1; i < MAINMASTER_MILTERS; i++) {
        const char *found = l->present[i] ? find_milter(plan, l, base, i) : NULL;
        if (found != NULL && found < place)
            place = found;
    }
    return place;
}

/* The list with our entries. The places of later ones are never before those of earlier ones. */
static void write_list(FILE *out, const struct milter_plan *plan, const struct milter_list *l,
                       const char *base)
{
    const char *comma = *base != '\0' ? ", " : "";
    fprintf(out, "%s =%s", l->list->name, *base != '\0' || has_entries(l) ? " " : "");
    for (size_t i = 0; i < MAINMASTER_MILTERS; i++) {
        if (l->entries[i] == NULL)
            continue;
        const char *place = place_of(plan, l, base, i);
        fprintf(out, "%.*s", (int)(place - base), base);
        base = place;
        if (*place != '\0') {
            fprintf(out, "%s, ", l->entries[i]);
        } else {
            fprintf(out, "%s%s", comma, l->entries[i]);
            comma = ", ";
        }
    }
    fprintf(out, "%s\n", base);
}

static char *list_text(const struct milter_plan *plan, const struct milter_list *l,
                       const char *base)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    write_list(out, plan, l, base);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* Writes a list anew when something comes into it, or would by way of the other. */
static void add_list(struct milter_plan *plan, struct mainmaster_items *items,
                     const struct milter_list *l, const struct milter_list *other,
                     const char *comment)
{
    char *base = base_of(plan, l, other);
    if (base == NULL) {
        mainmaster_no_memory(plan->work);
        return;
    }
    if (has_entries(l) || strcmp(base, l->value) != 0) {
        struct mainmaster_item item = {.comment = has_entries(l) ? comment : written_out_comment};
        item.text = list_text(plan, l, base);
        mainmaster_set_aside(plan->work, l->list->name);
        mainmaster_items_add(plan->work, items, item);
    }
    for (size_t i = 0; i < MAINMASTER_MILTERS; i++) {
        struct mainmaster_milter_result *result = &plan->work->edit->milters[i];
        result->connected |= l->entries[i] != NULL ? l->place : 0;
        result->inside |= l->entries[i] != NULL && l->inside[i] ? l->place : 0;
    }
    free(base);
}

/* Bounces pass the milters only when they are said to; without ours they need not. */
static void add_class(struct milter_plan *plan, struct mainmaster_items *items)
{
    const struct mainmaster_list *list = &mainmaster_lists[MAINMASTER_CLASSES];
    const struct milter_list *l = &plan->cleanup;
    size_t line;
    if (!l->present[MAINMASTER_EARLYNDR] && l->entries[MAINMASTER_EARLYNDR] == NULL)
        return;
    char *set = mainmaster_find_setting(plan->work, list->name, &line);
    const char *value = set != NULL ? mainmaster_trim_list(set) : "";
    char *expanded = mainmaster_expand(plan->work, plan->want, slice_of(value));
    const char *rest = expanded;
    struct slice word = {NULL, 0};
    while (rest != NULL && (word = mainmaster_list_next(list, &rest)).len > 0)
        if (slice_equals(word, FILTER_CLASS))
            break;
    if (word.len == 0 && expanded != NULL) {
        mainmaster_add_list(plan->work, items, list, classes_comment, "", value);
        plan->work->edit->milters[MAINMASTER_EARLYNDR].connected |= MAINMASTER_AT_BOUNCES;
    }
    free(expanded);
    free(set);
}

/* --- All of it --- */

static bool read_sockets(struct milter_plan *plan)
{
    bool any = false;
    for (size_t i = 0; i < MAINMASTER_MILTERS; i++) {
        const char *text = plan->want->milters.sockets[i];
        struct mainmaster_socket *socket = &plan->sockets[i];
        if (text == NULL)
            continue;
        any = true;
        bool parsed = mainmaster_socket_parse(text, socket);
        if (parsed)
            mainmaster_socket_inside(socket, plan->want->milters.queue_directory,
                                     &plan->insides[i]);
        if (!parsed || (*socket->path != '\0' && !mainmaster_is_plain(socket->path)))
            mainmaster_conflict(plan->work, 0,
                                "the socket \"%.200s\" cannot be written into main.cf; use "
                                "letters, digits and /._-+@=~:%% only",
                                text);
    }
    return any && !plan->work->failed;
}

static void plan_lists(struct milter_plan *plan, struct mainmaster_items *items)
{
    struct milter_list *smtpd = &plan->smtpd, *cleanup = &plan->cleanup;
    for (size_t i = 0; i < MAINMASTER_MILTERS && !plan->work->failed; i++) {
        survey(plan, smtpd, i);
        survey(plan, cleanup, i);
    }
    warn_of_limits(plan);
    check_tangle(plan, cleanup, smtpd);
    check_tangle(plan, smtpd, cleanup);
    if (!plan->work->failed)
        add_list(plan, items, smtpd, cleanup, smtpd_comment);
    if (!plan->work->failed)
        add_list(plan, items, cleanup, smtpd, cleanup_comment);
    if (!plan->work->failed)
        add_class(plan, items);
}

void mainmaster_plan_milters(struct mainmaster_work *work, const struct mainmaster_want *want,
                             struct mainmaster_items *items)
{
    struct milter_plan plan = {.work = work, .want = want};
    if (!read_sockets(&plan))
        return;
    read_list(&plan, &plan.smtpd, MAINMASTER_SMTPD_MILTERS, MAINMASTER_AT_SMTPD);
    read_list(&plan, &plan.cleanup, MAINMASTER_OTHER_MILTERS, MAINMASTER_AT_CLEANUP);
    if (!work->failed)
        plan_lists(&plan, items);
    free_list(&plan.smtpd);
    free_list(&plan.cleanup);
}
