/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of this layer share: the fiber, the loop, and the two calls that everything else
 * here is built on, fiber_park and fiber_wake. Private to fiber/.
 */
#ifndef FIBER_CORE_H
#define FIBER_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>
#include <uv.h>

#include "base/attr.h"
#include "base/heap.h"
#include "base/list.h"
#include "fiber/group.h"
#include "fiber/loop.h"
#include "fiber/stack.h"
#include "fiber/waitq.h"

#define NEVER INT64_MAX

/* A virtual loop begins here and not at 0, which reads as "never" in many a field. */
#define VIRTUAL_START ((int64_t)3600 * 1000000000)

enum fiber_state { FIBER_READY, FIBER_RUNNING, FIBER_PARKED, FIBER_DONE };

/* What ended a park. The first cause wins, save that a cancellation outranks a timeout. */
enum wake {
	WAKE_EVENT, /* what was waited for has happened, its span of sleep included */
	WAKE_TIMER, /* the deadline passed */
	WAKE_CANCEL,
};

/*
 *   READY -> RUNNING -> PARKED -> READY ...        RUNNING -> DONE
 * `link` is in the loop's ready list while READY, and may be in a wait queue while PARKED.
 */
struct fiber {
	ucontext_t context;
	struct stack stack;
	const char *top;  /* while parked: about where its stack pointer is */
	void *fake_stack; /* AddressSanitizer's */
	struct list link;
	struct list all;     /* in the loop's list of every fiber */
	struct list sibling; /* in its group */
	struct list ran;     /* in the loop's list of those that ran since they were trimmed */
	struct heap_item timer;
	struct group *group; /* NULL for the loop's main fiber */
	fiber_fn *fn;
	void *arg;
	const char *name; /* borrowed */
	const char *what; /* borrowed: what it waits for */
	int64_t since;	  /* when it got into its state */
	int64_t deadline; /* the nearest in force, or NEVER */
	uint64_t id;
	uint64_t term; /* of fence.c: in which its operation was entered; 0: none was */
	unsigned shields, no_suspends;
	enum fiber_state state;
	enum wake why;
	bool timer_is_event; /* the timer is the fiber's own sleep, not its deadline */
	bool cancelled;
};

struct loop {
	enum loop_kind kind;
	uv_loop_t uv;
	uv_timer_t timer; /* the one libuv timer: for the first of `timers` */
	int64_t timer_at; /* what it is set for, or NEVER */
	struct heap timers;
	struct list ready, all, ran;
	size_t n_fibers;
	uint64_t n_started;
	struct fiber *current; /* NULL while the loop itself runs */
	ucontext_t context;
	void *fake_stack;
	const void *stack_low; /* of the thread, for AddressSanitizer */
	size_t stack_size;
	int64_t now;
	int64_t sweep_at;    /* when stacks are next looked at, or NEVER */
	int64_t trim_at;     /* when the heap's free pages next go back, or NEVER */
	struct list signals; /* struct signal_source, of signal.c */
	struct waitq signal_waiters;
	bool done; /* main has returned */
};

extern struct loop *loop; /* NULL while none runs */

/* Says why on stderr, with all fibers where there is a loop, and aborts. */
_noreturn_ void loop_abort(const char *fmt, ...) printf_like(1, 2);

/* The loop, which must be a real one; aborts naming the caller where it is not. */
struct loop *loop_real(const char *caller);

/*
 * Parks the running fiber until fiber_wake, its cancellation, its deadline or `until` (NEVER for
 * none), whichever comes first. ERR_CANCELLED and ERR_TIMEOUT come without parking where they are
 * due already. The caller has put the fiber where its event finds it; being woken takes the
 * fiber's link out of whatever list it is in.
 */
may_suspend must_check struct error *fiber_park(const char *what, int64_t until);

/* Without deadline or error, but a cancellation wakes it too: look again at what is waited for. */
may_suspend void fiber_park_shielded(const char *what);

/* Nothing where the fiber is not parked. */
void fiber_wake(struct fiber *f, enum wake why);

struct fiber *fiber_new(const char *name, fiber_fn *fn, void *arg);
void fiber_free(struct fiber *f); /* DONE, and not running */
void fiber_run(struct fiber *f);  /* by the loop: until it parks or is done */
void fiber_sweep(struct loop *l); /* gives back what long-parked stacks do not need */

/* Aborts where the caller is on no fiber. */
struct fiber *fiber_must(const char *caller);

/* A fiber of the group has returned. */
void group_left(struct fiber *f);

void signal_close_all(struct loop *l);

#endif
