/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fibers that wait for a condition. Always in a loop that looks at the condition again:
 *   while (!ready) TRY(waitq_wait(&q));
 * Zero-initialised is valid. Nobody may wait on it when it goes away (asserted by waitq_fini).
 */
#ifndef FIBER_WAITQ_H
#define FIBER_WAITQ_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/list.h"

struct waitq {
	struct list waiters;
};

#define WAITQ_INIT                 \
	{                          \
		{                  \
			NULL, NULL \
		}                  \
	}

/* `what` is shown in the dump of fibers. */
may_suspend must_check struct error *waitq_wait(struct waitq *q, const char *what);
void waitq_wake_one(struct waitq *q); /* the longest waiting */
void waitq_wake_all(struct waitq *q);
bool waitq_empty(const struct waitq *q);
void waitq_fini(struct waitq *q);

#endif
