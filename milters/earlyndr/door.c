#include "door.h"

#include "ask.h"
#include "clock.h"
#include "state.h"

/* Whether this message may try the address. In doubt it may. */
static bool may_test(const struct config *config, struct slice recipient)
{
    char address[ADDRESS_MAX + 1];
    char error[512];
    bool chosen = true;

    if (address_canonical(address, recipient) == 0 ||
        !ask_posternd(config_runtime_directory(config), "test", "recipient", address, &chosen,
                      error, sizeof(error)))
        return true;
    return chosen;
}

enum door_answer door_ask(const struct config *config, struct slice recipient,
                          struct bad_record *bad_r)
{
    struct store *store = state_begin(config);
    enum doorway_answer answer;

    if (store == NULL)
        return DOOR_PASS;
    answer = doorway_address(store, config, recipient, clock_now(), bad_r);
    state_end(store);
    if (answer == DOORWAY_TEST)
        return may_test(config, recipient) ? DOOR_PASS : DOOR_REFUSE;
    return answer == DOORWAY_BAD ? DOOR_REFUSE : DOOR_PASS;
}

void door_text(const struct bad_record *bad, struct slice recipient, char text_r[DOOR_TEXT_MAX])
{
    char text[DOORWAY_TEXT_MAX];

    doorway_bad_text(bad, recipient, text);
    doorway_double(text, text_r);
}
