/* SPDX-License-Identifier: Apache-2.0 */
/* api/inspect.c: an engine's inspect as the pool shows it. */
#include "unit/testing.h"

#include "api/inspect.h"

#define NODE                                                                          \
	"{\"ID\":\"AA:BB\",\"IP\":\"10.0.0.1\",\"Addr\":\"n1:2375\",\"Name\":\"n1\"," \
	"\"Cpus\":4,\"Memory\":1024,\"Labels\":{\"a\":\"1\",\"b\":\"\\\"2\\\"\"}}"

static struct engine_label labels[] = {
	{ STR_INIT("a"), STR_INIT("1") },
	{ STR_INIT("b"), STR_INIT("\"2\"") },
};

static const struct engine_info node = {
	.id = STR_INIT("AA:BB"),
	.name = STR_INIT("n1"),
	.cpus = 4,
	.memory = 1024,
	.labels = labels,
	.n_labels = 2,
};

static void test_rewriting(void **state)
{
	static const struct {
		const char *engines, *pools;
	} cases[] = {
		{ "{}", "{\"Node\":" NODE "}" },
		{ "{\"Id\":\"x\",\"Name\":\"/web\",\"Odd\": 1.50e+2}",
		  "{\"Id\":\"x\",\"Name\":\"/web\",\"Odd\": 1.50e+2,\"Node\":" NODE "}" },
		{ "{\"Node\":{\"Name\":\"other\"},\"Id\":\"x\"}",
		  "{\"Node\":" NODE ",\"Id\":\"x\"}" },
		{ "{\"NetworkSettings\":{\"Ports\":{\"80/"
		  "tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":"
		  "\"80\"},{\"HostIp\":\"::\",\"HostPort\":\"80\"}],\"81/tcp\":null,\"82/tcp\":[{"
		  "\"HostIp\":\"127.0.0.1\",\"HostPort\":\"82\"}]}}}",
		  "{\"NetworkSettings\":{\"Ports\":{\"80/"
		  "tcp\":[{\"HostIp\":\"10.0.0.1\",\"HostPort\":"
		  "\"80\"},{\"HostIp\":\"::\",\"HostPort\":\"80\"}],\"81/tcp\":null,\"82/tcp\":[{"
		  "\"HostIp\":\"127.0.0.1\",\"HostPort\":\"82\"}]}},\"Node\":" NODE "}" },
		{ "{\"NetworkSettings\":{\"Ports\":null}}",
		  "{\"NetworkSettings\":{\"Ports\":null},\"Node\":" NODE "}" },
		{ "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\"}]}}}",
		  "{\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\"}]}},"
		  "\"Node\":" NODE "}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct str got;

		assert_ok(inspect_rewrite(str_from(cases[i].engines), &node, STR("10.0.0.1"),
					  STR("n1:2375"), &arena, &got));
		assert_str(got, cases[i].pools);
	}
}

static void test_garbage(void **state)
{
	static const char *const texts[] = { "", "[]", "null", "{\"a\":", "<html>" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct str got;

		assert_err(inspect_rewrite(str_from(texts[i]), &node, STR("10.0.0.1"),
					   STR("n1:2375"), &arena, &got),
			   ERR_PROTOCOL, "n1:2375: inspect of a container: ");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewriting),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
