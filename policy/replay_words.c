#include "replay_words.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "show_parts.h"

void replay_add_words(char *buffer, size_t size, const char *format, ...)
{
    size_t used = strlen(buffer);
    va_list ap;

    va_start(ap, format);
    vsnprintf(buffer + used, size - used, format, ap);
    va_end(ap);
}

const char *replay_minute_words(char *buffer, size_t size, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;

    if (ms == 0 || localtime_r(&seconds, &tm) == NULL ||
        strftime(buffer, size, "%Y-%m-%d %H:%M", &tm) == 0)
        snprintf(buffer, size, "-");
    return buffer;
}

static long long count_of(const json_t *object, const char *tally)
{
    return show_number(json_object_get(object, tally), "count");
}

/* " (on average 3 h, at most 2 d)" */
static void add_spread(char *buffer, size_t size, const json_t *tally)
{
    char mean[SAY_MAX];
    char most[SAY_MAX];

    replay_add_words(buffer, size, " (on average %s, at most %s)",
                     say_duration(mean, show_ms(tally, "mean")),
                     say_duration(most, show_ms(tally, "most")));
}

static void add_servers(char *buffer, size_t size, const json_t *report)
{
    enum { SHOWN = 8 };
    const json_t *servers = json_object_get(report, "servers");
    size_t count = json_array_size(servers);

    if (count < 2)
        return;
    replay_add_words(buffer, size, " %zu servers: ", count);
    for (size_t i = 0; i < count && i < SHOWN; i++)
        replay_add_words(buffer, size, "%s%.60s", i > 0 ? ", " : "",
                         show_string(json_array_get(servers, i), "name"));
    if (count > SHOWN)
        replay_add_words(buffer, size, " and %zu more", count - SHOWN);
    replay_add_words(buffer, size, ".");
}

const char *replay_summary_words(char *buffer, size_t size, const json_t *report)
{
    const json_t *mail = json_object_get(report, "mail");
    char from[SAY_MAX];
    char to[SAY_MAX];
    char span[SAY_MAX];

    replay_minute_words(from, sizeof(from), show_ms(report, "from"));
    replay_minute_words(to, sizeof(to), show_ms(report, "to"));
    snprintf(buffer, size,
             "%lld lines from %s to %s (%s): %lld delivered, %lld deferred, %lld bounced; %lld "
             "destinations. Configuration: %s.",
             show_number(report, "lines"), from, to,
             say_duration(span, show_ms(report, "to") - show_ms(report, "from")),
             show_number(mail, "sent"), show_number(mail, "deferred"), show_number(mail, "bounced"),
             show_number(mail, "destinations"),
             show_string(json_object_get(report, "configuration"), "file"));
    add_servers(buffer, size, report);
    return buffer;
}

static void add_uncapped(char *buffer, size_t size, const json_t *ndrs)
{
    long long no_cap = show_number(ndrs, "no_cap");

    if (no_cap > 0)
        replay_add_words(
            buffer, size,
            " %lld would not have left earlier: no cap applies, or it was not reached.", no_cap);
    if (show_number(ndrs, "no_sender") > 0)
        replay_add_words(buffer, size, " %lld had no sender to tell.",
                         show_number(ndrs, "no_sender"));
}

const char *replay_ndr_words(char *buffer, size_t size, const json_t *report)
{
    const json_t *ndrs = json_object_get(report, "ndrs");
    long long expired = show_number(ndrs, "expired_recipients");
    long long messages = show_number(ndrs, "expired_messages");

    if (messages == 0) {
        snprintf(buffer, size, "No mail was returned for being too old in this time.");
    } else {
        snprintf(buffer, size,
                 "Postfix returned %lld message%s for being too old (%lld recipient%s seen to "
                 "fail).",
                 messages, show_plural(messages), expired, show_plural(expired));
        if (count_of(ndrs, "earlier") > 0) {
            replay_add_words(buffer, size, " With Postern %lld would have been reported earlier",
                             count_of(ndrs, "earlier"));
            add_spread(buffer, size, json_object_get(ndrs, "earlier"));
            replay_add_words(buffer, size, ".");
        }
        add_uncapped(buffer, size, ndrs);
    }
    if (show_number(ndrs, "waiting_over_cap") > 0)
        replay_add_words(
            buffer, size,
            " %lld of those that wait when the log ends would have been returned by then.",
            show_number(ndrs, "waiting_over_cap"));
    return buffer;
}

