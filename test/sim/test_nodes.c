/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a node (section 3 of the contract): pending, healthy, unhealthy, back, replaced,
 * gone; and what the pool says of it.
 */
#include "sim/sim.h"

#include <stdlib.h>

#include "fiber/clock.h"

/* The pool's own events from now on. */
static may_suspend struct sim_stream *watch_nodes(struct sim *s)
{
	struct sim_stream *st =
		sim_open(s, "GET", "/events?filters=%7B%22type%22%3A%5B%22node%22%5D%7D", NULL);

	assert_int_equal(sim_stream_status(st), 200);
	return st;
}

static may_suspend void expect_event(struct sim *s, struct sim_stream *st, const char *action,
				     const char *node, int64_t within)
{
	struct str line = sim_next_line(st, within);
	struct json event;

	if (!line.p)
		fail_msg("no %s within %lld s", action, (long long)(within / SECOND));
	assert_ok(json_parse(line, sim_arena(s), &event));
	assert_str(json_get_str(event, "Action"), action);
	assert_str(json_get_str(json_path(event, "Actor.Attributes"), "node.name"), node);
}

static may_suspend void is_pending_until_it_answers(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1", DOWN);

	sim_engine(s, "n2");
	sim_up(s);
	assert_string_equal(sim_info_line(s, "10.0.0.1:2375", "Status"), "Pending");
	assert_non_null(strstr(sim_info_line(s, "10.0.0.1:2375", "Error"), "refused"));
	sim_start(e);
	sim_wait(s, strcmp(sim_info_line(s, "n1", "Status"), "Healthy") == 0);
	assert_string_equal(sim_info_line(s, "n1", "Error"), "");
	sim_settle(s);
}

/* Tried again and again, ever more seldom, but never more than half a minute apart. */
static may_suspend void backs_off_from_what_does_not_answer(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	size_t before;

	sim_set_resources(e, 0, 0);
	sim_up(s);
	sim_run(s, 5 * MINUTE);
	before = sim_calls(e, "GET /info");
	sim_run(s, 10 * MINUTE);
	assert_in_range(sim_calls(e, "GET /info") - before, 15, 50);
}

static may_suspend void refuses_what_has_no_resources(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");

	sim_engine(s, "n2");
	sim_set_resources(e, 0, (int64_t)(8 * GIB));
	sim_up(s);
	assert_string_equal(sim_info_line(s, "10.0.0.1:2375", "Status"), "Pending");
	assert_non_null(strstr(sim_info_line(s, "10.0.0.1:2375", "Error"),
			       "cannot get resources for this engine, make sure 10.0.0.1:2375 is a "
			       "Docker Engine, not a Swarm manager"));
	sim_set_resources(e, 4, (int64_t)(8 * GIB));
	sim_wait(s, strcmp(sim_info_line(s, "n1", "Status"), "Healthy") == 0);
	sim_settle(s);
}

static may_suspend void refuses_one_engine_listed_twice(struct sim *s)
{
	struct cluster_totals totals;

	sim_engine(s, "n1", ENGINE_ID("ABCD"));
	sim_engine(s, "n1", ENGINE_ID("ABCD"));
	sim_up(s);
	sim_run(s, MINUTE);
	assert_non_null(
		strstr(sim_info_line(s, "(unknown)", "Error"), "ID duplicated. ABCD shared by"));
	cluster_totals(sim_cluster(s), &totals);
	assert_int_equal(totals.cpus, 4);
	sim_create(s, "a", NULL);
	sim_settle(s);
}

static may_suspend void takes_a_cloned_machine(struct sim *s)
{
	sim_engine(s, "n1", ENGINE_ID("ABCD"));
	sim_engine(s, "n2", ENGINE_ID("ABCD"));
	sim_up(s);
	assert_string_equal(sim_info_line(s, "n1", "Status"), "Healthy");
	assert_string_equal(sim_info_line(s, "n2", "Status"), "Healthy");
	assert_true(sim_logged(s, "two machines have one engine ID"));
	sim_settle(s);
}

