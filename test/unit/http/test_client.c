/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client against a host that is played by the test: it dials into a queue of connections,
 * whose other ends the test speaks on.
 */
#include "unit/http/wire.h"

#include "base/limits.h"
#include "base/vec.h"
#include "http/client.h"
#include "http/pool.h"
#include "net/dial.h"

static struct vec dialled; /* the hosts' ends, in the order of dialling */

static may_suspend struct error *dial_memory(const struct addr *a, _unused_ void *arg,
					     struct stream **ret)
{
	_cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
	struct stream *theirs;

	if (a->port == 1)
		return error_new(ERR_REFUSED, "cannot connect to 10.0.0.1:1: Connection refused");
	addr_format(a, &name);
	memory_pair(1000, "client", name.p, &theirs, ret);
	vec_push(&dialled, theirs);
	return NULL;
}

/* One call under way. */
struct call {
	struct http_client *client;
	struct http_call call;
	struct http_exchange *x;
	struct group group;
	struct arena arena;
	struct http_result result;
	struct error *err;
	bool begun, done;
};

static struct http_client *client_new(uint16_t port)
{
	struct addr a = { .kind = ADDR_TCP, .host = "10.0.0.1", .port = port };

	dial_set_hook(dial_memory, NULL);
	return http_client_new(&a, NULL);
}

static may_suspend void call_fini(struct call *c)
{
	struct stream *s;

	group_finish(&c->group);
	http_exchange_free(c->x);
	http_client_unref(c->client);
	assert_int_equal(pool_idle(), 0);
	arena_fini(&c->arena);
	error_free(c->err);
	while ((s = vec_pop(&dialled)))
		stream_close(s);
	vec_fini(&dialled);
	dial_set_hook(NULL, NULL);
}

#define CALL(name, port)                                                      \
	_cleanup_(call_fini) struct call name = { .client = client_new(port), \
						  .group = GROUP_INIT,        \
						  .arena = ARENA_INIT }

static may_suspend void run_fetch(void *arg)
{
	struct call *c = arg;

	c->done = c->begun = false;
	c->err = http_fetch(c->client, &c->call, 100, &c->arena, &c->result);
	c->done = true;
}

static may_suspend void run_begin(void *arg)
{
	struct call *c = arg;

	c->begun = false;
	c->err = http_exchange_begin(c->client, &c->call, &c->x);
	c->begun = true;
}

/* Starts it and answers the host's end of the newest connection. */
static may_suspend struct stream *start(struct call *c, fiber_fn *fn, const char *method)
{
	c->call.method = str_from(method);
	if (str_empty(c->call.target))
		c->call.target = STR("/x");
	group_go(&c->group, "call", fn, c);
	settle();
	return dialled.n > 0 ? dialled.v[dialled.n - 1] : NULL;
}

struct sent {
	struct http_call call;
	const char *head;
};

static const struct http_header some_headers[] = {
	{ STR_INIT("X-Registry-Auth"), STR_INIT("e30=") },
	/* Ours: these are left out. */
	{ STR_INIT("host"), STR_INIT("evil") },
	{ STR_INIT("Content-Length"), STR_INIT("7") },
	{ STR_INIT("Transfer-Encoding"), STR_INIT("chunked") },
	{ STR_INIT("Connection"), STR_INIT("close") },
	{ STR_INIT("Expect"), STR_INIT("100-continue") },
};

#define LINE(method) method " /x HTTP/1.1\r\nHost: 10.0.0.1:2375\r\n"

static const struct sent sent[] = {
	{ { .method = STR_INIT("GET") }, LINE("GET") "\r\n" },
	{ { .method = STR_INIT("DELETE") }, LINE("DELETE") "\r\n" },
	{ { .method = STR_INIT("POST") }, LINE("POST") "Content-Length: 0\r\n\r\n" },
	{ { .method = STR_INIT("POST"), .body = STR_INIT("{}") },
	  LINE("POST") "Content-Length: 2\r\n\r\n{}" },
	{ { .method = STR_INIT("PUT"), .send = HTTP_SEND_LENGTH, .length = 5 },
	  LINE("PUT") "Content-Length: 5\r\n\r\n" },
	{ { .method = STR_INIT("PUT"), .send = HTTP_SEND_CHUNKED },
	  LINE("PUT") "Transfer-Encoding: chunked\r\n\r\n" },
	{ { .method = STR_INIT("GET"), .host = STR_INIT("docker") },
	  "GET /x HTTP/1.1\r\nHost: docker\r\n\r\n" },
	{ { .method = STR_INIT("POST"), .body = STR_INIT("{}"), .upgrade = STR_INIT("tcp") },
	  LINE("POST") "Content-Length: 2\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n{}" },
	{ { .method = STR_INIT("GET"),
	    .headers = some_headers,
	    .n_headers = ARRAY_LEN(some_headers) },
	  LINE("GET") "X-Registry-Auth: e30=\r\n\r\n" },
};

