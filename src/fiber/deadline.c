/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines: the fiber knows the nearest only; each scope remembers what it covered.
 */
#include "fiber/deadline.h"

#include <assert.h>

#include "base/attr.h"
#include "fiber/clock.h"
#include "fiber/core.h"

struct deadline deadline_begin(int64_t span)
{
	struct fiber *f = fiber_must("deadline_begin");
	int64_t now = clock_exact();
	int64_t at = span > NEVER - now ? NEVER : now + MAX(span, 0);
	struct deadline d = { .fiber = f, .outer = f->deadline, .at = at };

	f->deadline = MIN(f->deadline, at);
	return d;
}

void deadline_end(struct deadline *d)
{
	if (!d->fiber)
		return;
	assert(d->fiber == loop->current);
	d->fiber->deadline = d->outer;
	d->fiber = NULL;
}

bool deadline_passed(const struct deadline *d)
{
	return clock_exact() >= d->at;
}
