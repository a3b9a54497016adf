/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a new container goes (section 5 of the contract): spread over what is free, never over
 * what there is, names that are unique however many ask at once.
 */
#include "sim/sim.h"

/* One of many clients that create at the same time. */
struct job {
	struct sim *s;
	const char *path, *body;
	struct sim_reply reply;
};

static may_suspend void run_job(void *arg)
{
	struct job *job = arg;

	job->reply = sim_post(job->s, job->path, job->body);
}

static struct job *start_jobs(struct sim *s, size_t n, const char *name_format, const char *body)
{
	struct job *jobs = arena_new_array(sim_arena(s), struct job, n);

	for (size_t i = 0; i < n; i++) {
		const char *name = name_format ? sim_text(s, "%s%zu", name_format, i) : "same";

		jobs[i] = (struct job){ .s = s,
					.path = sim_text(s, "/containers/create?name=%s", name),
					.body = body };
		sim_go(s, "client", run_job, &jobs[i]);
	}
	return jobs;
}

static size_t count_status(const struct job *jobs, size_t n, int status)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += jobs[i].reply.status == status;
	return found;
}

static may_suspend const char *created_on(struct sim *s, const char *name, const char *body)
{
	sim_create(s, name, body);
	return sim_node_of(s, name);
}

static may_suspend void spreads_by_memory(struct sim *s)
{
	const char *body = "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":1073741824}}";

	sim_engine(s, "big", MEMORY(8 * GIB));
	sim_engine(s, "small", MEMORY(2 * GIB));
	sim_up(s);
	assert_string_equal(created_on(s, "a", body), "big");
	assert_string_equal(created_on(s, "b", body), "big");
	assert_string_equal(created_on(s, "c", body), "big");
	/* 50 % there and 50 % here: the one with fewer containers. */
	assert_string_equal(created_on(s, "d", body), "small");
	assert_string_equal(sim_info_line(s, "big", "Reserved Memory"), "3 GiB / 8.4 GiB");
	sim_settle(s);
}

static may_suspend void spreads_by_cpu(struct sim *s)
{
	const char *body = "{\"Image\":\"busybox\",\"HostConfig\":{\"NanoCpus\":1500000000}}";

	sim_engine(s, "n1", CPUS(8));
	sim_engine(s, "n2", CPUS(4));
	sim_up(s);
	assert_string_equal(created_on(s, "a", body), "n1");
	/* 3/8 = 37 % here, 1.5/4 = 37 % there, where there are none yet. */
	assert_string_equal(created_on(s, "b", body), "n2");
	assert_string_equal(created_on(s, "c", body), "n1");
	assert_string_equal(sim_info_line(s, "n1", "Reserved CPUs"), "3 / 8");
	sim_settle(s);
}

static may_suspend void spreads_by_number(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_engine(s, "n3");
	sim_up(s);
	for (int i = 0; i < 12; i++)
		sim_create(s, NULL, NULL);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "n1")), 4);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "n2")), 4);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "n3")), 4);
	sim_settle(s);
}

static may_suspend void takes_no_more_than_fits(struct sim *s)
{
	const char *body = "{\"Image\":\"busybox\",\"HostConfig\":{\"NanoCpus\":2000000000}}";

	sim_engine(s, "n1", CPUS(2));
	sim_engine(s, "n2", CPUS(2));
	sim_up(s);
	sim_create(s, "a", body);
	sim_create(s, "b", body);
	assert_refused(sim_post(s, "/containers/create?name=c", body), 500,
		       "no resources available to schedule container");
	/* Stopped or never started, it counts; removed, it does not. */
	assert_status(sim_delete(s, "/containers/a"), 204);
	sim_create(s, "c", body);
	sim_settle(s);
}

static may_suspend void shares_are_cores(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1", CPUS(4));
	sim_up(s);
	sim_create(s, "two", "{\"Image\":\"busybox\",\"HostConfig\":{\"CpuShares\":2}}");
	assert_string_equal(sim_info_line(s, "n1", "Reserved CPUs"), "2 / 4");
	r = sim_get(s, "/containers/two/json");
	assert_string_equal(sim_string(s, &r, "HostConfig.CpuShares"), "");
	assert_int_equal(json_get_i64(json_path(r.json, "HostConfig"), "CpuShares", 0), 512);

	sim_create(s, "weight", "{\"Image\":\"busybox\",\"HostConfig\":{\"CpuShares\":512}}");
	assert_string_equal(sim_info_line(s, "n1", "Reserved CPUs"), "2 / 4");
	assert_status(sim_post(s, "/containers/two/update", "{\"CpuShares\":3}"), 200);
	assert_string_equal(sim_info_line(s, "n1", "Reserved CPUs"), "3 / 4");
	/* The label of its create no longer tells what it holds, so this is not for sim_check. */
}

