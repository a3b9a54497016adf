/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /events with a past: every engine's own memory and the pool's, merged by time, then what
 * happens, with no event lost or told twice where the two meet.
 */
#include "sim/pool.h"

#include <stdlib.h>

#include "fiber/clock.h"

#define CONTAINERS "&filters=%7B%22type%22%3A%5B%22container%22%5D%7D"
#define CREATES	   "&filters=%7B%22event%22%3A%5B%22create%22%5D%7D"
#define LOSSES	   "&filters=%7B%22event%22%3A%5B%22engine_events_lost%22%5D%7D"

static struct sim_engine *node(struct sim *s, int i)
{
	return sim_find_engine(s, sim_text(s, "n%d", i));
}

static const char *seconds(struct sim *s, int64_t at)
{
	return sim_text(s, "%lld.%09lld", (long long)(at / SECOND), (long long)(at % SECOND));
}

/* The name in each line of the answer that has one, in their order: "c1 c2 c3 ". */
static const char *names(struct sim *s, struct str lines)
{
	struct strbuf all = STRBUF_INIT;
	const char *text;
	struct str line;

	while (str_next(&lines, '\n', &line)) {
		struct json root;

		if (str_empty(line))
			continue;
		assert_null(json_parse(line, sim_arena(s), &root));
		strbuf_add(&all, json_get_str(json_path(root, "Actor.Attributes"), "name"));
		strbuf_addc(&all, ' ');
	}
	text = sim_text(s, "%.*s", STR_ARG(strbuf_str(&all)));
	strbuf_fini(&all);
	return text;
}

static may_suspend const char *names_of(struct sim *s, const char *path)
{
	struct sim_reply r = sim_get(s, path);

	assert_status(r, 200);
	return names(s, r.body);
}

static may_suspend void create_several(struct sim *s, int from, int to)
{
	for (int i = from; i <= to; i++) {
		sim_create(s, sim_text(s, "c%d", i), NULL);
		sim_run(s, SECOND);
	}
}

static may_suspend void a_past_range_is_told_and_ends(struct sim *s)
{
	int64_t from, to;

	pool_up(s, 3);
	create_several(s, 1, 2);
	from = clock_wall();
	create_several(s, 3, 7);
	to = clock_wall();
	create_several(s, 8, 9);
	assert_string_equal(names_of(s, sim_text(s, "/events?since=%s&until=%s%s", seconds(s, from),
						 seconds(s, to), CREATES)),
			    "c3 c4 c5 c6 c7 ");
	/* The end alone: all that the engines remember. */
	assert_string_equal(
		names_of(s, sim_text(s, "/events?until=%s%s", seconds(s, from), CREATES)),
		"c1 c2 ");
	assert_string_equal(names_of(s, "/events?since=4500ms&until=0s" CREATES), "c6 c7 c8 c9 ");
	assert_refused(sim_get(s, "/events?since=10&until=5"), 400, "cannot be after");
}

static may_suspend void each_tells_its_node(struct sim *s)
{
	struct sim_reply r;
	const char *node_name;

	pool_up(s, 3);
	create_several(s, 1, 1);
	node_name = sim_node_of(s, "c1");
	r = sim_get(s, "/events?since=1m&until=0s" CREATES);
	assert_true(str_contains(r.body, str_from(sim_text(s, "\"node.name\":\"%s\"", node_name))));
	assert_true(str_contains(r.body, str_from(sim_text(s, " node:%s\"", node_name))));
	assert_string_equal(names_of(s, sim_text(s,
						 "/events?since=1m&until=0s&filters="
						 "%%7B%%22node%%22%%3A%%5B%%22%s%%22%%5D%%2C%%22"
						 "event%%22%%3A%%5B%%22create%%22%%5D%%7D",
						 node_name)),
			    "c1 ");
}

static may_suspend void clocks_that_differ_are_set_right(struct sim *s)
{
	int64_t from, to;

	sim_engine(s, "n1", SKEW(-1 * HOUR));
	sim_engine(s, "n2", SKEW(20 * MINUTE));
	sim_engine(s, "n3");
	sim_up(s);
	create_several(s, 1, 1);
	from = clock_wall();
	create_several(s, 2, 7);
	to = clock_wall();
	create_several(s, 8, 8);
	assert_string_equal(names_of(s, sim_text(s, "/events?since=%s&until=%s%s", seconds(s, from),
						 seconds(s, to), CREATES)),
			    "c2 c3 c4 c5 c6 c7 ");
}

