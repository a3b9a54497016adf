/* SPDX-License-Identifier: Apache-2.0 */
/* engine/refresh.c and reconcile.c: what is fetched, how often, and what it may overwrite. */
#include "fake.h"

#include <stdio.h>

#include "fiber/clock.h"
#include "fiber/fiber.h"

static const struct container *find(const struct node *n, const char *name)
{
	return map_get(engine_containers(n->e), fake_id(name));
}

static bool has_revision(const struct node *n, const char *name, int revision)
{
	_cleanup_(strbuf_fini) struct strbuf label = STRBUF_INIT;
	const struct container *c = find(n, name);

	strbuf_addf(&label, "\"revision\":%d}", revision);
	return c && str_contains(c->entry, strbuf_str(&label));
}

/* No event was needed. */
static may_suspend void story_refresh(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add(f, "a");
	node_up(&n);
	fake_find(f, "a")->revision = 1;
	assert_ok(engine_refresh_container(n.e, fake_id("a")));
	assert_true(has_revision(&n, "a", 1));

	fake_add(f, "b");
	assert_ok(engine_refresh_container(n.e, fake_id("b")));
	assert_true(has_revision(&n, "b", 0));

	fake_remove(f, "b");
	assert_ok(engine_refresh_container(n.e, fake_id("b")));
	assert_null(find(&n, "b"));
	assert_ok(engine_refresh_container(n.e, fake_id("c")));
	assert_int_equal(f->lists, 1);
}

static may_suspend void story_refresh_image(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	node_up(&n);
	fake_add_image(f, "1", "x:1");
	assert_ok(engine_refresh_image(n.e, STR("x:1")));
	assert_buf(n.ear.heard, "+image 1 x:1\n");
	ear_forget(&n.ear);

	/* The tag is gone: by its name alone, the image is found that had it. */
	f->images[0].tag[0] = '\0';
	assert_ok(engine_refresh_image(n.e, STR("x:1")));
	until(ear_heard(&n.ear, "~image 1 -\n"), SECOND);
	f->n_images = 0;
	assert_ok(engine_refresh_image(n.e, STR("sha256:1")));
	assert_true(ear_heard(&n.ear, "-image 1 -\n"));
	assert_int_equal(f->image_lists, 1);
}

struct asking {
	struct engine *e;
	struct str id;
	struct error *err;
	bool done;
};

static may_suspend void ask(void *arg)
{
	struct asking *a = arg;

	a->err = engine_refresh_container(a->e, a->id);
	a->done = true;
}

/* All are answered by a fetch that began after they asked, and no two run at once. */
static may_suspend void story_many_ask(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct asking asking[10];

	fake_add(f, "a");
	node_up(&n);
	f->latency = 100 * MILLISECOND;
	for (size_t i = 0; i < ARRAY_LEN(asking); i++) {
		asking[i] = (struct asking){ .e = n.e, .id = fake_id("a") };
		group_go(&g, "ask", ask, &asking[i]);
		pass(MILLISECOND);
	}
	pass(50 * MILLISECOND);
	fake_find(f, "a")->revision = 1;
	assert_ok(group_wait(&g));
	for (size_t i = 0; i < ARRAY_LEN(asking); i++)
		assert_ok(asking[i].err);
	assert_int_equal(f->single_lists, 2);
	assert_int_equal(f->most_busy, 1);
	assert_true(has_revision(&n, "a", 1));
}

/* One who asks goes away in the middle of the fetch: the others are served all the same. */
static may_suspend void story_asker_leaves(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(group_finish) struct group first = GROUP_INIT, second = GROUP_INIT;
	struct asking a = { .id = fake_id("a") }, b = { .id = fake_id("a") };

	fake_add(f, "a");
	node_up(&n);
	a.e = b.e = n.e;
	f->latency = 100 * MILLISECOND;
	group_go(&first, "ask", ask, &a);
	pass(10 * MILLISECOND);
	group_go(&second, "ask", ask, &b);
	pass(10 * MILLISECOND);
	group_finish(&first);
	assert_err(a.err, ERR_CANCELLED, "");
	fake_find(f, "a")->revision = 1;
	assert_ok(group_wait(&second));
	assert_ok(b.err);
	assert_true(has_revision(&n, "a", 1));
}

