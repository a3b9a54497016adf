/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the cluster's nodes those of the discovery, over the outages of both.
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "base/attr.h"
#include "discovery/grace.h"

struct cluster;

struct follow {
	struct discovery *discovery; /* both lent */
	struct cluster *cluster;
	struct grace grace; /* from here on its own */
	bool away;
	int64_t pause; /* before the next attempt to follow; 0: the last one went well */
};

/* A fiber's entry; `arg` is a struct follow. Until cancelled. */
may_suspend void follow_discovery(void *arg);

#endif