const char *replay_vain_words(char *buffer, size_t size, const json_t *report)
{
    const json_t *ndrs = json_object_get(report, "ndrs");
    long long n = count_of(ndrs, "delivered_after_cap");

    if (n == 0) {
        snprintf(buffer, size, "None: no cap would have returned mail that was delivered later.");
        return buffer;
    }
    snprintf(buffer, size,
             "%lld recipient%s would have been returned to the sender, and Postfix delivered to "
             "%s later than that",
             n, show_plural(n), n == 1 ? "it" : "them");
    add_spread(buffer, size, json_object_get(ndrs, "delivered_after_cap"));
    replay_add_words(buffer, size,
                     ". If that is not what you want, give such destinations higher caps.");
    return buffer;
}

const char *replay_limit_words(char *buffer, size_t size, const json_t *report)
{
    const json_t *limits = json_object_get(report, "recipient_limits");
    long long wrong = show_number(limits, "wrong_bounces");
    long long drained = count_of(limits, "drains");

    if (!show_truth(json_object_get(report, "configuration"), "outbound"))
        snprintf(buffer, size, "Not looked for: recipient_limits.outbound is off.");
    else if (wrong == 0 && show_number(limits, "deferrals") == 0)
        snprintf(buffer, size, "No server refused recipients as too many in one transaction.");
    else
        snprintf(buffer, size,
                 "%lld recipient%s bounced as too many in one transaction: none of these bounces "
                 "was right. %lld deferrals for the same reason.",
                 wrong, show_plural(wrong), show_number(limits, "deferrals"));
    if (drained > 0) {
        replay_add_words(buffer, size, " %lld message%s took long to be through", drained,
                         show_plural(drained));
        add_spread(buffer, size, json_object_get(limits, "drains"));
        replay_add_words(buffer, size, "; with Postern, seconds.");
    }
    return buffer;
}

const char *replay_early_words(char *buffer, size_t size, const json_t *report)
{
    const json_t *early = json_object_get(report, "bad_beside_slow");
    long long late = count_of(early, "earlier");

    snprintf(buffer, size, "%lld NDR%s for rejected recipients, ", show_number(early, "ndrs"),
             show_plural(show_number(early, "ndrs")));
    if (late == 0) {
        replay_add_words(buffer, size, "none of which waited for other recipients.");
        return buffer;
    }
    replay_add_words(buffer, size, "%lld of which waited for other recipients. ", late);
    if (!show_truth(early, "on"))
        replay_add_words(buffer, size, "early_ndr.mode is off; with it, these");
    else
        replay_add_words(buffer, size, "With Postern these");
    replay_add_words(buffer, size, " would have left earlier");
    add_spread(buffer, size, json_object_get(early, "earlier"));
    replay_add_words(buffer, size, ".");
    return buffer;
}

const char *replay_door_words(char *buffer, size_t size, const json_t *report)
{
    const json_t *door = json_object_get(report, "at_the_door");
    const char *mode = show_string(door, "mode");
    long long n = show_number(door, "messages");
    long long delivered = show_number(door, "delivered");
    char lifetime[SAY_MAX];

    if (n == 0) {
        snprintf(buffer, size,
                 "None: no message went to an address that an earlier one had shown "
                 "not to exist.");
        return buffer;
    }
    snprintf(buffer, size,
             "%s%lld message%s to %lld address%s would have been %s at once: an earlier message, "
             "within %s (early_ndr.lifetime), had shown that there is no such address.",
             strcmp(mode, "off") == 0 ? "early_ndr.mode is off; with \"refuse\" " : "", n,
             show_plural(n), show_number(door, "addresses"),
             show_number(door, "addresses") == 1 ? "" : "es",
             strcmp(mode, "ndr") == 0 ? "reported to the sender" : "refused",
             say_duration(lifetime, show_ms(door, "lifetime")));
    if (delivered > 0)
        replay_add_words(buffer, size,
                         " %lld of them %s delivered in fact: the address was there again.",
                         delivered, delivered == 1 ? "was" : "were");
    return buffer;
}

