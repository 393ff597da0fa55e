#include "counters.h"

#include <stdatomic.h>

#include "slice.h"

static _Atomic uint64_t counted[COUNTERS];

void counters_add(enum counter counter)
{
    atomic_fetch_add_explicit(&counted[counter], 1, memory_order_relaxed);
}

uint64_t counters_get(enum counter counter)
{
    return atomic_load_explicit(&counted[counter], memory_order_relaxed);
}

/* As policyreq.c and inbound.h word them. */
void counters_policy(const char *action)
{
    struct slice a = slice_of(action);

    if (slice_starts(a, "DUNNO"))
        counters_add(COUNTER_POLICY_DUNNO);
    else if (slice_starts(a, "550 5.1.1"))
        counters_add(COUNTER_POLICY_BAD);
    else if (slice_starts(a, "550 5.4.7") || slice_starts(a, "DEFER_IF_PERMIT"))
        counters_add(COUNTER_POLICY_DOWN);
    else
        counters_add(COUNTER_POLICY_LIMIT);
}
