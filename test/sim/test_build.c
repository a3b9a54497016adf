/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building: where it goes, that its image is known, and how it ends. The sessions and the gRPC of
 * BuildKit are test_buildkit.c's affair.
 */
#include "sim/builds.h"

#define ON_N1 \
	"buildargs=%7B%22constraint%3Anode%22%3A%22%3Dn1%22%7D" /* {"constraint:node":"=n1"} */

static size_t running(struct sim *s)
{
	return sim_running_builds(node(s, "n1")) + sim_running_builds(node(s, "n2"));
}

static may_suspend void a_build_goes_where_its_args_say(struct sim *s)
{
	/* {"A":"1","constraint:node":"=n2"} */
	const char *args =
		"buildargs=%7B%22A%22%3A%221%22%2C%22constraint%3Anode%22%3A%22%3Dn2%22%7D";

	pool_up(s, 2);
	for (int i = 0; i < 3; i++)
		built(s, sim_text(s, "%s&t=app%d", args, i), "FROM x\n");
	for (int i = 0; i < 3; i++)
		assert_true(sim_has_image(node(s, "n2"), sim_text(s, "app%d", i)));
	/* What is for the pool the engine does not get; the rest it does. */
	assert_int_equal(
		sim_calls(node(s, "n2"), "POST /build?buildargs=%7B%22A%22%3A%221%22%7D&t=app"), 3);
	sim_settle(s);
}

static may_suspend void a_query_without_expressions_is_untouched(struct sim *s)
{
	const char *query = "t=app&buildargs=%7B%22A%22%3A+%221%22%7D&x=%41&nocache=1";

	pool_up(s, 2);
	built(s, query, "FROM x\n");
	assert_int_equal(pool_calls(s, sim_text(s, "POST /build?%s at", query)), 1);
	sim_settle(s);
}

static may_suspend void a_remote_context_and_credentials_reach_the_engine(struct sim *s)
{
	static const struct http_header config[] = {
		{ STR_INIT("X-Registry-Config"), STR_INIT("eyJyZWc6NTAwMCI6e319") },
		{ { NULL, 0 }, { NULL, 0 } },
	};
	const char *query = "remote=https%3A%2F%2Fgit.example%2Fapp.git%23v1&t=app&" ON_N2;
	struct sim_reply r;

	pool_up(s, 2);
	r = sim_request_as(s, CLIENT, "POST", sim_text(s, "/build?%s", query), NULL, config);
	assert_status(r, 200);
	assert_int_equal(sim_calls_with(node(s, "n2"),
					"POST /build?remote=https%3A%2F%2Fgit.example%2Fapp.git"
					"%23v1&t=app",
					"X-Registry-Config: eyJyZWc6NTAwMCI6e319"),
			 1);
	sim_settle(s);
}

static may_suspend void a_build_that_no_node_may_take_is_told_why(struct sim *s)
{
	pool_up(s, 2);
	assert_refused(sim_post(s, "/build?buildargs=%7B%22constraint%3Anode%22%3A%22%3Dn9%22%7D",
				"FROM x\n"),
		       500, "node==n9");
	assert_refused(
		sim_post(s, "/build?buildargs=%7B%22constraint%3Anode%22%3Anull%7D", "FROM x\n"),
		400, "==, !=");
	assert_refused(sim_post(s, "/build?memory=99999999999999", "FROM x\n"), 500,
		       "no resources available");
	assert_refused(sim_post(s, "/build?networkmode=container:nobody", "FROM x\n"), 404,
		       "nobody");
	assert_int_equal(pool_calls(s, "POST /build"), 0);
	sim_settle(s);
}

static may_suspend void a_build_in_a_containers_network_goes_to_it(struct sim *s)
{
	const char *there, *id;

	pool_up(s, 2);
	id = sim_create(s, "db", NULL);
	there = sim_node_of(s, "db");
	for (int i = 0; i < 4; i++)
		built(s, "networkmode=container:db", sim_text(s, "FROM x%d\n", i));
	built(s, sim_text(s, "networkmode=container:%s/db", there), "FROM y\n");
	/* Its engine would not know it by that name. */
	id = sim_text(s, "POST /build?networkmode=container%%3A%s", id);
	assert_int_equal(sim_calls(node(s, there), id), 5);
	sim_settle(s);
}

