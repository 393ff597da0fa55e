/*
 * The networks that are ours: their clients may be sent a report of their mail. Others forge their
 * senders, and a report would go to somebody who sent nothing. Thread-safe.
 */
#ifndef POSTERN_LOCAL_H
#define POSTERN_LOCAL_H

#include <libmilter/mfapi.h>

#include "confref.h"

/*
 * early_ndr.networks, or Postfix's mynetworks where that is not set: then it runs postconf(1). What
 * cannot be read is left out, with a warning. NULL: no memory.
 */
struct networks *local_networks(const struct config *config);

/* Whether a client's address, as libmilter gives it, is in one of confref_local(). */
bool local_has(const struct confref *conf, const _SOCK_ADDR *address);

#endif
