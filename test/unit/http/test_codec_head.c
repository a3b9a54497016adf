/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads, good and hostile. A row of the hostile table is a request that some server somewhere
 * reads in another way than its neighbour, and what we say to it.
 */
#include "unit/http/check.h"

#include "base/limits.h"
#include "http/codec.h"

struct good_request {
	const char *head;
	struct http_request want;
};

static const struct good_request good_requests[] = {
	{ "GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n",
	  { .method = STR_INIT("GET"),
	    .target = STR_INIT("/_ping"),
	    .minor = 1,
	    .keep_alive = true } },
	{ "\r\n\r\nGET / HTTP/1.1\r\nHost:\r\n\r\n",
	  { .method = STR_INIT("GET"), .target = STR_INIT("/"), .minor = 1, .keep_alive = true } },
	{ "GET / HTTP/1.0\r\n\r\n", { .method = STR_INIT("GET"), .target = STR_INIT("/") } },
	{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
	  { .method = STR_INIT("GET"), .target = STR_INIT("/"), .keep_alive = true } },
	{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n",
	  { .method = STR_INIT("GET"), .target = STR_INIT("/"), .minor = 1 } },
	/* A later 1.x speaks 1.1 to us. */
	{ "GET / HTTP/1.2\r\nHost: x\r\n\r\n",
	  { .method = STR_INIT("GET"), .target = STR_INIT("/"), .minor = 1, .keep_alive = true } },
	/* Methods are case-sensitive tokens: `get` is one, and none that a route has. */
	{ "get / HTTP/1.1\r\nHost: x\r\n\r\n",
	  { .method = STR_INIT("get"), .target = STR_INIT("/"), .minor = 1, .keep_alive = true } },
	{ "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
	  { .method = STR_INIT("OPTIONS"),
	    .target = STR_INIT("*"),
	    .minor = 1,
	    .keep_alive = true } },
	{ "GET http://h:1/a HTTP/1.1\r\nHost: x\r\n\r\n",
	  { .method = STR_INIT("GET"),
	    .target = STR_INIT("http://h:1/a"),
	    .minor = 1,
	    .keep_alive = true } },
	{ "GET /j?filters={\"name\":[\"\xc3\xa4\"]} HTTP/1.1\r\nHost: [::1]:2375\r\n\r\n",
	  { .method = STR_INIT("GET"),
	    .target = STR_INIT("/j?filters={\"name\":[\"\xc3\xa4\"]}"),
	    .minor = 1,
	    .keep_alive = true } },
	{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
	  { .method = STR_INIT("POST"),
	    .target = STR_INIT("/"),
	    .minor = 1,
	    .framing = HTTP_BODY_LENGTH,
	    .keep_alive = true } },
	{ "POST / HTTP/1.1\r\nHost: x\r\ncontent-length:\t9223372036854775807 \r\n\r\n",
	  { .method = STR_INIT("POST"),
	    .target = STR_INIT("/"),
	    .minor = 1,
	    .framing = HTTP_BODY_LENGTH,
	    .length = INT64_MAX,
	    .keep_alive = true } },
	{ "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n",
	  { .method = STR_INIT("PUT"),
	    .target = STR_INIT("/"),
	    .minor = 1,
	    .framing = HTTP_BODY_CHUNKED,
	    .keep_alive = true,
	    .expect_continue = true } },
	/* exec start: an upgrade with a body. */
	{ "POST /exec/1/start HTTP/1.1\r\nHost: docker\r\nContent-Length: 12\r\n"
	  "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
	  { .method = STR_INIT("POST"),
	    .target = STR_INIT("/exec/1/start"),
	    .minor = 1,
	    .framing = HTTP_BODY_LENGTH,
	    .length = 12,
	    .keep_alive = true,
	    .upgrade = STR_INIT("tcp") } },
	/* An Upgrade that Connection does not name is for another hop; HTTP/1.0 has none. */
	{ "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: tcp\r\n\r\n",
	  { .method = STR_INIT("GET"), .target = STR_INIT("/"), .minor = 1, .keep_alive = true } },
	{ "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: tcp\r\nExpect: 100-continue\r\n\r\n",
	  { .method = STR_INIT("GET"), .target = STR_INIT("/") } },
};

