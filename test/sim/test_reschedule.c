/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reschedule:on-node-failure, one story for each thing that is promised of it. Many at once, with
 * faults, is test_reschedule_chaos.c.
 */
#include "cluster/watchdog.h"
#include "fiber/fence.h"
#include "sim/moving.h"
#include "sim/records.h"

static may_suspend const char *id_of(struct sim *s, const char *name)
{
	struct sim_reply r = sim_get(s, sim_text(s, "/containers/%s/json", name));

	return sim_text(s, "%.*s", STR_ARG(json_get_str(r.json, "Id")));
}

static may_suspend void it_moves_and_its_copy_goes(struct sim *s)
{
	const char *swarm_id, *id, *as;
	struct sim_stream *events;
	struct str line;

	pool(s, 2);
	id = sim_run_container(s, "n1/web",
			       "{\"Image\":\"busybox\",\"Env\":[\"A=b\","
			       "\"reschedule:on-node-failure\"],\"HostConfig\":{\"Memory\":1000000,"
			       "\"CpuShares\":2}}");
	swarm_id = label(s, "web", "com.docker.swarm.id");
	sim_check(s);
	sim_wait(s, sim_records_count() == 1);
	events = sim_open(s, "GET",
			  "/events?filters=%7B%22event%22%3A%5B%22container_rescheduled%22%5D%7D",
			  NULL);
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web"));
	line = sim_next_line(events, 10 * SECOND);
	assert_true(str_contains(line, STR("\"container.name\":\"web\"")));
	assert_true(str_contains(line, STR("\"from\":\"n1\"")));
	assert_true(str_contains(line, STR("\"to\":\"n2\"")));
	sim_close(events);
	as = id_of(s, "web");
	assert_true(str_contains(line, str_from(sim_text(s, "\"container.id\":\"%s\"", as))));
	assert_true(sim_logged(
		s, sim_text(s, "container rescheduled\" name=web from=n1 to=n2 as=%s", as)));

	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n2/web running;");
	assert_string_equal(label(s, "web", "com.docker.swarm.id"), swarm_id);
	assert_string_equal(label(s, "web", "com.docker.swarm.generation"), "1");
	assert_string_equal(label(s, "web", "com.docker.swarm.cpus"), "2");
	assert_string_equal(sim_node_of(s, "web"), "n2");

	sim_heal(node(s, "n1"));
	sim_wait(s, !sim_has_container(node(s, "n1"), "web"));
	assert_true(sim_logged(s, "stopping what a node has of a container"));
	/* In order, and its volumes stay. */
	assert_true(sim_called_before(node(s, "n1"), sim_text(s, "POST /containers/%s/stop", id),
				      sim_text(s, "DELETE /containers/%s?force=1&v=0", id)));
	sim_wait(s, sim_logged(s, "removed what a node had of a container"));
	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n2/web running;");
	sim_settle(s);

	/* And back again. */
	sim_cut(node(s, "n2"));
	sim_wait(s, runs_on(s, "n1", "web"));
	assert_string_equal(label(s, "web", "com.docker.swarm.generation"), "2");
	sim_heal(node(s, "n2"));
	sim_wait(s, copies(s, "web") == 1);
	assert_true(runs_on(s, "n1", "web"));
	assert_int_equal(sim_records_count(), 1);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	sim_run(s, SECOND);
	assert_int_equal(sim_records_count(), 0);
	end(s);
}

