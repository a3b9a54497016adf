/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads and bodies off a stream: what is read, what is left, and what is held.
 */
#include "unit/http/wire.h"

#include "base/limits.h"
#include "http/conn.h"

struct wire {
	struct http_conn conn;
	struct stream *peer;
	struct arena arena;
};

static struct wire wire_new(size_t capacity)
{
	struct wire w = { .arena = ARENA_INIT };
	struct stream *ours;

	memory_pair(capacity, "ours", "peer", &ours, &w.peer);
	http_conn_init(&w.conn, ours);
	return w;
}

static void wire_fini(struct wire *w)
{
	http_conn_fini(&w->conn);
	stream_close(w->peer);
	arena_fini(&w->arena);
}

#define WIRE(name, capacity) _cleanup_(wire_fini) struct wire name = wire_new(capacity)

#define HEAD "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

FIBER_TEST(test_heads_one_after_the_other)
{
	WIRE(w, 1000);
	struct str head;

	say(w.peer, HEAD HEAD "rest");
	assert_ok(stream_shutdown(w.peer));
	assert_ok(http_conn_read_head(&w.conn, &w.arena, &head));
	assert_str(head, STR(HEAD));
	assert_ok(http_conn_read_head(&w.conn, &w.arena, &head));
	assert_str(head, STR(HEAD));
	assert_str(http_conn_unread(&w.conn), STR("rest"));
	assert_error(http_conn_read_head(&w.conn, &w.arena, &head), ERR_CLOSED,
		     "connection closed in the middle of a head");
}

/* A capacity of one byte: every read is one. */
static may_suspend void say_head(void *arg)
{
	say(arg, HEAD);
}

FIBER_TEST(test_head_byte_by_byte)
{
	WIRE(w, 1);
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct str head;

	group_go(&g, "peer", say_head, w.peer);
	assert_ok(http_conn_read_head(&w.conn, &w.arena, &head));
	assert_str(head, STR(HEAD));
	assert_null(w.conn.in.p);
}

FIBER_TEST(test_end_before_a_head)
{
	static const char *const before[] = { "", "\r\n", "\r\n\r\n" };

	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		WIRE(w, 100);
		struct str head;

		say(w.peer, before[i]);
		assert_ok(stream_shutdown(w.peer));
		assert_ok(http_conn_read_head(&w.conn, &w.arena, &head));
		assert_int_equal(head.n, 0);
	}
}

static may_suspend void say_endless_head(void *arg)
{
	struct error *err = NULL;

	while (!err)
		err = stream_write(arg, STR("A: b\r\n"));
	error_free(err);
}

FIBER_TEST(test_head_is_bounded)
{
	WIRE(w, 4096);
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct str head;

	group_go(&g, "peer", say_endless_head, w.peer);
	assert_error(http_conn_read_head(&w.conn, &w.arena, &head), ERR_HEAD_TOO_LARGE,
		     "head of more than 262144 bytes");
	assert_true(w.conn.in.cap < 2 * LIMIT_HTTP_HEAD + 32 * KIB);
	assert_int_equal(w.arena.total, 0);
}

/* The body in reads of `cap`, its framing and what follows it in whatever the reads make of it. */
static may_suspend void check_body(const char *sent, enum http_framing framing, uint64_t length,
				   size_t cap, bool read_ahead, const char *body, const char *rest)
{
	WIRE(w, 4096);
	_cleanup_(strbuf_fini) struct strbuf got = STRBUF_INIT, early = STRBUF_INIT;
	struct http_body b;
	struct stream *s;
	struct str head;
	char buf[64];
	size_t n;

	if (read_ahead)
		say(w.peer, HEAD);
	say(w.peer, sent);
	assert_ok(stream_shutdown(w.peer));
	if (read_ahead)
		assert_ok(http_conn_read_head(&w.conn, &w.arena, &head));
	http_body_init(&b, framing, length);
	do {
		assert_ok(http_conn_read_body(&w.conn, &b, buf, cap, &n));
		assert_true(n <= cap);
		strbuf_add(&got, str_of(buf, n));
	} while (n > 0);
	assert_true(b.done);
	assert_str(strbuf_str(&got), str_from(body));

	s = http_conn_take(&w.conn, &early);
	do {
		assert_ok(stream_read(s, buf, sizeof(buf), &n));
		strbuf_add(&early, str_of(buf, n));
	} while (n > 0);
	assert_str(strbuf_str(&early), str_from(rest));
	stream_close(s);
}

FIBER_TEST(test_bodies)
{
	static const char chunks[] =
		"5\r\nhello\r\n1;x\r\n \r\n5\r\nworld\r\n0\r\nT: r\r\n\r\nGET /";

	for (int read_ahead = 0; read_ahead < 2; read_ahead++) {
		for (size_t cap = 1; cap <= 64; cap++) {
			check_body(chunks, HTTP_BODY_CHUNKED, 0, cap, read_ahead, "hello world",
				   "GET /");
			check_body("helloGET /", HTTP_BODY_LENGTH, 5, cap, read_ahead, "hello",
				   "GET /");
			check_body("hello", HTTP_BODY_UNTIL_CLOSE, 0, cap, read_ahead, "hello", "");
			check_body("GET /", HTTP_BODY_NONE, 0, cap, read_ahead, "", "GET /");
		}
	}
}

FIBER_TEST(test_bodies_that_end_too_soon)
{
	static const struct {
		const char *sent;
		enum http_framing framing;
	} rows[] = {
		{ "hell", HTTP_BODY_LENGTH },	    { "", HTTP_BODY_LENGTH },
		{ "5\r\nhell", HTTP_BODY_CHUNKED }, { "5\r\nhello\r\n0\r\n", HTTP_BODY_CHUNKED },
		{ "", HTTP_BODY_CHUNKED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		WIRE(w, 100);
		struct error *err = NULL;
		struct http_body b;
		char buf[64];
		size_t n = 1;

		say(w.peer, rows[i].sent);
		assert_ok(stream_shutdown(w.peer));
		http_body_init(&b, rows[i].framing, 5);
		while (!err && n > 0)
			err = http_conn_read_body(&w.conn, &b, buf, sizeof(buf), &n);
		assert_error(err, ERR_CLOSED, "connection closed in the middle of a body");
	}
}

/* A body's length is all that is read of the stream: what follows may be for somebody else. */
FIBER_TEST(test_a_length_reads_no_further)
{
	WIRE(w, 100);
	struct http_body b;
	char buf[64];
	size_t n;

	say(w.peer, "helloworld");
	http_body_init(&b, HTTP_BODY_LENGTH, 5);
	assert_ok(http_conn_read_body(&w.conn, &b, buf, sizeof(buf), &n));
	assert_int_equal(n, 5);
	assert_true(b.done);
	assert_null(w.conn.in.p);
	hear(w.conn.stream, "world");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads_one_after_the_other),
		cmocka_unit_test(test_head_byte_by_byte),
		cmocka_unit_test(test_end_before_a_head),
		cmocka_unit_test(test_head_is_bounded),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_bodies_that_end_too_soon),
		cmocka_unit_test(test_a_length_reads_no_further),
	};

	return run_fiber_tests(tests);
}
