/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many creates at once, tries that fail, and turns: what is promised of a placement while all of it
 * is under way. Where one container goes is test_create.c.
 */
#include "sim/pool.h"

enum { CREATES = 2000 };

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

static struct job *start_jobs(struct sim *s, size_t n, const char *prefix, const char *body)
{
	struct job *jobs = arena_new_array(sim_arena(s), struct job, n);

	for (size_t i = 0; i < n; i++) {
		jobs[i] = (struct job){
			.s = s,
			.path = sim_text(s, "/containers/create?name=%s%zu", prefix, i),
			.body = body,
		};
		sim_go(s, "client", run_job, &jobs[i]);
	}
	return jobs;
}

static size_t count_status(const struct job *jobs, size_t n, int status)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += jobs[i].over && jobs[i].reply.status == status;
	return found;
}

static size_t count_over(const struct job *jobs, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += jobs[i].over;
	return found;
}

/* Ten nodes: slots on some, memory for 30 containers of 64 MiB on each. */
static may_suspend void ten_nodes(struct sim *s)
{
	sim_config(s)->scheduler.overcommit = 0;
	for (int i = 0; i < 10; i++)
		sim_engine(s, sim_text(s, "n%d", i), MEMORY(30 * 64 * MIB),
			   LABEL("containerslots", i % 2 ? "20" : "none"), LABEL("rack", "r"));
	sim_up(s);
}

/*
 * Every kind of request in turn: a port of its own few, memory, a name that another asks for too.
 */
static struct job *start_mixed(struct sim *s)
{
	struct job *jobs = arena_new_array(sim_arena(s), struct job, CREATES);

	for (size_t i = 0; i < CREATES; i++) {
		jobs[i] = (struct job){
			.s = s,
			.path = sim_text(s, "/containers/create?name=c%zu", i / 2 * 2 % 1500),
			.body = sim_text(s,
					 "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":%zu,"
					 "\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"%zu\"}]}}}",
					 (i % 3) * 64 * MIB, 8000 + i % 40),
		};
		sim_go(s, "client", run_job, &jobs[i]);
	}
	return jobs;
}

/* Until all are answered, everything holds after each step. */
static may_suspend void check_until_over(struct sim *s, const struct job *jobs)
{
	for (int i = 0; count_over(jobs, CREATES) < CREATES; i++) {
		if (i == 100000)
			fail_msg("%zu of %d are answered", count_over(jobs, CREATES), CREATES);
		sim_check_busy(s);
		sim_run(s, 2 * MILLISECOND);
	}
	sim_check_busy(s);
}

static may_suspend void two_thousand_of_all_kinds(struct sim *s)
{
	struct job *jobs;
	size_t there = 0;

	ten_nodes(s);
	jobs = start_mixed(s);
	check_until_over(s, jobs);
	sim_join(s);
	for (int i = 0; i < 10; i++)
		there += sim_count_containers(sim_find_engine(s, sim_text(s, "n%d", i)));
	assert_true(there > 100);
	assert_int_equal(count_status(jobs, CREATES, 201), there);
	sim_settle(s);
}

/* The same while connections break: what was not created is given back, whoever broke it. */
static may_suspend void two_thousand_with_faults(struct sim *s)
{
	static const enum fault_kind kinds[] = { FAULT_REFUSE, FAULT_RESET, FAULT_GARBAGE,
						 FAULT_CUT };
	struct job *jobs;

	ten_nodes(s);
	jobs = start_mixed(s);
	for (int i = 0; count_over(jobs, CREATES) < CREATES; i++) {
		if (i == 100000)
			fail_msg("%zu of %d are answered", count_over(jobs, CREATES), CREATES);
		if (i % 3 == 0)
			sim_fault(s, NULL, kinds[i / 3 % ARRAY_LEN(kinds)], NULL, 5);
		sim_check_busy(s);
		sim_run(s, 2 * MILLISECOND);
	}
	sim_fault_clear(s);
	sim_join(s);
	sim_settle(s);
}

static may_suspend void two_thousand_clients_that_leave(struct sim *s)
{
	struct job *jobs;

	ten_nodes(s);
	jobs = start_mixed(s);
	for (int i = 0; i < 5; i++) {
		sim_check_busy(s);
		sim_run(s, MILLISECOND);
	}
	assert_true(count_over(jobs, CREATES) < CREATES);
	assert_false(sim_join_within(s, MILLISECOND));
	sim_check_busy(s);
	sim_settle(s);
}

