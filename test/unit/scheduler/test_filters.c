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

static void only_filter_none(void)
{
	pool.config.filters[0] = NULL;
}

static void test_limits(void **state)
{
	static const struct {
		const char *labels[3], *text, *value, *fit;
	} cases[] = {
		{ { "app=web", "", "" }, "app==1", "web", "n2 n3" },
		{ { "app=web", "", "" }, "app==2", "web", "n1 n2 n3" },
		{ { "app=web app=web", "app=web", "" }, "app==2", "web", "n2 n3" },
		{ { "app=web", "app=web", "app=web" }, "app==1", "db", "n1 n2 n3" },
		{ { "app=web", "app=web", "app=web" }, "app==1", "web", "" },
		{ { "app=web", "app=web", "app=web" }, "app==~1", "web", "n1 n2 n3" },
		{ { "tier=web", "app=", "app=w" }, "app==1", "", "n1 n3" },
	};

	(void)state;
	only_filter_none();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t n = 0; n < 3; n++)
			pool.v[n].container_labels = cases[i].labels[n];
		exprs_fini(&pool.request.limits);
		pool_limit(&pool, cases[i].text, cases[i].value);
		assert_fit(cases[i].fit);
	}
}

static void test_bad_limits(void **state)
{
	static const char *const texts[] = { "app==0",	 "app!=3",  "app==-1", "app==3.5",
					     "app==/3/", "app==3*", "app==x",  "app==99999999999" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct str text = str_from(texts[i]);
		struct error *err;

		exprs_fini(&pool.request.limits);
		assert_ok(exprs_parse(&text, 1, &pool.arena, &pool.request.limits));
		err = sched_read_limits(&pool.request, &pool.arena);
		assert_int_equal(error_kind(err), ERR_INVALID);
		assert_non_null(strstr(error_message(err), texts[i]));
		error_free(err);
	}
}

/* Where one after the other of a kind goes: the racks' letters, or "-" for a refusal. */
static void assert_spread(const char *expected)
{
	_cleanup_(strbuf_fini) struct strbuf racks = STRBUF_INIT;

	for (size_t i = 0; expected[i]; i++) {
		struct sched_node *node;
		struct error *err = pool_schedule(&pool, &node);

		if (err) {
			strbuf_addc(&racks, '-');
			error_free(err);
			continue;
		}
		strbuf_add(&racks, sched_node_label(node, STR("rack")));
		node->containers++;
		container_of(node, struct pool_node, sched)->container_labels =
			arena_printf(&pool.arena, "%s kind=k",
				     container_of(node, struct pool_node, sched)->container_labels)
				.p;
	}
	assert_buf(racks, expected);
}

/* Five nodes of rack a, one of b, a small one of c, and one that has no rack. */
static void spread_pool(const char *text)
{
	static const char *const racks[] = { "rack=a", "rack=a", "rack=a", "rack=a",
					     "rack=a", "rack=b", "rack=c", "" };

	pool_fini(&pool);
	pool_init(&pool);
	for (size_t i = 0; i < ARRAY_LEN(racks); i++)
		pool_add(&pool, arena_printf(&pool.arena, "n%zu", i).p, racks[i]);
	pool.request.kind = (struct sched_count){ .key = STR("kind"), .value = STR("k") };
	pool_spread(&pool, text);
}

static void test_spreads(void **state)
{
	static const char *const words[] = { "by!=rack", "by==/rack/", "by==ra*", "on==rack" };

	(void)state;
	/* What others there are counts nothing: only its own kind. */
	spread_pool("by==rack");
	pool.v[6].sched.containers = 50;
	pool.v[7].sched.containers = 0;
	for (int i = 0; i < 5; i++)
		pool.v[i].sched.containers = 20;
	pool.v[5].sched.containers = 1;
	assert_spread("bacbacbac");

	/*
	 * A full rack is waited for; a soft one is passed over, and the fewest of the rest taken.
	 */
	spread_pool("by==rack");
	pool.request.memory = MIBS(512);
	pool.v[6].sched.memory = MIBS(256);
	pool.v[5].sched.memory = MIBS(8192);
	assert_spread("ba---");
	spread_pool("by==~rack");
	pool.request.memory = MIBS(512);
	pool.v[6].sched.memory = MIBS(256);
	pool.v[5].sched.memory = MIBS(8192);
	assert_spread("bababa");

	/* Racks that the request may not go to are not waited for. */
	spread_pool("by==rack");
	pool_constraint(&pool, "rack!=c");
	pool.v[5].sched.containers = 1;
	pool.v[5].sched.healthy = false;
	assert_spread("aaa");

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct str text = str_from(words[i]);
		struct error *err;

		exprs_fini(&pool.request.spreads);
		assert_ok(exprs_parse(&text, 1, &pool.arena, &pool.request.spreads));
		err = sched_check_spreads(&pool.request.spreads);
		assert_int_equal(error_kind(err), ERR_INVALID);
		error_free(err);
	}
}

/* by==node, and zones before their racks. */
static void test_spreads_of_several(void **state)
{
	(void)state;
	pool_fini(&pool);
	pool_init(&pool);
	pool_add(&pool, "n1", "zone=x rack=1");
	pool_add(&pool, "n2", "zone=x rack=2");
	pool_add(&pool, "n3", "zone=y rack=3");
	pool.request.kind = (struct sched_count){ .key = STR("kind"), .value = STR("k") };
	pool_spread(&pool, "by==zone");
	pool_spread(&pool, "by==rack");
	pool.v[0].sched.containers = 1;
	pool.v[1].sched.containers = 2;
	pool.v[2].sched.containers = 3;
	assert_spread("1323");

	exprs_fini(&pool.request.spreads);
	pool_spread(&pool, "by==node");
	for (int i = 0; i < 3; i++)
		pool.v[i].container_labels = "";
	pool.v[0].container_labels = "kind=k";
	assert_spread("23");
}

static void test_spread_refusal(void **state)
{
	struct sched_node *node;
	struct error *err;

	(void)state;
	spread_pool("by==rack");
	for (size_t i = 0; i < 5; i++)
		pool.v[i].container_labels = "kind=k";
	pool.v[5].container_labels = "kind=k";
	pool.v[6].sched.reserved_memory = MIBS(4096);
	pool.request.memory = MIBS(1);
	pool.n = 8;
	err = pool_schedule(&pool, &node);
	assert_string_equal(
		error_message(err),
		"Unable to find a node that satisfies the following conditions \n[spread:by==rack]"
		"\nno node fits: 8 nodes: 1 MiB of memory not free on n6 (0 B free); spread "
		"by==rack "
		"does not allow n0, n1, n2, n3, n4 and 2 more (5 in rack=a, 0 elsewhere)");
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_nothing_asked),  test(test_health),
		test(test_ports),	   test(test_slots),
		test(test_dependencies),   test(test_constraints),
		test(test_affinities),	   test(test_whitelists),
		test(test_several),	   test(test_label_twice),
		test(test_resources),	   test(test_names),
		test(test_limits),	   test(test_bad_limits),
		test(test_spreads),	   test(test_spreads_of_several),
		test(test_spread_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
