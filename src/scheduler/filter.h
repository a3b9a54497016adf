/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter leaves out the nodes that cannot take a container. Each is a file filter_<name>.c and a
 * row of the table in scheduler.c. For the scheduler's own files.
 */
#ifndef SCHEDULER_FILTER_H
#define SCHEDULER_FILTER_H

#include "base/strbuf.h"
#include "scheduler/reason.h"
#include "scheduler/scheduler.h"

/* One attempt to place one request. */
struct sched_run {
	struct sched_request *request;
	bool soft;		 /* soft expressions count too */
	struct spreads *spreads; /* filter_spread.c, where the request has some */
	double room;		 /* what a node's totals are multiplied with: 1 + overcommit */
};

/* The nodes that came as far as a filter, when it left none. */
struct sched_nodes {
	struct sched_node *const *v;
	size_t n;
};

struct filter_kind {
	const char *name;
	/* Whether the request asks anything of this filter; NULL: always. */
	bool (*applies)(const struct sched_request *request);
	bool (*fits)(const struct sched_run *run, const struct sched_node *node);
	/* The first line of a refusal: the original Swarm's words, which scripts look for. */
	void (*headline)(const struct sched_run *run, struct sched_nodes lost, struct strbuf *out);
	/* Why this node does not fit. */
	void (*explain)(const struct sched_run *run, const struct sched_node *node,
			struct reasons *why);
};

extern const struct filter_kind filter_health, filter_port, filter_containerslots,
	filter_dependency, filter_affinity, filter_constraint, filter_whitelist;
/*
 * Come behind all others whatever is configured: a node that cannot run the request, or hold it,
 * is out; and what is asked for with an expression of its own needs no --filter.
 */
extern const struct filter_kind filter_platform, filter_resources, filter_devices, filter_limit,
	filter_spread;

/* Counts, over the nodes that come into question (whose order is lost), what hard spreads ask. */
void spreads_count(struct sched_run *run, struct sched_node **v, size_t n, struct arena *arena);
/* Of the nodes that fit everything, those that soft spreads like best; answers how many. */
size_t spreads_prefer(struct sched_run *run, struct sched_node **v, size_t n, struct arena *arena);

/* Brings those to the front that have the devices asked for, free or not; answers how many. */
size_t devices_keep_there(const struct sched_run *run, struct sched_node **v, size_t n);

/* What of the node's totals is there to give. */
int64_t resources_cpus(const struct sched_run *run, const struct sched_node *node);
int64_t resources_memory(const struct sched_run *run, const struct sched_node *node);

#endif
