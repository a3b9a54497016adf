/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines that have or tell more than any engine does, each answer of which is within its limits:
 * one that has too much turns unhealthy with the reason, and news beyond what is remembered one by
 * one make the manager look at all that the node has.
 */
#include "sim/sim.h"

#define KEPT   (256 * KIB)
#define LARGE  8
#define NEWS   2
#define MANY   40
#define STATUS "Status"

/* A container whose entry in the list has 64 KiB. */
static const char *large_body(struct sim *s)
{
	char *label = arena_alloc(sim_arena(s), 64 * KIB + 1);

	memset(label, 'x', 64 * KIB);
	label[64 * KIB] = '\0';
	return sim_text(s, "{\"Image\":\"busybox\",\"Labels\":{\"large\":\"%s\"}}", label);
}

static may_suspend void make_large(struct sim *s, struct sim_engine *e, int n)
{
	for (int i = 0; i < n; i++)
		sim_local_create(e, sim_text(s, "large%d", i), large_body(s));
}

static may_suspend void what_containers_take_is_bounded(struct sim *s)
{
	struct sim_engine *bad = sim_engine(s, "bad");

	sim_engine(s, "good");
	sim_config(s)->engine_kept = KEPT;
	sim_up(s);
	make_large(s, bad, LARGE);
	sim_wait(s, strcmp(sim_info_line(s, "bad", STATUS), "Unhealthy") == 0);
	assert_non_null(strstr(sim_info_line(s, "bad", "Error"),
			       "the containers of 10.0.0.1:2375 take more than 262144 bytes"));
	assert_string_equal(sim_info_line(s, "good", STATUS), "Healthy");
	sim_run_container(s, "meanwhile", NULL);

	for (int i = 0; i < LARGE; i++)
		sim_local(bad, 204, "DELETE", sim_text(s, "/containers/large%d", i));
	sim_wait(s, strcmp(sim_info_line(s, "bad", STATUS), "Healthy") == 0);
	sim_settle(s);
	sim_check(s);
}

/* What takes the place of another is counted once. */
static may_suspend void what_is_read_anew_takes_no_more(struct sim *s)
{
	struct sim_engine *full = sim_engine(s, "full");

	sim_config(s)->engine_kept = KEPT;
	sim_up(s);
	make_large(s, full, 3);
	sim_settle(s);
	for (int i = 0; i < 3; i++)
		assert_status(sim_post(s, sim_text(s, "/containers/large%d/start", i), NULL), 204);
	sim_restart(full);
	sim_wait(s, strcmp(sim_info_line(s, "full", STATUS), "Healthy") == 0);
	assert_int_equal(json_count(sim_get(s, "/containers/json?all=1").json), 3);
	sim_settle(s);
	sim_check(s);
}

static may_suspend void many_news_are_one(struct sim *s)
{
	struct sim_engine *busy = sim_engine(s, "busy");

	sim_config(s)->engine_news = NEWS;
	sim_up(s);
	for (int i = 0; i < MANY; i++)
		sim_local_create(busy, sim_text(s, "c%d", i), NULL);
	sim_wait(s, json_count(sim_get(s, "/containers/json?all=1").json) == MANY);
	assert_string_equal(sim_info_line(s, "busy", STATUS), "Healthy");
	/* Nobody asked for each of them. */
	assert_true(sim_calls(busy, "GET /containers/json") < MANY);
	sim_settle(s);
	sim_check(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(what_containers_take_is_bounded),
		STORY(what_is_read_anew_takes_no_more),
		STORY(many_news_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
