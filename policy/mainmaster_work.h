/* What the files mainmaster*.c share. */
#ifndef POSTERN_MAINMASTER_WORK_H
#define POSTERN_MAINMASTER_WORK_H

#include <stdint.h>
#include <stdio.h>

#include "cflines.h"
#include "mainmaster.h"

/* What is looked for in a file that was edited. Never change these: files out there have them. */
#define BEGIN_MARK "# BEGIN postern"
#define END_MARK "# END postern"
#define ADDED_NEWLINE " (the line before this had no newline)"
#define ASIDE_MARK "#postern# "

#define HOLD_SERVICE "postern-hold"
#define EXPIRE_SERVICE "postern-expire"
#define LANE_SERVICE "postern-rcpt" /* and the number of recipients */
#define RECIPIENT_LIMIT "_destination_recipient_limit"
#define DOOR_SOFT_LIMIT "smtpd_soft_error_limit"
#define DOOR_HARD_LIMIT "smtpd_hard_error_limit"

/* A setting of main.cf that lists tables, one of them ours. */
struct mainmaster_list {
    const char *name;
    const char *type;      /* of our table, with the colon */
    const char *tail;      /* how every table ends that setup ever put there */
    const char *inherited; /* what it is when it is not set (global/mail_params.h) */
    bool first;            /* ours is asked before all others, or after them */
};

enum { MAINMASTER_ROUTES, MAINMASTER_STATUS, MAINMASTER_LISTS };
extern const struct mainmaster_list mainmaster_lists[MAINMASTER_LISTS];

/* What tells main.cf from master.cf. */
struct mainmaster_kind {
    const char *const *names; /* that belong to us inside the block, beside the lanes' and lists */
    bool services;
};

extern const struct mainmaster_kind mainmaster_main_kind, mainmaster_master_kind;

/*
 * What qmgr(8) looks up behind the name of a transport (qmgr/qmgr_transport.c, qmgr_feedback.c),
 * but for RECIPIENT_LIMIT. Ends in NULL.
 */
extern const char *const mainmaster_transport_settings[];

/* A file without our block, and what the block was. */
struct mainmaster_work {
    const struct mainmaster_kind *kind;
    struct mainmaster_edit *edit;
    struct cflines kept;
    struct cflines block;
    bool in_block;
    size_t block_line;                   /* where it began */
    bool newline_added;                  /* before it */
    size_t cut;                          /* bytes of that newline to take off the last line kept */
    size_t block_at;                     /* its place in `kept` */
    char *block_lists[MAINMASTER_LISTS]; /* the lists as the block had them */
    char *inserted[MAINMASTER_LISTS];    /* lines of our own making in `kept` */
    bool failed;                         /* edit->result says how */
};

/* Brings the file back to what it was without us, in work->kept. */
void mainmaster_strip(struct mainmaster_work *work, struct slice before);

/* Each ends the work; the first failure is the one that counts. */
void mainmaster_no_memory(struct mainmaster_work *work);
__attribute__((format(printf, 3, 4))) void
mainmaster_conflict(struct mainmaster_work *work, size_t line, const char *format, ...);

/* Something to say about a result that is none the worse for it. */
void mainmaster_tell(struct mainmaster_work *work, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * A logical line as name and value (a service's value is the whole line, squeezed). False: it is no
 * setting, or memory ran out. Either way mainmaster_drop_span() frees what it gave.
 */
bool mainmaster_read_span(struct mainmaster_work *work, const struct cflines *lines,
                          struct cfspan span, char **text_r, char **name_r, char **value_r);
void mainmaster_drop_span(const struct mainmaster_work *work, char *text, char *value);

/* A list without the commas and spaces around it, cut in place. */
char *mainmaster_trim_list(char *list);

/* --- mainmaster_items.c: what the block is to say --- */

/* A setting or a service. It owns its strings but for `comment` and `why`. */
struct mainmaster_item {
    const char *comment; /* lines before it, unless the item before it had the same */
    char *name;          /* NULL: not looked for */
    char *value;         /* as mainmaster_read_span() gives it; NULL: any that is there is right */
    char *text;          /* its lines */
    const char *why;     /* a setting has to have this value */
    bool present;        /* it is there already, outside the block */
};

struct mainmaster_items {
    struct mainmaster_item *at;
    size_t count;
};

/* Takes the item's strings over. One without a text is taken for a lack of memory. */
void mainmaster_items_add(struct mainmaster_work *work, struct mainmaster_items *items,
                          struct mainmaster_item item);
void mainmaster_items_free(struct mainmaster_items *items);

/* Finds those that are there already; one of another value is a conflict. */
void mainmaster_items_survey(struct mainmaster_work *work, struct mainmaster_items *items);

/* Writes those that are not; returns how many. */
size_t mainmaster_items_write(FILE *out, const struct mainmaster_items *items);

/* --- mainmaster_main.c, mainmaster_master.c --- */

/* What the block is to say, beside what work->kept has. */
typedef void mainmaster_planner(struct mainmaster_work *work, const struct mainmaster_want *want,
                                struct mainmaster_items *items);
mainmaster_planner mainmaster_plan_main, mainmaster_plan_master;

/* --- mainmaster_lane.c --- */

/* True for a service "smtp unix" (a logical line of master.cf); *command_r is what it runs. */
bool mainmaster_is_client(const char *line, struct slice *command_r);

/* Such a service, copied for a lane. free() it; NULL: out of memory. */
char *mainmaster_lane_text(const char *client, uint32_t lane, const char *log_name);

#endif
