#include "mainmaster_work.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Writing the result --- */

static void write_kept(FILE *out, const struct mainmaster_work *work)
{
    for (size_t i = 0; i < work->kept.count; i++) {
        const struct cfline *line = &work->kept.at[i];
        fputs(line->commented ? "#" : line->aside ? ASIDE_MARK : "", out);
        fwrite(line->text.at, 1, line->text.len, out);
    }
}

/* Writes the block, but for the newlines of the file around it; returns how much there is to say.
 */
static size_t write_items(FILE *out, const struct mainmaster_items *items, bool added_newline)
{
    fprintf(out, BEGIN_MARK "%s\n", added_newline ? ADDED_NEWLINE : "");
    fputs(
        "# Written by \"posternctl setup --apply\"; \"posternctl setup --remove\" takes it out.\n",
        out);
    size_t written = mainmaster_items_write(out, items);
    fputs(END_MARK "\n", out);
    return written;
}

/* The block; "" when it would say nothing. free() it; NULL: out of memory. */
static char *make_block(const struct mainmaster_items *items, bool added_newline)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    size_t written = write_items(out, items, added_newline);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    if (written == 0)
        *text = '\0';
    return text;
}

static void write_block(FILE *out, const char *block, bool crlf)
{
    for (; *block != '\0'; block++) {
        if (crlf && *block == '\n')
            fputc('\r', out);
        fputc(*block, out);
    }
}

static void write_file(FILE *out, const struct mainmaster_work *work, const char *block,
                       bool add_newline)
{
    bool crlf = work->kept.count > 0 && cfline_ends_crlf(work->kept.at[0].text);
    write_kept(out, work);
    if (*block == '\0')
        return;
    if (add_newline)
        fputs(crlf ? "\r\n" : "\n", out);
    write_block(out, block, crlf);
}

/* The new file, from what is kept and the block ("": none). */
static void produce(struct mainmaster_work *work, struct slice before, const char *block,
                    bool add_newline)
{
    struct mainmaster_edit *edit = work->edit;
    FILE *out = open_memstream(&edit->bytes, &edit->len);
    if (out == NULL) {
        mainmaster_no_memory(work);
        return;
    }
    write_file(out, work, block, add_newline);
    if (fclose(out) != 0) {
        mainmaster_no_memory(work);
        return;
    }
    bool same = edit->len == before.len &&
                (before.len == 0 || memcmp(edit->bytes, before.at, before.len) == 0);
    edit->result = same ? MAINMASTER_SAME : MAINMASTER_CHANGED;
}

static void add_block(struct mainmaster_work *work, struct slice before,
                      const struct mainmaster_items *items)
{
    struct slice last = {"\n", 1};
    if (work->kept.count > 0)
        last = work->kept.at[work->kept.count - 1].text;
    bool add_newline = last.at[last.len - 1] != '\n';
    char *block = make_block(items, add_newline);
    if (block == NULL)
        mainmaster_no_memory(work);
    else
        produce(work, before, block, add_newline);
    free(block);
}

/* --- The four edits --- */

static void work_begin(struct mainmaster_work *work, const struct mainmaster_kind *kind,
                       struct mainmaster_edit *edit)
{
    *edit = (struct mainmaster_edit){0};
    *work = (struct mainmaster_work){.kind = kind, .edit = edit};
}

static void work_end(struct mainmaster_work *work)
{
    cflines_free(&work->kept);
    cflines_free(&work->block);
    for (size_t i = 0; i < MAINMASTER_LISTS; i++) {
        free(work->block_lists[i]);
        free(work->inserted[i]);
    }
    if (work->failed) {
        free(work->edit->bytes);
        work->edit->bytes = NULL;
        work->edit->len = 0;
    }
}

bool mainmaster_is_plain(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && strchr("/._-+@=~:%", *text) == NULL)
            return false;
    return true;
}

/* Names that would need quoting: the two files and their macros each have rules of their own. */
static void check_plain(struct mainmaster_work *work, const struct mainmaster_want *want)
{
    const char *const names[] = {want->table, want->filter, want->status_filter, want->account,
                                 want->gate,  want->config, want->state,         want->log_name};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i] != NULL && !mainmaster_is_plain(names[i]))
            mainmaster_conflict(
                work, 0,
                "the name \"%.200s\" cannot be written into main.cf and master.cf; use "
                "letters, digits and /._-+@=~:%% only",
                names[i]);
}

static void apply(const struct mainmaster_kind *kind, mainmaster_planner *plan, struct slice before,
                  const struct mainmaster_want *want, struct mainmaster_edit *edit)
{
    struct mainmaster_work work;
    struct mainmaster_items items = {0};
    work_begin(&work, kind, edit);
    check_plain(&work, want);
    mainmaster_strip(&work, before);
    if (!work.failed)
        plan(&work, want, &items);
    if (!work.failed)
        add_block(&work, before, &items);
    mainmaster_items_free(&items);
    work_end(&work);
}

void mainmaster_apply_main(struct slice before, const struct mainmaster_want *want,
                           struct mainmaster_edit *edit_r)
{
    apply(&mainmaster_main_kind, mainmaster_plan_main, before, want, edit_r);
}

void mainmaster_apply_master(struct slice before, const struct mainmaster_want *want,
                             struct mainmaster_edit *edit_r)
{
    apply(&mainmaster_master_kind, mainmaster_plan_master, before, want, edit_r);
}

static void remove_block(const struct mainmaster_kind *kind, struct slice before,
                         struct mainmaster_edit *edit)
{
    struct mainmaster_work work;
    work_begin(&work, kind, edit);
    mainmaster_strip(&work, before);
    if (!work.failed)
        produce(&work, before, "", false);
    work_end(&work);
}

void mainmaster_remove_main(struct slice before, const struct mainmaster_want *want,
                            struct mainmaster_edit *edit_r)
{
    (void)want;
    remove_block(&mainmaster_main_kind, before, edit_r);
}

void mainmaster_remove_master(struct slice before, const struct mainmaster_want *want,
                              struct mainmaster_edit *edit_r)
{
    (void)want;
    remove_block(&mainmaster_master_kind, before, edit_r);
}

void mainmaster_edit_free(struct mainmaster_edit *edit)
{
    free(edit->bytes);
    *edit = (struct mainmaster_edit){0};
}
