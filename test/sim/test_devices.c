/* SPDX-License-Identifier: Apache-2.0 */
/* --gpus and --platform: where such containers go, what they hold, and when it is given back. */
#include "sim/sim.h"

#include "sim/engine.h"

#define GPUS(n) "[{\"DiscreteResourceSpec\":{\"Kind\":\"gpu\",\"Value\":" #n "}}]"
#define ASK(n)                                                                      \
	"{\"Image\":\"busybox\",\"HostConfig\":{\"DeviceRequests\":[{\"Count\":" #n \
	",\"Capabilities\":[[\"gpu\"]]}]}}"

static may_suspend void three_nodes(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2", DEVICES(GPUS(2)));
	sim_engine(s, "n3", DEVICES(GPUS(1)));
	sim_up(s);
}

static void assert_shown(struct sim *s, const char *line)
{
	struct sim_reply r = sim_get(s, "/info");

	if (!str_contains(r.body, str_from(line)))
		fail_msg("/info does not show %s:\n%.*s", line, STR_ARG(r.body));
}

static may_suspend void gpus_are_reserved(struct sim *s)
{
	three_nodes(s);
	sim_create(s, "all", ASK(2));
	assert_string_equal(sim_node_of(s, "all"), "n2");
	sim_create(s, "one", ASK(1));
	assert_string_equal(sim_node_of(s, "one"), "n3");
	assert_refused(sim_post(s, "/containers/create", ASK(1)), 500,
		       "no resources available to schedule container\n"
		       "no node fits: 3 nodes: no gpu on n1; 1 gpu not free on n2, n3 "
		       "(0 of 2 free, 0 of 1 free)");
	assert_shown(s, "Reserved gpu\",\"2 / 2\"");

	/* What is stopped holds them too; what is removed does not. */
	assert_int_equal(sim_delete(s, "/containers/all").status, 204);
	assert_shown(s, "Reserved gpu\",\"0 / 2\"");
	sim_create(s, "again", ASK(-1));
	assert_string_equal(sim_node_of(s, "again"), "n2");
	sim_settle(s);
}

/* What an engine has changes with its restart: what containers hold is added up anew. */
static may_suspend void devices_change(struct sim *s)
{
	struct sim_engine *n2;

	three_nodes(s);
	n2 = sim_find_engine(s, "n2");
	sim_create(s, "a", ASK(2));
	sim_stop(n2);
	n2->devices = "[{\"NamedResourceSpec\":{\"Kind\":\"FPGA\",\"Value\":\"f\"}},"
		      "{\"NamedResourceSpec\":{\"Kind\":\"NVIDIA-GPU\",\"Value\":\"u1\"}},"
		      "{\"NamedResourceSpec\":{\"Kind\":\"NVIDIA-GPU\",\"Value\":\"u2\"}},"
		      "{\"NamedResourceSpec\":{\"Kind\":\"NVIDIA-GPU\",\"Value\":\"u3\"}}]";
	sim_run(s, MINUTE);
	sim_start(n2);
	sim_settle(s);
	assert_shown(s, "Reserved NVIDIA-GPU\",\"2 / 3\"");
	assert_shown(s, "Reserved FPGA\",\"0 / 1\"");
}

/* Compose makes the new one beside the old one: it gets its GPU, and its place under a limit. */
static may_suspend void a_successor_takes_over(struct sim *s)
{
	static const char config[] =
		"{\"Image\":\"busybox\",\"Labels\":{\"app\":\"x\"%s},\"Env\":[\"limit:app==1\"],"
		"\"HostConfig\":{\"DeviceRequests\":[{\"Count\":-1,\"Capabilities\":[[\"gpu\"]]}]}"
		"}";
	const char *body = sim_text(s, config, "");

	sim_engine(s, "n1");
	sim_engine(s, "n2", DEVICES(GPUS(2)));
	sim_up(s);
	sim_create(s, "web", body);
	assert_refused(sim_post(s, "/containers/create", body), 500, "no resources available");
	sim_create(s, "next", sim_text(s, config, ",\"com.docker.compose.replace\":\"web\""));
	assert_string_equal(sim_node_of(s, "next"), "n2");
	assert_int_equal(sim_delete(s, "/containers/web").status, 204);
	assert_shown(s, "Reserved gpu\",\"2 / 2\"");
	sim_settle(s);
}

struct job {
	struct sim *s;
	const char *path, *body;
	struct sim_reply reply;
	bool over;
};

static may_suspend void run_job(void *arg)
{
	struct job *job = arg;

	job->reply = sim_post(job->s, job->path, job->body);
	job->over = true;
}

/* Many at once, while connections break: never more than there are, and all is given back. */
static may_suspend void many_at_once(struct sim *s)
{
	enum { JOBS = 60 };
	struct job *jobs = arena_new_array(sim_arena(s), struct job, JOBS);
	size_t over = 0;

	three_nodes(s);
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct job){ s,
					sim_text(s, "/containers/create?name=c%d", i),
					i % 3 ? ASK(1) : ASK(2),
					{ 0 },
					false };
		sim_go(s, "client", run_job, &jobs[i]);
	}
	for (int steps = 0; over < JOBS; steps++) {
		if (steps == 100000)
			fail_msg("%zu of %d are answered", over, JOBS);
		if (steps % 4 == 0)
			sim_fault(s, NULL, steps % 8 ? FAULT_RESET : FAULT_CUT, NULL, 5);
		sim_check_busy(s);
		sim_run(s, 2 * MILLISECOND);
		over = 0;
		for (int i = 0; i < JOBS; i++)
			over += jobs[i].over;
	}
	sim_fault_clear(s);
	sim_join(s);
	sim_settle(s);
}

static may_suspend void platforms_decide(struct sim *s)
{
	sim_engine(s, "n1", ARCHITECTURE("x86_64"));
	sim_engine(s, "n2", ARCHITECTURE("aarch64"));
	sim_engine(s, "n3", ARCHITECTURE("x86_64"), LABEL("platforms", "linux/s390x"));
	sim_up(s);
	for (int i = 0; i < 3; i++) {
		struct sim_reply r = sim_post(
			s, sim_text(s, "/containers/create?name=c%d&platform=linux%%2Farm64", i),
			"{\"Image\":\"busybox\"}");

		assert_int_equal(r.status, 201);
		assert_string_equal(sim_node_of(s, sim_text(s, "c%d", i)), "n2");
	}
	assert_int_equal(sim_post(s, "/containers/create?name=z&platform=linux/s390x",
				  "{\"Image\":\"busybox\"}")
				 .status,
			 201);
	assert_string_equal(sim_node_of(s, "z"), "n3");
	assert_refused(
		sim_post(s, "/containers/create?platform=linux/ppc64le", "{\"Image\":\"busybox\"}"),
		500,
		"no node fits: 3 nodes: platform linux/ppc64le not on n1, n2, n3 "
		"(linux/amd64, linux/arm64)");
	assert_true(str_contains(
		sim_post(s, "/placement?platform=linux/arm64", "{\"Image\":\"busybox\"}").body,
		STR("{\"Node\":{\"Name\":\"n2\"")));
	/* What is no platform is the engine's to refuse. */
	sim_post(s, "/containers/create?name=odd&platform=plan9", "{\"Image\":\"busybox\"}");
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(gpus_are_reserved), STORY(devices_change),   STORY(a_successor_takes_over),
		STORY(many_at_once),	  STORY(platforms_decide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
