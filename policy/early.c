#include "early.h"

#include "address.h"

int64_t early_due(int64_t bounced, uint32_t after)
{
    return bounced + (int64_t)after * 1000;
}

bool early_wanted(const struct envelope *envelope, const struct envelope_recipient *recipient)
{
    char sender[ADDRESS_MAX + 1];

    /* The null sender, or one that sendmail(1) would have to complete. */
    if (address_canonical(sender, slice_of(envelope->sender)) == 0)
        return false;
    return recipient->notify == 0 || (recipient->notify & ENVELOPE_FAILURE) != 0;
}

bool early_leave(struct early *early)
{
    if (early->state == EARLY_PENDING)
        early->state = EARLY_POSTFIX;
    return early->state == EARLY_POSTFIX;
}

const char *early_state_name(enum early_state state)
{
    static const char *const names[] = {"pending", "sending", "sent", "postfix"};

    return names[state];
}
