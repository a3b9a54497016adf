/* SPDX-License-Identifier: Apache-2.0 */
/* cluster/tally.c: how many containers of which node have what. */
#include "unit/testing.h"

#include <stdio.h>

#include "base/rand.h"
#include "cluster/tally.h"

enum { NODES = 40, KEYS = 3, VALUES = 5, STEPS = 20000 };

static const char *const keys[KEYS] = { "app", "tier", "" };
static const char *const values[VALUES] = { "web", "db", "", "=", "web1" };

static uint32_t count(const struct tally *t, const char *key, const char *value, uint32_t node)
{
	return tally_count(tally_find(t, str_from(key), str_from(value)), node);
}

static void counts(void **state)
{
	struct tally t;

	(void)state;
	tally_init(&t);
	assert_int_equal(count(&t, "app", "web", 3), 0);
	tally_add(&t, STR("app"), STR("web"), 3);
	tally_add(&t, STR("app"), STR("web"), 3);
	tally_add(&t, STR("app"), STR("web"), 1);
	assert_int_equal(count(&t, "app", "web", 3), 2);
	assert_int_equal(count(&t, "app", "web", 1), 1);
	assert_int_equal(count(&t, "app", "web", 2), 0);
	assert_int_equal(count(&t, "app", "we", 3), 0);
	/* A key and a value are not confused with another cut between them. */
	assert_int_equal(count(&t, "ap", "pweb", 3), 0);
	tally_remove(&t, STR("app"), STR("web"), 3);
	tally_remove(&t, STR("app"), STR("web"), 3);
	assert_int_equal(count(&t, "app", "web", 3), 0);
	assert_int_equal(count(&t, "app", "web", 1), 1);
	tally_remove(&t, STR("app"), STR("web"), 1);
	assert_null(tally_find(&t, STR("app"), STR("web")));
	assert_int_equal(t.keys.n, 0);
	tally_fini(&t);
}

static void check_nodes(const struct tally *t, const char *pattern, bool any, const char *expected)
{
	_cleanup_(strbuf_fini) struct strbuf nodes = STRBUF_INIT;
	struct node_set found = { NULL, 0, false };
	struct match m;

	assert_ok(match_init(&m, str_from(pattern)));
	node_set_begin(&found, NODES);
	tally_match(t, STR("app"), &m, any ? match_test_any : match_test, &found);
	for (uint32_t i = 0; i < NODES; i++)
		if (node_set_has(&found, i))
			strbuf_addf(&nodes, "%s%u", nodes.n ? " " : "", i);
	assert_buf(nodes, expected);
	node_set_fini(&found);
	match_fini(&m);
}

static void finds_nodes(void **state)
{
	struct tally t;

	(void)state;
	tally_init(&t);
	tally_add(&t, STR("app"), STR("web"), 3);
	tally_add(&t, STR("app"), STR("web"), 39);
	tally_add(&t, STR("app"), STR("worker"), 0);
	tally_add(&t, STR("app"), STR("db"), 7);
	tally_add(&t, STR("tier"), STR("web"), 8);
	check_nodes(&t, "web", false, "3 39");
	check_nodes(&t, "w*", false, "0 3 39");
	check_nodes(&t, "*", false, "0 3 7 39");
	check_nodes(&t, "/^(db|worker)$/", false, "0 7");
	check_nodes(&t, "none", false, "");
	check_nodes(&t, "web|db", false, "");
	check_nodes(&t, "web|db|web", true, "3 7 39");
	check_nodes(&t, "w*b|db", true, "3 7 39");
	tally_fini(&t);
}

/* Against a plain array. */
static void counts_right(void **state)
{
	static uint32_t plain[KEYS][VALUES][NODES];
	struct tally t;

	(void)state;
	rand_seed(4);
	tally_init(&t);
	for (int i = 0; i < STEPS; i++) {
		size_t k = rand_below(KEYS), v = rand_below(VALUES), n = rand_below(NODES);

		/* By halves it grows, then it goes down to nothing. */
		if (rand_below(10) < (i < STEPS / 2 ? 6u : 3u)) {
			tally_add(&t, str_from(keys[k]), str_from(values[v]), (uint32_t)n);
			plain[k][v][n]++;
		} else if (plain[k][v][n]) {
			tally_remove(&t, str_from(keys[k]), str_from(values[v]), (uint32_t)n);
			plain[k][v][n]--;
		}
		assert_int_equal(count(&t, keys[k], values[v], (uint32_t)n), plain[k][v][n]);
	}
	for (size_t k = 0; k < KEYS; k++)
		for (size_t v = 0; v < VALUES; v++)
			for (uint32_t n = 0; n < NODES; n++)
				assert_int_equal(count(&t, keys[k], values[v], n), plain[k][v][n]);
	tally_fini(&t);
}

/* All nodes at once tell the same as each node asked alone; those from n on are left out. */
static void counts_all(void **state)
{
	uint32_t all[NODES] = { 0 };
	struct tally t;

	(void)state;
	tally_init(&t);
	tally_counts(tally_find(&t, STR("app"), STR("web")), all, NODES);
	for (uint32_t i = 0; i < NODES; i += 3)
		for (uint32_t k = 0; k <= i; k++)
			tally_add(&t, STR("app"), STR("web"), i);
	tally_counts(tally_find(&t, STR("app"), STR("web")), all, NODES - 4);
	for (uint32_t i = 0; i < NODES; i++)
		assert_int_equal(all[i], i < NODES - 4 ? count(&t, "app", "web", i) : 0);
	tally_fini(&t);
}

static void groups(void **state)
{
	uint32_t of[6] = { 0 };
	struct tally t;

	(void)state;
	tally_init(&t);
	assert_int_equal(tally_groups(&t, STR("rack"), of, 6), 0);
	tally_add(&t, STR("rack"), STR("a"), 5);
	tally_add(&t, STR("rack"), STR("a"), 1);
	tally_add(&t, STR("rack"), STR("b"), 0);
	tally_add(&t, STR("rack"), STR(""), 2);
	tally_add(&t, STR("rack"), STR("b"), 6); /* a newer node than there is room for */
	tally_add(&t, STR("zone"), STR("a"), 4);
	assert_int_equal(tally_groups(&t, STR("rack"), of, 6), 3);
	assert_int_equal(of[1], of[5]);
	assert_in_range(of[0], 1, 3);
	assert_in_range(of[1], 1, 3);
	assert_in_range(of[2], 1, 3);
	assert_true(of[0] != of[1] && of[0] != of[2] && of[1] != of[2]);
	assert_int_equal(of[3], 0);
	assert_int_equal(of[4], 0);
	tally_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),	cmocka_unit_test(finds_nodes),
		cmocka_unit_test(counts_right), cmocka_unit_test(counts_all),
		cmocka_unit_test(groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
