#include "route.h"

#include <inttypes.h>
#include <stdio.h>

struct wanted {
    uint32_t hold;
    uint32_t expire;  /* how many recipients wait to be given up through this key */
    uint32_t lane;    /* enum route, or 0 */
    uint32_t pool;    /* likewise */
    uint32_t foreign; /* the administrator's own route wins over lane and pool */
};

uint32_t route_lane_size(enum route route)
{
    return route >= ROUTE_LANE ? (uint32_t)route - ROUTE_LANE : 0;
}

const char *route_service(enum route route, char *buffer)
{
    static const char *const names[] = {"", "postern-hold", "postern-expire", "postern-probation",
                                        "smtp"};

    if (route >= ROUTE_LANE)
        snprintf(buffer, ROUTE_SERVICE_MAX, "postern-rcpt%" PRIu32, route_lane_size(route));
    else
        strcpy(buffer, names[route]);
    return buffer;
}

static bool is_alnum(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_domain_byte(unsigned char c)
{
    return is_alnum(c) || c == '-' || c == '_' || c >= 0x80;
}

static bool is_literal(struct slice domain)
{
    if (domain.len < 3 || domain.at[0] != '[' || domain.at[domain.len - 1] != ']')
        return false;
    for (size_t i = 1; i < domain.len - 1; i++) {
        unsigned char c = (unsigned char)domain.at[i];
        if (!is_alnum(c) && c != '.' && c != ':')
            return false;
    }
    return true;
}

bool route_domain_valid(struct slice domain)
{
    bool label = false;

    if (domain.len == 0 || domain.len > 255)
        return false;
    if (domain.at[0] == '[')
        return is_literal(domain);
    for (size_t i = 0; i < domain.len; i++) {
        unsigned char c = (unsigned char)domain.at[i];
        if (c == '.' && !label)
            return false;
        if (c != '.' && !is_domain_byte(c))
            return false;
        label = c != '.';
    }
    return label;
}

/* SRS and VERP make local parts longer than the 64 bytes of RFC 5321 section 4.5.3.1.1. */
enum { LOCAL_MAX = 250 };

/* RFC 5321 "atext" and dots, without what postmap(1) reads in a way of its own. */
static bool is_plain_local(struct slice local)
{
    static const char special[] = "!$%&'*+-/=?^_`{|}~.#";

    if (local.len == 0 || local.len > LOCAL_MAX || local.at[0] == '#')
        return false;
    for (size_t i = 0; i < local.len; i++) {
        unsigned char c = (unsigned char)local.at[i];
        if (c == '\0' || (!is_alnum(c) && strchr(special, c) == NULL))
            return false;
    }
    return true;
}

static size_t copy_lower(char *out, size_t size, struct slice s)
{
    size_t len = slice_copy(out, size, s);

    for (size_t i = 0; i < len; i++)
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] - 'A' + 'a');
    return len;
}

/* Behind the last '@': Postfix takes the domain from there too. */
static struct slice domain_of(struct slice recipient)
{
    const char *at = memrchr(recipient.at, '@', recipient.len);
    size_t skip = at ? (size_t)(at - recipient.at) + 1 : recipient.len;

    return (struct slice){recipient.at + skip, recipient.len - skip};
}

size_t route_domain(char *domain_r, size_t size, struct slice recipient)
{
    struct slice domain = domain_of(recipient);

    if (!route_domain_valid(domain) || domain.len >= size)
        return 0;
    return copy_lower(domain_r, size, domain);
}

size_t route_address(char *key_r, size_t size, struct slice recipient)
{
    struct slice domain = domain_of(recipient);
    struct slice local = {recipient.at, recipient.len - domain.len};

    if (!route_domain_valid(domain) || recipient.len >= size || local.len == 0)
        return 0;
    local.len--; /* the '@' */
    return is_plain_local(local) ? copy_lower(key_r, size, recipient) : 0;
}

static enum route route_of(const struct wanted *wanted)
{
    if (wanted->expire > 0)
        return ROUTE_EXPIRE;
    if (wanted->hold)
        return ROUTE_HOLD;
    if (wanted->foreign)
        return ROUTE_NONE;
    /* A host that says nothing must not hold the processes of a lane that others need. */
    if (wanted->pool == ROUTE_PROBATION || wanted->lane == 0)
        return (enum route)wanted->pool;
    return (enum route)wanted->lane;
}

static struct wanted load(struct store *store, struct slice key)
{
    struct wanted wanted = {0};
    struct slice value;

    if (store_get(store, STORE_ROUTE, key, &value) && value.len == sizeof(wanted))
        memcpy(&wanted, value.at, sizeof(wanted));
    return wanted;
}

static bool save(struct store *store, struct slice key, const struct wanted *before,
                 const struct wanted *wanted, enum route *wanted_r)
{
    *wanted_r = route_of(wanted);
    if (*wanted_r == ROUTE_NONE && !wanted->foreign)
        store_delete(store, STORE_ROUTE, key);
    else if (memcmp(before, wanted, sizeof(*wanted)) != 0)
        store_put(store, STORE_ROUTE, key, (struct slice){(const char *)wanted, sizeof(*wanted)});
    return *wanted_r != route_of(before);
}

bool route_hold(struct store *store, struct slice key, bool hold, enum route *wanted_r)
{
    struct wanted before = load(store, key);
    struct wanted wanted = before;

    wanted.hold = hold;
    return save(store, key, &before, &wanted, wanted_r);
}

bool route_expire(struct store *store, struct slice key, bool more, enum route *wanted_r)
{
    struct wanted before = load(store, key);
    struct wanted wanted = before;

    if (more)
        wanted.expire++;
    else if (wanted.expire > 0)
        wanted.expire--;
    return save(store, key, &before, &wanted, wanted_r);
}

bool route_lane(struct store *store, struct slice key, enum route lane, enum route *wanted_r)
{
    struct wanted before = load(store, key);
    struct wanted wanted = before;

    wanted.lane = lane;
    return save(store, key, &before, &wanted, wanted_r);
}

bool route_pool(struct store *store, struct slice key, enum route pool, enum route *wanted_r)
{
    struct wanted before = load(store, key);
    struct wanted wanted = before;

    wanted.pool = pool;
    return save(store, key, &before, &wanted, wanted_r);
}

bool route_foreign(struct store *store, struct slice key, enum route *wanted_r)
{
    struct wanted before = load(store, key);
    struct wanted wanted = before;

    wanted.foreign = 1;
    return save(store, key, &before, &wanted, wanted_r);
}

bool route_delivers(enum route route)
{
    return route >= ROUTE_PROBATION;
}

bool route_seek(struct store *store, struct slice from, struct slice *key_r, enum route *route_r)
{
    struct wanted wanted;
    struct slice value;

    if (!store_seek(store, STORE_ROUTE, from, key_r, &value) || value.len != sizeof(wanted))
        return false;
    memcpy(&wanted, value.at, sizeof(wanted));
    *route_r = route_of(&wanted);
    return true;
}
