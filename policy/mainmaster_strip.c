#include "mainmaster_work.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *const mainmaster_transport_settings[] = {
    "_initial_destination_concurrency",
    "_destination_concurrency_limit",
    "_destination_concurrency_positive_feedback",
    "_destination_concurrency_negative_feedback",
    "_destination_concurrency_failed_cohort_limit",
    "_destination_rate_delay",
    "_transport_rate_delay",
    "_delivery_slot_cost",
    "_delivery_slot_loan",
    "_delivery_slot_discount",
    "_minimum_delivery_slots",
    "_recipient_limit",
    "_extra_recipient_limit",
    "_recipient_refill_limit",
    "_recipient_refill_delay",
    NULL,
};

static const char *const main_names[] = {HOLD_SERVICE RECIPIENT_LIMIT,
                                         EXPIRE_SERVICE RECIPIENT_LIMIT, DOOR_SOFT_LIMIT,
                                         DOOR_HARD_LIMIT, NULL};
static const char *const master_names[] = {HOLD_SERVICE, EXPIRE_SERVICE, NULL};
const struct mainmaster_kind mainmaster_main_kind = {main_names, false};
const struct mainmaster_kind mainmaster_master_kind = {master_names, true};

void mainmaster_no_memory(struct mainmaster_work *work)
{
    work->edit->result = MAINMASTER_NO_MEMORY;
    work->failed = true;
}

void mainmaster_conflict(struct mainmaster_work *work, size_t line, const char *format, ...)
{
    va_list args;
    if (work->failed)
        return;
    va_start(args, format);
    vsnprintf(work->edit->message, sizeof(work->edit->message), format, args);
    va_end(args);
    work->edit->line = line;
    work->edit->result = MAINMASTER_CONFLICT;
    work->failed = true;
}

void mainmaster_tell(struct mainmaster_work *work, size_t line, const char *format, ...)
{
    va_list args;
    struct mainmaster_edit *edit = work->edit;
    size_t len = strlen(edit->message);
    if (len > 0)
        len += slice_copy(edit->message + len, sizeof(edit->message) - len, slice_of("; "));
    else
        edit->line = line;
    va_start(args, format);
    vsnprintf(edit->message + len, sizeof(edit->message) - len, format, args);
    va_end(args);
}

