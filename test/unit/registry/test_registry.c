/* SPDX-License-Identifier: Apache-2.0 */
/* registry/registry.c, on a virtual clock and a real database. */
#include "folder.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/vec.h"
#include "fiber/deadline.h"
#include "fiber/fiber.h"
#include "fiber/group.h"
#include "registry/registry.h"
#include "registry/request.h"

#define NOBODY "0123456789abcdef0123456789abcdef"

static struct registry *registry;
static struct strbuf id;

static may_suspend void begin(void)
{
	assert_ok(registry_open(folder, &registry));
}

static may_suspend void end(void)
{
	registry_close(take(registry));
}

static may_suspend void create(void)
{
	strbuf_reset(&id);
	assert_ok(registry_create(registry, STR("me"), &id));
	assert_int_equal(id.n, REGISTRY_ID_DIGITS);
}

static may_suspend struct error *enter(const char *node, int64_t ttl)
{
	struct addr addr;

	assert_ok(addr_parse_host_port(str_from(node), &addr));
	return registry_enter(registry, strbuf_str(&id), &addr, ttl, STR("me"));
}

static uint64_t listed(const char *expected)
{
	_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
	_cleanup_(vec_fini) struct vec nodes = VEC_INIT;
	_cleanup_(strbuf_fini) struct strbuf all = STRBUF_INIT;
	uint64_t version = 0;

	assert_ok(registry_list(registry, strbuf_str(&id), &arena, &nodes, &version));
	strbuf_add(&all, STR(""));
	for (size_t i = 0; i < nodes.n; i++)
		strbuf_addf(&all, "%s%.*s", i > 0 ? " " : "", STR_ARG(*(struct str *)nodes.v[i]));
	assert_buf(all, expected);
	return version;
}

static may_suspend void pass(int64_t span)
{
	assert_ok(fiber_sleep(span));
}

STORY(lists_who_renews)
{
	begin();
	create();
	listed("");
	assert_ok(enter("b:1", 10 * SECOND));
	assert_ok(enter("a:1", 30 * SECOND));
	listed("a:1 b:1");
	for (int i = 0; i < 10; i++) {
		pass(9 * SECOND);
		assert_ok(enter("b:1", 10 * SECOND));
	}
	listed("b:1");
	pass(10 * SECOND);
	listed("");
	assert_ok(enter("a:1", 365 * 24 * HOUR));
	assert_ok(enter("a:1", 0));
	assert_ok(enter("a:1", 0));
	listed("");
	end();
}

STORY(knows_no_other_clusters)
{
	struct vec nodes = VEC_INIT;
	uint64_t version;
	struct addr addr = { .host = "a", .port = 1 };

	begin();
	assert_err(registry_list(registry, STR(NOBODY), NULL, &nodes, &version), ERR_NOT_FOUND,
		   "there is no cluster with this id");
	assert_err(registry_enter(registry, STR(NOBODY), &addr, SECOND, STR("me")), ERR_NOT_FOUND,
		   "there is no cluster");
	assert_err(registry_end(registry, STR(NOBODY)), ERR_NOT_FOUND, "there is no cluster");
	create();
	assert_ok(enter("a:1", SECOND));
	assert_ok(registry_end(registry, strbuf_str(&id)));
	assert_err(enter("a:1", SECOND), ERR_NOT_FOUND, "there is no cluster");
	end();
}

STORY(gives_all_their_time_after_a_restart)
{
	begin();
	create();
	assert_ok(enter("a:1", 60 * SECOND));
	assert_ok(enter("gone:1", 10 * SECOND));
	assert_ok(enter("left:1", 60 * SECOND));
	pass(30 * SECOND);
	assert_ok(enter("left:1", 0));
	end();
	pass(HOUR); /* nobody could renew */
	begin();
	listed("a:1");
	pass(59 * SECOND);
	listed("a:1");
	pass(SECOND);
	listed("");
	end();
	begin();
	listed("");
	end();
}

static void write_nothing(_unused_ enum log_level level, _unused_ struct str line,
			  _unused_ void *arg)
{
}

STORY(promises_nothing_that_a_full_disk_does_not_keep)
{
	struct strbuf second = STRBUF_INIT;

	log_set_sink(write_nothing, NULL);
	begin();
	create();
	assert_ok(enter("a:1", 10 * SECOND));
	assert_ok(enter("b:1", 60 * SECOND));
	disk_is_full(true);
	assert_err(registry_create(registry, STR("me"), &second), ERR_UNAVAILABLE, "cannot write");
	assert_int_equal(second.n, 0);
	assert_err(enter("c:1", SECOND), ERR_UNAVAILABLE, "cannot write");
	assert_err(enter("b:1", 0), ERR_UNAVAILABLE, "cannot write");
	assert_err(enter("b:1", HOUR), ERR_UNAVAILABLE, "cannot write"); /* another ttl */
	assert_err(registry_end(registry, strbuf_str(&id)), ERR_UNAVAILABLE, "cannot write");
	assert_ok(enter("b:1", 60 * SECOND)); /* a renewal needs no disk */
	listed("a:1 b:1");
	pass(10 * SECOND);
	listed("b:1");
	disk_is_full(false);
	assert_ok(enter("c:1", 60 * SECOND));
	end();

	/* What ended meanwhile is on the disk still, and ends again. */
	begin();
	listed("a:1 b:1 c:1");
	pass(10 * SECOND);
	listed("b:1 c:1");
	end();
	log_set_sink(NULL, NULL);
}

