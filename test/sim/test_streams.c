/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hijacked connections and answers that go on: to the byte, each direction ending on its own, with
 * no limit of time.
 */
#include "sim/sim.h"

#include "fiber/clock.h"

static may_suspend void one_node(struct sim *s)
{
	sim_engine(s, "n1");
	sim_up(s);
}

/* What is behind the frames of a multiplexed stream, or where it is none NULL. */
static const char *unframed(struct sim *s, struct str in)
{
	_cleanup_(strbuf_fini) struct strbuf out = STRBUF_INIT;

	while (in.n >= 8) {
		const unsigned char *h = (const unsigned char *)in.p;
		size_t n = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];

		assert_int_equal(h[0], 1);
		assert_true(in.n >= 8 + n);
		strbuf_add(&out, str_of(in.p + 8, n));
		in = str_skip(in, 8 + n);
	}
	assert_int_equal(in.n, 0);
	return arena_cstr(sim_arena(s), strbuf_str(&out));
}

static may_suspend const char *exec(struct sim *s, const char *container, const char *config)
{
	struct sim_reply r = sim_post(s, sim_text(s, "/containers/%s/exec", container), config);

	assert_status(r, 201);
	return sim_string(s, &r, "Id");
}

static may_suspend struct sim_hijack *start_exec(struct sim *s, const char *id, bool upgrade,
						 const char *early)
{
	return sim_hijack(s, sim_text(s, "/exec/%s/start", id), "{\"Detach\":false,\"Tty\":false}",
			  upgrade, early);
}

static may_suspend void attach_carries_both_ways(struct sim *s)
{
	struct sim_hijack *h;

	one_node(s);
	sim_run_container(s, "cat", "{\"Image\":\"busybox\",\"Cmd\":[\"cat\"],\"OpenStdin\":true}");
	h = sim_hijack(s, "/containers/cat/attach?stream=1&stdin=1&stdout=1", NULL, true, NULL);
	assert_int_equal(h->status, 101);
	assert_str(h->reason, "UPGRADED");
	assert_str(http_header(&h->headers, "Content-Type"), "application/vnd.docker.raw-stream");
	assert_str(http_header(&h->headers, "Connection"), "Upgrade");
	assert_str(http_header(&h->headers, "Upgrade"), "tcp");
	for (int i = 0; i < 5; i++) {
		const char *text = sim_text(s, "round %d\n", i);

		sim_hijack_write(h, str_from(text));
		assert_true(sim_hijack_expect(h, text, SECOND));
		/* However long nothing is said. */
		sim_run(s, 20 * HOUR);
	}
	sim_hijack_end(h);
	sim_hijack_to_end(h, SECOND);
	assert_true(h->ended && !h->broke);
	assert_string_equal(unframed(s, strbuf_str(&h->in)),
			    "round 0\nround 1\nround 2\nround 3\nround 4\n");
	sim_settle(s);
}

/* docker run: attach, then start; input that came with the request is not lost. */
static may_suspend void early_data_is_kept(struct sim *s)
{
	struct sim_hijack *h;

	one_node(s);
	sim_create(s, "cat", "{\"Image\":\"busybox\",\"Cmd\":[\"cat\"],\"OpenStdin\":true}");
	h = sim_hijack(s, "/containers/cat/attach?stream=1&stdin=1&stdout=1", NULL, true,
		       "early bird\n");
	assert_int_equal(h->status, 101);
	sim_hijack_end(h);
	assert_status(sim_post(s, "/containers/cat/start", NULL), 204);
	sim_hijack_to_end(h, 10 * SECOND);
	assert_true(h->ended && !h->broke);
	assert_string_equal(unframed(s, strbuf_str(&h->in)), "early bird\n");
	sim_settle(s);
}

static may_suspend void old_clients_attach_without_an_upgrade(struct sim *s)
{
	struct sim_hijack *h;

	one_node(s);
	sim_run_container(s, "cat", "{\"Image\":\"busybox\",\"Cmd\":[\"cat\"],\"OpenStdin\":true}");
	h = sim_hijack(s, "/containers/cat/attach?stream=1&stdin=1&stdout=1", NULL, false, NULL);
	assert_int_equal(h->status, 200);
	assert_null(http_header(&h->headers, "Content-Length").p);
	assert_null(http_header(&h->headers, "Transfer-Encoding").p);
	sim_hijack_write(h, STR("hello\n"));
	assert_true(sim_hijack_expect(h, "hello", SECOND));
	sim_hijack_end(h);
	sim_hijack_to_end(h, SECOND);
	assert_true(h->ended && !h->broke);
	sim_settle(s);
}

