/* SPDX-License-Identifier: Apache-2.0 */
/* docker/config_cpus.c: cores, shares, and what a container holds of its node. */
#include "unit/testing.h"

#include "docker/config.h"

#define CORES(n) (INT64_C(1000000000) * (n))

static void test_shares_as_cores(void **state)
{
	static const struct {
		int64_t shares;
		enum cpushares_mode mode;
		int64_t largest, nano_cpus;
	} cases[] = {
		{ 2, CPUSHARES_AUTO, 4, CORES(2) },
		{ 127, CPUSHARES_AUTO, 4,
		  CORES(127) }, /* cores that nobody has: refused, not a weight */
		{ 128, CPUSHARES_AUTO, 4, 0 },
		{ 128, CPUSHARES_AUTO, 127, 0 },
		{ 128, CPUSHARES_AUTO, 128, CORES(128) },
		{ 512, CPUSHARES_AUTO, 256, 0 },
		{ 1024, CPUSHARES_CORES, 4, CORES(1024) },
		{ 2, CPUSHARES_WEIGHT, 4, 0 },
		{ 0, CPUSHARES_CORES, 4, 0 },
		{ -5, CPUSHARES_CORES, 4, 0 },
		{ INT64_MAX, CPUSHARES_CORES, 4, CORES(1000000) },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(config_shares_as_nano_cpus(cases[i].shares, cases[i].mode,
							    cases[i].largest),
				 cases[i].nano_cpus);
}

static void test_cores_as_shares(void **state)
{
	static const struct {
		int64_t nano_cpus, ncpu, shares;
	} cases[] = {
		{ CORES(2), 4, 512 },
		{ CORES(1), 3, 342 },
		{ CORES(4), 4, 1024 },
		{ CORES(3) / 2, 4, 384 },
		{ 1, 4, 2 },
		{ 0, 4, 2 },
		{ CORES(1), 0, 2 },
		{ CORES(1), -1, 2 },
		{ CORES(2), 1, 2048 },
		{ INT64_MAX, 1, 262144 },
		{ CORES(999999), 1, 262144 },
		{ CORES(1), INT64_MAX, 2 },
		{ CORES(1) + 1, 1, 1025 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(config_nano_cpus_as_shares(cases[i].nano_cpus, cases[i].ncpu),
				 cases[i].shares);
}

static void test_label_text(void **state)
{
	static const struct {
		const char *text;
		int64_t nano_cpus; /* -1: not a number of cores */
		const char *written;
	} cases[] = {
		{ "2", CORES(2), "2" },
		{ "1.5", CORES(3) / 2, "1.5" },
		{ "0.000000001", 1, "0.000000001" },
		{ "10", CORES(10), "10" },
		{ "0", 0, "0" },
		{ "1.50", CORES(3) / 2, "1.5" },
		{ "", -1, NULL },
		{ ".5", -1, NULL },
		{ "2.", -1, NULL },
		{ "-1", -1, NULL },
		{ "1.5.5", -1, NULL },
		{ "two", -1, NULL },
		{ "1.0000000001", -1, NULL },
		{ "1000001", -1, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		int64_t nano_cpus = -1;

		assert_int_equal(config_cores_parse(str_from(cases[i].text), &nano_cpus),
				 cases[i].nano_cpus >= 0);
		assert_int_equal(nano_cpus, cases[i].nano_cpus);
		if (cases[i].written)
			assert_str(config_cores_format(nano_cpus, &arena), cases[i].written);
	}
}

#define LABELS(s) "\"Config\":{\"Labels\":{" s "}}"
#define HOST(s)	  "\"HostConfig\":{" s "}"
#define SWARM_ID  "\"com.docker.swarm.id\":\"1f\""
#define CPUS(n)	  "\"com.docker.swarm.cpus\":\"" n "\""

/* On a node of four CPUs. */
static void test_reservation(void **state)
{
	static const struct {
		const char *inspect;
		int64_t nano_cpus, memory;
	} cases[] = {
		{ "{}", 0, 0 },
		{ "{" HOST("\"Memory\":1048576") "}", 0, 1048576 },
		{ "{" HOST("\"NanoCpus\":1500000000") "}", CORES(3) / 2, 0 },
		/* Plain Docker's weight, and the original's part of the node. */
		{ "{" HOST("\"CpuShares\":512") "}", 0, 0 },
		{ "{" LABELS(SWARM_ID) "," HOST("\"CpuShares\":512") "}", CORES(2), 0 },
		{ "{" LABELS(SWARM_ID) "," HOST("\"CpuShares\":1") "}", 3906250, 0 },
		/* The label, as long as the engine shows the shares that it stands for. */
		{ "{" LABELS(SWARM_ID "," CPUS("2")) "," HOST("\"CpuShares\":512") "}", CORES(2),
		  0 },
		{ "{" LABELS(CPUS("0.3")) "," HOST("\"CpuShares\":77") "}", CORES(3) / 10, 0 },
		/* Updated since. */
		{ "{" LABELS(SWARM_ID "," CPUS("2")) "," HOST("\"CpuShares\":256") "}", CORES(1),
		  0 },
		{ "{" LABELS(SWARM_ID "," CPUS("2")) "," HOST("\"CpuShares\":0") "}", 0, 0 },
		{ "{" LABELS(SWARM_ID "," CPUS("1.5")) "," HOST("\"NanoCpus\":2000000000") "}",
		  CORES(2), 0 },
		/* A weight. */
		{ "{" LABELS(SWARM_ID "," CPUS("0")) "," HOST("\"CpuShares\":512") "}", 0, 0 },
		/* Nonsense. */
		{ "{" LABELS(SWARM_ID "," CPUS("x")) "," HOST("\"CpuShares\":1024") "}", CORES(4),
		  0 },
		{ "{" HOST("\"Memory\":-1,\"NanoCpus\":-1,\"CpuShares\":-7") "}", 0, 0 },
		{ "{\"Config\":null,\"HostConfig\":[]}", 0, 0 },
		/* Some write "no limit" as the kernel does. */
		{ "{" HOST("\"Memory\":9223372036854771712,\"NanoCpus\":9223372036854775807") "}",
		  CORES(65536), INT64_C(1) << 47 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		int64_t nano_cpus = -1, memory = -1;
		struct json inspect;

		assert_ok(json_parse(str_from(cases[i].inspect), &arena, &inspect));
		container_reservation_read(inspect, 4, &nano_cpus, &memory);
		assert_int_equal(nano_cpus, cases[i].nano_cpus);
		assert_int_equal(memory, cases[i].memory);
	}
}

/*
 * What a node of any size is asked for reads back as what was asked, if only by way of the shares.
 */
static void test_round_trip(void **state)
{
	(void)state;
	for (int64_t ncpu = 1; ncpu <= 64; ncpu++) {
		for (int64_t cores = 1; cores <= ncpu; cores++) {
			_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
			int64_t shares = config_nano_cpus_as_shares(CORES(cores), ncpu);
			int64_t nano_cpus, memory;
			struct json inspect;

			assert_ok(json_parse(arena_printf(&arena,
							  "{" LABELS(CPUS("%d")) "," HOST(
								  "\"CpuShares\":%d") "}",
							  (int)cores, (int)shares),
					     &arena, &inspect));
			container_reservation_read(inspect, ncpu, &nano_cpus, &memory);
			assert_int_equal(nano_cpus, CORES(cores));
		}
	}
}

static void test_asked(void **state)
{
	struct container_config c = { .cpu_shares = 2 };

	(void)state;
	assert_int_equal(container_config_nano_cpus(&c, CPUSHARES_AUTO, 4), CORES(2));
	c.nano_cpus = 500000000;
	assert_int_equal(container_config_nano_cpus(&c, CPUSHARES_AUTO, 4), CORES(1) / 2);
	c = (struct container_config){ .cpu_shares = 512 };
	assert_int_equal(container_config_nano_cpus(&c, CPUSHARES_AUTO, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares_as_cores), cmocka_unit_test(test_cores_as_shares),
		cmocka_unit_test(test_label_text),	cmocka_unit_test(test_reservation),
		cmocka_unit_test(test_round_trip),	cmocka_unit_test(test_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
