#include "host.h"

void host_went_down(struct host *host, int64_t since)
{
    if (host->down_since == 0 && since >= host->last_open)
        host->down_since = since;
}

bool host_opened(struct host *host, int64_t started, int64_t ended)
{
    /* A session from before the outage says nothing about it. */
    bool over = host->down_since > 0 && started >= host->down_since;

    if (ended > host->last_open)
        host->last_open = ended;
    if (over)
        host->down_since = 0;
    return over;
}
