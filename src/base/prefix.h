/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ordered set of items by a string key, found by exact key or by prefix: how 1,000,000 ids are
 * found by the first digits of one. A crit-bit tree, one inner node of 24 bytes an item. Keys are
 * without NUL bytes, unique, and read out of the item by `key`. Owns no item.
 */
#ifndef BASE_PREFIX_H
#define BASE_PREFIX_H

#include <stddef.h>

#include "base/map.h"
#include "base/str.h"

struct prefix_tree {
	map_key_fn *key;
	void *root;
	size_t n;
};

void prefix_init(struct prefix_tree *t, map_key_fn *key);
void prefix_fini(struct prefix_tree *t);
void *prefix_get(const struct prefix_tree *t, struct str key);
void *prefix_put(struct prefix_tree *t,
		 void *item); /* answers the item that it replaced, or NULL */
void *prefix_del(struct prefix_tree *t, struct str key);

/*
 * Writes up to `max` items whose keys begin with `prefix` to ret, in order, and answers how many it
 * wrote: with max 2 that says none, one, or ambiguous, at the cost of the key's length alone.
 */
size_t prefix_find(const struct prefix_tree *t, struct str prefix, void **ret, size_t max);

#endif
