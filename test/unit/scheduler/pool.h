/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool for the scheduler's tests: nodes as a line of text each, and look-ups that walk them.
 */
#ifndef UNIT_SCHEDULER_POOL_H
#define UNIT_SCHEDULER_POOL_H

#include "base/arena.h"
#include "scheduler/scheduler.h"

#define CORES(n)   ((int64_t)((n)*1e9))
#define MIBS(n)	   ((int64_t)(n) << 20)
#define POOL_NODES 16

struct pool_node {
	struct sched_node sched;
	struct pool *pool;
	struct sched_label labels[8];
	/* Lists with spaces between: "80/tcp=web", "web", "busybox:latest", "tier=front". */
	const char *ports, *containers, *images, *container_labels;
	struct devices devices;
	int64_t reserved_devices[4];
};

struct pool {
	struct arena arena;
	struct sched_config config;
	struct sched_request request;
	struct pool_node v[POOL_NODES];
	struct sched_node *nodes[POOL_NODES];
	size_t n;
};

void pool_init(struct pool *p); /* the default configuration, without overcommit */
void pool_fini(struct pool *p);
/* A healthy linux/amd64 node of 4 cores and 4096 MiB; labels as "storage=ssd rack=a". */
struct pool_node *pool_add(struct pool *p, const char *name, const char *labels);

void pool_label(struct pool_node *n, const char *key, const char *value); /* one more */
/* "gpu=2 ssd=1" and "GPU-1 GPU-2", as lists. */
void pool_devices(struct pool_node *n, struct pool *p, const char *kinds, const char *ids);
void pool_runtime(struct pool_node *n, const char *name); /* the one that it has; borrowed */

void pool_constraint(struct pool *p, const char *text);
void pool_affinity(struct pool *p, const char *text);
void pool_whitelist(struct pool *p, const char *text);
void pool_spread(struct pool *p, const char *text); /* of what request.kind counts */
/* The container has this value of the labels of all limits. */
void pool_limit(struct pool *p, const char *text, const char *value);
void pool_port(struct pool *p, int port, const char *protocol);
/* NULL: no container of that name anywhere. */
void pool_dependency(struct pool *p, const char *name, const struct pool_node *node);
void pool_only(struct pool *p, const struct pool_node *node, const char *why);
void pool_ask_devices(struct pool *p, const char *requests); /* JSON, as in HostConfig */
void pool_strategy(struct pool *p, const char *name);

struct error *pool_schedule(struct pool *p, struct sched_node **ret);

#endif
