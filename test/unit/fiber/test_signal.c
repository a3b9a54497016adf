/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals as something to wait for.
 */
#include "trace.h"
#include "aborts.h"

#include "base/duration.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/signal.h"

static const int both[] = { SIGUSR1, SIGUSR2 };

static void waiter(void *arg)
{
	int got = 0;
	struct error *err = signal_wait(arg, 1, &got);

	trace_end(got == SIGUSR1 ? "usr1" : got == SIGUSR2 ? "usr2" : "none", err);
}

static void wait_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	int got = 0;

	group_go(&g, "one", waiter, (void *)&both[0]);
	group_go(&g, "two", waiter, (void *)&both[1]);
	assert_ok(fiber_yield());
	kill(getpid(), SIGUSR2);
	assert_ok(fiber_sleep(5 * MILLISECOND));
	assert_trace("usr2:ok");
	kill(getpid(), SIGUSR1);
	assert_ok(group_wait(&g));
	assert_trace("usr1:ok");

	/* What came since the last call is not lost. */
	kill(getpid(), SIGUSR2);
	assert_ok(fiber_sleep(5 * MILLISECOND));
	assert_ok(signal_wait(both, 2, &got));
	assert_int_equal(got, SIGUSR2);

	group_go(&g, "one", waiter, (void *)&both[0]);
	assert_ok(fiber_yield());
	group_finish(&g);
	assert_trace("none:cancelled");
}

static void watch_main(_unused_ void *arg)
{
	int got = 0;

	/* Of itself SIGUSR1 would end this process. */
	signal_watch(both, 2);
	kill(getpid(), SIGUSR1);
	assert_ok(fiber_sleep(5 * MILLISECOND));
	assert_ok(signal_wait(both, 2, &got));
	assert_int_equal(got, SIGUSR1);
}

static void test_watched_signals_are_kept(_unused_ void **state)
{
	loop_run(LOOP_REAL, watch_main, NULL);
}

static void test_signals_wake_those_who_wait_for_them(_unused_ void **state)
{
	/* Twice: the second loop starts with none of the first's signals. */
	loop_run(LOOP_REAL, wait_main, NULL);
	loop_run(LOOP_REAL, wait_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_wake_those_who_wait_for_them),
		cmocka_unit_test(test_watched_signals_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