static void test_good_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_requests); i++) {
		const struct good_request *row = &good_requests[i];
		const struct http_request *want = &row->want;
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct str head = str_from(row->head);
		struct http_request got;
		size_t scanned = 0;

		print_message("# %s\n", row->want.target.p);
		assert_int_equal(http_head_end(head, &scanned), head.n);
		assert_ok(http_parse_request(head, &arena, &got));
		assert_str(got.method, want->method);
		assert_str(got.target, want->target);
		assert_int_equal(got.minor, want->minor);
		assert_int_equal(got.framing, want->framing);
		assert_int_equal(got.length, want->length);
		assert_int_equal(got.keep_alive, want->keep_alive);
		assert_int_equal(got.expect_continue, want->expect_continue);
		assert_str(got.upgrade, want->upgrade);
	}
}

#define REQ(lines) "POST / HTTP/1.1\r\nHost: x\r\n" lines "\r\n"

static const struct {
	struct str head;
	const char *message;
} hostile_requests[] = {
	/* Where does the body end? */
	{ STR_INIT(REQ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")),
	  "both Transfer-Encoding and Content-Length" },
	{ STR_INIT(REQ("Content-Length: 5\r\nContent-Length: 6\r\n")),
	  "more than one Content-Length" },
	{ STR_INIT(REQ("Content-Length: 5\r\nContent-Length: 5\r\n")),
	  "more than one Content-Length" },
	{ STR_INIT(REQ("Content-Length: 5, 5\r\n")), "bad Content-Length" },
	{ STR_INIT(REQ("Content-Length: +5\r\n")), "bad Content-Length" },
	{ STR_INIT(REQ("Content-Length: -5\r\n")), "bad Content-Length" },
	{ STR_INIT(REQ("Content-Length: 0x5\r\n")), "bad Content-Length" },
	{ STR_INIT(REQ("Content-Length: 5 5\r\n")), "bad Content-Length" },
	{ STR_INIT(REQ("Content-Length: \r\n")), "bad Content-Length" },
	{ STR_INIT(REQ("Content-Length: 9223372036854775808\r\n")), "bad Content-Length" },
	{ STR_INIT(REQ("Content-Length: 18446744073709551621\r\n")), "bad Content-Length" },
	{ STR_INIT(REQ("Transfer-Encoding: chunked, chunked\r\n")),
	  "Transfer-Encoding other than chunked" },
	{ STR_INIT(REQ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")),
	  "Transfer-Encoding other than chunked" },
	{ STR_INIT(REQ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n")),
	  "Transfer-Encoding other than chunked" },
	{ STR_INIT(REQ("Transfer-Encoding: xchunked\r\n")),
	  "Transfer-Encoding other than chunked" },
	{ STR_INIT(REQ("Transfer-Encoding: gzip, chunked\r\n")),
	  "Transfer-Encoding other than chunked" },
	{ STR_INIT(REQ("Transfer-Encoding: identity\r\n")),
	  "Transfer-Encoding other than chunked" },
	{ STR_INIT(REQ("Transfer-Encoding: \"chunked\"\r\n")),
	  "Transfer-Encoding other than chunked" },
	{ STR_INIT(REQ("Transfer-Encoding: chunked;q=1\r\n")),
	  "Transfer-Encoding other than chunked" },
	{ STR_INIT(REQ("Transfer-Encoding:\r\n")), "Transfer-Encoding other than chunked" },
	{ STR_INIT(REQ("Transfer-Encoding:\x0b"
		       "chunked\r\n")),
	  "control character in a head: header Transfer-Encoding" },
	{ STR_INIT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
	  "Transfer-Encoding in HTTP/1.0" },

	/* Where does a header, or its name, end? */
	{ STR_INIT("GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
	  "bad header name: behind the first line" },
	{ STR_INIT(REQ("Content-Length : 5\r\n")), "bad header name: behind header Host" },
	{ STR_INIT(REQ("Transfer-Encoding\t: chunked\r\n")),
	  "bad header name: behind header Host" },
	{ STR_INIT(REQ("A: b\r\n folded\r\n")), "folded header line: behind header A" },
	{ STR_INIT(REQ("A: b\r\n\tfolded\r\n")), "folded header line: behind header A" },
	{ STR_INIT("GET / HTTP/1.1\r\n Host: x\r\n\r\n"),
	  "folded header line: behind the first line" },
	{ STR_INIT(REQ("A: b\rContent-Length: 5\r\n")), "control character in a head: header A" },
	{ STR_INIT(REQ("A: b\nContent-Length: 5\r\n")), "line without CR before its LF: header A" },
	{ STR_INIT(REQ("A: b\r\r\n")), "control character in a head: header A" },
	{ STR_INIT("GET / HTTP/1.1\nHost: x\n\n"),
	  "line without CR before its LF: the first line" },
	{ STR_INIT("GET / HTTP/1.1\r\nHost: x\r\n\n"),
	  "line without CR before its LF: behind header Host" },
	{ STR_INIT(REQ("A: b\0c\r\n")), "control character in a head: header A" },
	{ STR_INIT("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
	  "control character in a head: the first line" },
	{ STR_INIT(REQ("A: \x7f\r\n")), "control character in a head: header A" },
	{ STR_INIT(REQ("no colon\r\n")), "header line without a colon: behind header Host" },
	{ STR_INIT(REQ(": no name\r\n")), "bad header name: behind header Host" },
	{ STR_INIT(REQ("a(b): c\r\n")), "bad header name: behind header Host" },
	{ STR_INIT(REQ("\xc3\xa4: c\r\n")), "bad header name: behind header Host" },

	/* Whom is it for? */
	{ STR_INIT("GET / HTTP/1.1\r\n\r\n"), "no Host header" },
	{ STR_INIT("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"), "more than one Host header" },
	{ STR_INIT("GET / HTTP/1.0\r\nHost: x\r\nhost: y\r\n\r\n"), "more than one Host header" },
	{ STR_INIT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), "bad Host header" },
	{ STR_INIT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), "bad Host header" },
	{ STR_INIT("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), "bad Host header" },

	/* The request line. */
	{ STR_INIT("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), "bad request target" },
	{ STR_INIT("GET / HTTP/1.1 \r\nHost: x\r\n\r\n"), "not HTTP" },
	{ STR_INIT(" GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "bad method" },
	{ STR_INIT("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"), "bad request target" },
	{ STR_INIT("GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n"), "bad request target" },
	{ STR_INIT("GET\t/ HTTP/1.1\r\nHost: x\r\n\r\n"), "bad request line" },
	{ STR_INIT("GET /\r\n\r\n"), "bad request line" },
	{ STR_INIT("GET\r\n\r\n"), "bad request line" },
	{ STR_INIT("GE\"T / HTTP/1.1\r\nHost: x\r\n\r\n"), "bad method" },
	{ STR_INIT("GET / http/1.1\r\nHost: x\r\n\r\n"), "not HTTP" },
	{ STR_INIT("GET / HTTP/1.11\r\nHost: x\r\n\r\n"), "not HTTP" },
	{ STR_INIT("GET / HTTP/01.1\r\nHost: x\r\n\r\n"), "not HTTP" },
	{ STR_INIT("GET / HTTP/1,1\r\nHost: x\r\n\r\n"), "not HTTP" },
	{ STR_INIT("GET / HTTP/0.9\r\nHost: x\r\n\r\n"),
	  "only HTTP/1.1 and HTTP/1.0 are spoken here: \"HTTP/0.9\"" },
	{ STR_INIT("PRI * HTTP/2.0\r\n\r\n"),
	  "only HTTP/1.1 and HTTP/1.0 are spoken here: \"HTTP/2.0\"" },
	{ STR_INIT("\r\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
	  "line without CR before its LF: the first line" },
	{ STR_INIT("\x16\x03\x01\x02"), "TLS came where plain HTTP is spoken" },
	{ STR_INIT(REQ("Expect: something\r\n")), "unknown Expect" },
};

/* A target that long, in a request that is right otherwise. */
static struct error *parse_target(size_t n)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf head = STRBUF_INIT;
	struct http_request r;

	strbuf_add(&head, STR("GET /"));
	for (size_t i = 1; i < n; i++)
		strbuf_addc(&head, 'a');
	strbuf_add(&head, STR(" HTTP/1.1\r\nHost: x\r\n\r\n"));
	return http_parse_request(strbuf_str(&head), &arena, &r);
}

static void test_long_targets(_unused_ void **state)
{
	assert_ok(parse_target(LIMIT_HTTP_TARGET));
	assert_error(parse_target(LIMIT_HTTP_TARGET + 1), ERR_HEAD_TOO_LARGE, NULL);
}

static void test_hostile_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hostile_requests); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct str head = hostile_requests[i].head;
		struct http_request got;
		size_t scanned = 0;

		print_message("# %s\n", hostile_requests[i].message);
		/* The server finds its end, so it is answered and not waited for. */
		assert_int_equal(http_head_end(head, &scanned), head.n);
		assert_error(http_parse_request(head, &arena, &got), ERR_INVALID,
			     hostile_requests[i].message);
	}
}

static void test_headers_are_counted_before_memory_is_taken(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf head = STRBUF_INIT;
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct http_request got;

	(void)state;
	strbuf_add(&head, STR("GET / HTTP/1.1\r\nHost: x\r\n"));
	for (int i = 1; i < LIMIT_HTTP_HEADERS; i++)
		strbuf_add(&head, STR("A: b\r\n"));
	strbuf_add(&head, STR("\r\n"));
	assert_ok(http_parse_request(strbuf_str(&head), &arena, &got));
	assert_int_equal(got.headers.n, LIMIT_HTTP_HEADERS);

	strbuf_truncate(&head, head.n - 2);
	strbuf_add(&head, STR("A: b\r\n\r\n"));
	arena_fini(&arena);
	assert_error(http_parse_request(strbuf_str(&head), &arena, &got), ERR_HEAD_TOO_LARGE,
		     "more than 256 headers");
	assert_int_equal(arena.total, 0);
}

struct response_row {
	const char *head, *method;
	struct http_response want;
};

static const struct response_row good_responses[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
	  "GET",
	  { .status = 200,
	    .reason = STR_INIT("OK"),
	    .minor = 1,
	    .framing = HTTP_BODY_LENGTH,
	    .length = 2,
	    .keep_alive = true } },
	{ "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n",
	  "GET",
	  { .status = 200, .minor = 1, .framing = HTTP_BODY_CHUNKED, .keep_alive = true } },
	{ "HTTP/1.1 200\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	  "GET",
	  { .status = 200, .minor = 1, .framing = HTTP_BODY_LENGTH } },
	/* attach without an upgrade: the body is the rest of the connection. */
	{ "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n",
	  "POST",
	  { .status = 200,
	    .reason = STR_INIT("OK"),
	    .minor = 1,
	    .framing = HTTP_BODY_UNTIL_CLOSE } },
	{ "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
	  "POST",
	  { .status = 101,
	    .reason = STR_INIT("UPGRADED"),
	    .minor = 1,
	    .upgrade = STR_INIT("tcp") } },
	{ "HTTP/1.1 100 Continue\r\n\r\n",
	  "POST",
	  { .status = 100, .reason = STR_INIT("Continue"), .minor = 1, .keep_alive = true } },
	{ "HTTP/1.1 204 No Content\r\n\r\n",
	  "DELETE",
	  { .status = 204, .reason = STR_INIT("No Content"), .minor = 1, .keep_alive = true } },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
	  "POST",
	  { .status = 304, .reason = STR_INIT("Not Modified"), .minor = 1, .keep_alive = true } },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
	  "HEAD",
	  { .status = 200, .reason = STR_INIT("OK"), .minor = 1, .keep_alive = true } },
	{ "HTTP/1.1 200 OK\r\n\r\n",
	  "HEAD",
	  { .status = 200, .reason = STR_INIT("OK"), .minor = 1, .keep_alive = true } },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n",
	  "GET",
	  { .status = 200, .reason = STR_INIT("OK"), .framing = HTTP_BODY_LENGTH, .length = 7 } },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\n",
	  "GET",
	  { .status = 200,
	    .reason = STR_INIT("OK"),
	    .framing = HTTP_BODY_LENGTH,
	    .length = 7,
	    .keep_alive = true } },
};

static const struct {
	const char *head, *message;
} bad_responses[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n",
	  "both Transfer-Encoding and Content-Length" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n",
	  "more than one Content-Length" },
	{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	  "Transfer-Encoding in HTTP/1.0" },
	{ "\r\nHTTP/1.1 200 OK\r\n\r\n", "bad status line: \"\"" },
	{ "HTTP/1.1 2000 OK\r\n\r\n", "bad status line: \"HTTP/1.1 2000 OK\"" },
	{ "HTTP/1.1 099 OK\r\n\r\n", "bad status line: \"HTTP/1.1 099 OK\"" },
	{ "HTTP/1.1 +20 OK\r\n\r\n", "bad status line: \"HTTP/1.1 +20 OK\"" },
	{ "HTTP/1.1  200 OK\r\n\r\n", "bad status line: \"HTTP/1.1  200 OK\"" },
	{ "HTTP/2.0 200 OK\r\n\r\n", "only HTTP/1.1 and HTTP/1.0 are spoken here: \"HTTP/2.0\"" },
	{ "\x15\x03\x01\x02\r\n\r\n", "TLS came where plain HTTP is spoken" },
	{ "SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n", "not HTTP: \"SSH-2.0-OpenSSH_9.2p1\"" },
};

