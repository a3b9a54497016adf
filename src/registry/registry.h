/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token service: clusters under ids that nobody can guess, and the nodes that registered in
 * each, for as long as they renew. What it answers has been written down (store.h) before; times
 * are not, so that after a restart every node has its whole time to renew.
 *
 * A client is named by a text, for its share of the service (limits.h). Errors are for clients to
 * read. Ids are as good as passwords: they are never logged, and no error names one that there is.
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "net/addr.h"

struct arena;
struct http_incoming;
struct registry;
struct vec;

/* Reads what is kept in `dir`, or begins it there. The errors are store_open's. */
may_suspend must_check struct error *registry_open(const char *dir, struct registry **ret);
/* Nobody may be in another call. NULL is fine. */
may_suspend void registry_close(struct registry *r);

may_suspend must_check struct error *registry_create(struct registry *r, struct str client,
						     struct strbuf *ret_id);
/* Registers or renews; a ttl of 0 takes the node out. */
may_suspend must_check struct error *registry_enter(struct registry *r, struct str id,
						    const struct addr *node, int64_t ttl,
						    struct str client);
/* ERR_CONFLICT where it is the manager's own. */
may_suspend must_check struct error *registry_end(struct registry *r, struct str id);

/* The nodes, each a struct str * in the arena, by name. ERR_NOT_FOUND: no such cluster. */
must_check struct error *registry_list(struct registry *r, struct str id, struct arena *arena,
				       struct vec *ret, uint64_t *ret_version);
/* Parks until the version is another one. ERR_NOT_FOUND: the cluster is gone. */
may_suspend must_check struct error *registry_wait(struct registry *r, struct str id,
						   uint64_t version);

/*
 * The cluster of the manager that carries this service: the one that it had, else the only one
 * there is, else a new one.
 */
may_suspend must_check struct error *registry_own(struct registry *r, struct strbuf *ret_id);

/*
 * Answers a request for one of the service's paths, below REGISTRY_PREFIX (request.h says which).
 * An error is left to the caller to answer with.
 */
may_suspend must_check struct error *registry_serve(struct registry *r, struct http_incoming *in);

#endif
