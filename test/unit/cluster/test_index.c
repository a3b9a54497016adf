/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/index.c: what each way of writing a container finds, and in which order. */
#include "unit/testing.h"

#include "cluster/index.h"
#include "engine/engine.h"

/* An engine is only a name here. */
struct engine {
	struct str name;
};

struct str engine_name(const struct engine *e)
{
	return e->name;
}

static struct engine node_1 = { STR_INIT("node-1") }, node_2 = { STR_INIT("node-2") };

#define ID(text) text "00000000000000000000000000000000000000000000000000"
#define CONTAINER(e, id_, name_, swarm_id_)                                  \
	{                                                                    \
		.engine = (e), .id = STR_INIT(id_), .name = STR_INIT(name_), \
		.swarm_id = STR_INIT(swarm_id_)                              \
	}

static struct container containers[] = {
	CONTAINER(&node_1, ID("aaaa11112222bb"), "web", ID("5a5a5a5a5a5a5a")),
	CONTAINER(&node_2, ID("aaaa11113333cc"), "db", ID("5a5a5b5b5b5b5b")),
	/* Two of one name, made on the engines themselves. */
	CONTAINER(&node_1, ID("bbbb11112222bb"), "twin", ""),
	CONTAINER(&node_2, ID("cccc11112222bb"), "twin", ""),
	/* A name that begins like an id, one that is the 12 digits of another's id. */
	CONTAINER(&node_2, ID("dddd11112222bb"), "aaaa1111", ""),
	CONTAINER(&node_2, ID("eeee11112222bb"), "bbbb11112222", ""),
	/* The stale copy of a container that moved: one swarm id. */
	CONTAINER(&node_2, ID("ffff11112222bb"), "moved", ID("7c7c7c7c7c7c7c")),
	CONTAINER(&node_1, ID("ffff22222222bb"), "moved", ID("7c7c7c7c7c7c7c")),
};

enum { WEB, DB, TWIN_1, TWIN_2, LIKE_PREFIX, LIKE_SHORT_ID, MOVED_2, MOVED_1 };

static void fill(struct index *x)
{
	index_init(x);
	for (size_t i = 0; i < ARRAY_LEN(containers); i++)
		index_add(x, &containers[i]);
}

static void finds_by_every_form(void **state)
{
	static const struct {
		const char *ref;
		int expected;
	} cases[] = {
		{ ID("aaaa11112222bb"), WEB },
		{ "aaaa11112222", WEB },
		{ "aaaa11112", WEB },
		{ "web", WEB },
		{ "/web", WEB },
		{ "node-1/web", WEB },
		{ "/node-1/web", WEB },
		{ ID("5a5a5a5a5a5a5a"), WEB },
		{ "5a5a5a5a5a5a", WEB },
		{ "5a5a5b", DB },
		{ "node-1/twin", TWIN_1 },
		{ "node-2/twin", TWIN_2 },
		{ "aaaa1111", LIKE_PREFIX }, /* a name wins over a prefix, */
		{ "bbbb11112222", TWIN_1 },  /* 12 digits of an id over a name */
		{ "node-2/bbbb11112222", LIKE_SHORT_ID },
	};
	struct index x;

	(void)state;
	fill(&x);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container *found = NULL;
		struct error *err = index_find(&x, str_from(cases[i].ref), &found);

		if (err)
			print_message("%s: %s\n", cases[i].ref, error_message(err));
		assert_null(err);
		assert_ptr_equal(found, &containers[cases[i].expected]);
	}
	index_fini(&x);
}

static void refuses_what_is_not_there_or_ambiguous(void **state)
{
	static const struct {
		const char *ref;
		enum error_kind kind;
		const char *message;
	} cases[] = {
		{ "", ERR_NOT_FOUND, "No such container: " },
		{ "/", ERR_NOT_FOUND, "No such container: /" },
		{ "nothing", ERR_NOT_FOUND, "No such container: nothing" },
		{ "node-2/web", ERR_NOT_FOUND, "No such container: node-2/web" },
		{ "node-3/web", ERR_NOT_FOUND, "No such container: node-3/web" },
		{ "twin", ERR_AMBIGUOUS,
		  "twin is ambiguous, it may be any of: node-1/twin (bbbb11112222), "
		  "node-2/twin (cccc11112222)" },
		{ "aaaa11", ERR_AMBIGUOUS,
		  "aaaa11 is ambiguous, it may be any of: node-1/web (aaaa11112222), "
		  "node-2/db (aaaa11113333)" },
		{ "5a5a5", ERR_AMBIGUOUS,
		  "5a5a5 is ambiguous, it may be any of: node-1/web (aaaa11112222), "
		  "node-2/db (aaaa11113333)" },
		{ ID("7c7c7c7c7c7c7c"), ERR_AMBIGUOUS,
		  ID("7c7c7c7c7c7c7c") " is ambiguous, it may be any of: node-2/moved "
				       "(ffff11112222), node-1/moved (ffff22222222)" },
		{ "7c7c7c7c7c7c", ERR_AMBIGUOUS,
		  "7c7c7c7c7c7c is ambiguous, it may be any of: node-2/moved (ffff11112222), "
		  "node-1/moved (ffff22222222)" },
	};
	struct index x;

	(void)state;
	fill(&x);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct container *found = NULL;
		struct error *err = index_find(&x, str_from(cases[i].ref), &found);

		assert_non_null(err);
		assert_string_equal(error_message(err), cases[i].message);
		assert_int_equal(error_kind(err), cases[i].kind);
		error_free(err);
	}
	index_fini(&x);
}

