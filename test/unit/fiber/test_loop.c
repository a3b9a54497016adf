/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: both kinds, their clocks, deadlock and the log of hogs.
 */
#include "trace.h"
#include "aborts.h"

#include "base/duration.h"
#include "base/log.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/waitq.h"

struct nap {
	const char *name;
	int64_t span;
};

static void napper(void *arg)
{
	const struct nap *nap = arg;

	assert_ok(fiber_sleep(nap->span));
	trace(nap->name);
}

static void order_main(_unused_ void *arg)
{
	static struct nap naps[] = { { "c", 3 * HOUR },	  { "a", SECOND },  { "b1", MINUTE },
				     { "b2", MINUTE },	  { "b3", MINUTE }, { "d", 30 * HOUR },
				     { "a0", NANOSECOND } };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	int64_t start = clock_now(), wall = clock_wall(), boot = clock_boot();

	for (size_t i = 0; i < ARRAY_LEN(naps); i++)
		group_go(&g, naps[i].name, napper, &naps[i]);
	assert_ok(group_wait(&g));
	assert_int_equal(clock_now() - start, 30 * HOUR);
	assert_int_equal(clock_exact() - start, 30 * HOUR);
	assert_int_equal(clock_wall() - wall, 30 * HOUR);
	assert_int_equal(clock_boot() - boot, 30 * HOUR);
	assert_trace("a0 a b1 b2 b3 c d");
}

static void test_virtual_time_jumps_in_order(_unused_ void **state)
{
	for (int i = 0; i < 3; i++)
		loop_run(LOOP_VIRTUAL, order_main, NULL);
}

static void wall_main(void *arg)
{
	assert_int_equal(clock_wall(), *(int64_t *)arg);
	assert_ok(fiber_sleep(SECOND));
	assert_int_equal(clock_wall(), *(int64_t *)arg + SECOND);
}

static void test_virtual_wall_clock(_unused_ void **state)
{
	int64_t at = 1767225600 * SECOND;

	loop_run(LOOP_VIRTUAL, wall_main, &at);
	at = 1234567890 * SECOND;
	loop_set_virtual_wall(at);
	loop_run(LOOP_VIRTUAL, wall_main, &at);
}

static may_suspend void step_main(_unused_ void *arg)
{
	int64_t wall = clock_wall(), now = clock_now(), boot = clock_boot();

	loop_step_virtual_wall(-HOUR);
	assert_int_equal(clock_wall() - wall, -HOUR);
	loop_step_virtual_wall(2 * HOUR);
	assert_int_equal(clock_wall() - wall, HOUR);
	assert_int_equal(clock_now(), now);
	assert_int_equal(clock_boot(), boot);
	loop_step_virtual_wall(-HOUR);
}

static void test_virtual_wall_clock_is_set(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, step_main, NULL);
}

static void real_order_main(_unused_ void *arg)
{
	static struct nap naps[] = { { "c", 12 * MILLISECOND },
				     { "a", 1 },
				     { "b", 4 * MILLISECOND } };
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	for (size_t i = 0; i < ARRAY_LEN(naps); i++)
		group_go(&g, naps[i].name, napper, &naps[i]);
	assert_ok(group_wait(&g));
	assert_trace("a b c");
}

static void test_real_timers_in_order(_unused_ void **state)
{
	loop_run(LOOP_REAL, real_order_main, NULL);
}

static void stuck_main(_unused_ void *arg)
{
	struct waitq q = WAITQ_INIT;

	error_free(waitq_wait(&q, "a thing that never comes"));
}

static void test_deadlock_aborts_and_names_the_fibers(_unused_ void **state)
{
	const char *line = "fiber 1 main: a thing that never comes, for 0.";

	assert_loop_aborts(LOOP_VIRTUAL, stuck_main, NULL, "deadlock");
	assert_loop_aborts(LOOP_VIRTUAL, stuck_main, NULL, line);
	assert_loop_aborts(LOOP_REAL, stuck_main, NULL, "deadlock");
	assert_loop_aborts(LOOP_REAL, stuck_main, NULL, line);
}

static void hear(enum log_level level, struct str line, _unused_ void *arg)
{
	assert_int_equal(level, LOG_WARN);
	strbuf_add(&trace_text, line);
}

static void hog_main(_unused_ void *arg)
{
	int64_t until = clock_exact() + 20 * MILLISECOND;

	while (clock_exact() < until)
		;
	assert_ok(fiber_yield());
}

static void test_a_hog_is_logged_by_name(_unused_ void **state)
{
	log_set_sink(hear, NULL);
	loop_set_hog_limit(10 * MILLISECOND);
	loop_run(LOOP_REAL, hog_main, NULL);
	assert_non_null(trace_text.p);
	assert_non_null(strstr(trace_text.p, "a fiber held the loop for long"));
	assert_non_null(strstr(trace_text.p, "main"));
	strbuf_fini(&trace_text);

	loop_set_hog_limit(0);
	loop_run(LOOP_REAL, hog_main, NULL);
	assert_trace("");
	log_set_sink(NULL, NULL);
}

/* Two that keep each other ready do not keep a timer from a third. */
static void spinner(void *arg)
{
	while (!*(bool *)arg)
		assert_ok(fiber_yield());
}

static void starving_main(_unused_ void *arg)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	bool stop = false;

	group_go(&g, "spin", spinner, &stop);
	group_go(&g, "spin", spinner, &stop);
	assert_ok(fiber_sleep(5 * MILLISECOND));
	stop = true;
	assert_ok(group_wait(&g));
}

static void test_busy_fibers_do_not_starve_timers(_unused_ void **state)
{
	loop_run(LOOP_REAL, starving_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtual_time_jumps_in_order),
		cmocka_unit_test(test_virtual_wall_clock),
		cmocka_unit_test(test_virtual_wall_clock_is_set),
		cmocka_unit_test(test_real_timers_in_order),
		cmocka_unit_test(test_deadlock_aborts_and_names_the_fibers),
		cmocka_unit_test(test_a_hog_is_logged_by_name),
		cmocka_unit_test(test_busy_fibers_do_not_starve_timers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