/* The CLI ends its side at once where it has no input; output goes on. */
static may_suspend void output_outlives_the_end_of_input(struct sim *s)
{
	struct sim_hijack *h;

	one_node(s);
	sim_run_container(s, "count", "{\"Image\":\"busybox\",\"Cmd\":[\"count\",\"50\"]}");
	h = sim_hijack(s, "/containers/count/attach?stream=1&stdout=1&logs=1", NULL, true, NULL);
	sim_hijack_end(h);
	sim_hijack_to_end(h, MINUTE);
	assert_true(h->ended && !h->broke);
	assert_non_null(strstr(unframed(s, strbuf_str(&h->in)), "line 50\n"));
	sim_settle(s);
}

static may_suspend void a_tty_is_raw(struct sim *s)
{
	struct sim_hijack *h;

	one_node(s);
	sim_run_container(s, "cat",
			  "{\"Image\":\"busybox\",\"Cmd\":[\"cat\"],\"OpenStdin\":true,"
			  "\"Tty\":true}");
	h = sim_hijack(s, "/containers/cat/attach?stream=1&stdin=1&stdout=1", NULL, true, NULL);
	sim_hijack_write(h, str_of("\x01\x00\xff\r\n", 5));
	assert_status(sim_post(s, "/containers/cat/resize?h=24&w=80", NULL), 200);
	sim_run(s, SECOND);
	sim_hijack_end(h);
	sim_hijack_to_end(h, SECOND);
	assert_int_equal(h->in.n, 5);
	assert_memory_equal(h->in.p, "\x01\x00\xff\r\n", 5);
	sim_settle(s);
}

static may_suspend void an_attach_can_be_refused(struct sim *s)
{
	struct sim_hijack *h;

	one_node(s);
	sim_run_container(s, "x", NULL);
	assert_status(sim_post(s, "/containers/x/pause", NULL), 204);
	h = sim_hijack(s, "/containers/x/attach?stream=1", NULL, true, NULL);
	assert_int_equal(h->status, 409);
	assert_true(str_contains(h->refusal, STR("is paused")));
	h = sim_hijack(s, "/containers/y/attach?stream=1", NULL, true, NULL);
	assert_int_equal(h->status, 404);
	assert_true(str_contains(h->refusal, STR("No such container: y")));
	sim_settle(s);
}

/* More than all the buffers on its way, both ways at once. */
static may_suspend void much_is_carried_whole(struct sim *s)
{
	_cleanup_(strbuf_fini) struct strbuf sent = STRBUF_INIT;
	struct sim_hijack *h;

	one_node(s);
	sim_run_container(s, "cat",
			  "{\"Image\":\"busybox\",\"Cmd\":[\"cat\"],\"OpenStdin\":true,"
			  "\"Tty\":true}");
	h = sim_hijack(s, "/containers/cat/attach?stream=1&stdin=1&stdout=1", NULL, true, NULL);
	for (int i = 0; sent.n < MIB; i++)
		strbuf_addf(&sent, "%d,", i);
	sim_hijack_write(h, strbuf_str(&sent));
	sim_hijack_end(h);
	sim_hijack_to_end(h, MINUTE);
	assert_true(h->ended && !h->broke);
	assert_true(str_eq(strbuf_str(&h->in), strbuf_str(&sent)));
	sim_settle(s);
}

/* A client that goes away is gone at the engine too, and the container lives on. */
static may_suspend void a_client_that_leaves_is_gone(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_hijack *h;
	const char *id;

	sim_up(s);
	sim_run_container(s, "x", NULL);
	for (int i = 0; i < 20; i++) {
		id = exec(s, "x", "{\"Cmd\":[\"cat\"],\"AttachStdin\":true}");
		h = start_exec(s, id, true, NULL);
		assert_int_equal(h->status, 101);
		sim_hijack_write(h, STR("hello"));
		assert_true(sim_hijack_expect(h, "hello", SECOND));
		sim_hijack_close(h);
		sim_wait(s, sim_running_execs(e) == 0);
	}
	assert_true(sim_is_running(e, "x"));
	sim_settle(s);
}

static may_suspend void an_engine_that_dies_ends_its_streams(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *logs;
	struct sim_hijack *h;

	sim_up(s);
	sim_run_container(s, "cat", "{\"Image\":\"busybox\",\"Cmd\":[\"cat\"],\"OpenStdin\":true}");
	h = sim_hijack(s, "/containers/cat/attach?stream=1&stdin=1&stdout=1", NULL, true, NULL);
	logs = sim_open(s, "GET", "/containers/cat/logs?follow=1&stdout=1", NULL);
	sim_stop(e);
	sim_hijack_to_end(h, 10 * SECOND);
	assert_true(h->ended);
	assert_null(sim_next_line(logs, 10 * SECOND).p);
	assert_true(sim_stream_broke(logs) || sim_stream_ended(logs));
	sim_start(e);
	sim_settle(s);
}

