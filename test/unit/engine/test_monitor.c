/* SPDX-License-Identifier: Apache-2.0 */
/* engine/monitor*.c: events done to the tables and told; streams that break, resumed. */
#include "fake.h"

#include "base/mem.h"
#include "fiber/clock.h"

static const struct container *container_of_name(const struct node *n, const char *name)
{
	return map_get(engine_containers(n->e), fake_id(name));
}

/* What is known of it at once, before anything was fetched. */
static may_suspend void story_state_at_once(struct fake *f)
{
	static const struct {
		const char *action, *attributes, *told;
	} cases[] = {
		{ "die", "\"exitCode\":\"3\"", "~a exited\nevent container die\n" },
		{ "start", "", "~a running\nevent container start\n" },
		{ "pause", "", "~a paused\nevent container pause\n" },
		{ "unpause", "", "~a running\nevent container unpause\n" },
		{ "health_status: healthy", "",
		  "~a running\nevent container health_status: healthy\n" },
		{ "rename", "\"name\":\"b\",\"oldName\":\"/a\"",
		  "~b running\nevent container rename\n" },
		{ "stop", "", "~b running\nevent container stop\n" },
		{ "destroy", "", "-b running\nevent container destroy\n" },
	};
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add(f, "a");
	node_up(&n);
	/* Whatever is fetched takes its time. */
	f->slow_path = "/containers";
	f->latency = 4 * SECOND;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fake_container_event(f, cases[i].action, "a", cases[i].attributes);
		pass(10 * MILLISECOND);
		if (!strcmp(cases[i].action, "stop"))
			assert_buf(n.ear.heard, "event container stop\n");
		else
			assert_str(strbuf_str(&n.ear.heard), cases[i].told);
		ear_forget(&n.ear);
		if (i == 0)
			assert_int_equal(container_of_name(&n, "a")->state.exit_code, 3);
		if (i == 4)
			assert_int_equal(container_of_name(&n, "a")->state.health, HEALTH_HEALTHY);
	}
	pass(10 * SECOND);
	assert_false(ear_heard(&n.ear, "+"));
}

/* The entry follows, for that container alone, once for events that come together. */
static may_suspend void story_entry_follows(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	unsigned int lists;

	fake_add(f, "a");
	fake_add(f, "b");
	node_up(&n);
	lists = f->lists;
	f->inspects = f->single_lists = 0;

	fake_find(f, "a")->revision = 1;
	fake_container_event(f, "die", "a", "");
	fake_event(f, "network", "disconnect", "net",
		   "\"container\":"
		   "\"a000000000000000000000000000000000000000000000000000000000000000\"");
	fake_container_event(f, "start", "a", "");
	pass(SECOND);
	assert_true(str_contains(container_of_name(&n, "a")->entry, STR("\"revision\":1")));
	assert_int_equal(f->single_lists, 1);
	assert_int_equal(f->inspects, 1);
	assert_int_equal(f->lists, lists);
	assert_int_equal(ear_count(&n.ear, "event"), 3);
}

static may_suspend void story_nothing_to_fetch(struct fake *f)
{
	static const char *const actions[] = {
		"exec_create: sh", "exec_start: sh", "exec_die", "attach", "top",
		"resize",	   "copy",	     "kill",	 "oom"
	};
	_cleanup_(node_stop) struct node n = { 0 };
	struct strbuf before = STRBUF_INIT;

	fake_add(f, "a");
	node_up(&n);
	strbuf_add(&before, strbuf_str(&f->requests));
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		fake_container_event(f, actions[i], "a", "");
	fake_event(f, "volume", "mount", "v", "");
	pass(SECOND);
	assert_buf(f->requests, before.p);
	assert_int_equal(ear_count(&n.ear, "event"), ARRAY_LEN(actions) + 1);
	strbuf_fini(&before);
}

static may_suspend void story_created(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	node_up(&n);
	fake_add(f, "a");
	fake_container_event(f, "create", "a", "");
	until(ear_heard(&n.ear, "+a running\n"), SECOND);

	/* Gone again before it is looked at. */
	fake_container_event(f, "create", "b", "");
	fake_container_event(f, "destroy", "b", "");
	f->single_lists = 0;
	pass(SECOND);
	assert_int_equal(f->single_lists, 0);
}

static may_suspend void story_images(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	unsigned int lists;

	fake_add_image(f, "1", "busybox:latest");
	node_up(&n);
	lists = f->image_lists;

	/* A tag that goes to another image leaves the one that had it. */
	fake_add_image(f, "2", "busybox:latest");
	f->images[0].tag[0] = '\0';
	fake_event(f, "image", "pull", "busybox:latest", "");
	until(ear_heard(&n.ear, "~image 1 -\n"), SECOND);
	assert_true(ear_heard(&n.ear, "+image 2 busybox:latest\n"));

	f->n_images = 1;
	fake_event(f, "image", "delete", "sha256:2", "");
	until(ear_heard(&n.ear, "-image 2 busybox:latest\n"), SECOND);
	assert_int_equal(f->image_lists, lists);
}

