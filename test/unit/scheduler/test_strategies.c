/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler/strategy_*.c: which of several nodes that fit is taken. */
#include "unit/scheduler/pool.h"
#include "unit/testing.h"

#include "base/rand.h"

static struct pool pool;

static int setup(void **state)
{
	(void)state;
	rand_seed(4);
	pool_init(&pool);
	pool_add(&pool, "n1", "");
	pool_add(&pool, "n2", "");
	pool_add(&pool, "n3", "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pool_fini(&pool);
	return 0;
}

static void assert_chosen(const char *strategy, const char *name)
{
	struct sched_node *node;

	pool_strategy(&pool, strategy);
	for (int i = 0; i < 8; i++) {
		assert_ok(pool_schedule(&pool, &node));
		assert_str(node->name, name);
	}
}

static void test_containers(void **state)
{
	(void)state;
	pool.nodes[0]->containers = 3;
	pool.nodes[1]->containers = 1;
	pool.nodes[2]->containers = 2;
	assert_chosen("spread", "n2");
	assert_chosen("binpack", "n1");
}

/* Load counts before the number of containers. */
static void test_load(void **state)
{
	(void)state;
	pool.request.nano_cpus = CORES(1);
	pool.nodes[0]->reserved_nano_cpus = CORES(1);
	pool.nodes[1]->containers = 9;
	pool.nodes[2]->reserved_nano_cpus = CORES(2);
	assert_chosen("spread", "n2");
	assert_chosen("binpack", "n3");

	/* A node that is full is not the fullest: it is out. */
	pool.nodes[2]->reserved_nano_cpus = CORES(3.5);
	assert_chosen("binpack", "n1");
}

/* What is not asked for counts nothing, however much is used of it. */
static void test_not_asked(void **state)
{
	(void)state;
	pool.request.memory = MIBS(100);
	pool.nodes[0]->reserved_nano_cpus = CORES(4);
	pool.nodes[1]->reserved_memory = MIBS(1000);
	pool.nodes[2]->reserved_memory = MIBS(1000);
	assert_chosen("spread", "n1");
}

/* Percents are whole numbers, rounded down: loads that differ by less are equal. */
static void test_rounding(void **state)
{
	(void)state;
	pool.request.memory = MIBS(1);
	pool.nodes[0]->reserved_memory = MIBS(30); /* 31 of 4096: 0 percent */
	pool.nodes[0]->containers = 1;
	pool.nodes[1]->reserved_memory = 0;
	pool.nodes[1]->containers = 2;
	pool.nodes[2]->reserved_memory = MIBS(40); /* 41: 1 percent */
	assert_chosen("spread", "n1");

	/* With CPU in nano-cores: 1.3 of 4 and 1.31 of 4 are 32 percent both. */
	pool.request.memory = 0;
	pool.request.nano_cpus = CORES(0.3);
	pool.nodes[0]->reserved_nano_cpus = CORES(1.01);
	pool.nodes[1]->reserved_nano_cpus = CORES(1);
	pool.nodes[2]->reserved_nano_cpus = CORES(1.02);
	pool.nodes[2]->containers = 3;
	assert_chosen("spread", "n1");
	/* 1.32 of 4 is 33. */
	assert_chosen("binpack", "n3");
}

/* A sick node is worse to both, by ten for each degree. */
static void test_health(void **state)
{
	(void)state;
	pool.nodes[0]->health = 66;
	pool.nodes[1]->containers = 9;
	pool.nodes[2]->health = 66;
	assert_chosen("spread", "n2");
	pool.nodes[1]->containers = 0;
	pool.nodes[0]->containers = 9;
	assert_chosen("binpack", "n2");

	/* 1 degree against 10 percent. */
	pool.request.nano_cpus = CORES(0.4);
	pool.nodes[0]->health = 99;
	pool.nodes[1]->reserved_nano_cpus = CORES(0.44);
	pool.nodes[2]->health = 0;
	assert_chosen("spread", "n1");
}

static void test_overcommit(void **state)
{
	(void)state;
	pool.config.overcommit = 1;
	pool.request.nano_cpus = CORES(4); /* 50 percent of the doubled node */
	pool.nodes[0]->reserved_nano_cpus = CORES(4);
	pool.nodes[1]->reserved_nano_cpus = CORES(4.1);
	pool.nodes[2]->reserved_nano_cpus = CORES(3);
	assert_chosen("spread", "n3");
	assert_chosen("binpack", "n1");
}

static size_t draws_of(const char *strategy, size_t *counts)
{
	struct sched_node *node;
	size_t drawn = 0;

	pool_strategy(&pool, strategy);
	for (int i = 0; i < 300; i++) {
		assert_ok(pool_schedule(&pool, &node));
		counts[node->name.p[1] - '1']++;
	}
	for (size_t i = 0; i < 3; i++)
		drawn += counts[i] > 60;
	return drawn;
}

static void test_lots(void **state)
{
	size_t counts[3] = { 0 };

	(void)state;
	assert_int_equal(draws_of("spread", counts), 3);
	memset(counts, 0, sizeof(counts));
	assert_int_equal(draws_of("binpack", counts), 3);
	memset(counts, 0, sizeof(counts));
	pool.nodes[0]->containers = 7;
	pool.nodes[1]->health = 1;
	assert_int_equal(draws_of("random", counts), 3);

	/* Only among those that fit. */
	memset(counts, 0, sizeof(counts));
	pool.request.nano_cpus = CORES(4);
	pool.nodes[1]->reserved_nano_cpus = 1;
	assert_int_equal(draws_of("random", counts), 2);
	assert_int_equal(counts[1], 0);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_containers), test(test_load),	  test(test_not_asked),
		test(test_rounding),   test(test_health), test(test_overcommit),
		test(test_lots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