static may_suspend void the_pools_own_events_are_kept(struct sim *s)
{
	pool_up(s, 3);
	sim_cut(node(s, 2));
	sim_run(s, MINUTE);
	sim_heal(node(s, 2));
	sim_run(s, MINUTE);
	assert_string_equal(names_of(s, "/events?since=10m&until=0s"
					"&filters=%7B%22event%22%3A%5B%22engine_disconnect%22%2C"
					"%22engine_reconnect%22%5D%7D"),
			    "n2 n2 ");
}

static may_suspend void a_future_end_ends_then(struct sim *s)
{
	struct sim_stream *events;
	int64_t began = clock_now();
	struct str line;

	pool_up(s, 3);
	create_several(s, 1, 2);
	events = sim_open(s, "GET", "/events?since=1m&until=-5s" CREATES, NULL);
	assert_string_equal(names(s, sim_next_line(events, SECOND)), "c1 ");
	assert_string_equal(names(s, sim_next_line(events, SECOND)), "c2 ");
	sim_create(s, "c3", NULL);
	assert_string_equal(names(s, sim_next_line(events, SECOND)), "c3 ");
	line = sim_next_line(events, MINUTE);
	assert_null(line.p);
	assert_true(sim_stream_ended(events));
	assert_true(clock_now() - began < 10 * SECOND);
	sim_close(events);
}

struct maker {
	struct sim *s;
	int n;
};

static may_suspend void make_main(void *arg)
{
	struct maker *m = arg;

	for (int i = 1; i <= m->n; i++)
		sim_create(m->s, sim_text(m->s, "c%d", i), NULL);
}

/* Streams that begin at any moment while things happen: each has every event once. */
static may_suspend void nothing_is_lost_or_told_twice(struct sim *s)
{
	enum { MADE = 60, STREAMS = 12 };
	struct maker maker = { s, MADE };
	struct sim_stream *streams[STREAMS];

	pool_up(s, 3);
	sim_go(s, "maker", make_main, &maker);
	for (int i = 0; i < STREAMS; i++) {
		sim_run(s, 30 * MILLISECOND);
		streams[i] = sim_open(s, "GET", "/events?since=1h" CREATES, NULL);
	}
	sim_join(s);
	for (int i = 0; i < STREAMS; i++) {
		bool seen[MADE + 1] = { false };
		struct str line;
		int n = 0;

		/* Of an engine that said nothing yet, the past is the guess at its clock longer. */
		while ((line = sim_next_line(streams[i], 5 * SECOND)).p) {
			int number = atoi(names(s, line) + 1);

			assert_in_range(number, 1, MADE);
			assert_false(seen[number]);
			seen[number] = true;
			n++;
		}
		assert_int_equal(n, MADE);
		sim_close(streams[i]);
	}
}

/* The others' past is told in time, and that one node's is not. */
static may_suspend void a_failure_is_told(struct sim *s, enum fault_kind kind)
{
	int64_t began;
	const char *told;

	pool_up(s, 3);
	create_several(s, 1, 6);
	sim_fault(s, node(s, 2), kind, "GET /events?since", 1);
	began = clock_now();
	told = names_of(s, "/events?since=1m&until=0s&filters=%7B%22event%22%3A%5B%22create%22%2C"
			   "%22engine_events_lost%22%5D%7D");
	assert_true(clock_now() - began < 15 * SECOND);
	assert_true(str_ends(str_from(told), STR("n2 ")));
	assert_true(strlen(told) >= strlen("c1 c2 c3 c4 n2 "));
	sim_fault_clear(s);
	sim_settle(s);
}

static may_suspend void a_reset_is_told(struct sim *s)
{
	a_failure_is_told(s, FAULT_RESET);
}

static may_suspend void garbage_is_told(struct sim *s)
{
	a_failure_is_told(s, FAULT_GARBAGE);
}

