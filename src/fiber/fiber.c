/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fibers: starting, switching, parking and waking them. What they wait for is in the other files
 * of this folder, each of which ends up in fiber_park and fiber_wake.
 */
#include "fiber/fiber.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/limits.h"
#include "base/mem.h"
#include "fiber/clock.h"
#include "fiber/core.h"
#include "fiber/tools.h"

/* A run of I/O that never has to wait lets others run after this long. */
#define PACE (2 * MILLISECOND)

/* A stack's pages go back once its fiber has been parked for this long. */
#define TRIM_AFTER (1 * SECOND)

/* What a leaf function may use below the frame that parks, and swapcontext itself. */
#define RED_ZONE 1024

struct fiber *fiber_self(void)
{
	return loop ? loop->current : NULL;
}

struct fiber *fiber_must(const char *caller)
{
	struct fiber *f = fiber_self();

	if (!f)
		loop_abort("%s: called outside of any fiber", caller);
	return f;
}

size_t fiber_count(void)
{
	return loop ? loop->n_fibers : 0;
}

/* Leaves the running fiber for the loop. Never returns for a fiber that is done. */
static void switch_to_loop(struct fiber *f)
{
	tools_switch_start(f->state == FIBER_DONE ? NULL : &f->fake_stack, loop->stack_low,
			   loop->stack_size);
	swapcontext(&f->context, &loop->context);
	tools_switch_finish(f->fake_stack, &loop->stack_low, &loop->stack_size);
}

static void fiber_main(void)
{
	tools_switch_finish(NULL, &loop->stack_low, &loop->stack_size);

	struct fiber *f = loop->current;

	f->fn(f->arg);
	assert(f->no_suspends == 0 && f->shields == 0);
	if (f->group)
		group_left(f);
	else
		loop->done = true;
	f->state = FIBER_DONE;
	switch_to_loop(f);
	abort();
}

struct fiber *fiber_new(const char *name, fiber_fn *fn, void *arg)
{
	if (loop->n_fibers >= LIMIT_FIBERS)
		loop_abort("more than %d fibers", LIMIT_FIBERS);

	struct fiber *f = mem_new(struct fiber);

	f->stack = stack_get();
	f->fn = fn;
	f->arg = arg;
	f->name = name;
	f->deadline = NEVER;
	f->id = ++loop->n_started;
	f->term = loop->current ? loop->current->term : 0;
	f->since = loop->now;
	f->state = FIBER_READY;

	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack.low;
	f->context.uc_stack.ss_size = f->stack.size;
	makecontext(&f->context, fiber_main, 0);
	/* ASan's swapcontext would wipe its shadow of this stack at each switch to it. */
	f->context.uc_stack.ss_size = 0;

	list_append(&loop->all, &f->all);
	list_append(&loop->ready, &f->link);
	loop->n_fibers++;
	return f;
}

void fiber_free(struct fiber *f)
{
	assert(f->state == FIBER_DONE);
	list_remove(&f->all);
	list_remove(&f->ran);
	loop->n_fibers--;
	stack_put(f->stack);
	free(f);
}

void fiber_run(struct fiber *f)
{
	assert(f->state == FIBER_READY);
	f->state = FIBER_RUNNING;
	f->since = loop->now;
	loop->current = f;

	tools_switch_start(&loop->fake_stack, f->stack.low, f->stack.size);
	swapcontext(&loop->context, &f->context);
	tools_switch_finish(loop->fake_stack, NULL, NULL);

	loop->current = NULL;
	if (!list_linked(&f->ran))
		list_append(&loop->ran, &f->ran);
}

void fiber_wake(struct fiber *f, enum wake why)
{
	if (f->state != FIBER_PARKED)
		return;
	list_remove(&f->link);
	heap_remove(&loop->timers, &f->timer);
	f->why = why;
	f->state = FIBER_READY;
	list_append(&loop->ready, &f->link);
}

/* Parks as the fiber is: linked where its event will look for it, its timer set. */
static void park(struct fiber *f, const char *what)
{
	if (f->no_suspends > 0)
		loop_abort("fiber %s parks inside NO_SUSPEND, to wait for: %s", f->name, what);
	f->what = what;
	f->state = FIBER_PARKED;
	f->since = loop->now;
	f->top = __builtin_frame_address(0);
	switch_to_loop(f);
	f->what = NULL;
}

static struct error *ended_by_cancel(void)
{
	return error_new(ERR_CANCELLED, "cancelled");
}

static struct error *ended_by_deadline(void)
{
	return error_new(ERR_TIMEOUT, "timed out");
}

