/* What posternd publishes for Postfix, and whether Postfix reads it. */
#include "daemon_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "gate.h"
#include "lanecheck.h"
#include "log.h"
#include "status_filter.h"

bool publish_routes(void *context, table_emit *emit, void *emit_context)
{
    struct daemon *daemon = context;
    struct key from = {0, {0}};
    struct slice key;
    enum route route;

    if (!publish_is_on(daemon))
        return true;
    if (!daemon_begin(daemon))
        return false;
    emit(emit_context, slice_of(GATE_NUDGE_ADDRESS), ROUTE_HOLD);
    while (route_seek(daemon->store, key_slice(&from), &key, &route)) {
        emit(emit_context, key, route);
        key_after(&from, key);
    }
    return store_commit(daemon->store); /* false when a look-up failed: the list may be short */
}

/* What Postfix itself would put there: default_transport's next hop, or else relayhost. */
const char *publish_nexthop(void *context)
{
    const struct daemon *daemon = context;
    const char *colon = strchr(postfix_default_transport(daemon->postfix), ':');

    return colon && colon[1] ? colon + 1 : postfix_relayhost(daemon->postfix);
}

/* The lanes wanted now; the caller frees the list and its members. */
static char **list_lanes(struct daemon *daemon, size_t *count_r)
{
    struct key from = {0, {0}};
    struct slice key;
    enum route route;
    char **list = NULL;

    *count_r = 0;
    while (route_seek(daemon->store, key_slice(&from), &key, &route)) {
        key_after(&from, key);
        if (route_lane_size(route) == 0)
            continue;
        list = realloc(list, (*count_r + 1) * sizeof(*list));
        if (list == NULL || (list[*count_r] = strndup(key.at, key.len)) == NULL)
            log_fatal(71, "out of memory");
        ++*count_r;
    }
    return list;
}

static void drop_lane(struct daemon *daemon, const char *domain)
{
    enum route wanted;

    if (route_lane(daemon->store, slice_of(domain), ROUTE_NONE, &wanted)) {
        log_info("%s: transport_maps has a route of yours for it; no lane", domain);
        table_want(daemon->table, slice_of(domain), wanted);
    }
}

/* The administrator's own routes win over lanes. */
void publish_drop_foreign_lanes(struct daemon *daemon)
{
    size_t count = 0;
    char **domains;
    struct lanecheck *check;

    if (!daemon_begin(daemon))
        return;
    domains = list_lanes(daemon, &count);
    check = count > 0 ? lanecheck_new(daemon->postfix, config_state_directory(daemon->config),
                                      domains, count)
                      : NULL;
    for (size_t i = 0; i < count; i++) {
        if (check == NULL || lanecheck_has_route(check, domains[i]))
            drop_lane(daemon, domains[i]);
        free(domains[i]);
    }
    free(domains);
    lanecheck_free(&check);
    if (!store_commit(daemon->store)) {
        log_error("state: %s", store_error(daemon->store));
        table_want_all(daemon->table);
    }
}

/*
 * What smtp(8) makes of the replies of other servers. Without rules when nothing is to be changed.
 * smtp(8) looks at the file when it starts, so an edit reaches it within max_use or a reload.
 */
void publish_filter(struct daemon *daemon)
{
    char error[512];
    bool active = config_outbound_limits(daemon->config) && config_enforce(daemon->config);
    struct classifier *classifier =
        active ? classifier_of_config(daemon->config, error, sizeof(error)) : NULL;

    if ((active && classifier == NULL) ||
        !status_filter_write(config_state_directory(daemon->config), classifier, error,
                             sizeof(error)))
        log_error("%s", error);
    classifier_free(&classifier);
}

/* Why Postfix would not do what is published; "" when it would. */
static void find_obstacle(const struct daemon *daemon, const struct postfix *postfix, char *why,
                          size_t size)
{
    char table[4200];

    why[0] = '\0';
    snprintf(table, sizeof(table), "%s/tables/transport", config_state_directory(daemon->config));
    if (strstr(postfix_transport_maps(postfix), table) == NULL)
        snprintf(why, size, "its transport_maps does not name %.900s: run posternctl setup --apply",
                 table);
    else if (postfix_parent_matches_subdomains(postfix))
        snprintf(why, size,
                 "parent_domain_matches_subdomains has transport_maps, so that holding a "
                 "domain would hold its subdomains: take it out");
}

static void say_connection(const struct daemon *daemon, bool before, const char *why)
{
    if (!daemon->connected && (before || daemon->ledger == NULL))
        log_error("Postfix is not connected: %s; observing only until then", why);
    else if (daemon->connected && !before && daemon->ledger)
        log_info("Postfix is connected");
}

void publish_judge(struct daemon *daemon)
{
    char why[1024];
    bool before = daemon->connected;

    find_obstacle(daemon, daemon->postfix, why, sizeof(why));
    daemon->connected = why[0] == '\0';
    say_connection(daemon, before, why);
}

/*
 * Holding and giving up without a table that Postfix reads would only wake messages for more
 * attempts. Asked again every now and then, because setup may be run at any time.
 */
void publish_check(struct daemon *daemon)
{
    char why[1024];
    bool before = daemon->connected;
    bool changed;
    struct postfix *postfix =
        postfix_open(config_postfix_directory(daemon->config), why, sizeof(why));

    if (postfix == NULL) {
        if (!daemon->postfix_silent)
            log_warning("%s; trying again", why);
        daemon->postfix_silent = true;
        return;
    }
    daemon->postfix_silent = false;
    /* relayhost and the like may be others now: lanes go where Postfix itself would send. */
    changed = postfix_update(daemon->postfix, &postfix);
    publish_judge(daemon);
    if (daemon->connected == before && !changed)
        return;
    daemon_trust_log(daemon);
    if (!daemon_start_ledger(daemon))
        log_fatal(71, "state: %s", store_error(daemon->store));
}

bool publish_is_on(const struct daemon *daemon)
{
    return config_enforce(daemon->config) && daemon->connected;
}
