/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prunes go to every node: what went is one list and out of the tables when the client hears of it;
 * a node that fails in whatever way is named, and the others have done their work.
 */
#include "sim/sim.h"

static may_suspend void three_with_stopped_ones(struct sim *s)
{
	for (int i = 1; i <= 3; i++)
		sim_engine(s, sim_text(s, "n%d", i), IMAGE("busybox"),
			   IMAGE(sim_text(s, "only-%d", i)));
	sim_up(s);
	for (int i = 1; i <= 6; i++)
		sim_create(s, sim_text(s, "c%d", i),
			   i % 2 ? NULL : "{\"Image\":\"busybox\",\"Labels\":{\"even\":\"1\"}}");
	sim_run_container(s, "stays", NULL);
}

static struct sim_engine *node(struct sim *s, int i)
{
	return sim_find_engine(s, sim_text(s, "n%d", i));
}

static size_t count_all(struct sim *s)
{
	size_t n = 0;

	for (int i = 1; i <= 3; i++)
		n += sim_count_containers(node(s, i));
	return n;
}

static may_suspend size_t listed(struct sim *s, const char *path)
{
	return json_count(sim_get(s, path).json);
}

static int64_t space(const struct sim_reply *r)
{
	return json_get_i64(r->json, "SpaceReclaimed", -1);
}

static may_suspend void stopped_containers_go_everywhere(struct sim *s)
{
	struct sim_reply r;

	three_with_stopped_ones(s);
	r = sim_post(s, "/containers/prune", NULL);
	assert_status(r, 200);
	assert_int_equal(json_count(json_get(r.json, "ContainersDeleted")), 6);
	assert_int_equal(space(&r), 6000);
	assert_int_equal(listed(s, "/containers/json?all=1"), 1);
	assert_status(sim_get(s, "/containers/c1/json"), 404);
	sim_create(s, "c1", NULL);
	sim_settle(s);
}

static may_suspend void nothing_to_prune_is_null(struct sim *s)
{
	struct sim_reply r;

	three_with_stopped_ones(s);
	assert_status(sim_post(s, "/containers/prune", NULL), 200);
	r = sim_post(s, "/containers/prune", NULL);
	assert_status(r, 200);
	assert_int_equal(json_type(json_get(r.json, "ContainersDeleted")), JSON_NULL);
	assert_int_equal(space(&r), 0);
}

static may_suspend void filters_reach_the_engines(struct sim *s)
{
	struct sim_reply r;

	three_with_stopped_ones(s);
	r = sim_post(s, "/containers/prune?filters=%7B%22label%22%3A%5B%22even%22%5D%7D", NULL);
	assert_status(r, 200);
	assert_int_equal(json_count(json_get(r.json, "ContainersDeleted")), 3);
	/* All say the same: it is said once, as by one engine. */
	r = sim_post(s, "/containers/prune?filters=%7B%22x%22%3A%5B%22even%22%5D%7D", NULL);
	assert_status(r, 400);
	assert_str(r.body, "{\"message\":\"Invalid filter 'x'\"}\n");
	sim_settle(s);
}

/* {"until":["<value>"]} */
static const char *until(struct sim *s, const char *value)
{
	return sim_text(s, "/containers/prune?filters=%%7B%%22until%%22%%3A%%5B%%22%s%%22%%5D%%7D",
			value);
}

/* {"until":{"<value>":true}}, of a point in time as the node's clock has it. */
static const char *until_of(struct sim *s, const struct sim_engine *e, int64_t seconds)
{
	int64_t at = seconds * SECOND + engine_skew(sim_node(s, e));

	return sim_text(s, "filters=%%7B%%22until%%22%%3A%%7B%%22%lld.%09lld%%22%%3Atrue%%7D%%7D",
			(long long)(at / SECOND), (long long)(at % SECOND));
}

static may_suspend void assert_until(struct sim *s, const char *value, int64_t seconds)
{
	const char *on_n2 = until_of(s, node(s, 2), seconds);

	assert_status(sim_post(s, until(s, value), NULL), 200);
	assert_int_equal(sim_calls(node(s, 1), sim_text(s, "POST %s", until(s, value))), 1);
	assert_int_equal(sim_calls(node(s, 2), sim_text(s, "POST /containers/prune?%s", on_n2)), 1);
}

