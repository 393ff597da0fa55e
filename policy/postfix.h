/*
 * The Postfix beside us, as its own postconf(1) describes it. Read once; nothing here changes
 * Postfix. A struct postfix owns its strings and is read-only once opened. Not thread-safe to open
 * (it runs commands); the getters are.
 */
#ifndef POSTERN_POSTFIX_H
#define POSTERN_POSTFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct postfix;

/*
 * Asks postconf(1) about the instance in `config_directory`. Returns NULL when Postfix cannot be
 * asked or answers nonsense, with one line for people in error_r, cut to `size`.
 */
struct postfix *postfix_open(const char *config_directory, char *error_r, size_t size);
void postfix_free(struct postfix **postfix);

/*
 * Makes `postfix` what `*newer` is, and frees that. True when they differed. Strings got from
 * `postfix` before are no longer valid then.
 */
bool postfix_update(struct postfix *postfix, struct postfix **newer);

/*
 * The directory to pass on with -c (sendmail: -C), under the name that Postfix itself uses.
 *
 * postqueue(1) and postdrop(1) are set-gid. When somebody other than root runs them (sendmail(1):
 * under any account but root), a directory that is not, byte for byte, the built-in default has to
 * be listed in alternate_config_directories or multi_instance_directories of the default main.cf,
 * or they exit with "unauthorized configuration directory name" (global/mail_conf.c,
 * mail_conf_checkdir()).
 * "/etc/postfix/" or a symbolic link to it would fail the comparison: so a directory that is the
 * default one is given the default's name here, and then -c does no harm.
 */
const char *postfix_config_directory(const struct postfix *postfix);

/* False when an account other than root may not name this directory (see above). */
bool postfix_config_directory_allowed(const struct postfix *postfix);

/* The main.cf where it would have to be listed. */
const char *postfix_default_directory(const struct postfix *postfix);

/* Commands, as absolute paths. */
const char *postfix_postconf(const struct postfix *postfix);
const char *postfix_postmap(const struct postfix *postfix);
const char *postfix_postqueue(const struct postfix *postfix);
const char *postfix_sendmail(const struct postfix *postfix);
const char *postfix_control(const struct postfix *postfix); /* postfix(1) */

const char *postfix_daemon_directory(const struct postfix *postfix);
const char *postfix_queue_directory(const struct postfix *postfix);
const char *postfix_mail_owner(const struct postfix *postfix);
const char *postfix_setgid_group(const struct postfix *postfix);
const char *postfix_transport_maps(const struct postfix *postfix);

/* --- Where mail goes (postfix_routing.c) --- */

const char *postfix_relayhost(const struct postfix *postfix);         /* "" = none */
const char *postfix_default_transport(const struct postfix *postfix); /* "smtp", "smtp:[gw]:25" */

/*
 * True when default_transport is postern-probation, or that and a next hop, as `posternctl setup`
 * makes it where lanes = "proven". Thread-safe.
 */
bool postfix_default_is_probation(const struct postfix *postfix);

/* smtp_destination_recipient_limit; 0: no limit (qmgr/qmgr_message.c). */
uint32_t postfix_smtp_recipient_limit(const struct postfix *postfix);

/* sender_dependent_relayhost_maps and sender_dependent_default_transport_maps; "" = none. */
const char *postfix_sender_relayhosts(const struct postfix *postfix);
const char *postfix_sender_transports(const struct postfix *postfix);

/* defer_transports: these wait until somebody runs `sendmail -q`. "" = none. */
const char *postfix_defer_transports(const struct postfix *postfix);

/*
 * Whether a route to a lane (a copy of the service "smtp") sends mail where, and when, Postfix
 * itself would. What transport_maps gives overrides default_transport and both sender-dependent
 * settings (trivial-rewrite/resolve.c, resolve_addr()), so with one of those it would not. With
 * postern-probation as default_transport it would: that is such a copy. False: why_r has the
 * reason, to stand behind "lanes are not used: ". Thread-safe.
 */
