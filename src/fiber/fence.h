/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Until when one of several managers may change anything: its lease as the leader, on its own
 * clock. Asked right before each write to an engine, and never from memory: a process that was
 * stopped, or whose machine slept, finds its lease over before it writes.
 *
 * An operation of several writes belongs to the term in which it was entered, and so do the fibers
 * that it starts: once that term is over its writes are refused, even where this manager leads
 * again, since what the operation decided on may not hold any more.
 *
 * A fence that is NULL is that of a manager without others: always open.
 */
#ifndef FIBER_FENCE_H
#define FIBER_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct fence {
	int64_t until; /* clock_boot() */
	uint64_t term; /* one higher each time that it opens */
};

#define FENCE_INIT   \
	{            \
		0, 1 \
	}

void fence_open(struct fence *f, int64_t until); /* a new term */
void fence_extend(struct fence *f, int64_t until);
void fence_close(struct fence *f);
bool fence_is_open(const struct fence *f);

/*
 * The running fiber begins an operation: all that it does from now on belongs to the term at hand.
 * ERR_NOT_PRIMARY where the fence is closed; nothing can be written then, ever.
 */
must_check struct error *fence_enter(const struct fence *f);

/*
 * ERR_NOT_PRIMARY: closed, or the fiber's operation is of an earlier term. Outside of any fiber
 * too.
 */
must_check struct error *fence_check(const struct fence *f);

#endif
