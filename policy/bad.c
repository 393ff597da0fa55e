#include "bad.h"

enum { AHEAD_MAX = 60 * 1000, TESTS = 24 };

int64_t bad_end(const struct bad *bad, uint32_t lifetime)
{
    return bad->learned + (int64_t)lifetime * 1000;
}

enum bad_verdict bad_judge(const struct bad *bad, uint32_t lifetime, int64_t now)
{
    if (now >= bad_end(bad, lifetime) || bad->learned > now + AHEAD_MAX)
        return BAD_OVER;
    return now - bad->learned >= (int64_t)lifetime * 500 ? BAD_TEST : BAD_REFUSE;
}

bool bad_take_test(struct bad *bad, uint32_t lifetime, int64_t now)
{
    int64_t apart = (int64_t)lifetime * 1000 / TESTS;

    if (bad_judge(bad, lifetime, now) != BAD_TEST ||
        (bad->tested > bad->learned && now >= bad->tested && now < bad->tested + apart))
        return false;
    bad->tested = now;
    return true;
}
