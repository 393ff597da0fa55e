/* What mainmaster.c and mainmaster_strip.c share. */
#ifndef POSTERN_MAINMASTER_WORK_H
#define POSTERN_MAINMASTER_WORK_H

#include "cflines.h"
#include "mainmaster.h"

/* What is looked for in a file that was edited. Never change these: files out there have them. */
#define BEGIN_MARK "# BEGIN postern"
#define END_MARK "# END postern"
#define ADDED_NEWLINE " (the line before this had no newline)"
#define ASIDE_MARK "#postern# "

#define TRANSPORT_MAPS "transport_maps"
#define TABLE_TYPE "lmdb:"
/* How every table ends that setup ever put into transport_maps. */
#define TABLE_TAIL "/tables/transport"

#define HOLD_LIMIT "postern-hold_destination_recipient_limit"
#define EXPIRE_LIMIT "postern-expire_destination_recipient_limit"

/* What tells main.cf from master.cf. */
struct mainmaster_kind {
    const char *const *names; /* that belong to us inside the block */
    bool services;
};

extern const struct mainmaster_kind mainmaster_main_kind, mainmaster_master_kind;

/* A file without our block, and what the block was. */
struct mainmaster_work {
    const struct mainmaster_kind *kind;
    struct mainmaster_edit *edit;
    struct cflines kept;
    struct cflines block;
    bool in_block;
    size_t block_line;  /* where it began */
    bool newline_added; /* before it */
    size_t cut;         /* bytes of that newline to take off the last line kept */
    size_t block_at;    /* its place in `kept` */
    char *block_maps;   /* transport_maps in the block */
    char *inserted;     /* a line of our own making in `kept` */
    bool failed;        /* edit->result says how */
};

/* Brings the file back to what it was without us, in work->kept. */
void mainmaster_strip(struct mainmaster_work *work, struct slice before);

/* Each ends the work; the first failure is the one that counts. */
void mainmaster_no_memory(struct mainmaster_work *work);
__attribute__((format(printf, 3, 4))) void
mainmaster_conflict(struct mainmaster_work *work, size_t line, const char *format, ...);

/* Something to say about a result that is none the worse for it. */
void mainmaster_tell(struct mainmaster_work *work, size_t line, const char *message);

/*
 * A logical line as name and value (a service's value is the whole line, squeezed). False: it is no
 * setting, or memory ran out. Either way mainmaster_drop_span() frees what it gave.
 */
bool mainmaster_read_span(struct mainmaster_work *work, const struct cflines *lines,
                          struct cfspan span, char **text_r, char **name_r, char **value_r);
void mainmaster_drop_span(const struct mainmaster_work *work, char *text, char *value);

/* A list without the commas and spaces around it, cut in place. */
char *mainmaster_trim_list(char *list);

#endif
