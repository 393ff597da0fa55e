/* Mail servers, by the names in their lines: what is kept of each. */
#include "replay_parts.h"

#include <stdlib.h>

static void server_clear(struct replay_server *server)
{
    if (server->destinations)
        replay_outages_free(server);
    if (server->messages)
        replay_messages_free(server);
    replay_map_free(&server->bad);
    replay_map_free(&server->hosts);
    replay_map_free(&server->waiters);
    replay_map_free(&server->messages);
    replay_map_free(&server->destinations);
    free(server->minutes);
}

static bool server_init(struct replay_study *s, struct replay_server *server)
{
    struct replay_limits *room = &s->room;

    server->destinations =
        replay_map_new(sizeof(struct replay_destination), &room->destinations, s->seed);
    server->messages = replay_map_new(sizeof(struct replay_message), &s->message_room, s->seed);
    server->waiters = replay_map_new(sizeof(struct replay_waiter), &room->waiters, s->seed);
    server->hosts = replay_map_new(sizeof(struct replay_host), &room->hosts, s->seed);
    server->bad = replay_map_new(sizeof(struct replay_bad), &room->addresses, s->seed);
    return server->destinations && server->messages && server->waiters && server->hosts &&
           server->bad;
}

bool replay_server_find(struct replay_study *s, struct slice name)
{
    struct slice before = {"", 0};

    if (s->at)
        before = replay_map_key(s->servers, s->at);
    if (s->at && before.len == name.len && memcmp(before.at, name.at, name.len) == 0)
        return true;
    s->at = replay_map_add(s->servers, name);
    if (s->at && s->at->destinations == NULL && !server_init(s, s->at)) {
        server_clear(s->at);
        replay_map_remove(s->servers, name);
        s->at = NULL;
    }
    s->servers_lost += s->at == NULL;
    return s->at != NULL;
}

static void clear_one(void *context, void *value)
{
    (void)context;
    server_clear(value);
}

void replay_servers_free(struct replay_study *s)
{
    if (s->servers)
        replay_map_each(s->servers, clear_one, NULL);
    replay_map_free(&s->servers);
}
