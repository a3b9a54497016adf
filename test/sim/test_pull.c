/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulls: a create whose image is missing on the chosen node (section 5, each branch), a client's
 * own pull, who shares one with whom, and what ends it.
 */
#include "sim/pool.h"

static const struct http_header with_auth[] = {
	/* {"username":"u","password":"p"} */
	{ STR_INIT("X-Registry-Auth"), STR_INIT("eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAifQ==") },
	{ { NULL, 0 }, { NULL, 0 } },
};

static may_suspend struct sim_reply create_as(struct sim *s, const char *client, const char *image,
					      const struct http_header *headers)
{
	return sim_request_as(s, client, "POST", "/containers/create",
			      sim_text(s, "{\"Image\":\"%s\"}", image), headers);
}

static may_suspend void three(struct sim *s)
{
	sim_registry_put(s, "nginx", false);
	sim_registry_put(s, "secret", true);
	pool_up(s, 3);
}

static may_suspend void a_pulled_image_is_pulled_again(struct sim *s)
{
	sim_registry_put(s, "nginx", false);
	sim_engine(s, "n1");
	sim_engine(s, "n2", PULLED_IMAGE("nginx"));
	sim_engine(s, "n3");
	sim_up(s);
	for (int i = 0; i < 3; i++)
		assert_status(create_as(s, "192.168.0.1", "nginx", NULL), 201);
	assert_int_equal(pool_count(s, sim_has_image, "nginx"), 3);
	assert_int_equal(pool_calls(s, "POST /images/create"), 2);
	for (int i = 1; i <= 3; i++)
		assert_int_equal(sim_count_containers(sim_find_engine(s, sim_text(s, "n%d", i))),
				 1);
	sim_settle(s);
}

/* The registry has it no longer: where it is, it can still run. */
static may_suspend void a_failed_pull_goes_where_the_image_is(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2", PULLED_IMAGE("nginx"));
	sim_engine(s, "n3");
	sim_up(s);
	for (int i = 0; i < 3; i++) {
		struct sim_reply r = create_as(s, "192.168.0.1", "nginx", NULL);

		assert_status(r, 201);
		assert_string_equal(sim_node_of(s, sim_string(s, &r, "Id")), "n2");
	}
	sim_settle(s);
}

static may_suspend void an_unknown_image_is_the_clients_to_pull(struct sim *s)
{
	three(s);
	assert_refused(create_as(s, "192.168.0.1", "nginx", NULL), 404,
		       "No such image: nginx:latest");
	assert_int_equal(pool_calls(s, "POST /images/create"), 0);
	sim_settle(s);
}

static may_suspend void with_credentials_the_manager_pulls(struct sim *s)
{
	three(s);
	assert_status(create_as(s, "192.168.0.1", "secret", with_auth), 201);
	assert_int_equal(pool_calls(s, "POST /images/create"), 1);
	assert_int_equal(pool_count(s, sim_has_image, "secret"), 1);
	sim_settle(s);
}

static may_suspend void with_compat_the_manager_pulls(struct sim *s)
{
	sim_config(s)->compat = true;
	three(s);
	assert_status(create_as(s, "192.168.0.1", "nginx", NULL), 201);
	assert_int_equal(pool_calls(s, "POST /images/create"), 1);
	assert_int_equal(pool_count(s, sim_has_image, "nginx"), 1);
	sim_settle(s);
}

static may_suspend void a_pull_that_fails_is_the_creates_error(struct sim *s)
{
	three(s);
	assert_refused(create_as(s, "192.168.0.1", "nowhere", with_auth), 404,
		       "pull access denied for nowhere");
	sim_registry_set(s, "secret", SECOND, "no space left on device");
	assert_refused(create_as(s, "192.168.0.1", "secret", with_auth), 500,
		       "no space left on device");
	sim_settle(s);
}

