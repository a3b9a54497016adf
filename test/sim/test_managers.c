/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two managers: what a replica answers itself and what it passes on, what a primary does no more
 * once its lease is over, and what a manager makes of an election. Who is elected is
 * test_election.c; that every stream goes through a replica byte for byte, other stories told with
 * SIM_REPLICA=1.
 */
#include "sim/sim.h"

#include "cli/managers.h"
#include "fiber/clock.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "sim/store.h"

static may_suspend struct sim_engine *two_managers(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1", IMAGE("busybox"));

	sim_registry_put(s, "nginx", false);
	sim_replicate(s);
	sim_up(s);
	return e;
}

static void assert_come_again(const struct sim_reply *r, const char *part)
{
	assert_refused(*r, 503, part);
	assert_str(http_header(&r->headers, "Retry-After"), "5");
}

/* "Role: replica" is a pair of SystemStatus. */
static may_suspend bool says(struct sim *s, const char *pair)
{
	struct sim_reply r = sim_get(s, "/v1.41/info");

	assert_status(r, 200);
	return str_contains(r.body, str_from(pair));
}

static may_suspend void a_replica_answers_for_itself(struct sim *s)
{
	two_managers(s);
	assert_true(says(s, "[\"Role\",\"replica\"],[\"Primary\",\"primary:4000\"]"));
	assert_status(sim_get(s, "/_ping"), 200);
	assert_status(sim_request(s, "HEAD", "/v1.40/_ping", NULL), 200);
	assert_refused(sim_get(s, "/debug/x"), 404, "page not found");

	api_pass_on(sim_replica(s), NULL);
	assert_true(says(s, "[\"Role\",\"replica\"],[\"Primary\",\"none\"]"));
	assert_status(sim_get(s, "/_ping"), 200);

	api_serve(sim_replica(s));
	assert_true(says(s, "[\"Role\",\"primary\"],[\"Strategy\""));
	fence_close(sim_fence(s));
	assert_true(says(s, "[\"Role\",\"replica\"],[\"Primary\",\"none\"]"));
}

static may_suspend void a_replica_passes_the_rest_on(struct sim *s)
{
	struct sim_engine *e = two_managers(s);
	struct sim_reply r;

	sim_run_container(s, "web", NULL);
	assert_true(sim_is_running(e, "web"));
	r = sim_get(s, "/v1.41/containers/json?all=1");
	assert_status(r, 200);
	assert_true(str_contains(r.body, STR("/n1/web")));
	/* As the primary words it, in its status. */
	assert_refused(sim_get(s, "/containers/nope/json"), 404, "No such container: nope");
	assert_refused(sim_post(s, "/nowhere", NULL), 404, "page not found");
	assert_status(sim_get(s, "/version"), 200);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	sim_settle(s);
}

static may_suspend void without_a_primary_one_comes_again(struct sim *s)
{
	struct sim_engine *e = two_managers(s);
	struct addr nowhere = { .kind = ADDR_TCP, .host = "10.9.9.9", .port = 4000 };
	struct sim_reply r;

	api_pass_on(sim_replica(s), NULL);
	r = sim_get(s, "/containers/json");
	assert_come_again(&r, "no primary manager is known");
	r = sim_post(s, "/containers/create?name=x", "{\"Image\":\"busybox\"}");
	assert_come_again(&r, "no primary manager is known");

	/* It has just died: its key in the store has not. */
	api_pass_on(sim_replica(s), &nowhere);
	r = sim_get(s, "/containers/json");
	assert_come_again(&r, "the primary manager: ");

	api_pass_on(sim_replica(s), &sim_primary_addr);
	assert_status(sim_get(s, "/containers/json"), 200);
	assert_int_equal(sim_count_containers(e), 0);
}

struct asking {
	struct sim *s;
	struct sim_reply reply;
};

static may_suspend void ask_for_create(void *arg)
{
	struct asking *a = arg;

	a->reply = sim_post(a->s, "/containers/create?name=x", "{\"Image\":\"busybox\"}");
}

