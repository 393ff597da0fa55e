/*
 * Who is alive: posternd holds a lock on $runtime_directory/posternd.lock as long as it lives, and the
 * kernel drops it however it dies. Thread-safe.
 */
#ifndef POSTERN_LOCK_H
#define POSTERN_LOCK_H

#include <stdbool.h>

/* Takes the lock for the life of the process. False with errno: EWOULDBLOCK when another has it. */
bool lock_take(const char *runtime_directory);

/* True when a posternd holds it. */
bool lock_is_held(const char *runtime_directory);

/*
 * Takes one of a few slots, so that a crowd of processes does not do the same thing at once. False
 * when all are taken. The slot is kept until the process ends.
 */
bool lock_slot(const char *directory, const char *name, unsigned slots);

#endif
