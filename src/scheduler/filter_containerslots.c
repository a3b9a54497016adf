/* SPDX-License-Identifier: Apache-2.0 */
/* containerslots: a node with the label containerslots=N takes N containers. */
#include "scheduler/filter.h"

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	(void)run;
	return node->slots < 0 || node->containers < node->slots;
}

static void headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	(void)run;
	(void)lost;
	strbuf_add(out, STR("No node with enough open slots available in the cluster"));
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	struct reason *r = reasons_get(why, &filter_containerslots);

	(void)run;
	if (str_empty(r->text))
		r->text = STR("no container slot free on");
	reason_add(r, node->name,
		   arena_printf(why->arena, "%u of %lld taken", node->containers,
				(long long)node->slots));
}

const struct filter_kind filter_containerslots = {
	.name = "containerslots",
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
