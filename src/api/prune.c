/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prunes. `node` among the filters is the pool's own.
 */
#include "cluster/prune.h"

#include "api/handlers.h"
#include "api/reply.h"
#include "http/url.h"

/* The query for the engines: as it came, or without the filter that none of them knows. */
static struct str engine_query(const struct request *r, const struct filters *filters)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	if (!filters_get(filters, "node"))
		return r->in->url.raw_query;
	strbuf_add(&out, request_query_without(r, "filters"));
	if (out.n)
		strbuf_addc(&out, '&');
	strbuf_add(&out, STR("filters="));
	http_encode_query(&out, filters_format(filters, "node", r->arena));
	return arena_dup(r->arena, strbuf_str(&out));
}

static may_suspend struct error *prune(struct request *r, enum prune_what what)
{
	struct filters filters;
	struct prune_request req = { .what = what, .version = r->version, .filters = &filters };
	struct str answer;

	TRY(request_filters(r, &filters));
	req.query = engine_query(r, &filters);
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
