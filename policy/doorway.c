#include "doorway.h"

#include <inttypes.h>
#include <stdio.h>

#include "classify.h"
#include "rules.h"
#include "say.h"

/*
 * A retry this long overdue, or without news for so long, tells nothing any more: posternd hangs,
 * the clock was set, or the messages that were to try it are gone.
 */
static const int64_t stale = (int64_t)600 * 1000;

/* --- The address --- */

enum doorway_answer doorway_address(struct store *store, const struct config *config,
                                    struct slice recipient, int64_t now, struct bad_record *bad_r)
{
    uint32_t lifetime = config_early(config)->lifetime;
    char address[ADDRESS_MAX + 1];
    struct bad copy;
    size_t len;

    if (config_early_mode(config) == EARLY_OFF)
        return DOORWAY_PASS;
    len = address_canonical(address, recipient);
    if (len == 0 || !record_load_bad(store, (struct slice){address, len}, bad_r))
        return DOORWAY_PASS;
    copy = bad_r->b;
    switch (bad_judge(&copy, lifetime, now)) {
    case BAD_REFUSE:
        return DOORWAY_BAD;
    case BAD_TEST: /* posternd need not be asked while another message tries it */
        return bad_take_test(&copy, lifetime, now) ? DOORWAY_TEST : DOORWAY_BAD;
    case BAD_OVER:
        break;
    }
    return DOORWAY_PASS;
}

/* --- The destination --- */

/* The bare address: posternd knows domains as they stand in the log. */
static struct slice bare(struct slice recipient)
{
    while (recipient.len > 0 && strchr("> ", recipient.at[recipient.len - 1]) != NULL)
        recipient.len--;
    if (recipient.len > 0 && recipient.at[recipient.len - 1] == '.')
        recipient.len--;
    return recipient;
}

static bool is_down(const struct destination *d, int64_t interval, int64_t now)
{
    switch (d->health) {
    case DESTINATION_DOWN: /* the first retry may be put off by an interval (destination_spread) */
        return d->next != 0 && now <= d->next + stale && now >= d->next - 2 * interval - stale;
    case DESTINATION_TRYING:
        return d->next != 0 && now <= d->trying_since + stale && now >= d->trying_since - stale;
    default:
        return false;
    }
}

/* A message that comes now shares the next retry, and each one that follows. */
static int64_t when_given_up(const struct destination *d, uint32_t cap, int64_t interval)
{
    int64_t first = d->health == DESTINATION_TRYING ? d->trying_since : d->next;

    return cap > 0 ? first + (cap - 1) * interval : 0;
}

static bool load_down(struct store *store, const struct config *config, struct slice recipient,
                      int64_t now, struct doorway_down *down_r)
{
    size_t len = route_domain(down_r->domain, sizeof(down_r->domain), bare(recipient));
    char name[sizeof(down_r->to.name)];
    struct rules rules;
    int64_t interval;

    if (len == 0)
        return false;
    rules_name(config, (struct slice){down_r->domain, len}, name, sizeof(name));
    if (!record_load_destination(store, slice_of(name), &down_r->to))
        return false;
    rules = rules_of(config, &down_r->to);
    interval = (int64_t)rules.policy->open_interval * 1000;
    down_r->policy = rules.name;
    down_r->failures = destination_failures(&down_r->to.d);
    down_r->cap = rules.cap;
    down_r->interval = rules.policy->open_interval;
    down_r->given_up = when_given_up(&down_r->to.d, rules.cap, interval);
    return is_down(&down_r->to.d, interval, now);
}

enum doorway_answer doorway_destination(struct store *store, const struct config *config,
                                        struct slice recipient, int64_t now,
                                        struct doorway_down *down_r)
{
    enum when_down wanted = config_when_down(config);

