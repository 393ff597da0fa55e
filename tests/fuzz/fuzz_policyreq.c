/*
 * Feeds any bytes to the policy service's parser as one request, and checks what it promises:
 * values lie inside the input, hold no line break, and stand behind their own names.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "policyreq.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(struct slice value, const char *name, struct slice all)
{
    size_t len = strlen(name);

    CHECK(value.at != NULL);
    if (value.at < all.at || value.at >= all.at + all.len) {
        CHECK(value.len == 0);
        return;
    }
    CHECK(value.len < (size_t)(all.at + all.len - value.at) && value.at[value.len] == '\n');
    CHECK(memchr(value.at, '\n', value.len) == NULL && memchr(value.at, '\0', value.len) == NULL);
    CHECK((size_t)(value.at - all.at) > len && value.at[-1] == '=');
    CHECK(memcmp(value.at - 1 - len, name, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of just this size, so that a byte read too much is noticed. */
    char *bytes = malloc(size > 0 ? size : 1);
    struct slice all = {bytes, size};
    struct policyreq req;

    if (bytes == NULL)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    if (policyreq_parse(all, &req)) {
        check_value(req.request, "request", all);
        check_value(req.protocol_state, "protocol_state", all);
        check_value(req.client_address, "client_address", all);
        check_value(req.sasl_username, "sasl_username", all);
        check_value(req.sender, "sender", all);
        check_value(req.recipient, "recipient", all);
        check_value(req.queue_id, "queue_id", all);
        check_value(req.instance, "instance", all);
    }
    free(bytes);
    return 0;
}
