/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation that cannot fail: out of memory aborts. What a peer can make us allocate is bounded
 * before we get here (base/limits.h). Freed with free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

#include "base/attr.h"

void *mem_alloc(size_t n) __attribute__((malloc));
void *mem_zalloc(size_t n) __attribute__((malloc)); /* zeroed */
void *mem_realloc(void *p, size_t n);
void *mem_realloc_array(void *p, size_t n, size_t item_size); /* aborts on overflow */
/*
 * Once, at the program's begin: large blocks come from the system and go back to it when they are
 * freed, for good. Left to itself the C library keeps them after the first, and fragments them.
 */
void mem_tune(void);

/* Gives the system what is free in the heap's middle: after a burst. Some milliseconds. */
void mem_trim(void);

char *mem_strdup(const char *s) __attribute__((malloc));

#define mem_new(type) ((type *)mem_zalloc(sizeof(type)))

static inline void mem_freep(void *slot)
{
	free(*(void **)slot);
}

#endif
