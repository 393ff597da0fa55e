/*
 * Destinations behind one mail host: what is known of the host goes for all of them.
 *
 * A failure names the host that was tried last; a delivery the one that took it. A destination
 * whose only known hosts are down is held at its first failure, and when a session with the host is
 * open, the outages that it was blamed for are over.
 */
#include "ledger_internal.h"

#include "failure.h"

enum {
    HOSTS_MAX = 8, /* of one destination; the one not seen the longest goes */
    SEEN_STEP = 3600 * 1000,
};

static const int64_t known_for = INT64_C(30) * 86400 * 1000;

/* Keys: a host's name in lower case; the name, NUL, id; the id, name. */

static bool host_key(struct key *key, struct slice name)
{
    key->len = 0;
    if (name.len == 0 || name.len > 255 || !route_domain_valid(name))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        key->bytes[key->len++] = (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return true;
}

static void append(struct key *key, const void *bytes, size_t len)
{
    memcpy(key->bytes + key->len, bytes, len);
    key->len += len;
}

static struct key behind_key(const struct key *host, uint32_t id)
{
    struct key key = *host;

    append(&key, "", 1);
    append(&key, &id, sizeof(id));
    return key;
}

static struct key of_key(const struct key *host, uint32_t id)
{
    struct key key = {0, {0}};

    append(&key, &id, sizeof(id));
    append(&key, host->bytes, host->len);
    return key;
}

static bool load(struct ledger *l, struct slice name, struct host *host)
{
    struct slice value;

    memset(host, 0, sizeof(*host));
    if (!store_get(l->store, STORE_HOST, name, &value) || value.len != sizeof(*host))
        return false;
    memcpy(host, value.at, sizeof(*host));
    return true;
}

static void save(struct ledger *l, struct slice name, const struct host *host)
{
    store_put(l->store, STORE_HOST, name, (struct slice){(const char *)host, sizeof(*host)});
}

/* Links */

typedef void visit_host(struct ledger *l, struct slice name, int64_t seen, void *context);

static void each_host_of(struct ledger *l, uint32_t id, visit_host *visit, void *context)
{
    struct key prefix = {sizeof(id), {0}};
    struct key from;
    struct slice key;
    struct slice value;
    int64_t seen;

    memcpy(prefix.bytes, &id, sizeof(id));
    from = prefix;
    while (store_seek(l->store, STORE_HOSTS_OF, key_slice(&from), &key, &value) &&
           record_has_prefix(key, &prefix)) {
        seen = 0;
        if (value.len == sizeof(seen))
            memcpy(&seen, value.at, sizeof(seen));
        key_after(&from, key);
        visit(l, (struct slice){(const char *)from.bytes + sizeof(id), from.len - 1 - sizeof(id)},
              seen, context);
    }
}

static void unlink_host(struct ledger *l, uint32_t id, struct slice name)
{
    struct key host = {0, {0}};
    struct key key;

    append(&host, name.at, name.len);
    key = of_key(&host, id);
    store_delete(l->store, STORE_HOSTS_OF, key_slice(&key));
    key = behind_key(&host, id);
    store_delete(l->store, STORE_BEHIND, key_slice(&key));
}

struct oldest {
    struct key name;
    int64_t seen;
    unsigned count;
};

static void find_oldest(struct ledger *l, struct slice name, int64_t seen, void *context)
{
    struct oldest *o = context;

    (void)l;
    if (o->count++ == 0 || seen < o->seen) {
        o->seen = seen;
        o->name.len = 0;
        append(&o->name, name.at, name.len);
    }
}

/* Notes that the destination is behind this host; the time only now and then. */
static void link_host(struct ledger *l, uint32_t id, const struct key *host, int64_t now)
{
    struct key of = of_key(host, id);
    struct key behind = behind_key(host, id);
    struct oldest oldest = {.count = 0};
    struct slice value;
    int64_t seen = 0;
    bool known = store_get(l->store, STORE_HOSTS_OF, key_slice(&of), &value);

    if (known && value.len == sizeof(seen))
        memcpy(&seen, value.at, sizeof(seen));
    if (known && now >= seen && now < seen + SEEN_STEP)
        return;
    if (!known) {
        each_host_of(l, id, find_oldest, &oldest);
        if (oldest.count >= HOSTS_MAX)
            unlink_host(l, id, key_slice(&oldest.name));
        store_put(l->store, STORE_BEHIND, key_slice(&behind), (struct slice){"", 0});
    }
    store_put(l->store, STORE_HOSTS_OF, key_slice(&of),
              (struct slice){(const char *)&now, sizeof(now)});
}

/* Failures */

struct look {
    int64_t now;
    unsigned known;
    unsigned down;
};

static void count_host(struct ledger *l, struct slice name, int64_t seen, void *context)
{
    struct look *look = context;
    struct host host;

    if (seen < look->now - known_for)
        return;
    look->known++;
    look->down += load(l, name, &host) && host.down_since > 0;
}

static bool all_are_down(struct ledger *l, uint32_t id, int64_t now)
{
    struct look look = {.now = now};

    each_host_of(l, id, count_host, &look);
    return look.known > 0 && look.down == look.known;
}

bool hosts_failed(struct ledger *l, struct subject *s, const struct maillog_line *line)
{
    struct key name;
    struct host host;

    if (!host_key(&name, failure_host(line)))
        return false;
    link_host(l, s->record.d.id, &name, line->time);
    if (s->record.d.health == DESTINATION_DOWN) {
        load(l, key_slice(&name), &host);
        host_went_down(&host, s->record.d.since);
        save(l, key_slice(&name), &host);
        return false;
    }
    return s->record.d.health == DESTINATION_FAILING && all_are_down(l, s->record.d.id, line->time);
}

/* Successes */

/* Its last counted failure was blamed on this host. */
static bool is_blamed(const struct subject *s, const struct key *host)
{
    const struct slice error = slice_of(s->record.error);
    struct key name;

    return host_key(&name, failure_host_of(error)) && name.len == host->len &&
           memcmp(name.bytes, host->bytes, host->len) == 0;
}

static void free_one(struct ledger *l, uint32_t id, const struct key *host,
                     const struct attempt *attempt)
{
    struct subject s;
    bool proven;

    if (!subject_load_id(l, &s, id) || s.record.d.health == DESTINATION_UP || !is_blamed(&s, host))
        return;
    proven = s.record.d.proven;
    outage_ended(l, &s, attempt);
    s.record.d.proven = proven; /* it was not opened itself */
    subject_save(l, &s);
}

static void free_all(struct ledger *l, const struct key *host, uint32_t but,
                     const struct attempt *attempt)
{
    struct key prefix = *host;
    struct key from;
    struct slice key;
    struct slice value;
    uint32_t id;

    append(&prefix, "", 1);
    from = prefix;
    while (store_seek(l->store, STORE_BEHIND, key_slice(&from), &key, &value) &&
           record_has_prefix(key, &prefix)) {
        bool good = key.len == prefix.len + sizeof(id);
        if (good)
            memcpy(&id, key.at + prefix.len, sizeof(id));
        key_after(&from, key);
        if (good && id != but)
            free_one(l, id, host, attempt);
    }
}

/* Of a delivery, the host's name: most are to the same host as the one before. */
static uint32_t hash(const struct key *name)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < name->len; i++)
        h = (h ^ name->bytes[i]) * 16777619u;
    return h ? h : 1;
}

