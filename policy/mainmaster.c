#include "mainmaster_work.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* --- Writing the result --- */

/* What the block will say. */
struct addition {
    char *maps; /* the former value, behind our table */
    bool set_maps;
    bool hold;
    bool expire;
};

static void write_kept(FILE *out, const struct mainmaster_work *work)
{
    for (size_t i = 0; i < work->kept.count; i++) {
        const struct cfline *line = &work->kept.at[i];
        fputs(line->commented ? "#" : line->aside ? ASIDE_MARK : "", out);
        fwrite(line->text.at, 1, line->text.len, out);
    }
}

static void write_main(FILE *out, const struct mainmaster_want *want, const struct addition *add)
{
    if (add->set_maps) {
        fputs("# Postern's table comes first: a hold has to be seen before the routes behind it.\n"
              "# Those apply unchanged to all mail that is not held.\n",
              out);
        fprintf(out, TRANSPORT_MAPS " = " TABLE_TYPE "%s%s%s\n", want->table,
                *add->maps != '\0' ? ", " : "", add->maps);
    }
    if (add->hold || add->expire)
        fputs("# The gate's answer is about one recipient, so it is asked about each by itself.\n",
              out);
    if (add->hold)
        fputs(HOLD_LIMIT " = 1\n", out);
    if (add->expire)
        fputs(EXPIRE_LIMIT " = 1\n", out);
}

/*
 * pipe(8) needs its privileges to run a command under another account, and the command is outside a
 * chroot: hence "n n". A status that is not the gate's own is made temporary by the filter: pipe(8)
 * would bounce when the gate cannot be loaded or takes too long (global/pipe_command.c). "q" writes
 * addresses as the mail log does (global/info_log_addr_form.c); an empty null_sender gives the gate
 * an empty argument for <>, which by default would read MAILER-DAEMON (pipe/pipe.c).
 */
static void write_service(FILE *out, const struct mainmaster_want *want, const char *what)
{
    fprintf(out,
            "postern-%-8s unix -     n       n       -       20      pipe\n"
            "  -o pipe_delivery_status_filter=regexp:%s\n"
            "  flags=q user=%s null_sender= argv=%s -c %s\n"
            "  %s ${queue_id} ${nexthop} ${sender} ${recipient}\n",
            what, want->filter, want->account, want->gate, want->config, what);
}

static void write_master(FILE *out, const struct mainmaster_want *want, const struct addition *add)
{
    if (add->hold)
        write_service(out, want, "hold");
    if (add->expire)
        write_service(out, want, "expire");
}

/* The block, with the newlines of the file around it. free() it; NULL: out of memory. */
static char *make_block(const struct mainmaster_work *work, const struct mainmaster_want *want,
                        const struct addition *add, bool added_newline)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    fprintf(out, BEGIN_MARK "%s\n", added_newline ? ADDED_NEWLINE : "");
    fputs(
        "# Written by \"posternctl setup --apply\"; \"posternctl setup --remove\" takes it out.\n",
        out);
    (work->kind->services ? write_master : write_main)(out, want, add);
    fputs(END_MARK "\n", out);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
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
    if (add_newline)
        fputs(crlf ? "\r\n" : "\n", out);
    if (block != NULL)
        write_block(out, block, crlf);
}

/* The new file, from what is kept and the block (NULL: none). */
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
                      const struct mainmaster_want *want, const struct addition *add)
{
    if (!add->set_maps && !add->hold && !add->expire) {
        produce(work, before, NULL, false);
        return;
    }
    struct slice last = {"\n", 1};
    if (work->kept.count > 0)
        last = work->kept.at[work->kept.count - 1].text;
    bool add_newline = last.at[last.len - 1] != '\n';
    char *block = make_block(work, want, add, add_newline);
    if (block == NULL)
        mainmaster_no_memory(work);
    else
        produce(work, before, block, add_newline);
    free(block);
}

/* --- What is there already --- */

/* True when a list of tables has ours, itself or through proxymap(8); *first_r: before all others.
 */
static bool names_table(const char *maps, const char *table, bool *first_r)
{
    *first_r = true;
    for (maps += strspn(maps, ", "); *maps != '\0'; maps += strspn(maps, ", ")) {
        struct slice word = {maps, strcspn(maps, ", ")};
        maps += word.len;
        if (slice_starts(word, "proxy:")) {
            word.at += strlen("proxy:");
            word.len -= strlen("proxy:");
        }
        if (slice_starts(word, TABLE_TYPE) && word.len == strlen(TABLE_TYPE) + strlen(table) &&
            memcmp(word.at + strlen(TABLE_TYPE), table, strlen(table)) == 0)
            return true;
        *first_r = false;
    }
    return false;
}

/* A limit that was set by hand: 1 is what we want, anything else we will not overrule. */
static void check_limit(struct mainmaster_work *work, size_t line, const char *name,
                        const char *value, bool *wanted)
{
    *wanted = strcmp(value, "1") != 0;
    if (*wanted)
        mainmaster_conflict(
            work, line,
            "%s = %s is set here, and Postern needs 1, because the gate answers for one "
            "recipient at a time; delete this line and try again",
            name, value);
}

