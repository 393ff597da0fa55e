/* The configuration of a running posternd, and a ledger that fits it and Postfix. */
#include "daemon_internal.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "clock.h"
#include "control.h"
#include "log.h"
#include "policyd.h"

/* A route to a service that is not there would make Postfix keep the mail. */
static enum lanes_mode pools_of(const struct daemon *daemon)
{
    enum lanes_mode mode = config_lanes_mode(daemon->config);

    if (mode == LANES_OFF || postfix_has_service(daemon->postfix, "postern-probation"))
        return mode;
    if (publish_is_on(daemon))
        log_warning("lanes for silent hosts are not used: master.cf has no service "
                    "postern-probation; run posternctl setup --apply");
    return LANES_OFF;
}

static void allow_lanes(struct daemon *daemon)
{
    uint32_t normal = postfix_smtp_recipient_limit(daemon->postfix);
    char why[512];
    char tag[64];
    bool possible = postfix_lanes_possible(daemon->postfix, why, sizeof(why));

    if (daemon->ledger == NULL)
        return;
    if (!possible &&
        (config_outbound_limits(daemon->config) || config_lanes_mode(daemon->config) != LANES_OFF))
        log_warning("lanes are not used: %s", why);
    ledger_set_pools(daemon->ledger, possible ? pools_of(daemon) : LANES_OFF);
    ledger_set_enforce(daemon->ledger, publish_is_on(daemon));
    postfix_smtp_tag(daemon->postfix, tag, sizeof(tag));
    ledger_set_tags(daemon->ledger, postfix_syslog_name(daemon->postfix), tag);
    ledger_set_lanes(daemon->ledger, possible, normal > 0 ? normal : UINT32_MAX);
}

static void say_early(struct daemon *daemon, bool possible, const char *why)
{
    if (!publish_is_on(daemon) || config_early_mode(daemon->config) == EARLY_OFF)
        return;
    if (!possible && !daemon->early_complained)
        log_warning("bounced recipients are not reported early: %s", why);
    else if (possible && daemon->early_complained)
        log_info("bounced recipients are reported early");
    daemon->early_complained = !possible;
}

/* Without a milter for Postfix's own reports each of ours would be a second one. */
static void allow_early(struct daemon *daemon)
{
    struct ledger_early early = {.host = postfix_myhostname(daemon->postfix)};
    char why[512];

    if (daemon->ledger == NULL)
        return;
    early.possible = postfix_reports_filtered(daemon->postfix, why, sizeof(why));
    say_early(daemon, early.possible, why);
    daemon->early_possible = early.possible;
    ledger_set_early(daemon->ledger, &early);
}

bool daemon_start_ledger(struct daemon *daemon)
{
    ledger_free(&daemon->ledger);
    daemon->ledger = ledger_new(daemon->store, daemon->config, &daemon_actions, daemon);
    allow_lanes(daemon);
    allow_early(daemon);
    for (int tries = 0; daemon->ledger && tries < 8 && daemon_begin(daemon); tries++) {
        ledger_start(daemon->ledger, clock_now());
        daemon_put_status(daemon);
        if (store_commit(daemon->store)) {
            daemon->check_foreign = true;
            publish_filter(daemon);
            table_want_all(daemon->table);
            return true;
        }
    }
    return false;
}

/* What only a restart can change: NULL when it is the same in both. */
static const char *fixed_setting(const struct config *a, const struct config *b)
{
    if (strcmp(config_state_directory(a), config_state_directory(b)) != 0)
        return "state_directory";
    if (strcmp(config_runtime_directory(a), config_runtime_directory(b)) != 0)
        return "runtime_directory";
    if (strcmp(config_postfix_directory(a), config_postfix_directory(b)) != 0)
        return "postfix.config_directory";
    if (strcmp(config_log(a), config_log(b)) != 0)
        return "postfix.log";
    return strcmp(config_user(a), config_user(b)) != 0 ? "user" : NULL;
}

void daemon_say_warnings(const struct config *config)
{
    const char *warning;

    for (size_t i = 0; (warning = config_warning(config, i)) != NULL; i++)
        log_warning("%s", warning);
}

/* The new one, when posternd can go on with it; else NULL, with a line in error_r. */
static struct config *next_config(const struct daemon *daemon, char *error_r, size_t size)
{
    const char *path = config_path(daemon->config);
    struct config *config = config_load(path, error_r, size);
    const char *fixed = config ? fixed_setting(daemon->config, config) : NULL;

    if (fixed == NULL)
        return config;
    snprintf(error_r, size, "%s: %s cannot change while posternd runs: restart it", path, fixed);
    config_free(&config);
    return NULL;
}

bool daemon_reload(struct daemon *daemon, char *error_r, size_t size)
{
    struct config *config = next_config(daemon, error_r, size);

    if (config == NULL) {
        log_error("%s; the running configuration stays", error_r);
        return false;
    }
    policyd_reconfigure(daemon->policyd, config, postfix_queue_directory(daemon->postfix));
    config_free(&daemon->config);
    daemon->config = config;
    daemon->last_connect = 0; /* Postfix may have been changed, too */
    daemon->last_apart = 0;
    control_set_metrics(daemon->control, config);
    if (!daemon_start_ledger(daemon))
        log_fatal(71, "state: %s", store_error(daemon->store));
    daemon_say_warnings(config);
    log_info("%s: read again%s", config_path(config),
             config_enforce(config) ? "" : " (enforce = false: observing only)");
    daemon_soon(daemon);
    return true;
}

/* One that still waits is answered now: what it asked for is overtaken by this one. */
void daemon_reload_request(struct daemon *daemon, const json_t *body, struct control_reply *reply)
{
    char error[1024];

    (void)body;
    daemon_reload_done(daemon);
    if (daemon_reload(daemon, error, sizeof(error)))
        daemon->reload = reply;
    else
        control_reply_send(&reply, false, json_pack("{s:s}", "why", error));
}

void daemon_reload_done(struct daemon *daemon)
{
    if (daemon->reload)
        control_reply_send(&daemon->reload, true, NULL);
}
