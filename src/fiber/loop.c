/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop: runs the fibers that are ready, then waits until something makes one ready. libuv's
 * callbacks only record and wake; no fiber ever runs inside one.
 */
#include "fiber/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/log.h"
#include "base/mem.h"
#include "fiber/clock.h"
#include "fiber/core.h"
#include "fiber/fiber.h"

/* Fibers that make each other ready run for so long before descriptors are looked at again. */
#define TURN (1 * MILLISECOND)

#define SWEEP_EVERY (1 * SECOND)
#define TRIM_EVERY  (10 * SECOND)

struct loop *loop;

static int64_t hog_limit = -1; /* negative: the default of the kind */

static size_t fiber_capacity; /* 0: nobody has asked yet */

size_t loop_fiber_capacity(void)
{
	if (!fiber_capacity)
		fiber_capacity = stack_capacity();
	return fiber_capacity;
}

void loop_set_fiber_capacity(size_t fibers)
{
	fiber_capacity = fibers;
}

size_t loop_fiber_room(void)
{
	size_t most = loop_fiber_capacity() / 4 * 3, n = fiber_count();

	return n < most ? most - n : 0;
}

bool loop_is_crowded(void)
{
	return fiber_count() > loop_fiber_capacity() / 8 * 7;
}

void loop_set_hog_limit(int64_t span)
{
	hog_limit = MAX(span, 0);
}

void loop_abort(const char *fmt, ...)
{
	struct strbuf fibers = STRBUF_INIT;
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fiber_dump(&fibers);
	fprintf(stderr, "\n%s", fibers.p ? fibers.p : "");
	abort();
}

struct loop *loop_real(const char *caller)
{
	if (!loop || loop->kind != LOOP_REAL)
		loop_abort("%s: needs a real loop", caller);
	return loop;
}

static void hog_check(const char *name, int64_t began)
{
	int64_t limit = hog_limit;

	if (limit < 0)
		limit = loop->kind == LOOP_REAL ? 50 * MILLISECOND : 0;
	if (limit > 0 && loop->now - began > limit)
		log_warn("a fiber held the loop for long", LOG_CSTR("fiber", name),
			 LOG_NUM("ms", (loop->now - began) / MILLISECOND));
}

static void run_one(struct fiber *f)
{
	int64_t began = loop->now;

	fiber_run(f);
	loop->now = clock_exact();
	hog_check(f->name, began);
	if (f->state == FIBER_DONE)
		fiber_free(f);
}

/*
 * Each fiber that is ready now, and those that become so for a turn: so that fibers that keep each
 * other ready do not starve the rest, and that what the kernel told is acted on before it is asked
 * again, since it tells of a thousand sockets anew for as long as nobody reads from them.
 */
static void run_ready(void)
{
	int64_t until = loop->now + TURN;
	const struct list *last = loop->ready.prev;
	bool all_ran = false;
	struct list *link;

	while (!loop->done && (!all_ran || loop->now < until) && (link = list_pop(&loop->ready))) {
		all_ran = all_ran || link == last;
		run_one(list_item(link, struct fiber, link));
	}
}

static void wake_expired(void)
{
	struct heap_item *first;

	while ((first = heap_first(&loop->timers)) && first->key <= loop->now) {
		struct fiber *f = container_of(first, struct fiber, timer);

		fiber_wake(f, f->timer_is_event ? WAKE_EVENT : WAKE_TIMER);
	}
}

/*
 * uv_run runs what is due before it waits, and then waits for as long as the remaining timers say:
 * for ever, there being none. The stop makes that wait a look.
 */
static void on_timer(uv_timer_t *t)
{
	loop->timer_at = NEVER;
	uv_stop(t->loop);
}

/* Nothing wakes an idle process only to find that there is nothing to give back. */
static void plan_sweep(void)
{
	if (list_empty(&loop->ran))
		return;
	if (loop->trim_at == NEVER)
		loop->trim_at = loop->now + TRIM_EVERY;
	loop->sweep_at = MIN(loop->sweep_at, loop->now + SWEEP_EVERY);
}