/* --cpus is what is reserved then; the shares are those of so many cores all the same. */
static may_suspend void shares_beside_cpus_are_cores(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1", CPUS(4));
	sim_up(s);
	sim_create(
		s, "both",
		"{\"Image\":\"busybox\",\"HostConfig\":{\"NanoCpus\":1000000000,\"CpuShares\":2}}");
	assert_string_equal(sim_info_line(s, "n1", "Reserved CPUs"), "1 / 4");
	r = sim_get(s, "/containers/both/json");
	assert_int_equal(json_get_i64(json_path(r.json, "HostConfig"), "CpuShares", 0), 512);
	sim_settle(s);
}

static may_suspend void an_update_moves_the_reservation(struct sim *s)
{
	sim_engine(s, "n1", MEMORY(8 * GIB));
	sim_up(s);
	sim_create(s, "a", "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":1073741824}}");
	assert_status(sim_post(s, "/containers/a/update", "{\"Memory\":2147483648}"), 200);
	assert_string_equal(sim_info_line(s, "n1", "Reserved Memory"), "2 GiB / 8.4 GiB");
	sim_settle(s);
}

static may_suspend void only_healthy_nodes_count(struct sim *s)
{
	struct sim_engine *n1 = sim_engine(s, "n1"), *n2 = sim_engine(s, "n2");

	sim_up(s);
	sim_cut(n1);
	sim_wait(s, strcmp(sim_info_line(s, "n1", "Status"), "Unhealthy") == 0);
	for (int i = 0; i < 5; i++)
		sim_create(s, NULL, NULL);
	assert_int_equal(sim_count_containers(n2), 5);
	sim_stop(n2);
	sim_wait(s, strcmp(sim_info_line(s, "n2", "Status"), "Unhealthy") == 0);
	assert_refused(sim_post(s, "/containers/create", "{\"Image\":\"busybox\"}"), 500,
		       "No healthy node available in the cluster");
	sim_heal(n1);
	sim_start(n2);
	sim_settle(s);
}

static may_suspend void nowhere_without_nodes(struct sim *s)
{
	sim_up(s);
	assert_refused(sim_post(s, "/containers/create", "{\"Image\":\"busybox\"}"), 500,
		       "No healthy node available in the cluster");
	sim_settle(s);
}

static may_suspend void constraints_choose_the_node(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1", LABEL("storage", "disk"));
	sim_engine(s, "n2", LABEL("storage", "ssd"));
	sim_up(s);
	for (int i = 0; i < 4; i++)
		sim_create(s, NULL,
			   "{\"Image\":\"busybox\",\"Env\":[\"A=b\",\"constraint:storage==ssd\"]}");
	assert_int_equal(sim_count_containers(sim_find_engine(s, "n2")), 4);
	sim_create(s, "labelled",
		   "{\"Image\":\"busybox\",\"Labels\":{\"com.docker.swarm.constraints\":"
		   "\"[\\\"node==n1\\\"]\"},\"X-Unknown\":{\"n\":1.10e400}}");
	r = sim_get(s, "/containers/labelled/json");
	assert_string_equal(sim_string(s, &r, "Node.Name"), "n1");
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"busybox\",\"Env\":[\"constraint:storage==tape\"]}"),
		       500, "storage==tape");
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"busybox\",\"Env\":[\"constraint:storage=ssd\"]}"),
		       400, "");
	sim_settle(s);
}

