/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key-value store that several processes share: etcd, Consul or ZooKeeper, by one small set of
 * calls. A backend is a file here and a row of the table in kv.c. Who elects, lists nodes or keeps
 * records is above.
 *
 * A key is a path, "docker/swarm/leader", below the prefix that the store was opened with; so is a
 * directory, "docker/swarm/nodes". A value is bytes, LIMIT_KV_VALUE of them at most.
 *
 * Every call goes to the next endpoint where one does not answer, and fails when all have been
 * tried: with an error of the transport, ERR_UNAVAILABLE where the store says that it cannot serve
 * now (it has no leader), ERR_PROTOCOL where it answers what it must not. Bound it further with a
 * deadline. Several fibers may call at a time.
 */
#ifndef KV_KV_H
#define KV_KV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct fence;
struct kv;
struct kv_lease;

/* PEM files; all NULL: in the clear. */
struct kv_options {
	const char *ca, *cert, *key;
};

/*
 * "etcd://a,b:2379/prefix", "consul://a/prefix", "zk://a,b,c/prefix": the port and the prefix may
 * be left out. ERR_INVALID or ERR_TLS says what is wrong. Reads the files; connects to nobody yet.
 */
must_check struct error *kv_open(struct str uri, const struct kv_options *options, struct kv **ret);
/*
 * Ends and joins what the calls below began. Shielded; in the loop of those calls, before the
 * close. The leases have been ended by then. Twice is fine.
 */
may_suspend void kv_stop(struct kv *kv);
void kv_close(struct kv *kv); /* nobody may be in a call; NULL is fine */
DEFINE_CLEANUP(struct kv *, kv_close)

const char *kv_scheme(const struct kv *kv); /* "etcd", "consul", "zk" */

/* ERR_INVALID: a part between slashes is none that every store takes ("..", control characters). */
must_check struct error *kv_check_path(struct str path);

/*
 * A value as of `revision`: what kv_wait takes. It means nothing else, and is 0 in no answer where
 * `found` is true.
 */
struct kv_value {
	bool found;
	bool held; /* by a lease, with which it goes */
	struct str value;
	uint64_t revision;
};
may_suspend must_check struct error *kv_get(struct kv *kv, struct str key, struct arena *arena,
					    struct kv_value *ret);

/* The keys right below a directory, in no order; n is 0 where there are none. */
struct kv_entry {
	struct str name, value; /* the key behind "directory/" */
	bool held;		/* as in kv_value */
};
struct kv_list {
	struct kv_entry *v; /* in the arena */
	size_t n;
	uint64_t revision;
};
may_suspend must_check struct error *kv_list(struct kv *kv, struct str directory,
					     struct arena *arena, struct kv_list *ret);

/*
 * Parks until `key` itself, or one below it, may have been made or deleted since kv_get or kv_list
 * of the same path gave `revision`, or been changed (ZooKeeper: the value of `key` alone, not those
 * below). It may return early, so look again. The store tells; nobody asks over and over.
 */
may_suspend must_check struct error *kv_wait(struct kv *kv, struct str key, uint64_t revision);

/*
 * Makes or replaces it. With a lease the key goes when the lease ends; ERR_NOT_FOUND: the lease is
 * lost.
 */
may_suspend must_check struct error *kv_put(struct kv *kv, struct str key, struct str value,
					    struct kv_lease *lease);
/* One that is not there is no error. */
may_suspend must_check struct error *kv_delete(struct kv *kv, struct str key);

/*
 * The same for what the primary alone may change: held to the fence (fiber/fence.h) whenever bytes
 * leave, at each endpoint that is tried. ERR_NOT_PRIMARY.
 */
may_suspend must_check struct error *kv_put_fenced(struct kv *kv, struct str key, struct str value,
						   const struct fence *fence);
may_suspend must_check struct error *kv_delete_fenced(struct kv *kv, struct str key,
						      const struct fence *fence);

/*
 * One attempt to become the holder of a key that one lease holds at a time. *ret: it holds it now,
 * or held it already; false: another one does, or (Consul) did until a moment ago. One that no
 * lease holds is there for the taking. ERR_NOT_FOUND: the lease is lost.
 */
may_suspend must_check struct error *kv_lock(struct kv *kv, struct str key, struct str value,
					     struct kv_lease *lease, bool *ret);

/*
 * A lease (etcd), a session (Consul, ZooKeeper): what ties keys to a process that is alive. It is
 * granted for kv_lease_ttl from the moment at which the call that began or last renewed it was
 * made, which may be less than what was asked for: Consul is asked for half, as it may let a
 * session live twice as long; ZooKeeper's server has its own bounds. Beyond, it may be lost: all
 * that uses it is then ERR_NOT_FOUND, for good.
 *
 * Asked for, not promised: after a change of its leader etcd lets leases live one TTL longer.
 */
may_suspend must_check struct error *kv_lease_begin(struct kv *kv, int64_t ttl,
						    struct kv_lease **ret);
may_suspend must_check struct error *kv_lease_renew(struct kv_lease *lease);
int64_t kv_lease_ttl(const struct kv_lease *lease);
/*
 * Gives it up, frees it: its keys go at once, where the store can be reached within some seconds,
 * else by themselves. Shielded. NULL is fine.
 */
may_suspend void kv_lease_end(struct kv_lease *lease);

/* Frees it and tells nobody: its keys go when the store finds that it has ended. NULL is fine. */
may_suspend void kv_lease_drop(struct kv_lease *lease);

/* ERR_INVALID where the store cannot give a lease of this span (Consul: less than 20 s). */
must_check struct error *kv_check_ttl(const struct kv *kv, int64_t ttl);
/* Within which such a lease has to be renewed, as far as can be told before it is granted. */
int64_t kv_lease_floor(const struct kv *kv, int64_t ttl);

#endif