    if (wanted == WHEN_DOWN_ACCEPT || !load_down(store, config, recipient, now, down_r))
        return DOORWAY_PASS;
    switch (wanted) {
    case WHEN_DOWN_WARN:
        return DOORWAY_WARN;
    case WHEN_DOWN_TEMPFAIL:
        return DOORWAY_TEMPFAIL;
    case WHEN_DOWN_REFUSE_OVER_CAP:
        return down_r->cap > 0 && down_r->failures >= down_r->cap ? DOORWAY_REFUSE : DOORWAY_PASS;
    case WHEN_DOWN_ACCEPT:
        break;
    }
    return DOORWAY_PASS;
}

/* --- Texts --- */

/* Appends what a reply may hold. A client may write it on a screen: no control characters. */
static void add(char *text, size_t *len, struct slice s)
{
    for (size_t i = 0; i < s.len && *len < DOORWAY_TEXT_MAX - 1; i++) {
        unsigned char c = (unsigned char)s.at[i];
        text[(*len)++] = (char)(c < ' ' || c > '~' ? '?' : c);
    }
    text[*len] = '\0';
}

void doorway_bad_text(const struct bad_record *bad, struct slice recipient,
                      char text_r[DOORWAY_TEXT_MAX])
{
    struct slice words = slice_of(bad->text);
    struct reply_parts said;
    char when[SAY_MAX];
    size_t len = 0;

    if (reply_parse(words, &said))
        words = said.words;
    if (words.len > 400)
        words.len = 400;
    if (recipient.len > 120)
        recipient = slice_of("recipient");
    add(text_r, &len, recipient);
    if (recipient.len > 0)
        add(text_r, &len, slice_of(": "));
    add(text_r, &len, slice_of(bad->host));
    add(text_r, &len, slice_of(" said on "));
    add(text_r, &len, slice_of(say_time(when, bad->b.learned)));
    add(text_r, &len, slice_of(": "));
    add(text_r, &len, words);
}

static void add_refused(const struct doorway_down *down, char *text, size_t *len)
{
    char more[600];
    char since[SAY_MAX];

    snprintf(more, sizeof(more),
             " could not be reached: %" PRIu64 " attempt%s since %s failed, and the policy \"%s\" "
             "of this mail system allows %" PRIu32 "; last error: ",
             down->failures, down->failures == 1 ? "" : "s", say_time(since, down->to.d.since),
             down->policy, down->cap);
    add(text, len, slice_of(more));
    add(text, len, slice_of(down->to.error));
}

static void add_unreachable(const struct doorway_down *down, enum doorway_answer answer,
                            int64_t now, char *text, size_t *len)
{
    int64_t lasted = now - down->to.d.since;
    char more[200];
    char since[SAY_MAX];
    char duration[SAY_MAX];

    snprintf(more, sizeof(more), " cannot be reached since %s (%s, %" PRIu64 " attempt%s)%s",
             say_time(since, down->to.d.since), say_duration(duration, lasted > 0 ? lasted : 0),
             down->failures, down->failures == 1 ? "" : "s",
             answer == DOORWAY_TEMPFAIL ? ": please try again later" : "");
    add(text, len, slice_of(more));
}

void doorway_down_text(const struct doorway_down *down, enum doorway_answer answer, int64_t now,
                       char text_r[DOORWAY_TEXT_MAX])
{
    struct slice domain = slice_of(down->domain);
    size_t len = 0;

    if (domain.len > 120)
        domain = slice_of("the recipient's domain");
    add(text_r, &len, domain);
    if (answer == DOORWAY_REFUSE)
        add_refused(down, text_r, &len);
    else
        add_unreachable(down, answer, now, text_r, &len);
}

void doorway_double(const char *text, char doubled_r[DOORWAY_DOUBLED_MAX])
{
    size_t len = 0;

    for (; *text && len < DOORWAY_DOUBLED_MAX - 2; text++) {
        if (*text == '%')
            doubled_r[len++] = '%';
        doubled_r[len++] = *text;
    }
    doubled_r[len] = '\0';
}
