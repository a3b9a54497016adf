/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/testing.h"

#include "api/info_common.h"
#include "json/json.h"

static struct json put(const struct str *nodes, size_t n, struct arena *arena)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
	struct json_out o = json_out(&text);
	struct json root;

	json_begin_object(&o);
	info_put_common(&o, nodes, n, arena);
	json_end_object(&o);
	assert_ok(json_parse(arena_dup(arena, strbuf_str(&text)), arena, &root));
	return root;
}

#define SAME \
	"\"CgroupVersion\":\"2\",\"Runtimes\":{\"runc\":{\"path\":\"runc\"}},\"SwapLimit\":true"

static void test_what_all_say(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct str nodes[] = { STR("{" SAME ",\"LoggingDriver\":\"json-file\"}"), STR(""),
				     STR("{" SAME ",\"LoggingDriver\":\"json-file\"}") };
	struct json root = put(nodes, ARRAY_LEN(nodes), &arena);

	assert_str(json_get_str(root, "LoggingDriver"), "json-file");
	assert_str(json_get_str(root, "CgroupVersion"), "2");
	assert_str(json_raw(json_get(root, "Runtimes")), "{\"runc\":{\"path\":\"runc\"}}");
	assert_str(json_raw(json_get(root, "SecurityOptions")), "null");
	assert_str(json_raw(json_get(root, "SwapLimit")), "true");
}

static void test_where_they_differ(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct str nodes[] = {
		STR("{" SAME ",\"CgroupDriver\":\"systemd\"}"),
		STR("{\"CgroupVersion\":\"1\",\"CgroupDriver\":\"systemd\",\"SwapLimit\":false}"),
	};
	struct json root = put(nodes, ARRAY_LEN(nodes), &arena);

	assert_str(json_get_str(root, "CgroupDriver"), "systemd");
	assert_false(json_exists(json_get(root, "CgroupVersion")));
	assert_str(json_raw(json_get(root, "Runtimes")), "{}");
	assert_str(json_raw(json_get(root, "SwapLimit")), "false");
	assert_str(json_raw(json_get(root, "MemoryLimit")), "true");
}

static void test_nobody(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct json root = put(NULL, 0, &arena);

	assert_str(json_raw(json_get(root, "RegistryConfig")), "null");
	assert_str(json_raw(json_get(root, "LoggingDriver")), "\"\"");
}

static void test_plugins(_unused_ void **state)
{
	static const struct {
		struct str nodes[3];
		const char *plugins;
	} cases[] = {
		{ { STR_INIT("") },
		  "{\"Volume\":null,\"Network\":null,\"Authorization\":null,\"Log\":null}" },
		{ { STR_INIT("{\"Volume\": [\"z\",\"a\"]}"),
		    STR_INIT("{\"Volume\": [\"z\",\"a\"]}") },
		  "{\"Volume\": [\"z\",\"a\"]}" },
		{ { STR_INIT("{\"Volume\":[\"local\"],\"Network\":[\"host\",\"bridge\"],\"Log\":[]"
			     "}"),
		    STR_INIT("{\"Volume\":[\"nfs\",\"local\"],\"Network\":null,\"Log\":[\"syslog\"]"
			     "}"),
		    STR_INIT("{\"Volume\":[\"ceph\"],\"Authorization\":[\"opa\"]}") },
		  "{\"Volume\":[\"ceph\",\"local\",\"nfs\"],\"Network\":[\"bridge\",\"host\"],"
		  "\"Authorization\":[\"opa\"],\"Log\":[\"syslog\"]}" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
		struct json_out o = json_out(&text);
		struct json root;

		json_begin_object(&o);
		info_put_plugins(&o, cases[i].nodes, ARRAY_LEN(cases[i].nodes), &arena);
		json_end_object(&o);
		assert_ok(json_parse(strbuf_str(&text), &arena, &root));
		assert_str(json_raw(json_get(root, "Plugins")), cases[i].plugins);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_all_say),
		cmocka_unit_test(test_where_they_differ),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_plugins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
