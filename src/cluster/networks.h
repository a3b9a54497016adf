/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks of the pool. One of local scope is on one node, which draws the containers that use it;
 * one of global scope is the same on all nodes that can join it. Names: plain or node/name. Their
 * list is objects.h.
 */
#ifndef CLUSTER_NETWORKS_H
#define CLUSTER_NETWORKS_H

#include "cluster/cluster.h"
#include "docker/version.h"

/*
 * POST /networks/create. Without a driver: overlay where the nodes can make one that containers
 * join, else bridge on one node. ERR_CONFLICT where the pool has the name. The engine's answer, in
 * the arena.
 */
may_suspend must_check struct error *cluster_create_network(struct cluster *c,
							    struct api_version version,
							    struct str body, struct arena *arena,
							    struct str *ret_json);

/*
 * What an engine says of it, with the containers of all nodes that have it. bridge, host and none
 * by their bare names are those of one node, with the containers of all. `query` as sent.
 */
may_suspend must_check struct error *cluster_inspect_network(struct cluster *c, struct str ref,
							     struct str query,
							     struct api_version version,
							     struct arena *arena,
							     struct str *ret_json);

may_suspend must_check struct error *cluster_remove_network(struct cluster *c, struct str ref,
							    struct api_version version);

/* POST /networks/{id}/connect and disconnect, on the container's node (network_members.c). */
may_suspend must_check struct error *cluster_connect_network(struct cluster *c, struct str ref,
							     struct str body,
							     struct api_version version);
may_suspend must_check struct error *cluster_disconnect_network(struct cluster *c, struct str ref,
								struct str body,
								struct api_version version);

/* A container that was made again joins what it was in: the same, but nobody hears of it. */
may_suspend must_check struct error *cluster_connect_again(struct cluster *c, struct str ref,
							   struct str body);

/*
 * By force, on some node that is well, what a node that is not still holds of it under the
 * container's name.
 */
may_suspend must_check struct error *cluster_disconnect_lost(struct cluster *c, struct str network,
							     struct str container_name);

/* Containers there can join what is global, whether or not the node lists it yet. */
bool network_is_joinable(const struct engine *e, const struct object *network);

#endif
