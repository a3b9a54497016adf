/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every kind of stream must do, as cases that take a way to make a connected pair. Each test
 * program brings its own way: memory, TCP, unix socket, TLS.
 */
#ifndef TEST_NET_STREAMS_H
#define TEST_NET_STREAMS_H

#include <stdio.h>
#include <string.h>

#include "../fiber/trace.h"

#include "base/duration.h"
#include "base/mem.h"
#include "fiber/deadline.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "net/stream.h"

struct ends {
	struct stream *a, *b;
};

/* Connects a pair; parks if it must. */
typedef may_suspend void pair_fn(struct ends *ret);

static pair_fn *make_pair;

static inline void ends_fini(struct ends *e)
{
	stream_close(e->a);
	stream_close(e->b);
}

/* Reads to the end of the stream; *ret_n bytes came. */
static inline may_suspend struct error *read_to_end(struct stream *s, struct strbuf *out)
{
	for (;;) {
		size_t n;

		strbuf_reserve(out, 4096);
		TRY(stream_read(s, out->p + out->n, 4096, &n));
		if (n == 0)
			return NULL;
		out->n += n;
	}
}

static inline may_suspend void assert_reads(struct stream *s, const char *text)
{
	char buf[64];
	size_t have = 0, n;

	while (have < strlen(text)) {
		assert_ok(stream_read(s, buf + have, strlen(text) - have, &n));
		assert_true(n > 0);
		have += n;
	}
	assert_memory_equal(buf, text, have);
}

static inline may_suspend void case_both_ways(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	const struct str parts[] = { STR("one "), STR(""), STR("two "), STR("three") };

	make_pair(&e);
	assert_ok(stream_write(e.a, STR("ping")));
	assert_reads(e.b, "ping");
	assert_ok(stream_writev(e.b, parts, ARRAY_LEN(parts)));
	assert_reads(e.a, "one two three");
	assert_int_equal(e.a->bytes_written, 4);
	assert_int_equal(e.a->bytes_read, 13);
	assert_int_equal(e.b->bytes_written, 13);
	assert_int_equal(e.b->bytes_read, 4);
}

static inline may_suspend void case_half_close(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	_cleanup_(strbuf_fini) struct strbuf got = STRBUF_INIT;

	make_pair(&e);
	assert_ok(stream_write(e.a, STR("the end")));
	assert_ok(stream_shutdown(e.a));
	assert_ok(read_to_end(e.b, &got));
	assert_string_equal(got.p, "the end");

	/* The other direction goes on, and after its end too. */
	assert_ok(stream_write(e.b, STR("and back")));
	assert_reads(e.a, "and back");
	assert_fails(stream_write(e.a, STR("more")), ERR_CLOSED);
	assert_ok(stream_shutdown(e.b));
	strbuf_reset(&got);
	assert_ok(read_to_end(e.a, &got));
	assert_int_equal(got.n, 0);
}

static inline void pump_out(void *arg)
{
	struct stream *s = arg;
	char block[10000];

	for (size_t i = 0; i < 300; i++) {
		memset(block, 'a' + (int)(i % 26), sizeof(block));
		assert_ok(stream_write(s, str_of(block, sizeof(block))));
	}
	assert_ok(stream_shutdown(s));
}

static inline void pump_in(void *arg)
{
	_cleanup_(strbuf_fini) struct strbuf got = STRBUF_INIT;

	assert_ok(read_to_end(arg, &got));
	assert_int_equal(got.n, 3000000);
	for (size_t i = 0; i < got.n; i++)
		if (got.p[i] != 'a' + (int)(i / 10000 % 26))
			fail_msg("byte %zu is %c", i, got.p[i]);
	trace("all");
}

/* Far more than fits between, in both directions at once: a reader and a writer on each end. */
static inline may_suspend void case_flood(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	make_pair(&e);
	group_go(&g, "a out", pump_out, e.a);
	group_go(&g, "b out", pump_out, e.b);
	group_go(&g, "a in", pump_in, e.a);
	group_go(&g, "b in", pump_in, e.b);
	assert_ok(group_wait(&g));
	assert_trace("all all");
}

static inline void read_one(void *arg)
{
	char c;
	size_t n;

	trace_end("read", stream_read(arg, &c, 1, &n));
}

static inline may_suspend void case_cancel_and_timeout(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	struct group g = GROUP_INIT;
	char c;
	size_t n;

	make_pair(&e);
	group_go(&g, "read", read_one, e.a);
	assert_ok(fiber_yield());
	group_finish(&g);
	assert_trace("read:cancelled");

	struct deadline d = deadline_begin(2 * MILLISECOND);

	assert_fails(stream_read(e.a, &c, 1, &n), ERR_TIMEOUT);
	/* Even where there is something: a busy stream does not outrun its deadline. */
	deadline_end(&d);
	assert_ok(stream_write(e.b, STR("x")));
	assert_ok(stream_wait_readable(e.a));
	d = deadline_begin(0);
	assert_fails(stream_read(e.a, &c, 1, &n), ERR_TIMEOUT);
	deadline_end(&d);
	assert_reads(e.a, "x");
}

