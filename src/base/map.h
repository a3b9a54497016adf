/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from str to pointer, 12 bytes a slot: the key is read out of the item by `key`, so it
 * is stored once, in the item, and must not change while the item is in the map. Owns no item.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

typedef struct str map_key_fn(const void *item);

struct map {
	map_key_fn *key;
	uint32_t *tags;
	void **items;
	size_t n, cap;
};

#define MAP_INIT(key_fn)        \
	{                       \
		.key = (key_fn) \
	}

void map_init(struct map *m, map_key_fn *key);
void map_fini(struct map *m);			    /* the items stay whose they are */
void *map_get(const struct map *m, struct str key); /* NULL where there is none */
void *map_put(struct map *m, void *item);	    /* answers the item that it replaced, or NULL */
void *map_del(struct map *m, struct str key);	    /* answers the item taken out, or NULL */
void map_clear(struct map *m);

/*
 * for (size_t i = 0; (item = map_next(m, &i)); ) visits each once, in no order that means anything.
 * The item just visited may be deleted during the walk; nothing may be put.
 */
void *map_next(const struct map *m, size_t *pos);

#endif