/* Labels of what is there and of what is being created alike; a pattern, any of their values. */
static may_suspend void affinities_know_labels(struct sim *s)
{
	const char *near = "{\"Image\":\"busybox\",\"Env\":[\"affinity:app%s\"]}";
	const char *n1;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_engine(s, "n3");
	sim_up(s);
	n1 = created_on(s, "a", "{\"Image\":\"busybox\",\"Labels\":{\"app\":\"web\"}}");
	assert_string_equal(created_on(s, "b", sim_text(s, near, "==web")), n1);
	assert_string_equal(created_on(s, "c", sim_text(s, near, "==w*")), n1);
	assert_string_equal(created_on(s, "d", sim_text(s, near, "==/^we/")), n1);
	assert_string_not_equal(created_on(s, "e", sim_text(s, near, "!=web")), n1);
	assert_refused(sim_post(s, "/containers/create", sim_text(s, near, "==db")), 500,
		       "affinity app==db not met by n1, n2, n3");
	assert_status(sim_delete(s, "/containers/a"), 204);
	assert_refused(sim_post(s, "/containers/create", sim_text(s, near, "==web")), 500,
		       "affinity app==web not met by");
}

/* One of a group on each node, though all are asked for at once. */
static may_suspend void groups_keep_apart(struct sim *s)
{
	struct job *jobs;

	for (int i = 0; i < 5; i++)
		sim_engine(s, sim_text(s, "n%d", i));
	sim_up(s);
	jobs = start_jobs(s, 8, "g",
			  "{\"Image\":\"busybox\",\"Labels\":{\"app\":\"web\"},"
			  "\"Env\":[\"affinity:app!=web\"]}");
	sim_join(s);
	assert_int_equal(count_status(jobs, 8, 201), 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(sim_count_containers(sim_find_engine(s, sim_text(s, "n%d", i))),
				 1);
	sim_settle(s);
}

/* As many of one app on a node as the limit says, however many are asked for at once. */
static may_suspend void limits_hold(struct sim *s)
{
	const char *body = "{\"Image\":\"busybox\",\"Labels\":{\"app\":\"%s\"},"
			   "\"Env\":[\"limit:app==%s2\"]}";
	struct job *jobs;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	jobs = start_jobs(s, 6, "web", sim_text(s, body, "web", ""));
	sim_join(s);
	assert_int_equal(count_status(jobs, 6, 201), 4);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "n1")), 2);
	assert_refused(sim_post(s, "/containers/create", sim_text(s, body, "web", "")), 500,
		       "limit app==2 reached on n1, n2 (2 with app=web)");
	sim_create(s, "db", sim_text(s, body, "db", ""));
	sim_create(s, "more", sim_text(s, body, "web", "~"));
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"busybox\",\"Env\":[\"limit:app==2\"]}"),
		       400, "the container has no label app");
	sim_settle(s);
}

/* Even over racks of different size, each service for itself; all at once, too. */
static may_suspend void spreads_over_racks(struct sim *s)
{
	const char *body = "{\"Image\":\"busybox\",\"Labels\":{\"com.docker.compose.service\":"
			   "\"%s\"},\"Env\":[\"spread:by==rack\"]}";
	struct job *jobs;

	for (int i = 0; i < 5; i++)
		sim_engine(s, sim_text(s, "a%d", i), LABEL("rack", "a"));
	sim_engine(s, "b", LABEL("rack", "b"));
	sim_engine(s, "norack");
	sim_up(s);
	jobs = start_jobs(s, 6, "web", sim_text(s, body, "web"));
	sim_join(s);
	assert_int_equal(count_status(jobs, 6, 201), 6);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "b")), 3);
	jobs = start_jobs(s, 4, "db", sim_text(s, body, "db"));
	sim_join(s);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "b")), 5);
	/* Without a service its kind is its image: five busyboxes are in either rack. */
	for (int i = 0; i < 4; i++)
		assert_string_not_equal(
			created_on(s, sim_text(s, "x%d", i),
				   "{\"Image\":\"docker.io/library/busybox:latest\","
				   "\"Env\":[\"spread:by==rack\"]}"),
			"norack");
	assert_int_equal(sim_count_containers(sim_find_engine(s, "b")), 7);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "norack")), 0);
	sim_settle(s);
}

static may_suspend void expressions_do_not_reach_the_engine(struct sim *s)
{
	struct sim_reply r;
	struct json labels;

	sim_engine(s, "n1", LABEL("storage", "ssd"));
	sim_up(s);
	sim_create(s, "a", "{\"Image\":\"busybox\",\"Env\":[\"A=b\",\"constraint:storage==ssd\"]}");
	r = sim_get(s, "/containers/a/json");
	assert_str(json_raw(json_path(r.json, "Config.Env")), "[\"A=b\"]");
	labels = json_path(r.json, "Config.Labels");
	assert_str(json_get_str(labels, "com.docker.swarm.constraints"), "[\"storage==ssd\"]");
	assert_int_equal(json_get_str(labels, "com.docker.swarm.id").n, 64);
	sim_settle(s);
}