static inline may_suspend void case_close(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	_cleanup_(strbuf_fini) struct strbuf got = STRBUF_INIT;
	struct error *err = NULL;

	make_pair(&e);
	assert_ok(stream_write(e.b, STR("last words")));
	stream_close(take(e.b));
	assert_ok(read_to_end(e.a, &got));
	assert_string_equal(got.p, "last words");

	/* A socket learns of it by the answer to what it writes. */
	for (int i = 0; i < 100 && !err; i++) {
		err = stream_write(e.a, STR("anyone?"));
		if (!err)
			assert_ok(fiber_sleep(MILLISECOND));
	}
	assert_true(error_is(err, ERR_CLOSED));
	error_free(err);
}

static inline may_suspend void case_abort(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	char c;
	size_t n;

	make_pair(&e);
	stream_abort(take(e.b));
	assert_fails(stream_read(e.a, &c, 1, &n), ERR_CLOSED);
}

static inline void be_cancelled_by(void *arg)
{
	stream_cancel_on_hangup(arg, fiber_self());
	trace_end("request", fiber_sleep(HOUR));
	stream_cancel_on_hangup(arg, NULL);
}

static inline void be_cancelled_when_gone(void *arg)
{
	stream_cancel_when_gone(arg, fiber_self());
	trace_end("request", fiber_sleep(HOUR));
	stream_cancel_on_hangup(arg, NULL);
}

/* Its stream may end before that. */
static inline may_suspend void case_gone(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	make_pair(&e);
	assert_ok(stream_write(e.b, STR("request")));
	assert_reads(e.a, "request");
	group_go(&g, "request", be_cancelled_when_gone, e.a);
	assert_ok(fiber_sleep(2 * MILLISECOND));
	assert_ok(stream_write(e.b, STR("x")));
	assert_ok(stream_shutdown(e.b));
	assert_ok(fiber_sleep(5 * MILLISECOND));
	assert_trace("");
	stream_abort(take(e.b));
	assert_ok(group_wait(&g));
	assert_trace("request:cancelled");
}

static inline may_suspend void case_hangup(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	make_pair(&e);
	assert_ok(stream_write(e.b, STR("request")));
	assert_reads(e.a, "request");
	group_go(&g, "request", be_cancelled_by, e.a);
	assert_ok(fiber_sleep(2 * MILLISECOND));
	assert_ok(stream_write(e.b, STR("x")));
	assert_ok(fiber_sleep(2 * MILLISECOND));
	assert_trace("");
	stream_close(take(e.b));
	assert_ok(group_wait(&g));
	assert_trace("request:cancelled");

	/* One that has hung up already. */
	group_go(&g, "request", be_cancelled_by, e.a);
	assert_ok(group_wait(&g));
	assert_trace("request:cancelled");
}

static inline may_suspend void case_quiet(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };

	make_pair(&e);
	assert_ok(stream_write(e.a, STR("x")));
	assert_reads(e.b, "x");
	assert_ok(stream_write(e.b, STR("x")));
	assert_reads(e.a, "x");
	assert_true(stream_quiet(e.a));
	assert_ok(stream_write(e.b, STR("y")));
	assert_ok(stream_wait_readable(e.a));
	assert_false(stream_quiet(e.a));
	assert_reads(e.a, "y");
	assert_true(stream_quiet(e.a));
	stream_close(take(e.b));
	assert_ok(stream_wait_readable(e.a));
	assert_false(stream_quiet(e.a));
}

#define FENCED (16 * 1024 * 1024) /* more than any socket takes */

static inline void write_fenced(void *arg)
{
	struct ends *e = arg;
	_cleanup_(mem_freep) char *much = mem_zalloc(FENCED);

	trace_end("write", stream_write(e->a, str_of(much, FENCED)));
	stream_close(take(e->a));
}

/* Closed before a write, and while one waits for room: not a byte goes out from then on. */
static inline may_suspend void case_fence(_unused_ void *arg)
{
	struct fence fence = FENCE_INIT;
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	_cleanup_(strbuf_fini) struct strbuf got = STRBUF_INIT;
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	make_pair(&e);
	fence_open(&fence, INT64_MAX);
	e.a->fence = &fence;
	assert_ok(stream_write(e.a, STR("x")));
	assert_reads(e.b, "x");
	group_go(&g, "writer", write_fenced, &e);
	assert_ok(fiber_sleep(100 * MILLISECOND));
	fence_close(&fence);
	error_free(read_to_end(e.b, &got));
	assert_ok(group_wait(&g));
	assert_trace("write:this manager is not the primary");
	assert_true(got.n > 0 && got.n < FENCED);

	ends_fini(&e);
	make_pair(&e);
	e.a->fence = &fence;
	assert_fails(stream_write(e.a, STR("x")), ERR_NOT_PRIMARY);
	stream_close(take(e.a));
	strbuf_reset(&got);
	error_free(read_to_end(e.b, &got));
	assert_int_equal(got.n, 0);
}

struct stream_case {
	const char *name;
	fiber_fn *run;
};

static const struct stream_case stream_cases[] = {
	{ "both ways", case_both_ways }, { "half close", case_half_close },
	{ "flood", case_flood },	 { "cancel and timeout", case_cancel_and_timeout },
	{ "close", case_close },	 { "abort", case_abort },
	{ "hang up", case_hangup },	 { "gone", case_gone },
	{ "quiet", case_quiet },	 { "fence", case_fence },
};

static inline void run_stream_cases(enum loop_kind kind, pair_fn *how)
{
	make_pair = how;
	for (size_t i = 0; i < ARRAY_LEN(stream_cases); i++)
		loop_run(kind, stream_cases[i].run, NULL);
}

#endif
