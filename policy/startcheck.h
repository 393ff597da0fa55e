/*
 * What would keep posternd from starting, or from seeing anything, besides the configuration's own
 * rules: the account, Postfix's directory, the mail log, its own directories. Changes nothing.
 */
#ifndef POSTERN_STARTCHECK_H
#define POSTERN_STARTCHECK_H

#include "config.h"

/*
 * Logs a warning for each. They are not mistakes in the file: a configuration may be checked where
 * posternd does not run, or before everything else is there. True: there was nothing to say.
 */
bool startcheck(const struct config *config);

#endif