/* Finds what main.cf sets already. */
static void survey_main(struct mainmaster_work *work, struct addition *add, size_t *maps_line)
{
    struct cfspan span = {0, 0};
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *text = NULL, *name = NULL, *value = NULL;
        size_t line = work->kept.at[span.first].number;
        if (mainmaster_read_span(work, &work->kept, span, &text, &name, &value)) {
            if (strcmp(name, HOLD_LIMIT) == 0)
                check_limit(work, line, name, value, &add->hold);
            if (strcmp(name, EXPIRE_LIMIT) == 0)
                check_limit(work, line, name, value, &add->expire);
            if (strcmp(name, TRANSPORT_MAPS) == 0) {
                free(add->maps);
                add->maps = strdup(mainmaster_trim_list(value));
                *maps_line = line;
                if (add->maps == NULL)
                    mainmaster_no_memory(work);
            }
        }
        free(text);
    }
}

/* Sets every transport_maps aside: one left in front of ours would only make Postfix warn. */
static void set_maps_aside(struct mainmaster_work *work)
{
    struct cfspan span = {0, 0};
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *text = NULL, *name = NULL, *value = NULL;
        bool is_maps = mainmaster_read_span(work, &work->kept, span, &text, &name, &value) &&
                       strcmp(name, TRANSPORT_MAPS) == 0;
        for (size_t i = span.first; is_maps && i < span.end; i++)
            work->kept.at[i].aside = cfline_is_content(&work->kept.at[i]);
        free(text);
    }
}

/* Decides about transport_maps. */
static void plan_maps(struct mainmaster_work *work, const struct mainmaster_want *want,
                      struct addition *add, size_t maps_line)
{
    bool first;
    if (add->maps == NULL)
        add->maps = strdup("");
    if (add->maps == NULL) {
        mainmaster_no_memory(work);
    } else if (!names_table(add->maps, want->table, &first)) {
        add->set_maps = true;
        set_maps_aside(work);
    } else if (!first) {
        mainmaster_tell(work, maps_line,
                        TRANSPORT_MAPS
                        " has Postern's table already, but behind others: what those answer "
                        "cannot be held");
    }
}

/* A service of our name outside our block: the same one is welcome, another is a conflict. */
static void check_service(struct mainmaster_work *work, size_t line, const char *service,
                          const char *wanted, bool *missing)
{
    *missing = false;
    if (strcmp(service, wanted) != 0)
        mainmaster_conflict(
            work, line,
            "a service of this name is here already, and it is not the one that Postern "
            "needs (%.300s); delete or rename it and try again",
            wanted);
}

/* The service as one squeezed line, to compare with. */
static char *service_line(const struct mainmaster_want *want, const char *what)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return NULL;
    write_service(out, want, what);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    for (char *c = text; *c != '\0'; c++)
        *c = *c == '\n' ? ' ' : *c;
    cflines_squeeze(text);
    return text;
}

static void survey_master(struct mainmaster_work *work, const struct mainmaster_want *want,
                          struct addition *add)
{
    struct cfspan span = {0, 0};
    char *hold = service_line(want, "hold");
    char *expire = service_line(want, "expire");
    if (hold == NULL || expire == NULL)
        mainmaster_no_memory(work);
    while (!work->failed && cflines_next(&work->kept, span.end, &span)) {
        char *text = NULL, *name = NULL, *value = NULL;
        size_t line = work->kept.at[span.first].number;
        if (mainmaster_read_span(work, &work->kept, span, &text, &name, &value)) {
            if (strcmp(name, "postern-hold") == 0)
                check_service(work, line, value, hold, &add->hold);
            if (strcmp(name, "postern-expire") == 0)
                check_service(work, line, value, expire, &add->expire);
        }
        mainmaster_drop_span(work, text, value);
    }
    free(hold);
    free(expire);
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
    free(work->block_maps);
    free(work->inserted);
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
    const char *const names[] = {want->table, want->filter, want->account, want->gate,
                                 want->config};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!mainmaster_is_plain(names[i]))
            mainmaster_conflict(
                work, 0,
                "the name \"%.200s\" cannot be written into main.cf and master.cf; use "
                "letters, digits and /._-+@=~:%% only",
                names[i]);
}

void mainmaster_apply_main(struct slice before, const struct mainmaster_want *want,
                           struct mainmaster_edit *edit_r)
{
    struct mainmaster_work work;
    struct addition add = {.hold = true, .expire = true};
    size_t maps_line = 0;
    work_begin(&work, &mainmaster_main_kind, edit_r);
    check_plain(&work, want);
    mainmaster_strip(&work, before);
    survey_main(&work, &add, &maps_line);
    if (!work.failed)
        plan_maps(&work, want, &add, maps_line);
    if (!work.failed)
        add_block(&work, before, want, &add);
    free(add.maps);
    work_end(&work);
}

void mainmaster_apply_master(struct slice before, const struct mainmaster_want *want,
                             struct mainmaster_edit *edit_r)
{
    struct mainmaster_work work;
    struct addition add = {.hold = true, .expire = true};
    work_begin(&work, &mainmaster_master_kind, edit_r);
    check_plain(&work, want);
    mainmaster_strip(&work, before);
    if (!work.failed)
        survey_master(&work, want, &add);
    if (!work.failed)
        add_block(&work, before, want, &add);
    work_end(&work);
}

static void remove_block(const struct mainmaster_kind *kind, struct slice before,
                         struct mainmaster_edit *edit)
{
    struct mainmaster_work work;
    work_begin(&work, kind, edit);
    mainmaster_strip(&work, before);
    if (!work.failed)
        produce(&work, before, NULL, false);
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
