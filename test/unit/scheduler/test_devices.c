/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scheduler/filter_devices.c, filter_platform.c: which nodes have what it takes, and the refusals.
 */
#include "unit/scheduler/pool.h"
#include "unit/testing.h"

static struct pool pool;

static int setup(void **state)
{
	(void)state;
	pool_init(&pool);
	pool_add(&pool, "n1", "");
	pool_devices(pool_add(&pool, "n2", ""), &pool, "gpu=2 ssd=1", "");
	pool_devices(pool_add(&pool, "n3", ""), &pool, "NVIDIA-GPU=4", "GPU-1 GPU-2 GPU-3 GPU-4");
	pool_devices(pool_add(&pool, "n4", ""), &pool, "nvidia-gpu=0", "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pool_fini(&pool);
	return 0;
}

/* The nodes that would do, each asked alone; a pool is asked first what it tells of. */
static void assert_fit(const char *expected)
{
	_cleanup_(strbuf_fini) struct strbuf names = STRBUF_INIT;
	struct sched_node *node;
	struct error *err;

	for (size_t i = 0; i < pool.n; i++) {
		pool_only(&pool, &pool.v[i], "asked alone");
		err = pool_schedule(&pool, &node);
		if (!err)
			strbuf_addf(&names, "%s%.*s", names.n ? " " : "", STR_ARG(node->name));
		error_free(err);
	}
	pool.request.only = NULL;
	assert_buf(names, expected);
}

static void assert_refused(const char *message)
{
	struct sched_node *node;
	_cleanup_(error_freep) struct error *err = pool_schedule(&pool, &node);

	assert_true(error_is(err, ERR_NO_NODE));
	assert_string_equal(error_message(err), message);
}

static void test_kinds(void **state)
{
	static const struct {
		const char *requests, *fit;
	} cases[] = {
		{ "[]", "n1 n2 n3 n4" },
		{ "[{\"Count\":1,\"Capabilities\":[[\"gpu\"]]}]", "n2 n3 n4" },
		{ "[{\"Count\":3,\"Capabilities\":[[\"gpu\"]]}]", "n3 n4" },
		{ "[{\"Count\":-1,\"Capabilities\":[[\"gpu\"]]}]", "n2 n3 n4" },
		{ "[{\"Count\":0,\"Capabilities\":[[\"gpu\"]]}]", "n2 n3 n4" },
		{ "[{\"Count\":1,\"Capabilities\":[[\"nvidia\"]]}]", "n3 n4" },
		{ "[{\"Count\":1,\"Capabilities\":[[\"SSD\"]]}]", "n2" },
		{ "[{\"Count\":1,\"Capabilities\":[[\"gpu\"]]},"
		  "{\"Count\":1,\"Capabilities\":[[\"ssd\"]]}]",
		  "n2" },
		/* Together they take three. */
		{ "[{\"Count\":2,\"Capabilities\":[[\"gpu\"]]},"
		  "{\"Count\":1,\"Capabilities\":[[\"gpu\"]]}]",
		  "n3 n4" },
		/* Nobody tells of such a thing: the engine knows. */
		{ "[{\"Count\":1,\"Capabilities\":[[\"tpu\"]]}]", "n1 n2 n3 n4" },
		{ "[{\"Driver\":\"cdi\",\"DeviceIDs\":[\"a.com/b=c\"]}]", "n1 n2 n3 n4" },
		{ "[{\"DeviceIDs\":[\"GPU-2\"],\"Capabilities\":[[\"gpu\"]]}]", "n3" },
		{ "[{\"DeviceIDs\":[\"0\",\"1\"],\"Capabilities\":[[\"gpu\"]]}]", "n2 n3 n4" },
		{ "[{\"DeviceIDs\":[\"0\",\"1\",\"2\"],\"Capabilities\":[[\"gpu\"]]}]", "n3 n4" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		pool_ask_devices(&pool, cases[i].requests);
		assert_fit(cases[i].fit);
	}
}

static void test_reserved(void **state)
{
	(void)state;
	pool.v[1].reserved_devices[0] = 1;
	pool.v[2].reserved_devices[0] = 3;
	pool_ask_devices(&pool, "[{\"Count\":1,\"Capabilities\":[[\"gpu\"]]}]");
	assert_fit("n2 n3 n4");
	pool_ask_devices(&pool, "[{\"Count\":2,\"Capabilities\":[[\"gpu\"]]}]");
	assert_fit("n4");
	pool_ask_devices(&pool, "[{\"Count\":-1,\"Capabilities\":[[\"gpu\"]]}]");
	assert_fit("n4");
	/* More are taken than there are, by who did not ask the pool. */
	pool.v[1].reserved_devices[0] = 5;
	pool_ask_devices(&pool, "[{\"Count\":0,\"Capabilities\":[[\"gpu\"]]}]");
	assert_fit("n2 n3 n4");
}

static void test_refusals(void **state)
{
	(void)state;
	pool.n = 3;
	pool.v[1].reserved_devices[0] = 1;
	pool_ask_devices(&pool, "[{\"Count\":8,\"Capabilities\":[[\"compute\",\"gpu\"]]}]");
	assert_refused("no resources available to schedule container"
		       "\nno node fits: 3 nodes: no gpu on n1; 8 gpu not free on n2, n3 "
		       "(1 of 2 free, 4 of 4 free)");
	pool_ask_devices(&pool, "[{\"DeviceIDs\":[\"GPU-1\"],\"Capabilities\":[[\"gpu\"]]}]");
	pool.v[2].sched.healthy = false;
	assert_refused("no resources available to schedule container"
		       "\nno node fits: 3 nodes: no gpu on n1; gpu GPU-1 not on n2; no healthy "
		       "engine on n3");
}

static void test_runtimes(void **state)
{
	(void)state;
	pool.request.runtime = STR("kata");
	assert_fit("n1 n2 n3 n4");
	pool_runtime(&pool.v[3], "kata");
	assert_fit("n4");
	pool.v[3].sched.healthy = false;
	assert_refused(
		"no resources available to schedule container"
		"\nno node fits: 4 nodes: no healthy engine on n4; runtime kata not on n1, n2, n3");
}

static void test_platforms(void **state)
{
	(void)state;
	pool.v[1].sched.platform = platform_of_engine(STR("linux"), STR("aarch64"));
	pool.v[2].sched.platform = platform_of_engine(STR("windows"), STR("x86_64"));
	pool_label(&pool.v[3], "platforms", "linux/riscv64,linux/arm64");
	assert_fit("n1 n2 n3 n4");
	assert_true(platform_parse(STR("linux/arm64"), &pool.request.platform));
	assert_fit("n2 n4");
	assert_true(platform_parse(STR("linux"), &pool.request.platform));
	assert_fit("n1 n2 n4");
	assert_true(platform_parse(STR("windows/amd64"), &pool.request.platform));
	assert_fit("n3");
	assert_true(platform_parse(STR("linux/arm/v7"), &pool.request.platform));
	assert_fit("n2");
	assert_true(platform_parse(STR("linux/s390x"), &pool.request.platform));
	assert_refused("Unable to find a node that satisfies the following conditions "
		       "\n[platform linux/s390x]"
		       "\nno node fits: 4 nodes: platform linux/s390x not on n1, n2, n3, n4 "
		       "(linux/amd64, linux/arm64, windows/amd64)");
}

/* A rack that could never take it is not waited for. */
static void test_spreads(void **state)
{
	static const char *const racks[] = { "a", "b", "b", "c" };

	(void)state;
	for (size_t i = 0; i < pool.n; i++)
		pool_label(&pool.v[i], "rack", racks[i]);
	pool.request.kind = (struct sched_count){ .of = COUNT_IMAGE, .value = STR("app") };
	pool.v[1].images = pool.v[3].images = "app";
	pool_ask_devices(&pool, "[{\"Count\":1,\"Capabilities\":[[\"gpu\"]]}]");
	pool_spread(&pool, "by==rack");
	assert_true(platform_parse(STR("linux/amd64"), &pool.request.platform));
	pool.v[3].sched.platform = platform_of_engine(STR("linux"), STR("s390x"));

	struct sched_node *node;

	assert_ok(pool_schedule(&pool, &node));
	assert_true(str_eq(node->name, STR("n2")) || str_eq(node->name, STR("n3")));
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_kinds),    test(test_reserved),  test(test_refusals),
		test(test_runtimes), test(test_platforms), test(test_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
