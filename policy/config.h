/*
 * postern.conf(5): what the administrator set, with every default filled in.
 *
 * A struct config is read-only once loaded, so any number of threads may share it. All strings and
 * arrays belong to it and go with config_free(). Times are in seconds; 0 = no limit (STYLE: the
 * ledger turns them into milliseconds).
 */
#ifndef POSTERN_CONFIG_H
#define POSTERN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

/* The retry settings of one destination (KB Q157630 has the same four values). */
struct retry_policy {
    uint32_t max_open_retries;
    uint32_t open_interval;
    uint32_t max_transfer_retries;
    uint32_t transfer_interval; /* 0: Postfix's own schedule */
    bool count_suspended;
    uint32_t hold_after;         /* failures until the destination is held; 0: never hold */
    uint32_t warn_after_retries; /* open retries until the sender is told of the delay; 0: never */
};

/* One entry of `destinations`: settings it does not name come from `retry`. */
struct config_group {
    char *name;
    char **domains; /* lower case; "d", ".d" (subdomains of d) or "*" */
    size_t domain_count;
    struct retry_policy retry;
};

struct config;

/*
 * Reads and checks the whole file. Returns NULL on any mistake, with one line for people in
 * error_r ("FILE:LINE: what is wrong; what is allowed"), cut to `size`: 1024 bytes hold most. Of a
 * file that cannot be read or is no text, only "FILE: what is wrong". Thread-safe.
 */
struct config *config_load(const char *path, char *error_r, size_t size);
void config_free(struct config **config);

/* What was accepted and yet deserves a word ("FILE:LINE: ..."); NULL past the last. */
const char *config_warning(const struct config *config, size_t index);

const char *config_path(const struct config *config);              /* as given to config_load */
const char *config_postfix_directory(const struct config *config); /* postfix.config_directory */
const char *config_log(const struct config *config);               /* a path, or "journal" */
const char *config_state_directory(const struct config *config);
const char *config_runtime_directory(const struct config *config);
const char *config_user(const struct config *config); /* "" = keep the account */
bool config_enforce(const struct config *config);
const struct retry_policy *config_retry(const struct config *config); /* the default one */
uint32_t config_unproven_max_open_retries(const struct config *config);

size_t config_group_count(const struct config *config);
const struct config_group *config_group_at(const struct config *config, size_t index);

/* recipient_limits (DESIGN 3.3) */

/*
 * One entry of `inbound`: a limit of recipients per transaction at our own door. It applies to a
 * transaction that fits every list that is not empty; a list fits when one of its members does.
 */
struct config_inbound {
    char **networks; /* "192.0.2.0/24", "2001:db8::/32", or one address: the client's */
    size_t network_count;
    char **logins; /* SASL login names, exactly; "*": any authenticated client */
    size_t login_count;
    char **sender_domains; /* as in struct config_group */
    size_t sender_domain_count;
    char **recipient_domains; /* only recipients in these count and are refused */
    size_t recipient_domain_count;
    uint32_t limit;
    unsigned reject; /* 1: action = "reject": 550 5.5.3 instead of 452 4.5.3 */
};

bool config_outbound_limits(const struct config *config); /* recipient_limits.outbound */
const uint32_t *config_lanes(const struct config *config, size_t *count_r); /* ascending */
uint32_t config_learned_lifetime(const struct config *config);              /* seconds */
size_t config_pattern_count(const struct config *config);
const char *config_pattern_at(const struct config *config,
                              size_t index); /* extended regular expression */
size_t config_inbound_count(const struct config *config);
const struct config_inbound *config_inbound_at(const struct config *config, size_t index);

const char *
config_rcptlimit_socket(const struct config *config); /* milters.rcptlimit.socket, "" = none */
const char *config_policy_socket(const struct config *config); /* policy.socket, "" = none */

/* metrics.listen: "127.0.0.1:9154", "" = none */
const char *config_metrics_listen(const struct config *config);

/* lanes (DESIGN 3.5): who waits beside hosts that accept a connection and say nothing */
enum lanes_mode {
    LANES_SUSPECT, /* destinations that could not be reached lately go through postern-probation */
    LANES_PROVEN,  /* all go through it but those that were reached, and lately */
    LANES_OFF,
};
enum lanes_mode config_lanes_mode(const struct config *config);
uint32_t config_probation_processes(const struct config *config); /* of postern-probation */

/* milters.retrycap: what is made at the door of a recipient whose destination is down */
enum when_down { WHEN_DOWN_ACCEPT, WHEN_DOWN_WARN, WHEN_DOWN_TEMPFAIL, WHEN_DOWN_REFUSE_OVER_CAP };
enum when_down config_when_down(const struct config *config);
/* True when some warn_after_retries is set. */
bool config_warns(const struct config *config);
const char *
config_retrycap_socket(const struct config *config); /* milters.retrycap.socket, "" = none */

/* early_ndr (DESIGN 3.4) */

enum early_mode { EARLY_REFUSE, EARLY_NDR, EARLY_OFF };

struct config_early {
    unsigned mode;           /* enum early_mode */
    uint32_t lifetime;       /* seconds that a bad address is remembered */
    uint32_t after;          /* seconds; 0: at once */
    uint32_t max_recipients; /* bad addresses kept; the oldest leave first */
    uint32_t guard_sample;
    double guard_ratio;
    uint32_t guard_window; /* seconds */
};

const struct config_early *config_early(const struct config *config);
enum early_mode config_early_mode(const struct config *config);
/* early_ndr.networks: whose clients may get an NDR. None: Postfix's mynetworks. */
size_t config_early_network_count(const struct config *config);
const char *config_early_network_at(const struct config *config, size_t index);
const char *
config_earlyndr_socket(const struct config *config); /* milters.earlyndr.socket, "" = none */

/*
 * The group that a recipient domain (ASCII letters in any case) belongs to, or NULL: the exact
 * domain first, then the longest ".d", then "*". One of more than 255 bytes (RFC 1035
 * section 2.3.4) or with a NUL in it belongs to none. O(labels * log n), no allocation.
 */
const struct config_group *config_group_of(const struct config *config, struct slice domain);

#endif
