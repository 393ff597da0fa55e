/* Envelopes as JSON. */
#include "envelope.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

static json_t *text_json(const char *text, size_t len)
{
    json_t *string = json_stringn(text, len);
    char *copy;

    if (string)
        return string;
    copy = malloc(len + 1);
    if (copy == NULL)
        return NULL;
    memcpy(copy, text, len);
    text_make_utf8(copy, len);
    string = json_stringn(copy, len);
    free(copy);
    return string;
}

static bool put_text(json_t *object, const char *key, const char *text)
{
    return text == NULL || json_object_set_new(object, key, text_json(text, strlen(text))) == 0;
}

static const char *return_name(enum envelope_return wanted)
{
    switch (wanted) {
    case ENVELOPE_RETURN_HEADERS:
        return "headers";
    case ENVELOPE_RETURN_FULL:
        return "full";
    default:
        return NULL;
    }
}

static json_t *recipient_json(const struct envelope_recipient *recipient)
{
    json_t *object = json_object();

    if (put_text(object, "address", recipient->address) &&
        put_text(object, "original", recipient->original) &&
        json_object_set_new(object, "notify", json_integer((json_int_t)recipient->notify)) == 0)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *recipients_json(const struct envelope *envelope)
{
    json_t *array = json_array();

    for (size_t i = 0; i < envelope->count; i++)
        if (json_array_append_new(array, recipient_json(&envelope->recipients[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

json_t *envelope_to_json(const struct envelope *envelope)
{
    json_t *object = json_object();

    if (put_text(object, "queue_id", envelope->queue_id) &&
        put_text(object, "sender", envelope->sender) && put_text(object, "id", envelope->id) &&
        put_text(object, "return", return_name(envelope->wanted)) &&
        json_object_set_new(object, "utf8", json_boolean(envelope->utf8)) == 0 &&
        json_object_set_new(object, "arrived", json_integer((json_int_t)envelope->arrived)) == 0 &&
        json_object_set_new(object, "recipients", recipients_json(envelope)) == 0 &&
        put_text(object, "header", envelope->header) &&
        (!envelope->header_cut || json_object_set_new(object, "header_cut", json_true()) == 0) &&
        put_text(object, "body", envelope->body))
        return object;
    json_decref(object);
    return NULL;
}

/* A string of at most `max` bytes; *text_r stays NULL when there is none. */
static bool take_text(const json_t *object, const char *key, size_t max, char **text_r)
{
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);

    if (value == NULL)
        return true;
    if (text == NULL || strlen(text) != json_string_length(value) || strlen(text) > max)
        return false;
    *text_r = strdup(text);
    return *text_r != NULL;
}

static bool take_line(const json_t *object, const char *key, size_t max, char **text_r)
{
    return take_text(object, key, max, text_r) && (*text_r == NULL || text_is_clean(*text_r));
}

static bool take_number(const json_t *object, const char *key, int64_t max, int64_t *number_r)
{
    const json_t *value = json_object_get(object, key);

    *number_r = json_integer_value(value);
    return json_is_integer(value) && *number_r >= 0 && *number_r <= max;
}

static bool take_notify(const json_t *object, unsigned *notify_r)
{
    enum { ALL = ENVELOPE_SUCCESS | ENVELOPE_FAILURE | ENVELOPE_DELAY };
    int64_t notify;

    if (!take_number(object, "notify", ENVELOPE_NEVER | ALL, &notify))
        return false;
    *notify_r = (unsigned)notify;
    return !(*notify_r & ENVELOPE_NEVER) || *notify_r == ENVELOPE_NEVER;
}

static bool take_recipient(const json_t *object, struct envelope_recipient *recipient)
{
    return json_is_object(object) &&
           take_line(object, "address", ENVELOPE_ADDRESS_MAX, &recipient->address) &&
           recipient->address && recipient->address[0] != '\0' &&
           take_line(object, "original", ENVELOPE_PARAMETER_MAX, &recipient->original) &&
           (recipient->original == NULL || strchr(recipient->original, ';')) &&
           take_notify(object, &recipient->notify);
}

static bool take_recipients(const json_t *object, struct envelope *envelope)
{
    const json_t *array = json_object_get(object, "recipients");
    size_t size = json_array_size(array);

    if (!json_is_array(array) || size > ENVELOPE_RECIPIENTS_MAX)
        return false;
    envelope->recipients = calloc(size + 1, sizeof(*envelope->recipients));
    if (envelope->recipients == NULL)
        return false;
    envelope->room = size + 1;
    /* Counted even when it is refused, so that what it has is freed. */
    while (envelope->count < size) {
        size_t i = envelope->count++;

        if (!take_recipient(json_array_get(array, i), &envelope->recipients[i]))
            return false;
    }
    return true;
}

static bool take_return(const json_t *object, enum envelope_return *wanted_r)
{
    const json_t *value = json_object_get(object, "return");
    const char *name = json_string_value(value);

    for (int wanted = ENVELOPE_RETURN_HEADERS; name && wanted <= ENVELOPE_RETURN_FULL; wanted++)
        if (strcmp(name, return_name((enum envelope_return)wanted)) == 0)
            *wanted_r = (enum envelope_return)wanted;
    return value == NULL || *wanted_r != ENVELOPE_RETURN_UNSET;
}

static bool take_queue_id(const json_t *object, struct envelope *envelope)
{
    char *queue_id = NULL;
    bool taken = take_line(object, "queue_id", ENVELOPE_QUEUE_ID_MAX, &queue_id) && queue_id &&
                 envelope_set_queue_id(envelope, queue_id);

    free(queue_id);
    return taken;
}

static bool take_content(const json_t *object, struct envelope *envelope)
{
    const json_t *cut = json_object_get(object, "header_cut");

    envelope->header_cut = json_is_true(cut);
    if ((cut && !json_is_boolean(cut)) ||
        !take_text(object, "header", ENVELOPE_HEADER_MAX, &envelope->header) ||
        envelope->header == NULL || !take_text(object, "body", ENVELOPE_BODY_MAX, &envelope->body))
        return false;
    envelope->header_len = strlen(envelope->header);
    envelope->body_len = envelope->body ? strlen(envelope->body) : 0;
    return envelope->header_len == 0 || envelope->header[envelope->header_len - 1] == '\n';
}

static bool take_all(const json_t *object, struct envelope *envelope)
{
    const json_t *utf8 = json_object_get(object, "utf8");

    envelope->utf8 = json_is_true(utf8);
    return json_is_boolean(utf8) && take_queue_id(object, envelope) &&
           take_line(object, "sender", ENVELOPE_ADDRESS_MAX, &envelope->sender) &&
           envelope->sender && take_line(object, "id", ENVELOPE_PARAMETER_MAX, &envelope->id) &&
           take_return(object, &envelope->wanted) &&
           take_number(object, "arrived", INT64_MAX, &envelope->arrived) &&
           take_recipients(object, envelope) && take_content(object, envelope);
}

struct envelope *envelope_from_json(const json_t *json)
{
    struct envelope *envelope = json_is_object(json) ? calloc(1, sizeof(*envelope)) : NULL;

    if (envelope && !take_all(json, envelope))
        envelope_free(&envelope);
    return envelope;
}