static void a_name_is_alone_when_its_twin_has_gone(void **state)
{
	struct index x;
	bool alone;

	(void)state;
	fill(&x);
	assert_non_null(index_by_name(&x, STR("twin"), &alone));
	assert_false(alone);
	index_remove(&x, &containers[TWIN_1]);
	assert_ptr_equal(index_by_name(&x, STR("twin"), &alone), &containers[TWIN_2]);
	assert_true(alone);
	index_remove(&x, &containers[TWIN_2]);
	assert_null(index_by_name(&x, STR("twin"), &alone));
	index_fini(&x);
}

/* That one alone has it; NULL: none has. */
static void assert_of_swarm_id(const struct index *x, struct str id, const struct container *ct)
{
	_cleanup_(vec_fini) struct vec found = VEC_INIT;

	id_tree_get(&x->swarm_ids, id, &found);
	assert_int_equal(found.n, ct != NULL);
	if (ct)
		assert_ptr_equal(found.v[0], ct);
}

static void a_shared_swarm_id_outlives_either_copy(void **state)
{
	struct str id = containers[MOVED_1].swarm_id;

	(void)state;
	for (int gone = MOVED_2; gone <= MOVED_1; gone++) {
		int stays = gone == MOVED_2 ? MOVED_1 : MOVED_2;
		struct index x;

		fill(&x);
		index_remove(&x, &containers[gone]);
		assert_of_swarm_id(&x, id, &containers[stays]);
		index_remove(&x, &containers[stays]);
		assert_of_swarm_id(&x, id, NULL);
		index_fini(&x);
	}
}

/* A machine and its clone: the container that both came with has one id on both. */
static void a_clone_is_found_by_its_node(void **state)
{
	struct container agents[] = {
		CONTAINER(&node_1, ID("aa11"), "agent", ""),
		CONTAINER(&node_2, ID("aa11"), "agent", ""),
	};
	_cleanup_(vec_fini) struct vec all = VEC_INIT;

	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		struct container *found = NULL, *stays = &agents[1 - gone];
		struct error *err;
		struct index x;

		index_init(&x);
		index_add(&x, &agents[0]);
		index_add(&x, &agents[1]);
		err = index_find(&x, stays->id, &found);
		assert_string_equal(error_message(err),
				    ID("aa11") " is ambiguous, it may be any of: node-1/agent "
					       "(aa1100000000), node-2/agent (aa1100000000)");
		error_free(err);
		assert_ok(index_find(&x, STR("node-2/agent"), &found));
		assert_ptr_equal(found, &agents[1]);
		vec_clear(&all);
		assert_false(id_tree_find(&x.ids, STR("aa"), 1, &all));
		assert_int_equal(all.n, 2);

		index_remove(&x, &agents[gone]);
		assert_ok(index_find(&x, stays->id, &found));
		assert_ptr_equal(found, stays);
		index_remove(&x, stays);
		assert_null(index_by_id(&x, stays->id));
		index_fini(&x);
	}
}

/* One that was given by hand, as the beginning of another's. */
static void a_whole_swarm_id_is_no_prefix(void **state)
{
	struct container one = CONTAINER(&node_1, ID("aa11"), "one", "5af3");
	struct container two = CONTAINER(&node_1, ID("aa22"), "two", "5af3c0");
	struct container *found;
	struct index x;

	(void)state;
	index_init(&x);
	index_add(&x, &one);
	index_add(&x, &two);
	assert_ok(index_find(&x, STR("5af3"), &found));
	assert_ptr_equal(found, &one);
	assert_ok(index_find(&x, STR("5af3c"), &found));
	assert_ptr_equal(found, &two);
	index_remove(&x, &one);
	index_remove(&x, &two);
	index_fini(&x);
}

#define ID_5A STR(ID("5a"))

/* A container that moved twice: three copies, and a container that only looks like one. */
static struct container moved[] = {
	CONTAINER(&node_1, ID("a1"), "web", ID("5a")),
	CONTAINER(&node_2, ID("a2"), "web", ID("5a")),
	CONTAINER(&node_1, ID("a3"), "web", ID("5a")),
	CONTAINER(&node_2, ID("b1"), "other", ID("5a")),
};

