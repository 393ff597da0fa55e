#include "policyreq.h"

#include <stddef.h>
#include <stdio.h>

#include "log.h"

enum { INSTANCE_MAX = 128 };

static const struct attribute {
    const char *name;
    size_t offset;
} ATTRIBUTES[] = {
    {"request", offsetof(struct policyreq, request)},
    {"protocol_state", offsetof(struct policyreq, protocol_state)},
    {"client_address", offsetof(struct policyreq, client_address)},
    {"sasl_username", offsetof(struct policyreq, sasl_username)},
    {"sender", offsetof(struct policyreq, sender)},
    {"recipient", offsetof(struct policyreq, recipient)},
    {"queue_id", offsetof(struct policyreq, queue_id)},
    {"instance", offsetof(struct policyreq, instance)},
};

enum { ATTRIBUTES_LEN = sizeof(ATTRIBUTES) / sizeof(ATTRIBUTES[0]) };

/* Where the value belongs; NULL for an attribute that does not matter. */
static struct slice *place_of(struct slice name, struct policyreq *req)
{
    for (size_t i = 0; i < ATTRIBUTES_LEN; i++)
        if (slice_equals(name, ATTRIBUTES[i].name))
            return (struct slice *)(void *)((char *)req + ATTRIBUTES[i].offset);
    return NULL;
}

static bool parse_line(struct slice line, struct policyreq *req)
{
    const char *equals = memchr(line.at, '=', line.len);
    struct slice *place;

    if (equals == NULL || equals == line.at || memchr(line.at, '\0', line.len) != NULL)
        return false;
    place = place_of((struct slice){line.at, (size_t)(equals - line.at)}, req);
    if (place == NULL)
        return true;
    if (place->at != NULL)
        return false;
    *place = (struct slice){equals + 1, line.len - (size_t)(equals + 1 - line.at)};
    return true;
}

bool policyreq_parse(struct slice text, struct policyreq *req_r)
{
    *req_r = (struct policyreq){.request = {NULL, 0}};
    while (text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t len = end ? (size_t)(end - text.at) : 0;
        if (end == NULL || !parse_line((struct slice){text.at, len}, req_r))
            return false;
        text.at += len + 1;
        text.len -= len + 1;
    }
    for (size_t i = 0; i < ATTRIBUTES_LEN; i++) {
        struct slice *place = place_of(slice_of(ATTRIBUTES[i].name), req_r);
        if (place->at == NULL)
            *place = slice_of("");
    }
    return true;
}

static void say_observed(const struct policyreq *req, const struct inbound_answer *answer)
{
    struct slice id = req->queue_id.len > 0 ? req->queue_id : slice_of("NOQUEUE");
    char text[INBOUND_TEXT_MAX];

    inbound_text(answer, text);
    log_info("%.*s: would refuse to=<%.*s> and others, client=%.*s, reply=%s %s %s", (int)id.len,
             id.at, (int)req->recipient.len, req->recipient.at, (int)req->client_address.len,
             req->client_address.at, inbound_code(answer), inbound_status(answer), text);
}

static void answer_rcpt(const struct policyreq *req, struct inbound *inbound,
                        char action_r[POLICYREQ_ACTION_MAX])
{
    struct inbound_answer answer = inbound_rcpt(inbound, req->recipient);
    char text[INBOUND_TEXT_MAX];

    if (answer.refuse) {
        inbound_text(&answer, text);
        snprintf(action_r, POLICYREQ_ACTION_MAX, "%s %s %s", inbound_code(&answer),
                 inbound_status(&answer), text);
    } else if (answer.first) {
        say_observed(req, &answer);
    }
}

/*
 * recipient_count is 0 at RCPT (smtpd/smtpd_check.c, check_policy_service()), so we count
 * ourselves. `instance` is new with each MAIL, and empty outside of a transaction (smtpd/smtpd.c).
 */
void policyreq_answer(struct slice text, struct instances *instances, const struct config *config,
                      int64_t now_ms, char action_r[POLICYREQ_ACTION_MAX])
{
    struct policyreq req;
    struct inbound_mail mail;

    snprintf(action_r, POLICYREQ_ACTION_MAX, "DUNNO");
    if (!policyreq_parse(text, &req) || !slice_equals(req.request, "smtpd_access_policy") ||
        req.instance.len == 0 || req.instance.len > INSTANCE_MAX)
        return;
    if (slice_equals(req.protocol_state, "END-OF-MESSAGE"))
        instances_end(instances, req.instance);
    if (!slice_equals(req.protocol_state, "RCPT") || req.recipient.len == 0)
        return;
    mail = (struct inbound_mail){req.client_address, req.sasl_username, req.sender};
    answer_rcpt(&req, instances_get(instances, req.instance, config, &mail, now_ms), action_r);
}
