/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler against a slow one that says the contract in obvious lines, with libc's patterns in
 * place of ours: over random pools and requests both find the same nodes fit, and what is chosen
 * has the best score of them.
 */
#include "unit/scheduler/pool.h"
#include "unit/testing.h"

#include <fnmatch.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"

enum { ROUNDS = 8000, NODES = 8 };

/* One expression by its parts, as the slow scheduler reads it. */
struct wish {
	const char *key, *value;
	bool negated, soft;
	char text[64];
};

struct spread_wish;

struct world {
	struct pool pool;
	struct wish constraints[2], affinities[2], whitelists[1];
	size_t n_constraints, n_affinities, n_whitelists;
	int port; /* 0: none asked */
	const struct pool_node *dependency;
	const char *strategy;
	int limit, gpus; /* limit:tier==N of a container that has tier=front; 0: none */
	bool limit_soft, arm;
	const struct spread_wish *spread;
};

/*
 * Spreads as they are asked for; the labels of the hard ones, in their order, or of the soft one.
 */
struct spread_wish {
	const char *texts[3], *hard[3], *soft;
};

static const struct spread_wish no_spread = { { NULL }, { NULL }, NULL };
static const struct spread_wish spreads[] = {
	{ { "by==rack" }, { "rack" }, NULL },
	{ { "by==node" }, { "node" }, NULL },
	{ { "by==~rack" }, { NULL }, "rack" },
	{ { "by==zone", "by==rack" }, { "zone", "rack" }, NULL },
	{ { "by==~node", "by==zone" }, { "zone" }, "node" },
};

static const char *const racks[] = { "a", "b", "ab", "" };
static const char *const rack_values[] = { "a", "b", "ab", "x", "a*", "*b", "*", "/^a/", "/b/" };
static const char *const rack_lists[] = { "a|b", "x|ab", "*b|x", "b" };
static const char *const containers[] = { "web", "db", "web2" };
static const char *const apps[] = { "", "app", "app app" };
static const char *const tiers[] = { "", "tier=front", "tier=back", "tier=front tier=front" };

static int below(int n)
{
	return (int)rand_below((uint64_t)n);
}

static const char *const slot_labels[] = { "", "containerslots=1 ", "containerslots=3 ",
					   "containerslots=x " };

static const char *const zones[] = { "", "zone=1 ", "zone=2 " };

static void make_node(struct world *w, size_t i)
{
	struct str labels = arena_printf(&w->pool.arena, "%s%srack=%s", slot_labels[below(4)],
					 zones[below(3)], racks[below(4)]);
	struct pool_node *n;

	n = pool_add(&w->pool, arena_printf(&w->pool.arena, "n%zu", i).p, below(4) ? labels.p : "");
	n->sched.number = (uint32_t)i * 7 + 3; /* as in a pool that others left */
	n->ports = below(3) ? "" : "80/tcp=x";
	n->containers = below(2) ? containers[below(3)] : "";
	n->sched.healthy = below(8) != 0;
	n->sched.health = (uint8_t)(100 - below(9));
	n->sched.reserved_nano_cpus = CORES(below(40)) / 10;
	n->sched.reserved_memory = MIBS(41 * below(100));
	n->sched.containers = (uint32_t)below(4);
	n->container_labels = tiers[below(4)];
	n->images = apps[below(3)];
	if (below(3) == 0)
		n->sched.platform = platform_of_engine(STR("linux"), STR("aarch64"));
	if (below(2))
		pool_devices(n, &w->pool, below(2) ? "gpu=1" : "fpga=1 gpu=3", "");
	n->reserved_devices[0] = n->devices.n_kinds ? below(2) : 0;
}

static void make_wish(struct wish *w, const char *key, const char *const *values, int n)
{
	*w = (struct wish){ key, values[below(n)], below(2), below(3) == 0, "" };
	if (!*w->value)
		w->value = "a";
	snprintf(w->text, sizeof(w->text), "%s%s%s%s", key,
		 w->negated ? "!=" : "==", w->soft ? "~" : "", w->value);
}

