/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups: starting, waiting, cancelling and joining.
 */
#include "trace.h"
#include "aborts.h"

#include "base/duration.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"

static void run(fiber_fn *main)
{
	loop_run(LOOP_VIRTUAL, main, NULL);
	loop_run(LOOP_REAL, main, NULL);
}

static void forever(void *arg)
{
	trace_end(arg, fiber_sleep(HOUR));
}

static void brief(void *arg)
{
	trace_end(arg, fiber_sleep(2 * MILLISECOND));
}

static void wait_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "a", brief, "a");
	group_go(&g, "b", brief, "b");
	trace("waiting");
	assert_ok(group_wait(&g));
	trace("all");
	assert_int_equal(g.n, 0);
	assert_trace("waiting a:ok b:ok all");
}

static void test_wait_returns_after_the_last(_unused_ void **state)
{
	run(wait_main);
}

static void empty_main(_unused_ void *arg)
{
	struct group g = GROUP_INIT;

	assert_ok(group_wait(&g));
	group_cancel(&g);
	group_finish(&g);
	group_finish(&g);
}

static void test_an_empty_group_waits_for_nobody(_unused_ void **state)
{
	run(empty_main);
	/* Nor does it need a fiber. */
	empty_main(NULL);
}

static void finish_main(_unused_ void *arg)
{
	{
		_cleanup_(group_finish) struct group g = GROUP_INIT;

		group_go(&g, "a", forever, "a");
		group_go(&g, "b", forever, "b");
		assert_ok(fiber_yield());
		trace("leaving");
	}
	trace("left");
	assert_trace("leaving a:cancelled b:cancelled left");
}

static void test_leaving_the_scope_cancels_and_joins(_unused_ void **state)
{
	run(finish_main);
}

static void slow_to_end(void *arg)
{
	error_free(fiber_sleep(HOUR));
	fiber_shield();
	trace_end(arg, fiber_sleep(2 * MILLISECOND));
	fiber_unshield();
}

static void owner(void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "inner", slow_to_end, "inner");
	trace_end(arg, group_wait(&g));
}

static void finish_shielded_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "outer", owner, "outer");
	assert_ok(fiber_yield());
	assert_ok(fiber_yield());
	group_finish(&g);
	/* The cancelled owner joined its child all the same. */
	assert_trace("outer:cancelled inner:ok");
}

static void test_finish_joins_though_cancelled(_unused_ void **state)
{
	run(finish_shielded_main);
}

static void finish_past_deadline_main(_unused_ void *arg)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(0);
	struct group g = GROUP_INIT;

	group_go(&g, "a", slow_to_end, "a");
	assert_fails(group_wait(&g), ERR_TIMEOUT);
	assert_int_equal(g.n, 1);
	group_finish(&g);
	assert_int_equal(g.n, 0);
	assert_trace("a:ok");
}

static void test_finish_joins_though_timed_out(_unused_ void **state)
{
	run(finish_past_deadline_main);
}

static void has_late_child(void *arg)
{
	error_free(fiber_sleep(HOUR));
	group_go(arg, "late", forever, "late");
}

static void late_main(_unused_ void *arg)
{
	struct group g = GROUP_INIT;

	group_go(&g, "parent", has_late_child, &g);
	assert_ok(fiber_yield());
	group_finish(&g);
	assert_trace("late:cancelled");

	/* The group is as new. */
	group_go(&g, "again", brief, "again");
	assert_ok(group_wait(&g));
	assert_trace("again:ok");
}

static void test_what_starts_during_finish_is_cancelled(_unused_ void **state)
{
	run(late_main);
}

static void waiter(void *arg)
{
	trace_end("waiter", group_wait(arg));
}

static void cancelled_wait_main(_unused_ void *arg)
{
	struct group inner = GROUP_INIT, outer = GROUP_INIT;

	group_go(&inner, "child", brief, "child");
	group_go(&outer, "waiter", waiter, &inner);
	assert_ok(fiber_yield());
	group_finish(&outer);
	trace("then");
	assert_ok(group_wait(&inner));
	assert_trace("waiter:cancelled then child:ok");
}

static void test_a_cancelled_wait_leaves_them_running(_unused_ void **state)
{
	run(cancelled_wait_main);
}

static void leaky_main(void *arg)
{
	group_go(arg, "orphan", forever, "orphan");
}

static void test_a_fiber_that_outlives_main_aborts(_unused_ void **state)
{
	static struct group g;

	assert_loop_aborts(LOOP_REAL, leaky_main, &g, "main fiber returned before the others");
	assert_loop_aborts(LOOP_VIRTUAL, leaky_main, &g, "orphan");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_returns_after_the_last),
		cmocka_unit_test(test_an_empty_group_waits_for_nobody),
		cmocka_unit_test(test_leaving_the_scope_cancels_and_joins),
		cmocka_unit_test(test_finish_joins_though_cancelled),
		cmocka_unit_test(test_finish_joins_though_timed_out),
		cmocka_unit_test(test_what_starts_during_finish_is_cancelled),
		cmocka_unit_test(test_a_cancelled_wait_leaves_them_running),
		cmocka_unit_test(test_a_fiber_that_outlives_main_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
