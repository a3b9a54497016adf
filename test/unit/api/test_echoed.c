/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/testing.h"

#include "api/echoed.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	const char *engine, *client;
} rows[] = {
	{ "No such container: " ID, "No such container: web" },
	{ "Cannot kill container: " ID ": Container " ID " is not running",
	  "Cannot kill container: web: Container " ID " is not running" },
	{ "Cannot kill container: " ID ": No such container: " ID,
	  "Cannot kill container: web: No such container: web" },
	{ "cannot kill container: " ID ": container " ID " is not running",
	  "cannot kill container: web: container " ID " is not running" },
	{ "cannot remove container \\\"" ID
	  "\\\": container is running: stop the container before removing",
	  "cannot remove container \\\"web\\\": container is running: stop the container before "
	  "removing" },
	{ "Could not find the file /x in container " ID,
	  "Could not find the file /x in container web" },
	{ "Container " ID " is paused, unpause the container before exec",
	  "Container web is paused, unpause the container before exec" },
	{ "removal of container " ID " is already in progress",
	  "removal of container web is already in progress" },
	/* An engine says the id where it has the container before it. */
	{ "Container " ID " is not running", "Container " ID " is not running" },
	{ "You cannot remove a running container " ID ". Stop the container before attempting "
	  "removal or force remove",
	  "You cannot remove a running container " ID ". Stop the container before attempting "
	  "removal or force remove" },
	{ "nothing of the kind", "nothing of the kind" },
};

static void test_messages(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct str body = arena_printf(&arena, "{\"message\":\"%s\"}\n", rows[i].engine);
		struct str want = arena_printf(&arena, "{\"message\":\"%s\"}\n", rows[i].client);

		assert_str(echoed_body(body, STR(ID), STR("web"), &arena), want.p);
	}
}

/* What is no such body goes on as it came. */
static void test_other_bodies(_unused_ void **state)
{
	static const char *const bodies[] = {
		"",
		"No such container: " ID,
		"[\"No such container: " ID "\"]",
		"{\"message\":[\"No such container: " ID "\"]}",
		"{\"other\":\"No such container: " ID "\"}",
	};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct str body = str_from(bodies[i]);

		assert_str(echoed_body(body, STR(ID), STR("web"), &arena), bodies[i]);
		assert_str(echoed_body(body, STR(""), STR(""), &arena), bodies[i]);
	}
}

/* A name is the client's: it may need to be quoted. */
static void test_a_name_is_quoted(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct str body = STR("{\"a\":1,\"message\":\"No such container: " ID "\"}");

	assert_str(echoed_body(body, STR(ID), STR("a\"b"), &arena),
		   "{\"a\":1,\"message\":\"No such container: a\\\"b\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_other_bodies),
		cmocka_unit_test(test_a_name_is_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