/* It stands still, or its machine is gone, and another one leads: nobody waits for its answer. */
static may_suspend void what_a_lost_primary_has_not_answered_is_given_up(struct sim *s)
{
	struct asking a = { .s = s };
	struct addr other = { .kind = ADDR_TCP, .host = "10.9.9.9", .port = 4000 };
	struct sim_engine *e = two_managers(s);
	struct sim_stream *events = sim_open(s, "GET", "/events", NULL);

	sim_cut(e);
	sim_go(s, "client", ask_for_create, &a);
	sim_run(s, SECOND);
	api_pass_on(sim_replica(s), NULL);
	api_pass_on(sim_replica(s), &sim_primary_addr);
	sim_run(s, SECOND);
	assert_int_equal(a.reply.status, 0);
	api_pass_on(sim_replica(s), &other);
	sim_join(s);
	assert_come_again(&a.reply, "was replaced before it answered");

	/* What it has begun to answer goes on. */
	sim_heal(e);
	sim_wait(s, sim_count_containers(e) == 0);
	sim_local_create(e, "late", "{\"Image\":\"busybox\"}");
	assert_non_null(sim_next_line(events, MINUTE).p);
	sim_close(events);
	api_pass_on(sim_replica(s), &sim_primary_addr);
	sim_settle(s);
}

/* For a moment each may take the other one for the primary. */
static may_suspend void two_replicas_do_not_play_ball(struct sim *s)
{
	struct sim_reply r;

	two_managers(s);
	api_pass_on(sim_replica(s), &sim_primary_addr);
	api_pass_on(sim_api(s), &sim_primary_addr);
	r = sim_get(s, "/containers/json");
	assert_come_again(&r, "this manager is not the primary any more");
}

static may_suspend struct sim_reply create_nginx(struct sim *s, const char *client,
						 const struct http_header *headers)
{
	return sim_request_as(s, client, "POST", "/containers/create", "{\"Image\":\"nginx\"}",
			      headers);
}

static size_t pulls(const struct sim *s)
{
	return sim_calls(sim_find_engine(s, "n1"), "POST /images/create") +
	       sim_calls(sim_find_engine(s, "n2"), "POST /images/create");
}

/* That a client's pull goes to the node of its create shows whom the primary takes it for. */
static may_suspend void the_primary_knows_a_replicas_clients(struct sim *s)
{
	const char *pull = "/images/create?fromImage=nginx&tag=latest";

	sim_engine(s, "n2");
	two_managers(s);
	assert_status(create_nginx(s, "192.168.0.1", NULL), 404);
	assert_status(sim_request_as(s, "192.168.0.2", "POST", pull, NULL, NULL), 200);
	assert_int_equal(pulls(s), 2);
	assert_status(sim_request_as(s, "192.168.0.1", "POST", pull, NULL, NULL), 200);
	assert_int_equal(pulls(s), 3);
	sim_settle(s);
}

/* Only another manager is believed: this one asks as who it is, and no engine sees what it said. */
static may_suspend void nobody_else_says_who_asks(struct sim *s)
{
	static const struct http_header forged[] = {
		{ STR_INIT("X-Swarm-Manager"), STR_INIT("guess") },
		{ STR_INIT("X-Swarm-Client"), STR_INIT("192.168.0.1") },
		{ { NULL, 0 }, { NULL, 0 } },
	};

	sim_engine(s, "n2");
	two_managers(s);
	assert_status(create_nginx(s, "192.168.0.1", NULL), 404);
	assert_status(sim_request_as(s, "192.168.0.2", "POST",
				     "/images/create?fromImage=nginx&tag=latest", NULL, forged),
		      200);
	assert_int_equal(pulls(s), 2);
	sim_settle(s);
}

static may_suspend void without_a_lease_it_only_reads(struct sim *s)
{
	struct sim_engine *e = two_managers(s);
	struct sim_reply r;
	size_t before;

	sim_run_container(s, "web", NULL);
	fence_extend(sim_fence(s), clock_boot() + SECOND);
	assert_status(sim_post(s, "/containers/web/restart", NULL), 204);
	before = sim_calls(e, "POST ");
	sim_run(s, SECOND);
	r = sim_post(s, "/containers/web/stop", NULL);
	assert_come_again(&r, "this manager is not the primary");
	r = sim_delete(s, "/containers/web?force=1");
	assert_come_again(&r, "this manager is not the primary");
	r = sim_post(s, "/containers/create?name=x", "{\"Image\":\"busybox\"}");
	assert_come_again(&r, "this manager is not the primary");
	assert_status(sim_get(s, "/containers/web/json"), 200);
	assert_status(sim_get(s, "/containers/json"), 200);
	assert_status(sim_get(s, "/containers/web/logs?stdout=1"), 200);
	/* Which carries stdin, whatever its method. */
	r = sim_get(s, "/containers/web/attach/ws?stream=1&stdin=1");
	assert_come_again(&r, "this manager is not the primary");
	assert_int_equal(sim_calls(e, "POST "), before);
	assert_int_equal(sim_calls(e, "DELETE "), 0);
	/* That is not the node's fault. */
	assert_int_equal(engine_state(sim_node(s, e)), ENGINE_HEALTHY);

	fence_open(sim_fence(s), INT64_MAX);
	assert_status(sim_post(s, "/containers/web/stop", NULL), 204);
	sim_settle(s);
}

