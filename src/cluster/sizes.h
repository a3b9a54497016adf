/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much each container has written: no engine tells that unasked, so `ps --size` asks them all.
 */
#ifndef CLUSTER_SIZES_H
#define CLUSTER_SIZES_H

#include "base/map.h"
#include "cluster/cluster.h"

struct sizes {
	struct arena arena;
	struct map by_id; /* of struct container_size */
};

struct container_size {
	struct str id;
	struct str members; /* "SizeRw":123,"SizeRootFs":456 as the engine wrote them */
};

/*
 * Asks every healthy engine at once; one that fails is logged, and its containers have no sizes.
 * `all`: stopped ones too.
 */
may_suspend must_check struct error *sizes_fetch(struct sizes *s, const struct cluster *c,
						 bool all);
void sizes_fini(struct sizes *s);

/* Writes them into the list entry at the end of out, where they are known. */
void sizes_add(const struct sizes *s, struct str id, struct strbuf *out);

#endif
