/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of records (cluster/records.h) in the key-value store that several managers share: below
 * docker/swarm/reschedule, next to where they elect their primary.
 */
#ifndef CLI_RECORD_KV_H
#define CLI_RECORD_KV_H

#include "cluster/records.h"

struct fence;
struct kv;

struct record_kv {
	struct record_store store;
	struct kv *kv;
	const struct fence *fence; /* of all writes */
};

/* Both are borrowed, and must outlive the cluster; so must `r`. */
void record_kv_init(struct record_kv *r, struct kv *kv, const struct fence *fence);

#endif
