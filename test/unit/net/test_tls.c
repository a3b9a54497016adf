/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS streams: like any stream, and what they say about certificates.
 */
#include "streams.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs.h"
#include "net/dial.h"
#include "net/listener.h"
#include "net/tls.h"

#define YEAR  ((int64_t)365 * 24 * 3600)
#define NAMES "DNS:localhost,IP:127.0.0.1"

static char dir[] = "/tmp/test_tls.XXXXXX";

static const struct cert_wish wishes[] = {
	{ "ca", NULL, CERT_CA, NULL, -60, YEAR },
	{ "other-ca", NULL, CERT_CA, NULL, -60, YEAR },
	{ "server", "ca", CERT_SERVER, NAMES, -60, YEAR },
	{ "client", "ca", CERT_CLIENT, NULL, -60, YEAR },
	{ "both", "ca", CERT_BOTH, NAMES, -60, YEAR },
	{ "misnamed", "ca", CERT_SERVER, "DNS:elsewhere,IP:10.9.9.9", -60, YEAR },
	{ "foreign", "other-ca", CERT_BOTH, NAMES, -60, YEAR },
	{ "expired", "ca", CERT_BOTH, NAMES, -YEAR, -60 },
	{ "brief", "ca", CERT_BOTH, NAMES, -60, 2 },
};

static int make_certs(_unused_ void **state)
{
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++)
		cert_make(dir, &wishes[i]);
	return 0;
}

static const char *in_dir(const char *name, const char *suffix)
{
	return cert_path(dir, name, suffix);
}

static int remove_certs(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++)
		cert_remove(dir, wishes[i].name);
	return rmdir(dir);
}

static struct tls_files files_of(const char *ca, const char *cert, bool verify)
{
	return (struct tls_files){
		.ca = ca ? in_dir(ca, ".pem") : NULL,
		.cert = cert ? in_dir(cert, ".pem") : NULL,
		.key = cert ? in_dir(cert, ".key") : NULL,
		.verify = verify,
	};
}

static struct tls_context *server_context(const char *ca, const char *cert)
{
	struct tls_files files = files_of(ca, cert, ca != NULL);
	struct tls_context *c;

	assert_ok(tls_context_new_server(&files, &c));
	return c;
}

static struct tls_context *client_context(const char *ca, const char *cert)
{
	struct tls_files files = files_of(ca, cert, ca != NULL);
	struct tls_context *c;

	assert_ok(tls_context_new_client(&files, &c));
	return c;
}

/* The two sides of one connection: the server's shows how its first read went. */
struct meeting {
	struct tls_context *server, *client;
	struct listener *listener;
	struct addr at;
	struct stream *accepted;
	struct error *server_error;
};

static void meet(struct meeting *m, const char *host)
{
	struct addr a;

	assert_null(addr_parse(STR("127.0.0.1:0"), &a));
	assert_ok(listener_open(&a, m->server, &m->listener));
	m->at = *listener_addr(m->listener);
	strcpy(m->at.host, host);
}

static void meeting_fini(struct meeting *m)
{
	listener_close(m->listener);
	stream_close(m->accepted);
	error_free(m->server_error);
	tls_context_unref(m->server);
	tls_context_unref(m->client);
}

static void serve(void *arg)
{
	struct meeting *m = arg;
	char c;
	size_t n;

	m->server_error = listener_accept(m->listener, &m->accepted);
	if (!m->server_error)
		m->server_error = stream_read(m->accepted, &c, 1, &n);
}

static may_suspend void pair_tls(struct ends *ret)
{
	_cleanup_(meeting_fini) struct meeting m = { .server = server_context("ca", "server"),
						     .client = client_context("ca", "client") };
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	meet(&m, "127.0.0.1");
	group_go(&g, "server", serve, &m);
	assert_ok(dial(&m.at, m.client, &ret->a));
	assert_ok(stream_write(ret->a, STR("x")));
	assert_ok(group_wait(&g));
	assert_null(m.server_error);
	ret->b = take(m.accepted);
	/* As if nothing had passed. */
	ret->a->bytes_written = ret->b->bytes_read = 0;
}

static void test_like_any_stream(_unused_ void **state)
{
	run_stream_cases(LOOP_REAL, pair_tls);
}

