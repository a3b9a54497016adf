/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BuildKit: that all that belongs to one build, or to one client's gRPC, meets on one node and
 * leaves nothing behind.
 */
#include "sim/builds.h"

#include "sim/engine.h"

#define OTHER "192.168.0.2"

static size_t links(struct sim *s)
{
	return sim_build_links(node(s, "n1")) + sim_build_links(node(s, "n2"));
}

static may_suspend struct sim_hijack *upgraded(struct sim *s, const char *client, const char *path,
					       const char *header, const char *early)
{
	return sim_converse(s, client,
			    sim_text(s,
				     "POST %s HTTP/1.1\r\nHost: m\r\nConnection: Upgrade\r\n"
				     "Upgrade: h2c\r\n%s\r\n%s",
				     path, header, early));
}

static may_suspend struct sim_hijack *session(struct sim *s, const char *id, const char *early)
{
	struct sim_hijack *h =
		upgraded(s, CLIENT, "/session",
			 sim_text(s, "X-Docker-Expose-Session-Uuid: %s\r\n", id), early);

	assert_int_equal(h->status, 101);
	assert_str(http_header(&h->headers, "Upgrade"), "h2c");
	return h;
}

static may_suspend struct sim_hijack *grpc(struct sim *s, const char *client, const char *early)
{
	struct sim_hijack *h = upgraded(s, client, "/grpc", "", early);

	assert_int_equal(h->status, 101);
	return h;
}

static may_suspend void a_session_meets_its_build(struct sim *s)
{
	struct sim_hijack *h;

	pool_up(s, 2);
	h = session(s, "abc", "ahead ");
	sim_hijack_write(h, STR("of the node"));
	sim_run(s, 5 * SECOND);
	assert_int_equal(pool_calls(s, "POST /session"), 0);
	built(s, "version=2&session=abc&remote=client-session&t=app&" ON_N2, NULL);
	assert_true(sim_hijack_expect(h, "session at n2\n", SECOND));
	assert_true(sim_hijack_expect(h, "ahead of the node", SECOND));
	assert_true(sim_has_image(node(s, "n2"), "app"));
	assert_status(sim_get(s, "/images/app/json"), 200);
	/* A further build of that session goes to it, whatever else speaks for another node. */
	built(s, "version=2&session=abc&remote=client-session", NULL);
	assert_int_equal(sim_calls(node(s, "n2"), "POST /build"), 2);
	sim_hijack_end(h);
	sim_hijack_to_end(h, SECOND);
	assert_true(h->ended && !h->broke);
	sim_settle(s);
	assert_int_equal(links(s), 0);
}

static may_suspend void a_session_may_come_after_its_build(struct sim *s)
{
	struct sim_stream *st;
	struct sim_hijack *h;
	struct str line, last = STR("");

	pool_up(s, 2);
	st = sim_open(s, "POST", "/build?version=2&session=abc&" ON_N2, "FROM x\n");
	h = session(s, "abc", "");
	assert_true(sim_hijack_expect(h, "session at n2\n", SECOND));
	while ((line = sim_next_line(st, SECOND)).p)
		last = line;
	assert_true(has_line(last, "Successfully built"));
	sim_hijack_close(h);
	sim_settle(s);
	assert_int_equal(links(s), 0);
}

static may_suspend void a_session_without_a_build_is_ended(struct sim *s)
{
	struct sim_hijack *h, *second;

	pool_up(s, 2);
	h = session(s, "abc", "hello?");
	/* There can be one of that name at a time. */
	second = upgraded(s, OTHER, "/session", "X-Docker-Expose-Session-Uuid: abc\r\n", "");
	assert_int_equal(second->status, 400);
	assert_true(has_line(second->refusal, "session abc already exists"));
	sim_hijack_to_end(h, 2 * MINUTE);
	assert_true(h->ended);
	assert_int_equal(pool_calls(s, "POST /session"), 0);
	/* One whose client leaves meanwhile is gone at once. */
	h = session(s, "abc", "");
	sim_hijack_close(h);
	sim_run(s, 100 * MILLISECOND);
	h = session(s, "abc", "");
	sim_hijack_close(h);
	sim_settle(s);
}

static may_suspend void a_context_from_stdin_meets_its_build(struct sim *s)
{
	struct sim_stream *build;
	struct str line, last = STR("");

	pool_up(s, 2);
	assert_refused(sim_post(s, "/build?version=2&buildid=upload-request:none", "FROM x\n"), 404,
		       "no build");
	build = sim_open(s, "POST", "/build?version=2&buildid=one&" ON_N2, "sleep 100\n");
	assert_status(sim_post(s, "/build?version=2&buildid=upload-request:one", "FROM x\n"), 200);
	assert_int_equal(sim_calls(node(s, "n2"), "POST /build"), 2);
	while ((line = sim_next_line(build, SECOND)).p)
		last = line;
	assert_true(has_line(last, "Successfully built"));
	sim_settle(s);
}