/* docker run: create, 404, pull, create again: both on the node that was chosen. */
static may_suspend void a_clients_pull_goes_to_its_node_alone(struct sim *s)
{
	struct sim_reply r;

	three(s);
	assert_status(create_as(s, "192.168.0.1", "nginx", NULL), 404);
	assert_status(sim_post(s, "/images/create?fromImage=nginx&tag=latest", NULL), 200);
	assert_int_equal(pool_calls(s, "POST /images/create"), 1);
	assert_int_equal(pool_count(s, sim_has_image, "nginx"), 1);
	r = create_as(s, "192.168.0.1", "nginx", NULL);
	assert_status(r, 201);
	assert_true(sim_has_image(sim_find_engine(s, sim_node_of(s, sim_string(s, &r, "Id"))),
				  "nginx"));
	assert_int_equal(pool_calls(s, "POST /images/create"), 1);
	sim_settle(s);
}

static may_suspend void another_clients_pull_goes_everywhere(struct sim *s)
{
	three(s);
	assert_status(create_as(s, "192.168.0.1", "nginx", NULL), 404);
	assert_status(sim_request_as(s, "192.168.0.2", "POST",
				     "/images/create?fromImage=nginx&tag=latest", NULL, NULL),
		      200);
	assert_int_equal(pool_count(s, sim_has_image, "nginx"), 3);
	sim_settle(s);
}

static may_suspend void after_a_minute_the_choice_is_forgotten(struct sim *s)
{
	three(s);
	assert_status(create_as(s, "192.168.0.1", "nginx", NULL), 404);
	sim_run(s, 61 * SECOND);
	assert_status(sim_post(s, "/images/create?fromImage=nginx&tag=latest", NULL), 200);
	assert_int_equal(pool_count(s, sim_has_image, "nginx"), 3);
	sim_settle(s);
}

struct create_job {
	struct sim *s;
	const char *image;
	const struct http_header *headers;
	struct sim_reply reply;
};

static may_suspend void create_main(void *arg)
{
	struct create_job *job = arg;

	job->reply = create_as(job->s, "192.168.0.1", job->image, job->headers);
}

static may_suspend void the_same_pull_on_a_node_happens_once(struct sim *s)
{
	struct create_job jobs[4];

	sim_engine(s, "n1");
	sim_registry_put(s, "secret", true);
	sim_up(s);
	for (int i = 0; i < 4; i++) {
		jobs[i] = (struct create_job){ s, "secret", with_auth, { 0 } };
		sim_go(s, "client", create_main, &jobs[i]);
	}
	sim_join(s);
	for (int i = 0; i < 4; i++)
		assert_status(jobs[i].reply, 201);
	assert_int_equal(sim_calls(sim_find_engine(s, "n1"), "POST /images/create"), 1);
	sim_settle(s);
}

/* Other nodes have it with a digest, and many want it where it is not. */
static may_suspend void creates_of_one_node_share_its_pull(struct sim *s)
{
	struct create_job jobs[5];

	sim_engine(s, "n1", CPUS(64));
	sim_engine(s, "n2", PULLED_IMAGE("nginx"));
	sim_registry_put(s, "nginx", false);
	sim_up(s);
	for (int i = 0; i < 9; i++)
		sim_create(s, "", "{\"Image\":\"nginx\",\"Env\":[\"constraint:node==n2\"]}");
	sim_registry_set(s, "nginx", MINUTE, NULL);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i] = (struct create_job){ s, "nginx", i % 2 ? with_auth : NULL, { 0 } };
		sim_go(s, "client", create_main, &jobs[i]);
	}
	sim_join(s);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		assert_status(jobs[i].reply, 201);
	assert_int_equal(sim_count_containers(sim_find_engine(s, "n1")), ARRAY_LEN(jobs));
	/* With credentials and without is not the same. */
	assert_int_equal(sim_calls(sim_find_engine(s, "n1"), "POST /images/create"), 2);
	sim_settle(s);
}

static may_suspend void a_pull_holds_up_nobody(struct sim *s)
{
	struct create_job slow = { s, "secret", with_auth, { 0 } };

	three(s);
	sim_registry_set(s, "secret", 10 * MINUTE, NULL);
	sim_go(s, "client", create_main, &slow);
	sim_run(s, SECOND);
	for (int i = 0; i < 6; i++)
		assert_status(create_as(s, "192.168.0.2", "busybox", NULL), 201);
	assert_int_equal(slow.reply.status, 0);
	sim_join(s);
	assert_status(slow.reply, 201);
	sim_settle(s);
}

