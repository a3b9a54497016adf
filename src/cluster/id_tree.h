/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers by an id that several may share: a cloned machine has the ids of the one that it was
 * made of, and tools that make a container again copy its labels, its swarm id among them. Owns no
 * container.
 */
#ifndef CLUSTER_ID_TREE_H
#define CLUSTER_ID_TREE_H

#include "base/prefix.h"
#include "base/vec.h"
#include "engine/container.h"

struct id_tree {
	struct prefix_tree first; /* one of each id */
	struct vec twins;	  /* the others of all ids: few */
};

void id_tree_init(struct id_tree *t, map_key_fn *key);
void id_tree_fini(struct id_tree *t);
void id_tree_add(struct id_tree *t, struct container *ct);
void id_tree_remove(struct id_tree *t, struct container *ct);

/* One of that id; NULL: there is none. */
struct container *id_tree_one(const struct id_tree *t, struct str id);
/* Adds all of that id to ret. */
void id_tree_get(const struct id_tree *t, struct str id, struct vec *ret);
/* Adds all whose id begins so; of the first so many ids where these are more, which is the answer. */
bool id_tree_find(const struct id_tree *t, struct str prefix, size_t most_ids, struct vec *ret);

#endif
