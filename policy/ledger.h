/*
 * The ledger: what the mail log tells goes in, what is to be done comes out (DESIGN 3.1, 3.2).
 *
 * Between store_begin and store_commit of its store, posternd feeds it lines and lets it tick. What
 * it wants done arrives through struct ledger_actions during those calls; the caller keeps it until
 * the transaction is committed, and drops it when that fails. With `enforce = false` it only says
 * what it would do. Times are ms since the epoch; the ledger has no clock. Not thread-safe.
 */
#ifndef POSTERN_LEDGER_H
#define POSTERN_LEDGER_H

#include "config.h"
#include "envelope.h"
#include "maillog.h"
#include "record.h"
#include "route.h"
#include "store.h"

enum wake_why {
    WAKE_PROBE,    /* the retry of a destination */
    WAKE_GIVE_UP,  /* to be given up at the gate */
    WAKE_TRANSFER, /* its transfer_interval has passed */
    WAKE_BACK,     /* its destination is back */
};

struct ledger_actions {
    /* What the transport table should say of this key from now on. */
    void (*route)(void *context, struct slice key, enum route route);
    /*
     * Wake this message with `postqueue -i`. `nudge`: its retries are so close together that the
     * queue manager may still remember the route it found last time (see wake.h).
     */
    void (*wake)(void *context, struct slice queue_id, enum wake_why why, bool nudge);
    /* A line for the log. */
    void (*say)(void *context, const char *line);
    /* Report the bounced recipients of this message: ledger_report_load, then ledger_reported. */
    void (*report)(void *context, struct slice queue_id);
    /* Tell the sender that this message is delayed: ledger_delay_load, then ledger_delayed. */
    void (*delay)(void *context, struct slice queue_id);
};

struct ledger;

/* The store, the configuration and the actions must outlive it. */
struct ledger *ledger_new(struct store *store, const struct config *config,
                          const struct ledger_actions *actions, void *context);
void ledger_free(struct ledger **ledger);

/* Only says what it would do, whatever the configuration: Postfix does not read the tables. */
void ledger_set_enforce(struct ledger *ledger, bool enforce);

/*
 * What Postfix makes of lanes: whether routes to them have effect (postfix_lanes_possible), and how
 * many recipients it sends in one transaction without one.
 */
void ledger_set_lanes(struct ledger *ledger, bool possible, uint32_t normal_recipients);

/*
 * By what the service smtp is known in the log: Postfix's syslog_name ("postfix" by default), which
 * has to outlive the ledger, and what may stand behind it (postfix_smtp_tag; "smtp" by default).
 */
void ledger_set_tags(struct ledger *ledger, const char *syslog_name, const char *smtp_tag);

/* Which lanes Postfix has for suspect and proven destinations; by default what is configured. */
void ledger_set_pools(struct ledger *ledger, enum lanes_mode mode);

/* What early reports need to know of Postfix; `host` has to outlive the ledger. */
struct ledger_early {
    bool possible;    /* Postfix's own reports pass through postern-earlyndr */
    const char *host; /* myhostname */
};
void ledger_set_early(struct ledger *ledger, const struct ledger_early *early);

/*
 * Makes the state fit the configuration, which may have changed since it was written, and works out
 * anew which routes are wanted (STORE_ROUTE), without telling of each: publish them all afterwards.
 */
void ledger_start(struct ledger *ledger, int64_t now);

void ledger_line(struct ledger *ledger, const struct maillog_line *line);

/* How much may be asked for now. */
struct ledger_room {
    unsigned wakes;
    unsigned reports;
};

/*
 * Does what is due and there is room for. Returns when it wants to be called again (0: nothing is
 * planned). Not before the log has been read to its end: what is due may have happened.
 */
int64_t ledger_tick(struct ledger *ledger, int64_t now, struct ledger_room room);

/* --- Early reports (ledger_early.c) --- */

/* What the door saw of a message, as envelope.h has it. False: it is not kept. */
bool ledger_envelope(struct ledger *ledger, struct slice queue_id, int64_t arrived,
                     struct slice json);

/* A bounced recipient that is to be reported now. */
struct ledger_bounced {
    char *recipient;
    struct early_record record;
};
struct ledger_report {
    struct envelope *envelope;
    struct ledger_bounced *bounced;
    size_t count;
};

/* What struct ledger_actions' `report` is about. False: nothing any more, or no memory. */
bool ledger_report_load(struct ledger *ledger, struct slice queue_id,
                        struct ledger_report *report_r);
void ledger_report_free(struct ledger_report *report);

/* How that ended: the report is in Postfix's hands, or it is tried again later. */
void ledger_reported(struct ledger *ledger, struct slice queue_id, bool sent, int64_t now);

/* Postfix's own report names this recipient. */
enum ledger_claim {
    LEDGER_CLAIM_KEEP, /* it tells; we shall not */
    LEDGER_CLAIM_DROP, /* the sender knows already */
    LEDGER_CLAIM_WAIT, /* ours is on its way: ask again when ledger_reported() was called */
};
enum ledger_claim ledger_claim(struct ledger *ledger, struct slice queue_id,
                               struct slice recipient);

/* --- Delays (ledger_delay.c) --- */

/* A recipient that waits for a destination, and that destination. */
struct ledger_delayed {
    char *recipient;
    struct destination_record to;
    uint64_t retries;  /* open retries since the message met the outage */
    uint32_t cap;      /* of them; 0: none */
    uint32_t interval; /* s */
};
struct ledger_delay {
    struct envelope *envelope;
    struct ledger_delayed *list;
    size_t count;
};

/* False: nobody is to be told, or there is no memory. */
bool ledger_delay_load(struct ledger *ledger, struct slice queue_id, struct ledger_delay *delay_r);
void ledger_delay_free(struct ledger_delay *delay);
/* It was sent, or cannot be: this is not tried again. */
void ledger_delayed(struct ledger *ledger, struct slice queue_id, bool sent, int64_t now);

/* A recipient that its sender was warned of at the door, because its destination is down. */
struct ledger_warned {
    struct slice queue_id;
    struct slice recipient;
    int64_t arrived;      /* the message, at the door */
    uint32_t destination; /* id */
};
/* It is not told of again, though the log may not have named it yet. */
void ledger_warned(struct ledger *ledger, const struct ledger_warned *warned, int64_t now);

/* --- Bad addresses (ledger_bad.c) --- */

/* True for the one message that may try an address that was said not to exist. */
bool ledger_test_bad(struct ledger *ledger, struct slice recipient, int64_t now);

/* --- */

/* Writes what is kept back during a transaction: the last thing before it is committed. */
void ledger_flush(struct ledger *ledger);
/* The transaction failed, and what was fed in it will be again. */
void ledger_rewound(struct ledger *ledger);

/* Looks through some of the records and drops those of mail that cannot be in the queue any more.
 */
void ledger_sweep(struct ledger *ledger, int64_t now, int64_t queue_lifetime);

/* What an administrator may ask for. False when there is no such thing (or no outage to retry). */
bool ledger_retry(struct ledger *ledger, struct slice destination, int64_t now);
bool ledger_forget_destination(struct ledger *ledger, struct slice destination, int64_t now);
bool ledger_forget_recipient(struct ledger *ledger, struct slice address);

#endif