static may_suspend void only_who_asks_is_moved(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/plain", NULL);
	sim_run_container(s, "n1/off", "{\"Image\":\"busybox\",\"Env\":[\"reschedule:off\"]}");
	sim_create(s, "n1/made", GUARDED);
	sim_run_container(s, "n1/stopped", GUARDED);
	sim_run_container(s, "n1/ran", GUARDED);
	assert_status(sim_post(s, "/containers/stopped/stop", NULL), 204);
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "ran"));
	sim_run(s, 2 * MINUTE);
	assert_true(sim_has_container(node(s, "n2"), "made"));
	assert_true(sim_has_container(node(s, "n2"), "stopped"));
	assert_false(runs_on(s, "n2", "made") || runs_on(s, "n2", "stopped"));
	assert_int_equal(copies(s, "plain") + copies(s, "off"), 2);
	assert_non_null(strstr(listed(s, "/containers/json?all=1"), "/plain /n1/plain"));
	sim_heal(node(s, "n1"));
	sim_wait(s, sim_count_containers(node(s, "n1")) == 2);
	end(s);
}

static may_suspend void an_unknown_policy_is_refused(struct sim *s)
{
	pool(s, 2);
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"busybox\",\"Env\":[\"reschedule:foo\"]}"),
		       400, "reschedule:foo");
	assert_refused(sim_post(s, "/containers/create",
				"{\"Image\":\"busybox\",\"Labels\":{\"com.docker.swarm."
				"reschedule-policies\":\"[\\\"foo\\\"]\"}}"),
		       400, "reschedule:foo");
	end(s);
}

/* A machine that goes down in order stops its containers first. */
static may_suspend void a_shutdown_is_a_failure(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_stop(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web"));
	sim_start(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	assert_true(runs_on(s, "n2", "web"));
	end(s);
}

/* There is none on n2 for web, which is on n1. */
static may_suspend void pool_without_room(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web",
			  "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":6000000000}," KEEP
			  "}");
	sim_run_container(s, "n2/large",
			  "{\"Image\":\"busybox\",\"HostConfig\":{\"Memory\":6000000000}}");
}

/* However long it takes until there is room for it. */
static may_suspend void a_shutdown_is_not_forgotten(struct sim *s)
{
	pool_without_room(s);
	sim_local(node(s, "n1"), 204, "POST", "/containers/web/kill");
	sim_run(s, SECOND);
	sim_stop(node(s, "n1"));
	sim_wait(s, sim_logged(s, "a container cannot be rescheduled yet"));
	sim_run(s, 2 * MINUTE);
	assert_status(sim_delete(s, "/containers/large?force=1"), 204);
	/* Its start comes a while after its creation. */
	sim_set_latency(s, 2 * SECOND);
	sim_wait(s, runs_on(s, "n2", "web"));
	sim_set_latency(s, 0);
	end(s);
}

/* What ended by itself long before is not started. */
static may_suspend void what_has_ended_is_not_started(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/job", "{\"Image\":\"busybox\",\"Cmd\":[\"exit\",\"0\"]," KEEP "}");
	sim_run(s, 2 * MINUTE);
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_has_container(node(s, "n2"), "job"));
	sim_run(s, MINUTE);
	assert_false(runs_on(s, "n2", "job"));
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "job") == 1);
	end(s);
}

static may_suspend void too_little_room_is_waited_for(struct sim *s)
{
	pool_without_room(s);
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "a container cannot be rescheduled yet"));
	sim_run(s, 10 * MINUTE);
	assert_string_equal(listed(s, "/containers/json?all=1"),
			    "/large /n2/large running;/web /n1/web running;");
	assert_refused(sim_post(s, "/containers/create?name=web", GUARDED), 409, "web");
	assert_status(sim_delete(s, "/containers/large?force=1"), 204);
	sim_wait(s, runs_on(s, "n2", "web"));
	assert_string_equal(label(s, "web", "com.docker.swarm.generation"), "1");
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	end(s);
}

/* First soon, then a minute apart. */
static may_suspend void tries_come_further_apart(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_script(node(s, "n2"), "POST /containers/create", 500, "{\"message\":\"not now\"}");
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "a container cannot be rescheduled yet"));
	sim_run(s, 5 * SECOND);
	assert_in_range(sim_calls(node(s, "n2"), "POST /containers/create"), 2, 6);
	sim_run(s, 10 * MINUTE);
	assert_in_range(sim_calls(node(s, "n2"), "POST /containers/create"), 10, 20);
	sim_script(node(s, "n2"), NULL, 0, NULL);
	sim_run(s, MINUTE + SECOND);
	assert_true(runs_on(s, "n2", "web"));
	end(s);
}