static may_suspend void exec_runs_and_tells_how_it_ended(struct sim *s)
{
	struct sim_hijack *h;
	struct sim_reply r;
	const char *id;

	one_node(s);
	sim_run_container(s, "x", NULL);
	id = exec(s, "x", "{\"Cmd\":[\"echo\",\"hello\"],\"AttachStdout\":true}");
	h = start_exec(s, id, true, NULL);
	assert_int_equal(h->status, 101);
	sim_hijack_to_end(h, SECOND);
	assert_true(h->ended && !h->broke);
	assert_string_equal(unframed(s, strbuf_str(&h->in)), "hello");
	sim_hijack_close(h);

	id = exec(s, "x", "{\"Cmd\":[\"exit\",\"42\"]}");
	h = start_exec(s, id, true, NULL);
	sim_hijack_to_end(h, SECOND);
	r = sim_get(s, sim_text(s, "/exec/%s/json", id));
	assert_status(r, 200);
	assert_int_equal(json_get_i64(r.json, "ExitCode", -1), 42);
	sim_settle(s);
}

static may_suspend void exec_may_be_detached(struct sim *s)
{
	struct sim_reply r;
	const char *id;

	one_node(s);
	sim_run_container(s, "x", NULL);
	id = exec(s, "x", "{\"Cmd\":[\"exit\",\"7\"]}");
	r = sim_post(s, sim_text(s, "/exec/%s/start", id), "{\"Detach\":true}");
	assert_status(r, 200);
	assert_int_equal(r.body.n, 0);
	r = sim_get(s, sim_text(s, "/exec/%s/json", id));
	assert_int_equal(json_get_i64(r.json, "ExitCode", -1), 7);
	sim_settle(s);
}

static may_suspend void exec_keeps_early_data(struct sim *s)
{
	struct sim_hijack *h;
	const char *id;

	one_node(s);
	sim_run_container(s, "x", NULL);
	id = exec(s, "x", "{\"Cmd\":[\"cat\"],\"AttachStdin\":true}");
	h = start_exec(s, id, true, "early");
	sim_hijack_write(h, STR(" and late"));
	sim_hijack_end(h);
	sim_hijack_to_end(h, SECOND);
	assert_string_equal(unframed(s, strbuf_str(&h->in)), "early and late");
	sim_settle(s);
}

static may_suspend void five_hundred_execs_in_a_row(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");

	sim_up(s);
	sim_run_container(s, "x", NULL);
	for (int i = 0; i < 500; i++) {
		const char *id = exec(s, "x", "{\"Cmd\":[\"echo\",\"hi\"]}");
		struct sim_hijack *h = start_exec(s, id, true, NULL);

		sim_hijack_to_end(h, SECOND);
		assert_true(h->ended && !h->broke);
		sim_hijack_close(h);
	}
	assert_int_equal(sim_running_execs(e), 0);
	sim_settle(s);
}

/* Execs are found after a restart too: then all nodes are asked. */
static may_suspend void an_exec_is_found_after_a_restart(struct sim *s)
{
	const char *id;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_engine(s, "n3");
	sim_up(s);
	sim_run_container(s, "x", NULL);
	id = exec(s, "x", "{\"Cmd\":[\"exit\",\"1\"]}");
	sim_restart_manager(s);
	assert_status(sim_get(s, sim_text(s, "/exec/%s/json", id)), 200);
	assert_refused(sim_get(s, "/exec/0123/json"), 404, "No such exec instance: 0123");
	sim_settle(s);
}

static may_suspend void wait_says_at_once_that_it_waits(struct sim *s)
{
	struct sim_stream *st;
	int64_t at = clock_now();

	one_node(s);
	sim_create(s, "x", "{\"Image\":\"busybox\",\"Cmd\":[\"exit\",\"9\"]}");
	st = sim_open(s, "POST", "/containers/x/wait?condition=next-exit", NULL);
	assert_int_equal(sim_stream_status(st), 200);
	assert_true(clock_now() - at < SECOND);
	assert_null(sim_next_line(st, 10 * MINUTE).p);
	assert_status(sim_post(s, "/containers/x/start", NULL), 204);
	assert_str(sim_next_line(st, SECOND), "{\"StatusCode\":9}");
	sim_settle(s);
}

static may_suspend void wait_of_nothing_is_a_404(struct sim *s)
{
	one_node(s);
	assert_refused(sim_post(s, "/containers/nothing/wait", NULL), 404,
		       "No such container: nothing");
	sim_create(s, "x", NULL);
	assert_refused(sim_post(s, "/containers/x/wait?condition=never", NULL), 400,
		       "invalid condition");
	sim_settle(s);
}

