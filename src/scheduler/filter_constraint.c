/* SPDX-License-Identifier: Apache-2.0 */
/* constraint: the node by its id or name, or by one of its labels. */
#include "scheduler/filter_expr.h"

static bool applies(const struct sched_request *request)
{
	return request->constraints.n > 0;
}

static bool holds(struct expr *e, const struct sched_node *node)
{
	return node->lookups->has_label(node, e->key, &e->match, match_test);
}

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	return exprs_fit(run, &run->request->constraints, holds, node);
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	const struct expr *e = exprs_misfit(run, &run->request->constraints, holds, node);

	if (e)
		exprs_explain("constraint", e, node, node_label_detail(e, node, why->arena), why);
}

const struct filter_kind filter_constraint = {
	.name = "constraint",
	.applies = applies,
	.fits = fits,
	.headline = exprs_headline,
	.explain = explain,
};
