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
        if (route != ROUTE_NONE)
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

/* The administrator's own routes */

enum { CHECKED_AT_ONCE = 500 }; /* the answers have to fit into what a command may print */

struct domains {
    char *list[CHECKED_AT_ONCE];
    size_t count;
};

static void yield_one(struct daemon *daemon, const char *domain, const char *setting)
{
    enum route wanted;

    if (!route_foreign(daemon->store, slice_of(domain), &wanted))
        return;
    if (setting != NULL)
        log_info("%s: Postfix has a way of its own for it by %s; no lane", domain, setting);
    table_want(daemon->table, slice_of(domain), wanted);
}

/* Nobody knows where Postfix would send it: then no lane. Said once for all of them. */
static void yield_unknown(struct daemon *daemon, const struct domains *domains, const char *what)
{
    if (!daemon->lanes_unknown)
        log_warning("no lane for %s and others: cannot ask %s whether Postfix has a way of its own "
                    "for them; may the account %s read it?",
                    domains->list[0], what, config_user(daemon->config));
    daemon->lanes_unknown = true;
    for (size_t i = 0; i < domains->count; i++)
        yield_one(daemon, domains->list[i], NULL);
}

static void yield_known(struct daemon *daemon, const struct domains *domains,
                        const struct lanecheck *check)
{
    daemon->lanes_unknown = false;
    for (size_t i = 0; i < domains->count; i++) {
        const char *setting = lanecheck_setting(check, domains->list[i]);
        if (setting != NULL)
            yield_one(daemon, domains->list[i], setting);
    }
}

/* Within a transaction; empties the list. */
static void yield_some(struct daemon *daemon, struct domains *domains)
{
    struct lanecheck *check;
    const char *unknown;

    if (domains->count == 0)
        return;
    check = lanecheck_new(daemon->postfix, config_state_directory(daemon->config), domains->list,
                          domains->count);
    unknown = check ? lanecheck_unknown(check) : "anything (out of memory)";
    if (unknown != NULL)
        yield_unknown(daemon, domains, unknown);
    else
        yield_known(daemon, domains, check);
    for (size_t i = 0; i < domains->count; i++)
        free(domains->list[i]);
    domains->count = 0;
    lanecheck_free(&check);
}

static void add_domain(struct daemon *daemon, struct domains *domains, struct slice key)
{
    char *copy = strndup(key.at, key.len);

    if (copy == NULL)
        log_fatal(71, "out of memory");
    domains->list[domains->count++] = copy;
    if (domains->count == CHECKED_AT_ONCE)
        yield_some(daemon, domains);
}

static void end_yielding(struct daemon *daemon, struct domains *domains)
{
    yield_some(daemon, domains);
    if (store_commit(daemon->store))
        return;
    log_error("state: %s", store_error(daemon->store));
    table_want_all(daemon->table);
}

static bool is_lane_wish(const struct wish *wish)
{
    return wish->is_route && route_delivers(wish->route);
}

void publish_yield(struct daemon *daemon)
{
    struct domains domains = {.count = 0};
    size_t first = 0;

    while (first < daemon->wishes.count && !is_lane_wish(&daemon->wishes.list[first]))
        first++;
    if (first == daemon->wishes.count || !daemon_begin(daemon))
        return;
    for (size_t i = first; i < daemon->wishes.count; i++)
        if (is_lane_wish(&daemon->wishes.list[i]))
            add_domain(daemon, &domains, slice_of(daemon->wishes.list[i].key));
    end_yielding(daemon, &domains);
}

void publish_yield_all(struct daemon *daemon)
{
    struct domains domains = {.count = 0};
    struct key from = {0, {0}};
    struct slice key;
    enum route route;

    if (!daemon_begin(daemon))
        return;
    daemon->check_foreign = false;
    while (route_seek(daemon->store, key_slice(&from), &key, &route)) {
        key_after(&from, key);
        if (route_delivers(route))
            add_domain(daemon, &domains, (struct slice){(const char *)from.bytes, from.len - 1});
    }
    end_yielding(daemon, &domains);
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
