#include "mainmaster_work.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const main_names[] = {TRANSPORT_MAPS, HOLD_LIMIT, EXPIRE_LIMIT, NULL};
static const char *const master_names[] = {"postern-hold", "postern-expire", NULL};
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

void mainmaster_tell(struct mainmaster_work *work, size_t line, const char *message)
{
    work->edit->line = line;
    slice_copy(work->edit->message, sizeof(work->edit->message), slice_of(message));
}

static void keep(struct mainmaster_work *work, struct cflines *lines, struct cfline line)
{
    if (!cflines_add(lines, line))
        mainmaster_no_memory(work);
}

static bool is_ours(const struct mainmaster_kind *kind, const char *name)
{
    for (const char *const *ours = kind->names; *ours != NULL; ours++)
        if (strcmp(name, *ours) == 0)
            return true;
    return false;
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

char *mainmaster_trim_list(char *list)
{
    list += strspn(list, ", ");
    size_t len = strlen(list);
    while (len > 0 && (list[len - 1] == ' ' || list[len - 1] == ','))
        list[--len] = '\0';
    return list;
}

/* Takes the first table of ours out of a transport_maps, in place. */
static char *without_our_table(char *maps)
{
    for (char *word = maps + strspn(maps, ", "); *word != '\0'; word += strspn(word, ", ")) {
        size_t len = strcspn(word, ", ");
        size_t tail = sizeof(TABLE_TAIL) - 1;
        struct slice s = {word, len};
        if (slice_starts(s, TABLE_TYPE) && len > tail &&
            memcmp(word + len - tail, TABLE_TAIL, tail) == 0) {
            char *next = word + len + strspn(word + len, ", ");
            memmove(word, next, strlen(next) + 1);
            break;
        }
        word += len;
    }
    return mainmaster_trim_list(maps);
}

/* One setting or service inside the block: ours goes, anything else stays. */
static void leave_span(struct mainmaster_work *work, struct cfspan span)
{
    char *text = NULL, *name = NULL, *value = NULL;
    bool ours = mainmaster_read_span(work, &work->block, span, &text, &name, &value) &&
                is_ours(work->kind, name);
    if (ours && strcmp(name, TRANSPORT_MAPS) == 0) {
        free(work->block_maps);
        work->block_maps = strdup(value);
        if (work->block_maps == NULL)
            mainmaster_no_memory(work);
    }
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

/* Lines set aside come back as a whole transport_maps, or another setting would get a piece of it.
 */
static void check_aside_span(struct mainmaster_work *work, struct cfspan span, bool is_maps)
{
    bool aside = work->kept.at[span.first].aside;
    for (size_t i = span.first; i < span.end; i++) {
        const struct cfline *line = &work->kept.at[i];
        if (!cfline_is_content(line) || (line->aside == aside && (!aside || is_maps)))
            continue;
        mainmaster_conflict(work, line->number,
                            "this line %s a " TRANSPORT_MAPS
                            " that setup set aside, but the rest of that is "
                            "not next to it; delete this line, or put the others back",
                            line->aside ? "belongs to" : "would become a part of");
    }
}

/* Checks all that was set aside; *maps_r (to be freed) is the transport_maps among it, or NULL. */
static void check_aside(struct mainmaster_work *work, char **maps_r)
{
    struct cfspan span = {0, 0};
    *maps_r = NULL;
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *text = NULL, *name = NULL, *value = NULL;
        bool is_maps = mainmaster_read_span(work, &work->kept, span, &text, &name, &value) &&
                       strcmp(name, TRANSPORT_MAPS) == 0;
        check_aside_span(work, span, is_maps);
        if (is_maps && work->kept.at[span.first].aside) {
            free(*maps_r);
            *maps_r = strdup(mainmaster_trim_list(value));
            if (*maps_r == NULL)
                mainmaster_no_memory(work);
        }
        free(text);
    }
}

/* The administrator's new value takes the place of the one set aside, which stays as a comment. */
static void keep_new_maps(struct mainmaster_work *work, const char *maps)
{
    for (size_t i = 0; i < work->kept.count; i++)
        work->kept.at[i].commented = work->kept.at[i].aside;
    mainmaster_tell(work, work->block_line,
                    TRANSPORT_MAPS
                    " was changed inside Postern's block: the new value stays, and the former "
                    "one is left as a comment");
    if (*maps == '\0')
        return;
    bool crlf = work->kept.count > 0 && cfline_ends_crlf(work->kept.at[0].text);
    if (asprintf(&work->inserted, TRANSPORT_MAPS " = %s%s", maps, crlf ? "\r\n" : "\n") < 0) {
        work->inserted = NULL;
        mainmaster_no_memory(work);
        return;
    }
    struct cfline line = {.text = slice_of(work->inserted)};
    work->cut = 0;
    if (!cflines_insert(&work->kept, work->block_at, line))
        mainmaster_no_memory(work);
}

void mainmaster_strip(struct mainmaster_work *work, struct slice before)
{
    char *aside = NULL;
    read_lines(work, before);
    if (!work->failed && !work->kind->services) {
        check_aside(work, &aside);
        if (!work->failed && work->block_maps != NULL) {
            char *maps = without_our_table(work->block_maps);
            if (strcmp(maps, aside != NULL ? aside : "") != 0)
                keep_new_maps(work, maps);
        }
    }
    free(aside);
    for (size_t i = 0; i < work->kept.count; i++)
        work->kept.at[i].aside = false;
    if (work->cut > 0 && work->kept.at[work->kept.count - 1].text.len >= work->cut)
        work->kept.at[work->kept.count - 1].text.len -= work->cut;
}
