/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of a store that speaks HTTP: a call goes to the one that answered last, and on to
 * the next where it does not answer. What the answers mean is the backends' affair.
 */
#ifndef KV_ENDPOINTS_H
#define KV_ENDPOINTS_H

#include "http/client.h"
#include "kv/backend.h"

struct kv_endpoints {
	struct http_client **v;
	size_t n, at; /* the one that answered last */
};

void kv_endpoints_init(struct kv_endpoints *e, const struct kv_target *target);
void kv_endpoints_fini(struct kv_endpoints *e);

/*
 * The answer, whatever its status, but for those that say that this endpoint cannot serve now (500
 * and above): where no other can either, that is ERR_UNAVAILABLE with what it said. An endpoint
 * that does not answer may have acted all the same, so call only what may be done twice. One that
 * sends no HTTP is passed over too.
 */
may_suspend must_check struct error *kv_endpoints_fetch(struct kv_endpoints *e,
							const struct http_call *call,
							struct arena *arena,
							struct http_result *ret);

/* The same with a time of its own for each endpoint; 0: the usual. */
may_suspend must_check struct error *kv_endpoints_fetch_slow(struct kv_endpoints *e,
							     const struct http_call *call,
							     int64_t time, struct arena *arena,
							     struct http_result *ret);

/* The same for an answer that takes as long as it likes: its head is there when this returns. */
may_suspend must_check struct error *kv_endpoints_begin(struct kv_endpoints *e,
							const struct http_call *call,
							struct http_exchange **ret);

/* An answer of the store that is none of those that the call has: ERR_PROTOCOL, or as above. */
must_check struct error *kv_endpoints_refusal(const struct kv_endpoints *e, int status,
					      struct str body);

#endif
