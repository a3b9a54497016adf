/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client, proxy and server over real sockets: what only a kernel does, and large bodies. The
 * proxy is a small one of the kind that api/ is: a server whose handler is a client. All of it in
 * the clear and over TLS.
 */
#include "unit/http/wire.h"

#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "http/client.h"
#include "http/pipe.h"
#include "http/reply.h"
#include "net/dial.h"
#include "net/tls.h"
#include "unit/net/certs.h"

#define BIG (20 * MIB)

/* NULL: in the clear. */
static struct tls_context *server_tls, *client_tls;

struct site {
	struct http_server *backend, *proxy;
	struct addr backend_addr, proxy_addr;
	struct http_client *to_backend, *to_proxy;
	int connections; /* that the backend saw requests on, by peer */
	char last_peer[80];
	int cancelled, broken, joined;
	struct error *pipe_error;
};

/* A byte stream that cannot be shifted or shortened without being seen. */
static char byte_at(size_t i)
{
	return (char)(i * 7 + i / 251);
}

static void fill(char *buf, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		buf[i] = byte_at(at + i);
}

static void check(const char *buf, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++) {
		if (buf[i] != byte_at(at + i))
			fail_msg("wrong byte at %zu", at + i);
	}
}

static may_suspend struct error *echo(struct http_incoming *in)
{
	_cleanup_(mem_freep) char *buf = mem_alloc(64 * KIB);
	size_t n = 1;

	TRY(http_reply_begin(in, 200, STR_NONE, NULL, 0, -1));
	while (n > 0) {
		TRY(http_incoming_read(in, buf, 64 * KIB, &n));
		TRY(http_reply_write(in, str_of(buf, n)));
	}
	return http_reply_end(in);
}

/* Reads to the end of its input, then says how much that was, and ends. */
static may_suspend struct error *count(struct http_incoming *in)
{
	_cleanup_(mem_freep) char *buf = mem_alloc(64 * KIB);
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *s = NULL;
	size_t total, n = 1;
	struct str body;

	TRY(http_incoming_read_all(in, 100, &body));
	TRY(http_reply_upgrade(in, 101, STR("UPGRADED"), NULL, 0));
	s = http_incoming_hijack(in, &early);
	check(early.p, early.n, 0);
	for (total = early.n; n > 0; total += n) {
		TRY(stream_read(s, buf, 64 * KIB, &n));
		check(buf, n, total);
	}
	strbuf_reset(&early);
	strbuf_addf(&early, "%.*s and %zu bytes", STR_ARG(body), total);
	return stream_write(s, strbuf_str(&early));
}

static may_suspend void serve_backend(struct http_incoming *in, void *arg)
{
	struct site *site = arg;
	struct error *err = NULL;

	if (strcmp(site->last_peer, in->client->peer) != 0)
		site->connections++;
	snprintf(site->last_peer, sizeof(site->last_peer), "%s", in->client->peer);
	if (str_eq(in->url.path, STR("/echo")))
		err = echo(in);
	else if (str_eq(in->url.path, STR("/count")))
		err = count(in);
	else if (str_eq(in->url.path, STR("/sleep")))
		err = fiber_sleep(HOUR);
	else
		err = http_reply(in, 200, NULL, NULL, 0, STR("hello"));
	site->cancelled += error_is(err, ERR_CANCELLED);
	site->broken += error_is(err, ERR_CLOSED);
	error_free(err);
}

static may_suspend struct error *relay(struct site *site, struct http_incoming *in)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(strbuf_fini) struct strbuf early_in = STRBUF_INIT, early_out = STRBUF_INIT;
	const struct http_response *r;
	struct stream *client, *engine;
	struct str body;

	TRY(http_incoming_read_all(in, 100, &body));
	TRY(http_exchange_begin(site->to_backend,
				&(struct http_call){ .method = in->head.method,
						     .target = in->head.target,
						     .body = body,
						     .upgrade = STR("tcp") },
				&x));
	TRY(http_exchange_response(x, &r));
	TRY(http_reply_upgrade(in, r->status, r->reason, NULL, 0));
	engine = http_exchange_take(x, &early_out);
	client = http_incoming_hijack(in, &early_in);
	site->pipe_error = pipe_join(client, strbuf_str(&early_in), engine, strbuf_str(&early_out));
	(site->pipe_error ? stream_abort : stream_close)(client);
	(site->pipe_error ? stream_abort : stream_close)(engine);
	site->joined++;
	return NULL;
}

