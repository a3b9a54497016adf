/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /containers/json over all nodes, from memory: an engine's filters, limit and order.
 */
#ifndef CLUSTER_LIST_H
#define CLUSTER_LIST_H

#include "cluster/cluster.h"
#include "docker/filters.h"

struct container_query {
	bool all;
	bool size;     /* with SizeRw and SizeRootFs: asks the engines */
	int64_t limit; /* 0: none */
	struct filters filters;
};

/*
 * ERR_INVALID for a filter that an engine does not know, or a value that it refuses; what
 * cluster_list_containers would answer before its first piece.
 */
must_check struct error *container_query_check(const struct cluster *c,
					       const struct container_query *q);

/*
 * Emits the array piece by piece: emit() may park. The newest first. What changes while it runs is
 * listed as it was at the beginning.
 */
typedef may_suspend struct error *emit_fn(void *arg, struct str piece);
may_suspend must_check struct error *cluster_list_containers(struct cluster *c,
							     const struct container_query *q,
							     emit_fn *emit, void *arg);

#endif
