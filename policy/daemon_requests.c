/* What the control socket asks for by name. */
#include "daemon_internal.h"

#include "clock.h"

static void ended_request(struct daemon *daemon)
{
    if (store_commit(daemon->store))
        wishes_grant(daemon);
    else
        wishes_drop(daemon);
    daemon_soon(daemon);
}

bool daemon_retry(struct daemon *daemon, struct slice destination)
{
    bool found = daemon_begin(daemon) && ledger_retry(daemon->ledger, destination, clock_now());

    ended_request(daemon);
    return found;
}

bool daemon_forget_destination(struct daemon *daemon, struct slice destination)
{
    bool found =
        daemon_begin(daemon) && ledger_forget_destination(daemon->ledger, destination, clock_now());

    ended_request(daemon);
    return found;
}

bool daemon_forget_recipient(struct daemon *daemon, struct slice address)
{
    bool found = daemon_begin(daemon) && ledger_forget_recipient(daemon->ledger, address);

    ended_request(daemon);
    return found;
}

bool daemon_test_recipient(struct daemon *daemon, struct slice address)
{
    bool chosen = daemon_begin(daemon) && ledger_test_bad(daemon->ledger, address, clock_now());

    ended_request(daemon);
    return chosen;
}
