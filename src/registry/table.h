/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clusters of the token service in memory: which there are, which nodes they list, until when,
 * and who made them. No I/O, and nothing parks; times are the caller's. Private to registry/.
 */
#ifndef REGISTRY_TABLE_H
#define REGISTRY_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/heap.h"
#include "base/map.h"
#include "fiber/waitq.h"

/* A client, and how much of the service it has; it goes when that is nothing. */
struct patron {
	char *name;
	size_t n_clusters, n_entries;
};

struct cluster_entry {
	struct registry_cluster *cluster;
	struct patron *patron; /* NULL: from before this start */
	char *node;
	int64_t ttl;
	struct heap_item due; /* by when it ends */
};

struct registry_cluster {
	char id[33];
	bool own;
	struct patron *patron; /* NULL: from before this start */
	struct map entries;    /* by node */
	int64_t used;	       /* when it was last asked for */
	uint64_t version;      /* counts changes of the set of nodes */
	struct waitq changed;
};

struct table {
	struct map clusters, patrons;
	struct heap due;
	size_t n_entries;
};

void table_init(struct table *t);
void table_fini(struct table *t);

struct registry_cluster *table_find(const struct table *t, struct str id); /* NULL: none */

/*
 * Whether the client may have one cluster more. *ret_room: the one that has to go first, or NULL.
 * ERR_FORBIDDEN: the client has its share; ERR_UNAVAILABLE: the service is full.
 */
must_check struct error *table_check_add(const struct table *t, struct str client, int64_t now,
					 struct registry_cluster **ret_room);
/* `client` STR_NONE: from before this start. */
struct registry_cluster *table_add(struct table *t, struct str id, struct str client, int64_t now);
void table_remove(struct table *t,
		  struct registry_cluster *c); /* wakes who waits for it, frees it */

struct cluster_entry *table_entry(const struct registry_cluster *c, struct str node);
/* Whether a node that is not in it yet may be entered. */
must_check struct error *table_check_enter(const struct table *t, const struct registry_cluster *c,
					   struct str client);
/* Enters or renews. */
void table_enter(struct table *t, struct registry_cluster *c, struct str node, struct str client,
		 int64_t ttl, int64_t now);
void table_leave(struct table *t, struct cluster_entry *e);
struct cluster_entry *table_first_due(const struct table *t); /* NULL: no entries */

#endif