static void fingerprint_main(_unused_ void *arg)
{
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };

	pair_tls(&e);
	assert_int_equal(strlen(e.a->certificate), 64);
	assert_int_equal(strlen(e.b->certificate), 64);
	assert_string_not_equal(e.a->certificate, e.b->certificate);
	assert_int_equal(strncmp(e.b->peer, "127.0.0.1:", 10), 0);
}

static void test_certificates_are_known_by_their_digest(_unused_ void **state)
{
	loop_run(LOOP_REAL, fingerprint_main, NULL);
}

/* What each side says of a pair of settings; NULL is success. */
struct match {
	const char *server_ca, *server_cert;
	const char *client_ca, *client_cert;
	const char *host;
	const char *client_says, *server_says; /* somewhere in the message */
};

static const struct match matches[] = {
	{ NULL, "server", NULL, NULL, "127.0.0.1", NULL, NULL },
	{ NULL, "server", "ca", NULL, "localhost", NULL, NULL },
	{ "ca", "both", "ca", "both", "localhost", NULL, NULL },
	{ NULL, "server", "ca", NULL, "127.1", NULL, NULL },
	{ NULL, "server", "ca", NULL, "0x7f.0.0.1", NULL, NULL },
	{ NULL, "misnamed", "ca", NULL, "127.1", "IP address mismatch", "" },
	{ NULL, "misnamed", NULL, NULL, "127.0.0.1", NULL, NULL },
	{ NULL, "misnamed", "ca", NULL, "127.0.0.1", "IP address mismatch", "" },
	{ NULL, "misnamed", "ca", NULL, "localhost", "hostname mismatch", "" },
	{ NULL, "foreign", "ca", NULL, "127.0.0.1", "unable to get local issuer certificate",
	  "does not trust the CA of our certificate" },
	{ "ca", "server", "ca", NULL, "127.0.0.1", NULL, "it shows no certificate" },
	{ "ca", "server", "ca", "foreign", "127.0.0.1", NULL,
	  "unable to get local issuer certificate" },
};

static void match_main(void *arg)
{
	const struct match *match = arg;
	_cleanup_(meeting_fini) struct meeting m = {
		.server = server_context(match->server_ca, match->server_cert),
		.client = client_context(match->client_ca, match->client_cert),
	};
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct stream *s = NULL;

	meet(&m, match->host);
	group_go(&g, "server", serve, &m);

	_cleanup_(error_freep) struct error *err = dial(&m.at, m.client, &s);

	if (!err)
		error_free(stream_write(s, STR("x")));
	assert_ok(group_wait(&g));
	if (match->client_says) {
		assert_true(error_is(err, ERR_TLS));
		assert_non_null(strstr(error_message(err), match->client_says));
	} else {
		assert_null(err);
	}
	if (match->server_says) {
		assert_true(error_is_transport(m.server_error));
		assert_non_null(strstr(error_message(m.server_error), match->server_says));
	} else {
		assert_null(m.server_error);
	}
	stream_close(s);
}

static void test_who_trusts_whom(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(matches); i++)
		loop_run(LOOP_REAL, match_main, (void *)&matches[i]);
}

static void refusal_main(_unused_ void *arg)
{
	_cleanup_(meeting_fini) struct meeting m = { .server = server_context("ca", "server"),
						     .client = client_context("ca", NULL) };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct stream *s;
	char c;
	size_t n;

	/* Under TLS 1.3 the client is done before the server has looked at its certificate. */
	meet(&m, "127.0.0.1");
	group_go(&g, "server", serve, &m);
	assert_ok(dial(&m.at, m.client, &s));

	/* A wait before the read must not swallow it. */
	assert_ok(stream_wait_readable(s));

	struct error *err = stream_read(s, &c, 1, &n);

	assert_true(error_is(err, ERR_TLS));
	assert_non_null(strstr(error_message(err), "it asks for a client certificate"));
	error_free(err);
	assert_fails(stream_write(s, STR("x")), ERR_CLOSED);
	stream_close(s);
}

static void test_a_client_reads_why_it_was_refused(_unused_ void **state)
{
	loop_run(LOOP_REAL, refusal_main, NULL);
}

