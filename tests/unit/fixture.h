/*
 * What several tests begin with: a state in a folder of its own, a configuration, and a process
 * that holds the lock as posternd does. The including file has cmocka's headers before this one.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "config.h"
#include "store.h"

extern char folder[64];     /* of the state, "" while there is none */
extern struct store *store; /* open, within a transaction, while the state is filled */

/* For setups and teardowns: 0, or -1. `name` tells whose folder it is. */
int fixture_set_up(const char *name);
int fixture_tear_down(void);

/* Opens the state of the folder, and begins. */
void fixture_begin_state(void);

/* Commits and closes: the program under test opens it itself, and a process must do so once only.
 */
void fixture_end_state(void);

/* These settings, and the defaults for the rest. The caller's; a mistake fails the test. */
struct config *fixture_config(const char *text);

/* A process that holds the lock of the folder, and dies with this one. */
void fixture_start_posternd(void);
void fixture_stop_posternd(void);

#endif
