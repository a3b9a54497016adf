/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An intrusive min-heap by a 64-bit key (times, for timers): each item knows its place, so that it
 * can be taken out from the middle. Equal keys come out in the order in which they were added.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_item {
	int64_t key;
	uint64_t order; /* the heap's own */
	size_t place;	/* 1-based; 0: in no heap */
};

struct heap {
	struct heap_item **v;
	size_t n, cap;
	uint64_t added;
};

void heap_fini(struct heap *h);
void heap_add(struct heap *h, struct heap_item *item, int64_t key); /* not in any heap yet */
void heap_remove(struct heap *h, struct heap_item *item); /* nothing where it is in none */
struct heap_item *heap_first(const struct heap *h);	  /* NULL when empty */

static inline bool heap_holds(const struct heap_item *item)
{
	return item->place != 0;
}

#endif
