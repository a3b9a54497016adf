/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is removed after it was rescheduled, while the node that it came from is down: it is not
 * there again when that node is, and nothing else is taken for it.
 */
#include "cluster/watchdog.h"
#include "docker/config.h"
#include "fiber/fence.h"
#include "sim/moving.h"
#include "sim/records.h"

/* web is on n2 then, and the node that it came from is down. */
static may_suspend void move_to_n2(struct sim *s, const char *body)
{
	sim_run_container(s, "n1/web", body);
	sim_wait(s, sim_records_count() == 1);
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web"));
	sim_wait(s, sim_logged(s, "container rescheduled"));
	sim_run(s, SECOND);
}

/* Whatever is listed under the name while the node comes back, and goes there. */
static may_suspend void heal_until_gone(struct sim *s)
{
	sim_heal(node(s, "n1"));
	for (int i = 0; i < 3000 && copies(s, "web"); i++) {
		assert_string_equal(listed(s, "/containers/json?all=1"), "");
		assert_refused(sim_get(s, "/containers/web/json"), 404, "No such container");
		sim_run(s, 100 * MILLISECOND);
	}
	assert_int_equal(copies(s, "web"), 0);
	sim_wait(s, sim_records_count() == 0);
	assert_true(sim_logged(s, "stopping what a node has of a container"));
}

static may_suspend void heal_unseen(struct sim *s)
{
	heal_until_gone(s);
	sim_wait(s, sim_logged(s, "removed what a node had of a container"));
}

static may_suspend void what_is_removed_leaves_nothing(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	assert_true(sim_records_have("\"removed\""));
	assert_false(sim_records_have("busybox"));
	assert_string_equal(listed(s, "/containers/json?all=1"), "");
	sim_run(s, 10 * MINUTE);
	assert_int_equal(sim_records_count(), 1);
	heal_unseen(s);
	end(s);
}

static may_suspend void nor_what_was_stopped_before(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	assert_status(sim_post(s, "/containers/web/stop", NULL), 204);
	assert_status(sim_delete(s, "/containers/web"), 204);
	heal_unseen(s);
	end(s);
}

static may_suspend void nor_what_is_pruned(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	assert_status(sim_post(s, "/containers/web/stop", NULL), 204);
	assert_status(sim_post(s, "/containers/prune", NULL), 200);
	assert_true(sim_records_have("\"removed\""));
	assert_int_equal(copies(s, "web"), 1);
	heal_unseen(s);
	end(s);
}

/* It ends by itself, and its engine removes it; the copy, too, when it is stopped. */
static may_suspend void nor_what_removes_itself(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, "{\"Image\":\"busybox\",\"HostConfig\":{\"AutoRemove\":true}," KEEP "}");
	sim_local(node(s, "n2"), 204, "POST", "/containers/web/kill");
	sim_wait(s, sim_records_have("\"removed\""));
	assert_false(sim_has_container(node(s, "n2"), "web"));
	heal_until_gone(s);
	end(s);
}

static may_suspend void nor_what_is_removed_on_its_node(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	sim_local(node(s, "n2"), 204, "DELETE", "/containers/web?force=1");
	sim_wait(s, sim_records_have("\"removed\""));
	heal_unseen(s);
	end(s);
}

/* The manager is away while it is removed there: what it had written tells what is left. */
static may_suspend void nor_what_is_removed_while_nobody_looks(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	sim_cut(node(s, "n2"));
	sim_local(node(s, "n2"), 204, "DELETE", "/containers/web?force=1");
	sim_restart_manager(s);
	sim_heal(node(s, "n2"));
	sim_wait(s, sim_records_have("\"removed\""));
	heal_unseen(s);
	end(s);
}

static may_suspend void a_restart_does_not_bring_it_back(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	/* Killed at once: it was written before the client was told. */
	sim_kill_manager(s);
	sim_run(s, MINUTE);
	sim_restart_manager(s);
	heal_unseen(s);
	end(s);
}

/* The node comes back while no manager is there. */
static may_suspend void nor_does_one_that_finds_it(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	sim_heal(node(s, "n1"));
	sim_kill_manager(s);
	sim_wait(s, copies(s, "web") == 0);
	sim_wait(s, sim_records_count() == 0);
	end(s);
}

static may_suspend void nor_does_another_primary(struct sim *s)
{
	sim_replicate(s);
	pool(s, 2);
	move_to_n2(s, GUARDED);
	fence_close(sim_fence(s));
	cluster_role_changed(sim_cluster(s));
	/* Another one led, and its client removed it. */
	sim_local(node(s, "n2"), 204, "DELETE", "/containers/web?force=1");
	sim_run(s, MINUTE);
	sim_heal(node(s, "n1"));
	sim_run(s, MINUTE);
	assert_true(runs_on(s, "n1", "web"));
	fence_open(sim_fence(s), INT64_MAX);
	cluster_role_changed(sim_cluster(s));
	sim_wait(s, copies(s, "web") == 0);
	sim_wait(s, sim_records_count() == 0);
	end(s);
}