/* What both came with has one id, and each is found by its node. */
static may_suspend void a_clone_has_the_same_containers(struct sim *s)
{
	struct sim_engine *n1 = sim_engine(s, "n1", ENGINE_ID("ABCD"));
	struct sim_engine *n2 = sim_engine(s, "n2", ENGINE_ID("ABCD"));
	const char *id = sim_local_create(n1, "agent", NULL);
	struct sim_reply r;

	sim_copy_containers(n1, n2);
	sim_up(s);
	r = sim_get(s, "/containers/json?all=1");
	assert_int_equal(json_count(r.json), 2);
	assert_refused(sim_get(s, sim_text(s, "/containers/%s/json", id)), 400, "n1/agent");
	assert_status(sim_post(s, "/containers/n2/agent/start", NULL), 204);
	assert_true(sim_is_running(n2, "agent"));
	assert_false(sim_is_running(n1, "agent"));

	assert_status(sim_delete(s, "/containers/n2/agent?force=1"), 204);
	r = sim_get(s, "/containers/json?all=1");
	assert_int_equal(json_count(r.json), 1);
	assert_status(sim_get(s, sim_text(s, "/containers/%s/json", id)), 200);
	sim_settle(s);
}

static bool is_healthy(const struct sim *s, const struct sim_engine *e)
{
	return engine_state(sim_node(s, e)) == ENGINE_HEALTHY;
}

/* The ID is free again when the one that had it has left. */
static may_suspend void takes_the_second_once_the_first_has_left(struct sim *s)
{
	struct sim_engine *first = sim_engine(s, "n1", ENGINE_ID("ABCD"));
	struct sim_engine *second = sim_engine(s, "n1", ENGINE_ID("ABCD"));

	sim_up(s);
	assert_true(is_healthy(s, first) != is_healthy(s, second));
	sim_unlist(is_healthy(s, first) ? first : second);
	sim_discover(s);
	second = sim_node(s, first) ? first : second;
	sim_wait(s, is_healthy(s, second));
	sim_create(s, "a", "{\"Image\":\"busybox\",\"Env\":[\"constraint:node==ABCD\"]}");
	sim_settle(s);
}

static struct str id_of(struct sim *s, const char *node)
{
	_cleanup_(engine_unrefp) struct engine *e = cluster_engine(sim_cluster(s), str_from(node));

	return e ? arena_dup(sim_arena(s), engine_id(e)) : STR_NONE;
}

/* Each is found by its ID; one of them by the name, and the other when that has left. */
static may_suspend void finds_nodes_that_share_a_name(struct sim *s)
{
	struct sim_engine *a = sim_engine(s, "n1", ENGINE_ID("AAAA"));
	struct sim_engine *b = sim_engine(s, "n1", ENGINE_ID("BBBB"));
	bool a_first;

	sim_up(s);
	assert_str(id_of(s, "AAAA"), "AAAA");
	assert_str(id_of(s, "BBBB"), "BBBB");
	a_first = str_eq(id_of(s, "n1"), STR("AAAA"));
	sim_unlist(a_first ? a : b);
	sim_discover(s);
	sim_wait(s, !id_of(s, a_first ? "AAAA" : "BBBB").p);
	assert_str(id_of(s, "n1"), a_first ? "BBBB" : "AAAA");
	sim_settle(s);
}

/* A daemon that was restarted with another label: who asks for the old one goes elsewhere. */
static may_suspend void places_by_the_labels_of_now(struct sim *s)
{
	static const char on_ssd[] =
		"{\"Image\":\"busybox\",\"Env\":[\"constraint:storage==ssd\"]}";
	struct sim_engine *e = sim_engine(s, "n1", LABEL("storage", "ssd"));

	sim_engine(s, "n2");
	sim_up(s);
	sim_create(s, "a", on_ssd);
	sim_run(s, 3 * MINUTE); /* told the same several times */
	sim_create(s, "b", on_ssd);
	sim_set_label(e, "storage=hdd");
	sim_run(s, 3 * MINUTE);
	assert_refused(sim_post(s, "/containers/create?name=c", on_ssd), 500,
		       "Unable to find a node that satisfies the following conditions \n"
		       "[storage==ssd]\nno node fits: 2 nodes: constraint storage==ssd not met by "
		       "n1, n2 (storage=hdd, no storage)");
	sim_create(s, "d", "{\"Image\":\"busybox\",\"Env\":[\"constraint:storage==hdd\"]}");
	sim_settle(s);
}

