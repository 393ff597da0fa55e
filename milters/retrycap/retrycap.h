/* The callbacks of postern-retrycap. */
#ifndef POSTERN_RETRYCAP_H
#define POSTERN_RETRYCAP_H

#include "milter.h"

extern const struct milter_program retrycap_program;

#endif