static may_suspend void a_pull_goes_everywhere(struct sim *s)
{
	struct sim_reply r;

	three(s);
	r = sim_post(s, "/images/create?fromImage=nginx&tag=latest", NULL);
	assert_status(r, 200);
	assert_int_equal(pool_count(s, sim_has_image, "nginx"), 3);
	assert_int_equal(count_lines(r, "\"id\":\"n2: 0123456789ab\""), 5);
	assert_int_equal(count_lines(r, "error"), 0);
	r = sim_get(s, "/images/json");
	assert_int_equal(json_count(r.json), 2);
	sim_settle(s);
}

struct pull_job {
	struct sim *s;
	const char *client;
	struct sim_reply reply;
};

static may_suspend void pull_main(void *arg)
{
	struct pull_job *job = arg;

	job->reply = sim_request_as(job->s, job->client, "POST",
				    "/images/create?fromImage=nginx&tag=latest", NULL, NULL);
}

/* The second begins in the middle, and both see all of it. */
static may_suspend void clients_share_a_pull(struct sim *s)
{
	struct pull_job one = { s, "192.168.0.1", { 0 } }, two = { s, "192.168.0.2", { 0 } };

	three(s);
	sim_registry_set(s, "nginx", MINUTE, NULL);
	sim_go(s, "one", pull_main, &one);
	sim_run(s, 20 * SECOND);
	sim_go(s, "two", pull_main, &two);
	sim_join(s);
	assert_status(one.reply, 200);
	assert_status(two.reply, 200);
	assert_int_equal(pool_calls(s, "POST /images/create"), 3);
	assert_int_equal(count_lines(one.reply, "\"id\":\"n2: 0123456789ab\""), 5);
	assert_int_equal(count_lines(two.reply, "\"id\":\"n2: 0123456789ab\""), 5);
	assert_int_equal(pool_count(s, sim_has_image, "nginx"), 3);

	/* It is over: the next one is a pull of its own. */
	pull_main(&one);
	assert_int_equal(pool_calls(s, "POST /images/create"), 6);
	sim_settle(s);
}

/* Who comes late is not shown how each bar grew, but all else that happened. */
static may_suspend void bars_are_thinned_out(struct sim *s)
{
	struct pull_job one = { s, "192.168.0.1", { 0 } }, two = { s, "192.168.0.2", { 0 } };

	sim_engine(s, "n1");
	sim_registry_put(s, "nginx", false);
	sim_registry_bars(s, "nginx", 3 * LIMIT_PULL_LINES);
	sim_up(s);
	sim_registry_set(s, "nginx", 10 * MINUTE, NULL);
	sim_go(s, "one", pull_main, &one);
	sim_run(s, 8 * MINUTE);
	sim_go(s, "two", pull_main, &two);
	sim_join(s);
	assert_true(count_lines(two.reply, "\"current\":") < LIMIT_PULL_LINES);
	assert_int_equal(count_lines(two.reply, "\"current\":12288,"), 1);
	assert_int_equal(count_lines(two.reply, "Pulling from library"), 1);
	assert_int_equal(count_lines(two.reply, "\"Downloading\",\"id\""), 4);
	assert_int_equal(count_lines(two.reply, "Pull complete"), 1);
	assert_int_equal(count_lines(one.reply, "\"current\":12288,"), 1);
	assert_int_equal(count_lines(one.reply, "Pull complete"), 1);
	assert_int_equal(sim_calls(sim_find_engine(s, "n1"), "POST /images/create"), 1);
	sim_settle(s);
}