static void keep(struct mainmaster_work *work, struct cflines *lines, struct cfline line)
{
    if (!cflines_add(lines, line))
        mainmaster_no_memory(work);
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* What stands behind the name of a lane, any that setup may have made; NULL: it is of none. */
static const char *behind_lane(const char *name)
{
    size_t len = sizeof(LANE_SERVICE) - 1;
    size_t digits = strncmp(name, LANE_SERVICE, len) == 0 ? strspn(name + len, "0123456789") : 0;
    if (strncmp(name, PROBATION_SERVICE, sizeof(PROBATION_SERVICE) - 1) == 0)
        return name + sizeof(PROBATION_SERVICE) - 1;
    return digits > 0 ? name + len + digits : NULL;
}

static bool is_of_lane(const struct mainmaster_kind *kind, const char *name)
{
    const char *rest = behind_lane(name);
    if (rest == NULL)
        return false;
    return kind->services ? *rest == '\0'
                          : strcmp(rest, RECIPIENT_LIMIT) == 0 ||
                                is_among(rest, mainmaster_transport_settings);
}

/* True for what apply may have put into the block. */
static bool is_ours(const struct mainmaster_kind *kind, const char *name)
{
    return is_among(name, kind->names) || is_of_lane(kind, name) ||
           (!kind->services && mainmaster_list_of(name) < MAINMASTER_LISTS);
}

bool mainmaster_read_span(struct mainmaster_work *work, const struct cflines *lines,
                          struct cfspan span, char **text_r, char **name_r, char **value_r)
{
    *text_r = cflines_join(lines, span);
    if (*text_r == NULL) {
        mainmaster_no_memory(work);
        return false;
    }
    if (!work->kind->services)
        return cflines_split_setting(*text_r, name_r, value_r);
    cflines_squeeze(*text_r);
    *value_r = strdup(*text_r);
    if (*value_r == NULL) {
        mainmaster_no_memory(work);
        return false;
    }
    *name_r = cflines_first_word(*text_r);
    return true;
}

/* Frees what mainmaster_read_span() gave. */
void mainmaster_drop_span(const struct mainmaster_work *work, char *text, char *value)
{
    if (work->kind->services)
        free(value);
    free(text);
}

/* What the block had for a list; the last definition counts. */
static void take_block_list(struct mainmaster_work *work, size_t list, const char *value)
{
    free(work->block_lists[list]);
    work->block_lists[list] = strdup(value);
    if (work->block_lists[list] == NULL)
        mainmaster_no_memory(work);
}

/* One setting or service inside the block: ours goes, anything else stays. */
static void leave_span(struct mainmaster_work *work, struct cfspan span)
{
    char *text = NULL, *name = NULL, *value = NULL;
    bool ours = mainmaster_read_span(work, &work->block, span, &text, &name, &value) &&
                is_ours(work->kind, name);
    if (ours && !work->kind->services && mainmaster_list_of(name) < MAINMASTER_LISTS)
        take_block_list(work, mainmaster_list_of(name), value);
    mainmaster_drop_span(work, text, value);
    for (size_t i = span.first; !ours && i < span.end; i++)
        keep(work, &work->kept, work->block.at[i]);
}

/* At the end of a block. The newline added before it goes when nothing else needs it now. */
static void leave_block(struct mainmaster_work *work, bool last_line, bool crlf)
{
    struct cfspan span = {0, 0};
    size_t before = work->kept.count;
    work->block_at = before;
    work->in_block = false;
    while (cflines_next(&work->block, span.end, &span))
        leave_span(work, span);
    work->block.count = 0;
    if (work->newline_added && last_line && before > 0 && work->kept.count == before)
        work->cut = crlf ? 2 : 1;
}

/* The marks of a block, which have to come in pairs. Returns true when the line was one. */
static bool take_mark(struct mainmaster_work *work, struct slice line, size_t number, bool last)
{
    if (slice_starts(line, BEGIN_MARK)) {
        if (work->in_block)
            mainmaster_conflict(work, number,
                                "a second \"" BEGIN_MARK "\" without an \"" END_MARK "\" between; "
                                "put the missing line back, or delete what setup wrote by hand");
        work->in_block = true;
        work->block_line = number;
        work->newline_added = slice_starts(line, BEGIN_MARK ADDED_NEWLINE);
        return true;
    }
    if (!slice_starts(line, END_MARK))
        return false;
    if (!work->in_block)
        mainmaster_conflict(work, number,
                            "\"" END_MARK "\" without a \"" BEGIN_MARK "\" before it; "
                            "put the missing line back, or delete this one");
    else
        leave_block(work, last, cfline_ends_crlf(line));
    return true;
}

static void read_lines(struct mainmaster_work *work, struct slice rest)
{
    size_t number = 0;
    while (rest.len > 0 && !work->failed) {
        struct cfline line = {.text = cflines_take(&rest), .number = ++number};
        if (take_mark(work, line.text, number, rest.len == 0))
            continue;
        if (!work->in_block && !work->kind->services && slice_starts(line.text, ASIDE_MARK)) {
            line.aside = true;
            line.text.at += sizeof(ASIDE_MARK) - 1;
            line.text.len -= sizeof(ASIDE_MARK) - 1;
        }
        keep(work, work->in_block ? &work->block : &work->kept, line);
    }
    if (work->in_block)
        mainmaster_conflict(work, work->block_line,
                            "\"" BEGIN_MARK "\" without an \"" END_MARK "\" after it; "
                            "put the missing line back, or delete what setup wrote by hand");
}

/* Lines set aside come back as a whole list, or another setting would get a piece of it. */
static void check_aside_span(struct mainmaster_work *work, struct cfspan span, bool is_list)
{
    bool aside = work->kept.at[span.first].aside;
    for (size_t i = span.first; i < span.end; i++) {
        const struct cfline *line = &work->kept.at[i];
        if (!cfline_is_content(line) || (line->aside == aside && (!aside || is_list)))
            continue;
        mainmaster_conflict(work, line->number,
                            "this line %s a setting that setup set aside, but the rest of that is "
                            "not next to it; delete this line, or put the others back",
                            line->aside ? "belongs to" : "would become a part of");
    }
}

/* Checks all that was set aside; `values` (to be freed) has the lists among it, or NULL. */
static void check_aside(struct mainmaster_work *work, char *values[MAINMASTER_LISTS])
{
    struct cfspan span = {0, 0};
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *text = NULL, *name = NULL, *value = NULL;
        size_t list = MAINMASTER_LISTS;
        if (mainmaster_read_span(work, &work->kept, span, &text, &name, &value))
            list = mainmaster_list_of(name);
        check_aside_span(work, span, list < MAINMASTER_LISTS);
        if (list < MAINMASTER_LISTS && work->kept.at[span.first].aside) {
            free(values[list]);
            values[list] = strdup(mainmaster_trim_list(value));
            if (values[list] == NULL)
                mainmaster_no_memory(work);
        }
        free(text);
    }
}