static may_suspend void wait_for_change(void *arg)
{
	uint64_t *version = arg;

	assert_ok(registry_wait(registry, strbuf_str(&id), *version));
	*version = 0;
}

/* Whether a wait that begins now ends by itself within a second. */
static may_suspend bool changes(struct group *g, uint64_t *version)
{
	group_go(g, "waiter", wait_for_change, version);
	pass(SECOND);
	return g->n == 0;
}

STORY(tells_of_changes_and_of_nothing_else)
{
	_cleanup_(group_finish) struct group g = GROUP_INIT;
	uint64_t version;

	begin();
	create();
	assert_ok(enter("a:1", 10 * SECOND));
	version = listed("a:1");
	assert_false(changes(&g, &version));
	assert_ok(enter("a:1", 10 * SECOND)); /* renewed */
	pass(SECOND);
	assert_int_equal(g.n, 1);
	assert_ok(enter("b:1", 60 * SECOND));
	pass(0);
	assert_int_equal(g.n, 0);

	version = listed("a:1 b:1");
	assert_false(changes(&g, &version));
	pass(10 * SECOND); /* a:1 ends */
	assert_int_equal(g.n, 0);
	version = listed("b:1") + 1; /* seen before: at once */
	assert_true(changes(&g, &version));
	end();
}

STORY(keeps_the_managers_own)
{
	_cleanup_(strbuf_fini) struct strbuf own = STRBUF_INIT, again = STRBUF_INIT;

	begin();
	assert_ok(registry_own(registry, &own));
	create(); /* strangers' clusters do not confuse it */
	create();
	assert_err(registry_end(registry, strbuf_str(&own)), ERR_CONFLICT,
		   "the manager's own cluster");
	end();
	begin();
	assert_ok(registry_own(registry, &again));
	assert_true(str_eq(strbuf_str(&own), strbuf_str(&again)));
	end();
}

STORY(takes_the_only_one_over)
{
	_cleanup_(strbuf_fini) struct strbuf own = STRBUF_INIT;

	begin();
	create();
	assert_ok(registry_own(registry, &own));
	assert_true(str_eq(strbuf_str(&own), strbuf_str(&id)));
	end();
	begin();
	create();
	strbuf_reset(&own);
	assert_ok(registry_own(registry, &own));
	assert_false(str_eq(strbuf_str(&own), strbuf_str(&id)));
	end();
}

struct crowd {
	int number;
	struct error *err;
};

static may_suspend void one_of_many(void *arg)
{
	struct crowd *c = arg;
	char node[32];

	(void)snprintf(node, sizeof(node), "n%03d:1", c->number % 50);
	for (int i = 0; i < 4 && !c->err; i++) {
		c->err = enter(node, (int64_t)rand_between(0, 3) * 10 * SECOND);
		if (!c->err)
			c->err = fiber_sleep(rand_between(0, 20 * SECOND));
	}
}

/* Many at once, ending and beginning: what the table says and what the disk says is the same. */
STORY(stays_the_same_on_disk)
{
	for (uint64_t seed = 1; seed <= 5; seed++) {
		_cleanup_(group_finish) struct group g = GROUP_INIT;
		_cleanup_(strbuf_fini) struct strbuf before = STRBUF_INIT;
		_cleanup_(arena_fini) struct arena arena = ARENA_INIT;
		_cleanup_(vec_fini) struct vec nodes = VEC_INIT, after = VEC_INIT;
		struct crowd crowd[150];
		uint64_t version;

		begin();
		create();
		for (size_t i = 0; i < ARRAY_LEN(crowd); i++) {
			crowd[i] = (struct crowd){ .number = (int)i };
			group_go(&g, "member", one_of_many, &crowd[i]);
		}
		assert_ok(group_wait(&g));
		for (size_t i = 0; i < ARRAY_LEN(crowd); i++)
			assert_ok(crowd[i].err);
		assert_ok(registry_list(registry, strbuf_str(&id), &arena, &nodes, &version));
		end();
		begin();
		assert_ok(registry_list(registry, strbuf_str(&id), &arena, &after, &version));
		assert_int_equal(nodes.n, after.n);
		for (size_t i = 0; i < nodes.n; i++)
			assert_true(str_eq(*(struct str *)nodes.v[i], *(struct str *)after.v[i]));
		end();
	}
}

static int fini(_unused_ void **state)
{
	strbuf_fini(&id);
	return folder_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, fini)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lists_who_renews),
		TEST(knows_no_other_clusters),
		TEST(gives_all_their_time_after_a_restart),
		TEST(promises_nothing_that_a_full_disk_does_not_keep),
		TEST(tells_of_changes_and_of_nothing_else),
		TEST(keeps_the_managers_own),
		TEST(takes_the_only_one_over),
		TEST(stays_the_same_on_disk),
	};

	return run_stories(tests);
}
