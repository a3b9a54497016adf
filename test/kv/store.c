/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kv/kv.h promises, asked of a real store:  test-kv URI [CA CERT KEY]
 * Every store has to pass all of it; the end-to-end tests start the stores. It uses keys below
 * "test" and leaves none.
 */
#include "unit/testing.h"

#include "base/duration.h"
#include "fiber/clock.h"
#include "fiber/deadline.h"
#include "fiber/fence.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "fiber/loop.h"
#include "kv/backend.h"

#define TTL	(20 * SECOND)
#define AT_ONCE (5 * SECOND) /* for a slow machine */

static struct str uri;
static struct kv_options options;

/* A test's body, with its own view of the store. */
typedef may_suspend void body_fn(struct kv *kv);

struct run {
	body_fn *body;
};

static may_suspend void run_main(void *arg)
{
	const struct run *run = arg;
	_cleanup_(kv_closep) struct kv *kv = NULL;

	assert_ok(kv_open(uri, &options, &kv));
	run->body(kv);
	kv_stop(kv);
}

static void run_body(void **state)
{
	struct run run = { .body = *(body_fn **)*state };

	loop_run(LOOP_REAL, run_main, &run);
}

static may_suspend bool has(struct kv *kv, struct str key, const char *value)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_value v;

	assert_ok(kv_get(kv, key, &arena, &v));
	if (v.found)
		assert_true(v.revision > 0);
	return value ? v.found && str_eq(v.value, str_from(value)) : !v.found;
}

static may_suspend void keeps_records(struct kv *kv)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct str binary = STR("\0\xff\n\"{}");
	struct kv_value v;

	assert_true(has(kv, STR("test/a"), NULL));
	assert_ok(kv_delete(kv, STR("test/a")));
	assert_ok(kv_put(kv, STR("test/a"), STR("one"), NULL));
	assert_true(has(kv, STR("test/a"), "one"));
	assert_ok(kv_put(kv, STR("test/a"), STR("two"), NULL));
	assert_true(has(kv, STR("test/a"), "two"));
	assert_ok(kv_put(kv, STR("test/a"), binary, NULL));
	assert_ok(kv_get(kv, STR("test/a"), &arena, &v));
	assert_true(str_eq(v.value, binary));
	assert_ok(kv_put(kv, STR("test/a"), STR(""), NULL));
	assert_true(has(kv, STR("test/a"), ""));
	assert_ok(kv_delete(kv, STR("test/a")));
	assert_true(has(kv, STR("test/a"), NULL));
}

static may_suspend struct str listed(struct kv *kv, struct str directory, struct arena *arena)
{
	struct kv_list list;
	struct str all = STR("");

	assert_ok(kv_list(kv, directory, arena, &list));
	/* In no order: the tests have names of one letter, and two of them at most. */
	for (size_t pass = 'a'; pass <= '~'; pass++) {
		for (size_t i = 0; i < list.n; i++) {
			if ((size_t)list.v[i].name.p[0] == pass)
				all = arena_printf(arena, "%.*s%.*s=%.*s ", STR_ARG(all),
						   STR_ARG(list.v[i].name),
						   STR_ARG(list.v[i].value));
		}
	}
	return all;
}

static may_suspend void lists_directories(struct kv *kv)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;

	assert_str(listed(kv, STR("test/d"), &arena), "");
	assert_ok(kv_put(kv, STR("test/d/[::1]:2375"), STR("1"), NULL));
	assert_ok(kv_put(kv, STR("test/d/b:2375"), STR("2"), NULL));
	assert_ok(kv_put(kv, STR("test/d-beside"), STR("x"), NULL));
	assert_ok(kv_put(kv, STR("test/dd/deeper"), STR("x"), NULL));
	assert_str(listed(kv, STR("test/d"), &arena), "b:2375=2 ");
	assert_ok(kv_put(kv, STR("test/d/a"), STR("1"), NULL));
	assert_str(listed(kv, STR("test/d"), &arena), "a=1 b:2375=2 ");
	for (size_t i = 0; i < 5; i++) {
		static const char *const keys[] = { "test/d/[::1]:2375", "test/d/b:2375",
						    "test/d/a", "test/d-beside", "test/dd/deeper" };

		assert_ok(kv_delete(kv, str_from(keys[i])));
	}
	assert_str(listed(kv, STR("test/d"), &arena), "");
}

/* Somebody waits at a path, and is told or not. */
struct waiter {
	struct kv *kv;
	struct str key;
	uint64_t revision;
	bool told;
	struct error *err;
};

