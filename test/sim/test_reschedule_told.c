/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client has been told of, the next manager goes by: a story kills the manager, and its node
 * with it, as soon as the answer is there.
 */
#include "fiber/clock.h"
#include "sim/moving.h"
#include "sim/records.h"

static const char *const not_remembered =
	"what a client did with a container is not remembered over a restart yet";

static may_suspend void kill_both(struct sim *s)
{
	sim_records_freeze();
	sim_cut(node(s, "n1"));
	sim_kill_manager(s);
	sim_wait(s, sim_logged(s, "container rescheduled"));
}

static may_suspend void ask(struct sim *s, const char *path)
{
	assert_status(sim_post(s, path, NULL), 204);
}

static may_suspend void begin(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	sim_run(s, SECOND);
}

static may_suspend void a_container_that_was_run_runs(struct sim *s)
{
	pool(s, 2);
	sim_run_container(s, "n1/web", GUARDED);
	kill_both(s);
	assert_true(runs_on(s, "n2", "web"));
	end(s);
}

static may_suspend void one_that_was_created_is_created(struct sim *s)
{
	pool(s, 2);
	sim_create(s, "n1/web", GUARDED);
	kill_both(s);
	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n2/web created;");
	end(s);
}

static may_suspend void a_stop_lasts(struct sim *s)
{
	begin(s);
	ask(s, sim_seed(s) % 2 ? "/containers/web/stop" : "/containers/web/kill");
	kill_both(s);
	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n2/web created;");
	end(s);
}

/* The next manager cannot read the records yet, and is told of nothing by them. */
static may_suspend void kill_manager_without_records(struct sim *s)
{
	sim_records_freeze();
	sim_records_break(true);
	sim_kill_manager(s);
}

/* web is on n2, and n1 is back with a copy that runs, which the next manager hears of first. */
static may_suspend void hear_of_the_earlier_first(struct sim *s)
{
	sim_cut(node(s, "n2"));
	sim_heal(node(s, "n1"));
	kill_manager_without_records(s);
	sim_heal(node(s, "n2"));
	sim_wait(s, strcmp(sim_info_line(s, "n2", "Status"), "Healthy") == 0);
	sim_records_break(false);
	sim_wait(s, copies(s, "web") == 1);
}

static may_suspend void move_to_n2(struct sim *s)
{
	begin(s);
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "from=n1 to=n2"));
}

static may_suspend void move_back(struct sim *s)
{
	sim_cut(node(s, "n2"));
	sim_wait(s, sim_logged(s, "from=n2 to=n1"));
}

static may_suspend void and_where_an_earlier_copy_runs(struct sim *s)
{
	move_to_n2(s);
	ask(s, "/containers/web/stop");
	hear_of_the_earlier_first(s);
	move_back(s);
	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n1/web created;");
	end(s);
}

static may_suspend void a_start_lasts(struct sim *s)
{
	begin(s);
	ask(s, "/containers/web/stop");
	sim_run(s, MINUTE);
	ask(s, sim_seed(s) % 2 ? "/containers/web/start" : "/containers/web/restart");
	kill_both(s);
	assert_true(runs_on(s, "n2", "web"));
	end(s);
}

static may_suspend void a_name_lasts(struct sim *s)
{
	begin(s);
	ask(s, "/containers/web/rename?name=shop");
	kill_both(s);
	assert_string_equal(listed(s, "/containers/json?all=1"), "/shop /n2/shop running;");
	end(s);
}

static may_suspend void limit(struct sim *s)
{
	assert_status(sim_post(s, "/containers/web/update", "{\"Memory\":7000000}"), 200);
}

static may_suspend bool is_limited(struct sim *s)
{
	struct sim_reply r = sim_get(s, "/containers/web/json");

	return json_get_i64(json_path(r.json, "HostConfig"), "Memory", 0) == 7000000;
}

static may_suspend void a_limit_lasts(struct sim *s)
{
	begin(s);
	limit(s);
	kill_both(s);
	assert_true(is_limited(s));
	end(s);
}

static may_suspend void and_where_an_earlier_copy_has_none(struct sim *s)
{
	move_to_n2(s);
	limit(s);
	hear_of_the_earlier_first(s);
	move_back(s);
	assert_true(is_limited(s));
	end(s);
}

