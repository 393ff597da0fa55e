/*
 * What `posternctl setup` writes into main.cf and master.cf, and takes out again: bytes in, bytes
 * out, no I/O. Thread-safe.
 *
 * Both files get one marked block at their end. In main.cf some lists get an entry of ours:
 * transport_maps before what is in it, smtp_delivery_status_filter and the lists of milters
 * (mainmaster_milter.h) behind that; and default_transport gets our service in the place of smtp.
 * Where the administrator set one (every definition of it: the last one wins) it is set aside, each
 * line behind a marker that makes it a comment, and the block sets it anew. Comments and blank
 * lines inside it stay as they are. Then:
 *
 *   remove(apply(x)) is x, byte for byte, for every x that has no mark of ours,
 *   apply(apply(x)) is apply(x), and
 *   remove(apply(x) edited elsewhere) is x edited in the same way.
 *
 * What the administrator changes inside the block is not lost either: a list given another value
 * there (postconf -e does that) keeps that value when the block goes, and settings or services of
 * other names stay.
 */
#ifndef POSTERN_MAINMASTER_H
#define POSTERN_MAINMASTER_H

#include "mainmaster_milter.h"
#include "slice.h"

#include <stdint.h>

/* The service postern-probation, a copy of "smtp" with a pool of processes of its own. */
struct mainmaster_probation {
    uint32_t processes; /* 0: none wanted */
    bool is_default;    /* default_transport leads to it */
};

/* Names without a type, such as "/var/lib/postern/tables/transport". */
struct mainmaster_want {
    const char *table;   /* of the routes */
    const char *filter;  /* pipe_delivery_status_filter of the gate */
    const char *account; /* that runs the gate */
    const char *gate;    /* its program */
    const char *config;  /* postern.conf */
    const char *state;   /* state_directory: the gate lets mail go even when it cannot read that */
    bool inbound;        /* there are limits at our own door */
    const char *status_filter; /* for smtp_delivery_status_filter; NULL: none */
    const uint32_t *lanes;     /* a service postern-rcptN, a copy of "smtp", for each number */
    size_t lane_count;
    struct mainmaster_probation probation;
    const char *log_name; /* syslog_name of main.cf */
    struct mainmaster_milters milters;
};

enum mainmaster_result {
    MAINMASTER_SAME,
    MAINMASTER_CHANGED,
    MAINMASTER_CONFLICT, /* nothing can be done: `message` says why and what to do */
    MAINMASTER_NO_MEMORY,
};

struct mainmaster_edit {
    enum mainmaster_result result;
    char *bytes; /* the new file (SAME: the old one); NULL on a conflict */
    size_t len;
    size_t line;       /* that `message` is about; 0: the file as a whole */
    char message[512]; /* a conflict, or something the administrator should know, or "" */
    /* default_transport could not be changed, as `message` says: main.cf has nothing of
     * postern-probation, and master.cf is to have none. */
    bool probation_refused;
    struct mainmaster_milter_result milters[MAINMASTER_MILTERS];
};

typedef void mainmaster_function(struct slice before, const struct mainmaster_want *want,
                                 struct mainmaster_edit *edit_r);

/* Each fills in edit_r, whose bytes go with mainmaster_edit_free(). Removing does not look at want.
 */
mainmaster_function mainmaster_apply_main, mainmaster_apply_master;
mainmaster_function mainmaster_remove_main, mainmaster_remove_master;

void mainmaster_edit_free(struct mainmaster_edit *edit);

/*
 * True when default_transport is postern-probation and master.cf has no such service: qmgr(8) would
 * defer all mail. False also when memory runs out.
 */
bool mainmaster_is_stranded(struct slice main, struct slice master);

/* True when the files have to say nothing special to carry this name: no space, quote, "$" or "{".
 */
bool mainmaster_is_plain(const char *text);

#endif
