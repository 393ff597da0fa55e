/* What posternd tells monitoring (metrics.h). */
#include "daemon_internal.h"

#include <stdlib.h>

#include "clock.h"
#include "metrics.h"

char *daemon_metrics(struct daemon *daemon)
{
    struct metrics_facts *facts = calloc(1, sizeof(*facts));
    char *text;

    if (facts == NULL)
        return NULL;
    facts->started = daemon->started;
    facts->now = clock_now();
    facts->enforcing = config_enforce(daemon->config);
    facts->connected = daemon->connected;
    facts->early_possible = daemon->early_possible;
    facts->caught_up = daemon->caught_up;
    facts->last_line = daemon->last_line;
    if (store_begin_read(daemon->store)) {
        metrics_gather(facts, daemon->store, daemon->config);
        store_abort(daemon->store);
    }
    text = metrics_text(facts);
    free(facts);
    return text;
}