static may_suspend void joined_streams_go_on(struct sim *s)
{
	struct sim_stream *logs;
	struct sim_hijack *h;

	two_managers(s);
	sim_run_container(s, "cat", "{\"Image\":\"busybox\",\"Cmd\":[\"cat\"],\"OpenStdin\":true}");
	logs = sim_open(s, "GET", "/containers/cat/logs?stdout=1&follow=1", NULL);
	h = sim_hijack(s, "/containers/cat/attach?stream=1&stdin=1&stdout=1", NULL, true, NULL);
	sim_hijack_write(h, STR("before\n"));
	assert_true(sim_hijack_expect(h, "before", SECOND));
	fence_close(sim_fence(s));
	sim_hijack_write(h, STR("after\n"));
	assert_true(sim_hijack_expect(h, "after", SECOND));
	assert_non_null(sim_next_line(logs, SECOND).p);
	assert_non_null(sim_next_line(logs, SECOND).p);
	sim_hijack_end(h);
	sim_hijack_to_end(h, 10 * SECOND);
	assert_true(h->ended && !h->broke);
	sim_close(logs);
	sim_settle(s);
}

/* A create that pulls first: several writes. */
struct creation {
	struct sim *s;
	struct sim_reply reply;
};

static may_suspend void create_with_pull(void *arg)
{
	static const struct http_header auth[] = {
		/* {"username":"u","password":"p"} */
		{ STR_INIT("X-Registry-Auth"),
		  STR_INIT("eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAifQ==") },
		{ { NULL, 0 }, { NULL, 0 } },
	};
	struct creation *c = arg;

	c->reply = create_nginx(c->s, "192.168.0.1", auth);
}

/*
 * Even where it is the primary again by then: another one may have been, and given the name away.
 */
static may_suspend void stepping_down_ends_an_operation_at_its_next_write(struct sim *s)
{
	struct creation c = { .s = s };
	struct sim_engine *e = two_managers(s);
	size_t creates;

	sim_registry_set(s, "nginx", MINUTE, NULL);
	sim_go(s, "client", create_with_pull, &c);
	sim_wait(s, sim_calls(e, "POST /images/create") == 1);
	creates = sim_calls(e, "POST /containers/create");
	fence_close(sim_fence(s));
	sim_run(s, SECOND);
	fence_open(sim_fence(s), INT64_MAX);
	sim_join(s);
	assert_come_again(&c.reply, "this manager was not the primary for a while");
	assert_int_equal(sim_calls(e, "POST /containers/create"), creates);
	assert_int_equal(sim_count_containers(e), 0);
	assert_status(create_nginx(s, "192.168.0.1", NULL), 201);
	sim_settle(s);
}

/* A manager as cli/managers.c wires it, and the store over which it and others elect. */
struct elected {
	struct managers managers;
	struct sim_store store;
	struct sim_kv kv, other;
};

#define SELF  "10.0.0.1:4000"
#define OTHER "10.0.0.2:4000"
#define LEASE (10 * SECOND)

/* It does not campaign yet. */
static may_suspend struct elected *one_of_several(struct sim *s)
{
	struct elected *w = arena_new_array(sim_arena(s), struct elected, 1);

	managers_init(&w->managers);
	sim_config(s)->fence = &w->managers.fence;
	sim_store_init(&w->store);
	sim_kv_init(&w->kv, &w->store);
	sim_kv_init(&w->other, &w->store);
	sim_engine(s, "n1");
	sim_up(s);
	return w;
}

static may_suspend void is_elected(struct sim *s, struct elected *w)
{
	managers_start(&w->managers, &w->kv.base, SELF, LEASE, sim_api(s), sim_cluster(s));
	sim_wait(s, fence_is_open(&w->managers.fence));
}

static may_suspend void ends(struct elected *w)
{
	managers_stop(&w->managers);
	sim_store_fini(&w->store);
}

