/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What volumes and networks of the pool have in common: what they are called, which node to ask
 * about one, and their lists. What is done with them is volumes.h and networks.h.
 */
#ifndef CLUSTER_OBJECTS_H
#define CLUSTER_OBJECTS_H

#include "cluster/cluster.h"
#include "cluster/list.h"
#include "cluster/object_index.h"

struct object_query {
	enum object_kind kind;
	bool endpoints; /* networks with their containers: asks the engines */
	struct filters filters;
};

/*
 * GET /volumes and GET /networks from memory: an engine's filters, and `node`. Plain names where
 * one node has the name, else node/name; what is global is listed once.
 */
may_suspend must_check struct error *cluster_list_objects(struct cluster *c,
							  const struct object_query *q,
							  emit_fn *emit, void *arg);

/* "data", or "node-1/data" where the name alone does not say which. In the arena. */
struct str object_pool_name(const struct cluster *c, const struct engine *e, const struct object *o,
			    struct arena *arena);

/* What an engine says of it, with the pool's name in place of its own. In the arena. */
must_check struct error *object_rename_text(struct str text, struct str name, struct arena *arena,
					    struct str *ret);

/* A copy whose node can be asked; ERR_NODE_DOWN where none can. Borrowed from `f`. */
must_check struct error *object_live_copy(const struct found *f, const struct found_copy **ret);

/* The tables have what a client just did; a failure is made good by events. */
may_suspend void object_read_back(struct engine *e, enum object_kind kind, struct str key);

/* One of the networks that each engine has of its own: bridge, host, none. */
bool network_is_built_in(struct str name);

#endif
