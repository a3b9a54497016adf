/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that lives as long as one request: everything allocated from an arena is freed at once
 * by arena_fini. Nothing in it is freed alone. Zero-initialised is valid and empty.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/str.h"

struct arena_chunk;
struct arena_block;

struct arena {
	struct arena_chunk *chunks;
	struct arena_block *blocks; /* freed with it, each alone: the large and the adopted ones */
	char *next, *end;
	size_t total; /* bytes handed out */
};

#define ARENA_INIT                        \
	{                                 \
		NULL, NULL, NULL, NULL, 0 \
	}

void arena_fini(struct arena *a);
void *arena_alloc(struct arena *a, size_t n);  /* aligned for any type; not zeroed */
void *arena_zalloc(struct arena *a, size_t n); /* zeroed */
void *arena_zalloc_array(struct arena *a, size_t n, size_t item_size);
void arena_adopt(struct arena *a, void *p, size_t n); /* takes p, n bytes from malloc */
struct str arena_dup(struct arena *a, struct str s);  /* NUL behind */
char *arena_cstr(struct arena *a, struct str s);      /* the same, as a C string */
struct str arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3);
struct str arena_vprintf(struct arena *a, const char *fmt, va_list args) printf_like(2, 0);

#define arena_new(a, type)	    ((type *)arena_zalloc(a, sizeof(type)))
#define arena_new_array(a, type, n) ((type *)arena_zalloc_array(a, n, sizeof(type)))

#endif
