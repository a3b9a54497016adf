/* SPDX-License-Identifier: Apache-2.0 */
/* containerslots: a node with the label containerslots=N takes N containers. */
#include "scheduler/filter.h"

/* What is no number sets no limit. */
static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	struct str label = sched_node_label(node, STR("containerslots"));
	int64_t slots;

	(void)run;
	return !label.p || !str_to_i64(label, &slots) || (int64_t)node->containers < slots;
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
	struct str slots = sched_node_label(node, STR("containerslots"));

	(void)run;
	if (str_empty(r->text))
		r->text = STR("no container slot free on");
	reason_add(r, node->name,
		   arena_printf(why->arena, "%u of %.*s taken", node->containers, STR_ARG(slots)));
}

const struct filter_kind filter_containerslots = {
	.name = "containerslots",
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
