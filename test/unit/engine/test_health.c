/* SPDX-License-Identifier: Apache-2.0 */
/* engine/health.c: when an engine is in the pool, when it is well, and how soon that is known. */
#include "fake.h"

#include "fiber/clock.h"
#include "fiber/fiber.h"

static may_suspend void story_admitted(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	struct str requests;

	fake_add(f, "a");
	fake_add_image(f, "1", "busybox:latest");
	node_start(&n);
	assert_true(is(&n, ENGINE_PENDING));
	assert_str(engine_name(n.e), "");
	until(is(&n, ENGINE_HEALTHY), SECOND);

	/* All is told before the state is. */
	assert_buf(n.ear.heard, "+a running\n+image 1 busybox:latest\nstate Healthy\n");
	/* And the events are followed from before the lists. */
	requests = strbuf_str(&f->requests);
	assert_true(str_find(requests, STR("/events")) <
		    str_find(requests, STR("/v1.41/containers/json?all=1")));
	assert_str(engine_name(n.e), "n1");
	assert_str(engine_id(n.e), "E1");
	assert_str(engine_addr(n.e), "10.0.0.1:2375");
	assert_str(engine_error(n.e), "");
	assert_int_equal(engine_health(n.e), 100);
}

static may_suspend void story_pending(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	f->mode = FAKE_REFUSING;
	node_start(&n);
	pass(120 * SECOND);
	assert_true(is(&n, ENGINE_PENDING));
	assert_str(engine_error(n.e), "10.0.0.1:2375: connection refused");
	/* 1, 2, 4, 8, 16, 30, 30 ... seconds, or down to half of each. */
	assert_in_range(f->connects, 7, 13);
	/* The observer hears of each of them. */
	assert_int_equal(ear_count(&n.ear, "health 0\n"), f->connects);

	fake_start(f);
	until(is(&n, ENGINE_HEALTHY), 31 * SECOND);
	assert_str(engine_error(n.e), "");
}

static may_suspend void story_silent_while_pending(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	f->mode = FAKE_SILENT;
	node_start(&n);
	until(!str_empty(engine_error(n.e)), 11 * SECOND);
	assert_str(engine_error(n.e), "10.0.0.1:2375: no connection within 5 seconds");
}

static may_suspend void story_refused(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { .ear = { .refusal = "ID duplicated" } };

	fake_add(f, "a");
	node_start(&n);
	pass(10 * SECOND);
	assert_true(is(&n, ENGINE_PENDING));
	assert_str(engine_error(n.e), "ID duplicated");
	assert_int_equal(f->lists, 0);

	n.ear.refusal = NULL;
	until(is(&n, ENGINE_HEALTHY), 31 * SECOND);
}

static may_suspend void story_too_old(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	f->api = "1.23";
	node_start(&n);
	pass(SECOND);
	assert_true(is(&n, ENGINE_PENDING));
	assert_true(str_contains(engine_error(n.e), STR("API version 1.23 is too old")));
}

/* What was told is taken back. */
static may_suspend void story_load_fails(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add(f, "a");
	f->broken_path = "/images/json";
	f->broken_status = 500;
	f->broken_body = "{\"message\":\"disk on fire\"}";
	node_start(&n);
	pass(100 * MILLISECOND);
	assert_true(is(&n, ENGINE_PENDING));
	assert_str(engine_error(n.e), "disk on fire");
	assert_buf(n.ear.heard, "+a running\n-a running\nhealth 0\n");

	f->broken_path = NULL;
	until(is(&n, ENGINE_HEALTHY), 5 * SECOND);
	assert_int_equal(engine_containers(n.e)->n, 1);
}

