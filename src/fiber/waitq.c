/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait queues. A waiter that is cancelled or times out leaves the queue at that moment, so that a
 * later wake_one goes to another; one that was woken first is told of the event, not of the
 * cancellation, so that no wake-up is lost.
 */
#include "fiber/waitq.h"

#include <assert.h>

#include "fiber/core.h"
#include "fiber/fiber.h"

may_suspend struct error *waitq_wait(struct waitq *q, const char *what)
{
	struct fiber *f = fiber_must("waitq_wait");

	if (!q->waiters.next)
		list_init(&q->waiters);
	list_append(&q->waiters, &f->link);
	return fiber_park(what, NEVER);
}

void waitq_wake_one(struct waitq *q)
{
	if (!waitq_empty(q))
		fiber_wake(list_item(q->waiters.next, struct fiber, link), WAKE_EVENT);
}

void waitq_wake_all(struct waitq *q)
{
	while (!waitq_empty(q))
		waitq_wake_one(q);
}

bool waitq_empty(const struct waitq *q)
{
	return list_empty(&q->waiters);
}

void waitq_fini(struct waitq *q)
{
	assert(waitq_empty(q));
	/* Waiters that were woken have left the list, so nothing points here any more. */
	list_init(&q->waiters);
}
