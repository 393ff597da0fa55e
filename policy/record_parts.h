/* What record*.c share: how keys are put together. Nobody else includes it. */
#ifndef POSTERN_RECORD_PARTS_H
#define POSTERN_RECORD_PARTS_H

#include "record.h"

/* What does not fit is left out. */
void key_add(struct key *key, const void *bytes, size_t len);
/* Big-endian, so that numbers sort. */
void key_add_number(struct key *key, uint64_t number, unsigned width);
uint64_t key_number_at(const char *at, unsigned width);

#endif
