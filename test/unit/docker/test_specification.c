/* SPDX-License-Identifier: Apache-2.0 */
/* docker/specification.c: policies, generations, and a create out of an inspect. */
#include "unit/testing.h"

#include "docker/specification.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void reads_policies(_unused_ void **state)
{
	static const struct {
		struct str policies[2];
		size_t n;
		bool asked;
		const char *refusal;
	} cases[] = {
		{ { { NULL, 0 } }, 0, false, NULL },
		{ { STR_INIT("off") }, 1, false, NULL },
		{ { STR_INIT("on-node-failure") }, 1, true, NULL },
		{ { STR_INIT("foo") }, 1, false, "'reschedule:foo'" },
		{ { STR_INIT("") }, 1, false, "'reschedule:'" },
		{ { STR_INIT("On-Node-Failure") }, 1, false, "'reschedule:On-Node-Failure'" },
		{ { STR_INIT("off"), STR_INIT("on-node-failure") },
		  2,
		  false,
		  "'reschedule:on-node-failure': reschedule:off is asked for too" },
		{ { STR_INIT("on-node-failure"), STR_INIT("x") }, 2, false, "'reschedule:x'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct str_array policies = { cases[i].policies, cases[i].n };
		bool asked = false;
		struct error *err = reschedule_policy_read(&policies, &asked);

		if (!cases[i].refusal) {
			assert_ok(err);
			assert_int_equal(asked, cases[i].asked);
			continue;
		}
		assert_true(error_is(err, ERR_INVALID));
		assert_non_null(strstr(error_message(err), cases[i].refusal));
		error_free(err);
	}
}

static void reads_labels(_unused_ void **state)
{
	static const struct {
		const char *labels;
		bool asked;
		uint32_t generation;
	} cases[] = {
		{ "null", false, 0 },
		{ "{}", false, 0 },
		{ "{\"com.docker.swarm.reschedule-policies\":\"[\\\"on-node-failure\\\"]\"}", true,
		  0 },
		{ "{\"com.docker.swarm.reschedule-policies\":\"[\\\"off\\\"]\"}", false, 0 },
		{ "{\"com.docker.swarm.reschedule-policies\":\"[\\\"foo\\\"]\"}", false, 0 },
		{ "{\"com.docker.swarm.reschedule-policies\":\"on-node-failure\"}", false, 0 },
		{ "{\"com.docker.swarm.reschedule-policies\":\"{}\"}", false, 0 },
		{ "{\"com.docker.swarm.generation\":\"7\"}", false, 7 },
		{ "{\"com.docker.swarm.generation\":\"-7\"}", false, 0 },
		{ "{\"com.docker.swarm.generation\":\"99999999999\"}", false, 0 },
		{ "{\"com.docker.swarm.generation\":\"\"}", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		struct json labels;

		assert_ok(json_parse(str_from(cases[i].labels), &arena, &labels));
		assert_int_equal(labels_reschedule(labels), cases[i].asked);
		assert_int_equal(labels_generation(labels), cases[i].generation);
	}
}

static const struct {
	const char *inspect;
	int64_t nano_cpus;
	const char *written, *body;
} specifications[] = {
	/* The host name and the alias that are the id are drawn anew; unknown fields stay. */
	{ "{\"Id\":\"" ID "\",\"Name\":\"/web\",\"Config\":{\"Hostname\":\"0123456789ab\","
	  "\"Image\":\"busybox\",\"Labels\":{\"a\":\"b\"},\"New\":1.50},"
	  "\"HostConfig\":{\"NetworkMode\":\"default\",\"X\":18446744073709551616},"
	  "\"NetworkSettings\":{\"Networks\":{\"bridge\":{\"IPAddress\":\"1.2.3.4\"}}}}",
	  0,
	  "{\"Image\":\"busybox\",\"New\":1.50,\"Labels\":{\"a\":\"b\"},"
	  "\"HostConfig\":{\"NetworkMode\":\"default\",\"X\":18446744073709551616},"
	  "\"NetworkingConfig\":{\"EndpointsConfig\":{}}}",
	  "{\"Image\":\"busybox\",\"New\":1.50,\"Labels\":{\"a\":\"b\"},"
	  "\"HostConfig\":{\"NetworkMode\":\"default\",\"X\":18446744073709551616},"
	  "\"NetworkingConfig\":{\"EndpointsConfig\":{}}}" },
	/* Its own network first; of each what was asked for. */
	{ "{\"Id\":\"" ID "\",\"Config\":{\"Hostname\":\"mine\"},"
	  "\"HostConfig\":{\"NetworkMode\":\"back\"},"
	  "\"NetworkSettings\":{\"Networks\":{"
	  "\"a\":{\"IPAMConfig\":null,\"Aliases\":[\"x\",\"0123456789ab\"],\"MacAddress\":\"m\"},"
	  "\"back\":{\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.9\"},\"Links\":[\"db:d\"]}}}}",
	  0,
	  "{\"Hostname\":\"mine\",\"Labels\":{},\"HostConfig\":{\"NetworkMode\":\"back\"},"
	  "\"NetworkingConfig\":{\"EndpointsConfig\":{"
	  "\"back\":{\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.9\"},\"Links\":[\"db:d\"],"
	  "\"Aliases\":[]},\"a\":{\"Aliases\":[\"x\"]}}}}",
	  "{\"Hostname\":\"mine\",\"Labels\":{},\"HostConfig\":{\"NetworkMode\":\"back\"},"
	  "\"NetworkingConfig\":{\"EndpointsConfig\":{"
	  "\"back\":{\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.9\"},\"Links\":[\"db:d\"],"
	  "\"Aliases\":[]}}}}" },
	/* The network by its id. */
	{ "{\"Id\":\"" ID "\",\"Config\":{},\"HostConfig\":{\"NetworkMode\":\"5af3\"},"
	  "\"NetworkSettings\":{\"Networks\":{\"a\":{\"NetworkID\":\"77\"},"
	  "\"back\":{\"NetworkID\":\"5af377\"}}}}",
	  0,
	  "{\"Labels\":{},\"HostConfig\":{\"NetworkMode\":\"5af3\"},\"NetworkingConfig\":{"
	  "\"EndpointsConfig\":{\"back\":{\"Aliases\":[]},\"a\":{\"Aliases\":[]}}}}",
	  "{\"Labels\":{},\"HostConfig\":{\"NetworkMode\":\"5af3\"},\"NetworkingConfig\":{"
	  "\"EndpointsConfig\":{\"back\":{\"Aliases\":[]}}}}" },
	/* Cores that were asked for by shares, as they are now; a weight. */
	{ "{\"Id\":\"" ID "\",\"Config\":{\"Labels\":{\"com.docker.swarm.cpus\":\"2\"}},"
	  "\"HostConfig\":{\"CpuShares\":256}}",
	  1000000000,
	  "{\"Labels\":{\"com.docker.swarm.cpus\":\"1\"},\"HostConfig\":{\"CpuShares\":256},"
	  "\"NetworkingConfig\":{\"EndpointsConfig\":{}}}",
	  "{\"Labels\":{\"com.docker.swarm.cpus\":\"1\"},\"HostConfig\":{\"CpuShares\":256},"
	  "\"NetworkingConfig\":{\"EndpointsConfig\":{}}}" },
	{ "{\"Id\":\"" ID "\",\"Config\":{},\"HostConfig\":{\"CpuShares\":64}}", 0,
	  "{\"Labels\":{\"com.docker.swarm.cpus\":\"0\"},\"HostConfig\":{\"CpuShares\":64},"
	  "\"NetworkingConfig\":{\"EndpointsConfig\":{}}}",
	  "{\"Labels\":{\"com.docker.swarm.cpus\":\"0\"},\"HostConfig\":{\"CpuShares\":64},"
	  "\"NetworkingConfig\":{\"EndpointsConfig\":{}}}" },
	/* What is no inspect gives a body that an engine refuses. */
	{ "{}", 0, "{\"Labels\":{},\"NetworkingConfig\":{\"EndpointsConfig\":{}}}",
	  "{\"Labels\":{},\"NetworkingConfig\":{\"EndpointsConfig\":{}}}" },
};

static void writes_what_makes_it_again(_unused_ void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(specifications); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
		struct json inspect, specification;

		assert_ok(json_parse(str_from(specifications[i].inspect), &arena, &inspect));
		specification_write(inspect, specifications[i].nano_cpus, &out);
		assert_str(strbuf_str(&out), specifications[i].written);
		assert_ok(json_parse(strbuf_str(&out), &arena, &specification));
		assert_str(specification_body(specification, &arena), specifications[i].body);
	}
}

static void lists_networks(_unused_ void **state)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct specified_networks networks;
	struct json specification;

	assert_ok(json_parse(str_from(specifications[1].written), &arena, &specification));
	networks = specification_networks(specification, &arena);
	assert_int_equal(networks.n, 2);
	assert_str(networks.v[0].name, "back");
	assert_str(networks.v[1].name, "a");
	assert_str(json_raw(networks.v[1].endpoint), "{\"Aliases\":[\"x\"]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_policies),
		cmocka_unit_test(reads_labels),
		cmocka_unit_test(writes_what_makes_it_again),
		cmocka_unit_test(lists_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
