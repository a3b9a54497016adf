/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How connections begin on a TLS address, over real sockets: handshakes that never come, that are
 * too many, and plain HTTP in place of one.
 */
#include "unit/http/wire.h"

#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "fiber/clock.h"
#include "http/reply.h"
#include "net/dial.h"
#include "net/tls.h"
#include "unit/net/certs.h"

static char dir[] = "/tmp/test_greet.XXXXXX";
static const struct cert_wish wish = { "server", NULL, CERT_CA, "DNS:localhost", -60, 3600 };

struct site {
	struct http_server *server;
	struct tls_context *server_tls, *client_tls;
	struct addr addr;
};

static may_suspend void handle(struct http_incoming *in, _unused_ void *arg)
{
	assert_ok(http_reply(in, 200, NULL, NULL, 0, STR("hello")));
}

static void error_body(int status, const char *message, struct strbuf *ret_body)
{
	strbuf_addf(ret_body, "[%d %s]", status, message);
}

static may_suspend void site_start(struct site *site, const struct http_limits *limits)
{
	char cert[80], key[80];
	struct tls_files ours = { .cert = cert, .key = key }, none = { 0 };
	struct listener *l;
	struct addr a;

	snprintf(cert, sizeof(cert), "%s/server.pem", dir);
	snprintf(key, sizeof(key), "%s/server.key", dir);
	assert_ok(tls_context_new_server(&ours, &site->server_tls));
	assert_ok(tls_context_new_client(&none, &site->client_tls));
	assert_ok(addr_parse(STR("127.0.0.1:0"), &a));
	assert_ok(listener_open(&a, site->server_tls, &l));
	site->addr = *listener_addr(l);
	site->server = http_server_new(&(struct http_server_config){
		.handler = handle, .error_body = error_body, .limits = limits });
	http_server_listen(site->server, l);
}

static may_suspend void site_fini(struct site *site)
{
	http_server_stop(site->server, 0);
	http_server_free(site->server);
	tls_context_unref(site->server_tls);
	tls_context_unref(site->client_tls);
}

/* To the end of what the server says. */
static may_suspend void hear_all(struct stream *s, struct strbuf *out)
{
	size_t n = 1;

	while (n > 0) {
		strbuf_reserve(out, 1024);
		assert_ok(stream_read(s, out->p + out->n, 1024, &n));
		strbuf_extend(out, n);
	}
}

static may_suspend void is_served(const struct site *site)
{
	_cleanup_(strbuf_fini) struct strbuf all = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *s = NULL;

	assert_ok(dial(&site->addr, site->client_tls, &s));
	say(s, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	hear_all(s, &all);
	assert_true(str_starts(strbuf_str(&all), STR("HTTP/1.1 200 OK\r\n")));
	assert_true(str_ends(strbuf_str(&all), STR("hello")));
}

FIBER_TEST_REAL(test_plain_http_is_told_so)
{
	_cleanup_(site_fini) struct site site;
	_cleanup_(strbuf_fini) struct strbuf all = STRBUF_INIT;
	_cleanup_(stream_closep) struct stream *s = NULL;

	site_start(&site, NULL);
	assert_ok(dial(&site.addr, NULL, &s));
	say(s, "GET /_ping HTTP/1.1\r\nHost: x\r\nUser-Agent: someone\r\n\r\n");
	hear_all(s, &all);
	assert_true(str_starts(strbuf_str(&all), STR("HTTP/1.1 400 Bad Request\r\n")));
	assert_true(str_ends(strbuf_str(&all), STR("[400 client sent an HTTP request to an HTTPS "
						   "server: this address speaks TLS only]")));
	is_served(&site);
}

FIBER_TEST_REAL(test_a_handshake_that_never_comes)
{
	static const struct http_limits limits = { 100, 50 * MILLISECOND, MINUTE };
	_cleanup_(site_fini) struct site site;
	_cleanup_(stream_closep) struct stream *s = NULL;
	_cleanup_(deadline_end) _unused_ struct deadline d = deadline_begin(10 * SECOND);

	site_start(&site, &limits);
	assert_ok(dial(&site.addr, NULL, &s));
	hear_end(s);
}

FIBER_TEST_REAL(test_those_who_shake_hands_for_long_give_way)
{
	_cleanup_(site_fini) struct site site;
	struct stream **slow = mem_zalloc((LIMIT_HANDSHAKES + 1) * sizeof(struct stream *));

	site_start(&site, NULL);
	for (size_t i = 0; i < LIMIT_HANDSHAKES; i++)
		assert_ok(dial(&site.addr, NULL, &slow[i]));
	while (http_server_connections(site.server) < LIMIT_HANDSHAKES)
		assert_ok(fiber_sleep(MILLISECOND));
	settle();
	assert_true(stream_quiet(slow[0]));
	is_served(&site);
	hear_end(slow[0]);
	assert_true(stream_quiet(slow[1]));
	for (size_t i = 0; i < LIMIT_HANDSHAKES; i++)
		stream_close(slow[i]);
	free(slow);
}

/* A crowd that begins at once is served, one step of a handshake in each turn. */
static may_suspend void visit(void *arg)
{
	is_served(arg);
}

FIBER_TEST_REAL(test_a_crowd_is_served)
{
	/* Both sides of fifty handshakes, on whatever machine. */
	static const struct http_limits limits = { 100, 2 * MINUTE, 2 * MINUTE };
	_cleanup_(site_fini) struct site site;
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	site_start(&site, &limits);
	for (int i = 0; i < 50; i++)
		group_go(&g, "visitor", visit, &site);
	assert_ok(group_wait(&g));
}

static int make_certs(_unused_ void **state)
{
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	if (!mkdtemp(dir))
		return -1;
	cert_make(dir, &wish);
	return 0;
}

static int remove_certs(_unused_ void **state)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/server.pem", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/server.key", dir);
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_http_is_told_so),
		cmocka_unit_test(test_a_handshake_that_never_comes),
		cmocka_unit_test(test_those_who_shake_hands_for_long_give_way),
		cmocka_unit_test(test_a_crowd_is_served),
	};

	return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
