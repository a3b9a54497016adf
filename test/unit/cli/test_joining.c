/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A join, the real token service and what a manager reads of it (cli/joining.c, discovery/token.c,
 * registry/service.c), over connections in memory on a virtual clock.
 */
#include "unit/registry/folder.h"

#include "api/reply.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"
#include "cli/joining.h"
#include "discovery/discovery.h"
#include "fiber/clock.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/waitq.h"
#include "http/reply.h"
#include "http/server.h"
#include "net/dial.h"
#include "registry/registry.h"

#define HEARTBEAT (10 * SECOND)
#define TTL	  (30 * SECOND)

enum mode { ANSWERS, REFUSES, SILENT, GARBAGE, FAILS, BREAKS };
#define N_MODES 6

static struct {
	struct registry *registry;
	struct http_server *server;
	struct listener *service, *engine;
	enum mode service_mode, engine_mode;
	unsigned pings, calls;
	struct strbuf id, uri, log;
	struct waitq never;
} world;

static void hear(_unused_ enum log_level level, struct str line, _unused_ void *arg)
{
	strbuf_add(&world.log, line);
	strbuf_addc(&world.log, '\n');
}

#define assert_heard(part) assert_true(str_contains(strbuf_str(&world.log), STR(part)))

static may_suspend struct error *dial_world(const struct addr *a, _unused_ void *arg,
					    struct stream **ret)
{
	bool service = strcmp(a->host, "service") == 0;

	if ((service ? world.service_mode : world.engine_mode) == REFUSES)
		return error_new(ERR_REFUSED, "cannot connect to %s: Connection refused", a->host);
	*ret = listener_connect(service ? world.service : world.engine, "10.0.0.9:4711");
	return NULL;
}

static may_suspend void serve_world(struct http_incoming *in, _unused_ void *arg)
{
	bool ping = str_eq(in->url.path, STR("/_ping"));
	enum mode mode = ping ? world.engine_mode : world.service_mode;
	_cleanup_(strbuf_fini) struct strbuf body = STRBUF_INIT;
	_cleanup_(error_freep) struct error *err = NULL;

	*(ping ? &world.pings : &world.calls) += 1;
	if (mode == SILENT) {
		error_free(waitq_wait(&world.never, "nothing"));
	} else if (mode == BREAKS) {
		return; /* without an answer: the connection is broken off */
	} else if (mode == GARBAGE) {
		error_free(http_reply(in, 200, "text/html", NULL, 0, STR("<html>nobody</html>")));
	} else if (mode == FAILS) {
		error_free(http_reply(in, 500, NULL, NULL, 0, STR_NONE));
	} else if (ping) {
		error_free(http_reply(in, 200, "text/plain", NULL, 0, STR("OK")));
	} else {
		err = registry_serve(world.registry, in);
		if (!err)
			return;
		reply_error_body(0, error_message(err), &body);
		error_free(http_reply(in, reply_status(err), "application/json", NULL, 0,
				      strbuf_str(&body)));
	}
}

static struct str no_headers(_unused_ void *arg)
{
	return STR_NONE;
}

static may_suspend void up(void)
{
	const struct http_server_config config = { .handler = serve_world,
						   .common_headers = no_headers,
						   .error_body = reply_error_body };

	world.service_mode = world.engine_mode = ANSWERS;
	world.pings = world.calls = 0;
	strbuf_reset(&world.log);
	strbuf_reset(&world.id);
	strbuf_reset(&world.uri);
	log_set_sink(hear, NULL);
	dial_set_hook(dial_world, NULL);
	assert_ok(registry_open(folder, &world.registry));
	world.server = http_server_new(&config);
	http_server_listen(world.server, world.service = listener_memory());
	http_server_listen(world.server, world.engine = listener_memory());
	assert_ok(registry_create(world.registry, STR("me"), &world.id));
	strbuf_addf(&world.uri, "token://service:2375/%s", world.id.p);
}

static may_suspend void down(void)
{
	http_server_stop(world.server, 0);
	http_server_free(take(world.server));
	registry_close(take(world.registry));
	dial_set_hook(NULL, NULL);
	log_set_sink(NULL, NULL);
}

static struct discovery *opened(int64_t heartbeat)
{
	const struct discovery_options options = { .heartbeat = heartbeat };
	struct discovery *d = NULL;

	assert_ok(discovery_open(strbuf_str(&world.uri), &options, &d));
	return d;
}

static may_suspend void assert_listed(const char *expected)
{
	_cleanup_(discovery_closep) struct discovery *d = opened(MINUTE);
	_cleanup_(discovery_entries_fini) struct discovery_entries e = { NULL, 0 };
	_cleanup_(strbuf_fini) struct strbuf all = STRBUF_INIT;

	assert_ok(discovery_fetch(d, &e));
	strbuf_add(&all, STR(""));
	for (size_t i = 0; i < e.n; i++)
		addr_format(&e.v[i], &all);
	assert_buf(all, expected);
}

struct member {
	struct joining joining;
	struct error *err;
};