/* What was set aside of a list stays as a comment. */
static void comment_out(struct mainmaster_work *work, const char *wanted)
{
    struct cfspan span = {0, 0};
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *text = NULL, *name = NULL, *value = NULL;
        bool is_it = mainmaster_read_span(work, &work->kept, span, &text, &name, &value) &&
                     strcmp(name, wanted) == 0;
        for (size_t i = span.first; is_it && i < span.end; i++)
            work->kept.at[i].commented = work->kept.at[i].aside;
        free(text);
    }
}

/* Puts a list where the block was. */
static void insert_list(struct mainmaster_work *work, size_t list, const char *tables)
{
    bool crlf = work->kept.count > 0 && cfline_ends_crlf(work->kept.at[0].text);
    if (asprintf(&work->inserted[list], "%s =%s%s%s", mainmaster_lists[list].name,
                 *tables != '\0' ? " " : "", tables, crlf ? "\r\n" : "\n") < 0) {
        work->inserted[list] = NULL;
        mainmaster_no_memory(work);
        return;
    }
    struct cfline line = {.text = slice_of(work->inserted[list])};
    work->cut = 0;
    if (!cflines_insert(&work->kept, work->block_at++, line))
        mainmaster_no_memory(work);
}

/* The administrator's new value takes the place of the one set aside. */
static void keep_new_list(struct mainmaster_work *work, size_t list, const char *tables)
{
    const char *name = mainmaster_lists[list].name;
    comment_out(work, name);
    mainmaster_tell(work, work->block_line,
                    "%s was changed inside Postern's block: the new value stays, and the former "
                    "one is left as a comment",
                    name);
    /* Without a setting Postfix takes what it inherits. */
    if (strcmp(tables, mainmaster_lists[list].inherited) != 0)
        insert_list(work, list, tables);
}

/*
 * What a list was before, with the other list of milters written out in it if the block has that
 * (mainmaster_milter.c). free() it; NULL: failed.
 */
static char *written_out(struct mainmaster_work *work, size_t list, const char *former,
                         char *aside[MAINMASTER_LISTS])
{
    const char *other = mainmaster_lists[list].other;
    size_t number = other != NULL ? mainmaster_list_of(other) : MAINMASTER_LISTS;
    char *text =
        number == MAINMASTER_LISTS || work->block_lists[number] == NULL
            ? strdup(former)
            : mainmaster_write_out(work, former, other, aside[number] != NULL ? aside[number] : "");
    if (text == NULL)
        mainmaster_no_memory(work);
    return text;
}

/* One list: back to what was set aside, unless the administrator has changed it since. */
static void restore_list(struct mainmaster_work *work, size_t list, char *aside[MAINMASTER_LISTS])
{
    const struct mainmaster_list *l = &mainmaster_lists[list];
    const char *former = aside[list] != NULL ? aside[list] : l->inherited;
    char *copy = strdup(work->block_lists[list]);
    char *out = written_out(work, list, former, aside);
    if (copy == NULL)
        mainmaster_no_memory(work);
    if (!work->failed) {
        const char *former_too = mainmaster_trim_list(out);
        const char *value = mainmaster_list_without_ours(l, copy, former, former_too);
        if (strcmp(value, former) != 0 && strcmp(value, former_too) != 0)
            keep_new_list(work, list, value);
    }
    free(copy);
    free(out);
}

static void restore_lists(struct mainmaster_work *work)
{
    char *aside[MAINMASTER_LISTS] = {NULL};
    check_aside(work, aside);
    for (size_t i = 0; i < MAINMASTER_LISTS && !work->failed; i++)
        if (work->block_lists[i] != NULL)
            restore_list(work, i, aside);
    for (size_t i = 0; i < MAINMASTER_LISTS; i++)
        free(aside[i]);
}

void mainmaster_strip(struct mainmaster_work *work, struct slice before)
{
    read_lines(work, before);
    if (!work->failed && !work->kind->services)
        restore_lists(work);
    for (size_t i = 0; i < work->kept.count; i++)
        work->kept.at[i].aside = false;
    if (work->cut > 0 && work->kept.at[work->kept.count - 1].text.len >= work->cut)
        work->kept.at[work->kept.count - 1].text.len -= work->cut;
}