/*
 * What is left of the container is on the one node that could take it, where nobody may remove it:
 * its successor is out of sight. It is tried again, and works as soon as the copy is gone.
 */
static may_suspend void a_stale_copy_in_the_way_is_waited_for(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web"));
	sim_run(s, SECOND);
	sim_cut(node(s, "n2"));
	sim_wait(s, strcmp(sim_info_line(s, "n2", "Status"), "Unhealthy") == 0);
	sim_heal(node(s, "n1"));
	sim_wait(s, sim_logged(s, "is already in use by container"));
	sim_run(s, 5 * MINUTE);
	assert_int_equal(sim_count_containers(node(s, "n1")), 1);
	assert_string_equal(sim_info_line(s, "n1", "Status"), "Healthy");
	sim_local(node(s, "n1"), 204, "DELETE", "/containers/web?force=1");
	sim_wait(s, runs_on(s, "n1", "web"));
	assert_string_equal(label(s, "web", "com.docker.swarm.generation"), "2");
	sim_heal(node(s, "n2"));
	sim_wait(s, copies(s, "web") == 1);
	end(s);
	assert_true(runs_on(s, "n1", "web"));
}

static may_suspend void what_never_moved_stays(struct sim *s)
{
	pool_without_room(s);
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "a container cannot be rescheduled yet"));
	sim_heal(node(s, "n1"));
	sim_run(s, 3 * MINUTE);
	assert_true(runs_on(s, "n1", "web"));
	assert_int_equal(copies(s, "web"), 1);
	assert_status(sim_delete(s, "/containers/large?force=1"), 204);
	end(s);
	assert_true(runs_on(s, "n1", "web"));
}

static may_suspend void dependencies_move_first(struct sim *s)
{
	const char *db;

	pool(s, 3);
	db = sim_run_container(s, "n1/db", GUARDED);
	sim_run_container(s, "n1/app",
			  sim_text(s,
				   "{\"Image\":\"busybox\",\"HostConfig\":{\"NetworkMode\":"
				   "\"container:%s\"}," KEEP "}",
				   db));
	sim_run_container(
		s, "n1/web",
		"{\"Image\":\"busybox\",\"HostConfig\":{\"VolumesFrom\":[\"app:ro\"]}," KEEP "}");
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web") || runs_on(s, "n3", "web"));
	assert_string_equal(sim_node_of(s, "app"), sim_node_of(s, "db"));
	assert_string_equal(sim_node_of(s, "web"), sim_node_of(s, "db"));
	sim_wait(s, runs_on(s, sim_node_of(s, "web"), "web"));
	sim_heal(node(s, "n1"));
	sim_wait(s, sim_count_containers(node(s, "n1")) == 0);
	end(s);
}

static may_suspend void a_dependency_without_the_policy_is_waited_for(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/db", NULL);
	sim_run_container(s, "n1/web",
			  "{\"Image\":\"busybox\",\"HostConfig\":{\"VolumesFrom\":[\"db\"]}," KEEP
			  "}");
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "a container cannot be rescheduled yet"));
	sim_run(s, 5 * MINUTE);
	assert_int_equal(sim_count_containers(node(s, "n2")), 0);
	sim_heal(node(s, "n1"));
	end(s);
	assert_true(runs_on(s, "n1", "web"));
}

/* Its data is there, and nowhere else. */
static may_suspend void a_volume_of_one_node_is_waited_for(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/db",
			  "{\"Image\":\"busybox\",\"HostConfig\":{\"Binds\":[\"data:/x\"]}," KEEP
			  "}");
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "volume data is on no healthy node"));
	sim_restart_manager(s);
	sim_run(s, 5 * MINUTE);
	assert_int_equal(sim_count_containers(node(s, "n2")), 0);
	sim_heal(node(s, "n1"));
	end(s);
	assert_true(runs_on(s, "n1", "db"));
}

