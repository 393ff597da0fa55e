/*
 * Mail that waited in the active queue while silent hosts kept Postfix's processes busy. The line
 * of a silent attempt comes when it ends, later than those of the mail it held up, so both are
 * counted by the minute and compared at the end.
 */
#include "replay_parts.h"

#include <stdlib.h>

static const int64_t MINUTE = 60 * 1000;

/* An attempt that is said to have taken longer is not one. */
enum { ATTEMPT_MINUTES_MAX = 120 };

/* False: beyond those that are kept, of all servers. */
static bool make_room(struct replay_study *s, struct replay_server *server, size_t count)
{
    size_t size = count * 2 > server->minute_size + s->room.minutes
                      ? server->minute_size + s->room.minutes
                      : count * 2;
    struct replay_minute *minutes;

    if (count <= server->minute_size)
        return true;
    minutes = size < count ? NULL : realloc(server->minutes, size * sizeof(*minutes));
    if (minutes == NULL)
        return false;
    memset(minutes + server->minute_size, 0, (size - server->minute_size) * sizeof(*minutes));
    s->room.minutes -= size - server->minute_size;
    server->minutes = minutes;
    server->minute_size = size;
    return true;
}

/* NULL: before the first minute, or beyond those that are kept. */
static struct replay_minute *minute_at(struct replay_study *s, int64_t time)
{
    struct replay_server *server = s->at;
    int64_t nth = time / MINUTE - server->minute_base;

    if (server->minute_count == 0) {
        /* Lines of attempts that began before the log did. */
        server->minute_base = time / MINUTE - ATTEMPT_MINUTES_MAX;
        nth = ATTEMPT_MINUTES_MAX;
    }
    if (nth < 0 || (uint64_t)nth >= s->limits.minutes || !make_room(s, server, (size_t)nth + 1)) {
        s->minutes_lost++;
        return NULL;
    }
    if ((size_t)nth >= server->minute_count)
        server->minute_count = (size_t)nth + 1;
    return &server->minutes[nth];
}

/* One attempt for several recipients has a line for each. */
static bool is_same_attempt(struct replay_study *s, const struct maillog_line *line,
                            int64_t started)
{
    size_t slot = line->pid % (sizeof(s->at->attempts) / sizeof(s->at->attempts[0]));
    bool same = line->pid != 0 && s->at->attempts[slot].pid == line->pid &&
                started < s->at->attempts[slot].started + 1000 &&
                started > s->at->attempts[slot].started - 1000;

    s->at->attempts[slot].pid = line->pid;
    s->at->attempts[slot].started = started;
    return same;
}

void replay_busy(struct replay_study *s, const struct maillog_line *line)
{
    int64_t started = line->time - line->trying;
    int64_t at = started;

    if (line->trying < REPLAY_SILENT * 1000 || line->trying > ATTEMPT_MINUTES_MAX * MINUTE ||
        is_same_attempt(s, line, started))
        return;
    while (at < line->time) {
        int64_t next = (at / MINUTE + 1) * MINUTE;
        struct replay_minute *minute = minute_at(s, at);

        if (next > line->time)
            next = line->time;
        if (minute)
            minute->busy += (uint32_t)((next - at + 500) / 1000);
        at = next;
    }
}

void replay_held(struct replay_study *s, const struct maillog_line *line, int64_t queued)
{
    struct replay_minute *minute;

    if (queued < REPLAY_HELD_UP * 1000)
        return;
    replay_tally_add(&s->held, queued);
    minute = minute_at(s, line->time - line->trying);
    if (minute == NULL)
        return;
    minute->held++;
    minute->held_for += queued;
}

/* The most processes that were busy at once while the mail of this minute waited. */
static uint32_t busy_before(const struct replay_server *server, size_t nth)
{
    const struct replay_minute *minute = &server->minutes[nth];
    size_t back = (size_t)(minute->held_for / minute->held / MINUTE) + 1;
    uint32_t most = 0;

    for (size_t i = nth > back ? nth - back : 0; i <= nth; i++)
        if (server->minutes[i].busy / 60 > most)
            most = server->minutes[i].busy / 60;
    return most;
}

/* Of servers that are as busy the earlier one, whatever their order. */
static void note_busy(struct replay_study *s, uint32_t busy, int64_t at)
{
    if (busy == 0 || busy < s->busy_most || (busy == s->busy_most && at >= s->busy_most_at))
        return;
    s->busy_most = busy;
    s->busy_most_at = at;
}

void replay_held_end(struct replay_study *s)
{
    const struct replay_server *server = s->at;

    for (size_t i = 0; i < server->minute_count; i++) {
        const struct replay_minute *minute = &server->minutes[i];

        note_busy(s, minute->busy / 60, (server->minute_base + (int64_t)i) * MINUTE);
        if (minute->held > 0 && busy_before(server, i) >= REPLAY_SILENT_LEAST) {
            s->held_by_silence += minute->held;
            s->held_by_silence_ms += minute->held_for;
        }
    }
}