/* Who may open a unix socket is for its file's mode to say: a TLS listener leaves it in the clear. */
static void unix_main(_unused_ void *arg)
{
	_cleanup_(meeting_fini) struct meeting m = { .server = server_context("ca", "server") };
	_cleanup_(stream_closep) struct stream *client = NULL;
	struct addr a = { .kind = ADDR_UNIX }, told;
	char c;
	size_t n;

	snprintf(a.path, sizeof(a.path), "%s", in_dir("socket", ""));
	assert_ok(listener_open(&a, m.server, &m.listener));
	assert_true(listener_socket(m.listener, 0, &told));
	assert_int_equal(told.kind, ADDR_UNIX);
	assert_string_equal(told.path, a.path);
	assert_ok(dial(&a, NULL, &client));
	assert_ok(stream_write(client, STR("x")));
	assert_ok(listener_accept(m.listener, &m.accepted));
	assert_ok(stream_read(m.accepted, &c, 1, &n));
	assert_int_equal(c, 'x');
}

static void test_unix_sockets_are_in_the_clear(_unused_ void **state)
{
	loop_run(LOOP_REAL, unix_main, NULL);
}

static void plain_server(void *arg)
{
	struct meeting *m = arg;
	char buf[1000];
	size_t n;

	m->server_error = listener_accept(m->listener, &m->accepted);
	error_free(stream_read(m->accepted, buf, sizeof(buf), &n));
	error_free(stream_write(m->accepted, STR("HTTP/1.1 400 Bad Request\r\n\r\n")));
}

static void plain_server_main(_unused_ void *arg)
{
	_cleanup_(meeting_fini) struct meeting m = { .client = client_context("ca", NULL) };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct stream *s;

	meet(&m, "127.0.0.1");
	group_go(&g, "server", plain_server, &m);

	struct error *err = dial(&m.at, m.client, &s);

	assert_true(error_is(err, ERR_TLS));
	assert_non_null(strstr(error_message(err), "it does not speak TLS"));
	error_free(err);
}

static void plain_client_main(_unused_ void *arg)
{
	_cleanup_(meeting_fini) struct meeting m = { .server = server_context("ca", "server") };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct stream *s;

	meet(&m, "127.0.0.1");
	group_go(&g, "server", serve, &m);
	assert_ok(dial(&m.at, NULL, &s));
	assert_ok(stream_write(s, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n")));
	assert_ok(group_wait(&g));
	assert_true(error_is(m.server_error, ERR_TLS));
	assert_non_null(strstr(error_message(m.server_error), "it speaks plain HTTP"));
	stream_close(s);
}

static void test_one_side_without_tls(_unused_ void **state)
{
	loop_run(LOOP_REAL, plain_server_main, NULL);
	loop_run(LOOP_REAL, plain_client_main, NULL);
}

/* The socket ends, TLS does not: what came may have been cut short. */
static void truncated_main(_unused_ void *arg)
{
	struct tls_context *server = server_context("ca", "server");
	struct tls_context *client = client_context("ca", "client");
	_cleanup_(ends_fini) struct ends e = { NULL, NULL };
	int pair[2], spare;
	char c;
	size_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	spare = dup(pair[0]);
	e.a = tls_stream_new(server, pair[0], NULL);
	e.b = tls_stream_new(client, pair[1], "localhost");

	struct group g = GROUP_INIT;
	struct deadline d = deadline_begin(5 * SECOND);

	group_go(&g, "read", read_one, e.a);
	assert_ok(tls_stream_handshake(e.b));
	assert_ok(stream_write(e.b, STR("x")));
	assert_ok(group_wait(&g));
	assert_trace("read:ok");

	assert_int_equal(shutdown(spare, SHUT_WR), 0);
	close(spare);

	struct error *err = stream_read(e.b, &c, 1, &n);

	assert_true(error_is(err, ERR_CLOSED));
	assert_non_null(strstr(error_message(err), "closed the connection without ending TLS"));
	error_free(err);
	deadline_end(&d);
	tls_context_unref(server);
	tls_context_unref(client);
}

static void test_an_end_without_close_notify_is_an_error(_unused_ void **state)
{
	loop_run(LOOP_REAL, truncated_main, NULL);
}

static void silent_main(_unused_ void *arg)
{
	_cleanup_(meeting_fini) struct meeting m = { .client = client_context("ca", NULL) };
	_cleanup_(deadline_end) struct deadline d = deadline_begin(20 * MILLISECOND);
	struct stream *s;

	/* Connected, and nobody answers. */
	meet(&m, "127.0.0.1");
	assert_fails(dial(&m.at, m.client, &s), ERR_TIMEOUT);
}

static void test_a_silent_handshake_ends_with_the_deadline(_unused_ void **state)
{
	loop_run(LOOP_REAL, silent_main, NULL);
}

static void later_main(void *arg)
{
	struct meeting *m = arg;
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct stream *s;
	struct error *err = NULL;

	/* Until the certificate has run out, which takes its two seconds. */
	meet(m, "127.0.0.1");
	while (!err) {
		stream_close(take(m->accepted));
		group_go(&g, "server", serve, m);
		err = dial(&m->at, m->client, &s);
		if (err)
			break;
		assert_ok(stream_write(s, STR("x")));
		assert_ok(group_wait(&g));
		stream_close(s);
		assert_ok(fiber_sleep(100 * MILLISECOND));
	}
	assert_true(error_is(err, ERR_TLS));
	assert_non_null(strstr(error_message(err), "certificate has expired"));
	error_free(err);
	assert_ok(group_wait(&g));
	assert_non_null(strstr(error_message(m->server_error), "it says that our certificate has "
							       "expired"));
	meeting_fini(m);
}

/* Valid when it was loaded, and so only the peer sees it. */
static void test_a_certificate_that_runs_out(_unused_ void **state)
{
	struct cert_wish brief = { "brief", "ca", CERT_BOTH, NAMES, -60, 2 };
	struct meeting m = { 0 };

	cert_make(dir, &brief);
	m.server = server_context(NULL, "brief");
	m.client = client_context("ca", NULL);
	loop_run(LOOP_REAL, later_main, &m);
}

/* One byte over a new connection. */
static may_suspend void greet(struct meeting *m, struct stream **ret)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "server", serve, m);
	assert_ok(dial(&m->at, m->client, ret));
	assert_ok(stream_write(*ret, STR("x")));
	assert_ok(group_wait(&g));
	assert_null(m->server_error);
}