/* One node is asked for sixteen at once; meanwhile another's create is not held up. */
static may_suspend void creates_take_turns(struct sim *s)
{
	const char *here = "{\"Image\":\"busybox\",\"Env\":[\"constraint:node==n1\"]}";
	struct job *jobs, *other;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	jobs = start_jobs(s, 200, "c", here);
	other = start_jobs(s, 1, "other",
			   "{\"Image\":\"busybox\",\"Env\":[\"constraint:node==n2\"]}");
	sim_wait(s, other->over);
	assert_int_equal(other->reply.status, 201);
	assert_true(count_over(jobs, 200) < 100);
	sim_join(s);
	assert_int_equal(count_status(jobs, 200, 201), 200);
	assert_int_equal(sim_most_creates_at_once(sim_find_engine(s, "n1")), 16);
	sim_settle(s);
}

/* Those who wait for their turn hear of it when the node leaves. */
static may_suspend void turns_end_with_the_node(struct sim *s)
{
	struct job *jobs;

	sim_config(s)->create_limit = 1;
	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	jobs = start_jobs(s, 20, "c", "{\"Image\":\"busybox\",\"Env\":[\"constraint:node==n1\"]}");
	sim_run(s, 20 * MILLISECOND);
	sim_unlist(sim_find_engine(s, "n1"));
	sim_discover(s);
	sim_wait(s, count_over(jobs, 20) == 20);
	assert_int_equal(sim_most_creates_at_once(sim_find_engine(s, "n1")), 1);
	assert_true(count_status(jobs, 20, 201) < 20);
	sim_join(s);
	sim_settle(s);
}

/* Nor do those go elsewhere whose name asks for the node that has left. */
static may_suspend void a_named_node_leaves_before_another_try(struct sim *s)
{
	struct job *jobs;

	sim_config(s)->create_limit = 1;
	sim_config(s)->create_retry = 3;
	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	jobs = start_jobs(s, 20, "n1/c", "{\"Image\":\"busybox\"}");
	sim_run(s, 20 * MILLISECOND);
	sim_unlist(sim_find_engine(s, "n1"));
	sim_discover(s);
	sim_join(s);
	assert_true(count_status(jobs, 20, 201) < 19);
	assert_refused(jobs[19].reply, 503, "the node left while the container was created");
	assert_refused(jobs[19].reply, 503, "the container's name asks for another node");
	assert_int_equal(sim_count_containers(sim_find_engine(s, "n2")), 0);
	sim_settle(s);
}

static may_suspend void tries_go_elsewhere(struct sim *s)
{
	struct sim_reply r;

	sim_config(s)->create_retry = 2;
	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_engine(s, "n3");
	sim_up(s);
	sim_refuse_creates(sim_find_engine(s, "n1"), "no space left on device");
	sim_refuse_creates(sim_find_engine(s, "n2"), "devmapper: pool is full");
	for (int i = 0; i < 4; i++)
		sim_create(s, sim_text(s, "c%d", i), NULL);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "n3")), 4);
	assert_true(sim_logged(s, "no space left on device"));

	sim_refuse_creates(sim_find_engine(s, "n3"), "no such runtime");
	r = sim_post(s, "/containers/create", "{\"Image\":\"busybox\"}");
	assert_refused(r, 500, "n1: no space left on device");
	assert_refused(r, 500, "n2: devmapper: pool is full");
	assert_refused(r, 500, "n3: no such runtime");
	sim_settle(s);
}

/* Without further tries the answer is the engine's own. */
static may_suspend void one_try_answers_in_its_words(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1");
	sim_up(s);
	sim_refuse_creates(sim_find_engine(s, "n1"), "no space left on device");
	r = sim_post(s, "/containers/create", "{\"Image\":\"busybox\"}");
	assert_refused(r, 500, "no space left on device");
	assert_string_equal(sim_message(&r), "no space left on device");
	/* The log says where. */
	assert_true(sim_logged(s, "creating a container failed"));
	assert_true(sim_logged(s, "node=n1"));
}

static may_suspend void another_os_is_tried(struct sim *s)
{
	const char *words = "image operating system \"linux\" cannot be used on this platform";

	sim_engine(s, "w1", OS("windows"));
	sim_engine(s, "w2", OS("windows"));
	sim_engine(s, "l1", OS("linux"));
	sim_up(s);
	sim_refuse_creates(sim_find_engine(s, "w1"), words);
	sim_refuse_creates(sim_find_engine(s, "w2"), words);
	for (int i = 0; i < 4; i++)
		sim_create(s, sim_text(s, "c%d", i), NULL);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "l1")), 4);
	/* Where no other system takes it, the engine's words stand. */
	sim_refuse_creates(sim_find_engine(s, "l1"), words);
	assert_refused(sim_post(s, "/containers/create", "{\"Image\":\"busybox\"}"), 500, words);
	sim_settle(s);
}

