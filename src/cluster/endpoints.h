/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The containers of networks, out of what several engines say: each knows of its own.
 */
#ifndef CLUSTER_ENDPOINTS_H
#define CLUSTER_ENDPOINTS_H

#include "base/map.h"
#include "cluster/cluster.h"
#include "json/json.h"

struct endpoints {
	struct arena arena;
	struct map networks; /* of struct network_endpoints */
	struct map seen;     /* of struct endpoint */
};

struct network_endpoints {
	struct str network; /* its id, or what the caller calls it */
	struct endpoint *first, **end;
};

struct endpoint {
	struct endpoint *next;
	struct str key; /* the network, a space, the container: one on several nodes is one */
	struct str container;
	struct str entry; /* JSON, as its engine wrote it */
};

void endpoints_init(struct endpoints *e);
void endpoints_fini(struct endpoints *e); /* zero-initialised is fine */

/* What one engine has in the network's Containers, as far as no other had it before. */
void endpoints_take(struct endpoints *e, struct str network, struct json containers);

/*
 * Those of all networks, as a list told them before API 1.28: asks every healthy engine. One that
 * fails is logged, and its networks show no containers.
 */
may_suspend must_check struct error *endpoints_fetch(struct endpoints *e, const struct cluster *c);

/* Appends the entry of a network, as an engine writes it, with its containers set. */
must_check struct error *endpoints_write(const struct endpoints *e, struct str network,
					 struct str entry, struct strbuf *out);

#endif
