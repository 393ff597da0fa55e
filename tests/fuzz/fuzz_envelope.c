/*
 * Feeds any bytes as JSON to envelope_from_json(), and checks that what it accepts has the shape it
 * promises, goes to JSON and back unchanged, and can be asked whether a machine sent it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "envelope.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_shape(const struct envelope *e)
{
    CHECK(e->queue_id[0] != '\0' && strlen(e->queue_id) <= ENVELOPE_QUEUE_ID_MAX);
    CHECK(text_is_clean(e->sender) && strlen(e->sender) <= ENVELOPE_ADDRESS_MAX);
    CHECK(e->id == NULL || text_is_clean(e->id));
    CHECK(e->arrived >= 0);
    CHECK(e->count <= e->room && e->count <= ENVELOPE_RECIPIENTS_MAX);
    CHECK(strlen(e->header) == e->header_len && e->header_len <= ENVELOPE_HEADER_MAX);
    CHECK(e->header_len == 0 || e->header[e->header_len - 1] == '\n');
    CHECK(e->body ? strlen(e->body) == e->body_len : e->body_len == 0);
    for (size_t i = 0; i < e->count; i++) {
        const struct envelope_recipient *r = &e->recipients[i];
        CHECK(r->address[0] != '\0' && text_is_clean(r->address));
        CHECK(r->original == NULL || strchr(r->original, ';') != NULL);
        CHECK(envelope_find(e, slice_of(r->address)) != NULL);
    }
}

static void check_round_trip(const struct envelope *first)
{
    json_t *json = envelope_to_json(first);
    struct envelope *second = envelope_from_json(json);
    json_t *again;

    CHECK(second != NULL);
    CHECK(envelope_is_automatic(first) == envelope_is_automatic(second));
    again = envelope_to_json(second);
    CHECK(json_equal(json, again));
    json_decref(again);
    json_decref(json);
    envelope_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
    struct envelope *envelope = envelope_from_json(json);

    if (envelope) {
        check_shape(envelope);
        check_round_trip(envelope);
    }
    envelope_free(&envelope);
    json_decref(json);
    return 0;
}
