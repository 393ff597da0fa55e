#include "network.h"

#include <arpa/inet.h>

enum { ADDRESS_BITS = 128, MAPPED_BITS = 96 };

static const uint8_t MAPPED[MAPPED_BITS / 8] = {[10] = 0xFF, [11] = 0xFF};

static bool is_mapped(const struct network *network)
{
    return network->bits >= MAPPED_BITS && memcmp(network->address, MAPPED, sizeof(MAPPED)) == 0;
}

/* The address alone; the bits that a prefix length of this family starts from. */
static bool parse_address(struct slice text, uint8_t address_r[16], unsigned *base_r)
{
    char copy[INET6_ADDRSTRLEN];

    if (text.len >= sizeof(copy) || memchr(text.at, '\0', text.len) != NULL)
        return false;
    slice_copy(copy, sizeof(copy), text);
    *base_r = 0;
    if (inet_pton(AF_INET6, copy, address_r) == 1)
        return true;
    memcpy(address_r, MAPPED, sizeof(MAPPED));
    *base_r = MAPPED_BITS;
    return inet_pton(AF_INET, copy, address_r + sizeof(MAPPED)) == 1;
}

/* One to three digits. */
static bool parse_bits(struct slice text, unsigned *bits_r)
{
    *bits_r = 0;
    if (text.len < 1 || text.len > 3)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        *bits_r = *bits_r * 10 + (unsigned)(text.at[i] - '0');
    }
    return true;
}

bool network_parse(struct slice text, struct network *network_r)
{
    const char *slash = memchr(text.at, '/', text.len);
    size_t len = slash ? (size_t)(slash - text.at) : text.len;
    unsigned base;
    unsigned bits;

    if (!parse_address((struct slice){text.at, len}, network_r->address, &base))
        return false;
    network_r->bits = ADDRESS_BITS;
    if (slash == NULL)
        return true;
    if (!parse_bits((struct slice){slash + 1, text.len - len - 1}, &bits) ||
        bits > ADDRESS_BITS - base)
        return false;
    network_r->bits = base + bits;
    return true;
}

bool network_parse_address(struct slice text, struct network *address_r)
{
    const char *zone;
    unsigned base;

    if (text.len >= 5 && strncasecmp(text.at, "IPv6:", 5) == 0)
        text = (struct slice){text.at + 5, text.len - 5};
    zone = memchr(text.at, '%', text.len);
    if (zone)
        text.len = (size_t)(zone - text.at);
    address_r->bits = ADDRESS_BITS;
    return parse_address(text, address_r->address, &base);
}

bool network_has(const struct network *network, const struct network *address)
{
    size_t bytes = network->bits / 8;
    unsigned rest = network->bits % 8;
    uint8_t mask = (uint8_t)(0xFF00 >> rest);

    if (is_mapped(network) != is_mapped(address))
        return false;
    if (memcmp(network->address, address->address, bytes) != 0)
        return false;
    return rest == 0 || ((network->address[bytes] ^ address->address[bytes]) & mask) == 0;
}
