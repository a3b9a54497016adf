/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler/filter_*.c: which nodes of a small pool each request leaves. */
#include "unit/scheduler/pool.h"
#include "unit/testing.h"

static struct pool pool;

/*
 * n1: ssd, rack a, web on port 80. n2: disk, rack b, db. n3: no storage label, two containers.
 */
static int setup(void **state)
{
	struct pool_node *n;

	(void)state;
	pool_init(&pool);
	n = pool_add(&pool, "n1", "storage=ssd rack=a containerslots=2");
	n->ports = "80/tcp=web 53/udp=dns";
	n->containers = "web c0ffee";
	n->images = "busybox busybox:latest sha256:1";
	n->container_labels = "tier=front zone=eu";
	n->sched.containers = 2;
	n = pool_add(&pool, "n2", "storage=disk rack=b containerslots=many");
	n->containers = "db";
	n->images = "postgres:9 postgres";
	n->container_labels = "tier=back";
	n->sched.containers = 1;
	n = pool_add(&pool, "n3", "rack=");
	n->ports = "443/tcp=proxy";
	n->containers = "proxy logs";
	n->sched.containers = 2;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pool_fini(&pool);
	return 0;
}

/* The nodes that would do, each asked alone. */
static void assert_fit(const char *expected)
{
	_cleanup_(strbuf_fini) struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < pool.n; i++) {
		struct sched_node *node;
		struct error *err;

		pool_only(&pool, &pool.v[i], "asked alone");
		err = pool_schedule(&pool, &node);
		if (!err) {
			assert_ptr_equal(node, &pool.v[i].sched);
			strbuf_addf(&names, "%s%.*s", names.n ? " " : "", STR_ARG(node->name));
		} else {
			assert_int_equal(error_kind(err), ERR_NO_NODE);
		}
		error_free(err);
	}
	pool.request.only = NULL;
	assert_buf(names, expected);
}

static void test_nothing_asked(void **state)
{
	(void)state;
	pool.config.filters[0] = NULL;
	assert_fit("n1 n2 n3");
}

static void test_health(void **state)
{
	(void)state;
	pool.v[1].sched.healthy = false;
	assert_fit("n3"); /* n1 has no slot left */
	pool.config.filters[0] = sched_filter(STR("containerslots"));
	pool.config.filters[1] = NULL;
	assert_fit("n2 n3");
}

static void test_ports(void **state)
{
	static const struct {
		int port;
		const char *protocol, *fit;
	} cases[] = {
		{ 80, "tcp", "n2 n3" },	 { 80, "udp", "n1 n2 n3" },   { 53, "udp", "n2 n3" },
		{ 443, "tcp", "n1 n2" }, { 8080, "tcp", "n1 n2 n3" }, { 0, "tcp", "n1 n2 n3" },
	};

	(void)state;
	pool.config.filters[0] = sched_filter(STR("port"));
	pool.config.filters[1] = NULL;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pool.request.n_ports = 0;
		pool_port(&pool, cases[i].port, cases[i].protocol);
		assert_fit(cases[i].fit);
	}
	pool_port(&pool, 80, "tcp");
	pool_port(&pool, 443, "tcp");
	assert_fit("n2");
}