bool postfix_lanes_possible(const struct postfix *postfix, char *why_r, size_t size);

/*
 * True when master.cf has this service of type unix, that mail can be routed to: for one that is
 * not there qmgr(8) defers mail. Thread-safe.
 */
bool postfix_has_service(const struct postfix *postfix, const char *name);
const char *postfix_services(const struct postfix *postfix); /* the lines of `postconf -M` */

/*
 * True when deliveries of this transport ("relay", "smtp:[gw]:25") are logged as those of the
 * service smtp are: it runs smtp(8) too, and has no syslog_name of its own. Thread-safe.
 */
bool postfix_logs_as_smtp(const struct postfix *postfix, const char *transport);

/*
 * What stands before the agent's name in the log of the service smtp, when there is something
 * besides Postfix's own syslog_name: "smtp", or "out" with -o syslog_name=postfix/out. Thread-safe.
 */
void postfix_smtp_tag(const struct postfix *postfix, char *tag_r, size_t size);

/* The domains that Postfix sends elsewhere than default_transport says, and by what. */
const char *postfix_mydestination(const struct postfix *postfix);
const char *postfix_relay_domains(const struct postfix *postfix);
const char *postfix_relay_transport(const struct postfix *postfix);
const char *postfix_virtual_domains(const struct postfix *postfix); /* virtual_mailbox_domains */
const char *postfix_virtual_transport(const struct postfix *postfix);
const char *postfix_parent_matches(const struct postfix *postfix); /* parent_domain_matches_... */

/*
 * The tables of transport_maps in their order, without Postern's own (lmdb:
 * STATE_DIRECTORY/tables/transport, also behind "proxy:"): one in a line, each as postmap(1) takes
 * it. free() it. NULL: out of memory. Thread-safe.
 */
char *postfix_other_transport_maps(const struct postfix *postfix, const char *state_directory);

const char *postfix_syslog_name(const struct postfix *postfix);
const char *postfix_myhostname(const struct postfix *postfix);
/* A list of networks, and maybe of files and tables. */
const char *postfix_mynetworks(const struct postfix *postfix);
const char *postfix_non_smtpd_milters(const struct postfix *postfix); /* "" = none */
/* internal_mail_filter_classes; "" = none */
const char *postfix_internal_filters(const struct postfix *postfix);

/*
 * True when Postfix's own reports pass through a milter, so that postern-earlyndr can take out of
 * them what the sender was told already (postfix_routing.c). False: why_r has the reason.
 */
bool postfix_reports_filtered(const struct postfix *postfix, char *why_r, size_t size);
const char *postfix_version(const struct postfix *postfix); /* "3.7.11" */
bool postfix_version_at_least(const struct postfix *postfix, unsigned major, unsigned minor);

/* maximal_queue_lifetime in seconds; 0: returned at the first failure. */
uint32_t postfix_queue_lifetime(const struct postfix *postfix);

/*
 * True when a transport table finds subdomains of d under "d" (transport_maps is among
 * parent_domain_matches_subdomains); false when it finds them under ".d".
 */
bool postfix_parent_matches_subdomains(const struct postfix *postfix);

/* info_log_address_format = external; before Postfix 3.5 it was always internal. */
bool postfix_logs_external(const struct postfix *postfix);

/* content_filter, and the lines of `postconf -P` that set it for single services. */
const char *postfix_content_filter(const struct postfix *postfix);
const char *postfix_service_filters(const struct postfix *postfix);

/* postconf -m lists lmdb (a package of its own on Debian: postfix-lmdb). */
bool postfix_has_lmdb(const struct postfix *postfix);

/* A time as in main.cf: "5d", "300" in units of `unit` (one of "smhdw"). False when it is none. */
bool postfix_parse_time(const char *text, char unit, uint32_t *seconds_r);

#endif