static may_suspend void what_differs_is_not_shared(struct sim *s)
{
	struct pull_job one = { s, "192.168.0.1", { 0 } };
	struct create_job other = { s, "nginx", with_auth, { 0 } };

	sim_engine(s, "n1");
	sim_registry_put(s, "nginx", false);
	sim_up(s);
	sim_registry_set(s, "nginx", MINUTE, NULL);
	sim_go(s, "one", pull_main, &one);
	sim_go(s, "other", create_main, &other);
	sim_join(s);
	assert_status(one.reply, 200);
	assert_status(other.reply, 201);
	assert_int_equal(sim_calls(sim_find_engine(s, "n1"), "POST /images/create"), 2);
	sim_settle(s);
}

/* A request with credentials, as it is sent. */
struct path_job {
	struct sim *s;
	const char *path, *body;
	struct sim_reply reply;
};

static may_suspend void path_main(void *arg)
{
	struct path_job *job = arg;

	job->reply = sim_request_as(job->s, "192.168.0.1", "POST", job->path, job->body, with_auth);
}

#define SECRET "POST /images/create?fromImage=secret&tag=latest"

/* An engine reads `platform` from version 1.32 on. */
static may_suspend void a_create_pulls_for_its_platform(struct sim *s)
{
	const char *body = "{\"Image\":\"secret\"}";
	struct path_job jobs[] = {
		{ s, "/v1.41/containers/create?platform=linux%2Farm64", body, { 0 } },
		{ s, "/v1.41/containers/create?platform=linux%2Farm64", body, { 0 } },
		{ s, "/v1.41/containers/create", body, { 0 } },
		{ s, "/v1.31/containers/create?platform=linux%2Farm64", body, { 0 } },
	};
	struct sim_engine *e = sim_engine(s, "n1", ARCHITECTURE("aarch64"));

	sim_registry_put(s, "secret", true);
	sim_up(s);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		sim_go(s, "client", path_main, &jobs[i]);
	sim_join(s);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		assert_status(jobs[i].reply, 201);
	assert_int_equal(sim_calls(e, SECRET "&platform=linux%2Farm64 at"), 1);
	assert_int_equal(sim_calls(e, SECRET " at"), 1);
	assert_int_equal(sim_calls(e, "POST /images/create"), 2);
	sim_settle(s);
}

/* As it was asked, on each node; of two platforms nothing is shared. */
static may_suspend void a_clients_pull_is_for_its_platform_with_its_credentials(struct sim *s)
{
	const char *auth = sim_text(s, "X-Registry-Auth: %.*s", STR_ARG(with_auth[0].value));
	struct path_job jobs[] = {
		{ s,
		  "/images/create?fromImage=secret&tag=latest&platform=linux%2Famd64",
		  NULL,
		  { 0 } },
		{ s,
		  "/images/create?fromImage=secret&tag=latest&platform=linux%2Farm64",
		  NULL,
		  { 0 } },
	};

	three(s);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		sim_go(s, "client", path_main, &jobs[i]);
	sim_join(s);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		const char *request = sim_text(s, "POST %s at", jobs[i].path);

		assert_status(jobs[i].reply, 200);
		assert_int_equal(count_lines(jobs[i].reply, "error"), 0);
		for (int k = 1; k <= 3; k++)
			assert_int_equal(sim_calls_with(sim_find_engine(s, sim_text(s, "n%d", k)),
							request, auth),
					 1);
	}
	sim_settle(s);
}

/* Whoever began it may leave. When the last one has left, no engine pulls any more. */
static may_suspend void a_pull_ends_with_its_last_client(struct sim *s)
{
	struct pull_job second = { s, "192.168.0.2", { 0 } };
	struct sim_stream *first, *third;

	three(s);
	sim_registry_set(s, "nginx", MINUTE, NULL);
	first = sim_open(s, "POST", "/images/create?fromImage=nginx&tag=latest", NULL);
	sim_go(s, "second", pull_main, &second);
	sim_run(s, 10 * SECOND);
	sim_close(first);
	sim_join(s);
	assert_status(second.reply, 200);
	assert_int_equal(count_lines(second.reply, "error"), 0);
	assert_int_equal(pool_calls(s, "POST /images/create"), 3);
	assert_int_equal(pool_count(s, sim_has_image, "nginx"), 3);

	assert_status(sim_delete(s, "/images/nginx"), 200);
	third = sim_open(s, "POST", "/images/create?fromImage=nginx&tag=latest", NULL);
	sim_run(s, 10 * SECOND);
	sim_close(third);
	sim_run(s, 2 * MINUTE);
	assert_int_equal(pool_calls(s, "POST /images/create"), 6);
	assert_int_equal(pool_count(s, sim_has_image, "nginx"), 0);
	sim_settle(s);
}