static may_suspend void wait_main(void *arg)
{
	struct waiter *w = arg;

	w->err = kv_wait(w->kv, w->key, w->revision);
	w->told = !w->err;
}

static may_suspend bool comes_true(const bool *what, int64_t span)
{
	int64_t until = clock_exact() + span;

	while (!*what && clock_exact() < until)
		error_free(fiber_sleep(10 * MILLISECOND));
	return *what;
}

static may_suspend uint64_t revision_of(struct kv *kv, struct str directory)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_list list;

	assert_ok(kv_list(kv, directory, &arena, &list));
	return list.revision;
}

/* change() is heard of by who waits, be it before or after the wait began. */
static may_suspend void hears(struct kv *kv, struct str key, const char *put, const char *remove)
{
	for (int late = 0; late < 2; late++) {
		struct waiter w = { .kv = kv, .key = key, .revision = revision_of(kv, key) };
		_cleanup_(group_finish) struct group g = GROUP_INIT;

		if (!late) {
			group_go(&g, "waiter", wait_main, &w);
			assert_ok(fiber_sleep(300 * MILLISECOND));
			assert_false(w.told);
		}
		if (put)
			assert_ok(kv_put(kv, str_from(put), STR("v"), NULL));
		else
			assert_ok(kv_delete(kv, str_from(remove)));
		if (late)
			group_go(&g, "waiter", wait_main, &w);
		if (!comes_true(&w.told, AT_ONCE))
			fail_msg("%s of %s was not heard (late: %d; %s)", put ? "put" : "delete",
				 put ? put : remove, late, error_message(w.err));
		/* Back as it was, for the second round. */
		if (put)
			assert_ok(kv_delete(kv, str_from(put)));
		else
			assert_ok(kv_put(kv, str_from(remove), STR("v"), NULL));
	}
}

static may_suspend void tells_of_changes(struct kv *kv)
{
	hears(kv, STR("test/w"), "test/w/a", NULL);
	assert_ok(kv_put(kv, STR("test/w/a"), STR("v"), NULL));
	hears(kv, STR("test/w"), "test/w/b", NULL);
	hears(kv, STR("test/w"), NULL, "test/w/a");
	assert_ok(kv_delete(kv, STR("test/w/a")));
}

/* As who follows a leader does: by the key itself, which comes, goes and changes. */
static may_suspend void tells_of_a_key(struct kv *kv)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	const struct str key = STR("test/leader");

	for (int step = 0; step < 4; step++) {
		_cleanup_(group_finish) struct group g = GROUP_INIT;
		struct waiter w = { .kv = kv, .key = key };
		struct kv_value v;

		assert_ok(kv_get(kv, key, &arena, &v));
		w.revision = v.revision;
		group_go(&g, "waiter", wait_main, &w);
		assert_ok(fiber_sleep(200 * MILLISECOND));
		assert_false(w.told);
		if (step % 2 == 0)
			assert_ok(kv_put(kv, key, step ? STR("b") : STR("a"), NULL));
		else if (step == 1)
			assert_ok(kv_put(kv, key, STR("c"), NULL));
		else
			assert_ok(kv_delete(kv, key));
		assert_true(comes_true(&w.told, AT_ONCE));
	}
	assert_true(has(kv, key, NULL));
}

static may_suspend void is_cancelled(struct kv *kv)
{
	uint64_t revision = revision_of(kv, STR("test/w"));
	_cleanup_(deadline_end) struct deadline d = deadline_begin(300 * MILLISECOND);

	assert_err(kv_wait(kv, STR("test/w"), revision), ERR_TIMEOUT, "");
	deadline_end(&d);
	assert_true(has(kv, STR("test/w/x"), NULL));
}

static may_suspend void leases_hold_keys(struct kv *kv)
{
	struct kv_lease *lease;

	assert_ok(kv_check_ttl(kv, TTL));
	assert_ok(kv_lease_begin(kv, TTL, &lease));
	assert_in_range(kv_lease_ttl(lease), 4 * SECOND, TTL);
	assert_ok(kv_put(kv, STR("test/l/a"), STR("1"), lease));
	assert_ok(kv_put(kv, STR("test/l/b"), STR("2"), lease));
	assert_ok(kv_put(kv, STR("test/l/a"), STR("3"), lease));
	assert_ok(kv_lease_renew(lease));
	assert_true(has(kv, STR("test/l/a"), "3"));
	assert_true(has(kv, STR("test/l/b"), "2"));
	kv_lease_end(lease);
	assert_true(has(kv, STR("test/l/a"), NULL));
	assert_true(has(kv, STR("test/l/b"), NULL));
}

