/*
 * An address that its server said does not exist, and what is made of it at the door (DESIGN 3.4).
 * Pure and thread-safe. Times are ms since the epoch.
 */
#ifndef POSTERN_BAD_H
#define POSTERN_BAD_H

#include <stdbool.h>
#include <stdint.h>

struct bad {
    int64_t learned;      /* when it was last said */
    int64_t tested;       /* when a message was let through to try it; 0: not since */
    uint32_t destination; /* id */
    uint32_t times;       /* it was said so often in a row */
};

enum bad_verdict {
    BAD_REFUSE,
    BAD_TEST, /* old enough that one message should try it: ask posternd which (bad_take_test) */
    BAD_OVER, /* too old: it counts no more */
};

/* `lifetime` in seconds. A time in the future comes from a clock set back: it counts as over. */
enum bad_verdict bad_judge(const struct bad *bad, uint32_t lifetime, int64_t now);

/*
 * True for the one message that may try the address: after half the lifetime, and again each
 * twenty-fourth part of it as long as nothing came of that.
 */
bool bad_take_test(struct bad *bad, uint32_t lifetime, int64_t now);

/* When it ends by itself. */
int64_t bad_end(const struct bad *bad, uint32_t lifetime);

#endif
