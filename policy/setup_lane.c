/* Lanes: what is wanted, why they are not used, and whether Postfix has them. */
#include "setup_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBATION "postern-probation"

static bool wants_probation(const struct setup_plan *plan)
{
    return config_lanes_mode(plan->config) != LANES_OFF;
}

static bool wants_default(const struct setup_plan *plan)
{
    return config_lanes_mode(plan->config) == LANES_PROVEN;
}

/* --- What is wanted --- */

/*
 * Without routes of posternd's, which are not made while it only observes, no mail would ever leave
 * a postern-probation that is the default.
 */
struct mainmaster_probation setup_lane_want(const struct setup_plan *plan)
{
    char why[512];
    if (!wants_probation(plan) || !postfix_lanes_possible(plan->postfix, why, sizeof(why)))
        return (struct mainmaster_probation){0};
    return (struct mainmaster_probation){.processes = config_probation_processes(plan->config),
                                         .is_default =
                                             wants_default(plan) && config_enforce(plan->config)};
}

/* --- What there is to say --- */

static void remark_unused(const struct setup_plan *plan, const char *why)
{
    printf("Remark: the lanes will not be used: %s.\n", why);
    if (plan->lane_count > 0)
        printf(
            "Recipients that a host refuses as too many wait for Postfix's own next attempts.\n");
    if (wants_probation(plan))
        printf("Hosts that say nothing share the processes of \"smtp\" with all others, as with "
               "lanes = \"off\"%s.\n",
               wants_default(plan) ? "; default_transport\nis left as it is" : "");
}

static void remark_proven(const struct setup_plan *plan)
{
    if (plan->probation.is_default)
        printf("Remark: lanes = \"proven\": all mail that default_transport is for begins "
               "in " PROBATION ",\nof at most %u processes, and goes through \"smtp\" once its "
               "destination was reached. When\nposternd does not run, Postfix delivers "
               "through " PROBATION " as it would through \"smtp\".\n",
               plan->probation.processes);
    else if (wants_default(plan) && plan->probation.processes > 0)
        printf("Remark: lanes = \"proven\" and enforce = false: default_transport is left as it is "
               "while posternd\nonly observes; after that, run setup --apply again.\n");
}

/* The next hop that all mail has, or NULL. */
static const char *shared_nexthop(const struct setup_plan *plan)
{
    const char *colon = strchr(postfix_default_transport(plan->postfix), ':');
    const char *nexthop =
        colon != NULL && colon[1] != '\0' ? colon + 1 : postfix_relayhost(plan->postfix);
    return *nexthop != '\0' ? nexthop : NULL;
}

static void remark_shared(const struct setup_plan *plan)
{
    const char *nexthop = shared_nexthop(plan);
    if (plan->probation.processes > 0 && nexthop != NULL)
        printf("Remark: all mail goes to %s:\n" PROBATION " separates destinations only where "
               "Postfix itself delivers to them, and here\nthey share that next hop.\n",
               nexthop);
}

void setup_lane_remarks(const struct setup_plan *plan)
{
    char why[512];
    if ((plan->lane_count > 0 || wants_probation(plan)) &&
        !postfix_lanes_possible(plan->postfix, why, sizeof(why)))
        remark_unused(plan, why);
    remark_proven(plan);
    remark_shared(plan);
}

void setup_lane_reasons(const struct setup_plan *plan)
{
    if (plan->lane_count > 0)
        fputs("  postern-rcptN: your own service smtp under other names, each with a limit of N "
              "recipients\n"
              "    at once, for hosts that take no more.\n",
              stdout);
    if (plan->probation.processes > 0)
        fputs("  postern-probation: your own service smtp again, with processes of its own. Hosts "
              "that accept\n"
              "    a connection and say nothing keep a process for minutes: here they keep none "
              "from other mail.\n",
              stdout);
    if (plan->probation.is_default)
        fputs("  default_transport: all mail begins there, with the next hop that you set, and "
              "Postern sends\n"
              "    what was reached through smtp. relay_transport and your own routes stay.\n",
              stdout);
    else if (plan->probation.processes > 0)
        fputs("    Postern sends there what could not be reached lately.\n", stdout);
}

/* --- Whether Postfix has it --- */

static bool result_has_lane(const struct setup_plan *plan, uint32_t lane)
{
    char service[64], setting[64];
    snprintf(service, sizeof(service), "postern-rcpt%u/unix", lane);
    snprintf(setting, sizeof(setting), "postern-rcpt%u_destination_recipient_limit", lane);
    if (!setup_result_has_service(plan, service, " smtp"))
        return false;
    char *limit = setup_postconf(plan, "-h", setting);
    bool ok = limit != NULL && strtoul(limit, NULL, 10) == lane;
    if (!ok)
        setup_complain("Postfix does not see %s = %u in %s", setting, lane, plan->main.path);
    free(limit);
    return ok;
}

static bool result_has_default(const struct setup_plan *plan)
{
    static const char name[] = PROBATION;
    char *value = setup_postconf(plan, "-h", "default_transport");
    bool ok = value != NULL && strncmp(value, name, sizeof(name) - 1) == 0;
    if (!ok)
        setup_complain("Postfix does not see default_transport = " PROBATION " in %s",
                       plan->main.path);
    free(value);
    return ok;
}

bool setup_lane_result(const struct setup_plan *plan)
{
    bool ok = true;
    for (size_t i = 0; ok && i < plan->lane_count; i++)
        ok = result_has_lane(plan, plan->lanes[i]);
    if (ok && plan->probation.processes > 0)
        ok = setup_result_has_service(plan, PROBATION "/unix", " smtp");
    return ok && (!plan->probation.is_default || result_has_default(plan));
}