/* Somebody gives the machine another host name, and it more memory, while containers are there. */
static may_suspend void is_called_what_it_calls_itself_now(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1", ENGINE_ID("ABCD"));
	struct sim_reply r;

	sim_up(s);
	sim_create(s, "web", NULL);
	sim_script(e, "GET /info", 200,
		   "{\"ID\":\"ABCD\",\"Name\":\"n9\",\"NCPU\":8,\"MemTotal\":17179869184}");
	sim_run(s, 2 * MINUTE);
	r = sim_get(s, "/containers/json?all=1");
	assert_str(json_raw(json_get(json_item(r.json, 0), "Names")), "[\"/web\",\"/n9/web\"]");
	assert_status(sim_get(s, "/containers/n9/web/json"), 200);
	assert_refused(sim_get(s, "/containers/n1/web/json"), 404, "No such container: n1/web");
	assert_string_equal(sim_info_line(s, "n9", "Reserved CPUs"), "0 / 8");
	sim_create(s, "n9/big", "{\"Image\":\"busybox\",\"HostConfig\":{\"NanoCpus\":6000000000}}");
	assert_string_equal(sim_info_line(s, "n9", "Reserved CPUs"), "6 / 8");
	assert_refused(sim_post(s, "/containers/create?name=n1/x", "{\"Image\":\"busybox\"}"), 400,
		       "No such node: n1");
	sim_script(e, NULL, 0, NULL);
}

/* Cut off silently: known within 45 s, wherever in its rhythm the manager is. */
static may_suspend void a_silent_cut_is_known_within_45_s(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *events;
	int64_t at;

	sim_engine(s, "n2");
	sim_up(s);
	events = watch_nodes(s);
	sim_run(s, (int64_t)(sim_seed(s) * 7919 % 90) * SECOND);
	sim_cut(e);
	at = clock_now();
	expect_event(s, events, "engine_disconnect", "n1", 45 * SECOND);
	assert_in_range((clock_now() - at) / SECOND, 10, 45);
	assert_string_equal(sim_info_line(s, "n1", "Status"), "Unhealthy");
	assert_true(strlen(sim_info_line(s, "n1", "Error")) > 0);
	sim_run(s, 5 * MINUTE);
	sim_heal(e);
	expect_event(s, events, "engine_reconnect", "n1", 30 * SECOND);
	assert_string_equal(sim_info_line(s, "n1", "Status"), "Healthy");
	assert_string_equal(sim_info_line(s, "n1", "Error"), "");
	sim_settle(s);
}

/* One that refuses is known at its third failure, its stream's end being the first sign. */
static may_suspend void a_stopped_engine_is_known_soon(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *events;

	sim_engine(s, "n2");
	sim_up(s);
	events = watch_nodes(s);
	sim_run(s, 12 * SECOND);
	sim_stop(e);
	expect_event(s, events, "engine_disconnect", "n1", 20 * SECOND);
	sim_run(s, 10 * SECOND);
	sim_start(e);
	expect_event(s, events, "engine_reconnect", "n1", 20 * SECOND);
	sim_settle(s);
}

/* Two failures are not three. */
static may_suspend void a_short_cut_changes_nothing(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *events;

	sim_engine(s, "n2");
	sim_up(s);
	sim_run_container(s, "a", "{\"Image\":\"busybox\"}");
	events = watch_nodes(s);
	for (int i = 0; i < 10; i++) {
		sim_cut(e);
		sim_run(s, 9 * SECOND);
		sim_heal(e);
		sim_run(s, MINUTE);
	}
	assert_null(sim_next_line(events, MILLISECOND).p);
	assert_string_equal(sim_info_line(s, "n1", "Status"), "Healthy");
	sim_settle(s);
}

static may_suspend void a_new_node_connects(struct sim *s)
{
	struct sim_stream *events;
	struct sim_engine *e;

	sim_engine(s, "n1");
	sim_up(s);
	events = watch_nodes(s);
	e = sim_engine(s, "n2");
	sim_discover(s);
	expect_event(s, events, "engine_connect", "n2", 10 * SECOND);
	sim_unlist(e);
	sim_discover(s);
	expect_event(s, events, "engine_disconnect", "n2", 10 * SECOND);
	assert_string_equal(sim_info_line(s, "n2", "Status"), "");
	sim_settle(s);
}

