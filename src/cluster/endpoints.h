/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The containers of each network, as a list of networks told them before API 1.28. Each engine
 * knows of its own, so all are asked.
 */
#ifndef CLUSTER_ENDPOINTS_H
#define CLUSTER_ENDPOINTS_H

#include "base/map.h"
#include "cluster/cluster.h"

struct endpoints {
	struct arena arena;
	struct map networks; /* of struct network_endpoints */
	struct map seen;     /* of struct endpoint */
};

struct network_endpoints {
	struct str network; /* its id */
	struct endpoint *first;
};

struct endpoint {
	struct endpoint *next;
	struct str
		key; /* the network's id, a space, the container's: one on several nodes is one */
	struct str container;
	struct str entry; /* JSON, as its engine wrote it */
};

/* One that fails is logged, and its networks show no containers. */
may_suspend must_check struct error *endpoints_fetch(struct endpoints *e, const struct cluster *c);
void endpoints_fini(struct endpoints *e); /* zero-initialised is fine */

/* Appends the list entry of a network with its containers set. */
must_check struct error *endpoints_write(const struct endpoints *e, struct str network,
					 struct str entry, struct strbuf *out);

#endif
