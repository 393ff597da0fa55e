#include "door.h"

#include <stdio.h>
#include <stdlib.h>

#include "ask.h"
#include "classify.h"
#include "clock.h"
#include "say.h"
#include "state.h"

/* Whether this message may try the address. In doubt it may. */
static bool may_test(const struct config *config, const char *address)
{
    char error[512];
    bool chosen = true;

    if (!ask_posternd(config_runtime_directory(config), "test", "recipient", address, &chosen,
                      error, sizeof(error)))
        return true;
    return chosen;
}

enum door_answer door_ask(const struct config *config, struct slice recipient,
                          struct bad_record *bad_r)
{
    char address[ADDRESS_MAX + 1];
    size_t len = address_canonical(address, recipient);
    struct store *store = len > 0 ? state_begin(config) : NULL;
    bool known;

    if (store == NULL)
        return DOOR_PASS;
    known = record_load_bad(store, (struct slice){address, len}, bad_r);
    state_end(store);
    if (!known)
        return DOOR_PASS;
    switch (bad_judge(&bad_r->b, config_early(config)->lifetime, clock_now())) {
    case BAD_REFUSE:
        return DOOR_REFUSE;
    case BAD_TEST:
        return may_test(config, address) ? DOOR_PASS : DOOR_REFUSE;
    case BAD_OVER:
        break;
    }
    return DOOR_PASS;
}

/* Appends what a reply may hold. A client may write it on a screen: no control characters. */
static void add(char *text, size_t *len, struct slice s)
{
    for (size_t i = 0; i < s.len && *len < DOOR_TEXT_MAX - 3; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (c == '%')
            text[(*len)++] = '%';
        text[(*len)++] = (char)(c < ' ' || c > '~' ? '?' : c);
    }
    text[*len] = '\0';
}

void door_text(const struct bad_record *bad, struct slice recipient, char text_r[DOOR_TEXT_MAX])
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
    add(text_r, &len, slice_of(": "));
    add(text_r, &len, slice_of(bad->host));
    add(text_r, &len, slice_of(" said on "));
    add(text_r, &len, slice_of(say_time(when, bad->b.learned)));
    add(text_r, &len, slice_of(": "));
    add(text_r, &len, words);
}
