/* SPDX-License-Identifier: Apache-2.0 */
/* health: only nodes whose engine answers. */
#include "scheduler/filter.h"

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	(void)run;
	return node->healthy;
}

static void headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	(void)run;
	(void)lost;
	strbuf_add(out, STR("No healthy node available in the cluster"));
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	struct reason *r = reasons_get(why, &filter_health);

	(void)run;
	if (str_empty(r->text))
		r->text = STR("no healthy engine on");
	reason_add(r, node->name, STR_NONE);
}

const struct filter_kind filter_health = {
	.name = "health",
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