/* Limits, devices, platforms, spreads: seldom, so that not too many rule each other out. */
static void make_rest(struct world *w)
{
	struct sched_request *r = &w->pool.request;
	struct str text;

	w->limit = below(4) ? 0 : 1 + below(2);
	w->limit_soft = below(2);
	if (w->limit) {
		text = arena_printf(&w->pool.arena, "tier==%s%d", w->limit_soft ? "~" : "",
				    w->limit);
		pool_limit(&w->pool, text.p, "front");
	}
	w->gpus = below(4) ? 0 : 1 + below(2);
	if (w->gpus) {
		text = arena_printf(&w->pool.arena, "[{\"Count\":%d,\"Capabilities\":[[\"gpu\"]]}]",
				    w->gpus);
		pool_ask_devices(&w->pool, text.p);
	}
	w->arm = below(5) == 0;
	if (w->arm)
		platform_parse(STR("linux/arm64"), &r->platform);
	w->spread = below(3) ? &no_spread : &spreads[below(ARRAY_LEN(spreads))];
	r->kind = (struct sched_count){ .of = COUNT_IMAGE, .value = STR("app") };
	if (below(2))
		r->kind = (struct sched_count){ .of = COUNT_LABEL,
						.key = STR("tier"),
						.value = STR("front") };
	for (size_t i = 0; w->spread->texts[i]; i++)
		pool_spread(&w->pool, w->spread->texts[i]);
}

static void make_request(struct world *w)
{
	static const char *const strategies[] = { "spread", "binpack", "random" };
	struct sched_request *r = &w->pool.request;

	r->nano_cpus = below(2) ? CORES(below(5)) / 2 : 0;
	r->memory = below(2) ? MIBS(700 * below(4)) : 0;
	w->pool.config.overcommit = below(2) ? 0.05 : 0;
	w->strategy = strategies[below(3)];
	pool_strategy(&w->pool, w->strategy);

	make_rest(w);
	w->n_constraints = (size_t)below(3);
	for (size_t i = 0; i < w->n_constraints; i++) {
		make_wish(&w->constraints[i], "rack", rack_values, ARRAY_LEN(rack_values));
		pool_constraint(&w->pool, w->constraints[i].text);
	}
	w->n_whitelists = below(4) == 0;
	if (w->n_whitelists) {
		make_wish(&w->whitelists[0], "rack", rack_lists, ARRAY_LEN(rack_lists));
		pool_whitelist(&w->pool, w->whitelists[0].text);
	}
	w->n_affinities = (size_t)below(3);
	for (size_t i = 0; i < w->n_affinities; i++) {
		make_wish(&w->affinities[i], "container", containers, 3);
		pool_affinity(&w->pool, w->affinities[i].text);
	}
	w->port = below(2) ? 80 : 0;
	if (w->port)
		pool_port(&w->pool, w->port, "tcp");
	w->dependency = below(6) ? NULL : &w->pool.v[below((int)w->pool.n)];
	if (w->dependency)
		pool_dependency(&w->pool, "dep", w->dependency);
}

/* The slow scheduler begins here. */

static const char *label_of(const struct pool_node *n, const char *key)
{
	for (size_t i = 0; i < n->sched.n_labels; i++)
		if (str_eq(n->labels[i].key, str_from(key)))
			return n->labels[i].value.p;
	return NULL;
}