/* Whoever pairs these events has heard already that it cannot be used. */
static may_suspend void an_unhealthy_node_that_leaves_is_told_once(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *events;

	sim_engine(s, "n2");
	sim_up(s);
	events = watch_nodes(s);
	sim_stop(e);
	expect_event(s, events, "engine_disconnect", "n1", 20 * SECOND);
	sim_unlist(e);
	sim_discover(s);
	assert_true(sim_logged(s, "\"node left\" addr=\"10.0.0.1:2375\" node=n1"));
	assert_null(sim_next_line(events, MINUTE).p);

	/* It joins again as any other. */
	sim_start(e);
	sim_list(e);
	sim_discover(s);
	expect_event(s, events, "engine_connect", "n1", 10 * SECOND);
	sim_settle(s);
}

static may_suspend void a_node_that_was_never_used_leaves_untold(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1", DOWN);
	struct sim_stream *events;

	sim_engine(s, "n2");
	sim_up(s);
	events = watch_nodes(s);
	sim_unlist(e);
	sim_discover(s);
	assert_true(sim_logged(s, "\"node left\" addr=\"10.0.0.1:2375\""));
	assert_null(sim_next_line(events, MINUTE).p);
	sim_settle(s);
}

/* What has its address now is listed twice: pending, as one that never was healthy. */
static may_suspend void a_replaced_node_that_leaves_is_told_once(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1", ENGINE_ID("FIRST"));
	struct sim_stream *events;

	sim_engine(s, "n1", ENGINE_ID("SECOND"));
	sim_up(s);
	events = watch_nodes(s);
	sim_stop(e);
	sim_replace(e, "SECOND");
	sim_start(e);
	expect_event(s, events, "engine_disconnect", "n1", MINUTE);
	sim_wait(s, engine_state(sim_node(s, e)) == ENGINE_PENDING);
	assert_null(sim_next_line(events, MINUTE).p);
	assert_int_equal(engine_state(sim_node(s, e)), ENGINE_PENDING);
	sim_unlist(e);
	sim_discover(s);
	assert_null(sim_next_line(events, MINUTE).p);
	sim_settle(s);
}

/* What was on it goes with it, and comes back with it. */
static may_suspend void a_node_that_leaves_takes_its_containers(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");

	sim_up(s);
	sim_run_container(s, "a", NULL);
	sim_unlist(e);
	sim_discover(s);
	assert_refused(sim_get(s, "/containers/a/json"), 404, "No such container: a");
	sim_list(e);
	sim_discover(s);
	sim_wait(s, sim_get(s, "/containers/a/json").status == 200);
	sim_settle(s);
}

static may_suspend void another_id_at_its_address_is_another_engine(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1", ENGINE_ID("FIRST"));

	sim_engine(s, "n2");
	sim_up(s);
	sim_local_create(e, "old", NULL);
	sim_wait(s, sim_get(s, "/containers/old/json").status == 200);
	sim_stop(e);
	sim_replace(e, "SECOND");
	sim_run(s, 3 * SECOND);
	sim_start(e);
	sim_wait(s, strcmp(sim_info_line(s, "n1", "ID"), "SECOND") == 0);
	sim_wait(s, strcmp(sim_info_line(s, "n1", "Status"), "Healthy") == 0);
	assert_refused(sim_get(s, "/containers/old/json"), 404, "No such container: old");
	sim_settle(s);
}

static may_suspend void labels_are_those_of_the_engine(struct sim *s)
{
	sim_engine(s, "n1", LABEL("storage", "ssd"), LABEL("node", "mine"),
		   LABEL("ostype", "plan9"));
	sim_up(s);
	assert_string_equal(sim_info_line(s, "n1", "Labels"),
			    "architecture=x86_64, kernelversion=6.1.0, operatingsystem=Debian "
			    "GNU/Linux 12 (bookworm), ostype=linux, storage=ssd, "
			    "storagedriver=overlay2");
	assert_true(sim_logged(s, "labels of a node are ignored"));
	sim_settle(s);
}

static may_suspend void an_old_engine_stays_pending(struct sim *s)
{
	sim_engine(s, "n1", API("1.12", "1.23"));
	sim_engine(s, "n2");
	sim_up(s);
	assert_string_equal(sim_info_line(s, "10.0.0.1:2375", "Status"), "Pending");
	assert_non_null(strstr(sim_info_line(s, "10.0.0.1:2375", "Error"), "1.24"));
	sim_settle(s);
}