/* "n1" or "n2", whichever node answered. */
static may_suspend const char *where(struct sim_hijack *h)
{
	assert_true(sim_hijack_expect(h, "\n", SECOND));
	return str_contains(strbuf_str(&h->in), STR("at n1\n")) ? "n1" : "n2";
}

static may_suspend void all_grpc_of_a_client_goes_to_one_node(struct sim *s)
{
	struct sim_hijack *h = NULL;
	const char *first;

	pool_up(s, 2);
	first = where(grpc(s, CLIENT, "PRI"));
	for (int i = 0; i < 5; i++) {
		h = grpc(s, CLIENT, "PRI");
		assert_string_equal(where(h), first);
	}
	/* Of its sessions too, once no build has named them. */
	h = session(s, "abc", "");
	assert_string_equal(where(h), first);
	assert_true(sim_hijack_expect(h, "session at", SECOND));
	sim_hijack_close(h);
	sim_settle(s);
}

static may_suspend void a_probe_chooses_nothing(struct sim *s)
{
	struct sim_hijack *h;

	pool_up(s, 2);
	h = grpc(s, CLIENT, "");
	sim_hijack_close(h);
	sim_run(s, SECOND);
	assert_int_equal(pool_calls(s, "POST /grpc"), 0);
	/* So the next that has something to say says where. */
	h = upgraded(s, CLIENT, "/grpc", "X-Swarm-Constraints: [\"node==n2\"]\r\n", "PRI");
	assert_string_equal(where(h), "n2");
	sim_settle(s);
}

static may_suspend void constraints_of_grpc_choose_until_a_minute_after(struct sim *s)
{
	struct sim_hijack *h, *other;

	pool_up(s, 2);
	h = upgraded(s, CLIENT, "/grpc", "X-Swarm-Constraints: [\"node==n2\"]\r\n", "PRI");
	assert_string_equal(where(h), "n2");
	other = upgraded(s, OTHER, "/grpc", "X-Swarm-Constraints: [\"node==n1\"]\r\n", "PRI");
	assert_string_equal(where(other), "n1");
	sim_hijack_close(h);
	sim_run(s, 50 * SECOND);
	h = upgraded(s, CLIENT, "/grpc", "X-Swarm-Constraints: [\"node==n1\"]\r\n", "PRI");
	assert_string_equal(where(h), "n2");
	sim_hijack_close(h);
	sim_run(s, 65 * SECOND);
	h = upgraded(s, CLIENT, "/grpc", "X-Swarm-Constraints: [\"node==n1\"]\r\n", "PRI");
	assert_string_equal(where(h), "n1");
	sim_hijack_close(h);
	sim_hijack_close(other);
	sim_settle(s);
	assert_int_equal(links(s), 0);
}

static may_suspend void a_client_whose_node_fails_gets_another(struct sim *s)
{
	struct sim_hijack *h;
	const char *first;

	pool_up(s, 2);
	h = grpc(s, CLIENT, "PRI");
	first = where(h);
	sim_stop(node(s, first));
	sim_hijack_to_end(h, MINUTE);
	assert_true(h->ended);
	sim_wait(s, strcmp(sim_info_line(s, first, "Status"), "Healthy") != 0);
	assert_string_not_equal(where(grpc(s, CLIENT, "PRI")), first);
	sim_start(node(s, first));
	sim_settle(s);
}

static may_suspend void what_is_no_http2_is_refused(struct sim *s)
{
	static const char *const paths[] = { "/session", "/grpc" };
	struct sim_hijack *h;

	pool_up(s, 2);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_refused(sim_post(s, paths[i], NULL), 400, "no upgrade proto");
		h = sim_hijack(s, paths[i], NULL, true, NULL); /* to tcp */
		assert_int_equal(h->status, 400);
		assert_true(has_line(h->refusal, "protocol tcp not supported"));
	}
	h = upgraded(s, CLIENT, "/session", "", "");
	assert_int_equal(h->status, 400);
	h = upgraded(s, CLIENT, "/grpc", "X-Swarm-Constraints: node==n1\r\n", "");
	assert_int_equal(h->status, 400);
	assert_true(has_line(h->refusal, "X-Swarm-Constraints"));
	h = upgraded(s, CLIENT, "/grpc", "X-Swarm-Constraints: [\"node=n1\"]\r\n", "");
	assert_int_equal(h->status, 400);
	sim_settle(s);
}

