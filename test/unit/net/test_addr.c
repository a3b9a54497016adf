/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses as users write them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "net/addr.h"

struct good {
	const char *text;
	enum addr_kind kind;
	const char *host;
	uint16_t port;
	const char *path;
	const char *formatted;
};

static const struct good good[] = {
	{ "host:2375", ADDR_TCP, "host", 2375, "", "host:2375" },
	{ "tcp://host:2375", ADDR_TCP, "host", 2375, "", "host:2375" },
	{ "10.0.0.1:1", ADDR_TCP, "10.0.0.1", 1, "", "10.0.0.1:1" },
	{ "[::1]:65535", ADDR_TCP, "::1", 65535, "", "[::1]:65535" },
	{ "tcp://[fe80::1%eth0]:80", ADDR_TCP, "fe80::1%eth0", 80, "", "[fe80::1%eth0]:80" },
	{ ":4000", ADDR_TCP, "", 4000, "", ":4000" },
	{ "tcp://:0", ADDR_TCP, "", 0, "", ":0" },
	{ "a_b-c.example:7", ADDR_TCP, "a_b-c.example", 7, "", "a_b-c.example:7" },
	{ "unix:///run/swarm.sock", ADDR_UNIX, "", 0, "/run/swarm.sock", "/run/swarm.sock" },
	{ "fd://", ADDR_FD, "", 0, "", "fd://" },
	{ "fd://api", ADDR_FD, "", 0, "api", "fd://api" },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
		struct addr a;

		assert_null(addr_parse(str_from(good[i].text), &a));
		assert_int_equal(a.kind, good[i].kind);
		assert_string_equal(a.host, good[i].host);
		assert_int_equal(a.port, good[i].port);
		assert_string_equal(a.path, good[i].path);
		addr_format(&a, &out);
		assert_string_equal(out.p, good[i].formatted);
	}
}

static const char *const bad[][2] = {
	{ "", "invalid address \"\": it has no port" },
	{ "host", "invalid address \"host\": it has no port" },
	{ "tcp://host", "invalid address \"tcp://host\": it has no port" },
	{ "host:", "invalid address \"host:\": the port is no number up to 65535" },
	{ "host:65536", "invalid address \"host:65536\": the port is no number up to 65535" },
	{ "host:+1", "invalid address \"host:+1\": the port is no number up to 65535" },
	{ "host:80/x", "invalid address \"host:80/x\": the port is no number up to 65535" },
	{ "::1:80",
	  "invalid address \"::1:80\": an IPv6 address goes in brackets, and a port behind it" },
	{ "[host]:80",
	  "invalid address \"[host]:80\": the host is neither a name nor an IP address" },
	{ "[::1:80", "invalid address \"[::1:80\": an IPv6 address goes in brackets, and a port "
		     "behind it" },
	{ "a b:80", "invalid address \"a b:80\": the host is neither a name nor an IP address" },
	{ "http://host:80", "invalid address \"http://host:80\": the scheme is none of tcp, unix, "
			    "fd" },
	{ "unix://", "invalid address \"unix://\": the path is not absolute" },
	{ "unix://run/x", "invalid address \"unix://run/x\": the path is not absolute" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct addr a;
		struct error *err = addr_parse(str_from(bad[i][0]), &a);

		assert_true(error_is(err, ERR_INVALID));
		assert_string_equal(error_message(err), bad[i][1]);
		error_free(err);
	}
}

static void test_lengths(void **state)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct addr a;

	(void)state;
	for (int i = 0; i < 255; i++)
		strbuf_addc(&text, 'h');
	strbuf_add(&text, STR(":80"));
	assert_null(addr_parse(strbuf_str(&text), &a));

	_cleanup_(error_freep) struct error *long_host = NULL, *long_path = NULL;

	strbuf_reset(&text);
	for (int i = 0; i < 256; i++)
		strbuf_addc(&text, 'h');
	strbuf_add(&text, STR(":80"));
	long_host = addr_parse(strbuf_str(&text), &a);
	assert_true(error_is(long_host, ERR_INVALID));

	strbuf_reset(&text);
	strbuf_add(&text, STR("unix:///"));
	for (int i = 0; i < 107; i++)
		strbuf_addc(&text, 'p');
	long_path = addr_parse(strbuf_str(&text), &a);
	assert_true(error_is(long_path, ERR_INVALID));
	assert_null(addr_parse(str_first(strbuf_str(&text), text.n - 1), &a));
}

static void test_host_port(void **state)
{
	static const char *const refused[][2] = {
		{ ":80", "invalid address \":80\": it has no host" },
		{ "host:0", "invalid address \"host:0\": the port is 0" },
		{ "host", "invalid address \"host\": it has no port" },
		{ "tcp://host:80",
		  "invalid address \"tcp://host:80\": it is host:port alone, without a scheme" },
	};
	struct addr a;

	(void)state;
	assert_null(addr_parse_host_port(STR("host:80"), &a));
	assert_string_equal(a.host, "host");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct error *err = addr_parse_host_port(str_from(refused[i][0]), &a);

		assert_true(error_is(err, ERR_INVALID));
		assert_string_equal(error_message(err), refused[i][1]);
		error_free(err);
	}
}

static void test_numeric_and_loopback(void **state)
{
	static const struct {
		const char *text;
		bool numeric, loopback;
	} cases[] = {
		{ "10.0.0.1:1", true, false },	    { "127.3.2.1:1", true, true },
		{ "[::1]:1", true, true },	    { "[::ffff:127.0.0.1]:1", true, true },
		{ "[2001:db8::1]:1", true, false }, { "localhost:1", false, true },
		{ "example.com:1", false, false },  { ":1", false, false },
		{ "unix:///x", false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a;

		assert_null(addr_parse(str_from(cases[i].text), &a));
		assert_int_equal(addr_is_numeric(&a), cases[i].numeric);
		assert_int_equal(addr_is_loopback(&a), cases[i].loopback);
	}
}

static void test_subscriber(void **state)
{
	static const struct {
		const char *peer, *subscriber;
	} cases[] = {
		{ "10.0.0.1:4711", "10.0.0.1" },
		{ "[2001:db8:1:2:3:4:5:6]:1", "2001:db8:1:2::/64" },
		{ "[2001:db8:1:2::]:1", "2001:db8:1:2::/64" },
		{ "[::1]:1", "::/64" },
		{ "unix:1000", "unix:1000" },
		{ "host:1", "host:1" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

		strbuf_add(&out, STR(""));
		addr_subscriber(str_from(cases[i].peer), &out);
		assert_string_equal(out.p, cases[i].subscriber);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_host_port),
		cmocka_unit_test(test_numeric_and_loopback),
		cmocka_unit_test(test_subscriber),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
