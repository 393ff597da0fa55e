/*
 * The other Postfix instances of this machine: those that the default main.cf lists in
 * multi_instance_directories or alternate_config_directories, and the default one itself; without
 * directories that serve the same queue. postconf(1) is asked.
 *
 * All belongs to the struct. Not thread-safe.
 */
#ifndef POSTERN_NEIGHBOURS_H
#define POSTERN_NEIGHBOURS_H

#include <stddef.h>

#include "logtags.h"
#include "postfix.h"

enum { NEIGHBOURS_MAX = 64 };

struct neighbour {
    char *directory; /* of its main.cf */
    char *syslog_name;
    char *tags;    /* that, and those of services in its master.cf: each in a line */
    bool same_log; /* it writes to the log that is ours: `log` of neighbours_ask() */
};

struct neighbours;

/*
 * `log`: a path, or "journal". One that does not answer, as where there is no main.cf, is left out.
 * NULL: out of memory.
 */
struct neighbours *neighbours_ask(const struct postfix *postfix, const char *log);
void neighbours_free(struct neighbours **neighbours);

/* NULL past the last. */
const struct neighbour *neighbours_at(const struct neighbours *neighbours, size_t index);

/* One with our syslog_name in our log: nothing tells its lines from ours. NULL: there is none. */
const struct neighbour *neighbours_namesake(const struct neighbours *neighbours,
                                            const struct postfix *postfix);

/*
 * What tells our lines from theirs. NULL: nothing has to, because the log is ours alone; then each
 * line of a Postfix counts, by whatever name, as ever. (Out of memory: likewise.)
 */
struct logtags *neighbours_tags(const struct neighbours *neighbours, const struct postfix *postfix);

#endif