static may_suspend void story_crash(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	int64_t began;

	fake_add(f, "a");
	node_up(&n);
	pass(100 * SECOND);
	ear_forget(&n.ear);

	began = clock_now();
	fake_crash(f);
	until(is(&n, ENGINE_UNHEALTHY), 15 * SECOND);
	assert_in_range(clock_now() - began, 9 * SECOND, 12 * SECOND);
	assert_buf(n.ear.heard, "health 67\nhealth 34\nstate Unhealthy\n");
	assert_int_equal(engine_health(n.e), 0);
	assert_str(engine_error(n.e), "10.0.0.1:2375: connection refused");
	assert_int_equal(engine_containers(n.e)->n, 1);

	/* What happened meanwhile is known when it is healthy again. */
	fake_find(f, "a")->state = "exited";
	fake_add(f, "b");
	fake_start(f);
	ear_forget(&n.ear);
	until(is(&n, ENGINE_HEALTHY), 6 * SECOND);
	assert_true(ear_heard(&n.ear, "~a exited\n"));
	assert_true(ear_heard(&n.ear, "+b running\n"));
	assert_true(str_ends(strbuf_str(&n.ear.heard), STR("state Healthy\n")));
	assert_int_equal(engine_health(n.e), 100);
	assert_str(engine_error(n.e), "");

	/* And it had forgotten its events; what that may hide was looked at already. */
	unsigned int lists = f->lists;

	until(ear_heard(&n.ear, "lost\n"), 3 * SECOND);
	pass(5 * SECOND);
	assert_int_equal(f->lists, lists);
}

/* A short outage is none: containers and state stay. */
static may_suspend void story_hiccup(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add(f, "a");
	node_up(&n);
	fake_crash(f);
	until(ear_heard(&n.ear, "health 67\n"), 6 * SECOND);
	fake_start(f);
	until(engine_health(n.e) == 100, 6 * SECOND);
	pass(20 * SECOND);
	assert_false(ear_heard(&n.ear, "state"));
	assert_false(ear_heard(&n.ear, "-a"));
	assert_int_equal(f->streams, 2);
}

static may_suspend void story_cut_off(struct fake *f)
{
	static const enum fake_mode modes[] = { FAKE_SILENT, FAKE_MUTE };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		_cleanup_(node_stop) struct node n = { 0 };
		int64_t began;

		node_up(&n);
		/* Some connection is idle, and looks as if it could be used. */
		pass(25 * SECOND);
		assert_true(is(&n, ENGINE_HEALTHY));

		began = clock_now();
		f->mode = modes[i];
		until(is(&n, ENGINE_UNHEALTHY), 45 * SECOND);
		assert_true(clock_now() - began >= 15 * SECOND);
		fake_start(f);
		until(is(&n, ENGINE_HEALTHY), 20 * SECOND);
	}
}

struct slow_call {
	struct engine *e;
	bool done;
};

static may_suspend void slow_call(void *arg)
{
	struct slow_call *s = arg;
	_cleanup_(http_exchange_freep) struct http_exchange *x = NULL;
	struct http_call call = { .method = STR("POST") };
	const struct http_response *head;

	assert_ok(engine_exchange(s->e, API_VERSION(1, 30), STR("/wait"), &call, &x));
	assert_ok(http_exchange_response(x, &head));
	assert_int_equal(head->status, 404);
	s->done = true;
}

/* A request that takes long is never a failure, over a new connection or a used one. */
static may_suspend void story_slow_request(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct slow_call calls[3] = { 0 };

	f->slow_path = "/wait";
	f->latency = 10 * MINUTE;
	node_up(&n);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		calls[i].e = n.e;
		group_go(&g, "slow", slow_call, &calls[i]);
	}
	assert_ok(group_wait(&g));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		assert_true(calls[i].done);
	assert_false(ear_heard(&n.ear, "health"));
	assert_true(str_contains(strbuf_str(&f->requests), STR("POST /v1.30/wait\n")));
}

/* A container whose inspect hangs is no sick node: it is pinged, and that answers. */
static may_suspend void story_slow_inspect(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	unsigned int pings;

	fake_add(f, "a");
	node_up(&n);
	pings = f->pings;
	f->slow_path = "/containers/a";
	f->latency = HOUR;
	assert_err(engine_refresh_container(n.e, fake_id("a")), ERR_TIMEOUT,
		   "no answer within 5 seconds");
	until(f->pings > pings, 100 * MILLISECOND);
	assert_false(ear_heard(&n.ear, "health"));
}