/* In whatever order they are told of, and go: the latest of those that are there is found. */
static void the_latest_copy_is_found(void **state)
{
	static const int orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					 { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		moved[i].generation = i % 3;
	for (size_t o = 0; o < ARRAY_LEN(orders); o++) {
		struct container *found;
		struct index x;
		int latest = -1;
		bool alone;

		index_init(&x);
		index_add(&x, &moved[3]);
		for (int i = 0; i < 3; i++) {
			latest = MAX(latest, orders[o][i]);
			index_add(&x, &moved[orders[o][i]]);
			assert_ok(index_find(&x, STR("web"), &found));
			assert_ptr_equal(found, &moved[latest]);
			index_by_name(&x, STR("web"), &alone);
			assert_true(alone);
			assert_int_equal(x.stale.n, i);
		}
		assert_ok(index_find(&x, moved[0].id, &found));
		assert_ptr_equal(found, &moved[0]);
		assert_ok(index_find(&x, STR("other"), &found));
		assert_false(moved[3].stale);
		for (int i = 2; i >= 0; i--) {
			assert_ok(index_find(&x, STR("web"), &found));
			assert_ptr_equal(found, &moved[i]);
			assert_ptr_equal(index_copy(&x, ID_5A, STR("web"), NULL), &moved[i]);
			assert_null(index_copy(&x, ID_5A, STR("web"), &moved[i]));
			index_remove(&x, &moved[i]);
		}
		index_remove(&x, &moved[3]);
		assert_int_equal(x.swarm_ids.twins.n + x.stale.n, 0);
		index_fini(&x);
	}
}

/* Of one generation the one made last is the later one; without any, nobody knows. */
static void equal_generations_are_told_apart_by_age(void **state)
{
	(void)state;
	for (uint32_t generation = 0; generation < 2; generation++) {
		struct index x;

		for (int i = 0; i < 2; i++) {
			moved[i].generation = generation;
			moved[i].created = 1000 + i;
		}
		index_init(&x);
		index_add(&x, &moved[1]);
		index_add(&x, &moved[0]);
		assert_int_equal(moved[0].stale, generation > 0);
		assert_false(moved[1].stale);
		index_remove(&x, &moved[1]);
		assert_false(moved[0].stale);
		index_remove(&x, &moved[0]);
		index_fini(&x);
	}
}

static void a_stranger_is_no_copy(void **state)
{
	struct container *found;
	struct index x;
	bool alone;

	(void)state;
	for (uint32_t i = 0; i < 2; i++)
		moved[i].generation = i;
	index_init(&x);
	index_add(&x, &moved[1]);
	index_add(&x, &moved[0]);
	assert_true(moved[0].stale);
	index_set_stranger(&x, &moved[0]);
	assert_false(moved[0].stale);
	assert_non_null(index_by_name(&x, STR("web"), &alone));
	assert_false(alone);
	assert_ok(index_find(&x, STR("node-1/web"), &found));
	assert_ptr_equal(found, &moved[0]);
	/* News of it changes nothing about that. */
	index_remove(&x, &moved[0]);
	index_add(&x, &moved[0]);
	assert_false(moved[0].stale);
	index_remove(&x, &moved[0]);
	index_remove(&x, &moved[1]);
	index_fini(&x);
}

static bool is_second(const void *arg, const struct container *ct)
{
	return ct == arg;
}

/* It is nowhere but under its id, whether there is a later copy or none. */
static void what_is_left_of_a_removed_one_is_stale(void **state)
{
	struct container *found;
	struct index x;
	bool alone;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		moved[i].generation = i;
	index_init(&x);
	for (int i = 0; i < 3; i++)
		index_add(&x, &moved[i]);
	x.is_outlived = is_second;
	x.arg = &moved[1];
	index_remove(&x, &moved[2]);
	assert_true(moved[1].stale);
	assert_ok(index_find(&x, STR("web"), &found));
	assert_ptr_equal(found, &moved[0]);
	index_remove(&x, &moved[0]);
	assert_null(index_by_name(&x, STR("web"), &alone));
	assert_ok(index_find(&x, moved[1].id, &found));

	x.arg = NULL;
	index_reconsider(&x, &moved[1]);
	assert_false(moved[1].stale);
	x.arg = &moved[1];
	index_reconsider(&x, &moved[1]);
	assert_true(moved[1].stale);

	/* All copies at once; of another name none is one. */
	x.arg = NULL;
	index_reconsider_copies(&x, moved[1].swarm_id, STR("other"));
	assert_true(moved[1].stale);
	index_reconsider_copies(&x, moved[1].swarm_id, moved[1].name);
	assert_false(moved[1].stale);
	x.arg = &moved[1];
	index_reconsider_copies(&x, moved[1].swarm_id, moved[1].name);
	assert_true(moved[1].stale);
	index_set_stranger(&x, &moved[1]);
	index_reconsider(&x, &moved[1]);
	assert_false(moved[1].stale);
	index_remove(&x, &moved[1]);
	index_fini(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_every_form),
		cmocka_unit_test(refuses_what_is_not_there_or_ambiguous),
		cmocka_unit_test(a_name_is_alone_when_its_twin_has_gone),
		cmocka_unit_test(a_shared_swarm_id_outlives_either_copy),
		cmocka_unit_test(a_clone_is_found_by_its_node),
		cmocka_unit_test(a_whole_swarm_id_is_no_prefix),
		cmocka_unit_test(the_latest_copy_is_found),
		cmocka_unit_test(equal_generations_are_told_apart_by_age),
		cmocka_unit_test(a_stranger_is_no_copy),
		cmocka_unit_test(what_is_left_of_a_removed_one_is_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
