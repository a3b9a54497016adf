/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A limit of time over a scope: every parking call below returns ERR_TIMEOUT once it has passed.
 *   _cleanup_(deadline_end) struct deadline d = deadline_begin(30 * SECOND);
 * Deadlines nest and end in the reverse order; the nearest one counts.
 */
#ifndef FIBER_DEADLINE_H
#define FIBER_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

struct fiber;

struct deadline {
	struct fiber *fiber; /* whose; NULL once ended */
	int64_t outer;	     /* what was in force before; INT64_MAX: none */
	int64_t at;	     /* clock_now() time at which this one passes */
};

struct deadline deadline_begin(int64_t span);
void deadline_end(struct deadline *d); /* twice is fine, so it may be called early */
bool deadline_passed(const struct deadline *d);

#endif
