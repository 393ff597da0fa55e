/*
 * What would keep posternd from starting, or from seeing anything, besides the configuration's own
 * rules: the account, Postfix's directory, the mail log, its own directories. Changes nothing.
 */
#ifndef POSTERN_STARTCHECK_H
#define POSTERN_STARTCHECK_H

#include "config.h"

/* Logs each mistake as an error, and what may come right by itself as a warning. True: no mistake. */
bool startcheck(const struct config *config);

#endif