#define PULL "/images/create?fromImage=nginx&tag=latest"

/*
 * One that hangs holds those who wait for it, each as long as it likes, and none who comes later.
 */
static may_suspend void a_pull_that_hangs_is_no_trap(struct sim *s)
{
	struct pull_job third = { s, "192.168.0.3", { 0 } };
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *first, *second;

	sim_registry_put(s, "nginx", false);
	sim_up(s);
	sim_registry_set(s, "nginx", MINUTE, NULL);
	sim_fault(s, e, FAULT_STALL, "POST /images/create", 4);
	first = sim_open(s, "POST", PULL, NULL);
	sim_run(s, 50 * SECOND);
	assert_true(sim_fault_fired(s));
	second = sim_open(s, "POST", PULL, NULL);
	assert_int_equal(sim_calls(e, "POST /images/create"), 1);

	sim_run(s, MINUTE);
	pull_main(&third);
	assert_status(third.reply, 200);
	assert_int_equal(sim_calls(e, "POST /images/create"), 2);
	sim_close(second);
	sim_run(s, SECOND);
	while (sim_next_line(first, SECOND).p)
		;
	assert_false(sim_stream_ended(first) || sim_stream_broke(first));
	sim_close(first);
	sim_settle(s);
}

static may_suspend void create_web_main(void *arg)
{
	struct create_job *job = arg;

	job->reply =
		sim_request_as(job->s, "192.168.0.1", "POST", "/containers/create?name=web",
			       sim_text(job->s, "{\"Image\":\"%s\"}", job->image), job->headers);
}

/* Nothing is left of what its client wanted. */
static may_suspend void who_leaves_a_create_that_pulls_is_gone(struct sim *s)
{
	struct create_job job = { s, "secret", with_auth, { 0 } };
	struct sim_engine *e = sim_engine(s, "n1");

	sim_registry_put(s, "secret", true);
	sim_up(s);
	sim_fault(s, e, FAULT_STALL, "POST /images/create", 4);
	sim_go(s, "client", create_web_main, &job);
	assert_false(sim_join_within(s, 10 * SECOND));
	assert_true(sim_fault_fired(s));
	sim_run(s, SECOND);
	sim_create(s, "web", NULL);
	assert_int_equal(sim_count_containers(e), 1);
	sim_settle(s);
}

static may_suspend void a_node_that_fails_ends_its_pull(struct sim *s)
{
	struct pull_job job = { s, "192.168.0.1", { 0 } };

	three(s);
	sim_registry_set(s, "nginx", 10 * MINUTE, NULL);
	sim_go(s, "client", pull_main, &job);
	sim_run(s, 10 * SECOND);
	sim_cut(sim_find_engine(s, "n2"));
	sim_join(s);
	assert_status(job.reply, 200);
	assert_int_equal(
		count_lines(job.reply, "node n2 became unhealthy while it pulled nginx:latest"), 2);
	assert_true(sim_has_image(sim_find_engine(s, "n1"), "nginx"));
	assert_true(sim_has_image(sim_find_engine(s, "n3"), "nginx"));
	sim_heal(sim_find_engine(s, "n2"));
	sim_settle(s);
}

static may_suspend void a_create_whose_node_fails_in_its_pull_goes_on_elsewhere(struct sim *s)
{
	struct create_job job = { s, "nginx", NULL, { 0 } };
	struct sim_engine *n1 = sim_engine(s, "n1");

	sim_registry_put(s, "nginx", false);
	sim_engine(s, "n2", PULLED_IMAGE("nginx"));
	sim_up(s);
	sim_create(s, "n2/busy", "{\"Image\":\"nginx\"}");
	sim_registry_set(s, "nginx", 10 * MINUTE, NULL);
	sim_go(s, "client", create_main, &job);
	sim_wait(s, sim_calls(n1, "POST /images/create") == 1);
	sim_cut(n1);
	sim_join(s);
	assert_status(job.reply, 201);
	assert_string_equal(sim_node_of(s, sim_string(s, &job.reply, "Id")), "n2");
	sim_heal(n1);
	sim_settle(s);
}

