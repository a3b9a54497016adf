/* SPDX-License-Identifier: Apache-2.0 */
/* docker/config_read.c: what placement learns from the body of a create. */
#include "unit/testing.h"

#include "base/limits.h"
#include "docker/config.h"

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena = (struct arena)ARENA_INIT;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

static struct container_config read_config(const char *body)
{
	struct container_config c;

	assert_ok(container_config_read(str_from(body), &arena, &c));
	return c;
}

/* The strings with commas between them. */
static void assert_strings(struct str_array a, const char *expected)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;

	for (size_t i = 0; i < a.n; i++) {
		if (i)
			strbuf_addc(&b, ',');
		strbuf_add(&b, a.v[i]);
	}
	assert_buf(b, expected);
}

static void test_basics(void **state)
{
	struct container_config c = read_config("{}");

	(void)state;
	assert_str(c.image, "");
	assert_str(c.swarm_id, "");
	assert_int_equal(c.n_ports, 0);
	assert_int_equal(c.label_nano_cpus, -1);
	assert_false(c.host_network);

	c = read_config("{\"Image\":\"busybox\",\"Labels\":{\"com.docker.swarm.id\":\"ab\","
			"\"com.docker.swarm.cpus\":\"1.5\"},\"HostConfig\":{\"Memory\":1048576,"
			"\"NanoCpus\":1500000000,\"CpuShares\":3,\"NetworkMode\":\"host\"}}");
	assert_str(c.image, "busybox");
	assert_str(c.swarm_id, "ab");
	assert_int_equal(c.memory, 1048576);
	assert_int_equal(c.nano_cpus, 1500000000);
	assert_int_equal(c.cpu_shares, 3);
	assert_int_equal(c.label_nano_cpus, 1500000000);
	assert_str(c.network_mode, "host");
	assert_true(c.host_network);
}

/* An engine is written in Go, which finds a field whatever its case; a label's key is exact. */
static void test_case(void **state)
{
	struct container_config c =
		read_config("{\"image\":\"a\",\"IMAGE\":\"b\",\"hostconfig\":{\"cpushares\":2},"
			    "\"LABELS\":{\"Com.docker.swarm.id\":\"ab\"}}");

	(void)state;
	assert_str(c.image, "b");
	assert_int_equal(c.cpu_shares, 2);
	assert_str(c.swarm_id, "");
}

/* Before API 1.18 resources stood at the root, and engines still read them there. */
static void test_old_resources(void **state)
{
	struct container_config c = read_config("{\"Memory\":5,\"CpuShares\":6}");

	(void)state;
	assert_int_equal(c.memory, 5);
	assert_int_equal(c.cpu_shares, 6);
	c = read_config(
		"{\"Memory\":5,\"CpuShares\":6,\"HostConfig\":{\"Memory\":7,\"CpuShares\":0}}");
	assert_int_equal(c.memory, 7);
	assert_int_equal(c.cpu_shares, 6);
}

static void test_wrong_types(void **state)
{
	struct container_config c = read_config(
		"{\"Image\":7,\"Env\":\"constraint:a==b\",\"Labels\":[1],\"HostConfig\":{"
		"\"Memory\":\"1\","
		"\"CpuShares\":1.5,\"PortBindings\":[[{\"HostPort\":\"80\"}]],\"Binds\":{\"a:/"
		"b\":1},"
		"\"VolumesFrom\":\"x\",\"Links\":[7,null],\"Mounts\":[7,{\"Type\":\"volume\"}]},"
		"\"ExposedPorts\":[\"80/"
		"tcp\"],\"NetworkingConfig\":{\"EndpointsConfig\":[\"n\"]}}");

	(void)state;
	assert_str(c.image, "");
	assert_int_equal(c.memory, 0);
	assert_int_equal(c.cpu_shares, 0);
	assert_int_equal(c.constraints.n, 0);
	assert_int_equal(c.n_ports, 0);
	assert_int_equal(c.exposed_ports.n, 0);
	assert_int_equal(c.volumes.n, 0);
	assert_int_equal(c.dependencies.n, 0);
	assert_int_equal(c.networks.n, 0);
}

