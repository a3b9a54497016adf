/* SPDX-License-Identifier: Apache-2.0 */
/* docker/config_write.c: what changes in the body of a create, and that nothing else does. */
#include "unit/testing.h"

#include "docker/config.h"

static const struct config_rename containers[] = {
	{ STR_INIT("node-1/db"), STR_INIT("db") },
	{ STR_INIT("5a"), STR_INIT("web\"1") },
};
static const struct config_rename volumes[] = { { STR_INIT("node-1/v"), STR_INIT("v") } };
static const struct config_rename networks[] = { { STR_INIT("node-1/n"), STR_INIT("n") } };

#define AS_IT_IS .cpu_shares = -1
#define RENAMES                                                                                    \
	AS_IT_IS, .containers = containers, .n_containers = 2, .volumes = volumes, .n_volumes = 1, \
		  .networks = networks, .n_networks = 1

static const struct {
	const char *body;
	struct config_changes changes;
	const char *written;
} cases[] = {
	/* Nothing to do: not a byte changes. */
	{ " { \"A\" : 1.0e+2,\t\"b\":[ ] } ", { AS_IT_IS }, " { \"A\" : 1.0e+2,\t\"b\":[ ] } " },
	{ "{\"Env\":[\"A=b\" , null,7],\"Labels\":null}",
	  { AS_IT_IS },
	  "{\"Env\":[\"A=b\" , null,7],\"Labels\":null}" },
	{ "{\"Labels\":{\"com.docker.swarm.constraints\":\"[ \\\"a==b\\\" ]\"}}",
	  { AS_IT_IS },
	  "{\"Labels\":{\"com.docker.swarm.constraints\":\"[ \\\"a==b\\\" ]\"}}" },

	/* Expressions move from Env to labels, joined with those there. */
	{ "{\"Env\":[\"A=\\u00e4\",\"constraint:k==v\"],\"X\":18446744073709551616}",
	  { AS_IT_IS },
	  "{\"Env\":[\"A=\\u00e4\"],\"X\":18446744073709551616,"
	  "\"Labels\":{\"com.docker.swarm.constraints\":\"[\\\"k==v\\\"]\"}}" },
	{ "{\"Env\":[\"affinity:a==b\"],\"Labels\":{}}",
	  { AS_IT_IS },
	  "{\"Env\":[],\"Labels\":{\"com.docker.swarm.affinities\":\"[\\\"a==b\\\"]\"}}" },
	{ "{\"env\":[\"whitelist:node==a|b\",\"reschedule:off\"],\"labels\":null}",
	  { AS_IT_IS },
	  "{\"env\":[],\"labels\":{\"com.docker.swarm.whitelists\":\"[\\\"node==a|b\\\"]\","
	  "\"com.docker.swarm.reschedule-policies\":\"[\\\"off\\\"]\"}}" },
	{ "{\"Env\":[\"spread:by==rack\",\"limit:app==~3\",\"spread=x\"],\"Labels\":{}}",
	  { AS_IT_IS },
	  "{\"Env\":[\"spread=x\"],\"Labels\":{\"com.docker.swarm.spreads\":"
	  "\"[\\\"by==rack\\\"]\",\"com.docker.swarm.limits\":\"[\\\"app==~3\\\"]\"}}" },
	{ "{\"Env\":[\"constraint:a==b\"],\"Labels\":{\"com.docker.swarm.constraints\":"
	  "\"[\\\"c!=d\\\",\\\"a==b\\\"]\",\"x\":\"y\"}}",
	  { AS_IT_IS },
	  "{\"Env\":[],\"Labels\":{\"com.docker.swarm.constraints\":"
	  "\"[\\\"a==b\\\",\\\"c!=d\\\"]\",\"x\":\"y\"}}" },
	{ "{\"Env\":[\"constraint:k==\\\"\\\\\\n\"]}",
	  { AS_IT_IS },
	  "{\"Env\":[],\"Labels\":{\"com.docker.swarm.constraints\":"
	  "\"[\\\"k==\\\\\\\"\\\\\\\\\\\\n\\\"]\"}}" },

	/* The swarm id, kept where there is one. */
	{ "{}",
	  { AS_IT_IS, .swarm_id = STR_INIT("5af3") },
	  "{\"Labels\":{\"com.docker.swarm.id\":\"5af3\"}}" },
	{ "{\"Labels\":{\"com.docker.swarm.id\":\"11\"}}",
	  { AS_IT_IS, .swarm_id = STR_INIT("5af3") },
	  "{\"Labels\":{\"com.docker.swarm.id\":\"11\"}}" },

	/* Cores, and weights. */
	{ "{\"HostConfig\":{\"CpuShares\":2}}",
	  { .label_cpus = 2000000000, .cpu_shares = 512 },
	  "{\"HostConfig\":{\"CpuShares\":512},\"Labels\":{\"com.docker.swarm.cpus\":\"2\"}}" },
	{ "{\"CpuShares\":2,\"HostConfig\":{\"CpuShares\":0}}",
	  { .label_cpus = 2000000000, .cpu_shares = 512 },
	  "{\"CpuShares\":512,\"HostConfig\":{\"CpuShares\":0},"
	  "\"Labels\":{\"com.docker.swarm.cpus\":\"2\"}}" },
	{ "{\"HostConfig\":{\"CpuShares\":512}}",
	  { AS_IT_IS },
	  "{\"HostConfig\":{\"CpuShares\":512},\"Labels\":{\"com.docker.swarm.cpus\":\"0\"}}" },
	{ "{\"HostConfig\":{\"NanoCpus\":1500000000}}",
	  { .label_cpus = 1500000000, AS_IT_IS },
	  "{\"HostConfig\":{\"NanoCpus\":1500000000},"
	  "\"Labels\":{\"com.docker.swarm.cpus\":\"1.5\"}}" },

	/* Of a wrong type: the engine's to refuse. */
	{ "{\"Labels\":[],\"Env\":{}}",
	  { AS_IT_IS, .swarm_id = STR_INIT("5af3") },
	  "{\"Labels\":[],\"Env\":{}}" },

	/* Names as the engine knows them. */
	{ "{\"HostConfig\":{\"VolumesFrom\":[\"node-1/db:ro\",\"db\"],\"Links\":[\"5a:w\","
	  "\"/5a:/x/y\"],\"NetworkMode\":\"container:node-1/db\",\"PidMode\":\"container:other\"}}",
	  { RENAMES },
	  "{\"HostConfig\":{\"VolumesFrom\":[\"db:ro\",\"db\"],\"Links\":[\"web\\\"1:w\","
	  "\"/web\\\"1:/x/"
	  "y\"],\"NetworkMode\":\"container:db\",\"PidMode\":\"container:other\"}}" },
	{ "{\"HostConfig\":{\"Binds\":[\"node-1/v:/a:ro\",\"/node-1/v:/b\"],\"Mounts\":["
	  "{\"Type\":\"volume\",\"Source\":\"node-1/v\"},{\"Type\":\"bind\",\"Source\":\"node-1/"
	  "v\"}]}}",
	  { RENAMES },
	  "{\"HostConfig\":{\"Binds\":[\"v:/a:ro\",\"/node-1/v:/b\"],\"Mounts\":["
	  "{\"Type\":\"volume\",\"Source\":\"v\"},{\"Type\":\"bind\",\"Source\":\"node-1/v\"}]}}" },
	{ "{\"HostConfig\":{\"NetworkMode\":\"node-1/"
	  "n\"},\"NetworkingConfig\":{\"EndpointsConfig\":"
	  "{\"m\":{ },\"node-1/n\":{\"a\":1.50}}}}",
	  { RENAMES },
	  "{\"HostConfig\":{\"NetworkMode\":\"n\"},\"NetworkingConfig\":{\"EndpointsConfig\":"
	  "{\"m\":{ },\"n\":{\"a\":1.50}}}}" },
};

static void test_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;
		struct container_config c;

		assert_ok(container_config_read(str_from(cases[i].body), &arena, &c));
		container_config_write(&c, &cases[i].changes, &arena, &out);
		assert_buf(out, cases[i].written);
	}
}

/* What was written reads back with the same expressions, and writing it again changes nothing. */
static void test_stable(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(strbuf_fini) struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
		struct container_config before, after;

		assert_ok(container_config_read(str_from(cases[i].body), &arena, &before));
		container_config_write(&before, &cases[i].changes, &arena, &first);
		assert_ok(container_config_read(strbuf_str(&first), &arena, &after));
		assert_int_equal(after.constraints.n, before.constraints.n);
		assert_int_equal(after.affinities.n, before.affinities.n);
		container_config_write(&after, &cases[i].changes, &arena, &second);
		assert_buf(second, first.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