void hosts_opened(struct ledger *l, struct subject *s, const struct maillog_line *line,
                  const struct attempt *attempt)
{
    struct slice relay = line->relay;
    const char *bracket = memchr(relay.at, '[', relay.len);
    struct key name;
    struct host host;

    if (bracket == NULL)
        return;
    relay.len = (size_t)(bracket - relay.at);
    if (!host_key(&name, relay))
        return;
    if (s->record.d.host != hash(&name)) {
        s->record.d.host = hash(&name);
        link_host(l, s->record.d.id, &name, line->time);
        subject_save(l, s);
    }
    if (store_count(l->store, STORE_HOST) == 0 || !load(l, key_slice(&name), &host))
        return;
    if (!host_opened(&host, attempt->started, attempt->ended))
        return;
    save(l, key_slice(&name), &host);
    free_all(l, &name, s->record.d.id, attempt);
}

/* Cleaning up */

static void forget_host(struct ledger *l, struct slice name, int64_t seen, void *context)
{
    uint32_t id = *(const uint32_t *)context;
    struct key host = {0, {0}};
    struct key prefix;
    struct slice key;
    struct slice value;

    (void)seen;
    append(&host, name.at, name.len);
    unlink_host(l, id, key_slice(&host));
    prefix = host;
    append(&prefix, "", 1);
    if (!store_seek(l->store, STORE_BEHIND, key_slice(&prefix), &key, &value) ||
        !record_has_prefix(key, &prefix))
        store_delete(l->store, STORE_HOST, key_slice(&host));
}

void hosts_forget(struct ledger *l, const struct subject *s)
{
    uint32_t id = s->record.d.id;

    each_host_of(l, id, forget_host, &id);
}
