/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stackful fibers on one thread: straight-line code that parks where it waits. A fiber belongs to
 * a group (fiber/group.h), which cancels and joins it. Cancellation and deadlines arrive as errors
 * of the parking call: ERR_CANCELLED, ERR_TIMEOUT.
 */
#ifndef FIBER_FIBER_H
#define FIBER_FIBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/strbuf.h"

struct fiber;

struct fiber *fiber_self(void); /* NULL outside any fiber */

/* Parks for a span; 0 or less lets others run first. */
may_suspend must_check struct error *fiber_sleep(int64_t span);

/* Lets every other ready fiber run first. For long loops: every few hundred steps. */
may_suspend must_check struct error *fiber_yield(void);

/* ERR_CANCELLED or ERR_TIMEOUT when due, without parking. */
must_check struct error *fiber_check(void);

/*
 * For a run of I/O that may never have to wait: fiber_check, and a yield once this run has lasted
 * for some milliseconds. Nothing outside of a fiber.
 */
may_suspend must_check struct error *fiber_pace(void);

/*
 * Makes the fiber's parking calls, the one under way included, return ERR_CANCELLED from now on,
 * for good; a call whose event had come already still returns that, so that none is lost.
 * Only its group may, those who own the request (a client that hung up), and those who hold for it
 * what it does not come for.
 */
void fiber_cancel(struct fiber *f);

/*
 * Between the two, the fiber's parking calls ignore cancellation and deadlines: for a cleanup that
 * must wait. Nests.
 */
void fiber_shield(void);
void fiber_unshield(void);

/*
 * Marks a stretch that must not park: iterating a table that others may change. Parking inside
 * aborts, in release builds too.
 *   _cleanup_(no_suspend_end) struct no_suspend guard = no_suspend_begin();
 */
struct no_suspend {
	struct fiber *fiber;
};
struct no_suspend no_suspend_begin(void);
void no_suspend_end(struct no_suspend *guard);
#define NO_SUSPEND \
	_cleanup_(no_suspend_end) _unused_ struct no_suspend _no_suspend = no_suspend_begin()

/* A line for each fiber: name, what it waits for, since when. SIGUSR1 logs it. */
void fiber_dump(struct strbuf *out);
size_t fiber_count(void);

#endif
