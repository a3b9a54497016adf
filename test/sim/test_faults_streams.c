/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What streams and what goes to several nodes, under every fault at every step (test_faults.c has
 * the rest): logs, wait, attach, exec; pull, load, tag, removal of images.
 */
#include "sim/acting.h"

static may_suspend void logs_prepare(struct sim *s)
{
	two_nodes(s);
	sim_run_container(s, "x", "{\"Image\":\"busybox\",\"Cmd\":[\"count\",\"5\"]}");
}

static may_suspend void logs_act(struct sim *s)
{
	act(s, "GET", "/containers/x/logs?follow=1&stdout=1", NULL, NULL);
	check_stream(s, "line 5\n");
}

static may_suspend void logs_after(struct sim *s)
{
	struct sim_reply r = sim_get(s, "/containers/x/logs?stdout=1");

	assert_status(r, 200);
	assert_true(str_contains(r.body, STR("line 5\n")));
}

static may_suspend void wait_prepare(struct sim *s)
{
	two_nodes(s);
	sim_run_container(s, "x", "{\"Image\":\"busybox\",\"Cmd\":[\"sleep\",\"2\"]}");
}

static may_suspend void wait_act(struct sim *s)
{
	act(s, "POST", "/containers/x/wait", NULL, NULL);
	check_stream(s, "{\"StatusCode\":0}");
}

static may_suspend void wait_after(struct sim *s)
{
	assert_false(runs(s, "x"));
}

static may_suspend void attach_prepare(struct sim *s)
{
	two_nodes(s);
	sim_run_container(s, "x", "{\"Image\":\"busybox\",\"Cmd\":[\"cat\"],\"OpenStdin\":true}");
}

static may_suspend void attach_act(struct sim *s)
{
	act_hijacked(s, "/containers/x/attach?stream=1&stdin=1&stdout=1&stderr=1", NULL);
}

/* The engine has heard that its client is gone: nothing is attached any more. */
static may_suspend void attach_after(struct sim *s)
{
	assert_status(sim_delete(s, "/containers/x?force=1"), 204);
}

static const char *exec_id;

static may_suspend void exec_prepare(struct sim *s)
{
	struct sim_reply r;

	two_nodes(s);
	sim_run_container(s, "x", NULL);
	r = sim_post(s, "/containers/x/exec", "{\"Cmd\":[\"cat\"],\"AttachStdin\":true}");
	assert_status(r, 201);
	exec_id = sim_string(s, &r, "Id");
}

static may_suspend void exec_act(struct sim *s)
{
	act_hijacked(s, sim_text(s, "/exec/%s/start", exec_id), "{\"Detach\":false}");
}

static may_suspend void exec_after(struct sim *s)
{
	/* One that hears nothing runs on: its client's end of input was lost on the way. */
	if (sim_fault_kind(s) != FAULT_STALL) {
		assert_int_equal(sim_running_execs(sim_find_engine(s, "n1")), 0);
		assert_int_equal(sim_running_execs(sim_find_engine(s, "n2")), 0);
	}
	assert_status(sim_get(s, sim_text(s, "/exec/%s/json", exec_id)), 200);
}

static may_suspend void pull_prepare(struct sim *s)
{
	sim_registry_put(s, "nginx", false);
	two_nodes(s);
}

static may_suspend void pull_act(struct sim *s)
{
	act(s, "POST", "/images/create?fromImage=nginx&tag=latest", NULL, NULL);
	check_progress(s);
}

static may_suspend void pull_after(struct sim *s)
{
	struct sim_reply r = sim_post(s, "/images/create?fromImage=nginx&tag=latest", NULL);

	assert_status(r, 200);
	assert_false(str_contains(r.body, STR("error")));
	assert_true(sim_has_image(sim_find_engine(s, "n1"), "nginx"));
	assert_true(sim_has_image(sim_find_engine(s, "n2"), "nginx"));
}

static may_suspend void load_act(struct sim *s)
{
	struct strbuf body = STRBUF_INIT;

	strbuf_add(&body, STR("image app:1\n"));
	while (body.n < 100 * KIB)
		strbuf_add(&body, STR("padding padding padding padding padding padding\n"));
	arena_adopt(sim_arena(s), body.p, body.n);
	act(s, "POST", "/images/load", body.p, NULL);
	check_progress(s);
}

static may_suspend void load_after(struct sim *s)
{
	assert_status(sim_post(s, "/images/load", "image app:1\n"), 200);
	assert_true(sim_has_image(sim_find_engine(s, "n1"), "app:1"));
	assert_true(sim_has_image(sim_find_engine(s, "n2"), "app:1"));
}

static may_suspend void tag_act(struct sim *s)
{
	act(s, "POST", "/images/busybox/tag?repo=mine&tag=1", NULL, NULL);
	check_in_time();
	check_answer(s, 201);
}

static may_suspend void tag_after(struct sim *s)
{
	assert_status(sim_post(s, "/images/busybox/tag?repo=mine&tag=1", NULL), 201);
}

static may_suspend void untag_act(struct sim *s)
{
	act(s, "DELETE", "/images/busybox", NULL, NULL);
	check_in_time();
	check_answer(s, 200);
}

static may_suspend void untag_after(struct sim *s)
{
	bool left = sim_has_image(sim_find_engine(s, "n1"), "busybox") ||
		    sim_has_image(sim_find_engine(s, "n2"), "busybox");

	if (acting.reply.status == 200)
		assert_false(left);
	assert_status(sim_delete(s, "/images/busybox"), left ? 200 : 404);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAULT_STORY(logs, logs_prepare),     FAULT_STORY(wait, wait_prepare),
		FAULT_STORY(attach, attach_prepare), FAULT_STORY(exec, exec_prepare),
		FAULT_STORY(pull, pull_prepare),     FAULT_STORY(load, two_nodes),
		FAULT_STORY(tag, two_nodes),	     FAULT_STORY(untag, two_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