static void test_good_responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_responses); i++) {
		const struct response_row *row = &good_responses[i];
		const struct http_response *want = &row->want;
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct http_response got;

		print_message("# %s %d\n", row->method, want->status);
		assert_ok(http_parse_response(str_from(row->head), str_from(row->method), &arena,
					      &got));
		assert_int_equal(got.status, want->status);
		assert_str(got.reason, want->reason);
		assert_int_equal(got.minor, want->minor);
		assert_int_equal(got.framing, want->framing);
		assert_int_equal(got.length, want->length);
		assert_int_equal(got.keep_alive, want->keep_alive);
		assert_str(got.upgrade, want->upgrade);
	}
}

static void test_bad_responses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_responses); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct http_response got;

		print_message("# %s\n", bad_responses[i].message);
		assert_error(http_parse_response(str_from(bad_responses[i].head), STR("GET"),
						 &arena, &got),
			     ERR_PROTOCOL, bad_responses[i].message);
	}
}

/* The end is found at the same byte however the head was cut into reads. */
static void test_head_end_is_incremental(void **state)
{
	static const char text[] = "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET /next";
	struct str buf = str_from(text);
	size_t end = buf.n - strlen("GET /next");

	(void)state;
	for (size_t step = 1; step <= buf.n; step++) {
		size_t scanned = 0, found = 0, have = 0;

		while (!found && have < buf.n) {
			have = MIN(have + step, buf.n);
			found = http_head_end(str_first(buf, have), &scanned);
			assert_true(scanned <= have);
		}
		assert_int_equal(found, end);
	}
}

