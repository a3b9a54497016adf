/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parking and waking: sleep, yield, cancellation, shield, NO_SUSPEND, and what the dump says.
 */
#include "trace.h"
#include "aborts.h"

#include <sys/mman.h>

#include "base/duration.h"
#include "base/mem.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/waitq.h"

static void run(fiber_fn *main)
{
	loop_run(LOOP_VIRTUAL, main, NULL);
	loop_run(LOOP_REAL, main, NULL);
}

static void child_names_itself(void *arg)
{
	trace(arg);
}

static void yield_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "a", child_names_itself, "a");
	group_go(&g, "b", child_names_itself, "b");
	trace("main");
	assert_ok(fiber_yield());
	trace("back");
	assert_trace("main a b back");
}

static void test_yield_lets_all_others_run(_unused_ void **state)
{
	run(yield_main);
}

static void sleeper(void *arg)
{
	trace_end("sleeper", fiber_sleep(*(int64_t *)arg));
}

static void cancel_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	int64_t span = HOUR;

	group_go(&g, "sleeper", sleeper, &span);
	assert_ok(fiber_yield());
	trace("parked");
	group_cancel(&g);
	assert_ok(group_wait(&g));
	assert_trace("parked sleeper:cancelled");
}

static void test_cancel_ends_a_park(_unused_ void **state)
{
	run(cancel_main);
}

static void stubborn(_unused_ void *arg)
{
	trace_end("sleep", fiber_sleep(HOUR));
	trace_end("sleep", fiber_sleep(HOUR));
	trace_end("yield", fiber_yield());
	trace_end("check", fiber_check());
	trace_end("pace", fiber_pace());
}

static void cancel_lasts_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "stubborn", stubborn, NULL);
	group_cancel(&g);
	assert_ok(group_wait(&g));
	assert_trace("sleep:cancelled sleep:cancelled yield:cancelled check:cancelled "
		     "pace:cancelled");
}

static void test_cancel_lasts(_unused_ void **state)
{
	run(cancel_lasts_main);
}

static void shielded_sleeper(_unused_ void *arg)
{
	fiber_shield();
	fiber_shield();
	trace_end("shielded", fiber_sleep(5 * MILLISECOND));
	fiber_unshield();
	trace_end("still", fiber_sleep(1));
	fiber_unshield();
	trace_end("open", fiber_sleep(HOUR));
}

static void shield_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "shielded", shielded_sleeper, NULL);
	assert_ok(fiber_yield());
	group_cancel(&g);
	trace("asked");
	assert_ok(group_wait(&g));
	assert_trace("asked shielded:ok still:ok open:cancelled");
}

static void test_shield_holds_cancellation_back(_unused_ void **state)
{
	run(shield_main);
}

static void long_sleep_main(_unused_ void *arg)
{
	int64_t before = clock_now();

	assert_ok(fiber_sleep(20 * MILLISECOND));
	assert_true(clock_now() - before >= 20 * MILLISECOND);
}

static void test_sleep_lasts_its_span(_unused_ void **state)
{
	run(long_sleep_main);
}

static void no_suspend_main(_unused_ void *arg)
{
	NO_SUSPEND;
	error_free(fiber_sleep(1));
}

static void no_suspend_yield_main(_unused_ void *arg)
{
	NO_SUSPEND;
	error_free(fiber_yield());
}

static void test_parking_inside_no_suspend_aborts(_unused_ void **state)
{
	assert_loop_aborts(LOOP_VIRTUAL, no_suspend_main, NULL,
			   "fiber main parks inside NO_SUSPEND, to wait for: sleep");
	assert_loop_aborts(LOOP_REAL, no_suspend_yield_main, NULL, "main yields inside NO_SUSPEND");
}

static void no_suspend_scope_main(_unused_ void *arg)
{
	{
		NO_SUSPEND;
	}
	assert_ok(fiber_sleep(1));
}

static void test_no_suspend_ends_with_its_scope(_unused_ void **state)
{
	run(no_suspend_scope_main);
}

static void park_outside(_unused_ void *arg)
{
	error_free(fiber_sleep(1));
}

static void test_parking_outside_of_a_fiber_aborts(_unused_ void **state)
{
	assert_loop_aborts(OUTSIDE_OF_A_LOOP, park_outside, NULL,
			   "sleep: called outside of any fiber");
}

static void dump_main(_unused_ void *arg)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	int64_t span = HOUR;

	group_go(&g, "sleeper", sleeper, &span);
	assert_ok(fiber_sleep(1500 * MILLISECOND));
	fiber_dump(&out);
	assert_string_equal(out.p, "fiber 1 main: running, for 0.000 s\n"
				   "fiber 2 sleeper: sleep, for 1.500 s\n");
	assert_int_equal(fiber_count(), 2);
}

static void test_dump_tells_what_each_waits_for(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, dump_main, NULL);
	assert_trace("sleeper:cancelled");
}

/* Its frames are lent out, so that no compiler makes a loop of it. */
static size_t recurse(size_t depth)
{
	char frame[1024];

	__asm__ volatile("" : : "r"(frame) : "memory");
	frame[0] = (char)depth;
	frame[sizeof(frame) - 1] = 1;
	return depth == 0 ? 0 : recurse(depth - 1) + (size_t)frame[sizeof(frame) - 1];
}

static uintptr_t deep_place; /* well below where the fiber parks */

static void deep(_unused_ void *arg)
{
	volatile int64_t kept = 42;

	deep_place = (uintptr_t)&kept - 50 * 1024;
	assert_int_equal(recurse(100), 100);
	trace_end("deep", fiber_sleep(2500 * MILLISECOND));
	assert_int_equal(kept, 42);
	assert_int_equal(recurse(100), 100);
}

static bool is_resident(uintptr_t at)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	unsigned char there;

	assert_int_equal(mincore((void *)(at & ~(page - 1)), 1, &there), 0);
	return there & 1;
}

static void deep_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "deep", deep, NULL);
	assert_ok(fiber_yield());
	assert_true(is_resident(deep_place));
	assert_ok(fiber_sleep(2300 * MILLISECOND));
	assert_false(is_resident(deep_place));
	assert_ok(group_wait(&g));
	assert_trace("deep:ok");
}

/* The pages below are given back, and what is above is as it was. */
static void test_a_long_parked_stack_gives_pages_back(_unused_ void **state)
{
	loop_run(LOOP_REAL, deep_main, NULL);
}

static void overflow_main(_unused_ void *arg)
{
	recurse(1024 * 1024);
}

static void test_the_guard_stops_an_overflow(_unused_ void **state)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		fclose(stderr);
		loop_run(LOOP_VIRTUAL, overflow_main, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yield_lets_all_others_run),
		cmocka_unit_test(test_cancel_ends_a_park),
		cmocka_unit_test(test_cancel_lasts),
		cmocka_unit_test(test_shield_holds_cancellation_back),
		cmocka_unit_test(test_sleep_lasts_its_span),
		cmocka_unit_test(test_parking_inside_no_suspend_aborts),
		cmocka_unit_test(test_no_suspend_ends_with_its_scope),
		cmocka_unit_test(test_parking_outside_of_a_fiber_aborts),
		cmocka_unit_test(test_dump_tells_what_each_waits_for),
		cmocka_unit_test(test_a_long_parked_stack_gives_pages_back),
		cmocka_unit_test(test_the_guard_stops_an_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