static may_suspend void a_restart_of_the_manager_forgets_nothing(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_run(s, SECOND);
	sim_cut(node(s, "n1"));
	sim_restart_manager(s);
	assert_refused(sim_post(s, "/containers/create?name=web", GUARDED), 409, "web");
	sim_wait(s, runs_on(s, "n2", "web"));
	assert_string_equal(label(s, "web", "com.docker.swarm.generation"), "1");
	sim_restart_manager(s);
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	assert_true(runs_on(s, "n2", "web"));
	end(s);
}

/* At whatever moment of a move it is killed. */
static may_suspend void a_killed_manager_goes_on(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_run(s, SECOND);
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "rescheduling a container"));
	sim_run(s, (int64_t)(sim_seed(s) * 7 % 60) * MILLISECOND);
	sim_kill_manager(s);
	sim_wait(s, runs_on(s, "n2", "web"));
	assert_int_equal(sim_count_containers(node(s, "n2")), 1);
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	assert_true(runs_on(s, "n2", "web"));
	end(s);
}

static may_suspend void a_node_that_leaves_while_dead_has_failed(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_cut(node(s, "n1"));
	sim_unlist(node(s, "n1"));
	sim_discover(s);
	sim_wait(s, runs_on(s, "n2", "web"));
	sim_heal(node(s, "n1"));
	sim_list(node(s, "n1"));
	sim_discover(s);
	sim_wait(s, copies(s, "web") == 1);
	assert_true(runs_on(s, "n2", "web"));
	end(s);
}

static may_suspend void a_node_that_leaves_while_it_answers_keeps_all(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_unlist(node(s, "n1"));
	sim_discover(s);
	sim_wait(s, sim_logged(s, "a node that answers was taken out of the pool"));
	sim_cut(node(s, "n1"));
	sim_run(s, 5 * MINUTE);
	assert_int_equal(sim_count_containers(node(s, "n2")), 0);
	assert_int_equal(sim_records_count(), 0);
	sim_heal(node(s, "n1"));
	sim_list(node(s, "n1"));
	sim_discover(s);
	sim_wait(s, sim_records_count() == 1);
	end(s);
	assert_true(runs_on(s, "n1", "web"));
}

static may_suspend void who_is_removed_meanwhile_is_not_moved(struct sim *s)
{
	pool_without_room(s);
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "a container cannot be rescheduled yet"));
	assert_refused(sim_delete(s, "/containers/web"), 500,
		       "Container web running on unhealthy node n1");
	assert_int_equal(sim_records_count(), 1);
	assert_refused(sim_delete(s, "/containers/web?force=1"), 500,
		       "Container web running on unhealthy node n1; it is not rescheduled");
	assert_status(sim_delete(s, "/containers/large?force=1"), 204);
	sim_run(s, 5 * MINUTE);
	assert_int_equal(sim_count_containers(node(s, "n2")), 0);
	assert_int_equal(sim_records_count(), 0);
	sim_heal(node(s, "n1"));
	end(s);
	assert_true(runs_on(s, "n1", "web"));
}

/* The manager does not see the container at all then. */
static may_suspend void who_is_removed_after_a_restart_is_not_moved(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_run(s, SECOND);
	sim_cut(node(s, "n1"));
	sim_restart_manager(s);
	assert_refused(sim_delete(s, "/containers/web?force=1"), 500, "it is not rescheduled");
	sim_run(s, 5 * MINUTE);
	assert_int_equal(copies(s, "web"), 1);
	sim_heal(node(s, "n1"));
	end(s);
}

