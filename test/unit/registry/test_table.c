/* SPDX-License-Identifier: Apache-2.0 */
/* registry/table.c */
#include "unit/testing.h"

#include <stdio.h>

#include "base/duration.h"
#include "base/limits.h"
#include "registry/table.h"

static struct str numbered(char *buf, size_t size, const char *form, int number)
{
	int n = snprintf(buf, size, form, number);

	return str_of(buf, (size_t)n);
}

static struct registry_cluster *add(struct table *t, int number, const char *client, int64_t now)
{
	char id[40];

	return table_add(t, numbered(id, sizeof(id), "%032x", number), str_from(client), now);
}

static int setup(void **state)
{
	static struct table t;

	table_init(&t);
	*state = &t;
	return 0;
}

static int teardown(void **state)
{
	table_fini(*state);
	return 0;
}

static void enters_renews_and_leaves(void **state)
{
	struct table *t = *state;
	struct registry_cluster *c = add(t, 1, "me", 0);
	uint64_t version;

	assert_ptr_equal(table_find(t, STR("00000000000000000000000000000001")), c);
	assert_null(table_find(t, STR("00000000000000000000000000000002")));
	assert_null(table_first_due(t));
	table_enter(t, c, STR("b:1"), STR("me"), 20 * SECOND, 0);
	table_enter(t, c, STR("a:1"), STR("me"), 30 * SECOND, 0);
	assert_string_equal(table_first_due(t)->node, "b:1");

	version = c->version;
	table_enter(t, c, STR("b:1"), STR("me"), 20 * SECOND, 15 * SECOND);
	assert_true(c->version == version); /* nothing that anybody sees has changed */
	assert_string_equal(table_first_due(t)->node, "a:1");
	assert_int_equal(t->n_entries, 2);

	table_leave(t, table_entry(c, STR("a:1")));
	assert_true(c->version != version);
	assert_null(table_entry(c, STR("a:1")));
	assert_string_equal(table_first_due(t)->node, "b:1");
	table_remove(t, c);
	assert_null(table_first_due(t));
	assert_int_equal(t->n_entries, 0);
	assert_int_equal(t->patrons.n, 0);
}

static void gives_each_client_a_share_of_the_clusters(void **state)
{
	struct table *t = *state;
	struct registry_cluster *room, *first = NULL;

	for (int i = 0; i < LIMIT_TOKEN_CLIENT_CLUSTERS; i++) {
		struct registry_cluster *c = add(t, i, "greedy", 0);

		first = first ? first : c;
	}
	assert_err(table_check_add(t, STR("greedy"), 0, &room), ERR_FORBIDDEN,
		   "greedy has made 256 clusters here");
	assert_ok(table_check_add(t, STR("modest"), 0, &room));
	assert_null(room);
	table_remove(t, first);
	assert_ok(table_check_add(t, STR("greedy"), 0, &room));
}

static void makes_room_where_nobody_was(void **state)
{
	struct table *t = *state;
	struct registry_cluster *room, *idle = NULL;
	char client[32];

	for (int i = 0; i < LIMIT_TOKEN_CLUSTERS; i++) {
		struct registry_cluster *c;

		numbered(client, sizeof(client), "client-%d", i / 100);
		c = add(t, i, client, i == 5000 ? 0 : HOUR);
		/* The two that are idle the longest have nodes, or are the manager's own. */
		c->used = i < 2 ? -1 : c->used;
		c->own = i == 0;
		if (i == 1)
			table_enter(t, c, STR("a:1"), STR("x"), SECOND, 0);
		idle = i == 5000 ? c : idle;
	}
	assert_err(table_check_add(t, STR("x"), LIMIT_TOKEN_IDLE - 1, &room), ERR_UNAVAILABLE,
		   "keeps 10000 clusters and has room for no more");
	assert_ok(table_check_add(t, STR("x"), LIMIT_TOKEN_IDLE, &room));
	assert_ptr_equal(room, idle);
}

static void bounds_the_nodes_of_a_cluster_and_of_a_client(void **state)
{
	struct table *t = *state;
	struct registry_cluster *full = add(t, 1, "a", 0), *other = add(t, 2, "a", 0);
	char node[32];

	for (int i = 0; i < LIMIT_TOKEN_NODES; i++) {
		assert_ok(table_check_enter(t, full, STR("a")));
		table_enter(t, full, numbered(node, sizeof(node), "n%d:1", i), STR("a"), SECOND, 0);
	}
	assert_err(table_check_enter(t, full, STR("b")), ERR_UNAVAILABLE, "lists 16384 nodes");
	assert_err(table_check_enter(t, other, STR("a")), ERR_FORBIDDEN,
		   "a has registered 16384 nodes here");
	assert_ok(table_check_enter(t, other, STR("b")));
	table_leave(t, table_entry(full, STR("n7:1")));
	assert_ok(table_check_enter(t, other, STR("a")));
}

static void bounds_all_nodes(void **state)
{
	struct table *t = *state;
	struct registry_cluster *c = NULL;
	char node[32];

	for (int i = 0; i < LIMIT_TOKEN_ENTRIES; i++) {
		if (i % LIMIT_TOKEN_NODES == 0)
			c = add(t, i, "maker", 0);
		/* From before this start: nobody's share. */
		table_enter(t, c, numbered(node, sizeof(node), "n%d:1", i), STR_NONE, SECOND, 0);
	}
	c = add(t, -1, "maker", 0);
	assert_err(table_check_enter(t, c, STR("a")), ERR_UNAVAILABLE,
		   "lists 131072 nodes and has room for no more");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(enters_renews_and_leaves),
		TEST(gives_each_client_a_share_of_the_clusters),
		TEST(makes_room_where_nobody_was),
		TEST(bounds_the_nodes_of_a_cluster_and_of_a_client),
		TEST(bounds_all_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
