/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and keys in files: what is wrong with them is said as they are read.
 */
#include "streams.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "certs.h"
#include "net/dial.h"
#include "net/listener.h"
#include "net/tls.h"

#define YEAR  ((int64_t)365 * 24 * 3600)
#define NAMES "DNS:localhost,IP:127.0.0.1"

static char dir[] = "/tmp/test_tls_files.XXXXXX";

static const struct cert_wish wishes[] = {
	{ "ca", NULL, CERT_CA, NULL, -60, YEAR },
	{ "old-ca", NULL, CERT_CA, NULL, -YEAR, -60 },
	{ "early-ca", NULL, CERT_CA, NULL, 3600, YEAR },
	{ "server", "ca", CERT_SERVER, NAMES, -60, YEAR },
	{ "client", "ca", CERT_CLIENT, NULL, -60, YEAR },
	{ "both", "ca", CERT_BOTH, NAMES, -60, YEAR },
	{ "expired", "ca", CERT_BOTH, NAMES, -YEAR, -60 },
	{ "early", "ca", CERT_BOTH, NAMES, 3600, YEAR },
	{ "sealing", "ca", CERT_NO_SIGNING, NAMES, -60, YEAR },
};

/* Files of several certificates. */
static const struct joint {
	const char *name, *of[4];
} joints[] = {
	{ "renewed-cas", { "old-ca", "ca", "early-ca" } },
	{ "dead-cas", { "old-ca", "early-ca" } },
	{ "chain", { "both", "ca" } },
	{ "old-chain", { "both", "old-ca" } },
};

static int make_certs(_unused_ void **state)
{
	if (!mkdtemp(dir))
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(wishes); i++)
		cert_make(dir, &wishes[i]);
	for (size_t i = 0; i < ARRAY_LEN(joints); i++)
		cert_join(dir, joints[i].of, joints[i].name);
	cert_lock_key(dir, "server", "locked");
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
	for (size_t i = 0; i < ARRAY_LEN(joints); i++)
		unlink(in_dir(joints[i].name, ".pem"));
	unlink(in_dir("locked", ".key"));
	return rmdir(dir);
}

/* What is wrong with files is said at once, by name. */
struct fault {
	const char *ca, *cert, *key; /* file names; NULL: none */
	bool server;
	const char *says;
};

static const struct fault faults[] = {
	{ "missing.pem", NULL, NULL, false,
	  "cannot read the certificate %s/missing.pem: No such file or directory" },
	{ NULL, "missing.pem", "server.key", true,
	  "cannot read the certificate %s/missing.pem: No such file or directory" },
	{ NULL, "server.pem", "missing.key", true,
	  "cannot read the key %s/missing.key: No such file or directory" },
	{ NULL, "server.pem", "client.key", true,
	  "the key %s/client.key does not belong to the certificate %s/server.pem" },
	{ NULL, "client.pem", "client.key", true,
	  "the certificate %s/client.pem is not for use by a TLS server: its "
	  "extendedKeyUsage lacks serverAuth" },
	{ NULL, "server.pem", "server.key", false,
	  "the certificate %s/server.pem is not for use by a TLS client: its "
	  "extendedKeyUsage lacks clientAuth" },
	{ NULL, "server.key", "server.key", true,
	  "%s/server.key holds no certificate in PEM form" },
	{ NULL, "server.pem", "server.pem", true,
	  "%s/server.pem holds no private key in PEM form" },
	{ NULL, "server.pem", "locked.key", true,
	  "the key %s/locked.key is protected by a passphrase" },
	{ NULL, "", "server.key", true, "cannot read the certificate %s/: Is a directory" },
	{ "expired.pem", NULL, NULL, false, "the certificate %s/expired.pem expired on " },
	{ NULL, "expired.pem", "expired.key", true, "the certificate %s/expired.pem expired on " },
	{ NULL, "early.pem", "early.key", true,
	  "the certificate %s/early.pem is not valid before " },
	{ "dead-cas.pem", NULL, NULL, false, "a certificate in %s/dead-cas.pem expired on " },
	{ NULL, "old-chain.pem", "both.key", true,
	  "a certificate in %s/old-chain.pem expired on " },
	{ NULL, "sealing.pem", "sealing.key", true,
	  "the certificate %s/sealing.pem is not for use by a TLS server: its keyUsage lacks "
	  "digitalSignature" },
	{ NULL, "sealing.pem", "sealing.key", false,
	  "the certificate %s/sealing.pem is not for use by a TLS client: its keyUsage lacks "
	  "digitalSignature" },
	{ NULL, NULL, NULL, true, "a certificate and its key are both needed" },
	{ NULL, "client.pem", NULL, false, "a certificate and its key are both needed" },
};

