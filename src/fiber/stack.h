/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory that fibers run on: reserved whole, committed page by page as it is touched, a guard
 * page below. Private to fiber/.
 */
#ifndef FIBER_STACK_H
#define FIBER_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"

struct stack {
	char *low;   /* the lowest usable byte; the guard is right below */
	size_t size; /* usable bytes */
	unsigned valgrind_id;
};

/* Aborts when the system has no more mappings or address space to give. */
struct stack stack_get(void);
void stack_put(struct stack s); /* nothing may be running on it */

/* How many stacks the system lets this process have. */
size_t stack_capacity(void);

/* Gives the pages below `sp` back to the system; what is at `sp` and above stays. */
void stack_trim(const struct stack *s, const char *sp);

/* Unmaps the cached stacks that nobody needed since the last call; false when none are left. */
bool stack_cache_shrink(void);
void stack_cache_clear(void);

#endif
