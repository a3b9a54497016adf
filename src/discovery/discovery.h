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
struct kv;
struct tls_files;

struct discovery_options {
	int64_t heartbeat;	     /* poll period of polled backends */
	const char *const *opts;     /* "k=v" of --discovery-opt, NULL-terminated; borrowed */
	const struct tls_files *tls; /* of --tls and its like, for token://; NULL: not given */
	const char *service;	     /* of token://id; NULL or empty: not known */
};

/*
 * "nodes://a:1,b:2", a bare list, "file:///path" and so on. ERR_INVALID names what is wrong with
 * the text. Nothing is read or connected yet.
 */
must_check struct error *discovery_open(struct str uri, const struct discovery_options *options,
					struct discovery **ret);
/*
 * Ends and joins what the calls below began: connections that are kept up, and the fibers behind
 * them. What was registered stays. Shielded. In the loop of those calls, and before the close
 * where there were any; twice is fine.
 */
may_suspend void discovery_stop(struct discovery *d);
struct arena;
struct vec;

/* Entries that the caller has itself: a manager that carries the token service has such. */
struct discovery_host {
	const char *scheme;
	/* Each a struct str * in the arena. */
	may_suspend struct error *(*fetch)(void *arg, struct arena *arena, struct vec *ret);
	may_suspend struct error *(*wait)(void *arg); /* until they are others than at the fetch */
};
/* `host` and `arg` are borrowed for as long as it lives. */
struct discovery *discovery_open_host(const struct discovery_host *host, void *arg);

/* Nobody may be in another call. NULL is fine. */
void discovery_close(struct discovery *d);
DEFINE_CLEANUP(struct discovery *, discovery_close)

const char *discovery_scheme(const struct discovery *d); /* "nodes", "file" ... */
bool discovery_is_store(const struct discovery *d);	 /* managers can elect a primary in it */
/* The store itself, lent until the close, for what else is kept in it; NULL where it is none. */
struct kv *discovery_store(struct discovery *d);
bool discovery_uses_tls(const struct discovery *d); /* discovery_options.tls */

/*
 * ERR_INVALID where people write its entries (nodes://, file://), so that none can be registered.
 */
must_check struct error *discovery_check_registers(const struct discovery *d);
/* The same where it keeps no entries for so short a time, and why. */
must_check struct error *discovery_check_ttl(const struct discovery *d, int64_t ttl);

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
 * Enters the node, or renews its entry, for `ttl` (to the second, as the backend can: longer rather
 * than shorter). ERR_INVALID: never, and why; ERR_NOT_FOUND: there is no such cluster; anything
 * else may go better later.
 */
may_suspend must_check struct error *discovery_register(struct discovery *d,
							const struct addr *addr, int64_t ttl);
/* Takes out the entry that was registered here. One that is gone already is no error. */
may_suspend must_check struct error *discovery_unregister(struct discovery *d,
							  const struct addr *addr);

/*
 * "10.0.[0:1].[10:20]:2375" to its texts, in order, zero padding kept; each is appended to ret as
 * a struct str * in the arena. ERR_INVALID: a range that is none, or more than LIMIT_RANGE_HOSTS.
 */
must_check struct error *discovery_expand(struct str pattern, struct arena *arena, struct vec *ret);

#endif
