#include "mainmaster_work.h"

#include <stdlib.h>

static void free_item(struct mainmaster_item *item)
{
    free(item->name);
    free(item->value);
    free(item->text);
}

void mainmaster_items_add(struct mainmaster_work *work, struct mainmaster_items *items,
                          struct mainmaster_item item)
{
    struct mainmaster_item *at = NULL;
    if (item.text != NULL)
        at = realloc(items->at, (items->count + 1) * sizeof(*at));
    if (at == NULL) {
        free_item(&item);
        mainmaster_no_memory(work);
        return;
    }
    items->at = at;
    items->at[items->count++] = item;
}

void mainmaster_items_free(struct mainmaster_items *items)
{
    for (size_t i = 0; i < items->count; i++)
        free_item(&items->at[i]);
    free(items->at);
    *items = (struct mainmaster_items){0};
}

/* One that is there: as it should be, or not. */
static void check_item(struct mainmaster_work *work, size_t line, struct mainmaster_item *item,
                       const char *value)
{
    item->present = true;
    if (item->value == NULL || strcmp(item->value, value) == 0)
        return;
    if (work->kind->services)
        mainmaster_conflict(
            work, line,
            "a service of this name is here already, and it is not the one that Postern "
            "needs (%.300s); delete or rename it and try again",
            item->value);
    else
        mainmaster_conflict(work, line,
                            "%s = %s is set here, and Postern needs %s, because %s; delete this "
                            "line and try again",
                            item->name, value, item->value, item->why);
}

void mainmaster_items_survey(struct mainmaster_work *work, struct mainmaster_items *items)
{
    struct cfspan span = {0, 0};
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *text = NULL, *name = NULL, *value = NULL;
        bool read = mainmaster_read_span(work, &work->kept, span, &text, &name, &value);
        for (size_t i = 0; read && i < items->count; i++)
            if (items->at[i].name != NULL && strcmp(name, items->at[i].name) == 0)
                check_item(work, work->kept.at[span.first].number, &items->at[i], value);
        mainmaster_drop_span(work, text, value);
    }
}

size_t mainmaster_items_write(FILE *out, const struct mainmaster_items *items)
{
    const char *comment = NULL;
    size_t written = 0;
    for (size_t i = 0; i < items->count; i++) {
        const struct mainmaster_item *item = &items->at[i];
        if (item->present)
            continue;
        if (item->comment != NULL && item->comment != comment)
            fputs(item->comment, out);
        comment = item->comment;
        fputs(item->text, out);
        written++;
    }
    return written;
}