static may_suspend void a_name_may_say_its_node(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	for (int i = 0; i < 3; i++)
		sim_create(s, sim_text(s, "n2/c%d", i), NULL);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "n2")), 3);
	assert_status(sim_get(s, "/containers/c1/json"), 200);
	assert_refused(sim_post(s, "/containers/create?name=n9%2Fx", "{\"Image\":\"busybox\"}"),
		       400, "n9");
	sim_settle(s);
}

static may_suspend void check_never_over(struct sim *s)
{
	for (int i = 1; i <= 3; i++) {
		const struct sim_engine *e = sim_find_engine(s, sim_text(s, "n%d", i));
		int64_t cpus, memory;

		cluster_reserved(sim_node(s, e), &cpus, &memory);
		assert_true(cpus <= 4000000000);
		assert_true(sim_count_containers(e) <= 4);
	}
}

/* 60 want a core each, and there are twelve. */
static may_suspend void sixty_at_once_never_take_too_much(struct sim *s)
{
	struct job *jobs;

	for (int i = 1; i <= 3; i++)
		sim_engine(s, sim_text(s, "n%d", i), CPUS(4));
	sim_up(s);
	jobs = start_jobs(s, 60, "c",
			  "{\"Image\":\"busybox\",\"HostConfig\":{\"NanoCpus\":1000000000}}");
	for (int i = 0; i < 100; i++) {
		sim_run(s, MILLISECOND / 2);
		check_never_over(s);
	}
	sim_join(s);
	check_never_over(s);
	assert_int_equal(count_status(jobs, 60, 201), 12);
	assert_int_equal(count_status(jobs, 60, 500), 48);
	sim_settle(s);
}

static may_suspend void two_thousand_at_once(struct sim *s)
{
	struct job *jobs;

	for (int i = 1; i <= 10; i++)
		sim_engine(s, sim_text(s, "n%d", i), MEMORY(8 * GIB));
	sim_up(s);
	jobs = start_jobs(s, 2000, "c",
			  "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":67108864}}");
	sim_join(s);
	/* 134 to a node: there are 5 % more than there are. */
	assert_int_equal(count_status(jobs, 2000, 201), 1340);
	for (int i = 1; i <= 10; i++)
		assert_int_equal(sim_count_containers(sim_find_engine(s, sim_text(s, "n%d", i))),
				 134);
	sim_settle(s);
}

static may_suspend void one_name_is_given_once(struct sim *s)
{
	struct job *jobs;
	size_t n = 0;

	for (int i = 1; i <= 3; i++)
		n += sim_count_containers(sim_engine(s, sim_text(s, "n%d", i)));
	sim_up(s);
	jobs = start_jobs(s, 20, NULL, "{\"Image\":\"busybox\"}");
	sim_join(s);
	assert_int_equal(count_status(jobs, 20, 201), 1);
	assert_int_equal(count_status(jobs, 20, 409), 19);
	for (int i = 0; i < 20; i++)
		if (jobs[i].reply.status == 409)
			assert_refused(jobs[i].reply, 409,
				       "Conflict: The name same is already assigned.");
	for (int i = 1; i <= 3; i++)
		n += sim_count_containers(sim_find_engine(s, sim_text(s, "n%d", i)));
	assert_int_equal(n, 1);
	sim_settle(s);
}

static may_suspend void a_name_is_free_again(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	for (int i = 0; i < 5; i++) {
		assert_refused(sim_post(s, "/containers/create?name=x", "{\"Image\":\"nothing\"}"),
			       404, "No such image: nothing:latest");
		sim_create(s, "x", NULL);
		assert_refused(sim_post(s, "/containers/create?name=x", "{\"Image\":\"busybox\"}"),
			       409, "x is already assigned");
		assert_status(sim_delete(s, "/containers/x"), 204);
	}
	sim_settle(s);
}

