/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that aborts where the system has no more memory. A caller that could carry on without
 * the memory does not exist in this program; see base/limits.h for what keeps requests bounded.
 */
#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Beyond a stream's buffers, which come and go too often to be mapped each time. */
enum { LARGE = 128 * 1024 };

static _noreturn_ void out_of_memory(size_t n)
{
	fprintf(stderr, "out of memory: %zu bytes were asked for\n", n);
	abort();
}

void *mem_alloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		out_of_memory(n);
	return p;
}

void *mem_zalloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		out_of_memory(n);
	return p;
}

void *mem_realloc(void *p, size_t n)
{
	p = realloc(p, n ? n : 1);
	if (!p)
		out_of_memory(n);
	return p;
}

void *mem_realloc_array(void *p, size_t n, size_t item_size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, item_size, &bytes))
		out_of_memory(SIZE_MAX);
	return mem_realloc(p, bytes);
}

char *mem_strdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(mem_alloc(n), s, n);
}

void mem_tune(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, 2 * LARGE);
}

void mem_trim(void)
{
	(void)malloc_trim(0);
}
