/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server as its clients see it, byte for byte, over connections in memory.
 */
#include "unit/http/wire.h"

#include "base/limits.h"
#include "fiber/clock.h"
#include "http/connection.h"
#include "http/reply.h"

struct fixture {
	struct http_server *server;
	struct listener *listener;
	int handled, cancelled;
	struct strbuf seen; /* bodies that the handler read */
};

static struct str common(_unused_ void *arg)
{
	return STR("Server: test\r\n");
}

static void error_body(int status, const char *message, struct strbuf *ret_body)
{
	strbuf_addf(ret_body, "[%d %s]", status, message);
}

static may_suspend struct error *read_body(struct http_incoming *in, struct fixture *f)
{
	struct str body;

	TRY(http_incoming_read_all(in, 100, &body));
	strbuf_add(&f->seen, body);
	return NULL;
}

static may_suspend struct error *stream_reply(struct http_incoming *in, int64_t length)
{
	static const struct http_header headers[] = {
		{ STR_INIT("X-Mine"), STR_INIT("yes") },
		/* An engine's own: ours take their place. */
		{ STR_INIT("server"), STR_INIT("Docker") },
		{ STR_INIT("Date"), STR_INIT("Sun, 06 Nov 1994 08:49:37 GMT") },
		{ STR_INIT("Content-Length"), STR_INIT("99") },
		{ STR_INIT("Transfer-Encoding"), STR_INIT("chunked") },
		{ STR_INIT("Connection"), STR_INIT("close") },
	};

	TRY(http_reply_begin(in, 200, STR("Fine"), headers, ARRAY_LEN(headers), length));
	TRY(http_reply_write(in, STR("one")));
	TRY(http_reply_write(in, STR("")));
	TRY(http_reply_write(in, STR("two")));
	return NULL;
}

static may_suspend struct error *hijack(struct http_incoming *in, struct fixture *f)
{
	static const struct http_header headers[] = {
		{ STR_INIT("Connection"), STR_INIT("Upgrade") },
		{ STR_INIT("Upgrade"), STR_INIT("tcp") },
	};
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *s = NULL;
	char buf[100];
	size_t n = 1;

	TRY(read_body(in, f));
	TRY(http_reply_upgrade(in, 101, STR("UPGRADED"), headers, ARRAY_LEN(headers)));
	s = http_incoming_hijack(in, &early);
	strbuf_addf(&f->seen, "|%.*s", STR_ARG(strbuf_str(&early)));
	while (n > 0) {
		TRY(stream_read(s, buf, sizeof(buf), &n));
		strbuf_add(&f->seen, str_of(buf, n));
	}
	return stream_write(s, STR("bye"));
}

static may_suspend struct error *answer(struct http_incoming *in, struct fixture *f)
{
	struct str path = in->url.path;

	if (str_eq(path, STR("/echo"))) {
		TRY(read_body(in, f));
		return http_reply(in, 200, "text/plain", NULL, 0, strbuf_str(&f->seen));
	}
	if (str_eq(path, STR("/late-echo"))) {
		TRY(http_reply_begin(in, 200, STR_NONE, NULL, 0, 0));
		TRY(read_body(in, f));
		return http_reply_end(in);
	}
	if (str_eq(path, STR("/unread")))
		return http_reply(in, 200, NULL, NULL, 0, STR("ok"));
	if (str_eq(path, STR("/204")))
		return http_reply(in, 204, NULL, NULL, 0, STR(""));
	if (str_eq(path, STR("/stream"))) {
		TRY(stream_reply(in, -1));
		return http_reply_end(in);
	}
	if (str_eq(path, STR("/length"))) {
		TRY(stream_reply(in, 6));
		return http_reply_end(in);
	}
	if (str_eq(path, STR("/broken")))
		return stream_reply(in, -1);
	if (str_eq(path, STR("/sleep")))
		return fiber_sleep(HOUR);
	if (str_eq(path, STR("/hoard"))) {
		TRY(http_server_hold(f->server, in->connection, LIMIT_JSON_BODIES - 4));
		return fiber_sleep(HOUR);
	}
	if (str_eq(path, STR("/hijack")))
		return hijack(in, f);
	assert_str(path, STR("/nothing"));
	return NULL;
}

