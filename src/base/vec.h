/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing array of pointers. Owns the array, never what it points at.
 * Zero-initialised is valid and empty.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>

struct vec {
	void **v;
	size_t n, cap;
};

#define VEC_INIT           \
	{                  \
		NULL, 0, 0 \
	}

void vec_fini(struct vec *vec);
void vec_push(struct vec *vec, void *item);
void *vec_pop(struct vec *vec); /* NULL when empty */
void vec_clear(struct vec *vec);
bool vec_remove(struct vec *vec, const void *item); /* the first of it; order kept */
void vec_remove_swap(struct vec *vec, size_t i);    /* the last takes its place */
void vec_sort(struct vec *vec, int (*cmp)(const void *a, const void *b)); /* cmp gets the items */

#endif