static bool matches_slowly(const char *value, const char *has)
{
	size_t n = strlen(value);
	char inner[64];
	regex_t regex;
	bool found;

	if (*value != '/')
		return fnmatch(value, has, 0) == 0;
	snprintf(inner, sizeof(inner), "%.*s", (int)n - 2, value + 1);
	assert_int_equal(regcomp(&regex, inner, REG_EXTENDED | REG_NOSUB), 0);
	found = regexec(&regex, has, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static bool granted(const struct wish *w, const char *has, bool soft)
{
	char values[64], *rest = values, *value;
	bool equal = false;

	snprintf(values, sizeof(values), "%s", w->value);
	while (has && (value = strsep(&rest, "|")))
		equal |= matches_slowly(value, has);
	return (w->soft && !soft) || equal != w->negated;
}

static int times(const char *list, char first)
{
	int n = 0;

	for (const char *c = list; *c; c++)
		n += (c == list || c[-1] == ' ' || c[-1] == '=') && *c == first;
	return n;
}

static int64_t gpus_of(const struct pool_node *n, bool free)
{
	for (size_t i = 0; i < n->devices.n_kinds; i++)
		if (str_eq(n->devices.kinds[i].name, STR("gpu")))
			return n->devices.kinds[i].total - (free ? n->reserved_devices[i] : 0);
	return 0;
}

static bool anyone_has_gpus(const struct world *w)
{
	for (size_t i = 0; i < w->pool.n; i++)
		if (gpus_of(&w->pool.v[i], false))
			return true;
	return false;
}

/* Whatever else is on it, the node may run such a container. */
static bool may_run_slowly(const struct world *w, const struct pool_node *n, bool soft)
{
	if (!n->sched.healthy)
		return false;
	for (size_t i = 0; i < w->n_constraints; i++)
		if (!granted(&w->constraints[i], label_of(n, "rack"), soft))
			return false;
	if (w->n_whitelists && !granted(&w->whitelists[0], label_of(n, "rack"), soft))
		return false;
	if (w->arm && !str_eq(n->sched.platform.architecture, STR("arm64")))
		return false;
	return !w->gpus || gpus_of(n, false) || !anyone_has_gpus(w);
}

/* Of its kind, on that node. */
static int kin_slowly(const struct world *w, const struct pool_node *n)
{
	return w->pool.request.kind.of == COUNT_IMAGE ? times(n->images, 'a')
						      : times(n->container_labels, 'f');
}

static struct str group_slowly(const struct pool_node *n, const char *by)
{
	if (strcmp(by, "node") == 0)
		return n->sched.name;
	for (size_t i = 0; i < n->sched.n_labels; i++)
		if (str_eq(n->labels[i].key, str_from(by)))
			return n->labels[i].value;
	return STR_NONE;
}

/* What the nodes that are in have together of the kind, where they are of that group. */
static int sum_slowly(const struct world *w, const char *by, struct str group, const bool *in)
{
	int sum = 0;

	for (size_t i = 0; i < w->pool.n; i++) {
		struct str its = group_slowly(&w->pool.v[i], by);

		if (in[i] && its.p && str_eq(its, group))
			sum += kin_slowly(w, &w->pool.v[i]);
	}
	return sum;
}

/* Of the nodes that are in, those of the groups with the fewest stay; false: none has a group. */
static bool even_slowly(const struct world *w, const char *by, bool *in)
{
	bool least[NODES] = { false }, any = false;
	int fewest = INT_MAX;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < w->pool.n; i++) {
			struct str group = group_slowly(&w->pool.v[i], by);

			if (!in[i] || !group.p)
				continue;
			fewest = MIN(fewest, sum_slowly(w, by, group, in));
			least[i] = sum_slowly(w, by, group, in) == fewest;
			any = true;
		}
	}
	for (size_t i = 0; any && i < w->pool.n; i++)
		in[i] = least[i];
	return any;
}

/* Each of its groups has no more than any other of those that are left by the spread before. */
static bool spreads_slowly(const struct world *w, const struct pool_node *n, bool soft)
{
	bool in[NODES];

	for (size_t i = 0; i < w->pool.n; i++)
		in[i] = may_run_slowly(w, &w->pool.v[i], soft);
	for (size_t i = 0; w->spread->hard[i]; i++)
		if (!even_slowly(w, w->spread->hard[i], in) || !in[n - w->pool.v])
			return false;
	return true;
}

static bool fits_slowly(const struct world *w, const struct pool_node *n, bool soft)
{
	const struct sched_request *r = &w->pool.request;
	const char *slots = label_of(n, "containerslots");
	double room = 1 + w->pool.config.overcommit;

	if (!may_run_slowly(w, n, soft) || (w->port && *n->ports))
		return false;
	if (!spreads_slowly(w, n, soft))
		return false;
	if (w->limit && (soft || !w->limit_soft) && times(n->container_labels, 'f') >= w->limit)
		return false;
	if (w->gpus && gpus_of(n, false) && gpus_of(n, true) < w->gpus)
		return false;
	if (slots && *slots != 'x' && n->sched.containers >= (uint32_t)atoi(slots))
		return false;
	if (w->dependency && w->dependency != n)
		return false;
	for (size_t i = 0; i < w->n_affinities; i++)
		if (!granted(&w->affinities[i], n->containers, soft))
			return false;
	if (r->nano_cpus && (double)(n->sched.reserved_nano_cpus + r->nano_cpus) >
				    room * (double)n->sched.nano_cpus + 0.5)
		return false;
	return !r->memory || (double)(n->sched.reserved_memory + r->memory) <=
				     room * (double)n->sched.memory + 0.5;
}