FIBER_TEST(test_requests_as_sent)
{
	for (size_t i = 0; i < ARRAY_LEN(sent); i++) {
		CALL(c, 2375);
		struct stream *host;

		c.call = sent[i].call;
		host = start(&c, run_begin, sent[i].call.method.p);
		hear(host, sent[i].head);
		assert_true(stream_quiet(host));
		assert_true(c.begun);
		assert_ok(c.err);
	}
}

struct answered {
	const char *method, *say;
	int status;
	const char *body;
	bool pooled;
};

static const struct answered answered[] = {
	{ "GET", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true },
	{ "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	  200, "hello", true },
	{ "GET", "HTTP/1.1 404 No such\r\nContent-Length: 0\r\n\r\n", 404, "", true },
	{ "POST", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true },
	{ "POST", "HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", true },
	{ "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "", true },
	{ "GET",
	  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
	  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	  200, "ok", true },
	{ "GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok",
	  false },
	{ "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false },
	/* More than was asked for: whose is it? */
	{ "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", 200, "ok",
	  false },
};

FIBER_TEST(test_answers)
{
	for (size_t i = 0; i < ARRAY_LEN(answered); i++) {
		CALL(c, 2375);
		struct stream *host = start(&c, run_fetch, answered[i].method);

		print_message("# row %zu\n", i);
		say(host, answered[i].say);
		settle();
		assert_true(c.done);
		assert_ok(c.err);
		assert_int_equal(c.result.head.status, answered[i].status);
		assert_str(c.result.body, str_from(answered[i].body));
		assert_int_equal(pool_idle(), answered[i].pooled);
	}
}

FIBER_TEST(test_an_answer_that_ends_with_the_connection)
{
	CALL(c, 2375);
	struct stream *host = start(&c, run_fetch, "GET");

	say(host, "HTTP/1.1 200 OK\r\n\r\nhello");
	settle();
	assert_false(c.done);
	assert_ok(stream_shutdown(host));
	settle();
	assert_true(c.done);
	assert_ok(c.err);
	assert_str(c.result.body, STR("hello"));
	assert_int_equal(pool_idle(), 0);
}

struct failing {
	const char *say;
	enum error_kind kind;
	const char *message;
};

static const struct failing failing[] = {
	{ "", ERR_CLOSED, "10.0.0.1:2375: connection closed before an answer" },
	{ "HTTP/1.1 200 O", ERR_CLOSED,
	  "10.0.0.1:2375: connection closed in the middle of a head" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", ERR_CLOSED,
	  "10.0.0.1:2375: connection closed in the middle of a body" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", ERR_TOO_LARGE,
	  "10.0.0.1:2375: answer of more than 100 bytes" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n!", ERR_PROTOCOL,
	  "10.0.0.1:2375: bad chunk size: \"!\"" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	  ERR_PROTOCOL, "10.0.0.1:2375: both Transfer-Encoding and Content-Length" },
	{ "HTTP/1.1 101 UPGRADED\r\n\r\n", ERR_PROTOCOL,
	  "10.0.0.1:2375: upgrade that nobody asked for" },
	{ "\x15\x03\x01", ERR_PROTOCOL, "10.0.0.1:2375: TLS came where plain HTTP is spoken" },
};

FIBER_TEST(test_failures)
{
	for (size_t i = 0; i < ARRAY_LEN(failing); i++) {
		CALL(c, 2375);
		struct stream *host = start(&c, run_fetch, "GET");

		hear(host, LINE("GET") "\r\n");
		say(host, failing[i].say);
		assert_ok(stream_shutdown(host));
		settle();
		assert_true(c.done);
		assert_error(take(c.err), failing[i].kind, failing[i].message);
		assert_int_equal(pool_idle(), 0);
	}
}

FIBER_TEST(test_refused)
{
	CALL(c, 1);

	start(&c, run_fetch, "GET");
	assert_error(take(c.err), ERR_REFUSED, "cannot connect to 10.0.0.1:1: Connection refused");
}

FIBER_TEST(test_endless_interim_answers)
{
	CALL(c, 2375);
	struct stream *host = start(&c, run_fetch, "GET");

	for (int i = 0; i < 16; i++)
		say(host, "HTTP/1.1 100 Continue\r\n\r\n");
	settle();
	assert_error(take(c.err), ERR_PROTOCOL, "10.0.0.1:2375: more than 16 interim answers");
}

FIBER_TEST(test_an_endless_head)
{
	CALL(c, 2375);
	struct stream *host = start(&c, run_fetch, "GET");
	struct error *err = NULL;

	say(host, "HTTP/1.1 200 OK\r\n");
	for (size_t i = 0; !err && i < LIMIT_HTTP_HEAD; i++)
		err = stream_write(host, STR("A: b\r\n"));
	assert_error(err, ERR_CLOSED, NULL);
	assert_error(take(c.err), ERR_PROTOCOL, "10.0.0.1:2375: head of more than 262144 bytes");
}

#define OK_EMPTY "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

/* One connection, used and given back. */
static may_suspend struct stream *warm_up(struct call *c)
{
	struct stream *host = start(c, run_fetch, "GET");

	hear(host, LINE("GET") "\r\n");
	say(host, OK_EMPTY);
	settle();
	assert_true(c->done);
	assert_ok(c->err);
	assert_int_equal(pool_idle(), 1);
	return host;
}

FIBER_TEST(test_a_connection_is_used_again)
{
	CALL(c, 2375);
	struct stream *host = warm_up(&c);

	start(&c, run_fetch, "POST");
	assert_int_equal(dialled.n, 1);
	hear(host, LINE("POST") "Content-Length: 0\r\n\r\n");
	say(host, OK_EMPTY);
	settle();
	assert_ok(c.err);
	http_client_close_idle(c.client);
	hear_end(host);
}

/* Closed, or talking out of turn, before it was needed: a fresh one, whatever the method. */
FIBER_TEST(test_a_stale_connection_is_not_used)
{
	static const char *const words[] = { "", "HTTP/1.1 408 Too late\r\n\r\n" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		CALL(c, 2375);
		struct stream *host = warm_up(&c);

		say(host, words[i]);
		if (i == 0)
			assert_ok(stream_shutdown(host));
		host = start(&c, run_fetch, "POST");
		assert_int_equal(dialled.n, 2);
		hear(host, LINE("POST") "Content-Length: 0\r\n\r\n");
		say(host, OK_EMPTY);
		settle();
		assert_true(c.done);
		assert_ok(c.err);
	}
}

/* Closed in the instant in which we wrote: repeated where the host cannot act twice. */
FIBER_TEST(test_a_safe_request_is_repeated)
{
	CALL(c, 2375);
	struct stream *host = warm_up(&c);

	start(&c, run_fetch, "GET");
	assert_int_equal(dialled.n, 1);
	assert_ok(stream_shutdown(host));
	settle();
	assert_int_equal(dialled.n, 2);
	host = dialled.v[1];
	hear(host, LINE("GET") "\r\n");

	/* Once only. */
	assert_ok(stream_shutdown(host));
	settle();
	assert_int_equal(dialled.n, 2);
	assert_error(take(c.err), ERR_CLOSED, "10.0.0.1:2375: connection closed before an answer");
}

FIBER_TEST(test_a_post_that_was_sent_is_not_repeated)
{
	CALL(c, 2375);
	struct stream *host = warm_up(&c);

	start(&c, run_fetch, "POST");
	hear(host, LINE("POST") "Content-Length: 0\r\n\r\n");
	assert_ok(stream_shutdown(host));
	settle();
	assert_int_equal(dialled.n, 1);
	assert_error(take(c.err), ERR_CLOSED, "10.0.0.1:2375: connection closed before an answer");
}

FIBER_TEST(test_a_post_cut_short_is_repeated)
{
	static char body[5000];
	CALL(c, 2375);
	struct stream *host = warm_up(&c);

	/* Larger than what the connection holds: it cannot have been read whole. */
	c.call.body = str_of(memset(body, 'x', sizeof(body)), sizeof(body));
	start(&c, run_fetch, "POST");
	stream_close(host);
	dialled.v[0] = NULL;
	settle();
	assert_int_equal(dialled.n, 2);
	hear(dialled.v[1], LINE("POST") "Content-Length: 5000\r\n\r\n");
}

FIBER_TEST(test_a_partial_answer_is_not_repeated)
{
	CALL(c, 2375);
	struct stream *host = warm_up(&c);

	start(&c, run_fetch, "GET");
	say(host, "HTTP/1.1 2");
	assert_ok(stream_shutdown(host));
	settle();
	assert_int_equal(dialled.n, 1);
	assert_error(take(c.err), ERR_CLOSED,
		     "10.0.0.1:2375: connection closed in the middle of a head");
}

FIBER_TEST(test_idle_connections_are_bounded)
{
	CALL(c, 2375);
	struct call calls[LIMIT_IDLE_PER_HOST + 2];
	size_t n = ARRAY_LEN(calls);

	for (size_t i = 0; i < n; i++) {
		calls[i] = (struct call){ .client = c.client, .arena = ARENA_INIT };
		calls[i].call = (struct http_call){ .method = STR("GET"), .target = STR("/x") };
		group_go(&c.group, "call", run_fetch, &calls[i]);
	}
	settle();
	assert_int_equal(dialled.n, n);
	for (size_t i = 0; i < n; i++) {
		say(dialled.v[i], OK_EMPTY);
		settle();
		assert_true(calls[i].done);
		assert_ok(calls[i].err);
		arena_fini(&calls[i].arena);
	}
	assert_int_equal(pool_idle(), LIMIT_IDLE_PER_HOST);
	/* The longest idle went. */
	hear(dialled.v[0], LINE("GET") "\r\n");
	hear_end(dialled.v[0]);
	hear(dialled.v[2], LINE("GET") "\r\n");
	assert_true(stream_quiet(dialled.v[2]));
}

/* Both bodies at the same time, as a build has them. */
FIBER_TEST(test_both_ways_at_once)
{
	CALL(c, 2375);
	const struct http_response *r;
	struct stream *host;
	char buf[100];
	size_t n;

	c.call.send = HTTP_SEND_CHUNKED;
	host = start(&c, run_begin, "POST");
	assert_ok(c.err);
	hear(host, LINE("POST") "Transfer-Encoding: chunked\r\n\r\n");
	say(host, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	assert_ok(http_exchange_response(c.x, &r));
	assert_int_equal(r->status, 200);
	for (int i = 0; i < 3; i++) {
		assert_ok(http_exchange_write(c.x, STR("up")));
		hear(host, "2\r\nup\r\n");
		say(host, "4\r\ndown\r\n");
		assert_ok(http_exchange_wait_readable(c.x));
		assert_ok(http_exchange_read(c.x, buf, sizeof(buf), &n));
		assert_str(str_of(buf, n), STR("down"));
	}
	say(host, "0\r\n\r\n");
	assert_ok(http_exchange_read(c.x, buf, sizeof(buf), &n));
	assert_int_equal(n, 0);
	assert_ok(http_exchange_write_end(c.x));
	hear(host, "0\r\n\r\n");
	http_exchange_free(take(c.x));
	assert_int_equal(pool_idle(), 1);
}

FIBER_TEST(test_a_length_that_follows)
{
	CALL(c, 2375);
	const struct http_response *r;
	struct stream *host;

	c.call.send = HTTP_SEND_LENGTH;
	c.call.length = 5;
	host = start(&c, run_begin, "PUT");
	hear(host, LINE("PUT") "Content-Length: 5\r\n\r\n");
	assert_ok(http_exchange_write(c.x, STR("hel")));
	assert_ok(http_exchange_write(c.x, STR("")));
	assert_ok(http_exchange_write(c.x, STR("lo")));
	assert_ok(http_exchange_write_end(c.x));
	hear(host, "hello");
	say(host, OK_EMPTY);
	assert_ok(http_exchange_response(c.x, &r));
	assert_ok(http_exchange_response(c.x, &r));
	assert_int_equal(r->status, 200);
}

/* A host that refuses the body has its answer heard, and its connection not used again. */
FIBER_TEST(test_an_early_answer)
{
	CALL(c, 2375);
	const struct http_response *r;
	struct error *err = NULL;
	struct stream *host;
	struct str body;

	c.call.send = HTTP_SEND_CHUNKED;
	host = start(&c, run_begin, "POST");
	hear(host, LINE("POST") "Transfer-Encoding: chunked\r\n\r\n");
	say(host, "HTTP/1.1 413 Too much\r\nContent-Length: 2\r\n\r\nno");
	stream_close(host);
	dialled.v[0] = NULL;
	while (!err)
		err = http_exchange_write(c.x, STR("more and more and more"));
	assert_error(err, ERR_CLOSED, NULL);
	assert_ok(http_exchange_response(c.x, &r));
	assert_int_equal(r->status, 413);
	assert_ok(http_exchange_read_all(c.x, 100, &c.arena, &body));
	assert_str(body, STR("no"));
	http_exchange_free(take(c.x));
	assert_int_equal(pool_idle(), 0);
}

/* An upgrade, with what came in the same segment as the 101. */
FIBER_TEST(test_upgrade)
{
	CALL(c, 2375);
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	const struct http_response *r;
	struct stream *host, *s;

	c.call.upgrade = STR("tcp");
	host = start(&c, run_begin, "POST");
	say(host, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly");
	assert_ok(http_exchange_response(c.x, &r));
	assert_int_equal(r->status, 101);
	assert_str(r->reason, STR("UPGRADED"));
	assert_str(r->upgrade, STR("tcp"));
	s = http_exchange_take(c.x, &early);
	http_exchange_free(take(c.x));
	assert_str(strbuf_str(&early), STR("early"));
	say(host, "late");
	hear(s, "late");
	stream_close(s);
}

/* attach without an upgrade. */
FIBER_TEST(test_a_raw_200)
{
	CALL(c, 2375);
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	const struct http_response *r;
	struct stream *host, *s;

	host = start(&c, run_begin, "POST");
	say(host, "HTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\nearly");
	assert_ok(http_exchange_response(c.x, &r));
	assert_int_equal(r->framing, HTTP_BODY_UNTIL_CLOSE);
	s = http_exchange_take(c.x, &early);
	assert_str(strbuf_str(&early), STR("early"));
	hear(host, LINE("POST") "Content-Length: 0\r\n\r\n");
	assert_ok(stream_write(s, STR("input")));
	hear(host, "input");
	stream_close(s);
}

FIBER_TEST(test_cancelled)
{
	CALL(c, 2375);

	start(&c, run_fetch, "GET");
	group_cancel(&c.group);
	settle();
	assert_true(c.done);
	assert_error(take(c.err), ERR_CANCELLED, "cancelled");
}

static may_suspend void run_fetch_in_a_second(void *arg)
{
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(SECOND);

	run_fetch(arg);
}

FIBER_TEST(test_a_stall_times_out)
{
	static const char *const words[] = { "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n\r\nbody" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		CALL(c, 2375);
		struct stream *host = start(&c, run_fetch_in_a_second, "GET");

		say(host, words[i]);
		assert_ok(fiber_sleep(2 * SECOND));
		assert_true(c.done);
		assert_error(take(c.err), ERR_TIMEOUT, "10.0.0.1:2375: timed out");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_as_sent),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_an_answer_that_ends_with_the_connection),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_endless_interim_answers),
		cmocka_unit_test(test_an_endless_head),
		cmocka_unit_test(test_a_connection_is_used_again),
		cmocka_unit_test(test_a_stale_connection_is_not_used),
		cmocka_unit_test(test_a_safe_request_is_repeated),
		cmocka_unit_test(test_a_post_that_was_sent_is_not_repeated),
		cmocka_unit_test(test_a_post_cut_short_is_repeated),
		cmocka_unit_test(test_a_partial_answer_is_not_repeated),
		cmocka_unit_test(test_idle_connections_are_bounded),
		cmocka_unit_test(test_both_ways_at_once),
		cmocka_unit_test(test_a_length_that_follows),
		cmocka_unit_test(test_an_early_answer),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_a_raw_200),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_a_stall_times_out),
	};

	return run_fiber_tests(tests);
}