/* Many calls that fail together are one outage. */
static may_suspend void story_failures_together(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	node_up(&n);
	f->mode = FAKE_REFUSING;
	for (int i = 0; i < 10; i++) {
		_cleanup_(error_freep) struct error *err =
			error_new(ERR_REFUSED, "connection refused");

		engine_failed(n.e, err);
	}
	assert_int_equal(engine_health(n.e), 67);
	assert_true(is(&n, ENGINE_HEALTHY));
	f->mode = FAKE_UP;
	until(engine_health(n.e) == 100, 6 * SECOND);
	assert_false(ear_heard(&n.ear, "state Unhealthy"));
}

static may_suspend void story_replaced(struct fake *f)
{
	static const bool crashes[] = { true, false };

	for (size_t i = 0; i < ARRAY_LEN(crashes); i++) {
		_cleanup_(node_stop) struct node n = { 0 };

		f->id = "E1";
		f->name = "n1";
		fake_add(f, "a");
		node_up(&n);

		/* By a restart, or unnoticed until its /info is read again. */
		if (crashes[i])
			fake_crash(f);
		fake_remove(f, "a");
		fake_add(f, "b");
		f->id = "E2";
		f->name = "n2";
		if (crashes[i])
			fake_start(f);
		until(ear_heard(&n.ear, "state Healthy\n"), 65 * SECOND);
		assert_str(engine_id(n.e), "E2");
		assert_str(engine_name(n.e), "n2");
		assert_true(ear_heard(&n.ear, "-a running\nstate Pending\n"));
		assert_true(ear_heard(&n.ear, "+b running\nstate Healthy\n"));
		assert_false(ear_heard(&n.ear, "lost"));
		fake_remove(f, "b");
	}
}

static may_suspend void story_clock_skew(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	f->skew = -HOUR;
	node_up(&n);
	assert_int_equal(engine_now(n.e), clock_wall() - HOUR);
}

/* Its address is what it was reached at, where discovery gave a name. */
static may_suspend void story_named(struct fake *f _unused_)
{
	_cleanup_(node_stop) struct node n = { .addr = "n1:2375" }, numeric = { 0 };

	node_start(&n);
	assert_str(engine_ip(n.e), "n1");
	until(is(&n, ENGINE_HEALTHY), SECOND);
	assert_str(engine_ip(n.e), "fd00::1");
	node_up(&numeric);
	assert_str(engine_ip(numeric.e), "10.0.0.1");
}

/* Stopped at any time: all is taken back, nothing stays. */
static may_suspend void story_stopped_at_any_time(struct fake *f)
{
	fake_add(f, "a");
	fake_add(f, "b");
	f->latency = 10 * MILLISECOND;
	for (int64_t at = 0; at < 100 * MILLISECOND; at += 3 * MILLISECOND) {
		_cleanup_(node_stop) struct node n = { 0 };

		node_start(&n);
		if (at)
			pass(at);
		engine_stop(n.e);
		assert_int_equal(ear_count(&n.ear, "+"), ear_count(&n.ear, "-"));
		assert_true(str_ends(strbuf_str(&n.ear.heard), STR("state Disconnected\n")));
	}
}

TEST(admitted)
TEST(pending)
TEST(silent_while_pending)
TEST(refused)
TEST(too_old)
TEST(load_fails)
TEST(crash)
TEST(hiccup)
TEST(cut_off)
TEST(slow_request)
TEST(slow_inspect)
TEST(failures_together)
TEST(replaced)
TEST(clock_skew)
TEST(named)
TEST(stopped_at_any_time)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_admitted),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_silent_while_pending),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_old),
		cmocka_unit_test(test_load_fails),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_hiccup),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_slow_request),
		cmocka_unit_test(test_slow_inspect),
		cmocka_unit_test(test_failures_together),
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_clock_skew),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_stopped_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
