/* SPDX-License-Identifier: Apache-2.0 */
/* dependency: the node that has all containers this one links to or shares something with. */
#include "scheduler/filter.h"

static bool applies(const struct sched_request *request)
{
	return request->n_dependencies > 0;
}

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	const struct sched_request *request = run->request;

	for (size_t i = 0; i < request->n_dependencies; i++)
		if (request->dependencies[i].node != node)
			return false;
	return true;
}

static void headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	const struct sched_request *request = run->request;

	(void)lost;
	strbuf_add(out, STR("Unable to find a node fulfilling all dependencies:"));
	for (size_t i = 0; i < request->n_dependencies; i++) {
		strbuf_addc(out, ' ');
		strbuf_add(out, request->dependencies[i].name);
	}
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	const struct sched_request *request = run->request;

	for (size_t i = 0; i < request->n_dependencies; i++) {
		const struct sched_dependency *d = &request->dependencies[i];
		struct reason *r;

		if (d->node == node)
			continue;
		r = reasons_get(why, d);
		if (str_empty(r->text))
			r->text =
				arena_printf(why->arena, "container %.*s not on", STR_ARG(d->name));
		if (d->node)
			reason_add(
				r, node->name,
				arena_printf(why->arena, "it is on %.*s", STR_ARG(d->node->name)));
		else
			reason_add(r, node->name, STR("there is none"));
		return;
	}
}

const struct filter_kind filter_dependency = {
	.name = "dependency",
	.applies = applies,
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
