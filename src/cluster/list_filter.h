/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An engine's filters of GET /containers/json, on what the manager remembers of a container.
 */
#ifndef CLUSTER_LIST_FILTER_H
#define CLUSTER_LIST_FILTER_H

#include "base/vec.h"
#include "cluster/cluster.h"
#include "docker/filters.h"

/* The filters with what they look up: done once for a request. */
struct list_filter {
	const struct cluster *cluster;
	const struct filters *filters;
	int64_t before, since; /* created, 0: not asked */
	bool needs_entry;      /* some filter looks into the entry's JSON */
};

/* ERR_INVALID for an unknown filter or value; ERR_NOT_FOUND where before or since name nothing. */
must_check struct error *list_filter_init(struct list_filter *lf, const struct cluster *c,
					  const struct filters *f);
/* The filters name a status, so stopped containers are meant too. */
bool list_filter_implies_all(const struct list_filter *lf);

/*
 * What alone can match, from the indexes, where the filters say what it is called; some may stand
 * twice. Borrowed. False: anything may match.
 */
bool list_filter_candidates(const struct list_filter *lf, struct vec *ret);
bool list_filter_match(const struct list_filter *lf, const struct container *ct);

#endif
