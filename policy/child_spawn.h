/* What child.c and child_runner.c share: starting a process. */
#ifndef POSTERN_CHILD_SPAWN_H
#define POSTERN_CHILD_SPAWN_H

#include "child.h"

/*
 * Starts the command with these descriptors as its outputs (they stay the caller's). Waits until
 * the program has really been executed. Returns its pid, or -1 with errno.
 */
pid_t child_spawn(const struct child_command *command, int output, int errors);

/* A close-on-exec pipe that is read without blocking; fds[0] is the read end. -1 with errno. */
int child_pipe(int fds[2]);

/* Kills the command and what it started. */
void child_kill(pid_t pid);

/* Fills in status, error and signal from what waitpid() said. */
void child_set_end(struct child_end *end, int wait_status, bool timed_out);

#endif
