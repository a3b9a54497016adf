/* SPDX-License-Identifier: Apache-2.0 */
/* Runs expressions over a node, and words the refusals of all three filters by expressions. */
#include "scheduler/filter_expr.h"

#include "base/attr.h"

static bool counts(const struct sched_run *run, const struct expr *e)
{
	return run->soft || !e->soft;
}

struct expr *exprs_misfit(const struct sched_run *run, const struct exprs *exprs,
			  expr_holds_fn *holds, const struct sched_node *node)
{
	for (size_t i = 0; i < exprs->n; i++) {
		struct expr *e = &exprs->v[i];

		if (counts(run, e) && holds(e, node) == e->negated)
			return e;
	}
	return NULL;
}

bool exprs_fit(const struct sched_run *run, const struct exprs *exprs, expr_holds_fn *holds,
	       const struct sched_node *node)
{
	return !exprs_misfit(run, exprs, holds, node);
}

void exprs_headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	const struct exprs *const lists[] = { &run->request->affinities, &run->request->constraints,
					      &run->request->whitelists };

	(void)lost;
	strbuf_add(out, STR("Unable to find a node that satisfies the following conditions "));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const char *before = "\n[";

		for (size_t j = 0; j < lists[i]->n; j++) {
			if (!counts(run, &lists[i]->v[j]))
				continue;
			strbuf_add(out, str_from(before));
			strbuf_add(out, lists[i]->v[j].text);
			before = " ";
		}
		if (*before == ' ')
			strbuf_addc(out, ']');
	}
}

void exprs_explain(const char *noun, const struct expr *e, const struct sched_node *node,
		   struct str detail, struct reasons *why)
{
	struct reason *r = reasons_get(why, e);

	if (str_empty(r->text))
		r->text = arena_printf(why->arena, "%s %.*s not met by", noun, STR_ARG(e->text));
	reason_add(r, node->name, detail);
}

static bool is_node_key(const struct expr *e)
{
	return str_eq(e->key, STR("node"));
}

struct str node_label_detail(const struct expr *e, const struct sched_node *node,
			     struct arena *arena)
{
	struct str value = sched_node_label(node, e->key);

	if (is_node_key(e))
		return STR_NONE;
	if (!value.p)
		return arena_printf(arena, "no %.*s", STR_ARG(e->key));
	return arena_printf(arena, "%.*s=%.*s", STR_ARG(e->key), STR_ARG(value));
}
