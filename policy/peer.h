/* Another process of Postern's on this machine, as /proc shows it. Thread-safe. */
#ifndef POSTERN_PEER_H
#define POSTERN_PEER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/* The full path of the configuration that it was started with. False: it cannot be told. */
bool peer_config(pid_t pid, char found_r[PATH_MAX]);

#endif
