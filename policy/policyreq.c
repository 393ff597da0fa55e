#include "policyreq.h"

#include <stddef.h>
#include <stdio.h>

#include "log.h"

enum {
    INSTANCE_MAX = 128,
    TEST_PAUSE = 50, /* ms: each that may try an address is written to the disk, and waited for */
    SAY_PAUSE = 1000,
};

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

static void say_would(const struct policyreq *req, const char *action)
{
    struct slice id = req->queue_id.len > 0 ? req->queue_id : slice_of("NOQUEUE");

    log_info("%.*s: would refuse to=<%.*s> and others, client=%.*s, reply=%s", (int)id.len, id.at,
             (int)req->recipient.len, req->recipient.at, (int)req->client_address.len,
             req->client_address.at, action);
}

/* --- What is known of the recipient --- */

struct known {
    enum doorway_answer answer;
    struct bad_record bad;
    struct doorway_down down;
};

/* A recipient that cannot be reached now cannot try an address either. */
static void look_up(struct store *store, const struct config *config, struct slice recipient,
                    int64_t now, struct known *known_r)
{
    enum doorway_answer down;

    known_r->answer = doorway_address(store, config, recipient, now, &known_r->bad);
    if (known_r->answer == DOORWAY_BAD)
        return;
    down = doorway_destination(store, config, recipient, now, &known_r->down);
    if (down == DOORWAY_TEMPFAIL || down == DOORWAY_REFUSE)
        known_r->answer = down;
}

static bool may_test(struct policyreq_service *service, struct slice recipient, int64_t now_ms)
{
    if (service->hooks.may_test == NULL || !config_enforce(service->config))
        return true;
    if (now_ms < service->test_after)
        return false;
    service->test_after = now_ms + TEST_PAUSE;
    return service->hooks.may_test(service->hooks.context, recipient);
}

/*
 * Behind "450 4.4.1 " and so on Postfix puts "<recipient>: Recipient address rejected: " (smtpd/
 * smtpd_check.c); all of it is to be one line of 512 bytes.
 */
static int text_room(struct slice recipient)
{
    size_t taken = sizeof("450 4.4.1 <>: Recipient address rejected: \r\n") - 1 + recipient.len;

    return taken < 412 ? (int)(512 - taken) : 100;
}

/*
 * Not 450 but DEFER_IF_PERMIT (access(5)): a restriction behind us may refuse the recipient for
 * good, and then the client should hear that. False: nothing is against it.
 */
static bool action_of(const struct known *known, struct slice recipient, int64_t now,
                      char action_r[POLICYREQ_ACTION_MAX])
{
    char text[DOORWAY_TEXT_MAX];
    const char *begin;

    if (known->answer == DOORWAY_BAD) {
        begin = "550 5.1.1";
        doorway_bad_text(&known->bad, slice_of(""), text);
    } else if (known->answer == DOORWAY_TEMPFAIL || known->answer == DOORWAY_REFUSE) {
        begin = known->answer == DOORWAY_REFUSE ? "550 5.4.7" : "DEFER_IF_PERMIT 4.4.1";
        doorway_down_text(&known->down, known->answer, now, text);
    } else {
        return false;
    }
    snprintf(action_r, POLICYREQ_ACTION_MAX, "%s %.*s", begin, text_room(recipient), text);
    return true;
}

/* True when it refuses. */
static bool answer_known(struct policyreq_service *service, const struct policyreq *req,
                         int64_t now_ms, int64_t clock_ms, char action_r[POLICYREQ_ACTION_MAX])
{
    const struct policyreq_hooks *hooks = &service->hooks;
    struct store *store = hooks->state ? hooks->state(hooks->context) : NULL;
    char action[POLICYREQ_ACTION_MAX];
    struct known known;

    if (store == NULL || !store_begin_read(store))
        return false;
    look_up(store, service->config, req->recipient, clock_ms, &known);
    store_abort(store);
    if (known.answer == DOORWAY_TEST && !may_test(service, req->recipient, now_ms))
        known.answer = DOORWAY_BAD;
    if (!action_of(&known, req->recipient, clock_ms, action))
        return false;
    if (config_enforce(service->config)) {
        memcpy(action_r, action, sizeof(action));
        return true;
    }
    if (now_ms >= service->say_after) {
        say_would(req, action);
        service->say_after = now_ms + SAY_PAUSE;
    }
    return false;
}

/* --- The limits --- */

static void answer_limits(struct inbound *inbound, const struct policyreq *req,
                          char action_r[POLICYREQ_ACTION_MAX])
{
    struct inbound_answer answer = inbound_rcpt(inbound, req->recipient);
    char action[POLICYREQ_ACTION_MAX];
    char text[INBOUND_TEXT_MAX];

    if (!answer.refuse && !answer.first)
        return;
    inbound_text(&answer, text);
    snprintf(action, sizeof(action), "%s %s %s", inbound_code(&answer), inbound_status(&answer),
             text);
    if (answer.refuse)
        memcpy(action_r, action, sizeof(action));
    else
        say_would(req, action);
}

/* --- Answers --- */

/* One that is refused for what is known of it does not count. */
static void answer_rcpt(struct policyreq_service *service, const struct policyreq *req,
                        int64_t now_ms, int64_t clock_ms, char action_r[POLICYREQ_ACTION_MAX])
{
    struct inbound_mail mail = {req->client_address, req->sasl_username, req->sender};

    if (answer_known(service, req, now_ms, clock_ms, action_r))
        return;
    answer_limits(instances_get(service->instances, req->instance, service->config, &mail, now_ms),
                  req, action_r);
}

/*
 * recipient_count is 0 at RCPT (smtpd/smtpd_check.c, check_policy_service()), so we count
 * ourselves. `instance` is new with each MAIL, and empty outside of a transaction (smtpd/smtpd.c).
 */
void policyreq_answer(struct policyreq_service *service, struct slice text, int64_t now_ms,
                      int64_t clock_ms, char action_r[POLICYREQ_ACTION_MAX])
{
    struct policyreq req;

    snprintf(action_r, POLICYREQ_ACTION_MAX, "DUNNO");
    if (!policyreq_parse(text, &req) || !slice_equals(req.request, "smtpd_access_policy") ||
        req.instance.len == 0 || req.instance.len > INSTANCE_MAX)
        return;
    if (slice_equals(req.protocol_state, "END-OF-MESSAGE"))
        instances_end(service->instances, req.instance);
    if (slice_equals(req.protocol_state, "RCPT") && req.recipient.len > 0)
        answer_rcpt(service, &req, now_ms, clock_ms, action_r);
}
