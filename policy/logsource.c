#include "logsource_ops.h"

#include <pwd.h>
#include <string.h>

#include "log.h"

/* mail_owner's default, or root where there is no such account. */
static uid_t default_owner(void)
{
    const struct passwd *entry = getpwnam("postfix");

    return entry != NULL ? entry->pw_uid : 0;
}

struct logsource *logsource_open(const char *log, const struct logsource_position *start,
                                 char *error_r, size_t size)
{
    bool journal = strcmp(log, "journal") == 0;
    unsigned char kind = journal ? LOGSOURCE_POSITION_JOURNAL : LOGSOURCE_POSITION_FILE;
    struct logsource *source;

    if (start != NULL && start->len > 0 && start->bytes[0] != kind) {
        log_warning("log %s: the stored position is not of this kind of log; starting at its "
                    "beginning",
                    log);
        start = NULL;
    }
    source = journal ? logsource_journal_open(NULL, start, error_r, size)
                     : logsource_file_open(log, start, error_r, size);
    if (source != NULL)
        source->mail_owner = default_owner();
    return source;
}

void logsource_close(struct logsource **source)
{
    if (*source != NULL)
        (*source)->ops->close(*source);
    *source = NULL;
}

void logsource_trust(struct logsource *source, enum maillog_quoting quoting, uid_t mail_owner)
{
    source->reader.quoting = quoting;
    source->mail_owner = mail_owner;
}

void logsource_tags(struct logsource *source, struct logtags *tags)
{
    source->reader.tags = tags;
}

enum logsource_result logsource_next(struct logsource *source, int64_t now,
                                     struct maillog_line *line_r)
{
    return source->ops->next(source, now, line_r);
}

void logsource_position(const struct logsource *source, struct logsource_position *position_r)
{
    position_r->len = 0;
    source->ops->position(source, position_r);
}

void logsource_rewind(struct logsource *source, const struct logsource_position *position)
{
    source->ops->rewind(source, position);
}

int logsource_descriptor(const struct logsource *source)
{
    return source->ops->descriptor(source);
}

void logsource_woken(struct logsource *source)
{
    source->ops->woken(source);
}