/* Nor does one make it again that has only the records to go by. */
static may_suspend void nor_is_it_made_again(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_wait(s, sim_records_count() == 1);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	sim_cut(node(s, "n1"));
	sim_kill_manager(s);
	sim_run(s, 10 * MINUTE);
	assert_int_equal(copies(s, "web"), 0);
	assert_int_equal(sim_records_count(), 0);
	end(s);
}

/* While nothing can be written it is in memory, and the client is answered all the same. */
static may_suspend void nor_a_store_that_fails(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	sim_records_break(true);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	assert_true(sim_logged(s, "records of rescheduling cannot be written"));
	assert_false(sim_records_have("\"removed\""));
	sim_records_break(false);
	sim_wait(s, sim_records_have("\"removed\""));
	heal_unseen(s);
	end(s);
}

/* What the record of the container itself tells is enough, where the grave never was written. */
static may_suspend void nor_a_kill_before_it_is_written(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	sim_records_freeze();
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	sim_kill_manager(s);
	sim_wait(s, sim_records_have("\"removed\""));
	heal_unseen(s);
	end(s);
}

/* A container of its own, in the place of the one that was removed; the labels may be the same. */
static may_suspend void a_new_container_of_the_name_stays(struct sim *s)
{
	const char *labels, *id;

	pool(s, 3);
	sim_cut(node(s, "n3"));
	move_to_n2(s, GUARDED);
	labels = sim_text(s,
			  "{\"Image\":\"busybox\",\"Env\":[\"reschedule:on-node-failure\"],"
			  "\"Labels\":{\"com.docker.swarm.id\":\"%s\","
			  "\"com.docker.swarm.generation\":\"%s\"}}",
			  label(s, "web", "com.docker.swarm.id"), sim_seed(s) % 2 ? "1" : "0");
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	id = sim_run_container(s, "web", sim_seed(s) % 3 ? labels : GUARDED);
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	assert_true(runs_on(s, "n2", id));
	sim_wait(s, sim_records_count() == 1);
	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n2/web running;");
	sim_heal(node(s, "n3"));
	sim_run(s, 2 * MINUTE);

	/* And it outlives its node, too. */
	sim_cut(node(s, "n2"));
	sim_wait(s, runs_on(s, "n1", "web") || runs_on(s, "n3", "web"));
	sim_heal(node(s, "n2"));
	sim_wait(s, copies(s, "web") == 1);
	end(s);
	assert_int_equal(copies(s, "web"), 1);
}

/* The very node that has a copy still is asked for the new one. */
static may_suspend void a_name_that_is_about_to_be_free_is_waited_for(struct sim *s)
{
	const char *id;

	pool(s, 2);
	move_to_n2(s, GUARDED);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	sim_heal(node(s, "n1"));
	sim_wait(s, strcmp(sim_info_line(s, "n1", "Status"), "Healthy") == 0);
	id = sim_run_container(s, "n1/web", GUARDED);
	sim_run(s, MINUTE);
	assert_true(runs_on(s, "n1", id));
	assert_int_equal(copies(s, "web"), 1);
	end(s);
}

/* By other names: of the same labels, by the image, and renamed by somebody on its node. */
static may_suspend void what_has_another_name_stays(struct sim *s)
{
	const char *body;

	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	assert_status(sim_post(s, "/commit?container=web&repo=mine", NULL), 201);
	body = sim_text(s, "{\"Image\":\"mine\",\"Labels\":{\"com.docker.swarm.id\":\"%s\"}}",
			label(s, "web", "com.docker.swarm.id"));
	sim_local_create(node(s, "n1"), "third", body);
	sim_run(s, SECOND);
	sim_cut(node(s, "n1"));
	sim_wait(s, runs_on(s, "n2", "web"));
	sim_run(s, SECOND);
	if (sim_seed(s) % 2)
		sim_local(node(s, "n1"), 204, "POST", "/containers/web/rename?name=mine");
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 0);
	sim_wait(s, sim_records_count() == (sim_seed(s) % 2 ? 1 : 0));
	sim_run(s, 2 * MINUTE);
	assert_int_equal(copies(s, "third"), 1);
	assert_int_equal(copies(s, "mine"), sim_seed(s) % 2);
	end(s);
}

/* Two nodes have a copy, and the last one that is removed is not the last that returns. */
static may_suspend void each_node_that_has_a_copy_is_waited_for(struct sim *s)
{
	pool(s, 3);
	move_to_n2(s, "{\"Image\":\"busybox\",\"Env\":[\"constraint:node!=n3\"]," KEEP "}");
	sim_cut(node(s, "n2"));
	sim_wait(s, sim_logged(s, "a container cannot be rescheduled yet"));
	sim_heal(node(s, "n1"));
	sim_wait(s, sim_logged(s, "is already in use by container"));
	assert_refused(sim_delete(s, "/containers/web?force=1"), 500, "it is not rescheduled");
	sim_wait(s, !sim_has_container(node(s, "n1"), "web"));
	sim_heal(node(s, "n2"));
	sim_run(s, 2 * MINUTE);
	/* Nobody could remove it there. */
	assert_true(runs_on(s, "n2", "web"));
	assert_int_equal(sim_records_count(), 1);
	end(s);
}

