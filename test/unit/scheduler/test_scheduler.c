/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler/scheduler.c and reason.c: soft expressions, and what a refusal says. */
#include "unit/scheduler/pool.h"
#include "unit/testing.h"

#include "base/rand.h"

static struct pool pool;

static int setup(void **state)
{
	(void)state;
	rand_seed(4);
	pool_init(&pool);
	pool_add(&pool, "node-1", "storage=ssd")->containers = "web1";
	pool_add(&pool, "node-2", "storage=ssd")->containers = "web2";
	pool_add(&pool, "node-3", "storage=disk");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pool_fini(&pool);
	return 0;
}

static void assert_chosen(const char *name)
{
	struct sched_node *node;

	for (int i = 0; i < 8; i++) {
		assert_ok(pool_schedule(&pool, &node));
		assert_str(node->name, name);
	}
}

static void assert_refused(const char *message)
{
	struct sched_node *node;
	_cleanup_(error_freep) struct error *err = pool_schedule(&pool, &node);

	assert_true(error_is(err, ERR_NO_NODE));
	assert_string_equal(error_message(err), message);
}

static void test_soft(void **state)
{
	(void)state;
	pool_constraint(&pool, "storage==~disk");
	assert_chosen("node-3");

	/* Soft ones that cannot be met are left out, all at once. */
	pool_affinity(&pool, "container==~nobody");
	pool.nodes[1]->containers = pool.nodes[2]->containers = 1;
	assert_chosen("node-1");

	/* Hard ones stay. */
	pool_constraint(&pool, "node!=node-1");
	pool.nodes[2]->containers = 2;
	assert_chosen("node-2");
}

static void test_soft_and_resources(void **state)
{
	(void)state;
	pool_constraint(&pool, "storage==~disk");
	pool.request.nano_cpus = CORES(2);
	pool.nodes[2]->reserved_nano_cpus = CORES(3);
	pool.nodes[1]->reserved_nano_cpus = CORES(1);
	assert_chosen("node-1");
}

static void test_only(void **state)
{
	(void)state;
	pool_only(&pool, &pool.v[1], "the image is not on");
	assert_chosen("node-2");
	pool_constraint(&pool, "storage==disk");
	assert_refused("Unable to find a node that satisfies the following conditions "
		       "\n[storage==disk]"
		       "\nno node fits: 3 nodes: the image is not on: node-1, node-3; "
		       "constraint storage==disk not met by node-2 (storage=ssd)");
	pool_only(&pool, NULL, "the image is not on");
	assert_refused("Unable to find a node that satisfies the following conditions "
		       "\n[the image is not on]"
		       "\nno node fits: 3 nodes: the image is not on: node-1, node-2, node-3");
}

/* A node that is no longer among them, as in a list made before a pause. */
static void test_only_gone(void **state)
{
	struct pool_node gone = { .sched = { .name = STR_INIT("gone"), .at = 1 } };
	struct sched_node *node;

	(void)state;
	pool_only(&pool, &gone, "it is on a node that left");
	assert_err(pool_schedule(&pool, &node), ERR_NO_NODE, "[it is on a node that left]");
}

static void test_no_nodes(void **state)
{
	(void)state;
	pool.n = 0;
	assert_refused("No healthy node available in the cluster");
}

static void test_unhealthy(void **state)
{
	(void)state;
	pool.nodes[0]->healthy = pool.nodes[1]->healthy = pool.nodes[2]->healthy = false;
	assert_refused("No healthy node available in the cluster"
		       "\nno node fits: 3 nodes: no healthy engine on node-1, node-2, node-3");
	pool.n = 1;
	assert_refused("No healthy node available in the cluster"
		       "\nno node fits: 1 node: no healthy engine on node-1");
}

static void test_ports(void **state)
{
	(void)state;
	pool_port(&pool, 8080, "tcp");
	pool_port(&pool, 80, "tcp");
	pool.v[0].ports = pool.v[1].ports = "80/tcp=web1";
	pool.v[1].ports = "80/tcp=web2";
	pool_constraint(&pool, "storage==ssd");
	assert_refused("Unable to find a node that satisfies the following conditions "
		       "\n[storage==ssd]"
		       "\nno node fits: 3 nodes: port 80 taken on node-1, node-2 (web1, web2); "
		       "constraint storage==ssd not met by node-3 (storage=disk)");

	pool.v[2].ports = "80/tcp=web1";
	assert_refused("unable to find a node with port 80 available"
		       "\nno node fits: 3 nodes: port 80 taken on node-1, node-2, node-3 "
		       "(web1, web2)");

	pool.request.n_ports = 0;
	pool_port(&pool, 53, "udp");
	pool.request.host_network = true;
	pool.n = 1;
	pool.v[0].ports = "53/udp=dns";
	assert_refused("unable to find a node with port 53/udp available in the Host mode"
		       "\nno node fits: 1 node: port 53/udp taken on node-1 (dns)");
}

