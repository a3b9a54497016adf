/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prunes: each healthy node clears away what it does not need, and the pool tells what went.
 */
#ifndef CLUSTER_PRUNE_H
#define CLUSTER_PRUNE_H

#include "cluster/cluster.h"
#include "docker/filters.h"
#include "docker/version.h"

enum prune_what {
	PRUNE_CONTAINERS,
	PRUNE_IMAGES,
	PRUNE_BUILD_CACHE,
	PRUNE_VOLUMES,
	PRUNE_NETWORKS,
};

struct prune_request {
	enum prune_what what;
	struct api_version version;
	struct str query;	       /* as it came: "filters=..." */
	struct str rest;	       /* the same without the filters */
	const struct filters *filters; /* of which `node` is ours: those nodes alone */
};

/*
 * The lists of what was deleted joined (volumes and networks as node/name where several have one),
 * the space added up, as an engine's own answer, in the arena. What went is out of the tables by
 * then. Where a node failed: an error that names it and says what the others did.
 */
may_suspend must_check struct error *cluster_prune(struct cluster *c,
						   const struct prune_request *req,
						   struct arena *arena, struct str *ret_json);

#endif
