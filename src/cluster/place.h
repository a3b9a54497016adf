/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creating a container: name free? choose, reserve (one atomic step), create on the node, pull
 * where section 5 says so, and give everything back where it fails.
 */
#ifndef CLUSTER_PLACE_H
#define CLUSTER_PLACE_H

#include "cluster/cluster.h"
#include "docker/version.h"
#include "http/codec.h"

/* A container whose node has failed, to be made once more (move.c). */
struct create_again {
	struct str swarm_id; /* its name may be that container's still */
	uint32_t generation;
};

struct create_request {
	struct api_version version;
	struct str client;   /* who asks: remembers which node its pull goes to */
	struct str name;     /* "" where none was asked for; may be "node/name" */
	struct str query;    /* the rest of the query as sent: "platform=linux%2Famd64" */
	struct str platform; /* of the query; may be empty */
	struct str body;
	struct str registry_auth;	   /* X-Registry-Auth as sent, or empty */
	const struct http_header *headers; /* to pass on */
	size_t n_headers;
	const struct create_again *again; /* NULL: a new container */
};

/*
 * ret_reply is the engine's own 201 body, in the arena; the container is in the tables by then.
 */
may_suspend must_check struct error *cluster_create(struct cluster *c,
						    const struct create_request *req,
						    struct arena *arena, struct str *ret_reply);

/*
 * Where cluster_create would put it now, and for each node why it fits or not; nothing is created
 * or kept. ERR_INVALID and ERR_CONFLICT as a create; that no node fits is an answer.
 */
must_check struct error *cluster_try_create(struct cluster *c, const struct create_request *req,
					    struct arena *arena, struct str *ret_json);

/*
 * POST /containers/{id}/rename: refuses a name that the pool has (409), holds the new one while the
 * engine renames.
 */
may_suspend must_check struct error *cluster_rename(struct cluster *c, struct container *ct,
						    struct str new_name,
						    struct api_version version);

/*
 * The body of POST /containers/{id}/update for the container's node: CpuShares read as a create
 * reads them, all else as it is. ERR_INVALID where it is no JSON. In the arena, or `body` itself.
 */
must_check struct error *cluster_update_body(const struct cluster *c, const struct container *ct,
					     struct str body, struct arena *arena, struct str *ret);

/*
 * Where this client's create of this image was answered "No such image" less than a minute ago:
 * its pull goes to that node alone. NULL: nowhere. A new reference.
 */
struct engine *cluster_pull_target(struct cluster *c, struct str client, struct str image);

#endif