/* Somebody on the node itself was faster than its news. */
static may_suspend void the_engines_own_conflict_is_passed_on(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");

	sim_up(s);
	sim_local_create(e, "x", NULL);
	assert_refused(sim_post(s, "/containers/create?name=x", "{\"Image\":\"busybox\"}"), 409,
		       "x");
	sim_settle(s);
}

static may_suspend void bad_bodies_are_refused_in_the_engines_words(struct sim *s)
{
	sim_engine(s, "n1");
	sim_up(s);
	assert_refused(sim_post(s, "/containers/create", "{\"Image\":"), 400, "");
	assert_refused(sim_post(s, "/containers/create", "[]"), 400, "");
	assert_refused(sim_post(s, "/containers/create", "{}"), 400, "no image specified");
	sim_settle(s);
}

/*
 * Tools that make a container again copy all its labels, so that old and new have one swarm id. What
 * is heard of the old one says nothing of the new one, which still holds what it asked for.
 */
static may_suspend void news_of_its_like_is_not_its_own(struct sim *s)
{
	const char *labels = "\"Labels\":{\"com.docker.swarm.id\":\"5af3\"}";
	struct sim_engine *e = sim_engine(s, "n1", MEMORY(1 * GIB));
	struct sim_reply r;

	sim_up(s);
	sim_run_container(s, "old", sim_text(s, "{\"Image\":\"busybox\",%s}", labels));
	sim_lie(e, "POST /containers/create", STR(""), STR(""));
	start_jobs(s, 1, "new",
		   sim_text(s, "{\"Image\":\"busybox\",%s,\"HostConfig\":{\"Memory\":%zu}}", labels,
			    600 * MIB));
	sim_run(s, SECOND);
	sim_local(e, 204, "POST", "/containers/old/stop");
	sim_run(s, SECOND);
	r = sim_post(
		s, "/placement",
		sim_text(s, "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":%zu}}", 600 * MIB));
	assert_status(r, 200);
	assert_str(json_get_str(r.json, "Message").n ? STR("refused") : STR("fits"), "refused");
	sim_lie(e, NULL, STR(""), STR(""));
	assert_false(sim_join_within(s, SECOND));
	sim_settle(s);
}

/* Somebody removes it before the manager has looked at it: it was created all the same. */
static may_suspend void what_is_removed_at_once_was_created(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct job *job;

	sim_up(s);
	sim_set_latency(s, 100 * MILLISECOND);
	job = start_jobs(s, 1, "web", "{\"Image\":\"busybox\"}");
	sim_wait(s, sim_has_container(e, "web0"));
	sim_local(e, 204, "DELETE", "/containers/web0");
	sim_join(s);
	assert_status(job->reply, 201);
	assert_refused(sim_get(s, "/containers/web0/json"), 404, "No such container");
	sim_settle(s);
}

/* The node leaves, or the manager stops it, while a create is on its way there. */
static may_suspend void a_node_leaves_in_the_middle(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct job *jobs;

	sim_up(s);
	jobs = start_jobs(s, 5, "c", "{\"Image\":\"busybox\"}");
	sim_run(s, 3 * MILLISECOND);
	sim_unlist(e);
	sim_discover(s);
	sim_join(s);
	for (int i = 0; i < 5; i++)
		assert_in_range(jobs[i].reply.status, 201, 504);
	sim_list(e);
	sim_discover(s);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(spreads_by_memory),
		STORY(spreads_by_cpu),
		STORY(spreads_by_number),
		STORY(takes_no_more_than_fits),
		STORY(shares_are_cores),
		STORY(shares_beside_cpus_are_cores),
		STORY(an_update_moves_the_reservation),
		STORY(only_healthy_nodes_count),
		STORY(nowhere_without_nodes),
		STORY(constraints_choose_the_node),
		STORY(affinities_know_labels),
		STORY(groups_keep_apart),
		STORY(limits_hold),
		STORY(spreads_over_racks),
		STORY(expressions_do_not_reach_the_engine),
		STORY(a_name_may_say_its_node),
		STORY(sixty_at_once_never_take_too_much),
		STORY(two_thousand_at_once),
		STORY(one_name_is_given_once),
		STORY(a_name_is_free_again),
		STORY(the_engines_own_conflict_is_passed_on),
		STORY(bad_bodies_are_refused_in_the_engines_words),
		STORY(news_of_its_like_is_not_its_own),
		STORY(what_is_removed_at_once_was_created),
		STORY(a_node_leaves_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
