/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines: nesting, ending, and what wins over what.
 */
#include "trace.h"
#include "aborts.h"

#include "base/duration.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"

static void timeout_main(_unused_ void *arg)
{
	struct deadline d = deadline_begin(10 * MILLISECOND);
	int64_t before = clock_now();

	assert_false(deadline_passed(&d));
	assert_fails(fiber_sleep(HOUR), ERR_TIMEOUT);
	assert_true(clock_now() - before >= 10 * MILLISECOND);
	assert_true(deadline_passed(&d));

	/* From now on, without parking. */
	assert_fails(fiber_sleep(HOUR), ERR_TIMEOUT);
	assert_fails(fiber_check(), ERR_TIMEOUT);
	deadline_end(&d);
	deadline_end(&d);
	assert_ok(fiber_sleep(1));
}

static void test_a_deadline_ends_a_park(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, timeout_main, NULL);
	loop_run(LOOP_REAL, timeout_main, NULL);
}

static void nested_main(_unused_ void *arg)
{
	_cleanup_(deadline_end) struct deadline outer = deadline_begin(30 * SECOND);
	int64_t start = clock_now();

	{
		_cleanup_(deadline_end) struct deadline inner = deadline_begin(10 * SECOND);

		assert_fails(fiber_sleep(20 * SECOND), ERR_TIMEOUT);
		assert_int_equal(clock_now() - start, 10 * SECOND);
		assert_true(deadline_passed(&inner));
		assert_false(deadline_passed(&outer));
	}
	{
		_cleanup_(deadline_end) struct deadline inner = deadline_begin(HOUR);

		assert_fails(fiber_sleep(HOUR), ERR_TIMEOUT);
		assert_int_equal(clock_now() - start, 30 * SECOND);
		assert_false(deadline_passed(&inner));
	}
	assert_true(deadline_passed(&outer));
}

static void test_the_nearest_counts(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, nested_main, NULL);
}

static void forever_main(_unused_ void *arg)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(INT64_MAX);

	assert_ok(fiber_sleep(24 * HOUR));
	assert_false(deadline_passed(&d));
}

static void test_a_span_without_end_does_not_overflow(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, forever_main, NULL);
}

static void equal_main(_unused_ void *arg)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(5 * SECOND);

	/* A sleep that ends with the deadline has lasted its span. */
	assert_ok(fiber_sleep(5 * SECOND));
	assert_fails(fiber_check(), ERR_TIMEOUT);
}

static void test_a_sleep_up_to_the_deadline_is_whole(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, equal_main, NULL);
}

static void times_out(_unused_ void *arg)
{
	struct deadline d = deadline_begin(SECOND);

	trace_end("first", fiber_sleep(HOUR));
	deadline_end(&d);
	trace_end("second", fiber_sleep(HOUR));
}

static void precedence_main(_unused_ void *arg)
{
	struct group g = GROUP_INIT;

	/* Both wake at the same time, main first: it cancels a fiber that has just timed out. */
	group_go(&g, "both", times_out, NULL);
	assert_ok(fiber_yield());
	assert_ok(fiber_sleep(SECOND));
	trace("main");
	group_finish(&g);
	assert_trace("first:timeout main second:cancelled");

	struct deadline d = deadline_begin(0);

	group_go(&g, "both", times_out, NULL);
	fiber_cancel(fiber_self());
	assert_fails(fiber_check(), ERR_CANCELLED);
	assert_fails(fiber_sleep(1), ERR_CANCELLED);
	deadline_end(&d);
	group_finish(&g);
	assert_trace("first:cancelled second:cancelled");
}

static void test_cancellation_outranks_a_timeout(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, precedence_main, NULL);
}

static void canceller(void *arg)
{
	error_free(fiber_sleep(SECOND));
	fiber_cancel(arg);
}

static void race_main(_unused_ void *arg)
{
	struct group g = GROUP_INIT;

	/* The canceller's timer was set first, so it runs between our timeout and our return. */
	group_go(&g, "canceller", canceller, fiber_self());
	assert_ok(fiber_yield());

	struct deadline d = deadline_begin(SECOND);

	assert_fails(fiber_sleep(HOUR), ERR_CANCELLED);
	deadline_end(&d);
	group_finish(&g);
}

static void test_cancelled_between_timeout_and_return(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, race_main, NULL);
}

static void shield_main(_unused_ void *arg)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(SECOND);

	fiber_shield();
	assert_ok(fiber_sleep(MINUTE));
	assert_ok(fiber_check());
	fiber_unshield();
	assert_fails(fiber_check(), ERR_TIMEOUT);
}

static void test_a_shield_holds_the_deadline_back(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, shield_main, NULL);
}

static void own_child(_unused_ void *arg)
{
	trace_end("child", fiber_sleep(MINUTE));
}

static void child_main(_unused_ void *arg)
{
	_cleanup_(deadline_end) struct deadline d = deadline_begin(SECOND);
	struct group g = GROUP_INIT;

	/* A deadline is its fiber's own; the scope of the group passes it on as a cancellation. */
	group_go(&g, "child", own_child, NULL);
	trace_end("wait", group_wait(&g));
	group_finish(&g);
	assert_trace("wait:timeout child:cancelled");
}

static void test_children_end_with_their_scope(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, child_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_deadline_ends_a_park),
		cmocka_unit_test(test_the_nearest_counts),
		cmocka_unit_test(test_a_span_without_end_does_not_overflow),
		cmocka_unit_test(test_a_sleep_up_to_the_deadline_is_whole),
		cmocka_unit_test(test_cancellation_outranks_a_timeout),
		cmocka_unit_test(test_cancelled_between_timeout_and_return),
		cmocka_unit_test(test_a_shield_holds_the_deadline_back),
		cmocka_unit_test(test_children_end_with_their_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