static void test_expressions(void **state)
{
	struct container_config c = read_config(
		"{\"Env\":[\"A=b\",\"constraint:storage==ssd\",\"constraint:\",\"constraint=x\","
		"\"affinity:container==~web\",\"whitelist:node==a|b\",\"reschedule:on-node-"
		"failure\","
		"\"constraint:storage==ssd\",\"spread:by==~rack\",7],"
		"\"Labels\":{\"com.docker.swarm.constraints\":\"[\\\"a==b\\\",\\\"storage==ssd\\\"]"
		"\","
		"\"com.docker.swarm.limits\":\"[\\\"app==3\\\"]\","
		"\"com.docker.swarm.affinities\":\"[]\",\"com.docker.swarm.whitelists\":\"null\"}"
		"}");

	(void)state;
	assert_strings(c.constraints, "storage==ssd,,a==b");
	assert_strings(c.affinities, "container==~web");
	assert_strings(c.whitelists, "node==a|b");
	assert_strings(c.reschedule, "on-node-failure");
	assert_strings(c.spreads, "by==~rack");
	assert_strings(c.limits, "app==3");
}

static void test_bad_bodies(void **state)
{
	static const char *const labels[] = { "",    "storage==ssd", "{}",
					      "[1]", "[\\\"a\\\"",   "\\\"a\\\"" };
	struct container_config c;

	(void)state;
	assert_err(container_config_read(STR("[]"), &arena, &c), ERR_INVALID, "no JSON object");
	assert_err(container_config_read(STR("null"), &arena, &c), ERR_INVALID, "no JSON object");
	assert_err(container_config_read(STR(""), &arena, &c), ERR_INVALID, "");
	assert_err(container_config_read(STR("{\"a\":}"), &arena, &c), ERR_INVALID, "");
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		assert_err(container_config_read(
				   arena_printf(
					   &arena,
					   "{\"Labels\":{\"com.docker.swarm.affinities\":\"%s\"}}",
					   labels[i]),
				   &arena, &c),
			   ERR_INVALID,
			   "label com.docker.swarm.affinities takes a JSON array of strings");
}

/* n items that differ, as a JSON array. */
static struct str many(const char *format, int n)
{
	_cleanup_(strbuf_fini) struct strbuf b = STRBUF_INIT;

	for (int i = 0; i < n; i++) {
		strbuf_addc(&b, i ? ',' : '[');
		strbuf_addc(&b, '"');
		strbuf_add(&b, str_from(format));
		strbuf_addf(&b, "%d\"", i);
	}
	strbuf_addc(&b, ']');
	return arena_dup(&arena, strbuf_str(&b));
}

static void test_limits(void **state)
{
	struct container_config c;
	struct str list = many("constraint:a==", LIMIT_LABEL_EXPRS);

	(void)state;
	assert_ok(container_config_read(arena_printf(&arena, "{\"Env\":%.*s}", STR_ARG(list)),
					&arena, &c));
	list = many("constraint:a==", LIMIT_LABEL_EXPRS + 1);
	assert_err(container_config_read(arena_printf(&arena, "{\"Env\":%.*s}", STR_ARG(list)),
					 &arena, &c),
		   ERR_INVALID, "more than 256 expressions constraint:");
	list = many("v", LIMIT_CONFIG_ITEMS + 1);
	assert_err(container_config_read(
			   arena_printf(&arena, "{\"HostConfig\":{\"Binds\":%.*s}}", STR_ARG(list)),
			   &arena, &c),
		   ERR_INVALID, "more than 4096 items in Binds");
}

static void assert_port(const struct host_port *port, const char *ip, int number,
			const char *protocol)
{
	assert_str(port->ip, ip);
	assert_int_equal(port->port, number);
	assert_str(port->protocol, protocol);
}