/* What the primary before did last: its events are still on their way. */
static may_suspend void who_is_elected_looks_at_the_nodes_first(struct sim *s)
{
	struct sim_engine *e;
	struct elected *w;

	/* Whoever leads before it has looked does not know at once. */
	sim_set_latency(s, 50 * MILLISECOND);
	w = one_of_several(s);
	e = sim_find_engine(s, "n1");
	sim_fault(s, e, FAULT_STALL, "GET /events", 0);
	sim_local_create(e, "late", "{\"Image\":\"busybox\"}");
	sim_run(s, SECOND);
	assert_true(sim_fault_fired(s));
	assert_status(sim_get(s, "/containers/late/json"), 404);
	is_elected(s, w);
	assert_status(sim_get(s, "/containers/late/json"), 200);
	assert_refused(sim_post(s, "/containers/create?name=late", "{\"Image\":\"busybox\"}"), 409,
		       "already assigned");
	sim_fault_clear(s);
	sim_settle(s);
	ends(w);
}

/* Another manager gets the key, once nobody holds it. */
static may_suspend struct kv_lease *other_is_elected(struct sim *s, struct elected *w)
{
	struct kv_lease *lease;
	bool won = false;

	sim_wait(s, str_empty(sim_store_value(&w->store, STR("docker/swarm/leader"))));
	assert_ok(kv_lease_begin(&w->other.base, HOUR, &lease));
	assert_ok(kv_lock(&w->other.base, STR("docker/swarm/leader"), STR(OTHER), lease, &won));
	assert_true(won);
	return lease;
}

static may_suspend void expect_leader(struct sim_stream *st, const char *action,
				      const char *manager, int64_t within)
{
	_cleanup_(strbuf_fini) struct strbuf part = STRBUF_INIT;
	struct str line = sim_next_line(st, within);

	strbuf_addf(&part, "\"Type\":\"manager\",\"Action\":\"%s\",\"Actor\":{\"ID\":\"%s\"",
		    action, manager);
	if (!str_contains(line, strbuf_str(&part)))
		fail_msg("no %s of %s: %.*s", action, manager, STR_ARG(line));
}

static may_suspend void who_leads_is_told(struct sim *s)
{
	struct elected *w = one_of_several(s);
	struct kv_lease *lease;
	struct sim_stream *st;

	sim_run(s, MINUTE);
	is_elected(s, w);
	st = sim_open(s, "GET", "/events?since=10s&filters=%7B%22type%22%3A%5B%22manager%22%5D%7D",
		      NULL);
	expect_leader(st, "leader_elected", SELF, SECOND);
	assert_true(says(s, "[\"Role\",\"primary\"],[\"Strategy\""));
	assert_true(sim_logged(s, "leader elected: this manager is the primary"));

	w->kv.cut = true;
	expect_leader(st, "leader_lost", SELF, LEASE);
	assert_true(sim_logged(s, "leader lost: this manager is not the primary any more"));
	lease = other_is_elected(s, w);
	w->kv.cut = false;
	expect_leader(st, "leader_elected", OTHER, MINUTE);
	assert_true(says(s, "[\"Role\",\"replica\"],[\"Primary\",\"" OTHER "\"]"));
	kv_lease_end(lease);
	sim_close(st);
	ends(w);
}

/* The engine acts when all of the body is there, so the last piece of it counts too. */
static may_suspend void a_body_under_way_is_cut(struct sim *s)
{
	struct sim_engine *e = two_managers(s);
	_cleanup_(stream_closep) struct stream *client = NULL;
	char answer[4096];
	size_t n;

	sim_create(s, "web", NULL);
	client = sim_connect(s, "192.168.0.1");
	assert_ok(stream_write(client, STR("PUT /containers/web/archive?path=/etc HTTP/1.1\r\n"
					   "Host: x\r\nTransfer-Encoding: chunked\r\n\r\n"
					   "5\r\na tar\r\n")));
	sim_wait(s, sim_calls(e, "PUT /") == 1);
	fence_close(sim_fence(s));
	assert_ok(stream_write(client, STR("0\r\n\r\n")));
	assert_ok(stream_read(client, answer, sizeof(answer), &n));
	assert_true(str_starts(str_of(answer, n), STR("HTTP/1.1 503 ")));
	assert_true(str_contains(str_of(answer, n), STR("Retry-After: 5\r\n")));
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_replica_answers_for_itself),
		STORY(a_replica_passes_the_rest_on),
		STORY(without_a_primary_one_comes_again),
		STORY(what_a_lost_primary_has_not_answered_is_given_up),
		STORY(two_replicas_do_not_play_ball),
		STORY(the_primary_knows_a_replicas_clients),
		STORY(nobody_else_says_who_asks),
		STORY(without_a_lease_it_only_reads),
		STORY(joined_streams_go_on),
		STORY(stepping_down_ends_an_operation_at_its_next_write),
		STORY(a_body_under_way_is_cut),
		STORY(who_is_elected_looks_at_the_nodes_first),
		STORY(who_leads_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