/* A session that went to the node of the client's gRPC keeps its builds there, or says why not. */
static may_suspend void a_build_follows_its_session(struct sim *s)
{
	struct sim_hijack *h, *g;

	pool_up(s, 2);
	g = upgraded(s, CLIENT, "/grpc", "X-Swarm-Constraints: [\"node==n1\"]\r\n", "PRI");
	assert_string_equal(where(g), "n1");
	h = session(s, "abc", "");
	assert_string_equal(where(h), "n1");
	built(s, "version=2&session=abc", NULL);
	assert_int_equal(sim_calls(node(s, "n1"), "POST /build"), 1);
	assert_refused(sim_post(s, "/build?version=2&session=abc&" ON_N2, NULL), 500,
		       "session is on another node");
	sim_hijack_close(h);
	sim_hijack_close(g);
	sim_settle(s);
}

/* A builder of an engine of 20.10 makes an image, and tells nobody. */
static void make_image(struct sim *s, const char *at, const char *content, const char *tag)
{
	char *id = fake_image_id_of(content);

	fake_image_add(node(s, at), id, tag, NULL);
	free(id);
}

static may_suspend struct sim_hijack *grpc_on(struct sim *s, const char *name)
{
	struct sim_hijack *h =
		upgraded(s, CLIENT, "/grpc",
			 sim_text(s, "X-Swarm-Constraints: [\"node==%s\"]\r\n", name), "PRI");

	assert_string_equal(where(h), name);
	return h;
}

static may_suspend void what_grpc_built_is_there_for_the_next_request(struct sim *s)
{
	struct sim_hijack *h;

	pool_up(s, 2);
	h = grpc_on(s, "n2");
	assert_status(sim_get(s, "/images/app/json"), 404);
	make_image(s, "n2", "one", "app:latest");
	/* It pushes what it has built while it holds the connection, */
	assert_status(sim_get(s, "/images/app/json"), 200);
	make_image(s, "n2", "two", "other:1");
	sim_hijack_close(h);
	/* and runs it when it has gone. */
	assert_true(has_line(sim_get(s, "/images/json").body, "other:1"));
	assert_status(sim_post(s, "/containers/create?name=c", "{\"Image\":\"other:1\"}"), 201);
	assert_string_equal(sim_node_of(s, "c"), "n2");
	sim_settle(s);
}

static may_suspend void who_builds_nothing_by_grpc_has_no_node_looked_at(struct sim *s)
{
	struct sim_hijack *h;
	int lists;

	pool_up(s, 2);
	h = grpc_on(s, "n2");
	sim_hijack_close(h);
	sim_run(s, SECOND);
	lists = pool_calls(s, "GET /images/json");
	for (int i = 0; i < 3; i++)
		assert_status(sim_get(s, "/images/app/json"), 404);
	assert_int_equal(pool_calls(s, "GET /images/json"), lists);
	sim_settle(s);
}

/* Another node has an older one of that name. */
static may_suspend void a_create_means_what_its_client_has_built(struct sim *s)
{
	struct sim_hijack *h;

	pool_up(s, 2);
	make_image(s, "n1", "old", "app:latest");
	sim_run(s, 2 * MINUTE);
	h = grpc_on(s, "n2");
	make_image(s, "n2", "new", "app:latest");
	sim_hijack_close(h);
	for (int i = 0; i < 4; i++) {
		const char *name = sim_text(s, "c%d", i);

		assert_status(sim_post(s, sim_text(s, "/containers/create?name=%s", name),
				       "{\"Image\":\"app\"}"),
			      201);
		assert_string_equal(sim_node_of(s, name), "n2");
	}
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_session_meets_its_build),
		STORY(a_session_may_come_after_its_build),
		STORY(a_session_without_a_build_is_ended),
		STORY(a_context_from_stdin_meets_its_build),
		STORY(all_grpc_of_a_client_goes_to_one_node),
		STORY(a_probe_chooses_nothing),
		STORY(constraints_of_grpc_choose_until_a_minute_after),
		STORY(a_client_whose_node_fails_gets_another),
		STORY(what_is_no_http2_is_refused),
		STORY(a_build_follows_its_session),
		STORY(what_grpc_built_is_there_for_the_next_request),
		STORY(who_builds_nothing_by_grpc_has_no_node_looked_at),
		STORY(a_create_means_what_its_client_has_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