static void test_ports(void **state)
{
	struct container_config c = read_config(
		"{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},\"HostConfig\":{\"PortBindings\":{"
		"\"80/"
		"tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"},{\"HostPort\":\"\"},{}],"
		"\"53/udp\":[{\"HostPort\":\"53\"}],\"90\":[{\"HostPort\":\"90\"}],"
		"\"1/tcp\":[{\"HostPort\":\"0\"}],\"2/tcp\":[{\"HostPort\":\"8000-8010\"}],"
		"\"3/tcp\":[{\"HostPort\":\"65536\"}],\"4/tcp\":null,\"x/"
		"tcp\":[{\"HostPort\":\"1\"}],"
		"\"5/sctp\":[{\"HostPort\":\"65535\"}]}}}");

	(void)state;
	assert_strings(c.exposed_ports, "80/tcp,53/udp");
	assert_int_equal(c.n_ports, 4);
	assert_port(&c.ports[0], "127.0.0.1", 8080, "tcp");
	assert_port(&c.ports[1], "", 53, "udp");
	assert_port(&c.ports[2], "", 90, "tcp");
	assert_port(&c.ports[3], "", 65535, "sctp");
}

/* With --net=host a container takes what it exposes, and the engine leaves PortBindings alone. */
static void test_host_ports(void **state)
{
	struct container_config c =
		read_config("{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}},\"HostConfig\":{"
			    "\"NetworkMode\":\"host\",\"PortBindings\":{\"80/"
			    "tcp\":[{\"HostPort\":\"8080\"}]}}}");

	(void)state;
	assert_int_equal(c.n_ports, 0);
	assert_strings(c.exposed_ports, "80/tcp,53/udp");
}

static void test_names(void **state)
{
	struct container_config c = read_config(
		"{\"HostConfig\":{\"VolumesFrom\":[\"data\",\"data:ro\",\"node-1/logs:rw\",\"\"],"
		"\"Links\":[\"db:database\",\"/db:/web/database\",\"cache\"],"
		"\"NetworkMode\":\"container:net\",\"PidMode\":\"container:pid\",\"IpcMode\":"
		"\"host\","
		"\"Binds\":[\"vol:/data\",\"/host:/data\",\"./rel:/data\",\"node-1/v2:/x:ro\",\"/"
		"anon\","
		"\"vol:/again\",\"~/x:/y\",\"C:\\\\data:C:\\\\data\"],"
		"\"Mounts\":[{\"Type\":\"volume\",\"Source\":\"m1\",\"Target\":\"/m\"},"
		"{\"Type\":\"bind\",\"Source\":\"/b\"},{\"Type\":\"volume\",\"Source\":\"\"},"
		"{\"type\":\"volume\",\"source\":\"vol\"}]}}");

	(void)state;
	assert_strings(c.dependencies, "data,node-1/logs,db,cache,net,pid");
	assert_strings(c.volumes, "vol,node-1/v2,m1");
	assert_strings(c.networks, "");
}

static void test_networks(void **state)
{
	static const struct {
		const char *body, *networks;
	} cases[] = {
		{ "{\"HostConfig\":{\"NetworkMode\":\"default\"}}", "" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"bridge\"}}", "" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"none\"}}", "" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"host\"}}", "" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"\"}}", "" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"container:x\"}}", "" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"front\"}}", "front" },
		{ "{\"HostConfig\":{\"NetworkMode\":\"front\"},\"NetworkingConfig\":{"
		  "\"EndpointsConfig\":{\"back\":{},\"front\":null,\"bridge\":{}}}}",
		  "front,back" },
		{ "{\"NetworkingConfig\":{\"EndpointsConfig\":{\"node-1/n\":{}}}}", "node-1/n" },
		{ "{\"NetworkingConfig\":null}", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_strings(read_config(cases[i].body).networks, cases[i].networks);
}

#define test(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_basics),	test(test_case),	test(test_old_resources),
		test(test_wrong_types), test(test_expressions), test(test_bad_bodies),
		test(test_limits),	test(test_ports),	test(test_host_ports),
		test(test_names),	test(test_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
