/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes of the pool. One of local scope is on one node, which draws its users; one whose driver
 * shares it is on all of them. Names: plain or node/name. Their list is objects.h.
 */
#ifndef CLUSTER_VOLUMES_H
#define CLUSTER_VOLUMES_H

#include "cluster/cluster.h"
#include "docker/version.h"

/*
 * POST /volumes/create. A volume of that name is answered as it is, else one is made on one node,
 * placed by its labels (with swarm.compat=1.2 on every node). The engine's answer, in the arena.
 */
may_suspend must_check struct error *cluster_create_volume(struct cluster *c,
							   struct api_version version,
							   struct str body, struct arena *arena,
							   struct str *ret_json);

may_suspend must_check struct error *cluster_inspect_volume(struct cluster *c, struct str name,
							    struct api_version version,
							    struct arena *arena,
							    struct str *ret_json);

/* Refuses a name that is ambiguous. `force`: that there is none is no error. */
may_suspend must_check struct error *cluster_remove_volume(struct cluster *c, struct str name,
							   bool force, struct api_version version);

#endif
