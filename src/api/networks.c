/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /networks: the list from memory, all else where the network is, or is to be.
 */
#include "cluster/networks.h"

#include "api/handlers.h"
#include "api/reply.h"
#include "cluster/objects.h"

may_suspend struct error *networks_list(struct request *r)
{
	struct reply_stream out = { r };
	struct object_query q = {
		.kind = OBJECT_NETWORK,
		.endpoints = api_version_cmp(r->version, API_VERSION(1, 28)) < 0,
	};

	TRY(request_filters(r, &q.filters));
	TRY(cluster_list_objects(r->cluster, &q, reply_stream_emit, &out));
	return reply_stream_end(&out);
}

may_suspend struct error *networks_create(struct request *r)
{
	struct str body, reply;

	TRY(request_check_json(r));
	TRY(request_body(r, &body));
	TRY(cluster_create_network(r->cluster, r->version, body, r->arena, &reply));
	return reply_json(r, 201, reply);
}

may_suspend struct error *networks_inspect(struct request *r)
{
	struct str reply;

	TRY(cluster_inspect_network(r->cluster, r->name, r->in->url.raw_query, r->version, r->arena,
				    &reply));
	return reply_json(r, 200, reply);
}

may_suspend struct error *networks_remove(struct request *r)
{
	TRY(cluster_remove_network(r->cluster, r->name, r->version));
	return reply_empty(r, 204);
}

may_suspend struct error *networks_connect(struct request *r)
{
	struct str body;

	TRY(request_check_json(r));
	TRY(request_body(r, &body));
	TRY(cluster_connect_network(r->cluster, r->name, body, r->version));
	return reply_empty(r, 200);
}

may_suspend struct error *networks_disconnect(struct request *r)
{
	struct str body;

	TRY(request_check_json(r));
	TRY(request_body(r, &body));
	TRY(cluster_disconnect_network(r->cluster, r->name, body, r->version));
	return reply_empty(r, 200);
}
