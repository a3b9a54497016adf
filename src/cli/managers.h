/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One of several managers: what the election means for the API and the cluster. Who is elected is
 * election/, what a replica does api/replica.c.
 */
#ifndef CLI_MANAGERS_H
#define CLI_MANAGERS_H

#include "api/api.h"
#include "election/election.h"
#include "fiber/fence.h"

struct kv;

struct managers {
	struct fence fence; /* from managers_init on; of the API and the cluster */
	struct api *api;    /* the rest from managers_start on */
	struct cluster *cluster;
	const char *advertise;
	struct election *election; /* NULL: not started */
};

void managers_init(struct managers *m);
/* `advertise` is borrowed, as are the API and the cluster, until the stop. */
void managers_start(struct managers *m, struct kv *kv, const char *advertise, int64_t ttl,
		    struct api *api, struct cluster *cluster);
/* Gives the leadership up where this manager has it. Twice is fine, and without a start. */
may_suspend void managers_stop(struct managers *m);

#endif
