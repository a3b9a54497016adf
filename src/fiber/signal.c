/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: one source for each signal that was ever waited for, which counts what came until the
 * end of the loop.
 */
#include "fiber/signal.h"

#include <stdlib.h>

#include "base/mem.h"
#include "fiber/core.h"

struct signal_source {
	uv_signal_t handle;
	struct list link; /* in the loop's list */
	bool pending;	  /* came, and no wait has told of it yet */
};

/* Every waiter, whichever signals it waits for: they are a handful at most. */
static void on_signal(uv_signal_t *h, _unused_ int number)
{
	container_of(h, struct signal_source, handle)->pending = true;
	waitq_wake_all(&loop->signal_waiters);
}

static struct signal_source *source_get(int number)
{
	list_for_each(link, &loop->signals) {
		struct signal_source *s = list_item(link, struct signal_source, link);

		if (s->handle.signum == number)
			return s;
	}

	struct signal_source *s = mem_new(struct signal_source);

	uv_signal_init(&loop->uv, &s->handle);
	if (uv_signal_start(&s->handle, on_signal, number) != 0)
		loop_abort("cannot wait for signal %d", number);
	list_append(&loop->signals, &s->link);
	return s;
}

void signal_watch(const int *signals, size_t n)
{
	loop_real("signal_watch");
	for (size_t i = 0; i < n; i++)
		source_get(signals[i]);
}

may_suspend struct error *signal_wait(const int *signals, size_t n, int *ret_signal)
{
	signal_watch(signals, n);
	for (;;) {
		for (size_t i = 0; i < n; i++) {
			struct signal_source *s = source_get(signals[i]);

			if (!s->pending)
				continue;
			s->pending = false;
			*ret_signal = signals[i];
			return NULL;
		}
		TRY(waitq_wait(&loop->signal_waiters, "a signal"));
	}
}

static void on_closed(uv_handle_t *h)
{
	free(container_of((uv_signal_t *)h, struct signal_source, handle));
}

void signal_close_all(struct loop *l)
{
	struct list *link;

	while ((link = list_pop(&l->signals)))
		uv_close((uv_handle_t *)&list_item(link, struct signal_source, link)->handle,
			 on_closed);
}
