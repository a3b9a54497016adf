/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: one to a process, one thread. Runs fibers that are ready, then waits for file
 * descriptors, timers, signals and helper threads. The only includer of libuv.
 */
#ifndef FIBER_LOOP_H
#define FIBER_LOOP_H

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

enum loop_kind {
	LOOP_REAL,
	LOOP_VIRTUAL, /* no descriptors, signals or threads; time jumps to the next timer */
};

typedef may_suspend void fiber_fn(void *arg);

/*
 * Runs `main` on a fiber and everything that it starts; returns when it has returned. All its
 * groups have been joined by then (asserted). May be called again after it has returned.
 * A virtual loop in which every fiber is parked for ever is a deadlock: it logs all fibers, aborts.
 */
void loop_run(enum loop_kind kind, fiber_fn *main, void *arg);

/* Virtual loops begin at this wall time; ns since 1970. Default 2026-01-01T00:00:00Z. */
void loop_set_virtual_wall(int64_t unix_ns);
/* As when somebody sets the clock, forth or back; the other clocks go on as they did. */
void loop_step_virtual_wall(int64_t by);

/*
 * Each run of a fiber of more than this is logged with its name; 0 turns it off. Default 50 ms
 * on a real loop, off on a virtual one.
 */
void loop_set_hog_limit(int64_t span);

/* How many fibers the system lets there be at once. A loop that is asked for more aborts. */
size_t loop_fiber_capacity(void);
/* From now on, for tests; 0: as the system has it. */
void loop_set_fiber_capacity(size_t fibers);

/*
 * How many more may be begun now for the sake of one request, which can be narrower, or refused:
 * three quarters of what there may be at most.
 */
size_t loop_fiber_room(void);
/* So many run already that nothing new is to be begun for anybody. */
bool loop_is_crowded(void);

#endif
