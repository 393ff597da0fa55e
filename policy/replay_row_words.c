/* What is said of an outage, or a row of several. */
#include <stdio.h>
#include <string.h>

#include "replay_words.h"
#include "show_parts.h"

/* Of a crowd. */
static void add_crowd(char *buffer, size_t size, const json_t *row)
{
    long long back = show_number(row, "came_back");
    char least[SAY_MAX];
    char most[SAY_MAX];

    if (back < show_number(row, "crowd"))
        replay_add_words(buffer, size, "%lld of %lld came back, the others were not seen to. ",
                         back, show_number(row, "crowd"));
    else
        replay_add_words(buffer, size, "Back after %s to %s. ",
                         say_duration(least, show_ms(row, "lasted_least")),
                         say_duration(most, show_ms(row, "lasted")));
}

static void add_state(char *buffer, size_t size, const json_t *outage)
{
    char at[SAY_MAX];
    const char *state = show_string(outage, "state");

    if (show_string(outage, "seen_by")[0])
        replay_add_words(buffer, size, "Seen by %s. ", show_string(outage, "seen_by"));
    if (show_number(outage, "crowd") > 0) {
        add_crowd(buffer, size, outage);
        return;
    }
    replay_minute_words(at, sizeof(at), show_ms(outage, "last_failed"));
    if (strcmp(state, "ongoing") == 0)
        replay_add_words(buffer, size, "Still down when the log ends, with %lld waiting. ",
                         show_number(outage, "still_waiting"));
    else if (strcmp(state, "over") != 0)
        replay_add_words(buffer, size, "Not seen to come back; last attempt %s. ", at);
}

static void add_cap(char *buffer, size_t size, const json_t *outage)
{
    long long over = show_number(outage, "over_cap");
    long long cap = show_number(outage, "cap");

    if (over > 0 && cap > 0)
        replay_add_words(buffer, size, "The cap of %lld would have returned %lld. ", cap, over);
    else if (over > 0)
        replay_add_words(buffer, size, "Caps would have returned %lld. ", over);
    else if (cap == 0 && !json_is_null(json_object_get(outage, "cap")) &&
             show_number(outage, "expired") > 0)
        replay_add_words(buffer, size, "It has no cap. ");
}

const char *replay_outage_words(char *buffer, size_t size, const json_t *outage)
{
    const json_t *waited = json_object_get(outage, "waited");
    long long expired = show_number(outage, "expired");
    char most[SAY_MAX];

    buffer[0] = '\0';
    add_state(buffer, size, outage);
    if (show_number(waited, "count") > 0)
        replay_add_words(buffer, size, "Longest wait: %s. ",
                         say_duration(most, show_ms(waited, "most")));
    if (expired > 0)
        replay_add_words(buffer, size, "%lld returned as too old. ", expired);
    add_cap(buffer, size, outage);
    if (buffer[0])
        buffer[strlen(buffer) - 1] = '\0';
    return buffer;
}

const char *replay_names_words(char *buffer, size_t size, const json_t *row, size_t most)
{
    const json_t *names = json_object_get(row, "destinations");
    size_t count = json_array_size(names);

    buffer[0] = '\0';
    if (count < 2)
        return buffer;
    /* Not "and 1 more": the one takes no more room. */
    if (count == most + 1)
        most = count;
    for (size_t i = 0; i < count && i < most; i++)
        replay_add_words(buffer, size, "%s%s", i > 0 ? ", " : "",
                         json_string_value(json_array_get(names, i)));
    if (count > most)
        replay_add_words(buffer, size, " and %zu more", count - most);
    return buffer;
}
