/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks that double in size up to a limit, the youngest of which is filled; what is large is a
 * block of its own. Under AddressSanitizer everything is, so that a step over an end is seen.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

enum {
	ALIGN = _Alignof(max_align_t),
	FIRST_CHUNK = 2048,
	LARGEST_CHUNK = 256 * 1024,
#ifdef __SANITIZE_ADDRESS__
	LARGE = 0,
#else
	LARGE = FIRST_CHUNK / 2, /* no chunk loses more than this at its end */
#endif
};

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* with this head */
	_Alignas(max_align_t) char data[];
};

struct arena_block {
	struct arena_block *older;
	void *p;
};

void arena_fini(struct arena *a)
{
	struct arena_chunk *older;

	/* What says where the blocks are lies in the chunks. */
	for (struct arena_block *b = a->blocks; b; b = b->older)
		free(b->p);
	for (struct arena_chunk *c = a->chunks; c; c = older) {
		older = c->older;
		free(c);
	}
	*a = (struct arena)ARENA_INIT;
}

static void begin_chunk(struct arena *a)
{
	size_t size = a->chunks ? MIN(a->chunks->size * 2, (size_t)LARGEST_CHUNK) : FIRST_CHUNK;
	struct arena_chunk *c = mem_alloc(size);

	c->older = a->chunks;
	c->size = size;
	a->chunks = c;
	a->next = c->data;
	a->end = (char *)c + size;
}

/* n is at most FIRST_CHUNK / 2, so that it fits into any new chunk. */
static void *alloc_from_chunk(struct arena *a, size_t n)
{
	void *p;

	n = (n + ALIGN - 1) & ~((size_t)ALIGN - 1);
	if (n > (size_t)(a->end - a->next))
		begin_chunk(a);
	p = a->next;
	a->next += n;
	return p;
}

void arena_adopt(struct arena *a, void *p, size_t n)
{
	struct arena_block *b = alloc_from_chunk(a, sizeof(*b));

	b->p = p;
	b->older = a->blocks;
	a->blocks = b;
	a->total += n;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p;

	n = MAX(n, (size_t)1); /* so that nothing is given twice, and never NULL */
	if (n > LARGE) {
		p = mem_alloc(n);
		arena_adopt(a, p, n);
		return p;
	}
	a->total += n;
	return alloc_from_chunk(a, n);
}

void *arena_zalloc(struct arena *a, size_t n)
{
	return memset(arena_alloc(a, n), 0, n);
}

void *arena_zalloc_array(struct arena *a, size_t n, size_t item_size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, item_size, &bytes))
		abort();
	return arena_zalloc(a, bytes);
}

struct str arena_dup(struct arena *a, struct str s)
{
	return str_of(arena_cstr(a, s), s.n);
}

char *arena_cstr(struct arena *a, struct str s)
{
	char *copy = arena_alloc(a, s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	struct str text;
	va_list args;

	va_start(args, fmt);
	text = arena_vprintf(a, fmt, args);
	va_end(args);
	return text;
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
	_cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

	strbuf_addv(&text, fmt, args);
	return arena_dup(a, strbuf_str(&text));
}
