/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of all nodes as one stream: in order for each container, none lost over a cut, and
 * where some were, that is said; a slow reader holds up nobody.
 */
#include "sim/sim.h"

#include "http/url.h"

static may_suspend struct sim_stream *follow(struct sim *s, const char *filters)
{
	_cleanup_(strbuf_fini) struct strbuf path = STRBUF_INIT;
	struct sim_stream *st;

	strbuf_add(&path, STR("/events?filters="));
	http_encode_query(&path, str_from(filters));
	st = sim_open(s, "GET", path.p, NULL);
	assert_int_equal(sim_stream_status(st), 200);
	return st;
}

/* "create", "start" ... of the next event; NULL where none comes within the span. */
static may_suspend const char *next_action(struct sim *s, struct sim_stream *st, int64_t span)
{
	struct str line = sim_next_line(st, span);
	struct json event;

	if (!line.p)
		return NULL;
	assert_ok(json_parse(line, sim_arena(s), &event));
	return arena_cstr(sim_arena(s), json_get_str(event, "Action"));
}

static may_suspend void expect_actions(struct sim *s, struct sim_stream *st, const char *words)
{
	struct str rest = str_from(words), word;

	while (str_next(&rest, ' ', &word)) {
		const char *action = next_action(s, st, 10 * SECOND);

		if (!action)
			fail_msg("no %.*s", STR_ARG(word));
		assert_str(word, action);
	}
}

#define CONTAINERS "{\"type\":[\"container\"]}"

static may_suspend void each_says_where_it_happened(struct sim *s)
{
	struct sim_stream *st;
	struct json event, attributes;
	const char *id;

	sim_engine(s, "n1", ENGINE_ID("ABCD"));
	sim_up(s);
	st = follow(s, CONTAINERS);
	id = sim_create(s, "web", "{\"Image\":\"busybox\",\"Labels\":{\"tier\":\"front\"}}");
	assert_ok(json_parse(sim_next_line(st, SECOND), sim_arena(s), &event));
	attributes = json_path(event, "Actor.Attributes");
	assert_str(json_get_str(event, "Action"), "create");
	assert_str(json_get_str(event, "id"), id);
	assert_str(json_get_str(event, "from"), "busybox node:n1");
	assert_str(json_get_str(attributes, "name"), "web");
	assert_str(json_get_str(attributes, "tier"), "front");
	assert_str(json_get_str(attributes, "node.name"), "n1");
	assert_str(json_get_str(attributes, "node.id"), "ABCD");
	assert_str(json_get_str(attributes, "node.addr"), "10.0.0.1:2375");
	assert_str(json_get_str(attributes, "node.ip"), "10.0.0.1");
	assert_str(json_get_str(json_get(event, "node"), "Name"), "n1");
	sim_settle(s);
}

static may_suspend void they_come_in_order(struct sim *s)
{
	struct sim_stream *st;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	st = follow(s, CONTAINERS);
	sim_run_container(s, "web", NULL);
	assert_status(sim_post(s, "/containers/web/pause", NULL), 204);
	assert_status(sim_post(s, "/containers/web/unpause", NULL), 204);
	assert_status(sim_post(s, "/containers/web/restart", NULL), 204);
	assert_status(sim_post(s, "/containers/web/rename?name=app", NULL), 204);
	assert_status(sim_post(s, "/containers/app/stop", NULL), 204);
	assert_status(sim_delete(s, "/containers/app"), 204);
	expect_actions(
		s, st,
		"create start pause unpause kill die stop start restart rename kill die stop "
		"destroy");
	sim_settle(s);
}

static may_suspend void filters_choose(struct sim *s)
{
	struct sim_stream *starts, *web, *n2, *front;

	sim_engine(s, "n1");
	sim_engine(s, "n2");
	sim_up(s);
	starts = follow(s, "{\"event\":[\"start\"]}");
	web = follow(s, "{\"container\":[\"web\"]}");
	n2 = follow(s, "{\"node\":[\"n2\"],\"type\":[\"container\"]}");
	front = follow(s, "{\"label\":[\"tier=front\"]}");
	sim_run_container(s, "n1/web", "{\"Image\":\"busybox\",\"Labels\":{\"tier\":\"front\"}}");
	sim_run_container(s, "n2/app", NULL);
	expect_actions(s, starts, "start start");
	expect_actions(s, web, "create start");
	expect_actions(s, n2, "create start");
	expect_actions(s, front, "create start");
	assert_null(next_action(s, web, SECOND));
	assert_refused(sim_get(s, "/events?filters=%7B%22colour%22%3A%5B%22red%22%5D%7D"), 400,
		       "colour");
	assert_refused(sim_get(s, "/events?filters=x"), 400, "");
	assert_refused(sim_get(s, "/events?since=20&until=10"), 400, "");
	sim_settle(s);
}