static void sweep(void)
{
	if (loop->now < loop->sweep_at)
		return;
	fiber_sweep(loop);
	bool more = stack_cache_shrink() || !list_empty(&loop->ran);

	if (loop->now >= loop->trim_at) {
		mem_trim();
		loop->trim_at = more ? clock_exact() + TRIM_EVERY : NEVER;
	}
	loop->sweep_at = more ? loop->now + SWEEP_EVERY : loop->trim_at;
}

static void set_timer(void)
{
	const struct heap_item *first = heap_first(&loop->timers);
	int64_t at = MIN(first ? first->key : NEVER, loop->sweep_at);

	if (at == loop->timer_at)
		return;
	loop->timer_at = at;
	if (at == NEVER) {
		uv_timer_stop(&loop->timer);
		return;
	}

	int64_t span = MAX(at - clock_exact(), 0);

	uv_update_time(&loop->uv);
	uv_timer_start(&loop->timer, on_timer, (uint64_t)((span + MILLISECOND - 1) / MILLISECOND),
		       0);
}

/* Only the sweep's timer, or nothing at all, is left to wait for. */
static bool nothing_can_happen(void)
{
	if (!list_empty(&loop->ready) || heap_first(&loop->timers))
		return false;
	uv_timer_stop(&loop->timer);
	loop->timer_at = NEVER;
	return !uv_loop_alive(&loop->uv);
}

static void wait_real(void)
{
	plan_sweep();
	if (nothing_can_happen())
		loop_abort("deadlock: every fiber is parked and nothing can wake one");
	set_timer();
	uv_run(&loop->uv, list_empty(&loop->ready) ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	loop->now = clock_exact();
	wake_expired();
	sweep();
}

static void wait_virtual(void)
{
	const struct heap_item *first = heap_first(&loop->timers);

	if (!list_empty(&loop->ready))
		return;
	if (!first)
		loop_abort("deadlock: every fiber is parked and no timer is set");
	loop->now = MAX(loop->now, first->key);
	wake_expired();
}

static void report_open(uv_handle_t *h, _unused_ void *arg)
{
	if (!uv_is_closing(h))
		loop_abort("a %s was not closed before the end of the loop",
			   uv_handle_type_name(h->type));
}

static void loop_open(struct loop *l, enum loop_kind kind)
{
	l->kind = kind;
	l->timer_at = l->sweep_at = l->trim_at = NEVER;
	list_init(&l->ready);
	list_init(&l->all);
	list_init(&l->ran);
	list_init(&l->signals);
	if (kind == LOOP_VIRTUAL) {
		l->now = VIRTUAL_START;
		return;
	}

	signal(SIGPIPE, SIG_IGN);
	/* Slow look-ups of a few names must not hold up the files that others read. */
	setenv("UV_THREADPOOL_SIZE", "8", 0);
	l->now = clock_exact();
	if (uv_loop_init(&l->uv) != 0 || uv_timer_init(&l->uv, &l->timer) != 0)
		loop_abort("cannot set up the event loop");
}

static void loop_close(struct loop *l)
{
	if (l->n_fibers > 0)
		loop_abort("the main fiber returned before the others");
	if (l->kind == LOOP_REAL) {
		signal_close_all(l);
		uv_close((uv_handle_t *)&l->timer, NULL);
		uv_walk(&l->uv, report_open, NULL);
		uv_run(&l->uv, UV_RUN_DEFAULT);
		if (uv_loop_close(&l->uv) != 0)
			loop_abort("the event loop is still in use at its end");
	}
	heap_fini(&l->timers);
	stack_cache_clear();
}

void loop_run(enum loop_kind kind, fiber_fn *main, void *arg)
{
	assert(!loop);
	loop = mem_new(struct loop);
	loop_open(loop, kind);
	fiber_new("main", main, arg);
	while (!loop->done) {
		run_ready();
		if (loop->done)
			break;
		if (kind == LOOP_REAL)
			wait_real();
		else
			wait_virtual();
	}
	loop_close(loop);
	free(loop);
	loop = NULL;
}