/* docker run --rm: the container is gone when the wait is over. */
static may_suspend void a_removed_container_is_gone_after_its_wait(struct sim *s)
{
	struct sim_stream *st;

	one_node(s);
	for (int i = 0; i < 10; i++) {
		sim_create(s, "x",
			   "{\"Image\":\"busybox\",\"Cmd\":[\"exit\",\"0\"],\"HostConfig\":"
			   "{\"AutoRemove\":true}}");
		st = sim_open(s, "POST", "/containers/x/wait?condition=removed", NULL);
		assert_status(sim_post(s, "/containers/x/start", NULL), 204);
		assert_str(sim_next_line(st, SECOND), "{\"StatusCode\":0}");
		assert_refused(sim_get(s, "/containers/x/json"), 404, "No such container: x");
		sim_close(st);
	}
	sim_settle(s);
}

static may_suspend void logs_follow_to_the_end(struct sim *s)
{
	struct sim_stream *st;

	one_node(s);
	sim_run_container(s, "count",
			  "{\"Image\":\"busybox\",\"Tty\":true,\"Cmd\":[\"count\",\"100\"]}");
	st = sim_open(s, "GET", "/containers/count/logs?follow=1&stdout=1", NULL);
	for (int i = 1; i <= 100; i++)
		assert_str(sim_next_line(st, SECOND), sim_text(s, "line %d", i));
	assert_null(sim_next_line(st, SECOND).p);
	assert_true(sim_stream_ended(st));
	sim_settle(s);
}

static may_suspend void long_logs_are_whole(struct sim *s)
{
	struct sim_reply r;

	one_node(s);
	sim_run_container(s, "flood",
			  "{\"Image\":\"busybox\",\"Tty\":true,\"Cmd\":[\"flood\",\"3000\"]}");
	sim_run(s, SECOND);
	r = sim_get(s, "/containers/flood/logs?stdout=1");
	assert_status(r, 200);
	assert_int_equal(r.body.n, 3000 * 1024);
	assert_true(str_ends(r.body, STR("0002999\n")));
	sim_settle(s);
}

static may_suspend void readers_are_passed_through(struct sim *s)
{
	struct sim_reply r;
	struct sim_stream *stats;

	one_node(s);
	sim_run_container(s, "x", NULL);
	assert_status(sim_get(s, "/containers/x/top"), 200);
	assert_status(sim_get(s, "/containers/x/changes"), 200);
	r = sim_get(s, "/containers/x/export");
	assert_int_equal(r.body.n, 320);
	r = sim_get(s, "/containers/x/archive?path=/etc");
	assert_str(http_header(&r.headers, "X-Docker-Container-Path-Stat"), "eyJuYW1lIjoieCJ9");
	assert_str(r.body, "a tar");
	r = sim_request(s, "HEAD", "/containers/x/archive?path=/etc", NULL);
	assert_status(r, 200);
	assert_str(http_header(&r.headers, "X-Docker-Container-Path-Stat"), "eyJuYW1lIjoieCJ9");
	assert_int_equal(r.body.n, 0);
	assert_refused(sim_get(s, "/containers/x/archive?path=/missing"), 404,
		       "Could not find the file /missing");
	assert_status(sim_request(s, "PUT", "/containers/x/archive?path=/etc", "a tar"), 200);
	stats = sim_open(s, "GET", "/containers/x/stats", NULL);
	for (int i = 0; i < 5; i++)
		assert_non_null(sim_next_line(stats, 2 * SECOND).p);
	sim_close(stats);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(attach_carries_both_ways),
		STORY(early_data_is_kept),
		STORY(old_clients_attach_without_an_upgrade),
		STORY(output_outlives_the_end_of_input),
		STORY(a_tty_is_raw),
		STORY(an_attach_can_be_refused),
		STORY(much_is_carried_whole),
		STORY(a_client_that_leaves_is_gone),
		STORY(an_engine_that_dies_ends_its_streams),
		STORY(exec_runs_and_tells_how_it_ended),
		STORY(exec_may_be_detached),
		STORY(exec_keeps_early_data),
		STORY(five_hundred_execs_in_a_row),
		STORY(an_exec_is_found_after_a_restart),
		STORY(wait_says_at_once_that_it_waits),
		STORY(wait_of_nothing_is_a_404),
		STORY(a_removed_container_is_gone_after_its_wait),
		STORY(logs_follow_to_the_end),
		STORY(long_logs_are_whole),
		STORY(readers_are_passed_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
