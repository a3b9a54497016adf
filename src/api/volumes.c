/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /volumes: the list from memory, all else where the volume is, or is to be.
 */
#include "cluster/volumes.h"

#include "api/handlers.h"
#include "api/reply.h"
#include "cluster/objects.h"

may_suspend struct error *volumes_list(struct request *r)
{
	struct reply_stream out = { r };
	struct object_query q = { .kind = OBJECT_VOLUME };

	TRY(request_filters(r, &q.filters));
	TRY(cluster_list_objects(r->cluster, &q, reply_stream_emit, &out));
	return reply_stream_end(&out);
}

may_suspend struct error *volumes_create(struct request *r)
{
	struct str body, reply;

	TRY(request_check_json(r));
	TRY(request_body(r, &body));
	TRY(cluster_create_volume(r->cluster, r->version, body, r->arena, &reply));
	return reply_json(r, 201, reply);
}

may_suspend struct error *volumes_inspect(struct request *r)
{
	struct str reply;

	TRY(cluster_inspect_volume(r->cluster, r->name, r->version, r->arena, &reply));
	return reply_json(r, 200, reply);
}

may_suspend struct error *volumes_remove(struct request *r)
{
	TRY(cluster_remove_volume(r->cluster, r->name, request_flag(r, "force"), r->version));
	return reply_empty(r, 204);
}