static may_suspend bool is_in(struct sim *s, const char *network)
{
	struct sim_reply r = sim_get(s, "/containers/web/json");

	return json_exists(json_path(r.json, sim_text(s, "NetworkSettings.Networks.%s", network)));
}

static may_suspend void begin_in_networks(struct sim *s)
{
	pool_with_networks(s);
	sim_run_container(s, "n1/web", IN_BACK);
	sim_run(s, SECOND);
	assert_status(sim_post(s, "/networks/front/connect", "{\"Container\":\"web\"}"), 200);
}

static may_suspend void networks_last(struct sim *s)
{
	begin_in_networks(s);
	if (sim_seed(s) % 2) {
		sim_run(s, SECOND);
		assert_status(sim_post(s, "/networks/front/disconnect", "{\"Container\":\"web\"}"),
			      200);
	}
	kill_both(s);
	assert_true(is_in(s, "back"));
	assert_int_equal(is_in(s, "front"), sim_seed(s) % 2 == 0);
	end(s);
}

/* The copy is there, and cannot join the other network yet. */
static may_suspend void begin_a_move(struct sim *s)
{
	begin_in_networks(s);
	sim_script(node(s, "n2"), "POST /networks/", 500, "{\"message\":\"not now\"}");
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "a container cannot be rescheduled yet"));
}

static void let_it_end(struct sim *s)
{
	sim_script(node(s, "n2"), NULL, 0, NULL);
}

static may_suspend void a_limit_lasts_in_the_middle_of_a_move(struct sim *s)
{
	begin_a_move(s);
	limit(s);
	let_it_end(s);
	sim_wait(s, sim_logged(s, "from=n1 to=n2"));
	sim_heal(node(s, "n1"));
	sim_wait(s, copies(s, "web") == 1);
	move_back(s);
	assert_true(is_limited(s));
	end(s);
}

static may_suspend void a_stop_lasts_before_records_are_read(struct sim *s)
{
	begin_a_move(s);
	kill_manager_without_records(s);
	let_it_end(s);
	assert_status(sim_post(s, "/containers/web/stop", NULL), 304);
	sim_records_break(false);
	sim_wait(s, sim_logged(s, "container rescheduled"));
	assert_string_equal(listed(s, "/containers/json?all=1"), "/web /n2/web created;");
	end(s);
}

/* What it saw itself is later than what was written down. */
static may_suspend void so_does_what_was_seen_before(struct sim *s)
{
	begin(s);
	ask(s, "/containers/web/stop");
	kill_manager_without_records(s);
	sim_local(node(s, "n1"), 204, "POST", "/containers/web/start");
	sim_run(s, SECOND);
	sim_local(node(s, "n1"), 204, "POST", "/containers/web/kill");
	sim_run(s, SECOND);
	sim_cut(node(s, "n1"));
	sim_records_break(false);
	sim_wait(s, sim_logged(s, "container rescheduled"));
	assert_true(runs_on(s, "n2", "web"));
	end(s);
}

/* Clients that cannot be told yet are no matter of a move. */
static may_suspend void moves_wait_for_no_client(struct sim *s)
{
	begin_in_networks(s);
	sim_records_break(true);
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "container rescheduled"));
	assert_false(sim_logged(s, not_remembered));
	sim_records_break(false);
	sim_run(s, MINUTE);
	end(s);
}

/* A machine goes down, and a client asks for something that it refuses. */
static may_suspend void a_refusal_stops_nothing(struct sim *s)
{
	begin(s);
	sim_local(node(s, "n1"), 204, "POST", "/containers/web/kill");
	sim_run(s, SECOND);
	assert_status(sim_post(s, "/containers/web/pause", NULL), 409);
	sim_cut(node(s, "n1"));
	sim_wait(s, sim_logged(s, "container rescheduled"));
	assert_true(runs_on(s, "n2", "web"));
	end(s);
}

static size_t n_renamed(struct sim *s)
{
	size_t n = 0;

	for (int i = 0; i < 100; i++)
		n += sim_records_have(sim_text(s, "\"bag%d\"", i));
	return n;
}