/* Somebody ends it, who is not its holder. ZooKeeper's goes with its own connection alone. */
static may_suspend void an_ended_lease_is_lost(struct kv *kv)
{
	struct kv_lease *lost, *next;
	bool got = false;

	if (strcmp(kv_scheme(kv), "zk") == 0)
		return;
	assert_ok(kv_lease_begin(kv, TTL, &lost));
	assert_ok(kv_put(kv, STR("test/l/a"), STR("1"), lost));
	assert_ok(lost->kv->backend->lease_revoke(lost));
	assert_true(has(kv, STR("test/l/a"), NULL));
	assert_err(kv_put(kv, STR("test/l/a"), STR("1"), lost), ERR_NOT_FOUND, "is lost");
	assert_err(kv_lock(kv, STR("test/l/b"), STR("1"), lost, &got), ERR_NOT_FOUND, "is lost");
	assert_err(kv_lease_renew(lost), ERR_NOT_FOUND, "is lost");
	kv_lease_drop(lost);

	assert_ok(kv_lease_begin(kv, TTL, &next));
	assert_ok(kv_lock(kv, STR("test/l/b"), STR("2"), next, &got));
	assert_true(got);
	kv_lease_end(next);
	assert_true(has(kv, STR("test/l/b"), NULL));
}

/* A node that comes back before its old lease has ended makes its entry its own. */
static may_suspend void a_key_changes_its_lease(struct kv *kv)
{
	struct kv_lease *first, *second;

	assert_ok(kv_lease_begin(kv, TTL, &first));
	assert_ok(kv_put(kv, STR("test/l/a"), STR("1"), first));
	assert_ok(kv_lease_begin(kv, TTL, &second));
	assert_ok(kv_put(kv, STR("test/l/a"), STR("2"), second));
	kv_lease_end(first);
	assert_true(has(kv, STR("test/l/a"), "2"));
	kv_lease_end(second);
	assert_true(has(kv, STR("test/l/a"), NULL));
}

static may_suspend void one_holds_a_lock(struct kv *kv)
{
	const struct str key = STR("test/lock");
	struct kv_lease *first, *second;
	bool got = false;

	assert_ok(kv_lease_begin(kv, TTL, &first));
	assert_ok(kv_lease_begin(kv, TTL, &second));
	assert_ok(kv_lock(kv, key, STR("first"), first, &got));
	assert_true(got);
	assert_ok(kv_lock(kv, key, STR("second"), second, &got));
	assert_false(got);
	assert_ok(kv_lock(kv, key, STR("first"), first, &got));
	assert_true(got);
	assert_true(has(kv, key, "first"));

	struct waiter w = { .kv = kv, .key = key, .revision = revision_of(kv, key) };
	_cleanup_(group_finish) struct group g = GROUP_INIT;

	group_go(&g, "waiter", wait_main, &w);
	kv_lease_end(first);
	assert_true(comes_true(&w.told, AT_ONCE));

	/* A store may hold a key back for a moment after its holder has gone (Consul). */
	for (int64_t until = clock_exact() + AT_ONCE; !got || clock_exact() < until;) {
		assert_ok(kv_lock(kv, key, STR("second"), second, &got));
		if (got)
			break;
		assert_ok(fiber_sleep(20 * MILLISECOND));
	}
	assert_true(got);
	assert_true(has(kv, key, "second"));
	kv_lease_end(second);
	assert_true(has(kv, key, NULL));
}

static may_suspend bool is_held(struct kv *kv, struct str key)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	struct kv_value value;

	assert_ok(kv_get(kv, key, &arena, &value));
	return value.held;
}

/* What somebody wrote by hand, or an older program left behind, is in nobody's way. */
static may_suspend void what_nobody_holds_can_be_locked(struct kv *kv)
{
	const struct str key = STR("test/lock");
	struct kv_lease *first, *second;
	bool got = false;

	assert_ok(kv_put(kv, key, STR("left"), NULL));
	assert_ok(kv_put(kv, key, STR("behind"), NULL));
	assert_false(is_held(kv, key));
	assert_ok(kv_lease_begin(kv, TTL, &first));
	assert_ok(kv_lease_begin(kv, TTL, &second));
	assert_ok(kv_lock(kv, key, STR("first"), first, &got));
	assert_true(got);
	assert_true(is_held(kv, key));
	assert_true(has(kv, key, "first"));
	assert_ok(kv_lock(kv, key, STR("second"), second, &got));
	assert_false(got);
	kv_lease_end(second);
	assert_true(has(kv, key, "first"));
	kv_lease_end(first);
	assert_true(has(kv, key, NULL));
}

