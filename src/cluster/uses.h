/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which volumes containers mount, and which networks have one that runs: what the filter `dangling`
 * asks. Gathered from all containers when it is asked, since nothing else wants to know.
 */
#ifndef CLUSTER_USES_H
#define CLUSTER_USES_H

#include "base/arena.h"
#include "base/map.h"
#include "cluster/cluster.h"

struct uses {
	struct arena arena;
	struct map keys; /* of struct use */
};

/* Looks through all containers, of nodes that are down too. */
may_suspend must_check struct error *uses_gather(struct uses *u, const struct cluster *c);
void uses_fini(struct uses *u); /* zero-initialised is fine */
bool uses_has(const struct uses *u, const struct engine *e, const struct object *o);

#endif