/* There is no other system: that is told behind the engine's words. */
static may_suspend void no_other_os_is_there(struct sim *s)
{
	const char *words = "image operating system \"windows\" cannot be used on this platform";

	sim_engine(s, "l1");
	sim_engine(s, "l2");
	sim_up(s);
	sim_refuse_creates(sim_find_engine(s, "l1"), words);
	sim_refuse_creates(sim_find_engine(s, "l2"), words);
	assert_refused(sim_post(s, "/containers/create", "{\"Image\":\"busybox\"}"), 500,
		       sim_text(s, "%s; no healthy node has another ostype than linux", words));
	sim_settle(s);
}

/* The node of the other system lacks the image: it pulls it, as any node would. */
static may_suspend void another_os_pulls(struct sim *s)
{
	sim_engine(s, "w1", OS("windows"), PULLED_IMAGE("nginx"));
	sim_engine(s, "l1");
	sim_registry_put(s, "nginx", false);
	sim_up(s);
	sim_refuse_creates(sim_find_engine(s, "w1"),
			   "image operating system \"linux\" cannot be used on this platform");
	sim_create(s, "a", "{\"Image\":\"nginx\"}");
	assert_true(sim_has_container(sim_find_engine(s, "l1"), "a"));
	sim_settle(s);
}

/* What went wrong before is told too, behind the words that scripts look for. */
static may_suspend void another_os_fails_too(struct sim *s)
{
	const char *words = "image operating system \"linux\" cannot be used on this platform";
	struct sim_reply r;

	sim_engine(s, "w1", OS("windows"));
	sim_engine(s, "l1", OS("linux"));
	sim_up(s);
	sim_refuse_creates(sim_find_engine(s, "w1"), words);
	sim_refuse_creates(sim_find_engine(s, "l1"), "no space left on device");
	for (int i = 0; i < 8; i++) {
		r = sim_post(s, "/containers/create", "{\"Image\":\"busybox\"}");
		assert_true(r.status == 500);
		assert_true(str_contains(r.body, STR("l1: no space left on device")) ||
			    str_eq(str_from(sim_message(&r)), STR("no space left on device")));
	}
	r = sim_post(s, "/containers/create",
		     "{\"Image\":\"busybox\",\"Env\":[\"constraint:node==w1\"]}");
	assert_refused(r, 500, "; w1: image operating system");
	assert_refused(r, 500, "Unable to find a node that satisfies the following conditions");
	sim_settle(s);
}

/* The pull fails, and where the image is there is no room: both are told. */
static may_suspend void a_pull_fails_and_nobody_else_has_room(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1");
	sim_engine(s, "n2", PULLED_IMAGE("nginx"), LABEL("containerslots", "0"));
	sim_up(s);
	r = sim_post(s, "/containers/create", "{\"Image\":\"nginx\"}");
	assert_refused(r, 500, "; n1: pull access denied for nginx");
	assert_refused(r, 500, "No node with enough open slots available in the cluster\n");
	sim_settle(s);
}

/* Of nodes that are equal otherwise, the one that has the image. */
static may_suspend void images_attract(struct sim *s)
{
	sim_engine(s, "n1", IMAGE("busybox"));
	sim_engine(s, "n2", IMAGE("busybox"), PULLED_IMAGE("nginx"));
	sim_engine(s, "n3", IMAGE("busybox"));
	sim_registry_put(s, "nginx", false);
	sim_up(s);
	sim_create(s, "a", "{\"Image\":\"nginx\"}");
	assert_string_equal(sim_node_of(s, "a"), "n2");
	/* It does not outweigh the number of containers. */
	sim_create(s, "b", "{\"Image\":\"nginx\"}");
	assert_string_not_equal(sim_node_of(s, "b"), "n2");
}

static may_suspend void create_by_id(struct sim *s, const char *image)
{
	const char *body = sim_text(s, "{\"Image\":\"%s\"}", image);
	struct sim_reply r = sim_post(s, "/placement", body);

	assert_status(r, 200);
	assert_string_equal(sim_string(s, &r, "Node.Name"), "n2");
	assert_string_equal(sim_string(s, &r, "Image"), "present");
	assert_string_equal(sim_node_of(s, sim_create(s, NULL, body)), "n2");
}