static struct error *check(const struct fiber *f, int64_t now)
{
	if (f->shields > 0)
		return NULL;
	if (f->cancelled)
		return ended_by_cancel();
	if (f->deadline <= now)
		return ended_by_deadline();
	return NULL;
}

may_suspend struct error *fiber_park(const char *what, int64_t until)
{
	struct fiber *f = fiber_must(what);
	struct error *err = check(f, loop->now);

	if (err) {
		list_remove(&f->link);
		return err;
	}

	int64_t limit = f->shields > 0 ? NEVER : f->deadline;

	f->timer_is_event = until <= limit;
	if (MIN(until, limit) != NEVER)
		heap_add(&loop->timers, &f->timer, MIN(until, limit));
	park(f, what);

	if (f->why == WAKE_EVENT)
		return NULL;
	return f->why == WAKE_CANCEL || f->cancelled ? ended_by_cancel() : ended_by_deadline();
}

may_suspend void fiber_park_shielded(const char *what)
{
	park(fiber_must(what), what);
}

may_suspend struct error *fiber_sleep(int64_t span)
{
	if (span <= 0)
		return fiber_yield();

	int64_t now = clock_exact();

	return fiber_park("sleep", span > NEVER - now ? NEVER : now + span);
}

may_suspend struct error *fiber_yield(void)
{
	struct fiber *f = fiber_must("fiber_yield");

	TRY(fiber_check());
	if (f->no_suspends > 0)
		loop_abort("fiber %s yields inside NO_SUSPEND", f->name);
	f->what = "its turn";
	f->state = FIBER_READY;
	f->since = loop->now;
	f->top = __builtin_frame_address(0);
	list_append(&loop->ready, &f->link);
	switch_to_loop(f);
	f->what = NULL;
	return fiber_check();
}

struct error *fiber_check(void)
{
	struct fiber *f = fiber_self();

	return f ? check(f, clock_exact()) : NULL;
}

may_suspend struct error *fiber_pace(void)
{
	struct fiber *f = fiber_self();

	if (!f)
		return NULL;

	int64_t now = clock_exact();

	TRY(check(f, now));
	return now - f->since > PACE && f->no_suspends == 0 ? fiber_yield() : NULL;
}

void fiber_cancel(struct fiber *f)
{
	f->cancelled = true;
	if (f->shields == 0)
		fiber_wake(f, WAKE_CANCEL);
}

void fiber_shield(void)
{
	fiber_must("fiber_shield")->shields++;
}

void fiber_unshield(void)
{
	struct fiber *f = fiber_must("fiber_unshield");

	assert(f->shields > 0);
	f->shields--;
}

struct no_suspend no_suspend_begin(void)
{
	struct no_suspend guard = { fiber_self() };

	if (guard.fiber)
		guard.fiber->no_suspends++;
	return guard;
}

void no_suspend_end(struct no_suspend *guard)
{
	if (!guard->fiber)
		return;
	assert(guard->fiber == fiber_self() && guard->fiber->no_suspends > 0);
	guard->fiber->no_suspends--;
	guard->fiber = NULL;
}

/*
 * A fiber that goes on within the second keeps its pages, so that a busy one never pays for them
 * again. The list holds only those that ran since they were last trimmed: an idle pool of a
 * hundred thousand fibers costs nothing here.
 */
void fiber_sweep(struct loop *l)
{
	list_for_each(link, &l->ran) {
		struct fiber *f = list_item(link, struct fiber, ran);

		if (f->state != FIBER_PARKED || l->now - f->since < TRIM_AFTER)
			continue;
		stack_trim(&f->stack, f->top - RED_ZONE);
		list_remove(&f->ran);
	}
}

static const char *doing(const struct fiber *f)
{
	switch (f->state) {
	case FIBER_PARKED:
		return f->what;
	case FIBER_RUNNING:
		return "running";
	default:
		return "ready to run";
	}
}

void fiber_dump(struct strbuf *out)
{
	if (!loop)
		return;

	int64_t now = clock_exact();

	list_for_each(link, &loop->all) {
		const struct fiber *f = list_item(link, struct fiber, all);
		int64_t ms = (now - f->since) / MILLISECOND;

		strbuf_addf(out, "fiber %llu %s: %s, for %lld.%03lld s%s%s\n",
			    (unsigned long long)f->id, f->name, doing(f), (long long)(ms / 1000),
			    (long long)(ms % 1000), f->cancelled ? ", cancelled" : "",
			    f->shields > 0 ? ", shielded" : "");
	}
}
