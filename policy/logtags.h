/*
 * Whose lines they are, where several Postfix instances write one log.
 *
 * A line says TAG/AGENT. The tag is syslog_name, of main.cf or, with -o, of a service in master.cf:
 * then it may be anything, and two instances may have the same ("postfix/relay": the master.cf of
 * many systems has that in so many words, and a copy of it is in each instance).
 *
 *  - A name claims the tags that it is, and those it is the beginning of, up to a slash: "postfix"
 *    claims "postfix/relay" and not "postfix-out".
 *  - The longest name wins, whoever has it: "postfix/out" is that instance's, though it begins like
 *    the other's name.
 *  - When two have the same name, the tag tells nothing, but the queue id does: such a line is ours
 *    when our queue manager, under a name that only we have, said that it works on this message.
 *    Postfix says that before each pass.
 *  - What nobody claims is no line of ours: it is of an instance that is listed nowhere.
 *
 * No I/O, no allocation but in logtags_new(). Not thread-safe.
 */
#ifndef POSTERN_LOGTAGS_H
#define POSTERN_LOGTAGS_H

#include <stdbool.h>

#include "maillog.h"

struct logtags;

/* The lists have a name in each line. NULL: out of memory. */
struct logtags *logtags_new(const char *ours, const char *others);
void logtags_free(struct logtags **tags);

/* True for the same lists. Either may be NULL. */
bool logtags_same(const struct logtags *a, const struct logtags *b);

/* Whether a line, read to its end, is of this instance. Each line is to be shown to it, in order.
 */
bool logtags_ours(struct logtags *tags, const struct maillog_line *line);

#endif
