/* What the files of the daemon share. Nobody else includes it. */
#ifndef POSTERN_DAEMON_INTERNAL_H
#define POSTERN_DAEMON_INTERNAL_H

#include "daemon.h"
#include "filter.h"
#include "ledger.h"
#include "logsource.h"
#include "origins.h"
#include "record.h"
#include "reporter.h"
#include "table.h"
#include "wake.h"

/* Something the ledger asked for; done when the transaction is committed. */
struct wish {
    bool is_route;
    bool is_report;
    bool is_delay;
    enum route route;
    enum wake_why why;
    bool nudge;
    char *key; /* of the table, or a queue id */
};

struct wishes {
    struct wish *list;
    size_t count;
    size_t room;
};

/* What systemd was told (daemon_notify.c). */
struct notify {
    int64_t every; /* ms between two signs of life; 0: nobody waits for them */
    int64_t last;
    bool ready;
    char text[160];
};

struct daemon {
    struct config *config;
    struct postfix *postfix;
    struct event_base *base;
    struct store *store;
    struct ledger *ledger;
    struct logsource *source;
    struct child_runner *runner;
    struct table *table;
    struct waker *waker;
    struct control *control;
    struct policyd *policyd;
    struct daemon_early *early;
    struct control_reply *reload; /* owed to who asked for the last one */
    struct event *batch;          /* the next transaction */
    struct event *readable;       /* the log can be watched */
    struct event *signals[3];
    struct notify notify;
    struct wishes wishes;
    struct filters filters;
    struct logtags *tags; /* of other instances in the same log; NULL: there are none */
    struct logsource_position committed;
    int64_t started;
    int64_t last_batch;
    int64_t last_sweep;
    bool caught_up;      /* the log has been read to its end */
    bool store_fails;    /* said so already */
    bool postfix_silent; /* it could not be asked, and that was said */
    bool lanes_unknown;  /* said that a table of Postfix's cannot be asked */
    bool check_foreign;  /* all lanes are to be checked for routes of the administrator's */
    bool connected;      /* Postfix uses our tables */
    bool early_possible; /* its own reports pass through a milter */
    bool early_complained;
    bool namesake;        /* said that another instance has our name in our log */
    int64_t last_line;    /* when the last line of Postfix was logged */
    int64_t last_check;   /* of what others may have changed */
    int64_t last_connect; /* of Postfix's configuration */
    int64_t last_apart;   /* of that of other instances */
};

bool daemon_begin(struct daemon *daemon);
/* Stores what posternctl shows of posternd itself. Within a transaction. */
void daemon_put_status(struct daemon *daemon);

/* What the ledger wants (daemon_wishes.c): to be done, once that is committed, or not at all. */
extern const struct ledger_actions daemon_actions;
void wishes_grant(struct daemon *daemon);
void wishes_drop(struct daemon *daemon);
/* Old news: what matters is what is wanted when the end of the log is reached. */
void wishes_postpone(struct daemon *daemon);

/* The configuration (daemon_config.c). */
void daemon_say_warnings(const struct config *config);
/*
 * Reads it again. A mistake leaves the running one in force: false, with a line in error_r, which
 * was logged.
 */
bool daemon_reload(struct daemon *daemon, char *error_r, size_t size);
/* What was asked for is published: answers the /reload that waits for it. */
void daemon_reload_done(struct daemon *daemon);
/* Another transaction, as soon as it may be. */
void daemon_soon(struct daemon *daemon);
/* How this Postfix writes its log, whose entries are its own, and which of them are about filters.
 */
void daemon_trust_log(struct daemon *daemon);
/* Which of the lines are of this Postfix, where others write to the same log (daemon_instances.c).
 */
void daemon_tell_apart(struct daemon *daemon);
/* A new ledger for the present configuration and connection; all routes are published anew. */
bool daemon_start_ledger(struct daemon *daemon);

/* The hooks of the table (daemon_publish.c). */
bool publish_routes(void *context, table_emit *emit, void *emit_context);
const char *publish_nexthop(void *context);

/* The administrator's own routes win over lanes: of those wished for, or of all that are wanted. */
void publish_yield(struct daemon *daemon);
void publish_yield_all(struct daemon *daemon);
/* The table for smtp_delivery_status_filter. */
void publish_filter(struct daemon *daemon);
/* Works out, from what is known of Postfix, whether it reads what is published, and says so. */
void publish_judge(struct daemon *daemon);
/* Asks Postfix anew, and observes only while it does not read it; the ledger is there. */
void publish_check(struct daemon *daemon);
/* True when Postern acts, rather than only observes. */
bool publish_is_on(const struct daemon *daemon);

/* What systemd is told; nothing where it did not start us (daemon_notify.c). */
void notify_begin(struct daemon *daemon);
/* The event loop works: often called, it says so as often as the unit wants. */
void notify_beat(struct daemon *daemon, int64_t now);
/* After each transaction: ready with the first that was committed; what it does, if that changed.
 */
void notify_state(struct daemon *daemon);
/* Before the configuration is read again; notify_state() ends it. */
void notify_reloading(struct daemon *daemon);
void notify_stopping(void);

/* Early reports (daemon_early.c). */
bool early_begin(struct daemon *daemon);
void early_end(struct daemon *daemon);
/* Every line of the log. */
void early_saw(struct daemon *daemon, const struct maillog_line *line);
/* Writes what the door told; to be dropped when that is committed. Within a transaction. */
void early_store_arrivals(struct daemon *daemon);
void early_drop_arrivals(struct daemon *daemon, bool written);
/* How many reports may be asked for. */
unsigned early_room(const struct daemon *daemon);
/* Reports the bounced recipients of a message. Outside of a transaction, like the next. */
void early_send(struct daemon *daemon, const char *queue_id);
/* Tells the sender of a message that it is delayed (daemon_delay.c). */
void delay_send(struct daemon *daemon, const char *queue_id);
struct reporter *daemon_reporter(struct daemon *daemon);
/* A report on this message, without recipients yet. */
struct dsn_report daemon_report_about(const struct envelope *envelope);
/* Answers what can be answered by now. */
void early_settle_claims(struct daemon *daemon);

#endif
