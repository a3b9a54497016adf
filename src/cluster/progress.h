/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The progress of one thing on several nodes as one stream of JSON lines: a line at a time,
 * `id` prefixed by the node, so that a client shows each node's layers on lines of their own.
 */
#ifndef CLUSTER_PROGRESS_H
#define CLUSTER_PROGRESS_H

#include "cluster/list.h"
#include "fiber/waitq.h"

struct progress {
	emit_fn *emit;
	void *arg;
	bool several;	   /* nodes: only then are lines prefixed */
	bool busy;	   /* a fiber is in emit */
	bool begun;	   /* something was emitted */
	struct waitq free; /* others that wait for their turn */
};

/*
 * Lets the answer begin before there is a line: an engine has begun its own, so that whatever goes
 * wrong from here on is told in it.
 */
may_suspend must_check struct error *progress_begin(struct progress *p);

/* Passes an engine's line on ("\r\n" added). Fibers take turns. */
may_suspend must_check struct error *progress_line(struct progress *p, const struct engine *e,
						   struct str line);

/*
 * Says that a node failed while the others go on: a status line, not an end. Where nothing was
 * emitted yet it says nothing, since the whole may still end in a plain error.
 */
may_suspend must_check struct error *progress_failure(struct progress *p, const struct engine *e,
						      const struct error *err);

#endif
