/* SPDX-License-Identifier: Apache-2.0 */
/* limit: app==3 leaves the nodes with fewer than three containers with this one's value of app. */
#include "scheduler/filter.h"

static bool applies(const struct sched_request *request)
{
	return request->limits.n > 0;
}

static must_check struct error *read_limit(const struct expr *e, struct sched_limit *ret)
{
	uint64_t most;

	if (e->negated || e->match.kind != MATCH_PLAIN || !str_to_u64(e->match.text, &most) ||
	    most == 0 || most > UINT32_MAX)
		return error_new(
			ERR_INVALID,
			"invalid expression '%.*s': a limit is LABEL==N, as in app==3, for "
			"at most 3 containers of one app on a node",
			STR_ARG(str_first(e->text, 256)));
	*ret = (struct sched_limit){ .with = { .of = COUNT_LABEL, .key = e->key },
				     .most = (uint32_t)most };
	return NULL;
}

struct error *sched_read_limits(struct sched_request *request, struct arena *arena)
{
	request->limits_read = arena_new_array(arena, struct sched_limit, request->limits.n);
	for (size_t i = 0; i < request->limits.n; i++)
		TRY(read_limit(&request->limits.v[i], &request->limits_read[i]));
	return NULL;
}

/* The first that the node has reached; NULL: none. */
static struct sched_limit *reached(const struct sched_run *run, const struct sched_node *node)
{
	const struct sched_request *request = run->request;

	for (size_t i = 0; i < request->limits.n; i++) {
		struct sched_limit *limit = &request->limits_read[i];

		if ((run->soft || !request->limits.v[i].soft) &&
		    node->lookups->count(node, &limit->with) >= limit->most)
			return limit;
	}
	return NULL;
}

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	return !reached(run, node);
}

static void headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	const struct exprs *limits = &run->request->limits;

	(void)lost;
	strbuf_add(out, STR("Unable to find a node that satisfies the following conditions \n["));
	for (size_t i = 0; i < limits->n; i++)
		strbuf_addf(out, "%slimit:%.*s", i ? " " : "", STR_ARG(limits->v[i].text));
	strbuf_addc(out, ']');
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	struct sched_limit *limit = reached(run, node);
	struct reason *r;

	if (!limit)
		return;
	r = reasons_get(why, limit);
	if (str_empty(r->text))
		r->text = arena_printf(why->arena, "limit %.*s==%u reached on",
				       STR_ARG(limit->with.key), limit->most);
	reason_add(r, node->name,
		   arena_printf(why->arena, "%u with %.*s=%.*s",
				node->lookups->count(node, &limit->with), STR_ARG(limit->with.key),
				STR_ARG(limit->with.value)));
}

const struct filter_kind filter_limit = {
	.name = "limit",
	.applies = applies,
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
