/*
 * Mail addresses as mail servers compare them: the domain without case and in its ASCII form (IDNA
 * 2008, RFC 5890 to 5895), the local part as it is, but for quotes that are not needed (RFC 5321
 * section 4.1.2). Pure and thread-safe.
 */
#ifndef POSTERN_ADDRESS_H
#define POSTERN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "slice.h"

/* RFC 5321 allows 254 bytes; SRS and VERP make longer ones. As a key it fits into the store. */
enum { ADDRESS_MAX = 380 };

/*
 * The form in which two addresses are equal when they mean the same mailbox: from an address as on
 * the wire ("<@relay:"a b"@Example.COM.>"), or as logged. A quoted local part stays quoted only
 * where it has to be. Returns its length, 0 when it is no address with a domain, or too long; the
 * result is NUL-terminated and holds no control characters.
 */
size_t address_canonical(char canonical_r[ADDRESS_MAX + 1], struct slice address);

/* The part behind the last '@' of a canonical address. */
struct slice address_domain(struct slice canonical);

#endif
