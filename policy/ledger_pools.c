/* The lanes of destinations that could not be reached lately, and of proven ones (probation.h). */
#include "ledger_internal.h"

#include "probation.h"

static enum route route_of_pool(enum pool pool)
{
    static const enum route routes[] = {[POOL_DEFAULT] = ROUTE_NONE,
                                        [POOL_PROBATION] = ROUTE_PROBATION,
                                        [POOL_NORMAL] = ROUTE_NORMAL};

    return routes[pool];
}

static void publish_domain(struct ledger *l, const struct subject *s, struct slice domain)
{
    enum route wanted;

    if (l->enforce && route_domain_valid(domain) &&
        route_pool(l->store, domain, route_of_pool((enum pool)s->record.d.pool), &wanted))
        l->actions->route(l->context, domain, wanted);
}

void pools_note_domain(struct ledger *l, struct subject *s, struct slice domain)
{
    if (s->record.d.pool != POOL_DEFAULT)
        publish_domain(l, s, domain);
}

bool pools_want_domains(const struct ledger *l)
{
    return l->pools == LANES_PROVEN;
}

/* A destination that nobody can name any more has no pool. */
static enum pool pool_of(const struct ledger *l, const struct subject *s, int64_t now)
{
    return s->rules.current ? probation_pool(&s->record.d, l->pools, now) : POOL_DEFAULT;
}

void pools_update(struct ledger *l, struct subject *s, int64_t now)
{
    enum pool before = (enum pool)s->record.d.pool;
    enum pool pool = pool_of(l, s, now);

    s->record.d.pool_due = pool == POOL_PROBATION ? probation_end(&s->record.d, now) : 0;
    if (pool == before)
        return;
    s->record.d.pool = pool;
    if (s->record.d.id == 0)
        subject_save(l, s);
    subject_each_domain(l, s, publish_domain);
    if (pool == POOL_PROBATION || before == POOL_PROBATION)
        say_pool(l, s);
}

void pools_start(struct ledger *l, struct subject *s, int64_t now)
{
    s->record.d.pool = POOL_DEFAULT; /* all routes are made anew */
    s->record.d.pool = pool_of(l, s, now);
    s->record.d.pool_due =
        s->record.d.pool == POOL_PROBATION ? probation_end(&s->record.d, now) : 0;
    if (s->record.d.pool != POOL_DEFAULT)
        subject_each_domain(l, s, publish_domain);
    subject_save(l, s);
}

void pools_withdraw(struct ledger *l, struct subject *s)
{
    s->record.d.pool = POOL_DEFAULT;
    s->record.d.pool_due = 0;
    subject_each_domain(l, s, publish_domain);
}
