/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait queues: order, and that no wake-up gets lost.
 */
#include "trace.h"
#include "aborts.h"

#include "base/duration.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/waitq.h"

static struct waitq q;
static int tokens;

static void taker(void *arg)
{
	struct error *err = NULL;

	while (tokens == 0 && !err)
		err = waitq_wait(&q, "a token");
	if (!err)
		tokens--;
	trace_end(arg, err);
}

static void start_takers(struct group *g, int n)
{
	static char *const names[] = { "a", "b", "c", "d" };

	for (int i = 0; i < n; i++)
		group_go(g, names[i], taker, names[i]);
}

static void give(void)
{
	tokens++;
	waitq_wake_one(&q);
}

static void order_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	start_takers(&g, 3);
	assert_ok(fiber_yield());
	assert_false(waitq_empty(&q));
	give();
	assert_ok(fiber_yield());
	trace("then");
	give();
	give();
	assert_ok(group_wait(&g));
	assert_true(waitq_empty(&q));
	assert_trace("a:ok then b:ok c:ok");
	waitq_fini(&q);
}

static void test_the_longest_waiting_is_first(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, order_main, NULL);
	loop_run(LOOP_REAL, order_main, NULL);
}

static void all_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	start_takers(&g, 4);
	assert_ok(fiber_yield());
	tokens = 3;
	waitq_wake_all(&q);
	assert_ok(fiber_yield());
	assert_trace("a:ok b:ok c:ok");
	assert_false(waitq_empty(&q));
	give();
	assert_ok(group_wait(&g));
	assert_trace("d:ok");
}

static void test_wake_all_wakes_each(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, all_main, NULL);
}

/* The one that was woken is cancelled before it runs: it takes its token all the same. */
static void woken_then_cancelled_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group first = GROUP_INIT, rest = GROUP_INIT;

	group_go(&first, "a", taker, "a");
	assert_ok(fiber_yield());
	group_go(&rest, "b", taker, "b");
	assert_ok(fiber_yield());
	give();
	group_cancel(&first);
	assert_ok(group_wait(&first));
	give();
	assert_ok(group_wait(&rest));
	assert_trace("a:ok b:ok");
	assert_int_equal(tokens, 0);
}

/* The one that was cancelled is out of the queue: the token wakes the next. */
static void cancelled_then_woken_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group first = GROUP_INIT, rest = GROUP_INIT;

	group_go(&first, "a", taker, "a");
	assert_ok(fiber_yield());
	group_go(&rest, "b", taker, "b");
	assert_ok(fiber_yield());
	group_cancel(&first);
	give();
	assert_ok(group_wait(&rest));
	assert_ok(group_wait(&first));
	assert_trace("a:cancelled b:ok");
}

static void test_no_wake_up_is_lost(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, woken_then_cancelled_main, NULL);
	loop_run(LOOP_VIRTUAL, cancelled_then_woken_main, NULL);
}

static void already_cancelled_main(_unused_ void *arg)
{
	fiber_cancel(fiber_self());
	assert_fails(waitq_wait(&q, "nothing"), ERR_CANCELLED);
	assert_true(waitq_empty(&q));
	waitq_fini(&q);
}

static void test_a_refused_wait_leaves_the_queue(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, already_cancelled_main, NULL);
}

static void fini_with_waiter_main(_unused_ void *arg)
{
	struct group g = GROUP_INIT;

	start_takers(&g, 1);
	error_free(fiber_yield());
	waitq_fini(&q);
}

static void test_fini_under_a_waiter_aborts(_unused_ void **state)
{
	assert_loop_aborts(LOOP_VIRTUAL, fini_with_waiter_main, NULL, "waitq_empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_longest_waiting_is_first),
		cmocka_unit_test(test_wake_all_wakes_each),
		cmocka_unit_test(test_no_wake_up_is_lost),
		cmocka_unit_test(test_a_refused_wait_leaves_the_queue),
		cmocka_unit_test(test_fini_under_a_waiter_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