/* Events that were missed are told once each, and nothing is looked at but what they are about. */
static may_suspend void story_resumed(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	unsigned int lists;

	fake_add(f, "a");
	node_up(&n);
	fake_container_event(f, "top", "a", "");
	fake_container_event(f, "die", "a", "");
	pass(SECOND);
	ear_forget(&n.ear);
	lists = f->lists;

	/* Two of them at the very time of the last one seen. */
	fake_break_streams(f);
	fake_container_event(f, "start", "a", "");
	pass(5 * SECOND);
	assert_buf(n.ear.heard, "info\n~a running\nevent container start\n~a running\n");
	assert_int_equal(f->streams, 2);
	assert_int_equal(f->lists, lists);
}

/* The engine's ring no longer has the last event seen. */
static may_suspend void story_lost(struct fake *f)
{
	static const bool silent_since[] = { true, false };

	for (size_t i = 0; i < ARRAY_LEN(silent_since); i++) {
		_cleanup_(node_stop) struct node n = { 0 };

		f->n_containers = 0;
		fake_add(f, "a");
		fake_add(f, "b");
		node_up(&n);
		fake_container_event(f, "top", "a", "");
		pass(SECOND);
		f->inspects = 0;

		/* Restarted in less than a second: nothing but the broken stream shows it. */
		fake_crash(f);
		fake_remove(f, "b");
		fake_start(f);
		if (!silent_since[i])
			fake_container_event(f, "top", "a", "");
		until(ear_heard(&n.ear, "-b running\n"), 5 * SECOND);
		assert_int_equal(ear_count(&n.ear, "lost\n"), 1);
		assert_int_equal(f->inspects, 1);
		assert_false(ear_heard(&n.ear, "state"));
	}
}

/* No event was ever seen: there is nothing to tell that none was lost. */
static may_suspend void story_nothing_to_resume(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	node_up(&n);
	pass(SECOND);
	fake_break_streams(f);
	fake_container_event(f, "top", "a", "");
	pass(5 * SECOND);
	assert_int_equal(ear_count(&n.ear, "lost\n"), 1);
	assert_int_equal(ear_count(&n.ear, "event container top\n"), 1);
	assert_int_equal(f->lists, 2);
}

/* A span that was told as lost is not told again with the next. */
static may_suspend void story_lost_twice(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	int64_t first_end;

	node_up(&n);
	fake_container_event(f, "top", "a", "");
	pass(10 * SECOND);
	assert_int_equal(f->streams, 1);
	fake_crash(f);
	fake_start(f);
	until(ear_heard(&n.ear, "lost\n"), 5 * SECOND);
	assert_true(n.ear.lost_to - n.ear.lost_from >= 10 * SECOND);
	first_end = n.ear.lost_to;
	ear_forget(&n.ear);

	pass(10 * SECOND);
	fake_crash(f);
	fake_start(f);
	until(ear_heard(&n.ear, "lost\n"), 5 * SECOND);
	assert_int_equal(n.ear.lost_from, first_end);
}

/* An engine whose streams never last is not asked on and on. */
static may_suspend void story_stream_breaks_on_and_on(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	node_up(&n);
	for (int i = 0; i < 1000; i++) {
		fake_break_streams(f);
		pass(10 * MILLISECOND);
	}
	assert_in_range(f->streams, 3, 13);
	assert_true(is(&n, ENGINE_HEALTHY));
}

/* /events refused: the pool goes on by what it looks at, and tries again. */
static may_suspend void story_no_events(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	node_up(&n);
	f->broken_path = "/events";
	f->broken_status = 500;
	f->broken_body = "{\"message\":\"no events today\"}";
	fake_break_streams(f);
	pass(20 * SECOND);
	assert_true(is(&n, ENGINE_HEALTHY));
	assert_str(engine_error(n.e), "no events today");
	assert_in_range(f->streams, 1, 1);

	f->broken_path = NULL;
	until(str_empty(engine_error(n.e)), 10 * SECOND);
	assert_int_equal(f->streams, 2);
}

/* What is no event is passed over, what is no JSON ends the stream. */
static may_suspend void story_garbage(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	node_up(&n);
	vec_push(&f->events, mem_strdup("[\"timeNano\":]\n"));
	fake_container_event(f, "top", "a", "");
	pass(100 * MILLISECOND);
	assert_true(ear_heard(&n.ear, "event container top\n"));
	vec_push(&f->events, mem_strdup("}}} \"timeNano\":0\n"));
	fake_container_event(f, "top", "a", "");
	pass(5 * SECOND);
	assert_in_range(f->streams, 2, 7);
	assert_true(is(&n, ENGINE_HEALTHY));
}

TEST(state_at_once)
TEST(entry_follows)
TEST(nothing_to_fetch)
TEST(created)
TEST(images)
TEST(resumed)
TEST(lost)
TEST(nothing_to_resume)
TEST(lost_twice)
TEST(stream_breaks_on_and_on)
TEST(no_events)
TEST(garbage)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_at_once),
		cmocka_unit_test(test_entry_follows),
		cmocka_unit_test(test_nothing_to_fetch),
		cmocka_unit_test(test_created),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_nothing_to_resume),
		cmocka_unit_test(test_lost_twice),
		cmocka_unit_test(test_stream_breaks_on_and_on),
		cmocka_unit_test(test_no_events),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
