/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --platform: nodes that run it by themselves, or whose label platforms=linux/arm64,... says that
 * they emulate it. Not among the filters that a user names: it always counts.
 */
#include "scheduler/filter.h"

static bool is_any(const struct platform *p)
{
	return str_empty(p->os) && str_empty(p->architecture);
}

static bool applies(const struct sched_request *request)
{
	return !is_any(&request->platform);
}

/* What emulates arm64 does not run arm beside it. */
static bool emulates(const struct sched_node *node, const struct platform *wanted)
{
	struct str rest = sched_node_label(node, STR("platforms")), part;
	struct platform p;

	while (str_next(&rest, ',', &part))
		if (platform_parse(part, &p) && str_eq(p.architecture, wanted->architecture) &&
		    platform_runs(&p, wanted))
			return true;
	return false;
}

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	const struct platform *wanted = &run->request->platform;

	return is_any(wanted) || platform_runs(&node->platform, wanted) || emulates(node, wanted);
}

static struct str text_of(const struct platform *p, struct arena *arena)
{
	struct str os = str_empty(p->os) ? STR("any") : p->os;
	struct str architecture = str_empty(p->architecture) ? STR("any") : p->architecture;

	if (p->variant && str_eq(architecture, STR("arm")))
		return arena_printf(arena, "%.*s/%.*s/v%d", STR_ARG(os), STR_ARG(architecture),
				    p->variant);
	return arena_printf(arena, "%.*s/%.*s", STR_ARG(os), STR_ARG(architecture));
}

static void headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str wanted = text_of(&run->request->platform, &arena);

	(void)lost;
	strbuf_addf(out,
		    "Unable to find a node that satisfies the following conditions \n[platform "
		    "%.*s]",
		    STR_ARG(wanted));
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	struct reason *r = reasons_get(why, &run->request->platform);

	if (str_empty(r->text)) {
		struct str wanted = text_of(&run->request->platform, why->arena);

		r->text = arena_printf(why->arena, "platform %.*s not on", STR_ARG(wanted));
	}
	reason_add(r, node->name, text_of(&node->platform, why->arena));
}

const struct filter_kind filter_platform = {
	.name = "platform",
	.applies = applies,
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
