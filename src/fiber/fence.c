/* SPDX-License-Identifier: Apache-2.0 */
#include "fiber/fence.h"

#include <stddef.h>

#include "fiber/clock.h"
#include "fiber/core.h"
#include "fiber/fiber.h"

/* Of a fiber that entered no operation. */
#define NO_TERM 0

void fence_open(struct fence *f, int64_t until)
{
	f->term++;
	f->until = until;
}

void fence_extend(struct fence *f, int64_t until)
{
	f->until = until;
}

void fence_close(struct fence *f)
{
	f->until = 0;
}

bool fence_is_open(const struct fence *f)
{
	return !f || clock_boot() < f->until;
}

static struct error *not_primary(void)
{
	return error_new(ERR_NOT_PRIMARY, "this manager is not the primary");
}

struct error *fence_enter(const struct fence *f)
{
	fiber_must("fence_enter")->term = f ? f->term : NO_TERM;
	return fence_is_open(f) ? NULL : not_primary();
}

struct error *fence_check(const struct fence *f)
{
	const struct fiber *self = fiber_self();

	if (!f)
		return NULL;
	if (!fence_is_open(f))
		return not_primary();
	if (self && self->term != NO_TERM && self->term != f->term)
		return error_new(ERR_NOT_PRIMARY,
				 "this manager was not the primary for a while: ask again");
	return NULL;
}