/* What is no point in time by itself reaches the node as it is. */
static may_suspend void assert_same(struct sim *s, const char *value)
{
	const char *part = "POST /containers/prune?filters=%%7B%%22until%%22%%3A%%7B%%22%s%%22";

	assert_status(sim_post(s, until(s, value), NULL), 200);
	assert_int_equal(sim_calls(node(s, 2), sim_text(s, part, value)), 1);
}

/* A point in time is as the node's clock has it; a span is a span. */
static may_suspend void until_is_of_each_nodes_clock(struct sim *s)
{
	const char *both = "/containers/prune?x=1&filters=%7B%22until%22%3A%5B%221700000002%22%5D"
			   "%2C%22node%22%3A%5B%22n2%22%5D%7D";
	const char *on_n2;

	sim_engine(s, "n1");
	sim_engine(s, "n2", SKEW(100 * SECOND));
	sim_up(s);
	assert_true(engine_skew(sim_node(s, node(s, 2))) > 99 * SECOND);
	assert_until(s, "1700000000", 1700000000);
	assert_until(s, "2023-11-14T22%3A13%3A21Z", 1700000001);
	assert_same(s, "24h");
	/* In which zone that is the engine knows. */
	assert_same(s, "2023-11-14");

	on_n2 = until_of(s, node(s, 2), 1700000002);
	assert_status(sim_post(s, both, NULL), 200);
	assert_int_equal(sim_calls(node(s, 2), sim_text(s, "POST /containers/prune?x=1&%s", on_n2)),
			 1);
	assert_int_equal(sim_calls(node(s, 1), "POST /containers/prune?x=1"), 0);
	sim_settle(s);
}

/* More nodes than are asked at a time; of many that fail some are named. */
static may_suspend void of_many_nodes_each_is_asked(struct sim *s)
{
	const size_t nodes = LIMIT_FAN_OUT + 3;
	struct sim_reply r;

	for (size_t i = 1; i <= nodes; i++)
		sim_engine(s, sim_text(s, "n%zu", i));
	sim_up(s);
	assert_status(sim_post(s, "/containers/prune", NULL), 200);
	for (size_t i = 1; i <= nodes; i++)
		assert_int_equal(sim_calls(node(s, (int)i), "POST /containers/prune"), 1);

	sim_fault(s, node(s, 1), FAULT_RESET, "POST /containers/prune", 1);
	r = sim_post(s, "/containers/prune?filters=%7B%22x%22%3A%5B%22even%22%5D%7D", NULL);
	assert_refused(r, 502, "n10: Invalid filter 'x'; n100: ");
	assert_true(str_contains(r.body, STR("and 495 nodes more")));
	assert_false(str_contains(r.body, STR("the other nodes deleted")));
	sim_fault_clear(s);
	sim_settle(s);
}

static may_suspend void a_node_can_be_pruned_alone(struct sim *s)
{
	size_t here;
	struct sim_reply r;

	three_with_stopped_ones(s);
	here = sim_count_containers(node(s, 2)) -
	       (strcmp(sim_node_of(s, "stays"), "n2") == 0 ? 1 : 0);
	r = sim_post(s, "/containers/prune?filters=%7B%22node%22%3A%5B%22n2%22%5D%7D", NULL);
	assert_status(r, 200);
	assert_int_equal(json_count(json_get(r.json, "ContainersDeleted")), here);
	assert_int_equal(sim_calls(node(s, 1), "POST /containers/prune"), 0);
	assert_refused(
		sim_post(s, "/containers/prune?filters=%7B%22node%22%3A%5B%22x%22%5D%7D", NULL),
		500, "No healthy node");
	sim_settle(s);
}

static may_suspend void images_of_several_nodes_are_told_once(struct sim *s)
{
	struct sim_reply r;

	three_with_stopped_ones(s);
	r = sim_post(s, "/images/prune?filters=%7B%22dangling%22%3A%5B%22false%22%5D%7D", NULL);
	assert_status(r, 200);
	/* Three images, their tags, and the layer that all had; busybox is in use where it is. */
	assert_true(str_contains(r.body, STR("only-1")) && str_contains(r.body, STR("only-3")));
	assert_int_equal(json_count(json_get(r.json, "ImagesDeleted")), 7);
	assert_int_equal(space(&r), 12000000);
	assert_int_equal(listed(s, "/images/json"), 1);
	assert_status(sim_get(s, "/images/only-1/json"), 404);
	sim_settle(s);
}

