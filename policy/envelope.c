#include "envelope.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "text.h"
#include "xtext.h"

/* The value of a parameter NAME=VALUE, or NULL when it is another. */
static const char *value_of(const char *parameter, const char *name)
{
    size_t len = strlen(name);

    if (strncasecmp(parameter, name, len) != 0 || parameter[len] != '=')
        return NULL;
    return parameter + len + 1;
}

/* A source route ("@a,@b:user@c") is to be ignored (RFC 5321 appendix C). */
static struct slice without_route(struct slice path)
{
    const char *colon = path.len > 0 && path.at[0] == '@' ? memchr(path.at, ':', path.len) : NULL;

    if (colon == NULL)
        return path;
    return (struct slice){colon + 1, (size_t)(path.at + path.len - colon - 1)};
}

/* A copy of what is between < and >, or of all when there are none. */
static char *read_path(const char *argument)
{
    struct slice path = slice_of(argument);
    char *address;

    if (path.len > 0 && path.at[0] == '<') {
        if (path.len < 2 || path.at[path.len - 1] != '>')
            return NULL;
        path = (struct slice){path.at + 1, path.len - 2};
    }
    path = without_route(path);
    if (path.len > ENVELOPE_ADDRESS_MAX)
        return NULL;
    address = strndup(path.at, path.len);
    if (address && !text_is_clean(address)) {
        free(address);
        return NULL;
    }
    return address;
}

static char *read_id(const char *value)
{
    char decoded[ENVELOPE_PARAMETER_MAX + 1];

    if (strlen(value) > ENVELOPE_PARAMETER_MAX || !xtext_decode(decoded, value))
        return NULL;
    return strdup(decoded);
}

static enum envelope_return read_return(const char *value)
{
    if (strcasecmp(value, "HDRS") == 0)
        return ENVELOPE_RETURN_HEADERS;
    if (strcasecmp(value, "FULL") == 0)
        return ENVELOPE_RETURN_FULL;
    return ENVELOPE_RETURN_UNSET;
}

static void read_mail_parameter(struct envelope *envelope, const char *parameter)
{
    const char *value;

    if (strcasecmp(parameter, "SMTPUTF8") == 0)
        envelope->utf8 = true;
    else if ((value = value_of(parameter, "RET")) != NULL)
        envelope->wanted = read_return(value);
    else if ((value = value_of(parameter, "ENVID")) != NULL && envelope->id == NULL)
        envelope->id = read_id(value);
}

struct envelope *envelope_new(char *const *mail, int64_t now)
{
    struct envelope *envelope = mail[0] ? calloc(1, sizeof(*envelope)) : NULL;

    if (envelope == NULL)
        return NULL;
    envelope->arrived = now;
    envelope->queue_id = strdup("");
    envelope->header = strdup("");
    envelope->sender = read_path(mail[0]);
    if (envelope->queue_id == NULL || envelope->header == NULL || envelope->sender == NULL) {
        envelope_free(&envelope);
        return NULL;
    }
    for (char *const *parameter = mail + 1; *parameter; parameter++)
        read_mail_parameter(envelope, *parameter);
    return envelope;
}

static void clear_recipient(struct envelope_recipient *recipient)
{
    free(recipient->address);
    free(recipient->original);
    *recipient = (struct envelope_recipient){0};
}

void envelope_free(struct envelope **envelope)
{
    struct envelope *e = *envelope;

    *envelope = NULL;
    if (e == NULL)
        return;
    for (size_t i = 0; i < e->count; i++)
        clear_recipient(&e->recipients[i]);
    free(e->recipients);
    free(e->queue_id);
    free(e->sender);
    free(e->id);
    free(e->header);
    free(e->body);
    free(e);
}

bool envelope_set_queue_id(struct envelope *envelope, const char *queue_id)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t len = strlen(queue_id);
    char *copy;

    if (len == 0 || len > ENVELOPE_QUEUE_ID_MAX || strspn(queue_id, alphabet) != len)
        return false;
    copy = strdup(queue_id);
    if (copy == NULL)
        return false;
    free(envelope->queue_id);
    envelope->queue_id = copy;
    return true;
}

