/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams in memory, in both kinds of loop.
 */
#include "streams.h"

#include "net/memory.h"

static may_suspend void pair_memory(struct ends *ret)
{
	memory_pair(1000, "a", "b", &ret->a, &ret->b);
}

static void test_like_any_stream(_unused_ void **state)
{
	run_stream_cases(LOOP_VIRTUAL, pair_memory);
	run_stream_cases(LOOP_REAL, pair_memory);
}

static void names_main(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };

	pair_memory(&e);
	assert_string_equal(e.a->peer, "b");
	assert_string_equal(e.b->peer, "a");
	assert_string_equal(e.a->certificate, "");
}

static void test_names(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, names_main, NULL);
}

static void writer(void *arg)
{
	char block[1001] = { 0 };

	trace_end("write", stream_write(arg, str_of(block, sizeof(block))));
}

static void bounded_main(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	char c;
	size_t n;

	pair_memory(&e);
	group_go(&g, "writer", writer, e.a);
	assert_ok(fiber_sleep(SECOND));
	assert_trace("");
	assert_ok(stream_read(e.b, &c, 1, &n));
	assert_ok(fiber_sleep(SECOND));
	assert_trace("write:ok");

	/* A writer that waits for room learns that its reader has gone. */
	group_go(&g, "writer", writer, e.a);
	assert_ok(fiber_sleep(SECOND));
	stream_close(take(e.b));
	assert_ok(group_wait(&g));
	assert_trace("write:cannot write to b: Connection reset by peer");
}

static void test_the_buffer_is_bounded(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, bounded_main, NULL);
}

static void reset_main(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	char c;
	size_t n;

	/* As TCP does: what had come can be read, then the reset shows. */
	pair_memory(&e);
	assert_ok(stream_write(e.b, STR("ab")));
	stream_abort(take(e.b));
	assert_reads(e.a, "ab");
	assert_fails(stream_read(e.a, &c, 1, &n), ERR_CLOSED);
	assert_fails(stream_write(e.a, STR("x")), ERR_CLOSED);
	assert_fails(stream_shutdown(e.a), ERR_CLOSED);
	stream_close(take(e.a));

	/* Closing with bytes unread is a reset too. */
	pair_memory(&e);
	assert_ok(stream_write(e.a, STR("unread")));
	stream_close(take(e.b));
	assert_fails(stream_read(e.a, &c, 1, &n), ERR_CLOSED);
}

static void test_resets(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, reset_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_any_stream),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_the_buffer_is_bounded),
		cmocka_unit_test(test_resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
