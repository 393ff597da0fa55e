/*
 * What a study keeps: between replay_study.c, its parts, and replay_report.c only.
 */
#ifndef POSTERN_REPLAY_PARTS_H
#define POSTERN_REPLAY_PARTS_H

#include "bad.h"
#include "classify.h"
#include "destination.h"
#include "guard.h"
#include "host.h"
#include "record.h"
#include "replay_map.h"
#include "replay_study.h"
#include "replay_tally.h"

enum {
    REPLAY_SAMPLES = 20,       /* of each kind of finding */
    REPLAY_HELD_UP = 30,       /* s in the active queue, from which on mail was held up */
    REPLAY_SILENT = 10,        /* s an attempt takes, from which on it keeps a process busy */
    REPLAY_SILENT_LEAST = 20,  /* processes kept busy, from which on that is the cause */
    REPLAY_COUNTED_MAX = 4096, /* retries whose times are kept, where the log has to tell */
    REPLAY_HOSTS_MAX = 8,      /* mail hosts of one destination, and of one outage */
};

struct replay_destination;

/* A mail host, by its name in lower case. */
struct replay_host {
    struct slice name;
    struct host h;
    struct replay_outage *blamed; /* the open outages whose last failure named it */
};

/* From the first failed attempt to the first session that was opened. */
struct replay_outage {
    struct replay_outage *next; /* the one before, of the same destination */
    struct replay_destination *to;
    bool kept;        /* in that list */
    uint32_t waiting; /* recipients that refer to it */
    uint64_t number;  /* `retries` of the destination when it began */
    int64_t began;
    int64_t last_failed;
    int64_t ended; /* when a session was seen; 0: never */
    bool open;     /* it is the destination's present one */
    uint64_t counted;
    uint64_t attempts;
    uint64_t skipped;
    bool observed; /* the retries are Postfix's own: the log tells when, not the configuration */
    int64_t *counted_at; /* then, of `size` */
    size_t size;
    int64_t busy;               /* ms that attempts kept processes busy */
    struct replay_tally waited; /* recipients: since they met it */
    struct replay_tally lag;    /* recipients: from its end until they were delivered */
    uint64_t expired;           /* recipients returned after maximal_queue_lifetime */
    uint64_t returned;          /* recipients that a cap would have returned */
    uint64_t still;             /* recipients waiting when the log ends */
    struct replay_host *hosts[REPLAY_HOSTS_MAX]; /* that failures named */
    size_t host_count;
    bool by_host;                                    /* held because all its hosts were down */
    struct replay_host *blamed;                      /* by the last failure, while it is open */
    struct replay_outage *blamed_next, *blamed_back; /* others that are blamed on that */
    char error[RECORD_TEXT_MAX];
};

struct replay_destination {
    struct destination d;
    const struct retry_policy *policy;
    bool listed;
    struct replay_outage *now;
    struct replay_outage *outages; /* newest first */
    uint64_t short_ones;           /* outages too short to be held */
    uint64_t sent;
    uint64_t wrong_bounces; /* recipients */
    uint64_t splits;        /* recipients deferred as one too many */
    struct replay_tally drains;
    char *limit_reply; /* what it said last of too many recipients */
    struct replay_host *hosts[REPLAY_HOSTS_MAX];
    size_t host_count;
    struct guard guard;
    struct replay_bad *bad; /* addresses, the latest first */
};

/* An address that its server said does not exist, by its canonical form. */
struct replay_bad {
    struct replay_bad *next; /* of the same destination */
    struct bad b;            /* learned 0: not known to be bad now */
    bool refused;            /* at the door, at least once */
};

/* A recipient that failed and is not done. */
struct replay_waiter {
    struct replay_waiter *next, *previous; /* of the same message */
    struct replay_destination *to;
    struct replay_outage *outage; /* the one it met, also when that is over; NULL */
    int64_t met;                  /* when it first failed in that outage */
    uint64_t baseline;            /* see destination_baseline() */
    uint32_t transfers;
    int64_t first_transfer, last_transfer;
    int64_t returned; /* when Postern would have returned it; 0: not so far */
    bool too_many;
};

struct replay_message {
    struct replay_waiter *waiters;
    int64_t arrived;
    int64_t bounced_at; /* of the first recipient the sender was not told of */
    uint32_t bounced;
    char *bounced_to; /* that recipient */
    bool null_sender;
    struct replay_destination *limit_to;
    int64_t limit_first; /* when the first recipient was one too many */
    int64_t limit_last;  /* when one of them was delivered last */
    uint32_t limit_waiting;
};

/* Evidence: one recipient, and when what happened or would have. */
struct replay_sample {
    char queue_id[QUEUE_ID_MAX];
    char recipient[128];
    int64_t would;
    int64_t was;
};
struct replay_samples {
    size_t count;
    struct replay_sample list[REPLAY_SAMPLES];
};

struct replay_minute {
    uint32_t held;
    uint32_t busy; /* seconds that processes spent on silent hosts */
    int64_t held_for;
};

/* One mail server, by the name that its lines have: each has a Postern of its own. */
struct replay_server {
    uint64_t lines; /* of Postfix's */
    struct replay_map *destinations;
    struct replay_map *messages;
    struct replay_map *waiters;
    struct replay_map *hosts;
    struct replay_map *bad;
    uint64_t hosts_down; /* of those */

    struct replay_minute *minutes;
    size_t minute_count, minute_size;
    int64_t minute_base;
    struct {
        uint32_t pid;
        int64_t started;
    } attempts[256]; /* the last silent ones, by process */
};