/* What happened behind a cut comes when it is mended, each once. */
static may_suspend void none_is_lost_over_a_cut(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *st;

	sim_engine(s, "n2");
	sim_up(s);
	st = follow(s, CONTAINERS);
	for (int i = 0; i < 5; i++) {
		int64_t cut = (i + 1) * 13 * SECOND;

		sim_local_create(e, "before", NULL);
		expect_actions(s, st, "create");
		sim_cut(e);
		sim_run(s, cut / 2);
		sim_local_create(e, "during", NULL);
		sim_local(e, 204, "POST", "/containers/during/start");
		sim_local(e, 204, "DELETE", "/containers/before");
		sim_run(s, cut / 2);
		sim_heal(e);
		for (int k = 0; k < 3; k++) {
			static const char *const expected[] = { "create", "start", "destroy" };
			const char *action = next_action(s, st, 2 * MINUTE);

			if (!action)
				fail_msg("%s was lost", expected[k]);
			assert_string_equal(action, expected[k]);
		}
		sim_run(s, 30 * SECOND);
		sim_local(e, 204, "DELETE", "/containers/during?force=1");
		expect_actions(s, st, "kill die destroy");
		assert_null(next_action(s, st, SECOND));
		sim_check(s);
	}
	assert_false(sim_logged(s, "may have been lost"));
	sim_settle(s);
}

/* Two of one moment, the later one told first; the stream breaks behind both, or between them. */
static may_suspend void none_is_lost_or_repeated_out_of_order(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *st;

	sim_up(s);
	st = follow(s, CONTAINERS);
	for (int between = 0; between <= 1; between++) {
		sim_local_create(e, "old", NULL);
		sim_run(s, SECOND);
		sim_local_create(e, "first", NULL);
		expect_actions(s, st, "create create");
		if (between)
			sim_cut(e);
		sim_overtake_event(e, 10 * MILLISECOND);
		sim_local_create(e, "second", NULL);
		if (!between) {
			expect_actions(s, st, "create");
			sim_cut(e);
		}
		sim_run(s, 20 * SECOND);
		sim_heal(e);
		sim_run(s, MINUTE);
		if (between)
			expect_actions(s, st, "create");
		assert_null(next_action(s, st, SECOND));
		sim_local(e, 204, "DELETE", "/containers/old");
		sim_local(e, 204, "DELETE", "/containers/first");
		sim_local(e, 204, "DELETE", "/containers/second");
		expect_actions(s, st, "destroy destroy destroy");
	}
	assert_false(sim_logged(s, "may have been lost"));
	sim_check(s);
	sim_settle(s);
}

/* An engine remembers 256 of them. */
static may_suspend void what_is_lost_is_said(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *nodes;

	sim_up(s);
	sim_local_create(e, "old", NULL);
	sim_run(s, SECOND);
	nodes = follow(s, "{\"type\":[\"node\"]}");
	sim_cut(e);
	sim_run(s, 2 * MINUTE);
	sim_local(e, 204, "DELETE", "/containers/old");
	sim_local_create(e, "new", NULL);
	sim_local_events(e, 300);
	sim_heal(e);
	expect_actions(s, nodes, "engine_disconnect");
	sim_run(s, 30 * SECOND);
	{
		const char *first = next_action(s, nodes, SECOND);
		const char *second = next_action(s, nodes, SECOND);

		assert_non_null(first);
		assert_non_null(second);
		assert_true(strcmp(first, "engine_events_lost") == 0 ||
			    strcmp(second, "engine_events_lost") == 0);
	}
	sim_check(s);
	assert_status(sim_get(s, "/containers/new/json"), 200);
	sim_settle(s);
}

