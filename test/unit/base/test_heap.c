/* SPDX-License-Identifier: Apache-2.0 */
/* base/heap.c */
#include "unit/testing.h"

#include "base/heap.h"
#include "base/rand.h"

enum { N = 300 };

/* The item that must come first: the lowest key, the oldest of those. */
static struct heap_item *lowest(struct heap_item *items)
{
	struct heap_item *best = NULL;

	for (int i = 0; i < N; i++) {
		struct heap_item *item = &items[i];

		if (!heap_holds(item))
			continue;
		if (!best || item->key < best->key ||
		    (item->key == best->key && item->order < best->order))
			best = item;
	}
	return best;
}

static void gives_the_lowest_and_oldest_first(void **state)
{
	struct heap_item items[N] = { 0 };
	struct heap h = { 0 };

	(void)state;
	rand_seed(20261122);
	assert_null(heap_first(&h));
	for (int step = 0; step < 5000; step++) {
		struct heap_item *item = &items[rand_below(N)];

		if (heap_holds(item))
			heap_remove(&h, item);
		else
			heap_add(&h, item, rand_between(-20, 20));
		assert_ptr_equal(heap_first(&h), lowest(items));
	}
	while (heap_first(&h)) {
		assert_ptr_equal(heap_first(&h), lowest(items));
		heap_remove(&h, heap_first(&h));
	}
	assert_int_equal(h.n, 0);
	heap_fini(&h);
}

static void equal_keys_come_in_the_order_of_adding(void **state)
{
	struct heap_item items[N] = { 0 };
	struct heap h = { 0 };

	(void)state;
	for (int i = 0; i < N; i++)
		heap_add(&h, &items[i], 7);
	for (int i = 0; i < N; i++) {
		assert_ptr_equal(heap_first(&h), &items[i]);
		heap_remove(&h, &items[i]);
		heap_remove(&h, &items[i]); /* nothing */
	}
	heap_fini(&h);
}

static void its_end_lets_go_of_items(void **state)
{
	struct heap_item item = { 0 };
	struct heap h = { 0 };

	(void)state;
	heap_add(&h, &item, 1);
	heap_fini(&h);
	assert_false(heap_holds(&item));
	heap_remove(&h, &item);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_lowest_and_oldest_first),
		cmocka_unit_test(equal_keys_come_in_the_order_of_adding),
		cmocka_unit_test(its_end_lets_go_of_items),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