static may_suspend void handle(struct http_incoming *in, void *arg)
{
	struct fixture *f = arg;
	struct error *err = answer(in, f);
	int status = error_is(err, ERR_INVALID) ? 400 : 500;

	if (error_status(err))
		status = error_status(err);
	if (error_is(err, ERR_UNAVAILABLE))
		status = 503;
	f->handled++;
	f->cancelled += error_is(err, ERR_CANCELLED);
	if (err && !http_reply_begun(in) && !error_is(err, ERR_CANCELLED))
		error_keep(&err,
			   http_reply(in, status, NULL, NULL, 0, str_from(error_message(err))));
	error_free(err);
}

static struct fixture fixture_new(void)
{
	struct fixture f = { .listener = listener_memory() };

	return f;
}

static void fixture_start(struct fixture *f)
{
	f->server = http_server_new(&(struct http_server_config){
		.handler = handle, .arg = f, .common_headers = common, .error_body = error_body });
	http_server_listen(f->server, f->listener);
}

static may_suspend void fixture_fini(struct fixture *f)
{
	http_server_stop(f->server, 0);
	assert_int_equal(http_server_connections(f->server), 0);
	http_server_free(f->server);
	strbuf_fini(&f->seen);
}

#define FIXTURE(name)                                                \
	_cleanup_(fixture_fini) struct fixture name = fixture_new(); \
	fixture_start(&name)
#define CLIENT(name, f) \
	_cleanup_(stream_closep) struct stream *name = listener_connect((f).listener, "client")

/* The virtual clock begins there. */
#define AT(time) "Server: test\r\nDate: Thu, 01 Jan 2026 " time " GMT\r\n"
#define SERVER	 AT("00:00:00")
#define OK	 "HTTP/1.1 200 OK\r\n" SERVER
#define GET(p)	 "GET " p " HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(p)	 "POST " p " HTTP/1.1\r\nHost: x\r\n"
#define REFUSED_AT(time, status, reason, length)                                    \
	"HTTP/1.1 " status " " reason                                               \
	"\r\n" AT(time) "Content-Type: application/json\r\nContent-Length: " length \
			"\r\nConnection: close\r\n\r\n"
#define REFUSED(status, reason, length) REFUSED_AT("00:00:00", status, reason, length)

enum after { KEPT, CLOSED };

struct row {
	const char *say, *hear;
	enum after after;
	const char *seen;
};