/* No registry knows an id, wherever the image came from: it is run where it is. */
static may_suspend void an_id_is_nothing_to_pull(struct sim *s)
{
	static const struct http_header auth[] = {
		{ STR_INIT("X-Registry-Auth"), STR_INIT("eyJ1c2VybmFtZSI6InUifQ==") },
		{ { NULL, 0 }, { NULL, 0 } },
	};
	struct sim_reply r;
	const char *id;

	sim_engine(s, "n1", IMAGE("busybox"));
	sim_engine(s, "n2", IMAGE("busybox"), PULLED_IMAGE("nginx"));
	sim_registry_put(s, "nginx", false);
	sim_up(s);
	for (int i = 0; i < 2; i++)
		sim_create(s, NULL, "{\"Image\":\"busybox\",\"Env\":[\"constraint:node==n2\"]}");
	r = sim_get(s, "/images/nginx/json");
	id = sim_string(s, &r, "Id");
	create_by_id(s, id);
	create_by_id(s, id + strlen("sha256:"));
	create_by_id(s, sim_text(s, "%.12s", id + strlen("sha256:")));

	r = sim_request_as(s, "192.168.0.1", "POST", "/containers/create",
			   sim_text(s, "{\"Image\":\"sha256:%064d\"}", 7), auth);
	assert_refused(r, 404, "No such image: sha256:0");
	assert_int_equal(pool_calls(s, "POST /images/create"), 0);
	/* By its name it may be pulled. */
	sim_create(s, "by-name", "{\"Image\":\"nginx\"}");
	assert_string_equal(sim_node_of(s, "by-name"), "n1");
	sim_settle(s);
}

/* Compose makes a container anew beside the old one, which holds the port until it is removed. */
static may_suspend void a_successor_may_have_the_port(struct sim *s)
{
	const char *body = "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":1000000,"
			   "\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"80\"}]}}}";
	const char *old;

	sim_engine(s, "n1");
	sim_up(s);
	old = sim_run_container(s, "web", body);
	assert_status(sim_post(s, "/containers/web/stop", NULL), 204);
	assert_refused(sim_post(s, "/containers/create?name=other", body), 500, "port 80");
	assert_status(sim_post(s, sim_text(s, "/containers/web/rename?name=%.12s_web", old), NULL),
		      204);
	assert_refused(sim_post(s, "/containers/create?name=other", body), 500, "port 80");
	sim_create(s, "web", body);
	assert_status(sim_delete(s, sim_text(s, "/containers/%s", old)), 204);
	assert_refused(sim_post(s, "/containers/create?name=other", body), 500, "port 80");

	/* Compose 2 says whose place it takes, and stops that one afterwards. */
	assert_status(sim_post(s, "/containers/web/start", NULL), 204);
	sim_create(s, "next",
		   "{\"Image\":\"busybox\",\"Labels\":{\"com.docker.compose.replace\":\"web\"},"
		   "\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{\"HostPort\":\"80\"}]}}}");
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	assert_refused(sim_post(s, "/containers/create?name=other", body), 500, "port 80");
	assert_status(sim_delete(s, "/containers/next"), 204);
	sim_create(s, "other", body);
	sim_settle(s);
}

/* Another node has an older image of that name, and fewer containers. */
static may_suspend void a_committed_image_is_what_its_client_gets(struct sim *s)
{
	struct sim_engine *n1 = sim_engine(s, "n1", IMAGE("busybox"), IMAGE("app"));

	sim_engine(s, "n2", IMAGE("busybox"), IMAGE("app"));
	sim_up(s);
	for (int i = 0; i < 3; i++) {
		const char *id;

		sim_create(s, sim_text(s, "n1/base%d", i), NULL);
		assert_status(
			sim_post(s, sim_text(s, "/commit?container=base%d&repo=app", i), NULL),
			201);
		id = sim_create(s, "", "{\"Image\":\"app\"}");
		assert_string_equal(sim_node_of(s, id), "n1");
	}
	/* From then on it is placed as any. */
	assert_string_equal(sim_node_of(s, sim_create(s, "", "{\"Image\":\"app\"}")), "n2");
	assert_int_equal(sim_count_containers(n1), 6);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(two_thousand_of_all_kinds),
		STORY(two_thousand_with_faults),
		STORY(two_thousand_clients_that_leave),
		STORY(creates_take_turns),
		STORY(turns_end_with_the_node),
		STORY(a_named_node_leaves_before_another_try),
		STORY(tries_go_elsewhere),
		STORY(one_try_answers_in_its_words),
		STORY(another_os_is_tried),
		STORY(no_other_os_is_there),
		STORY(another_os_pulls),
		STORY(another_os_fails_too),
		STORY(a_pull_fails_and_nobody_else_has_room),
		STORY(images_attract),
		STORY(an_id_is_nothing_to_pull),
		STORY(a_successor_may_have_the_port),
		STORY(a_committed_image_is_what_its_client_gets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