/* Made on the engines themselves: nobody can tell which is the later one. */
static may_suspend void twins_without_a_generation_stay(struct sim *s)
{
	const char *body = "{\"Image\":\"busybox\",\"Labels\":{\"com.docker.swarm.id\":\"5af3\"}}";

	pool(s, 2);
	sim_local_create(node(s, "n1"), "twin", body);
	sim_local_create(node(s, "n2"), "twin", body);
	sim_run(s, MINUTE);
	assert_true(sim_logged(s, "two containers have one swarm id and one name"));
	assert_int_equal(copies(s, "twin"), 2);
	assert_refused(sim_get(s, "/containers/twin/json"), 400, "ambiguous");
	end(s);
}

/* The image has the labels of the container that it was committed from. */
static may_suspend void a_committed_image_makes_no_duplicate(struct sim *s)
{
	const char *labels;

	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web"));
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	assert_status(sim_post(s, "/commit?container=web&repo=mine", NULL), 201);
	labels = sim_text(s,
			  "{\"Image\":\"mine\",\"Labels\":{\"com.docker.swarm.id\":\"%s\","
			  "\"com.docker.swarm.generation\":\"%s\"}}",
			  label(s, "web", "com.docker.swarm.id"), "1");
	sim_create(s, "other", "{\"Image\":\"mine\"}");
	sim_local_create(node(s, "n2"), "third", labels);
	sim_cut(node(s, "n2"));
	sim_wait(s, runs_on(s, "n1", "web"));
	sim_heal(node(s, "n2"));
	sim_wait(s, copies(s, "web") == 1);
	assert_int_equal(copies(s, "other"), 1);
	assert_int_equal(copies(s, "third"), 1);
	end(s);
}

/* Even where somebody gave it the very same name, on another node. */
static may_suspend void a_committed_image_under_the_same_name_stays(struct sim *s)
{
	const char *labels;

	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web"));
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	assert_status(sim_post(s, "/commit?container=web&repo=mine", NULL), 201);
	sim_cut(node(s, "n2"));
	sim_wait(s, runs_on(s, "n1", "web"));
	sim_heal(node(s, "n2"));
	sim_wait(s, copies(s, "web") == 1);
	labels = sim_text(s,
			  "{\"Image\":\"mine\",\"Labels\":{\"com.docker.swarm.id\":\"%s\","
			  "\"com.docker.swarm.generation\":\"1\"}}",
			  label(s, "web", "com.docker.swarm.id"));
	sim_local_create(node(s, "n2"), "web", labels);
	sim_wait(s, sim_logged(s, "has the labels of another one from its image"));
	sim_run(s, 5 * MINUTE);
	assert_int_equal(copies(s, "web"), 2);
	assert_non_null(strstr(listed(s, "/containers/json?all=1"), "/n2/web created;"));
	end(s);
}

static may_suspend void only_the_primary_acts(struct sim *s)
{
	sim_replicate(s);
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_run(s, 2 * SECOND);
	fence_close(sim_fence(s));
	cluster_role_changed(sim_cluster(s));
	sim_cut(node(s, "n1"));
	sim_run(s, 5 * MINUTE);
	assert_int_equal(sim_count_containers(node(s, "n2")), 0);
	fence_open(sim_fence(s), INT64_MAX);
	cluster_role_changed(sim_cluster(s));
	sim_wait(s, runs_on(s, "n2", "web"));
	fence_close(sim_fence(s));
	sim_heal(node(s, "n1"));
	sim_run(s, 5 * MINUTE);
	assert_int_equal(copies(s, "web"), 2);
	fence_open(sim_fence(s), INT64_MAX);
	sim_wait(s, copies(s, "web") == 1);
	end(s);
}

