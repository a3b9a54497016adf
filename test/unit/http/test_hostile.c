/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that two readers could take apart in two ways, which is how a request is smuggled past
 * one of them: each is refused, or read in one way only, however it was cut into packets. First
 * what clients send to the server, then what hosts answer to the client.
 */
#include "unit/http/wire.h"

#include "base/log.h"
#include "http/client.h"
#include "http/pool.h"
#include "http/reply.h"
#include "net/dial.h"
#include "net/listener.h"

struct row {
	const char *say;
	const char *saw;   /* what the handler got: "METHOD path body;" for each; body "!": bad */
	const char *heard; /* the statuses of the answers */
};

#define POST   "POST /a HTTP/1.1\r\nHost: x\r\n"
#define GET    "GET /a HTTP/1.1\r\nHost: x\r\n"
#define HIDDEN "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
#define CHUNKS "Transfer-Encoding: chunked\r\n\r\n"

static const struct row rows[] = {
	/* The plain forms, so that the rest is not refused for another reason. */
	{ GET "\r\n", "GET /a ;", "200" },
	{ POST "Content-Length: 5\r\n\r\nhello" GET "\r\n", "POST /a hello;GET /a ;", "200 200" },
	{ POST CHUNKS "5\r\nhello\r\n0\r\n\r\n" GET "\r\n", "POST /a hello;GET /a ;", "200 200" },
	{ POST CHUNKS "05;x=\"y\"\r\nhello\r\n000\r\nTrailer: z\r\n\r\n" GET "\r\n",
	  "POST /a hello;GET /a ;", "200 200" },
	{ GET "Content-Length: 3\r\n\r\nabc", "GET /a abc;", "200" },

	/* Content-Length and Transfer-Encoding: of two, the other reader may take either. */
	{ POST "Content-Length: 6\r\n" CHUNKS "0\r\n\r\n" HIDDEN, "", "400" },
	{ POST "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" HIDDEN, "",
	  "400" },
	{ POST "Content-Length: 0\r\nContent-Length: 36\r\n\r\n" HIDDEN, "", "400" },
	{ POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "", "400" },
	{ POST "Content-Length: 5, 5\r\n\r\nhello", "", "400" },
	{ POST "Content-Length: 5,6\r\n\r\nhello", "", "400" },
	{ POST "Content-Length: +5\r\n\r\nhello", "", "400" },
	{ POST "Content-Length: -5\r\n\r\nhello", "", "400" },
	{ POST "Content-Length: 0x5\r\n\r\nhello", "", "400" },
	{ POST "Content-Length: 5 5\r\n\r\nhello", "", "400" },
	{ POST "Content-Length: \r\n\r\n" HIDDEN, "", "400" },
	{ POST "Content-Length: 5;\r\n\r\nhello", "", "400" },
	{ POST "Content-Length: 18446744073709551616\r\n\r\n", "", "400" },
	{ POST "Content-Length: 9223372036854775808\r\n\r\n", "", "400" },
	{ POST "Content-Length : 5\r\n\r\nhello", "", "400" },
	{ POST "Content\x01Length: 5\r\n\r\nhello", "", "400" },
	{ POST " Content-Length: 5\r\n\r\nhello", "", "400" },
	{ POST "Content_Length: 36\r\n\r\n" HIDDEN, "POST /a ;GET /hidden ;", "200 200" },
	{ POST "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", "", "400" },
	{ POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding:\x0b"
	       "chunked\r\n\r\n0\r\n\r\n",
	  "", "400" },
	{ POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "", "400" },
	{ POST "TRANSFER-ENCODING:CHUNKED\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "POST /a hi;", "200" },
	{ "POST /a HTTP/1.0\r\n" CHUNKS "0\r\n\r\n" HIDDEN, "", "400" },
	{ POST "Foo: bar\r\n\tTransfer-Encoding: chunked\r\n\r\n" HIDDEN, "", "400" },

	/* Lines: one end of a line, one form of a header. */
	{ GET "A: b\r\n c\r\n\r\n", "", "400" },
	{ GET "A: b\r\n\tc\r\n\r\n", "", "400" },
	{ GET "A: b\nContent-Length: 36\r\n\r\n" HIDDEN, "", "400" },
	{ GET "A: b\rContent-Length: 36\r\n\r\n" HIDDEN, "", "400" },
	{ GET "A: b\r\r\n\r\n", "", "400" },
	{ GET "A: b\n\n", "", "400" },
	{ "GET /a HTTP/1.1\nHost: x\n\n", "", "400" },
	{ GET "A\r\n\r\n", "", "400" },
	{ GET ": b\r\n\r\n", "", "400" },
	{ GET "A B: c\r\n\r\n", "", "400" },
	{ GET "A\x80: c\r\n\r\n", "", "400" },
	{ GET "A: b\x7f\r\n\r\n", "", "400" },
	{ GET "(A): b\r\n\r\n", "", "400" },
	{ GET "A: b\xc3\xbc\r\n\r\n", "GET /a ;", "200" },

	/* Hosts. */
	{ "GET /a HTTP/1.1\r\n\r\n", "", "400" },
	{ GET "Host: y\r\n\r\n", "", "400" },
	{ GET "host: x\r\n\r\n", "", "400" },
	{ "GET /a HTTP/1.1\r\nHost : x\r\n\r\n", "", "400" },
	{ "GET /a HTTP/1.1\r\n Host: x\r\n\r\n", "", "400" },
	{ "GET /a HTTP/1.1\r\nHost: x y\r\n\r\n", "", "400" },
	{ "GET /a HTTP/1.1\r\nHost: x/y\r\n\r\n", "", "400" },
	{ "GET /a HTTP/1.1\r\nHost: x@y\r\n\r\n", "", "400" },
	{ "GET /a HTTP/1.1\r\nHost:\r\n\r\n", "GET /a ;", "200" },

	/* Request lines. */
	{ "GET  /a HTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ " GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET\t/a HTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a  HTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a\tHTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a HTTP/1.1 \r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a\r\n\r\n", "", "400" },
	{ "GET /a HTTP/0.9\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a HTTP/2.0\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a HTTP/1.10\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a http/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a HTTP/1.1x\r\nHost: x\r\n\r\n", "", "400" },
	{ "G@T /a HTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", "400" },
	{ "\r\n\r\n" GET "\r\n", "GET /a ;", "200" },
	{ "\n" GET "\r\n", "", "400" },
	{ "GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a ;", "200" },
	{ "GET http://y HTTP/1.1\r\nHost: x\r\n\r\n", "GET / ;", "200" },
	{ "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * ;", "200" },
	{ "CONNECT y:80 HTTP/1.1\r\nHost: y\r\n\r\n" HIDDEN, "", "400" },
	{ "GET a HTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a%00 HTTP/1.1\r\nHost: x\r\n\r\n", "", "400" },
	{ "GET /a%0d%0aX:%20y HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a\r\nX: y ;", "200" },
	{ "GET /%2e%2e/b/../a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a ;", "200" },

	/* Chunks. */
	{ POST CHUNKS "5 \r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS " 5\r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "\r\n5\r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "0x5\r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "+5\r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "-5\r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "5\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "5\r\nhello\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "5\r\nhello0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "5\r\nhelloX\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "5;\n=y\r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "5;a\rb\r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "g\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "10000000000000005\r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "ffffffffffffffff\r\nhello\r\n0\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "7fffffffffffffff\r\nhello", "POST /a !;", "400" },
	{ POST CHUNKS "0\r\nA: b\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "0\r\n B: c\r\n\r\n" HIDDEN, "POST /a !;", "400" },
	{ POST CHUNKS "0\r\nContent-Length: 36\r\n\r\n" HIDDEN, "POST /a ;GET /hidden ;",
	  "200 200" },
	{ POST CHUNKS "5\r\nhel", "POST /a !;", "400" },
	{ POST "Content-Length: 5\r\n\r\nhel", "POST /a !;", "400" },

	/* Behind an error nothing more is read. */
	{ GET "A: b\r\n c\r\n\r\n" HIDDEN HIDDEN, "", "400" },
	{ GET "\r\nnonsense\r\n\r\n" HIDDEN, "GET /a ;", "200 400" },
	{ GET "Connection: close\r\n\r\n" HIDDEN, "GET /a ;", "200" },
	{ "GET /a HTTP/1.0\r\n\r\n" HIDDEN, "GET /a ;", "200" },
	{ GET "Expect: 200-ok\r\n\r\n" HIDDEN, "", "400" },
	{ "\x16\x03\x01\x02", "", "400" },
};

static void handle(struct http_incoming *in, void *arg)
{
	struct strbuf *saw = arg;
	struct str body = STR_NONE;
	struct error *err = http_incoming_read_all(in, 1000, &body);

	strbuf_addf(saw, "%.*s %.*s %.*s;", STR_ARG(in->head.method), STR_ARG(in->url.path),
		    STR_ARG(err ? STR("!") : body));
	assert_ok(http_reply(in, err ? 400 : 200, NULL, NULL, 0, STR_NONE));
	error_free(err);
}

/* The numbers behind each "HTTP/1.1 ", all else aside. */
static may_suspend void hear_statuses(struct stream *s, struct strbuf *out)
{
	_cleanup_(strbuf_fini) struct strbuf all = STRBUF_INIT;
	size_t n = 1;

	while (n > 0) {
		strbuf_reserve(&all, 4096);

		_cleanup_(error_freep) struct error *err = stream_read(s, all.p + all.n, 4096, &n);

		if (err)
			break;
		strbuf_extend(&all, n);
	}
	strbuf_addc(&all, '\0');
	for (const char *p = all.p; (p = strstr(p, "HTTP/1.1 ")); p += 9)
		strbuf_addf(out, "%s%.3s", out->n > 0 ? " " : "", p + 9);
}

static void compare(const struct row *row, size_t cut, const char *what, const struct strbuf *got,
		    const char *want)
{
	if (!str_eq(strbuf_str(got), str_from(want)))
		fail_msg("%s\ncut at %zu, %s: \"%.*s\", not \"%s\"", row->say, cut, what,
			 STR_ARG(strbuf_str(got)), want);
}

/* The request in two packets, and then the end of the client's side. */
static may_suspend void send_in_two(const struct row *row, size_t cut)
{
	_cleanup_(strbuf_fini) struct strbuf saw = STRBUF_INIT, heard = STRBUF_INIT;
	struct listener *l = listener_memory();
	struct http_server *server =
		http_server_new(&(struct http_server_config){ .handler = handle, .arg = &saw });
	struct stream *s;
	struct str all = str_from(row->say);

	http_server_listen(server, l);
	s = listener_connect(l, "client");
	error_free(stream_write(s, str_first(all, cut)));
	settle();
	error_free(stream_write(s, str_skip(all, cut)));
	settle(); /* an end that comes before the answer would be a client that hung up */
	error_free(stream_shutdown(s));
	hear_statuses(s, &heard);
	stream_close(s);
	http_server_stop(server, 0);
	http_server_free(server);
	compare(row, cut, "it saw", &saw, row->saw);
	compare(row, cut, "it answered", &heard, row->heard);
}

FIBER_TEST(test_requests)
{
	log_set_level(LOG_ERROR);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t cut = 0; cut < strlen(rows[i].say); cut++)
			send_in_two(&rows[i], cut);
	}
}

/* NUL can be in no row above. */
FIBER_TEST(test_nul)
{
	static const struct str v[] = {
		STR_INIT("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
		STR_INIT("GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n"),
		STR_INIT("GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n"),
		STR_INIT("GET / HTTP/1.1\r\nHost: x\r\nA: b\0\r\n\r\n"),
		STR_INIT("G\0T / HTTP/1.1\r\nHost: x\r\n\r\n"),
		STR_INIT("GET / HTTP/1.1\0\r\nHost: x\r\n\r\n"),
	};

	for (size_t i = 0; i < ARRAY_LEN(v); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct http_request r;

		assert_error(http_parse_request(v[i], &arena, &r), ERR_INVALID, NULL);
	}
}

struct answer {
	const char *say;
	const char *got; /* the body; NULL: it is refused */
	bool kept;	 /* the connection serves another exchange */
};

#define OK "HTTP/1.1 200 OK\r\n"

static const struct answer answers[] = {
	{ OK "Content-Length: 2\r\n\r\nhi", "hi", true },
	{ OK CHUNKS "2\r\nhi\r\n0\r\n\r\n", "hi", true },
	{ OK "\r\nhi", "hi", false },
	{ OK "Content-Length: 2\r\nConnection: close\r\n\r\nhi", "hi", false },
	{ "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi", "hi", true },
	/* More than was asked for: nobody gets the rest as an answer of theirs. */
	{ OK "Content-Length: 2\r\n\r\nhi" OK "Content-Length: 0\r\n\r\n", "hi", false },
	{ OK CHUNKS "2\r\nhi\r\n0\r\n\r\nx", "hi", false },
	{ "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi", "", false },
	{ OK "Content-Length: 2\r\n" CHUNKS "2\r\nhi\r\n0\r\n\r\n", NULL, false },
	{ OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", NULL, false },
	{ OK "Content-Length: 2, 2\r\n\r\nhi", NULL, false },
	{ OK "Content-Length: +2\r\n\r\nhi", NULL, false },
	{ OK "Content-Length: 10\r\n\r\nhi", NULL, false },
	{ OK "Content-Length: 99999999999999999999\r\n\r\n", NULL, false },
	{ OK "Content-Length: 101\r\n\r\n", NULL, false },
	{ OK "Transfer-Encoding: gzip\r\n\r\nhi", NULL, false },
	{ OK "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", NULL, false },
	{ OK "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", NULL, false },
	{ "HTTP/1.0 200 OK\r\n" CHUNKS "0\r\n\r\n", NULL, false },
	{ OK CHUNKS "2\nhi\r\n0\r\n\r\n", NULL, false },
	{ OK CHUNKS "2\r\nhi!\r\n0\r\n\r\n", NULL, false },
	{ OK CHUNKS "fffffffffffffffff\r\nhi", NULL, false },
	{ OK CHUNKS "2\r\nhi\r\n", NULL, false },
	{ OK CHUNKS "zz\r\n", NULL, false },
	{ OK "A: b\r\n c\r\nContent-Length: 0\r\n\r\n", NULL, false },
	{ OK "A: b\nContent-Length: 0\r\n\r\n", NULL, false },
	{ OK "no colon\r\n\r\n", NULL, false },
	{ "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", NULL, false },
	{ "HTTP/1.1 20 OK\r\n\r\n", NULL, false },
	{ "HTTP/1.1 999 OK\r\n\r\n", NULL, false },
	{ "HTTP/1.1 -20 OK\r\n\r\n", NULL, false },
	{ "HTTP/2.0 200 OK\r\n\r\n", NULL, false },
	{ "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\n\r\n", NULL, false },
	{ "SSH-2.0-x\r\n\r\n", NULL, false },
	{ "\x15\x03\x03\x02\x02\x28", NULL, false },
	{ "<html>no HTTP</html>", NULL, false },
	{ "", NULL, false },
};

struct host {
	const struct answer *answer;
	size_t cut;
	struct stream *s;
	int dialled;
};

static may_suspend struct error *dial_host(_unused_ const struct addr *a, void *arg,
					   struct stream **ret)
{
	struct host *h = arg;

	h->dialled++;
	stream_close(h->s);
	memory_pair(4096, "client", "host", &h->s, ret);
	return NULL;
}

static may_suspend void play_host(void *arg)
{
	struct host *h = arg;
	struct str all = str_from(h->answer->say);
	char buf[1000];
	size_t n;

	while (!h->s)
		assert_ok(fiber_yield());
	error_free(stream_read(h->s, buf, sizeof(buf), &n));
	error_free(stream_write(h->s, str_first(all, h->cut)));
	settle();
	error_free(stream_write(h->s, str_skip(all, h->cut)));
	/* Where the connection is to live, an end of it would be the reason why it does not. */
	if (!h->answer->kept)
		error_free(stream_shutdown(h->s));
}

/* What came behind the answer must never be taken for the next one. */
static may_suspend void is_kept(const struct answer *a, struct http_client *client,
				const struct http_call *call, struct host *host)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;

	if (a->kept) {
		assert_int_equal(pool_idle(), 1);
		return;
	}
	assert_ok(http_exchange_begin(client, call, &x));
	if (host->dialled != 2)
		fail_msg("%s\ncut at %zu: the connection is used again", a->say, host->cut);
}

static may_suspend void receive_in_two(const struct answer *a, size_t cut)
{
	static const struct addr addr = { .kind = ADDR_TCP, .host = "10.0.0.1", .port = 2375 };
	static const struct http_call call = { .method = STR_INIT("GET"),
					       .target = STR_INIT("/x") };
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct host host = { a, cut, NULL, 0 };
	struct http_client *client;
	struct http_result result = { 0 };
	struct error *err;
	struct group g = GROUP_INIT;

	dial_set_hook(dial_host, &host);
	client = http_client_new(&addr, NULL);
	group_go(&g, "host", play_host, &host);
	err = http_fetch(client, &call, 100, &arena, &result);
	if (!a->got != !!err || (a->got && !str_eq(result.body, str_from(a->got))))
		fail_msg("%s\ncut at %zu: \"%.*s\", %s", a->say, cut, STR_ARG(result.body),
			 error_message(err));
	error_free(err);
	settle();
	is_kept(a, client, &call, &host);
	group_finish(&g);
	http_client_unref(client);
	stream_close(host.s);
	dial_set_hook(NULL, NULL);
}

FIBER_TEST(test_answers)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		size_t n = strlen(answers[i].say);

		for (size_t cut = 0; cut < MAX(n, 1); cut++)
			receive_in_two(&answers[i], cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_answers),
	};

	return run_fiber_tests(tests);
}
