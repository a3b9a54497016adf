/* SPDX-License-Identifier: Apache-2.0 */
/* api/info.c: the lines of `docker info` about a node. */
#include "unit/testing.h"

#include "api/info.h"
#include "base/duration.h"

#define CORES(n) ((int64_t)((n)*1e9))
#define MB	 (INT64_C(1) << 20)
#define GB	 (INT64_C(1) << 30)

static void test_sizes(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1 KiB" },
		{ 512 * MB, "512 MiB" },
		{ 8 * GB - 200 * MB, "7.805 GiB" },
		{ 1536 * GB, "1.5 TiB" },
		{ INT64_MAX, "8 EiB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

		assert_str(info_size(cases[i].bytes, &arena), cases[i].text);
	}
}

/* As `docker info` prints the pairs. */
static void check_lines(const struct info_node *n, const char *expected)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, lines = STRBUF_INIT;
	struct json_out o = json_out(&text);
	struct json root, pair;
	struct json_iter it;

	json_begin_array(&o);
	info_put_node(&o, n, &arena);
	json_end_array(&o);
	assert_ok(json_parse(strbuf_str(&text), &arena, &root));
	it = json_iter(root);
	while (json_next(&it, NULL, &pair)) {
		assert_int_equal(json_count(pair), 2);
		strbuf_addf(&lines, "%.*s: %.*s\n", STR_ARG(json_str(json_item(pair, 0))),
			    STR_ARG(json_str(json_item(pair, 1))));
	}
	assert_buf(lines, expected);
}

static void test_a_healthy_node(void **state)
{
	static const struct engine_label labels[] = {
		{ STR_INIT("rack"), STR_INIT("a") },
		{ STR_INIT("storage"), STR_INIT("ssd") },
	};
	static const struct device_kind kinds[] = {
		{ STR_INIT("NVIDIA-GPU"), 2 },
		{ STR_INIT("vendor.com/fpga"), 0 },
	};
	const struct devices devices = { .kinds = kinds, .n_kinds = 2 };
	const int64_t reserved[] = { 1, 0 };
	const struct info_node n = {
		.devices = &devices,
		.reserved_devices = reserved,
		.name = STR("node-1"),
		.addr = STR("10.0.0.1:2375"),
		.id = STR("AB:CD"),
		.state = STR("Healthy"),
		.running = 2,
		.stopped = 1,
		.reserved_nano_cpus = CORES(1.5),
		.nano_cpus = CORES(2),
		.reserved_memory = 512 * MB,
		.memory = 8 * GB,
		.labels = labels,
		.n_labels = 2,
		.updated_at = INT64_C(1795328975) * SECOND + 5,
		.server_version = STR("28.1.1"),
	};

	(void)state;
	check_lines(&n, " node-1: 10.0.0.1:2375\n"
			"  \u2514 ID: AB:CD\n"
			"  \u2514 Status: Healthy\n"
			"  \u2514 Containers: 3 (2 Running, 0 Paused, 1 Stopped)\n"
			"  \u2514 Reserved CPUs: 1.5 / 2\n"
			"  \u2514 Reserved Memory: 512 MiB / 8 GiB\n"
			"  \u2514 Reserved NVIDIA-GPU: 1 / 2\n"
			"  \u2514 Labels: rack=a, storage=ssd\n"
			"  \u2514 UpdatedAt: 2026-11-22T06:29:35Z\n"
			"  \u2514 ServerVersion: 28.1.1\n");
}

static void test_a_pending_node(void **state)
{
	const struct info_node n = {
		.addr = STR("10.0.0.9:2375"),
		.state = STR("Pending"),
		.error = STR("connection refused"),
	};

	(void)state;
	check_lines(&n, "(unknown): 10.0.0.9:2375\n"
			"  \u2514 ID: \n"
			"  \u2514 Status: Pending\n"
			"  \u2514 Containers: 0 (0 Running, 0 Paused, 0 Stopped)\n"
			"  \u2514 Reserved CPUs: 0 / 0\n"
			"  \u2514 Reserved Memory: 0 B / 0 B\n"
			"  \u2514 Labels: \n"
			"  \u2514 Error: connection refused\n"
			"  \u2514 UpdatedAt: \n"
			"  \u2514 ServerVersion: \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_a_healthy_node),
		cmocka_unit_test(test_a_pending_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
