/*
 * A hash table from bytes to a struct of fixed size, with a limit on how many it holds, which it
 * may share with others.
 *
 * Keys are strangers' (addresses), so the hash has a seed. Values stay where they are until they
 * are removed; both belong to the map. Not thread-safe.
 */
#ifndef POSTERN_REPLAY_MAP_H
#define POSTERN_REPLAY_MAP_H

#include <stdint.h>

#include "slice.h"

struct replay_map;

/* `room`: how many more may be added, to this and to all maps that have it; outlives them. NULL:
 * out of memory. */
struct replay_map *replay_map_new(size_t value_size, size_t *room, uint64_t seed);
void replay_map_free(struct replay_map **map);

void *replay_map_find(const struct replay_map *map, struct slice key);
/* The value under this key, made of zeros when it is new; NULL: there is no room, or no memory. */
void *replay_map_add(struct replay_map *map, struct slice key);
void replay_map_remove(struct replay_map *map, struct slice key);

size_t replay_map_count(const struct replay_map *map);
/* The key of a value of the map, with a NUL behind it. */
struct slice replay_map_key(const struct replay_map *map, const void *value);

/* In no order; `visit` may remove the value it is given, and no other. */
void replay_map_each(struct replay_map *map, void (*visit)(void *context, void *value),
                     void *context);

#endif
