/* SPDX-License-Identifier: Apache-2.0 */
/* base/prefix.c, against a sorted array. */
#include "unit/testing.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/prefix.h"
#include "base/rand.h"

struct item {
	char name[12];
	int in_tree; /* an int, so that items have even addresses, as those from malloc */
};

static struct str item_key(const void *item)
{
	return str_from(((const struct item *)item)->name);
}

static int compare(const void *a, const void *b)
{
	return str_cmp(item_key(a), item_key(b));
}

enum { N = 400 };

static struct item items[N]; /* sorted, without two of a name */
static size_t n_items;

/* Short names of few letters, so that many are prefixes of others; some with the high bit set. */
static void random_name(char *name)
{
	size_t n = (size_t)rand_below(10);

	for (size_t i = 0; i < n; i++)
		name[i] = "ab\x80\xff"[rand_below(4)];
	name[n] = '\0';
}

static int setup(void **state)
{
	struct item made[N] = { 0 };

	(void)state;
	rand_seed(20261122);
	for (size_t i = 0; i < N; i++)
		random_name(made[i].name);
	qsort(made, N, sizeof(made[0]), compare);
	n_items = 0;
	for (size_t i = 0; i < N; i++) {
		if (i == 0 || compare(&made[i], &items[n_items - 1]) != 0)
			items[n_items++] = made[i];
	}
	return 0;
}

static void check_find(const struct prefix_tree *t, struct str prefix, size_t max)
{
	void *found[N];
	size_t n = prefix_find(t, prefix, found, max), expected = 0;

	for (size_t i = 0; i < n_items && expected < max; i++) {
		if (!items[i].in_tree || !str_starts(item_key(&items[i]), prefix))
			continue;
		assert_true(expected < n);
		assert_ptr_equal(found[expected], &items[i]);
		expected++;
	}
	assert_int_equal(n, expected);
}

static void check(const struct prefix_tree *t)
{
	size_t n = 0;

	for (size_t i = 0; i < n_items; i++) {
		struct str key = item_key(&items[i]);

		assert_ptr_equal(prefix_get(t, key), items[i].in_tree ? &items[i] : NULL);
		check_find(t, key, 2);
		check_find(t, str_first(key, key.n / 2), 5);
		n += items[i].in_tree;
	}
	check_find(t, STR(""), N);
	check_find(t, STR("abc"), N);
	assert_int_equal(t->n, n);
}

static void finds_what_a_sorted_array_finds(void **state)
{
	struct prefix_tree t;

	(void)state;
	assert_true(n_items > 200);
	prefix_init(&t, item_key);
	for (int step = 0; step < 6000; step++) {
		struct item *item = &items[rand_below(n_items)];

		if (rand_below(2)) {
			assert_ptr_equal(prefix_put(&t, item), item->in_tree ? item : NULL);
			item->in_tree = 1;
		} else {
			assert_ptr_equal(prefix_del(&t, item_key(item)),
					 item->in_tree ? item : NULL);
			item->in_tree = 0;
		}
		if (step % 300 == 0)
			check(&t);
	}
	check(&t);
	prefix_fini(&t); /* not empty: LeakSanitizer looks */
	assert_null(t.root);
}

static void tells_none_one_and_several_apart(void **state)
{
	static struct item ids[] = { { "4f1a", 0 }, { "4f1b", 0 }, { "9", 0 } };
	struct item other = { "9", 0 };
	struct prefix_tree t;
	void *found[2];

	(void)state;
	prefix_init(&t, item_key);
	assert_int_equal(prefix_find(&t, STR("4"), found, 2), 0);
	assert_null(prefix_get(&t, STR("4")));
	assert_null(prefix_del(&t, STR("4")));
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		assert_null(prefix_put(&t, &ids[i]));
	assert_int_equal(prefix_find(&t, STR("4f"), found, 2), 2);
	assert_int_equal(prefix_find(&t, STR("4f1b"), found, 2), 1);
	assert_ptr_equal(found[0], &ids[1]);
	assert_int_equal(prefix_find(&t, STR("4f1bc"), found, 2), 0);
	assert_int_equal(prefix_find(&t, STR("5"), found, 2), 0);
	assert_ptr_equal(prefix_put(&t, &other), &ids[2]);
	assert_int_equal(t.n, 3);
	assert_ptr_equal(prefix_get(&t, STR("9")), &other);
	prefix_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_what_a_sorted_array_finds, setup),
		cmocka_unit_test_setup(tells_none_one_and_several_apart, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
