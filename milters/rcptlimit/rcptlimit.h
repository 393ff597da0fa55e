/* The callbacks of postern-rcptlimit. What they decide is in inbound.h. */
#ifndef POSTERN_RCPTLIMIT_H
#define POSTERN_RCPTLIMIT_H

#include "milter.h"

extern const struct milter_program rcptlimit_program;

#endif