/* A network of local scope is on its node alone, where it is called by its own name. */
static may_suspend void a_build_in_a_network_goes_to_it(struct sim *s)
{
	pool_up(s, 2);
	assert_status(sim_post(s, "/networks/create", "{\"Name\":\"n2/shop\"}"), 201);
	for (int i = 0; i < 4; i++)
		built(s, "networkmode=shop", sim_text(s, "FROM x%d\n", i));
	built(s, "networkmode=n2/shop", "FROM y\n");
	assert_int_equal(sim_calls(node(s, "n2"), "POST /build?networkmode=shop"), 5);
	assert_refused(sim_post(s, "/build?networkmode=shop&" ON_N1, "FROM x\n"), 500,
		       "network shop is not there");
	/* What each node has of its own, and what the builder knows by itself, are everywhere. */
	built(s, "networkmode=host&" ON_N1, "FROM h\n");
	built(s, "networkmode=default&" ON_N1, "FROM d\n");
	built(s, "networkmode=n1/bridge", "FROM b\n");
	assert_int_equal(sim_calls(node(s, "n1"), "POST /build?networkmode=bridge"), 1);
	sim_settle(s);
}

/* Known when the answer ends, dangling stages too, and not a moment later. */
static may_suspend void an_image_is_known_when_its_build_ends(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 2);
	built(s, "t=app&t=other:2", "FROM x\nstage\nFROM y\n");
	assert_status(sim_get(s, "/images/app/json"), 200);
	assert_status(sim_get(s, "/images/other:2/json"), 200);
	sim_check(s);
	r = sim_get(s, "/images/json");
	assert_int_equal(json_count(r.json), 3); /* busybox, the stage, the image */
	sim_create(s, NULL, "{\"Image\":\"app\"}");
	assert_int_equal(pool_calls(s, "POST /containers/create"), 1);
	sim_settle(s);
}

/*
 * What a classic build makes on its way is there for those who ask for all, and it is an ancestor.
 */
static may_suspend void steps_are_known_and_hidden(struct sim *s)
{
	static const char *const all = "/images/json?all=1";
	struct sim_reply r;

	pool_up(s, 2);
	built(s, "t=app", "from busybox\nlayer one\nlayer two\n");
	assert_int_equal(json_count(sim_get(s, "/images/json").json), 2);
	sim_wait(s, json_count(sim_get(s, all).json) == 4);
	r = sim_get(s, "/images/json?filters=%7B%22dangling%22:[%22true%22]%7D");
	assert_int_equal(json_count(r.json), 0);
	r = sim_get(s, "/images/json?filters=%7B%22until%22:[%2210h%22]%7D");
	assert_int_equal(json_count(r.json), 0);
	r = sim_get(s, "/images/json?filters=%7B%22until%22:[%22-10h%22]%7D");
	assert_int_equal(json_count(r.json), 2);
	r = sim_get(s, "/images/json?filters=%7B%22until%22:[%22x%22]%7D");
	assert_refused(r, 400, "invalid time");

	sim_create(s, "mine", "{\"Image\":\"app\"}");
	sim_create(s, "other", "{\"Image\":\"busybox\"}");
	r = sim_get(s, "/containers/json?all=1&filters=%7B%22ancestor%22:[%22busybox%22]%7D");
	assert_int_equal(json_count(r.json), 2);
	r = sim_get(s, "/containers/json?all=1&filters=%7B%22ancestor%22:[%22app%22]%7D");
	assert_int_equal(json_count(r.json), 1);
	sim_settle(s);
}

/* Without anything said it is built again where its cache is, and no old image keeps the name. */
static may_suspend void a_rebuild_goes_to_the_same_node(struct sim *s)
{
	pool_up(s, 2);
	built(s, ON_N2 "&t=app", "FROM x\n");
	sim_create(s, NULL, "{\"Image\":\"app\"}");
	for (int i = 0; i < 4; i++)
		built(s, "t=app:latest", sim_text(s, "FROM x\nRUN %d\n", i));
	assert_int_equal(sim_calls(node(s, "n2"), "POST /build"), 5);
	assert_false(sim_has_image(node(s, "n1"), "app"));
	sim_settle(s);
}