static void test_slots(void **state)
{
	(void)state;
	pool.n = 1;
	pool.v[0].labels[0] = (struct sched_label){ STR("containerslots"), STR("2") };
	sched_node_set_labels(pool.nodes[0], pool.v[0].labels, 1);
	pool.nodes[0]->containers = 3;
	assert_refused("No node with enough open slots available in the cluster"
		       "\nno node fits: 1 node: no container slot free on node-1 (3 of 2 taken)");
}

static void test_dependencies(void **state)
{
	(void)state;
	pool_dependency(&pool, "db", &pool.v[2]);
	pool_dependency(&pool, "node-1/logs", NULL);
	assert_refused("Unable to find a node fulfilling all dependencies: db node-1/logs"
		       "\nno node fits: 3 nodes: container node-1/logs not on node-3 "
		       "(there is none); container db not on node-1, node-2 (it is on node-3)");
}

static void test_expressions(void **state)
{
	(void)state;
	pool_affinity(&pool, "container!=web*");
	pool_constraint(&pool, "storage!=disk");
	pool_constraint(&pool, "storage==~tape");
	pool_whitelist(&pool, "node==node-1|node-2");
	assert_refused("Unable to find a node that satisfies the following conditions "
		       "\n[container!=web*]\n[storage!=disk]\n[node==node-1|node-2]"
		       "\nno node fits: 3 nodes: affinity container!=web* not met by node-1, "
		       "node-2; constraint storage!=disk not met by node-3 (storage=disk)");
}

static void test_missing_label(void **state)
{
	(void)state;
	pool.nodes[2]->n_labels = 0;
	pool_constraint(&pool, "storage==tape");
	assert_refused("Unable to find a node that satisfies the following conditions "
		       "\n[storage==tape]"
		       "\nno node fits: 3 nodes: constraint storage==tape not met by node-1, "
		       "node-2, node-3 (storage=ssd, no storage)");
}

static void test_resources(void **state)
{
	(void)state;
	pool.request.nano_cpus = CORES(1.5);
	pool.request.memory = MIBS(1536);
	pool.nodes[0]->reserved_nano_cpus = CORES(3);
	pool.nodes[1]->reserved_nano_cpus = CORES(5);
	pool.nodes[2]->reserved_memory = MIBS(3072);
	assert_refused("no resources available to schedule container"
		       "\nno node fits: 3 nodes: 1.5 GiB of memory not free on node-3 "
		       "(1 GiB free); 1.5 CPUs not free on node-1, node-2 (1 free, 0 free)");
}

static void test_much_memory(void **state)
{
	(void)state;
	pool.request.memory = MIBS(900 * 1024 * 1024LL);
	assert_refused("no resources available to schedule container"
		       "\nno node fits: 3 nodes: 900 TiB of memory not free on node-1, node-2, "
		       "node-3 (4 GiB free)");
}

/* Five are named, the others counted. */
static void test_many(void **state)
{
	(void)state;
	pool_add(&pool, "node-4", "storage=ssd");
	pool_add(&pool, "node-5", "storage=ssd");
	pool_add(&pool, "node-6", "storage=x");
	pool_add(&pool, "node-7", "storage=y");
	pool_constraint(&pool, "storage==tape");
	assert_refused("Unable to find a node that satisfies the following conditions "
		       "\n[storage==tape]"
		       "\nno node fits: 7 nodes: constraint storage==tape not met by node-1, "
		       "node-2, node-3, node-4, node-5 and 2 more (storage=ssd, storage=disk)");
}

static void test_budget(void **state)
{
	static char value[202] = "label=";
	struct sched_node *node;

	(void)state;
	memset(value + 6, 'a', 194);
	value[200] = '!';
	pool_add(&pool, "node-4", value);
	pool_constraint(&pool, "label!=~/(a+)+$/");
	assert_err(pool_schedule(&pool, &node), ERR_INVALID,
		   "the pattern in 'label!=~/(a+)+$/' takes too long to match");
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_soft),	  test(test_soft_and_resources),
		test(test_only),	  test(test_only_gone),
		test(test_no_nodes),	  test(test_unhealthy),
		test(test_ports),	  test(test_slots),
		test(test_dependencies),  test(test_expressions),
		test(test_missing_label), test(test_resources),
		test(test_much_memory),	  test(test_many),
		test(test_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
