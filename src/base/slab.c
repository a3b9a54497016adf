/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A slab is an aligned run of pages with a head, cut into pieces of one size, so that a piece's
 * address says which slab it is in. Each size has a list of the slabs with a free piece. Under
 * AddressSanitizer all comes from the heap, so that a step over an end is seen.
 */
#include "base/slab.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/list.h"
#include "base/mem.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
static const bool all_from_heap = true;
#else
static const bool all_from_heap = false;
#endif

enum {
	SLAB = 64 * 1024,
	FINE = 8, /* between the sizes of pieces: up to FINE_UP_TO, and beyond */
	FINE_UP_TO = 256,
	COARSE = 64,
	N_SIZES = FINE_UP_TO / FINE + (SLAB_LARGEST - FINE_UP_TO) / COARSE + 1,
};

struct piece {
	struct piece *next;
};

struct slab {
	struct list link; /* in its size's list while a piece is free */
	struct piece *free;
	char *fresh; /* where those begin that were never used */
	uint32_t size, n_used;
};

static struct list with_room[N_SIZES];
static size_t mapped;

static size_t size_index(size_t n)
{
	if (n <= FINE_UP_TO)
		return n ? (n - 1) / FINE : 0;
	return FINE_UP_TO / FINE + (n - FINE_UP_TO - 1) / COARSE;
}

static uint32_t size_of_index(size_t i)
{
	if (i < FINE_UP_TO / FINE)
		return (uint32_t)(i + 1) * FINE;
	return (uint32_t)(FINE_UP_TO + (i - FINE_UP_TO / FINE + 1) * COARSE);
}

static char *map(size_t n)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("cannot map memory");
		abort();
	}
	return p;
}

static void unmap(char *p, size_t n)
{
	if (n && munmap(p, n) != 0) {
		perror("cannot unmap memory");
		abort();
	}
}

/* The kernel puts one mapping below the other, so that most are aligned as they come. */
static struct slab *map_slab(void)
{
	char *p = map(SLAB);
	size_t before;

	if ((uintptr_t)p % SLAB == 0)
		return (struct slab *)(void *)p;
	unmap(p, SLAB);
	p = map((size_t)2 * SLAB);
	before = -(uintptr_t)p % SLAB;
	unmap(p, before);
	unmap(p + before + SLAB, SLAB - before);
	return (struct slab *)(void *)(p + before);
}

static struct slab *slab_new(size_t index)
{
	struct slab *s = map_slab();

	s->size = size_of_index(index);
	s->fresh = (char *)(s + 1);
	list_prepend(&with_room[index], &s->link);
	mapped += SLAB;
	return s;
}

static bool is_full(const struct slab *s)
{
	return !s->free && s->fresh + s->size > (const char *)s + SLAB;
}

static struct slab *slab_with_room(size_t index)
{
	struct list *head = &with_room[index];

	if (!head->next)
		list_init(head);
	return list_empty(head) ? slab_new(index) : list_item(head->next, struct slab, link);
}

static void *take_piece(struct slab *s)
{
	struct piece *p = s->free;

	if (p) {
		s->free = p->next;
	} else {
		p = (struct piece *)(void *)s->fresh;
		s->fresh += s->size;
	}
	s->n_used++;
	if (is_full(s))
		list_remove(&s->link);
	return p;
}

void *slab_alloc(size_t n)
{
	if (all_from_heap || n > SLAB_LARGEST)
		return mem_alloc(n);
	return take_piece(slab_with_room(size_index(n)));
}

/* One empty slab of a size is kept: something of that size is likely to be wanted again. */
static void drop_if_empty(struct slab *s, const struct list *head)
{
	if (s->n_used || (head->next == &s->link && head->prev == &s->link))
		return;
	list_remove(&s->link);
	mapped -= SLAB;
	unmap((char *)s, SLAB);
}

static void put_piece(struct slab *s, void *p, size_t index)
{
	struct piece *piece = p;

	assert(s->n_used > 0 && s->size == size_of_index(index));
	if (is_full(s))
		list_prepend(&with_room[index], &s->link);
	piece->next = s->free;
	s->free = piece;
	s->n_used--;
	drop_if_empty(s, &with_room[index]);
}

void slab_free(void *p, size_t n)
{
	if (!p)
		return;
	if (all_from_heap || n > SLAB_LARGEST)
		free(p);
	else
		put_piece((struct slab *)((uintptr_t)p & ~((uintptr_t)SLAB - 1)), p, size_index(n));
}

size_t slab_mapped(void)
{
	return mapped;
}

bool slab_is_heap(void)
{
	return all_from_heap;
}