static may_suspend void global_networks_come_along(struct sim *s)
{
	const char *disconnect;
	struct sim_reply r;

	pool_with_networks(s);
	sim_run_container(s, "n1/web", IN_BACK);
	assert_status(sim_post(s, "/networks/front/connect", "{\"Container\":\"web\"}"), 200);
	assert_status(sim_post(s, "/networks/bridge/connect", "{\"Container\":\"web\"}"), 200);
	sim_run(s, SECOND);
	r = sim_get(s, "/networks/front");
	disconnect =
		sim_text(s, "POST /networks/%.*s/disconnect", STR_ARG(json_get_str(r.json, "Id")));
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web"));
	/* The dead node's endpoint of that name goes first. */
	assert_true(sim_called_before(node(s, "n2"), disconnect, "POST /containers/create"));
	sim_run(s, SECOND);
	r = sim_get(s, "/containers/web/json");
	assert_true(json_exists(json_path(r.json, "NetworkSettings.Networks.back")));
	assert_true(json_exists(json_path(r.json, "NetworkSettings.Networks.front")));
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	end(s);
}

static may_suspend void a_network_of_one_node_is_waited_for(struct sim *s)
{
	pool(s, 2);
	assert_status(sim_post(s, "/networks/create", "{\"Name\":\"n1/back\"}"), 201);
	sim_run_container(s, "n1/web", IN_BACK);
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "network back is on no healthy node"));
	sim_run(s, MINUTE);
	assert_int_equal(sim_count_containers(node(s, "n2")), 0);
	sim_heal(node(s, "n1"));
	end(s);
	assert_true(runs_on(s, "n1", "web"));
}

/* What cannot be written is in memory; what cannot be read is named and left out. */
static may_suspend void a_store_that_fails_stops_nothing(struct sim *s)
{
	pool(s, 2);
	sim_run(s, SECOND);
	sim_records_break(true);
	sim_run_container(s, "n1/web", GUARDED);
	sim_wait(s, sim_logged(s, "records of rescheduling cannot be written"));
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web"));
	sim_records_break(false);
	sim_wait(s, sim_records_count() == 1);
	sim_records_put("00112233445566778899aabbccddeeff", "{\"version\":1}");
	sim_records_put("10112233445566778899aabbccddeeff", "nothing");
	sim_restart_manager(s);
	sim_wait(s, sim_logged(s, "record=00112233445566778899aabbccddeeff"));
	assert_true(sim_logged(s, "record=10112233445566778899aabbccddeeff"));
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	end(s);
}

static may_suspend void a_new_name_is_kept(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	assert_status(sim_post(s, "/containers/web/rename?name=front", NULL), 204);
	sim_run(s, SECOND);
	assert_int_equal(sim_records_count(), 1);
	assert_true(sim_records_have("\"front\""));
	sim_cut(node(s, "n1"));
	sim_restart_manager(s);
	sim_wait(s, runs_on(s, "n2", "front"));
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "front") == 1);
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(it_moves_and_its_copy_goes),
		STORY(only_who_asks_is_moved),
		STORY(an_unknown_policy_is_refused),
		STORY(a_shutdown_is_a_failure),
		STORY(a_shutdown_is_not_forgotten),
		STORY(what_has_ended_is_not_started),
		STORY(too_little_room_is_waited_for),
		STORY(tries_come_further_apart),
		STORY(a_stale_copy_in_the_way_is_waited_for),
		STORY(what_never_moved_stays),
		STORY(dependencies_move_first),
		STORY(a_dependency_without_the_policy_is_waited_for),
		STORY(a_volume_of_one_node_is_waited_for),
		STORY(a_restart_of_the_manager_forgets_nothing),
		STORY(a_killed_manager_goes_on),
		STORY(a_node_that_leaves_while_dead_has_failed),
		STORY(a_node_that_leaves_while_it_answers_keeps_all),
		STORY(who_is_removed_meanwhile_is_not_moved),
		STORY(who_is_removed_after_a_restart_is_not_moved),
		STORY(twins_without_a_generation_stay),
		STORY(a_committed_image_makes_no_duplicate),
		STORY(a_committed_image_under_the_same_name_stays),
		STORY(only_the_primary_acts),
		STORY(global_networks_come_along),
		STORY(a_network_of_one_node_is_waited_for),
		STORY(a_store_that_fails_stops_nothing),
		STORY(a_new_name_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
