/* Other Postfix instances of this machine, which may write to the log that is read here. */
#include "daemon_internal.h"

#include "log.h"
#include "neighbours.h"

static void say_namesake(struct daemon *daemon, const struct neighbour *other)
{
    if (other != NULL && !daemon->namesake)
        log_error("the Postfix of %s logs under the name %s, too, to the same log: neither can be "
                  "told from the other, and no line of it counts; set syslog_name in one of them",
                  other->directory, other->syslog_name);
    daemon->namesake = other != NULL;
}

static void take_tags(struct daemon *daemon, struct logtags *tags)
{
    if (logtags_same(daemon->tags, tags)) { /* with what it knows of the messages on their way */
        logtags_free(&tags);
        return;
    }
    if (tags == NULL || daemon->tags == NULL)
        log_info("%s", tags ? "other Postfix instances write to the same log: only lines of ours "
                              "count"
                            : "no other Postfix instance writes to the log any more");
    logsource_tags(daemon->source, tags);
    logtags_free(&daemon->tags);
    daemon->tags = tags;
}

void daemon_tell_apart(struct daemon *daemon)
{
    struct neighbours *neighbours = neighbours_ask(daemon->postfix, config_log(daemon->config));

    if (neighbours == NULL)
        return;
    say_namesake(daemon, neighbours_namesake(neighbours, daemon->postfix));
    take_tags(daemon, neighbours_tags(neighbours, daemon->postfix));
    neighbours_free(&neighbours);
}
