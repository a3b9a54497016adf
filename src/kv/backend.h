/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kind of store is. kv.c hands it whole keys (the prefix in front) and what it answers goes
 * to the caller as it is. Private to kv/ and to tests, which can be a store themselves.
 */
#ifndef KV_BACKEND_H
#define KV_BACKEND_H

#include "base/vec.h"
#include "kv/kv.h"
#include "net/addr.h"

struct fence;
struct tls_context;

/* Where a store is; borrowed for the call. */
struct kv_target {
	const struct addr *addrs;
	size_t n_addrs;
	struct tls_context *tls; /* NULL: in the clear */
};

/* Each call is as its namesake in kv.h says. */
struct kv_backend {
	const char *scheme;
	uint16_t port; /* where the URI has none */
	bool has_tls;
	/* It may let a lease live twice as long as it is told to, so it is told half. */
	bool halves_ttl;
	int64_t least_ttl; /* that callers can ask for; 0: any */

	struct error *(*open)(const struct kv_target *target, struct kv **ret);
	may_suspend void (*stop)(struct kv *kv); /* NULL: nothing to end */
	void (*close)(struct kv *kv);		 /* frees it, but for what kv.c filled in */

	may_suspend struct error *(*get)(struct kv *kv, struct str key, struct arena *arena,
					 struct kv_value *ret);
	/* `directory` ends in "/". Names may be empty or have a "/": kv.c leaves those out. */
	may_suspend struct error *(*list)(struct kv *kv, struct str directory, struct arena *arena,
					  struct kv_list *ret);
	may_suspend struct error *(*wait)(struct kv *kv, struct str key, uint64_t revision);
	/* Of a lease and a fence one is NULL at least. */
	may_suspend struct error *(*put)(struct kv *kv, struct str key, struct str value,
					 struct kv_lease *lease, const struct fence *fence);
	may_suspend struct error *(*remove)(struct kv *kv, struct str key,
					    const struct fence *fence);
	may_suspend struct error *(*lock)(struct kv *kv, struct str key, struct str value,
					  struct kv_lease *lease, bool *ret);

	may_suspend struct error *(*lease_begin)(struct kv *kv, int64_t ttl, struct kv_lease **ret);
	may_suspend struct error *(*lease_renew)(struct kv_lease *lease);
	/* Tells the store; on a fiber of its own, under a deadline. */
	may_suspend struct error *(*lease_revoke)(struct kv_lease *lease);
	may_suspend void (*lease_free)(struct kv_lease *lease); /* shielded */
};

/* The first member of what each backend keeps; kv.c fills it in. */
struct kv {
	const struct kv_backend *backend;
	char *prefix; /* "a/b/", or "" */
};

/* The first member of a backend's lease; kv.c fills in `kv`, the backend `ttl`. */
struct kv_lease {
	struct kv *kv;
	int64_t ttl;
};

extern const struct kv_backend kv_etcd, kv_consul, kv_zookeeper;

/* The error of everything that is asked of a lost lease: ERR_NOT_FOUND. */
must_check struct error *kv_lease_lost(const char *what);

#endif
