/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each volume, or each network, of the pool is found by what users call it. One index for
 * each of the two kinds: a volume has its name alone, a network has an id and a name.
 *
 * A thing is what a user means by one name: one copy of local scope, or all the copies of what is
 * of global scope, which the engines share.
 */
#ifndef CLUSTER_OBJECT_INDEX_H
#define CLUSTER_OBJECT_INDEX_H

#include "base/error.h"
#include "cluster/slot.h"
#include "engine/object.h"

struct object_index {
	enum object_kind kind;
	struct prefix_tree keys; /* of struct slot: volumes by name, networks by id */
	struct map names;	 /* of struct slot: networks by name; of volumes nothing */
};

void object_index_init(struct object_index *x, enum object_kind kind);
void object_index_fini(struct object_index *x);
void object_index_add(struct object_index *x, struct engine *e, const struct object *o);
void object_index_remove(struct object_index *x, struct engine *e, const struct object *o);

/* All that has this name, on whichever nodes; NULL where nothing has. */
const struct slot *object_index_named(const struct object_index *x, struct str name);

/* The name is this thing's alone in the pool. */
bool object_index_is_unique(const struct object_index *x, const struct object *o);

/* The copies of one thing; both references. */
struct found_copy {
	struct engine *engine;
	struct object *object;
};
struct found {
	struct found_copy *v;
	size_t n; /* 1 at least; more only where the thing is global */
};
void found_fini(struct found *f);

/*
 * Section 4's order of look-up: a network's full id, the name, node/name, the beginning of a
 * network's id. ERR_NOT_FOUND in an engine's words; ERR_AMBIGUOUS names the candidates.
 */
must_check struct error *object_index_find(const struct object_index *x, struct str ref,
					   struct found *ret);
/*
 * The same, of however many things have the name; the beginning of several ids is none's. n is 0
 * where object_index_find has an error that says why there are none.
 */
void object_index_find_all(const struct object_index *x, struct str ref, struct found *ret);

/* In an engine's words: "get x: no such volume", "network x not found". */
must_check struct error *object_unknown(enum object_kind kind, struct str ref);

#endif
