/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured concurrency: fibers that are started together and outlived by their scope. Leaving
 * the scope of a group cancels and joins what is left:
 *   _cleanup_(group_finish) struct group g = GROUP_INIT;
 * Declare it after whatever the children use. A long-lived object may own one; its _stop() calls
 * group_finish.
 */
#ifndef FIBER_GROUP_H
#define FIBER_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "fiber/loop.h"

struct group {
	struct list fibers;
	size_t n;
	struct fiber *joiner; /* parked in group_wait or group_finish */
	bool finishing;	      /* new fibers begin cancelled */
};

#define GROUP_INIT                             \
	{                                      \
		{ NULL, NULL }, 0, NULL, false \
	}

/* Starts fn(arg) on a fiber of its own; it first runs when the caller parks. `name` is borrowed. */
void group_go(struct group *g, const char *name, fiber_fn *fn, void *arg);

/* Parks until every fiber of the group has returned. A cancellation leaves them running. */
may_suspend must_check struct error *group_wait(struct group *g);

void group_cancel(struct group *g); /* asks all to end; does not wait */

/* Cancels and joins, shielded: returns when all are gone. Twice is fine. */
may_suspend void group_finish(struct group *g);

#endif
