#include "replay_map.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 1024 };

struct entry {
    struct entry *next;
    uint64_t hash;
    size_t key_len;
    max_align_t value[]; /* and behind it the key */
};

struct replay_map {
    size_t value_size;
    size_t *room;
    uint64_t seed;
    size_t count;
    size_t buckets; /* a power of two */
    struct entry **table;
};

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ (hash >> 32);
}

/* Eight bytes at a time. */
static uint64_t hash_of(const struct replay_map *map, struct slice key)
{
    uint64_t hash = mix(map->seed, key.len);
    uint64_t word;
    size_t i = 0;

    for (; i + sizeof(word) <= key.len; i += sizeof(word)) {
        memcpy(&word, key.at + i, sizeof(word));
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, key.at + i, key.len - i);
    return mix(mix(hash, word), map->seed);
}

struct replay_map *replay_map_new(size_t value_size, size_t *room, uint64_t seed)
{
    struct replay_map *map = calloc(1, sizeof(*map));

    if (map == NULL)
        return NULL;
    *map = (struct replay_map){value_size, room, seed, 0, FIRST_BUCKETS, NULL};
    map->table = calloc(map->buckets, sizeof(struct entry *));
    if (map->table == NULL)
        replay_map_free(&map);
    return map;
}

static void remove_all(struct replay_map *map)
{
    for (size_t i = 0; i < map->buckets; i++) {
        while (map->table[i]) {
            struct entry *gone = map->table[i];

            map->table[i] = gone->next;
            free(gone);
        }
    }
}

void replay_map_free(struct replay_map **map)
{
    if (*map && (*map)->table)
        remove_all(*map);
    if (*map)
        free((*map)->table);
    free(*map);
    *map = NULL;
}

static char *key_of(const struct replay_map *map, const struct entry *entry)
{
    return (char *)(uintptr_t)entry->value + map->value_size;
}

/* Where the pointer to this key's entry is, or would be. */
static struct entry **place_of(const struct replay_map *map, struct slice key, uint64_t hash)
{
    struct entry **place = &map->table[hash & (map->buckets - 1)];

    for (; *place; place = &(*place)->next)
        if ((*place)->hash == hash && (*place)->key_len == key.len &&
            memcmp(key_of(map, *place), key.at, key.len) == 0)
            break;
    return place;
}

void *replay_map_find(const struct replay_map *map, struct slice key)
{
    struct entry *entry = *place_of(map, key, hash_of(map, key));

    return entry ? entry->value : NULL;
}

/* When there is no memory for it, it only gets slower. */
static void grow(struct replay_map *map)
{
    size_t buckets = map->buckets * 2;
    struct entry **table = calloc(buckets, sizeof(struct entry *));

    if (table == NULL)
        return;
    for (size_t i = 0; i < map->buckets; i++) {
        while (map->table[i]) {
            struct entry *moved = map->table[i];

            map->table[i] = moved->next;
            moved->next = table[moved->hash & (buckets - 1)];
            table[moved->hash & (buckets - 1)] = moved;
        }
    }
    free(map->table);
    map->table = table;
    map->buckets = buckets;
}

void *replay_map_add(struct replay_map *map, struct slice key)
{
    uint64_t hash = hash_of(map, key);
    struct entry **place = place_of(map, key, hash);
    struct entry *entry = *place;

    if (entry)
        return entry->value;
    if (*map->room == 0)
        return NULL;
    entry = calloc(1, sizeof(*entry) + map->value_size + key.len + 1);
    if (entry == NULL)
        return NULL;
    entry->hash = hash;
    entry->key_len = key.len;
    memcpy(key_of(map, entry), key.at, key.len);
    *place = entry;
    (*map->room)--;
    if (++map->count > map->buckets)
        grow(map);
    return entry->value;
}

void replay_map_remove(struct replay_map *map, struct slice key)
{
    struct entry **place = place_of(map, key, hash_of(map, key));
    struct entry *gone = *place;

    if (gone == NULL)
        return;
    *place = gone->next;
    map->count--;
    (*map->room)++;
    free(gone);
}

size_t replay_map_count(const struct replay_map *map)
{
    return map->count;
}

struct slice replay_map_key(const struct replay_map *map, const void *value)
{
    const struct entry *entry =
        (const struct entry *)((const char *)value - offsetof(struct entry, value));

    return (struct slice){key_of(map, entry), entry->key_len};
}

void replay_map_each(struct replay_map *map, void (*visit)(void *context, void *value),
                     void *context)
{
    for (size_t i = 0; i < map->buckets; i++) {
        struct entry *next;

        for (struct entry *entry = map->table[i]; entry; entry = next) {
            next = entry->next;
            visit(context, entry->value);
        }
    }
}