/* How far ahead the log says that its clock is; 0: nothing. */
static int64_t told_ahead_ms(struct sim *s, const struct sim_engine *e, const char *name)
{
	const char *log = arena_cstr(sim_arena(s), sim_log(s));
	const char *told = sim_text(s,
				    "the clock of a node differs from the manager's\" node=%s "
				    "addr=\"%.*s\" ahead_ms=",
				    name, STR_ARG(engine_addr(sim_node(s, e))));
	const char *at = strstr(log, told);

	return at ? strtoll(at + strlen(told), NULL, 10) : 0;
}

/* It is measured on the way of a request. */
static void assert_about(int64_t a, int64_t b)
{
	assert_true(a - b <= 10 && b - a <= 10);
}

static may_suspend void a_wrong_clock_is_corrected_for(struct sim *s)
{
	struct sim_engine *n1 = sim_engine(s, "n1", SKEW(-HOUR));
	struct sim_engine *n2 = sim_engine(s, "n2", SKEW(2500 * MILLISECOND));
	struct sim_reply r;

	sim_engine(s, "n3", SKEW(1500 * MILLISECOND));
	sim_up(s);
	assert_about(told_ahead_ms(s, n1, "n1"), -3600000);
	assert_about(told_ahead_ms(s, n2, "n2"), 2500);
	assert_false(sim_logged(s, "manager's\" node=n3"));
	sim_create(s, "n1/a", NULL);
	assert_status(sim_post(s, "/containers/a/start", NULL), 204);
	sim_run(s, 5 * SECOND);
	r = sim_get(s, "/containers/json");
	assert_str(json_get_str(json_item(r.json, 0), "Status"), "Up 5 seconds");
	sim_settle(s);
}

/* What is since a time of ours is since another one of the engine's. */
static may_suspend void times_of_logs_are_the_engines(struct sim *s)
{
	struct sim_engine *n1 = sim_engine(s, "n1", SKEW(HOUR));
	const char *id;

	sim_up(s);
	id = sim_run_container(s, "web", NULL);
	sim_get(s, "/containers/web/logs?stdout=1&since=1767225650.5&until=0&tail=a%20b");
	assert_int_equal(
		sim_calls(n1, sim_text(s, "GET /containers/%s/logs?stdout=1&since=17672292", id)),
		1);
	/* What is no such time it gets as it is. */
	sim_get(s, "/containers/web/logs?until=1767225650&since=10m");
	assert_int_equal(sim_calls(n1, sim_text(s, "GET /containers/%s/logs?until=17672292", id)),
			 1);
	sim_settle(s);
}

/* A restart of the daemon, with all its containers stopped and its events forgotten. */
static may_suspend void a_restarted_engine_is_looked_at_anew(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *events;

	sim_up(s);
	sim_run_container(s, "a", NULL);
	sim_create(s, "other", NULL);
	events = watch_nodes(s);
	sim_restart(e);
	sim_local(e, 204, "DELETE", "/containers/other");
	sim_local_create(e, "c", NULL);
	expect_event(s, events, "engine_events_lost", "n1", 30 * SECOND);
	sim_run(s, 10 * SECOND);
	sim_check(s);
	assert_refused(sim_get(s, "/containers/other/json"), 404, "No such container: other");
	assert_status(sim_get(s, "/containers/c/json"), 200);
	sim_settle(s);
}

static may_suspend void a_manager_restarts(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	for (int i = 0; i < 10; i++)
		sim_run_container(s, sim_text(s, "c%d", i),
				  "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":1000000}}");
	sim_check(s);
	sim_restart_manager(s);
	sim_check(s);
	assert_status(sim_get(s, "/containers/c7/json"), 200);
	sim_settle(s);
}