const char *replay_held_words(char *buffer, size_t size, const json_t *report)
{
    const json_t *held = json_object_get(report, "held_up");
    long long beside = show_number(held, "beside_silence");
    char at[SAY_MAX];

    snprintf(buffer, size, "%lld deliver%s waited %lld s or more for a free process",
             count_of(held, "all"), count_of(held, "all") == 1 ? "y" : "ies",
             show_number(held, "least"));
    if (count_of(held, "all") > 0)
        add_spread(buffer, size, json_object_get(held, "all"));
    replay_add_words(buffer, size,
                     "; %lld of them while hosts that say nothing kept processes busy.", beside);
    if (show_number(held, "busiest") > 0)
        replay_add_words(buffer, size,
                         " At worst they kept %lld busy, around %s (see default_process_limit).",
                         show_number(held, "busiest"),
                         replay_minute_words(at, sizeof(at), show_ms(held, "busiest_at")));
    if (beside > 0)
        replay_add_words(
            buffer, size, " %s",
            show_truth(json_object_get(report, "configuration"), "lanes")
                ? "With Postern such hosts have a pool of their own."
                : "lanes is off in this configuration; with it such hosts have their own pool.");
    return buffer;
}

const char *replay_lag_words(char *buffer, size_t size, const json_t *report)
{
    const json_t *lag = json_object_get(report, "after_outages");
    long long n = show_number(lag, "count");

    if (n == 0) {
        snprintf(buffer, size, "No mail waited on after its destination was back.");
        return buffer;
    }
    snprintf(buffer, size,
             "%lld recipient%s waited on after a session with the destination had been seen", n,
             show_plural(n));
    add_spread(buffer, size, lag);
    replay_add_words(buffer, size, ". Postern sends that mail as soon as the destination is back.");
    return buffer;
}

const struct replay_section replay_sections[] = {
    {"NDRs that would have gone earlier", replay_ndr_words, "ndrs", NULL, "earlier",
     "earlier_samples", "How much earlier"},
    {"Mail a cap would have returned, that was delivered later", replay_vain_words, "ndrs", NULL,
     "delivered_after_cap", "delivered_after_cap_samples", "How much later it was delivered"},
    {"Recipients bounced as too many", replay_limit_words, "recipient_limits", "wrong_bounces",
     "drains", "samples", "Until the last recipient was through"},
    {"NDRs for bad addresses beside slow ones", replay_early_words, "bad_beside_slow", NULL,
     "earlier", "samples", "How much earlier the NDR would have left"},
    {"Mail to addresses known to be bad", replay_door_words, "at_the_door", "messages", NULL,
     "samples", NULL},
    {"Mail held up", replay_held_words, "held_up", NULL, "all", NULL, "Time in the active queue"},
    {"Mail that waited on after an outage", replay_lag_words, NULL, NULL, "after_outages", NULL,
     "From the end of the outage to the delivery"},
};
const size_t replay_section_count = sizeof(replay_sections) / sizeof(replay_sections[0]);

const json_t *replay_section_tally(const struct replay_section *section, const json_t *report)
{
    const json_t *group = section->group ? json_object_get(report, section->group) : report;
    const json_t *tally = json_object_get(group, section->tally);

    return show_number(tally, "count") > 0 ? tally : NULL;
}

long long replay_section_number(const struct replay_section *section, const json_t *report)
{
    const json_t *group = section->group ? json_object_get(report, section->group) : report;

    return section->number ? show_number(group, section->number) : count_of(group, section->tally);
}

const char *replay_step_words(char *buffer, size_t size, const json_t *steps, size_t nth)
{
    int64_t below = show_ms(json_array_get(steps, nth), "below");
    int64_t from = nth > 0 ? show_ms(json_array_get(steps, nth - 1), "below") : 0;
    char a[SAY_MAX];
    char b[SAY_MAX];

    if (from == 0)
        snprintf(buffer, size, "under %s", say_duration(a, below));
    else if (below == 0)
        snprintf(buffer, size, "%s or more", say_duration(a, from));
    else
        snprintf(buffer, size, "%s to %s", say_duration(a, from), say_duration(b, below));
    return buffer;
}
