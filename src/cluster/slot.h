/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the look-ups of images, volumes and networks are made of: one name or id, and the nodes'
 * copies of what it stands for. Where each name leads is the index's affair (image_index.h,
 * object_index.h). Cost: the key's length, and in one slot the number of its copies.
 */
#ifndef CLUSTER_SLOT_H
#define CLUSTER_SLOT_H

#include "base/map.h"
#include "base/prefix.h"

struct engine;
struct image;
struct object;

/* Both borrowed: taken out of the slot before they go. Of what kind it is the index knows. */
struct copy {
	struct engine *engine;
	union {
		const void *item;
		const struct image *image;
		const struct object *object;
	};
};

struct slot {
	char *text;
	struct str key;
	struct copy *copies; /* one at least, in a slot that is found; the latest is the last */
	size_t n, cap;
};

struct str slot_key(const void *slot); /* the key function of maps and trees of slots */

void slot_map_add(struct map *slots, struct str key, struct engine *e, const void *item);
void slot_map_remove(struct map *slots, struct str key, struct engine *e, const void *item);
void slot_map_fini(struct map *slots);

void slot_tree_add(struct prefix_tree *slots, struct str key, struct engine *e, const void *item);
void slot_tree_remove(struct prefix_tree *slots, struct str key, struct engine *e,
		      const void *item);
void slot_tree_fini(struct prefix_tree *slots);

/* The copy on one engine; NULL where it has none, or the slot is NULL. */
const struct copy *slot_copy_on(const struct slot *slot, const struct engine *e);

#endif
