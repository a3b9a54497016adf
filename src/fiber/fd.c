/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for descriptors. What libuv watches for lags behind what is wanted: an interest is
 * dropped only once it fires and nobody waits for it, because a stream that is read to its end of
 * the moment and waited for again would otherwise cost two system calls each time. It is dropped,
 * too, once it fires again before the fiber that it woke has run: while a thousand fibers wait for
 * their turn, libuv would ask for their events over and over.
 */
#include "fiber/fd.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "fiber/core.h"
#include "fiber/fiber.h"

struct fd {
	uv_poll_t poll;
	int descriptor;
	int armed; /* what libuv watches for: UV_READABLE ... */
	int told;  /* what a fiber was woken for that has not run since */
	struct fiber *reader, *writer;
	struct fiber *dependent; /* cancelled when the peer hangs up */
	bool when_gone;		 /* ... and not where its stream has merely ended */
};

struct fd *fd_new(int descriptor)
{
	struct loop *l = loop_real("fd_new");
	struct fd *f = mem_new(struct fd);
	int err = uv_poll_init(&l->uv, &f->poll, descriptor);

	if (err != 0)
		loop_abort("cannot watch descriptor %d: %s", descriptor, uv_strerror(err));
	f->descriptor = descriptor;
	return f;
}

static void on_closed(uv_handle_t *h)
{
	free(container_of((uv_poll_t *)h, struct fd, poll));
}

int fd_release(struct fd *f)
{
	int descriptor = f->descriptor;

	assert(!f->reader && !f->writer);
	f->dependent = NULL;
	uv_close((uv_handle_t *)&f->poll, on_closed);
	return descriptor;
}

void fd_close(struct fd *f)
{
	if (f)
		close(fd_release(f));
}

int fd_descriptor(const struct fd *f)
{
	return f->descriptor;
}

static void on_event(uv_poll_t *h, int status, int events);

static void arm(struct fd *f, int events)
{
	if (events == f->armed)
		return;
	f->armed = events;

	int err = events ? uv_poll_start(&f->poll, events, on_event) : uv_poll_stop(&f->poll);

	if (err != 0)
		loop_abort("cannot wait for descriptor %d: %s", f->descriptor, uv_strerror(err));
}

static void tell(struct fd *f, struct fiber *fiber, int event)
{
	f->told |= event;
	fiber_wake(fiber, WAKE_EVENT);
}

/* The kernel tells it unasked: it is watched for by asking for what never comes, urgent data. */
static bool is_gone(const struct fd *f)
{
	struct pollfd p = { .fd = f->descriptor };

	return poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR);
}

static void on_event(uv_poll_t *h, int status, int events)
{
	struct fd *f = container_of(h, struct fd, poll);

	/* An error on the descriptor: libuv has stopped watching, the next call will tell it. */
	if (status < 0) {
		f->armed = 0;
		events = UV_READABLE | UV_WRITABLE | UV_DISCONNECT;
	}
	if (f->when_gone && (events & UV_PRIORITIZED) && is_gone(f))
		events |= UV_DISCONNECT;

	struct fiber *dependent = f->dependent;
	int idle = 0;

	if (!f->reader || f->told & UV_READABLE)
		idle |= UV_READABLE;
	else if (events & (UV_READABLE | UV_DISCONNECT))
		tell(f, f->reader, UV_READABLE);
	if (!f->writer || f->told & UV_WRITABLE)
		idle |= UV_WRITABLE;
	else if (events & UV_WRITABLE)
		tell(f, f->writer, UV_WRITABLE);
	/* Urgent data, which nobody sends, ends the watch. */
	idle |= UV_PRIORITIZED;
	if (events & UV_DISCONNECT) {
		f->dependent = NULL;
		idle |= UV_DISCONNECT;
		if (dependent)
			fiber_cancel(dependent);
	}
	arm(f, f->armed & ~(events & idle));
}

static may_suspend struct error *wait_for(struct fd *f, int event, struct fiber **slot,
					  const char *what)
{
	assert(!*slot);
	TRY(fiber_check());
	*slot = fiber_must(what);
	arm(f, f->armed | event);

	struct error *err = fiber_park(what, NEVER);

	*slot = NULL;
	f->told &= ~event;
	return err;
}

may_suspend struct error *fd_wait_readable(struct fd *f)
{
	return wait_for(f, UV_READABLE, &f->reader, "something to read");
}

may_suspend struct error *fd_wait_writable(struct fd *f)
{
	return wait_for(f, UV_WRITABLE, &f->writer, "room to write");
}

void fd_cancel_on_hangup(struct fd *f, struct fiber *fiber)
{
	f->dependent = fiber;
	f->when_gone = false;
	if (fiber)
		arm(f, f->armed | UV_DISCONNECT);
}

void fd_cancel_when_gone(struct fd *f, struct fiber *fiber)
{
	f->dependent = fiber;
	f->when_gone = true;
	if (fiber)
		arm(f, (f->armed & ~UV_DISCONNECT) | UV_PRIORITIZED);
}