static void test_slots(void **state)
{
	static const struct {
		const char *slots;
		uint32_t containers;
		bool fits;
	} cases[] = {
		{ "3", 2, true }, { "3", 3, false },   { "3", 4, false },  { "0", 0, false },
		{ "", 9, true },  { "many", 9, true }, { "-1", 0, false }, { "3.5", 9, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pool.v[0].labels[2].value = str_from(cases[i].slots);
		sched_node_set_labels(&pool.v[0].sched, pool.v[0].labels, 3);
		pool.v[0].sched.containers = cases[i].containers;
		assert_fit(cases[i].fits ? "n1 n2 n3" : "n2 n3");
	}
}

static void test_dependencies(void **state)
{
	(void)state;
	pool_dependency(&pool, "db", &pool.v[1]);
	assert_fit("n2");
	pool_dependency(&pool, "db2", &pool.v[1]);
	assert_fit("n2");
	pool_dependency(&pool, "proxy", &pool.v[2]);
	assert_fit("");
	pool.request.n_dependencies = 0;
	pool_dependency(&pool, "nobody", NULL);
	assert_fit("");
}

/* Each alone, without regard to slots and health. */
static void assert_expr(const char *filter, void (*add)(struct pool *, const char *),
			struct exprs *exprs, const char *text, const char *fit)
{
	pool.config.filters[0] = sched_filter(str_from(filter));
	pool.config.filters[1] = NULL;
	exprs_fini(exprs);
	add(&pool, text);
	assert_fit(fit);
}

static void test_constraints(void **state)
{
	static const struct {
		const char *text, *fit;
	} cases[] = {
		{ "storage==ssd", "n1" },     { "storage!=ssd", "n2 n3" },
		{ "storage==s*", "n1" },      { "storage==*", "n1 n2" },
		{ "storage!=*", "n3" },	      { "storage==/^(ssd|disk)$/", "n1 n2" },
		{ "rack==/^$/", "n3" },	      { "rack==/./", "n1 n2" },
		{ "colour==red", "" },	      { "colour!=red", "n1 n2 n3" },
		{ "Storage==ssd", "" },	      { "node==n2", "n2" },
		{ "node==ID:n2", "n2" },      { "node!=n2", "n1 n3" },
		{ "node!=ID:n2", "n1 n3" },   { "node==n*", "n1 n2 n3" },
		{ "node==/n[12]/", "n1 n2" }, { "node==n1|n2", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_expr("constraint", pool_constraint, &pool.request.constraints, cases[i].text,
			    cases[i].fit);
}

static void test_affinities(void **state)
{
	static const struct {
		const char *text, *fit;
	} cases[] = {
		{ "container==web", "n1" },
		{ "container==c0ffee", "n1" },
		{ "container!=web", "n2 n3" },
		{ "container==w*", "n1" },
		{ "container==/^(db|logs)$/", "n2 n3" },
		{ "container==nobody", "" },
		{ "image==busybox", "n1" },
		{ "image==busybox:latest", "n1" },
		{ "image==sha256:1", "n1" },
		{ "image!=postgres", "n1 n3" },
		{ "tier==front", "n1" },
		{ "tier==*", "n1 n2" },
		{ "tier!=back", "n1 n3" },
		{ "none==x", "" },
		{ "none!=x", "n1 n2 n3" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_expr("affinity", pool_affinity, &pool.request.affinities, cases[i].text,
			    cases[i].fit);
}

static void test_whitelists(void **state)
{
	static const struct {
		const char *text, *fit;
	} cases[] = {
		{ "node==n1|n3", "n1 n3" }, { "node==n2", "n2" },     { "node!=n1|n3", "n2" },
		{ "node==n9|n2", "n2" },    { "node==n9", "" },	      { "node==ID:n1|n2", "n1 n2" },
		{ "node==n*", "n1 n2 n3" }, { "rack==a|b", "n1 n2" }, { "node==/n1|n2/", "n1 n2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_expr("whitelist", pool_whitelist, &pool.request.whitelists, cases[i].text,
			    cases[i].fit);
}

/* All of several must hold, one key twice as well. */
static void test_several(void **state)
{
	(void)state;
	pool.config.filters[0] = sched_filter(STR("constraint"));
	pool.config.filters[1] = NULL;
	pool_constraint(&pool, "node!=n1");
	pool_constraint(&pool, "node!=n3");
	assert_fit("n2");
	pool_constraint(&pool, "storage==ssd");
	assert_fit("");
}

/* A node with a label twice: the first counts. */
static void test_label_twice(void **state)
{
	(void)state;
	pool_add(&pool, "n4", "storage=ssd storage=disk");
	pool.config.filters[0] = sched_filter(STR("constraint"));
	pool.config.filters[1] = NULL;
	pool_constraint(&pool, "storage==ssd");
	assert_fit("n1 n4");
}

static void test_resources(void **state)
{
	static const struct {
		double overcommit, cores, used_cores;
		int64_t mib, used_mib;
		bool fits;
	} cases[] = {
		{ 0, 4, 0, 0, 0, true },
		{ 0, 4, 0.001, 0, 0, false },
		{ 0, 4.001, 0, 0, 0, false },
		{ 0, 0, 5, 0, 5000, true },
		{ 0, 0, 0, 4096, 0, true },
		{ 0, 0, 0, 4097, 0, false },
		{ 0, 0, 0, 1, 4096, false },
		{ 0, 1, 0, 1, 4096, false },
		{ 0.05, 4.2, 0, 0, 0, true },
		{ 0.05, 4.201, 0, 0, 0, false },
		{ 0.05, 0, 0, 4300, 0, true },
		{ 0.05, 0, 0, 4301, 0, false },
		{ -0.5, 2, 0, 2048, 0, true },
		{ -0.5, 2.001, 0, 0, 0, false },
		{ 1e18, 7e7, 0, 1 << 30, 0, true },
		{ 0, 1, 3, 96, 4000, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sched_node *node = pool.nodes[1];

		pool.config.overcommit = cases[i].overcommit;
		pool.request.nano_cpus = CORES(cases[i].cores);
		pool.request.memory = MIBS(cases[i].mib);
		node->reserved_nano_cpus = CORES(cases[i].used_cores);
		node->reserved_memory = MIBS(cases[i].used_mib);
		pool_only(&pool, &pool.v[1], "asked alone");
		if (cases[i].fits)
			assert_ok(pool_schedule(&pool, &node));
		else
			assert_err(pool_schedule(&pool, &node), ERR_NO_NODE,
				   "no resources available to schedule container\n");
	}
	pool.request.memory = INT64_MAX;
	pool.request.nano_cpus = INT64_MAX;
	assert_fit("");
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; sched_filter_names[i]; i++) {
		const struct filter_kind *f = sched_filter(str_from(sched_filter_names[i]));

		assert_non_null(f);
		assert_string_equal(sched_filter_name(f), sched_filter_names[i]);
		assert_ptr_equal(f, pool.config.filters[i]);
	}
	for (size_t i = 0; sched_strategy_names[i]; i++)
		assert_string_equal(
			sched_strategy_name(sched_strategy(str_from(sched_strategy_names[i]))),
			sched_strategy_names[i]);
	assert_null(sched_filter(STR("resources")));
	assert_null(sched_filter(STR("Health")));
	assert_null(sched_strategy(STR("")));
	assert_null(pool.config.filters[7]);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_nothing_asked), test(test_health),	   test(test_ports),
		test(test_slots),	  test(test_dependencies), test(test_constraints),
		test(test_affinities),	  test(test_whitelists),   test(test_several),
		test(test_label_twice),	  test(test_resources),	   test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