static struct member member(void)
{
	return (struct member){ .joining = { .discovery = opened(HEARTBEAT),
					     .engine = { .host = "engine", .port = 2375 },
					     .heartbeat = HEARTBEAT,
					     .ttl = TTL } };
}

static may_suspend void keep_joining(void *arg)
{
	struct member *m = arg;

	m->err = joining_run(&m->joining);
}

static may_suspend void pass(int64_t span)
{
	assert_ok(fiber_sleep(span));
}

/* Ends the member's fiber, which would have gone on. */
static may_suspend void stop(struct group *g, struct member *m)
{
	assert_int_equal(g->n, 1);
	group_finish(g);
	*g = (struct group)GROUP_INIT;
	assert_err(take(m->err), ERR_CANCELLED, "");
	discovery_close(take(m->joining.discovery));
}

STORY(stays_for_as_long_as_it_renews)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct member m;

	up();
	m = member();
	group_go(&g, "join", keep_joining, &m);
	pass(SECOND);
	assert_listed("engine:2375");
	assert_heard("registered");
	pass(10 * MINUTE);
	assert_listed("engine:2375");
	assert_in_range(world.pings, 60, 62); /* one a heartbeat */

	assert_ok(discovery_unregister(m.joining.discovery, &m.joining.engine));
	assert_listed("");
	pass(HEARTBEAT);
	assert_listed("engine:2375");
	stop(&g, &m); /* as if killed: nobody takes it out */
	pass(TTL - 2 * SECOND);
	assert_listed("engine:2375");
	pass(3 * SECOND);
	assert_listed("");
	down();
}

STORY(is_silent_for_an_engine_that_does_not_answer)
{
	static const enum mode kinds[] = { REFUSES, SILENT, FAILS, BREAKS };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		_cleanup_(group_finish) struct group g = GROUP_INIT;
		struct member m;

		up();
		world.engine_mode = kinds[i];
		m = member();
		group_go(&g, "join", keep_joining, &m);
		pass(MINUTE);
		assert_listed("");
		assert_heard("the engine does not answer; it is not registered yet");

		world.engine_mode = ANSWERS;
		pass(3 * HEARTBEAT);
		assert_listed("engine:2375");
		assert_heard("the engine answers again");

		world.engine_mode = kinds[i];
		pass(TTL - HEARTBEAT - SECOND);
		assert_listed("engine:2375"); /* its last renewal still holds */
		pass(HEARTBEAT + 2 * SECOND);
		assert_listed("");
		assert_heard("its entry is not renewed");
		stop(&g, &m);
		down();
	}
}

STORY(goes_on_when_the_service_is_away)
{
	static const enum mode kinds[] = { REFUSES, SILENT, GARBAGE, FAILS, BREAKS };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		_cleanup_(group_finish) struct group g = GROUP_INIT;
		struct member m;

		up();
		world.service_mode = kinds[i];
		m = member();
		group_go(&g, "join", keep_joining, &m);
		pass(5 * MINUTE);
		/* At longer and longer intervals, up to the heartbeat. */
		assert_in_range(world.pings, 12, 35);
		if (kinds[i] != GARBAGE) /* to a POST any 200 is an answer */
			assert_heard("the discovery cannot be written; trying again");
		world.service_mode = ANSWERS;
		pass(3 * HEARTBEAT);
		assert_listed("engine:2375");
		stop(&g, &m);
		down();
	}
}

STORY(ends_where_there_is_no_such_cluster)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct member m;

	up();
	assert_ok(registry_end(world.registry, strbuf_str(&world.id)));
	m = member();
	group_go(&g, "join", keep_joining, &m);
	assert_ok(group_wait(&g));
	assert_err(take(m.err), ERR_NOT_FOUND,
		   "the token service: service:2375: there is no cluster");
	/* One that went afterwards may come back. */
	discovery_close(take(m.joining.discovery));
	down();

	up();
	m = member();
	group_go(&g, "join", keep_joining, &m);
	pass(SECOND);
	assert_ok(registry_end(world.registry, strbuf_str(&world.id)));
	pass(5 * MINUTE);
	assert_heard("there is no cluster");
	stop(&g, &m);
	down();
}

STORY(a_restarted_service_still_has_it)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct member m;

	up();
	m = member();
	group_go(&g, "join", keep_joining, &m);
	pass(SECOND);
	world.service_mode = REFUSES;
	registry_close(take(world.registry));
	pass(HOUR);
	assert_ok(registry_open(folder, &world.registry));
	world.service_mode = ANSWERS;
	assert_listed("engine:2375");
	pass(HEARTBEAT + SECOND);
	assert_heard("registered again");
	pass(5 * TTL);
	assert_listed("engine:2375");
	stop(&g, &m);
	down();
}

