/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies, cut into every size of read.
 */
#include "unit/http/check.h"

#include "base/limits.h"
#include "base/strbuf.h"
#include "http/codec.h"

static const struct {
	struct str in;
	const char *body;
	const char *rest; /* what is left for the next message */
} good[] = {
	{ STR_INIT("0\r\n\r\n"), "", "" },
	{ STR_INIT("5\r\nhello\r\n0\r\n\r\nGET /"), "hello", "GET /" },
	{ STR_INIT("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "hello world", "" },
	{ STR_INIT("00000000000000000000a\r\n0123456789\r\n000\r\n\r\nx"), "0123456789", "x" },
	{ STR_INIT("B;a=\"b;c\";d\r\nhello world\r\n0;last\r\n\r\n"), "hello world", "" },
	{ STR_INIT("1\r\na\r\n0\r\nTrailer: x\r\nOther:\ty\r\n\r\nrest"), "a", "rest" },
	{ STR_INIT("2\r\n\r\n\r\n0\r\n\r\n"), "\r\n", "" },
};

static const struct {
	struct str in;
	const char *message;
} bad[] = {
	{ STR_INIT("\r\n"), "bad chunk size: \"\\r\"" },
	{ STR_INIT("g\r\n"), "bad chunk size: \"g\"" },
	{ STR_INIT("-1\r\n"), "bad chunk size: \"-\"" },
	{ STR_INIT("+1\r\n"), "bad chunk size: \"+\"" },
	{ STR_INIT(" 1\r\n"), "bad chunk size: \" \"" },
	{ STR_INIT("1 \r\n"), "bad chunk size: \" \"" },
	{ STR_INIT("1 ;a\r\n"), "bad chunk size: \" \"" },
	{ STR_INIT("0x1\r\n"), "bad chunk size: \"x\"" },
	{ STR_INIT(";a\r\n"), "bad chunk size: \";\"" },
	{ STR_INIT("1\na\r\n"), "bad chunk size: \"\\n\"" },
	{ STR_INIT("1\r\r\na\r\n"), "bare CR in a chunk's size line: \"\\r\"" },
	{ STR_INIT("1;a\nb\r\n"), "control character in a chunk's extension: \"\\n\"" },
	{ STR_INIT("1;\0\r\n"), "control character in a chunk's extension: \"\\x00\"" },
	{ STR_INIT("1;a\rb\r\n"), "bare CR in a chunk's size line: \"b\"" },
	{ STR_INIT("8000000000000000\r\n"), "chunk size too large" },
	{ STR_INIT("10000000000000000\r\n"), "chunk size too large" },
	{ STR_INIT("ffffffffffffffffffff\r\n"), "chunk size too large" },
	{ STR_INIT("1\r\nab\r\n"), "chunk longer than its size: \"b\"" },
	{ STR_INIT("1\r\na\n0\r\n\r\n"), "chunk longer than its size: \"\\n\"" },
	{ STR_INIT("1\r\na\rb"), "chunk longer than its size: \"b\"" },
	{ STR_INIT("0\r\n\n"), "bad trailer: \"\\n\"" },
	{ STR_INIT("0\r\n folded\r\n\r\n"), "bad trailer: \" \"" },
	{ STR_INIT("0\r\nA: b\nC: d\r\n\r\n"), "control character in a trailer: \"\\n\"" },
	{ STR_INIT("0\r\nA: b\rC: d\r\n\r\n"), "bare CR in a trailer: \"C\"" },
	{ STR_INIT("0\r\n\rx"), "bare CR in a trailer: \"x\"" },
};

/* Feeds `in` in reads of `step` bytes until the body is over, failed, or in is. */
static struct error *feed(struct http_body *b, struct str in, size_t step, struct strbuf *body,
			  size_t *ret_used)
{
	size_t have = MIN(step, in.n), at = 0;

	while (!b->done && (at < have || have < in.n)) {
		struct str payload;
		size_t used;

		if (at == have)
			have = MIN(have + step, in.n);
		TRY(http_body_step(b, str_of(in.p + at, have - at), &used, &payload));
		assert_true(used > 0 && used <= have - at);
		strbuf_add(body, payload);
		at += used;
	}
	*ret_used = at;
	return NULL;
}

static void test_good_chunks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		print_message("# %s\n", good[i].body);
		for (size_t step = 1; step <= good[i].in.n; step++) {
			_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
			struct http_body b;
			size_t used;

			http_body_init(&b, HTTP_BODY_CHUNKED, 0);
			assert_ok(feed(&b, good[i].in, step, &body, &used));
			assert_true(b.done);
			assert_str(strbuf_str(&body), str_from(good[i].body));
			assert_str(str_skip(good[i].in, used), str_from(good[i].rest));
		}
	}
}

