/* What the parts of the doctor share. Contracts as in doctor.h. */
#ifndef POSTERN_DOCTOR_PARTS_H
#define POSTERN_DOCTOR_PARTS_H

#include "doctor.h"
#include "doctor_words.h"
#include "setup_plan.h"
#include "store.h"

enum doctor_level { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_PROBLEM, DOCTOR_UNKNOWN };
enum { DOCTOR_TEXT_MAX = 1200, DOCTOR_PATH_MAX = 4200 };

/* What is examined. Strings belong to it. */
struct patient {
    const struct config *config;
    struct setup_plan plan; /* plan.postfix NULL: it could not be asked */
    bool known;             /* plan.account and the like, and `account` */
    bool edited;            /* plan.main and plan.master were worked out */
    bool root;
    char unit[64];               /* of Postern's units, "posternd@UNIT"; "": the plain ones */
    const char *other_directory; /* Postfix's; "": the default one */
    bool running;                /* posternd has its lock, and works */
    pid_t pid;                   /* of posternd, 0: unknown */
    char *metrics;               /* what it tells monitoring; NULL: it did not answer */
    char no_answer[512];
    struct store *store;           /* within a transaction; NULL: it cannot be read */
    struct doctor_account account; /* of posternd */
    struct doctor_account postfix; /* mail_owner; uid 0: unknown */
    json_t *checks;
    const char *check; /* the one being made */
    bool said;         /* by it */
};

/*
 * Adds a finding of the present check. `type` may be NULL. A check that says nothing has found all
 * well.
 */
void doctor_say(struct patient *p, enum doctor_level level, const char *type, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

/* Fills in an account by its name; false: there is none. */
bool doctor_find_account(const char *name, struct doctor_account *account_r);
/* The number of a group; (gid_t)-1: there is none. */
gid_t doctor_group(const char *name);
/*
 * Whether an account may use a path that is there (R_OK and so on); when not, blame_r (of
 * DOCTOR_PATH_MAX bytes) is what is in the way: the path, or a directory that leads there. Root
 * tries it as that account; others judge by the modes.
 */
bool doctor_may(const struct patient *p, const struct doctor_account *account, const char *path,
                int want, char *blame_r);
/* The same, said as a problem with what helps. True: it may. */
bool doctor_check_path(struct patient *p, const struct doctor_account *account, const char *path,
                       int want);
/* A setting of main.cf with its references expanded, without its newline; "" for none. free() it.
 */
char *doctor_postconf(const struct patient *p, const char *setting);
/* "posternctl ... setup --apply" */
void doctor_setup_command(const struct patient *p, char command_r[SETUP_COMMAND_MAX]);
/* "postconf -c DIR": without -c where that is the default */
const char *doctor_postconf_command(const struct patient *p, char *buffer, size_t size);
/* postfix.log = "journal" */
bool doctor_reads_journal(const struct patient *p);
/* The first `size` bytes of a file, NUL-terminated; false: it cannot be read. */
bool doctor_read(const char *path, char *buffer, size_t size);

/* --- doctor_socket.c --- */

/* Where a milter or the policy service listens. */
struct doctor_socket {
    const char *text;                /* in libmilter's syntax, the caller's */
    struct mainmaster_socket place;  /* the same */
    struct mainmaster_socket inside; /* what it is inside queue_directory; no path: nothing */
    bool runs;                       /* somebody listens ... */
    bool is_inside;                  /* ... there */
};

/* False: there is none. */
bool doctor_socket_read(const struct patient *p, const char *text, struct doctor_socket *socket_r);
/* True when what main.cf has is this socket, by one name or the other. */
bool doctor_socket_named(const struct patient *p, const struct doctor_socket *socket,
                         struct slice endpoint);
/* True when services reach it, if it is named as it should be. */
bool doctor_socket_seen(const struct patient *p, const struct doctor_socket *socket,
                        unsigned place);
/* The socket itself; "": it is by TCP. */
const char *doctor_socket_path(const struct doctor_socket *socket);
/*
 * Whether services reach it by the name that `list` has at `endpoint`; when not, that is said as a
 * problem with what helps. True: they do.
 */
bool doctor_socket_check(struct patient *p, const struct doctor_socket *socket, const char *program,
                         unsigned place, const char *setting, const char *list,
                         struct slice endpoint);
/* True when the services of a place of milters are chrooted. */
bool doctor_chrooted(const struct patient *p, unsigned place);

typedef void doctor_check(struct patient *p);

/* doctor_posternd.c */
doctor_check doctor_runs, doctor_answers, doctor_version, doctor_same_file, doctor_enforces;
doctor_check doctor_account_good, doctor_directories, doctor_failures;
/* doctor_log.c */
doctor_check doctor_log, doctor_log_place, doctor_log_flow, doctor_log_lag, doctor_journal;
/* doctor_log_lines.c */
doctor_check doctor_log_lines, doctor_log_clock;
/* doctor_state.c */
doctor_check doctor_state, doctor_tables, doctor_filters, doctor_routes, doctor_gate;
/* doctor_postfix.c */
doctor_check doctor_postfix_asked, doctor_postfix_version, doctor_postfix_runs, doctor_lmdb;
doctor_check doctor_transport_maps, doctor_services, doctor_setup, doctor_overrides, doctor_lanes;
doctor_check doctor_commands;
/* doctor_instances.c */
doctor_check doctor_instances;
/* doctor_selinux.c */
doctor_check doctor_selinux;
/* doctor_door.c */
doctor_check doctor_milters, doctor_early, doctor_policy, doctor_limits, doctor_error_limit;

#endif
