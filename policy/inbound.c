#include "inbound.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "network.h"

/* A rule that applies, and how many of the accepted recipients fit it. */
struct count {
    const struct config_inbound *rule;
    uint32_t accepted;
};

struct inbound {
    bool enforce;
    bool overflowed; /* had a surplus recipient */
    size_t rules;
    struct count counts[];
};

/* What a mail address is about: "<@relay:a@b.>" is for "b". Empty when there is no domain. */
static struct slice domain_of(struct slice address)
{
    const char *at;

    while (address.len > 0 && strchr("> ", address.at[address.len - 1]) != NULL)
        address.len--;
    at = memrchr(address.at, '@', address.len);
    if (at == NULL)
        return slice_of("");
    address.len -= (size_t)(at + 1 - address.at);
    address.at = at + 1;
    if (address.len > 0 && address.at[address.len - 1] == '.')
        address.len--;
    return address;
}

/* As in struct config_group: "d", ".d" for what is below d, "*" for all. */
static bool fits_domain(const char *pattern, struct slice domain)
{
    size_t len = strlen(pattern);

    if (strcmp(pattern, "*") == 0)
        return true;
    if (pattern[0] == '.')
        return domain.len > len && strncasecmp(domain.at + domain.len - len, pattern, len) == 0;
    return domain.len == len && strncasecmp(domain.at, pattern, len) == 0;
}

static bool fits_domains(char *const *patterns, size_t count, struct slice address)
{
    struct slice domain = domain_of(address);

    for (size_t i = 0; i < count; i++)
        if (fits_domain(patterns[i], domain))
            return true;
    return count == 0;
}

static bool fits_network(const struct config_inbound *rule, struct slice client)
{
    struct network address;
    struct network network;

    if (rule->network_count == 0)
        return true;
    if (!network_parse_address(client, &address))
        return false;
    for (size_t i = 0; i < rule->network_count; i++)
        if (network_parse(slice_of(rule->networks[i]), &network) && network_has(&network, &address))
            return true;
    return false;
}

static bool fits_login(const struct config_inbound *rule, struct slice login)
{
    if (rule->login_count == 0)
        return true;
    if (login.len == 0)
        return false;
    for (size_t i = 0; i < rule->login_count; i++)
        if (strcmp(rule->logins[i], "*") == 0 || slice_equals(login, rule->logins[i]))
            return true;
    return false;
}

static bool applies(const struct config_inbound *rule, const struct inbound_mail *mail)
{
    return rule->limit > 0 && fits_network(rule, mail->client) && fits_login(rule, mail->login) &&
           fits_domains(rule->sender_domains, rule->sender_domain_count, mail->sender);
}

static bool fits_recipient(const struct config_inbound *rule, struct slice recipient)
{
    return fits_domains(rule->recipient_domains, rule->recipient_domain_count, recipient);
}

struct inbound *inbound_begin(const struct config *config, const struct inbound_mail *mail)
{
    size_t count = config_inbound_count(config);
    struct inbound *inbound = calloc(1, sizeof(*inbound) + count * sizeof(inbound->counts[0]));

    if (inbound == NULL)
        return NULL;
    inbound->enforce = config_enforce(config);
    for (size_t i = 0; i < count; i++) {
        const struct config_inbound *rule = config_inbound_at(config, i);
        if (applies(rule, mail))
            inbound->counts[inbound->rules++].rule = rule;
    }
    if (inbound->rules == 0)
        inbound_free(&inbound);
    return inbound;
}

void inbound_free(struct inbound **inbound)
{
    free(*inbound);
    *inbound = NULL;
}

/*
 * Adds a rule that is used up to the answer. `reject` prevails: it is for mail programs that cannot
 * handle a 452 among accepted recipients, and such a program must not get one because another rule
 * is used up as well. Of several of a kind the least limit is told, the one that will do for all.
 */
static void add_surplus(struct inbound_answer *answer, const struct config_inbound *rule)
{
    bool better = rule->reject != answer->permanent ? rule->reject : rule->limit < answer->limit;

    if (answer->surplus && !better)
        return;
    answer->surplus = true;
    answer->permanent = rule->reject;
    answer->limit = rule->limit;
}

static void count_recipient(struct inbound *inbound, struct slice recipient)
{
    for (size_t i = 0; i < inbound->rules; i++)
        if (fits_recipient(inbound->counts[i].rule, recipient))
            inbound->counts[i].accepted++;
}

struct inbound_answer inbound_rcpt(struct inbound *inbound, struct slice recipient)
{
    struct inbound_answer answer = {.surplus = false};

    if (inbound == NULL)
        return answer;
    for (size_t i = 0; i < inbound->rules; i++) {
        const struct count *count = &inbound->counts[i];
        if (count->accepted >= count->rule->limit && fits_recipient(count->rule, recipient))
            add_surplus(&answer, count->rule);
    }
    if (answer.surplus) {
        answer.refuse = inbound->enforce;
        answer.first = !inbound->overflowed;
        inbound->overflowed = true;
    }
    if (!answer.refuse)
        count_recipient(inbound, recipient);
    return answer;
}

const char *inbound_code(const struct inbound_answer *answer)
{
    return answer->permanent ? "550" : "452";
}

const char *inbound_status(const struct inbound_answer *answer)
{
    return answer->permanent ? "5.5.3" : "4.5.3";
}

/* No '%': libmilter takes the text for a format. */
void inbound_text(const struct inbound_answer *answer, char text_r[INBOUND_TEXT_MAX])
{
    snprintf(text_r, INBOUND_TEXT_MAX, "Too many recipients: %" PRIu32 " %s allowed in one %s",
             answer->limit, answer->limit == 1 ? "is" : "are",
             answer->permanent ? "message" : "transaction; send the rest in another");
}
