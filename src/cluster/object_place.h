/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node on which a new volume or network is made: placed as a container would be that asks for
 * nothing, but beside what else its project of Compose has, so that containers can use both.
 * Private to cluster/.
 */
#ifndef CLUSTER_OBJECT_PLACE_H
#define CLUSTER_OBJECT_PLACE_H

#include "cluster/cluster.h"
#include "cluster/object_index.h"
#include "engine/object.h"

struct object_place {
	struct json body;	 /* of the create: its Labels may hold expressions */
	const struct engine *on; /* "node/name" asks for this node; or NULL */
	bool (*can)(const struct engine *e,
		    struct str driver); /* nodes that can make it; or NULL */
	struct str driver;
	const char *why;	    /* what a refusal says of the others */
	const struct found *beside; /* only to the nodes of these copies; or NULL */
	const char *beside_why;
};

/* A new reference. ERR_INVALID, ERR_NO_NODE as for a container. */
must_check struct error *object_place(struct cluster *c, const struct object_place *what,
				      struct arena *arena, struct engine **ret);

/*
 * "project/shop", which is claimed (claims.c) while something of it is being made; empty where the
 * labels name no project. In the arena.
 */
struct str object_project_claim(struct json body, struct arena *arena);

/*
 * Splits "node/name": a new reference to the node. NULL where no node is named; the name is then
 * all of it.
 */
struct engine *object_split_name(const struct cluster *c, struct str full, struct str *ret_name);

/* The node's /info names the driver among its plugins of that kind ("Volume", "Network"). */
bool engine_has_plugin(const struct engine *e, const char *kind, struct str driver);

#endif
