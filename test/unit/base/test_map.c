/* SPDX-License-Identifier: Apache-2.0 */
/* base/map.c, against a plain array that says what must be in it. */
#include "unit/testing.h"

#include <stdio.h>

#include "base/attr.h"
#include "base/map.h"
#include "base/rand.h"

struct item {
	char name[12];
	bool in_map;
	int visits;
};

static struct str item_key(const void *item)
{
	return str_from(((const struct item *)item)->name);
}

enum { N = 600 };

static struct item items[N];

static int setup(void **state)
{
	(void)state;
	rand_seed(20261122);
	for (int i = 0; i < N; i++) {
		items[i] = (struct item){ 0 };
		snprintf(items[i].name, sizeof(items[i].name), "%d", i);
	}
	return 0;
}

static void check(const struct map *m)
{
	size_t n = 0;

	for (int i = 0; i < N; i++) {
		struct item *expected = items[i].in_map ? &items[i] : NULL;

		assert_ptr_equal(map_get(m, item_key(&items[i])), expected);
		n += items[i].in_map;
	}
	assert_int_equal(m->n, n);
}

static void an_empty_one_answers(void **state)
{
	struct map m;
	size_t pos = 0;

	(void)state;
	map_init(&m, item_key);
	assert_null(map_get(&m, STR("a")));
	assert_null(map_del(&m, STR("a")));
	assert_null(map_next(&m, &pos));
	assert_null(map_put(&m, &items[0]));
	assert_ptr_equal(map_del(&m, STR("0")), &items[0]);
	pos = 0;
	assert_null(map_next(&m, &pos));
	assert_null(map_next(&m, &pos));
	map_fini(&m);
}

static void replaces_by_key(void **state)
{
	struct item other = { .name = "7" };
	struct map m;

	(void)state;
	map_init(&m, item_key);
	assert_null(map_put(&m, &items[7]));
	assert_ptr_equal(map_put(&m, &other), &items[7]);
	assert_int_equal(m.n, 1);
	assert_ptr_equal(map_get(&m, STR("7")), &other);
	map_clear(&m);
	assert_int_equal(m.n, 0);
	assert_null(map_get(&m, STR("7")));
	map_fini(&m);
}

static void holds_what_was_put_and_not_deleted(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, item_key);
	for (int step = 0; step < 20000; step++) {
		/* Waves, so that it fills to its limit and empties. */
		bool filling = step / 3000 % 2 == 0;
		struct item *item = &items[rand_below(N)];

		if (rand_below(10) < (filling ? 8 : 2)) {
			assert_ptr_equal(map_put(&m, item), item->in_map ? item : NULL);
			item->in_map = true;
		} else {
			assert_ptr_equal(map_del(&m, item_key(item)), item->in_map ? item : NULL);
			item->in_map = false;
		}
		if (step % 500 == 0)
			check(&m);
	}
	check(&m);
	map_fini(&m);
}

/* With each hash key other items stand around the table's end, where a walk is hard. */
static void a_walk_may_delete_what_it_visits(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 500; seed++) {
		int n = (int)(seed % 27) + 1; /* up to what 32 slots take */
		struct map m;
		struct item *item;

		rand_seed(seed);
		map_init(&m, item_key);
		for (int i = 0; i < n; i++) {
			items[i].visits = 0;
			items[i].in_map = true;
			map_put(&m, &items[i]);
		}
		for (size_t pos = 0; (item = map_next(&m, &pos));) {
			item->visits++;
			if (rand_below(2)) {
				assert_ptr_equal(map_del(&m, item_key(item)), item);
				item->in_map = false;
			}
		}
		for (int i = 0; i < n; i++)
			assert_int_equal(items[i].visits, 1);
		for (int i = n; i < N; i++)
			items[i].in_map = false;
		check(&m);
		map_fini(&m);
	}
}

static void takes_12_bytes_a_slot_and_most_slots(void **state)
{
	struct map m;

	(void)state;
	map_init(&m, item_key);
	for (int i = 0; i < 432; i++) /* 27/32 of 512 */
		map_put(&m, &items[i]);
	assert_int_equal(m.cap, 512);
	assert_int_equal(sizeof(*m.tags) + sizeof(*m.items), 12);
	map_put(&m, &items[432]);
	assert_int_equal(m.cap, 1024);
	map_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_one_answers, setup),
		cmocka_unit_test_setup(replaces_by_key, setup),
		cmocka_unit_test_setup(holds_what_was_put_and_not_deleted, setup),
		cmocka_unit_test_setup(a_walk_may_delete_what_it_visits, setup),
		cmocka_unit_test_setup(takes_12_bytes_a_slot_and_most_slots, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
