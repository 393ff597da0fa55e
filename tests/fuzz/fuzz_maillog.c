/*
 * Feeds any bytes to the mail log parser, as a line and as a journal entry, under each way of
 * quoting, and checks what it promises: slices lie inside the input, a delivery is complete, and
 * who knows more about the quoting is not told a different story by the one who refuses when in
 * doubt.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "maillog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t NOW = 1700730000000;

static void check_inside(struct slice s, struct slice all)
{
    CHECK(s.at >= all.at && s.at + s.len <= all.at + all.len && s.len <= all.len);
}

static void check_delivery(const struct maillog_line *line, struct slice all)
{
    check_inside(line->recipient, all);
    if (line->original.len > 0) {
        check_inside(line->original, all);
        CHECK(line->original.at > line->recipient.at + line->recipient.len);
        CHECK(line->relay.at > line->original.at + line->original.len);
    }
    check_inside(line->relay, all);
    check_inside(line->dsn, all);
    check_inside(line->text, all);
    CHECK(line->recipient.at > line->queue_id.at + line->queue_id.len);
    CHECK(line->relay.at > line->recipient.at + line->recipient.len);
    CHECK(line->dsn.at > line->relay.at + line->relay.len);
    CHECK(line->text.at > line->dsn.at + line->dsn.len);
    CHECK(line->recipient.len >= 3 &&
          memchr(line->recipient.at + 1, '@', line->recipient.len - 1) != NULL);
    CHECK(line->relay.len > 0 && memchr(line->relay.at, ' ', line->relay.len) == NULL);
    CHECK(line->dsn.len >= 5 && line->dsn.len <= 9);
    CHECK(line->delay >= 0 && line->trying >= 0);
    if (line->agent == MAILLOG_AGENT_QUEUE)
        CHECK(slice_equals(line->relay, "none") && line->status != MAILLOG_SENT);
    if (slice_equals(line->relay, "none"))
        CHECK(line->status != MAILLOG_SENT && line->agent != MAILLOG_AGENT_PIPE &&
              line->agent != MAILLOG_AGENT_LOCAL);
}

/* The other queue id, of a report or from before, and nothing behind it. */
static void check_other(const struct maillog_line *line, struct slice all)
{
    check_inside(line->other, all);
    CHECK(line->other.len >= 6 && line->other.len <= 40);
    CHECK(line->other.at > line->queue_id.at + line->queue_id.len);
    CHECK(line->other.at + line->other.len == all.at + all.len);
}

static void check_line(const struct maillog_line *line, bool matters, struct slice all)
{
    CHECK(matters == (line->kind != MAILLOG_OTHER));
    if (!matters)
        return;
    check_inside(line->queue_id, all);
    CHECK(line->queue_id.len >= 6 && line->queue_id.len <= 40);
    if (line->kind == MAILLOG_DELIVERY)
        check_delivery(line, all);
    if (line->kind == MAILLOG_ACTIVE)
        check_inside(line->sender, all);
    if (line->kind == MAILLOG_RETURNED || line->other.len > 0)
        check_other(line, all);
    if (line->coarse && line->time > NOW)
        CHECK(line->time % 1000 == 999 && line->time - 999 > NOW);
}

/* A delivery believed while in doubt about the quoting is the same delivery without the doubt. */
static void check_same(const struct maillog_line *doubt, const struct maillog_line *sure)
{
    if (doubt->kind != MAILLOG_DELIVERY || sure->kind != MAILLOG_DELIVERY)
        return;
    CHECK(doubt->recipient.at == sure->recipient.at && doubt->recipient.len == sure->recipient.len);
    CHECK(doubt->original.len == sure->original.len);
    CHECK(doubt->original.len == 0 || doubt->original.at == sure->original.at);
    CHECK(doubt->relay.at == sure->relay.at && doubt->status == sure->status);
}

static const char *const programs[] = {"postfix/smtp",   "postfix/local",  "postfix/qmgr",
                                       "postfix/bounce", "postfix/pickup", "postfix/cleanup"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of just this size, so that a byte read too much is noticed. */
    char *bytes = malloc(size > 0 ? size : 1);
    struct slice all = {bytes, size};
    struct maillog_line lines[3], entry;

    if (bytes == NULL)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    for (int quoting = 0; quoting < 3; quoting++) {
        struct maillog_reader reader = {.quoting = (enum maillog_quoting)quoting};
        bool matters = maillog_parse(&reader, bytes, size, NOW, &lines[quoting]);

        check_line(&lines[quoting], matters, all);
        matters = maillog_parse(&reader, bytes, size, NOW + 400 * 86400000LL, &entry);
        matters = maillog_parse(&reader, bytes, size, NOW, &entry);
        CHECK(matters == (lines[quoting].kind != MAILLOG_OTHER));
        CHECK(entry.time == lines[quoting].time);

        for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
            matters = maillog_parse_entry(&reader, slice_of(programs[i]), all, NOW, &entry);
            check_line(&entry, matters, all);
        }
    }
    check_same(&lines[MAILLOG_QUOTING_UNKNOWN], &lines[MAILLOG_QUOTING_EXTERNAL]);
    check_same(&lines[MAILLOG_QUOTING_UNKNOWN], &lines[MAILLOG_QUOTING_INTERNAL]);
    free(bytes);
    return 0;
}
