/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fence: open until a time on the clock, and for an operation only in its own term.
 */
#include "trace.h"

#include "base/attr.h"
#include "base/duration.h"
#include "fiber/clock.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "fiber/group.h"

static void time_main(_unused_ void *arg)
{
	struct fence f = FENCE_INIT;

	assert_false(fence_is_open(&f));
	assert_fails(fence_check(&f), ERR_NOT_PRIMARY);
	fence_open(&f, clock_boot() + 10 * SECOND);
	assert_true(fence_is_open(&f));
	assert_ok(fence_check(&f));
	assert_ok(fiber_sleep(10 * SECOND - 1));
	assert_ok(fence_check(&f));
	assert_ok(fiber_sleep(1));
	assert_false(fence_is_open(&f));
	assert_fails(fence_check(&f), ERR_NOT_PRIMARY);
	fence_extend(&f, clock_boot() + SECOND);
	assert_ok(fence_check(&f));
	fence_close(&f);
	assert_fails(fence_check(&f), ERR_NOT_PRIMARY);
}

static void test_it_closes_by_the_clock_alone(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, time_main, NULL);
}

static void check_in_child(void *fence)
{
	trace_end("child", fence_check(fence));
}

static void ask_in_child(struct fence *f)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "child", check_in_child, f);
	assert_ok(group_wait(&g));
}

static void term_main(_unused_ void *arg)
{
	struct fence f = FENCE_INIT;

	fence_open(&f, INT64_MAX);
	assert_ok(fence_enter(&f));
	ask_in_child(&f);
	assert_trace("child:ok");

	/* It is lost and won again: what was begun before is over, in every fiber of it. */
	fence_close(&f);
	fence_open(&f, INT64_MAX);
	assert_true(fence_is_open(&f));
	assert_fails(fence_check(&f), ERR_NOT_PRIMARY);
	ask_in_child(&f);
	assert_trace("child:this manager was not the primary for a while: ask again");

	/* The next operation of the same fiber. */
	assert_ok(fence_enter(&f));
	assert_ok(fence_check(&f));
	ask_in_child(&f);
	assert_trace("child:ok");

	/* Entered while it was closed: never. */
	fence_close(&f);
	assert_fails(fence_enter(&f), ERR_NOT_PRIMARY);
	fence_open(&f, INT64_MAX);
	assert_fails(fence_check(&f), ERR_NOT_PRIMARY);
}

static void test_an_operation_belongs_to_its_term(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, term_main, NULL);
}

static void none_main(_unused_ void *arg)
{
	struct fence f = FENCE_INIT;

	fence_open(&f, INT64_MAX);
	assert_true(fence_is_open(NULL));
	assert_ok(fence_enter(NULL));
	assert_ok(fence_check(NULL));
	assert_ok(fence_check(&f));
}

static void test_a_manager_alone_has_none(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, none_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_closes_by_the_clock_alone),
		cmocka_unit_test(test_an_operation_belongs_to_its_term),
		cmocka_unit_test(test_a_manager_alone_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