/* The bit of one word of NOTIFY; 0: none. */
static unsigned notify_bit(struct slice word)
{
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {
        {"NEVER", ENVELOPE_NEVER},
        {"SUCCESS", ENVELOPE_SUCCESS},
        {"FAILURE", ENVELOPE_FAILURE},
        {"DELAY", ENVELOPE_DELAY},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (word.len == strlen(words[i].word) && strncasecmp(word.at, words[i].word, word.len) == 0)
            return words[i].bit;
    return 0;
}

/* NEVER stands alone. */
static bool read_notify(const char *value, unsigned *notify_r)
{
    *notify_r = 0;
    for (;;) {
        size_t len = strcspn(value, ",");
        unsigned bit = notify_bit((struct slice){value, len});

        *notify_r |= bit;
        if (bit == 0 || ((*notify_r & ENVELOPE_NEVER) && *notify_r != ENVELOPE_NEVER))
            return false;
        if (value[len] == '\0')
            return true;
        value += len + 1;
    }
}

/* "rfc822;a@b"; the type is an atom (RFC 3461 section 4.2). */
static char *read_original(const char *value)
{
    static const char no_atom[] = "()<>@,:\\\".[]=+";
    char decoded[ENVELOPE_PARAMETER_MAX + 1];
    size_t len = strcspn(value, ";");
    size_t bad = strcspn(value, no_atom);
    bool utf8 = len == strlen("utf-8") && strncasecmp(value, "utf-8", len) == 0;

    if (strlen(value) > ENVELOPE_PARAMETER_MAX || len == 0 || value[len] == '\0' || bad < len)
        return NULL;
    for (size_t i = 0; i <= len; i++)
        if (value[i] <= ' ' || value[i] >= 0x7F)
            return NULL;
    memcpy(decoded, value, len + 1);
    if (!(utf8 ? xtext_decode_utf8 : xtext_decode)(decoded + len + 1, value + len + 1))
        return NULL;
    return strdup(decoded);
}

/* False: only for NOTIFY, and whatever looks like it. */
static bool read_rcpt_parameter(struct envelope_recipient *recipient, const char *parameter)
{
    const char *value = value_of(parameter, "NOTIFY");

    if (value)
        return recipient->notify == 0 && read_notify(value, &recipient->notify);
    if (strcasecmp(parameter, "NOTIFY") == 0)
        return false;
    value = value_of(parameter, "ORCPT");
    if (value && recipient->original == NULL)
        recipient->original = read_original(value);
    return true;
}

static bool make_room(struct envelope *envelope)
{
    size_t room = envelope->room ? 2 * envelope->room : 4;
    struct envelope_recipient *more;

    if (envelope->count >= ENVELOPE_RECIPIENTS_MAX)
        return false;
    if (envelope->count < envelope->room)
        return true;
    more = realloc(envelope->recipients, room * sizeof(*more));
    if (more == NULL)
        return false;
    envelope->recipients = more;
    envelope->room = room;
    return true;
}

bool envelope_add_recipient(struct envelope *envelope, char *const *rcpt)
{
    struct envelope_recipient recipient = {0};
    bool fit;

    if (rcpt[0] == NULL || !make_room(envelope))
        return false;
    recipient.address = read_path(rcpt[0]);
    fit = recipient.address && recipient.address[0] != '\0';
    for (char *const *parameter = rcpt + 1; fit && *parameter; parameter++)
        fit = read_rcpt_parameter(&recipient, *parameter);
    if (fit)
        envelope->recipients[envelope->count++] = recipient;
    else
        clear_recipient(&recipient);
    return fit;
}

void envelope_drop_recipient(struct envelope *envelope)
{
    if (envelope->count > 0)
        clear_recipient(&envelope->recipients[--envelope->count]);
}

/* What is equal byte for byte comes first: case matters to some servers. */
const struct envelope_recipient *envelope_find(const struct envelope *envelope,
                                               struct slice address)
{
    char wanted[ADDRESS_MAX + 1], canonical[ADDRESS_MAX + 1];
    size_t len;

    for (size_t i = 0; i < envelope->count; i++)
        if (slice_equals(address, envelope->recipients[i].address))
            return &envelope->recipients[i];
    len = address_canonical(wanted, address);
    for (size_t i = 0; len > 0 && i < envelope->count; i++)
        if (address_canonical(canonical, slice_of(envelope->recipients[i].address)) == len &&
            memcmp(canonical, wanted, len) == 0)
            return &envelope->recipients[i];
    return NULL;
}
