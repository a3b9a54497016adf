/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugins that are installed on the nodes, as one list.
 */
#ifndef CLUSTER_PLUGINS_H
#define CLUSTER_PLUGINS_H

#include "cluster/cluster.h"
#include "docker/version.h"

/*
 * GET /plugins of every healthy node, joined: what several nodes have by one name is node/name. An
 * error where a node does not tell. In the arena.
 */
may_suspend must_check struct error *cluster_list_plugins(struct cluster *c, struct str query,
							  struct api_version version,
							  struct arena *arena,
							  struct str *ret_json);

#endif
