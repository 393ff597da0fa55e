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
#define PROBATION_SERVICE "postern-probation"
#define CLIENT_SERVICE "smtp" /* that lanes are copied from */
#define RECIPIENT_LIMIT "_destination_recipient_limit"
#define DOOR_SOFT_LIMIT "smtpd_soft_error_limit"
#define DOOR_HARD_LIMIT "smtpd_hard_error_limit"

/* Around the socket of a milter: with these settings mail goes on without it (milter/milter.c). */
#define MILTER_HEAD "{ "
#define MILTER_TAIL                                                                                \
    ", default_action=accept, connect_timeout=5s, command_timeout=10s, content_timeout=30s }"
#define FILTER_CLASS "bounce"

/* A setting of main.cf that lists tables or the like, some of them ours. */
struct mainmaster_list {
    const char *name;
    bool single; /* no list, but "service:nexthop": `head` stands for `inherited` as the service */
    const char *head;      /* how each entry begins that setup ever put there ... */
    const char *tail;      /* ... and ends; "": the entry is `head` */
    const char *inherited; /* what it is when it is not set (global/mail_params.h) */
    size_t most;           /* entries of ours */
    bool first;            /* ours is asked before all others, or after them */
    bool braces;           /* hold an entry together */
    const char *other; /* a list to which this one may refer and whose entries it is not to get */
};

enum {
    MAINMASTER_ROUTES,
    MAINMASTER_STATUS,
    MAINMASTER_SMTPD_MILTERS,
    MAINMASTER_OTHER_MILTERS,
    MAINMASTER_CLASSES,
    MAINMASTER_DEFAULT_TRANSPORT,
    MAINMASTER_LISTS
};
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

/* --- mainmaster_list.c --- */

/* The list of this name, as its number; MAINMASTER_LISTS: it is none. */
size_t mainmaster_list_of(const char *name);

/* A list without the commas and spaces around it, cut in place. */
char *mainmaster_trim_list(char *list);

/* The next entry; len 0: no more. */
struct slice mainmaster_list_next(const struct mainmaster_list *list, const char **rest);

/* False when a "{" is not closed: what is put behind it would belong to it. */
bool mainmaster_list_is_whole(const char *value);

/* True for what setup may have put there. */
bool mainmaster_list_is_ours(const struct mainmaster_list *list, struct slice entry);

/* Takes our entries out, in place, but for those that the list had before, by one text or the
 * other.
 */
char *mainmaster_list_without_ours(const struct mainmaster_list *list, char *value,
                                   const char *former, const char *former_too);

/* What stands behind the service in "service:nexthop"; NULL: it is another service. */
const char *mainmaster_behind_service(const char *value, const char *service);

/* --- mainmaster_expand.c --- */

/* Text with what main.cf says for each "$name" in it. free() it; NULL: failed. */
char *mainmaster_expand(struct mainmaster_work *work, const struct mainmaster_want *want,
                        struct slice text);

/* Text with `value` for each "$name" of this one name. free() it; NULL: failed. */
char *mainmaster_write_out(struct mainmaster_work *work, const char *text, const char *name,
                           const char *value);

/* True when `name` has a part in what the text means, by whatever way. */
bool mainmaster_leads_to(struct mainmaster_work *work, const struct mainmaster_want *want,
                         const char *text, const char *name);

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

/* --- mainmaster_main.c, mainmaster_master.c, mainmaster_milter.c, mainmaster_probation.c --- */

/* What the block is to say, beside what work->kept has. */
typedef void mainmaster_planner(struct mainmaster_work *work, const struct mainmaster_want *want,
                                struct mainmaster_items *items);
mainmaster_planner mainmaster_plan_main, mainmaster_plan_master, mainmaster_plan_milters;
mainmaster_planner mainmaster_plan_probation; /* its part of main.cf */

/* The last definition's value, which counts, and its line. free() it; NULL: none, or failed. */
char *mainmaster_find_setting(struct mainmaster_work *work, const char *wanted, size_t *line_r);

/* A setting; with a reason (why) it has to have this value, without one any will do. */
void mainmaster_add_setting(struct mainmaster_work *work, struct mainmaster_items *items,
                            const char *comment, const char *why, const char *name,
                            const char *value);

/*
 * qmgr(8) looks up "smtp_destination_concurrency_limit" and the like by the name of the transport,
 * so what the administrator set for smtp is repeated for a copy of it. As text, not as "$smtp_...":
 * qmgr would give up on a reference to a setting that was deleted since.
 */
void mainmaster_add_as_for_client(struct mainmaster_work *work, struct mainmaster_items *items,
                                  const char *comment, const char *service, const char *setting);

/* Sets a setting aside. */
void mainmaster_set_aside(struct mainmaster_work *work, const char *wanted);

/* Sets a list aside and writes it anew with an entry of ours: list->head and what is behind that.
 */
void mainmaster_add_list(struct mainmaster_work *work, struct mainmaster_items *items,
                         const struct mainmaster_list *list, const char *comment, const char *entry,
                         const char *former);

/* --- mainmaster_lane.c --- */

/* True for a service "smtp unix" (a logical line of master.cf); *command_r is what it runs. */
bool mainmaster_is_client(const char *line, struct slice *command_r);

/* A copy of such a service under another name. */
struct mainmaster_lane {
    char name[32];
    unsigned long processes; /* at most; 0: as many as the service may have ... */
    unsigned long bound;     /* ... but no more than this; 0: no bound */
};

/* The lane postern-rcptN. */
struct mainmaster_lane mainmaster_lane_of(uint32_t recipients);

/* free() it; NULL: out of memory. */
char *mainmaster_lane_text(const char *client, const struct mainmaster_lane *lane,
                           const char *log_name);

#endif