/* Lower is better; ties by containers are its last digits. */
static int64_t score_slowly(const struct world *w, const struct pool_node *n)
{
	const struct sched_request *r = &w->pool.request;
	double room = 1 + w->pool.config.overcommit;
	int64_t cpu = 100, memory = 100, containers_there = n->sched.containers;

	if (r->nano_cpus)
		cpu = (n->sched.reserved_nano_cpus + r->nano_cpus) * 100 /
		      (int64_t)(room * (double)n->sched.nano_cpus + 0.5);
	if (r->memory)
		memory = (n->sched.reserved_memory + r->memory) * 100 /
			 (int64_t)(room * (double)n->sched.memory + 0.5);
	if (strcmp(w->strategy, "spread") == 0)
		return (cpu + memory - 10 * n->sched.health) * 1000 + containers_there;
	if (strcmp(w->strategy, "binpack") == 0)
		return -(cpu + memory + 10 * n->sched.health) * 1000 - containers_there;
	return 0;
}

/* And ends here. */

/* With the soft expressions if any node fits them; false: no node fits. */
static bool fitting_slowly(const struct world *w, bool *ret_fit)
{
	bool any = false;

	for (int soft = 1; soft >= 0 && !any; soft--)
		for (size_t i = 0; i < w->pool.n; i++)
			any |= ret_fit[i] = fits_slowly(w, &w->pool.v[i], soft);
	if (any && w->spread->soft)
		even_slowly(w, w->spread->soft, ret_fit);
	return any;
}

static void check_world(const struct world *w, struct sched_node *node, int round)
{
	const struct pool_node *chosen;
	bool fit[NODES];

	if (!fitting_slowly(w, fit)) {
		if (node)
			fail_msg("round %d: %.*s does not fit", round, STR_ARG(node->name));
		return;
	}
	if (!node)
		fail_msg("round %d: refused, though a node fits", round);
	chosen = container_of(node, struct pool_node, sched);
	if (!fit[chosen - w->pool.v])
		fail_msg("round %d: %.*s does not fit", round, STR_ARG(node->name));
	for (size_t i = 0; i < w->pool.n; i++)
		if (fit[i] && score_slowly(w, &w->pool.v[i]) < score_slowly(w, chosen))
			fail_msg("round %d: %.*s is not the best", round, STR_ARG(node->name));
}

/* One pool and request; true where a node was found. Each node is asked alone as well. */
static bool play(int round)
{
	struct world w = { 0 };
	struct sched_node *node = NULL;
	struct error *err;

	pool_init(&w.pool);
	for (size_t i = 0, n = 1 + (size_t)below(NODES); i < n; i++)
		make_node(&w, i);
	make_request(&w);
	err = pool_schedule(&w.pool, &node);
	check_world(&w, err ? NULL : node, round);
	error_free(err);

	/* Of one node alone nothing is to be spread over. */
	w.spread = &no_spread;
	w.pool.request.spreads.n = 0;
	for (size_t i = 0; i < w.pool.n; i++) {
		struct sched_node *alone;

		pool_only(&w.pool, &w.pool.v[i], "asked alone");
		err = pool_schedule(&w.pool, &alone);
		assert_int_equal(!err, fits_slowly(&w, &w.pool.v[i], false));
		error_free(err);
	}
	pool_fini(&w.pool);
	return node;
}

static void test_property(void **state)
{
	int found = 0;

	(void)state;
	rand_seed(20261122);
	for (int i = 0; i < ROUNDS; i++)
		found += play(i);
	/* The worlds are neither all full nor all empty. */
	assert_in_range(found, ROUNDS / 6, ROUNDS * 4 / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_property) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