static may_suspend void serve_proxy(struct http_incoming *in, void *arg)
{
	assert_ok(relay(arg, in));
}

static may_suspend struct http_server *serve(http_handler_fn *fn, struct site *site,
					     struct addr *ret)
{
	struct http_server *s =
		http_server_new(&(struct http_server_config){ .handler = fn, .arg = site });
	struct listener *l;

	assert_ok(addr_parse(STR("tcp://127.0.0.1:0"), ret));
	assert_ok(listener_open(ret, server_tls, &l));
	*ret = *listener_addr(l);
	http_server_listen(s, l);
	return s;
}

static may_suspend void site_start(struct site *s)
{
	s->backend = serve(serve_backend, s, &s->backend_addr);
	s->proxy = serve(serve_proxy, s, &s->proxy_addr);
	s->to_backend = http_client_new(&s->backend_addr, client_tls);
	s->to_proxy = http_client_new(&s->proxy_addr, client_tls);
}

static may_suspend void site_fini(struct site *s)
{
	http_server_stop(s->proxy, 0);
	http_server_stop(s->backend, 0);
	http_server_free(s->proxy);
	http_server_free(s->backend);
	http_client_unref(s->to_proxy);
	http_client_unref(s->to_backend);
	error_free(s->pipe_error);
}

#define SITE(name)                                                   \
	_cleanup_(site_fini) struct site name = { .backend = NULL }; \
	site_start(&name)

/* Until the condition holds, or far too long. */
#define await(condition)                                                                  \
	do {                                                                              \
		_cleanup_(deadline_end) struct deadline _d = deadline_begin(20 * SECOND); \
		while (!(condition))                                                      \
			assert_ok(fiber_sleep(MILLISECOND));                              \
	} while (0)

FIBER_TEST_REAL(test_one_connection_for_many_calls)
{
	SITE(site);

	for (int i = 0; i < 200; i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct http_call call = { .method = STR("GET"), .target = STR("/") };
		struct http_result r;

		assert_ok(http_fetch(site.to_backend, &call, 100, &arena, &r));
		assert_int_equal(r.head.status, 200);
		assert_str(r.body, STR("hello"));
	}
	assert_int_equal(site.connections, 1);
}

static may_suspend void upload(void *arg)
{
	_cleanup_(mem_freep) char *buf = mem_alloc(100 * KIB);

	for (size_t at = 0; at < BIG; at += 100 * KIB) {
		size_t n = MIN(100 * KIB, BIG - at);

		fill(buf, n, at);
		assert_ok(http_exchange_write(arg, str_of(buf, n)));
	}
	assert_ok(http_exchange_write_end(arg));
}

static may_suspend void echo_big(struct http_client *to, enum http_send send)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	_cleanup_(mem_freep) char *buf = mem_alloc(64 * KIB);
	struct http_call call = {
		.method = STR("POST"), .target = STR("/echo"), .send = send, .length = BIG
	};
	const struct http_response *r;
	size_t total = 0, n = 1;

	assert_ok(http_exchange_begin(to, &call, &x));
	group_go(&g, "upload", upload, x);
	assert_ok(http_exchange_response(x, &r));
	for (; n > 0; total += n) {
		assert_ok(http_exchange_read(x, buf, 64 * KIB, &n));
		check(buf, n, total);
	}
	assert_int_equal(total, BIG);
	assert_ok(group_wait(&g));
}

FIBER_TEST_REAL(test_large_bodies_both_ways)
{
	SITE(site);

	echo_big(site.to_backend, HTTP_SEND_CHUNKED);
	echo_big(site.to_backend, HTTP_SEND_LENGTH);
	assert_int_equal(site.connections, 1);
}

static may_suspend struct stream *upgrade(struct site *site, struct str body)
{
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	_cleanup_(strbuf_fini) struct strbuf early = STRBUF_INIT;
	struct http_call call = {
		.method = STR("POST"), .target = STR("/count"), .body = body, .upgrade = STR("tcp")
	};
	const struct http_response *r;

	assert_ok(http_exchange_begin(site->to_proxy, &call, &x));
	assert_ok(http_exchange_response(x, &r));
	assert_int_equal(r->status, 101);
	assert_str(r->reason, STR("UPGRADED"));
	return http_exchange_take(x, &early);
}