static void test_head_end_waits(void **state)
{
	static const char *const rows[] = {
		"",
		"G",
		"GET / HTTP/1.1\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n\r",
		"\r\n\r\n\r\n",
		"\n\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t scanned = 0;

		assert_int_equal(http_head_end(str_from(rows[i]), &scanned), 0);
	}
}

static void test_headers_by_name(void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct http_request r;
	struct http_headers *h = &r.headers;

	(void)state;
	assert_ok(http_parse_request(STR("GET / HTTP/1.1\r\nHost: x\r\nAccept: \t a , b\t \r\n"
					 "ACCEPT: c;q=0.5\r\nConnection: X-Mine , close\r\n"
					 "X-Mine: 1\r\nEmpty:\r\n\r\n"),
				     &arena, &r));
	assert_str(http_header(h, "accept"), STR("a , b"));
	assert_str(http_header(h, "Empty"), STR(""));
	assert_null(http_header(h, "Accep").p);
	assert_true(http_header_has_token(h, "Accept", "B"));
	assert_true(http_header_has_token(h, "Accept", "c;q=0.5"));
	assert_false(http_header_has_token(h, "Accept", "c"));
	assert_false(http_header_has_token(h, "Accept", ""));

	assert_true(http_header_is_hop(h, STR("x-mine")));
	assert_true(http_header_is_hop(h, STR("connection")));
	assert_true(http_header_is_hop(h, STR("Proxy-Authorization")));
	assert_true(http_header_is_hop(h, STR("TE")));
	assert_false(http_header_is_hop(h, STR("Content-Length")));
	assert_false(http_header_is_hop(h, STR("X-Registry-Auth")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_requests),
		cmocka_unit_test(test_hostile_requests),
		cmocka_unit_test(test_long_targets),
		cmocka_unit_test(test_headers_are_counted_before_memory_is_taken),
		cmocka_unit_test(test_good_responses),
		cmocka_unit_test(test_bad_responses),
		cmocka_unit_test(test_head_end_is_incremental),
		cmocka_unit_test(test_head_end_waits),
		cmocka_unit_test(test_headers_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
