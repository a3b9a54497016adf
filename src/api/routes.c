/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that is served, in the order in which it is looked for: where two rows fit a path, the first
 * one counts, so fixed names stand before {}.
 */
#include "api/routes.h"

#include "api/handlers.h"

#define SWARM_MODE(method, pattern)                                \
	{                                                          \
		method, pattern, refuse_swarm_mode, ROUTE_REFUSED, \
			"this pool is not a swarm-mode cluster"    \
	}

/* clang-format off */
const struct route routes[] = {
	/* The manager itself. */
	{ "GET", "/_ping", system_ping, ROUTE_MEMORY, NULL },
	{ "HEAD", "/_ping", system_ping, ROUTE_MEMORY, NULL },
	{ "GET", "/version", system_version, ROUTE_MEMORY, "a component for each engine version" },
	{ "GET", "/info", system_info, ROUTE_MEMORY, "sums over the nodes; SystemStatus lists them" },
	{ "GET", "/events", events_stream, ROUTE_ALL, "each with its node; the pool's own engine_* events too" },

	/* Containers. */
	{ "GET", "/containers/json", containers_list, ROUTE_MEMORY, "with sizes the nodes are asked" },
	{ "GET", "/containers/ps", containers_list, ROUTE_MEMORY, "an old name of the list" },
	{ "POST", "/containers/create", containers_create, ROUTE_PLACED, NULL },
	{ "POST", "/containers/prune", containers_prune, ROUTE_ALL, "filter node=NAME narrows it" },
	{ "GET", "/containers/{id}/json", containers_inspect, ROUTE_PROXIED, "Node is added" },
	{ "GET", "/containers/{id}/top", containers_pass, ROUTE_PROXIED, NULL },
	{ "GET", "/containers/{id}/logs", containers_logs, ROUTE_PROXIED, NULL },
	{ "GET", "/containers/{id}/changes", containers_pass, ROUTE_PROXIED, NULL },
	{ "GET", "/containers/{id}/export", containers_pass, ROUTE_PROXIED, NULL },
	{ "GET", "/containers/{id}/stats", containers_pass, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/resize", containers_pass, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/start", containers_act, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/stop", containers_act, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/restart", containers_act, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/kill", containers_act, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/pause", containers_act, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/unpause", containers_act, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/update", containers_update, ROUTE_PROXIED, "CpuShares read as in a create" },
	{ "POST", "/containers/{id}/rename", containers_rename, ROUTE_PROXIED, "409 for a name that the pool has" },
	{ "GET", "/containers/{id}/attach/ws", containers_attach_ws, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/attach", containers_attach, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/wait", containers_wait, ROUTE_PROXIED, NULL },
	{ "POST", "/containers/{id}/exec", containers_exec, ROUTE_PROXIED, NULL },
	{ "HEAD", "/containers/{id}/archive", containers_pass, ROUTE_PROXIED, NULL },
	{ "GET", "/containers/{id}/archive", containers_pass, ROUTE_PROXIED, NULL },
	{ "PUT", "/containers/{id}/archive", containers_pass, ROUTE_PROXIED, NULL },
	{ "GET", "/containers/{id}/checkpoints", containers_pass, ROUTE_PROXIED, "where the engine has the experiment" },
	{ "POST", "/containers/{id}/checkpoints", containers_act, ROUTE_PROXIED, "where the engine has the experiment" },
	{ "DELETE", "/containers/{id}/checkpoints/{name}", containers_drop_checkpoint, ROUTE_PROXIED, "where the engine has the experiment" },
	{ "DELETE", "/containers/{id}", containers_remove, ROUTE_PROXIED, "with `link`: of web/db, to the node of web" },
	{ "POST", "/commit", containers_commit, ROUTE_PROXIED, "the image is known at once" },
	{ "POST", "/exec/{id}/start", exec_start, ROUTE_PROXIED, NULL },
	{ "POST", "/exec/{id}/resize", exec_pass, ROUTE_PROXIED, NULL },
	{ "GET", "/exec/{id}/json", exec_pass, ROUTE_PROXIED, NULL },

	/* Images. */
	{ "GET", "/images/json", images_list, ROUTE_MEMORY,
	  "one entry for each id; for `shared-size` and `manifests` the nodes are asked" },
	{ "GET", "/images/search", system_any_node, ROUTE_ANY, NULL },
	{ "GET", "/images/get", images_get, ROUTE_PROXIED, "several images, or all tags of one: where one node has them all; from version 1.22 on" },
	{ "POST", "/images/create", images_create, ROUTE_ALL, "an import goes to one node, placed like a build" },
	{ "POST", "/images/load", images_load, ROUTE_ALL, "from version 1.22 on" },
	{ "POST", "/images/prune", images_prune, ROUTE_ALL, "filter node=NAME narrows it" },
	{ "GET", "/images/{name}/json", images_inspect, ROUTE_PROXIED, NULL },
	{ "GET", "/images/{name}/history", images_pass, ROUTE_PROXIED, NULL },
	{ "GET", "/images/{name}/get", images_get_one, ROUTE_PROXIED, "without a tag all tags: where one node has them all" },
	{ "POST", "/images/{name}/push", images_push, ROUTE_PROXIED, "all tags at once: where one node has them all" },
	{ "POST", "/images/{name}/tag", images_tag, ROUTE_ALL, "the nodes that have it" },
	{ "DELETE", "/images/{name}", images_remove, ROUTE_ALL, "the nodes that have it" },

	/* Registries. */
	{ "POST", "/auth", system_any_node, ROUTE_ANY, NULL },
	{ "GET", "/distribution/{name}/json", system_any_node, ROUTE_ANY, NULL },

	/* Building. */
	{ "POST", "/build", build_start, ROUTE_PLACED, "build args may be expressions; with a session, where that is" },
	{ "POST", "/build/prune", build_prune, ROUTE_ALL, "filter node=NAME narrows it" },
	{ "POST", "/build/cancel", build_cancel, ROUTE_PROXIED, "to the node of the build" },
	{ "POST", "/session", build_session, ROUTE_PLACED, "answered at once, joined to the node of its build" },
	{ "POST", "/grpc", build_grpc, ROUTE_PLACED, "all of one client to one node; what it built is known to its next request" },

	/* Networks and volumes. */
	{ "GET", "/networks", networks_list, ROUTE_MEMORY, "plain names where they are unique, else node/name; before 1.28 with their containers, as the nodes tell" },
	{ "GET", "/networks/", networks_list, ROUTE_MEMORY, "an old form of the list" },
	{ "POST", "/networks/create", networks_create, ROUTE_PLACED, "without a driver: overlay where the nodes can, else bridge on one node; from a configuration: where that is" },
	{ "POST", "/networks/prune", networks_prune, ROUTE_ALL, "filter node=NAME narrows it" },
	{ "POST", "/networks/{id}/connect", networks_connect, ROUTE_PROXIED, "the container's node" },
	{ "POST", "/networks/{id}/disconnect", networks_disconnect, ROUTE_PROXIED, "the container's node; with Force and that one down, any" },
	{ "GET", "/networks/{id}", networks_inspect, ROUTE_ALL, "the containers of all nodes that have it" },
	{ "DELETE", "/networks/{id}", networks_remove, ROUTE_PROXIED, "a name that is ambiguous is refused" },
	{ "GET", "/volumes", volumes_list, ROUTE_MEMORY, "plain names where they are unique, else node/name" },
	{ "POST", "/volumes/create", volumes_create, ROUTE_PLACED, "on one node, which draws its users; a name that there is, is answered as it is" },
	{ "POST", "/volumes/prune", volumes_prune, ROUTE_ALL, "filter node=NAME narrows it" },
	{ "GET", "/volumes/{name}", volumes_inspect, ROUTE_PROXIED, NULL },
	SWARM_MODE("PUT", "/volumes/{name}"),
	{ "DELETE", "/volumes/{name}", volumes_remove, ROUTE_PROXIED, "a name that is ambiguous is refused" },

	/* Plugins and disk usage: each node has its own. */
	{ "GET", "/system/df", system_df, ROUTE_ALL, "added up; an image counts with all its copies" },
	{ "GET", "/plugins", system_plugins, ROUTE_ALL, "what several nodes have by one name is node/name" },
	{ "GET", "/plugins/privileges", refuse_for_now, ROUTE_REFUSED, "plugins are managed on the nodes" },
	{ "POST", "/plugins/pull", refuse_for_now, ROUTE_REFUSED, "plugins are managed on the nodes" },
	{ "POST", "/plugins/create", refuse_for_now, ROUTE_REFUSED, "plugins are managed on the nodes" },
	{ "GET", "/plugins/{name}/json", refuse_unknown, ROUTE_REFUSED, "plugins are managed on the nodes" },
	{ "POST", "/plugins/{name}/enable", refuse_for_now, ROUTE_REFUSED, "plugins are managed on the nodes" },
	{ "POST", "/plugins/{name}/disable", refuse_for_now, ROUTE_REFUSED, "plugins are managed on the nodes" },
	{ "POST", "/plugins/{name}/upgrade", refuse_for_now, ROUTE_REFUSED, "plugins are managed on the nodes" },
	{ "POST", "/plugins/{name}/push", refuse_for_now, ROUTE_REFUSED, "plugins are managed on the nodes" },
	{ "POST", "/plugins/{name}/set", refuse_for_now, ROUTE_REFUSED, "plugins are managed on the nodes" },
	{ "DELETE", "/plugins/{name}", refuse_for_now, ROUTE_REFUSED, "plugins are managed on the nodes" },

	/* The pool. */
	{ "POST", "/placement", placement_tell, ROUTE_MEMORY, "no engine has it: where a create would go" },
	{ "GET", "/nodes", nodes_list, ROUTE_MEMORY, "the nodes of the pool, in swarm mode's shape" },
	{ "GET", "/nodes/{id}", nodes_inspect, ROUTE_MEMORY, "by name, ID or address" },

	/* Swarm mode. */
	SWARM_MODE("DELETE", "/nodes/{id}"),
	SWARM_MODE("POST", "/nodes/{id}/update"),
	SWARM_MODE("GET", "/swarm"),
	SWARM_MODE("POST", "/swarm/init"),
	SWARM_MODE("POST", "/swarm/join"),
	SWARM_MODE("POST", "/swarm/leave"),
	SWARM_MODE("POST", "/swarm/update"),
	SWARM_MODE("GET", "/swarm/unlockkey"),
	SWARM_MODE("POST", "/swarm/unlock"),
	SWARM_MODE("GET", "/services"),
	SWARM_MODE("POST", "/services/create"),
	SWARM_MODE("POST", "/services/{id}/update"),
	SWARM_MODE("GET", "/services/{id}/logs"),
	SWARM_MODE("GET", "/services/{id}"),
	SWARM_MODE("DELETE", "/services/{id}"),
	SWARM_MODE("GET", "/tasks"),
	SWARM_MODE("GET", "/tasks/{id}/logs"),
	SWARM_MODE("GET", "/tasks/{id}"),
	SWARM_MODE("GET", "/secrets"),
	SWARM_MODE("POST", "/secrets/create"),
	SWARM_MODE("POST", "/secrets/{id}/update"),
	SWARM_MODE("GET", "/secrets/{id}"),
	SWARM_MODE("DELETE", "/secrets/{id}"),
	SWARM_MODE("GET", "/configs"),
	SWARM_MODE("POST", "/configs/create"),
	SWARM_MODE("POST", "/configs/{id}/update"),
	SWARM_MODE("GET", "/configs/{id}"),
	SWARM_MODE("DELETE", "/configs/{id}"),
};
/* clang-format on */

const size_t n_routes = sizeof(routes) / sizeof(routes[0]);
