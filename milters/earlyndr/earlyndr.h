/* The callbacks of postern-earlyndr. */
#ifndef POSTERN_EARLYNDR_H
#define POSTERN_EARLYNDR_H

#include "milter.h"

extern const struct milter_program earlyndr_program;

#endif
