/*
 * Where log lines come from: a file that is rotated under us, or the systemd journal.
 *
 * A source is read by one thread. Lines point into its buffer and are valid until the next call.
 * A position is opaque bytes that the caller stores with what it made of the lines up to there, and
 * gives back after a restart.
 */
#ifndef POSTERN_LOGSOURCE_H
#define POSTERN_LOGSOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "maillog.h"

enum { LOGSOURCE_POSITION_MAX = 512, LOGSOURCE_LINE_MAX = 65536 };

struct logsource_position {
    uint32_t len; /* 0: none yet */
    unsigned char bytes[LOGSOURCE_POSITION_MAX];
};

struct logsource;

/*
 * `log` is a path or "journal". Starts at *start when it is not empty and can still be found, also
 * in a rotated file that is not yet compressed; otherwise at the beginning of what is there, with a
 * warning in the log when something was lost. A file that does not exist yet is waited for. NULL,
 * with a line in error_r: "journal" without libsystemd or that cannot be opened, or out of memory.
 */
struct logsource *logsource_open(const char *log, const struct logsource_position *start,
                                 char *error_r, size_t size);
void logsource_close(struct logsource **source);

/*
 * What postconf(1) says, if known: how addresses are logged (see maillog.h; unknown otherwise), and
 * the account of Postfix's daemons, mail_owner ("postfix" otherwise): from the journal, entries of
 * root and of this account are believed and no others, for any user may log under any name.
 */
void logsource_trust(struct logsource *source, enum maillog_quoting quoting, uid_t mail_owner);

/* Which lines are of this Postfix; NULL: all. They are the caller's, and stay until others come. */
void logsource_tags(struct logsource *source, struct logtags *tags);

enum logsource_result {
    LOGSOURCE_LINE, /* line_r holds a line that matters */
    LOGSOURCE_SKIP, /* a line was read that does not matter, or one above LOGSOURCE_LINE_MAX */
    LOGSOURCE_WAIT, /* nothing more for now */
};
enum logsource_result logsource_next(struct logsource *source, int64_t now,
                                     struct maillog_line *line_r);

/* Where the next line begins. */
void logsource_position(const struct logsource *source, struct logsource_position *position_r);
/* Goes back to a position this same source gave (the transaction that held it was lost). */
void logsource_rewind(struct logsource *source, const struct logsource_position *position);

/*
 * A descriptor that becomes readable when there may be more to read, or -1: then call again every
 * second. It belongs to the source; -1 may come later (no inotify watches left), so ask after each
 * LOGSOURCE_WAIT. logsource_woken() takes the notice off it.
 */
int logsource_descriptor(const struct logsource *source);
void logsource_woken(struct logsource *source);

#endif