struct replay_study {
    const struct config *config;
    struct replay_limits limits;
    struct replay_limits room;     /* what is left of them */
    size_t message_room;           /* messages have as much as recipients */
    struct classifier *classifier; /* NULL: outbound limits are off */
    uint64_t seed;
    struct replay_map *servers;
    struct replay_server *at; /* of the present line */
    int64_t first, last;      /* of the lines, whatever their order */

    /* What went beyond the limits. */
    uint64_t servers_lost, destinations_lost, waiters_lost, outages_lost, minutes_lost, bad_lost;

    uint64_t deliveries, sent, deferred, bounced;
    uint64_t open_failures, skipped, transfer_failures, short_outages;
    uint64_t ours;              /* deferred by Postern itself */
    struct replay_tally delays; /* of what was sent */

    uint64_t expired_messages, expired, expired_unseen, expired_uncapped, expired_silent;
    struct replay_tally earlier;    /* NDRs */
    struct replay_tally in_vain;    /* delivered after a cap would have returned it: how long */
    struct replay_tally lag;        /* delivered so long after its destination was back */
    uint64_t waiting_over, waiting; /* at the end of the log */
    struct replay_samples earlier_samples, in_vain_samples, wrong_samples, early_samples;

    uint64_t wrong_bounces, splits;
    struct replay_tally drains;

    uint64_t ndrs;                 /* of bounced recipients */
    struct replay_tally late_ndrs; /* that came later than early_ndr.after: how long after */

    uint64_t bad_learned;    /* addresses */
    uint64_t door_messages;  /* that would have been refused at the door */
    uint64_t door_delivered; /* ... and were delivered */
    uint64_t guards_tripped;
    struct replay_samples door_samples, door_delivered_samples;

    struct replay_tally held; /* filled in at the end */
    uint64_t held_by_silence;
    int64_t held_by_silence_ms;
    uint32_t busy_most; /* processes of one server, in the worst minute */
    int64_t busy_most_at;
};

/* How a recipient was done with. */
enum replay_end {
    REPLAY_SENT,
    REPLAY_BOUNCED,
    REPLAY_EXPIRED,
    REPLAY_GONE,  /* the message was deleted */
    REPLAY_STILL, /* the log ended */
};

/* replay_servers.c */

/* Whose line it is, in s->at; false: of a server beyond those that are kept. */
bool replay_server_find(struct replay_study *s, struct slice name);
void replay_servers_free(struct replay_study *s);

/* replay_outage.c */

/* NULL: not to be kept, see destinations_lost. */
struct replay_destination *replay_destination_of(struct replay_study *s, struct slice recipient);
void replay_failed(struct replay_study *s, struct replay_destination *to,
                   const struct maillog_line *line, const struct attempt *attempt);
void replay_opened(struct replay_study *s, struct replay_destination *to,
                   const struct maillog_line *line, const struct attempt *attempt);
/* A session with another destination's host ended this one's outage. */
void replay_freed(struct replay_study *s, struct replay_outage *outage,
                  const struct attempt *attempt);
/* Of the present server. */
void replay_outages_end(struct replay_study *s);
/* A recipient refers to it no more. */
void replay_outage_leave(struct replay_outage **outage);
void replay_outages_free(struct replay_server *server);
/* The cap that counts for a destination now; 0: none. */
uint32_t replay_cap_of(const struct replay_study *s, const struct replay_destination *to);

/* When a message that met it at `met` would have been returned; 0: not, or not in it. */
int64_t replay_cap_time(const struct replay_study *s, const struct replay_destination *to,
                        const struct replay_outage *outage, int64_t met, uint64_t baseline);

/* replay_hosts.c: what is known of a mail host goes for all destinations behind it. */

/* A counted retry of a destination in an outage. */
void replay_host_failed(struct replay_study *s, struct replay_destination *to,
                        const struct maillog_line *line);
void replay_host_opened(struct replay_study *s, struct replay_destination *to,
                        const struct maillog_line *line, const struct attempt *attempt);
/* It is over, or gone. */
void replay_host_acquit(struct replay_outage *outage);

/* replay_bad.c: addresses that do not exist, and later mail to them. */

void replay_bad_taken(struct replay_study *s, struct replay_destination *to,
                      const struct maillog_line *line);
void replay_bad_refused(struct replay_study *s, struct replay_destination *to,
                        const struct maillog_line *line);

/* replay_wait.c */

struct replay_message *replay_message_of(struct replay_study *s, const struct maillog_line *line,
                                         bool make);
/* The recipient of this line; NULL when there is none, or no room for it. */
struct replay_waiter *replay_waiter_of(struct replay_study *s, const struct maillog_line *line,
                                       bool make);
void replay_met_outage(struct replay_study *s, struct replay_waiter *w,
                       struct replay_destination *to, int64_t started);
void replay_transfer_failed(struct replay_study *s, struct replay_waiter *w,
                            struct replay_destination *to, const struct attempt *attempt);
void replay_refused(struct replay_study *s, struct replay_waiter *w,
                    const struct maillog_line *line);
void replay_done(struct replay_study *s, struct replay_message *m, struct replay_waiter *w,
                 enum replay_end how, int64_t now);
void replay_message_done(struct replay_study *s, struct replay_message *m, enum replay_end how,
                         int64_t now);
/* What hangs on messages that are not done; the map is left to its owner. */
void replay_messages_free(struct replay_server *server);
void replay_sample(struct replay_samples *samples, struct slice queue_id, struct slice recipient,
                   int64_t would, int64_t was);

/* replay_held.c */

void replay_busy(struct replay_study *s, const struct maillog_line *line);
void replay_held(struct replay_study *s, const struct maillog_line *line, int64_t queued);
/* Of the present server. */
void replay_held_end(struct replay_study *s);

#endif