static const struct row rows[] = {
	{ GET("/unread"), OK "Content-Length: 2\r\n\r\nok", KEPT, "" },
	{ GET("//x/.././unread"), OK "Content-Length: 2\r\n\r\nok", KEPT, "" },
	{ GET("/unread") GET("/204"),
	  OK "Content-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n" SERVER "\r\n", KEPT, "" },
	{ "HEAD /unread HTTP/1.1\r\nHost: x\r\n\r\n" GET("/204"),
	  OK "Content-Length: 2\r\n\r\nHTTP/1.1 204 No Content\r\n" SERVER "\r\n", KEPT, "" },
	{ POST("/echo") "Content-Length: 5\r\n\r\nhello",
	  OK "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", KEPT, "hello" },
	{ POST("/echo") "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
	  OK "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", KEPT, "hello" },

	/* Whose connection is it after this? */
	{ "GET /unread HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	  OK "Content-Length: 2\r\nConnection: close\r\n\r\nok", CLOSED, "" },
	{ "GET /unread HTTP/1.0\r\n\r\n", OK "Content-Length: 2\r\nConnection: close\r\n\r\nok",
	  CLOSED, "" },
	{ "GET /unread HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	  OK "Content-Length: 2\r\nConnection: keep-alive\r\n\r\nok", KEPT, "" },
	{ POST("/unread") "Content-Length: 5\r\n\r\nhello" GET("/204"),
	  OK "Content-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n" SERVER "\r\n", KEPT, "" },
	{ POST("/unread") "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n" GET("/204"),
	  OK "Content-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n" SERVER "\r\n", KEPT, "" },
	{ POST("/unread") "Content-Length: 1000000\r\n\r\nhello",
	  OK "Content-Length: 2\r\nConnection: close\r\n\r\nok", CLOSED, "" },
	{ POST("/unread") "Transfer-Encoding: chunked\r\n\r\nxyz", OK "Content-Length: 2\r\n\r\nok",
	  CLOSED, "" },

	/* Streams. */
	{ GET("/stream"),
	  "HTTP/1.1 200 Fine\r\n" SERVER "X-Mine: yes\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n",
	  KEPT, "" },
	{ GET("/length"),
	  "HTTP/1.1 200 Fine\r\n" SERVER "X-Mine: yes\r\nContent-Length: 6\r\n\r\nonetwo", KEPT,
	  "" },
	{ "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
	  "HTTP/1.1 200 Fine\r\n" SERVER "X-Mine: yes\r\nConnection: close\r\n\r\nonetwo", CLOSED,
	  "" },
	{ "HEAD /length HTTP/1.1\r\nHost: x\r\n\r\n",
	  "HTTP/1.1 200 Fine\r\n" SERVER "X-Mine: yes\r\nContent-Length: 6\r\n\r\n", KEPT, "" },
	{ "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n",
	  "HTTP/1.1 200 Fine\r\n" SERVER "X-Mine: yes\r\nContent-Length: 99\r\n\r\n", KEPT, "" },
	{ GET("/broken"),
	  "HTTP/1.1 200 Fine\r\n" SERVER "X-Mine: yes\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "3\r\none\r\n3\r\ntwo\r\n",
	  CLOSED, "" },
	{ GET("/nothing"),
	  "HTTP/1.1 500 Internal Server Error\r\n" SERVER
	  "Content-Type: application/json\r\nContent-Length: 34\r\n\r\n"
	  "[500 the request was not answered]",
	  KEPT, "" },

	/* Expect. */
	{ POST("/echo") "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
	  "HTTP/1.1 100 Continue\r\n\r\n", KEPT, "" },
	{ POST("/echo") "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
	  OK "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello", KEPT, "hello" },
	{ POST("/echo") "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
	  OK "Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n", KEPT, "" },
	{ POST("/unread") "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
	  OK "Content-Length: 2\r\nConnection: close\r\n\r\nok", CLOSED, "" },

	/* Bodies that the handler cannot take. */
	{ POST("/echo") "Content-Length: 101\r\n\r\n",
	  "HTTP/1.1 500 Internal Server Error\r\n" SERVER "Content-Length: 35\r\n\r\n"
	  "request body of more than 100 bytes",
	  KEPT, "" },
	{ POST("/echo") "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
	  "HTTP/1.1 400 Bad Request\r\n" SERVER "Content-Length: 19\r\n"
	  "Connection: close\r\n\r\nbad chunk size: \"-\"",
	  CLOSED, "" },

	/* What never gets to the handler. */
	{ "GET / HTTP/1.1\r\n\r\n", REFUSED("400", "Bad Request", "20") "[400 no Host header]",
	  CLOSED, "" },
	{ "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
	  REFUSED("400", "Bad Request", "24") "[400 invalid URL escape]", CLOSED, "" },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	  REFUSED("400", "Bad Request",
		  "60") "[400 only HTTP/1.1 and HTTP/1.0 are spoken here: \"HTTP/2.0\"]",
	  CLOSED, "" },
	{ "\x16\x03\x01",
	  REFUSED("400", "Bad Request", "41") "[400 TLS came where plain HTTP is spoken]", CLOSED,
	  "" },
	{ GET("/unread") "nonsense\r\n\r\n",
	  OK "Content-Length: 2\r\n\r\nok" REFUSED("400", "Bad Request",
						   "22") "[400 bad request line]",
	  CLOSED, "" },
};

FIBER_TEST(test_conversations)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		FIXTURE(f);
		CLIENT(client, f);

		print_message("# row %zu\n", i);
		say(client, rows[i].say);
		hear(client, rows[i].hear);
		if (rows[i].after == CLOSED)
			hear_end(client);
		settle();
		if (rows[i].after == KEPT)
			assert_true(stream_quiet(client));
		assert_str(strbuf_str(&f.seen), str_from(rows[i].seen));
	}
}

/* However the bytes are cut up. */
FIBER_TEST(test_a_request_in_pieces)
{
	static const char text[] = POST("/echo") "Transfer-Encoding: chunked\r\n\r\n"
						 "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
	FIXTURE(f);
	CLIENT(client, f);

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		assert_ok(stream_write(client, str_of(text + i, 1)));
		settle();
	}
	hear(client, OK "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
	assert_true(stream_quiet(client));
}