/* A mark during the fetch: what was fetched may be older, so it is fetched again. */
static may_suspend void story_marked_meanwhile(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add(f, "a");
	node_up(&n);
	f->latency = 100 * MILLISECOND;
	fake_container_event(f, "start", "a", "");
	pass(200 * MILLISECOND);
	assert_int_equal(f->single_lists, 1);
	/* The list is read, the inspect is under way. */
	fake_container_event(f, "die", "a", "");
	fake_find(f, "a")->state = "exited";
	fake_find(f, "a")->revision = 1;
	ear_forget(&n.ear);
	pass(SECOND);
	assert_buf(n.ear.heard, "~a exited\nevent container die\n~a exited\n");
	assert_int_equal(f->single_lists, 2);
	assert_true(has_revision(&n, "a", 1));
}

static may_suspend void story_four_at_once(struct fake *f)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f0", "f1", "f2", "f3" };
	_cleanup_(node_stop) struct node n = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		fake_add(f, names[i]);
	node_up(&n);
	f->latency = 100 * MILLISECOND;
	f->inspects = 0;
	f->most_busy = 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		fake_container_event(f, "update", names[i], "");
	pass(5 * SECOND);
	assert_int_equal(f->inspects, ARRAY_LEN(names));
	assert_int_equal(f->most_busy, 4);
}

/* A fetch that failed for the transport's sake comes again by itself. */
static may_suspend void story_fetch_again(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add(f, "a");
	node_up(&n);
	fake_find(f, "a")->revision = 1;
	f->slow_path = "/containers";
	f->latency = HOUR;
	fake_container_event(f, "update", "a", "");
	pass(6 * SECOND);
	assert_true(has_revision(&n, "a", 0));
	f->latency = 0;
	until(has_revision(&n, "a", 1), 6 * SECOND);
	assert_int_equal(f->lists, 1);
}

static may_suspend void story_not_in_the_pool(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	f->mode = FAKE_REFUSING;
	node_start(&n);
	pass(SECOND);
	assert_err(engine_refresh_container(n.e, fake_id("a")), ERR_UNAVAILABLE, "is Pending");
	assert_err(engine_refresh_image(n.e, STR("x")), ERR_UNAVAILABLE, "is Pending");
	assert_err(engine_reconcile(n.e), ERR_UNAVAILABLE, "is Pending");
}

/* What was asked of the engine that was there before is not told of the one that is there now. */
static may_suspend void story_replaced_meanwhile(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct asking a = { .id = fake_id("a") };

	fake_add(f, "a");
	node_up(&n);
	a.e = n.e;
	f->slow_path = "/containers/a";
	f->latency = 3 * SECOND;
	group_go(&g, "ask", ask, &a);
	pass(SECOND);
	fake_remove(f, "a");
	f->id = "E2";
	fake_break_streams(f);
	until(ear_heard(&n.ear, "state Healthy\n"), 3 * SECOND);
	assert_ok(group_wait(&g));
	assert_true(a.done);
	assert_err(a.err, ERR_UNAVAILABLE, "left the pool");
	assert_null(find(&n, "a"));
}

/* Who asks for a node that leaves is told so, and nothing is told of it afterwards. */
static may_suspend void story_leaves_meanwhile(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct asking asking[6];

	fake_add(f, "a");
	node_up(&n);
	f->latency = SECOND;
	for (size_t i = 0; i < ARRAY_LEN(asking); i++) {
		asking[i] = (struct asking){ .e = n.e, .id = fake_id("a") };
		group_go(&g, "ask", ask, &asking[i]);
		pass(MILLISECOND);
	}
	engine_stop(n.e);
	ear_forget(&n.ear);
	assert_ok(group_wait(&g));
	for (size_t i = 0; i < ARRAY_LEN(asking); i++)
		assert_err(asking[i].err, ERR_UNAVAILABLE, "left the pool");
	assert_buf(n.ear.heard, "");
	assert_int_equal(engine_containers(n.e)->n, 0);
}

