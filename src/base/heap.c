/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A binary min-heap. Slot 0 is the first item; an item's place is its slot plus one.
 */
#include "base/heap.h"

#include <assert.h>

#include "base/attr.h"
#include "base/mem.h"

enum { SMALLEST = 16 };

void heap_fini(struct heap *h)
{
	for (size_t i = 0; i < h->n; i++)
		h->v[i]->place = 0;
	free(h->v);
	*h = (struct heap){ 0 };
}

static bool is_before(const struct heap_item *a, const struct heap_item *b)
{
	return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void put_at(struct heap *h, size_t slot, struct heap_item *item)
{
	h->v[slot] = item;
	item->place = slot + 1;
}

static void sift_up(struct heap *h, size_t slot, struct heap_item *item)
{
	while (slot > 0) {
		size_t parent = (slot - 1) / 2;

		if (!is_before(item, h->v[parent]))
			break;
		put_at(h, slot, h->v[parent]);
		slot = parent;
	}
	put_at(h, slot, item);
}

static void sift_down(struct heap *h, size_t slot, struct heap_item *item)
{
	for (size_t child = 2 * slot + 1; child < h->n; child = 2 * slot + 1) {
		if (child + 1 < h->n && is_before(h->v[child + 1], h->v[child]))
			child++;
		if (!is_before(h->v[child], item))
			break;
		put_at(h, slot, h->v[child]);
		slot = child;
	}
	put_at(h, slot, item);
}

void heap_add(struct heap *h, struct heap_item *item, int64_t key)
{
	assert(!heap_holds(item));
	if (h->n == h->cap) {
		h->cap = MAX(h->cap * 2, (size_t)SMALLEST);
		h->v = mem_realloc_array(h->v, h->cap, sizeof(struct heap_item *));
	}
	item->key = key;
	item->order = h->added++;
	h->n++;
	sift_up(h, h->n - 1, item);
}

void heap_remove(struct heap *h, struct heap_item *item)
{
	struct heap_item *last;
	size_t slot;

	if (!heap_holds(item))
		return;
	slot = item->place - 1;
	assert(slot < h->n && h->v[slot] == item);
	item->place = 0;
	last = h->v[--h->n];
	if (last == item)
		return;
	if (is_before(last, item))
		sift_up(h, slot, last);
	else
		sift_down(h, slot, last);
}

struct heap_item *heap_first(const struct heap *h)
{
	return h->n ? h->v[0] : NULL;
}
