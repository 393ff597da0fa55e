/*
 * Who is alive: posternd holds a lock on $state_directory/posternd.lock as long as it lives, and
 * the kernel drops it however it dies. While it works it also touches the file, so that a posternd
 * that hangs is not taken for alive. Thread-safe.
 */
#ifndef POSTERN_LOCK_H
#define POSTERN_LOCK_H

#include <stdbool.h>

/* Takes the lock for the life of the process. False with errno: EWOULDBLOCK when another has it. */
bool lock_take(const char *state_directory);

/* Says that the holder works: called often, it touches the file every LOCK_BEAT seconds. */
void lock_beat(void);

/* True when a posternd holds it and has worked within the last LOCK_PATIENCE seconds. */
bool lock_is_held(const char *state_directory);

enum { LOCK_BEAT = 10, LOCK_PATIENCE = 120 };

/*
 * Takes one of a few slots, so that a crowd of processes does not do the same thing at once. False
 * when all are taken. The slot is kept until the process ends.
 */
bool lock_slot(const char *directory, const char *name, unsigned slots);

#endif
