/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool at its simplest, with all that it stands on: if these fail, look here first.
 */
#include "sim/sim.h"

static may_suspend void three_engines_make_a_pool(struct sim *s)
{
	struct cluster_totals totals;

	sim_engine(s, "n1", CPUS(4), MEMORY(8 * GIB), LABEL("storage", "ssd"));
	sim_engine(s, "n2", CPUS(2));
	sim_engine(s, "n3");
	sim_up(s);

	cluster_totals(sim_cluster(s), &totals);
	assert_int_equal(totals.nodes, 3);
	assert_int_equal(totals.cpus, 10);
	assert_string_equal(sim_info_line(s, "n1", "Status"), "Healthy");
	assert_string_equal(sim_info_line(s, "n2", "Reserved CPUs"), "0 / 2");
	sim_settle(s);
}

static may_suspend void a_container_lives(struct sim *s)
{
	struct sim_reply r;
	const char *id;

	sim_engine(s, "n1");
	sim_up(s);
	id = sim_create(s, "web", NULL);
	assert_int_equal(strlen(id), 64);
	r = sim_get(s, "/containers/web/json");
	assert_status(r, 200);
	assert_string_equal(sim_string(s, &r, "Id"), id);
	assert_string_equal(sim_string(s, &r, "State.Status"), "created");
	assert_string_equal(sim_string(s, &r, "Node.Name"), "n1");

	assert_status(sim_post(s, "/containers/web/start", NULL), 204);
	r = sim_get(s, "/containers/json");
	assert_int_equal(json_count(r.json), 1);
	assert_true(json_str_eq(json_get(json_item(r.json, 0), "State"), STR("running")));
	assert_status(sim_post(s, "/containers/web/stop", NULL), 204);
	r = sim_get(s, "/containers/json");
	assert_int_equal(json_count(r.json), 0);
	assert_status(sim_delete(s, "/containers/web"), 204);
	assert_refused(sim_get(s, "/containers/web/json"), 404, "No such container: web");
	sim_settle(s);
}

static may_suspend void a_busy_minute(struct sim *s)
{
	for (int i = 1; i <= 3; i++)
		sim_engine(s, sim_text(s, "n%d", i));
	sim_up(s);
	for (int i = 0; i < 10; i++)
		sim_run_container(s, NULL, NULL);
	sim_cut(sim_find_engine(s, "n2"));
	sim_run(s, MINUTE);
	sim_heal(sim_find_engine(s, "n2"));
	sim_settle(s);
}

/* The same seed, the same run: ids, nodes, requests, times. */
static void a_seed_replays(_unused_ void **state)
{
	_cleanup_(strbuf_fini) struct strbuf once = STRBUF_INIT, again = STRBUF_INIT;
	_cleanup_(strbuf_fini) struct strbuf other = STRBUF_INIT;
	const struct story story = { "a_busy_minute", a_busy_minute };

	sim_trace(&story, 7, &once);
	sim_trace(&story, 7, &again);
	sim_trace(&story, 8, &other);
	assert_true(str_contains(strbuf_str(&once), STR("POST /containers/create")));
	assert_true(str_eq(strbuf_str(&once), strbuf_str(&again)));
	assert_false(str_eq(strbuf_str(&once), strbuf_str(&other)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(three_engines_make_a_pool),
		STORY(a_container_lives),
		STORY(a_busy_minute),
		cmocka_unit_test(a_seed_replays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
