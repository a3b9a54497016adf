/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong on several nodes, as one error for the client: what all of them say alike is said
 * once, as one engine says it; else each node is named with its own.
 */
#ifndef CLUSTER_FAILURES_H
#define CLUSTER_FAILURES_H

#include "engine/engine.h"

/* Zero-initialised is none. */
struct failures {
	size_t nodes, failed;
	bool differ;
	struct error *first, *named;
};

/* What became of one more node; takes err, NULL where it is well. */
void failures_add(struct failures *f, const struct engine *e, struct error *err);

/* All of it, with the kind and status of the first, NULL where none failed. f is empty then. */
must_check struct error *failures_join(struct failures *f);

#endif