/* Requests fail with the node: one clear error each, and it is one outage, not a hundred. */
static may_suspend void many_failures_at_once_count_once(struct sim *s)
{
	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	sim_run_container(s, "a", NULL);
	for (int i = 0; i < 20; i++) {
		sim_fault(s, NULL, FAULT_RESET, "POST /containers/", 0);
		assert_refused(sim_post(s, "/containers/a/kill", NULL), 502, "10.0.0.");
		assert_true(sim_fault_fired(s));
	}
	sim_fault_clear(s);
	assert_string_equal(sim_info_line(s, "n1", "Status"), "Healthy");
	assert_string_equal(sim_info_line(s, "n2", "Status"), "Healthy");
	assert_status(sim_get(s, "/containers/a/json"), 200);
	sim_settle(s);
}

/* The engine has told nothing of it: its stream stalls, and its next reconcile is to come. */
static may_suspend void make_untold(struct sim *s, struct sim_engine *e, const char *name)
{
	sim_fault(s, e, FAULT_STALL, "GET /events", 0);
	sim_local_create(e, name, "{\"Image\":\"busybox\"}");
	sim_run(s, SECOND);
	assert_true(sim_fault_fired(s));
}

static may_suspend bool is_listed(struct sim *s, const char *name, const char *filters)
{
	struct sim_reply r =
		sim_get(s, sim_text(s, "/containers/json?all=1&filters=%%7B%s%%7D", filters));

	assert_status(r, 200);
	return str_contains(r.body, str_from(sim_text(s, "\"/%s\"", name)));
}

#define FILTER(key, value) "%22" key "%22%3A%5B%22" value "%22%5D"

static may_suspend void a_list_by_node_may_look_first(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_engine *other = sim_engine(s, "n2");
	size_t looks;

	sim_config(s)->refresh_on_node = true;
	sim_up(s);
	make_untold(s, e, "web");
	looks = sim_calls(other, "GET /containers/json");
	assert_false(is_listed(s, "web", ""));
	assert_false(is_listed(s, "web", FILTER("name", "web")));
	assert_true(is_listed(s, "web", FILTER("node", "n1")));
	assert_int_equal(sim_calls(other, "GET /containers/json"), looks);
	sim_fault_clear(s);
	sim_settle(s);
}

static may_suspend void a_list_by_name_may_look_first(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");

	sim_engine(s, "n2");
	sim_config(s)->refresh_on_name = "web";
	sim_up(s);
	make_untold(s, e, "web");
	assert_false(is_listed(s, "web", FILTER("name", "we")));
	assert_false(is_listed(s, "web", FILTER("node", "n1")));
	assert_true(is_listed(s, "web", FILTER("name", "web")));
	sim_fault_clear(s);
	sim_settle(s);
}

/* A node that does not answer takes nothing from the list. */
static may_suspend void a_list_looks_at_what_answers(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");

	sim_config(s)->refresh_on_node = true;
	sim_up(s);
	sim_run_container(s, "web", NULL);
	sim_cut(e);
	assert_true(is_listed(s, "web", FILTER("node", "n1")));
	sim_heal(e);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(is_pending_until_it_answers),
		STORY(backs_off_from_what_does_not_answer),
		STORY(refuses_what_has_no_resources),
		STORY(refuses_one_engine_listed_twice),
		STORY(takes_a_cloned_machine),
		STORY(a_clone_has_the_same_containers),
		STORY(takes_the_second_once_the_first_has_left),
		STORY(finds_nodes_that_share_a_name),
		STORY(places_by_the_labels_of_now),
		STORY(is_called_what_it_calls_itself_now),
		STORY(a_silent_cut_is_known_within_45_s),
		STORY(a_stopped_engine_is_known_soon),
		STORY(a_short_cut_changes_nothing),
		STORY(a_new_node_connects),
		STORY(an_unhealthy_node_that_leaves_is_told_once),
		STORY(a_node_that_was_never_used_leaves_untold),
		STORY(a_replaced_node_that_leaves_is_told_once),
		STORY(a_node_that_leaves_takes_its_containers),
		STORY(another_id_at_its_address_is_another_engine),
		STORY(labels_are_those_of_the_engine),
		STORY(an_old_engine_stays_pending),
		STORY(a_wrong_clock_is_corrected_for),
		STORY(times_of_logs_are_the_engines),
		STORY(a_restarted_engine_is_looked_at_anew),
		STORY(a_manager_restarts),
		STORY(many_failures_at_once_count_once),
		STORY(a_list_by_node_may_look_first),
		STORY(a_list_by_name_may_look_first),
		STORY(a_list_looks_at_what_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
