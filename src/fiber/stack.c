/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fiber stacks. A guard marker inside the page tables (MADV_GUARD_INSTALL, Linux 6.13) keeps a
 * stack from being a mapping of its own; where the kernel lacks it, mprotect makes one, and
 * vm.max_map_count then bounds the fibers to some 30,000. A few stacks are kept for the next
 * fiber, because a fiber for each request would otherwise pay for mmap and its page faults.
 */
#include "fiber/stack.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/limits.h"
#include "fiber/tools.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define CACHE_MAX  128
#define USUAL_MAPS 65530 /* vm.max_map_count, where nobody set it */

/* Redzones and unoptimised frames make the same code several times as deep. */
#ifdef TOOLS_ASAN
#define STACK_SIZE (4 * LIMIT_FIBER_STACK)
#else
#define STACK_SIZE LIMIT_FIBER_STACK
#endif

static size_t page; /* bytes of a page, known once a stack was made */
static struct stack cache[CACHE_MAX];
static size_t cached;
static size_t cached_low; /* the fewest that were there since the last shrink */

static _noreturn_ void stack_fail(const char *what)
{
	perror(what);
	abort();
}

static bool no_markers; /* the kernel has none */

static void stack_guard(char *base)
{
	if (!no_markers && madvise(base, page, MADV_GUARD_INSTALL) == 0)
		return;
	no_markers = true;
	if (mprotect(base, page, PROT_NONE) != 0)
		stack_fail("cannot guard a fiber's stack (vm.max_map_count?)");
}

static struct stack stack_map(void)
{
	char *base = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	page = (size_t)sysconf(_SC_PAGESIZE);
	if (base == MAP_FAILED)
		stack_fail("cannot map a fiber's stack (vm.max_map_count?)");

	/* Neighbouring stacks merge into one mapping: a huge page would make all of it resident. */
	(void)madvise(base, STACK_SIZE, MADV_NOHUGEPAGE);
	stack_guard(base);

	struct stack s = { .low = base + page, .size = STACK_SIZE - page };

	s.valgrind_id = tools_stack_add(s.low, s.size);
	return s;
}

/* With a guard that is a mapping, a stack is two of them. */
size_t stack_capacity(void)
{
	unsigned long maps = 0;
	FILE *f;

	stack_put(stack_get());
	if (!no_markers)
		return LIMIT_FIBERS;
	f = fopen("/proc/sys/vm/max_map_count", "re");
	if (!f || fscanf(f, "%lu", &maps) != 1)
		maps = USUAL_MAPS;
	if (f)
		(void)fclose(f);
	return MIN(maps / 2, (unsigned long)LIMIT_FIBERS);
}

static void stack_unmap(struct stack s)
{
	tools_stack_remove(s.low, s.size, s.valgrind_id);
	if (munmap(s.low - page, s.size + page) != 0)
		stack_fail("cannot unmap a fiber's stack");
}

struct stack stack_get(void)
{
	if (cached == 0)
		return stack_map();
	cached--;
	cached_low = MIN(cached_low, cached);
	return cache[cached];
}

void stack_put(struct stack s)
{
	if (cached == CACHE_MAX) {
		stack_unmap(s);
		return;
	}
	tools_stack_clean(s.low, s.size);
	cache[cached++] = s;
}

void stack_trim(const struct stack *s, const char *sp)
{
	uintptr_t end = (uintptr_t)sp & ~(page - 1);
	uintptr_t low = (uintptr_t)s->low;

	if (end > low)
		(void)madvise(s->low, end - low, MADV_DONTNEED);
}

bool stack_cache_shrink(void)
{
	while (cached_low > 0) {
		cached_low--;
		stack_unmap(cache[--cached]);
	}
	cached_low = cached;
	return cached > 0;
}

void stack_cache_clear(void)
{
	while (cached > 0)
		stack_unmap(cache[--cached]);
	cached_low = 0;
}
