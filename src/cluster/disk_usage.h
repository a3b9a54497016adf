/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /system/df over all nodes: what the pool's disks hold. No engine tells it unasked.
 */
#ifndef CLUSTER_DISK_USAGE_H
#define CLUSTER_DISK_USAGE_H

#include "cluster/cluster.h"
#include "docker/version.h"

/*
 * In an engine's shape, whatever the version and `query` ("type=image", as sent) make it: figures
 * added up, an image that several nodes have once with the space of all its copies, volumes and
 * containers under their names in the pool. An error where a node does not tell, since the sum
 * would be wrong. In the arena.
 */
may_suspend must_check struct error *cluster_disk_usage(struct cluster *c, struct str query,
							struct api_version version,
							struct arena *arena, struct str *ret_json);

#endif
