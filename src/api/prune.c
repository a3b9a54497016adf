/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prunes. `node` among the filters is the pool's own.
 */
#include "cluster/prune.h"

#include "api/handlers.h"
#include "api/reply.h"

static may_suspend struct error *prune(struct request *r, enum prune_what what)
{
	struct filters filters;
	struct prune_request req = { .what = what, .version = r->version, .filters = &filters };
	struct str answer;

	TRY(request_filters(r, &filters));
	req.query = r->in->url.raw_query;
	req.rest = request_query_without(r, "filters");
	TRY(cluster_prune(r->cluster, &req, r->arena, &answer));
	return reply_json(r, 200, answer);
}

may_suspend struct error *containers_prune(struct request *r)
{
	return prune(r, PRUNE_CONTAINERS);
}

may_suspend struct error *images_prune(struct request *r)
{
	return prune(r, PRUNE_IMAGES);
}

may_suspend struct error *build_prune(struct request *r)
{
	return prune(r, PRUNE_BUILD_CACHE);
}

may_suspend struct error *volumes_prune(struct request *r)
{
	return prune(r, PRUNE_VOLUMES);
}

may_suspend struct error *networks_prune(struct request *r)
{
	return prune(r, PRUNE_NETWORKS);
}
