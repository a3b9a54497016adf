/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests about containers under every fault at every step: each ends in success or in one clear
 * error, and afterwards the pool is in order: nothing leaked, nothing reserved, no name held, the
 * manager knows what is really there. And the manager's own: admitting a node, a reconcile.
 */
#include "sim/acting.h"

static may_suspend void create_act(struct sim *s)
{
	act(s, "POST", "/containers/create?name=x",
	    "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":1000000,\"NanoCpus\":1000000000}}",
	    NULL);
	check_in_time();
	check_answer(s, 201);
}

/* Whatever the client heard: the name is taken where there is such a container, else free. */
static may_suspend void create_after(struct sim *s)
{
	size_t n = copies_of(s, "x");

	assert_true(n <= 1);
	if (acting.reply.status == 201)
		assert_int_equal(n, 1);
	if (n) {
		assert_status(sim_get(s, "/containers/x/json"), 200);
		assert_refused(sim_post(s, "/containers/create?name=x", "{\"Image\":\"busybox\"}"),
			       409, "x");
	} else {
		sim_create(s, "x", NULL);
	}
}

static const struct http_header with_auth[] = {
	{ STR_INIT("X-Registry-Auth"), STR_INIT("eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAifQ==") },
	{ { NULL, 0 }, { NULL, 0 } },
};

static may_suspend void create_pulling_prepare(struct sim *s)
{
	sim_registry_put(s, "nginx", false);
	two_nodes(s);
}

static may_suspend void create_pulling_act(struct sim *s)
{
	act(s, "POST", "/containers/create?name=x", "{\"Image\":\"nginx\"}", with_auth);
	check_answer(s, 201);
}

static may_suspend void create_pulling_after(struct sim *s)
{
	create_after(s);
}

static may_suspend void create_falling_back_prepare(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2", PULLED_IMAGE("nginx"));
	sim_up(s);
	sim_create(s, "first", "{\"Image\":\"nginx\"}");
}

static may_suspend void create_falling_back_act(struct sim *s)
{
	act(s, "POST", "/containers/create?name=x", "{\"Image\":\"nginx\"}", NULL);
	check_answer(s, 201);
}

static may_suspend void create_falling_back_after(struct sim *s)
{
	size_t n = copies_of(s, "x");

	assert_true(n <= 1);
	if (acting.reply.status == 201)
		assert_int_equal(n, 1);
}

static may_suspend void start_act(struct sim *s)
{
	act(s, "POST", "/containers/x/start", NULL, NULL);
	check_answer(s, 204);
}

static may_suspend void start_after(struct sim *s)
{
	if (acting.reply.status == 204)
		assert_true(runs(s, "x"));
	assert_in_range(sim_post(s, "/containers/x/start", NULL).status, 204, 304);
	assert_true(runs(s, "x"));
}

static may_suspend void stop_act(struct sim *s)
{
	act(s, "POST", "/containers/x/stop", NULL, NULL);
	check_answer(s, 204);
}

static may_suspend void stop_after(struct sim *s)
{
	if (acting.reply.status == 204)
		assert_false(runs(s, "x"));
	assert_in_range(sim_post(s, "/containers/x/stop", NULL).status, 204, 304);
}

static may_suspend void remove_act(struct sim *s)
{
	act(s, "DELETE", "/containers/x?force=1", NULL, NULL);
	check_answer(s, 204);
}

static may_suspend void remove_after(struct sim *s)
{
	if (acting.reply.status == 204)
		assert_int_equal(copies_of(s, "x"), 0);
	if (copies_of(s, "x"))
		assert_status(sim_delete(s, "/containers/x?force=1"), 204);
	sim_create(s, "x", NULL);
}

static may_suspend void rename_act(struct sim *s)
{
	act(s, "POST", "/containers/x/rename?name=y", NULL, NULL);
	check_in_time();
	check_answer(s, 204);
}

static may_suspend void rename_after(struct sim *s)
{
	const char *free_name = copies_of(s, "x") ? "y" : "x";

	assert_int_equal(copies_of(s, "x") + copies_of(s, "y"), 1);
	if (acting.reply.status == 204)
		assert_int_equal(copies_of(s, "y"), 1);
	sim_create(s, free_name, NULL);
}

static may_suspend void update_act(struct sim *s)
{
	act(s, "POST", "/containers/x/update", "{\"Memory\":5000000}", NULL);
	check_answer(s, 200);
}

static may_suspend void update_after(struct sim *s)
{
	assert_status(sim_post(s, "/containers/x/update", "{\"Memory\":6000000}"), 200);
}

static may_suspend void commit_act(struct sim *s)
{
	act(s, "POST", "/commit?container=x&repo=mine&tag=1", NULL, NULL);
	check_answer(s, 201);
}

static may_suspend void commit_after(struct sim *s)
{
	if (acting.reply.status == 201)
		assert_status(sim_get(s, "/images/mine:1/json"), 200);
}

static may_suspend void inspect_act(struct sim *s)
{
	act(s, "GET", "/containers/x/json", NULL, NULL);
	check_answer(s, 200);
}

static may_suspend void inspect_after(struct sim *s)
{
	assert_status(sim_get(s, "/containers/x/json"), 200);
}

static may_suspend void exec_create_act(struct sim *s)
{
	act(s, "POST", "/containers/x/exec", "{\"Cmd\":[\"cat\"]}", NULL);
	check_answer(s, 201);
}

static may_suspend void exec_create_after(struct sim *s)
{
	assert_status(sim_post(s, "/containers/x/exec", "{\"Cmd\":[\"cat\"]}"), 201);
}

static may_suspend void admit_prepare(struct sim *s)
{
	sim_engine(s, "n1");
	sim_up(s);
	sim_run_container(s, "x", NULL);
	sim_engine(s, "n2");
	sim_local_create(sim_find_engine(s, "n2"), "y", NULL);
}

static may_suspend void admit_act(struct sim *s)
{
	sim_discover(s);
	sim_run(s, 10 * SECOND);
}

static may_suspend void admit_after(struct sim *s)
{
	assert_string_equal(sim_info_line(s, "n1", "Status"), "Healthy");
	assert_string_equal(sim_info_line(s, "n2", "Status"), "Healthy");
	assert_status(sim_get(s, "/containers/y/json"), 200);
}

static may_suspend void reconcile_prepare(struct sim *s)
{
	two_nodes(s);
	sim_run_container(s, "x", NULL);
	sim_create(s, "y", NULL);
}

static may_suspend void reconcile_act(struct sim *s)
{
	sim_run(s, 90 * SECOND);
}

static may_suspend void reconcile_after(struct sim *s)
{
	assert_status(sim_get(s, "/containers/y/json"), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_STORY(create, two_nodes),
		FAULT_STORY(create_pulling, create_pulling_prepare),
		FAULT_STORY(create_falling_back, create_falling_back_prepare),
		FAULT_STORY(start, x_created),
		FAULT_STORY(stop, x_running),
		FAULT_STORY(remove, x_running),
		FAULT_STORY(rename, x_created),
		FAULT_STORY(update, x_created),
		FAULT_STORY(commit, x_created),
		FAULT_STORY(inspect, x_created),
		FAULT_STORY(exec_create, x_running),
		FAULT_STORY(admit, admit_prepare),
		FAULT_STORY(reconcile, reconcile_prepare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