static may_suspend void a_restart_of_the_engine_is_a_gap(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *st;
	struct json event;

	sim_up(s);
	sim_run_container(s, "web", NULL);
	sim_run(s, MINUTE);
	st = follow(s, "{\"event\":[\"engine_events_lost\"]}");
	sim_restart(e);
	assert_ok(json_parse(sim_next_line(st, MINUTE), sim_arena(s), &event));
	assert_str(json_get_str(json_path(event, "Actor.Attributes"), "node.name"), "n1");
	assert_true(str_starts(json_get_str(json_path(event, "Actor.Attributes"), "from"),
			       STR("1767225")));
	assert_true(json_get_str(json_path(event, "Actor.Attributes"), "to").n > 10);
	sim_settle(s);
}

/* Reads nothing: its connection's buffers fill, then the manager's backlog for it. */
static may_suspend void a_slow_reader_is_closed_and_holds_up_nobody(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *quick, *slow;
	const char *label;
	char *big = arena_alloc(sim_arena(s), 64 * KIB + 1);
	size_t lines = 0;

	sim_config(s)->event_backlog = MIB;
	memset(big, 'x', 64 * KIB);
	big[64 * KIB] = '\0';
	label = sim_text(s, "{\"Image\":\"busybox\",\"Labels\":{\"big\":\"%s\"}}", big);
	sim_up(s);
	slow = follow(s, CONTAINERS);
	quick = follow(s, CONTAINERS);
	for (int i = 0; i < 40; i++) {
		sim_local_create(e, sim_text(s, "c%d", i), label);
		if (!next_action(s, quick, SECOND))
			fail_msg("event %d was held up", i);
	}
	assert_true(sim_logged(s, "fell too far behind"));
	while (sim_next_line(slow, SECOND).p)
		lines++;
	assert_true(sim_stream_broke(slow) || sim_stream_ended(slow));
	assert_in_range(lines, 0, 39);
	sim_settle(s);
}

/* However many they are: all together hold no more, and who keeps up is none of those closed. */
static may_suspend void the_one_furthest_behind_is_closed_when_all_hold_too_much(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *quick, *slow[3];
	const char *label = sim_text(s, "{\"Image\":\"busybox\",\"Labels\":{\"big\":\"%0*d\"}}",
				     (int)(64 * KIB), 0);

	sim_config(s)->events_held = MIB;
	sim_up(s);
	quick = follow(s, CONTAINERS);
	for (int i = 0; i < 32; i++) {
		if (i % 10 == 0 && i < 30)
			slow[i / 10] = follow(s, CONTAINERS);
		sim_local_create(e, sim_text(s, "c%d", i), label);
		if (!next_action(s, quick, SECOND))
			fail_msg("event %d was held up", i);
	}
	for (int i = 0; i < 3; i++) {
		while (sim_next_line(slow[i], SECOND).p)
			;
		assert_true(sim_stream_broke(slow[i]) == (i < 2));
	}
	sim_settle(s);
}

/* What is asked for with an end ends; an end alone brings what is remembered too. */
static may_suspend void a_range_ends(struct sim *s)
{
	struct sim_stream *st;

	sim_engine(s, "n1");
	sim_up(s);
	st = sim_open(s, "GET", "/events?since=1767225500&until=1767225510", NULL);
	assert_null(sim_next_line(st, MINUTE).p);
	assert_true(sim_stream_ended(st));
	st = sim_open(s, "GET", "/events?until=1767225700", NULL);
	sim_create(s, "web", NULL);
	expect_actions(s, st, "engine_connect create");
	assert_null(sim_next_line(st, 10 * MINUTE).p);
	assert_true(sim_stream_ended(st));
	sim_settle(s);
}

/* Many come and go while events flow. */
static may_suspend void readers_come_and_go(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *st[20];

	sim_up(s);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 20; i++) {
			st[i] = follow(s, CONTAINERS);
			sim_local_create(e, sim_text(s, "c%d-%d", round, i), NULL);
		}
		for (int i = 0; i < 20; i++)
			if (i % 3)
				expect_actions(s, st[i], "create");
		for (int i = 0; i < 20; i++)
			sim_close(st[i]);
	}
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(each_says_where_it_happened),
		STORY(they_come_in_order),
		STORY(filters_choose),
		STORY(none_is_lost_over_a_cut),
		STORY(none_is_lost_or_repeated_out_of_order),
		STORY(what_is_lost_is_said),
		STORY(a_restart_of_the_engine_is_a_gap),
		STORY(a_slow_reader_is_closed_and_holds_up_nobody),
		STORY(the_one_furthest_behind_is_closed_when_all_hold_too_much),
		STORY(a_range_ends),
		STORY(readers_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
