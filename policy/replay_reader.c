#include "replay_reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "logsource.h"

enum { BUFFER_SIZE = 2 * LOGSOURCE_LINE_MAX };

struct replay_reader {
    gzFile in;
    bool skipping; /* the rest of a line that is too long */
    bool damaged;
    size_t begin, end;
    char buffer[BUFFER_SIZE];
};

struct replay_reader *replay_reader_open(const char *path)
{
    struct replay_reader *r = malloc(sizeof(*r));

    if (r == NULL)
        return NULL;
    r->in = strcmp(path, "-") == 0 ? gzdopen(dup(STDIN_FILENO), "r") : gzopen(path, "r");
    r->skipping = false;
    r->damaged = false;
    r->begin = 0;
    r->end = 0;
    if (r->in == NULL) {
        free(r);
        return NULL;
    }
    gzbuffer(r->in, LOGSOURCE_LINE_MAX);
    return r;
}

bool replay_reader_close(struct replay_reader **reader)
{
    bool good = gzclose((*reader)->in) == Z_OK && !(*reader)->damaged;

    free(*reader);
    *reader = NULL;
    return good;
}

/* False at the end, and where a file is damaged. */
static bool fill(struct replay_reader *r)
{
    int got, error = Z_OK;

    if (r->begin > 0)
        memmove(r->buffer, r->buffer + r->begin, r->end - r->begin);
    r->end -= r->begin;
    r->begin = 0;
    if (r->end == BUFFER_SIZE) {
        r->skipping = true;
        r->end = 0;
    }
    got = gzread(r->in, r->buffer + r->end, (unsigned)(BUFFER_SIZE - r->end));
    /* Asked each time: to zlib 1.3.2 the next read, of nothing, is no error any more. */
    gzerror(r->in, &error);
    r->damaged |= error != Z_OK && error != Z_STREAM_END;
    if (got <= 0)
        return false;
    r->end += (size_t)got;
    return true;
}

bool replay_reader_line(struct replay_reader *r, struct slice *line_r)
{
    for (;;) {
        char *start = r->buffer + r->begin;
        char *end = memchr(start, '\n', r->end - r->begin);
        bool whole = !r->skipping;

        if (end == NULL && fill(r))
            continue;
        if (end == NULL) {
            *line_r = (struct slice){r->buffer + r->begin, r->end - r->begin};
            r->begin = r->end;
            return line_r->len > 0 && whole;
        }
        *line_r = (struct slice){start, (size_t)(end - start)};
        r->begin += line_r->len + 1;
        r->skipping = false;
        if (whole && line_r->len <= LOGSOURCE_LINE_MAX)
            return true;
    }
}

int64_t replay_reader_offset(const struct replay_reader *r)
{
    return gzoffset(r->in);
}