static void test_bad_chunks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("# %s\n", bad[i].message);
		for (size_t step = 1; step <= bad[i].in.n; step++) {
			_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
			struct http_body b;
			size_t used;

			http_body_init(&b, HTTP_BODY_CHUNKED, 0);
			assert_error(feed(&b, bad[i].in, step, &body, &used), ERR_PROTOCOL,
				     bad[i].message);
		}
	}
}

static void test_chunked_needs_its_end(void **state)
{
	static const char whole[] = "3;x\r\nabc\r\n0\r\nT: r\r\n\r\n";

	(void)state;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
		struct http_body b;
		size_t used;

		http_body_init(&b, HTTP_BODY_CHUNKED, 0);
		assert_ok(feed(&b, str_of(whole, n), 5, &body, &used));
		assert_int_equal(used, n);
		assert_false(b.done);
	}
}

static void test_length(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct http_body b;
	size_t used;

	(void)state;
	http_body_init(&b, HTTP_BODY_LENGTH, 5);
	assert_false(b.done);
	assert_ok(feed(&b, STR("helloGET /"), 3, &body, &used));
	assert_true(b.done);
	assert_int_equal(used, 5);
	assert_str(strbuf_str(&body), STR("hello"));

	http_body_init(&b, HTTP_BODY_LENGTH, 0);
	assert_true(b.done);
	http_body_init(&b, HTTP_BODY_NONE, 7);
	assert_true(b.done);
}

static void test_until_close_takes_all(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	struct http_body b;
	size_t used;

	(void)state;
	http_body_init(&b, HTTP_BODY_UNTIL_CLOSE, 0);
	assert_ok(feed(&b, STR("all of it"), 4, &body, &used));
	assert_false(b.done);
	assert_str(strbuf_str(&body), STR("all of it"));
}

/* Endless extensions or trailers are work without a body: both end at their limits. */
static void test_limits(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf in = STRBUF_INIT, body = STRBUF_INIT;
	struct http_body b;
	size_t used;

	(void)state;
	strbuf_add(&in, STR("1;"));
	for (size_t i = 0; i < LIMIT_HTTP_CHUNK_LINE - 3; i++)
		strbuf_addc(&in, 'x');
	http_body_init(&b, HTTP_BODY_CHUNKED, 0);
	assert_ok(feed(&b, strbuf_str(&in), 1000, &body, &used));
	assert_error(feed(&b, STR("xx"), 1, &body, &used), ERR_PROTOCOL,
		     "chunk size line of more than 4096 bytes");

	http_body_init(&b, HTTP_BODY_CHUNKED, 0);
	assert_ok(feed(&b, STR("0\r\n"), 1, &body, &used));
	for (size_t i = 0; i < LIMIT_HTTP_TRAILER / 8; i++)
		assert_ok(feed(&b, STR("A: bcd\r\n"), 8, &body, &used));
	assert_error(feed(&b, STR("\r\n"), 1, &body, &used), ERR_PROTOCOL,
		     "trailer of more than 16384 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_chunks),	      cmocka_unit_test(test_bad_chunks),
		cmocka_unit_test(test_chunked_needs_its_end), cmocka_unit_test(test_length),
		cmocka_unit_test(test_until_close_takes_all), cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