static may_suspend void a_node_that_hangs_is_told(struct sim *s)
{
	a_failure_is_told(s, FAULT_STALL);
}

static may_suspend void a_node_that_is_down_is_told(struct sim *s)
{
	pool_up(s, 3);
	create_several(s, 1, 3);
	sim_cut(node(s, 2));
	sim_run(s, MINUTE);
	assert_string_equal(names_of(s, "/events?since=10m&until=0s" LOSSES), "n2 ");
	sim_heal(node(s, 2));
	sim_settle(s);
}

static may_suspend void a_client_that_leaves_leaves_nothing_behind(struct sim *s)
{
	struct stream *client;

	pool_up(s, 3);
	create_several(s, 1, 3);
	sim_fault(s, node(s, 2), FAULT_STALL, "GET /events?since", 1);
	client = sim_connect(s, "192.168.0.9");
	assert_ok(stream_write(client, STR("GET /events?since=1m" CONTAINERS " HTTP/1.1\r\n"
					   "Host: x\r\n\r\n")));
	sim_run(s, SECOND);
	assert_int_equal(sim_calls(node(s, 2), "GET /events?since"), 1);
	stream_close(client);
	sim_run(s, SECOND);
	sim_fault_clear(s);
	sim_settle(s);
}

/* However much the nodes have to tell: a status, and no more memory. */
static may_suspend void a_past_that_is_too_large_is_refused(struct sim *s)
{
	const char *event, *piece;

	sim_engine(s, "n1");
	sim_up(s);
	sim_run(s, MINUTE);
	event = sim_text(s,
			 "{\"Type\":\"container\",\"Action\":\"create\",\"Actor\":{\"ID\":\"1\","
			 "\"Attributes\":{\"a\":\"%064000d\"}},\"timeNano\":%lld}\n",
			 0, (long long)(clock_wall() - SECOND));
	piece = sim_text(s, "%zx\r\n%s\r\n", strlen(event), event);
	sim_lie(node(s, 1), "GET /events?since",
		STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), str_from(piece));
	assert_refused(sim_get(s, "/events?since=1m&until=0s"), 413,
		       "the events of that time are more than 64 MiB");
	assert_true(sim_most_lied(node(s, 1)) < LIMIT_EVENT_REPLAY + LIMIT_EVENT_REPLAY / 4);
	sim_lie(node(s, 1), NULL, STR_NONE, STR_NONE);
	assert_status(sim_get(s, "/events?since=1m&until=0s"), 200);
	sim_settle(s);
}

/* Who reads nothing holds what is read for it: what others ask for is refused, and then not. */
static may_suspend void all_pasts_together_are_limited(struct sim *s)
{
	struct sim_engine *e = sim_engine(s, "n1");
	struct sim_stream *st;
	const char *label = sim_text(s, "{\"Image\":\"busybox\",\"Labels\":{\"big\":\"%0*d\"}}",
				     (int)(64 * KIB), 0);

	sim_config(s)->events_held = MIB;
	sim_up(s);
	for (int i = 0; i < 12; i++)
		sim_local_create(e, sim_text(s, "c%d", i), label);
	sim_run(s, SECOND);
	st = sim_open(s, "GET", "/events?since=1m&until=0s", NULL);
	assert_true(sim_next_line(st, SECOND).p);
	assert_refused(sim_get(s, "/events?since=1m&until=0s"), 503,
		       "too many past events are being read");
	sim_close(st);
	sim_run(s, SECOND);
	assert_status(sim_get(s, "/events?since=1m&until=0s"), 200);
	sim_settle(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_past_range_is_told_and_ends),
		STORY(each_tells_its_node),
		STORY(clocks_that_differ_are_set_right),
		STORY(the_pools_own_events_are_kept),
		STORY(a_future_end_ends_then),
		STORY(nothing_is_lost_or_told_twice),
		STORY(a_reset_is_told),
		STORY(garbage_is_told),
		STORY(a_node_that_hangs_is_told),
		STORY(a_node_that_is_down_is_told),
		STORY(a_client_that_leaves_leaves_nothing_behind),
		STORY(a_past_that_is_too_large_is_refused),
		STORY(all_pasts_together_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