/* Within the interval, what changed without an event is known; only that is inspected. */
static may_suspend void story_interval(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };

	fake_add(f, "a");
	fake_add(f, "b");
	fake_add(f, "c");
	fake_add_image(f, "1", "x:1");
	fake_add_image(f, "2", "y:1");
	node_up(&n);
	f->inspects = 0;
	pass(29 * SECOND);
	assert_int_equal(f->lists, 1);
	fake_find(f, "a")->revision = 1;
	fake_remove(f, "b");
	f->n_images = 1;
	snprintf(f->images[0].tag, sizeof(f->images[0].tag), "z:1");
	until(has_revision(&n, "a", 1), 32 * SECOND);
	assert_null(find(&n, "b"));
	until(ear_heard(&n.ear, "-image 2 y:1\n"), SECOND);
	assert_true(ear_heard(&n.ear, "~image 1 z:1\n"));
	assert_int_equal(f->inspects, 1);
	assert_int_equal(f->lists, 2);
	assert_true(ear_heard(&n.ear, "info\n"));

	ear_forget(&n.ear);
	pass(10 * MINUTE);
	assert_in_range(f->lists, 12, 22);
	assert_int_equal(f->inspects, 1);
	assert_false(ear_heard(&n.ear, "~"));
}

/* The list says what was when it was made: what came or went meanwhile stays so. */
static may_suspend void story_news_during_reconcile(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	fake_add(f, "a");
	node_up(&n);
	/* The lists are made, and held up on their way behind the images. */
	f->slow_path = "/images/json";
	f->latency = 3 * SECOND;
	pass(29 * SECOND);
	until(f->lists == 2, 32 * SECOND);
	fake_add(f, "b");
	assert_ok(engine_refresh_container(n.e, fake_id("b")));
	fake_add_image(f, "1", "x:1");
	assert_ok(engine_refresh_image(n.e, STR("x:1")));
	f->n_images = 0;
	engine_forget_container(n.e, fake_id("a"));
	pass(4 * SECOND);
	assert_non_null(find(&n, "b"));
	assert_null(find(&n, "a"));
	assert_int_equal(engine_images(n.e)->n, 1);
	assert_false(ear_heard(&n.ear, "-b"));
}

static may_suspend void reconcile_main(void *arg)
{
	struct asking *a = arg;

	a->err = engine_reconcile(a->e);
}

/* A container that vanishes between the list and its inspect was never there. */
static may_suspend void story_vanishes(struct fake *f)
{
	_cleanup_(node_stop) struct node n = { 0 };
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	struct asking a = { 0 };

	fake_add(f, "a");
	node_up(&n);
	a.e = n.e;
	fake_add(f, "b");
	f->slow_path = "/containers/b";
	f->latency = SECOND;
	group_go(&g, "reconcile", reconcile_main, &a);
	pass(500 * MILLISECOND);
	fake_remove(f, "b");
	assert_ok(group_wait(&g));
	assert_ok(a.err);
	assert_null(find(&n, "b"));
	assert_false(ear_heard(&n.ear, "b"));
}

TEST(refresh)
TEST(refresh_image)
TEST(many_ask)
TEST(asker_leaves)
TEST(marked_meanwhile)
TEST(four_at_once)
TEST(fetch_again)
TEST(not_in_the_pool)
TEST(replaced_meanwhile)
TEST(leaves_meanwhile)
TEST(interval)
TEST(news_during_reconcile)
TEST(vanishes)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_refresh_image),
		cmocka_unit_test(test_many_ask),
		cmocka_unit_test(test_asker_leaves),
		cmocka_unit_test(test_marked_meanwhile),
		cmocka_unit_test(test_four_at_once),
		cmocka_unit_test(test_fetch_again),
		cmocka_unit_test(test_not_in_the_pool),
		cmocka_unit_test(test_replaced_meanwhile),
		cmocka_unit_test(test_leaves_meanwhile),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_news_during_reconcile),
		cmocka_unit_test(test_vanishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
