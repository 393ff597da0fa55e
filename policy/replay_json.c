#include "replay_json.h"

#include "text.h"

json_t *replay_json_when(int64_t ms)
{
    return ms > 0 ? json_real((double)ms / 1000) : json_null();
}

json_t *replay_json_seconds(int64_t ms)
{
    return json_real((double)ms / 1000);
}

json_t *replay_json_number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

json_t *replay_json_text(struct slice s)
{
    char copy[STORE_KEY_MAX + 1];

    slice_copy(copy, sizeof(copy), s);
    text_clean(copy);
    return json_string(copy);
}

static json_t *steps_of(const struct replay_tally *tally)
{
    json_t *array = json_array();

    for (int i = 0; i < REPLAY_STEPS; i++) {
        int64_t end = replay_step_end(i);

        json_array_append_new(array, json_pack("{s:o, s:o}", "below",
                                               end ? replay_json_seconds(end) : json_null(),
                                               "count", replay_json_number(tally->steps[i])));
    }
    return array;
}

json_t *replay_json_tally(const struct replay_tally *tally)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "count", replay_json_number(tally->count), "mean",
                     replay_json_seconds(replay_tally_mean(tally)), "most",
                     replay_json_seconds(tally->most), "steps", steps_of(tally));
}

json_t *replay_json_samples(const struct replay_samples *samples)
{
    json_t *array = json_array();

    for (size_t i = 0; i < samples->count; i++) {
        const struct replay_sample *sample = &samples->list[i];

        json_array_append_new(array,
                              json_pack("{s:o, s:o, s:o, s:o}", "queue_id",
                                        replay_json_text(slice_of(sample->queue_id)), "recipient",
                                        replay_json_text(slice_of(sample->recipient)), "would",
                                        replay_json_when(sample->would), "was",
                                        replay_json_when(sample->was)));
    }
    return array;
}
