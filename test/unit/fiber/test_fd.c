/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for descriptors: both directions, cancellation, hang-ups, closing.
 */
#include "trace.h"
#include "aborts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/duration.h"
#include "fiber/deadline.h"
#include "fiber/fd.h"
#include "fiber/fiber.h"
#include "fiber/group.h"

struct pair {
	struct fd *a;
	int b; /* the plain end */
};

static struct pair pair_new(void)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	return (struct pair){ .a = fd_new(ends[0]), .b = ends[1] };
}

static void pair_fini(struct pair *p)
{
	fd_close(p->a);
	close(p->b);
}

static void reader(void *arg)
{
	struct pair *p = arg;
	char c = '?';
	struct error *err = fd_wait_readable(p->a);

	if (!err)
		assert_int_equal(read(fd_descriptor(p->a), &c, 1), 1);
	trace_end((char[]){ 'r', c, '\0' }, err);
}

static void writer(void *arg)
{
	struct pair *p = arg;
	struct error *err = fd_wait_writable(p->a);

	trace_end("w", err);
}

static void fill(int descriptor)
{
	char block[4096] = { 0 };

	while (write(descriptor, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
}

static void drain(int descriptor)
{
	char block[4096];

	while (read(descriptor, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
}

static void both_main(_unused_ void *arg)
{
	_cleanup_(pair_fini) struct pair p = pair_new();
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	fill(fd_descriptor(p.a));
	group_go(&g, "reader", reader, &p);
	group_go(&g, "writer", writer, &p);
	assert_ok(fiber_sleep(2 * MILLISECOND));
	assert_trace("");

	assert_int_equal(write(p.b, "x", 1), 1);
	assert_ok(fiber_sleep(2 * MILLISECOND));
	assert_trace("rx:ok");

	drain(p.b);
	assert_ok(group_wait(&g));
	assert_trace("w:ok");
}

static void test_one_reads_while_another_writes(_unused_ void **state)
{
	loop_run(LOOP_REAL, both_main, NULL);
}

static void again_main(_unused_ void *arg)
{
	_cleanup_(pair_fini) struct pair p = pair_new();

	for (int i = 0; i < 3; i++) {
		char c = (char)('0' + i), got;

		assert_int_equal(write(p.b, &c, 1), 1);
		assert_ok(fd_wait_readable(p.a));
		assert_int_equal(read(fd_descriptor(p.a), &got, 1), 1);
		assert_int_equal(got, c);

		/* What comes while nobody waits is there for the next who does. */
		assert_int_equal(write(p.b, &c, 1), 1);
		assert_ok(fiber_sleep(2 * MILLISECOND));
		assert_ok(fd_wait_readable(p.a));
		assert_int_equal(read(fd_descriptor(p.a), &got, 1), 1);
	}
}

static void test_readiness_comes_again(_unused_ void **state)
{
	loop_run(LOOP_REAL, again_main, NULL);
}

static void cancel_main(_unused_ void *arg)
{
	_cleanup_(pair_fini) struct pair p = pair_new();
	struct group g = GROUP_INIT;

	group_go(&g, "reader", reader, &p);
	assert_ok(fiber_yield());
	group_finish(&g);
	assert_trace("r?:cancelled");

	struct deadline d = deadline_begin(2 * MILLISECOND);

	assert_fails(fd_wait_readable(p.a), ERR_TIMEOUT);
	deadline_end(&d);

	/* The descriptor is none the worse for it. */
	assert_int_equal(write(p.b, "x", 1), 1);
	assert_ok(fd_wait_readable(p.a));
}

static void test_a_wait_can_be_cancelled(_unused_ void **state)
{
	loop_run(LOOP_REAL, cancel_main, NULL);
}

static void long_sleep(_unused_ void *arg)
{
	trace_end("sleep", fiber_sleep(HOUR));
}

static void watched(void *arg)
{
	struct pair *p = arg;

	fd_cancel_on_hangup(p->a, fiber_self());
	long_sleep(NULL);
	fd_cancel_on_hangup(p->a, NULL);
}

static void hangup_main(_unused_ void *arg)
{
	struct pair p = pair_new();
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	char got[8];

	group_go(&g, "watched", watched, &p);
	assert_ok(fiber_yield());
	assert_int_equal(write(p.b, "last", 4), 4);
	assert_ok(fiber_sleep(2 * MILLISECOND));
	assert_trace("");

	close(p.b);
	assert_ok(group_wait(&g));
	assert_trace("sleep:cancelled");
	assert_int_equal(read(fd_descriptor(p.a), got, sizeof(got)), 4);
	fd_close(p.a);
}

static void test_a_hangup_cancels_the_fiber(_unused_ void **state)
{
	loop_run(LOOP_REAL, hangup_main, NULL);
}

static void before_main(_unused_ void *arg)
{
	struct pair p = pair_new();
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	close(p.b);
	assert_ok(fiber_sleep(2 * MILLISECOND));
	group_go(&g, "watched", watched, &p);
	assert_ok(group_wait(&g));
	assert_trace("sleep:cancelled");
	fd_close(p.a);
}

static void test_a_hangup_before_counts_too(_unused_ void **state)
{
	loop_run(LOOP_REAL, before_main, NULL);
}

static void unwatched_main(_unused_ void *arg)
{
	struct pair p = pair_new();

	fd_cancel_on_hangup(p.a, fiber_self());
	assert_ok(fiber_sleep(2 * MILLISECOND));
	fd_cancel_on_hangup(p.a, NULL);
	close(p.b);
	assert_ok(fiber_sleep(5 * MILLISECOND));
	fd_close(p.a);
}

static void test_a_hangup_after_it_was_turned_off(_unused_ void **state)
{
	loop_run(LOOP_REAL, unwatched_main, NULL);
}

/* The number is free at once, and the next with it is not taken for the old one. */
static void reuse_main(_unused_ void *arg)
{
	for (int i = 0; i < 10; i++) {
		struct pair p = pair_new();
		struct group g = GROUP_INIT;
		int number = fd_descriptor(p.a);

		group_go(&g, "reader", reader, &p);
		assert_ok(fiber_yield());
		group_finish(&g);
		fd_close(p.a);
		assert_int_equal(fcntl(number, F_GETFD), -1);
		close(p.b);
		strbuf_fini(&trace_text);

		p = pair_new();
		assert_int_equal(fd_descriptor(p.a), number);
		assert_int_equal(write(p.b, "x", 1), 1);
		assert_ok(fd_wait_readable(p.a));
		pair_fini(&p);
	}
}

static void test_close_is_done_when_it_returns(_unused_ void **state)
{
	loop_run(LOOP_REAL, reuse_main, NULL);
}

static void release_main(_unused_ void *arg)
{
	struct pair p = pair_new();
	int number = fd_release(p.a);

	assert_int_equal(write(p.b, "x", 1), 1);
	p.a = fd_new(number);
	assert_ok(fd_wait_readable(p.a));
	pair_fini(&p);
}

static void test_a_released_descriptor_stays_open(_unused_ void **state)
{
	loop_run(LOOP_REAL, release_main, NULL);
}

/* A timer that is due before the wait begins must end it, whatever else is waited for. */
static void short_sleeps_main(_unused_ void *arg)
{
	struct pair p = pair_new();
	struct group g = GROUP_INIT;

	group_go(&g, "reader", reader, &p);
	for (int i = 0; i < 1000; i++)
		assert_null(fiber_sleep(1));
	group_finish(&g);
	assert_trace("r?:cancelled");
	pair_fini(&p);
}

static void test_timers_beside_descriptors(_unused_ void **state)
{
	alarm(30);
	loop_run(LOOP_REAL, short_sleeps_main, NULL);
	alarm(0);
}

static void leak_main(_unused_ void *arg)
{
	(void)pair_new();
}

static void virtual_main(_unused_ void *arg)
{
	(void)pair_new();
}

static void test_misuse_aborts(_unused_ void **state)
{
	assert_loop_aborts(LOOP_REAL, leak_main, NULL, "a poll was not closed");
	assert_loop_aborts(LOOP_VIRTUAL, virtual_main, NULL, "fd_new: needs a real loop");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_reads_while_another_writes),
		cmocka_unit_test(test_readiness_comes_again),
		cmocka_unit_test(test_a_wait_can_be_cancelled),
		cmocka_unit_test(test_a_hangup_cancels_the_fiber),
		cmocka_unit_test(test_a_hangup_before_counts_too),
		cmocka_unit_test(test_a_hangup_after_it_was_turned_off),
		cmocka_unit_test(test_close_is_done_when_it_returns),
		cmocka_unit_test(test_a_released_descriptor_stays_open),
		cmocka_unit_test(test_timers_beside_descriptors),
		cmocka_unit_test(test_misuse_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
