/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the token service outlives it: which clusters there are, and which nodes are in them,
 * in an SQLite database. Not until when: an entry that is read back is as good as renewed (see
 * docs/adr/), so renewals write nothing.
 *
 * Every call runs on a helper thread; one at a time, which is for the caller to see to. A change is
 * on the disk when its call returns without an error.
 */
#ifndef REGISTRY_STORE_H
#define REGISTRY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct store;

/*
 * Opens `dir`/registry.db, or makes it, in a directory that is there. The messages name the file
 * and what is wrong: no right to it, another process that has it, no database, a later version's.
 */
may_suspend must_check struct error *store_open(const char *dir, struct store **ret);
may_suspend void store_close(struct store *s); /* NULL is fine */

struct store_row {
	char id[33];
	bool own;   /* the cluster of the manager that carries this service */
	char *node; /* NULL: the row is the cluster itself; it comes before its nodes */
	int64_t ttl;
};
struct store_rows {
	struct store_row *v;
	size_t n, cap;
};
void store_rows_fini(struct store_rows *rows);

may_suspend must_check struct error *store_load(struct store *s, struct store_rows *ret);
/* A new cluster, or one that is there, which becomes `own` or stops being it. */
may_suspend must_check struct error *store_put_cluster(struct store *s, struct str id, bool own);
may_suspend must_check struct error *store_remove_cluster(struct store *s, struct str id);
may_suspend must_check struct error *store_put_node(struct store *s, struct str id, struct str node,
						    int64_t ttl);
may_suspend must_check struct error *store_remove_node(struct store *s, struct str id,
						       struct str node);

#endif
