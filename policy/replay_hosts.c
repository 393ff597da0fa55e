/*
 * Destinations behind one mail host, as the ledger sees them (ledger_hosts.c): one whose hosts are
 * all down is held at its first failure, and when a session with the host is open, the outages that
 * it was blamed for are over.
 */
#include "replay_parts.h"

#include "failure.h"
#include "route.h"

/* Looked up by its name in lower case; NULL: no name, or no room. */
static struct replay_host *host_of(struct replay_study *s, struct slice name)
{
    struct replay_host *host;
    char lower[256];

    if (name.len == 0 || name.len >= sizeof(lower) || !route_domain_valid(name))
        return NULL;
    for (size_t i = 0; i < name.len; i++)
        lower[i] =
            name.at[i] >= 'A' && name.at[i] <= 'Z' ? (char)(name.at[i] + 'a' - 'A') : name.at[i];
    host = replay_map_add(s->at->hosts, (struct slice){lower, name.len});
    if (host && host->name.len == 0)
        host->name = replay_map_key(s->at->hosts, host);
    return host;
}

/* Notes one more; where there are too many, the last one leaves. */
static void add_host(struct replay_host **list, size_t *count, struct replay_host *host)
{
    for (size_t i = 0; i < *count; i++)
        if (list[i] == host)
            return;
    if (*count == REPLAY_HOSTS_MAX)
        (*count)--;
    list[(*count)++] = host;
}

void replay_host_acquit(struct replay_outage *o)
{
    if (o->blamed == NULL)
        return;
    if (o->blamed_back)
        o->blamed_back->blamed_next = o->blamed_next;
    else
        o->blamed->blamed = o->blamed_next;
    if (o->blamed_next)
        o->blamed_next->blamed_back = o->blamed_back;
    o->blamed = NULL;
    o->blamed_next = NULL;
    o->blamed_back = NULL;
}

static void blame(struct replay_outage *o, struct replay_host *host)
{
    if (o->blamed == host)
        return;
    replay_host_acquit(o);
    o->blamed = host;
    o->blamed_next = host->blamed;
    if (o->blamed_next)
        o->blamed_next->blamed_back = o;
    host->blamed = o;
}

static bool all_are_down(const struct replay_destination *to)
{
    for (size_t i = 0; i < to->host_count; i++)
        if (to->hosts[i]->h.down_since == 0)
            return false;
    return to->host_count > 0;
}

void replay_host_failed(struct replay_study *s, struct replay_destination *to,
                        const struct maillog_line *line)
{
    struct replay_host *host = host_of(s, failure_host(line));
    bool was_down;

    if (host == NULL)
        return;
    add_host(to->hosts, &to->host_count, host);
    add_host(to->now->hosts, &to->now->host_count, host);
    blame(to->now, host);
    if (to->d.health == DESTINATION_DOWN) {
        was_down = host->h.down_since > 0;
        host_went_down(&host->h, to->d.since);
        s->at->hosts_down += !was_down && host->h.down_since > 0;
    } else if (all_are_down(to) && destination_hold_now(&to->d, to->policy)) {
        to->now->by_host = true;
    }
}

/* Of a delivery, the host's name: most are to the same host as the one before. */
static uint32_t hash_of(struct slice name)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.at[i]) * 16777619u;
    return h ? h : 1;
}

static void free_all(struct replay_study *s, struct replay_host *host,
                     const struct replay_destination *but, const struct attempt *attempt)
{
    struct replay_outage *next;

    for (struct replay_outage *o = host->blamed; o; o = next) {
        next = o->blamed_next;
        if (o->to != but)
            replay_freed(s, o, attempt);
    }
}

void replay_host_opened(struct replay_study *s, struct replay_destination *to,
                        const struct maillog_line *line, const struct attempt *attempt)
{
    const char *bracket = memchr(line->relay.at, '[', line->relay.len);
    struct slice name = line->relay;
    struct replay_host *host;
    uint32_t hash;

    if (bracket == NULL)
        return;
    name.len = (size_t)(bracket - name.at);
    hash = hash_of(name);
    if (to->d.host == hash && s->at->hosts_down == 0)
        return;
    to->d.host = hash;
    host = host_of(s, name);
    if (host == NULL)
        return;
    add_host(to->hosts, &to->host_count, host);
    if (host_opened(&host->h, attempt->started, attempt->ended)) {
        s->at->hosts_down--;
        free_all(s, host, to, attempt);
    }
}
