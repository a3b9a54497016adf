/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of records (cluster/records.h) in the key-value store that several managers share: below
 * docker/swarm/reschedule, next to where they elect their primary.
 */
#ifndef CLI_RECORD_KV_H
#define CLI_RECORD_KV_H

#include "cluster/records.h"

struct kv;

/* `kv` is borrowed, and must outlive the cluster. */
void record_kv_init(struct record_store *store, struct kv *kv);

#endif
