/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growing array of pointers.
 */
#include "base/vec.h"

#include <assert.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"

enum { SMALLEST = 8 };

void vec_fini(struct vec *vec)
{
	free(vec->v);
	*vec = (struct vec)VEC_INIT;
}

void vec_push(struct vec *vec, void *item)
{
	if (vec->n == vec->cap) {
		vec->cap = MAX(vec->cap * 2, (size_t)SMALLEST);
		vec->v = mem_realloc_array(vec->v, vec->cap, sizeof(*vec->v));
	}
	vec->v[vec->n++] = item;
}

void *vec_pop(struct vec *vec)
{
	return vec->n ? vec->v[--vec->n] : NULL;
}

void vec_clear(struct vec *vec)
{
	vec->n = 0;
}

bool vec_remove(struct vec *vec, const void *item)
{
	for (size_t i = 0; i < vec->n; i++) {
		if (vec->v[i] != item)
			continue;
		vec->n--;
		memmove(vec->v + i, vec->v + i + 1, (vec->n - i) * sizeof(*vec->v));
		return true;
	}
	return false;
}

void vec_remove_swap(struct vec *vec, size_t i)
{
	assert(i < vec->n);
	vec->v[i] = vec->v[--vec->n];
}

struct order {
	int (*cmp)(const void *a, const void *b);
};

static int compare_items(const void *a, const void *b, void *arg)
{
	const struct order *order = arg;

	return order->cmp(*(void *const *)a, *(void *const *)b);
}

void vec_sort(struct vec *vec, int (*cmp)(const void *a, const void *b))
{
	struct order order = { cmp };

	if (vec->n > 1)
		qsort_r(vec->v, vec->n, sizeof(*vec->v), compare_items, &order);
}
