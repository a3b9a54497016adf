/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread: by==rack puts a container where the rack has the fewest of its kind. Over which racks is
 * decided before other filters are asked, so that a full rack is not skipped; a soft one only
 * chooses among the nodes that fit everything else.
 */
#include "base/map.h"
#include "scheduler/filter.h"

/* One value of the label, and what all its nodes have of the kind. */
struct group {
	struct str value;
	uint64_t count;
};

/* One expression: the groups that it knows, and the fewest that one of them has. */
struct spread {
	struct map groups;
	struct group **of; /* by the nodes' numbers, so that a label is read once; NULL: none */
	uint32_t n_of;
	uint64_t fewest;
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

/* by==node */
static bool is_over_nodes(const struct expr *e)
{
	return str_eq(e->match.text, STR("node"));
}

/* The node's value of the label; of nodes themselves their ids, as names may be the same. */
static struct str value_on(const struct expr *e, const struct sched_node *node)
{
	if (is_over_nodes(e))
		return node->id;
	return sched_node_label(node, e->match.text);
}

static struct str group_key(const void *item)
{
	return ((const struct group *)item)->value;
}

static struct group *group_of(struct spread *s, struct str value, struct arena *arena)
{
	struct group *g = map_get(&s->groups, value);

	if (g)
		return g;
	g = arena_new(arena, struct group);
	g->value = value;
	map_put(&s->groups, g);
	return g;
}

static void count_one(struct spread *s, const struct sched_run *run, const struct expr *e,
		      struct sched_nodes nodes, struct arena *arena)
{
	map_init(&s->groups, group_key);
	for (size_t i = 0; i < nodes.n; i++)
		s->n_of = MAX(s->n_of, nodes.v[i]->number + 1);
	s->of = arena_new_array(arena, struct group *, s->n_of);
	for (size_t i = 0; i < nodes.n; i++) {
		struct sched_node *node = nodes.v[i];
		struct str value = value_on(e, node);

		if (!value.p)
			continue;
		s->of[node->number] = group_of(s, value, arena);
		s->of[node->number]->count += node->lookups->count(node, &run->request->kind);
	}

	const struct group *g;

	s->fewest = UINT64_MAX;
	for (size_t i = 0; (g = map_next(&s->groups, &i));)
		s->fewest = MIN(s->fewest, g->count);
}

/* The group of a node; NULL where it has none, or was not in question. */
static const struct group *group_at(const struct spread *s, const struct sched_node *node)
{
	return node->number < s->n_of ? s->of[node->number] : NULL;
}

static bool is_least(const struct spread *s, const struct sched_node *node)
{
	const struct group *g = group_at(s, node);

	return g && g->count == s->fewest;
}

/* Leaves the nodes of the groups with the fewest; all, where none has the label. */
static size_t keep_least(const struct spread *s, struct sched_node **v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; s->groups.n && i < n; i++)
		if (is_least(s, v[i]))
			v[kept++] = v[i];
	return kept ? kept : n;
}

/* Each is even over what the one before leaves: zones, then the racks of a zone. */
void spreads_count(struct sched_run *run, struct sched_node **v, size_t n, struct arena *arena)
{
	const struct exprs *exprs = &run->request->spreads;

	spreads_free(run);
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

void spreads_free(struct sched_run *run)
{
	for (size_t i = 0; run->spreads && i < run->request->spreads.n; i++)
		map_fini(&run->spreads->v[i].groups);
	run->spreads = NULL;
}

size_t spreads_prefer(struct sched_run *run, struct sched_node **v, size_t n, struct arena *arena)
{
	const struct exprs *exprs = &run->request->spreads;

	for (size_t i = 0; i < exprs->n; i++) {
		const struct expr *e = &exprs->v[i];
		struct spread s = { 0 };

		if (!e->soft)
			continue;
		count_one(&s, run, e, (struct sched_nodes){ v, n }, arena);
		n = keep_least(&s, v, n);
		map_fini(&s.groups);
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
	struct spread *s = &run->spreads->v[e - run->request->spreads.v];
	struct str value = value_on(e, node), label = e->match.text;
	const struct group *g = group_at(s, node);

	if (!g)
		return arena_printf(arena, "no %.*s", STR_ARG(label));
	if (is_over_nodes(e))
		return arena_printf(arena, "%llu there, %llu elsewhere",
				    (unsigned long long)g->count, (unsigned long long)s->fewest);
	return arena_printf(arena, "%llu in %.*s=%.*s, %llu elsewhere",
			    (unsigned long long)g->count, STR_ARG(label), STR_ARG(value),
			    (unsigned long long)s->fewest);
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