static may_suspend void build_caches_are_joined(struct sim *s)
{
	struct sim_reply r;

	three_with_stopped_ones(s);
	r = sim_post(s, "/build/prune?all=1", NULL);
	assert_status(r, 200);
	assert_int_equal(json_count(json_get(r.json, "CachesDeleted")), 3);
	assert_int_equal(space(&r), 1500);
	assert_int_equal(sim_calls(node(s, 1), "POST /build/prune?all=1"), 1);
}

/* Whatever becomes of one node, the answer comes, names it, and the others are clean. */
static may_suspend void a_failure_is_named(struct sim *s, enum fault_kind kind, int status)
{
	struct sim_reply r;

	three_with_stopped_ones(s);
	sim_fault(s, node(s, 2), kind, "POST /containers/prune", 1);
	r = sim_post(s, "/containers/prune", NULL);
	assert_refused(r, status, "n2: ");
	assert_true(str_contains(r.body, STR("the other nodes deleted")));
	assert_int_equal(sim_count_containers(node(s, 1)) + sim_count_containers(node(s, 3)),
			 strcmp(sim_node_of(s, "stays"), "n2") != 0);
	sim_fault_clear(s);
	sim_settle(s);
}

static may_suspend void a_reset_is_named(struct sim *s)
{
	a_failure_is_named(s, FAULT_RESET, 502);
}

static may_suspend void an_end_in_the_middle_is_named(struct sim *s)
{
	a_failure_is_named(s, FAULT_CUT, 502);
}

static may_suspend void garbage_is_named(struct sim *s)
{
	a_failure_is_named(s, FAULT_GARBAGE, 502);
}

static may_suspend void a_node_that_hangs_is_named(struct sim *s)
{
	a_failure_is_named(s, FAULT_STALL, 504);
}

struct prune_job {
	struct sim *s;
	struct sim_reply reply;
};

static may_suspend void prune_main(void *arg)
{
	struct prune_job *job = arg;

	job->reply = sim_post(job->s, "/containers/prune", NULL);
}

/*
 * The node goes away while it works, and no connection says so: it is given up when it is known to
 * be unhealthy, long before a prune may be called too slow.
 */
static may_suspend void a_node_that_is_cut_off_is_given_up(struct sim *s)
{
	struct prune_job job = { .s = s };

	three_with_stopped_ones(s);
	sim_fault(s, node(s, 2), FAULT_STALL, "POST /containers/prune", 1);
	sim_go(s, "client", prune_main, &job);
	sim_wait(s, sim_fault_fired(s));
	sim_cut(node(s, 2));
	sim_run(s, 90 * SECOND);
	assert_refused(job.reply, 500, "n2: the node became unhealthy before it answered");
	sim_fault_clear(s);
	sim_heal(node(s, 2));
	sim_settle(s);
	assert_int_equal(sim_count_containers(node(s, 1)) + sim_count_containers(node(s, 3)),
			 strcmp(sim_node_of(s, "stays"), "n2") != 0);
}

static may_suspend void unhealthy_nodes_are_left_out(struct sim *s)
{
	three_with_stopped_ones(s);
	sim_cut(node(s, 2));
	sim_run(s, 90 * SECOND);
	assert_status(sim_post(s, "/containers/prune", NULL), 200);
	assert_true(count_all(s) > 1);
	sim_heal(node(s, 2));
	sim_settle(s);
}

static may_suspend void a_client_that_leaves_leaves_nothing_behind(struct sim *s)
{
	struct stream *client;

	three_with_stopped_ones(s);
	client = sim_connect(s, "192.168.0.9");
	assert_null(stream_write(client, STR("POST /containers/prune HTTP/1.1\r\nHost: x\r\n"
					     "Content-Length: 0\r\n\r\n")));
	sim_run(s, 2 * MILLISECOND);
	stream_close(client);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(stopped_containers_go_everywhere),
		STORY(nothing_to_prune_is_null),
		STORY(filters_reach_the_engines),
		STORY(until_is_of_each_nodes_clock),
		STORY(of_many_nodes_each_is_asked),
		STORY(a_node_can_be_pruned_alone),
		STORY(images_of_several_nodes_are_told_once),
		STORY(build_caches_are_joined),
		STORY(a_reset_is_named),
		STORY(an_end_in_the_middle_is_named),
		STORY(garbage_is_named),
		STORY(a_node_that_hangs_is_named),
		STORY(a_node_that_is_cut_off_is_given_up),
		STORY(unhealthy_nodes_are_left_out),
		STORY(a_client_that_leaves_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
