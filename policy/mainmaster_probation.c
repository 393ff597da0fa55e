/* The lane postern-probation in main.cf (DESIGN 3.5), and what must never be left of it. */
#include "mainmaster_work.h"

#include <stdlib.h>

static const char default_comment[] =
    "# All mail begins in postern-probation, so that hosts that say nothing keep no process from\n"
    "# those that work; Postern sends destinations that were reached through \"smtp\".\n";
static const char settings_comment[] =
    "# For postern-probation, as for \"smtp\"; after a change of those, run \"posternctl setup "
    "--apply\"\n"
    "# again.\n";

/* Our service in the place of smtp, with the administrator's next hop. */
static void add_default(struct mainmaster_work *work, struct mainmaster_items *items,
                        const struct mainmaster_list *list, const char *nexthop)
{
    struct mainmaster_item item = {.comment = default_comment};
    if (asprintf(&item.text, "%s = %s%s\n", list->name, list->head, nexthop) < 0)
        item.text = NULL;
    mainmaster_set_aside(work, list->name);
    mainmaster_items_add(work, items, item);
}

/*
 * Returns false when the administrator sends mail elsewhere. "$name" is not followed: when what it
 * stands for changed, it could no longer be told whether he or we wrote what is in the block.
 */
static bool plan_default(struct mainmaster_work *work, struct mainmaster_items *items)
{
    const struct mainmaster_list *list = &mainmaster_lists[MAINMASTER_DEFAULT_TRANSPORT];
    size_t line;
    char *set = mainmaster_find_setting(work, list->name, &line);
    const char *value = set != NULL ? set : list->inherited;
    const char *nexthop = mainmaster_behind_service(value, list->inherited);
    bool ok = nexthop != NULL || mainmaster_behind_service(value, list->head) != NULL;
    if (nexthop != NULL)
        add_default(work, items, list, nexthop);
    else if (!ok)
        mainmaster_tell(work, line,
                        "%s = %.200s is set here, and " PROBATION_SERVICE " can only stand for "
                        "smtp or smtp:nexthop: all mail goes as before, without that lane; set "
                        "smtp here, or lanes = \"off\" in postern.conf",
                        list->name, value);
    free(set);
    return ok;
}

void mainmaster_plan_probation(struct mainmaster_work *work, const struct mainmaster_want *want,
                               struct mainmaster_items *items)
{
    if (want->probation.processes == 0)
        return;
    if (want->probation.is_default && !plan_default(work, items)) {
        work->edit->probation_refused = true;
        return;
    }
    mainmaster_add_as_for_client(work, items, settings_comment, PROBATION_SERVICE, RECIPIENT_LIMIT);
    for (const char *const *s = mainmaster_transport_settings; *s != NULL; s++)
        mainmaster_add_as_for_client(work, items, settings_comment, PROBATION_SERVICE, *s);
}

/* --- Mail for a service that is gone --- */

/* Looks at each logical line until one is found, or memory runs out (false as well). */
typedef bool visit_line(char *line, bool *found_r);

static bool visit_lines(struct slice text, visit_line *visit)
{
    struct cflines lines = {0};
    struct cfspan span = {0, 0};
    bool ok = true, found = false;
    while (ok && text.len > 0)
        ok = cflines_add(&lines, (struct cfline){.text = cflines_take(&text)});
    while (ok && cflines_next(&lines, span.end, &span)) {
        char *line = cflines_join(&lines, span);
        ok = line != NULL && visit(line, &found);
        free(line);
    }
    cflines_free(&lines);
    return found;
}

/* The last definition counts. */
static bool visit_setting(char *line, bool *found_r)
{
    char *name, *value;
    const char *wanted = mainmaster_lists[MAINMASTER_DEFAULT_TRANSPORT].name;
    if (cflines_split_setting(line, &name, &value) && strcmp(name, wanted) == 0)
        *found_r = mainmaster_behind_service(value, PROBATION_SERVICE) != NULL;
    return true;
}

static bool visit_service(char *line, bool *found_r)
{
    cflines_squeeze(line);
    *found_r =
        strncmp(line, PROBATION_SERVICE " unix ", sizeof(PROBATION_SERVICE " unix ") - 1) == 0;
    return !*found_r;
}

bool mainmaster_is_stranded(struct slice main, struct slice master)
{
    return visit_lines(main, visit_setting) && !visit_lines(master, visit_service);
}
