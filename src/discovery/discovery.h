/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the addresses of the nodes come from. A backend is a file here and a row in discovery.c.
 */
#ifndef DISCOVERY_DISCOVERY_H
#define DISCOVERY_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/addr.h"

struct discovery;

struct discovery_options {
	int64_t heartbeat;	 /* poll period of polled backends */
	const char *const *opts; /* "k=v" of --discovery-opt, NULL-terminated; borrowed */
};

/*
 * "nodes://a:1,b:2", a bare list, "file:///path" and so on. ERR_INVALID names what is wrong with
 * the text. Nothing is read or connected yet.
 */
must_check struct error *discovery_open(struct str uri, const struct discovery_options *options,
					struct discovery **ret);
/* Nobody may be in fetch or wait. In the loop in which these were called. NULL is fine. */
void discovery_close(struct discovery *d);
DEFINE_CLEANUP(struct discovery *, discovery_close)

const char *discovery_scheme(const struct discovery *d); /* "nodes", "file" ... */
bool discovery_is_store(const struct discovery *d);	 /* managers can elect a primary in it */

/* An entry that is no host:port is logged and left out; one that stands twice counts once. */
struct discovery_entries {
	struct addr *v;
	size_t n;
};
void discovery_entries_fini(struct discovery_entries *e);

/* The entries now. ERR_TOO_LARGE: more than LIMIT_RANGE_HOSTS of them. */
may_suspend must_check struct error *discovery_fetch(struct discovery *d,
						     struct discovery_entries *ret);

/*
 * Parks until they may have changed since the last fetch. For ever where they never do (nodes://):
 * until cancelled.
 */
may_suspend must_check struct error *discovery_wait(struct discovery *d);

/*
 * "10.0.[0:1].[10:20]:2375" to its texts, in order, zero padding kept; each is appended to ret as
 * a struct str * in the arena. ERR_INVALID: a range that is none, or more than LIMIT_RANGE_HOSTS.
 */
struct arena;
struct vec;
must_check struct error *discovery_expand(struct str pattern, struct arena *arena, struct vec *ret);

#endif
