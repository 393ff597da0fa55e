/*
 * Notices when a log file grows, is renamed or appears: inotify watches on the file at the path, on
 * the open file wherever it went, and on the directories that hold the path and what it points to.
 * For logsource_file only.
 */
#ifndef POSTERN_LOGWATCH_H
#define POSTERN_LOGWATCH_H

#include <stdbool.h>

enum { LOGWATCH_COUNT = 4 };

struct logwatch {
    int fd; /* readable after a change; -1 without inotify */
    int watches[LOGWATCH_COUNT];
    bool failed; /* something could not be watched: look at the file every second */
};

void logwatch_open(struct logwatch *watch);
void logwatch_close(struct logwatch *watch);

/*
 * Watches what there is now; `file` is the open log, or -1. True when a watch is new: what happened
 * before it was set may have gone unnoticed, so look again.
 */
bool logwatch_update(struct logwatch *watch, const char *path, int file);

/* -1: poll. */
int logwatch_descriptor(const struct logwatch *watch);
void logwatch_drain(struct logwatch *watch);

#endif
