/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each container is found by what users call it: id, 12 digits of it, swarm id, name,
 * node/name, unique prefixes. Each look-up costs the length of the key, whatever the pool holds.
 */
#ifndef CLUSTER_INDEX_H
#define CLUSTER_INDEX_H

#include <stdbool.h>

#include "base/map.h"
#include "base/vec.h"
#include "cluster/id_tree.h"
#include "engine/container.h"

struct index {
	struct id_tree ids, swarm_ids;
	struct map names; /* by name, one of those that share it; the rest hang on by_name */
	/*
	 * Copies that a failed node still has, or has again: of containers with one swarm id and
	 * one name those that are not the latest, by generation. They answer to their ids alone.
	 */
	struct vec stale;
	struct map strangers; /* of ids as C strings: copies of nothing, though they look like it */
	/*
	 * Whether it is stale whatever else is there: left of what was removed, or earlier than a
	 * copy that is out of sight. NULL: none is.
	 */
	bool (*is_outlived)(const void *arg, const struct container *ct);
	const void *arg;
};

void index_init(struct index *x);
void index_fini(struct index *x); /* the containers stay whose they are */

/* Borrows: the container must be removed before it is let go. */
void index_add(struct index *x, struct container *ct);
void index_remove(struct index *x, struct container *ct);

/* Whether it is outlived may be otherwise now: of one, and of all with that swarm id and name. */
void index_reconsider(struct index *x, struct container *ct);
void index_reconsider_copies(struct index *x, struct str swarm_id, struct str name);

/* A stale one turns out to be a container of its own, and is found like any other from now on. */
void index_set_stranger(struct index *x, struct container *ct);

/*
 * Another of that swarm id and name that is not stale: what a stale one was made again as, or what
 * nobody can tell from this one. NULL where there is none.
 */
struct container *index_copy(const struct index *x, struct str swarm_id, struct str name,
			     const struct container *other_than);

/* One container of that full id; NULL where there is none. */
struct container *index_by_id(const struct index *x, struct str id);
/* One container of that name (no "/"), with *ret_alone: the only one. NULL where there is none. */
struct container *index_by_name(const struct index *x, struct str name, bool *ret_alone);

/*
 * Section 4's order of look-up. One find: success. ERR_NOT_FOUND "No such container: X";
 * ERR_AMBIGUOUS names the candidates as node/name. Borrowed.
 */
must_check struct error *index_find(const struct index *x, struct str ref, struct container **ret);

#endif
