/* SPDX-License-Identifier: Apache-2.0 */
/* base/slab.c */
#include "unit/testing.h"

#include "base/rand.h"
#include "base/slab.h"

enum { SLOTS = 4000, STEPS = 40000 };

static struct slot {
	unsigned char *p;
	size_t n;
} slots[SLOTS];

static void put(size_t i, size_t n)
{
	slots[i] = (struct slot){ slab_alloc(n), n };
	assert_int_equal((uintptr_t)slots[i].p % 8, 0);
	memset(slots[i].p, (int)(i & 0xff), n);
}

/* What was written is all still there: no piece lies over another. */
static void drop(size_t i)
{
	for (size_t k = 0; k < slots[i].n; k++)
		assert_int_equal(slots[i].p[k], i & 0xff);
	slab_free(slots[i].p, slots[i].n);
	slots[i].p = NULL;
}

static void pieces_do_not_overlap(void **state)
{
	(void)state;
	rand_seed(1);
	for (size_t step = 0; step < STEPS; step++) {
		size_t i = (size_t)rand_below(SLOTS);

		if (slots[i].p)
			drop(i);
		else
			put(i, (size_t)rand_below(SLAB_LARGEST + 500));
	}
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i].p)
			drop(i);
}

static void pages_go_back(void **state)
{
	size_t before = slab_mapped(), full;

	for (size_t i = 0; i < SLOTS; i++)
		put(i, 1300);
	full = slab_mapped();
	for (size_t i = 0; i < SLOTS; i++)
		drop(i);
	(void)state;
	/* Under AddressSanitizer all comes from the heap: there is nothing to look at. */
	if (full == before && slab_is_heap())
		return;
	assert_true(full - before >= (size_t)SLOTS * 1300);
	assert_true(full - before <= (size_t)SLOTS * 1400);
	/* One that is empty is kept of each size. */
	assert_true(slab_mapped() <= before + 64 * 1024);
}

static void a_freed_piece_is_used_again(void **state)
{
	void *a = slab_alloc(24), *b = slab_alloc(24);
	size_t mapped = slab_mapped();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		slab_free(a, 24);
		a = slab_alloc(24);
	}
	assert_int_equal(slab_mapped(), mapped);
	slab_free(a, 24);
	slab_free(b, 24);
	slab_free(NULL, 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_do_not_overlap),
		cmocka_unit_test(pages_go_back),
		cmocka_unit_test(a_freed_piece_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