FIBER_TEST(test_head_too_large)
{
	FIXTURE(f);
	CLIENT(client, f);
	struct error *err = NULL;

	say(client, "GET / HTTP/1.1\r\n");
	for (size_t i = 0; !err && i < LIMIT_HTTP_HEAD; i++)
		err = stream_write(client, STR("A: b\r\n"));
	/* The server has answered, and then took no more. */
	assert_error(err, ERR_CLOSED, NULL);
	hear(client, REFUSED("431", "Request Header Fields Too Large",
			     "36") "[431 head of more than 262144 bytes]");
	hear_reset(client);
	assert_int_equal(f.handled, 0);
}

FIBER_TEST(test_slow_heads)
{
	FIXTURE(f);
	CLIENT(client, f);
	int64_t before = clock_now();

	say(client, "GET / HTTP/1.1\r\n");
	hear(client, REFUSED_AT("00:00:10", "408", "Request Timeout",
				"38") "[408 the request's head took too long]");
	assert_true(clock_now() - before <= LIMIT_HEAD_TIME + SECOND);
	hear_end(client);
}

FIBER_TEST(test_idle_connections_are_closed)
{
	FIXTURE(f);
	CLIENT(client, f);
	int64_t before = clock_now();

	hear_end(client);
	assert_true(clock_now() - before >= LIMIT_IDLE_KEEPALIVE);
	settle();
	assert_int_equal(http_server_connections(f.server), 0);
}

FIBER_TEST(test_a_client_that_hangs_up_cancels_the_handler)
{
	FIXTURE(f);
	CLIENT(client, f);

	say(client, GET("/sleep"));
	settle();
	assert_int_equal(f.handled, 0);
	stream_close(take(client));
	settle();
	assert_int_equal(f.handled, 1);
	assert_int_equal(f.cancelled, 1);
	assert_int_equal(http_server_connections(f.server), 0);
}

/* Who asks for an upgrade may have ended its side, which holds all of its input, and wait. */
FIBER_TEST(test_a_client_that_waits_for_an_upgrade)
{
	FIXTURE(f);
	CLIENT(client, f);

	say(client, POST("/sleep") "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\ninput");
	settle();
	assert_ok(stream_shutdown(client));
	settle();
	assert_int_equal(f.handled, 0);
	stream_close(take(client));
	settle();
	assert_int_equal(f.cancelled, 1);
	assert_int_equal(http_server_connections(f.server), 0);
}

/* While the body comes, an end is for the handler to find in the body. */
FIBER_TEST(test_a_body_cut_short)
{
	FIXTURE(f);
	CLIENT(client, f);

	say(client, POST("/echo") "Content-Length: 5\r\n\r\nhell");
	settle();
	assert_ok(stream_shutdown(client));
	hear(client, "HTTP/1.1 400 Bad Request\r\n" SERVER "Content-Length: 41\r\n"
		     "Connection: close\r\n\r\nconnection closed in the middle of a body");
	hear_end(client);
	assert_int_equal(f.cancelled, 0);
}

/* Who announces a body and falls silent is not waited for without end, whatever the handler. */
FIBER_TEST(test_slow_bodies)
{
	FIXTURE(f);
	CLIENT(client, f);
	int64_t before = clock_now();

	say(client, POST("/echo") "Content-Length: 5\r\n\r\nhell");
	hear(client,
	     "HTTP/1.1 408 Request Timeout\r\n" AT(
		     "00:02:00") "Content-Length: 32\r\n"
				 "Connection: close\r\n\r\nthe request's body took too long");
	assert_true(clock_now() - before <= LIMIT_BODY_TIME + SECOND);
	hear_end(client);
}

/* Bodies that are held at the same time have a limit together, and leave it when they go. */
FIBER_TEST(test_bodies_together)
{
	FIXTURE(f);
	CLIENT(hoarder, f);
	CLIENT(client, f);

	say(hoarder, GET("/hoard"));
	settle();
	say(client, POST("/echo") "Content-Length: 5\r\n\r\nhello");
	hear(client, "HTTP/1.1 503 Service Unavailable\r\n" SERVER "Content-Length: 54\r\n\r\n"
		     "too many large requests are under way: try again later");
	say(client, POST("/echo") "Content-Length: 4\r\n\r\nhell");
	hear(client, OK "Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nhell");
	stream_close(take(hoarder));
	settle();
	say(client, POST("/echo") "Content-Length: 5\r\n\r\nhello");
	hear(client, OK "Content-Type: text/plain\r\nContent-Length: 9\r\n\r\nhellhello");
}