static may_suspend void pass_byte(struct stream *from, struct stream *to)
{
	char c;
	size_t n;

	assert_ok(stream_write(from, STR("y")));
	assert_ok(stream_read(to, &c, 1, &n));
	assert_int_equal(n, 1);
}

static void reload_main(_unused_ void *arg)
{
	struct cert_wish changing = { "changing", "ca", CERT_BOTH, NAMES, -60, YEAR };
	_cleanup_(meeting_fini) struct meeting m = { 0 };
	_cleanup_(ends_fini) struct ends old = { NULL, NULL };
	_cleanup_(stream_closep) struct stream *fresh = NULL;
	size_t n;

	cert_make(dir, &changing);
	m.server = server_context("ca", "changing");
	m.client = client_context("ca", "client");
	meet(&m, "127.0.0.1");
	greet(&m, &old.a);
	old.b = take(m.accepted);

	cert_make(dir, &changing);
	assert_ok(tls_reload(&n));
	assert_int_equal(n, 2);
	greet(&m, &fresh);
	assert_string_not_equal(fresh->certificate, old.a->certificate);
	pass_byte(old.a, old.b);
	pass_byte(old.b, old.a);

	/* A half that does not fit the other changes nothing. */
	stream_close(take(m.accepted));
	stream_close(take(fresh));
	unlink(in_dir("changing", ".key"));

	struct error *err = tls_reload(&n);

	assert_true(error_is(err, ERR_TLS));
	assert_non_null(strstr(error_message(err), "changing.key: No such file or directory"));
	error_free(err);
	assert_int_equal(n, 2);
	greet(&m, &fresh);
	unlink(in_dir("changing", ".pem"));
}

static void test_files_are_read_again(_unused_ void **state)
{
	loop_run(LOOP_REAL, reload_main, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_like_any_stream),
		cmocka_unit_test(test_certificates_are_known_by_their_digest),
		cmocka_unit_test(test_who_trusts_whom),
		cmocka_unit_test(test_a_client_reads_why_it_was_refused),
		cmocka_unit_test(test_one_side_without_tls),
		cmocka_unit_test(test_unix_sockets_are_in_the_clear),
		cmocka_unit_test(test_an_end_without_close_notify_is_an_error),
		cmocka_unit_test(test_a_silent_handshake_ends_with_the_deadline),
		cmocka_unit_test(test_a_certificate_that_runs_out),
		cmocka_unit_test(test_files_are_read_again),
	};

	return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