static may_suspend void the_next_create_gets_the_new_image(struct sim *s)
{
	struct sim_reply r;

	sim_engine(s, "n1", IMAGE("app"));
	sim_engine(s, "n2", IMAGE("app"));
	sim_up(s);
	/* n2 is the fuller one, so nothing but the build speaks for it. */
	for (int i = 0; i < 3; i++) {
		r = sim_post(s, "/containers/create",
			     "{\"Image\":\"app\",\"Env\":[\"constraint:node==n2\"]}");
		assert_status(r, 201);
	}
	built(s, ON_N2 "&t=app", "FROM x\n");
	r = sim_post(s, "/containers/create", "{\"Image\":\"app:latest\"}");
	assert_string_equal(sim_node_of(s, sim_string(s, &r, "Id")), "n2");
	sim_settle(s);
}

/* Where it must go elsewhere the image that was just built goes with it, not one that is there. */
static may_suspend void the_new_image_follows_to_a_volume(struct sim *s)
{
	const char *user = "{\"Image\":\"app\",\"HostConfig\":{\"Binds\":[\"data:/x\"]}}";

	sim_engine(s, "n1", IMAGE("app"));
	sim_engine(s, "n2", IMAGE("app"), IMAGE("app:old"));
	sim_up(s);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"n1/data\"}"), 201);
	sim_create(s, "before", user);
	assert_int_equal(pool_calls(s, "GET /images/get"), 0);
	built(s, ON_N2 "&t=app", "FROM x\n");
	assert_string_equal(sim_node_of(s, sim_create(s, "after", user)), "n1");
	assert_int_equal(sim_calls(node(s, "n2"), "GET /images/get?names=app"), 1);
	assert_int_equal(sim_calls(node(s, "n1"), "POST /images/load"), 1);
	/* An engine that is asked for the bare name would give all of its tags. */
	assert_false(sim_has_image(node(s, "n1"), "app:old"));
	sim_settle(s);
}

struct user_job {
	struct sim *s;
	struct sim_reply reply;
};

static may_suspend void user_main(void *arg)
{
	struct user_job *job = arg;

	job->reply = sim_post(job->s, "/containers/create",
			      "{\"Image\":\"app\",\"HostConfig\":{\"Binds\":[\"data:/x\"]}}");
}

/* compose up --scale: each of them finds the image missing at the same moment. */
static may_suspend void many_creates_bring_an_image_once(struct sim *s)
{
	struct user_job jobs[5];

	sim_engine(s, "n1");
	sim_engine(s, "n2", IMAGE("app"));
	sim_up(s);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"n1/data\"}"), 201);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i] = (struct user_job){ s, { 0 } };
		sim_go(s, "client", user_main, &jobs[i]);
	}
	sim_join(s);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		assert_status(jobs[i].reply, 201);
	assert_int_equal(sim_calls(node(s, "n1"), "POST /images/load"), 1);
	assert_int_equal(sim_count_containers(node(s, "n1")), ARRAY_LEN(jobs));
	sim_settle(s);
}

/* One that fails tells all of them; who leaves holds up nobody. */
static may_suspend void an_image_that_cannot_be_brought_fails_each_create(struct sim *s)
{
	struct user_job jobs[3];

	sim_engine(s, "n1");
	sim_engine(s, "n2", IMAGE("app"));
	sim_up(s);
	assert_status(sim_post(s, "/volumes/create", "{\"Name\":\"n1/data\"}"), 201);
	sim_script(node(s, "n1"), "POST /images/load", 500, "{\"message\":\"the disk is full\"}");
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
		jobs[i] = (struct user_job){ s, { 0 } };
		sim_go(s, "client", user_main, &jobs[i]);
	}
	sim_join(s);
	for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
		assert_refused(jobs[i].reply, 500, "from node n2 to node n1: the disk is full");
	assert_int_equal(sim_calls(node(s, "n1"), "POST /images/load"), 1);

	sim_script(node(s, "n1"), NULL, 0, NULL);
	sim_fault(s, node(s, "n1"), FAULT_STALL, "POST /images/load", 0);
	sim_go(s, "client", user_main, &jobs[0]);
	assert_false(sim_join_within(s, 10 * SECOND));
	assert_true(sim_fault_fired(s));
	user_main(&jobs[1]);
	assert_status(jobs[1].reply, 201);
	sim_settle(s);
}

