/* SPDX-License-Identifier: Apache-2.0 */
/* kv/kv.c: what a URI may say, and what is checked before a store is asked */
#include "unit/testing.h"

#include "base/duration.h"
#include "kv/kv.h"

static const struct kv_options clear;

static void opens(_unused_ void **state)
{
	static const struct {
		const char *uri, *scheme;
	} cases[] = {
		{ "etcd://a", "etcd" },
		{ "etcd://a,b:1,[::1],[::1]:2/p", "etcd" },
		{ "consul://10.0.0.1:8500/a/b/", "consul" },
		{ "zk://a,b,c//a//b//", "zk" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(kv_closep) struct kv *kv = NULL;

		assert_ok(kv_open(str_from(cases[i].uri), &clear, &kv));
		assert_string_equal(kv_scheme(kv), cases[i].scheme);
	}
}

static void refuses(_unused_ void **state)
{
	static const struct {
		const char *uri, *why;
	} cases[] = {
		{ "", "there is no key-value store \"://\"" },
		{ "a:1", "there is no key-value store" },
		{ "redis://a", "there is no key-value store \"redis://\"" },
		{ "etcd://", "it has no host" },
		{ "etcd:///p", "it has no host" },
		{ "etcd://a,", "it has no host" },
		{ "etcd://a:0", "the port is 0" },
		{ "etcd://a:65536", "no number up to 65535" },
		{ "etcd://::1", "an IPv6 address goes in brackets" },
		{ "zk://a/b/../c", "it has a part \"..\"" },
		{ "etcd://a/.", "it has a part \".\"" },
		{ "consul://a/b\nc", "is no path in a key-value store" },
		{ "zk://a b", "neither a name nor an IP address" },
		{ "zk://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "more than 16 addresses" },
	};
	struct kv *kv = NULL;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_err(kv_open(str_from(cases[i].uri), &clear, &kv), ERR_INVALID, cases[i].why);
		assert_null(kv);
	}
}

static void refuses_files(_unused_ void **state)
{
	const struct kv_options ca = { .ca = "/nowhere/ca.pem" };
	struct kv *kv = NULL;

	assert_err(kv_open(STR("etcd://a"), &ca, &kv), ERR_TLS, "/nowhere/ca.pem");
	assert_err(kv_open(STR("consul://a"), &ca, &kv), ERR_TLS, "/nowhere/ca.pem");
	assert_err(kv_open(STR("zk://a"), &ca, &kv), ERR_INVALID, "zk:// does not use TLS");
}

static void checks_ttls(_unused_ void **state)
{
	_cleanup_(kv_closep) struct kv *etcd = NULL, *consul = NULL;

	assert_ok(kv_open(STR("etcd://a"), &clear, &etcd));
	assert_ok(kv_open(STR("consul://a"), &clear, &consul));
	assert_ok(kv_check_ttl(etcd, SECOND));
	assert_ok(kv_check_ttl(consul, 20 * SECOND));
	assert_err(kv_check_ttl(consul, 20 * SECOND - 1), ERR_INVALID,
		   "consul:// needs a TTL of 20s at least");
	assert_true(kv_lease_floor(etcd, MINUTE) == MINUTE);
	assert_true(kv_lease_floor(consul, MINUTE) == MINUTE / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_files),
		cmocka_unit_test(checks_ttls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