/* What others did to many at once is written as well, and is not waited for. */
static may_suspend void what_a_client_did_is_written_first(struct sim *s)
{
	begin(s);
	for (int i = 0; i < 100; i++)
		sim_create(s, sim_text(s, "n1/box%d", i), GUARDED);
	sim_cut(node(s, "n1"));
	for (int i = 0; i < 100; i++)
		sim_local(node(s, "n1"), 204, "POST",
			  sim_text(s, "/containers/box%d/rename?name=bag%d", i, i));
	sim_heal(node(s, "n1"));
	sim_wait(s, n_renamed(s));
	ask(s, "/containers/web/rename?name=shop");
	assert_true(sim_records_have("\"shop\""));
	assert_in_range(n_renamed(s), 1, 50);
	sim_wait(s, n_renamed(s) == 100);
	end(s);
}

static may_suspend void ask_at_once(struct sim *s, const char *path)
{
	int64_t began = clock_now();

	ask(s, path);
	assert_true(clock_now() - began < SECOND);
}

/* The client hears of what was done, and the log of what may come of it. */
static may_suspend void a_store_that_fails_holds_up_nobody(struct sim *s)
{
	begin(s);
	sim_run_container(s, "n1/other", GUARDED);
	sim_records_break(true);
	ask(s, "/containers/web/stop");
	assert_true(sim_logged(s, not_remembered));
	/* Its record is right: nobody asks the store. */
	ask_at_once(s, "/containers/other/restart");
	sim_run(s, 10 * SECOND);
	assert_false(sim_logged(s, "can be written again"));
	ask_at_once(s, "/containers/web/start");
	sim_records_break(false);
	ask_at_once(s, "/containers/web/stop");
	sim_wait(s, sim_logged(s, "records of rescheduling can be written again"));
	ask(s, "/containers/web/start");
	kill_both(s);
	sim_wait(s, runs_on(s, "n2", "web") && runs_on(s, "n2", "other"));
	end(s);
}

static may_suspend void nor_one_that_hangs(struct sim *s)
{
	begin(s);
	sim_records_freeze();
	ask(s, "/containers/web/stop");
	assert_true(sim_logged(s, not_remembered));
	ask_at_once(s, "/containers/web/start");
	sim_kill_manager(s);
	sim_wait(s, sim_records_count() == 1);
	end(s);
}

/* One that could be read at last is one that does not fail. */
static may_suspend void what_failed_at_first_is_waited_for(struct sim *s)
{
	sim_records_break(true);
	pool(s, 2);
	sim_wait(s, sim_logged(s, "the records of rescheduling cannot be read"));
	sim_records_break(false);
	sim_run(s, 10 * SECOND);
	sim_create(s, "n1/web", GUARDED);
	assert_int_equal(sim_records_count(), 1);
	assert_false(sim_logged(s, not_remembered));
	end(s);
}

/* Nor for records of others, where it is none that has one. */
static may_suspend void what_has_no_record_waits_for_none(struct sim *s)
{
	begin(s);
	sim_run_container(s, "n1/plain", NULL);
	for (int i = 0; i < 100; i++)
		sim_create(s, sim_text(s, "n1/box%d", i), GUARDED);
	sim_cut(node(s, "n1"));
	for (int i = 0; i < 100; i++)
		sim_local(node(s, "n1"), 204, "DELETE", sim_text(s, "/containers/box%d", i));
	sim_heal(node(s, "n1"));
	sim_wait(s, sim_records_count() < 100);
	ask(s, "/containers/plain/restart");
	assert_true(sim_records_count() > 50);
	/* One that has is written while they go. */
	ask(s, "/containers/web/rename?name=shop");
	assert_true(sim_records_have("\"shop\""));
	assert_true(sim_records_count() > 50);
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_container_that_was_run_runs),
		STORY(one_that_was_created_is_created),
		STORY(a_stop_lasts),
		STORY(and_where_an_earlier_copy_runs),
		STORY(a_start_lasts),
		STORY(a_name_lasts),
		STORY(a_limit_lasts),
		STORY(and_where_an_earlier_copy_has_none),
		STORY(networks_last),
		STORY(a_limit_lasts_in_the_middle_of_a_move),
		STORY(a_stop_lasts_before_records_are_read),
		STORY(so_does_what_was_seen_before),
		STORY(moves_wait_for_no_client),
		STORY(a_refusal_stops_nothing),
		STORY(what_a_client_did_is_written_first),
		STORY(a_store_that_fails_holds_up_nobody),
		STORY(nor_one_that_hangs),
		STORY(what_failed_at_first_is_waited_for),
		STORY(what_has_no_record_waits_for_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
