/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Candidates are an array of nodes that each filter makes shorter; what is left is ranked in one
 * pass. Nothing is kept about why a node fell out: only when none is left are they gone through
 * again, to be explained.
 */
#include "scheduler/scheduler.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/rand.h"
#include "scheduler/filter.h"
#include "scheduler/strategy.h"

static const struct filter_kind *const filter_table[] = {
	&filter_health,	  &filter_port,	      &filter_containerslots, &filter_dependency,
	&filter_affinity, &filter_constraint, &filter_whitelist,
};

/* Behind those that are configured, in this order. */
static const struct filter_kind *const always[] = {
	&filter_platform, &filter_resources, &filter_devices, &filter_limit, &filter_spread,
};

static const struct strategy_kind *const strategy_table[] = {
	&strategy_spread,
	&strategy_binpack,
	&strategy_random,
};

const char *const sched_filter_names[] = {
	"health",   "port",	  "containerslots", "dependency",
	"affinity", "constraint", "whitelist",	    NULL,
};

const char *const sched_strategy_names[] = { "spread", "binpack", "random", NULL };

void sched_config_default(struct sched_config *c)
{
	*c = (struct sched_config){ .strategy = &strategy_spread, .overcommit = 0.05 };
	for (size_t i = 0; i < ARRAY_LEN(filter_table); i++)
		c->filters[i] = filter_table[i];
}

const struct filter_kind *sched_filter(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(filter_table); i++)
		if (str_eq(name, str_from(filter_table[i]->name)))
			return filter_table[i];
	return NULL;
}

const struct strategy_kind *sched_strategy(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(strategy_table); i++)
		if (str_eq(name, str_from(strategy_table[i]->name)))
			return strategy_table[i];
	return NULL;
}

const char *sched_filter_name(const struct filter_kind *f)
{
	return f->name;
}

const char *sched_strategy_name(const struct strategy_kind *s)
{
	return s->name;
}

/* One call of schedule(). */
struct placing {
	const struct sched_config *config;
	struct sched_run run;
	struct sched_node *const *nodes; /* all */
	size_t n;
	struct sched_node **v; /* those still in question */
	size_t n_v;
	const struct filter_kind *failed; /* left none; NULL: `only` did */
	struct arena *arena;
};

static bool applies(const struct filter_kind *f, const struct sched_request *request)
{
	return !f->applies || f->applies(request);
}

/* Where `at` of a node is its place among all, as start() left it. */
static bool is_among(const struct placing *p, const struct sched_node *node)
{
	return node->at < p->n && p->nodes[node->at] == node;
}

static void start(struct placing *p)
{
	const struct sched_request *request = p->run.request;

	p->n_v = 0;
	if (!request->only) {
		for (size_t i = 0; i < p->n; i++)
			p->v[p->n_v++] = p->nodes[i];
		return;
	}
	for (size_t i = 0; i < p->n; i++)
		p->nodes[i]->at = (uint32_t)i;
	for (size_t i = 0; i < request->n_only && p->n_v < p->n; i++)
		if (is_among(p, request->only[i]))
			p->v[p->n_v++] = p->nodes[request->only[i]->at];
}

/*
 * Brings those that fit to the front; answers how many. The others are lost, where there are any.
 */
static size_t keep_fitting(const struct placing *p, const struct filter_kind *f,
			   struct sched_node **v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (f->fits(&p->run, v[i]))
			v[kept++] = v[i];
	return kept;
}

/* False where none is left: then the candidates are still those that came as far as this filter. */
static bool narrow(struct placing *p, const struct filter_kind *f)
{
	size_t n;

	if (!applies(f, p->run.request))
		return true;
	n = keep_fitting(p, f, p->v, p->n_v);
	if (n == 0) {
		p->failed = f;
		return false;
	}
	p->n_v = n;
	return true;
}

static bool is_of_the_node(const struct filter_kind *f)
{
	return f == &filter_health || f == &filter_constraint || f == &filter_whitelist;
}

/* Even is over the nodes that the request could ever go to: full ones too, forbidden ones not. */
static void count_spreads(struct placing *p)
{
	const struct filter_kind *const *f = p->config->filters;
	struct sched_node **v = arena_new_array(p->arena, struct sched_node *, p->n_v);
	size_t n = p->n_v;

	memcpy(v, p->v, n * sizeof(struct sched_node *));
	for (size_t i = 0; i < ARRAY_LEN(p->config->filters) && f[i]; i++)
		if (is_of_the_node(f[i]) && applies(f[i], p->run.request))
			n = keep_fitting(p, f[i], v, n);
	if (applies(&filter_platform, p->run.request))
		n = keep_fitting(p, &filter_platform, v, n);
	if (applies(&filter_devices, p->run.request))
		n = devices_keep_there(&p->run, v, n);
	spreads_count(&p->run, v, n, p->arena);
}