static const char *maybe_in_dir(const char *name)
{
	return name ? in_dir(name, "") : NULL;
}

static void test_faulty_files_are_named(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		const struct fault *f = &faults[i];
		struct tls_files files = { .ca = maybe_in_dir(f->ca),
					   .cert = maybe_in_dir(f->cert),
					   .key = maybe_in_dir(f->key) };
		struct tls_context *c = NULL;
		_cleanup_(strbuf_fini) struct strbuf expected = STRBUF_INIT;
		_cleanup_(error_freep) struct error *err =
			f->server ? tls_context_new_server(&files, &c)
				  : tls_context_new_client(&files, &c);

		for (const char *p = f->says; *p; p++) {
			if (p[0] == '%' && p[1] == 's') {
				strbuf_add(&expected, str_from(dir));
				p++;
			} else {
				strbuf_addc(&expected, *p);
			}
		}
		assert_true(error_is(err, ERR_TLS));
		if (!str_starts(str_from(error_message(err)), strbuf_str(&expected)))
			fail_msg("\"%s\" is not \"%s\"", error_message(err), expected.p);
	}
}

static struct strbuf warned = STRBUF_INIT;

static void note_warning(enum log_level level, struct str line, _unused_ void *arg)
{
	assert_int_equal(level, LOG_WARN);
	strbuf_add(&warned, line);
}

static struct tls_context *context(bool server, const char *ca, const char *cert, const char *key)
{
	struct tls_files files = { .ca = in_dir(ca, ".pem"),
				   .cert = in_dir(cert, ".pem"),
				   .key = in_dir(key, ".key"),
				   .verify = true };
	struct tls_context *c;

	assert_ok(server ? tls_context_new_server(&files, &c) : tls_context_new_client(&files, &c));
	return c;
}

struct server {
	struct listener *listener;
	struct stream *accepted;
};

static may_suspend void serve(void *arg)
{
	struct server *s = arg;
	size_t n;
	char c;

	assert_ok(listener_accept(s->listener, &s->accepted));
	assert_ok(stream_read(s->accepted, &c, 1, &n));
}

static may_suspend void assert_meet(struct tls_context *server, struct tls_context *client)
{
	_cleanup_(stream_closep) struct stream *stream = NULL;
	struct server s = { 0 };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct addr at;

	assert_ok(addr_parse(STR("127.0.0.1:0"), &at));
	assert_ok(listener_open(&at, server, &s.listener));
	at = *listener_addr(s.listener);
	group_go(&g, "server", serve, &s);
	assert_ok(dial(&at, client, &stream));
	assert_ok(stream_write(stream, STR("x")));
	assert_ok(group_wait(&g));
	stream_close(s.accepted);
	listener_close(s.listener);
}

/* Of CAs that follow each other one that counts is enough; each other one is named. */
static void renewed_main(_unused_ void *arg)
{
	_cleanup_(tls_context_unrefp) struct tls_context *server = NULL, *client = NULL;

	log_set_sink(note_warning, NULL);
	server = context(true, "renewed-cas", "chain", "both");
	assert_true(str_contains(strbuf_str(&warned), STR("/renewed-cas.pem expired on ")));
	assert_true(str_contains(strbuf_str(&warned), STR("(CN=old-ca, issued by CN=old-ca)")));
	assert_true(str_contains(strbuf_str(&warned), STR("(CN=early-ca, issued by CN=early-ca)")));
	assert_false(str_contains(strbuf_str(&warned), STR("(CN=ca,")));
	strbuf_reset(&warned);
	client = context(false, "ca", "chain", "both");
	assert_int_equal(warned.n, 0);
	strbuf_fini(&warned);
	log_set_sink(NULL, NULL);
	assert_meet(server, client);
}

static void test_one_ca_that_counts_is_enough(_unused_ void **state)
{
	loop_set_hog_limit(0); /* it would warn of a slow machine, too */
	loop_run(LOOP_REAL, renewed_main, NULL);
}

static void test_verifying_needs_a_ca(_unused_ void **state)
{
	struct tls_files files = { .verify = true };
	struct tls_context *c;
	_cleanup_(error_freep) struct error *err = tls_context_new_client(&files, &c);

	assert_string_equal(error_message(err), "verifying the other side needs a CA certificate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faulty_files_are_named),
		cmocka_unit_test(test_one_ca_that_counts_is_enough),
		cmocka_unit_test(test_verifying_needs_a_ca),
	};

	return cmocka_run_group_tests(tests, make_certs, remove_certs);
}
