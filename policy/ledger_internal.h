/* What the ledger's own files share. Nobody else includes it. */
#ifndef POSTERN_LEDGER_INTERNAL_H
#define POSTERN_LEDGER_INTERNAL_H

#include "classify.h"
#include "host.h"
#include "ledger.h"
#include "record.h"
#include "rules.h"

/* The guard of a destination; id 0: none. */
enum { GUARD_SLOTS = 4096 };
struct guard_slot {
    uint32_t id;
    bool changed; /* since it was written */
    struct guard guard;
};

/* How far the senders of a destination's waiting messages were told. */
enum { DELAY_MARKS = 16 };
struct delay_mark {
    uint32_t destination; /* id; 0: none */
    uint64_t warned;      /* as the destination had it */
    struct key from;
};

/* Outages that began within one second. */
struct crowd {
    int64_t second;
    uint32_t count;
};

struct ledger {
    struct store *store;
    const struct config *config;
    const struct ledger_actions *actions;
    void *context;
    bool enforce;
    struct classifier *classifier; /* NULL: recipient_limits.outbound is off */
    const char *syslog_name; /* of Postfix */
    char smtp_tag[64];       /* what may stand behind that for the service smtp */
    bool lanes_possible;
    enum lanes_mode pools;
    uint32_t normal_recipients; /* that Postfix sends in one transaction without a lane */
    struct key swept;           /* how far ledger_sweep has come */
    struct key swept_names;
    struct key swept_messages;
    struct key swept_bounced;
    struct key swept_guards;
    struct ledger_early early;
    struct guard_slot guards[GUARD_SLOTS];
    bool guards_changed; /* some that is to be written */
    struct crowd crowd;
    struct delay_mark delay_marks[DELAY_MARKS];
    unsigned reports; /* that may still be asked for in this ledger_tick */
};

/* A destination being worked on: its record, what was saved last, and whose rules it follows. */
struct subject {
    struct destination_record record;
    struct destination before;
    struct rules rules;
    const struct retry_policy *policy; /* rules.policy */
};

/* A recipient being worked on. */
struct case_file {
    struct key key;
    struct recipient r;
    struct recipient before;
    bool exists;
};

/*
 * The queue manager remembers the last address it resolved for 30 s (global/resolve_clnt.c). A
 * message woken again within that time may be sent where its route led before. With retries further
 * apart than QUICK_INTERVAL (in s) there is time to wait for that; with quick ones a nudge helps
 * (wake.h).
 */
enum { QUICK_INTERVAL = 60, ROUTE_MEMORY = 31 * 1000, SETTLE = 150 };

/* Records (ledger_state.c). Loading fills in the rules; saving keeps the index of what is due. */
bool subject_load_domain(struct ledger *l, struct subject *s, struct slice domain);
bool subject_load_id(struct ledger *l, struct subject *s, uint32_t id);
void subject_adopt(struct ledger *l, struct subject *s, const struct destination_record *record);
void subject_save(struct ledger *l, struct subject *s);
void subject_delete(struct ledger *l, struct subject *s);
bool subject_is_quick(const struct subject *s, enum give_up why);

/* Calls `visit` with every domain that is known to belong to it. */
typedef void subject_domain(struct ledger *l, const struct subject *s, struct slice domain);
void subject_each_domain(struct ledger *l, const struct subject *s, subject_domain *visit);
void subject_forget_domains(struct ledger *l, const struct subject *s);
bool subject_has_waiting(struct ledger *l, const struct subject *s);

bool case_load(struct ledger *l, struct case_file *c, struct slice queue_id,
               struct slice recipient);
bool case_load_key(struct ledger *l, struct case_file *c, struct slice key);
void case_save(struct ledger *l, struct case_file *c);
void case_forget(struct ledger *l, struct case_file *c);
/* Puts it among those that wait for the destination, or takes it out. */
void case_wait(struct case_file *c, const struct destination *d, bool tried);
void case_stop_waiting(struct case_file *c);
void case_assign(struct ledger *l, struct case_file *c, const struct subject *s);
/* When waking it leads where it should, and whether that takes a nudge. */
int64_t case_wake_time(const struct case_file *c, bool to_gate, bool quick, int64_t now);
bool case_needs_nudge(const struct case_file *c, bool to_gate, bool quick, int64_t now);
/* True when a route for its address alone can be published (route.h). */
bool case_is_routable(const struct case_file *c);
/* Wanted at the gate, or no longer. */
void case_give_up(struct ledger *l, struct case_file *c, enum give_up why, int64_t next);
void case_take_back(struct ledger *l, struct case_file *c);

/* The n-th-found waiting recipient; see ledger_work.c. Given-up ones stand behind all others. */
enum { WAITING_ALL = 0, WAITING_GIVEN_UP = 1 };
bool waiting_first(struct ledger *l, uint32_t destination, int which, struct key *found_r,
                   uint64_t *baseline_r);
