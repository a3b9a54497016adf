/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks: the system's, or the loop's own where it is virtual.
 */
#include "fiber/clock.h"

#include <time.h>

#include "base/duration.h"
#include "fiber/core.h"

/* 2026-01-01T00:00:00Z, and the monotonic time at which every virtual loop begins. */
static int64_t virtual_wall = 1767225600 * SECOND;

static int64_t system_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static bool is_virtual(void)
{
	return loop && loop->kind == LOOP_VIRTUAL;
}

void loop_set_virtual_wall(int64_t unix_ns)
{
	virtual_wall = unix_ns;
}

void loop_step_virtual_wall(int64_t by)
{
	virtual_wall += by;
}

int64_t clock_now(void)
{
	return loop ? loop->now : system_clock(CLOCK_MONOTONIC);
}

int64_t clock_exact(void)
{
	return is_virtual() ? loop->now : system_clock(CLOCK_MONOTONIC);
}

int64_t clock_boot(void)
{
	return is_virtual() ? loop->now : system_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall(void)
{
	return is_virtual() ? virtual_wall + loop->now - VIRTUAL_START
			    : system_clock(CLOCK_REALTIME);
}