/* `cat file | docker run -i image wc -c`: all of the input, its end, then an answer. */
FIBER_TEST_REAL(test_a_hijacked_half_close)
{
	SITE(site);
	_cleanup_(stream_closep) struct stream *s = upgrade(&site, STR("{}"));
	_cleanup_(mem_freep) char *buf = mem_alloc(100 * KIB);

	for (size_t at = 0; at < BIG; at += 50 * KIB) {
		size_t n = MIN(50 * KIB, BIG - at);

		fill(buf, n, at);
		assert_ok(stream_write(s, str_of(buf, n)));
	}
	assert_ok(stream_shutdown(s));
	hear(s, "{} and 20971520 bytes");
	hear_end(s);
	await(site.joined == 1);
	assert_ok(take(site.pipe_error));
}

FIBER_TEST_REAL(test_a_hijacked_reset)
{
	SITE(site);
	struct stream *s = upgrade(&site, STR(""));

	stream_abort(s);
	await(site.joined == 1 && site.broken == 1);
	assert_error(take(site.pipe_error), ERR_CLOSED, NULL);
}

/* A client that goes away stops what it asked for, and the way to there is closed. */
FIBER_TEST_REAL(test_a_hang_up)
{
	SITE(site);
	struct stream *s;

	assert_ok(dial(&site.backend_addr, client_tls, &s));
	say(s, "GET /sleep HTTP/1.1\r\nHost: x\r\n\r\n");
	await(site.connections == 1);
	assert_int_equal(site.cancelled, 0);
	stream_close(s);
	await(site.cancelled == 1);
	await(http_server_connections(site.backend) == 0);
}

/* The 431 is read although the rest of the head was never taken. */
FIBER_TEST_REAL(test_a_refusal_is_not_lost_to_a_reset)
{
	SITE(site);
	_cleanup_(mem_freep) char *head = mem_alloc(LIMIT_HTTP_HEAD + 100 * KIB);
	struct stream *s;

	memset(head, 'a', LIMIT_HTTP_HEAD + 100 * KIB);
	assert_ok(dial(&site.backend_addr, client_tls, &s));
	assert_ok(stream_write(s, str_of(head, LIMIT_HTTP_HEAD + 100 * KIB)));
	hear(s, "HTTP/1.1 431 ");
	stream_close(s);
}

static void make_contexts(const char *cert, const char *key)
{
	struct tls_files files = { .cert = cert, .key = key };

	assert_ok(tls_context_new_server(&files, &server_tls));
	files = (struct tls_files){ .verify = false };
	assert_ok(tls_context_new_client(&files, &client_tls));
}

static int use_tls(_unused_ void **state)
{
	static const struct cert_wish self = {
		.name = "self", .use = CERT_SERVER, .from = -60, .until = 3600
	};
	char dir[] = "/tmp/test-http-XXXXXX", cert[64], key[64];

	if (!mkdtemp(dir))
		return -1;
	snprintf(cert, sizeof(cert), "%s/self.pem", dir);
	snprintf(key, sizeof(key), "%s/self.key", dir);
	cert_make(dir, &self);
	make_contexts(cert, key);
	unlink(cert);
	unlink(key);
	return rmdir(dir);
}

static int use_none(_unused_ void **state)
{
	tls_context_unref(take(server_tls));
	tls_context_unref(take(client_tls));
	return 0;
}

#define PLAIN(test)                           \
	{                                     \
#test, test, NULL, NULL, NULL \
	}
#define OVER_TLS(test)                                           \
	{                                                        \
#test "_over_tls", test, use_tls, use_none, NULL \
	}
#define BOTH(test) PLAIN(test), OVER_TLS(test)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_one_connection_for_many_calls),
		BOTH(test_large_bodies_both_ways),
		BOTH(test_a_hijacked_half_close),
		BOTH(test_a_hijacked_reset),
		BOTH(test_a_hang_up),
		BOTH(test_a_refusal_is_not_lost_to_a_reset),
	};

	return run_fiber_tests(tests);
}
