/* The parts of posternd that early reports and those of delays need. */
#include "daemon_early.h"

#include <stdlib.h>

void early_saw(struct daemon *daemon, const struct maillog_line *line)
{
    origins_saw(daemon->early->origins, line);
}

struct reporter *daemon_reporter(struct daemon *daemon)
{
    return daemon->early->reporter;
}

unsigned early_room(const struct daemon *daemon)
{
    return reporter_room(daemon->early->reporter);
}

bool early_begin(struct daemon *daemon)
{
    struct daemon_early *early = calloc(1, sizeof(*early));

    daemon->early = early;
    if (early == NULL)
        return false;
    STAILQ_INIT(&early->arrivals);
    LIST_INIT(&early->claims);
    early->origins = origins_new();
    early->reporter = reporter_new(daemon->runner, daemon->postfix);
    return early->origins && early->reporter;
}

void early_end(struct daemon *daemon)
{
    struct daemon_early *early = daemon->early;

    if (early == NULL)
        return;
    claims_drop(daemon);
    early_drop_arrivals(daemon, false);
    origins_free(&early->origins);
    reporter_free(&early->reporter);
    free(early);
    daemon->early = NULL;
}
