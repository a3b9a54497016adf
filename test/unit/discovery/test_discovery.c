/* SPDX-License-Identifier: Apache-2.0 */
/* discovery/discovery.c and discovery/nodes.c */
#include "heard.h"

#include "fiber/fiber.h"
#include "fiber/group.h"

static void refuses_at_once(_unused_ void **state)
{
	static const struct {
		const char *uri, *why;
	} cases[] = {
		{ "", "names no node" },
		{ "nodes://", "names no node" },
		{ " , ,", "names no node" },
		{ "host", "invalid address \"host\": it has no port" },
		{ "host:x", "the port is no number" },
		{ "host:0", "the port is 0" },
		{ ":2375", "it has no host" },
		{ "::1:2375", "an IPv6 address goes in brackets" },
		{ "host[1-2]:2375,good:2375", "[1-2] is no range" },
		{ "file://", "file:///path" },
		{ "token://0123", "invalid cluster \"token://0123\"" },
		{ "token://host/0123", "the id is 32 hexadecimal digits" },
		{ "token://0123456789abcdef0123456789abcdef", "set $SWARM_TOKEN_SERVICE" },
		{ "token://host:x/0123456789abcdef0123456789abcdef", "the port is no number" },
		{ "etcd://", "invalid address \":2379\"" },
		{ "etcd:///prefix", "it has no host" },
		{ "etcd://a,,b", "it has no host" },
		{ "etcd://a:0", "the port is 0" },
		{ "etcd://a,b c/d", "the host is neither a name nor an IP address" },
		{ "etcd://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than 16 addresses" },
		{ "tcp://a:2375", "there is no discovery \"tcp://\"; nodes://, file://" },
		{ "NODES://a:2375", "there is no discovery \"NODES://\"" },
		{ "://a:2375", "there is no discovery \"://\"" },
	};
	struct discovery *d = NULL;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_err(discovery_open(str_from(cases[i].uri), &no_options, &d), ERR_INVALID,
			   cases[i].why);
		assert_null(d);
	}
}

static void refuses_options(_unused_ void **state)
{
	const char *const opts[] = { "kv.path=x", NULL };
	const struct discovery_options options = { .heartbeat = MINUTE, .opts = opts };
	struct discovery *d = NULL;

	assert_err(discovery_open(STR("a:1"), &options, &d), ERR_INVALID,
		   "nodes:// has no option \"kv.path=x\"");
	assert_err(discovery_open(STR("file:///x"), &options, &d), ERR_INVALID,
		   "file:// has no option \"kv.path=x\"");
}

static void registers_main(_unused_ void *arg)
{
	static const char *const uris[] = { "a:1", "file:///x" };
	const struct addr addr = { .host = "b", .port = 1 };

	for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
		_cleanup_(discovery_closep) struct discovery *d = NULL;

		assert_ok(discovery_open(str_from(uris[i]), &no_options, &d));
		assert_err(discovery_check_registers(d), ERR_INVALID, "takes no registrations");
		assert_err(discovery_register(d, &addr, MINUTE), ERR_INVALID,
			   "its entries are written by people");
		assert_err(discovery_unregister(d, &addr), ERR_INVALID, discovery_scheme(d));
		discovery_stop(d);
	}
}

static void registers_nothing_that_people_write(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, registers_main, NULL);
}

static void lists_main(_unused_ void *arg)
{
	static const struct {
		const char *uri, *texts;
	} cases[] = {
		{ "nodes://a:1,b:2", "a:1 b:2" },
		{ "b:2,a:1", "b:2 a:1" },
		{ " b:2 , a:1,", "b:2 a:1" },
		{ "a:1,a:1,b:1,a:1", "a:1 b:1" },
		{ "a:[1:3],a:2,[::1]:2375", "a:1 a:2 a:3 [::1]:2375" },
		{ "10.0.0.[09:10]:1", "10.0.0.09:1 10.0.0.10:1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(discovery_closep) struct discovery *d = NULL;

		assert_ok(discovery_open(str_from(cases[i].uri), &no_options, &d));
		assert_string_equal(discovery_scheme(d), "nodes");
		assert_false(discovery_is_store(d));
		assert_fetch(d, cases[i].texts);
		assert_fetch(d, cases[i].texts);
	}
	assert_silent();
}

static void lists(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, lists_main, NULL);
}

static void leaves_out_main(_unused_ void *arg)
{
	_cleanup_(discovery_closep) struct discovery *d = NULL;

	assert_ok(discovery_open(STR("a:1,nonsense,b:[1:2]"), &no_options, &d));
	assert_silent();
	assert_fetch(d, "a:1 b:1 b:2");
	assert_heard("a node is left out");
	assert_heard("entry=nonsense");
	assert_heard("it has no port");
}

static void leaves_out_what_is_no_address(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, leaves_out_main, NULL);
}

static void too_many_main(_unused_ void *arg)
{
	_cleanup_(discovery_closep) struct discovery *d = NULL;
	struct discovery_entries entries;

	assert_ok(discovery_open(STR("10.0.[0:255].[0:255]:1,a:1"), &no_options, &d));
	assert_err(discovery_fetch(d, &entries), ERR_TOO_LARGE, "lists more than 65536 nodes");
}

static void bounds_what_it_lists(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, too_many_main, NULL);
}

static void waiter(void *arg)
{
	assert_err(discovery_wait(arg), ERR_CANCELLED, "");
}

static void waits_main(_unused_ void *arg)
{
	_cleanup_(discovery_closep) struct discovery *d = NULL;
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	assert_ok(discovery_open(STR("a:1"), &no_options, &d));
	group_go(&g, "waiter", waiter, d);
	assert_ok(fiber_sleep(24 * HOUR));
	assert_int_equal(g.n, 1);
}

static void nodes_never_change(_unused_ void **state)
{
	loop_run(LOOP_VIRTUAL, waits_main, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ear_setup, ear_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(refuses_at_once),
		TEST(refuses_options),
		TEST(registers_nothing_that_people_write),
		TEST(lists),
		TEST(leaves_out_what_is_no_address),
		TEST(bounds_what_it_lists),
		TEST(nodes_never_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