/* Both sides come and go, the service with its process, and some answers take for ever. */
static may_suspend void weather(int64_t span, int64_t *engine_gone)
{
	int64_t until = clock_now() + span;

	while (clock_now() < until) {
		world.service_mode = (enum mode)rand_below(N_MODES);
		world.engine_mode = (enum mode)rand_below(N_MODES);
		/* Garbage with a 200 is an answer to a ping. */
		if (world.engine_mode != ANSWERS && world.engine_mode != GARBAGE)
			*engine_gone = *engine_gone ? *engine_gone : clock_now();
		else
			*engine_gone = 0;
		pass(rand_between(SECOND, 40 * SECOND));
		if (rand_below(4) == 0) {
			registry_close(take(world.registry));
			assert_ok(registry_open(folder, &world.registry));
			*engine_gone = *engine_gone ? clock_now() : 0;
		}
	}
}

STORY(comes_right_after_any_weather)
{
	for (uint64_t seed = 1; seed <= 100; seed++) {
		_cleanup_(group_finish) struct group g = GROUP_INIT;
		int64_t engine_gone = 0;
		struct member m;

		rand_seed(seed);
		up();
		m = member();
		group_go(&g, "join", keep_joining, &m);
		weather(10 * MINUTE, &engine_gone);

		world.service_mode = ANSWERS;
		if (engine_gone && clock_now() - engine_gone > HEARTBEAT + TTL)
			assert_listed("");
		world.engine_mode = ANSWERS;
		pass(4 * HEARTBEAT);
		assert_listed("engine:2375");
		stop(&g, &m);
		pass(TTL);
		assert_listed("");
		down();
	}
}

struct reader {
	struct discovery *d;
	unsigned woken;
};

static may_suspend void follow(void *arg)
{
	struct reader *r = arg;
	struct error *err = NULL;

	while (!error_is(err, ERR_CANCELLED)) {
		struct discovery_entries e = { NULL, 0 };

		error_free(err);
		err = discovery_fetch(r->d, &e);
		if (!err || !error_is(err, ERR_CANCELLED)) {
			error_free(err);
			err = discovery_wait(r->d);
		}
		r->woken += !err;
		discovery_entries_fini(&e);
	}
	error_free(err);
}

static may_suspend struct error *enter(const char *node, int64_t ttl)
{
	struct addr addr;

	assert_ok(addr_parse_host_port(str_from(node), &addr));
	return registry_enter(world.registry, strbuf_str(&world.id), &addr, ttl, STR("me"));
}

STORY(a_manager_polls_and_hears_only_of_changes)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct reader r = { 0 };

	up();
	r.d = opened(HEARTBEAT);
	group_go(&g, "reader", follow, &r);
	pass(5 * MINUTE);
	assert_int_equal(r.woken, 0);
	assert_in_range(world.calls, 30, 32);
	assert_ok(enter("a:1", HOUR));
	pass(HEARTBEAT + SECOND);
	assert_int_equal(r.woken, 1);
	for (int i = 0; i < 20; i++) {
		assert_ok(enter("a:1", HOUR)); /* renewed */
		pass(HEARTBEAT);
	}
	assert_int_equal(r.woken, 1);
	assert_ok(enter("a:1", 0));
	pass(HEARTBEAT + SECOND);
	assert_int_equal(r.woken, 2);

	/*
	 * Away: asked sooner, then at longer and longer intervals, and each time the error is told.
	 */
	world.service_mode = REFUSES;
	pass(HEARTBEAT + 4 * SECOND);
	assert_in_range(r.woken, 4, 5);
	pass(5 * MINUTE);
	assert_in_range(r.woken, 30, 40);
	group_finish(&g);
	discovery_close(r.d);
	down();
}

STORY(a_manager_is_told_what_is_wrong)
{
	struct discovery_entries e = { NULL, 0 };
	struct discovery *d;

	up();
	d = opened(HEARTBEAT);
	world.service_mode = GARBAGE;
	assert_err(discovery_fetch(d, &e), ERR_PROTOCOL,
		   "the token service: service:2375: the answer is no list of nodes: \"<html>");
	world.service_mode = FAILS;
	assert_err(discovery_fetch(d, &e), ERR_ENGINE, "service:2375: it answered 500");
	world.service_mode = REFUSES;
	assert_err(discovery_fetch(d, &e), ERR_REFUSED, "cannot connect to service");
	world.service_mode = SILENT;
	assert_err(discovery_fetch(d, &e), ERR_UNAVAILABLE, "service:2375 did not answer in 10 s");
	world.service_mode = ANSWERS;
	assert_ok(registry_end(world.registry, strbuf_str(&world.id)));
	assert_err(discovery_fetch(d, &e), ERR_NOT_FOUND, "there is no cluster");
	discovery_close(d);
	down();
}

static int fini(void **state)
{
	strbuf_fini(&world.id);
	strbuf_fini(&world.uri);
	strbuf_fini(&world.log);
	return folder_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, fini)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stays_for_as_long_as_it_renews),
		TEST(is_silent_for_an_engine_that_does_not_answer),
		TEST(goes_on_when_the_service_is_away),
		TEST(ends_where_there_is_no_such_cluster),
		TEST(a_restarted_service_still_has_it),
		TEST(comes_right_after_any_weather),
		TEST(a_manager_polls_and_hears_only_of_changes),
		TEST(a_manager_is_told_what_is_wrong),
	};

	return run_stories(tests);
}
