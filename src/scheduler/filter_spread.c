/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread: by==rack puts a container where the rack has the fewest of its kind. Over which racks is
 * decided before other filters are asked, so that a full rack is not skipped; a soft one only
 * chooses among the nodes that fit everything else.
 */
#include "base/attr.h"
#include "scheduler/filter.h"

/*
 * One expression: the values of its label as groups of nodes, numbered from 1, and what all nodes
 * in question that have the value have of the kind. The arrays are as long as the nodes' numbers.
 */
struct spread {
	uint32_t *group;  /* of each node in question; 0: it has none */
	uint64_t *counts; /* of each group */
	uint32_t n;	  /* numbers */
	uint64_t fewest;  /* that one of the groups has */
	bool any;	  /* some node has a group */
};

struct spreads {
	struct spread *v; /* as many as the request has */
};

static bool applies(const struct sched_request *request)
{
	return request->spreads.n > 0;
}

struct error *sched_check_spreads(const struct exprs *spreads)
{
	for (size_t i = 0; i < spreads->n; i++) {
		const struct expr *e = &spreads->v[i];

		if (e->negated || e->match.kind != MATCH_PLAIN || !str_eq(e->key, STR("by")))
			return error_new(ERR_INVALID,
					 "invalid expression '%.*s': a spread is by==LABEL, as in "
					 "by==rack, over the values of that label of the nodes",
					 STR_ARG(str_first(e->text, 256)));
	}
	return NULL;
}

/* by==node: each is a group of its own, whatever others are called. */
static bool is_over_nodes(const struct expr *e)
{
	return str_eq(e->match.text, STR("node"));
}

/* One more than the highest number of the nodes. */
static uint32_t numbers_of(struct sched_nodes nodes)
{
	uint32_t n = 0;

	for (size_t i = 0; i < nodes.n; i++)
		n = MAX(n, nodes.v[i]->number + 1);
	return n;
}

/* The group of each number, whether its node is in question or not; answers the highest. */
static uint32_t find_groups(const struct expr *e, const struct sched_node *any, uint32_t *groups,
			    uint32_t n)
{
	if (!is_over_nodes(e))
		return any->lookups->groups(any, e->match.text, groups, n);
	for (uint32_t i = 0; i < n; i++)
		groups[i] = i + 1;
	return n;
}

static void count_one(struct spread *s, const struct sched_run *run, const struct expr *e,
		      struct sched_nodes nodes, struct arena *arena)
{
	const uint32_t n = numbers_of(nodes);
	uint32_t *groups = arena_new_array(arena, uint32_t, n);
	uint32_t *there = arena_new_array(arena, uint32_t, n);

	*s = (struct spread){ .n = n, .fewest = UINT64_MAX };
	if (!nodes.n)
		return;
	s->group = arena_new_array(arena, uint32_t, n);
	s->counts = arena_new_array(arena, uint64_t, find_groups(e, nodes.v[0], groups, n) + 1);
	nodes.v[0]->lookups->counts(nodes.v[0], &run->request->kind, there, n);
	for (size_t i = 0; i < nodes.n; i++) {
		uint32_t at = nodes.v[i]->number;

		s->group[at] = groups[at];
		s->counts[groups[at]] += there[at];
	}
	for (size_t i = 0; i < nodes.n; i++) {
		uint32_t group = s->group[nodes.v[i]->number];

		if (!group)
			continue;
		s->any = true;
		s->fewest = MIN(s->fewest, s->counts[group]);
	}
}

/* 0 where it has none, or was not in question. */
static uint32_t group_at(const struct spread *s, const struct sched_node *node)
{
	return node->number < s->n ? s->group[node->number] : 0;
}

static bool is_least(const struct spread *s, const struct sched_node *node)
{
	uint32_t group = group_at(s, node);

	return group && s->counts[group] == s->fewest;
}

/* Leaves the nodes of the groups with the fewest; all, where none has the label. */
static size_t keep_least(const struct spread *s, struct sched_node **v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; s->any && i < n; i++)
		if (is_least(s, v[i]))
			v[kept++] = v[i];
	return kept ? kept : n;
}

/* Each is even over what the one before leaves: zones, then the racks of a zone. */
void spreads_count(struct sched_run *run, struct sched_node **v, size_t n, struct arena *arena)
{
	const struct exprs *exprs = &run->request->spreads;

	run->spreads = arena_new(arena, struct spreads);
	run->spreads->v = arena_new_array(arena, struct spread, exprs->n);
	for (size_t i = 0; i < exprs->n; i++) {
		struct spread *s = &run->spreads->v[i];

		if (exprs->v[i].soft)
			continue;
		count_one(s, run, &exprs->v[i], (struct sched_nodes){ v, n }, arena);
		n = keep_least(s, v, n);
	}
}

size_t spreads_prefer(struct sched_run *run, struct sched_node **v, size_t n, struct arena *arena)
{
	const struct exprs *exprs = &run->request->spreads;

	for (size_t i = 0; i < exprs->n; i++) {
		const struct expr *e = &exprs->v[i];
		struct spread s;

		if (!e->soft)
			continue;
		count_one(&s, run, e, (struct sched_nodes){ v, n }, arena);
		n = keep_least(&s, v, n);
	}
	return n;
}

/* The first that the node does not fit; NULL: it fits all. */
static const struct expr *misfit(const struct sched_run *run, const struct sched_node *node)
{
	const struct exprs *exprs = &run->request->spreads;

	for (size_t i = 0; i < exprs->n; i++)
		if (!exprs->v[i].soft && !is_least(&run->spreads->v[i], node))
			return &exprs->v[i];
	return NULL;
}

static bool fits(const struct sched_run *run, const struct sched_node *node)
{
	return !misfit(run, node);
}

static void headline(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out)
{
	const struct exprs *exprs = &run->request->spreads;

	(void)lost;
	strbuf_add(out, STR("Unable to find a node that satisfies the following conditions \n["));
	for (size_t i = 0; i < exprs->n; i++)
		strbuf_addf(out, "%sspread:%.*s", i ? " " : "", STR_ARG(exprs->v[i].text));
	strbuf_addc(out, ']');
}

static struct str detail(const struct sched_run *run, const struct expr *e,
			 const struct sched_node *node, struct arena *arena)
{
	const struct spread *s = &run->spreads->v[e - run->request->spreads.v];
	struct str label = e->match.text, value = sched_node_label(node, label);
	uint32_t group = group_at(s, node);
	unsigned long long here, elsewhere = s->fewest;

	if (!group)
		return arena_printf(arena, "no %.*s", STR_ARG(label));
	here = s->counts[group];
	if (is_over_nodes(e))
		return arena_printf(arena, "%llu there, %llu elsewhere", here, elsewhere);
	return arena_printf(arena, "%llu in %.*s=%.*s, %llu elsewhere", here, STR_ARG(label),
			    STR_ARG(value), elsewhere);
}

static void explain(const struct sched_run *run, const struct sched_node *node, struct reasons *why)
{
	const struct expr *e = applies(run->request) ? misfit(run, node) : NULL;
	struct reason *r;

	if (!e)
		return;
	r = reasons_get(why, e);
	if (str_empty(r->text))
		r->text = arena_printf(why->arena, "spread %.*s does not allow", STR_ARG(e->text));
	reason_add(r, node->name, detail(run, e, node, why->arena));
}

const struct filter_kind filter_spread = {
	.name = "spread",
	.applies = applies,
	.fits = fits,
	.headline = headline,
	.explain = explain,
};