/* After a restart only the record tells of the later copy; what n1 has is no stand-in for it. */
static may_suspend void an_earlier_copy_does_not_stand_in(struct sim *s)
{
	pool(s, 3);
	move_to_n2(s, "{\"Image\":\"busybox\",\"Env\":[\"constraint:node!=n3\"]," KEEP "}");
	sim_cut(node(s, "n2"));
	sim_restart_manager(s);
	sim_heal(node(s, "n1"));
	sim_wait(s, strcmp(sim_info_line(s, "n1", "Status"), "Healthy") == 0);
	assert_string_equal(listed(s, "/containers/json?all=1"), "");
	assert_refused(sim_get(s, "/containers/web/json"), 500, "running on unhealthy node n2");
	assert_refused(sim_post(s, "/containers/create?name=web", GUARDED), 409,
		       "already assigned");
}

static may_suspend void who_removes_it_then_removes_all_of_it(struct sim *s)
{
	an_earlier_copy_does_not_stand_in(s);
	assert_refused(sim_delete(s, "/containers/web?force=1"), 500, "it is not rescheduled");
	sim_wait(s, !sim_has_container(node(s, "n1"), "web"));
	/* But for what nobody could remove. */
	sim_heal(node(s, "n2"));
	sim_run(s, 2 * MINUTE);
	assert_true(runs_on(s, "n2", "web"));
	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n2/web running;");
	end(s);
}

/*
 * An engine is asked for the next copy, the client gives the container up, the manager is killed:
 * what the engine makes late goes, and the copy that the client was told of stays.
 */
static may_suspend void nor_does_what_is_made_late(struct sim *s)
{
	const char *swarm_id;

	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	swarm_id = label(s, "web", LABEL_SWARM_ID);
	sim_wait(s, sim_records_count() == 1);
	sim_cut(node(s, "n1"));
	sim_lie(node(s, "n2"), "POST /containers/create", STR(""), STR(""));
	sim_wait(s, sim_logged(s, "rescheduling a container"));
	sim_run(s, 100 * MILLISECOND);
	assert_refused(sim_delete(s, "/containers/web?force=1"), 500, "it is not rescheduled");
	sim_lie(node(s, "n2"), NULL, STR(""), STR(""));
	sim_local_create(node(s, "n2"), "web",
			 sim_text(s,
				  "{\"Image\":\"busybox\",\"Labels\":{\"" LABEL_SWARM_ID
				  "\":\"%s\",\"" LABEL_GENERATION "\":\"1\"}}",
				  swarm_id));
	sim_kill_manager(s);
	sim_wait(s, !sim_has_container(node(s, "n2"), "web"));
	sim_heal(node(s, "n1"));
	sim_run(s, 2 * MINUTE);
	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n1/web running;");
	sim_wait(s, sim_records_count() == 1);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	assert_int_equal(copies(s, "web"), 0);
	end(s);
}

static may_suspend void and_it_goes_when_the_later_is_back(struct sim *s)
{
	an_earlier_copy_does_not_stand_in(s);
	sim_heal(node(s, "n2"));
	sim_wait(s, copies(s, "web") == 1);
	assert_true(runs_on(s, "n2", "web"));
	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n2/web running;");
	end(s);
}

/* One whose nodes never come back is not kept for ever; while they are listed it is. */
static may_suspend void a_node_that_is_gone_for_good_is_forgotten(struct sim *s)
{
	pool(s, 2);
	move_to_n2(s, GUARDED);
	assert_status(sim_delete(s, "/containers/web?force=1"), 204);
	sim_step_clock(s, 31 * 24 * HOUR);
	sim_restart_manager(s);
	sim_run(s, MINUTE);
	assert_int_equal(sim_records_count(), 1);
	sim_unlist(node(s, "n1"));
	sim_discover(s);
	sim_wait(s, sim_records_count() == 0);
	sim_list(node(s, "n1"));
	sim_heal(node(s, "n1"));
	sim_discover(s);
	sim_wait(s, sim_records_count() == 1);
	end(s);
	assert_true(runs_on(s, "n1", "web"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(what_is_removed_leaves_nothing),
		STORY(nor_what_was_stopped_before),
		STORY(nor_what_is_pruned),
		STORY(nor_what_removes_itself),
		STORY(nor_what_is_removed_on_its_node),
		STORY(nor_what_is_removed_while_nobody_looks),
		STORY(a_restart_does_not_bring_it_back),
		STORY(nor_does_one_that_finds_it),
		STORY(nor_does_another_primary),
		STORY(nor_is_it_made_again),
		STORY(nor_a_store_that_fails),
		STORY(nor_a_kill_before_it_is_written),
		STORY(a_new_container_of_the_name_stays),
		STORY(a_name_that_is_about_to_be_free_is_waited_for),
		STORY(what_has_another_name_stays),
		STORY(each_node_that_has_a_copy_is_waited_for),
		STORY(who_removes_it_then_removes_all_of_it),
		STORY(nor_does_what_is_made_late),
		STORY(and_it_goes_when_the_later_is_back),
		STORY(a_node_that_is_gone_for_good_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