/* Gives its lease up although it was cancelled, as a process does that is stopped. */
struct holder {
	struct kv *kv;
	bool holds;
};

static may_suspend void cancelled_holder(void *arg)
{
	struct holder *h = arg;
	struct kv_lease *lease;

	assert_ok(kv_lease_begin(h->kv, TTL, &lease));
	assert_ok(kv_put(h->kv, STR("test/l/a"), STR("1"), lease));
	h->holds = true;
	assert_err(fiber_sleep(HOUR), ERR_CANCELLED, "");
	kv_lease_end(lease);
}

static may_suspend void a_cancelled_lease_ends(struct kv *kv)
{
	struct group g = GROUP_INIT;
	struct holder h = { .kv = kv };

	group_go(&g, "holder", cancelled_holder, &h);
	assert_true(comes_true(&h.holds, AT_ONCE));
	assert_true(has(kv, STR("test/l/a"), "1"));
	group_finish(&g);
	assert_true(has(kv, STR("test/l/a"), NULL));
}

static may_suspend void refuses_what_is_too_large(struct kv *kv)
{
	_cleanup_(strbuf_fini) struct strbuf value = STRBUF_INIT;

	while (value.n < 512 * 1024)
		strbuf_add(&value, STR("0123456789abcdef"));
	assert_ok(kv_put(kv, STR("test/a"), strbuf_str(&value), NULL));
	assert_true(has(kv, STR("test/a"), value.p));
	strbuf_addc(&value, '!');
	assert_err(kv_put(kv, STR("test/a"), strbuf_str(&value), NULL), ERR_TOO_LARGE, "test/a");
	assert_ok(kv_delete(kv, STR("test/a")));
}

static may_suspend void the_fence_holds(struct kv *kv)
{
	struct fence fence = FENCE_INIT;

	assert_err(kv_put_fenced(kv, STR("test/a"), STR("one"), &fence), ERR_NOT_PRIMARY, "");
	assert_true(has(kv, STR("test/a"), NULL));
	fence_open(&fence, clock_boot() + TTL);
	assert_ok(kv_put_fenced(kv, STR("test/a"), STR("one"), &fence));
	assert_ok(kv_put_fenced(kv, STR("test/a"), STR("two"), &fence));
	fence_close(&fence);
	assert_err(kv_put_fenced(kv, STR("test/a"), STR("three"), &fence), ERR_NOT_PRIMARY, "");
	assert_err(kv_delete_fenced(kv, STR("test/a"), &fence), ERR_NOT_PRIMARY, "");
	assert_true(has(kv, STR("test/a"), "two"));
	fence_open(&fence, clock_boot() + TTL);
	assert_ok(kv_delete_fenced(kv, STR("test/a"), &fence));
	assert_true(has(kv, STR("test/a"), NULL));
}

static body_fn *const bodies[] = {
	keeps_records,
	lists_directories,
	tells_of_changes,
	tells_of_a_key,
	is_cancelled,
	leases_hold_keys,
	one_holds_a_lock,
	a_key_changes_its_lease,
	a_cancelled_lease_ends,
	refuses_what_is_too_large,
	what_nobody_holds_can_be_locked,
	an_ended_lease_is_lost,
	the_fence_holds,
};

#define TEST(i, text)                                          \
	{                                                      \
		.name = text, .test_func = run_body,           \
		.initial_state = (void *)(uintptr_t)&bodies[i] \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(0, "keeps records"),
		TEST(1, "lists directories"),
		TEST(2, "tells of changes"),
		TEST(3, "tells of a key"),
		TEST(4, "is cancelled"),
		TEST(5, "leases hold keys"),
		TEST(6, "one holds a lock"),
		TEST(7, "a key changes its lease"),
		TEST(8, "a cancelled lease ends"),
		TEST(9, "refuses what is too large"),
		TEST(10, "what nobody holds can be locked"),
		TEST(11, "an ended lease is lost"),
		TEST(12, "the fence holds"),
	};

	if (argc != 2 && argc != 5)
		fail_msg("usage: %s URI [CA CERT KEY]", argv[0]);
	uri = str_from(argv[1]);
	if (argc == 5)
		options = (struct kv_options){ .ca = argv[2], .cert = argv[3], .key = argv[4] };
	return cmocka_run_group_tests_name("kv", tests, NULL, NULL);
}
