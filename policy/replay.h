/* posternctl replay: what Postern would have done, from past logs. */
#ifndef POSTERN_REPLAY_H
#define POSTERN_REPLAY_H

#include <stdbool.h>

#include "config.h"

/* argv[0] is "replay". Returns the exit status; -1: the command line is wrong. */
int replay_main(const struct config *config, bool json, int width, int argc, char **argv);

#endif