static may_suspend void a_pull_that_fails_everywhere_is_an_error(struct sim *s)
{
	three(s);
	assert_refused(sim_post(s, "/images/create?fromImage=nowhere&tag=latest", NULL), 404,
		       "pull access denied for nowhere");
	sim_settle(s);
}

static may_suspend void one_nodes_failure_fails_the_pull(struct sim *s)
{
	struct sim_reply r;

	three(s);
	sim_fault(s, sim_find_engine(s, "n2"), FAULT_RESET, "POST /images/create", 4);
	r = sim_post(s, "/images/create?fromImage=nginx&tag=latest", NULL);
	assert_status(r, 200);
	assert_int_equal(count_lines(r, "errorDetail"), 1);
	assert_true(sim_has_image(sim_find_engine(s, "n1"), "nginx"));
	assert_true(sim_has_image(sim_find_engine(s, "n3"), "nginx"));
	sim_fault_clear(s);
	sim_settle(s);
}

static may_suspend void with_many_tags(struct sim *s)
{
	sim_registry_put(s, "many:1", false);
	sim_registry_put(s, "many:2", false);
	pool_up(s, 2);
}

/* Without a tag: all of them are known when the answer ends. */
static may_suspend void a_pull_of_all_tags_brings_all(struct sim *s)
{
	with_many_tags(s);
	assert_status(sim_post(s, "/images/create?fromImage=many", NULL), 200);
	assert_status(sim_get(s, "/images/many:1/json"), 200);
	assert_status(sim_get(s, "/images/many:2/json"), 200);
	sim_settle(s);
}

/* Whoever pulls so on a node itself: the event names no tag. */
static may_suspend void an_event_without_a_tag_is_of_all(struct sim *s)
{
	with_many_tags(s);
	sim_local(sim_find_engine(s, "n2"), 200, "POST", "/images/create?fromImage=many");
	sim_run(s, SECOND);
	assert_status(sim_get(s, "/images/many:1/json"), 200);
	assert_status(sim_get(s, "/images/many:2/json"), 200);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_pulled_image_is_pulled_again),
		STORY(a_failed_pull_goes_where_the_image_is),
		STORY(an_unknown_image_is_the_clients_to_pull),
		STORY(with_credentials_the_manager_pulls),
		STORY(with_compat_the_manager_pulls),
		STORY(a_pull_that_fails_is_the_creates_error),
		STORY(a_clients_pull_goes_to_its_node_alone),
		STORY(another_clients_pull_goes_everywhere),
		STORY(after_a_minute_the_choice_is_forgotten),
		STORY(the_same_pull_on_a_node_happens_once),
		STORY(creates_of_one_node_share_its_pull),
		STORY(a_pull_holds_up_nobody),
		STORY(a_pull_goes_everywhere),
		STORY(clients_share_a_pull),
		STORY(bars_are_thinned_out),
		STORY(what_differs_is_not_shared),
		STORY(a_create_pulls_for_its_platform),
		STORY(a_clients_pull_is_for_its_platform_with_its_credentials),
		STORY(a_pull_ends_with_its_last_client),
		STORY(a_pull_that_hangs_is_no_trap),
		STORY(who_leaves_a_create_that_pulls_is_gone),
		STORY(a_node_that_fails_ends_its_pull),
		STORY(a_create_whose_node_fails_in_its_pull_goes_on_elsewhere),
		STORY(a_pull_that_fails_everywhere_is_an_error),
		STORY(one_nodes_failure_fails_the_pull),
		STORY(a_pull_of_all_tags_brings_all),
		STORY(an_event_without_a_tag_is_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