/* Until it is brought there the other node has an older image of that name. */
static may_suspend void a_name_is_the_latest_image_of_it(struct sim *s)
{
	static const char *const where[] = { ON_N2 "&t=app", ON_N1 "&t=app", ON_N2 "&t=app" };
	static const char *const names[] = { "n2", "n1", "n2" };

	sim_engine(s, "n1", IMAGE("app"));
	sim_engine(s, "n2", IMAGE("app"));
	sim_up(s);
	for (size_t i = 0; i < ARRAY_LEN(where); i++) {
		struct sim_engine *e = node(s, names[i]);
		size_t before;

		built(s, where[i], sim_text(s, "FROM x%zu\n", i));
		before = sim_calls(e, "GET /images/app/json");
		assert_status(sim_get(s, "/images/app/json"), 200);
		assert_int_equal(sim_calls(e, "GET /images/app/json"), before + 1);
	}
	sim_settle(s);
}

/* A pull of that name is still one for all nodes. */
static may_suspend void a_build_does_not_narrow_a_pull(struct sim *s)
{
	pool_up(s, 2);
	sim_registry_put(s, "app", false);
	built(s, ON_N2 "&t=app", "FROM x\n");
	assert_status(sim_post(s, "/images/create?fromImage=app&tag=latest", NULL), 200);
	assert_true(sim_has_image(node(s, "n1"), "app"));
	sim_settle(s);
}

static may_suspend void a_failed_build_says_so_and_steers_nothing(struct sim *s)
{
	struct sim_reply r;

	pool_up(s, 2);
	r = sim_post(s, "/build?" ON_N2 "&t=app", "FROM x\nstage\nfail\n");
	assert_status(r, 200);
	assert_true(has_line(r.body, "errorDetail"));
	sim_check(s);
	assert_refused(sim_post(s, "/containers/create", "{\"Image\":\"app\"}"), 404,
		       "No such image");
	sim_settle(s);
}

/* One that runs counts as a container does, so that two go to two nodes. */
static may_suspend void builds_are_spread(struct sim *s)
{
	struct sim_stream *a, *b;

	pool_up(s, 2);
	a = sim_open(s, "POST", "/build", "sleep 1000\n");
	b = sim_open(s, "POST", "/build", "sleep 1001\n");
	assert_int_equal(sim_running_builds(node(s, "n1")), 1);
	assert_int_equal(sim_running_builds(node(s, "n2")), 1);
	while (sim_next_line(a, MINUTE).p || sim_next_line(b, MINUTE).p)
		;
	assert_true(sim_stream_ended(a) && sim_stream_ended(b));
	sim_settle(s);
}

static const char chunked[] = "POST /build?t=app HTTP/1.1\r\nHost: m\r\n"
			      "Transfer-Encoding: chunked\r\n\r\n";

static may_suspend void an_answer_begins_before_the_upload_ends(struct sim *s)
{
	struct sim_hijack *h;

	pool_up(s, 2);
	h = sim_converse(s, CLIENT, sim_text(s, "%s7\r\nFROM x\n\r\n", chunked));
	assert_int_equal(h->status, 200);
	assert_true(sim_hijack_expect(h, "more of the context", SECOND));
	assert_int_equal(running(s), 1);
	sim_hijack_write(h, STR("6\r\nRUN y\n\r\n0\r\n\r\n"));
	assert_true(sim_hijack_expect(h, "Successfully built", MINUTE));
	assert_true(sim_hijack_expect(h, "\r\n0\r\n\r\n", MINUTE));
	assert_status(sim_get(s, "/images/app/json"), 200);
	sim_hijack_close(h);
	sim_settle(s);
}