bool waiting_next(struct ledger *l, uint32_t destination, struct key *found, uint64_t *baseline_r);
struct slice waiting_recipient_key(const struct key *found);

/* Outage work (ledger_work.c). */
void work_hold(struct ledger *l, struct subject *s, bool hold);
void work_hold_domain(struct ledger *l, struct slice domain, bool hold);

/* Recipient limits (ledger_lanes.c). */
bool lanes_classify(const struct ledger *l, const struct maillog_line *line,
                    struct classify_info *info_r);
void lanes_refused(struct ledger *l, struct subject *s, const struct maillog_line *line,
                   const struct classify_info *info, const struct case_file *c);
void lanes_note_service(struct ledger *l, struct subject *s, const struct maillog_line *line);
void lanes_taken(struct ledger *l, const struct subject *s, const struct maillog_line *line);
void lanes_transaction_due(struct ledger *l, struct slice subject, int64_t now);
void lanes_widen(struct ledger *l, struct subject *s, int64_t now);
void lanes_publish(struct ledger *l, struct subject *s);
void lanes_note_domain(struct ledger *l, struct subject *s, struct slice domain);

/* Destinations behind one host (ledger_hosts.c). True: hold it now, all its hosts are down. */
bool hosts_failed(struct ledger *l, struct subject *s, const struct maillog_line *line);
void hosts_opened(struct ledger *l, struct subject *s, const struct maillog_line *line,
                  const struct attempt *attempt);
void hosts_forget(struct ledger *l, const struct subject *s);
/* A session is open: the outage is over, and those who wait are woken (ledger.c). */
void outage_ended(struct ledger *l, struct subject *s, const struct attempt *attempt);

/* Lanes of suspect and proven destinations (ledger_pools.c). */
void pools_update(struct ledger *l, struct subject *s, int64_t now);
/* Works out anew what is published; saves the subject. */
void pools_start(struct ledger *l, struct subject *s, int64_t now);
void pools_withdraw(struct ledger *l, struct subject *s);
/* A domain of a group was seen: it goes where the group goes. */
void pools_note_domain(struct ledger *l, struct subject *s, struct slice domain);
/* True when domains that were delivered to matter, not only those that failed. */
bool pools_want_domains(const struct ledger *l);

/* Early reports (ledger_early.c). */
void early_bounced(struct ledger *l, const struct maillog_line *line);
void early_returned(struct ledger *l, struct slice queue_id);
void early_removed(struct ledger *l, struct slice queue_id);
void early_is_due(struct ledger *l, struct slice queue_id);
void early_start(struct ledger *l);
void early_sweep(struct ledger *l, int64_t before, unsigned most);
/* What the door told of a message; envelope_free() it. NULL: nothing. */
struct envelope *early_envelope(struct ledger *l, struct slice queue_id);
/* The sender of a message that the door told of; free() it. NULL: not known. */
char *early_sender(struct ledger *l, struct slice queue_id);

/* Bad addresses (ledger_bad.c). The destination has an id. */
void bad_taken(struct ledger *l, const struct subject *s, const struct maillog_line *line);
void bad_refused(struct ledger *l, const struct subject *s, const struct maillog_line *line);
bool bad_forget_recipient(struct ledger *l, struct slice recipient);
void bad_forget_guard(struct ledger *l, uint32_t destination);
void bad_sweep(struct ledger *l, int64_t now, unsigned most);

/* Senders are told of a delay (ledger_delay.c). */
void delay_go_on(struct ledger *l, struct subject *s, int64_t now);
void delay_is_due(struct ledger *l, struct slice queue_id);

/* Messages over the cap go to the gate, messages of an ended outage are woken: at most `wakes`. */
void work_go_on(struct ledger *l, struct subject *s, int64_t now, unsigned *wakes);

/* One line for the log: what happened to a destination, or to a recipient (ledger_say.c). */
void say_down(struct ledger *l, const struct subject *s);
void say_up(struct ledger *l, const struct subject *s, uint64_t failures, int64_t since,
            int64_t now);
void say_lane(struct ledger *l, const struct subject *s);
void say_give_up(struct ledger *l, const struct subject *s, const struct case_file *c,
                 enum give_up why, const char *error);
void say_delay(struct ledger *l, const struct case_file *c);
void say_pool(struct ledger *l, const struct subject *s);
void say_early(struct ledger *l, struct slice key, const struct early_record *r, const char *sender,
               unsigned number);
void say_bad(struct ledger *l, const struct subject *s, const char *address,
             const struct bad_record *r);
void say_good(struct ledger *l, const struct maillog_line *line);
void say_guard(struct ledger *l, const struct subject *s, const struct guard *guard, bool tripped,
               unsigned forgotten);

#endif