static bool narrow_all(struct placing *p, bool soft)
{
	const struct filter_kind *const *f = p->config->filters;

	p->run.soft = soft;
	p->failed = p->n ? NULL : &filter_health;
	start(p);
	if (p->n_v == 0)
		return false;
	if (p->run.request->spreads.n)
		count_spreads(p);
	for (size_t i = 0; i < ARRAY_LEN(p->config->filters) && f[i]; i++)
		if (!narrow(p, f[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (!narrow(p, always[i]))
			return false;
	return true;
}

static int64_t percent(int64_t asked, int64_t used, int64_t total)
{
	return asked > 0 ? (used + asked) * 100 / total : 100;
}

static struct rank rank_of(const struct placing *p, const struct sched_node *node)
{
	const struct sched_request *request = p->run.request;
	const struct node_load after = {
		.cpu = percent(request->nano_cpus, node->reserved_nano_cpus,
			       resources_cpus(&p->run, node)),
		.memory = percent(request->memory, node->reserved_memory,
				  resources_memory(&p->run, node)),
	};

	return p->config->strategy->rank(after, node);
}

static int rank_cmp(struct rank a, struct rank b)
{
	if (a.score != b.score)
		return a.score < b.score ? -1 : 1;
	if (a.tie != b.tie)
		return a.tie < b.tie ? -1 : 1;
	return 0;
}

/* Leaves those that are in the set, or those that are not; all where that would be none. */
static size_t prefer(const struct node_set *set, bool in, struct sched_node **v, size_t n)
{
	size_t kept = 0;

	if (!set->known)
		return n;
	for (size_t i = 0; i < n; i++) {
		struct sched_node *node = v[i];

		/* The others move up behind, so that nothing is lost where none is kept. */
		if (node_set_has(set, node->number) != in)
			continue;
		v[i] = v[kept];
		v[kept++] = node;
	}
	return kept ? kept : n;
}

/* The best are gathered at the front, and one of them is drawn. */
static struct sched_node *choose(struct placing *p)
{
	struct rank best = rank_of(p, p->v[0]);
	size_t n_best = 1;

	for (size_t i = 1; i < p->n_v; i++) {
		struct rank rank = rank_of(p, p->v[i]);
		int order = rank_cmp(rank, best);

		if (order > 0)
			continue;
		if (order < 0) {
			best = rank;
			n_best = 0;
		}
		p->v[n_best++] = p->v[i];
	}
	/* To that one all are equal, and it would go to the one node that has the image for ever. */
	if (p->config->strategy != &strategy_random)
		n_best = prefer(&p->run.request->near, true, p->v, n_best);
	return p->v[rand_below(n_best)];
}

static must_check struct error *check_budget(const struct exprs *exprs)
{
	for (size_t i = 0; i < exprs->n; i++)
		if (exprs->v[i].match.exceeded)
			return error_over_limit(ERR_INVALID,
						"the pattern in '%.*s' takes too long to match",
						STR_ARG(exprs->v[i].text));
	return NULL;
}

/* A pattern that ran over its budget answered no where it may have meant yes. */
static must_check struct error *check_budgets(const struct sched_request *request)
{
	TRY(check_budget(&request->affinities));
	TRY(check_budget(&request->constraints));
	return check_budget(&request->whitelists);
}

static bool any_soft(const struct exprs *exprs)
{
	for (size_t i = 0; i < exprs->n; i++)
		if (exprs->v[i].soft)
			return true;
	return false;
}

static void headline(const struct placing *p, struct strbuf *out)
{
	if (p->failed)
		p->failed->headline(&p->run, (struct sched_nodes){ p->v, p->n_v }, out);
	else
		strbuf_addf(out,
			    "Unable to find a node that satisfies the following conditions \n[%s]",
			    p->run.request->only_why);
}

/* True where it is this filter that leaves the node out. */
static bool explains(const struct placing *p, const struct filter_kind *f,
		     const struct sched_node *node, struct reasons *why)
{
	if (!applies(f, p->run.request) || f->fits(&p->run, node))
		return false;
	f->explain(&p->run, node, why);
	return true;
}

static void explain(const struct placing *p, const struct sched_node *node, struct reasons *why)
{
	const struct filter_kind *const *f = p->config->filters;

	for (size_t i = 0; i < ARRAY_LEN(p->config->filters) && f[i]; i++)
		if (explains(p, f[i], node, why))
			return;
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (explains(p, always[i], node, why))
			return;
}

static int by_name(const void *a, const void *b)
{
	const struct sched_node *const *left = a, *const *right = b;

	return str_cmp((*left)->name, (*right)->name);
}

/* By the nodes' places: those inside `only`, in an array, since it is asked of each. NULL: all. */
static const bool *allowed_nodes(const struct placing *p)
{
	const struct sched_request *request = p->run.request;
	bool *allowed;

	if (!request->only)
		return NULL;
	allowed = arena_new_array(p->arena, bool, p->n);
	for (size_t i = 0; i < request->n_only; i++)
		if (is_among(p, request->only[i]))
			allowed[request->only[i]->at] = true;
	return allowed;
}

static void explain_all(const struct placing *p, struct reasons *why)
{
	const struct sched_request *request = p->run.request;
	const bool *allowed = allowed_nodes(p);

	memcpy(p->v, p->nodes, p->n * sizeof(struct sched_node *));
	qsort(p->v, p->n, sizeof(struct sched_node *), by_name);
	for (size_t i = 0; i < p->n; i++) {
		struct reason *r;

		if (!allowed || allowed[p->v[i]->at]) {
			explain(p, p->v[i], why);
			continue;
		}
		r = reasons_get(why, request->only);
		if (str_empty(r->text))
			r->text = arena_printf(p->arena, "%s:", request->only_why);
		reason_add(r, p->v[i]->name, STR_NONE);
	}
}

static must_check struct error *refuse(struct placing *p)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct reasons *why = arena_new(p->arena, struct reasons);

	why->arena = p->arena;
	headline(p, &text);
	if (p->n) {
		strbuf_addf(&text, "\nno node fits: %zu node%s: ", p->n, p->n == 1 ? "" : "s");
		explain_all(p, why);
		reasons_write(why, &text);
	}
	return error_new(ERR_NO_NODE, "%.*s", STR_ARG(strbuf_str(&text)));
}

/* Forgets what was looked up for a placement before this one; its patterns have their time anew. */
static void begin(struct sched_request *request)
{
	struct exprs *const lists[] = { &request->affinities, &request->constraints,
					&request->whitelists };

	request->pattern_time = LIMIT_PATTERN_TIME;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; k < lists[i]->n; k++)
			match_begin(&lists[i]->v[k].match, &request->pattern_time);
	for (size_t i = 0; i < request->limits.n; i++)
		request->limits_read[i].with.known = false;
	request->kind.known = false;
}

static must_check struct error *place(struct placing *p, struct sched_node **ret)
{
	struct sched_request *request = p->run.request;
	bool soft = any_soft(&request->affinities) || any_soft(&request->constraints) ||
		    any_soft(&request->whitelists) || any_soft(&request->limits);
	bool found;

	begin(request);
	found = narrow_all(p, soft);
	TRY(check_budgets(request));
	if (!found && soft) {
		found = narrow_all(p, false);
		TRY(check_budgets(request));
	}
	if (!found)
		return refuse(p);
	p->n_v = prefer(&request->failed, false, p->v, p->n_v);
	p->n_v = spreads_prefer(&p->run, p->v, p->n_v, p->arena);
	*ret = choose(p);
	return NULL;
}

static struct placing placing_of(const struct sched_config *c, struct sched_node *const *nodes,
				 size_t n, struct sched_request *request, struct arena *arena)
{
	return (struct placing){
		.config = c,
		.run = { .request = request, .room = 1 + c->overcommit },
		.nodes = nodes,
		.n = n,
		.v = arena_new_array(arena, struct sched_node *, n),
		.arena = arena,
	};
}

struct error *schedule(const struct sched_config *c, struct sched_node *const *nodes, size_t n,
		       struct sched_request *request, struct arena *arena, struct sched_node **ret)
{
	struct placing p = placing_of(c, nodes, n, request, arena);

	return place(&p, ret);
}

/* `why` is used anew for each node. */
static struct str explain_one(const struct placing *p, const struct sched_node *node,
			      struct reasons *why)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	why->n = 0;
	explain(p, node, why);
	if (!why->n)
		return STR_NONE;
	reasons_write(why, &text);
	return arena_dup(p->arena, strbuf_str(&text));
}

struct error *sched_explain(const struct sched_config *c, struct sched_node *const *nodes, size_t n,
			    struct sched_request *request, struct arena *arena, struct str *ret)
{
	struct placing p = placing_of(c, nodes, n, request, arena);
	struct reasons *why = arena_new(arena, struct reasons);
	const bool *allowed;

	why->arena = arena;
	begin(request);
	(void)narrow_all(&p, false);
	allowed = allowed_nodes(&p);
	for (size_t i = 0; i < n; i++)
		ret[i] = allowed && !allowed[i] ? str_from(request->only_why)
						: explain_one(&p, nodes[i], why);
	return check_budgets(request);
}
