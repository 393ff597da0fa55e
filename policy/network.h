/*
 * Networks in CIDR notation, and what addresses are in them. Pure, thread-safe.
 *
 * An IPv4 address and its IPv4-mapped IPv6 form (RFC 4291 section 2.5.5.2) are the same address.
 */
#ifndef POSTERN_NETWORK_H
#define POSTERN_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

struct network {
    uint8_t address[16]; /* IPv6; IPv4 in its mapped form */
    unsigned bits;       /* of `address` that count */
};

/*
 * "192.0.2.0/24", "2001:db8::/32", or one address. Bits behind the prefix do not count. False when
 * it is none of these.
 */
bool network_parse(struct slice text, struct network *network_r);

/*
 * A client's address, in the forms Postfix and libmilter write it: "192.0.2.1", "2001:db8::1",
 * "IPv6:2001:db8::1", with or without a zone ("fe80::1%eth0"). False for anything else, such as
 * "unknown".
 */
bool network_parse_address(struct slice text, struct network *address_r);

/* No IPv6 network but those within ::ffff:0:0/96 has IPv4 addresses in it, not even ::/0. */
bool network_has(const struct network *network, const struct network *address);

#endif
