/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/list_filter.c: what an engine would list, out of a container's state and entry. */
#include "unit/testing.h"

#include "cluster/internal.h"
#include "cluster/list_filter.h"
#include "engine/container.h"

/* An engine is only a name here. */
struct engine {
	struct str name;
};

struct str engine_name(const struct engine *e)
{
	return e->name;
}

const struct map *engine_images(const struct engine *e)
{
	(void)e;
	return NULL;
}

static struct engine node_1 = { STR_INIT("node-1") };

static bool is_listed(const char *filters, const struct container *ct)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	static struct cluster cluster;
	struct list_filter lf;
	struct filters f;

	assert_ok(filters_parse(str_from(filters), &arena, &f));
	assert_ok(list_filter_init(&lf, &cluster, &f));
	return list_filter_match(&lf, ct);
}

static void counts_as_exited(void **state)
{
	static const struct {
		enum container_status status;
		int64_t started_at;
		int32_t exit_code;
		bool expected;
	} cases[] = {
		{ CONTAINER_EXITED, 7, 1, true },
		{ CONTAINER_DEAD, 7, 1, true },
		{ CONTAINER_REMOVING, 7, 1, true },
		{ CONTAINER_EXITED, 7, 2, false },
		{ CONTAINER_CREATED, 0, 1, false },
		{ CONTAINER_RUNNING, 7, 1, false },
		{ CONTAINER_PAUSED, 7, 1, false },
		/* It counts as running, to an engine too. */
		{ CONTAINER_RESTARTING, 7, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container ct = { .engine = &node_1,
					.state = { .status = cases[i].status,
						   .started_at = cases[i].started_at,
						   .exit_code = cases[i].exit_code } };

		assert_int_equal(is_listed("{\"exited\":[\"0\",\"1\"]}", &ct), cases[i].expected);
	}
}

#define VOLUME                                                                 \
	"{\"Type\":\"volume\",\"Name\":\"data\",\"Source\":\"/var/lib/docker/" \
	"volumes/data/_data\",\"Destination\":\"/srv\"}"
#define BIND	 "{\"Type\":\"bind\",\"Source\":\"/etc/conf\",\"Destination\":\"/conf\"}"
#define TMPFS	 "{\"Type\":\"tmpfs\",\"Source\":\"\",\"Destination\":\"/tmp\"}"
#define NETWORKS "{\"NetworkSettings\":{\"Networks\":{\"app\":{\"NetworkID\":\"ab12cd\"}}}}"
#define PORTS	 "{\"Ports\":[{\"PrivatePort\":80,\"PublicPort\":8080,\"Type\":\"tcp\"}]}"

static void looks_into_the_entry(void **state)
{
	static const struct {
		const char *filters, *entry;
		bool expected;
	} cases[] = {
		{ "{\"volume\":[\"data\"]}", "{\"Mounts\":[" BIND "," VOLUME "]}", true },
		{ "{\"volume\":[\"/srv\"]}", "{\"Mounts\":[" VOLUME "]}", true },
		{ "{\"volume\":[\"x\",\"data\"]}", "{\"Mounts\":[" VOLUME "]}", true },
		{ "{\"volume\":[\"dat\"]}", "{\"Mounts\":[" VOLUME "]}", false },
		{ "{\"volume\":[\"/conf\"]}", "{\"Mounts\":[" BIND "]}", true },
		/* What has a name is not found by where it lies, what has none is. */
		{ "{\"volume\":[\"/etc/conf\"]}", "{\"Mounts\":[" VOLUME "," BIND "]}", true },
		{ "{\"volume\":[\"/var/lib/docker/volumes/data/_data\"]}",
		  "{\"Mounts\":[" VOLUME "]}", false },
		{ "{\"volume\":[\"\"]}", "{\"Mounts\":[" VOLUME "," BIND "]}", false },
		{ "{\"volume\":[\"\"]}", "{\"Mounts\":[" TMPFS "]}", true },
		{ "{\"volume\":[]}", "{\"Mounts\":[" VOLUME "]}", false },
		{ "{\"volume\":[\"data\"]}", "{}", false },

		{ "{\"volume\":[\"node-1/data\"]}", "{\"Mounts\":[" VOLUME "]}", true },
		{ "{\"volume\":[\"node-2/data\"]}", "{\"Mounts\":[" VOLUME "]}", false },
		{ "{\"volume\":[\"node-1/dat\"]}", "{\"Mounts\":[" VOLUME "]}", false },
		{ "{\"volume\":[\"node-1/\"]}", "{\"Mounts\":[" TMPFS "]}", false },
		{ "{\"volume\":[\"node-1//etc/conf\"]}", "{\"Mounts\":[" BIND "]}", false },

		{ "{\"network\":[\"app\"]}", NETWORKS, true },
		{ "{\"network\":[\"ab12\"]}", NETWORKS, true },
		{ "{\"network\":[\"ap\"]}", NETWORKS, false },
		{ "{\"network\":[\"\"]}", NETWORKS, false },
		{ "{\"network\":[\"node-1/app\"]}", NETWORKS, true },
		{ "{\"network\":[\"node-2/app\",\"x\"]}", NETWORKS, false },
		{ "{\"network\":[\"node-1/\"]}", NETWORKS, false },

		{ "{\"publish\":[\"8080\"]}", PORTS, true },
		{ "{\"publish\":[\"80\"]}", PORTS, false },
		{ "{\"expose\":[\"80-81/tcp\"]}", PORTS, true },
		{ "{\"expose\":[\"8080\"]}", PORTS, false },
		{ "{\"expose\":[\"80/udp\"]}", PORTS, false },
		/* One of both is enough, to an engine too. */
		{ "{\"publish\":[\"9090\"],\"expose\":[\"80\"]}", PORTS, true },
		{ "{\"publish\":[\"8080\"],\"expose\":[\"81\"]}", PORTS, true },
		{ "{\"publish\":[\"9090\"],\"expose\":[\"81\"]}", PORTS, false },
		{ "{\"publish\":[],\"expose\":[\"81\"]}", PORTS, false },
		{ "{\"publish\":[],\"expose\":[]}", PORTS, true },

		{ "{\"is-task\":[\"true\"]}", "{\"Labels\":{\"com.docker.swarm.task.id\":\"abc\"}}",
		  true },
		{ "{\"is-task\":[\"1\"]}", "{\"Labels\":{\"com.docker.swarm.task.id\":\"abc\"}}",
		  true },
		{ "{\"is-task\":[\"false\"]}",
		  "{\"Labels\":{\"com.docker.swarm.task.id\":\"abc\"}}", false },
		{ "{\"is-task\":[\"true\"]}", "{\"Labels\":{\"com.docker.swarm.id\":\"abc\"}}",
		  false },
		{ "{\"is-task\":[\"0\"]}", "{\"Labels\":{}}", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container ct = { .engine = &node_1, .entry = str_from(cases[i].entry) };

		if (is_listed(cases[i].filters, &ct) != cases[i].expected)
			fail_msg("%s of %s", cases[i].filters, cases[i].entry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_as_exited),
		cmocka_unit_test(looks_into_the_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