/* An answer is not lost to a client that is still sending when we close. */
FIBER_TEST(test_an_early_answer_is_heard)
{
	FIXTURE(f);
	CLIENT(client, f);
	char junk[1000] = { 0 };

	say(client, POST("/unread") "Content-Length: 1000000\r\n\r\n");
	for (int i = 0; i < 100; i++)
		assert_ok(stream_write(client, str_of(junk, sizeof(junk))));
	hear(client, OK "Content-Length: 2\r\nConnection: close\r\n\r\nok");
	hear_end(client);
}

/* The body first, then the raw stream; what came early, and an early end, are kept. */
FIBER_TEST(test_hijack)
{
	static const char *const early[] = { "", "early" };

	for (size_t i = 0; i < ARRAY_LEN(early); i++) {
		FIXTURE(f);
		CLIENT(client, f);

		say(client, POST("/hijack") "Connection: Upgrade\r\nUpgrade: tcp\r\n"
					    "Content-Length: 4\r\n\r\nbody");
		say(client, early[i]);
		if (i > 0)
			assert_ok(stream_shutdown(client));
		hear(client, "HTTP/1.1 101 UPGRADED\r\n" SERVER
			     "Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
		if (i == 0) {
			say(client, "late");
			assert_ok(stream_shutdown(client));
		}
		hear(client, "bye");
		hear_end(client);
		settle();
		assert_str(strbuf_str(&f.seen), i == 0 ? STR("body|late") : STR("body|early"));
		assert_int_equal(f.cancelled, 0);
		assert_int_equal(http_server_connections(f.server), 0);
	}
}

struct stopping {
	struct http_server *server;
	int64_t grace;
	bool done;
};

static may_suspend void stop(void *arg)
{
	struct stopping *s = arg;

	http_server_stop(s->server, s->grace);
	s->done = true;
}

/* Idle ones go at once, requests under way have their grace, new ones are not taken. */
FIBER_TEST(test_stop)
{
	FIXTURE(f);
	CLIENT(idle, f);
	CLIENT(sleeping, f);
	CLIENT(sending, f);
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct stopping s = { .server = f.server, .grace = MINUTE };
	int64_t before = clock_now();

	say(idle, GET("/204"));
	hear(idle, "HTTP/1.1 204 No Content\r\n" SERVER "\r\n");
	say(sleeping, GET("/sleep"));
	say(sending, POST("/echo") "Content-Length: 5\r\n\r\nhel");
	settle();

	group_go(&g, "stop", stop, &s);
	hear_end(idle);
	say(sending, "lo");
	hear(sending, OK "Content-Type: text/plain\r\nContent-Length: 5\r\n"
			 "Connection: close\r\n\r\nhello");
	hear_end(sending);
	assert_int_equal(http_server_connections(f.server), 1);
	hear_end(sleeping);
	assert_int_equal((clock_now() - before) / SECOND, 60);
	settle();
	assert_true(s.done);
	assert_int_equal(f.cancelled, 1);
}

FIBER_TEST(test_too_many_connections)
{
	FIXTURE(f);
	struct stream **clients = mem_zalloc((LIMIT_CONNECTIONS + 1) * sizeof(struct stream *));

	for (size_t i = 0; i <= LIMIT_CONNECTIONS; i++) {
		clients[i] = listener_connect(f.listener, "client");
		if (i % 1000 == 0)
			settle();
	}
	hear(clients[LIMIT_CONNECTIONS],
	     REFUSED("503", "Service Unavailable", "26") "[503 too many connections]");
	hear_end(clients[LIMIT_CONNECTIONS]);
	say(clients[0], GET("/204"));
	hear(clients[0], "HTTP/1.1 204 No Content\r\n" SERVER "\r\n");
	for (size_t i = 0; i <= LIMIT_CONNECTIONS; i++)
		stream_close(clients[i]);
	free(clients);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_a_request_in_pieces),
		cmocka_unit_test(test_head_too_large),
		cmocka_unit_test(test_slow_heads),
		cmocka_unit_test(test_idle_connections_are_closed),
		cmocka_unit_test(test_a_client_that_hangs_up_cancels_the_handler),
		cmocka_unit_test(test_a_client_that_waits_for_an_upgrade),
		cmocka_unit_test(test_a_body_cut_short),
		cmocka_unit_test(test_slow_bodies),
		cmocka_unit_test(test_bodies_together),
		cmocka_unit_test(test_an_early_answer_is_heard),
		cmocka_unit_test(test_hijack),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_too_many_connections),
	};

	return run_fiber_tests(tests);
}
