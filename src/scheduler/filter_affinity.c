/* SPDX-License-Identifier: Apache-2.0 */
/* affinity: near (or not near) a container, an image, or any container with a label. */
#include "scheduler/filter_expr.h"

static bool applies(const struct sched_request *request)
{
	return request->affinities.n > 0;
}

static bool holds(struct expr *e, const struct sched_node *node)
{
	if (str_eq(e->key, STR("container")))
		return node->lookups->has_container(node, &e->match);
	if (str_eq(e->key, STR("image")))
		return node->lookups->has_image(node, &e->match);
	return node->lookups->has_container_label(node, e->key, &e->match);
}

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	return exprs_fit(run, &run->request->affinities, holds, node);
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	const struct expr *e = exprs_misfit(run, &run->request->affinities, holds, node);

	if (e)
		exprs_explain("affinity", e, node, STR_NONE, why);
}

const struct filter_kind filter_affinity = {
	.name = "affinity",
	.applies = applies,
	.fits = fits,
	.headline = exprs_headline,
	.explain = explain,
};