static may_suspend void a_client_that_leaves_stops_its_build(struct sim *s)
{
	struct sim_hijack *h;
	struct sim_stream *st;

	pool_up(s, 2);
	/* While it uploads ... */
	h = sim_converse(s, CLIENT, sim_text(s, "%s7\r\nFROM x\n\r\n", chunked));
	assert_int_equal(running(s), 1);
	sim_hijack_close(h);
	sim_run(s, SECOND);
	assert_int_equal(running(s), 0);
	/* ... and while it reads. */
	st = sim_open(s, "POST", "/build?t=app", "FROM x\nsleep 600000\n");
	assert_true(sim_next_line(st, SECOND).p);
	assert_int_equal(running(s), 1);
	sim_close(st);
	sim_run(s, SECOND);
	assert_int_equal(running(s), 0);
	sim_settle(s);
	assert_false(sim_has_image(node(s, "n1"), "app") || sim_has_image(node(s, "n2"), "app"));
}

static may_suspend void a_node_that_is_cut_off_is_named(struct sim *s)
{
	struct sim_stream *st;
	struct str line, last = STR("");

	pool_up(s, 2);
	st = sim_open(s, "POST", "/build?" ON_N2, "FROM x\nsleep 600000\n");
	while (!str_contains(last, STR("Step")))
		last = sim_next_line(st, SECOND);
	sim_cut(node(s, "n2"));
	while ((line = sim_next_line(st, 5 * MINUTE)).p)
		if (!str_empty(line))
			last = line;
	assert_true(sim_stream_ended(st));
	assert_true(has_line(last, "errorDetail") && has_line(last, "node n2 broke off"));
	sim_heal(node(s, "n2"));
	sim_settle(s);
	assert_int_equal(running(s), 0);
}

static may_suspend void a_build_is_cancelled_by_its_id(struct sim *s)
{
	struct sim_stream *st;
	struct str line, last = STR("");

	pool_up(s, 2);
	st = sim_open(s, "POST", "/build?version=2&buildid=one&" ON_N2, "FROM x\nsleep 600000\n");
	assert_status(sim_post(s, "/build/cancel?id=another", NULL), 200);
	assert_refused(sim_post(s, "/build/cancel", NULL), 400, "build ID not provided");
	assert_int_equal(pool_calls(s, "POST /build/cancel"), 0);
	assert_status(sim_post(s, "/build/cancel?id=one", NULL), 200);
	assert_int_equal(sim_calls(node(s, "n2"), "POST /build/cancel?id=one"), 1);
	while ((line = sim_next_line(st, SECOND)).p)
		last = line;
	assert_true(sim_stream_ended(st) && has_line(last, "context canceled"));
	assert_status(sim_post(s, "/build/cancel?id=one", NULL), 200);
	assert_int_equal(pool_calls(s, "POST /build/cancel"), 1);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_build_goes_where_its_args_say),
		STORY(a_query_without_expressions_is_untouched),
		STORY(a_remote_context_and_credentials_reach_the_engine),
		STORY(a_build_that_no_node_may_take_is_told_why),
		STORY(a_build_in_a_containers_network_goes_to_it),
		STORY(a_build_in_a_network_goes_to_it),
		STORY(an_image_is_known_when_its_build_ends),
		STORY(steps_are_known_and_hidden),
		STORY(a_rebuild_goes_to_the_same_node),
		STORY(the_next_create_gets_the_new_image),
		STORY(the_new_image_follows_to_a_volume),
		STORY(many_creates_bring_an_image_once),
		STORY(an_image_that_cannot_be_brought_fails_each_create),
		STORY(a_name_is_the_latest_image_of_it),
		STORY(a_build_does_not_narrow_a_pull),
		STORY(a_failed_build_says_so_and_steers_nothing),
		STORY(builds_are_spread),
		STORY(an_answer_begins_before_the_upload_ends),
		STORY(a_client_that_leaves_stops_its_build),
		STORY(a_node_that_is_cut_off_is_named),
		STORY(a_build_is_cancelled_by_its_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
