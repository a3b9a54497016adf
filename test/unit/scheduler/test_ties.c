/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler/scheduler.c: which of nodes that are equal is taken, however many they are. */
#include "unit/scheduler/pool.h"
#include "unit/testing.h"

#include "base/rand.h"

enum { MANY = 10000, DRAWS = 2000 };

static struct pool pool;

static int setup(void **state)
{
	(void)state;
	rand_seed(11);
	pool_init(&pool);
	for (int i = 0; i < 4; i++)
		pool_add(&pool, arena_printf(&pool.arena, "n%d", i + 1).p, "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	node_set_fini(&pool.request.near);
	node_set_fini(&pool.request.failed);
	pool_fini(&pool);
	return 0;
}

/* Those that are chosen in many draws, "n1 n3". */
static void assert_drawn(const char *expected)
{
	_cleanup_(strbuf_fini) struct strbuf names = STRBUF_INIT;
	bool drawn[POOL_NODES] = { false };
	struct sched_node *node;

	for (int i = 0; i < 200; i++) {
		assert_ok(pool_schedule(&pool, &node));
		drawn[node->number] = true;
	}
	for (size_t i = 0; i < pool.n; i++)
		if (drawn[i])
			strbuf_addf(&names, "%s%.*s", names.n ? " " : "",
				    STR_ARG(pool.nodes[i]->name));
	assert_buf(names, expected);
}

static void test_near(void **state)
{
	(void)state;
	assert_drawn("n1 n2 n3 n4");
	node_set_begin(&pool.request.near, pool.n);
	assert_drawn("n1 n2 n3 n4");
	node_set_add(&pool.request.near, 1);
	node_set_add(&pool.request.near, 2);
	assert_drawn("n2 n3");
	/* It decides between equals alone. */
	pool.nodes[1]->containers = pool.nodes[2]->containers = 1;
	assert_drawn("n1 n4");
	pool_constraint(&pool, "node!=~n4");
	assert_drawn("n1");
}

/* Else all would go to the one node that has the image. */
static void test_random_is_not_near(void **state)
{
	(void)state;
	pool_strategy(&pool, "random");
	node_set_begin(&pool.request.near, pool.n);
	node_set_add(&pool.request.near, 1);
	assert_drawn("n1 n2 n3 n4");
}

static void test_failed(void **state)
{
	(void)state;
	node_set_begin(&pool.request.failed, pool.n);
	node_set_add(&pool.request.failed, 0);
	pool.nodes[1]->containers = 5;
	pool.nodes[2]->healthy = pool.nodes[3]->healthy = false;
	assert_drawn("n2");
	/* Where no other fits, once more the same. */
	node_set_add(&pool.request.failed, 1);
	assert_drawn("n1");
	pool_constraint(&pool, "node==n2");
	assert_drawn("n2");
}

/* All equal: each has its share, with every strategy, and a constraint that all meet. */
static void test_ten_thousand(void **state)
{
	static struct sched_node v[MANY], *nodes[MANY];
	uint32_t thousands[MANY / 1000] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		v[i] = pool.v[0].sched;
		v[i].number = i;
		nodes[i] = &v[i];
	}
	for (size_t k = 0; sched_strategy_names[k]; k++) {
		pool_strategy(&pool, sched_strategy_names[k]);
		for (int i = 0; i < DRAWS; i++) {
			_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
			struct sched_node *node;

			assert_ok(
				schedule(&pool.config, nodes, MANY, &pool.request, &arena, &node));
			thousands[node->number / 1000]++;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(thousands); i++)
		assert_in_range(thousands[i], 500, 700);

	/* One of them is better by a container. */
	nodes[7777]->containers = 0;
	for (uint32_t i = 0; i < MANY; i++)
		nodes[i]->containers += i != 7777;
	pool_strategy(&pool, "spread");

	struct sched_node *node;

	assert_ok(schedule(&pool.config, nodes, MANY, &pool.request, &pool.arena, &node));
	assert_int_equal(node->number, 7777);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { test(test_near), test(test_random_is_not_near),
					    test(test_failed), test(test_ten_thousand) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
