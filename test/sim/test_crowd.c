/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When fibers run short: what asks many nodes at once asks fewer, what needs them all is refused, and
 * beyond that so is everything new. What is under way goes on.
 */
#include "sim/sim.h"

#include "fiber/fiber.h"
#include "fiber/loop.h"

#define NODES 24

static may_suspend void many_nodes(struct sim *s)
{
	for (int i = 1; i <= NODES; i++)
		sim_engine(s, sim_text(s, "n%d", i), IMAGE("busybox"));
	sim_up(s);
	for (int i = 1; i <= NODES; i++)
		sim_create(s, sim_text(s, "c%d", i), NULL);
}

/* So many more for the sake of one request. */
static void leave_room(size_t fibers)
{
	loop_set_fiber_capacity((fiber_count() + fibers + 2) / 3 * 4);
}

static may_suspend void prune_all(struct sim *s)
{
	struct sim_reply r;

	r = sim_post(s, "/containers/prune", NULL);
	loop_set_fiber_capacity(0);
	assert_status(r, 200);
	assert_int_equal(json_count(json_get(r.json, "ContainersDeleted")), NODES);
	sim_settle(s);
}

static may_suspend void few_nodes_are_asked_at_once(struct sim *s)
{
	many_nodes(s);
	leave_room(4);
	prune_all(s);
}

static may_suspend void one_is_asked_behind_the_other(struct sim *s)
{
	many_nodes(s);
	loop_set_fiber_capacity(fiber_count() / 6 * 7 + 8);
	assert_int_equal(loop_fiber_room(), 0);
	prune_all(s);
}

static may_suspend void a_load_needs_all(struct sim *s)
{
	struct sim_reply r;

	many_nodes(s);
	leave_room(NODES / 2);
	r = sim_post(s, "/images/load", "image app:1\n");
	loop_set_fiber_capacity(0);
	assert_refused(r, 503, "too much is under way to load an image into 24 nodes");
	assert_status(sim_post(s, "/images/load", "image app:1\n"), 200);
	sim_settle(s);
}

static may_suspend void nothing_new_is_begun(struct sim *s)
{
	struct sim_reply r;

	many_nodes(s);
	loop_set_fiber_capacity(fiber_count() + 4);
	r = sim_get(s, "/containers/json?all=1");
	loop_set_fiber_capacity(0);
	assert_refused(r, 503, "too many requests are under way");
	r = sim_get(s, "/containers/json?all=1");
	assert_status(r, 200);
	assert_int_equal(json_count(r.json), NODES);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(few_nodes_are_asked_at_once),
		STORY(one_is_asked_behind_the_other),
		STORY(a_load_needs_all),
		STORY(nothing_new_is_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
